//! What runs of the components although something else is installed, with what to do about it.

use spacecp_scan::processes::OutdatedProcess;

use super::Exposure;
use crate::inventory::{Inventory, remedy};

/// A component of which something from before it was changed still runs, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutdatedComponent {
    /// Its name on this panel.
    pub component: String,
    /// The processes, by number.
    pub processes: Vec<OutdatedProcess>,
    /// Why it could not be decided whether there are others.
    pub undecided: Option<String>,
    /// What to restart and how, for a person.
    pub remedy: String,
}

impl Exposure {
    /// What runs of one component, or of the one that it is inside.
    pub fn running_of(&self, inventory: &Inventory, component: &str) -> Option<OutdatedComponent> {
        let (of, running) = inventory.running.of_component(component)?;
        let mut configured = self.state.config().components.iter();
        let around = configured.find(|one| one.name == of);
        Some(OutdatedComponent {
            component: of.to_owned(),
            processes: running.outdated.clone(),
            undecided: running.undecided.clone(),
            remedy: remedy(around, running),
        })
    }

    /// All of them, by name.
    pub fn outdated(&self, inventory: &Inventory) -> Vec<OutdatedComponent> {
        let names = inventory.running.components.keys();
        names
            .filter_map(|name| self.running_of(inventory, name))
            .collect()
    }
}
