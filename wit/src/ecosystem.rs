//! Whose packages a component comes from, and how advisories name them.
//!
//! A component name begins with the package type of its ecosystem, as package URLs have it
//! (<https://github.com/package-url/purl-spec>): `cargo:time`, `npm:@babel/core`,
//! `maven:org.apache.logging.log4j:log4j-core`. Where the same package has other corrections in
//! other releases of a system, the release stands between: `deb:debian-12:curl`. What finds
//! components and what turns other people's advisories into ours agree on names through this file.

use std::fmt;

use crate::{ComponentName, NameError, VersionScheme};

/// A source of packages whose versions can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ecosystem {
    /// Rust's crates, from crates.io.
    Cargo,
    /// npm's packages.
    Npm,
    /// Maven's artifacts; a package is `group:artifact`.
    Maven,
    /// Go's modules; a package is the path of the module, in small letters.
    Go,
    /// Debian packages of a release of a system, as of `debian-12` or `ubuntu-22.04`. A package is
    /// the source package.
    Deb(Release),
    /// RPM packages of a release of a system, as of `almalinux-9`. A package is the binary package,
    /// and one of a module's stream has that before it: `nodejs:18:npm`.
    Rpm(Release),
    /// Alpine packages of a release of a system, as of `alpine-3.18` or `wolfi-rolling`. A package is the source package
    /// (`origin`).
    Apk(Release),
    /// Composer's packages, from Packagist, in small letters; a package is `vendor/name`.
    Composer,
    /// Python's packages, from the Python Package Index, as PEP 503 normalises their names.
    Pypi,
    /// Packages of .NET, from nuget.org, in small letters.
    Nuget,
    /// Ruby's gems, from rubygems.org.
    Gem,
}

/// A release of a system: its id and version, as its `os-release` file has them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Release {
    /// `ID`, as `debian`; lower-case letters, digits, `_`, `.` and, within, `-`.
    pub id: String,
    /// `VERSION_ID`, as `12` or `22.04`.
    pub version: String,
}

impl fmt::Display for Release {
    /// As a person writes it: `debian 12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.version)
    }
}

impl Ecosystem {
    /// How its versions are ordered.
    pub fn scheme(&self) -> VersionScheme {
        match self {
            Self::Cargo | Self::Go => VersionScheme::Semver,
            Self::Npm => VersionScheme::Npm,
            Self::Maven => VersionScheme::Maven,
            Self::Deb(_) => VersionScheme::Deb,
            Self::Rpm(_) => VersionScheme::Rpm,
            Self::Apk(_) => VersionScheme::Alpine,
            Self::Composer => VersionScheme::Composer,
            Self::Pypi => VersionScheme::Pypi,
            Self::Nuget => VersionScheme::Nuget,
            Self::Gem => VersionScheme::Gem,
        }
    }

    /// The name that advisories use for one of its packages.
    ///
    /// # Errors
    ///
    /// [`NameError`] where the package's name cannot be a component's: too long, or with
    /// characters that no component name has.
    pub fn component(&self, package: &str) -> Result<ComponentName, NameError> {
        match self {
            Self::Cargo => format!("cargo:{package}"),
            Self::Npm => format!("npm:{package}"),
            Self::Maven => format!("maven:{package}"),
            Self::Go => format!("golang:{}", package.to_lowercase()),
            Self::Deb(release) => format!("deb:{}-{}:{package}", release.id, release.version),
            Self::Rpm(release) => format!("rpm:{}-{}:{package}", release.id, release.version),
            Self::Apk(release) => format!("apk:{}-{}:{package}", release.id, release.version),
            Self::Composer => format!("composer:{}", package.to_lowercase()),
            Self::Pypi => format!("pypi:{}", pypi_name(package)),
            Self::Nuget => format!("nuget:{}", package.to_lowercase()),
            Self::Gem => format!("gem:{package}"),
        }
        .parse()
    }

    /// Which ecosystem and which of its packages a component name is about; nothing where it is
    /// of none of them, as `spacecp:houston`.
    pub fn of(name: &ComponentName) -> Option<(Self, &str)> {
        let (kind, rest) = name.as_str().split_once(':')?;
        match kind {
            "cargo" => Some((Self::Cargo, rest)),
            "npm" => Some((Self::Npm, rest)),
            "golang" => Some((Self::Go, rest)),
            "maven" => rest.contains(':').then_some((Self::Maven, rest)),
            "composer" => Some((Self::Composer, rest)),
            "pypi" => Some((Self::Pypi, rest)),
            "nuget" => Some((Self::Nuget, rest)),
            "gem" => Some((Self::Gem, rest)),
            "deb" | "rpm" | "apk" => {
                let (release, package) = rest.split_once(':')?;
                let (id, version) = release.rsplit_once('-')?;
                let release = Release {
                    id: id.to_owned(),
                    version: version.to_owned(),
                };
                Some(match kind {
                    "deb" => (Self::Deb(release), package),
                    "apk" => (Self::Apk(release), package),
                    _ => (Self::Rpm(release), package),
                })
            }
            _ => None,
        }
    }
}

/// A name as PEP 503 normalises it: small letters, and one hyphen for each run of `-`, `_` and `.`.
pub(crate) fn pypi_name(name: &str) -> String {
    let words = name.split(['-', '_', '.']);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(id: &str, version: &str) -> Release {
        Release {
            id: id.to_owned(),
            version: version.to_owned(),
        }
    }

    #[test]
    fn a_name_tells_the_ecosystem_and_the_package_that_made_it() {
        for (ecosystem, package, name) in [
            (Ecosystem::Cargo, "time", "cargo:time"),
            (Ecosystem::Npm, "@babel/core", "npm:@babel/core"),
            (
                Ecosystem::Maven,
                "org.apache.logging.log4j:log4j-core",
                "maven:org.apache.logging.log4j:log4j-core",
            ),
            (
                Ecosystem::Deb(release("debian", "12")),
                "curl",
                "deb:debian-12:curl",
            ),
            (
                Ecosystem::Rpm(release("opensuse-leap", "15.5")),
                "curl",
                "rpm:opensuse-leap-15.5:curl",
            ),
            (
                Ecosystem::Apk(release("alpine", "3.18")),
                "curl",
                "apk:alpine-3.18:curl",
            ),
            (Ecosystem::Composer, "a/b", "composer:a/b"),
            (Ecosystem::Pypi, "ruamel-yaml", "pypi:ruamel-yaml"),
            (Ecosystem::Nuget, "newtonsoft.json", "nuget:newtonsoft.json"),
            (Ecosystem::Gem, "rails", "gem:rails"),
        ] {
            let made = ecosystem.component(package).unwrap();
            assert_eq!(made.as_str(), name);
            assert_eq!(Ecosystem::of(&made), Some((ecosystem, package)));
        }
    }

    #[test]
    fn a_vendors_own_name_is_of_no_ecosystem() {
        for name in [
            "spacecp:houston",
            "minecraft:server",
            "maven:log4j",
            "deb:curl",
            "plain",
        ] {
            assert_eq!(Ecosystem::of(&name.parse().unwrap()), None, "{name}");
        }
    }

    #[test]
    fn a_package_whose_name_cannot_be_a_components_is_refused() {
        for package in ["", "a b", "../x", "a//b"] {
            assert!(Ecosystem::Npm.component(package).is_err(), "{package:?}");
        }
    }
}
