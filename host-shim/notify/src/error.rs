//! Why somebody was not told.

use std::{path::PathBuf, time::Duration};

use spacecp_fs::OneProcessError;
use spacecp_services::{ErrorKind, ServiceError, of_store};
use spacecp_store::StoreError;

use crate::ReadingError;

/// Why notifications could not be looked after.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Nothing is configured.
    #[error("no notification channels configured; add [[notify.channel]] to the configuration")]
    NoChannel,
    /// No channel of that name.
    #[error("no notification channel {name:?}; configured: {}", known.join(", "))]
    UnknownChannel {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Another process is at it.
    #[error("another process of this panel is delivering notifications; retry in a minute")]
    Busy,
    /// Nobody can say whether another process is at it.
    #[error(transparent)]
    Lock(OneProcessError),
    /// The trial was not delivered.
    #[error("channel {channel:?}: test notification failed: {source}")]
    Trial {
        /// The channel.
        channel: String,
        /// Why.
        source: DeliveryError,
    },
    /// A report to the vendor was not mailed.
    #[error("cannot e-mail the vulnerability report: {0}. Keep it and send it another way")]
    Report(DeliveryError),
    /// What somebody has read.
    #[error(transparent)]
    Reading(#[from] ReadingError),
    /// What there is to notify of.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotifyError {
    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoChannel => ErrorKind::Configuration,
            Self::UnknownChannel { .. } => ErrorKind::NotFound,
            Self::Busy => ErrorKind::Busy,
            Self::Trial { .. } | Self::Report(_) => ErrorKind::Delivery,
            Self::Reading(error) => of_reading(error),
            Self::Service(error) => error.kind(),
            Self::Store(error) => of_store(error),
            Self::Lock(_) => ErrorKind::Fault,
        }
    }
}

fn of_reading(error: &ReadingError) -> ErrorKind {
    match error {
        ReadingError::NoAdvisory { .. } | ReadingError::NotDismissed { .. } => ErrorKind::NotFound,
        ReadingError::Drifted { .. } => ErrorKind::Drifted,
        ReadingError::Name => ErrorKind::Invalid,
        ReadingError::TooMany => ErrorKind::Refused,
        ReadingError::Store(error) => of_store(error),
    }
}

impl From<OneProcessError> for NotifyError {
    fn from(error: OneProcessError) -> Self {
        match error {
            OneProcessError::Busy => Self::Busy,
            lock @ OneProcessError::Lock { .. } => Self::Lock(lock),
        }
    }
}

/// Why a receiver did not take something. Nothing in it is the receiver's own text but the first line
/// of a mail server's reply, and no address is in it, as that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It answered with something else than success.
    #[error("the receiver answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// For how long it asked to be left alone.
        asked_for: Option<Duration>,
    },
    /// It wants the message to go elsewhere.
    #[error(
        "the receiver answered with redirect {status}; redirects are not followed. Configure the final address"
    )]
    Redirect {
        /// The status.
        status: u16,
    },
    /// It took too long.
    #[error("no complete answer within {} s", allowed.as_secs())]
    TimeOut {
        /// The limit.
        allowed: Duration,
    },
    /// The connection.
    #[error("cannot reach the receiver: {reason}")]
    Connection {
        /// What is wrong.
        reason: String,
    },
    /// A mail server said no.
    #[error("the mail server rejected the message: {reason}")]
    Mail {
        /// Its words, as far as they may be shown.
        reason: String,
    },
    /// A file with a secret.
    #[error("cannot use {}: {reason}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// This machine cannot make a client for it.
    #[error("cannot send notifications: {reason}")]
    Client {
        /// What is wrong.
        reason: String,
    },
}

impl DeliveryError {
    /// For how long the receiver asked to be left alone.
    pub(super) fn asked_for(&self) -> Option<Duration> {
        match self {
            Self::Status { asked_for, .. } => *asked_for,
            _ => None,
        }
    }
}
