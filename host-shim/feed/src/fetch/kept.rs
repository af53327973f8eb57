//! Payloads that are kept on this machine: brought once, from whichever place has them, and gone on
//! with where a download broke off, by this process or the next.
//!
//! The folder is laid out like a feed's. A payload has its own name only once it is whole and verified;
//! until then it is `….part`, and while somebody is at it `….room` says, by its length and its lock, how
//! much it is going to need. Where there would be more than so many bytes of them, the oldest go. Names of files
//! are digests, which may be under embargo: errors and logs name the folder, and a payload as [`PayloadName`] says.

mod files;
mod mirrors;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use spacecp_contract::{Blob, Digest, DocumentId, FeedPath, SealedObject, capsule};

use self::{
    files::{There, is_locked, is_room, removed},
    mirrors::Mirrors,
};
use super::{
    FetchError, PayloadName, Source,
    payload::resume_payload,
    sealed::{self, Unopened},
};
use spacecp_fs::{hashing, private_files};

/// A folder of payloads, and where those that are not in it come from, for one run: each mirror has one time
/// limit for all the payloads that this value and its clones bring, and what failed before is asked last.
#[derive(Debug, Clone)]
pub struct Kept {
    folder: PathBuf,
    from: Arc<Mirrors>,
    most: u64,
    spared: Arc<BTreeSet<PathBuf>>,
    sealed: Arc<BTreeMap<Digest, SealedObject>>,
    withheld: Arc<BTreeMap<Digest, DocumentId>>,
}

/// Room for a payload that is on its way. Nobody else takes it while the file is locked; a process that
/// ends in the middle lets go of it by ending.
struct Room {
    path: PathBuf,
    file: fs::File,
}

impl Kept {
    /// What is kept in `folder`, at most so many bytes; the rest comes from the first of these places
    /// that has it. Make one for each run: the time limits of the mirrors begin here.
    pub fn new(folder: PathBuf, from: Vec<Arc<Source>>, most: u64) -> Self {
        Self {
            folder,
            from: Arc::new(Mirrors::new(from)),
            most,
            spared: Arc::default(),
            sealed: Arc::default(),
            withheld: Arc::default(),
        }
    }

    /// The same, where payloads under embargo are in these sealed files, and asked for in no other way.
    #[must_use]
    pub fn opening(mut self, sealed: BTreeMap<Digest, SealedObject>) -> Self {
        self.sealed = Arc::new(sealed);
        self
    }

    /// The same, where these payloads, of corrections under embargo, are never asked for by their own digest, even
    /// if there is no sealed file for them.
    #[must_use]
    pub fn withholding(mut self, payloads: BTreeMap<Digest, DocumentId>) -> Self {
        self.withheld = Arc::new(payloads);
        self
    }

    /// The same, where these payloads make room for no other one.
    #[must_use]
    pub fn sparing<'a>(mut self, blobs: impl IntoIterator<Item = &'a Blob>) -> Self {
        let places = blobs.into_iter().map(|blob| self.place(blob));
        self.spared = Arc::new(places.collect());
        self
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a payload lies, or will.
    pub fn place(&self, blob: &Blob) -> PathBuf {
        self.folder.join(FeedPath::blob(&blob.digest).as_str())
    }

    /// What messages call a payload.
    pub(super) fn name(&self, blob: &Blob) -> PayloadName {
        let digest = &blob.digest;
        if let Some(object) = self.sealed.get(digest) {
            return PayloadName::Sealed(object.digest);
        }
        let correction = self.withheld.get(digest);
        correction.map_or(PayloadName::Public(*digest), |id| {
            PayloadName::Embargoed(id.clone())
        })
    }

    /// How long messages say that a payload is: of one under embargo no more than its sealed file tells.
    fn announced(&self, blob: &Blob) -> u64 {
        match self.name(blob) {
            PayloadName::Public(_) => blob.length,
            PayloadName::Sealed(_) | PayloadName::Embargoed(_) => capsule::padded(blob.length),
        }
    }

    /// An error about something in the folder.
    fn failed(&self, source: io::Error) -> FetchError {
        FetchError::File {
            path: self.folder.clone(),
            source,
        }
    }

    /// Whether a payload is here, going by its length. It is verified whenever it is used.
    pub fn has(&self, blob: &Blob) -> bool {
        fs::metadata(self.place(blob)).is_ok_and(|file| file.len() == blob.length)
    }

    /// Forgets a payload that turned out to be damaged.
    pub(super) fn forget(&self, blob: &Blob) -> Result<(), FetchError> {
        fs::remove_file(self.place(blob)).map_err(|source| self.failed(source))
    }

    /// Reads a payload that is here, and forgets it if it is not what its digest says: for whoever can
    /// bring it again now, and perhaps not when it is used.
    pub async fn forget_if_damaged(&self, blob: &Blob) -> Result<(), FetchError> {
        if !self.has(blob) {
            return Ok(());
        }
        let (kept, blob) = (self.clone(), *blob);
        aside(move || {
            let found = hashing::digest(&kept.place(&blob));
            if found.map_err(|source| kept.failed(source))? == blob.digest {
                return Ok(());
            }
            tracing::warn!(payload = %kept.name(&blob), "cached payload damaged");
            kept.forget(&blob)
        })
        .await
    }

    /// Where a payload lies, after bringing it if need be.
    pub async fn bring(&self, blob: &Blob) -> Result<PathBuf, FetchError> {
        let place = self.place(blob);
        if self.has(blob) {
            return Ok(place);
        }
        if blob.length > self.most {
            return Err(FetchError::NoRoom {
                payload: self.name(blob),
                length: self.announced(blob),
                limit: self.most,
            });
        }
        let (kept, its) = (self.clone(), *blob);
        let room = aside(move || kept.take_room(&its)).await?;
        let brought = self.bring_from_any(blob, &place).await;
        let kept = self.clone();
        aside(move || kept.give_back(room)).await?;
        brought.map(|()| place)
    }

    async fn bring_from_any(&self, blob: &Blob, place: &Path) -> Result<(), FetchError> {
        if let Some(object) = self.sealed.get(&blob.digest) {
            // Nothing else is tried if this fails: to whoever sees its own digest asked for, that names what is
            // under embargo. After a disclosure the next sync makes the correction, and its payloads, public.
            return self.bring_sealed(object, blob, place).await;
        }
        if let Some(correction) = self.withheld.get(&blob.digest) {
            return Err(FetchError::NoSealedFile {
                correction: correction.clone(),
            });
        }
        let path = FeedPath::blob(&blob.digest);
        self.bring_file(&path, blob, place).await
    }

    /// Brings a sealed file and opens it into the payload's place. While it is opened the disk has both; what
    /// counts for the room is what stays.
    async fn bring_sealed(
        &self,
        object: &SealedObject,
        blob: &Blob,
        place: &Path,
    ) -> Result<(), FetchError> {
        let sealed = place.with_extension("sealed");
        let path = FeedPath::sealed(&object.digest);
        self.bring_file(&path, &object.blob(), &sealed).await?;
        let (kept, object, blob, place) = (self.clone(), *object, *blob, place.to_owned());
        aside(move || {
            let opened = sealed::open(&object, &blob, &sealed, &place);
            // It is of no use any more, or of none at all.
            removed(&sealed).map_err(|source| kept.failed(source))?;
            opened.map_err(|error| match error {
                Unopened::File(source) => kept.failed(source),
                Unopened::Sealed(source) => FetchError::Unopened {
                    payload: kept.name(&blob),
                    source,
                },
            })
        })
        .await
    }

    /// Brings one file of the feed from the first place that has it, within the time that each place has left.
    async fn bring_file(
        &self,
        path: &FeedPath,
        blob: &Blob,
        place: &Path,
    ) -> Result<(), FetchError> {
        let part = place.with_extension("part");
        let mut failures = Vec::new();
        for mirror in self.from.in_order() {
            let source = mirror.source();
            let brought = match mirror.time_for(blob.length) {
                Err(left_out) => Err(left_out),
                Ok(mut time) => {
                    let places = (part.as_path(), place, self.folder.as_path());
                    let brought =
                        resume_payload(source, path.clone(), blob, places, &mut time).await;
                    mirror.record(blob.length, time.spent, &brought);
                    brought
                }
            };
            match brought {
                Ok(()) => return Ok(()),
                // No other mirror makes room on this disk.
                Err(error) if error.is_full() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "mirror did not deliver the payload");
                    failures.push((source.address(), error));
                }
            }
        }
        Err(match failures.len() {
            0 => self.failed(io::ErrorKind::NotFound.into()),
            1 => failures.remove(0).1,
            _ => FetchError::Mirrors(failures),
        })
    }

    /// Removes every payload that has none of these places, but for what somebody is bringing right now.
    pub fn keep_only(&self, wanted: &BTreeSet<PathBuf>) -> Result<(), FetchError> {
        if !self.folder.exists() {
            return Ok(());
        }
        let _turn = self.turn()?;
        for (place, there) in self.there()? {
            if !wanted.contains(&place) {
                there.remove().map_err(|source| self.failed(source))?;
            }
        }
        Ok(())
    }

    /// Makes room for a payload and takes it.
    fn take_room(&self, blob: &Blob) -> Result<Room, FetchError> {
        let place = self.place(blob);
        let folder = place.parent().unwrap_or(&self.folder);
        // What is under embargo is kept here in clear.
        let mut builder = fs::DirBuilder::new();
        let made = builder
            .recursive(true)
            .mode(private_files::FOLDER)
            .create(folder);
        made.map_err(|source| self.failed(source))?;
        let _turn = self.turn()?;
        self.make_room(blob)?;
        let path = place.with_extension("room");
        let taken = || {
            let file = fs::File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(private_files::FILE)
                .open(&path)?;
            file.set_len(blob.length)?;
            // Several may wait for one payload, and whoever removes it does so in its turn.
            file.lock_shared()?;
            Ok(file)
        };
        let file = taken().map_err(|source| self.failed(source))?;
        Ok(Room { path, file })
    }

    /// What is left of it otherwise goes when somebody looks the next time.
    fn give_back(&self, room: Room) -> Result<(), FetchError> {
        let _turn = self.turn()?;
        let Room { path, file } = room;
        drop(file);
        if is_locked(&path) {
            return Ok(());
        }
        removed(&path).map_err(|source| self.failed(source))
    }

    /// Holds back whoever else makes room here, until it is dropped.
    fn turn(&self) -> Result<fs::File, FetchError> {
        let locked = fs::File::open(&self.folder).and_then(|folder| {
            folder.lock()?;
            Ok(folder)
        });
        locked.map_err(|source| self.failed(source))
    }

    /// Removes the oldest until another payload may come: whoever needs one of them brings it again.
    fn make_room(&self, blob: &Blob) -> Result<(), FetchError> {
        let mut there = self.there()?;
        there.remove(&self.place(blob));
        let lengths = there.values().map(|one| one.length);
        let mut sum = lengths.fold(blob.length, u64::saturating_add);
        let mut oldest: Vec<_> = there.into_iter().collect();
        oldest.sort_by_key(|(_, one)| one.since);
        for (place, one) in oldest {
            if sum <= self.most {
                break;
            }
            if self.spared.contains(&place) {
                continue;
            }
            if one.remove().map_err(|source| self.failed(source))? {
                tracing::debug!("payload evicted from cache");
                sum = sum.saturating_sub(one.length);
            }
        }
        if sum > self.most {
            return Err(FetchError::RoomTaken {
                payload: self.name(blob),
                length: self.announced(blob),
                limit: self.most,
            });
        }
        Ok(())
    }

    /// Everything that is kept, whole or not, by its place.
    fn there(&self) -> Result<BTreeMap<PathBuf, There>, FetchError> {
        let mut there = BTreeMap::new();
        for entry in walkdir::WalkDir::new(self.folder.join("blob")) {
            // Where nothing was ever kept there is no folder, and another process may be faster.
            let Ok(entry) = entry else { continue };
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if !metadata.is_file() {
                continue;
            }
            let since = metadata.modified();
            let since = since.map_err(|source| self.failed(source))?;
            let path = entry.into_path();
            let is_locked = is_locked(&path);
            if is_room(&path) && !is_locked {
                removed(&path).map_err(|source| self.failed(source))?;
                continue;
            }
            let one = there.entry(path.with_extension("")).or_insert(There {
                length: 0,
                since,
                under_way: false,
                files: Vec::new(),
            });
            one.length = one.length.max(metadata.len());
            one.since = one.since.max(since);
            one.under_way |= is_locked;
            one.files.push(path);
        }
        Ok(there)
    }
}

/// Does what waits for a lock or reads a long file where it keeps nobody else waiting.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
