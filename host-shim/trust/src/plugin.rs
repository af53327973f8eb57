//! Plugins: what may run is what the plugin key signed.

use spacecp_contract::{Limits, PluginManifest, Root};

use super::{TrustError, Unverified, Verified, feed::announced, signature::verify};

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
    let manifest: Verified<PluginManifest> = verify("plugin manifest", root, offered, &LIMITS)?;
    if let Some(trusted) = release.filter(|trusted| manifest.release < *trusted) {
        return Err(TrustError::PluginRelease {
            plugin: manifest.plugin.clone(),
            trusted,
            found: manifest.release,
        });
    }
    announced(
        &format!("component of the plugin {}", manifest.plugin),
        manifest.component,
        manifest.length,
        component,
    )?;
    Ok(manifest)
}
