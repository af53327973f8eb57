//! The states of an application, by the words that the journal has for them.

use crate::apply::Outcome;

/// Where an application is. The words are those of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apply) enum State {
    Planned,
    Staged,
    Verified,
    Stopping,
    Stopped,
    Swapping,
    Swapped,
    Starting,
    Started,
    Healthy,
    Committed,
    Failed,
    /// The check after the exchange failed, and the old tree is being put back.
    Undoing,
    RollingBack,
    RolledBack,
}

impl State {
    pub(in crate::apply) fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Staged => "staged",
            Self::Verified => "verified",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Swapping => "swapping",
            Self::Swapped => "swapped",
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Healthy => "healthy",
            Self::Committed => "committed",
            Self::Failed => "failed",
            Self::Undoing => "undoing",
            Self::RollingBack => "rolling-back",
            Self::RolledBack => "rolled-back",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [
            Self::Planned,
            Self::Staged,
            Self::Verified,
            Self::Stopping,
            Self::Stopped,
            Self::Swapping,
            Self::Swapped,
            Self::Starting,
            Self::Started,
            Self::Healthy,
            Self::Committed,
            Self::Failed,
            Self::Undoing,
            Self::RollingBack,
            Self::RolledBack,
        ]
        .into_iter()
        .find(|state| state.word() == word)
    }

    /// Whether nothing more is to be done.
    pub(in crate::apply) fn is_final(self) -> bool {
        matches!(self, Self::Committed | Self::Failed | Self::RolledBack)
    }

    /// Whether it decides which tree belongs in the component's place.
    pub(super) fn decides(self) -> bool {
        matches!(self, Self::Committed | Self::Undoing | Self::RollingBack)
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Committed => Outcome::Applied,
            Self::Failed => Outcome::Failed,
            Self::RolledBack => Outcome::RolledBack,
            _ => Outcome::InProgress,
        }
    }
}
