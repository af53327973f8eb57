//! `rpmdb.sqlite`: the table `Packages` of an `SQLite` file, page by page
//! (<https://www.sqlite.org/fileformat.html>), with what is newer in the log beside it.
//!
//! The file is not opened as a database: nothing is locked, repaired or written, and a damaged page costs what is on
//! it.

use std::{collections::HashSet, fs::File, ops::Range};

use super::{
    MOST_PAGES, Place, Take, give, malformed,
    storage::{Storage, array, u16_be, u32_be},
    wal::{self, Log},
};
use crate::Why;

const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 100;
const TABLE: &str = "Packages";

/// Kinds of pages of tables.
const INTERIOR: u8 = 5;
const LEAF: u8 = 13;

/// The longest row of the schema that can be the table's.
const LONGEST_SCHEMA_ROW: u64 = 64 << 10;

pub(super) fn headers(
    storage: &mut Storage<'_>,
    log: Option<&File>,
    take: &mut Take<'_>,
) -> Result<(), Why> {
    let mut database = Database::open(storage, log, take)?;
    let root = database.table()?;
    let mut seen = HashSet::from([root]);
    let mut pages = vec![root];
    while let Some(number) = pages.pop() {
        let read = database
            .page(number)
            .and_then(|page| Ok((page.cells()?, page)));
        let (cells, page) = match read {
            Ok(read) => read,
            Err(why) => {
                give(Place::Page(number), Err(why), take)?;
                continue;
            }
        };
        match cells {
            Cells::Children(children) => {
                if let Err(why) = follow(&children, &mut seen, &mut pages) {
                    give(Place::Page(number), Err(why), take)?;
                }
            }
            Cells::Rows(rows) => {
                for row in rows {
                    let place = row
                        .as_ref()
                        .map_or(Place::Page(number), |row| Place::Package(row.id));
                    let read = row.and_then(|row| database.header(&row, &page));
                    give(place, read, take)?;
                }
            }
        }
    }
    Ok(())
}

/// Puts pages on the list of those that are still to be read, each once.
fn follow(children: &[u32], seen: &mut HashSet<u32>, pages: &mut Vec<u32>) -> Result<(), Why> {
    for child in children.iter().rev() {
        if !seen.insert(*child) {
            return Err(malformed("a page is referred to twice"));
        }
        pages.push(*child);
    }
    Ok(())
}

struct Database<'a, 'b> {
    storage: &'a mut Storage<'b>,
    log_file: Option<&'a File>,
    log: Log,
    page_size: usize,
    /// Bytes of a page that are used.
    usable: usize,
    /// Pages that there are.
    pages: u32,
}

struct Page {
    bytes: Vec<u8>,
    /// Where its own header begins: on the first page, behind the file's.
    begins: usize,
    usable: usize,
}

/// What is on a page of a table.
enum Cells {
    Children(Vec<u32>),
    Rows(Vec<Result<Row, Why>>),
}

/// A row, of which the first bytes are on its page and the others on pages of their own.
struct Row {
    id: u64,
    length: u64,
    /// Where on its page it begins.
    local: Range<usize>,
    overflow: Option<u32>,
}

impl<'a, 'b> Database<'a, 'b> {
    fn open(
        storage: &'a mut Storage<'b>,
        log_file: Option<&'a File>,
        take: &mut Take<'_>,
    ) -> Result<Self, Why> {
        let header = storage.read(0, HEADER)?;
        if !header.starts_with(MAGIC) {
            return Err(malformed("it does not begin as one of SQLite"));
        }
        let page_size = match u16_be(&header, 16) {
            Some(1) => 1 << 16,
            size => usize::from(size.unwrap_or(0)),
        };
        let reserved = usize::from(header.get(20).copied().unwrap_or(0));
        if page_size < 512 || !page_size.is_power_of_two() || page_size - reserved < 480 {
            return Err(malformed("its pages have a size that none has"));
        }
        let mut log = Log::default();
        if let Some(file) = log_file {
            let mut beside = storage.beside(file)?;
            let length = beside.length();
            match wal::read(&mut beside, page_size) {
                Ok(read) => log = read,
                Err(why) => give(Place::Log, Err(why), take)?,
            }
            storage.expect_more(length);
        }
        let in_file = u32::try_from(storage.length() / page_size as u64).unwrap_or(u32::MAX);
        let pages = log.database_pages.unwrap_or(in_file);
        if pages > MOST_PAGES {
            return Err(malformed(format!("it has more than {MOST_PAGES} pages")));
        }
        Ok(Self {
            pages,
            storage,
            log_file,
            log,
            page_size,
            usable: page_size - reserved,
        })
    }

    fn bytes(&mut self, number: u32) -> Result<Vec<u8>, Why> {
        if number == 0 || number > self.pages {
            return Err(malformed(format!("there is no page {number}")));
        }
        if let (Some(at), Some(file)) = (self.log.pages.get(&number), self.log_file) {
            return self.storage.beside(file)?.read(*at, self.page_size);
        }
        let at = u64::from(number - 1) * self.page_size as u64;
        self.storage.read(at, self.page_size)
    }

    fn page(&mut self, number: u32) -> Result<Page, Why> {
        Ok(Page {
            bytes: self.bytes(number)?,
            begins: if number == 1 { HEADER } else { 0 },
            usable: self.usable,
        })
    }

    /// The page that the table begins on.
    fn table(&mut self) -> Result<u32, Why> {
        let mut pages = vec![1];
        let mut seen = HashSet::from([1]);
        while let Some(number) = pages.pop() {
            let page = self.page(number)?;
            match page.cells()? {
                Cells::Children(children) => follow(&children, &mut seen, &mut pages)?,
                Cells::Rows(rows) => {
                    for row in rows {
                        let row = row?;
                        if row.length > LONGEST_SCHEMA_ROW {
                            continue;
                        }
                        let payload = self.payload(&row, &page, Vec::new())?;
                        if let Some(root) = root_of_table(&payload) {
                            return Ok(root);
                        }
                    }
                }
            }
        }
        Err(malformed(format!("there is no table {TABLE}")))
    }

    /// The header of the package that a row is about: its second column.
    fn header(&mut self, row: &Row, page: &Page) -> Result<Vec<u8>, Why> {
        let room = self.storage.room(row.length)?;
        let mut payload = self.payload(row, page, room)?;
        let wrong = || malformed("a row is not a number and a header");
        let columns = columns(&payload).ok_or_else(wrong)?;
        let [_, (kind, at, length)] = columns.as_slice() else {
            return Err(wrong());
        };
        let end = at.checked_add(*length).filter(|end| *end <= payload.len());
        let end = end.filter(|_| *kind >= 12).ok_or_else(wrong)?;
        payload.truncate(end);
        payload.drain(..*at);
        Ok(payload)
    }

    fn payload(&mut self, row: &Row, page: &Page, mut payload: Vec<u8>) -> Result<Vec<u8>, Why> {
        let local = page.bytes.get(row.local.clone());
        payload.extend_from_slice(local.unwrap_or_default());
        let mut next = row.overflow;
        while let Some(number) = next {
            let left = row.length - payload.len() as u64;
            if left == 0 {
                break;
            }
            let page = self.bytes(number)?;
            let here = usize::try_from(left).map_or(usize::MAX, |left| left);
            let here = here.min(self.usable - 4);
            payload.extend_from_slice(page.get(4..4 + here).unwrap_or_default());
            next = u32_be(&page, 0);
        }
        Ok(payload)
    }
}

impl Page {
    fn cells(&self) -> Result<Cells, Why> {
        let wrong = || malformed("a page is not of a table");
        let kind = self.bytes.get(self.begins).copied();
        let count = u16_be(&self.bytes, self.begins + 3).ok_or_else(wrong)?;
        let count = usize::from(count);
        let pointers = match kind {
            Some(INTERIOR) => self.begins + 12,
            Some(LEAF) => self.begins + 8,
            _ => return Err(wrong()),
        };
        if pointers + 2 * count > self.usable {
            return Err(wrong());
        }
        let places = (0..count).map(|cell| u16_be(&self.bytes, pointers + 2 * cell));
        let places = places.map(|place| place.map(usize::from));
        if kind == Some(LEAF) {
            let rows = places.map(|at| {
                let row = at.and_then(|at| self.row(at));
                row.ok_or_else(|| malformed("a row does not lie on its page"))
            });
            return Ok(Cells::Rows(rows.collect()));
        }
        let children = places.map(|at| u32_be(&self.bytes, at?));
        let last = u32_be(&self.bytes, self.begins + 8);
        let children: Option<Vec<u32>> = children.chain([last]).collect();
        children.map(Cells::Children).ok_or_else(wrong)
    }

    fn row(&self, at: usize) -> Option<Row> {
        let used = self.bytes.get(..self.usable)?;
        let (length, at) = varint(used, at)?;
        let (id, at) = varint(used, at)?;
        let local = local_length(length, self.usable)?;
        let end = at.checked_add(local).filter(|end| *end <= used.len())?;
        let overflow = if length > local as u64 {
            Some(u32_be(used, end)?)
        } else {
            None
        };
        Some(Row {
            id,
            length,
            local: at..end,
            overflow,
        })
    }
}

/// How many bytes of a row are on its page.
fn local_length(length: u64, usable: usize) -> Option<usize> {
    let usable = usable as u64;
    let most = usable - 35;
    if length <= most {
        return usize::try_from(length).ok();
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let local = least + (length - least) % (usable - 4);
    usize::try_from(if local <= most { local } else { least }).ok()
}

/// A number of up to nine bytes, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (number, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if number == 8 {
            return Some((value << 8 | u64::from(*byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + number + 1));
        }
    }
    None
}

/// The columns of a row: kind, place and length of each.
fn columns(payload: &[u8]) -> Option<Vec<(u64, usize, usize)>> {
    let (header, mut at) = varint(payload, 0)?;
    let header = usize::try_from(header).ok()?;
    let kinds = payload.get(..header)?;
    let mut place = header;
    let mut columns = Vec::new();
    while at < header {
        let (kind, next) = varint(kinds, at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            kind => (kind - 12) / 2,
        };
        let length = usize::try_from(length).ok()?;
        columns.push((kind, place, length));
        place = place.checked_add(length)?;
        at = next;
    }
    Some(columns)
}

/// The page that the table begins on, if this row of the schema is about it: type, name, table, page, statement.
fn root_of_table(payload: &[u8]) -> Option<u32> {
    let columns = columns(payload)?;
    let value = |column: usize| {
        let (_, at, length) = columns.get(column)?;
        payload.get(*at..at.checked_add(*length)?)
    };
    if value(0)? != b"table" || value(1)? != TABLE.as_bytes() {
        return None;
    }
    // Page numbers are small enough to be stored in at most four bytes, highest first.
    match columns.get(3)? {
        (9, ..) => Some(1),
        (1..=4, ..) => {
            let bytes = value(3)?.iter();
            Some(bytes.fold(0, |number, byte| number << 8 | u32::from(*byte)))
        }
        (5, at, _) => array(payload, at.checked_add(2)?).map(u32::from_be_bytes),
        _ => None,
    }
}
