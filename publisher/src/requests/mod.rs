//! Signing on another machine than the one that has the feed.
//!
//! A request is a file with the exact bytes to be signed. It is carried to whoever has a key, signed
//! there by this program or by `minisign`, and the signature is carried back. The signatures collect
//! beside the request, in `REQUEST.minisig`, until panels would accept them; then the document is put
//! into the feed. An index and the head that makes it current are two requests beside each other, and go
//! into the feed together. A request holds no key, and what is under embargo in clear. Nothing is believed of it:
//! both sides decode it anew.

mod error;
mod pair;
mod signatures;

pub use error::RequestError;
pub use signatures::Progress;

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Correction, Digest, Document, Head, Index, Limits, Root, TrustedComment, decode,
    encode,
};

use crate::{
    durable,
    feed::{Feed, FeedError},
    keys::SecretKey,
    publish::PublishService,
    regular_file,
    sign::{SignError, Signed, sign_bytes},
    signing::SigningService,
};
use pair::Pair;

/// A document that wants signatures.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// A root.
    Root(Root),
    /// An advisory.
    Advisory(Advisory),
    /// A correction.
    Correction(Correction),
    /// An index; its head is the request beside it.
    Index(Index),
    /// A head; its index is the request beside it.
    Head(Head),
}

/// A request, as it was read from its file.
#[derive(Debug, Clone)]
pub struct Request {
    path: PathBuf,
    bytes: Vec<u8>,
    wanted: Wanted,
}

/// Refuses a folder that has a request of this broadcast already.
///
/// # Errors
///
/// [`RequestError::Exists`] for the file that is there.
pub fn refuse_taken(folder: &Path, sequence: u64) -> Result<(), RequestError> {
    let names = ["index", "head"].map(|what| folder.join(format!("{sequence}.{what}")));
    match names.into_iter().find(|path| path.exists()) {
        Some(taken) => Err(RequestError::Exists(taken)),
        None => Ok(()),
    }
}

/// Writes a request into `folder`, named after the document, for its owner alone: it may be about something
/// under embargo.
pub fn write(folder: &Path, wanted: Wanted) -> Result<Request, RequestError> {
    let valid = match &wanted {
        Wanted::Root(root) => root.validate(),
        Wanted::Advisory(advisory) => advisory.validate(),
        Wanted::Correction(correction) => correction.validate(),
        Wanted::Index(index) => index.validate(),
        Wanted::Head(head) => head.validate(),
    };
    valid.map_err(SignError::Invalid)?;
    let comment = wanted.comment();
    let path = folder.join(match &wanted {
        Wanted::Root(root) => format!("{}.root", root.version),
        Wanted::Index(index) => format!("{}.index", index.sequence),
        Wanted::Head(head) => format!("{}.head", head.sequence),
        _ => format!("{}.{}.{}", comment.name, comment.revision, comment.role),
    });
    let bytes = match &wanted {
        Wanted::Root(root) => encode(root),
        Wanted::Advisory(advisory) => encode(advisory),
        Wanted::Correction(correction) => encode(correction),
        Wanted::Index(index) => encode(index),
        Wanted::Head(head) => encode(head),
    };
    // What is there and cannot be read is not this request either.
    if path.exists() && read(&path, bytes.len()).map_or(true, |there| there != bytes) {
        return Err(RequestError::Exists(path));
    }
    let swept = durable::sweep(durable::folder_of(&path));
    let written = swept.and_then(|()| durable::replace_private(&path, &bytes));
    written.map_err(|source| RequestError::File {
        path: path.clone(),
        source,
    })?;
    Ok(Request {
        path,
        bytes,
        wanted,
    })
}

impl Wanted {
    /// What a signature of it must say.
    pub fn comment(&self) -> TrustedComment {
        match self {
            Self::Root(root) => TrustedComment::of(root),
            Self::Advisory(advisory) => TrustedComment::of(advisory),
            Self::Correction(correction) => TrustedComment::of(correction),
            Self::Index(index) => TrustedComment::of(index),
            Self::Head(head) => TrustedComment::of(head),
        }
    }
}

impl Request {
    /// Reads a request.
    pub fn read(path: &Path) -> Result<Self, RequestError> {
        let limits = Limits::default();
        let bytes = read(path, limits.bytes)?;
        let wanted = decode(&bytes, &limits)
            .map(Wanted::Root)
            .or_else(|_| decode(&bytes, &limits).map(Wanted::Advisory))
            .or_else(|_| decode(&bytes, &limits).map(Wanted::Correction))
            .or_else(|_| decode(&bytes, &limits).map(Wanted::Index))
            .or_else(|_| decode(&bytes, &limits).map(Wanted::Head));
        let wanted = wanted.map_err(|source| RequestError::Decode {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
            wanted,
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is to be signed.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The digest of the bytes: what two people compare over the telephone.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The file where its signatures collect.
    pub fn signatures(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".minisig");
        name.into()
    }

    /// Signs it; the signatures that are there already stay.
    pub fn sign(&self, keys: &[&SecretKey]) -> Result<(), RequestError> {
        let new = sign_bytes(&self.bytes, &self.wanted.comment(), keys)?;
        self.keep(&[new])
    }

    /// Puts the document into the feed if enough have signed, and says who has. An index and its head
    /// go together, once both are signed, and are current then.
    ///
    /// # Errors
    ///
    /// [`RequestError::Feed`] where panels would refuse it, or the disclosure policy forbids it.
    pub fn publish(
        &self,
        service: &PublishService<'_>,
        now: Timestamp,
    ) -> Result<Progress, RequestError> {
        let feed = service.feed();
        let progress = self.progress(feed)?;
        if progress.missing.is_empty() {
            match Pair::of(self)? {
                Some(pair) => pair.publish(service, now)?,
                None => self.put(feed, self.counted(feed)?.signatures)?,
            }
        }
        Ok(progress)
    }

    fn put(&self, feed: &Feed, signatures: String) -> Result<(), FeedError> {
        let signing = SigningService::of(feed);
        match &self.wanted {
            Wanted::Root(root) => signing.add_root(&self.signed(root, signatures)),
            Wanted::Advisory(advisory) => signing.put(&self.signed(advisory, signatures)),
            Wanted::Correction(correction) => signing.put(&self.signed(correction, signatures)),
            // Theirs is the pair.
            Wanted::Index(_) | Wanted::Head(_) => Ok(()),
        }
    }

    /// The document as it goes into a feed.
    fn signed<T: Clone>(&self, document: &T, signatures: String) -> Signed<T> {
        Signed {
            document: document.clone(),
            bytes: self.bytes.clone(),
            signatures,
        }
    }
}

/// A file from who knows where: no more of it than can be of use.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, RequestError> {
    let failed = |source| RequestError::File {
        path: path.to_owned(),
        source,
    };
    regular_file::bytes(path, most as u64).map_err(|error| match error.kind() {
        io::ErrorKind::FileTooLarge => RequestError::TooLong {
            path: path.to_owned(),
            most,
        },
        _ => failed(error),
    })
}
