//! Finds what is installed inside a component and on a machine: packages, plugins, libraries, runtimes.
//!
//! A crate of its own, so that what reads other people's files can be fuzzed without an engine
//! around it. It reads only, calls no program and asks nobody on the network; it opens files through
//! the folder that it was given and follows no link out of it. What it cannot read it names, with the
//! place and the reason: nothing that was not looked at counts as safe.
//!
//! [`Scanner::scan`] is the way in: it is given [`Job`]s, asks the [`Provider`]s of each, and answers
//! with a [`Report`]. [`ScanLimits`] holds everything that it may spend.
#![forbid(unsafe_code)]

mod assignments;
mod budget;
mod findings;
mod ground;
mod jar;
mod json;
mod limits;
mod look;
mod materials;
mod memory;
mod names;
pub mod processes;
mod providers;
mod report;
mod root;
mod rpm;
mod scanner;
mod text;
mod turn;
mod unique;
mod yaml;

pub use limits::ScanLimits;
pub use providers::Provider;
pub use report::{Found, Limit, Report, Unread, Why};
pub use scanner::{Job, Scanner};

#[doc(hidden)]
pub mod fuzzing;
