//! Applies corrections on this machine, and rolls them back.
//!
//! [`inventory`] says which components are installed, in which version; [`control`] stops, starts and looks at
//! them from outside; [`apply`] stages, exchanges, and keeps the journal that recovery goes by.
//!
//! May not: act on a document that was not verified; decide that something is applied, which policies and
//! administrators do; write outside a component's directory, its workspace and the state directory. All three
//! work as root in directories that other users may write to: [`apply`] and [`control`] reach everything through
//! a directory that was opened securely, and clippy refuses the rest.
#![forbid(unsafe_code)]

pub mod apply;
pub mod config;
pub mod control;
pub mod inventory;

pub use config::{
    ApplyConfig, ComponentConfig, ControlConfig, HealthCheck, HealthConfig, HttpHealth,
    InventoryConfig, LogHealth, VersionConfig,
};
