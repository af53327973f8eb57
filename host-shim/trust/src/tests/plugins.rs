//! Plugin manifests: never an older release, and for exactly these bytes.

use spacecp_contract::{Digest, PluginManifest, Root};

use super::{NOW, Vendor};
use crate::{TrustError, Verified, plugin, plugin_by_digest};

const COMPONENT: &[u8] = b"a component";

fn offer(component: &[u8], release: Option<u64>) -> Result<Verified<PluginManifest>, TrustError> {
    let vendor = Vendor::new();
    let root: Verified<Root> = vendor.trusted_root(1, |_| {});
    let signed = vendor.sign(&PluginManifest {
        plugin: "advisories".to_owned(),
        version: "1.0.0".to_owned(),
        release: 5,
        contract: "1.0.0".to_owned(),
        issued: NOW,
        component: Digest::of(COMPONENT),
        length: COMPONENT.len() as u64,
        abilities: Vec::new(),
    });
    plugin(&root, signed.offered(), component, release)
}

#[test]
fn a_plugin_may_be_the_release_that_ran_or_a_later_one() {
    for ran in [None, Some(1), Some(4), Some(5)] {
        assert_eq!(offer(COMPONENT, ran).map(|taken| taken.release), Ok(5));
    }
    let refused = TrustError::PluginRelease {
        plugin: "advisories".to_owned(),
        trusted: 6,
        found: 5,
    };
    assert_eq!(offer(COMPONENT, Some(6)), Err(refused));
}

#[test]
fn a_manifest_vouches_for_one_component() {
    let other = [b'x'; COMPONENT.len()];
    let refused = offer(&other, None);
    assert!(matches!(refused, Err(TrustError::Digest { .. })));
    let refused = offer(&COMPONENT[1..], None);
    assert!(matches!(refused, Err(TrustError::Length { .. })));
}

#[test]
fn a_component_of_the_right_digest_and_another_length_is_refused() {
    let vendor = Vendor::new();
    let root = vendor.trusted_root(1, |_| {});
    let signed = vendor.sign(&PluginManifest {
        plugin: "advisories".to_owned(),
        version: "1.0.0".to_owned(),
        release: 1,
        contract: "1.0.0".to_owned(),
        issued: NOW,
        component: Digest::of(COMPONENT),
        length: 11,
        abilities: Vec::new(),
    });
    for (length, fits) in [(10, false), (11, true), (12, false)] {
        let found = (Digest::of(COMPONENT), length);
        let taken = plugin_by_digest(&root, signed.offered(), found, None);
        assert_eq!(taken.is_ok(), fits, "{length}");
    }
}
