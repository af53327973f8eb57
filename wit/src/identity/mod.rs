//! One identity for what is installed, whoever names it: importers of advisories, scanners of machines, and whoever
//! compares the two.
//!
//! Pure: texts in, names out. Nothing here reads files or knows a feed, and nothing guesses: what is not known to be
//! the same is not made the same.
//!
//! | file | what it answers |
//! | --- | --- |
//! | `purl` | a package URL in its parts (ECMA-427) |
//! | `package` | which package of which ecosystem a package URL names |
//! | `osv` | which ecosystem an OSV record means, and back |
//! | `cpe` | which release or package a CPE names |
//! | `system` | which release the packages of a system belong to, by `os-release` |
//! | `release` | the one name of a release |
//! | `deb_source` | the source package of a Debian package |
//! | `rpm` | the stream of a module that an RPM package is of, and whose build it is |
//! | `rpm_source` | the source package of an RPM package |
//! | `stream` | whether a version is of another line than an advisory speaks of |
//! | `java` | the two notations of Java's versions |

mod cpe;
mod deb_source;
mod java;
mod osv;
mod package;
mod purl;
mod release;
mod rpm;
mod rpm_source;
mod stream;
mod system;

use std::borrow::Cow;

pub use cpe::{package_of_cpe, release_of_cpe};
pub use deb_source::{DebBinary, DebSource};
pub use osv::{EcosystemError, ecosystem_of_osv, osv_name};
pub use package::{Package, PackageError, Surroundings};
pub use purl::{LONGEST_PURL, Purl, PurlError};
pub use rpm::Module;
pub use rpm_source::RpmSource;
pub use stream::Stream;
pub use system::System;

use crate::{Release, VersionRange, ecosystem::pypi_name, version::without_build_letter};

/// A component name as names are compared.
///
/// Documents that were published keep their names: `deb:debian-12.5:curl` is the same as `deb:debian-12:curl`, and
/// registries that ignore case know one package in every case.
pub fn canonical_name(name: &str) -> Cow<'_, str> {
    match name.split_once(':') {
        Some((kind @ ("deb" | "rpm" | "apk"), rest)) => {
            let parts = rest.split_once(':');
            let parts = parts.and_then(|(release, package)| {
                let (id, version) = release.rsplit_once('-')?;
                Some((id, version, package))
            });
            let Some((id, version, package)) = parts else {
                return Cow::Borrowed(name);
            };
            let release = Release::canonical(id, version);
            if release.id == id && release.version == version {
                return Cow::Borrowed(name);
            }
            Cow::Owned(format!(
                "{kind}:{}-{}:{package}",
                release.id, release.version
            ))
        }
        Some(("pypi", rest)) => {
            let normal = pypi_name(rest);
            if normal == rest {
                return Cow::Borrowed(name);
            }
            Cow::Owned(format!("pypi:{normal}"))
        }
        Some(("npm" | "golang" | "composer" | "nuget", rest))
            if rest.bytes().any(|byte| byte.is_ascii_uppercase()) =>
        {
            Cow::Owned(name.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(name),
    }
}

/// Whether two component names are of one component.
pub fn is_same(one: &str, other: &str) -> bool {
    one == other || canonical_name(one) == canonical_name(other)
}

/// A version of a component as versions of it are compared: of two notations that mean the same, one.
pub fn comparable<'a>(component: &str, version: &'a str) -> Cow<'a, str> {
    if component.starts_with("java:") {
        return java::feature_first(version);
    }
    // A build of the same release (PEP 440): what is said of 2.0 is said of 2.0+cu118.
    if component.starts_with("pypi:")
        && let Some((public, _)) = version.split_once('+')
    {
        return Cow::Borrowed(public);
    }
    // Tags that are used as versions: Maven itself would take the letter for a word that comes before every number.
    if component.starts_with("maven:")
        && let Some(number) = version.trim().strip_prefix(['v', 'V'])
        && number.starts_with(|letter: char| letter.is_ascii_digit())
    {
        return Cow::Borrowed(number);
    }
    without_build_letter(component, version)
}

/// A range of a component with its bounds as versions of it are compared.
pub fn comparable_range<'a, Text: AsRef<str>>(
    component: &str,
    range: &'a VersionRange<Text>,
) -> VersionRange<Cow<'a, str>> {
    let bound = |version: &'a Text| comparable(component, version.as_ref());
    VersionRange {
        introduced: bound(&range.introduced),
        fixed: range.fixed.as_ref().map(bound),
        last_affected: range.last_affected.as_ref().map(bound),
        limit: range.limit.as_ref().map(bound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_documents_are_those_that_scanners_give() {
        for (published, found) in [
            ("deb:debian-12.5:curl", "deb:debian-12:curl"),
            ("rpm:redhat-9.4:curl", "rpm:rhel-9:curl"),
            ("rpm:opensuse-leap-15.5:curl", "rpm:opensuse-leap-15.5:curl"),
            ("npm:JSONStream", "npm:jsonstream"),
            ("apk:alpine-3.18.4:curl", "apk:alpine-3.18:curl"),
            ("pypi:Ruamel.Yaml", "pypi:ruamel-yaml"),
            ("nuget:Newtonsoft.Json", "nuget:newtonsoft.json"),
            (
                "composer:Symfony/Http-Kernel",
                "composer:symfony/http-kernel",
            ),
        ] {
            assert!(is_same(published, found), "{published}");
            assert_eq!(canonical_name(found), found);
        }
    }

    #[test]
    fn different_components_stay_different() {
        for (one, other) in [
            ("deb:debian-12:curl", "deb:debian-11:curl"),
            ("deb:debian-12:curl", "rpm:debian-12:curl"),
            ("deb:ubuntu-22.04:curl", "deb:ubuntu-22.10:curl"),
            ("maven:g:A", "maven:g:a"),
            ("gem:RedCloth", "gem:redcloth"),
            ("apk:alpine-3.18:curl", "apk:alpine-3.19:curl"),
            ("bukkit:Essentials", "bukkit:essentials"),
            ("deb:curl", "deb:debian-12:curl"),
        ] {
            assert!(!is_same(one, other), "{one}");
        }
    }
}
