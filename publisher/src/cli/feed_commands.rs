//! The commands about what is current in a feed: make it so, keep it so, look at it, take it along.

use std::path::Path;

use anyhow::{Result, bail};
use jiff::SignedDuration;
use serde_json::json;
use spacecp_contract::{DocumentId, DocumentKind, Role};

use super::{
    Ending,
    broadcast_arguments::{Consented, Fresh, Publisher},
    case_broadcast::approval,
    cli_context::{CliContext, references},
};
use crate::{
    bundle,
    feed::{Feed, HeldBack},
    publish::{Broadcast, Consent, Embargoed, PublishService},
    requests,
    signing::{Disown, SigningService},
    status::Margins,
};

/// News that are listed for people; a script gets all.
const MOST_LISTED: usize = 50;

impl CliContext<'_> {
    pub(super) fn bundle(&self, feed: &Path, into: &Path) -> Result<Ending> {
        let done = bundle::bundle(&self.feed(feed)?, into)?;
        let words = format!(
            "Wrote {}: sequence {} with {} documents and {} payloads{}, valid until {}.",
            into.display(),
            done.sequence,
            done.documents,
            done.payloads,
            match done.sealed {
                0 => String::new(),
                sealed => format!(", and {sealed} sealed files"),
            },
            done.expires
        );
        self.say(&done, &words)
    }

    pub(super) fn broadcast(
        &self,
        feed: &Path,
        fresh: &Fresh,
        dry_run: bool,
        consented: &Consented,
        publisher: &Publisher,
    ) -> Result<Ending> {
        let consent = Consent {
            disclose: consented.disclose.iter().cloned().collect(),
            seal_anew: consented.seal_anew,
            recipients: consented.recipients.iter().cloned().collect(),
            approval: approval(publisher),
        };
        let target = if dry_run {
            self.feed(feed)?
        } else {
            self.tidy_feed(feed)?
        };
        let service = PublishService::of(&target).with_consent(consent);
        let expires = self.in_days(fresh.expires);
        if let Some(folder) = &fresh.request {
            let (plan, _) = service.plan_broadcast(self.now, expires)?;
            // Sealing anew would be the end of a request that waits there for its signatures.
            requests::refuse_taken(folder, plan.sequence)?;
            let prepared = service.prepare_broadcast(self.now, expires)?;
            return self.request_broadcast(&service, folder, prepared);
        }
        let done = if dry_run {
            service.plan_broadcast(self.now, expires)?.0
        } else {
            let keys = self.signers(&fresh.keys, Role::Feed)?;
            service.broadcast(self.now, expires, &references(&keys))?
        };
        self.say_broadcast(&done, dry_run)
    }

    pub(super) fn refresh(
        &self,
        feed: &Path,
        fresh: &Fresh,
        if_within: Option<u32>,
        dry_run: bool,
    ) -> Result<Ending> {
        let target = if dry_run {
            self.feed(feed)?
        } else {
            self.tidy_feed(feed)?
        };
        if let (Some(days), Some(head)) = (if_within, target.head()?)
            && head.expires > self.in_days(days)
            && head.root_version == target.root()?.version
        {
            return self.say(
                &json!({ "refreshed": false, "sequence": head.sequence, "expires": head.expires }),
                &format!(
                    "Sequence {} is valid until {}. Nothing to do.",
                    head.sequence, head.expires
                ),
            );
        }
        let expires = self.in_days(fresh.expires);
        let service = PublishService::of(&target);
        if let Some(folder) = &fresh.request {
            let planned = service.plan_refresh(self.now, expires)?;
            return self.request_broadcast(&service, folder, planned);
        }
        let done = if dry_run {
            service.plan_refresh(self.now, expires)?.0
        } else {
            let keys = self.signers(&fresh.keys, Role::Feed)?;
            service.refresh(self.now, expires, &references(&keys))?
        };
        self.say_broadcast(&done, dry_run)
    }

    pub(super) fn discard_pending(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
        feed: &Path,
    ) -> Result<Ending> {
        let revisions = SigningService::of(&self.tidy_feed(feed)?).discard_pending(kind, id)?;
        let listed: Vec<String> = revisions.iter().map(ToString::to_string).collect();
        self.say(
            &json!({ "kind": kind, "id": id, "revisions": revisions }),
            &format!(
                "Discarded the pending {kind} {id}, revision {}.",
                listed.join(" and ")
            ),
        )
    }

    pub(super) fn sign_again(
        &self,
        feed: &Path,
        (kind, documents): (DocumentKind, &[DocumentId]),
        keys: &[String],
        dry_run: bool,
        yes: bool,
    ) -> Result<Ending> {
        let looked_at = self.feed(feed)?;
        let signing = SigningService::of(&looked_at);
        let is_asked = !yes && !dry_run && signing.starts_afresh()?;
        if dry_run || is_asked {
            let planned = signing.plan_sign_again(kind, documents)?;
            let mut words = format!(
                "Would sign {} documents again. Remove those that are not yours with \"disown\".",
                planned.len()
            );
            for (id, revision) in &planned {
                words.push_str(&format!("\n  {id} revision {revision}"));
            }
            let said = self.say(&json!({ "unsigned": planned }), &words)?;
            if is_asked {
                bail!("needs confirmation: pass --yes");
            }
            return Ok(said);
        }
        let keys = self.signers(keys, kind.role())?;
        let target = self.tidy_feed(feed)?;
        let again = SigningService::of(&target).sign_again(kind, documents, &references(&keys))?;
        let mut words = format!("Signed {} documents again.", again.len());
        for (id, revision) in &again {
            words.push_str(&format!("\n  {id} revision {revision}"));
        }
        self.say(&json!({ "signed": again }), &words)
    }

    pub(super) fn disown(&self, feed: &Path, what: &Disown) -> Result<Ending> {
        if what.reason.is_empty() {
            bail!("the reason is empty; pass --reason");
        }
        SigningService::of(&self.swept_feed(feed)?).disown(what, self.now)?;
        self.say(
            &json!({ "kind": what.kind, "id": what.id, "revision": what.revision }),
            &format!(
                "Removed {} {} from the publication record from revision {} on; it is never signed or listed again.",
                what.kind, what.id, what.revision
            ),
        )
    }

    fn say_broadcast(&self, done: &Broadcast, dry_run: bool) -> Result<Ending> {
        let would = if dry_run { "would be" } else { "is" };
        let mut words = format!(
            "Sequence {} {would} valid until {}, with {} documents{}.",
            done.sequence,
            done.expires,
            done.documents,
            in_private(done.private)
        );
        for (id, revision) in done.news.iter().take(MOST_LISTED) {
            words.push_str(&format!("\n  new: {id} revision {revision}"));
        }
        if let Some(more) = done
            .news
            .len()
            .checked_sub(MOST_LISTED)
            .filter(|more| *more > 0)
        {
            words.push_str(&format!("\n  and {more} more"));
        }
        for held in &done.held_back {
            words.push_str(&format!("\n  held back: {}", held_back(held)));
        }
        self.say(done, &words)
    }

    pub(super) fn status(&self, feed: &Feed, head_within: u32, root_within: u32) -> Result<Ending> {
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        let margins = Margins {
            head: days(head_within),
            root: days(root_within),
        };
        let status = feed.status(self.now, margins)?;
        let mut words = format!("Root {} expires {}.", status.root, status.root_expires);
        for held in &status.roles {
            let keys = held.keys.join(" ");
            words.push_str(&format!("\n  {}: {} of {keys}", held.role, held.threshold));
        }
        if let (Some(sequence), Some(expires)) = (status.sequence, status.head_expires) {
            words.push_str(&format!(
                "\nSequence {sequence} is valid until {expires}, with {} documents{}.",
                status.documents,
                in_private(status.private)
            ));
        }
        for (id, revision) in &status.waiting {
            words.push_str(&format!("\n  pending: {id} revision {revision}"));
        }
        for problem in &status.problems {
            words.push_str(&format!("\nproblem: {problem}"));
        }
        self.say(&status, &words)?;
        Ok(if status.problems.is_empty() {
            Ending::Well
        } else {
            Ending::Faults
        })
    }
}

/// What is said of what is under embargo.
fn in_private(private: Option<Embargoed>) -> String {
    private.map_or_else(String::new, |private| {
        format!(
            ", and {} under embargo for {} panels",
            private.documents, private.panels
        )
    })
}

/// Why a correction stays on the desk.
fn held_back(held: &HeldBack) -> String {
    let HeldBack {
        correction,
        revision,
        advisory,
    } = held;
    let why = match advisory {
        Some(advisory) => format!("{advisory}, which it fixes, is not signed yet"),
        None => "no advisory refers to it".to_owned(),
    };
    format!("{correction} revision {revision}: {why}")
}
