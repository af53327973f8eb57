//! Exposure: what the built plugin says, run by the real host, and that it is what the same code
//! says natively.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so and ends"
)]

mod acknowledged;
mod at_hand;
mod damage;
mod decided;
mod documents;
mod fetched;
mod found;
mod house;
mod identity;
mod panel;
mod plans;
mod remembered;
mod rpm_database;
mod running;
mod semantics;
mod systems;
mod told;
mod urgent;
mod verdicts;
