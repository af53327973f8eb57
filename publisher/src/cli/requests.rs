//! The commands for keys on machines of their own: ask for signatures, sign, collect.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use spacecp_contract::Index;

use super::{
    Ending,
    broadcast_arguments::Publisher,
    case_broadcast::approval,
    cli_context::{CliContext, references},
    described::described,
};
use crate::{
    feed::Feed,
    publish::{Broadcast, Consent, PublishService},
    requests::{self, Request, Wanted},
};

impl CliContext<'_> {
    pub(super) fn write_request(&self, folder: &Path, wanted: Wanted) -> Result<Ending> {
        let request = requests::write(folder, wanted)?;
        self.say_request(&request, "needs signatures")
    }

    /// Both halves of a broadcast: the index, and the head that makes it current.
    pub(super) fn request_broadcast(
        &self,
        service: &PublishService<'_>,
        folder: &Path,
        (plan, index): (Broadcast, Index),
    ) -> Result<Ending> {
        let head = service.planned_head(&plan, &index, self.now)?;
        let index = requests::write(folder, Wanted::Index(index))?;
        let head = requests::write(folder, Wanted::Head(head))?;
        let (first, second) = (said(&index), said(&head));
        let mut words = format!(
            "Sequence {} with {} documents needs two signatures by each key.",
            plan.sequence, plan.documents
        );
        for (id, revision) in &plan.news {
            words.push_str(&format!("\n  new: {id} revision {revision}"));
        }
        for request in [&index, &head] {
            words.push_str(&format!("\n{}", described(request, "needs signatures")));
        }
        self.say(
            &json!({ "plan": plan, "index": first, "head": second }),
            &words,
        )
    }

    pub(super) fn sign_request(&self, path: &Path, names: &[String]) -> Result<Ending> {
        let request = Request::read(path)?;
        if names.is_empty() {
            return self.say_request(&request, "needs signatures");
        }
        let keys = names.iter().map(|name| self.key(name));
        request.sign(&references(&keys.collect::<Result<Vec<_>>>()?))?;
        self.say_request(
            &request,
            &format!("is signed; copy {} back", request.signatures().display()),
        )
    }

    fn say_request(&self, request: &Request, how: &str) -> Result<Ending> {
        self.say(&said(request), &described(request, how))
    }

    pub(super) fn add_signature(
        &self,
        path: &Path,
        files: &[PathBuf],
        feed: &Path,
        publisher: &Publisher,
    ) -> Result<Ending> {
        let request = Request::read(path)?;
        let feed = &match request.wanted() {
            // The first root makes the feed, and says whom it is for.
            Wanted::Root(root) if root.version == 1 => {
                Feed::of_desk(feed, &self.arguments.desk, &root.audience)
            }
            // What it needs of the head it looks at when it is published.
            Wanted::Root(_) => self.swept_feed(feed)?,
            _ => self.tidy_feed(feed)?,
        };
        request.add(feed, files)?;
        let service = PublishService::of(feed).with_consent(Consent {
            approval: approval(publisher),
            ..Consent::default()
        });
        let progress = request.publish(&service, self.now)?;
        let signed = progress.signed.join(", ");
        if progress.missing.is_empty() {
            let words = format!("Published {}, signed by {signed}.", path.display());
            return self.say(&progress, &words);
        }
        let missing = progress.missing.join(", ");
        self.say(
            &progress,
            &format!("Signed by: {signed}. Missing: {missing}."),
        )?;
        Ok(Ending::Faults)
    }
}

/// A request, for scripts.
fn said(request: &Request) -> serde_json::Value {
    json!({
        "request": request.path(),
        "signatures": request.signatures(),
        "comment": request.wanted().comment().to_string(),
        "digest": request.digest(),
    })
}
