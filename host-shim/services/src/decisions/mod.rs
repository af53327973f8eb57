//! What administrators decided about exposures: a workaround that is in place, a risk that is
//! accepted.
//!
//! A decision lowers what is urgent and never a verdict: what is affected stays `affected`, with the
//! decision beside it. Decisions are facts that are only added: one is made, and it ends once. It
//! ends when an administrator takes it back or makes another in its place, when its time has come,
//! and when what it rests on has changed, so that nobody goes on relying on a decision about
//! something else. Whatever was decided, and every end, is in the audit log, in the same transaction.
//!
//! May not: look at verdicts, or say that a component is safe.

mod basis;
pub mod local;
mod log;
mod sense;
mod service;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde::Serialize;
use spacecp_contract::DocumentId;
use spacecp_store::StoreError;

use crate::plugin::bindings::exports::spacecp::advisories::exposure::Status;

pub use basis::Basis;
pub use log::{all, current, lift, make, settle};
pub use service::Decisions;
pub use spacecp_render::LONGEST_REASON;

/// Who ends what ends by itself.
const PANEL: &str = "this panel";

/// Decisions that may stand at once.
pub const MOST_STANDING: u32 = 2_000;

/// What kind of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A workaround is in place.
    Workaround,
    /// The risk is accepted.
    Acceptance,
}

impl Kind {
    /// The word that the store and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Workaround => "workaround",
            Self::Acceptance => "acceptance",
        }
    }
}

/// Whether a decision holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It holds.
    Standing,
    /// It cannot be said whether what it rests on is as it was, so nobody relies on it.
    Unknown,
    /// An administrator took it back.
    Lifted,
    /// Another one took its place.
    Replaced,
    /// Its time has come.
    Expired,
    /// What it rests on has changed.
    Reopened,
}

impl State {
    const ENDS: [Self; 4] = [Self::Lifted, Self::Replaced, Self::Expired, Self::Reopened];

    /// The state of a decision with this end, as the store has it; nothing for a word that is none.
    fn read(how: Option<&str>) -> Option<Self> {
        let Some(how) = how else {
            return Some(Self::Standing);
        };
        Self::ENDS.into_iter().find(|state| state.as_str() == how)
    }

    /// The word that the store and scripts use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standing => "standing",
            Self::Unknown => "unknown",
            Self::Lifted => "lifted",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
            Self::Reopened => "reopened",
        }
    }
}

/// One decision, and whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Names it on this panel.
    pub number: u64,
    /// What kind it is.
    pub kind: Kind,
    /// The advisory.
    pub advisory: DocumentId,
    /// The revision of the advisory that was looked at.
    pub revision: u64,
    /// The workaround, by its id within the advisory.
    pub workaround: Option<String>,
    /// The component; none for every component.
    pub component: Option<String>,
    /// Who decided.
    pub by: String,
    /// When.
    pub made: Timestamp,
    /// Until when it is to hold; none for as long as nothing changes.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
    /// Whether it holds.
    pub state: State,
    /// How it ended, or why it cannot be relied on.
    pub end: Option<End>,
    #[serde(skip)]
    basis: Basis,
}

/// How a decision ended, or why it cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// Who ended it; "this panel" where it ended by itself.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
}

impl Decision {
    /// Whether it applies to a component that counts as `status` for an advisory. A decision for all components applies
    /// to affected ones only; an unknown status is accepted for one component at a time.
    pub fn is_about(&self, advisory: &str, component: &str, status: Status) -> bool {
        let own = self.component.as_deref();
        let is_its_own = match status {
            Status::Affected => own.is_none_or(|own| own == component),
            Status::Unknown => own == Some(component),
            Status::Fixed | Status::NotAffected => false,
        };
        is_its_own && self.advisory.as_str() == advisory
    }

    /// The same, and the decision is in force.
    pub fn covers(&self, advisory: &str, component: &str, status: Status) -> bool {
        self.state == State::Standing && self.is_about(advisory, component, status)
    }
}

/// A decision that somebody wants to make.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The workaround that is in place; none to accept the risk.
    pub workaround: Option<String>,
    /// The advisory.
    pub advisory: DocumentId,
    /// The revision that was shown; none to take the present one.
    pub shown: Option<u64>,
    /// The component; none for every component.
    pub component: Option<String>,
    /// Who decides.
    pub by: String,
    /// Until when it is to hold.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: Option<String>,
}

impl Wish {
    fn kind(&self) -> Kind {
        match self.workaround {
            Some(_) => Kind::Workaround,
            None => Kind::Acceptance,
        }
    }
}

/// Why a decision was not made or taken back. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// The panel does not have it.
    #[error("no advisory {advisory} on this panel")]
    NoAdvisory {
        /// The advisory.
        advisory: DocumentId,
    },
    /// There is nothing left to decide.
    #[error("advisory {advisory} was withdrawn by the vendor; no decision is needed")]
    Withdrawn {
        /// The advisory.
        advisory: DocumentId,
    },
    /// Another revision than the one that was looked at.
    #[error(
        "advisory {advisory} changed from revision {shown} to {current} since it was shown. Review it and decide again"
    )]
    Drifted {
        /// The advisory.
        advisory: DocumentId,
        /// The revision that was shown.
        shown: u64,
        /// The present one.
        current: u64,
    },
    /// The advisory describes no such workaround.
    #[error("advisory {advisory} has no workaround {workaround:?}{}", listed(.known))]
    NoWorkaround {
        /// The advisory.
        advisory: DocumentId,
        /// What was asked for.
        workaround: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// No such component is installed.
    #[error("no component {component:?} on this panel")]
    NoComponent {
        /// What was asked for.
        component: String,
    },
    /// The advisory does not speak of the component.
    #[error("advisory {advisory} does not concern {component}; no decision is needed")]
    Unrelated {
        /// The advisory.
        advisory: DocumentId,
        /// The component.
        component: String,
    },
    /// Nothing is unread there.
    #[error(
        "every path at {place:?} was read. List those that were not with \"spacecp-advisories unread\""
    )]
    NothingUnread {
        /// The path that was asked for.
        place: String,
    },
    /// A version that was found is not replaced.
    #[error(
        "the version of {component} was found: {version}. Only a version that could not be read can be set"
    )]
    VersionFound {
        /// The component.
        component: String,
        /// Its version.
        version: String,
    },
    /// A text that is no version of the component.
    #[error("cannot set the version of {component}: {reason}")]
    Version {
        /// The component.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// No risk is accepted, path acknowledged or version set without a reason.
    #[error("a reason is required")]
    NoReason,
    /// A reason that nobody could show.
    #[error("invalid reason: at most {LONGEST_REASON} characters, no control characters")]
    Reason,
    /// None of these is for ever.
    #[error("an end date is required")]
    NoEnd,
    /// A text that is no time.
    #[error(
        "invalid date {text:?}; use a day such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
    )]
    Time {
        /// The text.
        text: String,
    },
    /// It would have ended already.
    #[error("{until} has passed; a decision must end in the future")]
    Passed {
        /// The end that was asked for.
        until: Timestamp,
    },
    /// Longer than the configuration allows.
    #[error(
        "{until} is too far away: a decision can hold for at most {days} days, until {latest} (decisions.longest-acceptance-days)"
    )]
    TooFar {
        /// The end that was asked for.
        until: Timestamp,
        /// The latest that is allowed.
        latest: Timestamp,
        /// The limit in days.
        days: u32,
    },
    /// Too many stand at once.
    #[error("limit of {MOST_STANDING} decisions reached; withdraw those that are no longer needed")]
    TooMany,
    /// No such decision.
    #[error("no {what} to withdraw")]
    NotFound {
        /// What was asked for.
        what: String,
    },
    /// It does not hold any more.
    #[error("decision {number} has already ended: {}", state.as_str())]
    Ended {
        /// Its number.
        number: u64,
        /// How it ended.
        state: State,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DecisionError {
    /// Whether what was asked for is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::NoAdvisory { .. }
                | Self::NoWorkaround { .. }
                | Self::NoComponent { .. }
                | Self::NothingUnread { .. }
                | Self::NotFound { .. }
        )
    }
}

impl From<sqlx::Error> for DecisionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        return "; it has none".to_owned();
    }
    format!("; available: {}", known.join(", "))
}

/// The time that a text means: a day, to its end in UTC, or a time as RFC 3339 has it.
pub fn until(text: &str) -> Result<Timestamp, DecisionError> {
    let failed = || DecisionError::Time {
        text: text.chars().take(80).collect(),
    };
    // A time begins with its day, and means something else.
    if text.len() == "2026-12-31".len() {
        let day: Date = text.parse().map_err(|_| failed())?;
        return last_second(day).ok_or_else(failed);
    }
    text.parse().map_err(|_| failed())
}

/// The latest end of an acceptance that begins `now`: the end of the day so many days away.
fn latest(now: Timestamp, days: u32) -> Timestamp {
    let hours = jiff::SignedDuration::from_hours(24 * i64::from(days));
    let day = now.checked_add(hours).unwrap_or(Timestamp::MAX);
    last_second(TimeZone::UTC.to_datetime(day).date()).unwrap_or(Timestamp::MAX)
}

fn last_second(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.at(23, 59, 59, 0)).ok()
}
