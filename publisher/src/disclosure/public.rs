//! What a feed has broadcast that everybody may know, and who says so.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Role, Root, Tlp};
use spacecp_formats::{
    csaf::{Edition, Successor},
    timeline,
};
use spacecp_trust::Verified;

use super::replaced::Replaced;
use crate::{
    external::exporter,
    feed::{Feed, FeedError},
};

/// The advisories that everybody may know of, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Public {
    /// They.
    pub advisories: Vec<Disclosed>,
    /// The sequence of the broadcast.
    pub sequence: Sequence,
}

/// The sequence of a feed, among those that were let start afresh; a later one is greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence {
    /// How often they started afresh.
    pub epoch: u64,
    /// Its number.
    pub number: u64,
}

/// An advisory that everybody may know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosed {
    /// The advisory, without the ids of what is not public.
    pub advisory: Advisory,
    /// Its public revisions, oldest first.
    pub editions: Vec<Edition>,
    /// What has taken its place.
    pub successors: Vec<Successor>,
    /// The signed document; none where it names what is not public.
    pub signed: Option<SignedBytes>,
}

/// A document as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBytes {
    /// The exact bytes.
    pub bytes: Vec<u8>,
    /// One minisign signature a key, each as a file of its own.
    pub signatures: Vec<Signature>,
    /// How many of them have to hold.
    pub threshold: u32,
}

/// A signature and the key that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The contents of a signature file.
    pub text: String,
    /// The public key, as minisign takes it.
    pub key: String,
}

impl Disclosed {
    /// When it first became public.
    pub fn first(&self) -> Timestamp {
        super::addresses::first(&self.editions, self.advisory.modified)
    }
}

impl Public {
    /// What this feed has broadcast at TLP:CLEAR.
    ///
    /// # Errors
    ///
    /// [`FeedError`] where nothing was broadcast that panels would believe, or a document does not verify.
    pub fn of(feed: &Feed) -> Result<Self, FeedError> {
        // Of the folder that is served, and of no desk: what waits there is not even seen.
        let feed = Feed::at(feed.folder());
        let root = feed.root()?;
        let current = feed.current(&root)?;
        let (_, index) = current.ok_or_else(|| FeedError::NoHead(feed.folder().to_owned()))?;
        let (mut clear, mut untold) = (Vec::new(), BTreeSet::new());
        let documents = index.documents.iter();
        for entry in documents.filter(|entry| entry.kind == DocumentKind::Advisory) {
            let advisory = feed.verified_advisory(&root, entry)?;
            if advisory.tlp == Tlp::Clear {
                clear.push(Advisory::clone(&advisory));
            } else {
                untold.insert(advisory.id.to_string());
            }
        }
        let ids: BTreeSet<DocumentId> = clear.iter().map(|one| one.id.clone()).collect();
        let replaced = Replaced::by(&clear);
        let mut advisories = Vec::new();
        for advisory in &clear {
            let successors = replaced.successors(&advisory.id).map(|newer| Successor {
                id: newer.id.clone(),
                reason: timeline::reason_of_supersession(newer, &advisory.id).map(str::to_owned),
                url: None,
            });
            let mut shown = advisory.clone();
            // Corrections that are secret still are named by nothing public: no broadcast lets that out.
            shown.supersedes.retain(|id| ids.contains(id));
            let is_told = |id: &DocumentId| ids.contains(id);
            timeline::redact_superseded(&mut shown.timeline, is_told);
            shown
                .aliases
                .retain(|alias| !untold.contains(alias.as_str()));
            let whole = shown == *advisory;
            advisories.push(Disclosed {
                editions: exporter::editions(&feed, advisory)?,
                successors: successors.collect(),
                signed: whole.then(|| signed(&feed, &root, advisory)).transpose()?,
                advisory: shown,
            });
        }
        advisories.sort_by(|one, other| {
            let newest = |one: &Disclosed| (one.advisory.modified, one.advisory.id.clone());
            newest(other).cmp(&newest(one))
        });
        let sequence = Sequence {
            epoch: root.sequence_epoch,
            number: index.sequence,
        };
        Ok(Self {
            advisories,
            sequence,
        })
    }

    /// One of them.
    pub(super) fn get(&self, id: &DocumentId) -> Option<&Disclosed> {
        self.advisories.iter().find(|one| one.advisory.id == *id)
    }
}

fn signed(
    feed: &Feed,
    root: &Verified<Root>,
    advisory: &Advisory,
) -> Result<SignedBytes, FeedError> {
    let path = FeedPath::document(DocumentKind::Advisory, &advisory.id, advisory.revision);
    let (bytes, signatures) = feed.offered(&path)?;
    let holders = &root.roles[&Role::Advisory];
    // Text that verified is text.
    let text = String::from_utf8_lossy(&signatures);
    let lines: Vec<&str> = text.lines().collect();
    // A signature of minisign is four lines; the second begins with who made it.
    let signatures = lines.chunks_exact(4).filter_map(|block| {
        let of = |key: &&String| id_of(key).is_some_and(|id| id_of(block[1]) == Some(id));
        Some(Signature {
            text: block.join("\n") + "\n",
            key: holders.keys.iter().find(of)?.clone(),
        })
    });
    Ok(SignedBytes {
        signatures: signatures.collect(),
        threshold: holders.threshold,
        bytes,
    })
}

/// The id of a key, as keys and signatures of minisign have it: eight bytes after the algorithm.
fn id_of(base64: &str) -> Option<[u8; 8]> {
    let bytes = data_encoding::BASE64.decode(base64.as_bytes()).ok()?;
    bytes.get(2..10)?.try_into().ok()
}
