//! Which components the products of other people's documents are: one text file of the desk, fit for the team's own
//! version control.
//!
//! Package URLs name a component; nearly no public CSAF document has them. What a person said once about a product
//! holds for every later import.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use spacecp_contract::{ComponentName, VersionScheme};
use spacecp_formats::{Mapped, ProductMap, product_key};

use crate::durable;

/// The longest name of a product, in characters.
const LONGEST_NAME: usize = 300;

/// The mappings of a desk.
#[derive(Debug, Clone)]
pub struct Products {
    desk: PathBuf,
}

/// The component that a product is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The product: its CPE without version, or its vendor and name, in small letters.
    pub name: String,
    /// The component.
    pub component: ComponentName,
    /// How its versions are ordered, where its ecosystem does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<VersionScheme>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    product: Vec<Mapping>,
}

/// Why the mappings stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    /// The file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// The file is none of mappings.
    #[error("invalid product mappings in {}: {reason}. Correct the file", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A name that no product has.
    #[error(
        "invalid product name {0:?}: it must have 1 to {LONGEST_NAME} characters on one line, as the import shows it"
    )]
    Name(String),
    /// A scheme that nobody could compare in.
    #[error(
        "invalid scheme: it must be semver, npm, deb, rpm, maven, alpine, composer, pypi, nuget, gem or generic"
    )]
    Scheme,
    /// The product is another component already.
    #[error(
        "product {name:?} is already mapped to {component}. Remove that with \"spacecp-publisher product unmap\" first"
    )]
    Taken {
        /// The product.
        name: String,
        /// Its component.
        component: ComponentName,
    },
    /// Nothing was said of the product.
    #[error("product {0:?} is not mapped")]
    Unknown(String),
}

impl Products {
    /// The mappings of the desk in this directory.
    pub fn of_desk(desk: &Path) -> Self {
        Self {
            desk: desk.to_owned(),
        }
    }

    /// Says which component a product is, by one of its names.
    ///
    /// # Errors
    ///
    /// [`ProductError`] where the name is none, or the product is another component already.
    pub fn map(
        &self,
        name: &str,
        component: &ComponentName,
        scheme: Option<VersionScheme>,
    ) -> Result<Mapping, ProductError> {
        let key = product_key(name);
        let length = key.chars().count();
        if length == 0 || length > LONGEST_NAME || key.chars().any(char::is_control) {
            return Err(ProductError::Name(name.chars().take(80).collect()));
        }
        if scheme == Some(VersionScheme::Unknown) {
            return Err(ProductError::Scheme);
        }
        let mapping = Mapping {
            name: key.clone(),
            component: component.clone(),
            scheme,
        };
        let _lock = self.lock()?;
        let mut all = self.read()?;
        match all.get(&key) {
            Some(before) if *before == mapping => return Ok(mapping),
            Some(before) if before.component != mapping.component => {
                return Err(ProductError::Taken {
                    name: key,
                    component: before.component.clone(),
                });
            }
            _ => {}
        }
        all.insert(key, mapping.clone());
        self.write(all)?;
        Ok(mapping)
    }

    /// Forgets which component a product is.
    ///
    /// # Errors
    ///
    /// [`ProductError::Unknown`] where nothing was said.
    pub fn unmap(&self, name: &str) -> Result<Mapping, ProductError> {
        let key = product_key(name);
        let _lock = self.lock()?;
        let mut all = self.read()?;
        let removed = all.remove(&key).ok_or(ProductError::Unknown(key))?;
        self.write(all)?;
        Ok(removed)
    }

    /// All mappings, by the product's name.
    ///
    /// # Errors
    ///
    /// [`ProductError`] where the file cannot be read.
    pub fn list(&self) -> Result<Vec<Mapping>, ProductError> {
        Ok(self.read()?.into_values().collect())
    }

    /// The mappings as imports use them.
    ///
    /// # Errors
    ///
    /// As [`Products::list`].
    pub fn to_map(&self) -> Result<ProductMap, ProductError> {
        let mut map = ProductMap::default();
        for mapping in self.list()? {
            let Mapping {
                name,
                component,
                scheme,
            } = mapping;
            map.put(&name, Mapped { component, scheme });
        }
        Ok(map)
    }

    fn path(&self) -> PathBuf {
        self.desk.join("products.toml")
    }

    fn read(&self) -> Result<BTreeMap<String, Mapping>, ProductError> {
        let path = self.path();
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(ProductError::File { path, source }),
            Ok(text) => text,
        };
        let invalid = |reason: String| ProductError::Invalid {
            path: path.clone(),
            reason,
        };
        let written: Written = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
        let mut all = BTreeMap::new();
        for mapping in written.product {
            let key = product_key(&mapping.name);
            if let Some(before) = all.insert(key.clone(), mapping) {
                return Err(invalid(format!("{:?} is there twice", before.name)));
            }
        }
        Ok(all)
    }

    fn write(&self, all: BTreeMap<String, Mapping>) -> Result<(), ProductError> {
        let path = self.path();
        let written = Written {
            product: all.into_values().collect(),
        };
        let text = toml::to_string(&written).map_err(|error| ProductError::Invalid {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let replaced = durable::replace_private(&path, text.as_bytes());
        replaced.map_err(|source| ProductError::File { path, source })
    }

    /// One at a time, so that no mapping is lost to another.
    fn lock(&self) -> Result<fs::File, ProductError> {
        let locked = durable::private_folder(&self.desk)
            .and_then(|()| fs::File::open(&self.desk))
            .and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|source| ProductError::File {
            path: self.desk.clone(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str) -> ComponentName {
        name.parse().unwrap()
    }

    #[test]
    fn a_product_is_mapped_once_and_by_any_spelling_of_its_name() {
        let desk = tempfile::tempdir().unwrap();
        let products = Products::of_desk(desk.path());
        products
            .map("ACME/Sockets", &component("npm:ws"), None)
            .unwrap();
        let again = products.map("acme/sockets ", &component("npm:ws"), None);
        assert!(again.is_ok());
        let other = products.map("ACME/Sockets", &component("npm:socket"), None);
        assert!(
            matches!(other, Err(ProductError::Taken { .. })),
            "{other:?}"
        );
        let all = Products::of_desk(desk.path()).list().unwrap();
        let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["acme/sockets"]);
        products.unmap("Acme/Sockets").unwrap();
        assert!(matches!(
            products.unmap("ACME/Sockets"),
            Err(ProductError::Unknown(_))
        ));
    }

    #[test]
    fn a_file_that_says_two_things_of_one_product_is_refused() {
        let desk = tempfile::tempdir().unwrap();
        let text = "[[product]]\nname = \"a\"\ncomponent = \"npm:a\"\n\n[[product]]\nname = \"A\"\ncomponent = \"npm:b\"\n";
        fs::write(desk.path().join("products.toml"), text).unwrap();
        let refused = Products::of_desk(desk.path()).list();
        assert!(
            matches!(refused, Err(ProductError::Invalid { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn a_name_that_no_product_has_is_refused() {
        let desk = tempfile::tempdir().unwrap();
        let products = Products::of_desk(desk.path());
        for name in ["", " ", "a\u{7}b", &"x".repeat(301)] {
            let refused = products.map(name, &component("npm:ws"), None);
            assert!(matches!(refused, Err(ProductError::Name(_))), "{name:?}");
        }
    }
}
