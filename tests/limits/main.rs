//! What holds a plugin: each limit has a test that keeps it and one that breaks it, with a guest
//! that is a real component and does its worst.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

mod log;
mod manifest;
mod panel;
mod state;
mod worst;
