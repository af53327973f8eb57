//! The course of a case: the policy's steps, and which may follow which.
//!
//! Pure: events go in, and where the case stands comes out. There is no other way to a state than through
//! the events that lead there, and what is not a step of the policy is refused by name.

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
    fn passage(&self) -> (&'static [State], Option<State>) {
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
pub enum CourseError {
    /// Not a step of the policy.
    #[error(
        "{event:?} does not follow on {state:?}: it follows on {}",
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
    #[error("a case begins with \"reported\", and this one with {event:?}")]
    Beginning {
        /// What came first.
        event: &'static str,
    },
    /// Nobody has approved.
    #[error(
        "the finder has not approved of the advisory ({why}): ask them, or say why it goes out all the same with --without-review"
    )]
    Unreviewed {
        /// What is missing.
        why: &'static str,
    },
    /// The clock is behind what was written.
    #[error(
        "the clock says {at}, and what happened last was at {last}: set the clock, or the entry"
    )]
    Clock {
        /// What the clock says.
        at: Timestamp,
        /// The last entry.
        last: Timestamp,
    },
    /// Two advisories about one case.
    #[error("{known} is being written about this case already, and {asked} is another advisory")]
    Advisory {
        /// The one that is known.
        known: DocumentId,
        /// The other.
        asked: DocumentId,
    },
}

fn listed(states: &[State]) -> String {
    if states.is_empty() {
        return "nothing, and only once".to_owned();
    }
    let words: Vec<String> = states.iter().map(|state| format!("\"{state}\"")).collect();
    words.join(", ")
}

/// What the finder says to the last copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Review {
    NotAsked,
    Awaited,
    Approved,
    Objected,
}

/// Where a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    state: State,
    since: Timestamp,
    last: Timestamp,
    review: Review,
    reviewed: Option<Digest>,
    turn: Timestamp,
    credit: bool,
    advisory: Option<DocumentId>,
    untold_since: Option<Timestamp>,
    last_told: Option<Timestamp>,
}

impl Standing {
    /// Where a case stands after its first entry.
    pub fn first(entry: &Entry) -> Result<Self, CourseError> {
        if entry.event != Event::Reported {
            return Err(CourseError::Beginning {
                event: entry.event.word(),
            });
        }
        Ok(Self {
            state: State::Reported,
            since: entry.at,
            last: entry.at,
            review: Review::NotAsked,
            reviewed: None,
            turn: entry.at,
            credit: false,
            advisory: None,
            // Whoever reports knows it.
            untold_since: None,
            last_told: None,
        })
    }

    /// Where it stands after one more; an error leaves everything as it was.
    pub fn after(&self, entry: &Entry) -> Result<Self, CourseError> {
        if entry.at < self.last {
            return Err(CourseError::Clock {
                at: entry.at,
                last: self.last,
            });
        }
        let (allowed, leads_to) = entry.event.passage();
        if !allowed.contains(&self.state) {
            return Err(CourseError::Forbidden {
                event: entry.event.word(),
                state: self.state.to_string(),
                allowed,
            });
        }
        let mut next = self.clone();
        next.last = entry.at;
        if let Some(state) = leads_to {
            (next.state, next.since) = (state, entry.at);
        }
        if leads_to.is_some() || matches!(entry.event, Event::Answered { .. }) {
            next.turn = entry.at;
        }
        if entry.event.is_step() && next.untold_since.is_none() {
            next.untold_since = Some(entry.at);
        }
        next.remember(entry)?;
        Ok(next)
    }

    fn remember(&mut self, entry: &Entry) -> Result<(), CourseError> {
        match &entry.event {
            Event::Started => self.review = Review::NotAsked,
            Event::Reviewed { advisory, .. } => {
                self.review = Review::Awaited;
                self.reviewed = Some(*advisory);
                // The copy is what tells them.
                (self.untold_since, self.last_told) = (None, Some(entry.at));
            }
            Event::Answered { objections: None } => self.review = Review::Approved,
            Event::Answered { .. } => self.review = Review::Objected,
            Event::Broadcast {
                without_review: None,
            } => self.refuse_unreviewed()?,
            Event::Told { .. } => (self.untold_since, self.last_told) = (None, Some(entry.at)),
            Event::Credit { agreed, .. } => self.credit = *agreed,
            Event::Drafted { advisory } => match &self.advisory {
                Some(known) if known != advisory => {
                    return Err(CourseError::Advisory {
                        known: known.clone(),
                        asked: advisory.clone(),
                    });
                }
                _ => self.advisory = Some(advisory.clone()),
            },
            _ => {}
        }
        Ok(())
    }

    /// Refuses a broadcast that the finder has not approved of.
    pub fn refuse_unreviewed(&self) -> Result<(), CourseError> {
        let why = match self.review {
            Review::Approved => return Ok(()),
            Review::NotAsked => "they got no copy of it",
            Review::Awaited => "they have not answered to the last copy",
            Review::Objected => "they object to the last copy",
        };
        Err(CourseError::Unreviewed { why })
    }

    /// How far it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// When something happened last.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// Whether the finder approved of the last copy.
    pub fn is_approved(&self) -> bool {
        self.review == Review::Approved
    }

    /// The digest of the advisory that the last copy showed.
    pub fn reviewed(&self) -> Option<&Digest> {
        self.reviewed.as_ref()
    }

    /// Whether the finder has a copy and has not answered to it.
    pub fn is_awaiting_review(&self) -> bool {
        self.review == Review::Awaited
    }

    /// Since when what has to follow is waited for: the last step, or the finder's answer.
    pub fn waiting_since(&self) -> Timestamp {
        self.turn
    }

    /// Whether the finder agrees to be named.
    pub fn may_be_credited(&self) -> bool {
        self.credit
    }

    /// The advisory that is written about it.
    pub fn advisory(&self) -> Option<&DocumentId> {
        self.advisory.as_ref()
    }

    /// Since when there is a step that the finder was not told of.
    pub fn untold_since(&self) -> Option<Timestamp> {
        self.untold_since
    }

    /// When the finder was told something last.
    pub fn last_told(&self) -> Option<Timestamp> {
        self.last_told
    }
}
