//! Run-time data: worlds, logs, settings.
//!
//! What a component writes at run time is in neither tree's keeping: it belongs to whichever tree
//! is live. It is moved there by rename after every exchange, so that nothing written meanwhile is
//! lost and no byte of it is copied. Moving is safe to repeat: what has arrived is not moved again.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{ApplyError, error::Doing, exchange::sync_folder, files};

/// Moves run-time data from `other` to `live`.
///
/// Where the live tree has something of that name already, because the component wrote it within
/// the moment between exchange and this, that is put into `set_aside` and the data that was there
/// before takes its place.
pub(super) fn carry(
    keep: &[String],
    other: &Path,
    live: &Path,
    set_aside: &Path,
) -> Result<(), ApplyError> {
    for path in outermost(keep) {
        let (from, to) = (other.join(path), live.join(path));
        // What lies behind a link is in neither tree, and stays where it is.
        if !through_folders(other, path) || fs::symlink_metadata(&from).is_err() {
            continue;
        }
        if fs::symlink_metadata(&to).is_ok() {
            let aside = free_name(set_aside, path);
            if let Some(parent) = aside.parent() {
                fs::create_dir_all(parent).doing("make the folder", parent)?;
            }
            fs::rename(&to, &aside).doing("set aside", &to)?;
        }
        make_parents(path, other, live)?;
        fs::rename(&from, &to).doing("carry over", &to)?;
        for folder in [to.parent(), from.parent()].into_iter().flatten() {
            sync_folder(folder).doing("sync", folder)?;
        }
    }
    Ok(())
}

/// The kept paths that do not lie in another one: they go with that.
fn outermost(keep: &[String]) -> impl Iterator<Item = &str> {
    keep.iter().enumerate().filter_map(move |(place, path)| {
        let path = path.trim_end_matches('/');
        let inside = keep.iter().enumerate().any(|(other, around)| {
            let around = around.trim_end_matches('/');
            other != place
                && is_kept(path, &[around.to_owned()])
                && (around != path || other < place)
        });
        (!inside).then_some(path)
    })
}

/// The folders that lead to a path, outermost first.
fn parents(path: &str) -> impl Iterator<Item = &Path> {
    let mut parents: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
    parents.retain(|parent| !parent.as_os_str().is_empty());
    parents.into_iter().rev()
}

/// Whether every folder on the way to a path is one, and no link.
pub(super) fn through_folders(tree: &Path, path: &str) -> bool {
    parents(path).all(|parent| {
        fs::symlink_metadata(tree.join(parent)).is_ok_and(|metadata| metadata.is_dir())
    })
}

/// Makes the folders that lead to a path as they are in the other tree: the component may run as a
/// user of its own, who has to be able to write there.
fn make_parents(path: &str, other: &Path, live: &Path) -> Result<(), ApplyError> {
    for parent in parents(path) {
        let (from, to) = (other.join(parent), live.join(parent));
        match fs::symlink_metadata(&to) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => {
                let source = io::Error::other("it is no longer a folder");
                return Err(source).doing("carry run-time data into", to);
            }
            Err(_) => {
                fs::create_dir(&to).doing("make the folder", &to)?;
                let metadata = fs::symlink_metadata(&from).doing("look at", &from)?;
                files::keep_attributes(&from, &to, &metadata)
                    .doing("keep the attributes of", &from)?;
            }
        }
    }
    Ok(())
}

fn free_name(folder: &Path, path: &str) -> PathBuf {
    let mut names = (0u32..).map(|number| folder.join(format!("{path}.{number}")));
    names
        .find(|name| fs::symlink_metadata(name).is_err())
        .unwrap_or_else(|| folder.join(path))
}

/// Whether a path within the tree is run-time data.
pub(super) fn is_kept(path: &str, keep: &[String]) -> bool {
    keep.iter().any(|kept| {
        let kept = kept.trim_end_matches('/');
        path == kept
            || path
                .strip_prefix(kept)
                .is_some_and(|rest| rest.starts_with('/'))
    })
}
