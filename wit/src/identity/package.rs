//! Which package of which ecosystem a package URL names.
//!
//! Importers and scanners ask here, so that one URL has one name, whoever reads it.

use super::{
    deb_source::{DebBinary, DebSource},
    purl::Purl,
    rpm::Module,
    system::System,
};
use crate::{Ecosystem, Release, ecosystem::pypi_name};

/// What the list or document around a package URL says of the package.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings<'a> {
    /// The release that it is of, where the URL names none.
    pub release: Option<&'a Release>,
    /// Its version, where the URL has none.
    pub version: Option<&'a str>,
    /// The source package of a Debian package, where the URL names none.
    pub source: Option<&'a str>,
    /// The version of that.
    pub source_version: Option<&'a str>,
}

/// A package that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Whose it is.
    pub ecosystem: Ecosystem,
    /// What it is called there.
    pub name: String,
    /// Its version, with the epoch of the distributions' before it.
    pub version: Option<String>,
    /// Whether a binary package of Debian's was named by its own name, because nothing says which source it is
    /// from. That is so where both have one name, and in lists that leave the source out altogether.
    pub source_is_assumed: bool,
}

/// Why a URL names nothing that advisories are about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// Of a type whose versions have no order here.
    #[error("unknown version order for package type {0:?}")]
    Type(String),
    /// A package of a distribution, and no release of it.
    #[error("no distribution release given for {0:?}")]
    Release(String),
    /// Maven's artifacts are known by group and name.
    #[error("no group given for {0:?}")]
    Group(String),
    /// RPM packages are known by the binary package.
    #[error("{0:?} is a source package; RPM packages are identified by binary package")]
    SourceRpm(String),
    /// A package of a module, and no stream of it.
    #[error("{0:?} is built for a module, and no module stream is given")]
    Module(String),
}

impl Package {
    /// The package that a URL names.
    ///
    /// # Errors
    ///
    /// [`PackageError`] where it leaves out what the name needs, or is of a type that has none here.
    pub fn of(purl: &Purl, around: Surroundings<'_>) -> Result<Self, PackageError> {
        let name = purl.name();
        let (ecosystem, name) = match (purl.kind(), purl.namespace()) {
            ("cargo", _) => (Ecosystem::Cargo, name.to_owned()),
            ("npm", None) => (Ecosystem::Npm, name.to_owned()),
            ("npm", Some(scope)) => (Ecosystem::Npm, format!("{scope}/{name}")),
            ("golang", None) => (Ecosystem::Go, name.to_owned()),
            ("golang", Some(path)) => (Ecosystem::Go, format!("{path}/{name}")),
            ("maven", None) => return Err(PackageError::Group(name.to_owned())),
            ("maven", Some(group)) => {
                let group = group.replace('/', ".");
                (Ecosystem::Maven, format!("{group}:{name}"))
            }
            ("composer", None) => (Ecosystem::Composer, name.to_owned()),
            ("composer", Some(vendor)) => (Ecosystem::Composer, format!("{vendor}/{name}")),
            ("pypi", _) => (Ecosystem::Pypi, pypi_name(name)),
            ("nuget", _) => (Ecosystem::Nuget, name.to_lowercase()),
            ("gem", _) => (Ecosystem::Gem, name.to_owned()),
            ("apk", _) => return apk(purl, around),
            ("deb", _) => return deb(purl, around),
            ("rpm", _) => {
                if matches!(purl.qualifier("arch"), Some("src" | "nosrc")) {
                    return Err(PackageError::SourceRpm(name.to_owned()));
                }
                (Ecosystem::Rpm(release(purl, around)?), rpm(purl, around)?)
            }
            (kind, _) => return Err(PackageError::Type(kind.to_owned())),
        };
        let version = with_epoch(purl, around);
        let version = match ecosystem {
            // The toolchain calls its releases go1.21.0.
            Ecosystem::Go => version.map(|version| {
                let plain = version.strip_prefix("go").map(str::to_owned);
                plain.unwrap_or(version)
            }),
            _ => version,
        };
        Ok(Self {
            ecosystem,
            name,
            version,
            source_is_assumed: false,
        })
    }

    /// The URL of a package, or of one version of it; none where it has no name that fits one.
    pub fn purl(ecosystem: &Ecosystem, package: &str, version: Option<&str>) -> Option<Purl> {
        let (kind, namespace, name) = match ecosystem {
            Ecosystem::Cargo => ("cargo", None, package),
            Ecosystem::Npm => match package.split_once('/') {
                Some((scope, name)) => ("npm", Some(scope), name),
                None => ("npm", None, package),
            },
            Ecosystem::Maven => {
                let (group, name) = package.split_once(':')?;
                ("maven", Some(group), name)
            }
            Ecosystem::Go => match package.rsplit_once('/') {
                Some((path, name)) => ("golang", Some(path), name),
                None => ("golang", None, package),
            },
            Ecosystem::Composer => match package.split_once('/') {
                Some((vendor, name)) => ("composer", Some(vendor), name),
                None => ("composer", None, package),
            },
            Ecosystem::Pypi => ("pypi", None, package),
            Ecosystem::Nuget => ("nuget", None, package),
            Ecosystem::Gem => ("gem", None, package),
            Ecosystem::Apk(release) => ("apk", Some(release.id.as_str()), package),
            Ecosystem::Deb(release) => ("deb", Some(release.id.as_str()), package),
            Ecosystem::Rpm(release) => {
                let (_, name) = Module::split(package);
                ("rpm", Some(release.id.as_str()), name)
            }
        };
        let mut qualifiers = Vec::new();
        if let Ecosystem::Deb(release) | Ecosystem::Rpm(release) | Ecosystem::Apk(release) =
            ecosystem
        {
            let distribution = format!("{}-{}", release.id, release.version);
            qualifiers.push(("distro".to_owned(), distribution));
        }
        if let (Ecosystem::Rpm(_), (Some(module), _)) = (ecosystem, Module::split(package)) {
            qualifiers.push(("rpmmod".to_owned(), module.to_owned()));
        }
        if matches!(ecosystem, Ecosystem::Deb(_) | Ecosystem::Apk(_)) {
            qualifiers.push(("arch".to_owned(), "source".to_owned()));
        }
        Purl::new(kind, namespace, name, version, qualifiers, None).ok()
    }
}

fn deb(purl: &Purl, around: Surroundings<'_>) -> Result<Package, PackageError> {
    let system = System::of_release(release(purl, around)?);
    let own = with_epoch(purl, around);
    let upstream = purl.qualifier("upstream").filter(|text| !text.is_empty());
    let is_source = matches!(purl.qualifier("arch"), Some("source" | "src"));
    let found = if is_source {
        DebSource {
            name: purl.name().to_owned(),
            version: own,
        }
    } else {
        let binary = DebBinary {
            name: purl.name(),
            version: own.as_deref(),
            source: around.source,
            source_version: around.source_version,
            built_using: None,
        };
        match upstream {
            Some(upstream) => binary.from_source(upstream).source(),
            None => binary.source(),
        }
    };
    let version = found.version.as_deref().unwrap_or("");
    let release = system.release_of(&found.name, version).clone();
    Ok(Package {
        ecosystem: Ecosystem::Deb(release),
        source_is_assumed: !is_source && upstream.is_none() && around.source.is_none(),
        name: found.name,
        version: found.version,
    })
}

/// An Alpine package by its source package, which has the same version.
fn apk(purl: &Purl, around: Surroundings<'_>) -> Result<Package, PackageError> {
    let release = match (purl.qualifier("distro"), purl.namespace()) {
        (None, Some(rolling @ ("wolfi" | "chainguard"))) => Release::canonical(rolling, ""),
        _ => release(purl, around)?,
    };
    let is_source = matches!(purl.qualifier("arch"), Some("source" | "src"));
    let upstream = purl.qualifier("upstream").filter(|text| !text.is_empty());
    let source = upstream.or(around.source).filter(|_| !is_source);
    Ok(Package {
        ecosystem: Ecosystem::Apk(release),
        // As in deb, a version may stand behind it.
        name: source
            .and_then(|source| source.split('@').next())
            .unwrap_or(purl.name())
            .to_owned(),
        version: with_epoch(purl, around),
        source_is_assumed: !is_source && source.is_none(),
    })
}

/// An RPM package by the stream of its module, which Red Hat's and Syft's URLs have in `rpmmod` and Trivy's in
/// `modularitylabel`.
fn rpm(purl: &Purl, around: Surroundings<'_>) -> Result<String, PackageError> {
    let name = purl.name().to_owned();
    let label = purl.qualifier("rpmmod");
    let label = label.or_else(|| purl.qualifier("modularitylabel"));
    let version = purl.version().or(around.version).unwrap_or("");
    match label.and_then(Module::of_label) {
        Some(module) => Ok(module.package(&name)),
        None if label.is_some() || Module::has_built(version) => Err(PackageError::Module(name)),
        None => Ok(name),
    }
}

fn release(purl: &Purl, around: Surroundings<'_>) -> Result<Release, PackageError> {
    let named = match purl.qualifier("distro") {
        Some(text) => Release::of_qualifier(purl.namespace(), text),
        None => around
            .release
            .filter(|release| may_be_of(purl, release))
            .cloned(),
    };
    named.ok_or_else(|| PackageError::Release(purl.name().to_owned()))
}

/// Whether the namespace of a URL does not name another distribution.
fn may_be_of(purl: &Purl, release: &Release) -> bool {
    let Some(namespace) = purl.namespace() else {
        return true;
    };
    let is_suse = |id: &str| id == "sles" || id.starts_with("opensuse-");
    match namespace {
        "suse" | "opensuse" => is_suse(&release.id),
        _ => Release::canonical(namespace, "").id == release.id,
    }
}

/// The version, with the epoch that URLs of distributions have in a qualifier.
fn with_epoch(purl: &Purl, around: Surroundings<'_>) -> Option<String> {
    let version = purl.version().or(around.version)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_one = version
        .split_once(':')
        .is_some_and(|(epoch, _)| is_number(epoch));
    match purl.qualifier("epoch").filter(|epoch| is_number(epoch)) {
        Some(epoch) if !has_one && matches!(purl.kind(), "deb" | "rpm") => {
            Some(format!("{epoch}:{version}"))
        }
        _ => Some(version.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(
        url: &str,
        around: Surroundings<'_>,
    ) -> Result<(String, Option<String>), PackageError> {
        let package = Package::of(&url.parse().unwrap(), around)?;
        let name = package.ecosystem.component(&package.name).unwrap();
        Ok((name.to_string(), package.version))
    }

    fn named(url: &str) -> (String, String) {
        let (name, version) = package(url, Surroundings::default()).unwrap();
        (name, version.unwrap_or_default())
    }

    #[test]
    fn a_package_url_becomes_the_name_that_advisories_use() {
        for (url, name, version) in [
            ("pkg:npm/%40babel/core@7.1.0", "npm:@babel/core", "7.1.0"),
            ("pkg:npm/@babel/core@7.1.0", "npm:@babel/core", "7.1.0"),
            ("pkg:cargo/time@0.3.36", "cargo:time", "0.3.36"),
            (
                "pkg:golang/github.com/X/y@v1.0.0",
                "golang:github.com/x/y",
                "v1.0.0",
            ),
            ("pkg:golang/stdlib@go1.21.0", "golang:stdlib", "1.21.0"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
                "maven:org.apache.logging.log4j:log4j-core",
                "2.14.1",
            ),
            (
                "pkg:deb/debian/libcurl4@7.88.1-10%2Bb1?arch=amd64&distro=debian-12&upstream=curl%407.88.1-10",
                "deb:debian-12:curl",
                "7.88.1-10",
            ),
            (
                "pkg:deb/debian/sudo@1.9.13p3-1?arch=amd64&distro=debian-12",
                "deb:debian-12:sudo",
                "1.9.13p3-1",
            ),
            (
                "pkg:deb/debian/curl@7.74.0-1.3?arch=source&distro=bullseye",
                "deb:debian-11:curl",
                "7.74.0-1.3",
            ),
            (
                "pkg:deb/debian/attr@2.4.48-6?arch=amd64&distro=debian-11.1&epoch=1",
                "deb:debian-11:attr",
                "1:2.4.48-6",
            ),
            (
                "pkg:rpm/almalinux/curl@7.76.1-26.el9?epoch=1&distro=almalinux-9",
                "rpm:almalinux-9:curl",
                "1:7.76.1-26.el9",
            ),
            (
                "pkg:rpm/redhat/ncurses-base@6.2-8.el9?arch=noarch&distro=redhat-9.4",
                "rpm:rhel-9:ncurses-base",
                "6.2-8.el9",
            ),
            (
                "pkg:rpm/redhat/dbus@1:1.12.8-18.el8?epoch=1&distro=rhel-8.6",
                "rpm:rhel-8:dbus",
                "1:1.12.8-18.el8",
            ),
            (
                "pkg:rpm/redhat/npm@10.2.4-1.18.19.1.1.module%2Bel8.9.0?arch=x86_64&epoch=1&distro=rhel-8&rpmmod=nodejs:18:8090020240301110609:a75119d5",
                "rpm:rhel-8:nodejs:18:npm",
                "1:10.2.4-1.18.19.1.1.module+el8.9.0",
            ),
            (
                "pkg:apk/alpine/libcrypto3@3.1.0-r4?arch=x86_64&upstream=openssl&distro=alpine-3.18.0",
                "apk:alpine-3.18:openssl",
                "3.1.0-r4",
            ),
            (
                "pkg:apk/wolfi/curl@8.1.2-r0",
                "apk:wolfi-rolling:curl",
                "8.1.2-r0",
            ),
            (
                "pkg:composer/Monolog/monolog@2.0.0",
                "composer:monolog/monolog",
                "2.0.0",
            ),
            ("pkg:pypi/Ruamel.Yaml@0.17", "pypi:ruamel-yaml", "0.17"),
            (
                "pkg:nuget/Newtonsoft.Json@13.0.1",
                "nuget:newtonsoft.json",
                "13.0.1",
            ),
            ("pkg:gem/rails@7.0.4", "gem:rails", "7.0.4"),
            (
                "pkg:deb/linuxmint/libssl3@3.0.2-0ubuntu1.10?distro=linuxmint-21.2&upstream=openssl",
                "deb:ubuntu-22.04:openssl",
                "3.0.2-0ubuntu1.10",
            ),
        ] {
            assert_eq!(named(url), (name.to_owned(), version.to_owned()), "{url}");
        }
    }

    #[test]
    fn what_a_url_leaves_out_is_taken_from_around_it_and_never_guessed() {
        let release = Release::canonical("debian", "12.5");
        let around = Surroundings {
            release: Some(&release),
            version: Some("3.0.11-1"),
            source: Some("openssl"),
            source_version: None,
        };
        let named = package("pkg:deb/debian/libssl3", around).unwrap();
        let version = Some("3.0.11-1".to_owned());
        assert_eq!(named, ("deb:debian-12:openssl".to_owned(), version));
        for url in [
            "pkg:deb/debian/curl@1?arch=source",
            "pkg:rpm/almalinux/curl@1",
        ] {
            let alone = package(url, Surroundings::default());
            assert!(matches!(alone, Err(PackageError::Release(_))), "{url}");
        }
        let other = package("pkg:deb/ubuntu/curl@1?arch=source", around);
        assert!(matches!(other, Err(PackageError::Release(_))));
        // A release that is named and not known is not replaced by another.
        let named = package("pkg:deb/debian/curl@1?distro=sid", around);
        assert!(matches!(named, Err(PackageError::Release(_))));
    }

    #[test]
    fn a_source_package_is_known_to_be_one() {
        let is_assumed = |arch: &str| {
            let url = format!("pkg:deb/debian/curl@1?arch={arch}&distro=debian-12");
            Package::of(&url.parse().unwrap(), Surroundings::default())
                .unwrap()
                .source_is_assumed
        };
        assert!(!is_assumed("source") && !is_assumed("src") && is_assumed("amd64"));
    }

    #[test]
    fn what_no_advisory_names_is_refused_by_reason() {
        for (url, error) in [
            ("pkg:hex/phoenix@1.7", PackageError::Type("hex".to_owned())),
            ("pkg:maven/log4j@1", PackageError::Group("log4j".to_owned())),
            (
                "pkg:rpm/redhat/curl@7?arch=src&distro=rhel-9",
                PackageError::SourceRpm("curl".to_owned()),
            ),
            (
                "pkg:rpm/redhat/npm@10-1.module%2Bel8?distro=rhel-8",
                PackageError::Module("npm".to_owned()),
            ),
        ] {
            assert_eq!(package(url, Surroundings::default()), Err(error));
        }
    }
}
