//! Everything that is installed, configured or found: what can be shown and judged.
//!
//! Only a [`Component`] can be corrected, and only the configuration makes one. What was found by
//! looking is a [`Found`], which nothing that applies corrections takes.

use spacecp_contract::{ComponentName, VersionScheme};
use spacecp_scan::Found;

use super::Component;

/// One thing that is installed, whoever knows of it.
#[derive(Debug, Clone, Copy)]
pub enum Installed<'a> {
    /// It is configured.
    Configured(&'a Component),
    /// It was found inside a component or on the machine.
    Found(&'a Found),
}

impl<'a> Installed<'a> {
    /// Its name, unique on this panel.
    pub fn name(self) -> &'a str {
        match self {
            Self::Configured(component) => &component.name,
            Self::Found(found) => &found.name,
        }
    }

    /// The name that advisories use.
    pub fn advisory_name(self) -> &'a ComponentName {
        match self {
            Self::Configured(component) => &component.advisory_name,
            Self::Found(found) => &found.advisory_name,
        }
    }

    /// How its versions are ordered.
    pub fn scheme(self) -> VersionScheme {
        match self {
            Self::Configured(component) => component.scheme,
            Self::Found(found) => found.scheme,
        }
    }

    /// Its version, if it is known.
    pub fn version(self) -> Option<&'a str> {
        match self {
            Self::Configured(component) => component.version.as_deref().ok(),
            Self::Found(found) => found.version.as_deref().ok(),
        }
    }

    /// Why its version is not known.
    pub fn problem(self) -> Option<String> {
        match self {
            Self::Configured(component) => {
                component.version.as_ref().err().map(ToString::to_string)
            }
            Self::Found(found) => found.version.as_ref().err().cloned(),
        }
    }

    /// Where it was found, for a person.
    pub fn found_at(self) -> &'a str {
        match self {
            Self::Configured(component) => &component.found_at,
            Self::Found(found) => &found.found_at,
        }
    }

    /// Whether corrections may be applied to it.
    pub fn is_correctable(self) -> bool {
        matches!(self, Self::Configured(_))
    }

    /// Whether it is the component of this name, or inside that.
    pub fn is_within(self, component: &str) -> bool {
        let rest = self.name().strip_prefix(component);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}
