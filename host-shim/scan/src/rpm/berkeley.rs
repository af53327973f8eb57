//! `Packages`: a hash of Berkeley DB (`db_page.h`, `hash.h`), in the byte order of the machine that wrote it.
//!
//! Every bucket is looked at, as librpm does, so that a page that is damaged is missed. Keys are the numbers of
//! packages; number 0 holds the last one given.

use std::collections::HashSet;

use super::{
    MOST_PAGES, Place, Take, give, malformed,
    storage::{Storage, array},
};
use crate::Why;

const HASH: u32 = 0x0006_1561;
const PAGE_HEADER: usize = 26;
/// Enough of the first page to hold all that is asked for.
const META: usize = 512;
/// Where the hash says by how many pages buckets of each doubling are shifted.
const SPARES: usize = 96;
const MOST_DOUBLINGS: u32 = 32;

/// Kinds of pages.
const UNSORTED_BUCKET: u8 = 2;
const OVERFLOW: u8 = 7;
const BUCKET: u8 = 13;

/// Kinds of items on them.
const ON_PAGE: u8 = 1;
const OFF_PAGE: u8 = 3;

pub(super) fn headers(storage: &mut Storage<'_>, take: &mut Take<'_>) -> Result<(), Why> {
    let mut hash = Hash::open(storage)?;
    let mut visited = HashSet::new();
    for bucket in 0..=hash.last_bucket {
        let Some(mut number) = hash.page_of(bucket) else {
            let why = malformed("a part of the hash has no page");
            give(Place::Page(0), Err(why), take)?;
            continue;
        };
        loop {
            if !visited.insert(number) {
                let why = malformed("a page is referred to twice");
                give(Place::Page(number), Err(why), take)?;
                break;
            }
            match hash.bucket(number, take)? {
                Some(next) => number = next,
                None => break,
            }
        }
    }
    Ok(())
}

struct Hash<'a, 'b> {
    storage: &'a mut Storage<'b>,
    is_big: bool,
    page_size: usize,
    last_bucket: u32,
    meta: Vec<u8>,
}

/// Where an item lies.
enum Item<'a> {
    Here(&'a [u8]),
    Elsewhere { page: u32, length: u32 },
}

impl<'a, 'b> Hash<'a, 'b> {
    fn open(storage: &'a mut Storage<'b>) -> Result<Self, Why> {
        let meta = storage.read(0, META)?;
        let magic = array(&meta, 12).unwrap_or_default();
        let is_big = match (u32::from_le_bytes(magic), u32::from_be_bytes(magic)) {
            (HASH, _) => false,
            (_, HASH) => true,
            _ => return Err(malformed("it does not begin as a hash of Berkeley DB")),
        };
        let field = |at| u32_of(&meta, at, is_big).unwrap_or(0);
        let version = field(16);
        if !(8..=10).contains(&version) {
            let what = format!("version {version} of Berkeley DB's hash");
            return Err(Why::NotRead(what));
        }
        // Encrypted, or with a checksum on each page, which shifts what is on it.
        if meta.get(24) != Some(&0) || meta.get(26).is_none_or(|flags| flags & 1 != 0) {
            return Err(Why::NotRead(
                "encryption or checksums of Berkeley DB".to_owned(),
            ));
        }
        let page_size = field(20) as usize;
        if !(512..=1 << 16).contains(&page_size) || !page_size.is_power_of_two() {
            return Err(malformed("its pages have a size that none has"));
        }
        let last_bucket = field(72);
        if u64::from(last_bucket) * page_size as u64 > storage.length() {
            return Err(malformed("the file ends before its last page"));
        }
        if last_bucket >= MOST_PAGES {
            return Err(malformed(format!("it has more than {MOST_PAGES} pages")));
        }
        Ok(Self {
            storage,
            is_big,
            page_size,
            last_bucket,
            meta,
        })
    }

    /// The page that a bucket begins on.
    fn page_of(&self, bucket: u32) -> Option<u32> {
        let doubling = (bucket + 1).next_power_of_two().ilog2();
        if doubling >= MOST_DOUBLINGS {
            return None;
        }
        let shift = u32_of(&self.meta, SPARES + 4 * doubling as usize, self.is_big)?;
        bucket.checked_add(shift)
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>, Why> {
        let at = u64::from(number) * self.page_size as u64;
        self.storage.read(at, self.page_size)
    }

    /// Gives out the packages on a page of a bucket; the page that follows.
    fn bucket(&mut self, number: u32, take: &mut Take<'_>) -> Result<Option<u32>, Why> {
        let page = match self.page(number) {
            Ok(page) => page,
            Err(why) => {
                give(Place::Page(number), Err(why), take)?;
                return Ok(None);
            }
        };
        // A bucket that nothing was ever put into is all zeros.
        if page.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let is_bucket = matches!(page.get(25), Some(&(UNSORTED_BUCKET | BUCKET)));
        let items = u16_of(&page, 20, self.is_big).map_or(0, usize::from);
        if !is_bucket || PAGE_HEADER + 2 * items > self.page_size || !items.is_multiple_of(2) {
            let why = malformed("a page is not of the hash");
            give(Place::Page(number), Err(why), take)?;
            return Ok(None);
        }
        for pair in 0..items / 2 {
            let key = match self.item(&page, 2 * pair) {
                Some(Item::Here(key)) => u32_of(key, 0, self.is_big),
                _ => None,
            };
            let place = match key {
                Some(key) => Place::Package(u64::from(key)),
                None => Place::Page(number),
            };
            let value = match self.item(&page, 2 * pair + 1) {
                // The last number that was given.
                Some(Item::Here(bytes)) if key == Some(0) && bytes.len() == 4 => continue,
                Some(Item::Here(bytes)) => self.storage.room(bytes.len() as u64).map(|mut room| {
                    room.extend_from_slice(bytes);
                    room
                }),
                Some(Item::Elsewhere { page, length }) => self.value(page, length),
                None => Err(malformed("an entry does not lie on its page")),
            };
            give(place, value, take)?;
        }
        let next = u32_of(&page, 16, self.is_big);
        Ok(next.filter(|next| *next != 0))
    }

    /// An item of a page; items lie one before the other, the first at the end.
    fn item<'c>(&self, page: &'c [u8], number: usize) -> Option<Item<'c>> {
        let place = |number: usize| {
            let at = u16_of(page, PAGE_HEADER + 2 * number, self.is_big);
            at.map(usize::from)
        };
        let at = place(number)?;
        let end = match number.checked_sub(1) {
            Some(before) => place(before)?,
            None => page.len(),
        };
        let item = page.get(at..end)?;
        match *item.first()? {
            ON_PAGE => Some(Item::Here(item.get(1..)?)),
            OFF_PAGE => Some(Item::Elsewhere {
                page: u32_of(item, 4, self.is_big)?,
                length: u32_of(item, 8, self.is_big)?,
            }),
            _ => None,
        }
    }

    /// What lies on pages of its own.
    fn value(&mut self, first: u32, length: u32) -> Result<Vec<u8>, Why> {
        let mut value = self.storage.room(u64::from(length))?;
        let length = length as usize;
        let mut number = first;
        while value.len() < length {
            let page = self.page(number)?;
            let here = u16_of(&page, 22, self.is_big).map_or(0, usize::from);
            let bytes = page.get(PAGE_HEADER..PAGE_HEADER + here);
            let bytes = bytes.filter(|bytes| {
                page.get(25) == Some(&OVERFLOW)
                    && !bytes.is_empty()
                    && value.len() + bytes.len() <= length
            });
            let bytes = bytes.ok_or_else(|| malformed("a page of a package is damaged"))?;
            value.extend_from_slice(bytes);
            number = u32_of(&page, 16, self.is_big).unwrap_or(0);
        }
        Ok(value)
    }
}

fn u32_of(bytes: &[u8], at: usize, is_big: bool) -> Option<u32> {
    let bytes = array(bytes, at)?;
    Some(if is_big {
        u32::from_be_bytes(bytes)
    } else {
        u32::from_le_bytes(bytes)
    })
}

fn u16_of(bytes: &[u8], at: usize, is_big: bool) -> Option<u16> {
    let bytes = array(bytes, at)?;
    Some(if is_big {
        u16::from_be_bytes(bytes)
    } else {
        u16::from_le_bytes(bytes)
    })
}
