//! What a package URL is called here (<https://github.com/package-url/purl-spec>).

use std::str::FromStr;

use packageurl::PackageUrl;
use spacecp_contract::{Ecosystem, Release};

use crate::{
    Why,
    names::{self, Named},
};

/// A package that a URL names.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) label: String,
    pub(super) named: Named,
    pub(super) version: Option<String>,
}

/// Why a URL names nothing that advisories are about.
#[derive(Debug)]
pub(super) enum Stranger {
    /// Of a type that no advisory here has names for.
    Type(String),
    /// Not a URL, or one that leaves out what the name here needs.
    Unclear(Why),
}

pub(super) fn package(text: &str) -> Result<Package, Stranger> {
    let shown: String = text.chars().take(200).collect();
    let unclear = |reason: &str| {
        Stranger::Unclear(Why::malformed(
            "a clear package URL",
            format!("{shown}: {reason}"),
        ))
    };
    let url = PackageUrl::from_str(text).map_err(|error| unclear(&error.to_string()))?;
    let (namespace, name) = (url.namespace(), url.name());
    let version = url.version().map(str::to_owned);
    let (ecosystem, package) = match url.ty() {
        "cargo" => (Ecosystem::Cargo, name.to_owned()),
        "npm" => (Ecosystem::Npm, joined(namespace, '/', name)),
        "maven" => {
            let group = namespace.ok_or_else(|| unclear("no group"))?;
            (
                Ecosystem::Maven,
                format!("{}:{name}", group.replace('/', ".")),
            )
        }
        "deb" => return deb(&url).map_err(unclear),
        "rpm" => {
            let release = release(&url).ok_or_else(|| unclear("no release given"))?;
            let epoch = url.qualifiers().get("epoch");
            let version = version.map(|version| match epoch {
                Some(epoch) => format!("{epoch}:{version}"),
                None => version,
            });
            return Ok(Package {
                label: name.to_owned(),
                named: names::package(&Ecosystem::Rpm(release), name),
                version,
            });
        }
        other => return Err(Stranger::Type(other.to_owned())),
    };
    Ok(Package {
        named: names::package(&ecosystem, &package),
        label: package,
        version,
    })
}

/// A Debian package by its source: the URL is of the source itself (`arch=source`), or says in `upstream`
/// which it is from, as `upstream=curl@7.88.1`.
fn deb(url: &PackageUrl<'_>) -> Result<Package, &'static str> {
    let release = release(url).ok_or("no release given")?;
    let qualifier = |name: &str| url.qualifiers().get(name).map(AsRef::as_ref);
    let own = url.version().map(str::to_owned);
    let (source, version) = match (qualifier("upstream"), qualifier("arch")) {
        (Some(upstream), _) => match upstream.split_once('@') {
            Some((source, version)) => (source.to_owned(), Some(version.to_owned())),
            None => (upstream.to_owned(), own),
        },
        (None, Some("source")) => (url.name().to_owned(), own),
        _ => return Err("no source package given"),
    };
    Ok(Package {
        named: names::package(&Ecosystem::Deb(release), &source),
        label: source,
        version,
    })
}

/// `distro=debian-12`.
fn release(url: &PackageUrl<'_>) -> Option<Release> {
    let (id, version) = url.qualifiers().get("distro")?.rsplit_once('-')?;
    let id = if id == "redhat" { "rhel" } else { id };
    // Advisories of these speak of what stays the same from one minor release to the next.
    let by_major = matches!(id, "almalinux" | "centos" | "debian" | "rhel" | "rocky");
    let version = match version.split_once('.') {
        Some((major, _)) if by_major => major,
        _ => version,
    };
    Some(Release {
        id: id.to_owned(),
        version: version.to_owned(),
    })
}

fn joined(namespace: Option<&str>, between: char, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}{between}{name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_becomes_the_name_that_advisories_use() {
        for (url, name, version) in [
            ("pkg:npm/%40babel/core@7.1.0", "npm:@babel/core", "7.1.0"),
            ("pkg:cargo/time@0.3.36", "cargo:time", "0.3.36"),
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
                "pkg:rpm/almalinux/curl@7.76.1-26.el9?epoch=1&distro=almalinux-9",
                "rpm:almalinux-9:curl",
                "1:7.76.1-26.el9",
            ),
            (
                "pkg:rpm/redhat/curl@7.61.1?distro=redhat-8.9",
                "rpm:rhel-8:curl",
                "7.61.1",
            ),
            (
                "pkg:deb/ubuntu/curl@7.81.0?arch=source&distro=ubuntu-22.04",
                "deb:ubuntu-22.04:curl",
                "7.81.0",
            ),
        ] {
            let package = package(url).unwrap();
            assert_eq!(package.named.0.unwrap().as_str(), name);
            assert_eq!(package.version.as_deref(), Some(version));
        }
    }

    #[test]
    fn what_a_url_leaves_out_is_not_guessed() {
        for url in [
            "pkg:deb/debian/libcurl4@7.88.1?distro=debian-12",
            "pkg:deb/debian/curl@1?arch=source",
            "pkg:rpm/almalinux/curl@1",
            "pkg:maven/log4j@1",
            "curl",
        ] {
            assert!(matches!(package(url), Err(Stranger::Unclear(_))), "{url}");
        }
        assert!(matches!(
            package("pkg:pypi/requests@2"),
            Err(Stranger::Type(_))
        ));
    }
}
