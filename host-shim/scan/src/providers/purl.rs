//! What a package URL in a list is called here. The names are given in [`spacecp_contract::identity`].

use std::cmp::Ordering;

use spacecp_contract::{
    Ecosystem, Release, VersionScheme,
    identity::{Package, PackageError, Purl, RpmSource, Surroundings},
    version,
};

use crate::{
    Why,
    names::{self, Named},
};

/// A package that a URL names.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) label: String,
    pub(super) named: Named,
    /// Its version, or why it is not known.
    pub(super) version: Result<String, String>,
    /// The distribution that it is of.
    pub(super) release: Option<Release>,
    /// Whether it is a Debian package that nothing names the source of; none of what is no Debian package.
    pub(super) source_is_assumed: Option<bool>,
    /// The source of an RPM package that is called otherwise, where advisories speak of sources.
    pub(super) source: Option<(Named, RpmSource)>,
}

/// Why a URL names nothing that advisories are about.
#[derive(Debug)]
pub(super) enum Stranger {
    /// Of a type that no advisory here has names for.
    Type(String),
    /// Not a URL, or one that leaves out what the name here needs.
    Unclear(Why),
}

pub(super) fn package(text: &str, around: Surroundings<'_>) -> Result<Listed, Stranger> {
    let unclear = |reason: String| {
        let shown: String = text.chars().take(200).collect();
        Stranger::Unclear(Why::malformed(
            "a clear package URL",
            format!("{shown}: {reason}"),
        ))
    };
    let purl: Purl = text
        .parse()
        .map_err(|error: spacecp_contract::identity::PurlError| unclear(error.to_string()))?;
    let package = Package::of(&purl, around).map_err(|error| match error {
        PackageError::Type(kind) => Stranger::Type(kind),
        other => unclear(other.to_string()),
    })?;
    let (release, source_is_assumed) = match &package.ecosystem {
        Ecosystem::Deb(release) | Ecosystem::Apk(release) => {
            (Some(release.clone()), Some(package.source_is_assumed))
        }
        Ecosystem::Rpm(release) => (Some(release.clone()), None),
        _ => (None, None),
    };
    let source = rpm_source(&purl, &package, around);
    Ok(Listed {
        source: source.map(|source| (names::package(&package.ecosystem, &source.name), source)),
        named: names::package(&package.ecosystem, &package.name),
        label: package.name,
        version: version_of(
            &purl,
            package.version,
            around.version,
            package.ecosystem.scheme(),
        ),
        release,
        source_is_assumed,
    })
}

/// The version of a package, unless the list says another one beside its URL.
fn version_of(
    purl: &Purl,
    known: Option<String>,
    beside: Option<&str>,
    scheme: VersionScheme,
) -> Result<String, String> {
    let known = known.ok_or_else(|| "no version in the SBOM".to_owned())?;
    let (Some(url), Some(beside)) = (purl.version(), beside) else {
        return Ok(known);
    };
    let beside = beside.trim();
    let is_word = !beside.contains(|letter: char| letter.is_ascii_digit());
    if is_word || agree(purl, url, beside, scheme) {
        return Ok(known);
    }
    let short = |text: &str| text.chars().take(100).collect::<String>();
    Err(format!(
        "its package URL says {}, and the version beside it {}",
        short(url),
        short(beside)
    ))
}

/// Whether two texts are one version of a package.
fn agree(purl: &Purl, url: &str, beside: &str, scheme: VersionScheme) -> bool {
    let is_of_system = matches!(purl.kind(), "deb" | "rpm");
    let parts = |text: &str| -> (Option<String>, String) {
        let epoch = text.split_once(':').filter(|(epoch, _)| {
            is_of_system && !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit())
        });
        let (epoch, plain) = match epoch {
            Some((epoch, plain)) => (Some(epoch.to_owned()), plain),
            None => (None, text),
        };
        let bare = plain.strip_prefix("go").or_else(|| plain.strip_prefix('v'));
        let bare = bare.filter(|bare| bare.starts_with(|letter: char| letter.is_ascii_digit()));
        (epoch, bare.unwrap_or(plain).to_owned())
    };
    let ((url_epoch, url), (epoch, beside)) = (parts(url), parts(beside));
    let url_epoch = url_epoch.or_else(|| purl.qualifier("epoch").map(str::to_owned));
    let same_epoch = match (&url_epoch, &epoch) {
        (Some(one), Some(other)) => one == other,
        // Either may leave it out.
        _ => true,
    };
    // Some lists give the version of a system's package without its revision.
    let is_shorter = is_of_system
        && url
            .strip_prefix(beside.as_str())
            .is_some_and(|rest| rest.starts_with('-'));
    let is_same = url == beside || version::compare(scheme, &url, &beside) == Some(Ordering::Equal);
    same_epoch && (is_same || is_shorter)
}

fn rpm_source(purl: &Purl, package: &Package, around: Surroundings<'_>) -> Option<RpmSource> {
    let Ecosystem::Rpm(release) = &package.ecosystem else {
        return None;
    };
    let upstream = purl.qualifier("upstream").filter(|text| !text.is_empty());
    let source = match (upstream, around.source) {
        (Some(upstream), _) => RpmSource::of_file(upstream, package.version.as_deref()),
        (None, Some(name)) => Some(RpmSource {
            name: name.to_owned(),
            version: around.source_version.map(str::to_owned),
        }),
        (None, None) => None,
    };
    source.filter(|source| source.name != package.name && RpmSource::is_named_for(release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_url_becomes_the_name_that_advisories_use() {
        let url =
            "pkg:deb/debian/libcurl4@7.88.1-10%2Bb1?arch=amd64&distro=debian-12&upstream=curl";
        let listed = package(url, Surroundings::default()).unwrap();
        assert_eq!(listed.named.0.unwrap().as_str(), "deb:debian-12:curl");
        assert_eq!(listed.version.as_deref(), Ok("7.88.1-10"));
    }

    #[test]
    fn a_version_beside_the_url_that_is_another_makes_it_unknown() {
        let version = |url: &str, beside: &str| {
            let around = Surroundings {
                version: Some(beside),
                ..Surroundings::default()
            };
            package(url, around).unwrap().version
        };
        for (url, beside) in [
            ("pkg:npm/a@1.0.0", "1.0.0"),
            ("pkg:npm/a@1.0.0", "v1.0.0"),
            ("pkg:npm/a@1.0.0", "UNKNOWN"),
            ("pkg:maven/g/a@1.0", "1.0.0"),
            ("pkg:golang/stdlib@1.21.0", "go1.21.0"),
            ("pkg:rpm/rocky/a@1-2?epoch=1&distro=rocky-9", "1:1-2"),
            ("pkg:rpm/rocky/a@1-2?distro=rocky-9", "1"),
        ] {
            assert!(version(url, beside).is_ok(), "{url} {beside}");
        }
        for (url, beside) in [
            ("pkg:npm/a@1.0.0", "1.0.1"),
            ("pkg:npm/a@1.0.0", "1.0"),
            ("pkg:rpm/rocky/a@1-2?epoch=1&distro=rocky-9", "2:1-2"),
            ("pkg:rpm/rocky/a@12-2?distro=rocky-9", "1"),
        ] {
            let reason = version(url, beside).unwrap_err();
            assert!(reason.contains(beside), "{url} {beside}: {reason}");
        }
    }

    #[test]
    fn the_source_of_an_rpm_package_is_listed_where_advisories_name_sources() {
        let source = |distro: &str| {
            let url = format!(
                "pkg:rpm/x/openssl-libs@3-1?epoch=1&upstream=openssl-3-1.src.rpm&distro={distro}"
            );
            let listed = package(&url, Surroundings::default()).unwrap();
            let (named, source) = listed.source?;
            Some((named.0.unwrap().to_string(), source.version))
        };
        let version = Some("1:3-1".to_owned());
        assert_eq!(
            source("rocky-9"),
            Some(("rpm:rocky-9:openssl".to_owned(), version))
        );
        assert_eq!(source("almalinux-9"), None);
    }

    #[test]
    fn what_a_url_leaves_out_is_not_guessed() {
        for url in [
            "pkg:deb/debian/curl@1?arch=source",
            "pkg:rpm/almalinux/curl@1",
            "pkg:maven/log4j@1",
            "curl",
        ] {
            let refused = package(url, Surroundings::default());
            assert!(matches!(refused, Err(Stranger::Unclear(_))), "{url}");
        }
        assert!(matches!(
            package("pkg:hex/phoenix@1.7", Surroundings::default()),
            Err(Stranger::Type(_))
        ));
    }
}
