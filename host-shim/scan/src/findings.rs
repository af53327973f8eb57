//! What was found in one file: as it is remembered for as long as the file does not change.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spacecp_contract::{ComponentName, VersionScheme};

use crate::{Limit, Why, text::is_legible};

/// The longest version in bytes.
const LONGEST_VERSION: usize = 128;

/// What one file may bring, found or not read.
const MOST: usize = 100_000;

/// The longest name or path of something that is needed in characters.
const LONGEST_NAME: usize = 1024;

/// The longest part of a name in characters.
const LONGEST_LABEL: usize = 100;

/// What was found in one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) entries: Vec<Entry>,
    /// What could not be read, with the place within the file; empty for the file itself.
    pub(crate) unread: Vec<(String, Why)>,
    /// What has to be there as well, for whoever read the file to look for.
    pub(crate) needs: Vec<Need>,
    /// The names under which others find what the file lists.
    pub(crate) answers: BTreeSet<String>,
}

/// Something that a file says is needed: a package by its name, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Need {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether nothing works without it.
    pub(crate) is_required: bool,
}

/// One component that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Its name within the job, from the outermost to itself.
    pub(crate) path: Vec<String>,
    pub(crate) advisory_name: ComponentName,
    pub(crate) scheme: VersionScheme,
    pub(crate) version: Result<String, String>,
    /// The place within the file; empty for the file itself.
    pub(crate) within: String,
}

impl Entry {
    /// Whether it is the same component, in whichever version.
    pub(crate) fn is_the_same(&self, other: &Self) -> bool {
        self.path == other.path && self.advisory_name == other.advisory_name
    }

    /// The same as it is listed when it was not read again, for this reason.
    pub(crate) fn not_read_again(&self, why: &Why) -> Self {
        let version = match &self.version {
            Ok(version) => Err(format!("last seen as {version}, not read again: {why}")),
            known => known.clone(),
        };
        Self {
            version,
            ..self.clone()
        }
    }
}

impl Findings {
    /// One component, or the reason why it has a name that none can have.
    pub(crate) fn add(
        &mut self,
        path: Vec<String>,
        (advisory_name, scheme): (Result<ComponentName, Why>, VersionScheme),
        version: Result<&str, String>,
        within: &str,
    ) {
        if !self.may_grow() {
            return;
        }
        match advisory_name {
            Ok(advisory_name) => self.entries.push(Entry {
                path: path.iter().map(|label| clean(label)).collect(),
                advisory_name,
                scheme,
                version: version.and_then(told),
                within: within.to_owned(),
            }),
            Err(why) => self.unread(within.to_owned(), why),
        }
    }

    /// Lists what was found in the file before and is not found now, with a version that is not known, if something
    /// in it was not read.
    pub(crate) fn keep_what_is_not_read_again(&mut self, earlier: &[Entry]) {
        let hiding = self.unread.iter().find(|(_, why)| why.hides());
        let Some(why) = hiding.map(|(_, why)| why.clone()) else {
            return;
        };
        for entry in earlier {
            let is_there = self.entries.iter().any(|now| now.is_the_same(entry));
            if !is_there && self.may_grow() {
                self.entries.push(entry.not_read_again(&why));
            }
        }
    }

    /// A place within the file that could not be read.
    pub(crate) fn unread(&mut self, within: String, why: Why) {
        let is_new = why.may_pass() && self.is_lasting();
        if is_new || self.may_grow() {
            self.unread.push((within, why));
        }
    }

    /// How much was found, not read, and said to be needed.
    pub(crate) fn count(&self) -> usize {
        self.entries.len() + self.unread.len() + self.needs.len()
    }

    /// Something that has to be there as well.
    pub(crate) fn need(&mut self, name: &str, version: &str, is_required: bool) {
        if self.may_grow() {
            self.needs.push(Need {
                name: name.chars().take(LONGEST_NAME).collect(),
                version: version.chars().take(LONGEST_VERSION).collect(),
                is_required,
            });
        }
    }

    /// A name under which others find something that the file lists.
    pub(crate) fn answer(&mut self, name: &str) {
        if self.answers.len() < MOST {
            self.answers
                .insert(name.chars().take(LONGEST_NAME).collect());
        }
    }

    /// Whether there is room for more. From one file comes no more than a machine has.
    fn may_grow(&mut self) -> bool {
        if self.count() < MOST {
            return true;
        }
        let full = Why::limit(Limit::Components, MOST as u64);
        if !self.unread.iter().any(|(_, why)| *why == full) {
            self.unread.push((String::new(), full));
        }
        false
    }

    /// Whether it says the same about the file as long as that does not change.
    pub(crate) fn is_lasting(&self) -> bool {
        !self.unread.iter().any(|(_, why)| why.may_pass())
    }
}

/// A version if a text is one.
fn told(text: &str) -> Result<String, String> {
    let text = text.trim();
    if !is_legible(text)
        || text.is_empty()
        || text.len() > LONGEST_VERSION
        || text.chars().any(char::is_control)
    {
        return Err("invalid version".to_owned());
    }
    // What a build should have replaced, as ${project.version} or @version@.
    if text.contains("${") || (text.starts_with('@') && text.ends_with('@')) {
        return Err(format!("the version is the unreplaced placeholder {text}"));
    }
    // "unspecified", "UNKNOWN", "main-SNAPSHOT", "LATEST": words in its place, which orders of versions order all the same.
    if !text.chars().any(|letter| letter.is_ascii_digit()) {
        return Err(format!("{text:?} is a word and no version"));
    }
    // Which versions are wanted, as in `[1.0,2.0)` and `2.+`, and not which one is there.
    if text.starts_with(['[', '(']) || text.ends_with(".+") {
        return Err(format!("{text:?} is a range and no version"));
    }
    Ok(text.to_owned())
}

/// A part of a name as it may be shown and leads nowhere: no controls, nothing that turns the direction
/// of the text, and of bounded length.
pub(crate) fn clean(label: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let cleaned: String = label
        .trim()
        .chars()
        .map(|letter| {
            if letter.is_control() || turns(letter) {
                '_'
            } else {
                letter
            }
        })
        .take(LONGEST_LABEL)
        .collect();
    let parts = cleaned.split('/').map(|part| match part {
        "" | "." | ".." => "_",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_leads_nowhere_and_hides_nothing() {
        assert_eq!(clean("../../etc"), "_/_/etc");
        assert_eq!(clean("a\u{202e}b\nc"), "a_b_c");
        assert_eq!(clean(""), "_");
        assert_eq!(clean("@babel/core"), "@babel/core");
        assert_eq!(clean(&"x".repeat(500)).len(), LONGEST_LABEL);
    }

    #[test]
    fn a_word_or_a_range_is_no_version() {
        for text in [
            "unspecified",
            "UNKNOWN",
            "main-SNAPSHOT",
            "LATEST",
            "[1.0,2.0)",
            "(,3]",
            "2.+",
        ] {
            assert!(told(text).is_err(), "{text:?}");
        }
        for text in ["1.0-SNAPSHOT", "r09", "git-Paper-430", "1.2+3"] {
            assert_eq!(told(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_a_build_left_unreplaced_is_no_version() {
        for text in ["", " ", "${project.version}", "@version@", "1\n2"] {
            assert!(told(text).is_err(), "{text:?}");
        }
        assert_eq!(told(" 1.2.3 ").as_deref(), Ok("1.2.3"));
    }
}
