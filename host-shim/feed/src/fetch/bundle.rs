//! A feed in one file: what is carried to a machine without internet. Its members are read where they
//! lie; nothing is unpacked.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

use spacecp_contract::{
    FeedPath,
    archive::{ArchiveError, Place},
    bundle::members,
};
use spacecp_fs::regular_file;

use super::{FetchError, Fetched};

/// A file that holds a feed.
#[derive(Debug, Clone)]
pub struct Bundle {
    file: PathBuf,
    members: Arc<HashMap<FeedPath, Place>>,
}

impl Bundle {
    /// Finds what is in a bundle.
    pub(super) fn open(path: &Path) -> Result<Self, FetchError> {
        let failed = |source| FetchError::File {
            path: path.to_owned(),
            source,
        };
        let file = regular_file::open(path).map_err(failed)?;
        let total = file.metadata().map_err(failed)?.len();
        let members = members(file, total).map_err(|error| match error {
            ArchiveError::File(source) => failed(source),
            ArchiveError::Member { member, reason } => FetchError::Member {
                bundle: path.to_owned(),
                member,
                reason: reason.to_owned(),
            },
        })?;
        Ok(Self {
            file: path.to_owned(),
            members: Arc::new(members),
        })
    }

    pub(super) fn file(&self) -> String {
        self.file.display().to_string()
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

    fn read_at(&self, place: Place) -> io::Result<io::Take<File>> {
        let mut file = regular_file::open(&self.file)?;
        file.seek(SeekFrom::Start(place.begin))?;
        Ok(file.take(place.length))
    }

    fn failed(&self, source: io::Error) -> FetchError {
        FetchError::File {
            path: self.file.clone(),
            source,
        }
    }
}
