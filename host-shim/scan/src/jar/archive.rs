//! Lists and unpacks the entries of one archive that say something.
//!
//! Sizes and counts that an archive announces are used for nothing but to hold them against what is
//! really there.

use std::{fs::File, io::Read};

use flate2::read::DeflateDecoder;
use rawzip::{
    CompressionMethod, FileReader, ReaderAt, ZipArchive, ZipArchiveEntryWayfinder, ZipLocator,
};

use crate::{Limit, Why, budget::Budget};

/// Room for one entry of the directory, whose three variable parts have 64 KiB each at most.
const BUFFER: usize = 256 << 10;

/// How far from the end the directory's end is searched: its own length and the longest comment.
const SEARCHED: u64 = 22 + 0xffff;

/// The longest name of an entry that is wanted; longer ones are none that any program would look for.
const LONGEST_NAME: usize = 512;

/// An archive.
pub(super) struct Archive<R> {
    zip: ZipArchive<R>,
}

/// An entry that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
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

fn open<R: ReaderAt>(reader: R, length: u64) -> Result<Archive<R>, Why> {
    let mut buffer = vec![0; BUFFER];
    let locator = ZipLocator::new().max_search_space(SEARCHED);
    let zip = locator.locate_in_reader(reader, &mut buffer, length);
    let zip = zip.map_err(|(_, error)| Why::malformed("an archive", error))?;
    Ok(Archive { zip })
}

impl<R: ReaderAt> Archive<R> {
    /// The entries whose names are wanted. Where the list breaks off, it has what came before.
    pub(super) fn list(&self, budget: &mut Budget, wanted: impl Fn(&str) -> bool) -> Listed {
        let mut listed = Listed::default();
        listed.why = self.list_into(&mut listed.members, budget, wanted).err();
        listed
    }

    fn list_into(
        &self,
        members: &mut Vec<Member>,
        budget: &mut Budget,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), Why> {
        let broken = |error: rawzip::Error| Why::malformed("an archive", error);
        let most = budget.limits.archive_entries;
        let announced = self.zip.entries_hint();
        if announced > most {
            return Err(Why::limit(Limit::ArchiveEntries, most));
        }
        let mut buffer = vec![0; BUFFER];
        let mut entries = self.zip.entries(&mut buffer);
        let (mut seen, mut odd) = (0_u64, 0_u64);
        while let Some(entry) = entries.next_entry().map_err(broken)? {
            budget.entry()?;
            seen += 1;
            if seen > most {
                return Err(Why::limit(Limit::ArchiveEntries, most));
            }
            let path = entry.file_path();
            let bytes = path.as_bytes();
            if entry.is_dir() {
                continue;
            }
            // No program looks for a name that is no text, but some open every archive that they find.
            let Some(name) = std::str::from_utf8(bytes)
                .ok()
                .filter(|name| name.len() <= LONGEST_NAME)
            else {
                odd += u64::from(bytes.to_ascii_lowercase().ends_with(b".jar"));
                continue;
            };
            if !wanted(name) {
                continue;
            }
            members.push(Member {
                name: name.to_owned(),
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
            CompressionMethod::STORE => read(&mut entry.verifying_reader(entry.reader())),
            CompressionMethod::DEFLATE => {
                read(&mut entry.verifying_reader(DeflateDecoder::new(entry.reader())))
            }
            other => {
                let name = other.name().map(str::to_owned);
                let name = name.unwrap_or_else(|| format!("method {}", other.as_u16()));
                return Err(Why::Compression(name));
            }
        };
        bytes.map_err(|why| match why {
            // A digest that differs, or what no compressor writes.
            Why::Io(reason) => Why::malformed("an entry of an archive", reason),
            other => other,
        })
    }
}
