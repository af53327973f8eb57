//! `Packages.db`: rpm's own format (`lib/backend/ndb/rpmpkg.c`), all numbers with the lowest byte first.
//!
//! The file begins with slots, each of which says where a package lies; packages have a checksum.

use super::{
    Place, Take, give, malformed,
    storage::{Storage, u32_le},
};
use crate::Why;

const MAGIC: u32 = u32::from_le_bytes(*b"RpmP");
const SLOT: u32 = u32::from_le_bytes(*b"Slot");
const BLOB_BEGINS: u32 = u32::from_le_bytes(*b"BlbS");
const BLOB_ENDS: u32 = u32::from_le_bytes(*b"BlbE");

const HEADER: usize = 32;
const SLOT_LENGTH: usize = 16;
const PAGE: usize = 4096;
/// Packages begin at multiples of it, and are as long as multiples of it.
const BLOCK: u64 = 16;
const BLOB_HEADER: usize = 16;
const BLOB_TAIL: usize = 12;

pub(super) fn headers(storage: &mut Storage<'_>, take: &mut Take<'_>) -> Result<(), Why> {
    let header = storage.read(0, HEADER)?;
    if u32_le(&header, 0) != Some(MAGIC) {
        return Err(malformed("it does not begin as one of ndb"));
    }
    if let Some(version @ 1..) = u32_le(&header, 4) {
        return Err(Why::NotRead(format!("version {version} of ndb")));
    }
    let pages = u32_le(&header, 12).unwrap_or(0);
    if u64::from(pages) * PAGE as u64 > storage.length() {
        return Err(malformed("the file ends before its list of packages"));
    }
    for number in 0..pages {
        let page = storage.read(u64::from(number) * PAGE as u64, PAGE)?;
        let slots = page.get(if number == 0 { HEADER } else { 0 }..);
        let (slots, _) = slots.unwrap_or_default().as_chunks::<SLOT_LENGTH>();
        for slot in slots {
            match slot_of(slot) {
                // Free.
                Some(Slot {
                    package: 0,
                    block: 0,
                    blocks: 0,
                }) => {}
                Some(slot) => {
                    let place = Place::Package(u64::from(slot.package));
                    give(place, blob(storage, &slot), take)?;
                }
                None => {
                    let why = malformed("an entry of its list of packages is damaged");
                    give(Place::Page(number), Err(why), take)?;
                }
            }
        }
    }
    Ok(())
}

struct Slot {
    package: u32,
    block: u32,
    blocks: u32,
}

fn slot_of(bytes: &[u8; SLOT_LENGTH]) -> Option<Slot> {
    let field = |at| u32_le(bytes, at);
    field(0).filter(|magic| *magic == SLOT)?;
    Some(Slot {
        package: field(4)?,
        block: field(8)?,
        blocks: field(12)?,
    })
}

fn blob(storage: &mut Storage<'_>, slot: &Slot) -> Result<Vec<u8>, Why> {
    let at = u64::from(slot.block) * BLOCK;
    let header = storage.read(at, BLOB_HEADER)?;
    let length = u32_le(&header, 12).unwrap_or(0);
    let with_ends = u64::from(length) + (BLOB_HEADER + BLOB_TAIL) as u64;
    if u32_le(&header, 0) != Some(BLOB_BEGINS)
        || u32_le(&header, 4) != Some(slot.package)
        || with_ends.div_ceil(BLOCK) != u64::from(slot.blocks)
    {
        return Err(malformed("a package does not begin as its entry says"));
    }
    let padded = with_ends.next_multiple_of(BLOCK) - BLOB_HEADER as u64;
    let mut bytes = storage.room(padded)?;
    // No longer than what there is room for.
    let padded = usize::try_from(padded).unwrap_or(0);
    storage.append(at + BLOB_HEADER as u64, padded, &mut bytes)?;
    let tail = bytes.split_off(padded - BLOB_TAIL);
    let sum = adler_32(adler_32(1, &header), &bytes);
    if u32_le(&tail, 0) != Some(sum)
        || u32_le(&tail, 4) != Some(length)
        || u32_le(&tail, 8) != Some(BLOB_ENDS)
    {
        return Err(malformed("a package is damaged: its checksum differs"));
    }
    bytes.truncate(usize::try_from(length).unwrap_or(0));
    Ok(bytes)
}

/// The checksum of RFC 1950, continued.
fn adler_32(sum: u32, bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    /// Bytes after which no sum has overflowed.
    const CHUNK: usize = 5552;
    let (mut low, mut high) = (sum & 0xffff, sum >> 16);
    for chunk in bytes.chunks(CHUNK) {
        for byte in chunk {
            low += u32::from(*byte);
            high += low;
        }
        low %= MODULUS;
        high %= MODULUS;
    }
    high << 16 | low
}
