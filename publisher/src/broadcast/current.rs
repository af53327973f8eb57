//! Writes what becomes current, in the order in which a reader at any instant finds all that is named.

use std::fs;

use spacecp_contract::{DELTAS, FeedPath, Head, Index, IndexDelta, IndexEntry, WORTH_A_DELTA};

use crate::{
    feed::{Feed, FeedError},
    sign::Signed,
};

impl Feed {
    /// Writes an index, what leads to it, and last of all its head.
    pub(super) fn make_current(
        &self,
        head: &Signed<Head>,
        index: &Signed<Index>,
    ) -> Result<(), FeedError> {
        self.release_public(&index.document)?;
        let path = FeedPath::index(index.document.sequence);
        self.write(&path.signatures(), index.signatures.as_bytes())?;
        self.write(&path, &index.bytes)?;
        self.write_deltas(index)?;
        // The signatures of the head before stay beside the new ones, so that a reader at any instant
        // finds those that fit; panels pass over what does not, as long as enough does.
        let path = FeedPath::head();
        let old = match self.head()? {
            Some(old) => self.signatures_of(old.sequence)?,
            None => String::new(),
        };
        let signatures = format!("{}{old}", head.signatures);
        self.write(&path.signatures(), signatures.as_bytes())?;
        if let (Some(sealing), Some(sealed)) = (self.sealing(), &index.document.sealed) {
            sealing.will_be_current(sealed, head.document.index)?;
        }
        self.write(&path, &head.bytes)?;
        match (self.sealing(), &index.document.sealed) {
            (Some(sealing), Some(sealed)) => Ok(sealing.is_current(sealed)?),
            _ => Ok(()),
        }
    }

    /// Takes what becomes public out of the desk.
    fn release_public(&self, index: &Index) -> Result<(), FeedError> {
        let waits = |entry: &&IndexEntry| {
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            self.place(&path) != self.in_public(&path)
        };
        let leaving: Vec<IndexEntry> = index.documents.iter().filter(waits).cloned().collect();
        let mut payloads = Vec::new();
        for entry in &leaving {
            payloads.extend(self.payloads(entry)?);
        }
        self.release(&leaving, payloads.into_iter().map(|blob| blob.digest))
    }

    /// What changed since earlier indexes, for panels that have those. Nobody believes a delta, so the
    /// earlier ones are taken as they lie here.
    fn write_deltas(&self, index: &Signed<Index>) -> Result<(), FeedError> {
        if (index.bytes.len() as u64) < WORTH_A_DELTA {
            return Ok(());
        }
        let to = index.document.sequence;
        for from in to.saturating_sub(DELTAS).max(1)..to {
            let Ok(Some(old)) = self.read::<Index>(&FeedPath::index(from)) else {
                continue;
            };
            if let Some(delta) = IndexDelta::between(&old, &index.document) {
                let path = FeedPath::delta(to, from);
                self.write(&path.signatures(), index.signatures.as_bytes())?;
                self.write(&path, &delta.to_bytes())?;
            }
        }
        // Who is in the middle of a sync may still want those to the sequence before this one.
        self.forget_deltas(to.saturating_sub(1))
    }

    /// Removes deltas that lead to sequences before `to`.
    fn forget_deltas(&self, to: u64) -> Result<(), FeedError> {
        let folder = self.folder().join("index");
        let failed = |source| FeedError::File {
            path: folder.clone(),
            source,
        };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let leads_to = name.to_str().and_then(|name| name.split_once(".from-"));
            let is_old = leads_to
                .and_then(|(leads_to, _)| leads_to.parse::<u64>().ok())
                .is_some_and(|leads_to| leads_to < to);
            if is_old {
                fs::remove_file(folder.join(name)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// The signatures beside the head that are of this sequence.
    fn signatures_of(&self, sequence: u64) -> Result<String, FeedError> {
        let file = self.bytes(&FeedPath::head().signatures())?;
        let text = String::from_utf8(file.unwrap_or_default()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let comment = format!(" name=head revision={sequence}");
        let of_it = lines
            .chunks_exact(4)
            .filter(|block| block[2].ends_with(&comment));
        Ok(of_it.map(|block| block.join("\n") + "\n").collect())
    }
}
