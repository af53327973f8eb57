//! Roots: who may sign what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{Audience, Document, Role, RoleKeys, Root, TimeBounds};

use crate::keys::PublicKey;

/// Who holds each role, before it becomes a root.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    roles: BTreeMap<Role, (Vec<PublicKey>, Option<u32>)>,
}

impl Holders {
    /// Gives a key a role.
    #[must_use]
    pub fn with(mut self, role: Role, key: PublicKey) -> Self {
        self.roles.entry(role).or_default().0.push(key);
        self
    }

    /// Says how many keys of a role must sign; one, unless it is said.
    #[must_use]
    pub fn threshold(mut self, role: Role, threshold: u32) -> Self {
        self.roles.entry(role).or_default().1 = Some(threshold);
        self
    }
}

/// The root of this version.
pub fn root(
    audience: Audience,
    version: u64,
    holders: &Holders,
    issued: Timestamp,
    expires: Timestamp,
) -> Root {
    let keys = |(keys, threshold): &(Vec<PublicKey>, Option<u32>)| RoleKeys {
        keys: keys.iter().map(PublicKey::to_base64).collect(),
        threshold: threshold.unwrap_or(1),
    };
    Root {
        audience,
        version,
        issued,
        expires,
        sequence_epoch: 0,
        time_bounds: TimeBounds::default(),
        roles: holders
            .roles
            .iter()
            .map(|(role, held)| (*role, keys(held)))
            .collect(),
    }
}

/// What the next root changes.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Keys that get a role.
    pub given: Vec<(Role, PublicKey)>,
    /// Keys that lose a role, in base64; without a role they lose every one they hold.
    pub taken: Vec<(Option<Role>, String)>,
    /// How many keys of a role must sign from now on.
    pub thresholds: Vec<(Role, u32)>,
    /// Whether sequences and revisions restart, after somebody with a lost feed key has used
    /// up the numbers.
    pub afresh: bool,
    /// The bounds that change; what is not named stays as it is.
    pub time_bounds: TimeBounds,
}

/// Why there is no next root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The key has the role already.
    #[error("key {key} already has the role {role}")]
    Held {
        /// The key's id.
        key: String,
        /// The role.
        role: Role,
    },
    /// The key does not have the role.
    #[error("key {key} does not have the role {role}")]
    NotHeld {
        /// The key's id.
        key: String,
        /// The role.
        role: String,
    },
    /// The next root would contradict itself.
    #[error("every panel would reject root {version}: {reason}")]
    Invalid {
        /// Its version.
        version: u64,
        /// Why.
        reason: String,
    },
}

/// The root after `before`, with this change.
pub fn next(
    before: &Root,
    change: &Change,
    issued: Timestamp,
    expires: Timestamp,
) -> Result<Root, ChangeError> {
    let mut root = before.clone();
    root.version += 1;
    (root.issued, root.expires) = (issued, expires);
    root.sequence_epoch += u64::from(change.afresh);
    let (bounds, asked) = (&mut root.time_bounds, change.time_bounds);
    bounds.head_days = asked.head_days.or(bounds.head_days);
    bounds.ahead_minutes = asked.ahead_minutes.or(bounds.ahead_minutes);
    for (role, key) in &change.taken {
        take(&mut root, *role, key)?;
    }
    for (role, key) in &change.given {
        let text = key.to_base64();
        let held = root.roles.entry(*role).or_insert_with(|| RoleKeys {
            keys: Vec::new(),
            threshold: 1,
        });
        if held.keys.contains(&text) {
            return Err(ChangeError::Held {
                key: key.id(),
                role: *role,
            });
        }
        held.keys.push(text);
    }
    for (role, threshold) in &change.thresholds {
        if let Some(held) = root.roles.get_mut(role) {
            held.threshold = *threshold;
        }
    }
    let version = root.version;
    root.validate()
        .map_err(|reason| ChangeError::Invalid { version, reason })?;
    Ok(root)
}

fn take(root: &mut Root, role: Option<Role>, key: &str) -> Result<(), ChangeError> {
    let mut was_held = false;
    for (holds, held) in &mut root.roles {
        if role.is_some_and(|role| role != *holds) {
            continue;
        }
        let before = held.keys.len();
        held.keys.retain(|other| other != key);
        was_held |= held.keys.len() < before;
    }
    if was_held {
        return Ok(());
    }
    Err(ChangeError::NotHeld {
        key: spacecp_trust::key_id(key).unwrap_or_else(|| key.to_owned()),
        role: role.map_or("of any kind", Role::as_str).to_owned(),
    })
}

/// What is different in the second root, a line each, for whoever has to agree to it.
pub fn differences(before: &Root, after: &Root) -> Vec<String> {
    let id = |key: &String| spacecp_trust::key_id(key).unwrap_or_else(|| key.clone());
    let none = RoleKeys {
        keys: Vec::new(),
        threshold: 0,
    };
    let mut lines = Vec::new();
    for role in Role::ALL {
        let old = before.roles.get(&role).unwrap_or(&none);
        let new = after.roles.get(&role).unwrap_or(&none);
        for key in old.keys.iter().filter(|key| !new.keys.contains(key)) {
            lines.push(format!("{role}: key {} removed", id(key)));
        }
        for key in new.keys.iter().filter(|key| !old.keys.contains(key)) {
            lines.push(format!("{role}: key {} added", id(key)));
        }
        if old.threshold != new.threshold {
            lines.push(format!(
                "{role}: threshold {} instead of {}",
                new.threshold, old.threshold
            ));
        }
    }
    if before.sequence_epoch != after.sequence_epoch {
        lines.push("sequences and revisions restart".to_owned());
    }
    let (old, new) = (before.time_bounds, after.time_bounds);
    if old.head_lifetime() != new.head_lifetime() {
        lines.push(format!(
            "maximum lifetime of heads: {} days instead of {}",
            new.head_lifetime().as_hours() / 24,
            old.head_lifetime().as_hours() / 24
        ));
    }
    if old.ahead() != new.ahead() {
        lines.push(format!(
            "maximum time ahead of a panel's clock: {} minutes instead of {}",
            new.ahead().as_mins(),
            old.ahead().as_mins()
        ));
    }
    lines.push(format!(
        "expires {} instead of {}",
        after.expires, before.expires
    ));
    lines
}
