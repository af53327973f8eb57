//! Whole broadcasts in private: who reads one, how often it is looked at, and what is refused.

use age::{Recipient as _, secrecy::ExposeSecret as _};
use age_core::format::FileKey;
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use spacecp_contract::{
    Advisory, Blob, Digest, FeedPath, Index, IndexEntry, Limits, ObjectKey, Sealed, SealedEntry,
    SealedIndex, SealedObject, Tlp, capsule,
    envelope::{ENVELOPE, Tag},
};

use super::{
    NOW, Signed, Vendor, advisory, audience, entry, index,
    runs::{Files, after, feed_of, follow, paths},
    sealed::{ADVISORY, ID, of, read, seal},
    verified,
};
use crate::{
    Identity, TrustError,
    sealed::bucket_of,
    workflow::{
        Held, News, Outcome, Pin, PrivateDocuments, PrivateSide, Reading, Trusted, Workflow,
        WorkflowError,
    },
};

/// A panel: whom to encrypt to, and what it opens envelopes with.
struct Panel {
    recipient: age::x25519::Recipient,
    identity: Identity,
}

impl Panel {
    fn new() -> Self {
        let identity = age::x25519::Identity::generate();
        let text = identity.to_string();
        Self {
            recipient: identity.to_public(),
            identity: text.expose_secret().parse().expect("an identity"),
        }
    }

    /// The envelope with this key for this panel.
    fn envelope(&self, key: &ObjectKey) -> [u8; ENVELOPE] {
        let file_key = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.as_bytes()));
        let wrapped = self.recipient.wrap_file_key(&file_key);
        let (stanzas, _) = wrapped.expect("it is wrapped");
        let share = BASE64_STANDARD_NO_PAD.decode(&stanzas[0].args[0]);
        let envelope = [share.expect("it is base64"), stanzas[0].body.clone()].concat();
        envelope.try_into().expect("an envelope has its length")
    }
}

const NONCE: [u8; 16] = [5; 16];

/// A document under embargo, at this revision.
fn embargoed(revision: u64) -> Advisory {
    Advisory {
        tlp: Tlp::AmberStrict,
        ..advisory(revision)
    }
}

/// What a broadcast has in private, and for whom.
struct Broadcast<'a> {
    advisory: Advisory,
    audience: &'a str,
    /// Whose place in the bucket the envelope has.
    place: &'a Panel,
    /// Whom the envelope is encrypted to.
    reader: &'a Panel,
    public: Vec<IndexEntry>,
}

impl<'a> Broadcast<'a> {
    fn to(panel: &'a Panel) -> Self {
        Self {
            advisory: embargoed(3),
            audience: "customers",
            place: panel,
            reader: panel,
            public: Vec::new(),
        }
    }

    /// The feed with this broadcast, and its index.
    fn feed(&self, vendor: &Vendor) -> (Files, Index) {
        let mut objects = Vec::new();
        let document = vendor.sign(&self.advisory);
        let parts = [&document.bytes[..], document.signatures.as_bytes()];
        let (key, blob) = seal_parts(&parts, &mut objects);
        let listed = entry(ADVISORY, ID, self.advisory.revision, &document.bytes);
        let object = SealedObject {
            digest: blob.digest,
            length: blob.length,
            key,
        };
        let entries = vec![SealedEntry {
            document: listed,
            object,
        }];
        let sealed = SealedIndex::new(audience(self.audience), entries, Vec::new());
        let (key, sealed) = seal_parts(&[&sealed.to_bytes()], &mut objects);
        let tag = Tag::of(&NONCE, &self.place.identity.recipient());
        let bucket = spacecp_contract::envelope::cut(&[(tag, self.reader.envelope(&key))], 1);
        let buckets = bucket.into_iter().map(|bucket| keep(bucket, &mut objects));
        let buckets = buckets.collect();
        let mut index = index(1, self.public.clone());
        index.sealed = Some(Sealed {
            nonce: NONCE,
            index: sealed,
            buckets,
        });
        let mut files = feed_of(vendor, 1, &index);
        files.extend(objects);
        (files, index)
    }
}

fn seal_parts(parts: &[&[u8]], objects: &mut Vec<(FeedPath, Signed)>) -> (ObjectKey, Blob) {
    let (key, bytes) = seal(&capsule::pack(parts).expect("they are short"));
    (key, keep(bytes, objects))
}

/// Puts bytes among what a feed has by digest.
fn keep(bytes: Vec<u8>, objects: &mut Vec<(FeedPath, Signed)>) -> Blob {
    let blob = Blob {
        digest: Digest::of(&bytes),
        length: bytes.len() as u64,
    };
    let signatures = String::new();
    objects.push((FeedPath::sealed(&blob.digest), Signed { bytes, signatures }));
    blob
}

/// What a run asked for of the private side, what it read there, and how it ended.
struct Ended {
    asked: usize,
    read: Vec<u64>,
    outcome: Result<PrivateSide, WorkflowError>,
}

fn run(
    vendor: &Vendor,
    files: &Files,
    trusted: Trusted,
    identity: Option<&Panel>,
    afresh: bool,
) -> Ended {
    let mut root = vendor.root(1);
    root.sequence_epoch = u64::from(afresh);
    let pin = vendor.sign(&root);
    let customers = audience("customers");
    let pin = Pin::root(pin.offered(), &customers).expect("it is signed");
    let limits = Limits::default();
    // The pinned root is the one of today.
    let trusted = Trusted {
        root: None,
        ..trusted
    };
    let run = Workflow::new(pin, customers, trusted, Held::new(), limits, NOW);
    let mut run = run.reading_as(identity.map(|panel| panel.identity.clone()));
    let (asked, news, ended) = follow(&mut run, files);
    let sealed = |path: &&str| path.starts_with("sealed/");
    let read = news.iter().filter_map(|news| match news {
        News::Private(document, _) => Some(document.revision()),
        _ => None,
    });
    Ended {
        asked: paths(&asked).into_iter().filter(sealed).count(),
        read: read.collect(),
        outcome: ended.map(|()| match run.outcome() {
            Some(Outcome::Changed(update)) => update.private,
            other => panic!("it ended without news: {other:?}"),
        }),
    }
}

fn first(broadcast: &Broadcast<'_>, identity: Option<&Panel>) -> Ended {
    let vendor = Vendor::new();
    let (files, _) = broadcast.feed(&vendor);
    run(&vendor, &files, Trusted::default(), identity, false)
}

#[test]
fn an_identity_is_not_shown() {
    assert_eq!(format!("{:?}", Panel::new().identity), "Identity(…)");
}

#[test]
fn a_panel_looks_into_the_bucket_of_its_tag() {
    let empty = Blob {
        digest: Digest::of(&[]),
        length: 0,
    };
    let sealed = Sealed {
        nonce: NONCE,
        index: empty,
        buckets: vec![empty; 256],
    };
    for _ in 0..8 {
        let identity = Panel::new().identity;
        let tag = Tag::of(&NONCE, &identity.recipient());
        assert_eq!(bucket_of(&sealed, &identity), tag.bucket(256));
    }
}

#[test]
fn an_entitled_panel_reads_what_is_sealed() {
    let panel = Panel::new();
    let ended = first(&Broadcast::to(&panel), Some(&panel));
    assert_eq!((ended.asked, ended.read), (3, vec![3]));
    let Ok(PrivateSide::Read {
        recipient,
        documents,
        payloads,
    }) = ended.outcome
    else {
        panic!("{:?}", ended.outcome);
    };
    assert_eq!(recipient, panel.identity.recipient());
    assert_eq!(documents.len(), 1);
    assert_eq!((documents[0].revision, payloads.len()), (3, 0));
}

#[test]
fn a_panel_without_an_envelope_is_not_entitled_and_asks_no_further() {
    let (panel, other) = (Panel::new(), Panel::new());
    let ended = first(&Broadcast::to(&other), Some(&panel));
    assert_eq!((ended.asked, ended.read), (1, vec![]));
    let recipient = panel.identity.recipient();
    assert_eq!(ended.outcome, Ok(PrivateSide::NotEntitled { recipient }));
}

#[test]
fn a_panel_without_an_identity_passes_the_private_side_by() {
    let other = Panel::new();
    let ended = first(&Broadcast::to(&other), None);
    assert_eq!((ended.asked, ended.read), (0, vec![]));
    assert_eq!(ended.outcome, Ok(PrivateSide::Unread));
}

#[test]
fn an_envelope_at_ones_own_place_that_is_for_another_is_refused() {
    let (panel, other) = (Panel::new(), Panel::new());
    let broadcast = Broadcast {
        reader: &other,
        ..Broadcast::to(&panel)
    };
    let refused = TrustError::Envelope { number: 0 };
    let ended = first(&broadcast, Some(&panel));
    assert_eq!(ended.outcome, Err(WorkflowError::Refused(refused)));
}

#[test]
fn a_sealed_index_for_another_audience_is_refused() {
    let panel = Panel::new();
    let broadcast = Broadcast {
        audience: "others",
        ..Broadcast::to(&panel)
    };
    let refused = TrustError::Audience {
        what: "sealed index".to_owned(),
        found: audience("others"),
        expected: audience("customers"),
    };
    let ended = first(&broadcast, Some(&panel));
    assert_eq!(ended.outcome, Err(WorkflowError::Refused(refused)));
}

#[test]
fn what_is_not_under_embargo_is_refused_where_only_some_can_read_it() {
    let panel = Panel::new();
    for (tlp, concealed) in [(Tlp::Green, true), (Tlp::Amber, false)] {
        let mut broadcast = Broadcast::to(&panel);
        broadcast.advisory.tlp = tlp;
        let refused = WorkflowError::Refused(TrustError::Concealed {
            id: ID.to_owned(),
            tlp,
        });
        let outcome = first(&broadcast, Some(&panel)).outcome;
        assert_eq!(outcome == Err(refused), concealed, "{tlp}");
        assert_eq!(outcome.is_ok(), !concealed, "{tlp}");
    }
}

/// What a panel trusts that read the broadcast of this feed before as `recipient`.
fn having_read(vendor: &Vendor, files: &Files, recipient: String, entitled: bool) -> Trusted {
    Trusted {
        private: read(),
        reading: Some(Reading {
            recipient,
            entitled,
        }),
        ..after(files, vendor.root(1))
    }
}

#[test]
fn a_broadcast_is_looked_at_once_by_each_identity() {
    let (vendor, panel, other) = (Vendor::new(), Panel::new(), Panel::new());
    let (files, index) = Broadcast::to(&panel).feed(&vendor);
    for (recipient, looks) in [(&panel, false), (&other, true)] {
        let recipient = recipient.identity.recipient();
        let mut trusted = having_read(&vendor, &files, recipient, true);
        // The same broadcast under a head of its own.
        trusted.private.clear();
        trusted.head = None;
        trusted.index = Some(verified(index.clone()));
        let ended = run(&vendor, &files, trusted, Some(&panel), false);
        assert_eq!(ended.asked > 0, looks);
        assert_eq!(ended.outcome == Ok(PrivateSide::Same), !looks);
    }
}

#[test]
fn a_broadcast_of_which_something_went_public_is_looked_at_again_by_whoever_read_it() {
    let (vendor, panel) = (Vendor::new(), Panel::new());
    let broadcast = Broadcast {
        public: of(4, b"four"),
        ..Broadcast::to(&panel)
    };
    let (files, mut index) = broadcast.feed(&vendor);
    // The sealed side is the same as before.
    index.documents.clear();
    for entitled in [true, false] {
        let recipient = panel.identity.recipient();
        let mut trusted = having_read(&vendor, &files, recipient, entitled);
        trusted.head = None;
        trusted.index = Some(verified(index.clone()));
        let ended = run(&vendor, &files, trusted, Some(&panel), false);
        assert_eq!(ended.asked > 0, entitled, "{:?}", ended.outcome);
    }
}

#[test]
fn another_broadcast_is_looked_at_and_so_is_the_same_under_a_root_that_starts_afresh() {
    let (vendor, panel) = (Vendor::new(), Panel::new());
    let (files, index) = Broadcast::to(&panel).feed(&vendor);
    let mut another = index.clone();
    another.sealed.as_mut().expect("it is there").nonce = [6; 16];
    for (before, afresh, looks) in [
        (index.clone(), false, false),
        (another, false, true),
        (index, true, true),
    ] {
        let recipient = panel.identity.recipient();
        let mut trusted = having_read(&vendor, &files, recipient, true);
        trusted.private.clear();
        trusted.head = None;
        trusted.index = Some(verified(before));
        let ended = run(&vendor, &files, trusted, Some(&panel), afresh);
        assert_eq!(ended.asked > 0, looks);
    }
}

#[test]
fn an_unchanged_head_is_no_news_unless_the_private_side_was_not_looked_at_with_this_identity() {
    let (vendor, panel, other) = (Vendor::new(), Panel::new(), Panel::new());
    let (files, index) = Broadcast::to(&panel).feed(&vendor);
    let me = |panel: &Panel| Some(panel.identity.recipient());
    let mut without = index.clone();
    without.sealed = None;
    for (index, looked, identity, owed) in [
        (&index, me(&panel), Some(&panel), false),
        (&index, me(&other), Some(&panel), true),
        (&index, None, Some(&panel), true),
        (&index, None, None, false),
        (&without, None, Some(&panel), false),
    ] {
        let mut trusted = after(&files, vendor.root(1));
        trusted.index = Some(verified(index.clone()));
        trusted.reading = looked.map(|recipient| Reading {
            recipient,
            entitled: true,
        });
        let pin = vendor.sign(&vendor.root(1));
        let customers = audience("customers");
        let pin = Pin::root(pin.offered(), &customers).expect("it is signed");
        let limits = Limits::default();
        let run = Workflow::new(pin, customers, trusted, Held::new(), limits, NOW);
        let run = run.knowing(Some("tag".to_owned()));
        let mut run = run.reading_as(identity.map(|panel| panel.identity.clone()));
        let request = run.next_request().expect("the head is asked for");
        assert_eq!(request.validator.is_none(), owed);
    }
}

#[test]
fn what_was_read_is_missed_when_it_vanishes_and_not_under_a_root_that_starts_afresh() {
    let (vendor, panel) = (Vendor::new(), Panel::new());
    let (files, _) = Broadcast::to(&panel).feed(&vendor);
    let other: PrivateDocuments = [(
        (ADVISORY, "SPACECP-SA-2026-0009".parse().expect("an id")),
        (1, Digest::of(b"one")),
    )]
    .into();
    for afresh in [false, true] {
        let trusted = Trusted {
            private: other.clone(),
            ..Trusted::default()
        };
        let ended = run(&vendor, &files, trusted, Some(&panel), afresh);
        let removed = WorkflowError::Refused(TrustError::Removed {
            kind: ADVISORY,
            id: "SPACECP-SA-2026-0009".to_owned(),
        });
        assert_eq!(ended.outcome == Err(removed), !afresh);
        assert_eq!(ended.outcome.is_ok(), afresh);
    }
}

#[test]
fn what_was_read_in_private_does_not_come_back_older_in_public_to_a_panel_without_its_identity() {
    let (vendor, panel) = (Vendor::new(), Panel::new());
    let broadcast = Broadcast {
        public: of(2, b"two"),
        ..Broadcast::to(&panel)
    };
    let (files, _) = broadcast.feed(&vendor);
    let rollback = TrustError::Revision {
        kind: ADVISORY,
        id: ID.to_owned(),
        trusted: 3,
        found: 2,
    };
    for afresh in [false, true] {
        let trusted = Trusted {
            private: read(),
            ..Trusted::default()
        };
        let ended = run(&vendor, &files, trusted, None, afresh);
        let refused = ended.outcome == Err(WorkflowError::Refused(rollback.clone()));
        assert_eq!(refused, !afresh, "{:?}", ended.outcome);
    }
}
