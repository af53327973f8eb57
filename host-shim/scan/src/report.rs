//! What a scan found, and what it could not read.

use std::fmt;

use serde::{Deserialize, Serialize};
use spacecp_contract::{ComponentName, NameError, VersionScheme};

use crate::Provider;

/// A component that was found inside another, or on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name, unique in the report: the path of the job's name and whatever it was found in.
    pub name: String,
    /// The name that advisories use.
    pub advisory_name: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// Its version, or why there is none.
    pub version: Result<String, String>,
    /// Where it was found, for a person; the first place, and how many more.
    pub found_at: String,
    /// Who found it.
    pub provider: Provider,
}

/// A place that could not be read, or not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The name of the job: a configured component or an inventory.
    pub job: String,
    /// Who looked.
    pub provider: Provider,
    /// The place; `!/` goes into an archive.
    pub at: String,
    /// What is wrong.
    pub why: Why,
}

/// What one scan brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The components, by name.
    pub found: Vec<Found>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// The places where providers began to look.
    pub looked: Vec<String>,
    /// Files that were opened and read.
    pub files_read: u64,
    /// Files that had not changed since they were read, and were not opened again.
    pub files_unchanged: u64,
}

impl Report {
    /// What was looked at, how much, and how much was not read, in one line; nothing where nothing was to be looked at.
    pub fn summary(&self) -> Option<String> {
        let counted = |count: u64, one: &str, many: &str| {
            let what = if count == 1 { one } else { many };
            format!("{count} {what}")
        };
        (!self.looked.is_empty()).then(|| {
            format!(
                "Scanned {}: {}, {}; {} could not be read.",
                counted(self.looked.len() as u64, "place", "places"),
                counted(self.files(), "file", "files"),
                counted(
                    self.found.len() as u64,
                    "component found",
                    "components found"
                ),
                counted(self.unread.len() as u64, "path", "paths"),
            )
        })
    }

    /// The files that were looked at, changed or not.
    pub fn files(&self) -> u64 {
        self.files_read + self.files_unchanged
    }
}

/// A limit of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Limit {
    /// [`crate::ScanLimits::document_bytes`].
    DocumentBytes,
    /// [`crate::ScanLimits::descriptor_bytes`].
    DescriptorBytes,
    /// [`crate::ScanLimits::nested_bytes`].
    NestedBytes,
    /// [`crate::ScanLimits::archive_entries`].
    ArchiveEntries,
    /// [`crate::ScanLimits::archive_depth`].
    ArchiveDepth,
    /// [`crate::ScanLimits::folder_depth`].
    FolderDepth,
    /// [`crate::ScanLimits::bytes`].
    Bytes,
    /// [`crate::ScanLimits::entries`].
    Entries,
    /// [`crate::ScanLimits::components`].
    Components,
    /// [`crate::ScanLimits::seconds`].
    Seconds,
}

impl Limit {
    /// Whether it is of the scan as a whole, so that the same file may be read the next time.
    pub(crate) fn is_of_the_scan(self) -> bool {
        matches!(
            self,
            Self::Bytes | Self::Entries | Self::Components | Self::Seconds
        )
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DocumentBytes => "scan.document-bytes",
            Self::DescriptorBytes => "scan.descriptor-bytes",
            Self::NestedBytes => "scan.nested-bytes",
            Self::ArchiveEntries => "scan.archive-entries",
            Self::ArchiveDepth => "scan.archive-depth",
            Self::FolderDepth => "scan.folder-depth",
            Self::Bytes => "scan.bytes",
            Self::Entries => "scan.entries",
            Self::Components => "scan.components",
            Self::Seconds => "scan.seconds",
        })
    }
}

/// Why a place was not read, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Why {
    /// The system refused.
    #[error("cannot read it: {0}")]
    Io(String),
    /// A folder, a pipe, a device or a socket where a file was expected.
    #[error("not a regular file")]
    NotAFile,
    /// A link on the way there that root and the panel's user did not put there.
    #[error(
        "a link on the way there, which user {user} could have put there, leads to what is not theirs"
    )]
    Elsewhere {
        /// The user.
        user: u32,
    },
    /// It changed between the first look and the last.
    #[error("the file changed while being read")]
    Changed,
    /// A limit was reached; from there on nothing was read.
    #[error("limit {limit} ({most}) reached; the rest was not read")]
    Limit {
        /// Which.
        limit: Limit,
        /// How much it allows.
        most: u64,
    },
    /// It is not of the format that its name promises.
    #[error("not {format}: {reason}")]
    Malformed {
        /// The format, with its article.
        format: String,
        /// What is wrong.
        reason: String,
    },
    /// An entry of an archive that wants a key.
    #[error("encrypted")]
    Encrypted,
    /// An entry of an archive that is compressed in another way than by deflate.
    #[error("unsupported compression {0}")]
    Compression(String),
    /// Two entries of one name; programs differ in which one they take.
    #[error("duplicate entry name; programs differ in which one they use")]
    Twice,
    /// What is installed has a name that no component can have.
    #[error("{0}")]
    Name(String),
    /// Something that should be said is not there.
    #[error("missing information: {0}")]
    Missing(String),
    /// A format that exists and is not read.
    #[error("{0} is not supported")]
    NotRead(String),
    /// Packages of a distribution whose advisories no importer reads.
    #[error("no advisories are known for {0}")]
    NoAdvisories(String),
    /// More places than are named one by one.
    #[error("{0} more paths could not be read")]
    More(u64),
}

impl Why {
    pub(crate) fn io(error: &std::io::Error) -> Self {
        Self::Io(error.to_string())
    }

    pub(crate) fn malformed(format: &str, reason: impl fmt::Display) -> Self {
        // The reason may quote the file at length.
        let reason: String = reason.to_string().chars().take(300).collect();
        Self::Malformed {
            format: format.to_owned(),
            reason: reason.replace(char::is_control, " "),
        }
    }

    pub(crate) fn limit(limit: Limit, most: u64) -> Self {
        Self::Limit { limit, most }
    }

    /// Whether the same file, unchanged, may be read the next time.
    pub(crate) fn may_pass(&self) -> bool {
        self.cuts_short() || matches!(self, Self::Io(_) | Self::Changed)
    }

    /// Whether something may lie there that was not seen, and not only that what lies there says too little.
    pub(crate) fn hides(&self) -> bool {
        matches!(
            self,
            Self::Io(_)
                | Self::NotAFile
                | Self::Changed
                | Self::Limit { .. }
                | Self::Malformed { .. }
                | Self::Encrypted
                | Self::Compression(_)
        )
    }

    /// Whether it kept the scan from going on.
    pub(crate) fn cuts_short(&self) -> bool {
        matches!(self, Self::Limit { limit, .. } if limit.is_of_the_scan())
    }
}

impl From<NameError> for Why {
    fn from(error: NameError) -> Self {
        Self::Name(error.to_string())
    }
}
