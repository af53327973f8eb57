//! Whatever a vendor and a thief with its keys publish, and however often the vendor recovers: what a panel gives
//! out is exactly what the index that it trusts lists, with the sealed index that it opened last; and after a
//! recovery the vendor's next broadcasts are taken.
//!
//! The panel is the real one, with its store; the feed is signed by hand, so that nothing refuses to publish.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use proptest::prelude::*;
use spacecp_contract::{Digest, DocumentKind, IndexEntry};
use spacecp_tests::{
    catalog,
    hand_signed::{HandSigned, Name, Published, Side, Unsigned},
    siege,
};
use tempfile::TempDir;

use super::scene::{Panel, public, sealed};
use crate::scene::noon;

/// Documents that there may be.
const DOCUMENTS: u8 = 4;

/// What somebody does to a listing before publishing it.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// Lists a document, or its next revision, on a side.
    Revise(u8, Side),
    /// Lists the last possible revision.
    UseUp(u8),
    /// Changes what is listed without a new revision.
    Change(u8),
    /// Lists an earlier revision.
    GoBack(u8),
    /// Lists it on the other side.
    Move(u8),
    /// No longer lists it.
    Drop(u8),
    /// Leaps to a late sequence.
    Leap,
    /// Leaves the sealed side out, or puts it back.
    SealedSide(bool),
    /// Encrypts to this panel, or does not.
    Entitle(bool),
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// The vendor broadcasts something new.
    Honest(u8, Side),
    /// The thief broadcasts, with every key but the root's.
    Hostile(Vec<Edit>),
    /// The vendor takes the keys away and starts afresh; so much later it broadcasts.
    Recover {
        /// Whether the panel meets the thief's head under the new root first.
        late: bool,
    },
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Public), Just(Side::Sealed)]
}

fn edit() -> impl Strategy<Value = Edit> {
    let document = 0..DOCUMENTS;
    prop_oneof![
        4 => (document.clone(), side()).prop_map(|(document, side)| Edit::Revise(document, side)),
        1 => document.clone().prop_map(Edit::UseUp),
        1 => document.clone().prop_map(Edit::Change),
        1 => document.clone().prop_map(Edit::GoBack),
        1 => document.clone().prop_map(Edit::Move),
        1 => document.prop_map(Edit::Drop),
        1 => Just(Edit::Leap),
        1 => any::<bool>().prop_map(Edit::SealedSide),
        1 => any::<bool>().prop_map(Edit::Entitle),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..DOCUMENTS, side()).prop_map(|(document, side)| Step::Honest(document, side)),
        3 => prop::collection::vec(edit(), 1..4).prop_map(Step::Hostile),
        2 => any::<bool>().prop_map(|late| Step::Recover { late }),
    ]
}

/// A vendor, a thief, a panel, and what ought to be known of them.
struct World {
    _folder: TempDir,
    vendor: HandSigned,
    panel: Panel,
    recipient: String,
    /// Every index that was ever published, by the digest of its bytes.
    published: BTreeMap<Digest, Published>,
    /// What the sealed index lists that the panel opened last.
    opened: BTreeSet<Entry>,
    payloads: BTreeSet<Digest>,
    /// Names that were ever listed.
    names: BTreeSet<Name>,
}

type Entry = (Name, u64, Digest);

fn entry(listed: &IndexEntry) -> Entry {
    let name = (listed.kind, listed.id.clone());
    (name, listed.revision, listed.digest)
}

fn id(document: u8) -> String {
    format!("SPACECP-SA-2026-{document:04}")
}

/// A document of this revision; `words` tell those of one revision apart.
fn document(number: u8, revision: u64, side: Side, words: &str) -> Unsigned {
    let mut advisory = match side {
        Side::Public => public(&id(number), revision),
        Side::Sealed => sealed(&id(number), revision),
    };
    advisory.title = format!("Number {number}{words}");
    advisory.into()
}

/// The revision and side of what is listed.
fn listed(feed: &HandSigned, number: u8) -> Option<(u64, Side)> {
    let name = (DocumentKind::Advisory, id(number).parse().expect("an id"));
    match feed.listed.get(&name) {
        Some((Unsigned::Advisory(advisory), side)) => Some((advisory.revision, *side)),
        _ => None,
    }
}

fn revise(feed: &mut HandSigned, number: u8, side: Side, words: &str) {
    let before = listed(feed, number).map_or(0, |(revision, _)| revision);
    let next = document(number, before.saturating_add(1), side, words);
    feed.list(next, side);
}

fn apply(feed: &mut HandSigned, edit: Edit, recipient: &str) {
    match edit {
        Edit::Revise(number, side) => revise(feed, number, side, " of the thief"),
        Edit::Leap => feed.sequence = feed.sequence.max(u64::MAX - 8),
        Edit::SealedSide(has) => feed.has_sealed_side = has,
        Edit::Entitle(is) => {
            feed.recipients.clear();
            if is {
                feed.recipients.push(recipient.to_owned());
            }
        }
        Edit::UseUp(number) => {
            let side = listed(feed, number).map_or(Side::Public, |(_, side)| side);
            feed.list(document(number, u64::MAX, side, " of the thief"), side);
        }
        Edit::Change(number) | Edit::GoBack(number) | Edit::Move(number) | Edit::Drop(number) => {
            let Some((revision, side)) = listed(feed, number) else {
                return;
            };
            let other = match side {
                Side::Public => Side::Sealed,
                Side::Sealed => Side::Public,
            };
            let (revision, side) = match edit {
                Edit::GoBack(_) => (revision.saturating_sub(1).max(1), side),
                Edit::Move(_) => (revision.saturating_add(1), other),
                _ => (revision, side),
            };
            feed.list(document(number, revision, side, " in silence"), side);
            if matches!(edit, Edit::Drop(_)) {
                let name = (DocumentKind::Advisory, id(number).parse().expect("an id"));
                feed.listed.remove(&name);
            }
        }
    }
}

impl World {
    async fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let feed = folder.path().join("feed");
        let mut vendor = HandSigned::new(&feed, catalog::AUDIENCE, noon())?;
        let panel = Panel::of(&vendor, folder.path().join("panel")).await?;
        let recipient = panel.recipient()?;
        vendor.recipients.push(recipient.clone());
        Ok(Self {
            _folder: folder,
            vendor,
            panel,
            recipient,
            published: BTreeMap::new(),
            opened: BTreeSet::new(),
            payloads: BTreeSet::new(),
            names: BTreeSet::new(),
        })
    }

    fn note(&mut self, published: Published) {
        let listed = published.public.iter().chain(&published.sealed);
        self.names.extend(listed.map(|one| entry(one).0));
        self.published.insert(published.index, published);
    }

    /// One step; whether the vendor is owed that its next broadcasts are taken.
    async fn step(&mut self, step: &Step, owed: bool) -> Result<bool> {
        match step {
            Step::Honest(number, side) => {
                // What is public once is never under embargo again.
                let side = match listed(&self.vendor, *number) {
                    Some((_, Side::Public)) => Side::Public,
                    _ => *side,
                };
                revise(&mut self.vendor, *number, side, "");
                let published = self.vendor.publish()?;
                self.note(published);
                let synced = self.sync().await?;
                ensure!(!owed || synced, "the vendor's broadcast was refused");
                Ok(owed)
            }
            Step::Hostile(edits) => {
                let mut thief = self.vendor.clone();
                let trusted = self.panel.store.trusted().await?;
                // It goes on from where the panel is.
                thief.sequence = trusted.head.as_ref().map_or(0, |head| head.sequence);
                for edit in edits {
                    apply(&mut thief, *edit, &self.recipient);
                }
                let published = thief.publish()?;
                self.note(published);
                self.sync().await?;
                Ok(false)
            }
            Step::Recover { late } => {
                self.vendor.recover()?;
                if *late {
                    // A root without a head of its own: by the thief's nothing is decided any more.
                    self.sync().await?;
                }
                let published = self.vendor.publish()?;
                self.note(published);
                ensure!(self.sync().await?, "the recovery was refused");
                Ok(true)
            }
        }
    }

    /// Syncs, and holds the panel against what it trusts then. Says whether the sync ended well.
    async fn sync(&mut self) -> Result<bool> {
        let before = self.panel.store.trusted().await?;
        let synced = self.panel.sync().await;
        let after = self.panel.store.trusted().await?;
        if before.sequence_epoch != after.sequence_epoch {
            self.opened.clear();
            self.payloads.clear();
        }
        let digest = after.index.as_ref().map(|index| Digest::of(index.bytes()));
        let mut expected = BTreeSet::new();
        if let Some(digest) = digest {
            let index = self.published.get(&digest).context("it was published")?;
            let may_read = index.recipients.contains(&self.recipient);
            let has_side = after.index.as_ref().is_some_and(|one| one.sealed.is_some());
            if has_side && may_read && synced.is_ok() {
                self.opened = index.sealed.iter().map(entry).collect();
                self.payloads = index.payloads.iter().copied().collect();
            }
            let public: BTreeSet<Entry> = index.public.iter().map(entry).collect();
            let names: BTreeSet<Name> = public.iter().map(|(name, ..)| name.clone()).collect();
            self.opened.retain(|(name, ..)| !names.contains(name));
            expected.extend(public);
            expected.extend(self.opened.iter().cloned());
        }
        self.holds_exactly(&expected, synced.is_ok()).await?;
        Ok(synced.is_ok())
    }

    async fn holds_exactly(&self, expected: &BTreeSet<Entry>, synced: bool) -> Result<()> {
        let given = self.panel.given_out().await?;
        ensure!(
            given == *expected,
            "given out: {given:?}; listed: {expected:?}"
        );
        let trusted = self.panel.store.trusted().await?;
        let listed = trusted.listed().map(|(kind, id)| (kind, id.clone()));
        let names: BTreeSet<Name> = expected.iter().map(|(name, ..)| name.clone()).collect();
        ensure!(listed.collect::<BTreeSet<_>>() == names, "another listing");
        for (kind, id) in &self.names {
            let held = self.panel.store.document(*kind, id).await?;
            let is_listed = names.contains(&(*kind, id.clone()));
            ensure!(held.is_some() == is_listed, "{id} is acted on: {is_listed}");
        }
        let payloads = self.panel.store.sealed_payloads().await?;
        let payloads: BTreeSet<Digest> = payloads.into_keys().collect();
        ensure!(payloads == self.payloads, "other payloads: {payloads:?}");
        let rows = i64::try_from(names.len())?;
        for table in ["listed", "documents"] {
            ensure!(self.panel.rows(table).await? == rows, "{table}");
        }
        ensure!(!synced || self.panel.rows("waiting").await? == 0, "waiting");
        Ok(())
    }
}

/// Lets all of that happen to a panel.
fn gives_out_what_is_listed(steps: &[Step]) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut world = World::new().await?;
        let mut owed = true;
        for step in steps {
            owed = world.step(step, owed).await?;
        }
        world.step(&Step::Recover { late: false }, owed).await?;
        for number in 0..DOCUMENTS {
            world
                .step(&Step::Honest(number, Side::Sealed), true)
                .await?;
        }
        Ok(())
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: u32::try_from(siege::rounds(24, 1_000)).expect("few"),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nothing_is_given_out_that_is_not_listed_and_after_a_recovery_the_vendor_is_followed(
        steps in prop::collection::vec(step(), 1..12),
    ) {
        gives_out_what_is_listed(&steps)
            .map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    }
}
