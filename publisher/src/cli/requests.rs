//! The commands for keys on machines of their own: ask for signatures, sign, collect.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::json;
use spacecp_contract::Index;

use super::{
    Ending,
    case_broadcast::{CasesOfBroadcast, GoingOn},
    described::described,
    desk::{Desk, references},
};
use crate::{
    broadcast::Broadcast,
    feed::Feed,
    requests::{self, Request, Wanted},
};

impl Desk<'_> {
    pub(super) fn write_request(&self, folder: &Path, wanted: Wanted) -> Result<Ending> {
        let request = requests::write(folder, wanted)?;
        self.say_request(&request, "wants to be signed")
    }

    /// Both halves of a broadcast: the index, and the head that makes it current.
    pub(super) fn request_broadcast(
        &self,
        feed: &Feed,
        folder: &Path,
        (plan, index): (Broadcast, Index),
    ) -> Result<Ending> {
        let head = feed.planned_head(&plan, &index, self.now)?;
        let index = requests::write(folder, Wanted::Index(index))?;
        let head = requests::write(folder, Wanted::Head(head))?;
        let (first, second) = (said(&index), said(&head));
        let mut words = format!(
            "Sequence {} with {} documents wants two signatures by each key.",
            plan.sequence, plan.documents
        );
        for (id, revision) in &plan.news {
            words.push_str(&format!("\n  new: {id} revision {revision}"));
        }
        for request in [&index, &head] {
            words.push_str(&format!("\n{}", described(request, "wants to be signed")));
        }
        self.say(
            &json!({ "plan": plan, "index": first, "head": second }),
            &words,
        )
    }

    pub(super) fn sign_request(&self, path: &Path, names: &[String]) -> Result<Ending> {
        let request = Request::read(path)?;
        if names.is_empty() {
            return self.say_request(&request, "wants to be signed");
        }
        let keys = names.iter().map(|name| self.key(name));
        request.sign(&references(&keys.collect::<Result<Vec<_>>>()?))?;
        self.say_request(
            &request,
            &format!("is signed; carry {} back", request.signatures().display()),
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
        cases: &CasesOfBroadcast<'_>,
    ) -> Result<Ending> {
        let request = Request::read(path)?;
        let feed = &match request.wanted() {
            // The first root makes the feed, and roots never wait in a desk.
            Wanted::Root(_) => Feed::at(feed),
            _ => self.feed(feed)?,
        };
        request.add(feed, files)?;
        // What a case forbids is refused before the last signature makes it current.
        let going_on = if request.progress(feed)?.missing.is_empty() {
            cases.going_on(feed, &request.news(feed)?)?
        } else {
            GoingOn::default()
        };
        let progress = request.publish(feed, self.now)?;
        cases.go_on(going_on)?;
        let signed = progress.signed.join(", ");
        if progress.missing.is_empty() {
            let words = format!("{} is in the feed, signed by {signed}.", path.display());
            return self.say(&progress, &words);
        }
        let missing = progress.missing.join(", ");
        self.say(
            &progress,
            &format!("Signed by: {signed}. Still missing: {missing}."),
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
