//! Runs the plugin: what may run, under which limits, and what it can ask for.
//!
//! The plugin decides, the shim enforces: nothing in this room acts on what a plugin says. A
//! component runs only with a verified manifest; it is linked to the interfaces of the contract and
//! to nothing else; every call is bounded in time, memory and output; a call that traps or breaks a
//! limit costs the instance, never the shim.

pub mod bindings;
mod call;
mod engine;
mod error;
mod host;
mod imports;
mod limiter;
mod page;
mod plugin_host;
mod services;

pub use engine::PluginEngine;
pub use error::PluginError;
pub use imports::HOSTED_CONTRACT;
pub use plugin_host::{Counts, PluginHost};
pub use services::{Answer, Services, StateWrite};
