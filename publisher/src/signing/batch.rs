//! Many documents at a time.
//!
//! Each file is as safe as if it were written alone – synced before it gets its name, its folder
//! synced after – but the disk is waited for once in each of these steps, and not once for each
//! file: a file system writes out everything that is waiting when it is asked for one.

use spacecp_contract::{Audience, Digest, Document, FeedPath, IndexEntry};

use super::{SigningService, holds, id_of};
use crate::{
    feed::{FeedError, accepted, unverified},
    keys::SecretKey,
    reconcile::Depth,
    sign::{Signed, sign},
};

impl SigningService<'_> {
    /// Signs documents for one audience and adds them; panels see them after the next broadcast. If one
    /// of them is refused, none is added.
    ///
    /// # Errors
    ///
    /// [`FeedError`] for what [`SigningService::add`] refuses.
    pub fn add_all<T: Document>(
        &self,
        documents: Vec<T>,
        audience: &Audience,
        keys: &[&SecretKey],
    ) -> Result<(), FeedError> {
        let root = self.feed.root()?;
        holds(&root, T::KIND.role(), keys)?;
        let _lock = self.feed.lock()?;
        self.feed.reconciled(Depth::Heads)?;
        let mut public = (Vec::new(), Vec::new());
        let mut waiting = (Vec::new(), Vec::new());
        for document in documents {
            let (id, revision) = (id_of(&document)?, document.revision());
            if !audience.may_reach(&root.audience) {
                return Err(FeedError::Audience {
                    id,
                    audience: audience.clone(),
                    feed: root.audience.clone(),
                });
            }
            self.refuse_older(T::KIND, &id, revision)?;
            let signed: Signed<T> = sign(document, keys)?;
            let entry = IndexEntry {
                kind: T::KIND,
                id: id.clone(),
                revision,
                digest: Digest::of(&signed.bytes),
                length: signed.bytes.len() as u64,
            };
            let offered = unverified(&signed.bytes, signed.signatures.as_bytes());
            accepted(&root, &entry, offered)?;
            self.feed.refuse_secrets(T::KIND, &signed.bytes)?;
            let path = FeedPath::document(T::KIND, &id, revision);
            let there = self.feed.bytes(&path)?;
            let is_public = there.is_some() && !self.feed.is_waiting(&path)?;
            if there.is_some_and(|there| there != signed.bytes) {
                return Err(FeedError::Republished { id, revision });
            }
            let (signatures, contents) = if is_public { &mut public } else { &mut waiting };
            signatures.push((path.signatures(), signed.signatures.into_bytes()));
            contents.push((path, signed.bytes));
        }
        // Signatures first: a document without them would be one that nobody vouches for.
        for (directory, (signatures, contents)) in [
            (self.feed.public(), public),
            (self.feed.waits_in(), waiting),
        ] {
            directory.write_all(&signatures)?;
            directory.write_all(&contents)?;
        }
        Ok(())
    }
}
