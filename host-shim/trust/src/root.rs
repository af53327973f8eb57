//! The chain of roots.

use spacecp_contract::{Audience, Digest, Limits, Role, RoleKeys, Root, decode};

use super::{
    TrustError, Unverified, Verified,
    signature::{verify, verify_by},
};

/// A root is small: a few keys a role.
const LIMITS: Limits = Limits {
    bytes: 256 << 10,
    depth: 8,
    items: 10_000,
    text: 4 << 10,
};

/// The first root, which the administrator put there: it must be signed by its own root keys.
pub fn pinned_root(
    offered: Unverified<'_>,
    audience: &Audience,
) -> Result<Verified<Root>, TrustError> {
    let what = "pinned root";
    let keys = own_keys(what, offered.bytes)?;
    let root: Verified<Root> = verify_by(what, &keys, offered, &LIMITS)?;
    same_audience(what, &root, audience)?;
    Ok(root)
}

/// The first root, of which the administrator put only the fingerprint there: the digest of its
/// bytes. It must be signed by its own root keys as well.
pub fn by_fingerprint(
    offered: Unverified<'_>,
    fingerprint: Digest,
    audience: &Audience,
) -> Result<Verified<Root>, TrustError> {
    let found = Digest::of(offered.bytes);
    if found != fingerprint {
        return Err(TrustError::Fingerprint {
            pinned: fingerprint,
            found,
        });
    }
    pinned_root(offered, audience)
}

/// The root after `trusted`: signed by the old threshold and by the new one.
pub fn next_root(
    trusted: &Verified<Root>,
    offered: Unverified<'_>,
) -> Result<Verified<Root>, TrustError> {
    let what = format!("root {}", trusted.version.saturating_add(1));
    let by_old: Verified<Root> = verify(&what, trusted, offered, &LIMITS)?;
    if by_old.version.checked_sub(1) != Some(trusted.version) {
        return Err(TrustError::RootVersion {
            trusted: trusted.version,
            found: by_old.version,
        });
    }
    same_audience(&what, &by_old, &trusted.audience)?;
    let new_keys = by_old.roles[&Role::Root].clone();
    let by_new: Verified<Root> = verify_by(&what, &new_keys, offered, &LIMITS)?;
    let mut signers = by_old.signers;
    signers.extend(by_new.signers.iter().cloned());
    signers.sort();
    signers.dedup();
    Ok(Verified { signers, ..by_new })
}

/// A root that this panel has verified before, from its store: its own keys still vouch for it.
pub fn reverify_root(offered: Unverified<'_>) -> Result<Verified<Root>, TrustError> {
    let what = "stored root";
    let keys = own_keys(what, offered.bytes)?;
    verify_by(what, &keys, offered, &LIMITS)
}

/// The root keys that a root names for itself. They are a stranger's word until they have verified
/// the very same bytes.
fn own_keys(what: &str, bytes: &[u8]) -> Result<RoleKeys, TrustError> {
    let root: Root = decode(bytes, &LIMITS).map_err(|source| TrustError::Decode {
        what: what.to_owned(),
        source,
    })?;
    Ok(root.roles[&Role::Root].clone())
}

fn same_audience(what: &str, root: &Root, expected: &Audience) -> Result<(), TrustError> {
    if root.audience == *expected {
        return Ok(());
    }
    Err(TrustError::Audience {
        what: what.to_owned(),
        found: root.audience.clone(),
        expected: expected.clone(),
    })
}
