//! How far a case is.
//!
//! Pure: events go in, and where the case stands comes out. There is no other way to a state than through
//! the events that lead there, and what is not a step of the policy is refused by name.

use jiff::Timestamp;
use spacecp_contract::{Digest, DocumentId};

use super::state_machine::{Entry, Event, State, TransitionError};

/// What the finder says to the last copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Review {
    NotAsked,
    Awaited,
    Approved,
    Objected,
}

/// How far a case is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseStatus {
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

impl CaseStatus {
    /// Where a case stands after its first entry.
    pub fn first(entry: &Entry) -> Result<Self, TransitionError> {
        if entry.event != Event::Reported {
            return Err(TransitionError::Beginning {
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
    pub fn after(&self, entry: &Entry) -> Result<Self, TransitionError> {
        if entry.at < self.last {
            return Err(TransitionError::Clock {
                at: entry.at,
                last: self.last,
            });
        }
        let (allowed, leads_to) = entry.event.transition();
        if !allowed.contains(&self.state) {
            return Err(TransitionError::Forbidden {
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

    fn remember(&mut self, entry: &Entry) -> Result<(), TransitionError> {
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
            } => self.refuse_unreviewed(None)?,
            Event::Told { .. } => (self.untold_since, self.last_told) = (None, Some(entry.at)),
            Event::Credit { agreed, .. } => self.credit = *agreed,
            Event::Drafted { advisory } => match &self.advisory {
                Some(known) if known != advisory => {
                    return Err(TransitionError::Advisory {
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

    /// Refuses a broadcast that the finder has not approved of: of the advisory with this digest, where it is
    /// known what is broadcast.
    pub fn refuse_unreviewed(&self, advisory: Option<&Digest>) -> Result<(), TransitionError> {
        let why = match self.review {
            Review::Approved if advisory.is_some_and(|digest| self.reviewed != Some(*digest)) => {
                "the text differs from the one they approved"
            }
            Review::Approved => return Ok(()),
            Review::NotAsked => "they received no copy of it",
            Review::Awaited => "they have not answered the latest copy",
            Review::Objected => "they object to the latest copy",
        };
        Err(TransitionError::Unreviewed { why })
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
