//! The private side of a feed: whether this panel may read it, and what is in it.
//!
//! The plain index vouches for the bytes of everything here. Documents are verified by the same verifier,
//! and held against the same rules, as those in public: that something was encrypted to this panel is no
//! reason to believe it.

mod open;

use spacecp_contract::{
    Digest, DocumentKind, Index, IndexEntry, Limits, ObjectKey, Root, Sealed, SealedEntry,
    SealedIndex, capsule,
    envelope::{Bucket, Tag},
};

pub use open::{Identity, IdentityError, OpenError, STANZA, open, reader};

use super::{
    AnyDocument, TrustError, Unverified, Verified, document, feed::announced,
    workflow::PrivateDocuments,
};

/// The bucket that has the envelope of this panel, if it has one.
pub fn bucket_of(sealed: &Sealed, identity: &Identity) -> usize {
    Tag::of(&sealed.nonce, &identity.recipient()).bucket(sealed.buckets.len())
}

/// The key to the sealed index out of the bucket of that number; none if there is no envelope for this
/// panel, which is then not among those that may read the broadcast.
pub fn envelope(
    sealed: &Sealed,
    number: usize,
    identity: &Identity,
    bytes: &[u8],
) -> Result<Option<ObjectKey>, TrustError> {
    let what = format!("bucket {number} of the private broadcast");
    let bucket = sealed.buckets.get(number);
    let Some(expected) = bucket else {
        return Ok(None);
    };
    announced(&what, expected.digest, expected.length, bytes)?;
    let bucket = Bucket::read(bytes, number, sealed.buckets.len());
    let bucket = bucket.map_err(|source| TrustError::Bucket { number, source })?;
    let mut found = false;
    for envelope in bucket.at(Tag::of(&sealed.nonce, &identity.recipient())) {
        found = true;
        if let Some(key) = identity.open(envelope) {
            return Ok(Some(key));
        }
    }
    if found {
        return Err(TrustError::Envelope { number });
    }
    Ok(None)
}

/// The sealed index that a plain index names.
pub fn sealed_index(
    root: &Root,
    sealed: &Sealed,
    key: &ObjectKey,
    bytes: &[u8],
    limits: &Limits,
) -> Result<SealedIndex, TrustError> {
    let what = "sealed index";
    announced(what, sealed.index.digest, sealed.index.length, bytes)?;
    let [index] = parts(what, key, bytes, limits)?;
    let index = SealedIndex::from_bytes(&index, limits);
    let index = index.map_err(|source| TrustError::SealedIndex { source }.without_contents())?;
    if index.audience != root.audience {
        return Err(TrustError::Audience {
            what: what.to_owned(),
            found: index.audience.clone(),
            expected: root.audience.clone(),
        });
    }
    Ok(index)
}

/// The document that a sealed index names.
pub fn sealed_document(
    root: &Verified<Root>,
    entry: &SealedEntry,
    bytes: &[u8],
    limits: &Limits,
) -> Result<AnyDocument, TrustError> {
    let (listed, object) = (&entry.document, &entry.object);
    let what = format!("sealed {} {}", listed.kind, listed.id);
    announced(&what, object.digest, object.length, bytes)?;
    let [bytes, signatures] = parts(&what, &object.key, bytes, limits)?;
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    // The file was announced in public; what is in it is not.
    let document = document(root, listed, offered, limits).map_err(TrustError::without_contents)?;
    match &document {
        AnyDocument::Advisory(advisory) if !advisory.is_under_embargo() => {
            Err(TrustError::Concealed {
                id: listed.id.to_string(),
                tlp: advisory.tlp,
            })
        }
        _ => Ok(document),
    }
}

/// The parts of what is in a sealed file.
fn parts<const N: usize>(
    what: &str,
    key: &ObjectKey,
    bytes: &[u8],
    limits: &Limits,
) -> Result<[Vec<u8>; N], TrustError> {
    let refused = |source| TrustError::Unopened {
        what: what.to_owned(),
        source,
    };
    let contents = open(key, bytes, capsule::most(limits.bytes as u64)).map_err(refused)?;
    let parts = capsule::unpack::<N>(&contents).map(|parts| parts.map(<[u8]>::to_vec));
    parts.ok_or_else(|| {
        let reason = "it is not packed as sealed contents are".to_owned();
        refused(OpenError::Contents(reason))
    })
}

/// Refuses a document under embargo that anybody can read.
pub(super) fn refuse_exposed(document: &AnyDocument) -> Result<(), TrustError> {
    match document {
        AnyDocument::Advisory(advisory) if advisory.is_under_embargo() => {
            Err(TrustError::Exposed {
                id: document.id().to_owned(),
                tlp: advisory.tlp,
            })
        }
        _ => Ok(()),
    }
}

/// Refuses a document that is on both sides of a feed at once: nobody could say which one holds.
pub fn refuse_both_sides(plain: &Index, sealed: &SealedIndex) -> Result<(), TrustError> {
    for SealedEntry { document, .. } in &sealed.documents {
        if let Some(plain) = plain.entry(document.kind, &document.id) {
            return Err(TrustError::BothSides {
                kind: document.kind,
                id: document.id.to_string(),
                plain: plain.revision,
                sealed: document.revision,
            });
        }
    }
    Ok(())
}

/// Refuses what would take back a document that this panel read in private: an older revision of it,
/// another of the same number, or none any more. Without the sealed index only the first two can be told.
pub(super) fn nothing_went_back(
    before: &PrivateDocuments,
    plain: &Index,
    sealed: Option<&SealedIndex>,
) -> Result<(), TrustError> {
    for ((kind, id), (revision, digest)) in before {
        let in_private = |sealed: &SealedIndex| {
            let mut listed = sealed.documents.iter().map(|entry| entry.document.clone());
            listed.find(|entry| entry.kind == *kind && entry.id == *id)
        };
        let now = plain.entry(*kind, id).cloned();
        let now = now.or_else(|| sealed.and_then(in_private));
        match now {
            Some(now) => not_older(*kind, *revision, *digest, &now)?,
            None if sealed.is_some() => {
                let (kind, id) = (*kind, id.to_string());
                return Err(TrustError::Removed { kind, id });
            }
            None => {}
        }
    }
    Ok(())
}

fn not_older(
    kind: DocumentKind,
    revision: u64,
    digest: Digest,
    now: &IndexEntry,
) -> Result<(), TrustError> {
    let id = now.id.to_string();
    if now.revision < revision {
        return Err(TrustError::Revision {
            kind,
            id,
            trusted: revision,
            found: now.revision,
        });
    }
    if now.revision == revision && now.digest != digest {
        return Err(TrustError::Changed { kind, id, revision });
    }
    Ok(())
}
