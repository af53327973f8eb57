//! Corrections that survive: real trees, a real store, a feed in a folder, and the world ending at
//! every step.
#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that cannot go on says so and ends"
)]

mod any_end;
mod applied;
mod cut_off;
mod every_instant;
mod hostile;
mod kept;
mod order;
mod power_loss;
mod real_disks;
mod refused;
mod site;
mod strangers;
mod tree;
