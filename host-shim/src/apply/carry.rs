//! Run-time data: worlds, logs, settings.
//!
//! What a component writes at run time is in neither tree's keeping: it belongs to whichever tree
//! is live. It is moved there by rename after every exchange, so that nothing written meanwhile is
//! lost and no byte of it is copied. Moving is safe to repeat: what has arrived is not moved again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{ApplyError, error::Doing, exchange::sync_folder};

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
    for path in keep {
        let path = path.trim_end_matches('/');
        let (from, to) = (other.join(path), live.join(path));
        if fs::symlink_metadata(&from).is_err() {
            continue;
        }
        if fs::symlink_metadata(&to).is_ok() {
            let aside = free_name(set_aside, path);
            make_parent(&aside)?;
            fs::rename(&to, &aside).doing("set aside", &to)?;
        }
        make_parent(&to)?;
        fs::rename(&from, &to).doing("carry over", &to)?;
        for folder in [to.parent(), from.parent()].into_iter().flatten() {
            sync_folder(folder).doing("sync", folder)?;
        }
    }
    Ok(())
}

fn make_parent(path: &Path) -> Result<(), ApplyError> {
    match path.parent() {
        Some(parent) => fs::create_dir_all(parent).doing("make the folder", parent),
        None => Ok(()),
    }
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
