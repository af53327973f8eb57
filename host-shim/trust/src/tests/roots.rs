//! The chain of roots.

use spacecp_contract::{DecodeError, Digest, ShapeError, TrustedComment};

use super::{INSTANT, Key, Vendor, audience, padded, sign, sign_bytes};
use crate::{TrustError, by_fingerprint, check_root, next_root, pinned_root, reverify_root};

const LIMIT: usize = 256 << 10;

#[test]
fn a_root_holds_until_the_instant_before_it_expires() {
    let root = Vendor::new().trusted_root(3, |_| {});
    assert_eq!(check_root(&root, root.expires - INSTANT), Ok(()));
    for late in [root.expires, root.expires + INSTANT] {
        let refused = TrustError::RootExpired {
            version: 3,
            expires: root.expires,
            digest: Digest::of(root.bytes()),
        };
        assert_eq!(check_root(&root, late), Err(refused));
    }
}

#[test]
fn only_the_root_with_the_next_version_follows() {
    let vendor = Vendor::new();
    let trusted = vendor.trusted_root(5, |_| {});
    for version in [1, 4, 5, 7, u64::MAX] {
        let offered = vendor.sign(&vendor.root(version));
        let refused = TrustError::RootVersion {
            trusted: 5,
            found: version,
        };
        assert_eq!(next_root(&trusted, offered.offered()), Err(refused));
    }
    let offered = vendor.sign(&vendor.root(6));
    let next = next_root(&trusted, offered.offered()).expect("it follows");
    assert_eq!(next.version, 6);
}

#[test]
fn after_the_last_version_that_can_be_counted_no_root_follows() {
    let vendor = Vendor::new();
    let trusted = vendor.trusted_root(u64::MAX, |_| {});
    for version in [1, u64::MAX] {
        let offered = vendor.sign(&vendor.root(version));
        let refused = TrustError::RootVersion {
            trusted: u64::MAX,
            found: version,
        };
        assert_eq!(next_root(&trusted, offered.offered()), Err(refused));
    }
}

#[test]
fn a_root_names_every_key_of_the_old_and_the_new_root_that_signed_it_once() {
    let (old, new) = (Vendor::new(), Vendor::new());
    let trusted = old.trusted_root(1, |_| {});
    let root = spacecp_contract::Role::Root;
    let (first, second) = (old.key(root), new.key(root));
    let offered = sign(&new.root(2), &[first, second]);
    let next = next_root(&trusted, offered.offered()).expect("both signed");
    let mut both = [first.public(), second.public()];
    both.sort();
    assert_eq!(next.signers(), both);
    let again = sign(&old.root(2), &[first]);
    let same = next_root(&trusted, again.offered()).expect("it is signed");
    assert_eq!(same.signers(), [first.public()]);
}

#[test]
fn a_root_for_another_audience_is_refused_wherever_it_comes() {
    let vendor = Vendor::new();
    let trusted = vendor.trusted_root(1, |_| {});
    let mut root = vendor.root(2);
    root.audience = audience("others");
    let offered = vendor.sign(&root);
    let refused = |what: &str| TrustError::Audience {
        what: what.to_owned(),
        found: audience("others"),
        expected: audience("customers"),
    };
    let next = next_root(&trusted, offered.offered());
    assert_eq!(next, Err(refused("root 2")));
    let pinned = pinned_root(offered.offered(), &audience("customers"));
    assert_eq!(pinned, Err(refused("pinned root")));
}

#[test]
fn a_fingerprint_names_one_root_and_no_other() {
    let vendor = Vendor::new();
    let offered = vendor.sign(&vendor.root(1));
    let fingerprint = Digest::of(&offered.bytes);
    let customers = audience("customers");
    let root = by_fingerprint(offered.offered(), fingerprint, &customers).expect("it is the one");
    assert_eq!(root.bytes(), offered.bytes);
    let other = Digest::of(b"another");
    let refused = by_fingerprint(offered.offered(), other, &customers);
    assert_eq!(
        refused,
        Err(TrustError::Fingerprint {
            pinned: other,
            found: fingerprint
        })
    );
}

#[test]
fn a_stored_root_is_read_again_only_with_signatures_by_its_own_keys() {
    let vendor = Vendor::new();
    let honest = vendor.sign(&vendor.root(4));
    let root = reverify_root(honest.offered()).expect("its own key signed it");
    assert_eq!((root.version, root.bytes()), (4, honest.bytes.as_slice()));
    let slipped_in = sign(&vendor.root(4), &[&Key::new()]);
    assert!(matches!(
        reverify_root(slipped_in.offered()),
        Err(TrustError::Signatures { good: 0, .. })
    ));
}

#[test]
fn a_root_has_at_most_256_kib() {
    let vendor = Vendor::new();
    let root = vendor.root(1);
    let plain = spacecp_contract::encode(&root);
    let of_length = |length| {
        let bytes = padded(&plain, length);
        let comment = TrustedComment::of(&root);
        sign_bytes(
            &bytes,
            &comment,
            &[vendor.key(spacecp_contract::Role::Root)],
        )
    };
    assert!(pinned_root(of_length(LIMIT).offered(), &root.audience).is_ok());
    let refused = pinned_root(of_length(LIMIT + 1).offered(), &root.audience);
    let Err(TrustError::Decode {
        source: DecodeError::Shape { source, .. },
        ..
    }) = refused
    else {
        panic!("{refused:?}");
    };
    let too_long = ShapeError::Bytes {
        length: LIMIT + 1,
        limit: LIMIT,
    };
    assert_eq!(source, too_long);
}
