//! What the product tree says of each product: which component it is, and which versions of it.

use std::collections::HashMap;

use packageurl::PackageUrl;
use spacecp_contract::{ComponentName, Ecosystem, Release};

use super::{
    record::{Branch, Helper, Product, ProductTree},
    vers::{self, Versions},
};
use crate::{Refusal, naming::shown};

/// The products of a document by id.
#[derive(Debug)]
pub(super) struct Products<'a> {
    by_id: HashMap<&'a str, Traits<'a>>,
    groups: HashMap<&'a str, &'a [String]>,
}

/// What is said of a product where it stands in the tree.
#[derive(Debug, Clone, Copy, Default)]
struct Traits<'a> {
    purl: Option<&'a str>,
    cpe: Option<&'a str>,
    version: Option<&'a str>,
    range: Option<&'a str>,
    /// The platform's, where the product is one thing on another.
    platform: Option<&'a str>,
}

/// A product that panels can have.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) component: ComponentName,
    pub(super) ecosystem: Ecosystem,
    pub(super) extent: Extent,
}

/// Which versions of a component a product is.
#[derive(Debug)]
pub(super) enum Extent {
    /// All of them: neither version nor range is said.
    All,
    /// One.
    Version(String),
    /// Those of a range, as it is written, if it can be read.
    Range(Result<Versions, String>),
}

impl<'a> Products<'a> {
    /// Finds every product.
    pub(super) fn of(tree: &'a ProductTree) -> Result<Self, Refusal> {
        let mut found = Self {
            by_id: HashMap::new(),
            groups: HashMap::new(),
        };
        for branch in &tree.branches {
            found.walk(branch, Traits::default())?;
        }
        for product in &tree.full_product_names {
            found.put(product, Traits::default())?;
        }
        for relationship in &tree.relationships {
            let of = |id: &str| found.by_id.get(id).copied().unwrap_or_default();
            let mut traits = of(&relationship.product_reference);
            traits.platform = of(&relationship.relates_to_product_reference).cpe;
            found.put(&relationship.full_product_name, traits)?;
        }
        for group in &tree.product_groups {
            found.groups.insert(&group.group_id, &group.product_ids);
        }
        Ok(found)
    }

    /// The recursion is as deep as the document, which is read within a limit.
    fn walk(&mut self, branch: &'a Branch, mut traits: Traits<'a>) -> Result<(), Refusal> {
        match branch.category.as_str() {
            "product_version" => traits.version = Some(&branch.name),
            "product_version_range" => traits.range = Some(&branch.name),
            _ => {}
        }
        if let Some(product) = &branch.product {
            self.put(product, traits)?;
        }
        branch
            .branches
            .iter()
            .try_for_each(|inner| self.walk(inner, traits))
    }

    fn put(&mut self, product: &'a Product, mut traits: Traits<'a>) -> Result<(), Refusal> {
        if let Some(Helper { cpe, purl }) = &product.product_identification_helper {
            traits.purl = purl.as_deref().or(traits.purl);
            traits.cpe = cpe.as_deref().or(traits.cpe);
        }
        match self.by_id.insert(&product.product_id, traits) {
            None => Ok(()),
            Some(_) => Err(Refusal::Shape {
                field: "product_tree".to_owned(),
                reason: format!("duplicate product id {:?}", shown(&product.product_id)),
            }),
        }
    }

    /// The products of a group.
    pub(super) fn group(&self, id: &str) -> &[String] {
        self.groups.get(id).copied().unwrap_or_default()
    }

    /// How many steps it takes to read what is said of a product.
    pub(super) fn steps(&self, id: &str) -> usize {
        let length = |text: Option<&str>| text.map_or(0, str::len);
        let traits = self.by_id.get(id).copied().unwrap_or_default();
        1 + length(traits.purl) + length(traits.version) + STEPS_OF_A_LETTER * length(traits.range)
    }

    /// The component of a product and the versions of it; why not, in words.
    pub(super) fn known(&self, id: &str) -> Result<Known, String> {
        let traits = self.by_id.get(id);
        let traits =
            traits.ok_or_else(|| format!("no product {:?} in the product tree", shown(id)))?;
        let text = traits.purl;
        let text = text.ok_or_else(|| format!("{:?} has no package URL", shown(id)))?;
        let purl: PackageUrl<'_> = text
            .parse()
            .map_err(|error| format!("invalid package URL {:?}: {error}", shown(text)))?;
        let (ecosystem, package) = named(&purl, traits.platform)?;
        let component = ecosystem
            .component(&package)
            .map_err(|error| error.to_string())?;
        let scheme = ecosystem.scheme();
        let extent = match (
            traits.range,
            version(&purl).or(traits.version.map(str::to_owned)),
        ) {
            (Some(range), _) => {
                Extent::Range(vers::read(scheme, range).map_err(|error| error.to_string()))
            }
            (None, Some(version)) => Extent::Version(version),
            (None, None) => Extent::All,
        };
        Ok(Known {
            component,
            ecosystem,
            extent,
        })
    }
}

/// A range is read version by version, and all that are read are kept for a while.
const STEPS_OF_A_LETTER: usize = 10;

/// The version of a package URL, with the epoch that RPM's have apart.
fn version(purl: &PackageUrl<'_>) -> Option<String> {
    let version = purl.version()?;
    Some(match purl.qualifiers().get("epoch") {
        Some(epoch) => format!("{epoch}:{version}"),
        None => version.to_owned(),
    })
}

/// Whose package it is and what it is called there.
fn named(purl: &PackageUrl<'_>, platform: Option<&str>) -> Result<(Ecosystem, String), String> {
    let name = purl.name();
    let architecture = purl.qualifiers().get("arch").map(AsRef::as_ref);
    match (purl.ty(), purl.namespace()) {
        ("cargo", None) => Ok((Ecosystem::Cargo, name.to_owned())),
        ("npm", None) => Ok((Ecosystem::Npm, name.to_owned())),
        ("npm", Some(scope)) => Ok((Ecosystem::Npm, format!("{scope}/{name}"))),
        ("maven", Some(group)) => Ok((Ecosystem::Maven, format!("{group}:{name}"))),
        ("deb", _) if !matches!(architecture, None | Some("source")) => Err(format!(
            "{name:?} is a binary package; Debian packages are identified by source package"
        )),
        ("rpm", _) if matches!(architecture, Some("src")) => Err(format!(
            "{name:?} is a source package; RPM packages are identified by binary package"
        )),
        (kind @ ("deb" | "rpm"), _) => {
            let distribution = purl
                .qualifiers()
                .get("distro")
                .and_then(|name| release(name));
            let release = distribution.or_else(|| of_platform(platform?));
            let release =
                release.ok_or_else(|| format!("no distribution release given for {name:?}"))?;
            let ecosystem = if kind == "deb" {
                Ecosystem::Deb(release)
            } else {
                Ecosystem::Rpm(release)
            };
            Ok((ecosystem, name.to_owned()))
        }
        (kind, _) => Err(format!("unknown version order for package type {kind:?}")),
    }
}

/// A release as package URLs have it: `debian-12`, `opensuse-leap-15.5`.
fn release(name: &str) -> Option<Release> {
    let (id, version) = name.rsplit_once('-')?;
    let numbers = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let id = if id == "redhat" { "rhel" } else { id };
    numbers(version).then(|| Release {
        id: id.to_owned(),
        version: version.to_owned(),
    })
}

/// The release that a CPE of Red Hat's names: `cpe:/o:redhat:enterprise_linux:9::baseos`.
fn of_platform(cpe: &str) -> Option<Release> {
    let rest = cpe
        .strip_prefix("cpe:2.3:")
        .or_else(|| cpe.strip_prefix("cpe:/"))?;
    let mut parts = rest.split(':').skip(1);
    let is_red_hat = parts.next() == Some("redhat") && parts.next() == Some("enterprise_linux");
    let version = parts.next().filter(|_| is_red_hat)?;
    release(&format!("rhel-{version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(purl: &str, platform: Option<&str>) -> Result<String, String> {
        let purl: PackageUrl<'_> = purl.parse().map_err(|_| "no package URL".to_owned())?;
        let (ecosystem, package) = named(&purl, platform)?;
        let component = ecosystem
            .component(&package)
            .map_err(|error| error.to_string())?;
        Ok(component.to_string())
    }

    #[test]
    fn package_urls_become_names_of_components() {
        for (purl, name) in [
            ("pkg:cargo/time@0.1.44", "cargo:time"),
            ("pkg:npm/%40babel/core@7.0.0", "npm:@babel/core"),
            ("pkg:npm/ws@8.0.0", "npm:ws"),
            (
                "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
                "maven:org.apache.logging.log4j:log4j-core",
            ),
            (
                "pkg:deb/debian/curl@7.88?arch=source&distro=debian-12",
                "deb:debian-12:curl",
            ),
            (
                "pkg:rpm/opensuse/curl@7.88?distro=opensuse-leap-15.5",
                "rpm:opensuse-leap-15.5:curl",
            ),
        ] {
            assert_eq!(component(purl, None).as_deref(), Ok(name));
        }
        let platform = Some("cpe:/o:redhat:enterprise_linux:9::baseos");
        let red_hat = component("pkg:rpm/redhat/curl@7.76.1-26.el9?arch=x86_64", platform);
        assert_eq!(red_hat.as_deref(), Ok("rpm:rhel-9:curl"));
    }

    #[test]
    fn a_package_that_no_panel_has_is_of_no_component() {
        for purl in [
            "pkg:pypi/django@4.2",
            "pkg:generic/houston@1.0",
            "pkg:deb/debian/libcurl4@7.88?arch=amd64&distro=debian-12",
            "pkg:deb/debian/curl@7.88",
            "pkg:deb/debian/curl@7.88?distro=bookworm",
            "pkg:rpm/redhat/curl@7.76?arch=src&distro=rhel-9",
            "pkg:maven/log4j@1",
        ] {
            assert!(component(purl, None).is_err(), "{purl}");
        }
    }
}
