//! Envelopes: for each panel that may read a private broadcast, the key to it.
//!
//! An envelope is what the age format (<https://age-encryption.org/v1>) has in the header of a file for one
//! X25519 recipient, without the header: the ephemeral share and the wrapped file key. It lies at a place
//! that only the vendor and the panel can compute, its tag. Envelopes are sorted by tag and cut by its
//! leading bits into buckets, of which a panel fetches one; dummies fill them up, so that neither names nor
//! numbers of customers show.

use sha2::{Digest as _, Sha256};

/// Bytes of an envelope: 32 of the share, 32 of the wrapped key.
pub const ENVELOPE: usize = 64;

/// Bytes of an envelope with its tag before it, as buckets have it.
pub const RECORD: usize = TAG + ENVELOPE;

/// Envelopes that a bucket has, on average, where there are more than fill one.
pub const BUCKET: usize = 256;

/// Envelopes that a bucket may have: far more than chance ever puts into one.
pub const MOST_IN_BUCKET: usize = 1024;

/// Buckets that a broadcast may have: for sixteen million panels.
pub const MOST_BUCKETS: usize = 1 << 16;

/// Envelopes of the smallest broadcast.
const FEWEST: usize = 64;

const TAG: usize = 8;

/// Where the envelope of a panel lies in one broadcast. It says nothing to who does not know the recipient,
/// and the next broadcast has another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; TAG]);

impl Tag {
    /// The tag of a recipient, as its text says (`age1…`), in the broadcast of this nonce.
    pub fn of(nonce: &[u8; 16], recipient: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(b"spacecp envelope")
            .chain_update(nonce)
            .chain_update(recipient.as_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&hash[..TAG]);
        Self(tag)
    }

    /// A tag of these bytes, as a dummy has one.
    pub fn from_bytes(bytes: [u8; TAG]) -> Self {
        Self(bytes)
    }

    /// The bucket that it belongs to, of so many; their number is a power of two.
    pub fn bucket(self, buckets: usize) -> usize {
        let bits = buckets.max(1).ilog2();
        let leading = u64::from_be_bytes(self.0).checked_shr(u64::BITS - bits);
        leading.map_or(0, |leading| {
            usize::try_from(leading).expect("the number of a bucket is below that of all of them")
        })
    }
}

/// How many envelopes a broadcast to so many panels has, dummies included.
pub fn envelopes(panels: usize) -> usize {
    panels.max(FEWEST).next_power_of_two()
}

/// How many buckets they are cut into.
pub fn buckets(envelopes: usize) -> usize {
    (envelopes / BUCKET).max(1)
}

/// Cuts sorted envelopes into the bytes of so many buckets.
pub fn cut(sorted: &[(Tag, [u8; ENVELOPE])], buckets: usize) -> Vec<Vec<u8>> {
    let mut cut = vec![Vec::new(); buckets];
    for (tag, envelope) in sorted {
        let bucket = &mut cut[tag.bucket(buckets)];
        bucket.extend_from_slice(&tag.0);
        bucket.extend_from_slice(envelope);
    }
    cut
}

/// One bucket, read where it lies.
#[derive(Debug, Clone, Copy)]
pub struct Bucket<'a>(&'a [[u8; RECORD]]);

/// Why bytes are not a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// A length that no number of envelopes has, or more of them than a bucket may have.
    #[error("{0} bytes are not a whole number of envelopes, or exceed the limit of a bucket")]
    Length(usize),
    /// They are not in order.
    #[error("envelope {0} is out of order")]
    Order(usize),
    /// One belongs into another bucket.
    #[error("envelope {0} belongs to another bucket")]
    Elsewhere(usize),
}

impl<'a> Bucket<'a> {
    /// The bucket of this number, of so many.
    pub fn read(bytes: &'a [u8], number: usize, of: usize) -> Result<Self, BucketError> {
        let (records, rest) = bytes.as_chunks::<RECORD>();
        if !rest.is_empty() || records.len() > MOST_IN_BUCKET {
            return Err(BucketError::Length(bytes.len()));
        }
        let bucket = Self(records);
        let mut before = None;
        for (at, (tag, _)) in bucket.records().enumerate() {
            if tag.bucket(of) != number {
                return Err(BucketError::Elsewhere(at));
            }
            if before.is_some_and(|before| before > tag) {
                return Err(BucketError::Order(at));
            }
            before = Some(tag);
        }
        Ok(bucket)
    }

    /// The envelopes at this place: usually one or none.
    pub fn at(self, tag: Tag) -> impl Iterator<Item = &'a [u8; ENVELOPE]> {
        let records = self.records();
        records.filter_map(move |(its, envelope)| (its == tag).then_some(envelope))
    }

    fn records(self) -> impl Iterator<Item = (Tag, &'a [u8; ENVELOPE])> {
        self.0.iter().map(|record| {
            let (tag, envelope) = record
                .split_first_chunk::<TAG>()
                .expect("a record begins with its tag");
            let envelope = envelope
                .first_chunk::<ENVELOPE>()
                .expect("behind its tag a record has its envelope");
            (Tag(*tag), envelope)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_number_of_envelopes_says_the_order_of_magnitude_only() {
        assert_eq!([0, 1, 64].map(envelopes), [64; 3]);
        assert_eq!(envelopes(65), 128);
        assert_eq!(envelopes(100_000), 131_072);
        assert_eq!([64, 256, 512].map(buckets), [1, 1, 2]);
        assert_eq!(buckets(131_072), 512);
    }

    #[test]
    fn a_recipient_has_another_place_in_each_broadcast() {
        let one = Tag::of(&[1; 16], "age1one");
        assert_eq!(one, Tag::of(&[1; 16], "age1one"));
        assert_ne!(one, Tag::of(&[2; 16], "age1one"));
        assert_ne!(one, Tag::of(&[1; 16], "age1other"));
    }

    proptest! {
        #[test]
        fn every_envelope_is_found_where_its_tag_says(
            tags in prop::collection::btree_set(any::<[u8; 8]>(), 1..600),
        ) {
            let sorted: Vec<_> = tags.iter().map(|tag| (Tag(*tag), [tag[0]; ENVELOPE])).collect();
            let cut = cut(&sorted, 4);
            for (tag, envelope) in &sorted {
                let number = tag.bucket(4);
                let bucket = Bucket::read(&cut[number], number, 4);
                let found: Vec<_> = bucket.expect("it was cut so").at(*tag).collect();
                prop_assert_eq!(found, vec![envelope]);
            }
        }

        #[test]
        fn a_bucket_in_the_place_of_another_is_no_bucket(
            tags in prop::collection::btree_set(any::<[u8; 8]>(), 1..40), other in 0_usize..4,
        ) {
            let sorted: Vec<_> = tags.iter().map(|tag| (Tag(*tag), [0; ENVELOPE])).collect();
            let cut = cut(&sorted, 4);
            for (number, bytes) in cut.iter().enumerate().filter(|(_, bytes)| !bytes.is_empty()) {
                prop_assert_eq!(Bucket::read(bytes, other, 4).is_ok(), number == other);
                prop_assert!(Bucket::read(&bytes[1..], number, 4).is_err());
            }
        }
    }
}
