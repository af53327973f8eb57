//! Remembers what was found in files that have not changed since.
//!
//! A file of its own in the panel's state folder, which only the panel may enter. It saves time and
//! nothing else: lost or damaged, everything is read again.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{ScanLimits, findings::Findings, ground::Stamp};

/// Another number whenever the same file would be read in another way.
const EDITION: u32 = 2;

/// The largest file that is read back.
const LARGEST: u64 = 256 << 20;

/// Which file, read by whom.
pub(crate) type Key = (String, String);

/// What is remembered.
#[derive(Debug)]
pub(crate) struct Memory {
    file: Option<PathBuf>,
    limits: ScanLimits,
    known: HashMap<Key, (Stamp, Findings)>,
    /// What this scan came across.
    met: HashMap<Key, (Stamp, Findings)>,
    changed: bool,
}

#[derive(Serialize, Deserialize)]
struct Kept<'a> {
    edition: u32,
    /// Other limits may find more.
    limits: ScanLimits,
    #[serde(borrow)]
    files: Vec<KeptFile<'a>>,
}

#[derive(Serialize, Deserialize)]
struct KeptFile<'a> {
    #[serde(borrow)]
    path: std::borrow::Cow<'a, str>,
    reader: std::borrow::Cow<'a, str>,
    stamp: Stamp,
    findings: std::borrow::Cow<'a, Findings>,
}

impl Memory {
    pub(crate) fn open(file: Option<PathBuf>, limits: ScanLimits) -> Self {
        let known = file.as_deref().map_or_else(HashMap::new, |file| {
            load(file, &limits).unwrap_or_else(|error| {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %file.display(), %error, "what was found before is not known; every file is read again");
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
        let (then, findings) = self.known.get(key)?;
        if then != stamp {
            return None;
        }
        let findings = findings.clone();
        self.met.insert(key.clone(), (*stamp, findings.clone()));
        Some(findings)
    }

    pub(crate) fn remember(&mut self, key: Key, stamp: Stamp, findings: &Findings) {
        self.met.insert(key, (stamp, findings.clone()));
        self.changed = true;
    }

    /// Ends a scan: what it did not come across is forgotten, unless it was cut short.
    pub(crate) fn settle(&mut self, whole: bool) {
        let mut met = std::mem::take(&mut self.met);
        if whole {
            self.changed |= met.len() != self.known.len();
        } else {
            for (key, value) in self.known.drain() {
                met.entry(key).or_insert(value);
            }
        }
        self.known = met;
        if !std::mem::take(&mut self.changed) {
            return;
        }
        if let Some(file) = &self.file
            && let Err(error) = self.save(file)
        {
            tracing::warn!(file = %file.display(), %error, "what was found cannot be remembered");
        }
    }

    fn save(&self, file: &Path) -> io::Result<()> {
        let files = self
            .known
            .iter()
            .map(|((path, reader), (stamp, findings))| KeptFile {
                path: path.into(),
                reader: reader.into(),
                stamp: *stamp,
                findings: std::borrow::Cow::Borrowed(findings),
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
        new.write_all(&bytes)?;
        // Not synchronised: what a power loss takes away is read again.
        new.persist(file).map_err(|error| error.error)?;
        Ok(())
    }
}

fn load(file: &Path, limits: &ScanLimits) -> io::Result<HashMap<Key, (Stamp, Findings)>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    let kept: Kept<'_> = rmp_serde::from_slice(&bytes).map_err(io::Error::other)?;
    if kept.edition != EDITION || kept.limits != *limits {
        return Ok(HashMap::new());
    }
    let files = kept.files.into_iter().map(|file| {
        let key = (file.path.into_owned(), file.reader.into_owned());
        (key, (file.stamp, file.findings.into_owned()))
    });
    Ok(files.collect())
}
