//! The key of a version: bytes that order as the versions do.

/// Bytes that order as the versions do. The first of them may name a line of development; keys of
/// two lines have no order between them.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) bytes: Vec<u8>,
    /// How many of them name the line.
    pub(super) line: u16,
}

/// Builds a key from the left, what weighs most first.
#[derive(Debug, Default)]
pub(super) struct KeyWriter {
    bytes: Vec<u8>,
    line: u16,
}

impl KeyWriter {
    /// A key that will have so many bytes or a few more.
    pub(super) fn of_about(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            line: 0,
        }
    }

    /// A key of a line of development.
    pub(super) fn of_line(line: &str) -> Self {
        Self {
            bytes: line.as_bytes().to_vec(),
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
        let digits = digits.trim_start_matches('0');
        // No text that is read is as long as that.
        let length = u16::try_from(digits.len()).unwrap_or(u16::MAX);
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend(digits.as_bytes());
        self
    }

    /// A word, in the order of its bytes, with a shorter one first. It has no NUL in it.
    pub(super) fn word(&mut self, word: &str) -> &mut Self {
        self.bytes.extend(word.as_bytes());
        self.bytes.push(0);
        self
    }

    pub(super) fn finish(&mut self) -> Key {
        Key {
            bytes: std::mem::take(&mut self.bytes),
            line: self.line,
        }
    }
}
