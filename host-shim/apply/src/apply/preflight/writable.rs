//! May the shim write beside the component's folder, and exchange it?

use std::io::ErrorKind;

use super::{Found, Situation, obstacle};
use crate::apply::{ApplyError, disk::Disk, place::parent, secure_path};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    if folder.parent().is_none() {
        return vec![obstacle(
            format!("{} has no parent directory", folder.display()),
            "Move the component into a directory of its own.",
        )];
    }
    let parent = parent(folder);
    let may_write = secure_path::open(&Disk::default(), parent).and_then(|(around, _)| {
        around.may_write().map_err(|source| ApplyError::File {
            doing: "write to",
            path: parent.to_owned(),
            source,
        })
    });
    match may_write {
        Ok(()) => Vec::new(),
        Err(ApplyError::File { source, .. }) if source.kind() == ErrorKind::ReadOnlyFilesystem => {
            vec![obstacle(
                format!("{} is mounted read-only", parent.display()),
                "Check why (a disk with errors is remounted read-only), then mount it for writing.",
            )]
        }
        Err(error) => {
            let reason = match &error {
                ApplyError::File { source, .. } => source.to_string(),
                error => error.to_string(),
            };
            vec![obstacle(
                format!("cannot write to {}: {reason}", parent.display()),
                "Grant the panel's user write access to that directory.",
            )]
        }
    }
}
