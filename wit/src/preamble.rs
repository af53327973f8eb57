//! What a document says of itself before anything else is believed of it: its schema and its kind.
//!
//! Both are found by the one pass that bounds the document, so that a newer schema is named before the
//! fields are that only a newer reader knows. May not: look into any other field, or decide whether schema and
//! kind are the right ones.

use serde::Deserialize;

use crate::{Limits, ShapeError, shape};

/// What every outermost map says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Preamble<'a> {
    /// Which schema the document was written for.
    pub(crate) schema: u32,
    /// What kind of document it says it is.
    pub(crate) kind: &'a str,
    /// Whether a field of it has a name that is no text.
    nameless: bool,
}

/// Why a document does not say what it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PreambleError {
    /// It is not a value that a reader would touch.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// It does not have the field.
    #[error("missing field `{0}`")]
    Missing(&'static str),
    /// It has the field more than once, and readers might choose differently.
    #[error("duplicate field `{0}`")]
    Duplicate(&'static str),
    /// A field of the outermost map is named by something else than a text, which readers would take for a number of
    /// theirs.
    #[error("a field name is not text")]
    Nameless,
    /// The field has a value of another type.
    #[error("field `{field}`: {reason}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl<'a> Preamble<'a> {
    /// Bounds the document, and reads what it says of itself. Allocates no more than the pass does, and an error.
    pub(crate) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, PreambleError> {
        let mut schema = Field::new("schema");
        let mut kind = Field::new("kind");
        let mut nameless = false;
        shape::check_fields(bytes, limits, |name, value| match name {
            Some(name) => {
                schema.meet(name, value);
                kind.meet(name, value);
            }
            None => nameless = true,
        })?;
        Ok(Self {
            schema: schema.value(bytes)?,
            kind: kind.value(bytes)?,
            nameless,
        })
    }

    /// Refuses a field that no reader of this schema knows by name; to be asked once the schema is one of ours.
    pub(crate) fn names_fields(&self) -> Result<(), PreambleError> {
        if self.nameless {
            return Err(PreambleError::Nameless);
        }
        Ok(())
    }
}

/// A field that is looked for.
struct Field {
    name: &'static str,
    /// Where its value begins.
    found: Option<usize>,
    again: bool,
}

impl Field {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            found: None,
            again: false,
        }
    }

    fn meet(&mut self, name: &str, value: usize) {
        if name == self.name {
            self.again = self.found.is_some();
            self.found = Some(value);
        }
    }

    fn value<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, PreambleError> {
        let field = self.name;
        let at = self.found.ok_or(PreambleError::Missing(field))?;
        if self.again {
            return Err(PreambleError::Duplicate(field));
        }
        rmp_serde::from_slice(&bytes[at..]).map_err(|error| {
            let reason = error.to_string();
            PreambleError::Value { field, reason }
        })
    }
}
