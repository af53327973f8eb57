//! The files of a web root, as they shall be: names that cannot leave it, and the bytes of each.

use std::{collections::BTreeMap, fmt};

/// The path of a file below the web root, as `advisories/index.html`.
///
/// It has no step that is empty, `.` or `..`, and nothing but letters, digits and `-._:+` in its steps.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SitePath(String);

/// The longest step of a path in bytes, as file systems have it; a staged file has no longer name.
const LONGEST_STEP: usize = 240;

/// How many steps a path has at most.
const DEEPEST: usize = 8;

impl SitePath {
    /// The path, if it is one.
    ///
    /// # Errors
    ///
    /// [`SiteError::Path`] for whatever might lie elsewhere.
    pub fn new(text: impl Into<String>) -> Result<Self, SiteError> {
        let text = text.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:+".contains(&byte);
        let fits = |step: &str| {
            (1..=LONGEST_STEP).contains(&step.len())
                && !matches!(step, "." | "..")
                && step.bytes().all(plain)
        };
        // Counted before they are looked at: a text that is all separators costs nothing.
        if text.split('/').take(DEEPEST + 1).count() <= DEEPEST && text.split('/').all(fits) {
            return Ok(Self(text));
        }
        let found = text.chars().take(80).collect();
        Err(SiteError::Path { found })
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SitePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is no file of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// A name that might mean another place.
    #[error("{found:?} is not a valid path below the web root")]
    Path {
        /// Its beginning.
        found: String,
    },
    /// Two files of one name.
    #[error("two documents would have the path {0}; change one of the ids")]
    Twice(SitePath),
}

/// When a file is written: what others name comes first, so that a reader at any instant finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// A document.
    Document,
    /// What is beside a document and speaks of its bytes.
    Beside,
    /// What lists documents.
    List,
}

/// The files of a web root.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Site {
    files: BTreeMap<SitePath, (Turn, Vec<u8>)>,
}

impl Site {
    /// Adds a file.
    pub(super) fn put(
        &mut self,
        turn: Turn,
        path: impl Into<String>,
        bytes: impl Into<Vec<u8>>,
    ) -> Result<(), SiteError> {
        let path = SitePath::new(path)?;
        if self.files.contains_key(&path) {
            return Err(SiteError::Twice(path));
        }
        self.files.insert(path, (turn, bytes.into()));
        Ok(())
    }

    /// The bytes of a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let path = SitePath::new(path).ok()?;
        self.files.get(&path).map(|(_, bytes)| bytes.as_slice())
    }

    /// Every file, by name.
    pub fn files(&self) -> impl Iterator<Item = (&SitePath, &[u8])> {
        self.files
            .iter()
            .map(|(path, (_, bytes))| (path, bytes.as_slice()))
    }

    /// Every file, in the order in which they are written.
    pub(super) fn in_turn(&self) -> Vec<(&SitePath, &[u8])> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by_key(|(path, (turn, _))| (*turn, *path));
        let files = files.into_iter();
        files
            .map(|(path, (_, bytes))| (path, bytes.as_slice()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_might_lie_elsewhere_is_no_path_of_a_site() {
        for text in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "a\0",
            "ä",
            "a b",
            "a%2e%2e",
            &"a".repeat(LONGEST_STEP + 1),
            &"a/".repeat(DEEPEST + 1),
            &"/".repeat(1 << 20),
        ] {
            let refused = SitePath::new(text);
            assert!(
                matches!(refused, Err(SiteError::Path { .. })),
                "{refused:?}"
            );
        }
        for text in [
            ".well-known/csaf/white/2026/a-1.json",
            "osv/RHSA-2026:1.json",
        ] {
            assert_eq!(SitePath::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn two_files_of_one_name_are_refused() {
        let mut site = Site::default();
        site.put(Turn::Document, "a", "1").unwrap();
        let twice = site.put(Turn::List, "a", "2");
        assert!(matches!(twice, Err(SiteError::Twice(_))), "{twice:?}");
    }

    #[test]
    fn what_lists_documents_comes_after_them() {
        let mut site = Site::default();
        site.put(Turn::List, "a", "").unwrap();
        site.put(Turn::Beside, "b", "").unwrap();
        site.put(Turn::Document, "c", "").unwrap();
        let order: Vec<&str> = site
            .in_turn()
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(order, ["c", "b", "a"]);
    }

    proptest! {
        #[test]
        fn whatever_is_a_path_stays_below_its_root(text in "[a-zA-Z0-9./:_%\\\\-]{0,60}") {
            if let Ok(path) = SitePath::new(text) {
                let steps = std::path::Path::new(path.as_str()).components();
                for step in steps {
                    prop_assert!(matches!(step, std::path::Component::Normal(_)), "{path}");
                }
            }
        }
    }
}
