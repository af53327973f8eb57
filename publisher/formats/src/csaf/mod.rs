//! CSAF 2.0: one document, one advisory, also where it speaks of several vulnerabilities.
//!
//! The format is <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>. Such a document is
//! what its vendor publishes, corrects and supersedes as one; its CVE numbers are the advisory's
//! aliases, and a component is affected if any of its vulnerabilities affects it. Pure: no I/O, no
//! clock.

mod extent;
mod narrowing;
mod notice;
mod products;
mod read;
mod record;
mod relationships;
mod spared;
mod statement;
mod status;
#[cfg(test)]
mod tests;
mod tree;
mod vers;
mod words;
mod write;

pub use read::to_advisory;
pub use write::{Circumstances, Edition, Issuer, Successor, WriteError, document, said};
