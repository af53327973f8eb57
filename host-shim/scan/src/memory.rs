//! Remembers what was found in files that have not changed since.
//!
//! A file of its own in the panel's state folder, which only the panel may enter. It saves time, and says what was
//! found where a later scan does not get to; lost or damaged, everything is read again.

use std::{
    borrow::Cow,
    collections::HashMap,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    Provider, ScanLimits,
    findings::{Entry, Findings},
    ground::Stamp,
    scanner::Job,
};

/// Another number whenever the same file would be read in another way.
const EDITION: u32 = 5;

/// The largest file that is read back.
const LARGEST: u64 = 256 << 20;

/// Which file, read by whom, for which job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    job: String,
    pub(crate) provider: Provider,
    /// Its whole path.
    pub(crate) path: String,
    reader: String,
}

impl Key {
    /// None for a path that is no text: it could be mistaken for another.
    pub(crate) fn new(job: &Job, provider: Provider, path: &Path, reader: &str) -> Option<Self> {
        Some(Self {
            job: job.name.clone(),
            provider,
            path: path.to_str()?.to_owned(),
            reader: reader.to_owned(),
        })
    }
}

/// What was found in a file. It is read again where there is no stamp.
type Known = (Option<Stamp>, Findings);

/// What is remembered.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    limits: ScanLimits,
    known: HashMap<Key, Known>,
    /// What this scan came across, or could not read again.
    met: HashMap<Key, Known>,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    edition: u32,
    /// Other limits may find more.
    limits: ScanLimits,
    files: Vec<KeptFile<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeptFile<'a> {
    key: Cow<'a, Key>,
    stamp: Option<Stamp>,
    findings: Cow<'a, Findings>,
}

impl Memory {
    pub(crate) fn open(file: Option<PathBuf>, limits: ScanLimits) -> Self {
        let known = file.as_deref().map_or_else(HashMap::new, |file| {
            load(file, &limits).unwrap_or_else(|error| {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %file.display(), %error, "scan cache not usable; scanning every file");
                }
                HashMap::new()
            })
        });
        Self {
            file,
            limits,
            known,
            met: HashMap::new(),
            changed: false,
        }
    }

    /// What was found in a file, if it is still the same.
    pub(crate) fn recall(&mut self, key: &Key, stamp: &Stamp) -> Option<Findings> {
        let known = self.met.get(key).or_else(|| self.known.get(key))?;
        if known.0.as_ref() != Some(stamp) {
            return None;
        }
        let known = known.clone();
        let findings = known.1.clone();
        self.met.insert(key.clone(), known);
        Some(findings)
    }

    /// What was found in a file before this scan, whatever has become of it.
    pub(crate) fn earlier(&self, key: &Key) -> Vec<Entry> {
        let known = self.known.get(key);
        known.map_or_else(Vec::new, |(_, findings)| findings.entries.clone())
    }

    /// What was found before this scan in the files of a job.
    pub(crate) fn of_job(&self, job: &str) -> impl Iterator<Item = (&Key, &Findings)> {
        let known = self.known.iter().filter(move |(key, _)| key.job == job);
        known.map(|(key, (_, findings))| (key, findings))
    }

    /// Without a stamp the file is read again by the next scan.
    pub(crate) fn remember(&mut self, key: Key, stamp: Option<Stamp>, findings: &Findings) {
        self.met.insert(key, (stamp, findings.clone()));
        self.changed = true;
    }

    /// Keeps what is known of files that were not read.
    pub(crate) fn keep(&mut self, keys: Vec<Key>) {
        for key in keys {
            if let Some(known) = self.known.get(&key) {
                self.met.entry(key).or_insert_with(|| known.clone());
            }
        }
    }

    /// Ends a scan: what it did not come across, and did not keep, is forgotten.
    pub(crate) fn settle(&mut self) {
        let met = std::mem::take(&mut self.met);
        self.changed |= met.len() != self.known.len();
        self.known = met;
        if !std::mem::take(&mut self.changed) {
            return;
        }
        if let Some(file) = &self.file
            && let Err(error) = self.save(file)
        {
            tracing::warn!(file = %file.display(), %error, "cannot write the scan cache");
        }
    }

    fn save(&self, file: &Path) -> io::Result<()> {
        let files = self.known.iter().map(|(key, (stamp, findings))| KeptFile {
            key: Cow::Borrowed(key),
            stamp: *stamp,
            findings: Cow::Borrowed(findings),
        });
        let kept = Kept {
            edition: EDITION,
            limits: self.limits,
            files: files.collect(),
        };
        let bytes = rmp_serde::to_vec(&kept).map_err(io::Error::other)?;
        if bytes.len() as u64 > LARGEST {
            return Err(io::Error::other("it is too large"));
        }
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        // The next process removes what no process has locked.
        new.as_file().lock()?;
        new.write_all(&bytes)?;
        // Not synchronised: what a power loss takes away is read again.
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    }
}

fn load(file: &Path, limits: &ScanLimits) -> io::Result<HashMap<Key, Known>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    let kept: Kept<'_> = rmp_serde::from_slice(&bytes).map_err(io::Error::other)?;
    if kept.edition != EDITION {
        return Ok(HashMap::new());
    }
    // With other limits everything is read again, and what was found is still what was found.
    let holds = kept.limits == *limits;
    let files = kept.files.into_iter().map(|file| {
        let stamp = file.stamp.filter(|_| holds);
        (file.key.into_owned(), (stamp, file.findings.into_owned()))
    });
    Ok(files.collect())
}
