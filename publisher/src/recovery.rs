//! The explicit ways out where folder and record differ: believe the folder, or believe the record.
//!
//! Either is a person's decision, and stays in the record with its reason. Neither ever publishes a lower
//! sequence than was signed before, nor gives up a root.

use jiff::Timestamp;
use spacecp_contract::{Digest, FeedPath, IndexEntry};

use crate::{
    feed::{Feed, FeedError, Visibility, follows},
    keys::SecretKey,
    publish::{Broadcast, PublishService},
    reconcile::{damaged, name_of},
    record::{Edition, Record, RecordError, Recovery, Signed},
};

/// Who recovers, why, and what they know beyond folder and record.
#[derive(Debug, Clone)]
pub struct Reason {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The highest sequence that any panel reports.
    pub seen: Option<u64>,
}

/// What is believed.
#[derive(Debug, Clone, Copy)]
pub enum Recover<'a> {
    /// The published folder; the record follows.
    Feed,
    /// The record; the folder follows with a new head, which these keys sign, until the given time.
    Record(&'a [&'a SecretKey], Timestamp),
}

/// What a recovery does.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Adopted {
    /// The sequence that was recorded.
    pub recorded: Option<u64>,
    /// The sequence that the folder has.
    pub found: Option<u64>,
    /// The lowest sequence that the next broadcast can have, or the one that was published.
    pub next: u64,
    /// Roots that are put back.
    pub roots: Vec<u64>,
    /// Documents that were recorded as published and are not listed any more: panels that have them refuse
    /// what follows.
    pub lost: Vec<String>,
    /// Documents that the folder lists and the record did not: whoever had the keys may have forged them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
    /// What was published by the recovery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Broadcast>,
}

/// Recovers a feed whose folder and record differ.
#[derive(Debug)]
pub struct RecoveryService<'a> {
    feed: &'a Feed,
}

impl<'a> RecoveryService<'a> {
    /// The service for this feed.
    pub fn of(feed: &'a Feed) -> Self {
        Self { feed }
    }

    /// What a recovery would do; writes nothing.
    ///
    /// # Errors
    ///
    /// [`RecordError`] where it would not be a way out.
    pub fn plan(&self, how: Recover<'_>, seen: Option<u64>) -> Result<Adopted, FeedError> {
        Ok(self.recovery(how, seen)?.1)
    }

    /// Recovers, and records it.
    ///
    /// # Errors
    ///
    /// [`RecordError`] where documents are missing, or roots contradict each other.
    pub fn recover(
        &self,
        how: Recover<'_>,
        why: &Reason,
        now: Timestamp,
    ) -> Result<Adopted, FeedError> {
        let _lock = self.feed.lock()?;
        let (mut record, mut adopted) = self.recovery(how, why.seen)?;
        let Some(path) = self.feed.record_path() else {
            return Err(RecordError::Deskless(self.feed.folder().to_owned()).into());
        };
        for root in &record.roots {
            if adopted.roots.contains(&root.version) {
                self.feed.put_root(root)?;
            }
        }
        if let Some(current) = &record.current {
            self.feed.restore_copies(&current.public)?;
        }
        // What an interrupted broadcast took out of the desk would lie in the folder, and be listed nowhere.
        if let Some(interrupted) = record.forget_pending()
            && record.current.as_ref().map(|one| one.head) != Some(interrupted.head)
        {
            self.feed.take_back(&interrupted, record.current.as_ref())?;
        }
        record.recoveries.push(Recovery {
            at: now,
            by: why.by.clone(),
            from: match how {
                Recover::Feed => "feed".to_owned(),
                Recover::Record(..) => "record".to_owned(),
            },
            reason: why.reason.clone(),
            before: Record::read(path)?.and_then(|before| before.highest),
            adopted: record.highest,
            lost: adopted.lost.clone(),
            gained: adopted.gained.clone(),
        });
        if let Recover::Feed = how {
            record.write(path)?;
            return Ok(adopted);
        }
        if let Recover::Record(keys, expires) = how {
            let contents = recorded_sides(record.current.as_ref());
            let done = PublishService::of(self.feed)
                .publish_recovered(contents, record, now, expires, keys)?;
            adopted.next = done.sequence;
            adopted.published = Some(done);
        }
        Ok(adopted)
    }

    /// The record after a recovery, and what it means.
    fn recovery(
        &self,
        how: Recover<'_>,
        seen: Option<u64>,
    ) -> Result<(Record, Adopted), FeedError> {
        let (Some(path), Some(audience)) = (self.feed.record_path(), self.feed.audience()) else {
            return Err(RecordError::Deskless(self.feed.folder().to_owned()).into());
        };
        let mut before = Record::read(path)?;
        if let Some(before) = &mut before {
            self.confirm_published(before);
        }
        let mut record = before
            .clone()
            .unwrap_or_else(|| Record::new(audience.clone()));
        let roots = self.unite_roots(&mut record)?;
        let found = self.feed.edition_of_folder();
        let found_sequence = found
            .as_ref()
            .ok()
            .and_then(|one| one.as_ref())
            .map(|one| one.sequence);
        match how {
            Recover::Feed => {
                let mut found = found?.ok_or_else(|| {
                    RecordError::Nothing(format!("{} has no head", self.feed.folder().display()))
                })?;
                self.refuse_unvouched(&record, &found)?;
                refuse_disowned(&record, &found)?;
                if found.is_unknown {
                    keep_private(&mut found, before.as_ref());
                }
                self.refuse_unpublishable(&found.public)?;
                record.reserve(found.signed());
                record.current = Some(found);
            }
            Recover::Record(..) => {
                let known = before.as_ref().and_then(|before| before.current.clone());
                let known = known.ok_or_else(|| {
                    RecordError::Nothing(format!("{} lists nothing as published", path.display()))
                })?;
                self.refuse_unknown_side(&known)?;
                // Sealed files are made anew.
                self.refuse_unpublishable(&known.public)?;
                self.feed.refuse_lost(&known.private)?;
                if let Ok(Some(found)) = &found {
                    record.reserve(found.signed());
                }
            }
        }
        if let Some(seen) = seen {
            let epoch = record.highest.map_or(0, |highest| highest.epoch);
            record.reserve(Signed {
                epoch,
                sequence: seen,
                head: None,
            });
        }
        let adopted = Adopted {
            recorded: before
                .as_ref()
                .and_then(|before| before.current.as_ref())
                .map(|one| one.sequence),
            found: found_sequence,
            next: record
                .highest
                .map_or(1, |highest| highest.sequence.saturating_add(1)),
            roots,
            lost: only_in(before.as_ref(), Some(&record)),
            gained: only_in(Some(&record), before.as_ref()),
            published: None,
        };
        Ok((record, adopted))
    }

    /// Notes what was about to be published as published, if a command was killed after it was.
    fn confirm_published(&self, record: &mut Record) {
        // What cannot be read there is not what was about to be published.
        let found = self.feed.bytes(&FeedPath::head()).unwrap_or(None);
        let found = found.as_deref().map(Digest::of);
        if found.is_some() && record.pending.as_ref().map(|one| one.head) == found {
            record.is_published();
        }
    }

    /// Takes the roots of the folder into the record; gives those that the folder lacks.
    fn unite_roots(&self, record: &mut Record) -> Result<Vec<u64>, FeedError> {
        let mut lacking = Vec::new();
        for root in &record.roots {
            let path = FeedPath::root(root.version);
            match self.feed.bytes(&path).unwrap_or(None) {
                Some(bytes) if Digest::of(&bytes) == root.digest => {}
                // Whoever can write the folder can write anything there: what is no root is none.
                Some(bytes) if self.is_root(root.version, &bytes)? => {
                    return Err(RecordError::Forked {
                        feed: self.feed.folder().to_owned(),
                        version: root.version,
                    }
                    .into());
                }
                _ => lacking.push(root.version),
            }
        }
        if lacking.is_empty() {
            record.take_roots(&self.feed.roots()?);
        }
        record.roots_are_published();
        Ok(lacking)
    }

    /// Refuses to believe a head that this desk did not publish and the newest root does not accept: older roots
    /// accept what somebody with a revoked key signs today.
    fn refuse_unvouched(&self, record: &Record, found: &Edition) -> Result<(), FeedError> {
        if record.current.as_ref().map(|current| current.head) == Some(found.head) {
            return Ok(());
        }
        let mut newest = None;
        // The folder may lack the newest ones.
        for root in &record.roots {
            newest = Some(follows(
                newest.as_ref(),
                root.version,
                &root.bytes(),
                root.signatures.as_bytes(),
            )?);
        }
        let newest = newest.ok_or_else(|| FeedError::NoRoot(self.feed.folder().to_owned()))?;
        let accepted = self.feed.current(&newest)?;
        if accepted.is_some_and(|(head, _)| Digest::of(head.bytes()) == found.head) {
            return Ok(());
        }
        Err(RecordError::NotVouched {
            feed: self.feed.folder().to_owned(),
            sequence: found.sequence,
            version: newest.version,
        }
        .into())
    }

    /// Refuses to list a document that neither the folder nor a copy has.
    fn refuse_unpublishable(&self, documents: &[IndexEntry]) -> Result<(), FeedError> {
        match documents.iter().find(|entry| !self.feed.can_publish(entry)) {
            Some(entry) => {
                let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
                Err(damaged(entry, self.feed.in_public(&path)))
            }
            None => Ok(()),
        }
    }

    /// Refuses to publish a private side of which nobody can say what is in it: entitled panels refuse a broadcast that
    /// lacks anything that they have.
    fn refuse_unknown_side(&self, known: &Edition) -> Result<(), FeedError> {
        match self.feed.sealing() {
            Some(sealing) if known.is_unknown => Err(FeedError::NotRemembered {
                feed: self.feed.folder().to_owned(),
                ledger: sealing.remembered_in().to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn is_root(&self, version: u64, bytes: &[u8]) -> Result<bool, FeedError> {
        let signatures = self.feed.bytes(&FeedPath::root(version).signatures())?;
        let offered = crate::feed::unverified(bytes, signatures.as_deref().unwrap_or_default());
        Ok(spacecp_trust::reverify_root(offered).is_ok())
    }
}

/// Takes what was recorded as private over into an edition whose private side another state of the desk sealed: panels
/// have at least that, unless everybody has it now.
fn keep_private(found: &mut Edition, before: Option<&Record>) {
    let before = before.and_then(|before| before.current.as_ref());
    let private = before.into_iter().flat_map(|before| &before.private);
    let private = private.filter(|entry| found.entry(entry.kind, &entry.id).is_none());
    found.private = private.cloned().collect();
}

fn refuse_disowned(record: &Record, found: &Edition) -> Result<(), FeedError> {
    let listed = found.public.iter().chain(&found.private);
    for entry in listed {
        record.refuse_disowned(entry.kind, &entry.id, entry.revision)?;
    }
    Ok(())
}

fn recorded_sides(current: Option<&Edition>) -> Visibility {
    Visibility {
        public: current.map_or_else(Vec::new, |current| current.public.clone()),
        private: current.map_or_else(Vec::new, |current| current.private.clone()),
        held_back: Vec::new(),
    }
}

/// Documents that the first record lists and the second does not, or only in an older revision or with other
/// contents.
fn only_in(one: Option<&Record>, other: Option<&Record>) -> Vec<String> {
    let edition = one.and_then(|one| one.current.as_ref());
    let listed = edition
        .into_iter()
        .flat_map(|edition| edition.public.iter().chain(&edition.private));
    let is_missing = |entry: &&IndexEntry| {
        let there = other.and_then(|other| other.listed(entry.kind, &entry.id));
        there.is_none_or(|there| {
            there.revision < entry.revision
                || (there.revision == entry.revision && there.digest != entry.digest)
        })
    };
    listed.filter(is_missing).map(name_of).collect()
}
