//! Looks for what is inside components and on the machine, now and then, and keeps what was found.
//!
//! A scan may take a minute the first time. It is done before the plugin is asked anything, never while
//! a plugin waits for its answer, and by one at a time.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use spacecp_scan::{Job, Report, ScanLimits, Scanner};

use crate::config::ComponentConfig;

/// The file in the state folder with what was found in files that have not changed since.
const MEMORY: &str = "scanned";

/// Who looks.
#[derive(Debug)]
pub struct Lookout {
    jobs: Arc<[Job]>,
    /// Names that nothing found may have.
    taken: Arc<BTreeSet<String>>,
    fresh: Duration,
    scanner: Arc<tokio::sync::Mutex<Scanner>>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    report: Option<Arc<Report>>,
    /// Since when it holds; none where something has happened since.
    at: Option<Instant>,
    /// How often something happened that a scan under way cannot have seen.
    forgotten: u64,
}

impl Lookout {
    /// Looks where the jobs say, and names nothing that it finds as one of `components` is named. What was found
    /// in files that have not changed is kept in the folder `state`.
    pub fn new(
        jobs: Vec<Job>,
        components: &[ComponentConfig],
        limits: ScanLimits,
        state: &Path,
    ) -> Self {
        let names = components.iter().map(|one| one.name.clone());
        let scanner = Scanner::new(limits, Some(state.join(MEMORY)));
        Self {
            jobs: jobs.into(),
            taken: Arc::new(names.collect()),
            fresh: Duration::from_secs(limits.fresh_seconds),
            scanner: Arc::new(tokio::sync::Mutex::new(scanner)),
            last: Mutex::default(),
        }
    }

    /// What was found, looking again where that is too long ago.
    pub async fn look(&self) -> Arc<Report> {
        if self.jobs.is_empty() {
            return Arc::default();
        }
        if let Some(report) = self.fresh() {
            return report;
        }
        let mut scanner = self.scanner.clone().lock_owned().await;
        // Somebody else may have looked meanwhile.
        if let Some(report) = self.fresh() {
            return report;
        }
        let forgotten = self.last().forgotten;
        let (jobs, taken) = (self.jobs.clone(), self.taken.clone());
        let scan = move || scanner.scan(&jobs, &taken, Timestamp::now());
        let report = match tokio::task::spawn_blocking(scan).await {
            Ok(report) => Arc::new(report),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        let mut last = self.last();
        last.report = Some(report.clone());
        last.at = (last.forgotten == forgotten).then(Instant::now);
        report
    }

    /// What was found the last time, however long ago; looks only where nobody ever has.
    pub async fn last_seen(&self) -> Arc<Report> {
        let last = self.last().report.clone();
        match last {
            Some(report) => report,
            None => self.look().await,
        }
    }

    /// Something was installed, applied or taken back: what was found no longer counts as fresh.
    pub fn forget(&self) {
        let mut last = self.last();
        last.at = None;
        last.forgotten += 1;
    }

    fn fresh(&self) -> Option<Arc<Report>> {
        let last = self.last();
        let is_fresh = last.at.is_some_and(|at| at.elapsed() < self.fresh);
        last.report.clone().filter(|_| is_fresh)
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        // Nothing that holds it leaves it halfway.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
