//! Writing below a feed's directory, so that a crash leaves the old contents or the new, never a part.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    path::Path,
};

use rustix::{
    fs::{self, AtFlags, Mode, OFlags},
    io::Errno,
};
use spacecp_contract::{Blob, FeedPath};

use super::{
    FeedDirectory, FileError, enter_one, kind_of,
    new_file::{NewFile, remove_abandoned},
};
use crate::durable::{self, Readers, UNFINISHED};

/// The most files that are written and not named yet: each is held open.
const OPEN: usize = 256;

/// How deep a feed's directories lie in one another.
const DEEPEST: usize = 4;

impl FeedDirectory {
    /// Makes the directory itself.
    pub(crate) fn make(&self) -> Result<(), FileError> {
        let made = match self.readers {
            Readers::Owner => durable::private_folder(&self.path),
            Readers::Everybody => std::fs::create_dir_all(&self.path),
        };
        made.map_err(|source| FileError::io(self.path.clone(), source))
    }

    /// Makes the directory itself, and locks it until what is given is dropped.
    pub(crate) fn lock(&self) -> Result<File, FileError> {
        self.make()?;
        let root = self.root()?.map(File::from);
        let locked = root
            .ok_or_else(|| io::ErrorKind::NotFound.into())
            .and_then(|root| root.lock().map(|()| root));
        locked.map_err(|source| FileError::io(self.path.clone(), source))
    }

    /// Puts `bytes` at `path`: written beside it, synced, renamed, and the directory synced.
    pub(crate) fn write(&self, path: &FeedPath, bytes: &[u8]) -> Result<(), FileError> {
        self.write_some(&[(path.clone(), bytes)])
    }

    /// Does the same for many files, and waits for the disk once where it can.
    pub(crate) fn write_all(&self, files: &[(FeedPath, Vec<u8>)]) -> Result<(), FileError> {
        let files: Vec<(FeedPath, &[u8])> = files
            .iter()
            .map(|(path, bytes)| (path.clone(), bytes.as_slice()))
            .collect();
        files
            .chunks(OPEN)
            .try_for_each(|some| self.write_some(some))
    }

    fn write_some(&self, files: &[(FeedPath, &[u8])]) -> Result<(), FileError> {
        let mut written = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let (directory, name) = self.make_towards(path.as_str())?;
            let write = || {
                let mut file = NewFile::create(directory)?;
                file.write_all(bytes)?;
                file.set_readers(self.readers)?;
                Ok(file)
            };
            let file = write().map_err(|source| FileError::io(self.place(path), source))?;
            written.push((path, name, file));
        }
        for (path, _, file) in &written {
            let synced = file.sync();
            synced.map_err(|source| FileError::io(self.place(path), source))?;
        }
        // Each directory is synced once, after all of its files have their names.
        let mut directories = BTreeMap::new();
        for (path, name, file) in written {
            let below = path
                .as_str()
                .rsplit_once('/')
                .map_or("", |(below, _)| below);
            let renamed = || {
                let directory = file.directory().try_clone()?;
                file.rename(None, name)?;
                Ok(directory)
            };
            let directory = renamed().map_err(|source| FileError::io(self.place(path), source))?;
            directories.insert(below, directory);
        }
        for (below, directory) in directories {
            sync(&directory, &self.path.join(below))?;
        }
        Ok(())
    }

    /// Writes a file whose name is known only once it is written, into the directory `below` first.
    pub(crate) fn write_named<T>(
        &self,
        below: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<(T, FeedPath)>,
    ) -> Result<T, FileError> {
        let directory = self.make_directory(below)?;
        let failed = |source| FileError::io(self.path.join(below), source);
        let mut file = NewFile::create(directory).map_err(failed)?;
        let (done, path) = write(&mut io::BufWriter::new(&mut file)).map_err(failed)?;
        let finished = file.set_readers(self.readers).and_then(|()| file.sync());
        finished.map_err(failed)?;
        let (into, name) = self.make_towards(path.as_str())?;
        file.rename(Some(&into), name).map_err(failed)?;
        sync(&into, &self.place(&path))?;
        Ok(done)
    }

    /// Takes files out of another directory, and waits for the disk once they are here. What is on another disk is
    /// copied.
    pub(crate) fn take_all(&self, from: &Self, paths: &[FeedPath]) -> Result<(), FileError> {
        let mut directories = BTreeSet::new();
        for path in paths {
            self.take(from, path)?;
            directories.insert(
                path.as_str()
                    .rsplit_once('/')
                    .map_or("", |(below, _)| below),
            );
        }
        for below in directories {
            for one in [self, from] {
                if let Some(directory) = one.enter(below)? {
                    sync(&directory, &one.path.join(below))?;
                }
            }
        }
        Ok(())
    }

    fn take(&self, from: &Self, path: &FeedPath) -> Result<(), FileError> {
        let failed = |source| FileError::io(from.place(path), source);
        let missing = || failed(io::ErrorKind::NotFound.into());
        let mut file = from.open(path)?.ok_or_else(missing)?;
        let (out_of, name) = from.towards(path.as_str())?.ok_or_else(missing)?;
        let (into, _) = self.make_towards(path.as_str())?;
        durable::set_readers(self.readers, &file).map_err(failed)?;
        match fs::renameat(&out_of, name, &into, name) {
            Err(Errno::XDEV) => {
                let copy = || {
                    let mut copy = NewFile::create(into)?;
                    io::copy(&mut file, &mut copy)?;
                    copy.set_readers(self.readers)?;
                    copy.sync()?;
                    copy.rename(None, name)?;
                    Ok(fs::unlinkat(&out_of, name, AtFlags::empty())?)
                };
                copy().map_err(failed)
            }
            // The file was open a moment ago: what is in the way lies here.
            moved => moved.map_err(|error| FileError::io(self.place(path), error.into())),
        }
    }

    /// Copies a payload out of another directory, and says whether the whole payload was there, and nothing else.
    pub(crate) fn put_payload(&self, from: &Self, blob: &Blob) -> Result<bool, FileError> {
        let path = FeedPath::blob(&blob.digest);
        let (directory, name) = self.make_towards(path.as_str())?;
        let failed = |source| FileError::io(self.place(&path), source);
        let mut file = NewFile::create(directory).map_err(failed)?;
        if !from.copy_payload(blob, &mut file)? {
            return Ok(false);
        }
        let finished = file.set_readers(self.readers).and_then(|()| file.sync());
        let directory = file.directory().try_clone().map_err(failed)?;
        let named = finished.and_then(|()| file.rename(None, name));
        named.map_err(failed)?;
        sync(&directory, &self.place(&path))?;
        Ok(true)
    }

    /// Removes a file or a link for good; one that is not there is gone already.
    pub(crate) fn remove(&self, path: &FeedPath) -> Result<(), FileError> {
        let Some((directory, name)) = self.towards(path.as_str())? else {
            return Ok(());
        };
        match fs::unlinkat(&directory, name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => {
                Err(FileError::io(self.place(path), error.into()))
            }
            _ => sync(&directory, &self.place(path)),
        }
    }

    /// Removes what killed commands were writing, and nothing else.
    pub(crate) fn sweep(&self) -> Result<(), FileError> {
        match self.root()? {
            Some(root) => sweep(&root, &self.path, DEEPEST),
            None => Ok(()),
        }
    }

    /// The directory that a file is going to lie in, and the file's name.
    fn make_towards<'a>(&self, path: &'a str) -> Result<(OwnedFd, &'a str), FileError> {
        let (below, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok((self.make_directory(below)?, name))
    }

    /// A directory below, which is made where it is not there. No link leads to it.
    fn make_directory(&self, below: &str) -> Result<OwnedFd, FileError> {
        let missing = |path: &Path| FileError::io(path.to_owned(), io::ErrorKind::NotFound.into());
        let mut directory = if let Some(root) = self.root()? {
            root
        } else {
            self.make()?;
            self.root()?.ok_or_else(|| missing(&self.path))?
        };
        let mode = match self.readers {
            Readers::Owner => Mode::RWXU,
            Readers::Everybody => Mode::RWXU | Mode::RWXG | Mode::RWXO,
        };
        let mut place = self.path.clone();
        for name in below.split('/').filter(|name| !name.is_empty()) {
            place.push(name);
            let next = if let Some(next) = enter_one(&directory, name, &place)? {
                next
            } else {
                match fs::mkdirat(&directory, name, mode) {
                    Err(error) if error != Errno::EXIST => {
                        return Err(FileError::io(place, error.into()));
                    }
                    _ => enter_one(&directory, name, &place)?.ok_or_else(|| missing(&place))?,
                }
            };
            directory = next;
        }
        Ok(directory)
    }
}

/// Waits until names in a directory are on the disk.
fn sync(directory: &OwnedFd, place: &Path) -> Result<(), FileError> {
    fs::fsync(directory).map_err(|error| FileError::io(place.to_owned(), error.into()))
}

fn sweep(directory: &OwnedFd, place: &Path, deeper: usize) -> Result<(), FileError> {
    let failed = |error: Errno| FileError::io(place.to_owned(), error.into());
    for entry in fs::Dir::read_from(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        let below = place.join(name);
        if name.starts_with(UNFINISHED) {
            let removed = remove_abandoned(directory, name);
            removed.map_err(|source| FileError::io(below, source))?;
            continue;
        }
        let is_directory = fs::FileType::Directory;
        // Some file systems do not say in the listing what it is.
        let may_be = [is_directory, fs::FileType::Unknown].contains(&entry.file_type());
        if deeper == 0 || !may_be || name == "." || name == ".." {
            continue;
        }
        if kind_of(directory, name, &below)? != Some(super::FileKind::Directory) {
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match fs::openat(directory, name, flags, Mode::empty()) {
            Ok(next) => sweep(&next, &below, deeper - 1)?,
            // It was removed or exchanged since.
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => {}
            Err(error) => return Err(FileError::io(below, error.into())),
        }
    }
    Ok(())
}
