//! Corrections that survive: real trees, a real store, a feed in a folder, and the world ending at
//! every step.
#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that cannot go on says so and ends"
)]

mod applied;
mod audited;
mod automatic;
mod ceilings;
mod commands;
mod cut_off;
mod jointly;
mod kept;
mod night;
mod panel;
mod refused;
mod restarts;
mod restarts_cut_off;
mod seen_before;
mod service;
mod tampered;
mod tree;
mod windows;
