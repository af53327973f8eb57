//! Signing on another machine than the one that has the feed.
//!
//! A request is a file with the exact bytes to be signed. It is carried to whoever has a key, signed
//! there by this program or by `minisign`, and the signature is carried back. The signatures collect
//! beside the request, in `REQUEST.minisig`, until panels would accept them; then the document is put
//! into the feed. An index and the head that makes it current are two requests beside each other, and go
//! into the feed together. A request holds no key, and what is under embargo in clear. Nothing is believed of it:
//! both sides decode it anew.

mod pair;

use std::{
    fs::{self, File},
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Advisory, Correction, DecodeError, Digest, Document, DocumentId, Head, Index, Limits, Role,
    Root, TrustedComment, decode, encode,
};

use pair::Pair;

use crate::{
    durable,
    feed::{Feed, FeedError},
    keys::{PublicKey, SecretKey},
    sign::{SignError, Signed, sign_bytes},
};

/// Panels look at no longer signature file.
const LONGEST_SIGNATURES: usize = 64 << 10;

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

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// The ids of the keys that have signed.
    pub signed: Vec<String>,
    /// How many signatures of which role are still missing, in words; empty when it is published. Of an
    /// index its head's are missing, too, and the other way round.
    pub missing: Vec<String>,
}

/// The signatures of a request that count.
struct Counted {
    signers: Vec<PublicKey>,
    signatures: String,
    missing: Vec<String>,
}

/// Why a request goes no further.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// More than a request or its signatures can have.
    #[error("{} is longer than {most} bytes, and nothing of the kind is: the rest was not read", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it may have.
        most: usize,
    },
    /// The file is not a request.
    #[error("{} is no root, advisory, correction, index or head that could be signed: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// A head and an index that do not belong together.
    #[error("{} and {} do not belong together: they have to come from the same broadcast", .0.display(), .1.display())]
    Apart(PathBuf, PathBuf),
    /// Another request is there.
    #[error("{} is there already and says something else: move it away first", .0.display())]
    Exists(PathBuf),
    /// A signature that does not count.
    #[error("the signature {} is refused: {reason}", path.display())]
    Signature {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The signature was not made.
    #[error(transparent)]
    Sign(#[from] SignError),
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
    if fs::read(&path).is_ok_and(|there| there != bytes) {
        return Err(RequestError::Exists(path));
    }
    durable::replace_private(&path, &bytes).map_err(|source| RequestError::File {
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

    /// Takes signatures that were made elsewhere, each only if it is by a key that may sign this.
    ///
    /// A signature that does not count is refused by the name of its file, and then none is taken.
    pub fn add(&self, feed: &Feed, files: &[PathBuf]) -> Result<(), RequestError> {
        let may: Vec<PublicKey> = self.may_sign(feed)?;
        let mut taken = Vec::new();
        for path in files {
            let blocks = blocks(&read_text(path)?);
            if blocks.is_empty() {
                return Err(RequestError::Signature {
                    path: path.clone(),
                    reason: "there is no minisign signature in it".to_owned(),
                });
            }
            for block in blocks {
                self.signer(&block, &may)
                    .map_err(|reason| RequestError::Signature {
                        path: path.clone(),
                        reason,
                    })?;
                taken.push(block);
            }
        }
        self.keep(&taken)
    }

    /// Who has signed, and what is missing before it can be published.
    pub fn progress(&self, feed: &Feed) -> Result<Progress, RequestError> {
        let counted = self.counted(feed)?;
        let mut missing = counted.missing;
        if let Some(pair) = Pair::of(self)? {
            missing.extend(pair.missing_beside(self, feed)?);
        }
        Ok(Progress {
            signed: counted.signers.iter().map(PublicKey::id).collect(),
            missing,
        })
    }

    /// The documents that panels would not have had before it; none but of a broadcast.
    pub fn news(&self, feed: &Feed) -> Result<Vec<(DocumentId, u64)>, RequestError> {
        match Pair::of(self)? {
            Some(pair) => Ok(feed.news_of(pair.index())?),
            None => Ok(Vec::new()),
        }
    }

    /// Puts the document into the feed if enough have signed, and says who has. An index and its head
    /// go together, once both are signed, and are current then.
    pub fn publish(&self, feed: &Feed, now: Timestamp) -> Result<Progress, RequestError> {
        let progress = self.progress(feed)?;
        if progress.missing.is_empty() {
            match Pair::of(self)? {
                Some(pair) => pair.publish(feed, now)?,
                None => self.put(feed, self.counted(feed)?.signatures)?,
            }
        }
        Ok(progress)
    }

    fn put(&self, feed: &Feed, signatures: String) -> Result<(), FeedError> {
        match &self.wanted {
            Wanted::Root(root) => feed.add_root(&self.signed(root, signatures)),
            Wanted::Advisory(advisory) => feed.put(&self.signed(advisory, signatures)),
            Wanted::Correction(correction) => feed.put(&self.signed(correction, signatures)),
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

    /// Whose signatures count, and what is missing.
    fn counted(&self, feed: &Feed) -> Result<Counted, RequestError> {
        let may = self.may_sign(feed)?;
        let mut signers: Vec<PublicKey> = Vec::new();
        let mut signatures = String::new();
        // What does not count, or counts already, is of no use to anybody in the feed.
        for block in blocks(&self.collected()?) {
            if let Ok(key) = self.signer(&block, &may)
                && !signers.contains(&key)
            {
                signers.push(key);
                signatures.push_str(&block);
            }
        }
        let missing = self.missing(feed, &signers)?;
        Ok(Counted {
            signers,
            signatures,
            missing,
        })
    }

    /// The roles whose keys have to sign, and how many of each.
    fn demanded(&self, feed: &Feed) -> Result<Vec<(String, Vec<String>, u32)>, FeedError> {
        let demand = |root: &Root, role: Role, of: String| {
            let held = &root.roles[&role];
            (of, held.keys.clone(), held.threshold)
        };
        let Wanted::Root(new) = &self.wanted else {
            let role = self.wanted.comment().role;
            return Ok(vec![demand(&*feed.root()?, role, format!("role {role}"))]);
        };
        let mut demanded = vec![demand(new, Role::Root, format!("root {}", new.version))];
        let roots = feed.roots()?;
        if let Some(old) = roots.iter().find(|old| old.version + 1 == new.version) {
            demanded.push(demand(old, Role::Root, format!("root {}", old.version)));
        }
        Ok(demanded)
    }

    fn may_sign(&self, feed: &Feed) -> Result<Vec<PublicKey>, FeedError> {
        let demanded = self.demanded(feed)?;
        let keys = demanded.iter().flat_map(|(_, keys, _)| keys);
        let mut keys: Vec<PublicKey> = keys.filter_map(|key| PublicKey::from_base64(key)).collect();
        keys.dedup();
        Ok(keys)
    }

    fn missing(&self, feed: &Feed, signers: &[PublicKey]) -> Result<Vec<String>, FeedError> {
        let signed: Vec<String> = signers.iter().map(PublicKey::to_base64).collect();
        let mut missing = Vec::new();
        for (of, keys, threshold) in self.demanded(feed)? {
            let there = keys.iter().filter(|key| signed.contains(key)).count();
            let lacking = (threshold as usize).saturating_sub(there);
            if lacking > 0 {
                missing.push(format!("{lacking} by keys of {of}"));
            }
        }
        Ok(missing)
    }

    /// The key that made one signature, if it is one of these and the signature is for this.
    fn signer(&self, block: &str, may: &[PublicKey]) -> Result<PublicKey, String> {
        let signature = minisign::SignatureBox::from_string(block).map_err(|e| e.to_string())?;
        let comment = signature
            .trusted_comment()
            .map_err(|error| error.to_string())?;
        let expected = self.wanted.comment().to_string();
        if comment != expected {
            return Err(format!(
                "it says {comment:?} and has to say {expected:?} (minisign -t)"
            ));
        }
        let mut reason = "it is by a key that may not sign this".to_owned();
        for key in may {
            let bytes = Cursor::new(&self.bytes);
            match minisign::verify(key.inner(), &signature, bytes, true, false, false) {
                Ok(()) => return Ok(key.clone()),
                Err(error) if signature.keynum() == key.inner().keynum() => {
                    reason = error.to_string();
                }
                Err(_) => {}
            }
        }
        Err(reason)
    }

    fn collected(&self) -> Result<String, RequestError> {
        let path = self.signatures();
        if !path.exists() {
            return Ok(String::new());
        }
        read_text(&path)
    }

    fn keep(&self, new: &[String]) -> Result<(), RequestError> {
        let mut all: Vec<String> = blocks(&self.collected()?);
        for block in new.iter().flat_map(|text| blocks(text)) {
            if !all.contains(&block) {
                all.push(block);
            }
        }
        let path = self.signatures();
        durable::replace(&path, all.concat().as_bytes())
            .map_err(|source| RequestError::File { path, source })
    }
}

/// A file from who knows where: no more of it than can be of use.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, RequestError> {
    let failed = |source| RequestError::File {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > most {
        return Err(RequestError::TooLong {
            path: path.to_owned(),
            most,
        });
    }
    Ok(bytes)
}

fn read_text(path: &Path) -> Result<String, RequestError> {
    String::from_utf8(read(path, LONGEST_SIGNATURES)?).map_err(|_| RequestError::Signature {
        path: path.to_owned(),
        reason: "it is not text".to_owned(),
    })
}

/// The signatures of a file, four lines each, wherever in it they begin: a person may have put anything
/// between them.
fn blocks(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |at: &usize| lines[*at].starts_with("untrusted comment:");
    let begun = (0..lines.len()).filter(begins);
    let whole = begun.filter_map(|at| lines.get(at..at + 4));
    whole.map(|block| block.join("\n") + "\n").collect()
}
