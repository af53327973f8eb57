//! Who finds what: one file each. A provider knows where its things lie and what their files say; the
//! scanner opens, bounds, remembers and reports for it.

mod bun_lock;
mod cargo;
mod composer;
pub(crate) mod dpkg;
mod go;
mod java;
mod minecraft;
mod npm;
mod npm_lock;
mod os;
mod pnpm_lock;
mod purl;
mod rpm;
pub(crate) mod sbom;
mod unlisted;
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
    /// RPM packages. Their databases are found and named, and not read yet.
    Rpm,
    /// The system, by `os-release`.
    Os,
    /// What a software bill of materials lists: `CycloneDX` or SPDX.
    Sbom,
    /// Modules of Go that are linked into programs.
    Go,
    /// Packages of Composer: those in `vendor`, or those of the lock file where there are none.
    Composer,
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
        }
    }

    /// Where its things lie on a machine, if they always lie there.
    pub fn usual_place(self) -> Option<&'static str> {
        match self {
            Self::Dpkg | Self::Rpm | Self::Os => Some("/"),
            Self::Java => Some("/usr/lib/jvm"),
            Self::Npm | Self::Cargo | Self::Minecraft | Self::Sbom | Self::Go | Self::Composer => {
                None
            }
        }
    }

    /// Whether the place may be a file instead of a folder.
    pub fn takes_a_file(self) -> bool {
        matches!(self, Self::Sbom | Self::Cargo | Self::Go | Self::Composer)
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
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
