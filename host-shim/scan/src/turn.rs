//! One job's turn in a scan: what it may spend, what it found, and what it did not read.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::{
    Limit, Provider, Report, Unread, Why,
    budget::Budget,
    memory::{Key, Memory},
    scanner::Job,
    unique::Sighting,
};

/// The turn.
#[derive(Debug)]
pub(crate) struct Turn {
    /// The folder that the job looks at.
    folder: PathBuf,
    pub(crate) budget: Budget,
    pub(crate) sightings: Vec<Sighting>,
    /// Files that were read, or are known to be unchanged or gone.
    pub(crate) looked_at: HashSet<Key>,
    /// Paths that were not read: their present contents are unknown.
    pub(crate) hidden: Vec<(PathBuf, Why)>,
    /// The places where providers began to look.
    pub(crate) looked: Vec<String>,
    pub(crate) files_read: u64,
    pub(crate) files_unchanged: u64,
    unread: Vec<Unread>,
    /// The limit that kept the job from going on, and how much it allows.
    cut_short: Option<(Limit, u64)>,
    /// Places that could not be read and are not named.
    more: u64,
}

impl Turn {
    pub(crate) fn new(folder: &Path, budget: Budget) -> Self {
        Self {
            folder: folder.to_owned(),
            budget,
            sightings: Vec::new(),
            looked_at: HashSet::new(),
            hidden: Vec::new(),
            looked: Vec::new(),
            files_read: 0,
            files_unchanged: 0,
            unread: Vec::new(),
            cut_short: None,
            more: 0,
        }
    }

    /// The limit that kept the job from going on, if one did.
    pub(crate) fn cut_short(&self) -> Option<Limit> {
        self.cut_short.map(|(limit, _)| limit)
    }

    /// How many places are named that could not be read.
    pub(crate) fn count_unread(&self) -> usize {
        self.unread.len()
    }

    /// A place that could not be read.
    pub(crate) fn unread(&mut self, job: &Job, provider: Provider, at: String, why: Why) {
        tracing::debug!(job = job.name, %provider, at, %why, "not read");
        if let Why::Limit { limit, most } = why
            && why.cuts_short()
        {
            self.cut_short.get_or_insert((limit, most));
        }
        if self.unread.len() as u64 >= self.budget.limits.problems {
            self.more += 1;
            return;
        }
        self.unread.push(Unread {
            job: job.name.clone(),
            provider,
            at: at.replace(char::is_control, "_"),
            why,
        });
    }

    /// Lists what was found before in files that were not read this time, with a version that is not known. What is
    /// kept of those files stays as it is, for the scan that reads them again.
    pub(crate) fn keep_what_is_not_read_again(&mut self, job: &Job, memory: &mut Memory) {
        let mut kept = Vec::new();
        for (key, findings) in memory.of_job(&job.name) {
            let path = Path::new(&key.path);
            let inside = path.strip_prefix(&self.folder).ok();
            let left_out = inside.is_none_or(|inside| job.leaves_out(inside));
            if left_out || !job.providers.contains(&key.provider) || self.looked_at.contains(key) {
                continue;
            }
            let Some(why) = self.why_not_read(path) else {
                continue;
            };
            kept.push(key.clone());
            for entry in &findings.entries {
                if self.budget.component(true).is_err() {
                    break;
                }
                let at = format!("{}{}", key.path, entry.within);
                let entry = entry.not_read_again(&why);
                self.sightings
                    .push(Sighting::of(job, key.provider, at, entry));
            }
        }
        memory.keep(kept);
    }

    /// Why a file was not read, if it may still be there.
    fn why_not_read(&self, path: &Path) -> Option<Why> {
        let mut hidden = self.hidden.iter();
        if let Some((_, why)) = hidden.find(|(place, _)| path.starts_with(place)) {
            return Some(why.clone());
        }
        self.cut_short.map(|(limit, most)| Why::limit(limit, most))
    }

    /// Puts it into the report, but for what was found.
    pub(crate) fn tell(mut self, report: &mut Report) {
        if self.more > 0
            && let Some(last) = self.unread.last().cloned()
        {
            self.unread.push(Unread {
                at: "elsewhere".to_owned(),
                why: Why::More(self.more),
                ..last
            });
        }
        report.unread.append(&mut self.unread);
        report.looked.append(&mut self.looked);
        report.files_read += self.files_read;
        report.files_unchanged += self.files_unchanged;
    }
}
