//! Why a request goes no further.

use std::{io, path::PathBuf};

use spacecp_contract::DecodeError;

use crate::{feed::FeedError, sign::SignError};

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
    #[error("{} exceeds the limit of {most} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// What it may have.
        most: usize,
    },
    /// The file is not a request.
    #[error("{} is not a root, advisory, correction, index or head to sign: {source}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DecodeError,
    },
    /// A head and an index that do not belong together.
    #[error("{} and {} are from different broadcasts", .0.display(), .1.display())]
    Apart(PathBuf, PathBuf),
    /// Another request is there.
    #[error("{} already exists with other contents; move it away first", .0.display())]
    Exists(PathBuf),
    /// A signature that does not count.
    #[error("invalid signature {}: {reason}", path.display())]
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
