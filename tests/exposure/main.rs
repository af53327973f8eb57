//! Exposure: what the built plugin says, run by the real host, and that it is what the same code
//! says natively.

mod panel;
mod plans;
mod verdicts;
