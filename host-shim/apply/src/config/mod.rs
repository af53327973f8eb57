//! What an administrator sets about components, about what is looked for, and about applying corrections.

mod apply;
mod component;
pub mod inventory;

pub use apply::ApplyConfig;
pub use component::{
    ComponentConfig, ControlConfig, HealthCheck, HealthConfig, HttpHealth, LogHealth, VersionConfig,
};
pub use inventory::InventoryConfig;
