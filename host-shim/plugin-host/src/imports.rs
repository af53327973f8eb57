//! What a component may import, found out before it is compiled.

use wasmparser::{Parser, Payload};

use super::PluginError;

/// The contract that this shim hosts.
pub const HOSTED_CONTRACT: &str = spacecp_contract::CONTRACT_VERSION;

/// The interfaces that a plugin may import.
const INTERFACES: [&str; 8] = [
    "types",
    "documents",
    "inventory",
    "corrections",
    "state",
    "settings",
    "decisions",
    "log",
];

/// Refuses a component that imports anything beyond the contract, by name.
///
/// Bytes that are no component are refused too; nothing has been compiled or run by then.
pub(super) fn check(component: &[u8]) -> Result<(), PluginError> {
    let broken = |reason: String| PluginError::Component { reason };
    let mut depth = 0usize;
    if !Parser::is_component(component) {
        return Err(broken("it is not a WebAssembly component".to_owned()));
    }
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| broken(error.to_string()))? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            // The end of a nested module or component, or of the whole.
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    let import = import.map_err(|error| broken(error.to_string()))?;
                    allowed(import.name.name)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn allowed(import: &str) -> Result<(), PluginError> {
    let interface = import
        .strip_prefix("spacecp:advisories/")
        .and_then(|rest| rest.strip_suffix(HOSTED_CONTRACT))
        .and_then(|rest| rest.strip_suffix('@'));
    match interface {
        Some(interface) if INTERFACES.contains(&interface) => Ok(()),
        _ => Err(PluginError::Import {
            import: import.to_owned(),
        }),
    }
}
