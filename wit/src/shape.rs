//! Bounds a MessagePack value before anything is allocated for it.
//!
//! One pass over the bytes, without recursion and with no memory but for a stack as deep as the limit, that
//! refuses what is too long, too deep, too many, cut short or followed by something. What it lets through is
//! still untrusted. Format: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

use rmp::Marker;

/// How much a signed document may ask of its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: usize,
    /// Arrays and maps inside one another.
    pub depth: usize,
    /// Values of all kinds in the whole document.
    pub items: usize,
    /// Bytes of one text or binary value.
    pub text: usize,
}

impl Default for Limits {
    /// 16 MiB, 32 deep, two million values, 1 MiB a text: an index of 100,000 documents fits.
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 32,
            items: 2_000_000,
            text: 1 << 20,
        }
    }
}

/// Why bytes are not a value that a reader would touch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The document is longer than the limit.
    #[error("it has {length} bytes, more than the limit of {limit}")]
    Bytes {
        /// Its length.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Arrays and maps are nested too deeply.
    #[error("nested more than {limit} deep at byte {at}")]
    Depth {
        /// Where.
        at: usize,
        /// The limit.
        limit: usize,
    },
    /// More values than the limit, or than the remaining bytes could hold.
    #[error("{announced} values announced at byte {at}, but only {room} can follow")]
    Items {
        /// Where.
        at: usize,
        /// How many.
        announced: u64,
        /// How many could still be there.
        room: usize,
    },
    /// A text longer than the limit.
    #[error("{announced} bytes of text announced at byte {at}, more than the limit of {limit}")]
    Text {
        /// Where.
        at: usize,
        /// How many.
        announced: u64,
        /// The limit.
        limit: usize,
    },
    /// The bytes end within a value.
    #[error("truncated: {missing} more bytes announced at byte {at}")]
    Truncated {
        /// Where the value begins.
        at: usize,
        /// How many bytes are missing, at least.
        missing: u64,
    },
    /// Bytes follow the value.
    #[error("{extra} trailing bytes")]
    Trailing {
        /// How many.
        extra: usize,
    },
    /// An extension type or the reserved marker; no document uses them.
    #[error("unsupported type of value at byte {at}")]
    Kind {
        /// Where.
        at: usize,
    },
}

/// Walks over the one value in `bytes` and refuses what is beyond `limits`.
pub(crate) fn check(bytes: &[u8], limits: &Limits) -> Result<(), ShapeError> {
    check_fields(bytes, limits, |_, _| {})
}

/// The same, and where the value is a map, tells `field` of each of its entries: its name, if that is a text, and
/// where in `bytes` its value begins.
pub(crate) fn check_fields(
    bytes: &[u8],
    limits: &Limits,
    mut field: impl FnMut(Option<&str>, usize),
) -> Result<(), ShapeError> {
    if bytes.len() > limits.bytes {
        return Err(ShapeError::Bytes {
            length: bytes.len(),
            limit: limits.bytes,
        });
    }
    let mut walk = Walk {
        bytes,
        at: 0,
        items: 1,
        limits,
    };
    walk.value(&mut field)?;
    match bytes.len() - walk.at {
        0 => Ok(()),
        extra => Err(ShapeError::Trailing { extra }),
    }
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Values announced so far; never more than the limit.
    items: usize,
    limits: &'a Limits,
}

impl Walk<'_> {
    fn value(&mut self, field: &mut impl FnMut(Option<&str>, usize)) -> Result<(), ShapeError> {
        let is_map = self.bytes.first().is_some_and(|first| is_map(*first));
        // How many values each open array or map still has to give.
        let mut open: Vec<u64> = Vec::with_capacity(self.limits.depth.min(64));
        let mut pending = 1u64;
        loop {
            while pending == 0 {
                match open.pop() {
                    Some(outer) => pending = outer,
                    None => return Ok(()),
                }
            }
            // An entry is a name and a value, so that a name is next where their number is even.
            let is_name = is_map && open.len() == 1 && pending.is_multiple_of(2);
            pending -= 1;
            let at = self.at;
            let children = self.one()?;
            if is_name {
                field(text(&self.bytes[at..self.at]), self.at);
            }
            if children == 0 {
                continue;
            }
            // Every value takes a byte at least, so an announcement beyond the bytes is a lie.
            let room =
                (self.bytes.len() - self.at).min(self.limits.items.saturating_sub(self.items));
            if children > room as u64 {
                return Err(ShapeError::Items {
                    at,
                    announced: children,
                    room,
                });
            }
            if open.len() >= self.limits.depth {
                return Err(ShapeError::Depth {
                    at,
                    limit: self.limits.depth,
                });
            }
            // It fits: it is at most `room`.
            self.items += usize::try_from(children).unwrap_or(room);
            open.push(pending);
            pending = children;
        }
    }

    /// Steps over one value without its children; says how many children follow.
    fn one(&mut self) -> Result<u64, ShapeError> {
        let at = self.at;
        let first = *self
            .bytes
            .get(at)
            .ok_or(ShapeError::Truncated { at, missing: 1 })?;
        self.at += 1;
        let marker = Marker::from_u8(first);
        match marker {
            Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null | Marker::True | Marker::False => {
                Ok(0)
            }
            Marker::U8 | Marker::I8 => self.skip(at, 1),
            Marker::U16 | Marker::I16 => self.skip(at, 2),
            Marker::U32 | Marker::I32 | Marker::F32 => self.skip(at, 4),
            Marker::U64 | Marker::I64 | Marker::F64 => self.skip(at, 8),
            Marker::FixStr(length) => self.text(at, u64::from(length)),
            Marker::Str8 | Marker::Bin8 => self.number::<1>(at).and_then(|n| self.text(at, n)),
            Marker::Str16 | Marker::Bin16 => self.number::<2>(at).and_then(|n| self.text(at, n)),
            Marker::Str32 | Marker::Bin32 => self.number::<4>(at).and_then(|n| self.text(at, n)),
            Marker::FixArray(count) => Ok(u64::from(count)),
            Marker::Array16 => self.number::<2>(at),
            Marker::Array32 => self.number::<4>(at),
            Marker::FixMap(count) => Ok(u64::from(count) * 2),
            Marker::Map16 => Ok(self.number::<2>(at)? * 2),
            Marker::Map32 => Ok(self.number::<4>(at)? * 2),
            _ => Err(ShapeError::Kind { at }),
        }
    }

    /// The next `N` bytes as a big-endian number.
    fn number<const N: usize>(&mut self, at: usize) -> Result<u64, ShapeError> {
        let start = self.at;
        self.skip(at, N as u64)?;
        Ok(self.bytes[start..self.at]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn text(&mut self, at: usize, announced: u64) -> Result<u64, ShapeError> {
        if announced > self.limits.text as u64 {
            return Err(ShapeError::Text {
                at,
                announced,
                limit: self.limits.text,
            });
        }
        self.skip(at, announced)
    }

    fn skip(&mut self, at: usize, length: u64) -> Result<u64, ShapeError> {
        let left = (self.bytes.len() - self.at) as u64;
        if length > left {
            return Err(ShapeError::Truncated {
                at,
                missing: length - left,
            });
        }
        // `length` is at most what is left of a slice, so it fits.
        self.at += usize::try_from(length).unwrap_or(usize::MAX);
        Ok(0)
    }
}

fn is_map(first: u8) -> bool {
    let marker = Marker::from_u8(first);
    matches!(marker, Marker::FixMap(_) | Marker::Map16 | Marker::Map32)
}

/// The text that was stepped over; none where it was something else, or its bytes are no text.
fn text(value: &[u8]) -> Option<&str> {
    let head = match Marker::from_u8(*value.first()?) {
        Marker::FixStr(_) => 1,
        Marker::Str8 => 2,
        Marker::Str16 => 3,
        Marker::Str32 => 5,
        _ => return None,
    };
    std::str::from_utf8(value.get(head..)?).ok()
}
