//! What expires when, and what panels would stumble over: for a person, and for a timer's alarm. It
//! looks and changes nothing.

use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{DocumentId, DocumentKind, FeedPath, Index, IndexEntry, Role, Root};
use spacecp_trust::{Verified, key_id};

use crate::{
    feed::{Feed, FeedError},
    publish::Embargoed,
};

/// How a feed stands.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// The newest root's version.
    pub root: u64,
    /// When it expires.
    pub root_expires: Timestamp,
    /// Who signs what.
    pub roles: Vec<Holding>,
    /// The sequence that is current; none before the first broadcast, or where panels refuse it.
    pub sequence: Option<u64>,
    /// When its head expires.
    pub head_expires: Option<Timestamp>,
    /// How many documents are current.
    pub documents: usize,
    /// What is under embargo, and for how many panels; none where there is no private side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private: Option<Embargoed>,
    /// What was signed and is not broadcast yet.
    pub waiting: Vec<(DocumentId, u64)>,
    /// What wants to be done, each with how.
    pub problems: Vec<String>,
}

/// Who holds a role.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holding {
    /// The role.
    pub role: Role,
    /// How many must sign.
    pub threshold: u32,
    /// The ids of the keys that may.
    pub keys: Vec<String>,
}

/// How long before its end something is a problem.
#[derive(Debug, Clone, Copy)]
pub struct Margins {
    /// Of a head.
    pub head: SignedDuration,
    /// Of a root.
    pub root: SignedDuration,
}

impl Feed {
    /// How this feed stands at `now`.
    pub fn status(&self, now: Timestamp, margins: Margins) -> Result<Status, FeedError> {
        let root = self.root()?;
        let roles = root.roles.iter().map(|(role, held)| Holding {
            role: *role,
            threshold: held.threshold,
            keys: held.keys.iter().filter_map(|key| key_id(key)).collect(),
        });
        let mut status = Status {
            root: root.version,
            root_expires: root.expires,
            roles: roles.collect(),
            sequence: None,
            head_expires: None,
            documents: 0,
            private: None,
            waiting: Vec::new(),
            problems: Vec::new(),
        };
        if root.expires <= now + margins.root {
            status.problems.push(format!(
                "root {} {} {}: renew it with \"root renew\"",
                root.version,
                expiry(root.expires, now),
                root.expires
            ));
        }
        self.look_at_record(&mut status)?;
        let current = self.current(&root)?;
        match (&current, self.head().unwrap_or(None)) {
            (Some((head, index)), _) => {
                status.sequence = Some(head.sequence);
                status.head_expires = Some(head.expires);
                status.documents = index.documents.len();
                if head.root_version < root.version {
                    status.problems.push(format!(
                        "panels fetch root {} only with a new head: run \"refresh\"",
                        root.version
                    ));
                }
                if head.expires <= now + margins.head {
                    status.problems.push(format!(
                        "the head of sequence {} {} {}: run \"refresh\"",
                        head.sequence,
                        expiry(head.expires, now),
                        head.expires
                    ));
                }
            }
            (None, Some(head)) => status.problems.push(format!(
                "panels reject the head of sequence {}, which no current key of the role feed signed: run \"refresh\"",
                head.sequence
            )),
            // A head that is no head was named above.
            (None, None) if self.public().exists(&FeedPath::head())? => {}
            (None, None) => status
                .problems
                .push("nothing published yet: run \"broadcast\"".to_owned()),
        }
        let index = current.map(|(_, index)| index.document().clone());
        let sealed = match self.sealing() {
            Some(sealing) => sealing.current()?,
            None => (Vec::new(), 0),
        };
        if let Some(index) = index.as_ref().filter(|index| index.sealed.is_some()) {
            self.look_at_private_side(index, &sealed, &mut status)?;
        }
        self.look_at_documents(&root, index.as_ref(), &sealed.0, &mut status)?;
        Ok(status)
    }

    /// Whether the folder is what this desk published last, and has nothing else in it.
    fn look_at_record(&self, status: &mut Status) -> Result<(), FeedError> {
        match self.refuse_unpublished() {
            Err(refused @ (FeedError::Record(_) | FeedError::Directory(_))) => {
                status.problems.push(refused.to_string());
            }
            compared => compared?,
        }
        if let Some(sequence) = self.interrupted()? {
            status.problems.push(format!(
                "a command was interrupted while publishing {sequence}: the next signing command recovers it"
            ));
        }
        for path in self.planted()? {
            status.problems.push(format!(
                "{} was not published from this working directory and is not listed. Remove it",
                path.display()
            ));
        }
        for path in self.spoiled_payloads()? {
            status.problems.push(format!(
                "{} is not the payload that its name says: panels refuse it. Put it back from a copy if a correction brings it, or remove it",
                path.display()
            ));
        }
        let in_clear = self.in_clear()?;
        status
            .problems
            .extend(in_clear.iter().map(ToString::to_string));
        for path in self.spoiled_payloads()? {
            status.problems.push(format!(
                "{} is missing or has wrong contents: panels refuse it. Restore it from a copy if a correction needs it, or remove it",
                path.display()
            ));
        }
        Ok(())
    }

    /// Whether those can read the private side who are to.
    fn look_at_private_side(
        &self,
        index: &Index,
        (documents, panels): &(Vec<IndexEntry>, usize),
        status: &mut Status,
    ) -> Result<(), FeedError> {
        status.private = Some(Embargoed {
            documents: documents.len(),
            panels: *panels,
        });
        match self.refuse_unknown_side(index) {
            Ok(()) => {}
            Err(refused @ (FeedError::SealedElsewhere(_) | FeedError::NotRemembered { .. })) => {
                status.problems.push(refused.to_string());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        match self.sealing() {
            Some(sealing) if sealing.was_enrolled_otherwise()? => status.problems.push(
                "panels were enrolled or revoked since the last broadcast: run \"broadcast\""
                    .to_owned(),
            ),
            _ => {}
        }
        Ok(())
    }

    fn look_at_documents(
        &self,
        root: &Verified<Root>,
        index: Option<&Index>,
        sealed: &[IndexEntry],
        status: &mut Status,
    ) -> Result<(), FeedError> {
        for kind in [DocumentKind::Advisory, DocumentKind::Correction] {
            for entry in self.entries(kind)? {
                if let Err(refused) = self.refuse_unaccepted(root, &entry) {
                    status.problems.push(format!(
                        "{refused}. If its key lost the role, run \"sign-again\""
                    ));
                }
                let known = index.and_then(|index| index.entry(kind, &entry.id));
                let in_private = || {
                    let mut sealed = sealed.iter();
                    sealed.find(|known| known.kind == kind && known.id == entry.id)
                };
                let known = known.or_else(in_private);
                if known.is_none_or(|known| known.revision < entry.revision) {
                    status.waiting.push((entry.id, entry.revision));
                }
            }
        }
        Ok(())
    }
}

fn expiry(at: Timestamp, now: Timestamp) -> &'static str {
    if at <= now {
        "expired on"
    } else {
        "expires on"
    }
}
