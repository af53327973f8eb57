//! Signature files: whose signatures count, and how many of them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use spacecp_contract::{Limits, Role, RoleKeys, Root, TrustedComment};

use super::{Key, Signed, Vendor, advisory, sign, sign_bytes};
use crate::{
    TrustError, Unverified, Verified, key_id,
    signature::{verify, verify_by},
};

/// A root whose advisories are signed by so many of these.
fn root(keys: &[&Key], threshold: u32) -> Verified<Root> {
    Vendor::new().trusted_root(1, |root| {
        let held = RoleKeys {
            keys: keys.iter().map(|key| key.public()).collect(),
            threshold,
        };
        root.roles.insert(Role::Advisory, held);
    })
}

fn offer(root: &Root, offered: &Signed) -> Result<Vec<String>, TrustError> {
    let taken: Verified<spacecp_contract::Advisory> =
        verify("advisory", root, offered.offered(), &Limits::default())?;
    Ok(taken.signers)
}

fn good(refused: Result<Vec<String>, TrustError>) -> Option<(u32, u32)> {
    match refused {
        Err(TrustError::Signatures { good, needed, .. }) => Some((good, needed)),
        _ => None,
    }
}

#[test]
fn exactly_the_threshold_is_enough_and_one_less_is_not() {
    let [a, b, c] = [Key::new(), Key::new(), Key::new()];
    let root = root(&[&a, &b, &c], 2);
    assert_eq!(good(offer(&root, &sign(&advisory(1), &[&b]))), Some((1, 2)));
    for pair in [[&a, &b], [&b, &c], [&c, &a]] {
        assert_eq!(
            offer(&root, &sign(&advisory(1), &pair)).map(|signers| signers.len()),
            Ok(2)
        );
    }
    let all = offer(&root, &sign(&advisory(1), &[&a, &b, &c]));
    assert_eq!(all.map(|signers| signers.len()), Ok(3));
}

#[test]
fn a_key_counts_once_however_often_and_under_whatever_id_it_signs() {
    let key = Key::new();
    let other = Key::new();
    let mut root = root(&[&key, &other], 2).document;
    let twice = sign(&advisory(1), &[&key, &key]);
    assert_eq!(good(offer(&root, &twice)), Some((1, 2)));

    let relabelled = relabel(&key.public());
    let held = root.roles.get_mut(&Role::Advisory).expect("it is there");
    held.keys = vec![key.public(), relabelled];
    let one = sign(&advisory(1), &[&key]);
    let lines: Vec<&str> = one.signatures.lines().collect();
    let two_names = Signed {
        signatures: format!(
            "{}{}\n{}\n{}\n{}\n",
            one.signatures,
            lines[0],
            relabel(lines[1]),
            lines[2],
            lines[3]
        ),
        ..one
    };
    assert_eq!(good(offer(&root, &two_names)), Some((1, 2)));
}

/// A key or a signature of minisign under another key id, which nothing vouches for.
fn relabel(text: &str) -> String {
    let mut bytes = STANDARD.decode(text).expect("it is base64");
    bytes[2..10].copy_from_slice(&[7; 8]);
    STANDARD.encode(bytes)
}

#[test]
fn a_signature_that_does_not_count_is_explained_by_the_first_that_is_bad() {
    let [holder, stranger] = [Key::new(), Key::new()];
    let root = root(&[&holder], 1);
    let mut offered = sign(&advisory(1), &[&stranger]);
    let Err(TrustError::Signatures { note, .. }) = offer(&root, &offered) else {
        panic!("a stranger signed");
    };
    let stranger_note = Some("signed by a key without the role".to_owned());
    assert_eq!(note, stranger_note);
    // Another one by the holder, over other bytes, comes second.
    let of_other_bytes = sign(&advisory(2), &[&holder]).signatures;
    offered.signatures.push_str(&of_other_bytes);
    let Err(TrustError::Signatures { note, .. }) = offer(&root, &offered) else {
        panic!("nobody signed");
    };
    assert_eq!(note, stranger_note);
    offered.signatures = of_other_bytes;
    let Err(TrustError::Signatures { note, .. }) = offer(&root, &offered) else {
        panic!("nobody signed these bytes");
    };
    assert_ne!(note, stranger_note);
}

#[test]
fn a_key_of_the_root_that_is_none_hinders_nobody() {
    let key = Key::new();
    let mut root = root(&[&key], 1).document;
    let held = root.roles.get_mut(&Role::Advisory).expect("it is there");
    held.keys.insert(0, "no key".to_owned());
    let taken = offer(&root, &sign(&advisory(1), &[&key]));
    assert_eq!(taken, Ok(vec![key.public()]));
}

#[test]
fn what_a_signature_says_it_is_for_must_be_what_the_document_says() {
    let key = Key::new();
    let root = root(&[&key], 1);
    let right = TrustedComment::of(&advisory(3));
    let bytes = spacecp_contract::encode(&advisory(3));
    assert!(offer(&root, &sign_bytes(&bytes, &right, &[&key])).is_ok());
    let wrong = [
        TrustedComment {
            revision: 2,
            ..right.clone()
        },
        TrustedComment {
            revision: 4,
            ..right.clone()
        },
        TrustedComment {
            role: Role::Correction,
            ..right.clone()
        },
        TrustedComment {
            name: "SPACECP-SA-2026-0002".to_owned(),
            ..right
        },
    ];
    for comment in wrong {
        let offered = offer(&root, &sign_bytes(&bytes, &comment, &[&key]));
        let moved = TrustError::Moved {
            what: "advisory".to_owned(),
            found: format!("{} {} {}", comment.role, comment.name, comment.revision),
        };
        assert_eq!(offered, Err(moved));
    }
}

#[test]
fn a_signature_counts_in_the_64th_place_and_not_behind_it() {
    let [holder, stranger] = [Key::new(), Key::new()];
    let root = root(&[&holder], 1);
    let at = |place: usize| {
        let strangers = vec![&stranger; place - 1];
        let mut offered = sign(&advisory(1), &strangers);
        offered.signatures += &sign(&advisory(1), &[&holder]).signatures;
        offered
    };
    assert_eq!(offer(&root, &at(64)), Ok(vec![holder.public()]));
    assert_eq!(good(offer(&root, &at(65))), Some((0, 1)));
}

#[test]
fn a_signature_file_has_at_most_64_kib() {
    let key = Key::new();
    let root = root(&[&key], 1);
    let of_length = |length: usize| {
        let mut offered = sign(&advisory(1), &[&key]);
        // Nobody vouches for the untrusted comment, so that anybody can make it longer.
        let more = "x".repeat(length - offered.signatures.len());
        let longer = format!("untrusted comment: {more}");
        offered.signatures = offered
            .signatures
            .replacen("untrusted comment: ", &longer, 1);
        assert_eq!(offered.signatures.len(), length);
        offered
    };
    let largest = 64 << 10;
    assert_eq!(offer(&root, &of_length(largest)), Ok(vec![key.public()]));
    assert!(matches!(
        offer(&root, &of_length(largest + 1)),
        Err(TrustError::SignatureFile { .. })
    ));
}

#[test]
fn a_signature_file_is_whole_signatures_of_four_lines() {
    let key = Key::new();
    let root = root(&[&key], 1);
    let honest = sign(&advisory(1), &[&key]);
    let lines: Vec<&str> = honest.signatures.lines().collect();
    for count in [0, 1, 3] {
        let cut = Signed {
            signatures: lines[..count].join("\n"),
            ..honest.clone()
        };
        let refused = offer(&root, &cut);
        assert!(
            matches!(refused, Err(TrustError::SignatureFile { .. })),
            "{count}"
        );
    }
    let with_more = Signed {
        signatures: format!("{}another line\n", honest.signatures),
        ..honest.clone()
    };
    let refused = offer(&root, &with_more);
    assert!(matches!(refused, Err(TrustError::SignatureFile { .. })));
    let no_text = Unverified {
        bytes: &honest.bytes,
        signatures: b"\xff",
    };
    let held = &root.roles[&Role::Advisory];
    let refused =
        verify_by::<spacecp_contract::Advisory>("advisory", held, no_text, &Limits::default());
    assert!(matches!(refused, Err(TrustError::SignatureFile { .. })));
}

#[test]
fn what_is_kept_of_a_signature_file_is_what_counted() {
    let [holder, stranger] = [Key::new(), Key::new()];
    let root = root(&[&holder], 1);
    let counts = sign(&advisory(1), &[&holder]);
    let strangers = sign(&advisory(1), &[&stranger]).signatures;
    let labelled = counts
        .signatures
        .replace("comment: signature", "comment: whatever");
    let offered = Signed {
        signatures: strangers + &labelled,
        ..counts.clone()
    };
    let taken: Verified<spacecp_contract::Advisory> =
        verify("advisory", &root, offered.offered(), &Limits::default()).expect("one counts");
    assert_eq!(taken.signatures(), counts.signatures);
    assert_eq!(taken.bytes(), counts.bytes);
}

#[test]
fn a_key_is_known_by_the_id_that_minisign_prints() {
    let mut bytes = vec![b'E', b'd'];
    bytes.extend([1, 2, 3, 4, 5, 6, 7, 8]);
    bytes.extend([0; 32]);
    let key = STANDARD.encode(&bytes);
    assert_eq!(key_id(&key).as_deref(), Some("0807060504030201"));
    for length in [41, 43] {
        bytes.resize(length, 0);
        assert_eq!(key_id(&STANDARD.encode(&bytes)), None);
    }
    assert_eq!(key_id("no key"), None);
}
