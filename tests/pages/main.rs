//! The pages, over real HTTP and from a real terminal program: how they are drawn, who may see
//! them, who may act, and what the browser is told.
#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_debug_formatting,
    reason = "a test that cannot go on says so and ends"
)]

mod acting;
mod api;
mod appointed;
mod auditing;
mod browser;
mod clock;
mod closed;
mod codes;
mod concurrency;
mod configuration;
mod configuration_reference;
mod connections;
mod deciding;
mod documents;
mod drawing;
mod embargo;
mod embedded;
mod guard;
mod health;
mod listing;
mod local;
mod login;
mod notices;
mod own_process;
mod packaging;
mod panel;
mod policy;
mod program;
mod reading;
mod recorded;
mod redaction;
mod reporting;
mod restarts;
mod served;
mod sessions;
mod siege;
mod unprivileged;
mod visitor;
mod working;
