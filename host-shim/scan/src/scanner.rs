//! A scan: each job's providers look, and what they found becomes one report.
//!
//! Whatever a scan may spend is shared out: no job, be it full of archives or of files, takes what another needs. What
//! those leave over goes to whoever was cut short. And what a job found before and could not read again is in the
//! report with a version that is not known: nothing disappears because somebody kept the scan from getting there.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::TreePath;

use crate::{
    Limit, Provider, Report, ScanLimits,
    budget::{Budget, Purse},
    ground::Ground,
    look::Look,
    memory::Memory,
    turn::Turn,
    unique,
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

impl Job {
    /// Whether something inside the place is left out.
    pub(crate) fn leaves_out(&self, inside: &Path) -> bool {
        let mut except = self.except.iter();
        except.any(|left_out| inside.starts_with(left_out.as_path()))
    }
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
        let mut purse = Purse::new(self.limits, jobs.len());
        let mut turns = Vec::with_capacity(jobs.len());
        for (place, job) in jobs.iter().enumerate() {
            let budget = purse.share(jobs.len() - place);
            turns.push(self.look(job, budget, &mut purse, now));
        }
        self.go_on(jobs, &mut turns, &mut purse, now);
        let mut report = Report::default();
        let mut sightings = Vec::new();
        for (job, mut turn) in jobs.iter().zip(turns) {
            turn.keep_what_is_not_read_again(job, &mut self.memory);
            sightings.append(&mut turn.sightings);
            turn.tell(&mut report);
        }
        self.memory.settle();
        report.found = unique::named(sightings, taken);
        tracing::info!(
            found = report.found.len(),
            unread = report.unread.len(),
            read = report.files_read,
            unchanged = report.files_unchanged,
            "inventory scan completed"
        );
        report
    }

    /// Gives what is left over to those that were cut short. What they have read they need not read again.
    fn go_on(&mut self, jobs: &[Job], turns: &mut [Turn], purse: &mut Purse, now: Timestamp) {
        let cut_short = |(place, turn): (usize, &Turn)| Some((place, turn.cut_short()?));
        let cut_short: Vec<(usize, Limit)> =
            turns.iter().enumerate().filter_map(cut_short).collect();
        for (done, (place, limit)) in cut_short.iter().enumerate() {
            let (Some(job), Some(turn)) = (jobs.get(*place), turns.get_mut(*place)) else {
                continue;
            };
            let budget = purse.share_on_top_of(&turn.budget, cut_short.len() - done);
            if budget.gets_further_than(&turn.budget, *limit) {
                let before = std::mem::replace(turn, self.look(job, budget, purse, now));
                purse.refund(&before.budget);
                turn.files_read += before.files_read;
            }
        }
    }

    fn look(&mut self, job: &Job, budget: Budget, purse: &mut Purse, now: Timestamp) -> Turn {
        let (folder, file, ground) = Ground::of(&job.place);
        let mut turn = Turn::new(&folder, budget);
        for provider in &job.providers {
            let looked = format!("{provider}: {}", job.place.display());
            turn.looked.push(looked);
            match &ground {
                Ok(ground) => {
                    let at = (job, *provider, ground);
                    let mut look = Look::new(at, &mut self.memory, &mut turn, now);
                    provider.look(&mut look, file.as_deref());
                }
                Err(why) => {
                    let at = job.place.display().to_string();
                    turn.hidden.push((folder.clone(), why.clone()));
                    turn.unread(job, *provider, at, why.clone());
                }
            }
        }
        purse.spend(&turn.budget);
        turn
    }
}
