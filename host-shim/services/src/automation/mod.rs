//! What automatic application remembers: the policy in force, what is due when, what each run did
//! and held back, and what is in quarantine.
//!
//! A run is written down before anything of it begins, so that whatever interrupts it, the next one
//! finds what was under way and never tries the same thing blindly again. Nothing here decides:
//! the plugin plans, the rules of [`policy`](crate::policy) are asked, and [`Automation`] acts.

mod agenda;
mod error;
mod ledger;
mod policy_context;
mod policy_page;
mod policy_report;
mod quarantine;
mod run;
mod run_entries;
mod runs;
mod scheduled_applies;
mod scheduling;
mod service;

pub use agenda::{Agenda, Wake};
pub use error::AutomationError;
pub use ledger::{Decided, Ledger};
pub use policy_page::{lines, page as policy_page, trial};
pub use policy_report::PolicyReport;
pub use quarantine::Quarantine;
pub use run::AUTOMATIC;
pub use runs::{Fate, Line, Occasion, Run, UnderWay};
pub use scheduled_applies::{Appointment, Kept, Wanted};
pub use service::{Automation, Preview};

use std::path::Path;

use jiff::Timestamp;
use spacecp_fs::OneProcess;

/// Lets nobody else run as long as it is held, or says that somebody does. `state` is the shim's own folder.
pub fn one_run(state: &Path) -> Result<OneProcess, AutomationError> {
    Ok(OneProcess::take(&state.join("automation.lock"))?)
}

/// Tells the time. The system's clock, but for tests, which do not wait for a window.
pub trait Clock: std::fmt::Debug + Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
