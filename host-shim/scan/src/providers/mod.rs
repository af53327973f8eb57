//! Who finds what: one file each. A provider knows where its things lie and what their files say; the
//! scanner opens, bounds, remembers and reports for it.

pub(crate) mod apk;
mod bun_lock;
mod cargo;
mod composer;
pub(crate) mod dpkg;
mod go;
mod go_mod;
mod java;
mod minecraft;
mod npm;
mod npm_lock;
mod npm_reference;
mod nuget;
mod os;
mod pnpm_lock;
mod purl;
mod python;
mod python_locks;
pub(crate) mod rpm;
mod ruby;
pub(crate) mod sbom;
mod walk;
mod yarn_lock;

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

use crate::look::Look;

/// Somebody who finds components.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Packages of npm: the tree `node_modules`, or the lock files of npm, yarn, pnpm and Bun where there is no tree.
    Npm,
    /// Crates of a `Cargo.lock`.
    Cargo,
    /// A Minecraft server or proxy, its plugins and mods, and the libraries inside them.
    Minecraft,
    /// Java runtimes, by their `release` files.
    Java,
    /// Debian packages, by dpkg's status.
    Dpkg,
    /// RPM packages, by rpm's own database.
    Rpm,
    /// The system, by `os-release`.
    Os,
    /// What a software bill of materials lists: `CycloneDX` or SPDX.
    Sbom,
    /// Modules of Go that are linked into programs, or those that `go.mod` requires where there is no program.
    Go,
    /// Packages of Composer: those in `vendor`, or those of the lock file where there are none.
    Composer,
    /// Alpine packages, by apk's own database.
    Apk,
    /// Packages of Python: those that are installed, or those of lock files where there are none.
    Python,
    /// Packages of .NET: those that programs were built with, or those of the lock file where there are none.
    Nuget,
    /// Ruby's gems: those that are installed, or those of the lock file where there are none.
    Ruby,
}

impl Provider {
    /// The word for it in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Cargo => "cargo",
            Self::Minecraft => "minecraft",
            Self::Java => "java",
            Self::Dpkg => "dpkg",
            Self::Rpm => "rpm",
            Self::Os => "os",
            Self::Sbom => "sbom",
            Self::Go => "go",
            Self::Composer => "composer",
            Self::Apk => "apk",
            Self::Python => "python",
            Self::Nuget => "nuget",
            Self::Ruby => "ruby",
        }
    }

    /// Where its things lie on a machine, if they always lie there.
    pub fn usual_place(self) -> Option<&'static str> {
        match self {
            Self::Dpkg | Self::Rpm | Self::Apk | Self::Os => Some("/"),
            Self::Java => Some("/usr/lib/jvm"),
            _ => None,
        }
    }

    /// Whether the place may be a file instead of a folder.
    pub fn takes_a_file(self) -> bool {
        matches!(
            self,
            Self::Sbom
                | Self::Cargo
                | Self::Go
                | Self::Composer
                | Self::Python
                | Self::Nuget
                | Self::Ruby
        )
    }

    /// Looks; `file` is the one file to look at, where the job names one.
    pub(crate) fn look(self, look: &mut Look<'_>, file: Option<&Path>) {
        match self {
            Self::Npm => npm::look(look),
            Self::Cargo => cargo::look(look, file),
            Self::Minecraft => minecraft::look(look),
            Self::Java => java::look(look),
            Self::Dpkg => dpkg::look(look),
            Self::Rpm => rpm::look(look),
            Self::Os => os::look(look),
            Self::Sbom => sbom::look(look, file),
            Self::Go => go::look(look, file),
            Self::Composer => composer::look(look, file),
            Self::Apk => apk::look(look),
            Self::Python => python::look(look, file),
            Self::Nuget => nuget::look(look, file),
            Self::Ruby => ruby::look(look, file),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
