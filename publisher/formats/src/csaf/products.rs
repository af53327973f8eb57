//! What the product tree says of each product: which component it is, and which versions of it.

use std::collections::HashMap;

use spacecp_contract::{
    ComponentName, Ecosystem, Release, VersionScheme,
    identity::{Package, Purl, Surroundings, release_of_cpe},
};

use super::{
    extent::{Extent, Named},
    narrowing::Narrowing,
    record::{Branch, Helper, Product, ProductTree},
    relationships::{Circle, DEEPEST, Relationships},
    vers,
};
use crate::{
    mapping::{Cpe, ProductMap, Unmapped},
    naming::shown,
};

/// The products of a document by id.
#[derive(Debug)]
pub(super) struct Products<'a> {
    by_id: HashMap<&'a str, Described<'a>>,
    relationships: Relationships<'a>,
    groups: HashMap<&'a str, &'a [String]>,
    map: &'a ProductMap,
    /// The schemes of the vendor's own components, as far as their ranges say them.
    schemes: HashMap<&'a str, VersionScheme>,
}

/// A product where it stands in the tree.
#[derive(Debug, Clone, Copy)]
enum Described<'a> {
    Once(Traits<'a>),
    /// More than once, and not alike.
    Differently,
}

/// What is said of a product where it stands in the tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Traits<'a> {
    purl: Option<&'a str>,
    /// As CSAF 2.1 has them.
    purls: &'a [String],
    cpe: Option<&'a str>,
    /// The component's own name, as we write it.
    own: Option<&'a str>,
    vendor: Option<&'a str>,
    product: Option<&'a str>,
    version: Option<&'a str>,
    range: Option<&'a str>,
    /// The name of the product as a whole.
    full: &'a str,
    /// The innermost branch that makes it less than its component, a part before a build: its category and name.
    narrow: Option<(&'a str, &'a str)>,
}

impl Traits<'_> {
    fn names_package(&self) -> bool {
        self.purl.is_some() || !self.purls.is_empty()
    }
}

/// A product that panels can have.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) component: ComponentName,
    pub(super) scheme: VersionScheme,
    pub(super) extent: Extent,
    /// How it is less than the component.
    pub(super) narrowing: Option<Narrowing>,
    /// What should be known of how it was named.
    pub(super) note: Option<String>,
}

/// Why a product is none that panels can have.
#[derive(Debug)]
pub(super) struct Stranger {
    pub(super) reason: String,
    /// What it is called, where that decides nothing as long as nobody says which component it is.
    pub(super) unmapped: Option<Unmapped>,
}

impl From<String> for Stranger {
    fn from(reason: String) -> Self {
        Self {
            reason,
            unmapped: None,
        }
    }
}

/// What our own documents call a component.
const OWN: &str = "urn:spacecp:component:";

impl<'a> Products<'a> {
    /// Finds every product.
    pub(super) fn of(tree: &'a ProductTree, map: &'a ProductMap) -> Self {
        let mut found = Self {
            by_id: HashMap::new(),
            relationships: Relationships::of(&tree.relationships),
            groups: HashMap::new(),
            map,
            schemes: HashMap::new(),
        };
        for branch in &tree.branches {
            found.walk(branch, Traits::default());
        }
        for product in &tree.full_product_names {
            found.put(product, Traits::default());
        }
        for relationship in &tree.relationships {
            found.put(&relationship.full_product_name, Traits::default());
        }
        for group in &tree.product_groups {
            found.groups.insert(&group.group_id, &group.product_ids);
        }
        found
    }

    /// The recursion is as deep as the document, which is read within a limit.
    fn walk(&mut self, branch: &'a Branch, mut traits: Traits<'a>) {
        match branch.category.as_str() {
            "vendor" => traits.vendor = Some(&branch.name),
            "product_name" => traits.product = Some(&branch.name),
            // The innermost says it.
            "product_version" => {
                traits.version = Some(&branch.name);
                traits.range = None;
            }
            "product_version_range" => {
                traits.range = Some(&branch.name);
                traits.version = None;
            }
            _ => {}
        }
        if let Some(narrowing) = Narrowing::of_branch(&branch.category, &branch.name) {
            let outer = traits
                .narrow
                .and_then(|(category, name)| Narrowing::of_branch(category, name));
            // A build of a part is a part.
            if !narrowing.is_build || outer.is_none_or(|outer| outer.is_build) {
                traits.narrow = Some((&branch.category, &branch.name));
            }
        }
        if let Some(product) = &branch.product {
            self.put(product, traits);
        }
        for inner in &branch.branches {
            self.walk(inner, traits);
        }
    }

    fn put(&mut self, product: &'a Product, mut traits: Traits<'a>) {
        traits.full = &product.name;
        if let Some(helper) = &product.product_identification_helper {
            let Helper {
                cpe,
                purl,
                purls,
                x_generic_uris,
                ..
            } = helper;
            traits.purl = purl.as_deref();
            traits.purls = purls;
            traits.cpe = cpe.as_deref();
            let single = helper
                .narrows_by()
                .map(|list| (list, product.name.as_str()));
            traits.narrow = traits.narrow.or(single);
            let own = x_generic_uris
                .iter()
                .find_map(|uri| uri.uri.strip_prefix(OWN));
            traits.own = own;
        }
        if let (Some(own), Some(range)) = (traits.own, traits.range)
            && let Some((kind, _)) = vers::parts(range)
            && let Some(scheme) = vers::scheme(kind)
        {
            self.schemes.entry(own).or_insert(scheme);
        }
        let described = self.by_id.entry(&product.product_id);
        let before = described.or_insert(Described::Once(traits));
        // What is said twice alike is said once.
        if matches!(before, Described::Once(before) if *before != traits) {
            *before = Described::Differently;
        }
    }

    /// The products of a group.
    pub(super) fn group(&self, id: &str) -> &[String] {
        self.groups.get(id).copied().unwrap_or_default()
    }

    /// How many steps it takes to read what is said of a product.
    pub(super) fn steps(&self, id: &str) -> usize {
        let length = |text: Option<&str>| text.map_or(0, str::len);
        let traits = self.once(id).unwrap_or_default();
        let purls: usize = traits.purls.iter().map(|purl| 1 + purl.len()).sum();
        let written = length(traits.range) + length(traits.version);
        1 + length(traits.purl) + purls + length(traits.cpe) + STEPS_OF_A_LETTER * written
    }

    /// The components that a product is and the versions of them; why it is none, in words. More than one only where it
    /// has package URLs of several.
    pub(super) fn known(&self, id: &'a str) -> Result<Vec<Known>, Stranger> {
        if !self.by_id.contains_key(id) {
            return Err(format!("no product {:?} in the product tree", shown(id)).into());
        }
        let (traits, platform) = self.traits(id)?;
        if traits.names_package() {
            return Ok(self.packages(id, traits, platform)?);
        }
        let cpe = traits.cpe.and_then(Cpe::read);
        let version = cpe.as_ref().and_then(Cpe::version);
        let (component, scheme) = if let Some(own) = traits.own {
            let component: ComponentName = own
                .parse()
                .map_err(|error| format!("{:?}: {error}", shown(own)))?;
            let scheme = self.schemes.get(own).copied();
            (component, scheme.unwrap_or(VersionScheme::Generic))
        } else {
            let names = Unmapped::of(cpe.as_ref(), traits.vendor, traits.product, traits.full);
            let of_cpe = || cpe.as_ref()?.component();
            let mapped = self.map.find(&names).cloned().or_else(of_cpe);
            let Some(mapped) = mapped else {
                let reason = format!(
                    "{:?} has no package URL and is mapped to no component",
                    shown(names.best())
                );
                let unmapped = Some(names);
                return Err(Stranger { reason, unmapped });
            };
            (mapped.component.clone(), mapped.scheme())
        };
        let of_cpe = || Narrowing::of_cpe(cpe.as_ref()?, &component);
        let narrowing = self.narrowing(id, None).or_else(of_cpe);
        let known = Known::of_cpe(component, scheme, traits, version.as_deref());
        Ok(vec![Known { narrowing, ..known }])
    }

    /// The packages that the URLs of a product name, each once. One that a URL names without narrowing it is not
    /// narrowed by another.
    fn packages(
        &self,
        id: &'a str,
        traits: Traits<'a>,
        platform: Option<&str>,
    ) -> Result<Vec<Known>, String> {
        let mut found: Vec<Known> = Vec::new();
        let mut first = None;
        let all = traits.purls.iter().map(String::as_str);
        for text in traits.purl.into_iter().chain(all) {
            let known = match self.package(id, text, traits, platform) {
                Ok(known) => known,
                Err(reason) => {
                    first.get_or_insert(reason);
                    continue;
                }
            };
            let same =
                |one: &&mut Known| one.component == known.component && one.extent == known.extent;
            match found.iter_mut().find(same) {
                None => found.push(known),
                Some(before) if known.narrowing.is_none() => *before = known,
                Some(_) => {}
            }
        }
        // What one URL fails to name may be a component of its own.
        match (first, found.first_mut()) {
            (Some(reason), None) => return Err(reason),
            (Some(reason), Some(known)) => {
                let note = known.note.take().into_iter().chain([reason]);
                known.note = Some(note.collect::<Vec<_>>().join("; "));
            }
            (None, _) => {}
        }
        Ok(found)
    }

    fn package(
        &self,
        id: &'a str,
        text: &str,
        traits: Traits<'a>,
        platform: Option<&str>,
    ) -> Result<Known, String> {
        let purl: Purl = text
            .parse()
            .map_err(|error| format!("invalid package URL {:?}: {error}", shown(text)))?;
        let package = package(&purl, traits.version, platform)?;
        let component = package
            .ecosystem
            .component(&package.name)
            .map_err(|error| error.to_string())?;
        let release = match &package.ecosystem {
            Ecosystem::Deb(release) | Ecosystem::Rpm(release) => Some(release),
            _ => None,
        };
        let own = Narrowing::of_purl(&purl, &package.name);
        let beside = traits.cpe.and_then(Cpe::read);
        // One of a release is of the system that the package is for.
        let beside = beside.filter(|_| traits.cpe.and_then(release_of_cpe).is_none());
        let beside = beside.and_then(|cpe| Narrowing::of_cpe(&cpe, component.as_str()));
        // A part says more than a build of the whole.
        let narrowing = [own, beside, self.narrowing(id, release)];
        let narrowing = narrowing
            .into_iter()
            .flatten()
            .min_by_key(|one| one.is_build);
        let scheme = package.ecosystem.scheme();
        Ok(Known {
            narrowing,
            note: note(&purl, package.source_is_assumed),
            ..Known::of(component, scheme, traits, package.version.as_deref())
        })
    }

    /// How a product is less than its component by its place in the tree and by what it is made of. That it is of the
    /// release that its component is of narrows nothing.
    fn narrowing(&self, id: &'a str, release: Option<&Release>) -> Option<Narrowing> {
        let mut id = id;
        let mut build = None;
        let cpe = |id: &'a str| self.once(id)?.cpe;
        for _ in 0..DEEPEST {
            let branch = self.once(id).and_then(|traits| traits.narrow);
            let branch = branch.and_then(|(category, name)| {
                let made = Narrowing::of_branch(category, name);
                made.filter(|narrowing| build.is_none() || !narrowing.is_build)
            });
            match branch {
                Some(narrowing) if narrowing.is_build => build = Some(narrowing),
                Some(narrowing) => return Some(narrowing),
                None => {}
            }
            let Some((made_of, on)) = self.relationships.of_product(id) else {
                return build;
            };
            let platform = self.relationships.platform(on, &cpe);
            let platform = platform.and_then(release_of_cpe);
            if platform.is_none() || platform.as_ref() != release {
                return Some(Narrowing::within(
                    self.once(on).map_or(on, |traits| traits.full),
                ));
            }
            id = made_of;
        }
        build
    }

    /// What is said of a product that is described in one way.
    fn once(&self, id: &str) -> Option<Traits<'a>> {
        match self.by_id.get(id) {
            Some(Described::Once(traits)) => Some(*traits),
            _ => None,
        }
    }

    /// What is said of a product, or else of what it is made of, and the CPE of the platform that it is on.
    fn traits(&self, id: &'a str) -> Result<(Traits<'a>, Option<&'a str>), String> {
        let name = shown(id);
        let once = |id: &'a str| self.once(id);
        if matches!(self.by_id.get(id), Some(Described::Differently)) {
            return Err(format!("product id {name:?} stands for different products"));
        }
        // What says most of which component it is, wherever it is said.
        let says: [fn(&Traits<'_>) -> bool; 4] = [
            |traits| traits.names_package(),
            |traits| traits.own.is_some(),
            |traits| traits.cpe.is_some(),
            |traits| traits.product.is_some(),
        ];
        for says in says {
            let found = |id| once(id).filter(says);
            let found = self.relationships.resolve(id, found, |id| once(id)?.cpe);
            let (found, on) =
                found.map_err(|Circle| format!("product {name:?} refers to itself"))?;
            if let Some(traits) = found {
                return Ok((traits, on));
            }
        }
        Ok((once(id).unwrap_or_default(), None))
    }
}

impl Known {
    /// A CPE often has the version of something else, or none: what the tree says comes first where it is one.
    fn of_cpe(
        component: ComponentName,
        scheme: VersionScheme,
        traits: Traits<'_>,
        version: Option<&str>,
    ) -> Self {
        let known = Self::of(component.clone(), scheme, traits, None);
        match version {
            Some(_) if known.extent.is_all || known.extent.unread.is_some() => {
                Self::of(component, scheme, traits, version)
            }
            _ => known,
        }
    }

    fn of(
        component: ComponentName,
        scheme: VersionScheme,
        traits: Traits<'_>,
        identified: Option<&str>,
    ) -> Self {
        let named = Named {
            version: traits.version,
            range: traits.range,
            product: traits.product,
        };
        Self {
            component,
            scheme,
            extent: Extent::of(scheme, named, identified),
            narrowing: None,
            note: None,
        }
    }
}

/// A range is read version by version, and all that are read are kept for a while.
const STEPS_OF_A_LETTER: usize = 10;

/// The package that a product's URL names.
fn package(purl: &Purl, version: Option<&str>, platform: Option<&str>) -> Result<Package, String> {
    let platform = platform.and_then(release_of_cpe);
    let around = Surroundings {
        release: platform.as_ref(),
        version,
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
        let package = package(&purl, None, platform)?;
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
            "pkg:hex/phoenix@1.7",
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
