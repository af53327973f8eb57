//! The pages, over real HTTP and from a real terminal program: how they are drawn, who may see
//! them, who may act, and what the browser is told.
#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_debug_formatting,
    reason = "a test that cannot go on says so and ends"
)]

mod acting;
mod auditing;
mod configuration;
mod deciding;
mod drawing;
mod guard;
mod login;
mod notices;
mod panel;
mod policy;
mod program;
mod reading;
mod visitor;
