//! A component into a signed plugin.
//!
//! What is no plugin is refused before it is signed: a panel would refuse it, too, but on every customer's machine.
//! May not: run a component.

use jiff::Timestamp;
use spacecp_contract::{CONTRACT_VERSION, Digest, PluginManifest};
use wasmparser::{Encoding, Parser, Payload, Validator};

/// The package of the interfaces that a panel offers a plugin.
const PACKAGE: &str = "spacecp:advisories/";

/// The interfaces of that package that a plugin may import.
const IMPORTS: [&str; 8] = [
    "documents",
    "inventory",
    "corrections",
    "state",
    "settings",
    "decisions",
    "log",
    "types",
];

/// The interfaces of that package that a plugin has to export.
const EXPORTS: [&str; 3] = ["exposure", "automation", "pages"];

/// Why bytes are not a plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// They are a core module.
    #[error(
        "it is a core module, not a component. Build it as a component of the world spacecp:advisories/plugin, for \
         example with \"wasm-tools component new\""
    )]
    CoreModule,
    /// They are not valid WebAssembly.
    #[error("it is not a valid WebAssembly component: {0}")]
    Invalid(String),
    /// It imports what no panel offers.
    #[error(
        "it imports {0}, which panels do not offer: a plugin may import only the interfaces of {PACKAGE}, version {CONTRACT_VERSION}"
    )]
    Import(String),
    /// It does not export what every panel calls.
    #[error("it does not export {PACKAGE}{0}@{CONTRACT_VERSION}, which panels call")]
    Export(&'static str),
}

/// Checks that these bytes are a component that panels with this contract can load.
pub fn check(component: &[u8]) -> Result<(), PluginError> {
    let invalid = |error: wasmparser::BinaryReaderError| PluginError::Invalid(error.to_string());
    if Parser::is_core_wasm(component) {
        return Err(PluginError::CoreModule);
    }
    Validator::new().validate_all(component).map_err(invalid)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // Only what the component itself imports and exports: the modules and components inside it have sections, too.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::Version { encoding, .. } => {
                depth += 1;
                if depth == 1 && encoding != Encoding::Component {
                    return Err(PluginError::CoreModule);
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    exports.push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    let is = |name: &str, interface: &str| {
        name.strip_prefix(PACKAGE)
            .and_then(|name| name.split_once('@'))
            == Some((interface, CONTRACT_VERSION))
    };
    let is_offered = |name: &&String| IMPORTS.iter().any(|interface| is(name, interface));
    if let Some(import) = imports.iter().find(|name| !is_offered(name)) {
        return Err(PluginError::Import(import.clone()));
    }
    let lacks = |interface: &&&str| !exports.iter().any(|name| is(name, interface));
    match EXPORTS.iter().find(lacks) {
        Some(interface) => Err(PluginError::Export(interface)),
        None => Ok(()),
    }
}

/// The manifest of these bytes.
pub fn manifest(
    plugin: &str,
    version: &semver::Version,
    release: u64,
    component: &[u8],
    issued: Timestamp,
) -> PluginManifest {
    PluginManifest {
        plugin: plugin.to_owned(),
        version: version.to_string(),
        release,
        contract: CONTRACT_VERSION.to_owned(),
        issued,
        component: Digest::of(component),
        length: component.len() as u64,
        abilities: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_module_is_refused_as_one() {
        assert_eq!(check(b"\0asm\x01\0\0\0"), Err(PluginError::CoreModule));
    }

    #[test]
    fn a_component_that_panels_cannot_call_is_refused() {
        let empty = b"\0asm\x0d\0\x01\0";
        assert_eq!(check(empty), Err(PluginError::Export("exposure")));
    }

    #[test]
    fn anything_else_is_refused_as_invalid() {
        for bytes in [b"".as_slice(), b"#!/bin/sh\n", b"\0asm"] {
            assert!(
                matches!(check(bytes), Err(PluginError::Invalid(_))),
                "{bytes:?}"
            );
        }
    }
}
