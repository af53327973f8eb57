//! Writes the two halves of a key pair so that a killed command leaves both or none.
//!
//! The secret half gets its name last. Until then it lies beside it, under a name of its own, and the next
//! command finishes the pair if the public half is there, and else forgets it: nobody has seen that key.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::durable;

/// What a secret half is called before its public half is durable: this, its name, and [`STAGED_SUFFIX`].
const STAGED_PREFIX: &str = ".";
const STAGED_SUFFIX: &str = ".new";

/// The extensions of public halves.
pub(crate) const PUBLIC: [&str; 2] = ["pub", "recipient"];

/// Writes both halves; neither may be there.
pub(crate) fn write(
    (secret, secret_bytes): (&Path, &[u8]),
    (public, public_bytes): (&Path, &[u8]),
) -> io::Result<()> {
    let folder = durable::folder_of(secret);
    durable::private_folder(folder)?;
    finish(folder)?;
    let staged = staged(secret);
    let mut file = create(&staged)?;
    file.write_all(secret_bytes)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    durable::replace(public, public_bytes)?;
    fs::rename(&staged, secret)?;
    File::open(folder)?.sync_all()
}

/// Finishes the pairs in a folder that killed commands began, or removes what they left.
pub(crate) fn finish(folder: &Path) -> io::Result<()> {
    let listing = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listing => listing?,
    };
    for entry in listing {
        let path = entry?.path();
        let Some(secret) = unstaged(&path) else {
            continue;
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        // Whoever makes the pair right now holds it locked.
        if file.try_lock().is_err() {
            continue;
        }
        if has_public_half(&secret) && !secret.exists() {
            fs::rename(&path, &secret)?;
        } else {
            fs::remove_file(&path)?;
        }
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Whether the public half of a secret key lies beside it.
pub(crate) fn has_public_half(secret: &Path) -> bool {
    let mut publics = PUBLIC
        .iter()
        .map(|extension| secret.with_extension(extension));
    publics.any(|public| public.exists())
}

fn create(staged: &Path) -> io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(staged)?;
        file.lock()?;
        // Another command may have taken it for a leftover before it was locked.
        if file.metadata()?.nlink() > 0 {
            return Ok(file);
        }
    }
}

fn staged(secret: &Path) -> PathBuf {
    let name = secret.file_name().unwrap_or_default().to_string_lossy();
    secret.with_file_name(format!("{STAGED_PREFIX}{name}{STAGED_SUFFIX}"))
}

fn unstaged(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let name = name
        .strip_prefix(STAGED_PREFIX)?
        .strip_suffix(STAGED_SUFFIX)?;
    let secret = path.with_file_name(name);
    let is_key = secret
        .extension()
        .is_some_and(|extension| extension == "key");
    is_key.then_some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(folder: &Path) -> (PathBuf, PathBuf) {
        (folder.join("feed.key"), folder.join("feed.pub"))
    }

    #[test]
    fn a_pair_is_written_whole_and_its_secret_half_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = paths(folder.path());
        write((&secret, b"secret"), (&public, b"public")).unwrap();
        assert_eq!(fs::read(&secret).unwrap(), b"secret");
        assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_command_that_was_killed_before_the_public_half_leaves_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, _) = paths(folder.path());
        fs::write(staged(&secret), b"sec").unwrap();
        finish(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_command_that_was_killed_after_the_public_half_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, public) = paths(folder.path());
        fs::write(staged(&secret), b"secret").unwrap();
        fs::write(&public, b"public").unwrap();
        finish(folder.path()).unwrap();
        assert_eq!(fs::read(&secret).unwrap(), b"secret");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_pair_that_is_being_made_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, _) = paths(folder.path());
        let _making = create(&staged(&secret)).unwrap();
        finish(folder.path()).unwrap();
        assert!(staged(&secret).exists());
    }
}
