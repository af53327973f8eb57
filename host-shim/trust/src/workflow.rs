//! Following a feed, as a state machine: what to fetch next, what is now trusted, which attack.
//!
//! It has no I/O, no clock and no store of its own. Whoever drives it asks [`Workflow::next_request`] for
//! requests, brings bytes from wherever the feed is, and hands them to [`Workflow::answer`]; the
//! same steps follow a web server, a folder, an object store or a file on a USB stick. Nothing that
//! it gives out is unverified, and an error ends it: what was trusted before stays trusted.
//!
//! The order is TUF's (specification, section 5.2 to 5.6): root by root, head, index, documents.
//! What is sealed is looked at when the index is trusted: the bucket that has this panel's envelope, the
//! sealed index, and then the documents of both sides. The one liberty: the head is asked for first, on condition that it changed, so that a feed with
//! nothing new costs one request. What comes back is looked at only after the roots.

mod current;
mod delta;
mod documents;
mod offered;
mod outcome;
mod private;
mod question;
mod trusted;

pub use delta::DeltaError;
pub use outcome::{News, Outcome, PrivateSide, Update, WorkflowError};
pub use question::{Answer, Request};
pub use trusted::{
    HeadNumber, Held, HeldDocument, Pin, PrivateDocuments, Reading, SeenExpired, SeenHead, Trusted,
};

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use spacecp_contract::{Audience, FeedPath, Head, Limits, Root};

use crate::{Before, Identity, TrustError, Verified, by_fingerprint, check_root, head, next_root};
use documents::Wanted;
use offered::Offered;
use private::{Bucket, Opened};

/// Roots that one run steps over; the next run goes on from there.
pub const MOST_ROOTS: usize = 256;

/// Bytes of a head.
const HEAD: u64 = 4 << 10;

/// Bytes of a root.
const ROOT: u64 = 256 << 10;

/// One run: from what is trusted to what is trusted now.
#[derive(Debug)]
pub struct Workflow {
    now: Timestamp,
    audience: Audience,
    pin: Pin,
    trusted: Trusted,
    validator: Option<String>,
    held: Held,
    identity: Option<Identity>,
    limits: Limits,
    phase: Phase,
    asked: bool,
}

/// Where it is, with what it knows there.
#[derive(Debug)]
enum Phase {
    /// Before anything: the pinned root is known by its fingerprint only.
    PinnedRoot,
    /// Whether there is news.
    Head { root: Verified<Root> },
    /// There is: first of all, who may say so now.
    Roots {
        root: Verified<Root>,
        steps: usize,
        head: Offered,
    },
    /// What is current, as a change to what was: short, if the feed has it.
    Delta {
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
    },
    /// What is current.
    Index {
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
    },
    /// Whether there is an envelope for this panel.
    Bucket(Box<Bucket>),
    /// What it opens.
    SealedIndex(Box<Opened>),
    /// What of it is new here.
    Documents {
        root: Verified<Root>,
        update: Box<Update>,
        wanted: VecDeque<Wanted>,
        flying: BTreeMap<FeedPath, Wanted>,
    },
    /// There is no news.
    Unchanged { validator: Option<String> },
    /// There was an error.
    Failed,
}

type Taken = Result<(Phase, Option<News>), WorkflowError>;

impl Workflow {
    /// A run at `now`, for a panel that is `audience`, trusts `trusted` and has `held`.
    pub fn new(
        pin: Pin,
        audience: Audience,
        trusted: Trusted,
        held: Held,
        limits: Limits,
        now: Timestamp,
    ) -> Self {
        let stored = trusted.root.clone();
        let root = stored.filter(|root| root.version >= pin.version());
        let root = root.or_else(|| match &pin {
            Pin::Root(root) => Some((**root).clone()),
            Pin::Fingerprint { .. } => None,
        });
        Self {
            // A clock that went back must not bring back to life what has expired.
            now: now.max(trusted.latest_time),
            audience,
            pin,
            trusted,
            validator: None,
            held,
            identity: None,
            limits,
            phase: root.map_or(Phase::PinnedRoot, |root| Phase::Head { root }),
            asked: false,
        }
    }

    /// The same, with what this very feed said of the head that is trusted.
    ///
    /// It must come from nowhere else: a feed that is asked with the words of another may take them
    /// for its own, and keep its news to itself.
    #[must_use]
    pub fn knowing(mut self, validator: Option<String>) -> Self {
        self.validator = validator;
        self
    }

    /// The same, able to read what is encrypted to this identity. Without one the private side is passed by.
    #[must_use]
    pub fn reading_as(mut self, identity: Option<Identity>) -> Self {
        self.identity = identity;
        self
    }

    /// The time by which it decides: the clock's, or the latest that was ever decided by.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Something to fetch that has not been asked for yet.
    ///
    /// None while answers are awaited, and when it has ended. Several requests may be on their way
    /// at once, and be answered in any order.
    pub fn next_request(&mut self) -> Option<Request> {
        if let Phase::Documents { wanted, flying, .. } = &mut self.phase {
            let one = wanted.pop_front()?;
            let request = one.request(&self.limits);
            flying.insert(request.path.clone(), one);
            return Some(request);
        }
        let (path, limit) = self.only_path().filter(|_| !self.asked)?;
        self.asked = true;
        let validator = match self.phase {
            Phase::Head { .. } => self.validator().map(str::to_owned),
            _ => None,
        };
        Some(Request {
            path,
            signed: !matches!(self.phase, Phase::Bucket(_) | Phase::SealedIndex(_)),
            limit,
            validator,
            optional: matches!(self.phase, Phase::Delta { .. }),
        })
    }

    /// Takes what the feed answered. An error ends the run.
    pub fn answer(
        &mut self,
        path: &FeedPath,
        answer: Answer,
    ) -> Result<Option<News>, WorkflowError> {
        let single = self.only_path().filter(|_| self.asked);
        let awaited = match &self.phase {
            Phase::Documents { flying, .. } => flying.contains_key(path),
            _ => single.is_some_and(|(expected, _)| expected == *path),
        };
        if !awaited {
            return Err(WorkflowError::Unasked { path: path.clone() });
        }
        self.asked = false;
        let (phase, news) = match std::mem::replace(&mut self.phase, Phase::Failed) {
            Phase::PinnedRoot => self.take_pinned_root(path, answer)?,
            Phase::Head { root } => self.take_head(root, path, answer)?,
            Phase::Roots { root, steps, head } => {
                self.take_root(root, steps, head, path, answer)?
            }
            Phase::Delta {
                root,
                head,
                validator,
            } => self.take_delta(root, head, validator, path, answer)?,
            Phase::Index {
                root,
                head,
                validator,
            } => self.take_index(root, head, validator, path, answer)?,
            Phase::Bucket(bucket) => self.take_bucket(*bucket, path, answer)?,
            Phase::SealedIndex(opened) => self.take_sealed_index(*opened, path, answer)?,
            Phase::Documents {
                root,
                update,
                wanted,
                mut flying,
            } => {
                let news = match flying.remove(path) {
                    Some(one) => Some(self.take_document(&root, &one, path, answer)?),
                    None => None,
                };
                let phase = Phase::Documents {
                    root,
                    update,
                    wanted,
                    flying,
                };
                (phase, news)
            }
            ended @ (Phase::Unchanged { .. } | Phase::Failed) => (ended, None),
        };
        self.phase = phase;
        Ok(news)
    }

    /// How it ended; none while it goes on, and after an error.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.phase {
            Phase::Unchanged { validator } => Some(Outcome::Unchanged {
                validator: validator.clone(),
            }),
            Phase::Documents {
                update,
                wanted,
                flying,
                ..
            } if wanted.is_empty() && flying.is_empty() => Some(Outcome::Changed(update.clone())),
            _ => None,
        }
    }

    /// The file of a phase that wants one only, and the bytes that it may have.
    fn only_path(&self) -> Option<(FeedPath, u64)> {
        match &self.phase {
            Phase::PinnedRoot => Some((FeedPath::root(self.pin.version()), ROOT)),
            Phase::Head { .. } => Some((FeedPath::head(), HEAD)),
            Phase::Roots { root, .. } => {
                Some((FeedPath::root(root.version.saturating_add(1)), ROOT))
            }
            Phase::Delta { head, .. } => {
                let old = self.trusted.index.as_ref().map_or(0, |old| old.sequence);
                let limit = self.index_limit(head) / 2;
                Some((FeedPath::delta(head.sequence, old), limit))
            }
            Phase::Index { head, .. } => {
                Some((FeedPath::index(head.sequence), self.index_limit(head)))
            }
            Phase::Bucket(bucket) => Some(bucket.wanted()),
            Phase::SealedIndex(opened) => Some(opened.wanted()),
            Phase::Documents { .. } | Phase::Unchanged { .. } | Phase::Failed => None,
        }
    }

    /// What to say to hear whether the head changed; nothing if an unchanged one would be no news.
    fn validator(&self) -> Option<&str> {
        self.settled_head().and(self.validator.as_deref())
    }

    /// The head behind which there is nothing left to look for: if the feed has it still, there is no news.
    fn settled_head(&self) -> Option<&Verified<Head>> {
        let fresh = self.trusted.fresh_head(self.now);
        fresh.filter(|_| !self.is_owed_a_look())
    }

    fn take_pinned_root(&self, path: &FeedPath, answer: Answer) -> Taken {
        let file = Offered::of(path, answer)?;
        let root = by_fingerprint(file.unverified(), self.pin.digest(), &self.audience)?;
        let phase = Phase::Head { root: root.clone() };
        Ok((phase, Some(News::Root(root))))
    }

    fn take_head(&self, root: Verified<Root>, path: &FeedPath, answer: Answer) -> Taken {
        let unchanged = match &answer {
            Answer::Unchanged => self.validator().is_some(),
            Answer::File { bytes, .. } => {
                let settled = self.settled_head();
                settled.is_some_and(|head| head.bytes() == bytes)
            }
            Answer::Missing => false,
        };
        if unchanged {
            let validator = match answer {
                Answer::File { validator, .. } => validator,
                Answer::Unchanged | Answer::Missing => None,
            };
            return Ok((Phase::Unchanged { validator }, None));
        }
        let head = Offered::of(path, answer)?;
        let steps = 0;
        Ok((Phase::Roots { root, steps, head }, None))
    }

    fn take_root(
        &self,
        root: Verified<Root>,
        steps: usize,
        head: Offered,
        path: &FeedPath,
        answer: Answer,
    ) -> Taken {
        if answer == Answer::Missing {
            return self.end_of_roots(root, head);
        }
        if steps >= MOST_ROOTS {
            return Err(WorkflowError::LongChain {
                reached: root.version,
            });
        }
        let root = next_root(&root, Offered::of(path, answer)?.unverified())?;
        let steps = steps + 1;
        let news = News::Root(root.clone());
        Ok((Phase::Roots { root, steps, head }, Some(news)))
    }

    /// No further root: now the head can be looked at.
    fn end_of_roots(&self, root: Verified<Root>, offered: Offered) -> Taken {
        check_root(&root, self.now)?;
        let seen = &self.trusted.seen_expired;
        if seen.has_root(&root) {
            let version = root.version;
            return Err(TrustError::RootSeenExpired { version }.into());
        }
        let before = self.before(&root);
        let head = head(&root, before, offered.unverified(), self.now)?;
        self.refuse_an_older_head(root.sequence_epoch, head.sequence)?;
        if seen.has_head(root.sequence_epoch, &head) {
            let sequence = head.sequence;
            return Err(TrustError::HeadSeenExpired { sequence }.into());
        }
        let validator = offered.validator;
        if let Some(index) = self.index_at_hand(&root, &head) {
            return Ok((self.after_index(root, head, validator, index)?, None));
        }
        let phase = if delta::is_worth_it(&head, before) {
            Phase::Delta {
                root,
                head,
                validator,
            }
        } else {
            Phase::Index {
                root,
                head,
                validator,
            }
        };
        Ok((phase, None))
    }

    /// Refuses a head that is older than the latest that was ever accepted, whatever is stored of the feed.
    fn refuse_an_older_head(&self, epoch: u64, sequence: u64) -> Result<(), TrustError> {
        let offered = HeadNumber { epoch, sequence };
        match self.trusted.latest_head {
            Some(latest) if offered < latest => Err(TrustError::Sequence {
                trusted: latest.sequence,
                found: sequence,
            }),
            _ => Ok(()),
        }
    }

    fn before(&self, root: &Root) -> Before<'_> {
        Before {
            head: self.trusted.head.as_ref(),
            index: self.trusted.index.as_ref(),
            afresh: root.sequence_epoch > self.trusted.sequence_epoch,
        }
    }
}
