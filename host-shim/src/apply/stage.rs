//! Builds the complete new tree beside the live one, and verifies it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, FileChange, FileState};

use super::{ApplyError, carry::is_kept, error::Doing, exchange::sync_folder, files};
use crate::shim::Progress;

/// The largest window that a payload may ask its reader for: 8 MiB, zstd's own recommendation.
const WINDOW_LOG: u32 = 23;

/// Builds the new tree in `workspace/tree` from the live one and the payload in
/// `workspace/payload`.
pub(super) fn stage(
    live: &Path,
    workspace: &Path,
    keep: &[String],
    correction: &Correction,
    progress: &dyn Progress,
) -> Result<(), ApplyError> {
    let tree = workspace.join("tree");
    let changes: BTreeMap<&str, &FileChange> = correction
        .files
        .iter()
        .map(|file| (file.path.as_str(), file))
        .collect();
    let total = correction.files.len() as u64;
    copy_folder(live, &tree, "", keep, &changes)?;
    for (done, file) in correction.files.iter().enumerate() {
        if let Some(after) = &file.after {
            write(&tree, workspace, file, after)?;
        } else {
            prune(&tree, file)?;
        }
        progress.files(done as u64 + 1, total);
    }
    sync_tree(&tree)
}

/// Copies a folder without what the correction names and what is run-time data.
fn copy_folder(
    from: &Path,
    to: &Path,
    prefix: &str,
    keep: &[String],
    changes: &BTreeMap<&str, &FileChange>,
) -> Result<(), ApplyError> {
    fs::create_dir(to).doing("make the folder", to)?;
    for entry in fs::read_dir(from).doing("list", from)? {
        let entry = entry.doing("list", from)?;
        let name = entry.file_name();
        // A name that is not Unicode is in no correction and in no configuration.
        let relative = match name.to_str() {
            Some(name) if prefix.is_empty() => name.to_owned(),
            Some(name) => format!("{prefix}/{name}"),
            // Nor is anything below it: no path of either has a NUL.
            None => "\0".to_owned(),
        };
        if is_kept(&relative, keep) || changes.contains_key(relative.as_str()) {
            continue;
        }
        let (source, target) = (entry.path(), to.join(&name));
        let metadata = fs::symlink_metadata(&source).doing("look at", &source)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            copy_folder(&source, &target, &relative, keep, changes)?;
        } else if kind.is_symlink() {
            let leads_to = fs::read_link(&source).doing("read the link", &source)?;
            std::os::unix::fs::symlink(leads_to, &target).doing("make the link", &target)?;
            files::keep_attributes(&source, &target, &metadata)
                .doing("keep the attributes of", &source)?;
        } else if kind.is_file() {
            copy_file(&source, &target)?;
        } else {
            let source_error = std::io::Error::other(
                "it is neither a file, a folder nor a link; list it under \"keep\"",
            );
            return Err(ApplyError::File {
                doing: "copy",
                path: source,
                source: source_error,
            });
        }
    }
    let metadata = fs::symlink_metadata(from).doing("look at", from)?;
    files::keep_attributes(from, to, &metadata).doing("keep the attributes of", from)
}

/// Copies a file; what was copied byte by byte is read back and compared.
fn copy_file(source: &Path, target: &Path) -> Result<(), ApplyError> {
    let shared = files::copy(source, target).doing("copy", source)?;
    if !shared
        && files::digest(source).doing("read", source)?
            != files::digest(target).doing("read back", target)?
    {
        let reason = "changed while it was copied".to_owned();
        return Err(ApplyError::Unverified {
            path: source.display().to_string(),
            reason,
        });
    }
    Ok(())
}

/// Writes one file of the correction, bounded by the size that the correction says.
fn write(
    tree: &Path,
    workspace: &Path,
    file: &FileChange,
    after: &FileState,
) -> Result<(), ApplyError> {
    let target = tree.join(file.path.as_path());
    make_parents(tree, file)?;
    let payload = payload_path(workspace, &after.blob.digest);
    let contents = |reason: String| ApplyError::Contents {
        path: file.path.to_string(),
        reason,
    };
    let compressed = File::open(&payload).doing("open", &payload)?;
    let mut decoder =
        zstd::Decoder::new(compressed).map_err(|error| contents(error.to_string()))?;
    decoder
        .window_log_max(WINDOW_LOG)
        .map_err(|error| contents(error.to_string()))?;
    let mut output = File::options()
        .write(true)
        .create_new(true)
        .open(&target)
        .doing("create", &target)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; 128 << 10];
    let mut length = 0u64;
    loop {
        let read = decoder
            .read(&mut piece)
            .map_err(|error| contents(error.to_string()))?;
        if read == 0 {
            break;
        }
        length += read as u64;
        if length > after.size {
            return Err(contents(format!(
                "it is longer than the {} bytes announced",
                after.size
            )));
        }
        hash.update(&piece[..read]);
        output.write_all(&piece[..read]).doing("write", &target)?;
    }
    let found = Digest::from_bytes(hash.finalize().into());
    if length != after.size || found != after.digest {
        return Err(contents(format!(
            "{length} bytes with the digest {}",
            found.short()
        )));
    }
    output
        .set_permissions(fs::Permissions::from_mode(after.mode & 0o777))
        .doing("set the mode of", &target)?;
    own_as_the_tree(tree, &target)?;
    output.sync_all().doing("sync", &target)
}

/// A new file belongs to whom the component's folder belongs.
fn own_as_the_tree(tree: &Path, target: &Path) -> Result<(), ApplyError> {
    use std::os::unix::fs::MetadataExt;
    let owner = fs::symlink_metadata(tree).doing("look at", tree)?;
    let there = fs::symlink_metadata(target).doing("look at", target)?;
    if (there.uid(), there.gid()) == (owner.uid(), owner.gid()) {
        return Ok(());
    }
    std::os::unix::fs::lchown(target, Some(owner.uid()), Some(owner.gid()))
        .doing("set the owner of", target)
}

/// Makes the folders that lead to a file; none of them may be a link or a file.
fn make_parents(tree: &Path, file: &FileChange) -> Result<(), ApplyError> {
    for parent in file.path.parents() {
        let path = tree.join(parent);
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let reason = format!("lies behind {parent}, which is not a folder");
                return Err(ApplyError::Unverified {
                    path: file.path.to_string(),
                    reason,
                });
            }
            Err(_) => {
                fs::create_dir(&path).doing("make the folder", &path)?;
                own_as_the_tree(tree, &path)?;
            }
        }
    }
    Ok(())
}

/// Removes the folders that a removed file leaves empty.
fn prune(tree: &Path, file: &FileChange) -> Result<(), ApplyError> {
    let mut parents: Vec<PathBuf> = file
        .path
        .parents()
        .map(|parent| tree.join(parent))
        .collect();
    while let Some(parent) = parents.pop() {
        match fs::remove_dir(&parent) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => break,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).doing("remove the folder", &parent),
        }
    }
    Ok(())
}

/// Reads back every file that the correction names.
pub(super) fn verify(workspace: &Path, correction: &Correction) -> Result<(), ApplyError> {
    let tree = workspace.join("tree");
    for file in &correction.files {
        let path = tree.join(file.path.as_path());
        let wrong = |reason: &str| ApplyError::Unverified {
            path: file.path.to_string(),
            reason: reason.to_owned(),
        };
        let Some(after) = &file.after else {
            if fs::symlink_metadata(&path).is_ok() {
                return Err(wrong("is there still"));
            }
            continue;
        };
        let metadata = fs::symlink_metadata(&path).doing("look at", &path)?;
        if !metadata.is_file() || metadata.len() != after.size {
            return Err(wrong("has another size"));
        }
        if metadata.permissions().mode() & 0o777 != after.mode & 0o777 {
            return Err(wrong("has another mode"));
        }
        if files::digest(&path).doing("read back", &path)? != after.digest {
            return Err(wrong("has other contents"));
        }
    }
    Ok(())
}

/// Where a payload lies in the workspace.
pub(super) fn payload_path(workspace: &Path, digest: &Digest) -> PathBuf {
    workspace.join("payload").join(digest.to_string())
}

/// Makes every folder of a tree durable; its files have been synced one by one.
fn sync_tree(folder: &Path) -> Result<(), ApplyError> {
    for entry in fs::read_dir(folder).doing("list", folder)? {
        let entry = entry.doing("list", folder)?;
        if entry.file_type().doing("look at", entry.path())?.is_dir() {
            sync_tree(&entry.path())?;
        }
    }
    sync_folder(folder).doing("sync", folder)
}
