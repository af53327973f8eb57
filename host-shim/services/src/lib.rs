//! What a panel does with what it knows: use cases, below every page, command and interface for programs.
//!
//! [`policy`] says what may happen by itself, [`automation`] remembers what is due and what became of it,
//! [`decisions`] is what administrators decided, [`exposures`] from when until when something was exposed,
//! [`remembered`] keeps answers that took long, [`tokens`] says which programs may ask, and [`report`] goes to the
//! vendor, encrypted. Each owns its tables in the store and nobody else's.
//!
//! May not: draw or send anything; touch a component's files, which only the crate below that applies does.
#![forbid(unsafe_code)]

pub mod automation;
mod config;
pub mod decisions;
pub mod exposures;
pub mod policy;
pub mod remembered;
pub mod report;
pub mod tokens;

pub use config::DecisionsConfig;
