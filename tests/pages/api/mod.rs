//! The API for programs and the metrics, over real HTTP.

mod access;
mod acting;
mod embargo;
mod failures;
mod local;
mod metrics;
pub(crate) mod program;
mod reading;
mod tokens;
