//! Names that documents give, each a type that cannot hold a bad one.

use std::{fmt, ops::Deref, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not {what}: {rule}")]
pub struct NameError {
    found: String,
    what: &'static str,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name if it is one.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    return Ok(Self(text));
                }
                Err(NameError { found: text.chars().take(80).collect(), what: $what, rule: $rule })
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// The id of an advisory or a correction, as `SPACECP-SA-2026-0007`.
    ///
    /// Upper case only, so that no two ids differ by case alone, and nothing that means something
    /// in a path.
    DocumentId,
    "a document id",
    "3 to 64 upper-case letters, digits and hyphens, with a letter first and no hyphen last",
    |text| {
        (3..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
            && text.as_bytes()[0].is_ascii_uppercase()
            && !text.ends_with('-')
    }
);

name!(
    /// The name that advisories use for a component, as `spacecp:houston`, `npm:node-ipc` or
    /// `maven:org.apache.logging.log4j:log4j-core`.
    ComponentName,
    "a component name",
    "1 to 200 letters, digits and characters of \"@._:/+-\", with a letter, a digit or @ first",
    |text| {
        (1..=200).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._:/+-".contains(&byte))
            && (text.as_bytes()[0].is_ascii_alphanumeric() || text.starts_with('@'))
            && !text.split(['/', ':']).any(|part| matches!(part, "" | "." | ".."))
    }
);

name!(
    /// Whom a feed and its documents are for, as `customers` or `public`.
    Audience,
    "an audience",
    "1 to 64 lower-case letters, digits and hyphens",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    }
);

impl Audience {
    /// The audience of documents that anybody may have.
    pub const PUBLIC: &'static str = "public";

    /// Whether a document for `self` may be shown to a panel that follows a feed for `feed`.
    pub fn may_reach(&self, feed: &Audience) -> bool {
        self == feed || self.as_str() == Self::PUBLIC
    }
}
