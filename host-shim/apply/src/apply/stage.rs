//! Builds the complete new tree beside the live one, and verifies it.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Seek as _},
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use spacecp_contract::{Correction, Digest, FileChange, FileState};

use super::{
    ApplyError, Progress,
    attributes::{self, Capabilities},
    contents,
    copy::Copying,
    durable::Durably,
    error::Doing,
    folder::{Folder, There},
    journal::Entry,
    place::{PAYLOAD, Place, STAMPS, TREE, payloads},
    stamps::Stamps,
};
use spacecp_fs::hashing;

/// The largest window that a payload may ask its reader for: 8 MiB, zstd's own recommendation.
const WINDOW_LOG: u32 = 23;

/// Builds the new tree in the workspace from the live one and the payload there, durably. Gives the
/// inode that names it.
pub(super) fn stage(
    place: &Place,
    entry: &Entry,
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
    let (live, payload) = (
        place.live()?,
        place.workspace.enter_own(OsStr::new(PAYLOAD))?,
    );
    let mut stamps = copy(&live, &tree, (&entry.keep, &named), durably)?;
    stamps.write(&place.workspace, STAMPS)?;
    let total = correction.files.len() as u64;
    let payloads = payloads(correction);
    for (done, file) in correction.files.iter().enumerate() {
        if let Some(after) = &file.after
            && let Some((name, _)) = payloads.get(&after.blob.digest)
        {
            let replaced = replaced(&live, file, &stamps, entry)?;
            let compressed = payload.open_file(name)?;
            write(&tree, (replaced, compressed), file, after, durably)?;
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

/// Copies everything else from the live tree. Gives what its files were like.
fn copy(
    live: &Folder,
    tree: &Folder,
    (keep, named): (&[String], &BTreeSet<&str>),
    durably: Durably,
) -> Result<Stamps, ApplyError> {
    let mut stamps = Stamps::new(live, tree.itself()?.changed)?;
    if stamps.want_durable_sources() {
        live.write_back()?;
    }
    for path in named {
        let there = Found::at(live, path)?;
        stamps.took_replaced(path, there.there(), || there.fingerprint())?;
    }
    let mut copying = Copying::new(keep, named, durably, tree.again()?, stamps);
    copying.folder(live, tree, Path::new(""))?;
    Ok(copying.stamps)
}

/// What lies at a path of the correction in the live tree; no link is followed.
pub(super) struct Found {
    /// Where it lies, and what it is.
    there: Option<(Folder, There)>,
    name: OsString,
}

impl Found {
    pub(super) fn at(live: &Folder, path: &str) -> Result<Self, ApplyError> {
        let path = Path::new(path);
        let name = path.file_name().unwrap_or(path.as_os_str()).to_owned();
        let there = match live.towards(path)? {
            Some(folder) => folder.look(&name)?.map(|there| (folder, there)),
            None => None,
        };
        Ok(Self { there, name })
    }

    pub(super) fn there(&self) -> Option<There> {
        self.there.as_ref().map(|(_, there)| *there)
    }

    /// The fingerprint of what it holds, of a file that is there.
    pub(super) fn fingerprint(&self) -> Result<Digest, ApplyError> {
        let Some((folder, _)) = &self.there else {
            return Ok(Digest::of(&[]));
        };
        let file = folder.open_file(&self.name)?;
        contents::fingerprint(&file).doing("read", folder.path_of(&self.name))
    }
}

/// Writes one file of the correction, bounded by the size that the correction says.
fn write(
    tree: &Folder,
    (replaced, compressed): (Option<Replaced>, File),
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
    let mut decoder = decoder(compressed).map_err(|error| contents(error.to_string()))?;
    let mut output = folder.create(name(file))?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; hashing::PIECE];
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
                "longer than the {announced} bytes announced"
            )));
        }
        hash.update(&piece[..read]);
        output.write(&piece[..read])?;
    }
    let found = Digest::from_bytes(hash.finalize().into());
    if length != after.size || found != after.digest {
        let found = found.short();
        return Err(contents(format!(
            "found {length} bytes with digest {found}"
        )));
    }
    // What replaces a file belongs to whom that belonged, with its attributes; a new file to whom the
    // component's folder belongs. The mode comes last: another owner would take bits of it away.
    if let Some(before) = replaced {
        output.take_attributes((&before.file, &before.path), before.capabilities)?;
        output.set_mode_within_list(after.mode & 0o777)?;
    } else {
        output.own(owner)?;
        output.set_mode(after.mode & 0o777)?;
    }
    match durably {
        Durably::OneByOne => output.sync(),
        Durably::AllAtOnce => Ok(()),
    }
}

/// The regular file that a file of the correction replaces, held open.
struct Replaced {
    file: File,
    path: PathBuf,
    /// Whether the new file gets its capabilities.
    capabilities: Capabilities,
}

/// The regular file of the live tree that a file of the correction replaces.
///
/// The component's user may rename directories at any moment, so everything is asked of the handle whose
/// attributes are taken: it holds the file that was stamped, and that file's capabilities are for the vendor's
/// own contents only.
fn replaced(
    live: &Folder,
    change: &FileChange,
    stamps: &Stamps,
    entry: &Entry,
) -> Result<Option<Replaced>, ApplyError> {
    let name = name(change);
    let found = match live.towards(change.path.as_path())? {
        Some(folder) => folder.look(name)?.map(|there| (folder, there)),
        None => None,
    };
    let (there, held) = match found {
        Some((folder, there)) if there.is_file() => {
            let (file, path) = (folder.open_file(name)?, folder.path_of(name));
            let there = There::of_file(&file).doing("inspect", &path)?;
            (Some(there), Some((file, path)))
        }
        found => (found.map(|(_, there)| there), None),
    };
    let contents = || match &held {
        Some((file, path)) => contents::fingerprint(file).doing("read", path).map(Some),
        None => Ok(None),
    };
    if stamps.is_replaced_changed(change.path.as_str(), there, contents)? {
        return Err(ApplyError::ChangedMeanwhile {
            component: entry.application.component.clone(),
            path: change.path.to_string(),
        });
    }
    let (Some(there), Some((mut file, path))) = (there, held) else {
        return Ok(None);
    };
    let mut capabilities = Capabilities::Leave;
    if !there.has_other_names && attributes::has_capabilities((&file, &path))? {
        file.rewind().doing("read", &path)?;
        let found = hashing::digest_of(&mut file).doing("read", &path)?;
        if change.before == Some(found) {
            capabilities = Capabilities::Take;
        } else {
            // Not which: what a correction under embargo changes is in no log.
            tracing::warn!(
                application = entry.application.id,
                "file capabilities not carried over: a replaced file is not the vendor's"
            );
        }
    }
    Ok(Some(Replaced {
        file,
        path,
        capabilities,
    }))
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
                    reason: format!("lies below {parent}, which is not a directory"),
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
            (None, _) if there.is_some() => return Err(wrong("still exists")),
            (None, _) => {}
            (Some(_), None) => return Err(wrong("is missing")),
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
    let metadata = opened.metadata().doing("inspect", &path)?;
    if metadata.len() != after.size {
        return Err(wrong("has the wrong size"));
    }
    if attributes::mode_within_list((&opened, &path))? != after.mode & 0o777 {
        return Err(wrong("has the wrong mode"));
    }
    if hashing::digest_of(&mut opened).doing("verify", &path)? != after.digest {
        return Err(wrong("has the wrong contents"));
    }
    Ok(())
}
