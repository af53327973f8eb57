//! Advisories and corrections.

use spacecp_contract::{
    Advisory, Audience, Correction, Digest, Document, DocumentKind, IndexEntry, Limits, Root,
};

use super::{TrustError, Unverified, Verified, feed::announced, signature::verify};

/// A verified document of either kind.
#[derive(Debug, Clone)]
pub enum AnyDocument {
    /// An advisory.
    Advisory(Verified<Advisory>),
    /// A correction.
    Correction(Verified<Correction>),
}

impl AnyDocument {
    /// What kind it is.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Advisory(_) => DocumentKind::Advisory,
            Self::Correction(_) => DocumentKind::Correction,
        }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Advisory(advisory) => &advisory.document.id,
            Self::Correction(correction) => &correction.document.id,
        }
    }

    /// Its revision.
    pub fn revision(&self) -> u64 {
        match self {
            Self::Advisory(advisory) => advisory.document.revision,
            Self::Correction(correction) => correction.document.revision,
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Advisory(advisory) => advisory.bytes(),
            Self::Correction(correction) => correction.bytes(),
        }
    }

    /// The digest of its bytes, by which an index names it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.bytes())
    }

    /// The public keys whose signatures counted, in base64.
    pub fn signers(&self) -> &[String] {
        match self {
            Self::Advisory(advisory) => advisory.signers(),
            Self::Correction(correction) => correction.signers(),
        }
    }

    /// Its signature file.
    pub fn signatures(&self) -> &str {
        match self {
            Self::Advisory(advisory) => advisory.signatures(),
            Self::Correction(correction) => correction.signatures(),
        }
    }
}

/// The document that an index entry names.
pub fn document(
    root: &Verified<Root>,
    entry: &IndexEntry,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<AnyDocument, TrustError> {
    let what = format!("{} {}", entry.kind, entry.id);
    announced(&what, entry.digest, entry.length, offered.bytes)?;
    by_kind(root, entry.kind, &entry.id, entry.revision, offered, limits)
}

/// A document that this panel has verified before, from its store, under the root of that time.
pub fn reverify(
    root: &Verified<Root>,
    kind: DocumentKind,
    id: &str,
    revision: u64,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<AnyDocument, TrustError> {
    by_kind(root, kind, id, revision, offered, limits)
}

fn by_kind(
    root: &Verified<Root>,
    kind: DocumentKind,
    id: &str,
    revision: u64,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<AnyDocument, TrustError> {
    let what = format!("{kind} {id}");
    if kind == DocumentKind::Correction {
        let correction: Verified<Correction> = verify(&what, root, offered, limits)?;
        fits(&what, &correction, revision, &correction.audience, root, id)?;
        Ok(AnyDocument::Correction(correction))
    } else {
        let advisory: Verified<Advisory> = verify(&what, root, offered, limits)?;
        fits(&what, &advisory, revision, &advisory.audience, root, id)?;
        Ok(AnyDocument::Advisory(advisory))
    }
}

fn fits<T: Document>(
    what: &str,
    document: &Verified<T>,
    revision: u64,
    audience: &Audience,
    root: &Root,
    id: &str,
) -> Result<(), TrustError> {
    if document.name() != id || document.revision() != revision {
        let found = format!(
            "{} {} revision {}",
            T::KIND,
            document.name(),
            document.revision()
        );
        return Err(TrustError::Moved {
            what: format!("{what} revision {revision}"),
            found,
        });
    }
    if !audience.may_reach(&root.audience) {
        return Err(TrustError::Audience {
            what: what.to_owned(),
            found: audience.clone(),
            expected: root.audience.clone(),
        });
    }
    Ok(())
}
