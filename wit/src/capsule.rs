//! What is inside a sealed file: a few parts, and zeros up to a length that says little.
//!
//! Of what is read whole, each part is its length in four bytes, big-endian, and then the part itself. A
//! payload, which is read as a stream, is itself and then the zeros: who asks for it knows how long it is.
//! Either is padded as PADMÉ does it (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
//! PURBs", section 4): at most 12 % longer, and of so few lengths that one hardly tells a document by it.

/// What is short is all of one length.
const LEAST: u64 = 4 << 10;

/// Puts parts into a capsule. None if a part is longer than a length can say.
pub fn pack(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut capsule = Vec::new();
    for part in parts {
        capsule.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        capsule.extend_from_slice(part);
    }
    let length = usize::try_from(padded(capsule.len() as u64)).ok()?;
    capsule.resize(length, 0);
    Some(capsule)
}

/// The parts of a capsule that has exactly so many. None if it is cut short, or anything but zeros follows.
pub fn unpack<const N: usize>(capsule: &[u8]) -> Option<[&[u8]; N]> {
    let mut parts = [&[][..]; N];
    let mut rest = capsule;
    for part in &mut parts {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        (*part, rest) = behind.split_at_checked(length)?;
    }
    rest.iter().all(|byte| *byte == 0).then_some(parts)
}

/// The most bytes that a capsule of one part of `length` bytes has, one of two with room to spare, and a
/// padded payload.
pub fn most(length: u64) -> u64 {
    let length = length.saturating_add(1 << 10).max(LEAST);
    length.saturating_add(length / 8)
}

/// The length that so many bytes are brought to; one too long to be brought anywhere stays.
pub fn padded(length: u64) -> u64 {
    if length <= LEAST {
        return LEAST;
    }
    let exponent = length.ilog2();
    let free = exponent - (exponent.ilog2() + 1);
    let mask = (1_u64 << free) - 1;
    length.checked_add(mask).map_or(length, |next| next & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_capsules_are_all_of_one_length() {
        for length in [0, 1, 700, 4092] {
            let part = vec![1; length];
            assert_eq!(pack(&[&part]).expect("it is short").len() as u64, LEAST);
        }
    }

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            one in prop::collection::vec(any::<u8>(), 0..9_000),
            other in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let capsule = pack(&[&one, &other]).expect("they are short");
            prop_assert_eq!(unpack(&capsule), Some([&one[..], &other[..]]));
            prop_assert!(capsule.len() as u64 <= most(one.len() as u64));
        }

        #[test]
        fn padding_costs_an_eighth_at_most(length in any::<u64>()) {
            let padded = padded(length);
            prop_assert!(padded >= length);
            prop_assert!(padded <= LEAST || padded - length <= length / 8);
            prop_assert!(padded <= most(length));
        }

        #[test]
        fn no_bytes_make_it_read_beyond_them(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(parts) = unpack::<2>(&bytes) {
                prop_assert!(parts.iter().map(|part| part.len() + 4).sum::<usize>() <= bytes.len());
            }
        }
    }
}
