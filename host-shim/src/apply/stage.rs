//! Builds the complete new tree beside the live one, and verifies it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, FileChange, FileState};

use super::{
    ApplyError, Progress,
    copy::Copying,
    durable::Durably,
    error::Doing,
    folder::Folder,
    place::{PAYLOAD, Place, TREE},
};
use crate::streamed;

/// The largest window that a payload may ask its reader for: 8 MiB, zstd's own recommendation.
const WINDOW_LOG: u32 = 23;

/// Builds the new tree in the workspace from the live one and the payload there, durably. Gives the
/// inode that names it.
pub(super) fn stage(
    place: &Place,
    keep: &[String],
    correction: &Correction,
    progress: &dyn Progress,
) -> Result<u64, ApplyError> {
    let tree = place.workspace.make_folder(OsStr::new(TREE))?;
    let durably = Durably::in_folder(&tree)?;
    let named: BTreeSet<&str> = correction
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    Copying::new(keep, &named, durably).folder(&place.live()?, &tree, "")?;
    let payload = place.workspace.enter(OsStr::new(PAYLOAD))?;
    let total = correction.files.len() as u64;
    for (done, file) in correction.files.iter().enumerate() {
        if let Some(after) = &file.after {
            write(&tree, (&place.live()?, &payload), file, after, durably)?;
        }
        progress.files(done as u64 + 1, total);
    }
    // Only now: a folder that one file leaves empty may be where another comes.
    for file in correction.files.iter().filter(|file| file.after.is_none()) {
        prune(&tree, file)?;
    }
    match durably {
        Durably::AllAtOnce => tree.sync_file_system()?,
        Durably::OneByOne => {
            tree.sync_below()?;
            place.workspace.sync()?;
            place.beside.sync()?;
            place.around.sync()?;
        }
    }
    Ok(tree.itself()?.inode)
}

/// Writes one file of the correction, bounded by the size that the correction says.
fn write(
    tree: &Folder,
    (live, payload): (&Folder, &Folder),
    file: &FileChange,
    after: &FileState,
    durably: Durably,
) -> Result<(), ApplyError> {
    let owner = tree.itself()?.owner;
    let folder = make_parents(tree, file, owner)?;
    let contents = |reason: String| ApplyError::Contents {
        path: file.path.to_string(),
        reason,
    };
    let compressed = payload.open_file(OsStr::new(&after.blob.digest.to_string()))?;
    let mut decoder = decoder(compressed).map_err(|error| contents(error.to_string()))?;
    let mut output = folder.create(name(file))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; streamed::PIECE];
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
            let announced = after.size;
            return Err(contents(format!(
                "it is longer than the {announced} bytes announced"
            )));
        }
        hash.update(&piece[..read]);
        output.write(&piece[..read])?;
    }
    let found = Digest::from_bytes(hash.finalize().into());
    if length != after.size || found != after.digest {
        let found = found.short();
        return Err(contents(format!("{length} bytes with the digest {found}")));
    }
    // What replaces a file belongs to whom that belonged, with its attributes; a new file to whom the
    // component's folder belongs. The mode comes last: another owner would take bits of it away.
    match replaced(live, file)? {
        Some((before, path)) => output.take_attributes(&before, &path)?,
        None => output.own(owner)?,
    }
    output.set_mode(after.mode & 0o777)?;
    match durably {
        Durably::OneByOne => output.sync(),
        Durably::AllAtOnce => Ok(()),
    }
}

/// The regular file of the live tree that a file of the correction replaces.
fn replaced(live: &Folder, file: &FileChange) -> Result<Option<(File, PathBuf)>, ApplyError> {
    let Some(folder) = live.towards(file.path.as_path())? else {
        return Ok(None);
    };
    let name = name(file);
    match folder.look(name)? {
        Some(there) if there.is_file() => Ok(Some((folder.open_file(name)?, folder.path_of(name)))),
        _ => Ok(None),
    }
}

/// Unpacks a payload, within the window that one may ask for.
pub(super) fn decoder(compressed: File) -> io::Result<zstd::Decoder<'static, io::BufReader<File>>> {
    let mut decoder = zstd::Decoder::new(compressed)?;
    decoder.window_log_max(WINDOW_LOG)?;
    Ok(decoder)
}

/// The last part of a path.
fn name(file: &FileChange) -> &OsStr {
    let path = file.path.as_path();
    path.file_name().unwrap_or(path.as_os_str())
}

/// Makes the folders that lead to a file; none of them may be a link or a file.
fn make_parents(tree: &Folder, file: &FileChange, owner: (u32, u32)) -> Result<Folder, ApplyError> {
    let mut folder = tree.again()?;
    for parent in file.path.parents() {
        let path = Path::new(parent);
        let part = path.file_name().unwrap_or(path.as_os_str());
        folder = match folder.look(part)? {
            Some(there) if there.is_folder() => folder.enter(part)?,
            Some(_) => {
                return Err(ApplyError::Unverified {
                    path: file.path.to_string(),
                    reason: format!("lies behind {parent}, which is not a folder"),
                });
            }
            None => {
                let made = folder.make_folder(part)?;
                made.own(owner)?;
                made.set_mode(0o755)?;
                made
            }
        };
    }
    Ok(folder)
}

/// Removes the folders that a removed file leaves empty.
fn prune(tree: &Folder, file: &FileChange) -> Result<(), ApplyError> {
    let parents: Vec<&str> = file.path.parents().collect();
    for parent in parents.into_iter().rev().map(Path::new) {
        let part = parent.file_name().unwrap_or(parent.as_os_str());
        let Some(around) = tree.towards(parent)? else {
            continue;
        };
        if !around.remove_empty(part)? {
            break;
        }
    }
    Ok(())
}

/// Reads back every file that the correction names.
pub(super) fn verify(place: &Place, correction: &Correction) -> Result<(), ApplyError> {
    let tree = place.workspace.enter(OsStr::new(TREE))?;
    for file in &correction.files {
        let wrong = |reason: &str| ApplyError::Unverified {
            path: file.path.to_string(),
            reason: reason.to_owned(),
        };
        let folder = tree.towards(file.path.as_path())?;
        let there = match &folder {
            Some(folder) => folder.look(name(file))?,
            None => None,
        };
        match (&file.after, folder) {
            (None, _) if there.is_some() => return Err(wrong("is there still")),
            (None, _) => {}
            (Some(_), None) => return Err(wrong("is not there")),
            (Some(after), Some(folder)) => verify_file(&folder, file, after, wrong)?,
        }
    }
    Ok(())
}

fn verify_file(
    folder: &Folder,
    file: &FileChange,
    after: &FileState,
    wrong: impl Fn(&str) -> ApplyError,
) -> Result<(), ApplyError> {
    let mut opened = folder.open_file(name(file))?;
    let path = folder.path_of(name(file));
    let metadata = opened.metadata().doing("look at", &path)?;
    if metadata.len() != after.size {
        return Err(wrong("has another size"));
    }
    if metadata.permissions().mode() & 0o7777 != after.mode & 0o777 {
        return Err(wrong("has another mode"));
    }
    if streamed::digest_of(&mut opened).doing("read back", &path)? != after.digest {
        return Err(wrong("has other contents"));
    }
    Ok(())
}
