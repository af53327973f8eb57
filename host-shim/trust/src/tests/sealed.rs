//! The private side's rules and files: what a panel read does not go back, and nothing outgrows its limits.

use std::{collections::HashSet, io::Write as _, sync::Mutex};

use age::secrecy::ExposeSecret as _;
use age_core::format::{FileKey, Stanza};
use spacecp_contract::{
    Advisory, Affected, Blob, Digest, DocumentKind, IndexEntry, Limits, ObjectKey, Sealed,
    SealedEntry, SealedIndex, SealedObject, SealedPayload, Tlp, VersionScheme, capsule,
};

use super::{Vendor, advisory, audience, entry, index};
use crate::{
    TrustError,
    sealed::{
        OpenError, STANZA, nothing_went_back, open, refuse_both_sides, sealed_document,
        sealed_index,
    },
    workflow::PrivateDocuments,
};

pub(super) const ADVISORY: DocumentKind = DocumentKind::Advisory;
pub(super) const ID: &str = "SPACECP-SA-2026-0001";

fn sealed(documents: Vec<IndexEntry>) -> SealedIndex {
    let object = SealedObject {
        digest: Digest::of(b"sealed"),
        length: 1,
        key: ObjectKey::from_bytes([0; 16]),
    };
    let entry = |document| SealedEntry { document, object };
    let documents = documents.into_iter().map(entry).collect();
    SealedIndex::new(audience("customers"), documents, Vec::new())
}

pub(super) fn of(revision: u64, contents: &[u8]) -> Vec<IndexEntry> {
    vec![entry(ADVISORY, ID, revision, contents)]
}

/// What was read of revision 3.
pub(super) fn read() -> PrivateDocuments {
    let id = ID.parse().expect("an id");
    [((ADVISORY, id), (3, Digest::of(b"three")))].into()
}

#[test]
fn what_was_read_under_embargo_may_stay_or_grow_and_never_go_back() {
    let check = |public, private: Vec<IndexEntry>| {
        nothing_went_back(&read(), &index(1, public), Some(&sealed(private)))
    };
    let id = ID.to_owned();
    let rollback = TrustError::Revision {
        kind: ADVISORY,
        id: id.clone(),
        trusted: 3,
        found: 2,
    };
    let changed = TrustError::Changed {
        kind: ADVISORY,
        id: id.clone(),
        revision: 3,
    };
    for (entries, expected) in [
        (of(3, b"three"), Ok(())),
        (of(4, b"four"), Ok(())),
        (of(2, b"two"), Err(rollback)),
        (of(3, b"another"), Err(changed)),
    ] {
        assert_eq!(check(Vec::new(), entries.clone()), expected);
        assert_eq!(check(entries, Vec::new()), expected, "or disclosed");
    }
    let removed = TrustError::Removed { kind: ADVISORY, id };
    assert_eq!(check(Vec::new(), Vec::new()), Err(removed.clone()));
    let other_kind = vec![entry(DocumentKind::Correction, ID, 3, b"three")];
    assert_eq!(check(Vec::new(), other_kind), Err(removed));
    // Without the sealed index nobody can say whether it vanished.
    let unread = nothing_went_back(&read(), &index(1, Vec::new()), None);
    assert_eq!(unread, Ok(()));
}

#[test]
fn a_document_is_on_one_side_of_a_feed() {
    let both = refuse_both_sides(&index(1, of(4, b"four")), &sealed(of(3, b"three")));
    let refused = TrustError::BothSides {
        kind: ADVISORY,
        id: ID.to_owned(),
        plain: 4,
        sealed: 3,
    };
    assert_eq!(both, Err(refused));
    let other = vec![entry(DocumentKind::Correction, ID, 3, b"three")];
    assert_eq!(
        refuse_both_sides(&index(1, of(4, b"four")), &sealed(other)),
        Ok(())
    );
}

/// Seals as the publisher does: an age file whose header has no recipient.
struct Keeper {
    key: Mutex<Option<ObjectKey>>,
    stanza: &'static str,
}

impl age::Recipient for Keeper {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        let kept = ObjectKey::from_bytes(*key.expose_secret());
        *self.key.lock().expect("nobody panicked") = Some(kept);
        let stanza = Stanza {
            tag: self.stanza.to_owned(),
            args: Vec::new(),
            body: Vec::new(),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

pub(super) fn seal(contents: &[u8]) -> (ObjectKey, Vec<u8>) {
    seal_as(STANZA, contents)
}

fn seal_as(stanza: &'static str, contents: &[u8]) -> (ObjectKey, Vec<u8>) {
    let keeper = Keeper {
        key: Mutex::new(None),
        stanza,
    };
    let recipients = std::iter::once(&keeper as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).expect("one recipient");
    let mut bytes = Vec::new();
    let mut writer = encryptor.wrap_output(&mut bytes).expect("memory");
    writer.write_all(contents).expect("memory");
    writer.finish().expect("memory");
    let key = keeper.key.into_inner().expect("nobody panicked");
    (key.expect("it was asked for"), bytes)
}

#[test]
fn a_sealed_file_has_at_most_the_contents_that_it_may_have() {
    let (key, bytes) = seal(&[7; 100]);
    for most in [100, 101, u64::MAX] {
        assert_eq!(open(&key, &bytes, most), Ok(vec![7; 100]));
    }
    assert_eq!(open(&key, &bytes, 99), Err(OpenError::TooLong(99)));
}

#[test]
fn a_sealed_file_opens_with_its_own_key_and_whole() {
    let (key, bytes) = seal(&[7; 100]);
    let other = ObjectKey::from_bytes([1; 16]);
    assert_eq!(open(&other, &bytes, 100), Err(OpenError::Key));
    let cut = &bytes[..bytes.len() - 1];
    assert!(matches!(open(&key, cut, 100), Err(OpenError::Contents(_))));
    assert_eq!(open(&key, b"no such file", 100), Err(OpenError::Header));
}

#[test]
fn a_file_without_our_stanza_is_none_of_ours_whatever_its_key() {
    let (key, bytes) = seal_as("another", &[7; 100]);
    assert_eq!(open(&key, &bytes, 100), Err(OpenError::Key));
}

#[test]
fn the_header_of_a_sealed_file_ends_within_512_bytes() {
    let (key, bytes) = seal(b"contents");
    let stanza = format!("-> {STANZA}\n");
    let at = bytes
        .windows(stanza.len())
        .position(|window| window == stanza.as_bytes())
        .expect("the header has the stanza");
    let end = bytes
        .windows(5)
        .position(|window| window == b"\n--- ")
        .expect("the header ends");
    // The last byte of what ends a header is the 512th, or the 513th.
    for (last, header) in [(512, false), (513, true)] {
        let mut longer = bytes[..at].to_vec();
        let room = last - (end + 5);
        let more = format!("-> {}\n", "x".repeat(room - 5));
        longer.extend(more.as_bytes());
        longer.push(b'\n');
        longer.extend(&bytes[at..]);
        let refused = open(&key, &longer, 100).expect_err("its code is of another header");
        assert_eq!(refused == OpenError::Header, header, "{last}");
    }
}

/// Parts in a sealed file, and what a sealed index says of it.
fn sealed_parts(parts: &[&[u8]]) -> (SealedObject, Vec<u8>) {
    let (key, bytes) = seal(&capsule::pack(parts).expect("they are short"));
    let object = SealedObject {
        digest: Digest::of(&bytes),
        length: bytes.len() as u64,
        key,
    };
    (object, bytes)
}

/// Why a sealed advisory is refused whose entry in the sealed index is changed.
fn refused_document(advisory: &Advisory, change: impl FnOnce(&mut IndexEntry)) -> TrustError {
    let vendor = Vendor::new();
    let signed = vendor.sign(advisory);
    let (object, bytes) = sealed_parts(&[&signed.bytes, signed.signatures.as_bytes()]);
    let mut document = entry(ADVISORY, ID, 3, &signed.bytes);
    change(&mut document);
    let root = vendor.trusted_root(1, |_| {});
    let entry = SealedEntry { document, object };
    sealed_document(&root, &entry, &bytes, &Limits::default()).expect_err("it is refused")
}

#[test]
fn the_error_about_something_sealed_has_nothing_of_what_is_in_it() {
    let mut secret = Advisory {
        tlp: Tlp::AmberStrict,
        ..advisory(3)
    };
    let listed = Digest::of(b"listed");
    let found = Digest::of(&Vendor::new().sign(&secret).bytes);
    for refused in [
        refused_document(&secret, |entry| entry.digest = listed),
        refused_document(&secret, |entry| entry.length += 1),
    ] {
        let words = format!("{refused} {refused:?}");
        assert!(
            matches!(refused, TrustError::SealedContents { .. }),
            "{words}"
        );
        for digest in [listed, found] {
            assert!(!words.contains(&digest.short()), "{words}");
        }
    }
    secret.affected = vec![Affected {
        component: "spacecp:secret-module".parse().expect("a component"),
        scheme: VersionScheme::Semver,
        ranges: Vec::new(),
        versions: Vec::new(),
        unlisted: None,
    }];
    let invalid = refused_document(&secret, |_| {});
    let words = format!("{invalid} {invalid:?}");
    assert!(matches!(invalid, TrustError::Decode { .. }), "{words}");
    assert!(!words.contains("secret-module"), "{words}");
}

#[test]
fn nor_has_the_error_about_a_sealed_index() {
    let payload = SealedPayload {
        blob: Blob {
            digest: Digest::of(b"payload"),
            length: 7,
        },
        object: SealedObject {
            digest: Digest::of(b"sealed"),
            length: 7,
            key: ObjectKey::from_bytes([0; 16]),
        },
    };
    let twice = SealedIndex::new(audience("customers"), Vec::new(), vec![payload, payload]);
    let (object, bytes) = sealed_parts(&[&twice.to_bytes()]);
    let announced = Sealed {
        nonce: [5; 16],
        index: object.blob(),
        buckets: Vec::new(),
    };
    let root = Vendor::new().root(1);
    let refused = sealed_index(&root, &announced, &object.key, &bytes, &Limits::default());
    let words = format!("{refused:?}");
    assert!(
        matches!(refused, Err(TrustError::SealedIndex { .. })),
        "{words}"
    );
    assert!(!words.contains(&Digest::of(b"payload").short()), "{words}");
}
