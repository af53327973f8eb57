//! Following a feed, as a state machine: what to fetch next, what is now trusted, which attack.
//!
//! It has no I/O, no clock and no store of its own. Whoever drives it asks [`Workflow::next_request`] for
//! requests, brings bytes from wherever the feed is, and hands them to [`Workflow::answer`]; the
//! same steps follow a web server, a folder, an object store or a file on a USB stick. Nothing that
//! it gives out is unverified, and an error ends it: what was trusted before stays trusted.
//!
//! The order is TUF's (specification, section 5.2 to 5.6): root by root, head, index, documents.
//! The one liberty: the head is asked for first, on condition that it changed, so that a feed with
//! nothing new costs one request. What comes back is looked at only after the roots.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use spacecp_contract::{
    Audience, DELTAS, Digest, DocumentId, DocumentKind, FeedPath, Head, Index, IndexDelta,
    IndexEntry, Limits, Root, WORTH_A_DELTA,
};

use crate::{
    AnyDocument, Before, TrustError, Unverified, Verified, by_fingerprint, check_root, document,
    head, index, next_root, pinned_root,
};

/// Roots that one run steps over; the next run goes on from there.
pub const MOST_ROOTS: usize = 256;

/// Bytes of a head.
const HEAD: u64 = 4 << 10;

/// Bytes of a root.
const ROOT: u64 = 256 << 10;

/// What a panel trusts of a feed.
#[derive(Debug, Clone, Default)]
pub struct Trusted {
    /// The newest root; none before the first sync.
    pub root: Option<Verified<Root>>,
    /// The sequence epoch by which head and index were accepted.
    pub sequence_epoch: u64,
    /// The head.
    pub head: Option<Verified<Head>>,
    /// What to say to hear whether the head changed.
    pub head_validator: Option<String>,
    /// The index.
    pub index: Option<Verified<Index>>,
    /// The latest time by which anything was decided; the clock may not go behind it.
    pub latest_time: Timestamp,
}

impl Trusted {
    /// The head, unless it or the root above it has expired at `now`.
    pub fn fresh_head(&self, now: Timestamp) -> Option<&Verified<Head>> {
        let root = self.root.as_ref()?;
        check_root(root, now).ok()?;
        self.head.as_ref().filter(|head| head.expires > now)
    }
}

/// Where trust begins: what the administrator was handed over apart from the feed.
#[derive(Debug, Clone)]
pub enum Pin {
    /// The first root itself.
    Root(Box<Verified<Root>>),
    /// The digest of the first root, which is then fetched from the feed.
    Fingerprint {
        /// Which root it is.
        version: u64,
        /// The digest of its bytes.
        digest: Digest,
    },
}

impl Pin {
    /// Pins a root that was handed over as a file: it must be signed by its own root keys.
    pub fn root(offered: Unverified<'_>, audience: &Audience) -> Result<Self, TrustError> {
        Ok(Self::Root(Box::new(pinned_root(offered, audience)?)))
    }

    /// The version of the pinned root.
    pub fn version(&self) -> u64 {
        match self {
            Self::Root(root) => root.version,
            Self::Fingerprint { version, .. } => *version,
        }
    }

    /// The digest of the pinned root's bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Root(root) => Digest::of(root.bytes()),
            Self::Fingerprint { digest, .. } => *digest,
        }
    }
}

/// A document that need not be fetched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldDocument {
    /// Its revision.
    pub revision: u64,
    /// The digest of its bytes.
    pub digest: Digest,
    /// The root under which it was verified, if it has not been accepted yet: a run that was cut
    /// off left it behind, and it counts only as long as the same root is trusted.
    pub waiting_under: Option<u64>,
}

/// What the store has, by kind and id.
pub type Held = BTreeMap<(DocumentKind, DocumentId), HeldDocument>;

/// One thing to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The file. Its signatures, beside it, are wanted too if it is there and has changed.
    pub path: FeedPath,
    /// Bytes that it may have.
    pub limit: u64,
    /// What the feed said of it last; if it says so again, the file is not needed.
    pub validator: Option<String>,
}

/// What the feed answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is no such file.
    Missing,
    /// It is as the validator says.
    Unchanged,
    /// The file.
    File {
        /// Its bytes.
        bytes: Vec<u8>,
        /// The signature file beside it; none if it is missing.
        signatures: Option<Vec<u8>>,
        /// What to say to hear whether it changed.
        validator: Option<String>,
    },
}

/// Something that is now verified, and is to be kept whatever becomes of the rest.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and handed on")]
pub enum News {
    /// A root: a key that was taken back once must not be believed again because somebody holds
    /// back the news or spoils the head. To be made durable at once.
    Root(Verified<Root>),
    /// A document, verified under the root of this version. To wait until everything has come.
    Document(AnyDocument, u64),
}

/// How it ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The feed has nothing new to say.
    Unchanged,
    /// Everything that the new head promises has come and was verified.
    Changed(Box<Update>),
}

/// What is to become trusted, all of it at once.
#[derive(Debug, Clone)]
pub struct Update {
    /// The head.
    pub head: Verified<Head>,
    /// What to say to hear whether it changed.
    pub head_validator: Option<String>,
    /// The index.
    pub index: Verified<Index>,
    /// The version of the root by which they were verified.
    pub root_version: u64,
    /// That root's sequence epoch.
    pub sequence_epoch: u64,
}

/// Why a run ended without an outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// Something is not believed.
    #[error("the feed offered something that this panel refuses: {0}")]
    Refused(#[from] TrustError),
    /// A file that the feed must have is not there.
    #[error("the feed does not have {path}, which it must have")]
    Missing {
        /// The file.
        path: FeedPath,
    },
    /// More roots than one run steps over.
    #[error("the chain of roots goes on beyond root {reached}; the next sync goes on from there")]
    LongChain {
        /// The newest that is trusted now.
        reached: u64,
    },
    /// An answer to a question that was not asked.
    #[error("{path} was not asked for")]
    Unasked {
        /// The file.
        path: FeedPath,
    },
}

/// One run: from what is trusted to what is trusted now.
#[derive(Debug)]
pub struct Workflow {
    now: Timestamp,
    audience: Audience,
    pin: Pin,
    trusted: Trusted,
    held: Held,
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
    /// What of it is new here.
    Documents {
        root: Verified<Root>,
        update: Update,
        wanted: VecDeque<IndexEntry>,
        flying: BTreeMap<FeedPath, IndexEntry>,
    },
    /// There is no news.
    Unchanged,
    /// There was an error.
    Failed,
}

/// A head before anything about it was verified.
#[derive(Debug)]
struct Offered {
    bytes: Vec<u8>,
    signatures: Vec<u8>,
    validator: Option<String>,
}

/// Whether to ask for what changed since the index that is trusted.
fn is_worth_a_delta(head: &Head, before: Before<'_>) -> bool {
    let since = before.index.filter(|_| !before.afresh);
    let since = since.and_then(|old| head.sequence.checked_sub(old.sequence));
    head.index_length >= WORTH_A_DELTA && since.is_some_and(|since| (1..=DELTAS).contains(&since))
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
            held,
            limits,
            phase: root.map_or(Phase::PinnedRoot, |root| Phase::Head { root }),
            asked: false,
        }
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
            let entry = wanted.pop_front()?;
            let path = FeedPath::document(entry.kind, &entry.id, entry.revision);
            let limit = entry.length.min(self.limits.bytes as u64);
            flying.insert(path.clone(), entry);
            return Some(Request {
                path,
                limit,
                validator: None,
            });
        }
        let (path, limit) = self.only_path().filter(|_| !self.asked)?;
        self.asked = true;
        let validator = match self.phase {
            Phase::Head { .. } => self.validator().map(str::to_owned),
            _ => None,
        };
        Some(Request {
            path,
            limit,
            validator,
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
            } => self.take_delta(root, head, validator, answer),
            Phase::Index {
                root,
                head,
                validator,
            } => self.take_index(root, head, validator, path, answer)?,
            Phase::Documents {
                root,
                update,
                wanted,
                mut flying,
            } => {
                let news = match flying.remove(path) {
                    Some(entry) => Some(self.take_document(&root, &entry, path, answer)?),
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
            ended @ (Phase::Unchanged | Phase::Failed) => (ended, None),
        };
        self.phase = phase;
        Ok(news)
    }

    /// How it ended; none while it goes on, and after an error.
    pub fn outcome(&self) -> Option<Outcome> {
        match &self.phase {
            Phase::Unchanged => Some(Outcome::Unchanged),
            Phase::Documents {
                update,
                wanted,
                flying,
                ..
            } if wanted.is_empty() && flying.is_empty() => {
                Some(Outcome::Changed(Box::new(update.clone())))
            }
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
            Phase::Documents { .. } | Phase::Unchanged | Phase::Failed => None,
        }
    }

    /// What to say to hear whether the head changed; nothing if an unchanged one would be no news.
    fn validator(&self) -> Option<&str> {
        let fresh = self.trusted.fresh_head(self.now);
        fresh.and(self.trusted.head_validator.as_deref())
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
                let fresh = self.trusted.fresh_head(self.now);
                fresh.is_some_and(|head| head.bytes() == bytes)
            }
            Answer::Missing => false,
        };
        if unchanged {
            return Ok((Phase::Unchanged, None));
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
        let before = self.before(&root);
        let head = head(&root, before, offered.unverified(), self.now)?;
        let validator = offered.validator;
        let phase = if is_worth_a_delta(&head, before) {
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

    /// Bytes that the index may have.
    fn index_limit(&self, head: &Head) -> u64 {
        head.index_length.min(self.limits.bytes as u64)
    }

    /// A delta that is not there, or does not make the index that the head names, is passed over:
    /// the index itself is asked for.
    fn take_delta(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        answer: Answer,
    ) -> (Phase, Option<News>) {
        let before = self.before(&root);
        let made = self.made_by_delta(answer);
        let verified = made.and_then(|file| {
            let offered = file.unverified();
            index(&root, &head, before, offered, &self.limits).ok()
        });
        let phase = match verified {
            Some(index) => self.documents(root, head, validator, index),
            None => Phase::Index {
                root,
                head,
                validator,
            },
        };
        (phase, None)
    }

    /// What a delta makes of the index that is trusted: not verified yet.
    fn made_by_delta(&self, answer: Answer) -> Option<Offered> {
        let Answer::File {
            bytes,
            signatures: Some(signatures),
            validator,
        } = answer
        else {
            return None;
        };
        let delta = IndexDelta::from_bytes(&bytes, &self.limits)?;
        let bytes = delta.apply(self.trusted.index.as_ref()?)?;
        Some(Offered {
            bytes,
            signatures,
            validator,
        })
    }

    fn take_index(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        path: &FeedPath,
        answer: Answer,
    ) -> Taken {
        let file = Offered::of(path, answer)?;
        let before = self.before(&root);
        let index = index(&root, &head, before, file.unverified(), &self.limits)?;
        Ok((self.documents(root, head, validator, index), None))
    }

    /// What of a new index has to be fetched.
    fn documents(
        &self,
        root: Verified<Root>,
        head: Verified<Head>,
        validator: Option<String>,
        index: Verified<Index>,
    ) -> Phase {
        let afresh = self.before(&root).afresh;
        let here = |entry: &&IndexEntry| !self.holds(&root, afresh, entry);
        let wanted = index.documents.iter().filter(here).cloned().collect();
        let update = Update {
            head,
            head_validator: validator,
            index,
            root_version: root.version,
            sequence_epoch: root.sequence_epoch,
        };
        Phase::Documents {
            root,
            update,
            wanted,
            flying: BTreeMap::new(),
        }
    }

    fn take_document(
        &self,
        root: &Verified<Root>,
        entry: &IndexEntry,
        path: &FeedPath,
        answer: Answer,
    ) -> Result<News, WorkflowError> {
        let file = Offered::of(path, answer)?;
        let document = document(root, entry, file.unverified(), &self.limits)?;
        Ok(News::Document(document, root.version))
    }

    /// Whether a document need not be fetched.
    fn holds(&self, root: &Root, afresh: bool, entry: &IndexEntry) -> bool {
        let held = self.held.get(&(entry.kind, entry.id.clone()));
        held.is_some_and(|held| {
            let still = match held.waiting_under {
                Some(version) => version == root.version,
                // Revisions start afresh: the same number may be another document.
                None => !afresh,
            };
            still && held.revision == entry.revision && held.digest == entry.digest
        })
    }

    fn before(&self, root: &Root) -> Before<'_> {
        Before {
            head: self.trusted.head.as_ref(),
            index: self.trusted.index.as_ref(),
            afresh: root.sequence_epoch > self.trusted.sequence_epoch,
        }
    }
}

impl Offered {
    /// A file with its signatures; an error if either is not there.
    fn of(path: &FeedPath, answer: Answer) -> Result<Self, WorkflowError> {
        let missing = |path: FeedPath| WorkflowError::Missing { path };
        let Answer::File {
            bytes,
            signatures,
            validator,
        } = answer
        else {
            return Err(missing(path.clone()));
        };
        let signatures = signatures.ok_or_else(|| missing(path.signatures()))?;
        Ok(Self {
            bytes,
            signatures,
            validator,
        })
    }

    fn unverified(&self) -> Unverified<'_> {
        Unverified {
            bytes: &self.bytes,
            signatures: &self.signatures,
        }
    }
}
