//! Which component a product is that no package URL names: what a vendor's desk says once and keeps.
//!
//! Nearly no public CSAF document has package URLs. A product is known by its CPE without the version
//! (`cpe:a:apache:log4j`), by its vendor and name (`Apache/Log4j`), or by its name alone.

use std::collections::BTreeMap;

use spacecp_contract::{ComponentName, Ecosystem, VersionScheme, identity::package_of_cpe};

/// The products that are mapped to components.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductMap(BTreeMap<String, Mapped>);

/// The component that a product is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The component.
    pub component: ComponentName,
    /// How its versions are ordered; none: as those of its ecosystem, or generic.
    pub scheme: Option<VersionScheme>,
}

impl Mapped {
    /// How its versions are ordered.
    pub fn scheme(&self) -> VersionScheme {
        let of_ecosystem = || Ecosystem::of(&self.component).map(|(one, _)| one.scheme());
        let scheme = self.scheme.or_else(of_ecosystem);
        scheme.unwrap_or(VersionScheme::Generic)
    }
}

impl ProductMap {
    /// Says which component a product is, by any of its names; returns what was said before.
    pub fn put(&mut self, product: &str, mapped: Mapped) -> Option<Mapped> {
        self.0.insert(key(product), mapped)
    }

    pub(crate) fn find(&self, names: &Unmapped) -> Option<&Mapped> {
        names.names().find_map(|name| self.0.get(&key(name)))
    }
}

/// A product by the names that a mapping may have for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct Unmapped {
    /// Its CPE without the version, as `cpe:a:apache:log4j`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
    /// Its vendor and name, as `Apache/Log4j`, or its name alone.
    pub name: String,
}

impl Unmapped {
    pub(crate) fn of(
        cpe: Option<&Cpe>,
        vendor: Option<&str>,
        product: Option<&str>,
        full: &str,
    ) -> Self {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let name = match (vendor, product) {
            (Some(vendor), Some(product)) => format!("{}/{}", line(vendor), line(product)),
            (None, Some(product)) => line(product),
            (_, None) => line(full),
        };
        Self {
            cpe: cpe.map(Cpe::key),
            name,
        }
    }

    /// The name that says most.
    pub fn best(&self) -> &str {
        self.cpe.as_deref().unwrap_or(&self.name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let alone = self.name.rsplit_once('/').map(|(_, alone)| alone);
        let cpe = self.cpe.as_deref().into_iter();
        cpe.chain([self.name.as_str()]).chain(alone)
    }
}

/// The form in which a product's name is looked up: a CPE without its version, any other name in small letters and
/// with single blanks.
pub fn key(product: &str) -> String {
    if let Some(cpe) = Cpe::read(product) {
        return cpe.key();
    }
    let lower = product.to_lowercase();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A CPE 2.2 URI or 2.3 formatted string (NIST IR 7695), as far as it says a product and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cpe {
    /// Part, vendor, product, version, update, and what else is said.
    parts: Vec<String>,
}

/// The attributes of a name.
const PARTS: usize = 11;

impl Cpe {
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text
            .strip_prefix("cpe:2.3:")
            .or_else(|| text.strip_prefix("cpe:/"))
            .or_else(|| text.strip_prefix("cpe:"))?;
        let parts: Vec<String> = split(rest).into_iter().take(PARTS).collect();
        let [part, vendor, product, ..] = parts.as_slice() else {
            return None;
        };
        let is_part = matches!(part.as_str(), "a" | "o" | "h");
        let is_said = |text: &str| !matches!(text, "" | "*" | "-");
        (is_part && is_said(vendor) && is_said(product)).then_some(Self { parts })
    }

    /// Without version and all that comes behind it.
    pub(crate) fn key(&self) -> String {
        format!("cpe:{}", self.parts[..3].join(":").to_lowercase())
    }

    /// The component that it is, where it is known to be that one alone.
    pub(crate) fn component(&self) -> Option<Mapped> {
        let component = package_of_cpe(&self.parts[1], &self.parts[2])?;
        let component = component.parse().ok()?;
        let scheme = None;
        (self.parts[0] == "a").then_some(Mapped { component, scheme })
    }

    /// What is said behind the update: edition, language, target software and hardware.
    pub(crate) fn behind_the_update(&self) -> Vec<&str> {
        let said = |part: &&str| !matches!(*part, "" | "*" | "-");
        let parts = self.parts.iter().skip(5).map(String::as_str);
        parts.filter(said).collect()
    }

    /// The version, with the update where one is said.
    pub(crate) fn version(&self) -> Option<String> {
        let said = |place: usize| {
            let part = self.parts.get(place)?;
            (!matches!(part.as_str(), "" | "*" | "-")).then_some(part)
        };
        let version = said(3)?;
        Some(match said(4) {
            Some(update) => format!("{version}-{update}"),
            None => version.clone(),
        })
    }
}

/// The parts between colons, without the signs that keep a colon or a hyphen from meaning something.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let plain = match letter {
            ':' => {
                parts.push(String::new());
                continue;
            }
            '\\' => letters.next(),
            letter => Some(letter),
        };
        if let Some(part) = parts.last_mut() {
            part.extend(plain);
        }
    }
    let decoded = |part: String| {
        let decoded = percent_encoding::percent_decode_str(&part).decode_utf8();
        decoded.map_or_else(|_| part.clone(), std::borrow::Cow::into_owned)
    };
    parts.into_iter().map(decoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(component: &str) -> Mapped {
        Mapped {
            component: component.parse().unwrap(),
            scheme: None,
        }
    }

    #[test]
    fn a_product_is_found_by_cpe_by_vendor_and_name_and_by_name() {
        let product = Unmapped {
            cpe: Some("cpe:a:apache:log4j".into()),
            name: "Apache/Log4j".into(),
        };
        for name in [
            "cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*",
            "cpe:/a:apache:log4j",
            "cpe:a:Apache:Log4j",
            "apache/log4j",
            "  Apache/Log4j ",
            "Log4J",
        ] {
            let mut map = ProductMap::default();
            map.put(name, mapped("maven:org.apache.logging.log4j:log4j-core"));
            assert!(map.find(&product).is_some(), "{name}");
        }
        let mut map = ProductMap::default();
        map.put("apache/log4net", mapped("npm:x"));
        assert_eq!(map.find(&product), None);
    }

    #[test]
    fn a_cpe_tells_its_version_unless_it_says_any() {
        let version = |text: &str| Cpe::read(text).and_then(|cpe| cpe.version());
        let said = |text: &str| Some(text.to_owned());
        assert_eq!(
            version("cpe:2.3:a:v:p:2.14.1:*:*:*:*:*:*:*"),
            said("2.14.1")
        );
        assert_eq!(
            version("cpe:2.3:a:v:p:1.0\\-2\\:3:rc1:*:*:*:*:*:*"),
            said("1.0-2:3-rc1")
        );
        assert_eq!(version("cpe:/a:v:p:1.0%7e1"), said("1.0~1"));
        assert_eq!(version("cpe:2.3:a:v:p:*:*:*:*:*:*:*:*"), None);
        assert_eq!(version("cpe:/a:v:p"), None);
        assert_eq!(Cpe::read("cpe:2.3:a:*:p:1"), None);
        assert_eq!(Cpe::read("houston"), None);
    }

    #[test]
    fn a_product_that_is_one_package_alone_needs_no_mapping() {
        let component = |text: &str| {
            let mapped = Cpe::read(text)?.component()?;
            Some(mapped.component.to_string())
        };
        let ws = component("cpe:2.3:a:ws_project:ws:8.0.0:*:*:*:*:node.js:*:*");
        assert_eq!(ws.as_deref(), Some("npm:ws"));
        // Log4j 1 and 2 are two artifacts.
        assert_eq!(
            component("cpe:2.3:a:apache:log4j:2.14.1:*:*:*:*:*:*:*"),
            None
        );
        assert_eq!(
            component("cpe:2.3:h:ws_project:ws:8.0.0:*:*:*:*:*:*:*"),
            None
        );
    }

    #[test]
    fn a_component_has_the_order_of_its_ecosystem_or_the_one_that_is_said() {
        assert_eq!(mapped("npm:ws").scheme(), VersionScheme::Npm);
        assert_eq!(mapped("minecraft:server").scheme(), VersionScheme::Generic);
        let said = Mapped {
            scheme: Some(VersionScheme::Semver),
            ..mapped("spacecp:houston")
        };
        assert_eq!(said.scheme(), VersionScheme::Semver);
    }
}
