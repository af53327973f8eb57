//! Advisories and corrections: the ones that the index names.

use spacecp_contract::{Advisory, Digest, DocumentKind, IndexEntry, Limits, Root, Tlp};

use super::{Signed, Vendor, advisory, audience, entry};
use crate::{AnyDocument, TrustError, Verified, document, reverify, sealed::refuse_exposed};

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

    /// What becomes of an advisory that is listed as itself, but for what `change` does to the entry.
    fn offer(
        &self,
        advisory: &Advisory,
        change: impl FnOnce(&mut IndexEntry),
    ) -> Result<AnyDocument, TrustError> {
        let signed = self.vendor.sign(advisory);
        let mut entry = listed(advisory, &signed);
        change(&mut entry);
        document(&self.root, &entry, signed.offered(), &Limits::default())
    }
}

fn listed(advisory: &Advisory, signed: &Signed) -> IndexEntry {
    entry(
        DocumentKind::Advisory,
        &advisory.id,
        advisory.revision,
        &signed.bytes,
    )
}

#[test]
fn a_document_says_of_itself_what_the_index_says() {
    let feed = Feed::new();
    let signed = feed.vendor.sign(&advisory(3));
    let taken = feed.offer(&advisory(3), |_| {}).expect("it is honest");
    assert_eq!(taken.kind(), DocumentKind::Advisory);
    assert_eq!(taken.id(), "SPACECP-SA-2026-0001");
    assert_eq!(taken.revision(), 3);
    assert_eq!(taken.bytes(), signed.bytes);
    assert_eq!(taken.digest(), Digest::of(&signed.bytes));
    let key = feed.vendor.key(spacecp_contract::Role::Advisory).public();
    assert_eq!(taken.signers(), [key]);
    assert!(taken.signatures().contains("name=SPACECP-SA-2026-0001"));
}

#[test]
fn a_document_that_is_listed_as_another_is_a_moved_one() {
    let feed = Feed::new();
    let moved = |what: &str| TrustError::Moved {
        what: what.to_owned(),
        found: "advisory SPACECP-SA-2026-0001 revision 3".to_owned(),
    };
    for revision in [2, 4] {
        let offered = feed.offer(&advisory(3), |entry| entry.revision = revision);
        let what = format!("advisory SPACECP-SA-2026-0001 revision {revision}");
        assert_eq!(offered.map(drop), Err(moved(&what)));
    }
    let offered = feed.offer(&advisory(3), |entry| {
        entry.id = "SPACECP-SA-2026-0002".parse().expect("an id");
    });
    let what = "advisory SPACECP-SA-2026-0002 revision 3";
    assert_eq!(offered.map(drop), Err(moved(what)));
}

#[test]
fn a_stored_document_is_read_again_as_what_it_was_stored_as() {
    let feed = Feed::new();
    let signed = feed.vendor.sign(&advisory(3));
    let read = |id: &str, revision| {
        let (kind, limits) = (DocumentKind::Advisory, Limits::default());
        reverify(&feed.root, kind, id, revision, signed.offered(), &limits).map(drop)
    };
    assert_eq!(read("SPACECP-SA-2026-0001", 3), Ok(()));
    for (id, revision) in [("SPACECP-SA-2026-0001", 2), ("SPACECP-SA-2026-0002", 3)] {
        let refused = read(id, revision);
        assert!(matches!(refused, Err(TrustError::Moved { .. })));
    }
}

#[test]
fn a_document_reaches_its_own_audience_and_a_public_one_everybody() {
    let feed = Feed::new();
    for (name, reaches) in [("customers", true), ("public", true), ("others", false)] {
        let mut other = advisory(1);
        other.audience = audience(name);
        let offered = feed.offer(&other, |_| {});
        assert_eq!(offered.is_ok(), reaches, "{name}");
        let refused = matches!(offered, Err(TrustError::Audience { .. }));
        assert_eq!(refused, !reaches, "{name}");
    }
}

#[test]
fn an_advisory_in_clear_is_refused_from_amber_on() {
    let feed = Feed::new();
    for (tlp, public) in [
        (Tlp::Clear, true),
        (Tlp::Green, true),
        (Tlp::Amber, false),
        (Tlp::AmberStrict, false),
        (Tlp::Red, false),
    ] {
        let mut labelled = advisory(1);
        labelled.tlp = tlp;
        let taken = feed.offer(&labelled, |_| {}).expect("it is signed");
        let refused = TrustError::Exposed {
            id: "SPACECP-SA-2026-0001".to_owned(),
            tlp,
        };
        let expected = if public { Ok(()) } else { Err(refused) };
        assert_eq!(refuse_exposed(&taken), expected);
    }
}
