//! Runs the plugin: what may run, under which limits, and what it can ask for.
//!
//! The plugin decides, the shim enforces: nothing in this crate acts on what a plugin says, and nothing here
//! reads a store, a feed or a component. Whoever embeds it answers the plugin's imports through [`Services`]. A
//! component runs only with a verified manifest; it is linked to the interfaces of the contract and
//! to nothing else; every call is bounded in time, memory and output; a call that traps or breaks a
//! limit costs the instance, never the shim.
#![forbid(unsafe_code)]

mod answers;
pub mod bindings;
mod call;
mod config;
mod engine;
mod error;
mod host;
mod imports;
mod limiter;
pub mod page;
mod plugin_host;
pub mod printable;
mod services;

pub use config::{PluginConfig, PluginLimits};
pub use engine::PluginEngine;
pub use error::PluginError;
pub use imports::HOSTED_CONTRACT;
pub use plugin_host::{Counts, PluginHost};
pub use services::{Answer, Services, StateWrite};
