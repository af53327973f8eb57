//! Imports external documents: each is new to a feed, changed, or there already.
//!
//! An import moves as a feed does: an older document than the one that is held is refused, and so is
//! one of the same time that says something else. What is there already is verified as a panel
//! verifies it before anything is compared with it.

use std::collections::HashMap;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DecodeError, Digest, DocumentId, Root, Source, decode, encode};
use spacecp_formats::{Format, Limits, Refusal, Remark, Terms, Unmapped, json, shown, to_advisory};
use spacecp_trust::Verified;

use crate::{
    check::{self, Fault},
    feed::{Feed, FeedError},
    keys::SecretKey,
    signing::SigningService,
};

/// What a document is to the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The feed did not have it.
    New,
    /// The feed has an earlier one.
    Changed,
    /// The feed has an earlier one, which this one withdraws.
    Withdrawn,
    /// The feed has the same.
    Unchanged,
}

/// A document that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Looked {
    /// What it is to the feed.
    pub standing: Standing,
    /// The advisory, with the revision that the feed has or would have.
    pub advisory: Advisory,
    /// What of the document is kept and decides nothing.
    pub remarks: Vec<Remark>,
    /// Products that are mapped to no component.
    pub unmapped: Vec<Unmapped>,
    /// How many bytes the document has.
    pub length: usize,
}

/// Why a document does not enter the feed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is not turned into an advisory.
    #[error("{refusal}")]
    Refused {
        /// Its id, as far as it has one.
        id: String,
        /// Why.
        refusal: Refusal,
    },
    /// The same import has had another document of that id before.
    #[error("duplicate {id} in this import, with other contents")]
    Twice {
        /// The id.
        id: DocumentId,
    },
    /// The feed has an advisory of that id that was made from something else.
    #[error("{id} is already in this feed, imported from {held}, and is not replaced")]
    OtherOrigin {
        /// The id.
        id: DocumentId,
        /// Where the one that is held comes from.
        held: String,
    },
    /// It is older than what the feed has.
    #[error("{id} was modified on {offered}, but this feed has the newer version of {held}")]
    Rollback {
        /// The id.
        id: DocumentId,
        /// When the document was modified.
        offered: Timestamp,
        /// When the one that is held was.
        held: Timestamp,
    },
    /// It says something else as of the same time.
    #[error("{id} changed without a new modification time ({modified})")]
    Equivocation {
        /// The id.
        id: DocumentId,
        /// When it says it was modified.
        modified: Timestamp,
    },
    /// A panel would not take the advisory, or has no use for it.
    #[error("{id}: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Unfit {
        /// The id.
        id: DocumentId,
        /// What is wrong.
        faults: Vec<Fault>,
    },
    /// What is made of it is beyond what a panel reads.
    #[error("{id}: the resulting advisory would be invalid: {source}")]
    Unreadable {
        /// The id.
        id: DocumentId,
        /// What a panel would say.
        source: DecodeError,
    },
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl ImportError {
    /// The id of the document, as far as it is known.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Refused { id, .. } => (!id.is_empty()).then_some(id),
            Self::Twice { id }
            | Self::OtherOrigin { id, .. }
            | Self::Rollback { id, .. }
            | Self::Equivocation { id, .. }
            | Self::Unfit { id, .. }
            | Self::Unreadable { id, .. } => Some(id),
            Self::Feed(_) => None,
        }
    }

    /// The products for which the document was refused, where mapping one of them would change that.
    pub fn unmapped(&self) -> &[Unmapped] {
        match self {
            Self::Refused {
                refusal: Refusal::Unmapped { products },
                ..
            } => products,
            _ => &[],
        }
    }

    /// Whether the next document would fare the same.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Feed(_))
    }
}

/// An import into one feed.
#[derive(Debug)]
pub struct Importer<'a> {
    feed: &'a Feed,
    root: Verified<Root>,
    format: Format,
    terms: &'a Terms,
    limits: Limits,
    now: Timestamp,
    /// The documents that there were, with the digest of each.
    seen: HashMap<DocumentId, Option<Digest>>,
    waiting: Vec<Advisory>,
    waiting_bytes: usize,
}

impl<'a> Importer<'a> {
    /// An import of documents of this format.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where the feed has no root that panels would follow.
    pub fn into(
        feed: &'a Feed,
        format: Format,
        terms: &'a Terms,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, FeedError> {
        Ok(Self {
            feed,
            root: feed.root()?,
            format,
            terms,
            limits,
            now,
            seen: HashMap::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
        })
    }

    /// Looks at one document and writes nothing.
    ///
    /// # Errors
    ///
    /// [`ImportError`], which concerns this document alone unless it is final.
    pub fn look(&mut self, bytes: &[u8]) -> Result<Looked, ImportError> {
        let refused = |id: &str, refusal: Refusal| ImportError::Refused {
            id: shown(id),
            refusal,
        };
        let document =
            json::read(bytes, &self.limits).map_err(|error| refused("", error.into()))?;
        let id = self.format.id_of(&document);
        let taken =
            to_advisory(self.format, &document, self.terms).map_err(|error| refused(id, error))?;
        let mut advisory = taken.advisory;
        let id = advisory.id.clone();
        let digest = advisory.source.as_ref().map(|source| source.digest);
        if let Some(before) = self.seen.get(&id) {
            // What is there twice alike is there once.
            if *before != digest {
                return Err(ImportError::Twice { id });
            }
            return Ok(Looked {
                standing: Standing::Unchanged,
                advisory,
                remarks: Vec::new(),
                unmapped: Vec::new(),
                length: bytes.len(),
            });
        }
        self.seen.insert(id.clone(), digest);
        let standing = match self.feed.advisory(&self.root, &id)? {
            Some(held) => against(&mut advisory, &held)?,
            None => Standing::New,
        };
        // Found out only where those that wait are signed, it would stop all of them.
        let read = decode::<Advisory>(&encode(&advisory), &spacecp_contract::Limits::default());
        if let Err(source) = read {
            return Err(ImportError::Unreadable { id, source });
        }
        // What is there is checked again as well: what panels want may have grown since.
        let faults = check::advisory(&advisory, &[], self.now);
        if !faults.is_empty() && standing != Standing::Unchanged {
            return Err(ImportError::Unfit { id, faults });
        }
        Ok(Looked {
            standing,
            advisory,
            remarks: taken.remarks,
            unmapped: taken.unmapped,
            length: bytes.len(),
        })
    }

    /// Lets an advisory that was looked at wait to be signed, unless the feed has it; once enough are
    /// waiting they are signed and added together. Panels see them after the next broadcast.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where the feed does not take those that are waiting; none of them is added then.
    pub fn add(&mut self, looked: Looked, keys: &[&SecretKey]) -> Result<(), FeedError> {
        if looked.standing == Standing::Unchanged {
            return Ok(());
        }
        self.waiting_bytes += looked.length;
        self.waiting.push(looked.advisory);
        let full = self.waiting.len() >= self.limits.batch;
        if full || self.waiting_bytes >= self.limits.batch_bytes {
            return self.finish(keys);
        }
        Ok(())
    }

    /// Signs and adds those that are waiting still.
    ///
    /// # Errors
    ///
    /// As [`Importer::add`].
    pub fn finish(&mut self, keys: &[&SecretKey]) -> Result<(), FeedError> {
        self.waiting_bytes = 0;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        SigningService::of(self.feed).add_all(waiting, &self.terms.audience, keys)
    }
}

/// What a document is to the advisory that is held; gives it the revision that it would have.
fn against(offered: &mut Advisory, held: &Advisory) -> Result<Standing, ImportError> {
    let id = offered.id.clone();
    let same_origin =
        |one: &Source, other: &Source| one.format == other.format && one.id == other.id;
    let (Some(source), Some(before)) = (&offered.source, &held.source) else {
        return Err(ImportError::OtherOrigin {
            id,
            held: "this desk".to_owned(),
        });
    };
    if !same_origin(source, before) {
        return Err(ImportError::OtherOrigin {
            id,
            held: format!("{:?}, in {}", before.id, before.format),
        });
    }
    if offered.modified < held.modified {
        return Err(ImportError::Rollback {
            id,
            offered: offered.modified,
            held: held.modified,
        });
    }
    if source.digest != before.digest && offered.modified == held.modified {
        return Err(ImportError::Equivocation {
            id,
            modified: held.modified,
        });
    }
    offered.revision = held.revision;
    if offered == held {
        return Ok(Standing::Unchanged);
    }
    offered.revision = held.revision.saturating_add(1);
    Ok(match (offered.withdrawn, held.withdrawn) {
        (Some(_), None) => Standing::Withdrawn,
        _ => Standing::Changed,
    })
}
