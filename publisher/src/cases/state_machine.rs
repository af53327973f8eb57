//! The states of a case, and the policy's transitions between them.
//!
//! Pure words and one table; [`super::status`] walks by it.

use std::fmt;

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId, InScope, OrdinaryBug};

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// A report came in.
    Reported,
    /// The finder was answered.
    Acknowledged,
    /// The flaw was reproduced and is in scope.
    Verified,
    /// It is none of ours to fix in private.
    Rejected,
    /// Somebody works on a solution.
    InWork,
    /// There is one.
    Corrected,
    /// The finder reviews the advisory.
    InReview,
    /// Customers have it, in private.
    Broadcast,
    /// Everybody has it.
    Disclosed,
}

impl State {
    /// All of them, in the policy's order.
    pub const ALL: [Self; 9] = [
        Self::Reported,
        Self::Acknowledged,
        Self::Verified,
        Self::Rejected,
        Self::InWork,
        Self::Corrected,
        Self::InReview,
        Self::Broadcast,
        Self::Disclosed,
    ];

    /// Whether nothing more has to be done.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Rejected | Self::Disclosed)
    }

    /// Whether customers have the advisory, in private at least.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Broadcast | Self::Disclosed)
    }

    /// Whether the flaw was reproduced, so that an advisory may say that it is there.
    pub fn is_verified(self) -> bool {
        !matches!(self, Self::Reported | Self::Acknowledged | Self::Rejected)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reported => "reported",
            Self::Acknowledged => "acknowledged",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::InWork => "in work",
            Self::Corrected => "corrected",
            Self::InReview => "in review",
            Self::Broadcast => "broadcast",
            Self::Disclosed => "disclosed",
        })
    }
}

/// Why a case is not pursued in private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The policy's own list.
    Ordinary(OrdinaryBug),
    /// It could not be reproduced.
    NotReproduced,
    /// It is a bug, and none that concerns security.
    NoVulnerability,
}

impl Rejection {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let ordinary = OrdinaryBug::ALL.iter().copied().map(Self::Ordinary);
        ordinary.chain([Self::NotReproduced, Self::NoVulnerability])
    }

    /// The word that files and command lines use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ordinary(bug) => bug.as_str(),
            Self::NotReproduced => "not-reproduced",
            Self::NoVulnerability => "no-vulnerability",
        }
    }

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|one| one.as_str() == word)
    }

    /// The same for a person.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Ordinary(bug) => bug.sentence(),
            Self::NotReproduced => "it could not be reproduced",
            Self::NoVulnerability => "a bug that does not concern security",
        }
    }
}

/// What answers a flaw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A correction.
    Correction(DocumentId),
    /// What to do instead, where there is no correction.
    Workaround(String),
}

/// What happened to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The report came in.
    Reported,
    /// The finder was answered.
    Acknowledged,
    /// The flaw was reproduced.
    Verified {
        /// As what it is in scope; nothing where one of the policy's sorts does not fit.
        scope: Option<InScope>,
    },
    /// It is not pursued in private.
    Rejected {
        /// Why.
        reason: Rejection,
        /// More about it.
        text: String,
    },
    /// Work on a solution began, or begins again.
    Started,
    /// There is a solution.
    Corrected(Answer),
    /// A copy of the advisory went to the finder.
    Reviewed {
        /// Its mark.
        copy: String,
        /// The digest of the advisory as it was then.
        advisory: Digest,
    },
    /// The finder answered to the last copy.
    Answered {
        /// What they object to; nothing if they approve.
        objections: Option<String>,
    },
    /// Customers have it.
    Broadcast {
        /// Why the finder has not approved of it.
        without_review: Option<String>,
    },
    /// Everybody has it.
    Disclosed,
    /// The finder was told something.
    Told {
        /// What.
        text: String,
    },
    /// The finder agrees to be named, or no longer does.
    Credit {
        /// Whether they agree.
        agreed: bool,
        /// How they said so.
        text: String,
    },
    /// An advisory is being written about it.
    Drafted {
        /// Its id.
        advisory: DocumentId,
    },
}

impl Event {
    /// The word that files use.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Acknowledged => "acknowledged",
            Self::Verified { .. } => "verified",
            Self::Rejected { .. } => "rejected",
            Self::Started => "started",
            Self::Corrected(_) => "corrected",
            Self::Reviewed { .. } => "review-copy",
            Self::Answered { .. } => "answered",
            Self::Broadcast { .. } => "broadcast",
            Self::Disclosed => "disclosed",
            Self::Told { .. } => "told",
            Self::Credit { .. } => "credit",
            Self::Drafted { .. } => "drafted",
        }
    }

    /// Whether it is a step of the policy, which the finder is to be told of.
    pub fn is_step(&self) -> bool {
        !matches!(
            self,
            Self::Told { .. } | Self::Credit { .. } | Self::Drafted { .. } | Self::Answered { .. }
        )
    }

    /// The states that it may follow, and the one that it leads to; none is where it was.
    pub(super) fn transition(&self) -> (&'static [State], Option<State>) {
        use State::{
            Acknowledged, Broadcast, Corrected, Disclosed, InReview, InWork, Rejected, Reported,
            Verified,
        };
        match self {
            Self::Reported => (&[], Some(Reported)),
            Self::Acknowledged => (&[Reported], Some(Acknowledged)),
            Self::Verified { .. } => (&[Acknowledged], Some(Verified)),
            Self::Rejected { .. } => (&[Acknowledged], Some(Rejected)),
            // A correction that does not hold, and a finder's objection, lead back to work.
            Self::Started => (&[Verified, Corrected, InReview], Some(InWork)),
            Self::Corrected(_) => (&[InWork], Some(Corrected)),
            Self::Reviewed { .. } => (&[Corrected, InReview], Some(InReview)),
            Self::Answered { .. } => (&[InReview], None),
            Self::Broadcast { .. } => (&[Corrected, InReview], Some(Broadcast)),
            Self::Disclosed => (&[Broadcast], Some(Disclosed)),
            Self::Told { .. } | Self::Credit { .. } => (&State::ALL, None),
            Self::Drafted { .. } => (
                &[
                    Reported,
                    Acknowledged,
                    Verified,
                    InWork,
                    Corrected,
                    InReview,
                    Broadcast,
                ],
                None,
            ),
        }
    }
}

/// What happened, when, and who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, to the second.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub event: Event,
}

/// Why something cannot happen to a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// Not a step of the policy.
    #[error(
        "{event:?} is not allowed in state {state:?}, only in {}",
        listed(allowed)
    )]
    Forbidden {
        /// What was to happen.
        event: &'static str,
        /// Where the case stands.
        state: String,
        /// After what it may happen.
        allowed: &'static [State],
    },
    /// Something else came first.
    #[error("a case must begin with \"reported\", not {event:?}")]
    Beginning {
        /// What came first.
        event: &'static str,
    },
    /// Nobody has approved.
    #[error(
        "the finder has not approved the advisory ({why}). Ask the finder, or give a reason with --without-review"
    )]
    Unreviewed {
        /// What is missing.
        why: &'static str,
    },
    /// The clock is behind what was written.
    #[error(
        "the time {at} is before the last entry at {last}. Check the clock, or correct the entry"
    )]
    Clock {
        /// What the clock says.
        at: Timestamp,
        /// The last entry.
        last: Timestamp,
    },
    /// Two advisories about one case.
    #[error("this case already has the advisory {known}, not {asked}")]
    Advisory {
        /// The one that is known.
        known: DocumentId,
        /// The other.
        asked: DocumentId,
    },
}

fn listed(states: &[State]) -> String {
    if states.is_empty() {
        return "the beginning, and only once".to_owned();
    }
    let words: Vec<String> = states.iter().map(|state| format!("\"{state}\"")).collect();
    words.join(", ")
}
