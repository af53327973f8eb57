//! What the product tree says of each product: which component it is, and which versions of it.

use std::collections::HashMap;

use spacecp_contract::{
    ComponentName, Ecosystem,
    identity::{Package, Purl, Surroundings, release_of_cpe},
};

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
    /// What should be known of how it was named.
    pub(super) note: Option<String>,
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
        let purl: Purl = text
            .parse()
            .map_err(|error| format!("invalid package URL {:?}: {error}", shown(text)))?;
        let package = package(&purl, traits)?;
        let (ecosystem, note) = (package.ecosystem, note(&purl, package.source_is_assumed));
        let component = ecosystem
            .component(&package.name)
            .map_err(|error| error.to_string())?;
        let scheme = ecosystem.scheme();
        let extent = match (traits.range, package.version) {
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
            note,
        })
    }
}

/// A range is read version by version, and all that are read are kept for a while.
const STEPS_OF_A_LETTER: usize = 10;

/// The package that a product's URL names.
fn package(purl: &Purl, traits: &Traits<'_>) -> Result<Package, String> {
    let platform = traits.platform.and_then(release_of_cpe);
    let around = Surroundings {
        release: platform.as_ref(),
        version: traits.version,
        ..Surroundings::default()
    };
    Package::of(purl, around).map_err(|error| error.to_string())
}

/// A binary package of Debian's is compared with source packages, and may have the name of none.
fn note(purl: &Purl, source_is_assumed: bool) -> Option<String> {
    let is_binary = purl.qualifier("arch").is_some();
    (source_is_assumed && is_binary).then(|| {
        format!(
            "{:?} is a binary package without \"upstream\"; panels compare it with the source package of the same name",
            purl.name()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(purl: &str, platform: Option<&str>) -> Result<String, String> {
        let purl: Purl = purl.parse().map_err(|_| "no package URL".to_owned())?;
        let traits = Traits {
            platform,
            ..Traits::default()
        };
        let package = package(&purl, &traits)?;
        let component = package.ecosystem.component(&package.name);
        Ok(component.map_err(|error| error.to_string())?.to_string())
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
        let same = "pkg:rpm/redhat/ncurses-base@6.2-8.el9?arch=noarch&distro=redhat-9.4";
        assert_eq!(
            component(same, None).as_deref(),
            Ok("rpm:rhel-9:ncurses-base")
        );
        let platform = Some("cpe:/o:redhat:enterprise_linux:9::baseos");
        let red_hat = component("pkg:rpm/redhat/curl@7.76.1-26.el9?arch=x86_64", platform);
        assert_eq!(red_hat.as_deref(), Ok("rpm:rhel-9:curl"));
    }

    #[test]
    fn a_binary_package_that_names_no_source_is_noted() {
        let noted = |purl: &str| note(&purl.parse().unwrap(), true).is_some();
        assert!(noted(
            "pkg:deb/debian/libcurl4@7.88?arch=amd64&distro=debian-12"
        ));
        assert!(!noted("pkg:deb/debian/curl@7.88?distro=debian-12"));
    }

    #[test]
    fn a_package_that_no_panel_has_is_of_no_component() {
        for purl in [
            "pkg:pypi/django@4.2",
            "pkg:generic/houston@1.0",
            "pkg:deb/debian/curl@7.88",
            "pkg:deb/debian/curl@7.88?distro=sid",
            "pkg:rpm/redhat/curl@7.76?arch=src&distro=rhel-9",
            "pkg:maven/log4j@1",
        ] {
            assert!(component(purl, None).is_err(), "{purl}");
        }
    }
}
