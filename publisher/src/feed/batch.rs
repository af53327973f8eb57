//! Many documents at a time.
//!
//! Each file is as safe as if it were written alone – synced before it gets its name, its folder
//! synced after – but the disk is waited for once in each of these steps, and not once for each
//! file: a file system writes out everything that is waiting when it is asked for one.

use spacecp_contract::{Audience, Digest, Document, FeedPath, IndexEntry};

use super::{Feed, FeedError, accepted, beside, holds, id_of, unverified};
use crate::{
    durable,
    keys::SecretKey,
    sign::{Signed, sign},
};

impl Feed {
    /// Signs documents for one audience and adds them; panels see them after the next broadcast. If one
    /// of them is refused, none is added.
    ///
    /// # Errors
    ///
    /// [`FeedError`] for what [`Feed::add`] refuses.
    pub fn add_all<T: Document>(
        &self,
        documents: Vec<T>,
        audience: &Audience,
        keys: &[&SecretKey],
    ) -> Result<(), FeedError> {
        let root = self.root()?;
        holds(&root, T::KIND.role(), keys)?;
        let _lock = self.lock()?;
        self.make_room()?;
        let (mut signatures, mut contents) = (Vec::new(), Vec::new());
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
            self.refuse_secrets(T::KIND, &signed.bytes)?;
            let path = FeedPath::document(T::KIND, &id, revision);
            if self
                .bytes(&path)?
                .is_some_and(|there| there != signed.bytes)
            {
                return Err(FeedError::Republished { id, revision });
            }
            let place = match self.place(&path) {
                there if there.exists() => there,
                _ => self.waits_in().join(path.as_str()),
            };
            signatures.push((beside(&place), signed.signatures.into_bytes()));
            contents.push((place, signed.bytes));
        }
        // Signatures first: a document without them would be one that nobody vouches for.
        for files in [signatures, contents] {
            durable::replace_all(&files)
                .map_err(|(path, source)| FeedError::File { path, source })?;
        }
        Ok(())
    }
}
