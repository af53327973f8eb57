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
mod cut_off;
mod kept;
mod night;
mod refused;
mod tampered;
mod tree;
mod windows;
