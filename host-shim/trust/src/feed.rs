//! Head and index: what is current.

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentKind, Head, Index, Limits, Root};

use super::{TrustError, Unverified, Verified, signature::verify, times};

/// The head is tiny, so that asking for it costs little.
const HEAD_LIMITS: Limits = Limits {
    bytes: 4 << 10,
    depth: 4,
    items: 64,
    text: 1 << 10,
};

/// What the panel trusted before, of head and index.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The head; none before the first sync.
    pub head: Option<&'a Verified<Head>>,
    /// Its index.
    pub index: Option<&'a Verified<Index>>,
    /// Whether the root has started sequences and revisions afresh since.
    pub afresh: bool,
}

/// A head that this panel has verified before, from its store: signed by keys of `root`, which says nothing
/// of whether it is still in time.
pub fn reverify_head(
    root: &Verified<Root>,
    offered: Unverified<'_>,
) -> Result<Verified<Head>, TrustError> {
    let head: Verified<Head> = verify("head", root, offered, &HEAD_LIMITS)?;
    if head.audience != root.audience {
        return Err(TrustError::Audience {
            what: "head".to_owned(),
            found: head.audience.clone(),
            expected: root.audience.clone(),
        });
    }
    if head.root_version > root.version {
        return Err(TrustError::RootWithheld {
            wanted: head.root_version,
            trusted: root.version,
        });
    }
    Ok(head)
}

/// The head that is offered, if it is signed, in time, and not older than the one before.
pub fn head(
    root: &Verified<Root>,
    before: Before<'_>,
    offered: Unverified<'_>,
    now: Timestamp,
) -> Result<Verified<Head>, TrustError> {
    let head = reverify_head(root, offered)?;
    if let Some(trusted) = before.head.filter(|_| !before.afresh) {
        if head.sequence < trusted.sequence {
            return Err(TrustError::Sequence {
                trusted: trusted.sequence,
                found: head.sequence,
            });
        }
        if head.sequence == trusted.sequence && head.bytes() != trusted.bytes() {
            return Err(TrustError::Equivocation {
                sequence: head.sequence,
            });
        }
    }
    times::check_head(root, &head, now)?;
    Ok(head)
}

/// The index that the head names, if nothing in it went back, changed in silence, or vanished.
pub fn index(
    root: &Verified<Root>,
    head: &Verified<Head>,
    before: Before<'_>,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<Verified<Index>, TrustError> {
    announced("index", head.index, head.index_length, offered.bytes)?;
    let index: Verified<Index> = verify("index", root, offered, limits)?;
    if index.sequence != head.sequence {
        return Err(TrustError::IndexSequence {
            expected: head.sequence,
            found: index.sequence,
        });
    }
    if index.audience != root.audience {
        return Err(TrustError::Audience {
            what: "index".to_owned(),
            found: index.audience.clone(),
            expected: root.audience.clone(),
        });
    }
    if let Some(trusted) = before.index.filter(|_| !before.afresh) {
        nothing_went_back(trusted, &index)?;
    }
    Ok(index)
}

/// Whether bytes are those that were announced.
pub(super) fn announced(
    what: &str,
    digest: Digest,
    length: u64,
    bytes: &[u8],
) -> Result<(), TrustError> {
    // What has another length need not be looked at.
    let found = bytes.len() as u64;
    if found != length {
        return Err(another_length(what, length, found));
    }
    announced_by_digest(what, (digest, length), (Digest::of(bytes), found))
}

/// The same for bytes that were read elsewhere: what was announced, and what was found.
pub(super) fn announced_by_digest(
    what: &str,
    announced: (Digest, u64),
    found: (Digest, u64),
) -> Result<(), TrustError> {
    if found.1 != announced.1 {
        return Err(another_length(what, announced.1, found.1));
    }
    if found.0 != announced.0 {
        return Err(TrustError::Digest {
            what: what.to_owned(),
            announced: announced.0,
            found: found.0,
        });
    }
    Ok(())
}

fn another_length(what: &str, announced: u64, found: u64) -> TrustError {
    TrustError::Length {
        what: what.to_owned(),
        announced,
        found,
    }
}

fn nothing_went_back(trusted: &Index, offered: &Index) -> Result<(), TrustError> {
    if trusted.sealed.is_some() && offered.sealed.is_none() {
        return Err(TrustError::SealedSideDropped {
            trusted: trusted.sequence,
            found: offered.sequence,
        });
    }
    let now: std::collections::BTreeMap<(DocumentKind, &str), _> = offered
        .documents
        .iter()
        .map(|entry| ((entry.kind, entry.id.as_str()), entry))
        .collect();
    for old in &trusted.documents {
        let (kind, id) = (old.kind, old.id.to_string());
        let Some(new) = now.get(&(kind, old.id.as_str())) else {
            return Err(TrustError::Removed { kind, id });
        };
        if new.revision < old.revision {
            return Err(TrustError::Revision {
                kind,
                id,
                trusted: old.revision,
                found: new.revision,
            });
        }
        if new.revision == old.revision && new.digest != old.digest {
            return Err(TrustError::Changed {
                kind,
                id,
                revision: old.revision,
            });
        }
    }
    Ok(())
}
