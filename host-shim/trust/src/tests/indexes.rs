//! The index: the one that the head names, and nothing in it went back.

use spacecp_contract::{Digest, DocumentKind, Head, Index, IndexEntry, Limits, Root};

use super::{Signed, Vendor, audience, entry, head_of, index as index_of, verified};
use crate::{Before, TrustError, Verified, index};

const ADVISORY: DocumentKind = DocumentKind::Advisory;
const ID: &str = "SPACECP-SA-2026-0001";

struct Feed {
    vendor: Vendor,
    root: Verified<Root>,
}

impl Feed {
    fn new() -> Self {
        let vendor = Vendor::new();
        Self {
            root: vendor.trusted_root(1, |_| {}),
            vendor,
        }
    }

    fn signed(&self, index: &Index) -> (Verified<Head>, Signed) {
        let signed = self.vendor.sign(index);
        (verified(head_of(&signed, 7)), signed)
    }

    /// What becomes of an index after one with `old`.
    fn after(
        &self,
        old: Vec<IndexEntry>,
        new: Vec<IndexEntry>,
        afresh: bool,
    ) -> Result<Verified<Index>, TrustError> {
        let trusted = verified(index_of(6, old));
        let (head, offered) = self.signed(&index_of(7, new));
        let before = Before {
            head: None,
            index: Some(&trusted),
            afresh,
        };
        index(
            &self.root,
            &head,
            before,
            offered.offered(),
            &Limits::default(),
        )
    }

    fn first(&self, offered: &Index, change: impl FnOnce(&mut Head)) -> Result<(), TrustError> {
        let (head, signed) = self.signed(offered);
        let mut head = head.document;
        change(&mut head);
        let before = Before {
            head: None,
            index: None,
            afresh: false,
        };
        let limits = Limits::default();
        index(
            &self.root,
            &verified(head),
            before,
            signed.offered(),
            &limits,
        )
        .map(drop)
    }
}

#[test]
fn an_index_has_exactly_the_length_and_the_digest_that_the_head_names() {
    let feed = Feed::new();
    let honest = index_of(7, Vec::new());
    let length = feed.signed(&honest).1.bytes.len() as u64;
    assert_eq!(feed.first(&honest, |_| {}), Ok(()));
    for announced in [length - 1, length + 1] {
        let refused = TrustError::Length {
            what: "index".to_owned(),
            announced,
            found: length,
        };
        let offered = feed.first(&honest, |head| head.index_length = announced);
        assert_eq!(offered, Err(refused));
    }
    let refused = feed.first(&honest, |head| head.index = Digest::of(b"another"));
    assert!(matches!(refused, Err(TrustError::Digest { .. })));
}

#[test]
fn an_index_is_of_the_sequence_of_the_head() {
    let feed = Feed::new();
    for found in [6, 8] {
        let offered = feed.first(&index_of(found, Vec::new()), |_| {});
        assert_eq!(
            offered,
            Err(TrustError::IndexSequence { expected: 7, found })
        );
    }
}

#[test]
fn an_index_for_another_audience_is_refused() {
    let feed = Feed::new();
    let mut other = index_of(7, Vec::new());
    other.audience = audience("others");
    let refused = TrustError::Audience {
        what: "index".to_owned(),
        found: audience("others"),
        expected: audience("customers"),
    };
    assert_eq!(feed.first(&other, |_| {}), Err(refused));
}

#[test]
fn a_revision_may_stay_or_grow_and_never_go_back() {
    let feed = Feed::new();
    let of = |revision, contents: &[u8]| vec![entry(ADVISORY, ID, revision, contents)];
    let old = || of(3, b"three");
    assert!(feed.after(old(), of(3, b"three"), false).is_ok());
    assert!(feed.after(old(), of(4, b"four"), false).is_ok());
    assert!(feed.after(old(), of(u64::MAX, b"last"), false).is_ok());
    assert_eq!(
        feed.after(old(), of(2, b"two"), false),
        Err(TrustError::Revision {
            kind: ADVISORY,
            id: ID.to_owned(),
            trusted: 3,
            found: 2
        })
    );
    assert_eq!(
        feed.after(old(), of(3, b"another"), false),
        Err(TrustError::Changed {
            kind: ADVISORY,
            id: ID.to_owned(),
            revision: 3
        })
    );
}

#[test]
fn a_document_that_was_listed_stays_listed_under_its_kind() {
    let feed = Feed::new();
    let old = || vec![entry(ADVISORY, ID, 3, b"three")];
    let removed = TrustError::Removed {
        kind: ADVISORY,
        id: ID.to_owned(),
    };
    assert_eq!(feed.after(old(), Vec::new(), false), Err(removed.clone()));
    let other_kind = vec![entry(DocumentKind::Correction, ID, 3, b"three")];
    assert_eq!(feed.after(old(), other_kind, false), Err(removed));
}

#[test]
fn under_a_root_that_starts_afresh_revisions_go_back_and_documents_are_dropped() {
    let feed = Feed::new();
    let old = || vec![entry(ADVISORY, ID, u64::MAX, b"fast-forwarded")];
    for new in [vec![entry(ADVISORY, ID, 1, b"one")], Vec::new()] {
        assert!(feed.after(old(), new, true).is_ok());
    }
}
