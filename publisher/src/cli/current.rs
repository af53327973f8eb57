//! The commands about what is current in a feed: make it so, keep it so, look at it, take it along.

use std::path::Path;

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;
use spacecp_contract::{DocumentId, DocumentKind, Role};

use super::{
    Ending,
    broadcast_arguments::{Consented, Fresh},
    case_broadcast::{CasesOfBroadcast, GoingOn},
    desk::{Desk, references},
};
use crate::{
    broadcast::{Broadcast, Embargoed},
    bundle,
    feed::{Consent, Feed, HeldBack},
    requests,
    status::Margins,
};

/// News that are listed for people; a script gets all.
const MOST_LISTED: usize = 50;

impl Desk<'_> {
    pub(super) fn bundle(&self, feed: &Path, into: &Path) -> Result<Ending> {
        let done = bundle::bundle(&self.feed(feed)?, into)?;
        let words = format!(
            "{} has sequence {} with {} documents and {} payloads{}; panels believe it until {}.",
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
        cases: &CasesOfBroadcast<'_>,
    ) -> Result<Ending> {
        let consent = Consent {
            disclose: consented.disclose.iter().cloned().collect(),
            seal_anew: consented.seal_anew,
        };
        let target = self.feed(feed)?.with_consent(consent);
        let expires = self.in_days(fresh.expires);
        // What a case forbids is refused before anything is signed. Without cases nothing needs to be
        // looked at twice.
        let is_planned = dry_run || fresh.request.is_some() || !cases.is_empty()?;
        let planned = is_planned
            .then(|| target.plan_broadcast(self.now, expires))
            .transpose()?
            .map(|(plan, _)| plan);
        let going_on = match &planned {
            Some(plan) => cases.going_on(&target, &plan.news)?,
            None => GoingOn::default(),
        };
        if let (Some(folder), Some(plan)) = (&fresh.request, &planned) {
            // Sealing anew would be the end of a request that waits there for its signatures.
            requests::refuse_taken(folder, plan.sequence)?;
            let prepared = target.prepare_broadcast(self.now, expires)?;
            return self.request_broadcast(&target, folder, prepared);
        }
        let done = match planned {
            Some(plan) if dry_run => plan,
            _ => {
                let keys = self.signers(&fresh.keys, Role::Feed)?;
                let done = target.broadcast(self.now, expires, &references(&keys))?;
                cases.go_on(going_on)?;
                done
            }
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
        let target = self.feed(feed)?;
        if let (Some(days), Some(head)) = (if_within, target.head()?)
            && head.expires > self.in_days(days)
            && head.root_version == target.root()?.version
        {
            return self.say(
                &json!({ "refreshed": false, "sequence": head.sequence, "expires": head.expires }),
                &format!(
                    "Sequence {} is current until {}: nothing to do.",
                    head.sequence, head.expires
                ),
            );
        }
        let expires = self.in_days(fresh.expires);
        if let Some(folder) = &fresh.request {
            let planned = target.plan_refresh(self.now, expires)?;
            return self.request_broadcast(&target, folder, planned);
        }
        let done = if dry_run {
            target.plan_refresh(self.now, expires)?.0
        } else {
            let keys = self.signers(&fresh.keys, Role::Feed)?;
            target.refresh(self.now, expires, &references(&keys))?
        };
        self.say_broadcast(&done, dry_run)
    }

    pub(super) fn unsign(
        &self,
        kind: DocumentKind,
        id: &DocumentId,
        feed: &Path,
    ) -> Result<Ending> {
        let revisions = self.feed(feed)?.unsign(kind, id)?;
        let listed: Vec<String> = revisions.iter().map(ToString::to_string).collect();
        self.say(
            &json!({ "kind": kind, "id": id, "revisions": revisions }),
            &format!(
                "The {kind} {id} is signed no more as revision {}; no panel had it.",
                listed.join(" and ")
            ),
        )
    }

    pub(super) fn sign_again(
        &self,
        feed: &Path,
        kind: DocumentKind,
        keys: &[String],
    ) -> Result<Ending> {
        let keys = self.signers(keys, kind.role())?;
        let again = self.feed(feed)?.sign_again(kind, &references(&keys))?;
        let mut words = format!("{} documents were signed again.", again.len());
        for (id, revision) in &again {
            words.push_str(&format!("\n  {id} revision {revision}"));
        }
        self.say(&json!({ "signed": again }), &words)
    }

    fn say_broadcast(&self, done: &Broadcast, dry_run: bool) -> Result<Ending> {
        let would = if dry_run { "would be" } else { "is" };
        let mut words = format!(
            "Sequence {} {would} current until {}, with {} documents{}.",
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
                "\nSequence {sequence} is current until {expires}, with {} documents{}.",
                status.documents,
                in_private(status.private)
            ));
        }
        for (id, revision) in &status.waiting {
            words.push_str(&format!("\n  not broadcast yet: {id} revision {revision}"));
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
        Some(advisory) => format!("{advisory}, which it answers, is not signed yet"),
        None => "no advisory names it".to_owned(),
    };
    format!("{correction} revision {revision}: {why}")
}
