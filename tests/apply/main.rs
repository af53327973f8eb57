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
mod capabilities;
mod ceilings;
mod commands;
mod cut_off;
mod disk_data;
mod disk_faults;
mod downtime;
mod ends;
mod every_instant;
mod failing_calls;
mod held_up;
mod hostile;
mod hostile_user;
mod jointly;
mod journal_copy;
mod kept;
mod killed_at_night;
mod like_the_original;
mod mapping;
mod mounts;
mod nested;
mod night;
mod order;
mod outside;
mod own_files;
mod panel;
mod power_loss;
mod race;
mod real_disks;
mod refused;
mod restarts;
mod restarts_cut_off;
mod seen_before;
mod service;
mod site;
mod slow_feed;
mod stolen;
mod strangers;
mod tampered;
mod told_to_end;
mod tree;
mod windows;
