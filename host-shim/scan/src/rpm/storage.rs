//! The bytes of a database, read where they lie: each read is compared with the length of the file before room is made
//! for it, and counts against what the scan may spend.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::malformed;
use crate::{Limit, Why, budget::Budget};

/// A file, or bytes that a fuzzer made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bytes<'a> {
    File(&'a File),
    Memory(&'a [u8]),
}

/// What a database lies in.
#[derive(Debug)]
pub(crate) struct Storage<'a> {
    bytes: Bytes<'a>,
    length: u64,
    budget: &'a mut Budget,
    /// Bytes of headers that may still come: all of them together are no more than the file.
    headers: u64,
}

impl<'a> Storage<'a> {
    pub(crate) fn of_file(file: &'a File, budget: &'a mut Budget) -> Result<Self, Why> {
        let length = file.metadata().map_err(|error| Why::io(&error))?.len();
        Ok(Self::new(Bytes::File(file), length, budget))
    }

    pub(crate) fn of_bytes(bytes: &'a [u8], budget: &'a mut Budget) -> Self {
        Self::new(Bytes::Memory(bytes), bytes.len() as u64, budget)
    }

    fn new(bytes: Bytes<'a>, length: u64, budget: &'a mut Budget) -> Self {
        Self {
            bytes,
            length,
            budget,
            headers: length,
        }
    }

    /// Another file under the same budget, whose headers may lie there as well.
    pub(super) fn beside<'b>(&'b mut self, file: &'b File) -> Result<Storage<'b>, Why> {
        Storage::of_file(file, self.budget)
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// More headers may come, from another file.
    pub(super) fn expect_more(&mut self, bytes: u64) {
        self.headers = self.headers.saturating_add(bytes);
    }

    /// Room for a header of so many bytes, if there may be one.
    pub(super) fn room(&mut self, bytes: u64) -> Result<Vec<u8>, Why> {
        let most = self.budget.limits.document_bytes;
        if bytes > most {
            return Err(Why::limit(Limit::DocumentBytes, most));
        }
        let left = self.headers.checked_sub(bytes);
        self.headers = left.ok_or_else(|| malformed("packages are longer than the file"))?;
        // Bounded by the limit just above.
        Ok(Vec::with_capacity(usize::try_from(bytes).unwrap_or(0)))
    }

    /// So many bytes from a place on.
    pub(super) fn read(&mut self, at: u64, length: usize) -> Result<Vec<u8>, Why> {
        let mut bytes = Vec::new();
        self.append(at, length, &mut bytes)?;
        Ok(bytes)
    }

    /// So many bytes from a place on, put behind others.
    pub(super) fn append(&mut self, at: u64, length: usize, to: &mut Vec<u8>) -> Result<(), Why> {
        let end = at.checked_add(length as u64);
        if end.is_none_or(|end| end > self.length) {
            return Err(malformed("the file ends before what it refers to"));
        }
        let before = to.len();
        to.resize(before + length, 0);
        let mut filled = before;
        while let Some(rest) = to.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = at + (filled - before) as u64;
            let from = From {
                bytes: self.bytes,
                at,
            };
            match self.budget.read_some(from, rest)? {
                0 => return Err(Why::Changed),
                read => filled += read,
            }
        }
        Ok(())
    }
}

/// Reads from a place on.
struct From<'a> {
    bytes: Bytes<'a>,
    at: u64,
}

impl io::Read for From<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.bytes {
            Bytes::File(file) => file.read_at(buffer, self.at),
            Bytes::Memory(bytes) => {
                let at = usize::try_from(self.at).unwrap_or(usize::MAX);
                bytes.get(at..).unwrap_or_default().read(buffer)
            }
        }
    }
}

/// So many bytes at a place, if they are there.
pub(super) fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    let bytes = bytes.get(at..at.checked_add(LENGTH)?)?;
    bytes.try_into().ok()
}

pub(super) fn u16_be(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

pub(super) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}
