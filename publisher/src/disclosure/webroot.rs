//! A web root on the disk: what it shall have, and nothing that this command did not write is touched.
//!
//! The files that were written are listed with their digests in `.spacecp-disclosure/`, which is for its
//! owner alone. A file that is not on the list, or no longer what was written, is somebody else's: it is
//! never written over and never removed. Every file is staged, synced, and renamed into its place, those
//! that others name first; what is no longer true goes last. A process that ends in between leaves whole
//! files, and the next one finishes the work.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use spacecp_contract::Digest;

use self::list::LONGEST_LIST;
pub use self::list::{Written, list_of, read_list};
use super::{
    addresses::PROVIDER,
    public::Sequence,
    site::{Site, SitePath},
};
use crate::durable;

mod list;

/// The folder of what only this command needs.
const OWN: &str = ".spacecp-disclosure";

/// The longest word on the sequence that is told, in bytes: two numbers.
const LONGEST_TOLD: u64 = 64;

/// The longest file of a site, in bytes; a longer one was not written here.
const LONGEST_FILE: u64 = 1 << 30;

/// Why a web root is not what it shall be.
#[derive(Debug, thiserror::Error)]
pub enum WebrootError {
    /// The disk.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file of somebody else's is where one of ours would be.
    #[error("{} was not written by this command, or was changed since. Move it away; nothing was overwritten", .0.display())]
    Foreign(PathBuf),
    /// A link, or something else that is no folder, on the way to a file.
    #[error("{} is not a directory, so files below it would be written elsewhere", .0.display())]
    NoFolder(PathBuf),
    /// What is told here is newer.
    #[error(
        "the website is of sequence {}, but this feed is at the older sequence {}",
        told.number, sequence.number
    )]
    Older {
        /// What is told here.
        told: Sequence,
        /// The feed's.
        sequence: Sequence,
    },
    /// The list of what was written is not what this command writes.
    #[error("{}, line {line}: {reason}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

/// What became of the files of a web root, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// Those that are new or say something else.
    pub written: Vec<String>,
    /// Those that are no longer true.
    pub removed: Vec<String>,
    /// Those that somebody changed since, and which stay although they are no longer true.
    pub left: Vec<String>,
    /// How many stay as they are.
    pub unchanged: usize,
}

/// A folder that a web server serves.
#[derive(Debug, Clone)]
pub struct Webroot {
    folder: PathBuf,
}

/// The right to write a web root; it ends with the process.
#[derive(Debug)]
pub struct Lock {
    _folder: File,
}

impl Webroot {
    /// The web root in this folder, which need not be there yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The provider metadata that is there, as far as it is one of ours to read.
    ///
    /// # Errors
    ///
    /// [`WebrootError::File`] where the disk fails.
    pub fn provider_metadata(&self) -> Result<Option<Vec<u8>>, WebrootError> {
        self.bytes(&self.folder.join(PROVIDER))
    }

    /// What [`Webroot::become_site`] would do.
    ///
    /// # Errors
    ///
    /// As there, where it would be refused.
    pub fn compare(&self, site: &Site) -> Result<Outcome, WebrootError> {
        Ok(self.plan(site)?.outcome())
    }

    /// Lets nobody else write the web root until the lock is dropped, or the process ends.
    ///
    /// # Errors
    ///
    /// [`WebrootError::File`] where the folder cannot be made or locked.
    pub fn lock(&self) -> Result<Lock, WebrootError> {
        let failed = |source| file_error(&self.folder, source);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let folder = File::open(&self.folder).map_err(failed)?;
        folder.lock().map_err(failed)?;
        Ok(Lock { _folder: folder })
    }

    /// Refuses what is older than what is told here already: a copy of the feed from before a withdrawal would
    /// take that back.
    ///
    /// # Errors
    ///
    /// [`WebrootError::Older`].
    pub fn refuse_older(&self, sequence: Sequence) -> Result<(), WebrootError> {
        match self.told()? {
            Some(told) if told > sequence => Err(WebrootError::Older { told, sequence }),
            _ => Ok(()),
        }
    }

    /// Makes the web root say what the site says, which is made of this sequence.
    ///
    /// # Errors
    ///
    /// [`WebrootError`], before anything is written where a file is somebody else's.
    pub fn become_site(
        &self,
        _lock: &Lock,
        site: &Site,
        sequence: Sequence,
    ) -> Result<Outcome, WebrootError> {
        self.refuse_older(sequence)?;
        let plan = self.plan(site)?;
        // A list that a killed process had begun to write.
        durable::sweep_tree(&self.own()).map_err(|source| file_error(&self.own(), source))?;
        let outcome = plan.outcome();
        if plan.is_done() {
            // A process may have ended right after the last file had its name.
            self.clear(&self.staging())?;
            self.tell(sequence)?;
            return Ok(outcome);
        }
        // Before the files, so that each that is there is on the list whenever this ends.
        let mut all = plan.before.clone();
        all.extend(plan.after.iter().cloned());
        self.remember(&all)?;
        self.write(&plan.write)?;
        self.remove(&plan.remove)?;
        self.remember(&plan.after)?;
        self.tell(sequence)?;
        Ok(outcome)
    }

    /// The sequence that is told here; none where that was never said.
    fn told(&self) -> Result<Option<Sequence>, WebrootError> {
        let path = self.place(&own_path("sequence"))?;
        if fs::symlink_metadata(&path).is_ok_and(|found| found.len() > LONGEST_TOLD) {
            return Err(WebrootError::Foreign(path));
        }
        let Some(bytes) = self.bytes(&path)? else {
            return Ok(None);
        };
        let text = String::from_utf8_lossy(&bytes);
        let mut numbers = text.split_whitespace().map(str::parse);
        match (numbers.next(), numbers.next(), numbers.next()) {
            (Some(Ok(epoch)), Some(Ok(number)), None) => Ok(Some(Sequence { epoch, number })),
            _ => Err(WebrootError::Foreign(path)),
        }
    }

    fn tell(&self, sequence: Sequence) -> Result<(), WebrootError> {
        if self.told()? == Some(sequence) {
            return Ok(());
        }
        let path = self.own().join("sequence");
        let text = format!("{} {}\n", sequence.epoch, sequence.number);
        let kept = durable::replace_private(&path, text.as_bytes());
        kept.map_err(|source| file_error(&path, source))
    }

    fn own(&self) -> PathBuf {
        self.folder.join(OWN)
    }

    fn staging(&self) -> PathBuf {
        self.own().join("staging")
    }

    fn list(&self) -> PathBuf {
        self.own().join("written")
    }

    fn plan<'a>(&self, site: &'a Site) -> Result<Plan<'a>, WebrootError> {
        // A link in the place of the own folder would lead every list and every staged file elsewhere.
        for name in ["written", "staging/0"] {
            self.place(&own_path(name))?;
        }
        let mut plan = Plan {
            before: self.remembered()?,
            ..Plan::default()
        };
        for (path, bytes) in site.in_turn() {
            let place = self.place(path)?;
            let digest = Digest::of(bytes);
            plan.after.insert((path.clone(), digest));
            match self.bytes(&place)? {
                Some(there) if there == bytes => plan.unchanged += 1,
                Some(there) if !plan.before.contains(&(path.clone(), Digest::of(&there))) => {
                    return Err(WebrootError::Foreign(place));
                }
                _ => plan.write.push((path, bytes)),
            }
        }
        let kept: BTreeSet<&SitePath> = plan.after.iter().map(|(path, _)| path).collect();
        let gone: BTreeSet<&SitePath> = plan.before.iter().map(|(path, _)| path).collect();
        for path in gone.difference(&kept) {
            let Some(there) = self.bytes(&self.place(path)?)? else {
                continue;
            };
            let ours = plan.before.contains(&((*path).clone(), Digest::of(&there)));
            let list = if ours {
                &mut plan.remove
            } else {
                &mut plan.left
            };
            list.push((*path).clone());
        }
        // What is left stays on the list, so that the next run says so, too.
        let left: BTreeSet<&SitePath> = plan.left.iter().collect();
        let known = plan.before.iter().filter(|(path, _)| left.contains(path));
        plan.after.extend(known.cloned());
        Ok(plan)
    }

    /// The place of a file, if nothing on the way to it leads elsewhere.
    fn place(&self, path: &SitePath) -> Result<PathBuf, WebrootError> {
        let mut place = self.folder.clone();
        let mut steps = path.as_str().split('/').peekable();
        while let Some(step) = steps.next() {
            place.push(step);
            if steps.peek().is_none() {
                break;
            }
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(WebrootError::NoFolder(place)),
                // Nothing below it is there either.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(file_error(&place, source)),
            }
        }
        Ok(place)
    }

    /// The bytes of a file; none where there is nothing.
    fn bytes(&self, place: &Path) -> Result<Option<Vec<u8>>, WebrootError> {
        let found = match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(|source| file_error(place, source))?,
        };
        if !found.is_file() || found.len() > LONGEST_FILE {
            return Err(WebrootError::Foreign(place.to_owned()));
        }
        let bytes = fs::read(place).map_err(|source| file_error(place, source))?;
        Ok(Some(bytes))
    }

    fn remembered(&self) -> Result<Written, WebrootError> {
        let path = self.list();
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Written::new()),
            file => file.map_err(|source| file_error(&path, source))?,
        };
        let mut text = String::new();
        let mut limited = file.take(LONGEST_LIST + 1);
        let read = limited.read_to_string(&mut text);
        read.map_err(|source| file_error(&path, source))?;
        read_list(&path, &text)
    }

    fn remember(&self, written: &Written) -> Result<(), WebrootError> {
        let path = self.list();
        let kept = durable::replace_private(&path, list_of(written).as_bytes());
        kept.map_err(|source| file_error(&path, source))
    }

    fn write(&self, files: &[(&SitePath, &[u8])]) -> Result<(), WebrootError> {
        let staging = self.staging();
        self.clear(&staging)?;
        durable::private_folder(&staging).map_err(|source| file_error(&staging, source))?;
        let mut staged = Vec::with_capacity(files.len());
        for (number, (path, bytes)) in files.iter().enumerate() {
            let from = staging.join(number.to_string());
            stage(&from, bytes).map_err(|source| file_error(&from, source))?;
            staged.push((from, self.place(path)?));
        }
        let moved = durable::move_all(durable::Readers::Everybody, &staged);
        moved.map_err(|(path, source)| file_error(&path, source))?;
        self.clear(&staging)
    }

    /// Removes what an earlier process left there.
    fn clear(&self, staging: &Path) -> Result<(), WebrootError> {
        match fs::remove_dir_all(staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            cleared => cleared.map_err(|source| file_error(staging, source)),
        }
    }

    fn remove(&self, files: &[SitePath]) -> Result<(), WebrootError> {
        for path in files {
            let place = self.place(path)?;
            match fs::remove_file(&place) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.map_err(|source| file_error(&place, source))?,
            }
            self.sync_and_prune(&place)?;
        }
        Ok(())
    }

    /// Makes a removal durable, and removes the folders above that are empty by it.
    fn sync_and_prune(&self, place: &Path) -> Result<(), WebrootError> {
        for folder in place.ancestors().skip(1) {
            if folder != self.folder && fs::remove_dir(folder).is_ok() {
                continue;
            }
            // Not empty: here the names of those below are.
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            return synced.map_err(|source| file_error(folder, source));
        }
        Ok(())
    }
}

/// What is to be done.
#[derive(Debug, Default)]
struct Plan<'a> {
    before: Written,
    after: Written,
    write: Vec<(&'a SitePath, &'a [u8])>,
    remove: Vec<SitePath>,
    left: Vec<SitePath>,
    unchanged: usize,
}

impl Plan<'_> {
    fn is_done(&self) -> bool {
        self.write.is_empty() && self.remove.is_empty() && self.before == self.after
    }

    fn outcome(&self) -> Outcome {
        let names = |paths: &[SitePath]| paths.iter().map(ToString::to_string).collect();
        Outcome {
            written: self
                .write
                .iter()
                .map(|(path, _)| path.to_string())
                .collect(),
            removed: names(&self.remove),
            left: names(&self.left),
            unchanged: self.unchanged,
        }
    }
}

/// A path in the folder of what only this command needs.
fn own_path(name: &str) -> SitePath {
    SitePath::new(format!("{OWN}/{name}")).expect("it is a path of plain letters")
}

fn file_error(path: &Path, source: io::Error) -> WebrootError {
    WebrootError::File {
        path: path.to_owned(),
        source,
    }
}

fn stage(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    durable::set_readable(&file)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
