//! Brings bytes from a feed: a folder, http(s), an object store, a bundle. It believes nothing and decides nothing.
//!
//! Every answer is bounded before memory is spent: the caller says how many bytes it can use, and
//! an answer that announces or sends more is given up. Transports differ in nothing else.

mod access;
mod bundle;
mod directory;
mod http;
mod kept;
mod objects;
mod payload;
mod payload_name;
mod sealed;

use std::{io, path::PathBuf, time::Duration};

use spacecp_contract::{Digest, DocumentId, FeedPath};
use spacecp_fs::is_full;
use spacecp_trust::OpenError;

pub use access::innermost;
pub use access::{Access, Patience, Proxy, Retries, Settings, authorities};
pub use kept::Kept;
pub use objects::Objects;
pub use payload::fetch_payload;
pub use payload::fetch_payload_into;
pub use payload_name::PayloadName;

/// Where a feed is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A folder on this machine.
    Directory(directory::Directory),
    /// A web server.
    Http(http::Http),
    /// An object store.
    Objects(Objects),
    /// One file that was carried here.
    Bundle(bundle::Bundle),
    /// Payloads on this machine, brought from elsewhere when they are asked for.
    Kept(Kept),
}

/// What a feed answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// There is no such file.
    Missing,
    /// It is as it was when the validator was given out.
    Unchanged,
    /// The file.
    Body {
        /// Its bytes.
        bytes: Vec<u8>,
        /// What to say next time to hear whether it changed.
        validator: Option<String>,
    },
}

/// Why a feed gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address is not one that can be followed.
    #[error("{address:?} is not a feed address: {reason}")]
    Address {
        /// The address.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("cannot fetch {address}: {reason}")]
    Connection {
        /// The file's address.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// An answer that is neither the file nor its absence.
    #[error("cannot fetch {address}: the server answered {status}")]
    Status {
        /// The file's address.
        address: String,
        /// The HTTP status.
        status: u16,
    },
    /// No byte for too long.
    #[error("cannot fetch {address}: no data within {} s", allowed.as_secs_f32())]
    TimeOut {
        /// The file's address.
        address: String,
        /// The time allowed.
        allowed: Duration,
    },
    /// A payload that came at less than the slowest pace (slow retrieval).
    #[error(
        "cannot fetch {address}: only {found} of {announced} bytes within {} s (slow retrieval). Retry, or raise feed.sync-timeout in the configuration", allowed.as_secs_f32()
    )]
    TooSlow {
        /// The file's address.
        address: String,
        /// The length announced.
        announced: u64,
        /// What came.
        found: u64,
        /// The time allowed.
        allowed: Duration,
    },
    /// A mirror that has used up its time for all payloads of one run (slow retrieval).
    #[error(
        "not asked again: {verified} verified bytes in {} s were too few (slow retrieval); last failure: {last}", spent.as_secs_f32()
    )]
    LeftOut {
        /// Bytes of the payloads that it delivered in this run.
        verified: u64,
        /// The time that was spent on it in this run.
        spent: Duration,
        /// Its last failure.
        last: String,
    },
    /// No mirror delivered a payload.
    #[error("no mirror delivered the payload:{}", listed(.0))]
    Mirrors(Vec<(String, FetchError)>),
    /// More bytes than announced or useful (endless data).
    #[error("{address} exceeds the {limit} bytes announced or allowed (endless data)")]
    TooLong {
        /// The file's address.
        address: String,
        /// The limit.
        limit: u64,
    },
    /// Fewer bytes than announced.
    #[error("{address} ended after {found} of {announced} announced bytes")]
    TooShort {
        /// The file's address.
        address: String,
        /// The length announced.
        announced: u64,
        /// What came.
        found: u64,
    },
    /// A payload with other contents than announced.
    #[error("digest mismatch of {address}: found {found}")]
    Digest {
        /// The file's address.
        address: String,
        /// The digest of what came.
        found: Digest,
    },
    /// A sealed payload that does not open.
    #[error("cannot decrypt {payload}: {source}")]
    Unopened {
        /// Which.
        payload: PayloadName,
        /// What is wrong.
        source: OpenError,
    },
    /// A payload under embargo for which the sealed index has no file.
    #[error(
        "the encrypted index lists no file for a payload of correction {correction}, and embargoed payloads are fetched in no other way"
    )]
    NoSealedFile {
        /// The correction.
        correction: DocumentId,
    },
    /// A payload longer than all that may be kept together.
    #[error(
        "{payload} has {length} bytes, more than the payload cache may hold ({limit} bytes). Raise feed.keep-payloads-bytes in the configuration"
    )]
    NoRoom {
        /// Which.
        payload: PayloadName,
        /// Its length, in bytes; that of its padded form if it is under embargo.
        length: u64,
        /// What may be kept, in bytes.
        limit: u64,
    },
    /// A payload for which there is no room as long as others are on their way.
    #[error(
        "{payload} has {length} bytes, and other downloads in progress fill the payload cache of {limit} bytes. Retry later, or raise feed.keep-payloads-bytes in the configuration"
    )]
    RoomTaken {
        /// Which.
        payload: PayloadName,
        /// Its length, in bytes; that of its padded form if it is under embargo.
        length: u64,
        /// What may be kept, in bytes.
        limit: u64,
    },
    /// Another part of a payload than the one that was asked for.
    #[error("cannot resume {address} at byte {from}: the server sent another range")]
    Resumed {
        /// The file's address.
        address: String,
        /// From where on it was asked for.
        from: u64,
    },
    /// A bundle with something in it that no feed has.
    #[error("invalid bundle {}: member \"{member}\": {reason}", bundle.display())]
    Member {
        /// The bundle.
        bundle: PathBuf,
        /// The member.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificates that cannot be used.
    #[error("cannot use the CA certificates {}: {reason}", path.display())]
    Authorities {
        /// Their file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file on this machine.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

impl FetchError {
    /// Whether something could not be written for want of space.
    pub fn is_full(&self) -> bool {
        match self {
            Self::File { source, .. } => is_full(source),
            Self::Mirrors(failures) => failures.iter().any(|(_, error)| error.is_full()),
            _ => false,
        }
    }
}

/// Each mirror with its failure, a line each.
fn listed(failures: &[(String, FetchError)]) -> String {
    let failures = failures.iter();
    failures.fold(String::new(), |lines, (address, error)| {
        lines + "\n  " + address + ": " + &error.to_string()
    })
}

impl Source {
    /// The feed at this address: `http:`, `https:`, `s3:`, `gs:`, `az:`, or a folder.
    pub fn new(address: &str, access: impl Into<Access>) -> Result<Self, FetchError> {
        if address.starts_with("http://") || address.starts_with("https://") {
            return http::Http::new(address, access.into()).map(Self::Http);
        }
        if Objects::is_address(address) {
            return Objects::follow(address, &access.into()).map(Self::Objects);
        }
        if address.contains("://") && !address.starts_with("file://") {
            return Err(FetchError::Address {
                address: address.to_owned(),
                reason: "only http:, https:, s3:, gs:, az: and directories are supported"
                    .to_owned(),
            });
        }
        let folder = address.strip_prefix("file://").unwrap_or(address);
        Ok(Self::Directory(directory::Directory::new(PathBuf::from(
            folder,
        ))))
    }

    /// The feed in this bundle.
    pub fn bundle(file: &std::path::Path) -> Result<Self, FetchError> {
        bundle::Bundle::open(file).map(Self::Bundle)
    }

    /// What messages call it.
    pub fn address(&self) -> String {
        match self {
            Self::Directory(directory) => directory.address(),
            Self::Http(http) => http.base(),
            Self::Objects(objects) => objects.base(),
            Self::Bundle(bundle) => bundle.file(),
            Self::Kept(kept) => kept.folder().display().to_string(),
        }
    }

    /// How long it may take; what is on this machine takes as long as it takes.
    pub fn patience(&self) -> Option<Patience> {
        match self {
            Self::Http(http) => Some(http.patience()),
            Self::Objects(objects) => Some(objects.patience()),
            // What it brings from elsewhere has the time that is allowed there.
            Self::Directory(_) | Self::Bundle(_) | Self::Kept(_) => None,
        }
    }

    /// One document, of at most `limit` bytes.
    #[tracing::instrument(level = "debug", skip(self, known), fields(path = %path))]
    pub async fn get(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        match self {
            Self::Directory(directory) => directory.get(path, limit).await,
            Self::Http(http) => http.get(path, limit, known).await,
            Self::Objects(objects) => objects.get(path, limit, known).await,
            Self::Bundle(bundle) => bundle.get(path, limit).await,
            // It has payloads only.
            Self::Kept(_) => Ok(Fetched::Missing),
        }
    }
}
