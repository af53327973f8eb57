//! What a package URL in a list is called here. The names are given in [`spacecp_contract::identity`].

use spacecp_contract::{
    Ecosystem, Release,
    identity::{Package, PackageError, Purl, Surroundings},
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
    pub(super) version: Option<String>,
    /// The distribution that it is of.
    pub(super) release: Option<Release>,
    /// Whether it is a Debian package that nothing names the source of; none of what is no Debian package.
    pub(super) source_is_assumed: Option<bool>,
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
    Ok(Listed {
        named: names::package(&package.ecosystem, &package.name),
        label: package.name,
        version: package.version,
        release,
        source_is_assumed,
    })
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
        assert_eq!(listed.version.as_deref(), Some("7.88.1-10"));
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
