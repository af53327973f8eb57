//! What is written to a tree that is about to leave its place, or has left it.
//!
//! Something that is not stopped keeps its files open when the trees are exchanged, and goes on writing to
//! the old one. What it wrote until then is brought into the new tree; what it writes afterwards is set
//! aside before the old tree goes. Nothing here removes what somebody wrote.

use std::{collections::BTreeMap, ffi::OsStr, path::Path};

use spacecp_contract::Digest;

use super::{
    ApplyError,
    carry::{is_kept, set_aside},
    copy::{Copying, relative},
    durable::Durably,
    error::Doing,
    exchange::is_not_possible,
    folder::{Folder, There},
    journal::Entry,
    last_seen::{Exchanged, LastSeen, fingerprint},
    own_files::{
        Look, Own, have_the_same_attributes, hold_the_same, holds_as_copied, is_alike,
        refuse_changed,
    },
    place::{NEW_FOLDER, Place, ROLLBACK_STAMPS, STAMPS},
    stamps::{Since, Stamps},
};
use spacecp_fs::hashing;

/// Brings what was written to the old tree, now in the workspace, since the stamps were taken. To be
/// called right after the exchange, which was at no earlier time than `exchanged`. What the files of the
/// old tree are like now stays in the workspace.
pub(super) fn bring(
    place: &Place,
    entry: &Entry,
    stamps: Stamps,
    exchanged: i64,
) -> Result<(), ApplyError> {
    let Some(old) = place.other()? else {
        return Ok(());
    };
    // First: the new tree has the vendor's contents in the place of these, and undoing brings them back.
    refuse_changed(&old, entry, &stamps, Look::AtContents)?;
    let (live, own) = (place.live()?, Own::of(entry));
    let named = own.named();
    let durably = Durably::OneByOne;
    let mut copying = Copying::new(&entry.keep, &named, durably, live.again()?, stamps);
    // So that what is stored through a mapping from here on can be seen.
    copying.sources_first = true;
    let mut bringing = Bringing {
        place,
        own,
        copying,
    };
    bringing.folder(&old, &live, Path::new(""))?;
    let mut stamps = bringing.copying.stamps;
    stamps.begin_again(exchanged.into());
    stamps.write(&place.workspace, STAMPS)
}

struct Bringing<'a> {
    place: &'a Place,
    own: Own<'a>,
    copying: Copying<'a>,
}

impl Bringing<'_> {
    fn folder(&mut self, old: &Folder, live: &Folder, path: &Path) -> Result<(), ApplyError> {
        let (before, mut brought) = (old.itself()?, false);
        for name in old.names()? {
            let path = path.join(&name);
            let Some(there) = old.look(&name)?.filter(|there| self.own.has(&path, *there)) else {
                continue;
            };
            let copy = live.look(&name)?;
            if copy.is_some_and(|copy| there.is_folder() && copy.is_folder()) {
                let inner = old.enter(&name)?;
                inner.refuse_mounted()?;
                self.folder(&inner, &live.enter(&name)?, &path)?;
                continue;
            }
            if !self.is_written([old, live], &name, there, copy)? {
                continue;
            }
            if there.is_folder() && self.own.was_emptied(&old.enter(&name)?, &path)? {
                continue;
            }
            brought |= self.bring([old, live], &name, &path, [Some(there), copy])?;
        }
        if brought {
            live.set_times(before)?;
            live.sync()?;
        }
        Ok(())
    }

    /// Whether what the old tree has was written to since it was copied, and the new tree has not the same.
    /// What became of its copy there does not matter otherwise. Folders come here that the new tree has not.
    fn is_written(
        &self,
        [old, live]: [&Folder; 2],
        name: &OsStr,
        there: There,
        copy: Option<There>,
    ) -> Result<bool, ApplyError> {
        if there.is_folder() {
            return Ok(true);
        }
        let stamps = &self.copying.stamps;
        match stamps.since_latest(there, copy) {
            (Since::Unchanged, _) => return Ok(false),
            (Since::Unsure, copied) => {
                let is_its_copy = copy.is_some_and(|copy| stamps.is_as_made(copy));
                let is_alike =
                    !is_its_copy || there.is_link() || have_the_same_attributes(old, live, name)?;
                let is_as_copied = there.is_link() || holds_as_copied(stamps, old, name, copied)?;
                return Ok(!is_alike || !is_as_copied);
            }
            (Since::Changed, _) => {}
        }
        match copy.filter(|copy| is_alike(there, *copy)) {
            None => Ok(true),
            Some(_) if there.is_link() => Ok(old.read_link(name)? != live.read_link(name)?),
            Some(_) => Ok(!there.is_file() || !hold_the_same(old, live, name)?),
        }
    }

    /// Brings one file or folder, made ready in the workspace, by a rename. Where somebody has written
    /// to the new tree already, it is set aside instead. Says whether the new tree has it.
    fn bring(
        &mut self,
        [old, live]: [&Folder; 2],
        name: &OsStr,
        path: &Path,
        [there, copy]: [Option<There>; 2],
    ) -> Result<bool, ApplyError> {
        let unready = OsStr::new(NEW_FOLDER);
        let workspace = &self.place.workspace;
        workspace.remove_all(unready)?;
        let ready = workspace.make_folder(unready)?;
        self.copying.entry(old, &ready, name, path)?;
        ready.sync_below()?;
        let is_folder = there.is_some_and(There::is_folder);
        let is_brought = match copy {
            None => ready.rename_if_free(name, live)?,
            Some(copy) => !is_folder && self.replace(&ready, live, name, copy)?,
        };
        if !is_brought {
            tracing::warn!("file written in both trees; version of the old tree preserved");
            set_aside(self.place, &ready, name, path)?;
        }
        workspace.remove_all(unready)?;
        Ok(is_brought)
    }

    /// Puts what is ready into the place of a copy that nobody has written to. It is looked at once more when it
    /// has left its place: what somebody wrote until then returns there. Says whether the new tree has what was
    /// ready.
    fn replace(
        &self,
        ready: &Folder,
        live: &Folder,
        name: &OsStr,
        copy: There,
    ) -> Result<bool, ApplyError> {
        let stamps = &self.copying.stamps;
        // There is nothing in a link to be lost.
        if !copy.is_link() && !stamps.is_as_made(copy) {
            return Ok(false);
        }
        let made = stamps.made_of(copy);
        let is_as_made = |folder: &Folder| match made {
            Some(made) => holds(folder, name, made),
            None => Ok(true),
        };
        if !is_as_made(live)? {
            return Ok(false);
        }
        match ready.exchange(name, live, name) {
            Err(error) if is_not_possible(&error) => {
                ready.rename(name, live, name)?;
                return Ok(true);
            }
            exchanged => exchanged.doing("exchange", live.path_of(name))?,
        }
        // The exchange itself moves the time of the last change.
        let look = |there: There| {
            (
                there.inode,
                there.size,
                there.modified,
                there.mode,
                there.owner,
            )
        };
        if ready.look(name)?.map(look) == Some(look(copy)) && is_as_made(ready)? {
            return Ok(true);
        }
        ready
            .exchange(name, live, name)
            .doing("exchange", live.path_of(name))?;
        Ok(false)
    }
}

/// Sets aside what was written, since the last exchange, to the tree in the workspace, which is about to
/// go, unless the live one has the same.
pub(super) fn rescue(place: &Place, entry: &Entry) -> Result<(), ApplyError> {
    let (Some(exchanged), Some(tree)) = (entry.exchanged, place.other()?) else {
        return Ok(());
    };
    let live = match place.around.look(&place.name)? {
        Some(there) if there.is_folder() => Some(place.live()?),
        _ => None,
    };
    let is_new = entry.new_tree == Some(tree.itself()?.inode);
    let seen = if is_new {
        let stamps = match read(place, entry, ROLLBACK_STAMPS)? {
            None => read(place, entry, STAMPS)?,
            stamps => stamps,
        };
        stamps.map(|stamps| stamps.of_copies(exchanged))
    } else {
        read(place, entry, STAMPS)?.map(Stamps::of_sources)
    };
    let changes = entry.changes.iter().filter(|_| is_new);
    let rescuing = Rescuing {
        place,
        keep: &entry.keep,
        exchanged: Exchanged::at(&tree, Some(exchanged))?,
        seen,
        brought: changes
            .filter_map(|(path, after)| Some((path.as_str(), (*after)?)))
            .collect(),
    };
    rescuing.folder(&tree, live.as_ref(), Path::new(""))
}

/// The stamps of this name, if the workspace has any that can be read.
fn read(place: &Place, entry: &Entry, name: &str) -> Result<Option<Stamps>, ApplyError> {
    if place.workspace.look(OsStr::new(name))?.is_none() {
        return Ok(None);
    }
    let stamps = Stamps::read(&place.workspace, name);
    Ok(stamps
        .inspect_err(|error| {
            tracing::warn!(
                application = entry.application.id,
                error = error.for_log(),
                "what the tree held is not known"
            );
        })
        .ok())
}

struct Rescuing<'a> {
    place: &'a Place,
    keep: &'a [String],
    exchanged: Exchanged,
    /// What its files were like when somebody last looked; an earlier version has left nothing of it.
    seen: Option<LastSeen>,
    /// What the correction brought to the tree.
    brought: BTreeMap<&'a str, Digest>,
}

impl Rescuing<'_> {
    /// Apart from the walk, which is as deep as a component's user makes it and must not need much of the stack.
    #[inline(never)]
    fn set_aside(&self, tree: &Folder, name: &OsStr, path: &Path) -> Result<(), ApplyError> {
        tracing::warn!(
            "file written to an inactive tree, or nested too deep to compare; preserved"
        );
        set_aside(self.place, tree, name, path)
    }

    fn folder(&self, tree: &Folder, live: Option<&Folder>, path: &Path) -> Result<(), ApplyError> {
        for name in tree.names()? {
            let path = path.join(&name);
            let Some(there) = tree.look(&name)?.filter(|there| !there.is_left_out()) else {
                continue;
            };
            if is_kept(relative(&path), self.keep) {
                continue;
            }
            let counterpart = match live {
                Some(live) => live.look(&name)?.map(|counterpart| (live, counterpart)),
                None => None,
            };
            let alike = counterpart.filter(|(_, counterpart)| counterpart.kind == there.kind);
            if there.is_folder() {
                let live = match alike {
                    Some((live, _)) => Some(live.enter(&name)?),
                    None => None,
                };
                let inner = tree.enter(&name)?;
                inner.refuse_mounted()?;
                match self.folder(&inner, live.as_ref(), &path) {
                    // The outermost goes whole, by one rename: nobody could follow it down.
                    Err(ApplyError::TooDeep { .. }) if path.iter().count() == 1 => {
                        self.set_aside(tree, &name, &path)?;
                    }
                    looked => looked?,
                }
            } else if !self.is_as_it_was(tree, &name, &path, there)?
                && !is_there(tree, alike, &name, there)?
            {
                self.set_aside(tree, &name, &path)?;
            }
        }
        Ok(())
    }

    /// Whether a file or link is as it was when somebody last looked. Contents decide: stamps are only good for
    /// not having to read them.
    fn is_as_it_was(
        &self,
        tree: &Folder,
        name: &OsStr,
        path: &Path,
        there: There,
    ) -> Result<bool, ApplyError> {
        match self.seen.as_ref().and_then(|seen| seen.since(there)) {
            Some((Since::Unchanged, _)) => Ok(true),
            Some((Since::Unsure, _)) if there.is_link() => Ok(true),
            Some((_, Some(contents))) if there.is_file() => holds(tree, name, contents),
            Some(_) => Ok(false),
            None if self.exchanged.is_before(there) => Ok(true),
            None => match self.brought.get(relative(path)) {
                Some(brought) if there.is_file() => {
                    let mut file = tree.open_file(name)?;
                    let found = hashing::digest_of(&mut file).doing("read", tree.path_of(name))?;
                    Ok(found == *brought)
                }
                _ => Ok(false),
            },
        }
    }
}

/// Whether a file still has these contents. A file that another process leases counts as written to.
fn holds(folder: &Folder, name: &OsStr, contents: Digest) -> Result<bool, ApplyError> {
    match fingerprint(folder, name) {
        Err(ApplyError::Leased { .. }) => Ok(false),
        found => Ok(found? == contents),
    }
}

/// Whether the live tree has the same.
fn is_there(
    tree: &Folder,
    live: Option<(&Folder, There)>,
    name: &OsStr,
    there: There,
) -> Result<bool, ApplyError> {
    match live {
        None => Ok(false),
        Some((live, _)) if there.is_file() => hold_the_same(tree, live, name),
        Some((live, _)) if there.is_link() => Ok(tree.read_link(name)? == live.read_link(name)?),
        Some(_) => Ok(true),
    }
}
