//! A feed in one file: what is carried to a machine without internet.
//!
//! A bundle is an uncompressed tar archive whose members are the files of a feed under their own
//! paths; any tar program makes and reads one. Nothing is unpacked: the members are found once, by
//! their headers alone, and read where they lie. A member that no feed has – another path, a link, a
//! device, a name twice – makes the whole archive refused, by name.

use std::{
    collections::HashMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use spacecp_contract::FeedPath;
use tar::EntryType;

use super::{FetchError, Fetched};

/// Members that a bundle may have: 100,000 documents, with their signatures, several times over.
const MOST_MEMBERS: usize = 1_000_000;

/// A file that holds a feed.
#[derive(Debug, Clone)]
pub struct Bundle {
    file: PathBuf,
    members: Arc<HashMap<FeedPath, Place>>,
}

/// Where a member lies.
#[derive(Debug, Clone, Copy)]
struct Place {
    begin: u64,
    length: u64,
}

impl Bundle {
    /// Finds what is in a bundle. Reads headers only.
    pub(super) fn open(path: &Path) -> Result<Self, FetchError> {
        let failed = |source| FetchError::File {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(failed)?;
        let total = file.metadata().map_err(failed)?.len();
        let mut archive = tar::Archive::new(file);
        let mut members = HashMap::new();
        // Raw: long names and sparse files, which the archive would have to be asked about with
        // memory of its own choice, are members like any other, and no feed has such.
        let entries = archive.entries_with_seek().map_err(failed)?.raw(true);
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.path_bytes().into_owned();
            let place = Place {
                begin: entry.raw_file_position(),
                length: entry.size(),
            };
            let refused = |reason: &str| FetchError::Member {
                bundle: path.to_owned(),
                member: readable(&name),
                reason: reason.to_owned(),
            };
            match entry.header().entry_type() {
                EntryType::Directory => continue,
                EntryType::Regular => {}
                _ => return Err(refused("it is not an ordinary file")),
            }
            let text = std::str::from_utf8(&name).ok();
            let text = text.map(|text| text.strip_prefix("./").unwrap_or(text));
            let member = text
                .and_then(FeedPath::parse)
                .ok_or_else(|| refused("no feed has a file of that name"))?;
            if place
                .begin
                .checked_add(place.length)
                .is_none_or(|end| end > total)
            {
                return Err(refused("it is cut off"));
            }
            if members.len() >= MOST_MEMBERS {
                return Err(refused("there are too many of them"));
            }
            if members.insert(member, place).is_some() {
                return Err(refused("it is there twice"));
            }
        }
        Ok(Self {
            file: path.to_owned(),
            members: Arc::new(members),
        })
    }

    pub(super) async fn get(&self, path: &FeedPath, limit: u64) -> Result<Fetched, FetchError> {
        let Some(place) = self.members.get(path).copied() else {
            return Ok(Fetched::Missing);
        };
        if place.length > limit {
            return Err(FetchError::TooLong {
                address: self.address(path),
                limit,
            });
        }
        let this = self.clone();
        let read = move || {
            let mut bytes = Vec::new();
            this.read_at(place)
                .and_then(|mut member| member.read_to_end(&mut bytes))
                .map_err(|source| this.failed(source))?;
            Ok(Fetched::Body {
                bytes,
                validator: None,
            })
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
    }

    /// A member to be read as a stream; none if it is not there.
    pub(super) fn stream(&self, path: &FeedPath) -> Result<Option<impl Read + use<>>, FetchError> {
        let place = self.members.get(path).copied();
        place
            .map(|place| self.read_at(place).map_err(|source| self.failed(source)))
            .transpose()
    }

    /// What a member is called in messages.
    pub(super) fn address(&self, path: &FeedPath) -> String {
        format!("{path} in {}", self.file.display())
    }

    fn read_at(&self, place: Place) -> std::io::Result<std::io::Take<File>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(place.begin))?;
        Ok(file.take(place.length))
    }

    fn failed(&self, source: std::io::Error) -> FetchError {
        FetchError::File {
            path: self.file.clone(),
            source,
        }
    }
}

/// A name that a stranger chose, for a message.
fn readable(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    text.chars()
        .take(120)
        .flat_map(char::escape_debug)
        .collect()
}
