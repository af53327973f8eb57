//! What this panel reads private broadcasts with: an identity of age, made here and kept here.
//!
//! The vendor gets the public half, the recipient. The file is one of `age-keygen`'s, for its owner alone,
//! and is never written over but by a renewal: whoever lost it has to be enrolled anew.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use age::secrecy::ExposeSecret;
use jiff::Timestamp;
use rustix::fs::OFlags;
use spacecp_fs::unfinished;
use spacecp_trust::{self as trust, Identity};

/// Bytes that the file may have: an identity has 75.
const LONGEST: u64 = 4 << 10;

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file.
    #[error("cannot use the identity file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// What is in it.
    #[error("{} does not contain an age identity: {reason}. Restore the file from a backup, or run \"spacecp-advisories identity renew\" and have the vendor enrol the new recipient", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong. Never what it says.
        reason: String,
    },
    /// Others can read it.
    #[error("the identity file {} is readable by other users (mode {mode:o}). Remove that permission; if another user may have read the file, run \"spacecp-advisories identity renew\"", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

/// Where the identity lies, in the folder of the panel's state.
pub fn place(state: &Path) -> PathBuf {
    state.join("identity.txt")
}

/// The identity of the panel with this state folder, which is made if there is none.
pub fn load_or_make(state: &Path, now: Timestamp) -> Result<Identity, IdentityError> {
    let path = place(state);
    if !path.exists() {
        let made = write(&path, now, |file| file.persist_noclobber(&path).map(drop));
        match made {
            // Another process was faster.
            Err(IdentityError::File { source, .. })
                if source.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    read(&path)
}

/// Makes another identity in the place of the one that is there. The vendor has to enrol it; what was
/// encrypted to the one before can be read no more.
pub fn renew(state: &Path, now: Timestamp) -> Result<Identity, IdentityError> {
    let path = place(state);
    write(&path, now, |file| file.persist(&path).map(drop))?;
    read(&path)
}

fn write(
    path: &Path,
    now: Timestamp,
    persist: impl FnOnce(tempfile::NamedTempFile) -> Result<(), tempfile::PersistError>,
) -> Result<(), IdentityError> {
    let secret = age::x25519::Identity::generate();
    let public = secret.to_public();
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || {
        // Made for its owner alone.
        let mut file = loop {
            let file = tempfile::NamedTempFile::new_in(folder)?;
            if unfinished::keep(file.as_file())? {
                break file;
            }
        };
        let created = now.strftime("%Y-%m-%dT%H:%M:%SZ");
        writeln!(file, "# created: {created}\n# public key: {public}")?;
        writeln!(file, "{}", secret.to_string().expose_secret())?;
        file.as_file().sync_all()?;
        persist(file).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    written().map_err(|source| failed(path, source))
}

fn read(path: &Path) -> Result<Identity, IdentityError> {
    // A pipe would keep whoever opens it waiting.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|source| failed(path, source))?;
    let there = file.metadata().map_err(|source| failed(path, source))?;
    if !there.is_file() {
        return Err(failed(path, io::Error::other("not a regular file")));
    }
    let mode = there.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(IdentityError::Open { path, mode });
    }
    let mut text = String::new();
    file.take(LONGEST)
        .read_to_string(&mut text)
        .map_err(|source| failed(path, source))?;
    let damaged = |reason: String| IdentityError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => line
            .parse()
            .map_err(|error: trust::IdentityError| damaged(error.to_string())),
        (None, _) => Err(damaged("no identity".to_owned())),
        (Some(_), Some(_)) => Err(damaged("more than one identity".to_owned())),
    }
}

fn failed(path: &Path, source: io::Error) -> IdentityError {
    IdentityError::File {
        path: path.to_owned(),
        source,
    }
}
