//! Products that are one product on, with or in another, in whatever order they are written.

use std::collections::HashMap;

use super::record::Relationship;

/// Relationships between a product and what is looked for.
pub(super) const DEEPEST: usize = 32;

/// The relationships of a document by the id of the product that each makes.
#[derive(Debug, Default)]
pub(super) struct Relationships<'a>(HashMap<&'a str, &'a Relationship>);

impl<'a> Relationships<'a> {
    pub(super) fn of(all: &'a [Relationship]) -> Self {
        let by_id = all
            .iter()
            .map(|one| (one.full_product_name.product_id.as_str(), one));
        Self(by_id.collect())
    }

    /// What is found of a product: of itself, or else of the products that it is made of, one after another. The
    /// component comes from what it refers to, the platform from what that stands on.
    pub(super) fn resolve<T>(
        &self,
        id: &'a str,
        found: impl Fn(&'a str) -> Option<T>,
        platform: impl Fn(&'a str) -> Option<&'a str>,
    ) -> Result<(Option<T>, Option<&'a str>), Circle> {
        let (mut id, mut on) = (id, None);
        for _ in 0..DEEPEST {
            let Some(one) = self.0.get(id) else {
                return Ok((found(id), on));
            };
            on = on.or_else(|| self.platform(&one.relates_to_product_reference, &platform));
            if let Some(own) = found(id) {
                return Ok((Some(own), on));
            }
            id = &one.product_reference;
        }
        Err(Circle)
    }

    /// What a product is made of, and what it is on, with or in; none where it is made of no other.
    pub(super) fn of_product(&self, id: &str) -> Option<(&'a str, &'a str)> {
        let one = self.0.get(id)?;
        Some((&one.product_reference, &one.relates_to_product_reference))
    }

    /// The platform of a product, or of what it is made of.
    pub(super) fn platform(
        &self,
        id: &'a str,
        platform: &impl Fn(&'a str) -> Option<&'a str>,
    ) -> Option<&'a str> {
        let mut id = id;
        for _ in 0..DEEPEST {
            if let Some(found) = platform(id) {
                return Some(found);
            }
            id = &self.0.get(id)?.product_reference;
        }
        None
    }
}

/// A product that is made of itself, or of too many others one after another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Circle;
