//! Could users other than root and the panel's own exchange what is worked on?

use super::{Found, Situation, obstacle};
use crate::apply::{ApplyError, error::remedy};

pub(super) fn check(situation: &Situation<'_>) -> Vec<Found> {
    let folder = &situation.component.folder;
    match situation.surroundings.workspaces.check(folder) {
        Ok(()) => Vec::new(),
        Err(ApplyError::Insecure { folder, insecure }) => vec![obstacle(
            format!(
                "users other than root and the panel's user could replace {}: {insecure}",
                folder.display()
            ),
            format!("{}.", remedy(&insecure)),
        )],
        Err(error) => vec![obstacle(
            format!("cannot create a workspace: {error}"),
            "Correct \"workspace\" under [apply], or that directory.",
        )],
    }
}
