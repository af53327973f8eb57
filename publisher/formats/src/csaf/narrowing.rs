//! What a product is of its component where it is less than the component: a build for one architecture, a package of
//! another registry, a patch level, a part of an appliance.
//!
//! Panels know components and versions alone, so this is the one rule for all else that a product can be narrowed by:
//! what is said of a part may make the component affected, and never not affected. What is not listed here as harmless
//! narrows, whatever a later specification calls it.

use spacecp_contract::identity::Purl;

use crate::{mapping::Cpe, naming::shown};

/// How a product is less than its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Narrowing {
    /// In words, as `arch=x86_64`.
    pub(super) what: String,
    /// Whether it is a build of the component's own source: what is corrected in one build is so in the others of that
    /// version.
    pub(super) is_build: bool,
}

impl Narrowing {
    fn part(what: String) -> Self {
        Self {
            what,
            is_build: false,
        }
    }

    fn build(what: String) -> Self {
        Self {
            what,
            is_build: true,
        }
    }

    /// A product within another that is no release of the component's distribution.
    pub(super) fn within(product: &str) -> Self {
        Self::part(format!("as a component of {:?}", shown(product)))
    }

    /// What narrows a product by its place in the tree, if its branch does.
    pub(super) fn of_branch(category: &str, name: &str) -> Option<Self> {
        let what = || format!("{} {:?}", shown(category), shown(name));
        match category {
            "vendor"
            | "product_family"
            | "product_name"
            | "product_version"
            | "product_version_range" => None,
            "architecture" if is_every_architecture(name) => None,
            "architecture" => Some(Self::build(what())),
            _ => Some(Self::part(what())),
        }
    }

    /// What narrows the component that a package URL names; `source` is its name, which for Debian is that of the source
    /// package.
    pub(super) fn of_purl(purl: &Purl, source: &str) -> Option<Self> {
        if let Some(path) = purl.subpath() {
            return Some(Self::part(format!("path {:?}", shown(path))));
        }
        let narrows = |(key, value): &(&String, &String)| !is_harmless(purl.kind(), key, value);
        let mut narrowing: Vec<_> = purl.qualifiers().iter().filter(narrows).collect();
        // A part says more than a build.
        narrowing.sort_by_key(|(key, _)| *key == "arch");
        if let Some((key, value)) = narrowing.first() {
            let what = shown(&format!("{key}={value}"));
            return Some(if *key == "arch" {
                Self::build(what)
            } else {
                Self::part(what)
            });
        }
        let is_binary = matches!(purl.kind(), "apk" | "deb") && purl.name() != source;
        is_binary.then(|| Self::build(format!("binary package {:?}", shown(purl.name()))))
    }

    /// What narrows the product that a CPE names, for a component of this name.
    pub(super) fn of_cpe(cpe: &Cpe, component: &str) -> Option<Self> {
        let kind = component.split(':').next().unwrap_or("");
        let narrows = |part: &&str| !names_ecosystem(kind, part);
        let found = cpe.behind_the_update().into_iter().find(narrows);
        found.map(|part| Self::part(format!("CPE attribute {:?}", shown(part))))
    }
}

fn is_every_architecture(name: &str) -> bool {
    let name = name.trim().to_ascii_lowercase();
    matches!(name.as_str(), "noarch" | "all" | "any" | "source" | "src")
}

/// Whether a qualifier names the component itself, or says what is so of all of it.
fn is_harmless(kind: &str, key: &str, value: &str) -> bool {
    match (kind, key) {
        ("deb" | "rpm", "distro" | "epoch" | "upstream") => true,
        ("deb" | "rpm", "arch") => is_every_architecture(value),
        // The stream of a module is part of the component's name.
        ("rpm", "rpmmod" | "modularitylabel") => true,
        ("apk", "distro" | "upstream") => true,
        ("apk", "arch") => is_every_architecture(value),
        ("maven", "type") => value == "jar",
        (_, "repository_url") => is_default_registry(kind, value),
        _ => false,
    }
}

/// The registries that a package is of where its URL names none, as the definitions of the types have them.
fn is_default_registry(kind: &str, url: &str) -> bool {
    let url = url.trim().trim_end_matches('/').to_ascii_lowercase();
    let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    matches!(
        (kind, host),
        ("cargo", "crates.io" | "index.crates.io")
            | ("npm", "registry.npmjs.org")
            | (
                "maven",
                "repo.maven.apache.org/maven2" | "repo1.maven.org/maven2"
            )
            | (
                "pypi",
                "pypi.org" | "pypi.org/simple" | "pypi.python.org" | "pypi.python.org/simple"
            )
            | ("gem", "rubygems.org")
            | (
                "nuget",
                "nuget.org" | "www.nuget.org" | "api.nuget.org/v3/index.json"
            )
            | ("composer", "packagist.org" | "repo.packagist.org")
            | ("golang", "proxy.golang.org" | "pkg.go.dev")
    )
}

/// Whether the target software of a CPE is what the packages of an ecosystem are for.
fn names_ecosystem(kind: &str, part: &str) -> bool {
    matches!(
        (kind, part.to_ascii_lowercase().as_str()),
        ("npm", "node.js" | "nodejs")
            | ("cargo", "rust")
            | ("go" | "golang", "go")
            | ("maven", "maven" | "java")
            | ("pypi", "python" | "pypi")
            | ("gem", "ruby" | "rubygems" | "gem")
            | ("composer", "php" | "packagist" | "composer")
            | ("nuget", ".net" | "nuget")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_purl(text: &str) -> Option<(String, bool)> {
        let purl: Purl = text.parse().unwrap();
        let source = purl.qualifier("upstream").unwrap_or(purl.name());
        let found = Narrowing::of_purl(&purl, source)?;
        Some((found.what, found.is_build))
    }

    #[test]
    fn a_package_url_that_names_the_component_alone_narrows_nothing() {
        for url in [
            "pkg:npm/a@1",
            "pkg:npm/a?repository_url=https://registry.npmjs.org/",
            "pkg:maven/g/a@1?type=jar",
            "pkg:maven/g/a?repository_url=https://repo.maven.apache.org/maven2",
            "pkg:rpm/redhat/a@1?arch=noarch&epoch=1&distro=rhel-9",
            "pkg:deb/debian/a@1?arch=source&distro=debian-12",
            "pkg:deb/debian/a@1?distro=debian-12",
            "pkg:rpm/redhat/a@1?rpmmod=a:1:2:3&distro=rhel-8",
            "pkg:apk/alpine/a@1?distro=3.20",
            "pkg:pypi/a?repository_url=https://pypi.org/simple/",
            "pkg:gem/a?repository_url=https://rubygems.org",
            "pkg:composer/a/b?repository_url=https://packagist.org",
            "pkg:golang/example.com/a?repository_url=https://proxy.golang.org",
        ] {
            assert_eq!(of_purl(url), None, "{url}");
        }
    }

    #[test]
    fn every_other_qualifier_and_a_path_narrow() {
        for (url, what, is_build) in [
            (
                "pkg:npm/a?repository_url=https://npm.example.com",
                "repository_url=https://npm.example.com",
                false,
            ),
            ("pkg:npm/a#dist", "path \"dist\"", false),
            ("pkg:npm/a?checksum=sha256:00", "checksum=sha256:00", false),
            ("pkg:npm/a?of_later=x", "of_later=x", false),
            ("pkg:npm/a?distro=debian-12", "distro=debian-12", false),
            ("pkg:maven/g/a?type=pom", "type=pom", false),
            (
                "pkg:maven/g/a?classifier=sources",
                "classifier=sources",
                false,
            ),
            (
                "pkg:rpm/redhat/a?arch=x86_64&distro=rhel-9",
                "arch=x86_64",
                true,
            ),
            (
                "pkg:rpm/redhat/a?arch=x86_64&rpmmod=a:1&distro=rhel-9",
                "arch=x86_64",
                true,
            ),
            ("pkg:apk/alpine/a?arch=x86_64", "arch=x86_64", true),
            (
                "pkg:pypi/a?repository_url=https://pypi.example.com",
                "repository_url=https://pypi.example.com",
                false,
            ),
            (
                "pkg:deb/debian/liba1?upstream=a&distro=debian-12",
                "binary package \"liba1\"",
                true,
            ),
        ] {
            assert_eq!(of_purl(url), Some((what.to_owned(), is_build)), "{url}");
        }
    }

    #[test]
    fn a_branch_that_is_neither_product_nor_version_narrows() {
        for category in [
            "patch_level",
            "service_pack",
            "host_name",
            "language",
            "legacy",
            "platform",
        ] {
            assert!(Narrowing::of_branch(category, "x").is_some(), "{category}");
        }
        for category in [
            "vendor",
            "product_family",
            "product_name",
            "product_version",
        ] {
            assert_eq!(Narrowing::of_branch(category, "x"), None, "{category}");
        }
        assert_eq!(Narrowing::of_branch("architecture", "noarch"), None);
    }

    #[test]
    fn an_attribute_of_a_cpe_behind_its_update_narrows_but_for_the_name_of_the_ecosystem() {
        let narrows = |text: &str| Narrowing::of_cpe(&Cpe::read(text).unwrap(), "npm:ws").is_some();
        assert!(!narrows(
            "cpe:2.3:a:ws_project:ws:8.0.0:*:*:*:*:node.js:*:*"
        ));
        assert!(!narrows("cpe:2.3:a:ws_project:ws:8.0.0:-:*:*:*:*:*:*"));
        assert!(narrows("cpe:2.3:a:ws_project:ws:8.0.0:*:*:*:*:*:arm64:*"));
        assert!(narrows("cpe:2.3:a:ws_project:ws:8.0.0:*:*:*:lts:*:*:*"));
        assert!(narrows("cpe:/a:ws_project:ws:8.0.0::enterprise"));
    }
}
