//! May the shim write beside the component's folder, and exchange it?

use rustix::fs::{Access, access};

use super::{Found, Situation, obstacle};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    let Some(parent) = folder.parent() else {
        return vec![obstacle(
            format!("{} has no folder around it", folder.display()),
            "Put the component into a folder of its own.",
        )];
    };
    match access(parent, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Vec::new(),
        Err(rustix::io::Errno::ROFS) => vec![obstacle(
            format!("{} is mounted for reading only", parent.display()),
            "Mount it for writing, and look first why it is not: a disk with errors is.",
        )],
        Err(error) => {
            let found = format!(
                "{} cannot be written to: {}",
                parent.display(),
                std::io::Error::from(error)
            );
            vec![obstacle(
                found,
                "Give the panel's user write access to that folder.",
            )]
        }
    }
}
