//! Keeps a desk for its owner alone: modes are checked and mended, what belongs to somebody else is refused, and
//! what killed commands left is removed.
//!
//! Only the folders of a desk are looked at, never the one that they lie in: that may be anybody's home.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use crate::{cases::case_store::CaseStore, durable, keypair_files, keys::SecretKey};

/// The folders of a desk.
const FOLDERS: [&str; 7] = [
    "keys",
    "drafts",
    "panels",
    "cases",
    "records",
    "signed",
    "published",
];

/// Those that are cleaned up by who holds the lock of a feed.
const LOCKED_BY_FEED: [&str; 2] = ["signed", "published"];

/// Why a desk is not used.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A file cannot be looked at, or changed.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to user {owner}, but this command runs as user {user}. Run it as the owner of the working directory", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Who runs the command.
        user: u32,
    },
}

/// Makes a desk private, and finishes or removes what killed commands left in it. Gives what was mended, a
/// line each.
///
/// # Errors
///
/// [`DeskError::Owner`] where any of it belongs to another user.
pub fn mend(desk: &Path) -> Result<Vec<String>, DeskError> {
    if !is_desk(desk) {
        return Ok(Vec::new());
    }
    let mut mended = Vec::new();
    for name in FOLDERS {
        let folder = desk.join(name);
        if !folder.exists() {
            continue;
        }
        if !LOCKED_BY_FEED.contains(&name) {
            durable::sweep_tree(&folder).map_err(|source| failed(&folder, source))?;
        }
        for entry in WalkDir::new(&folder)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git")
        {
            // Another command may just have removed it.
            let Ok(entry) = entry else { continue };
            mended.extend(make_private(&entry)?);
        }
    }
    let keys = desk.join("keys");
    keypair_files::finish(&keys).map_err(|source| failed(&keys, source))?;
    mended.extend(complete_pairs(&keys)?);
    CaseStore::of(desk)
        .sweep()
        .map_err(|source| failed(&desk.join("cases"), source))?;
    Ok(mended)
}

/// Whether there is anything of a desk: keys, or what was signed.
fn is_desk(desk: &Path) -> bool {
    let has_keys = || {
        let files = fs::read_dir(desk.join("keys"))
            .into_iter()
            .flatten()
            .flatten();
        let mut paths = files.map(|file| file.path());
        // One that a killed command was making counts, too.
        paths.any(|path| {
            let extension = path.extension();
            extension.is_some_and(|extension| extension == "key" || extension == "new")
        })
    };
    desk.join("records").is_dir() || desk.join("signed").is_dir() || has_keys()
}

fn make_private(entry: &DirEntry) -> Result<Option<String>, DeskError> {
    let path = entry.path();
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        let path = path.to_owned();
        return Err(DeskError::Owner { path, owner, user });
    }
    let is_public = path.extension().is_some_and(|extension| {
        keypair_files::PUBLIC
            .iter()
            .any(|public| extension == *public)
    });
    let mode = metadata.permissions().mode() & 0o7777;
    let private = mode & 0o700;
    if metadata.is_symlink() || is_public || mode & 0o777 == private {
        return Ok(None);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(private))
        .map_err(|source| failed(path, source))?;
    Ok(Some(format!(
        "{} was accessible to other users (mode {mode:o}); changed to {private:o}",
        path.display()
    )))
}

/// Makes the public half of every key that lacks it, where that needs no passphrase.
fn complete_pairs(keys: &Path) -> Result<Vec<String>, DeskError> {
    let mut said = Vec::new();
    for entry in fs::read_dir(keys).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_key = path.extension().is_some_and(|extension| extension == "key");
        if !is_key || keypair_files::has_public_half(&path) {
            continue;
        }
        let Ok(key) = SecretKey::load(&path, || None) else {
            said.push(format!(
                "{} has no public key beside it; restore it from a copy",
                path.display()
            ));
            continue;
        };
        let public = path.with_extension("pub");
        key.public()
            .store(&public)
            .map_err(|source| failed(&public, source))?;
        said.push(format!(
            "{} was missing; recreated from its key",
            public.display()
        ));
    }
    Ok(said)
}

fn failed(path: &Path, source: io::Error) -> DeskError {
    DeskError::File {
        path: path.to_owned(),
        source,
    }
}

/// Keeps the memory of this process, which has keys in it, from being written to a disk when it crashes.
pub fn forbid_core_dumps() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    // A program that takes dumps by a pipe asks for no limit.
    #[cfg(target_os = "linux")]
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
