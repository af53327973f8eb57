//! OSV 1.x: one record, one advisory.
//!
//! The format is <https://ossf.github.io/osv-schema/>. Pure: no I/O, no clock.

mod affects;
mod events;
mod notice;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod write;

pub use read::to_advisory;
pub use write::{document, id};
