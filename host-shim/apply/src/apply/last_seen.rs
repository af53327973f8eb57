//! What the files of a tree were like when somebody last looked, to tell what was written to it since.

use std::{collections::BTreeMap, ffi::OsStr, path::Path};

use spacecp_contract::Digest;

use super::{
    ApplyError,
    carry::is_kept,
    contents,
    copy::relative,
    error::Doing,
    folder::{Folder, There},
    journal::Entry,
    place::{NEW_STAMPS, Place, ROLLBACK_STAMPS},
    stamps::{Since, Stamp, Stamps, UNSURE, all_move_the_time, nanoseconds, standing},
};

/// What the files of a tree were like when somebody last looked, by their inodes.
#[derive(Debug)]
pub(super) struct LastSeen {
    files: BTreeMap<u64, (Stamp, Option<Digest>)>,
    began: Option<i64>,
}

impl LastSeen {
    pub(super) fn new(
        files: impl Iterator<Item = (Stamp, Option<Digest>)>,
        began: Option<i64>,
    ) -> Self {
        let files = files.map(|(stamp, contents)| (stamp.inode, (stamp, contents)));
        Self {
            files: files.collect(),
            began,
        }
    }

    /// Whether something was written to since, and what it held then, if anything is known of it.
    pub(super) fn since(&self, there: There) -> Option<(Since, Option<Digest>)> {
        let (stamp, contents) = self.files.get(&there.inode)?;
        Some((standing(*stamp, there, self.began), *contents))
    }
}

/// When trees were exchanged, to tell what was not written to since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchanged(Option<i128>);

impl Exchanged {
    /// The time that the journal has, on the file system of the live tree.
    pub(super) fn at(live: &Folder, nanoseconds: Option<i64>) -> Result<Self, ApplyError> {
        let known = all_move_the_time(live)?.then_some(nanoseconds).flatten();
        Ok(Self(
            known.map(|time| i128::from(time) - i128::from(UNSURE)),
        ))
    }

    /// Whether the last change of something certainly was before that.
    pub(super) fn is_before(self, there: There) -> bool {
        self.0.is_some_and(|exchanged| there.changed < exchanged)
    }
}

/// A digest of what a file holds that lies in a folder. Rolling back waits for no lease: a leased file is an error.
pub(super) fn fingerprint(folder: &Folder, name: &OsStr) -> Result<Digest, ApplyError> {
    let Some(file) = folder.open_unless_leased(name)? else {
        return Err(ApplyError::Leased {
            path: folder.path_of(name),
        });
    };
    contents::fingerprint(&file).doing("read", folder.path_of(name))
}

/// What the files of the live tree are like, which is the new one, with the time before anybody looked. To be
/// called before anybody looks what would be lost with it.
pub(super) fn look_at_live(place: &Place, entry: &Entry) -> Result<(i64, Stamps), ApplyError> {
    let (began, live) = (place.workspace.touch()?, place.live()?);
    let mut stamps = Stamps::new(&live, began)?;
    if stamps.want_durable_sources() {
        live.write_back()?;
    }
    note(&live, Path::new(""), &entry.keep, &mut stamps);
    Ok((nanoseconds(began), stamps))
}

/// Keeps what the files of the live tree were like, until it has left its place and goes.
pub(super) fn keep_stamps(
    place: &Place,
    entry: &Entry,
    mut stamps: Stamps,
) -> Result<(), ApplyError> {
    // Going back must work on a full disk, too. What is not known later is compared with the live tree.
    if let Err(error) = stamps.write(&place.workspace, ROLLBACK_STAMPS) {
        tracing::warn!(
            application = entry.application.id,
            error = error.for_log(),
            "stamps of the new tree not recorded; unchanged files may be preserved needlessly"
        );
        place.workspace.remove_all(OsStr::new(NEW_STAMPS))?;
    }
    Ok(())
}

/// Takes the stamps of everything in a folder; what a component removes meanwhile, or nobody can read, has none.
fn note(folder: &Folder, path: &Path, keep: &[String], stamps: &mut Stamps) {
    for name in folder.names().unwrap_or_default() {
        let path = path.join(&name);
        if is_kept(relative(&path), keep) {
            continue;
        }
        let noted = match folder.look(&name) {
            Ok(Some(there)) if there.is_folder() => folder
                .enter(&name)
                .map(|inner| note(&inner, &path, keep, stamps)),
            Ok(Some(there)) => stamps.took(there, there, || fingerprint(folder, &name)),
            there => there.map(drop),
        };
        if let Err(error) = noted {
            tracing::debug!(error = error.for_log(), "stamp not recorded");
        }
    }
}
