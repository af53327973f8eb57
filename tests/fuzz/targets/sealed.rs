//! The private side: buckets, sealed indexes, capsules and sealed files, from whoever wrote them.
//!
//! The first byte says what the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spacecp_contract::{
    Limits, ObjectKey, SealedIndex, capsule,
    envelope::{Bucket, MOST_IN_BUCKET, RECORD, Tag},
};
use spacecp_trust::sealed;

/// No contents of a sealed file may be longer here.
const MOST: u64 = 64 << 10;

fuzz_target!(|input: &[u8]| {
    let Some((what, bytes)) = input.split_first() else {
        return;
    };
    match what % 4 {
        0 => bucket(bytes, usize::from(what >> 2)),
        1 => {
            if let Ok(index) = SealedIndex::from_bytes(bytes, &Limits::default()) {
                // Each document and payload took up some of the bytes.
                assert!(index.documents.len() + index.payloads.len() <= bytes.len());
                let again = SealedIndex::from_bytes(&index.to_bytes(), &Limits::default());
                assert_eq!(again.as_ref(), Ok(&index));
            }
        }
        2 => {
            if let Some(parts) = capsule::unpack::<2>(bytes) {
                assert!(parts.iter().map(|part| part.len() + 4).sum::<usize>() <= bytes.len());
            }
        }
        _ => {
            let key = ObjectKey::from_bytes([7; 16]);
            if let Ok(contents) = sealed::open(&key, bytes, MOST) {
                assert!(contents.len() as u64 <= MOST);
            }
        }
    }
});

fn bucket(bytes: &[u8], number: usize) {
    let of = 64;
    let Ok(bucket) = Bucket::read(bytes, number, of) else {
        return;
    };
    assert!(bytes.len() <= MOST_IN_BUCKET * RECORD);
    for record in bytes.chunks_exact(RECORD) {
        let tag = Tag::from_bytes(record[..8].try_into().expect("a tag has eight bytes"));
        assert_eq!(tag.bucket(of), number);
        assert!(bucket.at(tag).any(|envelope| envelope[..] == record[8..]));
    }
}
