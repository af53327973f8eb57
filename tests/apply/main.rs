//! Corrections that survive: real trees, a real store, a feed in a folder, and the world ending at
//! every step.
#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a test that cannot go on says so and ends"
)]

mod any_end;
mod applied;
mod audited;
mod automatic;
mod ceilings;
mod commands;
mod cut_off;
mod ends;
mod every_instant;
mod hostile;
mod jointly;
mod kept;
mod killed_at_night;
mod nested;
mod night;
mod order;
mod own_files;
mod panel;
mod power_loss;
mod real_disks;
mod refused;
mod restarts;
mod restarts_cut_off;
mod seen_before;
mod service;
mod site;
mod strangers;
mod tampered;
mod tree;
mod windows;
