//! The root: which keys may sign what.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Audience, Document, DocumentKind};

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Roots.
    Root,
    /// Heads and indexes.
    Feed,
    /// Advisories.
    Advisory,
    /// Corrections.
    Correction,
    /// Plugin manifests.
    Plugin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [
        Self::Root,
        Self::Feed,
        Self::Advisory,
        Self::Correction,
        Self::Plugin,
    ];

    /// The word that roots and trusted comments use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Feed => "feed",
            Self::Advisory => "advisory",
            Self::Correction => "correction",
            Self::Plugin => "plugin",
        }
    }

    /// The role of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which keys hold which role, and how many of them must sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Whom the feed is for.
    pub audience: Audience,
    /// From 1; each root follows the one before by exactly one.
    pub version: u64,
    /// When it was issued.
    pub issued: Timestamp,
    /// From when on nothing may be decided by it.
    pub expires: Timestamp,
    /// Grows when sequences and revisions start afresh, as after a feed key was lost to somebody
    /// who used up the numbers.
    #[serde(default)]
    pub sequence_epoch: u64,
    /// The keys of every role.
    pub roles: BTreeMap<Role, RoleKeys>,
}

impl Document for Root {
    const KIND: DocumentKind = DocumentKind::Root;

    fn name(&self) -> &str {
        Self::KIND.as_str()
    }

    fn revision(&self) -> u64 {
        self.version
    }

    fn validate(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("versions begin at 1".to_owned());
        }
        for role in Role::ALL {
            let Some(held) = self.roles.get(&role) else {
                return Err(format!("it gives nobody the role {role}"));
            };
            let distinct = held.keys.iter().collect::<BTreeSet<_>>().len();
            if distinct != held.keys.len() {
                return Err(format!("it lists a key twice for the role {role}"));
            }
            if held.threshold == 0 {
                return Err(format!(
                    "it demands no signature at all for the role {role}"
                ));
            }
            if held.threshold as usize > distinct {
                return Err(format!(
                    "it demands {} signatures for the role {role}, which {distinct} keys hold",
                    held.threshold
                ));
            }
        }
        Ok(())
    }
}

/// Who holds a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleKeys {
    /// Minisign public keys, in the base64 form of a `.pub` file's second line.
    pub keys: Vec<String>,
    /// How many different ones must sign.
    pub threshold: u32,
}
