//! Runs the plugin: engine, limits, bindings.
//!
//! The plugin decides, the shim enforces: nothing in this room acts on what a plugin says.

#[allow(unsafe_code)]
pub mod bindings;
mod services;

pub use services::{Answer, Services, StateWrite};
