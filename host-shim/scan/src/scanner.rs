//! A scan: each job's providers look, and what they found becomes one report.

use std::{
    collections::{BTreeSet, HashSet},
    fs::File,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::TreePath;

use crate::{
    Limit, Provider, Report, ScanLimits, Unread, Why,
    budget::Budget,
    findings::Findings,
    ground::{Ground, Kind},
    memory::Memory,
    unique::{self, Sighting},
};

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What the names of everything found begin with: a component's name or an inventory's.
    pub name: String,
    /// The folder, or the file that a list of packages is in.
    pub place: PathBuf,
    /// Who looks.
    pub providers: Vec<Provider>,
    /// Files and folders within the place that are left out.
    pub except: Vec<TreePath>,
}

/// Scans, and remembers what did not change.
#[derive(Debug)]
pub struct Scanner {
    limits: ScanLimits,
    memory: Memory,
}

impl Scanner {
    /// A scanner that keeps what it remembers in `file`, or for its own life only.
    pub fn new(limits: ScanLimits, file: Option<PathBuf>) -> Self {
        Self {
            memory: Memory::open(file, limits),
            limits,
        }
    }

    /// Looks at everything, now. Names in `taken` are given to nothing that is found.
    ///
    /// It never fails: what went wrong is in the report.
    #[tracing::instrument(name = "scan", skip_all, fields(jobs = jobs.len()))]
    pub fn scan(&mut self, jobs: &[Job], taken: &BTreeSet<String>, now: Timestamp) -> Report {
        let mut scan = Scan {
            budget: Budget::new(self.limits),
            memory: &mut self.memory,
            now,
            sightings: Vec::new(),
            report: Report::default(),
            more: 0,
        };
        for job in jobs {
            scan.job(job);
        }
        let Scan {
            sightings,
            mut report,
            more,
            ..
        } = scan;
        if more > 0
            && let Some(last) = report.unread.last().cloned()
        {
            report.unread.push(Unread {
                at: "elsewhere".to_owned(),
                why: Why::More(more),
                ..last
            });
        }
        // Whether every file there is was come across.
        let whole = !report.unread.iter().any(|unread| unread.why.cuts_short());
        self.memory.settle(whole && more == 0);
        report.found = unique::named(sightings, taken);
        tracing::info!(
            found = report.found.len(),
            unread = report.unread.len(),
            read = report.files_read,
            unchanged = report.files_unchanged,
            "looked for what is installed"
        );
        report
    }
}

/// A scan under way.
#[derive(Debug)]
struct Scan<'a> {
    budget: Budget,
    memory: &'a mut Memory,
    now: Timestamp,
    sightings: Vec<Sighting>,
    report: Report,
    /// Places that could not be read and are not named.
    more: u64,
}

impl Scan<'_> {
    fn job(&mut self, job: &Job) {
        let (folder, file) = match std::fs::metadata(&job.place) {
            Ok(metadata) if metadata.is_file() => {
                let folder = job.place.parent().unwrap_or(Path::new("/"));
                (folder, job.place.file_name().map(PathBuf::from))
            }
            _ => (job.place.as_path(), None),
        };
        let ground = Ground::open(folder);
        for provider in &job.providers {
            let looked = format!("{provider}: {}", job.place.display());
            self.report.looked.push(looked);
            match &ground {
                Ok(ground) => provider.look(
                    &mut Look {
                        scan: self,
                        job,
                        provider: *provider,
                        ground,
                        folders: HashSet::new(),
                    },
                    file.as_deref(),
                ),
                Err(why) => {
                    let at = job.place.display().to_string();
                    self.unread(job, *provider, at, why.clone());
                }
            }
        }
    }

    fn unread(&mut self, job: &Job, provider: Provider, at: String, why: Why) {
        tracing::debug!(job = job.name, %provider, at, %why, "not read");
        if self.report.unread.len() as u64 >= self.budget.limits.problems {
            self.more += 1;
            return;
        }
        self.report.unread.push(Unread {
            job: job.name.clone(),
            provider,
            at: at.replace(char::is_control, "_"),
            why,
        });
    }
}

/// How a provider looks at one job's place.
#[derive(Debug)]
pub(crate) struct Look<'a, 'b> {
    scan: &'a mut Scan<'b>,
    job: &'a Job,
    provider: Provider,
    ground: &'a Ground,
    /// The folders that were listed: links may lead to one again.
    folders: HashSet<(u64, u64)>,
}

impl Look<'_, '_> {
    /// A small text and what `read` finds in it; `path` is where it lies. Whether there is such a file.
    pub(crate) fn text(
        &mut self,
        path: &Path,
        limit: Limit,
        reader: &str,
        read: impl FnOnce(&[u8]) -> Result<Findings, Why>,
    ) -> bool {
        let most = match limit {
            Limit::DescriptorBytes => self.scan.budget.limits.descriptor_bytes,
            _ => self.scan.budget.limits.document_bytes,
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
            Ok(Some(findings)) => self.take(path, findings),
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
    ) -> Result<Option<Findings>, Why> {
        self.scan.budget.entry()?;
        let Some(stamp) = self.ground.stamp(path)? else {
            return Ok(None);
        };
        let shown = self.ground.path.join(path);
        // A path that is no text could be mistaken for another.
        let key = shown
            .to_str()
            .map(|path| (path.to_owned(), reader.to_owned()));
        let known = key
            .as_ref()
            .and_then(|key| self.scan.memory.recall(key, &stamp));
        if let Some(findings) = known {
            self.scan.report.files_unchanged += 1;
            return Ok(Some(findings));
        }
        let (file, before) = self.ground.file(path)?;
        self.scan.report.files_read += 1;
        let findings = match read(&file, &mut self.scan.budget) {
            Ok(findings) => findings,
            Err(why) => Findings {
                unread: vec![(String::new(), why)],
                ..Findings::default()
            },
        };
        if Ground::stamp_of(&file)? != before {
            // What was read is better than nothing, and is not all.
            let mut findings = findings;
            findings.unread.push((String::new(), Why::Changed));
            return Ok(Some(findings));
        }
        if let Some(key) = key
            && findings.is_lasting()
            && before.is_settled(self.scan.now)
        {
            self.scan.memory.remember(key, before, &findings);
        }
        Ok(Some(findings))
    }

    /// A text that says something to a provider and names no component; none where there is no such file.
    pub(crate) fn words(&mut self, path: &Path) -> Result<Option<String>, Why> {
        self.scan.budget.entry()?;
        if self.ground.stamp(path)?.is_none() {
            return Ok(None);
        }
        let (file, _) = self.ground.file(path)?;
        self.scan.report.files_read += 1;
        let most = self.scan.budget.limits.descriptor_bytes;
        let bytes = self.scan.budget.read(file, Limit::DescriptorBytes, most)?;
        let text =
            String::from_utf8(bytes).map_err(|_| Why::malformed("text", "it is not UTF-8"))?;
        Ok(Some(text))
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
        let deepest = u64::from(self.scan.budget.limits.folder_depth);
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
        let budget = &mut self.scan.budget;
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

    /// Reports a place that could not be read.
    pub(crate) fn unread(&mut self, path: &Path, why: Why) {
        let at = self.ground.shown(path);
        self.scan.unread(self.job, self.provider, at, why);
    }

    fn is_left_out(&self, path: &Path) -> bool {
        let mut except = self.job.except.iter();
        except.any(|left_out| path.starts_with(left_out.as_path()))
    }

    fn take(&mut self, path: &Path, findings: Findings) {
        let shown = self.ground.shown(path);
        let place = |within: &str| match within {
            "" => shown.clone(),
            within => format!("{shown}{within}"),
        };
        for (within, why) in findings.unread {
            self.scan
                .unread(self.job, self.provider, place(&within), why);
        }
        for entry in findings.entries {
            let most = self.scan.budget.limits.components;
            if self.scan.sightings.len() as u64 >= most {
                let why = Why::limit(Limit::Components, most);
                self.scan
                    .unread(self.job, self.provider, shown.clone(), why);
                return;
            }
            let mut name = self.job.name.clone();
            for label in &entry.path {
                name.push('/');
                name.push_str(label);
            }
            self.scan.sightings.push(Sighting {
                name,
                advisory_name: entry.advisory_name,
                scheme: entry.scheme,
                version: entry.version,
                at: place(&entry.within).replace(char::is_control, "_"),
                provider: self.provider,
            });
        }
    }
}
