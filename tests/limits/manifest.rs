//! What may run at all: refused before it is compiled.

use std::{os::unix::fs::PermissionsExt, sync::Arc};

use anyhow::Result;
use spacecp_advisories::{
    config::PluginLimits,
    plugin::{PluginEngine, PluginError, PluginHost},
    trust::{self, TrustError, Unverified},
};
use spacecp_publisher::sign::sign;
use spacecp_tests::{artifacts, vendor::Vendor};
use wasmparser::{Parser, Payload};

use crate::panel::{Quiet, manifest, tight};

fn load(
    limits: PluginLimits,
    component: &[u8],
    change: impl FnOnce(&mut spacecp_contract::PluginManifest),
) -> Result<PluginError> {
    let cache = spacecp_tests::scratch::folder()?;
    let engine = PluginEngine::new(limits, &cache.path().join("cache"))?;
    let mut manifest = manifest(component);
    change(&mut manifest);
    let loaded = PluginHost::load(&engine, &manifest, component, Arc::new(Quiet::default()));
    Ok(loaded.expect_err("it was loaded"))
}

fn wat(text: &str) -> Result<Vec<u8>> {
    Ok(wat::parse_str(text)?)
}

/// What a component imports, by name.
fn imports(component: &[u8]) -> Result<Vec<String>> {
    let mut depth = 0;
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    found.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_asks_for_no_decisions_runs_all_the_same() -> Result<()> {
    let asks = |imports: Vec<String>| imports.iter().any(|import| import.contains("/decisions@"));
    assert!(asks(imports(&std::fs::read(artifacts::PLUGIN)?)?));
    assert!(!asks(imports(&std::fs::read(artifacts::HOSTILE)?)?));
    let panel = crate::panel::Panel::tight()?;
    panel.does(spacecp_hostile_guest::Behaviour::Honest).await?;
    Ok(())
}

#[test]
fn the_built_plugin_imports_the_contract_and_nothing_else() -> Result<()> {
    let found = imports(&std::fs::read(artifacts::PLUGIN)?)?;
    assert!(found.len() >= 5, "{found:?}");
    for import in found {
        let interface = import
            .strip_prefix("spacecp:advisories/")
            .and_then(|rest| rest.strip_suffix("@1.0.0"));
        assert!(interface.is_some(), "{import} is not of the contract");
    }
    Ok(())
}

#[test]
fn an_import_beyond_the_contract_is_refused_by_name() -> Result<()> {
    for import in [
        "wasi:cli/environment@0.2.0",
        "spacecp:advisories/files@1.0.0",
        "spacecp:advisories/state@2.0.0",
        "state",
    ] {
        let component = wat(&format!("(component (import {import:?} (instance)))"))?;
        let refused = load(tight(), &component, |_| {})?;
        assert_eq!(
            refused,
            PluginError::Import {
                import: import.to_owned()
            }
        );
    }
    Ok(())
}

#[test]
fn a_component_that_exports_too_little_is_refused() -> Result<()> {
    let refused = load(tight(), &wat("(component)")?, |_| {})?;
    assert!(
        matches!(refused, PluginError::Component { .. }),
        "{refused}"
    );
    Ok(())
}

#[test]
fn a_module_a_truncated_component_and_noise_are_refused() -> Result<()> {
    let hostile = std::fs::read(artifacts::HOSTILE)?;
    for bytes in [
        wat("(module)")?,
        hostile[..hostile.len() / 2].to_vec(),
        b"noise".to_vec(),
        Vec::new(),
    ] {
        let refused = load(tight(), &bytes, |_| {})?;
        assert!(
            matches!(refused, PluginError::Component { .. }),
            "{refused}"
        );
    }
    Ok(())
}

#[test]
fn another_contract_an_ability_and_too_many_bytes_are_refused_by_name() -> Result<()> {
    let hostile = std::fs::read(artifacts::HOSTILE)?;
    let refused = load(tight(), &hostile, |manifest| {
        manifest.contract = "2.0.0".to_owned();
    })?;
    assert_eq!(
        refused.to_string(),
        "plugin hostile requires contract 2.0.0; this panel supports 1.0.0"
    );
    let refused = load(tight(), &hostile, |manifest| {
        manifest.abilities.push("network".to_owned());
    })?;
    assert_eq!(
        refused,
        PluginError::Ability {
            plugin: "hostile".to_owned(),
            ability: "network".to_owned()
        }
    );
    let refused = load(
        PluginLimits {
            component: 1_000,
            ..tight()
        },
        &hostile,
        |_| {},
    )?;
    assert!(
        matches!(refused, PluginError::Size { limit: 1_000, .. }),
        "{refused}"
    );
    Ok(())
}

#[tokio::test]
async fn a_component_with_more_memory_tables_or_instances_than_allowed_is_refused_when_it_begins()
-> Result<()> {
    use spacecp_advisories::plugin::bindings::exports::spacecp::advisories::pages::{
        Place, Request,
    };
    let hostile = std::fs::read(artifacts::HOSTILE)?;
    for (limits, what) in [
        (
            PluginLimits {
                memory: 64 << 10,
                ..tight()
            },
            "bytes of memory",
        ),
        (
            PluginLimits {
                table_elements: 1,
                ..tight()
            },
            "table elements",
        ),
        (
            PluginLimits {
                instances: 1,
                ..tight()
            },
            "instance",
        ),
    ] {
        let cache = spacecp_tests::scratch::folder()?;
        let engine = PluginEngine::new(limits, &cache.path().join("cache"))?;
        let plugin = PluginHost::load(
            &engine,
            &manifest(&hostile),
            &hostile,
            Arc::new(Quiet::default()),
        )?;
        let request = Request {
            place: Place::Overview,
            listing: spacecp_advisories::render::whole(),
            now: 0,
            may_act: false,
        };
        let refused = plugin.render(&request).await.expect_err("it began");
        assert!(
            refused.to_string().contains(what),
            "{what:?} is not in: {refused}"
        );
    }
    Ok(())
}

#[test]
fn a_cache_that_others_may_write_to_is_refused() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
    let refused = PluginEngine::new(tight(), folder.path()).expect_err("it was used");
    assert!(refused.to_string().contains("0700"), "{refused}");
    Ok(())
}

#[test]
fn only_what_the_plugin_key_signed_is_believed() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = Vendor::new(folder.path(), "customers", jiff::Timestamp::UNIX_EPOCH)?;
    let root = std::fs::read(vendor.root_path())?;
    let signatures = std::fs::read(vendor.root_path().with_extension("root.minisig"))?;
    let root = trust::pinned_root(
        Unverified {
            bytes: &root,
            signatures: &signatures,
        },
        &"customers".parse()?,
    )?;
    let component = std::fs::read(artifacts::HOSTILE)?;
    let verify = |key, component: &[u8], release| {
        let signed = sign(manifest(&std::fs::read(artifacts::HOSTILE)?), &[key])?;
        let offered = Unverified {
            bytes: &signed.bytes,
            signatures: signed.signatures.as_bytes(),
        };
        anyhow::Ok(trust::plugin(&root, offered, component, release))
    };
    let keys = vendor.keys();
    assert!(verify(&keys.plugin, &component, Some(1))?.is_ok());
    assert!(
        matches!(
            verify(&keys.feed, &component, None)?,
            Err(TrustError::Signatures { .. })
        ),
        "another role"
    );
    let mut tampered = component.clone();
    tampered[100] ^= 1;
    assert!(
        matches!(
            verify(&keys.plugin, &tampered, None)?,
            Err(TrustError::Digest { .. })
        ),
        "tampered with"
    );
    assert!(
        matches!(
            verify(&keys.plugin, &component[1..], None)?,
            Err(TrustError::Length { .. })
        ),
        "truncated"
    );
    assert!(
        matches!(
            verify(&keys.plugin, &component, Some(2))?,
            Err(TrustError::PluginRelease { .. })
        ),
        "older than the one that ran"
    );
    let unsigned = Unverified {
        bytes: b"",
        signatures: b"",
    };
    assert!(
        trust::plugin(&root, unsigned, &component, None).is_err(),
        "unsigned"
    );
    Ok(())
}
