//! Exports the advisories that a feed has broadcast as OSV or CSAF documents.
//!
//! Each is verified as a panel verifies it first, and only what is TLP:CLEAR is exported.

use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, IndexEntry, Tlp};
use spacecp_formats::{Format, RestoreError, csaf, osv, restore};

use crate::feed::{Feed, FeedError};

/// Why an advisory is not given out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It is not broadcast.
    #[error("{0} is not published")]
    Unknown(DocumentId),
    /// It may not be spoken about.
    #[error("{id} is {tlp}, but only {} is exported", Tlp::Clear)]
    Embargo {
        /// The advisory.
        id: DocumentId,
        /// Its label.
        tlp: Tlp,
    },
    /// It cannot be given back as it came.
    #[error("{id}: {source}")]
    Rest {
        /// The advisory.
        id: DocumentId,
        /// Why.
        source: RestoreError,
    },
    /// The format has no words for it.
    #[error("{id}: {source}")]
    Csaf {
        /// The advisory.
        id: DocumentId,
        /// Why.
        source: csaf::WriteError,
    },
    /// A CSAF document names its publisher.
    #[error("{id} was written here and needs a publisher: pass --publisher and --namespace")]
    Issuer {
        /// The advisory.
        id: DocumentId,
    },
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Gives out what a feed has broadcast.
#[derive(Debug)]
pub struct Exporter<'a> {
    feed: &'a Feed,
    format: Format,
    issuer: Option<csaf::Issuer>,
    entries: Vec<IndexEntry>,
}

impl<'a> Exporter<'a> {
    /// What this feed has broadcast, in this format. An issuer is needed for CSAF documents of
    /// advisories that were not made from one.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where nothing was broadcast that panels would believe.
    pub fn of(
        feed: &'a Feed,
        format: Format,
        issuer: Option<csaf::Issuer>,
    ) -> Result<Self, FeedError> {
        let root = feed.root()?;
        let (_, index) = feed
            .current(&root)?
            .ok_or_else(|| FeedError::NoHead(feed.folder().to_owned()))?;
        // What was broadcast in private is refused by name, and not as if there were no such thing.
        let private = feed.private_entries()?;
        let advisories = index.documents.iter().chain(&private);
        let advisories = advisories.filter(|entry| entry.kind == DocumentKind::Advisory);
        let entries = advisories.cloned().collect();
        Ok(Self {
            feed,
            format,
            issuer,
            entries,
        })
    }

    /// The ids of all advisories.
    pub fn ids(&self) -> Vec<DocumentId> {
        self.entries.iter().map(|entry| entry.id.clone()).collect()
    }

    /// One advisory in the format.
    ///
    /// # Errors
    ///
    /// [`ExportError`], which concerns this advisory alone.
    pub fn document(&self, id: &DocumentId) -> Result<Value, ExportError> {
        let entry = self.entries.iter().find(|entry| entry.id == *id);
        let entry = entry.ok_or_else(|| ExportError::Unknown(id.clone()))?;
        let root = self.feed.root()?;
        let advisory = self.feed.verified_advisory(&root, entry)?;
        if advisory.tlp != Tlp::Clear {
            return Err(ExportError::Embargo {
                id: id.clone(),
                tlp: advisory.tlp,
            });
        }
        if let Some(document) = restore(self.format, &advisory) {
            return document.map_err(|source| ExportError::Rest {
                id: id.clone(),
                source,
            });
        }
        match self.format {
            Format::Osv => Ok(osv::document(&advisory)),
            Format::Csaf => self.csaf(&advisory),
        }
    }

    fn csaf(&self, advisory: &Advisory) -> Result<Value, ExportError> {
        let id = || advisory.id.clone();
        let issuer = self
            .issuer
            .as_ref()
            .ok_or_else(|| ExportError::Issuer { id: id() })?;
        let editions = editions(self.feed, advisory)?;
        let circumstances = csaf::Circumstances {
            editions: &editions,
            ..csaf::Circumstances::default()
        };
        csaf::document(advisory, issuer, &circumstances)
            .map_err(|source| ExportError::Csaf { id: id(), source })
    }
}

/// The revisions of an advisory that everybody may know of, oldest first: each that any root of the feed vouches
/// for, since what was told once stays told when a key has lost its role.
pub(crate) fn editions(feed: &Feed, advisory: &Advisory) -> Result<Vec<csaf::Edition>, FeedError> {
    let roots = feed.roots()?;
    let mut editions = Vec::new();
    let mut last: Option<Timestamp> = None;
    for revision in feed.revisions(DocumentKind::Advisory, &advisory.id)? {
        let mut vouched = roots.iter().rev();
        let edition =
            vouched.find_map(|root| feed.advisory_revision(root, &advisory.id, revision).ok());
        let Some(edition) = edition else { continue };
        let fits =
            revision <= advisory.revision && last.is_none_or(|last| edition.modified >= last);
        if fits && edition.tlp == Tlp::Clear {
            last = Some(edition.modified);
            editions.push(csaf::Edition {
                revision,
                at: edition.modified,
            });
        }
    }
    Ok(editions)
}
