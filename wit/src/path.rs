//! A path within a component's folder that cannot lead out of it.

use std::{fmt, path::Path, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A relative path with `/` between its parts.
///
/// It is the same file on every system that a panel runs on: nothing absolute, no `.` or `..`, no
/// control characters, no backslash or colon, no mark that turns the reading direction, no name
/// that a system keeps for a device, nothing too long for a file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// Why a text is not a path within a folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {found:?} {rule}")]
pub struct PathError {
    /// The path, cut to a bearable length.
    pub found: String,
    /// What it breaks.
    pub rule: &'static str,
}

const LONGEST: usize = 1024;
const LONGEST_PART: usize = 255;

impl TreePath {
    /// The path if it stays inside.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        match broken_rule(&text) {
            None => Ok(Self(text)),
            Some(rule) => Err(PathError {
                found: text.chars().take(120).collect(),
                rule,
            }),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path to join to a folder.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// The folders that lead to it, outermost first.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    /// Equal for paths that a file system without case would take for one.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("is empty");
    }
    if text.len() > LONGEST {
        return Some("is longer than 1024 bytes");
    }
    if text.starts_with('/') {
        return Some("is absolute");
    }
    if text.chars().any(char::is_control) {
        return Some("has a control character");
    }
    if text.contains(['\\', ':']) {
        return Some("has a backslash or a colon, which are not the same on every system");
    }
    if text.chars().any(is_bidirectional_mark) {
        return Some("has a mark that changes the reading direction");
    }
    text.split('/').find_map(broken_part_rule)
}

fn broken_part_rule(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("has an empty part"),
        "." | ".." => Some("has a part that is \".\" or \"..\""),
        _ if part.len() > LONGEST_PART => Some("has a part longer than 255 bytes"),
        _ if part.ends_with(['.', ' ']) => Some("has a part that ends in a dot or a space"),
        _ if is_device(part) => Some("has a part that names a device"),
        _ if is_escaped_parent(part) => {
            Some("has a part that some programs would read as \"..\" or \".\"")
        }
        _ => None,
    }
}

/// Unicode's explicit direction marks (UAX #9, table 4).
fn is_bidirectional_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The escapes of addresses mean nothing in a path; who takes them out all the same must not be led
/// out of the folder.
fn is_escaped_parent(part: &str) -> bool {
    let plain = part.to_ascii_lowercase();
    let plain = plain
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "/");
    plain != part.to_ascii_lowercase() && plain.split('/').any(|piece| matches!(piece, "." | ".."))
}

fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).to_ascii_uppercase();
    let numbered = |prefix: &str| {
        stem.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
    };
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TreePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TreePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
