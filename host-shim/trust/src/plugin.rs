//! Plugins: what may run is what the plugin key signed.

use spacecp_contract::{Digest, Limits, PluginManifest, Root};

use super::{TrustError, Unverified, Verified, feed::announced_by_digest, signature::verify};

/// A manifest is a handful of facts.
const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    depth: 4,
    items: 1_000,
    text: 4 << 10,
};

/// The manifest, if it is signed, not older than `release`, and for exactly these component bytes.
pub fn plugin(
    root: &Verified<Root>,
    offered: Unverified<'_>,
    component: &[u8],
    release: Option<u64>,
) -> Result<Verified<PluginManifest>, TrustError> {
    let component = (Digest::of(component), component.len() as u64);
    plugin_by_digest(root, offered, component, release)
}

/// The same for a component that is not to be run now: of its bytes, which whoever asks has read, the digest
/// and the length are enough.
pub fn plugin_by_digest(
    root: &Verified<Root>,
    offered: Unverified<'_>,
    (digest, length): (Digest, u64),
    release: Option<u64>,
) -> Result<Verified<PluginManifest>, TrustError> {
    let manifest: Verified<PluginManifest> = verify("plugin manifest", root, offered, &LIMITS)?;
    if let Some(trusted) = release.filter(|trusted| manifest.release < *trusted) {
        return Err(TrustError::PluginRelease {
            plugin: manifest.plugin.clone(),
            trusted,
            found: manifest.release,
        });
    }
    announced_by_digest(
        &format!("component of the plugin {}", manifest.plugin),
        (manifest.component, manifest.length),
        (digest, length),
    )?;
    Ok(manifest)
}
