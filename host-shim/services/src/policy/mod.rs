//! The administrator's rules for automatic application, and what follows from them.
//!
//! Everything here is pure: it is told the time, the verified documents and what is installed, and
//! says what may happen. It holds the plugin's plan against the rules once more, natively, since
//! the plugin plans and the shim enforces; it applies nothing.
//!
//! There are two sets of rules. The configuration file gives the [`Ceiling`], which nothing and
//! nobody goes beyond; the administrator's [`Policy`] is edited on a page and kept in the store.
//! What is in force is always the stricter of the two in every respect.

mod ceiling;
mod check;
mod exposed;
mod hours;
mod refusal;
mod rules;
#[cfg(test)]
mod tests;
mod window;

pub use ceiling::{Ceiling, Excess, InForce};
pub use check::{Asked, Cause, Facts, cause_of, check};
pub use hours::Hours;
pub use refusal::Refusal;
pub use rules::{
    LONGEST_HOURS, MinimumSeverity, Policy, PolicyFault, Restarts, Treatment, Treatments,
};
pub use window::{Day, LONGEST, MOST, Opening, Window, WindowFault, Windows};
pub use window::{first_instant, time_of_day, time_zone};
