//! Run-time data: worlds, logs, settings.
//!
//! What a component writes at run time is in neither tree's keeping: it belongs to whichever tree
//! is live. It is moved there by rename after every exchange, so that nothing written meanwhile is
//! lost and no byte of it is copied. Moving is safe to repeat: what has arrived is not moved again.

use std::{ffi::OsStr, io, path::Path};

use super::{
    ApplyError,
    error::Doing,
    folder::Folder,
    place::{NEW_FOLDER, Place, SET_ASIDE},
};

/// Moves run-time data from the tree in the workspace to the live one.
///
/// Where the live tree has something of that name already, because the component wrote it within
/// the moment between exchange and this, that is set aside and the data that was there before takes
/// its place.
pub(super) fn carry(place: &Place, keep: &[String]) -> Result<(), ApplyError> {
    let Some(other) = place.other()? else {
        return Ok(());
    };
    let live = place.live()?;
    for path in outermost(keep).map(Path::new) {
        let name = path.file_name().unwrap_or(path.as_os_str());
        // What lies behind a link is in neither tree, and stays where it is.
        let Some(from) = other.towards(path)? else {
            continue;
        };
        if from.look(name)?.is_none() {
            continue;
        }
        let to = make_parents(place, path, &other, &live)?;
        if to.look(name)?.is_some() {
            set_aside(place, &to, name, path)?;
        }
        let before = [to.itself()?, from.itself()?];
        from.rename(name, &to, name)?;
        // Nobody wrote to these folders.
        for (folder, before) in [&to, &from].into_iter().zip(before) {
            folder.set_times(before)?;
            folder.sync()?;
        }
    }
    Ok(())
}

/// Sets aside what lies at kept paths of the tree in the workspace, which is about to go: something that
/// was not stopped went on writing there after the exchange.
pub(super) fn rescue(place: &Place, keep: &[String]) -> Result<(), ApplyError> {
    let Some(other) = place.other()? else {
        return Ok(());
    };
    for path in outermost(keep).map(Path::new) {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let Some(from) = other.towards(path)? else {
            continue;
        };
        if from.look(name)?.is_some() {
            tracing::warn!("run-time data written to an inactive tree; preserved");
            set_aside(place, &from, name, path)?;
        }
    }
    Ok(())
}

/// Moves what lies in the way into the workspace, under a number and its path: a name alone may be as long as names
/// can be.
pub(super) fn set_aside(
    place: &Place,
    from: &Folder,
    name: &OsStr,
    path: &Path,
) -> Result<(), ApplyError> {
    let aside = free_place(&place.workspace, name, path)?;
    from.rename(name, &aside, name)?;
    aside.sync()?;
    from.sync()
}

/// A folder of the workspace, made where it is not there.
fn make_durably(around: &Folder, name: &OsStr) -> Result<Folder, ApplyError> {
    if around.look(name)?.is_some() {
        return around.enter_own(name);
    }
    let made = around.make_folder(name)?;
    around.sync()?;
    Ok(made)
}

/// The folder where something may be set aside under its own name.
fn free_place(workspace: &Folder, name: &OsStr, path: &Path) -> Result<Folder, ApplyError> {
    let aside = make_durably(workspace, OsStr::new(SET_ASIDE))?;
    let parents: Vec<&OsStr> = path.parent().into_iter().flat_map(Path::iter).collect();
    'numbers: for number in 0u32.. {
        let mut folder = make_durably(&aside, OsStr::new(&number.to_string()))?;
        for part in &parents {
            // What was set aside itself is not the panel's to put anything into.
            if folder.look(part)?.is_some_and(|there| !there.is_folder()) {
                continue 'numbers;
            }
            folder = match make_durably(&folder, part) {
                Err(ApplyError::NotOwn { .. }) => continue 'numbers,
                folder => folder?,
            };
        }
        if folder.look(name)?.is_none() {
            return Ok(folder);
        }
    }
    Err(io::Error::other("every number is in use")).doing("find a free name in", aside.path())
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

/// Makes the folders that lead to a path as they are in the other tree: the component may run as a
/// user of its own, who has to be able to write there. Gives the innermost.
fn make_parents(
    place: &Place,
    path: &Path,
    other: &Folder,
    live: &Folder,
) -> Result<Folder, ApplyError> {
    let (mut from, mut to) = (other.again()?, live.again()?);
    for part in path.parent().into_iter().flat_map(Path::iter) {
        from = from.enter(part)?;
        match to.look(part)? {
            Some(there) if there.is_folder() => {}
            Some(_) => {
                let source = io::Error::other("no longer a directory");
                return Err(source).doing("move run-time data into", to.path_of(part));
            }
            None => make_alike(place, &from, &to, part)?,
        }
        to = to.enter(part)?;
    }
    Ok(to)
}

/// Makes a folder with the attributes of another. It is made ready in the workspace and gets its
/// place by rename, so that a crash leaves none with attributes that are not its own.
fn make_alike(place: &Place, like: &Folder, to: &Folder, name: &OsStr) -> Result<(), ApplyError> {
    let unready = OsStr::new(NEW_FOLDER);
    place.workspace.remove_all(unready)?;
    let made = place.workspace.make_folder(unready)?;
    made.take_attributes(like)?;
    made.set_times(like.itself()?)?;
    made.sync()?;
    place.workspace.rename(unready, to, name)?;
    to.sync()
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

/// The same for a path as the disk has it; one that is not Unicode is in no configuration.
pub(super) fn is_kept_path(path: &Path, keep: &[String]) -> bool {
    path.to_str().is_some_and(|path| is_kept(path, keep))
}
