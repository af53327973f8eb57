//! Which versions of a component a product is.

use spacecp_contract::VersionScheme;

use super::{
    vers::{self, Versions},
    words::{self, Read},
};

/// What the tree says of the versions of a product.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Named<'a> {
    /// The name of a `product_version`.
    pub(super) version: Option<&'a str>,
    /// The name of a `product_version_range`.
    pub(super) range: Option<&'a str>,
    /// The name of the product, which may stand before either.
    pub(super) product: Option<&'a str>,
}

/// Which versions of a component a product is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Whether it is all of them: neither version nor range is said.
    pub(super) is_all: bool,
    /// Those that are said, as far as they can be read.
    pub(super) versions: Versions,
    /// Whether a range is said in the form that is meant for it, so that its bounds are what they seem.
    pub(super) is_exact: bool,
    /// What is said and cannot be read.
    pub(super) unread: Option<String>,
    /// The one version that the product's identification has, where its name says a range beside it. Which of the two is
    /// meant nobody knows: both may be affected, and what is not affected is that version alone.
    pub(super) identified: Option<String>,
}

impl Extent {
    /// The versions of a product; `identified` is the version that its package URL or CPE has.
    pub(super) fn of(scheme: VersionScheme, named: Named<'_>, identified: Option<&str>) -> Self {
        if let Some(range) = named.range {
            return Self::written(scheme, range, named.product).beside(scheme, identified);
        }
        match (named.version, identified) {
            (None, None) => Self {
                is_all: true,
                ..Self::default()
            },
            (Some(name), None) => Self::written(scheme, name, named.product),
            (None, Some(version)) => Self::written(scheme, version, None),
            (Some(name), Some(version)) => {
                let found = Self::written(scheme, name, named.product);
                // A name is for people; but one that says a range says more than the version beside it.
                if vers::parts(name).is_some() || words::is_range(name) {
                    found.beside(scheme, Some(version))
                } else {
                    Self::written(scheme, version, None)
                }
            }
        }
    }

    /// With the version that is said beside a range. What is none there may mean any, unless it says the same once more.
    fn beside(mut self, scheme: VersionScheme, version: Option<&str>) -> Self {
        let Some(text) = version else {
            return self;
        };
        let said = Self::written(scheme, text, None);
        if said.unread.is_none() && said.versions == self.versions {
            return self;
        }
        self.is_exact = false;
        match said.one() {
            Some(version) => self.identified = Some(version.to_owned()),
            None => {
                self.unread.get_or_insert_with(|| text.to_owned());
            }
        }
        self
    }

    /// Whether it is no version at all, as `vers:none/*`.
    pub(super) fn is_empty(&self) -> bool {
        let Versions { ranges, listed, .. } = &self.versions;
        !self.is_all && self.unread.is_none() && ranges.is_empty() && listed.is_empty()
    }

    /// The one version that it is, if it is one.
    pub(super) fn one(&self) -> Option<&str> {
        match (
            self.versions.ranges.as_slice(),
            self.versions.listed.as_slice(),
        ) {
            ([], [version]) if self.unread.is_none() => Some(version),
            _ => None,
        }
    }

    fn written(scheme: VersionScheme, text: &str, product: Option<&str>) -> Self {
        if vers::parts(text).is_some() {
            return match vers::read(scheme, text) {
                Ok(versions) => Self {
                    is_exact: vers::is_canonical(scheme, text),
                    ..Self::from(versions)
                },
                Err(error) => Self::unread(error.to_string()),
            };
        }
        match words::read(scheme, text, product) {
            Read::Version(version) => Self::from(Versions {
                listed: vec![version],
                ..Versions::default()
            }),
            Read::Range(versions) => Self::from(versions),
            Read::No => Self::unread(text.to_owned()),
        }
    }

    fn unread(text: String) -> Self {
        Self {
            unread: Some(text),
            ..Self::default()
        }
    }
}

impl From<Versions> for Extent {
    fn from(versions: Versions) -> Self {
        Self {
            versions,
            ..Self::default()
        }
    }
}
