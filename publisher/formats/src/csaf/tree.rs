//! The product tree of a document that is written, and the status of each product in it.
//!
//! A product is one range or one version of a component. Components of the issuer's own stand below
//! its name as the vendor; packages of an ecosystem, which it did not make, below the ecosystem's.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Value, json};
use spacecp_contract::{
    Advisory, Affected, ComponentName, Ecosystem, Justification, NotAffected, Others, VersionRange,
    VersionScheme,
    identity::Package,
    version::{Range, Version},
};

use super::{
    vers,
    write::{Issuer, put_list},
};

/// Whose a component is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    /// The issuer's own.
    Issuer,
    /// A package of an ecosystem, which the issuer did not make.
    Ecosystem(&'static str),
}

impl Owner {
    fn of(component: &ComponentName) -> Self {
        match Ecosystem::of(component) {
            None => Self::Issuer,
            Some((Ecosystem::Cargo, _)) => Self::Ecosystem("Cargo packages"),
            Some((Ecosystem::Npm, _)) => Self::Ecosystem("npm packages"),
            Some((Ecosystem::Maven, _)) => Self::Ecosystem("Maven packages"),
            Some((Ecosystem::Go, _)) => Self::Ecosystem("Go modules"),
            Some((Ecosystem::Deb(_), _)) => Self::Ecosystem("Debian packages"),
            Some((Ecosystem::Rpm(_), _)) => Self::Ecosystem("RPM packages"),
            Some((Ecosystem::Apk(_), _)) => Self::Ecosystem("Alpine packages"),
            Some((Ecosystem::Composer, _)) => Self::Ecosystem("Composer packages"),
            Some((Ecosystem::Pypi, _)) => Self::Ecosystem("Python packages"),
            Some((Ecosystem::Nuget, _)) => Self::Ecosystem("NuGet packages"),
            Some((Ecosystem::Gem, _)) => Self::Ecosystem("Ruby gems"),
        }
    }
}

/// The versions that a range leaves out, in their order.
fn excluded_from(scheme: VersionScheme, range: &VersionRange, excluded: &[String]) -> Vec<String> {
    let Ok(range) = Range::read(scheme, range) else {
        return Vec::new();
    };
    let read = excluded
        .iter()
        .filter_map(|text| Version::read(scheme, text).ok());
    let mut within: Vec<Version> = read
        .filter(|one| range.contains(one) == Some(true))
        .collect();
    within.sort_by(|one, other| one.compare(other).unwrap_or(Ordering::Equal));
    within.iter().map(|one| one.as_str().to_owned()).collect()
}

/// The product tree, and which of its products have which status.
#[derive(Debug, Default)]
pub(super) struct Products {
    /// The versions that are spoken of, by whose the component is and by the component.
    versions: BTreeMap<(Owner, String), Vec<Value>>,
    pub(super) affected: Vec<String>,
    pub(super) fixed: Vec<String>,
    not_affected: Vec<String>,
    pub(super) open: Vec<String>,
    pub(super) flags: Vec<Value>,
    /// Products that are not affected for reasons in words.
    pub(super) impacts: Vec<String>,
    count: usize,
    /// Whether only what is affected has a place: a notice has no statuses.
    is_notice: bool,
}

impl Products {
    pub(super) fn of(advisory: &Advisory) -> Self {
        let mut products = Self {
            is_notice: advisory.notice.is_some(),
            ..Self::default()
        };
        for affected in &advisory.affected {
            products.affected(affected);
        }
        let not_affected = advisory.not_affected.iter();
        for not in not_affected.filter(|_| advisory.notice.is_none()) {
            products.spared(not);
        }
        products
    }

    fn affected(&mut self, affected: &Affected) {
        if affected.scheme == VersionScheme::Unknown {
            // Nobody knows yet which versions.
            let id = self.product(
                &affected.component,
                "product_version_range",
                "vers:generic/*",
            );
            self.open.push(id);
            return;
        }
        let kind = vers::kinds(affected.scheme)
            .first()
            .copied()
            .unwrap_or("generic");
        let unlisted = affected.unlisted.as_deref();
        let excluded = unlisted.map_or(&[][..], |unlisted| &unlisted.excluded);
        for range in &affected.ranges {
            let excluded = excluded_from(affected.scheme, range, excluded);
            let text = vers::write(kind, range, &excluded);
            let id = self.product(&affected.component, "product_version_range", &text);
            self.affected.push(id);
        }
        let is_complete = unlisted.is_none_or(|unlisted| unlisted.others == Others::NotAffected);
        for text in &affected.versions {
            // A range of one version says that the list is complete; a version says nothing of others.
            let id = if is_complete {
                let text = vers::write_one(kind, text);
                self.product(&affected.component, "product_version_range", &text)
            } else {
                self.product(&affected.component, "product_version", text)
            };
            self.affected.push(id);
        }
        if self.is_notice {
            return;
        }
        for range in unlisted.iter().flat_map(|unlisted| &unlisted.investigated) {
            let text = vers::write(kind, range, &[]);
            let id = self.product(&affected.component, "product_version_range", &text);
            self.open.push(id);
        }
        if !is_complete {
            // Of what is not named nobody knows.
            let id = self.product(
                &affected.component,
                "product_version_range",
                &format!("vers:{kind}/*"),
            );
            self.open.push(id);
        }
        let ends = affected.ranges.iter();
        let ends = ends.filter_map(|range| range.fixed.as_ref());
        let listed = unlisted.into_iter().flat_map(|unlisted| &unlisted.fixed);
        let fixed: BTreeSet<&String> = ends.chain(listed).collect();
        for text in fixed {
            let id = self.product(&affected.component, "product_version", text);
            self.fixed.push(id);
        }
    }

    fn spared(&mut self, not: &NotAffected) {
        let mut ids = Vec::new();
        match not.only.as_deref() {
            None => {
                ids.push(self.product(&not.component, "product_version_range", "vers:generic/*"));
            }
            Some(only) => {
                let kind = vers::kinds(only.scheme)
                    .first()
                    .copied()
                    .unwrap_or("generic");
                for range in &only.ranges {
                    let text = vers::write(kind, range, &[]);
                    ids.push(self.product(&not.component, "product_version_range", &text));
                }
                for text in &only.versions {
                    ids.push(self.product(&not.component, "product_version", text));
                }
            }
        }
        if not.justification == Justification::Stated {
            self.impacts.extend(ids.iter().cloned());
        } else {
            self.flags
                .push(json!({ "label": not.justification, "product_ids": ids }));
        }
        self.not_affected.extend(ids);
    }

    /// Puts a product into the tree, and says its id.
    fn product(&mut self, component: &ComponentName, category: &str, version: &str) -> String {
        self.count += 1;
        let id = format!("P{}", self.count);
        let one = (category == "product_version").then_some(version);
        let purl = Ecosystem::of(component)
            .and_then(|(ecosystem, package)| Package::purl(&ecosystem, package, one));
        let helper = match purl {
            Some(purl) => json!({ "purl": purl.to_string() }),
            None => json!({ "x_generic_uris": [{
                "namespace": "urn:spacecp:component",
                "uri": format!("urn:spacecp:component:{component}"),
            }] }),
        };
        let branch = json!({
            "category": category,
            "name": version,
            "product": {
                "name": format!("{component} {version}"),
                "product_id": id,
                "product_identification_helper": helper,
            },
        });
        let place = (Owner::of(component), component.to_string());
        self.versions.entry(place).or_default().push(branch);
        id
    }

    /// The tree: whose, which component, which versions.
    pub(super) fn branches(&self, issuer: &Issuer) -> Vec<Value> {
        let mut owners: BTreeMap<&Owner, Vec<Value>> = BTreeMap::new();
        for ((owner, component), versions) in &self.versions {
            owners.entry(owner).or_default().push(json!({
                "category": "product_name",
                "name": component,
                "branches": versions,
            }));
        }
        let branch = |(owner, products): (&Owner, Vec<Value>)| {
            let (category, name) = match owner {
                Owner::Issuer => ("vendor", issuer.name.as_str()),
                Owner::Ecosystem(name) => ("product_family", *name),
            };
            json!({ "category": category, "name": name, "branches": products })
        };
        owners.into_iter().map(branch).collect()
    }

    pub(super) fn status(&self) -> Value {
        let mut status = json!({});
        let lists = [
            ("known_affected", &self.affected),
            ("fixed", &self.fixed),
            ("known_not_affected", &self.not_affected),
            ("under_investigation", &self.open),
        ];
        for (name, ids) in lists {
            put_list(&mut status, name, ids.iter().map(|id| json!(id)).collect());
        }
        status
    }
}
