//! Compares a published folder with the record of it. Nothing is changed here.

use spacecp_contract::{Digest, FeedPath, Head, IndexEntry, Limits, Root, decode};
use spacecp_trust::Verified;

use crate::{
    feed::{Feed, FeedError},
    feed_directory::FeedDirectory,
    record::{Edition, Record, RecordError, RecordedRoot},
};

/// How closely a folder is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Depth {
    /// Roots alone.
    Roots,
    /// Roots, head and index.
    Heads,
    /// Those, and every document and sealed file that is current.
    Documents,
}

/// What a comparison found: the record as the folder confirms it, and what a killed command left to do.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) record: Record,
    /// Roots that were signed and recorded, and are not in the folder yet.
    pub(super) unwritten: Vec<RecordedRoot>,
    /// What was about to be published when a command was killed, and was not.
    pub(super) interrupted: Option<Edition>,
    /// Whether the record was made from the folder, because the desk's older memory vouches for it.
    pub(super) adopted: bool,
}

impl Feed {
    /// The record, if the folder is what this desk published last; none without a desk.
    ///
    /// # Errors
    ///
    /// [`RecordError`] that names how they differ.
    pub(crate) fn recorded(&self, depth: Depth) -> Result<Option<Record>, FeedError> {
        Ok(self.compared(depth)?.map(|found| found.record))
    }

    /// Refuses a folder that is not what this desk published last, with every document in it.
    ///
    /// # Errors
    ///
    /// [`RecordError`] that names how they differ.
    pub fn refuse_unpublished(&self) -> Result<(), FeedError> {
        self.recorded(Depth::Documents).map(drop)
    }

    /// The folder beside its record; none without a desk.
    pub(super) fn compared(&self, depth: Depth) -> Result<Option<Comparison>, FeedError> {
        let (Some(path), Some(audience)) = (self.record_path(), self.audience()) else {
            return Ok(None);
        };
        let Some(record) = Record::read(path)? else {
            return self.first_record(Record::new(audience.clone())).map(Some);
        };
        let mut comparison = Comparison {
            record,
            unwritten: Vec::new(),
            interrupted: None,
            adopted: false,
        };
        let roots = self.compare_roots(&mut comparison)?;
        if depth >= Depth::Heads {
            self.compare_head(&mut comparison, &roots)?;
        }
        if let (Depth::Documents, Some(current)) = (depth, &comparison.record.current) {
            self.refuse_damaged(current, &roots)?;
        }
        Ok(Some(comparison))
    }

    /// The record of a folder that has none. One that was published before is taken for the newest only where
    /// the desk's memory of its private side says so.
    fn first_record(&self, mut record: Record) -> Result<Comparison, FeedError> {
        record.take_roots(&self.roots()?);
        if self.was_published()? {
            let missing = || RecordError::Missing {
                feed: self.folder().to_owned(),
                record: self.record_path().unwrap_or(self.folder()).to_owned(),
            };
            let vouched = match self.sealing() {
                Some(sealing) => sealing.vouches()?,
                None => false,
            };
            let edition = self.edition_of_folder()?.filter(|_| vouched);
            let edition = edition.ok_or_else(missing)?;
            record.reserve(edition.signed());
            record.current = Some(edition);
            return Ok(Comparison {
                record,
                unwritten: Vec::new(),
                interrupted: None,
                adopted: true,
            });
        }
        Ok(Comparison {
            record,
            unwritten: Vec::new(),
            interrupted: None,
            adopted: false,
        })
    }

    /// Whether anything but roots lies in the folder.
    fn was_published(&self) -> Result<bool, FeedError> {
        if self.bytes(&FeedPath::head())?.is_some() {
            return Ok(true);
        }
        let has = |name: &str| {
            let names = self.public_names::<String>(name)?;
            Ok::<_, FeedError>(!names.is_empty())
        };
        let was_sealed = match self.sealing() {
            Some(sealing) => sealing.files()?.is_some(),
            None => false,
        };
        Ok(was_sealed || has("index")? || has("advisory")? || has("correction")?)
    }

    /// What the head of the folder lists; none where there is none that a root vouches for.
    pub(crate) fn edition_of_folder(&self) -> Result<Option<Edition>, FeedError> {
        let Some((epoch, (head, index))) = self.broadcast_before()? else {
            return Ok(None);
        };
        let (mut private, mut sealed_to, mut is_unknown) = (Vec::new(), Vec::new(), false);
        if let (Some(sealed), Some(sealing)) = (&index.sealed, self.sealing()) {
            match sealing.sealed_to(sealed)? {
                Some(panels) => {
                    private = sealing.documents(sealed)?;
                    sealed_to = panels;
                }
                None => is_unknown = true,
            }
        }
        Ok(Some(Edition {
            epoch: self.epoch_of(&head)?.unwrap_or(epoch),
            sequence: head.sequence,
            head: Digest::of(head.bytes()),
            index: head.index,
            sealed: index.sealed.as_ref().map(|sealed| sealed.index.digest),
            sealed_to,
            is_unknown,
            public: index.documents.clone(),
            private,
        }))
    }

    /// The sequence epoch in which a head was signed: that of the root that it names.
    fn epoch_of(&self, head: &Head) -> Result<Option<u64>, FeedError> {
        let roots = self.roots()?;
        let root = roots.iter().find(|root| root.version == head.root_version);
        Ok(root.map(|root| root.sequence_epoch))
    }

    fn compare_roots(&self, comparison: &mut Comparison) -> Result<Vec<Verified<Root>>, FeedError> {
        let found = self.roots()?;
        for recorded in &mut comparison.record.roots {
            let there = found.iter().find(|root| root.version == recorded.version);
            match there.map(|root| Digest::of(root.bytes())) {
                Some(digest) if digest == recorded.digest => recorded.pending = false,
                None if recorded.pending => comparison.unwritten.push(recorded.clone()),
                _ => {
                    return Err(RecordError::RootRolledBack {
                        feed: self.folder().to_owned(),
                        version: recorded.version,
                    }
                    .into());
                }
            }
        }
        match found.get(comparison.record.roots.len()) {
            Some(unknown) => Err(self.desk_rolled_back(format!("root {}", unknown.version))),
            None => Ok(found),
        }
    }

    fn compare_head(
        &self,
        comparison: &mut Comparison,
        roots: &[Verified<Root>],
    ) -> Result<(), FeedError> {
        let record = &mut comparison.record;
        let bytes = self.bytes(&FeedPath::head())?;
        let found = bytes.as_deref().map(Digest::of);
        let is_it = |edition: &Option<Edition>| {
            found.is_some() && edition.as_ref().map(|one| one.head) == found
        };
        if is_it(&record.pending) {
            record.is_published();
        }
        let is_ours = is_it(&record.current) || (found, &record.current) == (None, &None);
        if !is_ours && !begins_afresh(record, roots) {
            return Err(self.unknown_head(record.current.as_ref(), bytes.as_deref(), roots));
        }
        comparison.interrupted = record.forget_pending();
        if !is_ours {
            // What somebody with a stolen key published is overruled: the record alone says what was listed.
            if let Ok(Some(edition)) = self.edition_of_folder() {
                record.reserve(edition.signed());
            }
            return Ok(());
        }
        let Some(current) = &record.current else {
            return Ok(());
        };
        let path = FeedPath::index(current.sequence);
        let index = self.bytes(&path)?;
        if index.as_deref().map(Digest::of) == Some(current.index) {
            return Ok(());
        }
        Err(self.replaced(&path))
    }

    /// What is wrong with a head that is not the recorded one.
    fn unknown_head(
        &self,
        current: Option<&Edition>,
        bytes: Option<&[u8]>,
        roots: &[Verified<Root>],
    ) -> FeedError {
        let rolled_back = |recorded, found| {
            RecordError::FeedRolledBack {
                feed: self.folder().to_owned(),
                recorded,
                found,
            }
            .into()
        };
        let recorded = current.map_or((0, 0), |current| (current.epoch, current.sequence));
        let Some(bytes) = bytes else {
            return rolled_back(recorded.1, None);
        };
        let replaced = self.replaced(&FeedPath::head());
        let Ok(head) = decode::<Head>(bytes, &Limits::default()) else {
            return replaced;
        };
        let root = roots.iter().find(|root| root.version == head.root_version);
        let vouched = matches!(self.broadcast_before(), Ok(Some(_)));
        let Some(root) = root.filter(|_| vouched) else {
            return replaced;
        };
        match (root.sequence_epoch, head.sequence).cmp(&recorded) {
            std::cmp::Ordering::Less => rolled_back(recorded.1, Some(head.sequence)),
            std::cmp::Ordering::Equal => replaced,
            std::cmp::Ordering::Greater => self.newer_head(head.sequence, roots),
        }
    }

    /// What is wrong with a head that is newer than the recorded one. This desk is not behind where the newest root
    /// does not accept it: then somebody goes on with keys that were revoked.
    fn newer_head(&self, sequence: u64, roots: &[Verified<Root>]) -> FeedError {
        let newest = roots.last();
        match newest.map(|root| (root.version, self.current(root))) {
            Some((version, Ok(None))) => RecordError::NotVouched {
                feed: self.folder().to_owned(),
                sequence,
                version,
            }
            .into(),
            _ => self.desk_rolled_back(format!("sequence {sequence}")),
        }
    }

    /// What a killed command was publishing; nothing where there was none.
    pub(crate) fn interrupted(&self) -> Result<Option<String>, FeedError> {
        let Some(record) = self.record()? else {
            return Ok(None);
        };
        let mut roots = record.roots.iter().filter(|root| root.pending);
        let root = roots.next().map(|root| format!("root {}", root.version));
        let pending = record.pending.as_ref();
        Ok(root.or(pending.map(|pending| format!("sequence {}", pending.sequence))))
    }

    fn replaced(&self, path: &FeedPath) -> FeedError {
        RecordError::Replaced {
            feed: self.folder().to_owned(),
            path: self.in_public(path),
        }
        .into()
    }

    fn desk_rolled_back(&self, what: String) -> FeedError {
        RecordError::DeskRolledBack {
            feed: self.folder().to_owned(),
            record: self.record_path().unwrap_or(self.folder()).to_owned(),
            what,
        }
        .into()
    }

    /// Refuses a folder or a desk that does not have, unchanged, what panels were told of.
    fn refuse_damaged(&self, current: &Edition, roots: &[Verified<Root>]) -> Result<(), FeedError> {
        for entry in &current.public {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if !has_contents(self.public(), entry)? {
                return Err(damaged(entry, self.in_public(&path)));
            }
            if self.has_better_signatures(roots, entry) {
                return Err(RecordError::Damaged {
                    what: format!("the signature file of {}", name_of(entry)),
                    path: self.in_public(&path.signatures()),
                }
                .into());
            }
        }
        self.refuse_lost(&current.private)?;
        let lost = match (current.sealed, self.sealing()) {
            (Some(sealed), Some(sealing)) => sealing.lost(sealed)?,
            _ => None,
        };
        match lost {
            Some(path) => Err(RecordError::Damaged {
                what: "a sealed file".to_owned(),
                path,
            }
            .into()),
            None => Ok(()),
        }
    }

    /// Refuses a desk that does not have these documents under embargo.
    pub(crate) fn refuse_lost(&self, private: &[IndexEntry]) -> Result<(), FeedError> {
        for entry in private {
            // A newer revision that waits takes the place of the one that is lost.
            let newest = self.newest_revision(entry.kind, &entry.id)?;
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            if newest.is_none_or(|newest| newest <= entry.revision)
                && !has_contents(self.holder(&path)?, entry)?
            {
                return Err(damaged(entry, self.place(&path)));
            }
        }
        Ok(())
    }
}

/// Whether the newest root lets sequences start afresh, and nothing was published under it yet: panels take what
/// comes next, whatever they had.
fn begins_afresh(record: &Record, roots: &[Verified<Root>]) -> bool {
    let newest = roots.last().map_or(0, |root| root.sequence_epoch);
    record
        .current
        .as_ref()
        .is_some_and(|current| current.epoch < newest)
}

fn has_contents(directory: &FeedDirectory, entry: &IndexEntry) -> Result<bool, FeedError> {
    let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
    let bytes = directory.read(&path)?;
    Ok(bytes.is_some_and(|bytes| Digest::of(&bytes) == entry.digest))
}

pub(crate) fn damaged(entry: &IndexEntry, path: std::path::PathBuf) -> FeedError {
    RecordError::Damaged {
        what: name_of(entry),
        path,
    }
    .into()
}

pub(crate) fn name_of(entry: &IndexEntry) -> String {
    format!("{} {} revision {}", entry.kind, entry.id, entry.revision)
}
