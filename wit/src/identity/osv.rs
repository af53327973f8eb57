//! What OSV calls the ecosystems that panels have packages of.
//!
//! The names are those of the list in the OSV schema ("Defined ecosystems"), with their suffixes.

use super::{
    cpe::{is_stream, with_service_pack},
    release::is_version,
};
use crate::{Ecosystem, Release};

/// Why an OSV ecosystem is not one that panels can be judged by.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EcosystemError {
    /// One whose versions have no order here.
    #[error("unknown version order for ecosystem {0:?}")]
    Order(String),
    /// A distribution without the release.
    #[error("no release given in {0:?}")]
    Release(String),
    /// A stream of a release with corrections of its own that has no name here.
    #[error("{0:?} has packages of its own, and nothing installed says that it follows them")]
    Stream(String),
}

/// The ecosystem of this name, if its versions have an order that is known here and its name says all that a
/// component's name has to.
///
/// `Ubuntu:Pro:20.04:LTS` is Ubuntu 20.04: what Canonical corrects there for subscribers alone is a flaw of
/// everybody's machine, and the corrected version is higher than all before it.
///
/// # Errors
///
/// [`EcosystemError`], with the name.
pub fn ecosystem_of_osv(name: &str) -> Result<Ecosystem, EcosystemError> {
    let (family, suffix) = match name.split_once(':') {
        Some((family, suffix)) => (family, Some(suffix)),
        None => (name, None),
    };
    let none = || EcosystemError::Release(name.to_owned());
    let release = |id: &str, version: Option<&str>| {
        let version = version.ok_or_else(none)?;
        match Release::of_code_name(version) {
            Some(release) if release.id == id => Ok(release),
            _ if is_version(version) => Ok(Release::canonical(id, version)),
            _ => Err(none()),
        }
    };
    match (family, suffix) {
        ("crates.io", None) => Ok(Ecosystem::Cargo),
        ("npm", None) => Ok(Ecosystem::Npm),
        ("Maven", None) => Ok(Ecosystem::Maven),
        ("Go", None) => Ok(Ecosystem::Go),
        ("Packagist", None) => Ok(Ecosystem::Composer),
        ("PyPI", None) => Ok(Ecosystem::Pypi),
        ("NuGet", None) => Ok(Ecosystem::Nuget),
        ("RubyGems", None) => Ok(Ecosystem::Gem),
        ("Alpine", version) => {
            let version = version.map(|version| version.strip_prefix('v').unwrap_or(version));
            release("alpine", version).map(Ecosystem::Apk)
        }
        ("Wolfi" | "Chainguard", None) => Ok(Ecosystem::Apk(Release::canonical(family, ""))),
        ("Debian", version) => release("debian", version).map(Ecosystem::Deb),
        ("Ubuntu", Some(suffix)) => {
            let standard = suffix.strip_prefix("Pro:").unwrap_or(suffix);
            let standard = standard.strip_suffix(":LTS").unwrap_or(standard);
            if standard.contains(':') {
                return Err(EcosystemError::Stream(name.to_owned()));
            }
            release("ubuntu", Some(standard)).map(Ecosystem::Deb)
        }
        ("Ubuntu", None) => Err(none()),
        ("AlmaLinux", version) => release("almalinux", version).map(Ecosystem::Rpm),
        ("Rocky Linux", version) => release("rocky", version).map(Ecosystem::Rpm),
        ("Mageia", version) => release("mageia", version).map(Ecosystem::Rpm),
        // A part of a CPE: enterprise_linux:9::appstream.
        ("Red Hat", Some(product)) => match product.split_once(':') {
            Some(("enterprise_linux", rest)) => {
                release("rhel", rest.split(':').next()).map(Ecosystem::Rpm)
            }
            // Streams with corrections of their own, as extended updates: no host of the release itself is of one.
            Some((stream, rest)) if is_stream(stream) => {
                release(stream, rest.split(':').next()).map(Ecosystem::Rpm)
            }
            _ => Err(none()),
        },
        ("openSUSE", Some("Tumbleweed")) => Ok(Ecosystem::Rpm(Release::canonical(
            "opensuse-tumbleweed",
            "",
        ))),
        ("openSUSE", Some(product)) => {
            release("opensuse-leap", product.strip_prefix("Leap ")).map(Ecosystem::Rpm)
        }
        ("SUSE", Some(product)) => {
            let version = server_version(product).ok_or_else(none)?;
            release("sles", Some(&version)).map(Ecosystem::Rpm)
        }
        _ => Err(EcosystemError::Order(name.to_owned())),
    }
}

/// The version of SUSE's server that a product is of: `Linux Enterprise Server 15 SP5`,
/// `Linux Enterprise Module for Basesystem 15 SP5`, `Linux Enterprise Server 12 SP5-LTSS`.
fn server_version(product: &str) -> Option<String> {
    let product = product.strip_prefix("Linux Enterprise ")?;
    if !product.starts_with("Server") && !product.starts_with("Module ") {
        return None;
    }
    let product = product.strip_suffix("-LTSS").unwrap_or(product);
    let (rest, last) = product.rsplit_once(' ')?;
    let pack = last.to_lowercase();
    if pack.starts_with("sp") {
        let version = rest.rsplit(' ').next()?;
        return Some(with_service_pack("sles", version, &pack));
    }
    Some(last.to_owned())
}

/// OSV's name of an ecosystem; none for a release of a system that OSV has no name for.
pub fn osv_name(ecosystem: &Ecosystem) -> Option<String> {
    Some(match ecosystem {
        Ecosystem::Cargo => "crates.io".to_owned(),
        Ecosystem::Npm => "npm".to_owned(),
        Ecosystem::Maven => "Maven".to_owned(),
        Ecosystem::Go => "Go".to_owned(),
        Ecosystem::Composer => "Packagist".to_owned(),
        Ecosystem::Pypi => "PyPI".to_owned(),
        Ecosystem::Nuget => "NuGet".to_owned(),
        Ecosystem::Gem => "RubyGems".to_owned(),
        Ecosystem::Apk(release) => match release.id.as_str() {
            "alpine" => format!("Alpine:v{}", release.version),
            "wolfi" => "Wolfi".to_owned(),
            "chainguard" => "Chainguard".to_owned(),
            _ => return None,
        },
        Ecosystem::Deb(release) => match release.id.as_str() {
            "debian" => format!("Debian:{}", release.version),
            "ubuntu" if is_long_term(&release.version) => format!("Ubuntu:{}:LTS", release.version),
            "ubuntu" => format!("Ubuntu:{}", release.version),
            _ => return None,
        },
        Ecosystem::Rpm(release) => match release.id.as_str() {
            "almalinux" => format!("AlmaLinux:{}", release.version),
            "rocky" => format!("Rocky Linux:{}", release.version),
            "mageia" => format!("Mageia:{}", release.version),
            "rhel" => format!("Red Hat:enterprise_linux:{}", release.version),
            stream if is_stream(stream) => format!("Red Hat:{stream}:{}", release.version),
            "opensuse-leap" => format!("openSUSE:Leap {}", release.version),
            "opensuse-tumbleweed" => "openSUSE:Tumbleweed".to_owned(),
            "sles" => match release.version.split_once('.') {
                Some((major, pack)) => format!("SUSE:Linux Enterprise Server {major} SP{pack}"),
                None => format!("SUSE:Linux Enterprise Server {}", release.version),
            },
            _ => return None,
        },
    })
}

/// Ubuntu supports the April releases of even years for long.
fn is_long_term(version: &str) -> bool {
    version.split_once('.').is_some_and(|(year, month)| {
        month == "04" && year.parse::<u32>().is_ok_and(|year| year % 2 == 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_osv_become_names_of_components_and_back() {
        for (osv, package, component) in [
            ("crates.io", "time", "cargo:time"),
            ("npm", "@babel/core", "npm:@babel/core"),
            ("Maven", "org.x:y", "maven:org.x:y"),
            ("Go", "github.com/x/y", "golang:github.com/x/y"),
            ("Packagist", "a/b", "composer:a/b"),
            ("PyPI", "Ruamel.Yaml", "pypi:ruamel-yaml"),
            ("NuGet", "Newtonsoft.Json", "nuget:newtonsoft.json"),
            ("RubyGems", "rails", "gem:rails"),
            ("Alpine:v3.18", "curl", "apk:alpine-3.18:curl"),
            ("Wolfi", "curl", "apk:wolfi-rolling:curl"),
            ("Chainguard", "curl", "apk:chainguard-rolling:curl"),
            ("Debian:12", "curl", "deb:debian-12:curl"),
            ("Ubuntu:22.04:LTS", "curl", "deb:ubuntu-22.04:curl"),
            ("Ubuntu:23.10", "curl", "deb:ubuntu-23.10:curl"),
            ("AlmaLinux:9", "curl", "rpm:almalinux-9:curl"),
            ("Rocky Linux:8", "curl", "rpm:rocky-8:curl"),
            ("Mageia:9", "curl", "rpm:mageia-9:curl"),
            ("Red Hat:enterprise_linux:9", "curl", "rpm:rhel-9:curl"),
            ("openSUSE:Leap 15.5", "curl", "rpm:opensuse-leap-15.5:curl"),
            (
                "openSUSE:Tumbleweed",
                "curl",
                "rpm:opensuse-tumbleweed-rolling:curl",
            ),
            (
                "SUSE:Linux Enterprise Server 15 SP5",
                "curl",
                "rpm:sles-15.5:curl",
            ),
        ] {
            let ecosystem = ecosystem_of_osv(osv).unwrap();
            assert_eq!(ecosystem.component(package).unwrap().as_str(), component);
            assert_eq!(osv_name(&ecosystem).as_deref(), Some(osv));
        }
    }

    #[test]
    fn a_release_is_the_same_in_its_point_releases_repositories_and_subscriptions() {
        for (one, other) in [
            (
                "Red Hat:enterprise_linux:9::appstream",
                "Red Hat:enterprise_linux:9",
            ),
            ("Red Hat:enterprise_linux:9.4", "Red Hat:enterprise_linux:9"),
            ("Debian:12.5", "Debian:12"),
            ("Debian:bookworm", "Debian:12"),
            ("Ubuntu:Pro:20.04:LTS", "Ubuntu:20.04:LTS"),
            ("Ubuntu:Pro:16.04:LTS", "Ubuntu:16.04:LTS"),
            (
                "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
                "SUSE:Linux Enterprise Server 15 SP5",
            ),
            (
                "SUSE:Linux Enterprise Server 15 SP5-LTSS",
                "SUSE:Linux Enterprise Server 15 SP5",
            ),
        ] {
            assert_eq!(ecosystem_of_osv(one), ecosystem_of_osv(other), "{one}");
            assert!(ecosystem_of_osv(one).is_ok(), "{one}");
        }
    }

    #[test]
    fn an_ecosystem_without_an_order_or_a_release_is_named_in_the_refusal() {
        for osv in [
            "Hex",
            "Packagist:https://packages.drupal.org/8",
            "Alpine",
            "Alpine:edge",
            "Debian",
            "Debian:jammy",
            "Ubuntu",
            "Red Hat:openshift:4.1",
            "Maven:https://repo.example.com",
            "SUSE:Linux Enterprise Desktop 15 SP5",
            "Crates.io",
            "",
        ] {
            let error = ecosystem_of_osv(osv).unwrap_err();
            assert!(error.to_string().contains(osv), "{osv}");
        }
    }

    #[test]
    fn a_stream_of_red_hats_is_a_release_of_its_own() {
        for (osv, component) in [
            ("Red Hat:rhel_eus:9.2::baseos", "rpm:rhel_eus-9.2:curl"),
            ("Red Hat:rhel_e4s:8.6::appstream", "rpm:rhel_e4s-8.6:curl"),
            ("Red Hat:rhel_aus:8.2", "rpm:rhel_aus-8.2:curl"),
        ] {
            let ecosystem = ecosystem_of_osv(osv).unwrap();
            let named = ecosystem.component("curl").unwrap();
            assert_eq!(named.as_str(), component);
            let plain = osv_name(&ecosystem).unwrap();
            assert_eq!(ecosystem_of_osv(&plain), Ok(ecosystem));
        }
        assert!(ecosystem_of_osv("Red Hat:rhel_eus").is_err());
    }

    #[test]
    fn a_stream_that_nothing_installed_names_is_refused_as_such() {
        for osv in [
            "Ubuntu:Pro:FIPS:20.04:LTS",
            "Ubuntu:Pro:FIPS-updates:22.04:LTS",
            "Ubuntu:Pro:Realtime:22.04:LTS",
        ] {
            let stream = Err(EcosystemError::Stream(osv.to_owned()));
            assert_eq!(ecosystem_of_osv(osv), stream);
        }
    }
}
