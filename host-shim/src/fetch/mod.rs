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
mod sealed;

use std::{io, path::PathBuf, time::Duration};

use spacecp_contract::{Digest, FeedPath};

use crate::trust::OpenError;

pub(crate) use access::innermost;
pub use access::{Access, Patience, Proxy, Retries, Settings, authorities};
pub use kept::Kept;
pub use objects::Objects;
pub use payload::fetch_payload;

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
    #[error("{address:?} is not a feed: {reason}")]
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
    #[error("cannot fetch {address}: nothing came within the time allowed ({} s)", allowed.as_secs_f32())]
    TimeOut {
        /// The file's address.
        address: String,
        /// The time allowed.
        allowed: Duration,
    },
    /// A payload that came at less than the slowest pace (slow retrieval).
    #[error(
        "cannot fetch {address}: {found} of {announced} bytes came within the time allowed ({} s), and the next place is asked (slow retrieval)", allowed.as_secs_f32()
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
    /// More bytes than announced or useful (endless data).
    #[error(
        "{address} is longer than the {limit} bytes that were announced or are allowed; the rest was not read (endless data)"
    )]
    TooLong {
        /// The file's address.
        address: String,
        /// The limit.
        limit: u64,
    },
    /// Fewer bytes than announced.
    #[error("{address} ended after {found} bytes, and {announced} were announced")]
    TooShort {
        /// The file's address.
        address: String,
        /// The length announced.
        announced: u64,
        /// What came.
        found: u64,
    },
    /// A payload with other contents than announced.
    #[error("{address} does not have the contents announced: its digest is {found}")]
    Digest {
        /// The file's address.
        address: String,
        /// The digest of what came.
        found: Digest,
    },
    /// A sealed payload that does not open.
    #[error("the sealed payload {payload} cannot be opened: {source}")]
    Unopened {
        /// Which.
        payload: Digest,
        /// What is wrong.
        source: OpenError,
    },
    /// A payload longer than all that may be kept together.
    #[error(
        "the payload {payload} has {length} bytes, and at most {limit} bytes of payloads may be kept here (feed.keep-payloads-bytes in the configuration)"
    )]
    NoRoom {
        /// Which.
        payload: Digest,
        /// Its length, in bytes.
        length: u64,
        /// What may be kept, in bytes.
        limit: u64,
    },
    /// A payload for which there is no room as long as others are on their way.
    #[error(
        "the payload {payload} has {length} bytes, and what is on its way here at the same time leaves no room for it: at most {limit} bytes of payloads may be kept (feed.keep-payloads-bytes in the configuration); try again when that has come"
    )]
    RoomTaken {
        /// Which.
        payload: Digest,
        /// Its length, in bytes.
        length: u64,
        /// What may be kept, in bytes.
        limit: u64,
    },
    /// Another part of a payload than the one that was asked for.
    #[error("cannot go on with {address} at byte {from}: the server sent another part")]
    Resumed {
        /// The file's address.
        address: String,
        /// From where on it was asked for.
        from: u64,
    },
    /// A bundle with something in it that no feed has.
    #[error("the bundle {} is refused for its member \"{member}\": {reason}", bundle.display())]
    Member {
        /// The bundle.
        bundle: PathBuf,
        /// The member.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificates that cannot be used.
    #[error("cannot use the certificates {}: {reason}", path.display())]
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
                reason: "only http:, https:, s3:, gs:, az: and folders can be followed".to_owned(),
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

    /// How long it may take; what is on this machine takes as long as it takes.
    fn patience(&self) -> Option<Patience> {
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
