//! What advisories call the things that no ecosystem of packages names, and how their versions are
//! ordered.
//!
//! | name | what it is | its version |
//! | --- | --- | --- |
//! | `minecraft:server` | the game that a server runs | Mojang's, `1.20.4` |
//! | `minecraft:paper`, `minecraft:velocity`, … | the make of a server or proxy | as its manifest has it |
//! | `bukkit:NAME` | a plugin of Bukkit, Spigot or Paper; spaces are `_`, as for the server itself | its own |
//! | `bungee:NAME` | a plugin of `BungeeCord` | its own |
//! | `velocity:ID` | a plugin of Velocity | its own |
//! | `fabric:ID`, `quilt:ID`, `forge:ID`, `neoforge:ID` | a mod; `fabric:fabricloader` is the loader | its own |
//! | `java:openjdk`, `java:openj9`, `java:graalvm`, `java:oracle-jdk` | a Java runtime | `JAVA_VERSION` of its `release` |
//! | `os:ID` | the system | `VERSION_ID` of its `os-release` |
//!
//! All of these are ordered by the scheme `generic`. Libraries are Maven's, whatever they lie in.

use spacecp_contract::{ComponentName, Ecosystem, VersionScheme};

use crate::Why;

/// The name that advisories use, and the scheme of the versions.
pub(crate) type Named = (Result<ComponentName, Why>, VersionScheme);

/// A package of an ecosystem.
pub(crate) fn package(ecosystem: &Ecosystem, package: &str) -> Named {
    let name = ecosystem.component(package).map_err(Why::from);
    (name, ecosystem.scheme())
}

/// A thing of one of the kinds above.
pub(crate) fn thing(kind: &str, name: &str) -> Named {
    let name = format!("{kind}:{}", name.trim().replace(' ', "_"));
    (name.parse().map_err(Why::from), VersionScheme::Generic)
}
