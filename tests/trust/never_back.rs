//! Whatever a vendor does and whatever a network makes of it: what a panel trusts is what the vendor
//! signed, and never older than before.
//!
//! The vendor is the real publisher, the panel the real state machine; the network between them is a
//! list of choices that the property test makes: which state of the feed each answer comes from, and
//! what is done to its bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, Result};
use jiff::Timestamp;
use proptest::prelude::*;
use spacecp_advisories::trust::{
    AnyDocument, Verified,
    workflow::{Answer, Held, HeldDocument, News, Outcome, Pin, Trusted, Workflow},
};
use spacecp_contract::{DocumentId, DocumentKind, FeedPath, Limits, Role};
use spacecp_publisher::{
    keys::SecretKey,
    roots::{self, Change},
    sign,
};
use spacecp_tests::{catalog, vendor::Vendor};
use walkdir::WalkDir;

use crate::scene::{advisory, hours, noon};

/// What the vendor does next.
#[derive(Debug, Clone, Copy)]
enum Action {
    /// Signs the next revision of the advisory and broadcasts it.
    Revise,
    /// Says that nothing is new.
    Refresh,
    /// Exchanges the feed key.
    RotateFeed,
    /// Exchanges the advisory key, and signs again what the old one signed.
    RotateAdvisory,
    /// Exchanges the root key.
    RotateRoot,
}

/// What the network does to one file, or to its signatures.
#[derive(Debug, Clone, Copy)]
enum Mischief {
    None,
    /// It comes from a state of the feed that was current so many steps ago.
    Old(usize),
    /// It does not come.
    Lost,
    /// A bit of it is flipped, at this place modulo its length.
    Flipped(usize),
    /// It ends early.
    Cut(usize),
    /// Another file of the feed comes in its place.
    Another(usize),
}

/// The files of a feed at one moment.
type Snapshot = BTreeMap<String, Vec<u8>>;

/// Everything that the vendor ever published.
struct History {
    pin: Pin,
    snapshots: Vec<Snapshot>,
    published: BTreeSet<Vec<u8>>,
}

/// What comes of these actions, in a feed that has so many other advisories, too.
fn write(actions: &[Action], others: u64) -> Result<History> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, noon())?;
    let pin = vendor.pin()?;
    vendor.publish_advisory(advisory(1))?;
    for number in 0..others {
        let mut other = advisory(1);
        other.id = DocumentId::new(format!("SPACECP-SA-2025-{number:04}"))?;
        vendor.publish_advisory(other)?;
    }
    vendor.broadcast()?;
    let mut snapshots = vec![snapshot(&vendor)?];
    let mut now: [Option<SecretKey>; 3] = [None, None, None];
    let mut revision = 1;
    for action in actions {
        let own = vendor.keys();
        let [root, feed, advisories] = &now;
        let root = root.as_ref().unwrap_or(&own.root);
        let feed = feed.as_ref().unwrap_or(&own.feed);
        let signs = advisories.as_ref().unwrap_or(&own.advisory);
        let rotated = |role: Role, old: &SecretKey| -> Result<SecretKey> {
            let new = SecretKey::generate()?;
            let change = Change {
                given: vec![(role, new.public().clone())],
                taken: vec![(Some(role), old.public().to_base64())],
                ..Change::default()
            };
            let until = noon() + hours(24 * 300);
            let next = roots::next(&*vendor.feed().root()?, &change, noon(), until)?;
            let by: &[&SecretKey] = if role == Role::Root {
                &[root, &new]
            } else {
                &[root]
            };
            vendor.signing().add_root(&sign::sign(next, by)?)?;
            Ok(new)
        };
        let until = noon() + hours(24);
        match action {
            Action::Revise => {
                revision += 1;
                let next = advisory(revision);
                let audience = next.audience.clone();
                vendor.signing().add(next, &audience, &[signs])?;
                vendor.publisher().broadcast(noon(), until, &[feed])?;
            }
            Action::Refresh => drop(vendor.publisher().refresh(noon(), until, &[feed])?),
            Action::RotateRoot => {
                let new = rotated(Role::Root, root)?;
                vendor.publisher().refresh(noon(), until, &[feed])?;
                now[0] = Some(new);
            }
            Action::RotateFeed => {
                let new = rotated(Role::Feed, feed)?;
                snapshots.push(snapshot(&vendor)?);
                vendor.publisher().refresh(noon(), until, &[&new])?;
                now[1] = Some(new);
            }
            Action::RotateAdvisory => {
                let new = rotated(Role::Advisory, signs)?;
                vendor
                    .signing()
                    .sign_again(DocumentKind::Advisory, &[], &[&new])?;
                vendor.publisher().refresh(noon(), until, &[feed])?;
                now[2] = Some(new);
            }
        }
        snapshots.push(snapshot(&vendor)?);
    }
    let published = snapshots.iter().flat_map(|files| files.values().cloned());
    Ok(History {
        pin,
        published: published.collect(),
        snapshots,
    })
}

fn snapshot(vendor: &Vendor) -> Result<Snapshot> {
    let mut files = Snapshot::new();
    for entry in WalkDir::new(vendor.feed_dir()) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(vendor.feed_dir())?;
            let name = path.to_str().context("the publisher's names are text")?;
            files.insert(name.to_owned(), fs::read(entry.path())?);
        }
    }
    Ok(files)
}

impl History {
    /// What comes over the network when a file is asked for at this step.
    fn file(&self, step: usize, name: &str, mischief: Mischief) -> Option<Vec<u8>> {
        let of = |step: usize| self.snapshots[step].get(name).cloned();
        match mischief {
            Mischief::None => of(step),
            Mischief::Old(ago) => of(step.saturating_sub(ago)),
            Mischief::Lost => None,
            Mischief::Flipped(at) => of(step).map(|mut bytes| {
                let at = at % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1;
                }
                bytes
            }),
            Mischief::Cut(at) => of(step).map(|mut bytes| {
                bytes.truncate(at % bytes.len().max(1));
                bytes
            }),
            Mischief::Another(which) => {
                let files = &self.snapshots[step];
                files.values().nth(which % files.len()).cloned()
            }
        }
    }
}

/// A panel without a disk.
#[derive(Default)]
struct Panel {
    trusted: Trusted,
    held: Held,
    documents: BTreeMap<DocumentId, Vec<u8>>,
}

impl Panel {
    /// One sync over a network that does this, request by request. Says whether it ended well.
    fn sync(&mut self, history: &History, step: usize, mischief: &[(Mischief, Mischief)]) -> bool {
        let mut run = Workflow::new(
            history.pin.clone(),
            catalog::AUDIENCE.parse().expect("an audience"),
            self.trusted.clone(),
            self.held.clone(),
            Limits::default(),
            noon(),
        );
        let mut choices = mischief.iter().copied();
        let mut waiting = Vec::new();
        while let Some(request) = run.next_request() {
            let (of_file, of_signatures) =
                choices.next().unwrap_or((Mischief::None, Mischief::None));
            let path = &request.path;
            let bytes = history.file(step, path.as_str(), of_file);
            let answer = bytes
                .filter(|bytes| bytes.len() as u64 <= request.limit)
                .map_or(Answer::Missing, |bytes| Answer::File {
                    bytes,
                    signatures: history.file(step, path.signatures().as_str(), of_signatures),
                    validator: None,
                });
            match run.answer(path, answer) {
                Ok(Some(News::Root(root))) => self.trusted.root = Some(root),
                Ok(Some(News::Document(document, _) | News::Private(document, _))) => {
                    waiting.push(document);
                }
                Ok(Some(News::PassedOver { .. }) | None) => {}
                Err(_) => return false,
            }
        }
        match run.outcome() {
            None => return false,
            Some(Outcome::Unchanged { .. }) => {}
            Some(Outcome::Changed(update)) => {
                self.trusted.sequence_epoch = update.sequence_epoch;
                self.trusted.head = Some(update.head);
                self.trusted.index = Some(update.index);
                for document in waiting {
                    self.keep(&document);
                }
            }
        }
        true
    }

    fn keep(&mut self, document: &AnyDocument) {
        let id = DocumentId::new(document.id()).expect("it was verified");
        let held = HeldDocument {
            revision: document.revision(),
            digest: document.digest(),
            waiting_under: None,
            private: false,
        };
        self.held.insert((document.kind(), id.clone()), held);
        self.documents.insert(id, document.bytes().to_vec());
    }

    /// What may only grow: root, sequence, and every document's revision.
    fn numbers(&self) -> Vec<u64> {
        let root = self.trusted.root.as_ref().map_or(0, |root| root.version);
        let sequence = self.trusted.head.as_ref().map_or(0, |head| head.sequence);
        let revision = self.held.values().map(|held| held.revision).max();
        vec![root, sequence, revision.unwrap_or(0)]
    }

    /// Everything that it believes, to the letter.
    fn believes(&self) -> Vec<&[u8]> {
        let trusted = &self.trusted;
        let roots = trusted.root.iter().map(Verified::bytes);
        let heads = trusted.head.iter().map(Verified::bytes);
        let indexes = trusted.index.iter().map(Verified::bytes);
        let documents = self.documents.values().map(Vec::as_slice);
        roots.chain(heads).chain(indexes).chain(documents).collect()
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => Just(Action::Revise),
        2 => Just(Action::Refresh),
        1 => Just(Action::RotateFeed),
        1 => Just(Action::RotateAdvisory),
        1 => Just(Action::RotateRoot),
    ]
}

fn mischief() -> impl Strategy<Value = Mischief> {
    prop_oneof![
        6 => Just(Mischief::None),
        2 => (1_usize..6).prop_map(Mischief::Old),
        1 => Just(Mischief::Lost),
        1 => any::<usize>().prop_map(Mischief::Flipped),
        1 => any::<usize>().prop_map(Mischief::Cut),
        1 => any::<usize>().prop_map(Mischief::Another),
    ]
}

fn syncs() -> impl Strategy<Value = Vec<(usize, Vec<(Mischief, Mischief)>)>> {
    let network = prop::collection::vec((mischief(), mischief()), 0..8);
    prop::collection::vec((any::<usize>(), network), 1..25)
}

/// Lets a panel meet all that, and looks at it after each sync.
fn goes_only_forward(
    history: &History,
    syncs: Vec<(usize, Vec<(Mischief, Mischief)>)>,
    documents: usize,
) -> Result<(), TestCaseError> {
    let mut panel = Panel::default();
    let mut before = panel.numbers();
    for (step, network) in syncs {
        panel.sync(history, step % history.snapshots.len(), &network);
        let after = panel.numbers();
        for (old, new) in before.iter().zip(&after) {
            prop_assert!(new >= old, "it went back: {before:?} to {after:?}");
        }
        for bytes in panel.believes() {
            prop_assert!(
                history.published.contains(bytes),
                "nobody ever published this"
            );
        }
        before = after;
    }
    // And whatever happened, an honest network makes it good.
    let last = history.snapshots.len() - 1;
    prop_assert!(panel.sync(history, last, &[]), "an honest sync is refused");
    let head = panel
        .trusted
        .head
        .as_ref()
        .map(|head| head.bytes().to_vec());
    prop_assert_eq!(
        head.as_ref(),
        history.snapshots[last].get(FeedPath::head().as_str())
    );
    prop_assert_eq!(panel.documents.len(), documents);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_trusted_was_signed_by_the_vendor_and_is_never_older_than_before(
        actions in prop::collection::vec(action(), 1..7),
        syncs in syncs(),
    ) {
        let history = write(&actions, 0).expect("an honest vendor can publish");
        goes_only_forward(&history, syncs, 1)?;
    }
}

/// Advisories whose index is so long that a panel asks for what changed instead.
const MANY: u64 = 240;

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nor_is_it_where_the_feed_says_what_changed_instead_of_the_whole_index(
        actions in prop::collection::vec(action(), 3..7),
        syncs in syncs(),
    ) {
        let history = write(&actions, MANY).expect("an honest vendor can publish");
        let deltas = history.snapshots.iter().flat_map(BTreeMap::keys);
        prop_assert!(deltas.filter(|name| name.contains(".from-")).count() > 0);
        // The first sync is honest, so that there is something to go on from.
        let syncs = std::iter::once((0, Vec::new())).chain(syncs).collect();
        goes_only_forward(&history, syncs, 1 + usize::try_from(MANY).expect("few"))?;
    }
}

#[test]
fn an_unlucky_panel_and_a_lucky_one_end_at_the_same_words() -> Result<()> {
    let history = write(&[Action::Revise, Action::RotateFeed, Action::Revise], 0)?;
    let (mut lucky, mut unlucky) = (Panel::default(), Panel::default());
    for step in 0..history.snapshots.len() {
        lucky.sync(&history, step, &[]);
        unlucky.sync(&history, step, &[(Mischief::None, Mischief::Flipped(90))]);
    }
    assert!(unlucky.trusted.head.is_none(), "it never had a whole head");
    assert!(unlucky.sync(&history, history.snapshots.len() - 1, &[]));
    assert_eq!(lucky.believes(), unlucky.believes());
    assert!(lucky.trusted.fresh_head(Timestamp::MAX).is_none());
    Ok(())
}
