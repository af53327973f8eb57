//! The head: in time, and never back.

use spacecp_contract::{DecodeError, Digest, Head, Role, Root, ShapeError, TrustedComment};

use super::{INSTANT, NOW, Signed, Vendor, audience, head_of, index, padded, sign_bytes, verified};
use crate::{Before, TrustError, Verified, head};

const NOTHING: Before<'_> = Before {
    head: None,
    index: None,
    afresh: false,
};

struct Feed {
    vendor: Vendor,
    root: Verified<Root>,
    index: Signed,
}

impl Feed {
    /// A feed under root 5.
    fn new() -> Self {
        let vendor = Vendor::new();
        Self {
            root: vendor.trusted_root(5, |_| {}),
            index: vendor.sign(&index(7, Vec::new())),
            vendor,
        }
    }

    fn head(&self, sequence: u64) -> Head {
        head_of(&self.index, sequence)
    }

    fn offer(&self, head: &Head) -> Signed {
        self.vendor.sign(head)
    }
}

#[test]
fn a_head_is_fresh_until_the_instant_before_it_expires() {
    let feed = Feed::new();
    let offered = feed.offer(&feed.head(7));
    let expires = feed.head(7).expires;
    let before = head(&feed.root, NOTHING, offered.offered(), expires - INSTANT);
    assert_eq!(before.map(|head| head.sequence), Ok(7));
    for late in [expires, expires + INSTANT] {
        let refused = TrustError::HeadExpired {
            sequence: 7,
            epoch: 0,
            expires,
            digest: Digest::of(&offered.bytes),
        };
        let offered = head(&feed.root, NOTHING, offered.offered(), late);
        assert_eq!(offered, Err(refused));
    }
}

#[test]
fn a_sequence_may_stay_or_grow_and_never_go_back() {
    let feed = Feed::new();
    let trusted = verified(feed.head(7));
    let before = Before {
        head: Some(&trusted),
        ..NOTHING
    };
    let offer = |sequence| {
        let offered = feed.offer(&feed.head(sequence));
        head(&feed.root, before, offered.offered(), NOW).map(|head| head.sequence)
    };
    assert_eq!(offer(7), Ok(7));
    assert_eq!(offer(8), Ok(8));
    assert_eq!(offer(u64::MAX), Ok(u64::MAX));
    for found in [1, 6] {
        assert_eq!(
            offer(found),
            Err(TrustError::Sequence { trusted: 7, found })
        );
    }
}

#[test]
fn two_heads_of_one_sequence_are_an_equivocation() {
    let feed = Feed::new();
    let trusted = verified(feed.head(7));
    let before = Before {
        head: Some(&trusted),
        ..NOTHING
    };
    let mut other = feed.head(7);
    other.index = Digest::of(b"another");
    let offered = feed.offer(&other);
    assert_eq!(
        head(&feed.root, before, offered.offered(), NOW),
        Err(TrustError::Equivocation { sequence: 7 })
    );
}

#[test]
fn under_a_root_that_starts_afresh_a_lower_and_an_equal_sequence_are_accepted() {
    let feed = Feed::new();
    let trusted = verified(feed.head(u64::MAX));
    let before = Before {
        head: Some(&trusted),
        index: None,
        afresh: true,
    };
    let mut other = feed.head(u64::MAX);
    other.index = Digest::of(b"another");
    for honest in [feed.head(1), other] {
        let offered = feed.offer(&honest);
        let accepted = head(&feed.root, before, offered.offered(), NOW);
        assert_eq!(accepted.map(|head| head.sequence), Ok(honest.sequence));
    }
}

#[test]
fn a_head_names_the_trusted_root_or_an_earlier_one() {
    let feed = Feed::new();
    let offer = |root_version| {
        let mut honest = feed.head(7);
        honest.root_version = root_version;
        let offered = feed.offer(&honest);
        head(&feed.root, NOTHING, offered.offered(), NOW).map(|head| head.root_version)
    };
    assert_eq!(offer(4), Ok(4));
    assert_eq!(offer(5), Ok(5));
    let withheld = TrustError::RootWithheld {
        wanted: 6,
        trusted: 5,
    };
    assert_eq!(offer(6), Err(withheld));
}

#[test]
fn a_head_for_another_audience_is_refused() {
    let feed = Feed::new();
    let mut other = feed.head(7);
    other.audience = audience("others");
    let offered = feed.offer(&other);
    let refused = TrustError::Audience {
        what: "head".to_owned(),
        found: audience("others"),
        expected: audience("customers"),
    };
    let offered = head(&feed.root, NOTHING, offered.offered(), NOW);
    assert_eq!(offered, Err(refused));
}

#[test]
fn a_head_has_at_most_4_kib() {
    let feed = Feed::new();
    let honest = feed.head(7);
    let plain = spacecp_contract::encode(&honest);
    let offer = |length| {
        let bytes = padded(&plain, length);
        let comment = TrustedComment::of(&honest);
        let offered = sign_bytes(&bytes, &comment, &[feed.vendor.key(Role::Feed)]);
        head(&feed.root, NOTHING, offered.offered(), NOW).map(|head| head.bytes().len())
    };
    assert_eq!(offer(4_096), Ok(4_096));
    let Err(TrustError::Decode {
        source: DecodeError::Shape { source, .. },
        ..
    }) = offer(4_097)
    else {
        panic!("it is too long");
    };
    let too_long = ShapeError::Bytes {
        length: 4_097,
        limit: 4_096,
    };
    assert_eq!(source, too_long);
}
