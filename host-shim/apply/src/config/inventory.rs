//! What is looked for beside the configured components, and inside them.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use spacecp_contract::TreePath;
use spacecp_scan::{Job, Provider, ScanLimits};
use utoipa::ToSchema;

use super::ComponentConfig;

/// Installed software on the machine, outside of any component.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct InventoryConfig {
    /// Provider that reads it.
    pub provider: Provider,
    /// Prefix of the names of everything found; the provider's name by default.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// Directory to scan, or the one file of a package list. Required for `npm`, `cargo`, `composer`, `go`,
    /// `minecraft`, `nuget`, `python`, `ruby` and `sbom`; the default is `/` for `apk`, `dpkg`, `rpm` and `os`, and `/usr/lib/jvm` for `java`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "path")]
    pub place: Option<PathBuf>,
    /// Paths inside `place` that are not scanned.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub except: Vec<TreePath>,
}

impl InventoryConfig {
    /// What the names of everything found begin with.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.provider.name())
    }

    /// A relative path begins at the folder of the configuration.
    pub fn anchor(&mut self, folder: &Path) {
        if let Some(place) = &mut self.place {
            *place = folder.join(&*place);
        }
    }

    fn job(&self) -> Option<Job> {
        let usual = || self.provider.usual_place().map(PathBuf::from);
        Some(Job {
            name: self.name().to_owned(),
            place: self.place.clone().or_else(usual)?,
            providers: vec![self.provider],
            except: self.except.clone(),
        })
    }

    fn fault(&self) -> Option<String> {
        if self.place.is_none() && self.provider.usual_place().is_none() {
            let provider = self.provider;
            return Some(format!("{provider} has no default path; set place"));
        }
        let name = self.name();
        let sound = !name.is_empty()
            && name.len() <= 100
            && !name.contains('/')
            && !name.chars().any(char::is_control);
        (!sound)
            .then(|| "invalid name: it must have 1 to 100 characters, without \"/\" and control characters".to_owned())
    }
}

/// What does not fit, and where.
pub fn fault(
    inventories: &[InventoryConfig],
    components: &[ComponentConfig],
    limits: &ScanLimits,
) -> Option<(String, String)> {
    for (place, inventory) in inventories.iter().enumerate() {
        let name = inventory.name();
        let what = format!("inventory {name:?}");
        if let Some(problem) = inventory.fault() {
            return Some((what, problem));
        }
        if inventories[..place]
            .iter()
            .any(|before| before.name() == name)
        {
            let problem = "duplicate inventory name; set name for one of them";
            return Some((what, problem.to_owned()));
        }
        // What is found would seem to lie inside that component, and to be corrected with it.
        let begins = |component: &ComponentConfig| component.name.split('/').next() == Some(name);
        if components.iter().any(begins) {
            let problem = "a component has the same name; set another name for the inventory";
            return Some((what, problem.to_owned()));
        }
    }
    if limits.seconds == 0 || limits.seconds > 3_600 {
        let problem = "must be 1 to 3600".to_owned();
        return Some(("scan.seconds".to_owned(), problem));
    }
    // What was found is told to the plugin, whose memory has a limit of its own.
    if limits.components > 1_000_000 {
        let problem = "must be at most 1000000".to_owned();
        return Some(("scan.components".to_owned(), problem));
    }
    None
}

/// What is to be looked at: inside components, then on the machine.
pub fn jobs(components: &[ComponentConfig], inventories: &[InventoryConfig]) -> Vec<Job> {
    let inside = components
        .iter()
        .filter(|component| !component.scan.is_empty());
    let inside = inside.map(|component| Job {
        name: component.name.clone(),
        place: component.folder.clone(),
        providers: component.scan.iter().copied().collect(),
        except: component.scan_except.clone(),
    });
    let beside = inventories.iter().filter_map(InventoryConfig::job);
    inside.chain(beside).collect()
}
