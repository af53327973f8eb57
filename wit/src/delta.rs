//! What changed from one index to a later one: who has the one need not fetch the other whole.
//!
//! A delta is not signed and not believed. What it makes of an index is verified like any index: by the
//! digest that the head names, and by the signatures of the later index, which lie beside the delta.
//! One that is wrong costs whoever tried it a request, and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DocumentId, DocumentKind, Index, IndexEntry, Limits, SCHEMA, Sealed, encode, shape};

/// From how many sequences back a feed offers deltas.
pub const DELTAS: u64 = 32;

/// Bytes of an index below which it is fetched whole: a delta would save less than a request costs.
pub const WORTH_A_DELTA: u64 = 16 << 10;

/// What changed from one index to a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexDelta {
    schema: u32,
    /// The sequence of the earlier index.
    from: u64,
    /// The sequence of the later one.
    to: u64,
    /// Documents that are new in the later one, or have another revision there.
    documents: Vec<IndexEntry>,
    /// The private side of the later one, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

impl IndexDelta {
    /// The delta between two indexes; none if this is no way to make the later one, to the byte, or if
    /// that would be no shorter than half of it.
    pub fn between(old: &Index, new: &Index) -> Option<Self> {
        let known: BTreeMap<_, _> = old.documents.iter().map(named).collect();
        let changed = new.documents.iter().filter(|entry| {
            let (name, entry) = named(entry);
            known.get(&name) != Some(&entry)
        });
        let delta = Self {
            schema: SCHEMA,
            from: old.sequence,
            to: new.sequence,
            documents: changed.cloned().collect(),
            sealed: new
                .sealed
                .clone()
                .filter(|new| old.sealed.as_ref() != Some(new)),
        };
        let whole = encode(new);
        let short = delta.to_bytes().len() <= whole.len() / 2;
        (short && delta.apply(old).as_ref() == Some(&whole)).then_some(delta)
    }

    /// The delta in these bytes; none if there is none in them. Nothing is allocated beyond `limits`.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Option<Self> {
        shape::check(bytes, limits).ok()?;
        let delta: Self = rmp_serde::from_slice(bytes).ok()?;
        (delta.schema <= SCHEMA).then_some(delta)
    }

    /// The bytes that a feed keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec_named(self).expect("a delta holds numbers, names and digests only")
    }

    /// The bytes of the later index, as a stranger's word; none if the delta is not for this one.
    pub fn apply(&self, old: &Index) -> Option<Vec<u8>> {
        if self.from != old.sequence {
            return None;
        }
        let mut documents: BTreeMap<_, _> = old.documents.iter().map(named).collect();
        documents.extend(self.documents.iter().map(named));
        Some(encode(&Index {
            audience: old.audience.clone(),
            sequence: self.to,
            documents: documents.into_values().cloned().collect(),
            sealed: self.sealed.clone().or_else(|| old.sealed.clone()),
        }))
    }
}

fn named(entry: &IndexEntry) -> ((DocumentKind, &DocumentId), &IndexEntry) {
    ((entry.kind, &entry.id), entry)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Digest;

    fn index(sequence: u64, documents: &BTreeMap<u16, u64>) -> Index {
        let entry = |(number, revision): (&u16, &u64)| IndexEntry {
            kind: if number % 3 == 0 {
                DocumentKind::Correction
            } else {
                DocumentKind::Advisory
            },
            id: format!("SPACECP-SA-2026-{number:05}")
                .parse()
                .expect("an id"),
            revision: *revision,
            digest: Digest::of(&revision.to_le_bytes()),
            length: 1_000,
        };
        let mut documents: Vec<_> = documents.iter().map(entry).collect();
        documents.sort_by(|one, other| named(one).0.cmp(&named(other).0));
        Index {
            audience: "customers".parse().expect("an audience"),
            sequence,
            documents,
            sealed: None,
        }
    }

    proptest! {
        #[test]
        fn a_delta_that_is_given_out_makes_the_later_index_to_the_byte(
            old in prop::collection::btree_map(0_u16..300, 1_u64..5, 0..200),
            changes in prop::collection::btree_map(0_u16..300, 5_u64..9, 0..60),
        ) {
            let mut new = old.clone();
            new.extend(changes);
            let (old, new) = (index(7, &old), index(9, &new));
            if let Some(delta) = IndexDelta::between(&old, &new) {
                let bytes = delta.to_bytes();
                let read = IndexDelta::from_bytes(&bytes, &Limits::default());
                prop_assert_eq!(read.as_ref(), Some(&delta));
                prop_assert_eq!(delta.apply(&old), Some(encode(&new)));
                prop_assert!(bytes.len() <= encode(&new).len() / 2);
            }
        }

        #[test]
        fn whatever_the_bytes_nothing_but_a_delta_is_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(delta) = IndexDelta::from_bytes(&bytes, &Limits::default()) {
                prop_assert!(delta.documents.len() <= bytes.len());
            }
        }
    }

    #[test]
    fn one_new_document_among_many_is_a_short_delta() {
        let old: BTreeMap<u16, u64> = (0..2_000).map(|number| (number, 1)).collect();
        let mut new = old.clone();
        new.insert(2_001, 1);
        let (old, new) = (index(1, &old), index(2, &new));
        let delta = IndexDelta::between(&old, &new).expect("it is short");
        assert!(delta.to_bytes().len() < 250, "{}", delta.to_bytes().len());
        assert_eq!(
            delta.apply(&index(3, &BTreeMap::new())),
            None,
            "of another sequence"
        );
    }

    #[test]
    fn a_delta_has_the_private_side_only_if_that_is_another() {
        let documents: BTreeMap<u16, u64> = (0..2_000).map(|number| (number, 1)).collect();
        let blob = |name: &[u8]| crate::Blob {
            digest: Digest::of(name),
            length: 1,
        };
        let sealed = |name: &[u8]| Sealed {
            nonce: [0; 16],
            index: blob(name),
            buckets: vec![blob(b"bucket")],
        };
        let with = |sequence, sealed| Index {
            sealed,
            ..index(sequence, &documents)
        };
        let old = with(1, Some(sealed(b"one")));
        for (later, changed) in [
            (Some(sealed(b"one")), false),
            (Some(sealed(b"other")), true),
        ] {
            let new = with(2, later.clone());
            let delta = IndexDelta::between(&old, &new).expect("it is short");
            assert_eq!(delta.sealed, later.filter(|_| changed));
            assert_eq!(delta.apply(&old), Some(encode(&new)));
        }
        let lost = IndexDelta::between(&old, &with(2, None));
        assert_eq!(lost, None, "what is gone cannot be said");
    }

    #[test]
    fn from_an_index_that_lost_a_document_there_is_no_delta() {
        let old: BTreeMap<u16, u64> = (0..2_000).map(|number| (number, 1)).collect();
        let mut new = old.clone();
        new.remove(&7);
        assert_eq!(IndexDelta::between(&index(1, &old), &index(2, &new)), None);
    }
}
