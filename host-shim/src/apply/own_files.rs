//! A component's own files: neither the correction's nor run-time data that is kept.
//!
//! They are copied into the new tree while the component runs. What it wrote to them between the copy
//! and its stop is brought over once it stands still, so that no word of it is lost; and what it wrote
//! to them with the new tree is named before that tree goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
};

use rustix::fs::FileType;
use spacecp_contract::Digest;

use super::{
    ApplyError,
    carry::is_kept,
    copy::{Copying, relative},
    durable::Durably,
    folder::{Folder, There},
    journal::Entry,
    place::{PAYLOAD, Place},
};

/// Names of changed files that are gathered; a person reads no more.
const NAMED: usize = 20;

/// Which files are a component's own, as far as an application is concerned.
struct Own<'a> {
    keep: &'a [String],
    /// What becomes of the correction's files.
    changes: BTreeMap<&'a str, Option<Digest>>,
}

impl<'a> Own<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            keep: &entry.keep,
            changes: entry
                .changes
                .iter()
                .map(|(path, after)| (path.as_str(), *after))
                .collect(),
        }
    }

    fn has(&self, path: &str) -> bool {
        !is_kept(path, self.keep) && !self.changes.contains_key(path)
    }

    /// Whether a folder leads to a file of the correction that passes this.
    fn leads_to(&self, folder: &str, passes: impl Fn(&Option<Digest>) -> bool) -> bool {
        let prefix = format!("{folder}/");
        let from = self.changes.range(prefix.as_str()..);
        from.take_while(|(path, _)| path.starts_with(&prefix))
            .any(|(_, after)| passes(after))
    }
}

/// Brings what the component wrote since its tree was copied into the new one in the workspace. To be
/// called when it stands still, with the live tree the old one.
///
/// A file of the correction that was written meanwhile is refused: somebody decided about another one.
pub(super) fn catch_up(place: &Place, entry: &Entry) -> Result<(), ApplyError> {
    let (live, Some(staged)) = (place.live()?, place.other()?) else {
        return Ok(());
    };
    refuse_changed(place, &live, entry)?;
    let own = Own::of(entry);
    let named: BTreeSet<&str> = own.changes.keys().copied().collect();
    CatchingUp {
        own,
        copying: Copying::new(&entry.keep, &named, Durably::OneByOne),
    }
    .folder(&live, &staged, "")
}

/// The payload was complete before anybody looked at the files that it replaces.
fn refuse_changed(place: &Place, live: &Folder, entry: &Entry) -> Result<(), ApplyError> {
    let Some(fetched) = place.workspace.look(OsStr::new(PAYLOAD))? else {
        return Ok(());
    };
    for (path, _) in &entry.changes {
        let path = std::path::Path::new(path);
        let name = path.file_name().unwrap_or(path.as_os_str());
        let Some(folder) = live.towards(path)? else {
            continue;
        };
        if let Some(there) = folder.look(name)?
            && there.changed > fetched.changed
        {
            return Err(ApplyError::ChangedMeanwhile {
                component: entry.application.component.clone(),
                path: path.display().to_string(),
            });
        }
    }
    Ok(())
}

struct CatchingUp<'a> {
    own: Own<'a>,
    copying: Copying<'a>,
}

impl CatchingUp<'_> {
    fn folder(&mut self, live: &Folder, staged: &Folder, prefix: &str) -> Result<(), ApplyError> {
        let mut wrote = false;
        for name in live.names()? {
            let path = relative(prefix, &name);
            let Some(there) = live.look(&name)?.filter(|_| self.own.has(&path)) else {
                continue;
            };
            let copy = staged.look(&name)?;
            if let Some(copy) = copy.filter(|copy| there.is_folder() && copy.is_folder()) {
                let (live, staged) = (live.enter(&name)?, staged.enter(&name)?);
                self.folder(&live, &staged, &path)?;
                if there.changed > copy.changed {
                    staged.take_attributes(&live)?;
                    staged.sync()?;
                }
                continue;
            }
            if copy.is_some_and(|copy| is_copy(there, copy))
                || self.was_emptied(live, &name, there, &path)?
            {
                continue;
            }
            staged.remove_all(&name)?;
            self.copying.entry(live, staged, &name, &path)?;
            if there.is_folder() {
                staged.enter(&name)?.sync_below()?;
            }
            wrote = true;
        }
        wrote |= self.remove(live, staged, prefix)?;
        if wrote {
            staged.sync()?;
        }
        Ok(())
    }

    /// Removes what the component removed; says whether there was anything.
    fn remove(&self, live: &Folder, staged: &Folder, prefix: &str) -> Result<bool, ApplyError> {
        let mut removed = false;
        for name in staged.names()? {
            let path = relative(prefix, &name);
            let brought = |path: &str| self.own.leads_to(path, Option::is_some);
            if live.look(&name)?.is_none() && self.own.has(&path) && !brought(&path) {
                staged.remove_all(&name)?;
                removed = true;
            }
        }
        Ok(removed)
    }

    /// Whether a folder is not in the new tree because the correction left nothing in it.
    fn was_emptied(
        &self,
        live: &Folder,
        name: &OsStr,
        there: There,
        path: &str,
    ) -> Result<bool, ApplyError> {
        if !there.is_folder() || !self.own.leads_to(path, Option::is_none) {
            return Ok(false);
        }
        self.holds_nothing(&live.enter(name)?, path)
    }

    /// Whether nothing but files of the correction is in a folder, and folders that it empties.
    fn holds_nothing(&self, folder: &Folder, prefix: &str) -> Result<bool, ApplyError> {
        for name in folder.names()? {
            let path = relative(prefix, &name);
            let Some(there) = folder.look(&name)?.filter(|_| self.own.has(&path)) else {
                continue;
            };
            if !self.was_emptied(folder, &name, there, &path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether what lies in the new tree is a copy of this as it is now. Every write, and every change of
/// owner, mode or attributes, sets the time of the last change (`st_ctime`), which nobody can set back.
fn is_copy(there: There, copy: There) -> bool {
    there.changed <= copy.changed && is_alike(there, copy)
}

/// Whether two files look the same; a copy has the time of the original, but links do not take one.
fn is_alike(one: There, other: There) -> bool {
    let of_a_file = |there: There| (there.size, there.modified, there.mode);
    one.kind == other.kind
        && one.owner == other.owner
        && (one.kind == FileType::Symlink || of_a_file(one) == of_a_file(other))
}

/// The component's own files that are in the live tree, the new one, and not like that in the old one in
/// the workspace: they go with the new tree. At most so many are named.
pub(super) fn written_since(place: &Place, entry: &Entry) -> Result<Vec<String>, ApplyError> {
    let mut written = Vec::new();
    if let Some(old) = place.other()? {
        compare(
            &Own::of(entry),
            &place.live()?,
            Some(&old),
            "",
            &mut written,
        )?;
    }
    Ok(written)
}

fn compare(
    own: &Own<'_>,
    new: &Folder,
    old: Option<&Folder>,
    prefix: &str,
    written: &mut Vec<String>,
) -> Result<(), ApplyError> {
    for name in new.names()? {
        let path = relative(prefix, &name);
        let Some(there) = new.look(&name)?.filter(|_| own.has(&path)) else {
            continue;
        };
        if written.len() >= NAMED {
            return Ok(());
        }
        let before = match old {
            Some(old) => old.look(&name)?,
            None => None,
        };
        if there.is_folder() {
            let old = match old.filter(|_| before.is_some_and(There::is_folder)) {
                Some(old) => Some(old.enter(&name)?),
                None => None,
            };
            compare(own, &new.enter(&name)?, old.as_ref(), &path, written)?;
        } else if !before.is_some_and(|before| is_alike(there, before)) {
            written.push(path);
        }
    }
    Ok(())
}
