//! The verifier at its boundaries: every time, count, size and order on both sides.
//!
//! A vendor with keys made for the test signs what the publisher would refuse to; the whole client against a
//! misbehaving feed is tested elsewhere, in `tests/trust`.

mod documents;
mod heads;
mod indexes;
mod plugins;
mod private;
mod roots;
mod runs;
mod sealed;
mod signatures;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use minisign::KeyPair;
use spacecp_contract::{
    Advisory, Audience, Digest, Document, DocumentKind, Head, Index, IndexEntry, Role, RoleKeys,
    Root, TimeBounds, Tlp, TrustedComment, encode,
};

use crate::{Unverified, Verified, pinned_root};

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const INSTANT: SignedDuration = SignedDuration::from_nanos(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A document with its signature file.
#[derive(Clone)]
struct Signed {
    bytes: Vec<u8>,
    signatures: String,
}

impl Signed {
    fn offered(&self) -> Unverified<'_> {
        Unverified {
            bytes: &self.bytes,
            signatures: self.signatures.as_bytes(),
        }
    }
}

struct Key(KeyPair);

impl Key {
    fn new() -> Self {
        Self(KeyPair::generate_unencrypted_keypair().expect("the system has randomness"))
    }

    fn public(&self) -> String {
        self.0.pk.to_base64()
    }

    /// One signature of four lines.
    fn sign(&self, bytes: &[u8], comment: &str) -> String {
        let signature = minisign::sign(
            Some(&self.0.pk),
            &self.0.sk,
            bytes,
            Some(comment),
            Some("signature"),
        );
        let text = signature.expect("the key signs").into_string();
        format!("{}\n", text.trim_end())
    }
}

fn sign_bytes(bytes: &[u8], comment: &TrustedComment, keys: &[&Key]) -> Signed {
    let comment = comment.to_string();
    Signed {
        bytes: bytes.to_vec(),
        signatures: keys.iter().map(|key| key.sign(bytes, &comment)).collect(),
    }
}

fn sign<T: Document>(document: &T, keys: &[&Key]) -> Signed {
    sign_bytes(&encode(document), &TrustedComment::of(document), keys)
}

/// One key a role.
struct Vendor(BTreeMap<Role, Key>);

impl Vendor {
    fn new() -> Self {
        Self(Role::ALL.map(|role| (role, Key::new())).into())
    }

    fn key(&self, role: Role) -> &Key {
        &self.0[&role]
    }

    fn root(&self, version: u64) -> Root {
        let one = |(role, key): (&Role, &Key)| {
            let held = RoleKeys {
                keys: vec![key.public()],
                threshold: 1,
            };
            (*role, held)
        };
        Root {
            audience: audience("customers"),
            version,
            issued: NOW - DAY,
            expires: NOW + DAY * 300,
            sequence_epoch: 0,
            time_bounds: TimeBounds::default(),
            roles: self.0.iter().map(one).collect(),
        }
    }

    fn sign<T: Document>(&self, document: &T) -> Signed {
        sign(document, &[self.key(T::KIND.role())])
    }

    /// A root that is trusted, as changed.
    fn trusted_root(&self, version: u64, change: impl FnOnce(&mut Root)) -> Verified<Root> {
        let mut root = self.root(version);
        change(&mut root);
        let signed = self.sign(&root);
        pinned_root(signed.offered(), &root.audience).expect("it is signed by its own key")
    }
}

fn audience(name: &str) -> Audience {
    name.parse().expect("an audience")
}

/// A document as if its signatures had been verified.
fn verified<T: Document>(document: T) -> Verified<T> {
    Verified {
        bytes: encode(&document),
        document,
        signatures: String::new(),
        signers: Vec::new(),
    }
}

fn head_of(index: &Signed, sequence: u64) -> Head {
    Head {
        audience: audience("customers"),
        sequence,
        issued: NOW - DAY,
        expires: NOW + DAY,
        index: Digest::of(&index.bytes),
        index_length: index.bytes.len() as u64,
        root_version: 1,
    }
}

fn index(sequence: u64, documents: Vec<IndexEntry>) -> Index {
    Index {
        audience: audience("customers"),
        sequence,
        documents,
        sealed: None,
    }
}

fn entry(kind: DocumentKind, id: &str, revision: u64, contents: &[u8]) -> IndexEntry {
    IndexEntry {
        kind,
        id: id.parse().expect("an id"),
        revision,
        digest: Digest::of(contents),
        length: contents.len() as u64,
    }
}

fn advisory(revision: u64) -> Advisory {
    Advisory {
        id: "SPACECP-SA-2026-0001".parse().expect("an id"),
        revision,
        audience: audience("customers"),
        published: NOW - DAY,
        modified: NOW - DAY,
        withdrawn: None,
        aliases: Vec::new(),
        title: "A title".to_owned(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: Vec::new(),
        severity: Vec::new(),
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: Vec::new(),
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    }
}

/// The bytes of a document with a field that nobody knows, so that they are `total` long.
fn padded(document: &[u8], total: usize) -> Vec<u8> {
    const LONGEST: usize = 1_000;
    let mut padded = document.to_vec();
    assert!(
        (0x80..0x8f).contains(&padded[0]),
        "a short map has room for a field"
    );
    padded[0] += 1;
    padded.extend(b"\xa7padding\xdc");
    let room = total - padded.len() - 2;
    let texts = room.div_ceil(LONGEST);
    padded.extend(u16::try_from(texts).expect("not that many").to_be_bytes());
    for text in 0..texts {
        let share = room / texts + usize::from(text < room % texts);
        let length = u16::try_from(share - 3).expect("not that long");
        padded.push(0xda);
        padded.extend(length.to_be_bytes());
        padded.resize(padded.len() + share - 3, b'x');
    }
    assert_eq!(padded.len(), total);
    padded
}
