//! Roots: who may sign what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::{Audience, Role, RoleKeys, Root};

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
        roles: holders
            .roles
            .iter()
            .map(|(role, held)| (*role, keys(held)))
            .collect(),
    }
}
