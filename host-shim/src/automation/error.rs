//! Why automatic application did not do what it was asked for.

use crate::{
    OneProcessError,
    policy::{Excess, PolicyFault},
    store::StoreError,
};

/// Why automatic application did not do what it was asked for. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AutomationError {
    /// Another run is at it, in this process or another.
    #[error("another run of automatic application is under way; try again when it has ended")]
    Busy,
    /// The policy would allow more than the configuration does.
    #[error("the policy goes beyond what the configuration allows: {}", listed(.0))]
    Exceeds(Vec<Excess>),
    /// The policy is none.
    #[error("this is no policy: {0}")]
    Fault(#[from] PolicyFault),
    /// Nothing of that name is in quarantine.
    #[error("{correction} is not in quarantine here")]
    NotQuarantined {
        /// What was asked for.
        correction: String,
    },
    /// Nothing to wait for.
    #[error(
        "there is no maintenance window to wait for: the policy lets things happen at any time. Apply it now, or give the policy a window"
    )]
    NoWindow,
    /// No such appointment waits.
    #[error("no appointment {number} waits here")]
    NoAppointment {
        /// What was asked for.
        number: i64,
    },
    /// Nobody can say whether another run is at it.
    #[error(transparent)]
    Lock(OneProcessError),
    /// The system gave no randomness.
    #[error("the system has no randomness to give this host its place in a wave with: {0}")]
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
        Self::Store(StoreError::Query(error))
    }
}

fn listed(beyond: &[Excess]) -> String {
    let fields: Vec<String> = beyond.iter().map(ToString::to_string).collect();
    fields.join("; ")
}
