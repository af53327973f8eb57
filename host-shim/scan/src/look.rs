//! How a provider looks at one job's place: whatever it reads goes through here, and is bounded, kept for the next
//! scan and put on the job's record.

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{
    Limit, Provider, Why,
    budget::Budget,
    findings::{Entry, Findings, Need},
    ground::{Ground, Kind, Stamp},
    memory::{Key, Memory},
    scanner::Job,
    text,
    turn::Turn,
    unique::Sighting,
};

/// How a provider looks at one job's place.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    job: &'a Job,
    provider: Provider,
    ground: &'a Ground,
    memory: &'a mut Memory,
    turn: &'a mut Turn,
    now: Timestamp,
    /// The folders that were listed: links may lead to one again.
    folders: HashSet<(u64, u64)>,
    /// What the files that were read say that they need, and what they answer.
    declared: Vec<Declared>,
}

/// What a file says beyond what was found in it.
#[derive(Debug)]
pub(crate) struct Declared {
    /// Where it lies.
    pub(crate) path: PathBuf,
    pub(crate) needs: Vec<Need>,
    pub(crate) answers: BTreeSet<String>,
}

/// What was found in a file now, and what had been found there before.
struct Read {
    findings: Findings,
    earlier: Vec<Entry>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(
        (job, provider, ground): (&'a Job, Provider, &'a Ground),
        memory: &'a mut Memory,
        turn: &'a mut Turn,
        now: Timestamp,
    ) -> Self {
        Self {
            job,
            provider,
            ground,
            memory,
            turn,
            now,
            folders: HashSet::new(),
            declared: Vec::new(),
        }
    }

    /// What the files that were read since the last call need and answer.
    pub(crate) fn declared(&mut self) -> Vec<Declared> {
        std::mem::take(&mut self.declared)
    }

    /// Takes from what was found in a file the version that it gives, for a reason.
    pub(crate) fn doubt(&mut self, path: &Path, why: &str) {
        let at = self.ground.shown(path).replace(char::is_control, "_");
        let mut sightings = self.turn.sightings.iter_mut();
        if let Some(sighting) = sightings.find(|sighting| sighting.at == at) {
            sighting.version = Err(why.to_owned());
        }
    }

    /// A small text and what `read` finds in it; `path` is where it lies. Whether there is such a file.
    pub(crate) fn text(
        &mut self,
        path: &Path,
        limit: Limit,
        reader: &str,
        read: impl FnOnce(&[u8]) -> Result<Findings, Why>,
    ) -> bool {
        let most = match limit {
            Limit::DescriptorBytes => self.turn.budget.limits.descriptor_bytes,
            _ => self.turn.budget.limits.document_bytes,
        };
        self.file(path, reader, |file, budget| {
            let bytes = budget.read(file, limit, most)?;
            read(&bytes)
        })
    }

    /// A file and what `read` finds in it, or found in it before. Whether there is such a file.
    pub(crate) fn file(
        &mut self,
        path: &Path,
        reader: &str,
        read: impl FnOnce(&File, &mut Budget) -> Result<Findings, Why>,
    ) -> bool {
        if self.is_left_out(path) {
            return true;
        }
        match self.found_in(path, reader, read) {
            Ok(Some(found)) => self.take(path, found),
            Ok(None) => return false,
            Err(why) => self.unread(path, why),
        }
        true
    }

    fn found_in(
        &mut self,
        path: &Path,
        reader: &str,
        read: impl FnOnce(&File, &mut Budget) -> Result<Findings, Why>,
    ) -> Result<Option<Read>, Why> {
        self.turn.budget.entry()?;
        let key = Key::new(
            self.job,
            self.provider,
            &self.ground.path.join(path),
            reader,
        );
        let Some(stamp) = self.ground.stamp(path)? else {
            self.turn.looked_at.extend(key);
            return Ok(None);
        };
        let earlier = key.as_ref().map(|key| self.memory.earlier(key));
        let earlier = earlier.unwrap_or_default();
        let known = key.as_ref().and_then(|key| self.memory.recall(key, &stamp));
        if let Some(findings) = known {
            self.turn.files_unchanged += 1;
            self.turn.looked_at.extend(key);
            return Ok(Some(Read { findings, earlier }));
        }
        let (file, before) = self.ground.file(path)?;
        self.turn.files_read += 1;
        let mut findings = match read(&file, &mut self.turn.budget) {
            Ok(findings) => findings,
            Err(why) => Findings {
                unread: vec![(String::new(), why)],
                ..Findings::default()
            },
        };
        if Ground::stamp_of(&file)? != before {
            // What was read is better than nothing, and is not all.
            findings.unread.push((String::new(), Why::Changed));
        }
        findings.keep_what_is_not_read_again(&earlier);
        if let Some(key) = key {
            let lasts = findings.is_lasting() && before.is_settled(self.now);
            let stamp = lasts.then_some(before);
            self.memory.remember(key.clone(), stamp, &findings);
            self.turn.looked_at.insert(key);
        }
        Ok(Some(Read { findings, earlier }))
    }

    /// Whether a component of this name was found by now.
    pub(crate) fn has_found(&self, advisory_name: &str) -> bool {
        let mut sightings = self.turn.sightings.iter();
        sightings.any(|sighting| sighting.advisory_name.as_str() == advisory_name)
    }

    /// How much was found by now, or is named as unread.
    pub(crate) fn count(&self) -> usize {
        self.turn.sightings.len() + self.turn.count_unread()
    }

    /// A text that says something to a provider and names no component; none where there is no such file.
    pub(crate) fn words(&mut self, path: &Path) -> Result<Option<String>, Why> {
        self.turn.budget.entry()?;
        if self.ground.stamp(path)?.is_none() {
            return Ok(None);
        }
        let (file, _) = self.ground.file(path)?;
        self.turn.files_read += 1;
        let most = self.turn.budget.limits.descriptor_bytes;
        let bytes = self.turn.budget.read(file, Limit::DescriptorBytes, most)?;
        Ok(Some(text::decode(&bytes).into_owned()))
    }

    /// What lies in a folder, by name; nothing where there is none, where it is left out, and where it was
    /// listed before. What keeps it from being listed is reported.
    pub(crate) fn list(&mut self, folder: &Path) -> Vec<(PathBuf, Kind)> {
        self.listed(folder).unwrap_or_default()
    }

    /// As [`Look::list`], and none where there is no such folder.
    pub(crate) fn listed(&mut self, folder: &Path) -> Option<Vec<(PathBuf, Kind)>> {
        if self.is_left_out(folder) {
            return Some(Vec::new());
        }
        let depth = u64::try_from(folder.components().count()).unwrap_or(u64::MAX);
        let deepest = u64::from(self.turn.budget.limits.folder_depth);
        let listed = if depth > deepest {
            Err(Why::limit(Limit::FolderDepth, deepest))
        } else {
            self.ground.list(folder)
        };
        let listing = match listed {
            Ok(Some(listing)) => listing,
            Ok(None) => return None,
            Err(why) => {
                self.unread(folder, why);
                return Some(Vec::new());
            }
        };
        if !self.folders.insert(listing.id) {
            return Some(Vec::new());
        }
        let budget = &mut self.turn.budget;
        match listing.names(|| budget.entry()) {
            Ok(names) => {
                let names = names.into_iter();
                Some(
                    names
                        .map(|(name, kind)| (folder.join(name), kind))
                        .collect(),
                )
            }
            Err(why) => {
                self.unread(folder, why);
                Some(Vec::new())
            }
        }
    }

    /// Whether there is a folder of this name.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        matches!(self.ground.list(path), Ok(Some(_)))
    }

    /// Whether there is anything of this name.
    pub(crate) fn is_there(&self, path: &Path) -> bool {
        !matches!(self.ground.stamp(path), Ok(None))
    }

    /// The stamp of a file; none where there is no such file.
    pub(crate) fn stamp(&mut self, path: &Path) -> Result<Option<Stamp>, Why> {
        self.turn.budget.entry()?;
        self.ground.stamp(path)
    }

    /// A file that belongs to another, open, and its stamp.
    pub(crate) fn open(&mut self, path: &Path) -> Result<(File, Stamp), Why> {
        let opened = self.ground.file(path)?;
        self.turn.files_read += 1;
        Ok(opened)
    }

    /// Reports a place that could not be read.
    pub(crate) fn unread(&mut self, path: &Path, why: Why) {
        let at = self.ground.shown(path);
        if why.hides() {
            let place = self.ground.path.join(path);
            self.turn.hidden.push((place, why.clone()));
        }
        self.turn.unread(self.job, self.provider, at, why);
    }

    fn is_left_out(&self, path: &Path) -> bool {
        self.job.leaves_out(path)
    }

    fn take(&mut self, path: &Path, Read { findings, earlier }: Read) {
        if !findings.needs.is_empty() || !findings.answers.is_empty() {
            self.declared.push(Declared {
                path: path.to_owned(),
                needs: findings.needs,
                answers: findings.answers,
            });
        }
        let shown = self.ground.shown(path);
        let place = |within: &str| match within {
            "" => shown.clone(),
            within => format!("{shown}{within}"),
        };
        for (within, why) in findings.unread {
            let at = place(&within);
            self.turn.unread(self.job, self.provider, at, why);
        }
        for entry in findings.entries {
            // What was known before is listed before what is new.
            let is_known = earlier.iter().any(|known| known.is_the_same(&entry));
            if let Err(why) = self.turn.budget.component(is_known) {
                self.turn
                    .unread(self.job, self.provider, shown.clone(), why);
                continue;
            }
            let sighting = Sighting::of(self.job, self.provider, place(&entry.within), entry);
            self.turn.sightings.push(sighting);
        }
    }
}
