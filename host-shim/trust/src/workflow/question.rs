//! What a run asks of a feed, and what it may hear.

use spacecp_contract::FeedPath;

/// One thing to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The file.
    pub path: FeedPath,
    /// Whether its signatures, beside it, are wanted too if it is there and has changed.
    pub signed: bool,
    /// Bytes that it may have.
    pub limit: u64,
    /// What the feed said of it last; if it says so again, the file is not needed.
    pub validator: Option<String>,
    /// Whether the run goes on without it: an answer that does not come whole is [`Answer::Missing`].
    pub optional: bool,
}

/// What the feed answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is no such file.
    Missing,
    /// It is as the validator says.
    Unchanged,
    /// The file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The signature file beside it; none if it is missing.
        signatures: Option<Vec<u8>>,
        /// What to say to hear whether it changed.
        validator: Option<String>,
    },
}
