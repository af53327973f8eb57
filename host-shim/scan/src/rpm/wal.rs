//! `SQLite`'s write-ahead log: pages that are newer than those in the file beside it
//! (<https://www.sqlite.org/fileformat.html#the_write_ahead_log>).

use std::collections::HashMap;

use super::{
    malformed,
    storage::{Storage, u32_be},
};
use crate::Why;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// With the lowest bit set, checksums are of numbers with the highest byte first.
const MAGIC: u32 = 0x377f_0682;

/// Pages that a log may hold: at 4 KiB, 4 GiB of them.
const MOST_FRAMES: usize = 1 << 20;

/// Where the newest of a page lies in the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) pages: HashMap<u32, u64>,
    /// Pages of the whole database after the last transaction.
    pub(super) database_pages: Option<u32>,
}

/// Reads which pages the log holds that belong to finished transactions.
pub(super) fn read(storage: &mut Storage<'_>, page_size: usize) -> Result<Log, Why> {
    let mut log = Log::default();
    if storage.length() == 0 {
        return Ok(log);
    }
    let header = storage.read(0, HEADER)?;
    let field = |at| u32_be(&header, at).unwrap_or(0);
    let big = field(0) & 1 == 1;
    let mut sum = checksum((0, 0), header.get(..24).unwrap_or_default(), big);
    if field(0) & !1 != MAGIC || sum != (field(24), field(28)) {
        return Err(malformed("the log beside it does not begin as one"));
    }
    if field(8) as usize != page_size {
        return Err(malformed("the log beside it is of another page size"));
    }
    let salt = (field(16), field(20));
    let length = FRAME_HEADER + page_size;
    let mut open = HashMap::new();
    let mut at = HEADER as u64;
    // What does not fit the checksum is of an earlier use of the log, or was never finished.
    while at + length as u64 <= storage.length() {
        let frame = storage.read(at, length)?;
        let field = |at| u32_be(&frame, at).unwrap_or(0);
        sum = checksum(sum, frame.get(..8).unwrap_or_default(), big);
        sum = checksum(sum, frame.get(FRAME_HEADER..).unwrap_or_default(), big);
        if (field(8), field(12)) != salt || (field(16), field(20)) != sum {
            break;
        }
        open.insert(field(0), at + FRAME_HEADER as u64);
        if open.len() + log.pages.len() > MOST_FRAMES {
            return Err(malformed("the log beside it is too long"));
        }
        if field(4) != 0 {
            log.pages.extend(open.drain());
            log.database_pages = Some(field(4));
        }
        at += length as u64;
    }
    Ok(log)
}

fn checksum((mut one, mut two): (u32, u32), bytes: &[u8], big: bool) -> (u32, u32) {
    let number = |bytes: [u8; 4]| {
        if big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    };
    let (numbers, _) = bytes.as_chunks::<4>();
    let (pairs, _) = numbers.as_chunks::<2>();
    for [first, second] in pairs {
        one = one.wrapping_add(number(*first)).wrapping_add(two);
        two = two.wrapping_add(number(*second)).wrapping_add(one);
    }
    (one, two)
}
