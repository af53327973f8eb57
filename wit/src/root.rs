//! The root: which keys may sign what.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
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
    /// How long heads may live, and how far clocks may differ. Left out of the bytes where nothing is
    /// said, as before there was such a thing.
    #[serde(default, skip_serializing_if = "TimeBounds::is_default")]
    pub time_bounds: TimeBounds,
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
                return Err(format!("no key has the role {role}"));
            };
            let distinct = held.keys.iter().collect::<BTreeSet<_>>().len();
            if distinct != held.keys.len() {
                return Err(format!("duplicate key for the role {role}"));
            }
            if held.threshold == 0 {
                return Err(format!("threshold 0 for the role {role}"));
            }
            if held.threshold as usize > distinct {
                return Err(format!(
                    "threshold {} for the role {role} exceeds its {distinct} keys",
                    held.threshold
                ));
            }
        }
        Ok(())
    }
}

/// How long heads may live under a root, and how far ahead of a panel's clock anything may be issued.
///
/// Whoever steals a feed key for a minute could otherwise sign a head that keeps panels from every later one
/// for years. Each bound has a default and a ceiling: a root cannot say that a head may live for a century.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeBounds {
    /// The longest lifetime of a head in days; [`Self::HEAD_DAYS`] where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_days: Option<u32>,
    /// Minutes by which a root or a head may be issued in the future; [`Self::AHEAD_MINUTES`] where it is
    /// not said. Panels whose clock is slow by less than this follow the feed all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead_minutes: Option<u32>,
}

impl TimeBounds {
    /// Days that a head may live where the root does not say.
    pub const HEAD_DAYS: u32 = 90;
    /// Days that a head may live at most, whatever the root says.
    pub const MOST_HEAD_DAYS: u32 = 366;
    /// Minutes into the future where the root does not say: a day, more than a wrong time zone.
    pub const AHEAD_MINUTES: u32 = 24 * 60;
    /// Minutes into the future at most, whatever the root says: a week.
    pub const MOST_AHEAD_MINUTES: u32 = 7 * 24 * 60;
    /// Days that a root may live at most. It is no part of the root: nothing may vouch for itself.
    pub const MOST_ROOT_DAYS: u32 = 3_660;

    /// The longest lifetime of a head.
    pub fn head_lifetime(&self) -> SignedDuration {
        let days = self.head_days.unwrap_or(Self::HEAD_DAYS);
        days_long(days.min(Self::MOST_HEAD_DAYS))
    }

    /// How far ahead of the clock a root or a head may be issued.
    pub fn ahead(&self) -> SignedDuration {
        let minutes = self.ahead_minutes.unwrap_or(Self::AHEAD_MINUTES);
        SignedDuration::from_mins(i64::from(minutes.min(Self::MOST_AHEAD_MINUTES)))
    }

    /// The longest lifetime of a root.
    pub fn root_lifetime() -> SignedDuration {
        days_long(Self::MOST_ROOT_DAYS)
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn days_long(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

/// Who holds a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleKeys {
    /// Minisign public keys, in the base64 form of a `.pub` file's second line.
    pub keys: Vec<String>,
    /// How many different ones must sign.
    pub threshold: u32,
}
