//! A component's own files: neither the correction's nor run-time data that is kept.
//!
//! They are copied into the new tree while the component runs. What it wrote to them between the copy
//! and its stop is brought over once it stands still, so that no word of it is lost; and what it wrote
//! to them with the new tree is named before that tree goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    path::Path,
};

use rustix::fs::FileType;
use spacecp_contract::Digest;

use super::{
    ApplyError, attributes,
    carry::is_kept,
    contents,
    copy::{Copying, relative},
    durable::Durably,
    error::Doing,
    folder::{Folder, There},
    journal::Entry,
    last_seen::Exchanged,
    place::{Place, STAMPS},
    stage,
    stamps::{Since, Stamps},
};

/// Names of changed files that are gathered; a person reads no more.
const NAMED: usize = 20;

/// Which files are a component's own, as far as an application is concerned.
pub(super) struct Own<'a> {
    keep: &'a [String],
    /// What becomes of the correction's files.
    changes: BTreeMap<&'a str, Option<Digest>>,
}

impl<'a> Own<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        Self {
            keep: &entry.keep,
            changes: entry
                .changes
                .iter()
                .map(|(path, after)| (path.as_str(), *after))
                .collect(),
        }
    }

    /// The paths that the correction names.
    pub(super) fn named(&self) -> BTreeSet<&'a str> {
        self.changes.keys().copied().collect()
    }

    /// Whether something in the tree is the component's own and to be copied.
    pub(super) fn has(&self, path: &Path, there: There) -> bool {
        self.is_own(path) && !there.is_left_out()
    }

    fn is_own(&self, path: &Path) -> bool {
        let path = relative(path);
        !is_kept(path, self.keep) && !self.changes.contains_key(path)
    }

    /// Whether a folder leads to a file of the correction that passes this.
    fn leads_to(&self, folder: &Path, passes: impl Fn(&Option<Digest>) -> bool) -> bool {
        let prefix = format!("{}/", relative(folder));
        let from = self.changes.range(prefix.as_str()..);
        from.take_while(|(path, _)| path.starts_with(&prefix))
            .any(|(_, after)| passes(after))
    }

    /// Whether a folder is not in the new tree because the correction left nothing in it: nothing but
    /// files of the correction is there, and folders that it empties.
    pub(super) fn was_emptied(&self, folder: &Folder, path: &Path) -> Result<bool, ApplyError> {
        if !self.leads_to(path, Option::is_none) {
            return Ok(false);
        }
        for name in folder.names()? {
            let path = path.join(&name);
            let Some(there) = folder.look(&name)?.filter(|there| self.has(&path, *there)) else {
                continue;
            };
            if !there.is_folder() || !self.was_emptied(&folder.enter(&name)?, &path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// What is looked at to find out what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Stamps, and contents where they are not enough.
    AtContents,
    /// Stamps alone. Whoever looks like this has somebody else look at contents afterwards.
    AtStamps,
}

/// Brings what the component wrote since its tree was copied into the new one in the workspace. To be
/// called when it stands still, with the live tree the old one. Gives what its files are like now.
///
/// A file of the correction that was written meanwhile is refused: somebody decided about another one. While a
/// component is stopped nothing is read twice: what its stamps do not say is looked for once, after the exchange.
pub(super) fn catch_up(place: &Place, entry: &Entry) -> Result<Option<Stamps>, ApplyError> {
    let (live, Some(staged)) = (place.live()?, place.other()?) else {
        return Ok(None);
    };
    let look = if entry.restarts {
        Look::AtStamps
    } else {
        Look::AtContents
    };
    let stamps = Stamps::read(&place.workspace, STAMPS)?;
    refuse_changed(&live, entry, &stamps, look)?;
    let began = place.workspace.touch()?;
    let own = Own::of(entry);
    let named = own.named();
    let durably = Durably::OneByOne;
    let mut copying = Copying::new(&entry.keep, &named, durably, staged.again()?, stamps);
    copying.sources_first = true;
    let mut catching_up = CatchingUp { own, copying, look };
    catching_up.folder(&live, &staged, Path::new(""))?;
    let mut stamps = catching_up.copying.stamps;
    if look == Look::AtContents {
        stamps.begin_again(began);
    }
    stamps.write(&place.workspace, STAMPS)?;
    Ok(Some(stamps))
}

/// Refuses an old tree whose files of the correction were written since the new tree was built.
pub(super) fn refuse_changed(
    live: &Folder,
    entry: &Entry,
    stamps: &Stamps,
    look: Look,
) -> Result<(), ApplyError> {
    for (path, _) in &entry.changes {
        let found = stage::Found::at(live, path)?;
        let contents = || match look {
            Look::AtContents => found.fingerprint().map(Some),
            Look::AtStamps => Ok(None),
        };
        if stamps.is_replaced_changed(path, found.there(), contents)? {
            return Err(ApplyError::ChangedMeanwhile {
                component: entry.application.component.clone(),
                path: path.clone(),
            });
        }
    }
    Ok(())
}

struct CatchingUp<'a> {
    own: Own<'a>,
    copying: Copying<'a>,
    look: Look,
}

impl CatchingUp<'_> {
    fn folder(&mut self, live: &Folder, staged: &Folder, path: &Path) -> Result<(), ApplyError> {
        let (before, mut wrote) = (live.itself()?, false);
        let copied = staged.itself()?;
        for name in live.names()? {
            let path = path.join(&name);
            let Some(there) = live
                .look(&name)?
                .filter(|there| self.own.has(&path, *there))
            else {
                continue;
            };
            let copy = staged.look(&name)?;
            if copy.is_some_and(|copy| there.is_folder() && copy.is_folder()) {
                let inner = live.enter(&name)?;
                inner.refuse_mounted()?;
                self.folder(&inner, &staged.enter(&name)?, &path)?;
                continue;
            }
            if let Some(copy) = copy
                && self.is_copied([live, staged], &name, [there, copy])?
            {
                continue;
            }
            if there.is_folder() && self.own.was_emptied(&live.enter(&name)?, &path)? {
                continue;
            }
            staged.remove_all(&name)?;
            self.copying.entry(live, staged, &name, &path)?;
            if there.is_folder() {
                staged.enter(&name)?.sync_below()?;
            }
            wrote = true;
        }
        wrote |= self.remove(live, staged, path)?;
        let changed = match self.copying.stamps.since_copied(before, copied).0 {
            Since::Unchanged => false,
            Since::Unsure => (before.mode, before.owner) != (copied.mode, copied.owner),
            Since::Changed => true,
        };
        if wrote || changed {
            staged.take_attributes(live)?;
            staged.set_times(before)?;
            staged.sync()?;
        }
        Ok(())
    }

    /// Whether what lies under a name in the second folder is a copy of what lies in the first, as that is
    /// now.
    fn is_copied(
        &self,
        [live, staged]: [&Folder; 2],
        name: &OsStr,
        [there, copy]: [There; 2],
    ) -> Result<bool, ApplyError> {
        if !is_alike(there, copy) {
            return Ok(false);
        }
        if there.is_link() {
            return Ok(live.read_link(name)? == staged.read_link(name)?);
        }
        let stamps = &self.copying.stamps;
        match (stamps.since_copied(there, copy), self.look) {
            ((Since::Unchanged, _), _) => Ok(true),
            ((Since::Changed, _), _) => Ok(false),
            ((Since::Unsure, _), _) if !have_the_same_attributes(live, staged, name)? => Ok(false),
            ((Since::Unsure, _), Look::AtStamps) => Ok(true),
            ((Since::Unsure, copied), Look::AtContents) => {
                holds_as_copied(stamps, live, name, copied)
            }
        }
    }

    /// Removes what the component removed; says whether there was anything.
    fn remove(&self, live: &Folder, staged: &Folder, path: &Path) -> Result<bool, ApplyError> {
        let mut removed = false;
        for name in staged.names()? {
            let path = path.join(&name);
            let brought = |path: &Path| self.own.leads_to(path, Option::is_some);
            let is_there = live.look(&name)?.is_some_and(|there| !there.is_left_out());
            if !is_there && self.own.is_own(&path) && !brought(&path) {
                staged.remove_all(&name)?;
                removed = true;
            }
        }
        Ok(removed)
    }
}

/// Whether a file still holds what its stamp is not enough to tell: what it held when it was copied.
pub(super) fn holds_as_copied(
    stamps: &Stamps,
    from: &Folder,
    name: &OsStr,
    copied: Option<Digest>,
) -> Result<bool, ApplyError> {
    let (source, path) = (from.open_file(name)?, from.path_of(name));
    if stamps.want_durable_sources() {
        source.sync_all().doing("flush", &path)?;
    }
    Ok(Some(contents::fingerprint(&source).doing("read", path)?) == copied)
}

/// Whether two files of one name have the same extended attributes.
pub(super) fn have_the_same_attributes(
    one: &Folder,
    other: &Folder,
    name: &OsStr,
) -> Result<bool, ApplyError> {
    let (first, second) = (one.open_file(name)?, other.open_file(name)?);
    attributes::are_alike(
        (&first, &one.path_of(name)),
        (&second, &other.path_of(name)),
    )
}

/// Whether two files of one name hold the same, extended attributes included. One on which somebody holds a lease is
/// open for writing, and counts as another: nobody waits for it here.
pub(super) fn hold_the_same(
    one: &Folder,
    other: &Folder,
    name: &OsStr,
) -> Result<bool, ApplyError> {
    let opened = (
        one.open_unless_leased(name)?,
        other.open_unless_leased(name)?,
    );
    let (Some(first), Some(second)) = opened else {
        return Ok(false);
    };
    let (path, its_path) = (one.path_of(name), other.path_of(name));
    Ok(
        contents::are_alike(&first, &second).doing("compare", &path)?
            && attributes::are_alike((&first, &path), (&second, &its_path))?,
    )
}

/// Whether two files look the same; a copy has the time of the original, but not every file system
/// keeps one for links.
pub(super) fn is_alike(one: There, other: There) -> bool {
    let of_a_file = |there: There| (there.size, there.modified, there.mode);
    one.kind == other.kind
        && one.owner == other.owner
        && (one.kind == FileType::Symlink || of_a_file(one) == of_a_file(other))
}

/// The component's own files that are in the live tree, the new one, and not like that in the old one in
/// the workspace: they go with the new tree. At most so many are named.
pub(super) fn written_since(place: &Place, entry: &Entry) -> Result<Vec<String>, ApplyError> {
    let Some(old) = place.other()? else {
        return Ok(Vec::new());
    };
    let live = place.live()?;
    let mut comparing = Comparing {
        own: Own::of(entry),
        exchanged: Exchanged::at(&live, entry.exchanged)?,
        written: Vec::new(),
    };
    comparing.folder(&live, Some(&old), Path::new(""))?;
    Ok(comparing.written)
}

struct Comparing<'a> {
    own: Own<'a>,
    exchanged: Exchanged,
    written: Vec<String>,
}

impl Comparing<'_> {
    fn folder(
        &mut self,
        new: &Folder,
        old: Option<&Folder>,
        path: &Path,
    ) -> Result<(), ApplyError> {
        for name in new.names()? {
            let path = path.join(&name);
            let Some(there) = new.look(&name)?.filter(|there| self.own.has(&path, *there)) else {
                continue;
            };
            if self.written.len() >= NAMED {
                return Ok(());
            }
            let before = match old {
                Some(old) => old.look(&name)?.map(|before| (old, before)),
                None => None,
            };
            if there.is_folder() {
                let old = match before.filter(|(_, before)| before.is_folder()) {
                    Some((old, _)) => Some(old.enter(&name)?),
                    None => None,
                };
                match new.enter(&name) {
                    // Nobody looks further, and it is set aside with whatever is in it before the tree goes.
                    Err(ApplyError::TooDeep { .. }) => {
                        let top = path.iter().next().unwrap_or(&name);
                        self.written
                            .push(format!("{} (too deep)", Path::new(top).display()));
                    }
                    inner => self.folder(&inner?, old.as_ref(), &path)?,
                }
            } else if !self.is_as_before(new, &name, there, before)? {
                self.written.push(path.display().to_string());
            }
        }
        Ok(())
    }

    fn is_as_before(
        &self,
        new: &Folder,
        name: &OsStr,
        there: There,
        before: Option<(&Folder, There)>,
    ) -> Result<bool, ApplyError> {
        match before.filter(|(_, before)| is_alike(there, *before)) {
            None => Ok(false),
            Some(_) if self.exchanged.is_before(there) => Ok(true),
            Some((old, _)) if there.is_file() => hold_the_same(new, old, name),
            Some((old, _)) => Ok(new.read_link(name)? == old.read_link(name)?),
        }
    }
}
