//! Lists and unpacks the entries of one archive that say something, as Java's `JarFile` finds them.
//!
//! Sizes and counts that an archive announces are used for nothing but to hold them against what is
//! really there. A digest that does not fit is no reason to pass over what Java reads all the same.

use std::{fs::File, io::Read};

use flate2::{Decompress, FlushDecompress, read::DeflateDecoder};
use rawzip::{
    CompressionMethod, FileReader, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder,
    ZipFileHeaderRecord, ZipLocator,
};

use super::deflated::may_begin_with;
use crate::{Limit, Why, budget::Budget};

/// Room for one entry of the directory, whose three variable parts have 64 KiB each at most.
const BUFFER: usize = 256 << 10;

/// How far from the end the directory's end is searched: its own length and the longest comment.
const SEARCHED: u64 = 22 + 0xffff;

/// The longest name of an entry that is wanted; longer ones are none that any program would look for.
const LONGEST_NAME: usize = 512;

/// What an archive begins with, if nothing stands before it.
const BEGINS: [u8; 4] = *b"PK\x03\x04";

/// The smallest archive with one entry has a header and two more parts.
const SMALLEST: u64 = 98;

/// What an entry needs at most to say how its contents begin: the tables of one block of deflate are shorter.
const BEGINNING: usize = 512;

/// An archive.
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
}

/// What is to be done with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// It says something.
    Text,
    /// An archive, by its name.
    Archive,
    /// An archive if it begins like one.
    Perhaps,
    No,
}

/// An entry that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) is_archive: bool,
    /// Whether it is called like a folder. Java takes one that is not before one that is.
    pub(super) is_slashed: bool,
    at: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
    encrypted: bool,
}

/// What was wanted of an archive.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) members: Vec<Member>,
    /// Why the list may not be whole.
    pub(super) why: Option<Why>,
}

/// An archive in a file.
pub(super) fn of_file(file: &File) -> Result<Archive<FileReader>, Why> {
    let file = file.try_clone().map_err(|error| Why::io(&error))?;
    let length = file.metadata().map_err(|error| Why::io(&error))?.len();
    open(FileReader::from(file), length)
}

/// An archive in memory.
pub(super) fn of_bytes(bytes: &[u8]) -> Result<Archive<&[u8]>, Why> {
    open(bytes, bytes.len() as u64)
}

/// Whether a file is an archive by what it begins with, or has one behind a program or a script that starts it.
pub(super) fn is_archive(file: &File) -> Result<bool, Why> {
    use std::os::unix::fs::FileExt;
    let mut begins = [0; 4];
    let read = file.read_at(&mut begins, 0);
    if read.map_err(|error| Why::io(&error))? < begins.len() {
        return Ok(false);
    }
    let starts_something = matches!(&begins, [b'#', b'!', ..] | b"\x7fELF" | [b'M', b'Z', ..]);
    Ok(begins == BEGINS || starts_something && of_file(file).is_ok())
}

fn open<R: ReaderAt>(reader: R, length: u64) -> Result<Archive<R>, Why> {
    let mut buffer = vec![0; BUFFER];
    let locator = ZipLocator::new().max_search_space(SEARCHED);
    let zip = locator.locate_in_reader(reader, &mut buffer, length);
    let zip = zip.map_err(|(_, error)| Why::malformed("an archive", error))?;
    Ok(Archive { zip })
}

impl<R: ReaderAt> Archive<R> {
    /// The entries that are wanted by their names. Where the list breaks off, it has what came before.
    pub(super) fn list(&self, budget: &mut Budget, wanted: impl FnMut(&str) -> Wanted) -> Listed {
        let mut listed = Listed::default();
        listed.why = self.list_into(&mut listed.members, budget, wanted).err();
        listed
    }

    fn list_into(
        &self,
        members: &mut Vec<Member>,
        budget: &mut Budget,
        mut wanted: impl FnMut(&str) -> Wanted,
    ) -> Result<(), Why> {
        let broken = |error: rawzip::Error| Why::malformed("an archive", error);
        let most = budget.limits.archive_entries;
        let announced = self.zip.entries_hint();
        if announced > most {
            return Err(Why::limit(Limit::ArchiveEntries, most));
        }
        let mut buffer = vec![0; BUFFER];
        let mut entries = self.zip.entries(&mut buffer);
        let mut inflate = Decompress::new(false);
        let (mut seen, mut odd) = (0_u64, 0_u64);
        while let Some(entry) = entries.next_entry().map_err(broken)? {
            budget.entry()?;
            seen += 1;
            if seen > most {
                return Err(Why::limit(Limit::ArchiveEntries, most));
            }
            if is_empty_folder(&entry) {
                continue;
            }
            let path = entry.file_path();
            let bytes = path.as_bytes();
            // No program looks for a name that is no text, but some open every archive that they find.
            let Some(name) = std::str::from_utf8(bytes)
                .ok()
                .filter(|name| name.len() <= LONGEST_NAME)
            else {
                odd += u64::from(bytes.to_ascii_lowercase().ends_with(b".jar"));
                continue;
            };
            // Java finds "plugin.yml" as "plugin.yml/" if there is no other, with its contents.
            let is_slashed = name.ends_with('/');
            let name = name.trim_end_matches('/');
            let is_archive = match wanted(name) {
                Wanted::No => continue,
                Wanted::Text => false,
                Wanted::Archive => true,
                Wanted::Perhaps if self.begins_like_an_archive(&entry, &mut inflate) => true,
                Wanted::Perhaps => continue,
            };
            members.push(Member {
                name: name.to_owned(),
                is_archive,
                is_slashed,
                at: entry.wayfinder(),
                method: entry.compression_method(),
                encrypted: entry.flags().is_encrypted(),
            });
        }
        if seen != announced {
            let reason = format!("{announced} entries announced, {seen} found");
            return Err(Why::malformed("an archive", reason));
        }
        if odd > 0 {
            let what = format!("{odd} nested archives have names that are not text or too long");
            return Err(Why::NotRead(what));
        }
        Ok(())
    }

    /// Whether an entry is an archive by what it begins with. What cannot be said counts as no archive: it is
    /// encrypted, broken, or compressed as Java does not read it, and no loader has it either.
    fn begins_like_an_archive(
        &self,
        entry: &ZipFileHeaderRecord<'_>,
        inflate: &mut Decompress,
    ) -> bool {
        if entry.compressed_size_hint() < SMALLEST && entry.uncompressed_size_hint() < SMALLEST {
            return false;
        }
        let Ok(found) = self.zip.get_entry(entry.wayfinder()) else {
            return false;
        };
        let mut packed = [0; BEGINNING];
        let Ok(read) = read_to_fill(found.reader(), &mut packed) else {
            return false;
        };
        let mut begins = [0; 4];
        match entry.compression_method() {
            CompressionMethod::STORE => packed.starts_with(&BEGINS),
            CompressionMethod::DEFLATE => {
                let packed = packed.get(..read).unwrap_or_default();
                if !may_begin_with(packed, b'P') {
                    return false;
                }
                inflate.reset(false);
                let _ = inflate.decompress(packed, &mut begins, FlushDecompress::None);
                begins == BEGINS
            }
            _ => false,
        }
    }

    /// What a small entry says.
    pub(super) fn text(&self, member: &Member, budget: &mut Budget) -> Result<Vec<u8>, Why> {
        let most = budget.limits.descriptor_bytes;
        self.unpack(member, |reader| {
            budget.read(reader, Limit::DescriptorBytes, most)
        })
    }

    /// An archive inside this one, to be released.
    pub(super) fn nested(&self, member: &Member, budget: &mut Budget) -> Result<Vec<u8>, Why> {
        self.unpack(member, |reader| budget.hold(reader))
    }

    fn unpack(
        &self,
        member: &Member,
        read: impl FnOnce(&mut dyn Read) -> Result<Vec<u8>, Why>,
    ) -> Result<Vec<u8>, Why> {
        if member.encrypted {
            return Err(Why::Encrypted);
        }
        let entry = self.zip.get_entry(member.at);
        let entry = entry.map_err(|error| Why::malformed("an entry of an archive", error))?;
        let bytes = match member.method {
            CompressionMethod::STORE => read(&mut entry.reader()),
            CompressionMethod::DEFLATE => read(&mut DeflateDecoder::new(entry.reader())),
            other => {
                let name = other.name().map(str::to_owned);
                let name = name.unwrap_or_else(|| format!("method {}", other.as_u16()));
                return Err(Why::Compression(name));
            }
        };
        bytes.map_err(|why| match why {
            // What no compressor writes.
            Why::Io(reason) => Why::malformed("an entry of an archive", reason),
            other => other,
        })
    }
}

/// Whether an entry is a folder, and not a file that is called like one. Some tools deflate the nothing in a folder.
fn is_empty_folder(entry: &ZipFileHeaderRecord<'_>) -> bool {
    entry.is_dir() && entry.uncompressed_size_hint() == 0 && entry.compressed_size_hint() <= 2
}

fn read_to_fill(mut from: impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
