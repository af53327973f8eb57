//! The commands about what is current in a feed: make it so, keep it so, look at it, take it along.

use std::path::Path;

use anyhow::Result;
use jiff::SignedDuration;
use serde_json::json;
use spacecp_contract::{DocumentKind, Role};

use super::{
    Ending,
    arguments::Fresh,
    desk::{Desk, references},
};
use crate::{broadcast::Broadcast, bundle, feed::Feed, status::Margins};

/// News that are listed for people; a script gets all.
const MOST_LISTED: usize = 50;

impl Desk<'_> {
    pub(super) fn bundle(&self, feed: &Path, into: &Path) -> Result<Ending> {
        let done = bundle::bundle(&Feed::at(feed), into)?;
        let words = format!(
            "{} has sequence {} with {} documents and {} payloads; panels believe it until {}.",
            into.display(),
            done.sequence,
            done.documents,
            done.payloads,
            done.expires
        );
        self.say(&done, &words)
    }

    pub(super) fn broadcast(&self, feed: &Path, fresh: &Fresh, dry_run: bool) -> Result<Ending> {
        let target = Feed::at(feed);
        let expires = self.in_days(fresh.expires);
        if let Some(folder) = &fresh.request {
            let planned = target.plan_broadcast(self.now, expires)?;
            return self.request_broadcast(&target, folder, planned);
        }
        let done = if dry_run {
            target.plan_broadcast(self.now, expires)?.0
        } else {
            let keys = self.signers(&fresh.keys, Role::Feed)?;
            target.broadcast(self.now, expires, &references(&keys))?
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
        let target = Feed::at(feed);
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

    pub(super) fn sign_again(
        &self,
        feed: &Path,
        kind: DocumentKind,
        keys: &[String],
    ) -> Result<Ending> {
        let keys = self.signers(keys, kind.role())?;
        let again = Feed::at(feed).sign_again(kind, &references(&keys))?;
        let mut words = format!("{} documents were signed again.", again.len());
        for (id, revision) in &again {
            words.push_str(&format!("\n  {id} revision {revision}"));
        }
        self.say(&json!({ "signed": again }), &words)
    }

    fn say_broadcast(&self, done: &Broadcast, dry_run: bool) -> Result<Ending> {
        let would = if dry_run { "would be" } else { "is" };
        let mut words = format!(
            "Sequence {} {would} current until {}, with {} documents.",
            done.sequence, done.expires, done.documents
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
                "\nSequence {sequence} is current until {expires}, with {} documents.",
                status.documents
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
