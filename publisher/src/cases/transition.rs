//! The transitions that a broadcast causes in cases, as they are noted until the cases have recorded them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    id::CaseId,
    state_machine::{Event, State},
};

/// A transition that a broadcast causes in a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTransition {
    /// The case.
    pub case: CaseId,
    /// When the broadcast was made.
    pub at: Timestamp,
    /// Who made it.
    pub by: String,
    /// What happened to the case.
    pub what: Publication,
}

/// What a broadcast can mean for a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Publication {
    /// Customers have the advisory.
    Broadcast {
        /// Why the finder has not approved of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        without_review: Option<String>,
    },
    /// Everybody has the advisory.
    Disclosed,
}

impl CaseTransition {
    /// The event that the case records.
    pub fn event(&self) -> Event {
        match &self.what {
            Publication::Broadcast { without_review } => Event::Broadcast {
                without_review: without_review.clone(),
            },
            Publication::Disclosed => Event::Disclosed,
        }
    }

    /// Whether a case in this state has recorded it already.
    pub(super) fn is_recorded(&self, state: State) -> bool {
        match self.what {
            Publication::Broadcast { .. } => state.is_published(),
            Publication::Disclosed => state == State::Disclosed,
        }
    }
}
