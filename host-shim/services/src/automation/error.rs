//! Why automatic application did not do what it was asked for.

use spacecp_fs::OneProcessError;
use spacecp_store::StoreError;

use crate::policy::{Excess, PolicyFault};

/// Why automatic application did not do what it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AutomationError {
    /// Another run is at it, in this process or another.
    #[error("another run of automatic application is in progress; retry when it has ended")]
    Busy,
    /// The policy would allow more than the configuration does.
    #[error("the policy exceeds the limits in the configuration: {}", listed(.0))]
    Exceeds(Vec<Excess>),
    /// The policy is none.
    #[error("invalid policy: {0}")]
    Fault(#[from] PolicyFault),
    /// Nothing of that name is in quarantine.
    #[error("correction {correction} is not in quarantine")]
    NotQuarantined {
        /// What was asked for.
        correction: String,
    },
    /// Nothing to wait for.
    #[error(
        "no maintenance window: the policy allows applying at any time. Apply the correction now, or add a window to the policy"
    )]
    NoWindow,
    /// No such appointment waits.
    #[error("no scheduled correction {number} is pending")]
    NoAppointment {
        /// What was asked for.
        number: i64,
    },
    /// Nobody can say whether another run is at it.
    #[error(transparent)]
    Lock(OneProcessError),
    /// The system gave no randomness.
    #[error(
        "cannot assign this host a rollout wave: the system's random number generator failed: {0}"
    )]
    Randomness(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<OneProcessError> for AutomationError {
    fn from(error: OneProcessError) -> Self {
        match error {
            OneProcessError::Busy => Self::Busy,
            lock @ OneProcessError::Lock { .. } => Self::Lock(lock),
        }
    }
}

impl From<sqlx::Error> for AutomationError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn listed(beyond: &[Excess]) -> String {
    let fields: Vec<String> = beyond.iter().map(ToString::to_string).collect();
    fields.join("; ")
}
