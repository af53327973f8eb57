//! The product tree of a document that is written, and the status of each product in it.
//!
//! A product is one range or one version of a component. Components of the issuer's own stand below
//! its name as the vendor; packages of an ecosystem, which it did not make, below the ecosystem's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use spacecp_contract::{
    Advisory, Affected, ComponentName, Ecosystem, NotAffected, VersionScheme, identity::Package,
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
        }
    }
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
    count: usize,
}

impl Products {
    pub(super) fn of(advisory: &Advisory) -> Self {
        let mut products = Self::default();
        for affected in &advisory.affected {
            products.affected(affected);
        }
        for not in &advisory.not_affected {
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
        for range in &affected.ranges {
            let text = vers::write(kind, range);
            let id = self.product(&affected.component, "product_version_range", &text);
            self.affected.push(id);
        }
        for text in &affected.versions {
            let id = self.product(&affected.component, "product_version", text);
            self.affected.push(id);
        }
        let fixed = affected.ranges.iter();
        let fixed: BTreeSet<&String> = fixed.filter_map(|range| range.fixed.as_ref()).collect();
        for text in fixed {
            let id = self.product(&affected.component, "product_version", text);
            self.fixed.push(id);
        }
    }

    fn spared(&mut self, not: &NotAffected) {
        let id = self.product(&not.component, "product_version_range", "vers:generic/*");
        self.flags
            .push(json!({ "label": not.justification, "product_ids": [id] }));
        self.not_affected.push(id);
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
