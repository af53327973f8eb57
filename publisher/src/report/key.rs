//! The desk's report key: an age identity, and the recipient that is published for it.
//!
//! A key named `report` is two files: `report.key`, which age reads as it is, and `report.recipient`, one
//! line for `security.txt` and for the panels' configuration. The secret half is encrypted with a passphrase
//! as `age -p` does it, or kept in clear when that is asked for by name. It signs nothing.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use age::{secrecy::ExposeSecret, x25519};
use zeroize::Zeroizing;

use super::envelope::{self, EnvelopeError};
use crate::{contributory::is_contributory, keypair_files, regular_file};

/// The longest file of a key that is read.
const LONGEST: u64 = 64 << 10;

/// Whom something is encrypted to: `age1…`.
#[derive(Clone)]
pub struct Recipient(x25519::Recipient);

/// What opens reports. It never shows itself.
pub struct ReportKey(x25519::Identity);

/// Why a report key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportKeyError {
    /// A file cannot be read or written.
    #[error("cannot use the report key {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A key of that name is there already.
    #[error("the key {} already exists and is not overwritten; choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} is not a report key: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The key is encrypted and no passphrase was given.
    #[error("{} is encrypted, but no passphrase was given", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The passphrase does not open the key, or the key cannot be encrypted.
    #[error("{}: {source}", path.display())]
    Envelope {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: EnvelopeError,
    },
}

/// A text that is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid age recipient {found:?}, it must begin with \"age1\": {reason}")]
pub struct RecipientError {
    found: String,
    reason: &'static str,
}

impl Recipient {
    pub(super) fn inner(&self) -> &x25519::Recipient {
        &self.0
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.0)
    }
}

impl FromStr for Recipient {
    type Err = RecipientError;

    fn from_str(text: &str) -> Result<Self, RecipientError> {
        let parsed = match text.trim().parse().map(Self) {
            Ok(_) if !is_contributory(text.trim()) => Err("its point has a small order"),
            parsed => parsed,
        };
        parsed.map_err(|reason| RecipientError {
            found: text.chars().take(80).collect(),
            reason,
        })
    }
}

impl fmt::Debug for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReportKey({}, not shown)", self.recipient())
    }
}

impl ReportKey {
    /// A fresh key that lives in memory only.
    pub fn generate() -> Self {
        Self(x25519::Identity::generate())
    }

    /// Whom to encrypt to for this key.
    pub fn recipient(&self) -> Recipient {
        Recipient(self.0.to_public())
    }

    pub(super) fn inner(&self) -> &x25519::Identity {
        &self.0
    }

    /// Reads a `.key` file; `passphrase` is asked for only if the key is encrypted.
    pub fn load(
        path: &Path,
        passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
    ) -> Result<Self, ReportKeyError> {
        let text = read(path)?;
        if !envelope::is_sealed(&text) {
            return identity(path, &text);
        }
        let passphrase = passphrase().ok_or_else(|| ReportKeyError::Locked {
            path: path.to_owned(),
        })?;
        let limit = usize::try_from(LONGEST).unwrap_or(usize::MAX);
        let bytes = envelope::open_with(text.as_bytes(), &passphrase, limit).map_err(|source| {
            ReportKeyError::Envelope {
                path: path.to_owned(),
                source,
            }
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| ReportKeyError::Format {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        identity(path, text)
    }
}

/// Whether a key of this name on the desk opens reports: `report`, or `report-` with something behind.
pub fn is_report_key(name: &str) -> bool {
    name == "report" || name.starts_with("report-")
}

/// Makes a key and writes `NAME.key` and `NAME.recipient` into `folder`.
///
/// Without a passphrase the secret half lies there in clear, for those who protect it otherwise.
pub fn create(
    folder: &Path,
    name: &str,
    passphrase: Option<&Zeroizing<String>>,
) -> Result<Recipient, ReportKeyError> {
    let (secret_path, public_path) = paths(folder, name);
    for path in [&secret_path, &public_path] {
        if path.exists() {
            return Err(ReportKeyError::Exists { path: path.clone() });
        }
    }
    let key = ReportKey::generate();
    let recipient = key.recipient();
    let secret = key.0.to_string();
    let text = Zeroizing::new(format!(
        "# public key: {recipient}\n{}\n",
        secret.expose_secret()
    ));
    let stored = match passphrase {
        None => text,
        Some(passphrase) => {
            let sealed = envelope::seal_with(text.as_bytes(), passphrase);
            Zeroizing::new(sealed.map_err(|source| ReportKeyError::Envelope {
                path: secret_path.clone(),
                source,
            })?)
        }
    };
    let line = format!("{recipient}\n");
    let halves = (
        (secret_path.as_path(), stored.as_bytes()),
        (public_path.as_path(), line.as_bytes()),
    );
    keypair_files::write(halves.0, halves.1).map_err(|source| ReportKeyError::File {
        path: secret_path.clone(),
        source,
    })?;
    Ok(recipient)
}

/// Where the two halves of the key `name` lie.
pub fn paths(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{name}.key")),
        folder.join(format!("{name}.recipient")),
    )
}

/// The one identity in a file, among comments.
fn identity(path: &Path, text: &str) -> Result<ReportKey, ReportKeyError> {
    let format = |reason: &str| ReportKeyError::Format {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let lines = text.lines().map(str::trim);
    let mut lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = lines.next().ok_or_else(|| format("empty"))?;
    if lines.next().is_some() {
        return Err(format("more than one key in the file"));
    }
    line.parse().map(ReportKey).map_err(format)
}

fn read(path: &Path) -> Result<Zeroizing<String>, ReportKeyError> {
    let read = || -> io::Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::new());
        let file = regular_file::open(path)?;
        io::Read::read_to_string(&mut io::Read::take(file, LONGEST), &mut text)?;
        Ok(text)
    };
    read().map_err(|source| ReportKeyError::File {
        path: path.to_owned(),
        source,
    })
}
