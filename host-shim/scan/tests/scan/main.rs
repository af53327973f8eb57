//! Scans of real files: what is found, what is named as unread, and what is not read twice.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so and ends"
)]

mod archives;
mod coverage;
mod declared;
mod differential;
mod hostile;
mod lenient;
mod librpm;
mod packages;
mod place;
mod processes;
mod remembering;
mod rpm_databases;
mod servers;
mod shared;
mod swapped;
