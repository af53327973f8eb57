//! Whether compressed bytes can begin with a certain byte, without unpacking them: what few entries of an archive may
//! be archives themselves is found out of very many by the tables of their first block (RFC 1951).
//!
//! It only ever excludes: where it cannot tell, the answer is yes, and whoever asks unpacks.

/// The order in which the lengths of the codes for lengths are given (RFC 1951, 3.2.7).
const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The symbol that ends a block; another may follow, so that nothing is known then.
const END: usize = 256;

/// Symbols of literals and lengths, and of distances, at most.
const MOST_LITERALS: usize = 288;
const MOST: usize = MOST_LITERALS + 32;

/// The longest code in bits.
const LONGEST: usize = 15;

/// Whether what is compressed so may begin with this byte. No only where it certainly does not.
pub(super) fn may_begin_with(packed: &[u8], first: u8) -> bool {
    begins_with(packed, first).unwrap_or(true)
}

/// None where it is not known.
fn begins_with(packed: &[u8], first: u8) -> Option<bool> {
    let mut bits = Bits { packed, at: 1 };
    match bits.take(2)? {
        0 => {
            bits.at = bits.at.next_multiple_of(8);
            let length = bits.take(16)?;
            bits.take(16)?;
            (length > 0).then_some(())?;
            Some(bits.take(8)? == u32::from(first))
        }
        1 => {
            let mut lengths = [0; MOST_LITERALS];
            for (symbol, length) in lengths.iter_mut().enumerate() {
                *length = match symbol {
                    0..144 => 8,
                    144..256 => 9,
                    256..280 => 7,
                    _ => 8,
                };
            }
            bits.begins(&lengths, first)
        }
        2 => {
            let literals = bits.take(5)? as usize + 257;
            let distances = bits.take(5)? as usize + 1;
            let given = bits.take(4)? as usize + 4;
            let mut short = [0; 19];
            for place in ORDER.iter().take(given) {
                *short.get_mut(*place)? = u8::try_from(bits.take(3)?).ok()?;
            }
            let mut lengths = [0; MOST];
            bits.lengths(&short, lengths.get_mut(..literals + distances)?)?;
            bits.begins(lengths.get(..literals)?, first)
        }
        _ => None,
    }
}

/// Reads from the lowest bit of each byte on.
struct Bits<'a> {
    packed: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<u32> {
        let byte = self.packed.get(self.at / 8)?;
        let bit = byte >> (self.at % 8) & 1;
        self.at += 1;
        Some(u32::from(bit))
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        let mut taken = 0;
        for place in 0..count {
            taken |= self.bit()? << place;
        }
        Some(taken)
    }

    /// The lengths of codes, as the code for lengths gives them.
    fn lengths(&mut self, short: &[u8; 19], lengths: &mut [u8]) -> Option<()> {
        let code = Code::new(short);
        let mut place = 0;
        while place < lengths.len() {
            let symbol = self.symbol(&code)?;
            let (value, count) = match symbol {
                0..=15 => (symbol, 1),
                16 => (*lengths.get(place.checked_sub(1)?)?, 3 + self.take(2)?),
                17 => (0, 3 + self.take(3)?),
                _ => (0, 11 + self.take(7)?),
            };
            for _ in 0..count {
                *lengths.get_mut(place)? = value;
                place += 1;
            }
        }
        Some(())
    }

    /// The next symbol of a small code.
    fn symbol(&mut self, code: &Code) -> Option<u8> {
        let (mut read, mut first, mut before) = (0, 0, 0);
        for count in code.counts.iter().skip(1) {
            read |= self.bit()?;
            if let Some(place) = u32::checked_sub(read, first).filter(|place| place < count) {
                return code.symbols.get((before + place) as usize).copied();
            }
            before += count;
            first = (first + count) << 1;
            read <<= 1;
        }
        None
    }

    /// Whether the next symbol is this one; none where the block ends.
    fn begins(&self, lengths: &[u8], first: u8) -> Option<bool> {
        if self.is_next(lengths, END) {
            return None;
        }
        Some(self.is_next(lengths, usize::from(first)))
    }

    /// Whether the code of a symbol is next; also where the bytes end before that is certain.
    fn is_next(&self, lengths: &[u8], symbol: usize) -> bool {
        let length = usize::from(lengths.get(symbol).copied().unwrap_or(0));
        if length == 0 {
            return false;
        }
        let before = lengths.iter().take(symbol);
        let before = before.filter(|one| usize::from(**one) == length).count();
        let code = first_code(lengths, length) + u32::try_from(before).unwrap_or(0);
        let mut bits = Self { ..*self };
        (0..length)
            .rev()
            .all(|place| bits.bit().is_none_or(|bit| bit == code >> place & 1))
    }
}

/// The code for lengths.
struct Code {
    /// Symbols by length.
    symbols: [u8; 19],
    /// How many there are of each length.
    counts: [u32; 8],
}

impl Code {
    fn new(lengths: &[u8; 19]) -> Self {
        let (mut symbols, mut counts) = ([0; 19], [0; 8]);
        let mut filled = symbols.iter_mut();
        for (length, count) in (0_u8..).zip(&mut counts).skip(1) {
            for (symbol, _) in (0_u8..).zip(lengths).filter(|(_, one)| **one == length) {
                *count += 1;
                if let Some(place) = filled.next() {
                    *place = symbol;
                }
            }
        }
        Self { symbols, counts }
    }
}

/// The first of all codes of a length: shorter ones come before longer ones (RFC 1951, 3.2.2).
fn first_code(lengths: &[u8], length: usize) -> u32 {
    let mut counts = [0_u32; LONGEST + 1];
    for one in lengths {
        if let Some(count) = counts.get_mut(usize::from(*one)).filter(|_| *one > 0) {
            *count += 1;
        }
    }
    let shorter = counts.iter().take(length).skip(1);
    shorter.fold(0, |code, count| (code + count) << 1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::DeflateEncoder};
    use proptest::prelude::*;

    use super::*;

    fn packed(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    proptest! {
        #[test]
        fn what_begins_so_is_never_excluded_and_nearly_all_else_is(
            bytes in prop::collection::vec(prop::sample::select(b"PKabc{}\x03\x04\xff\0".to_vec()), 1..600),
            noise in prop::collection::vec(any::<u8>(), 0..600),
            level in 0_u32..10,
        ) {
            let bytes = [bytes, noise].concat();
            let packed = packed(&bytes, level);
            let seen = packed.get(..512).unwrap_or(&packed);
            prop_assert_eq!(may_begin_with(seen, b'P'), bytes[0] == b'P');
        }

        #[test]
        fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = may_begin_with(&bytes, b'P');
        }
    }

    #[test]
    fn an_empty_block_before_it_excludes_nothing() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
        encoder.flush().unwrap();
        encoder.write_all(b"PK").unwrap();
        assert!(may_begin_with(&encoder.finish().unwrap(), b'P'));
    }
}
