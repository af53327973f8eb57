//! The key of a version: bytes that order as the versions do.

use smallvec::SmallVec;

/// Most keys are shorter, and those are written without an allocation.
const TYPICAL: usize = 32;

/// The largest number that is its own byte.
const LARGEST_BYTE: u8 = 239;

/// Digits that are a number that a `u64` holds.
const ALWAYS_FITS: usize = 19;

/// Comes before a number that no `u64` holds.
const LONG: u8 = LARGEST_BYTE + 8 + 1;

/// Bytes that order as the versions do. The first of them may name a line of development; keys of
/// two lines have no order between them.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) bytes: SmallVec<[u8; TYPICAL]>,
    /// How many of them name the line.
    pub(super) line: u16,
}

/// Builds a key from the left, what weighs most first.
#[derive(Debug, Default)]
pub(super) struct KeyWriter {
    bytes: SmallVec<[u8; TYPICAL]>,
    line: u16,
}

impl KeyWriter {
    /// A key of a line of development.
    pub(super) fn of_line(line: &str) -> Self {
        Self {
            bytes: SmallVec::from_slice(line.as_bytes()),
            // No text that is read is as long as that.
            line: u16::try_from(line.len()).unwrap_or(u16::MAX),
        }
    }

    /// What comes next, as a rank among what might come here.
    pub(super) fn rank(&mut self, rank: u8) -> &mut Self {
        self.bytes.push(rank);
        self
    }

    /// Digits, in the order of the numbers that they are, however long.
    pub(super) fn number(&mut self, digits: &str) -> &mut Self {
        match value(digits) {
            Some(value) => self.value(value),
            None => self.long_number(digits),
        }
    }

    /// A number: a byte of its own where it is small, otherwise as many bytes as it has, and their count first.
    fn value(&mut self, value: u64) -> &mut Self {
        if let Some(byte) = own_byte(value) {
            return self.rank(byte);
        }
        let bytes = value.to_be_bytes();
        let bytes = &bytes[value.leading_zeros() as usize / 8..];
        // At most eight.
        self.rank(LARGEST_BYTE + u8::try_from(bytes.len()).unwrap_or(8));
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A number that no `u64` holds: the longer the larger, then in the order of its digits.
    fn long_number(&mut self, digits: &str) -> &mut Self {
        let digits = digits.trim_start_matches('0');
        // No text that is read is as long as that.
        let length = u16::try_from(digits.len()).unwrap_or(u16::MAX);
        self.rank(LONG);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(digits.as_bytes());
        self
    }

    /// A word, in the order of its bytes, with a shorter one first. It has no NUL in it.
    pub(super) fn word(&mut self, word: &str) -> &mut Self {
        self.bytes.extend_from_slice(word.as_bytes());
        self.bytes.push(0);
        self
    }

    pub(super) fn finish(self) -> Key {
        Key {
            bytes: self.bytes,
            line: self.line,
        }
    }
}

/// The byte that a number is in a key, if it is small enough for one of its own.
pub(super) fn own_byte(value: impl TryInto<u8>) -> Option<u8> {
    let byte = value.try_into().ok();
    byte.filter(|byte| *byte <= LARGEST_BYTE)
}

/// The number that these digits are, 0 where there are none; nothing where a `u64` does not hold it.
fn value(digits: &str) -> Option<u64> {
    if digits.len() > ALWAYS_FITS {
        return digits.parse().ok();
    }
    let digits = digits.bytes().map(|digit| digit.wrapping_sub(b'0'));
    Some(digits.fold(0, |value, digit| value * 10 + u64::from(digit)))
}
