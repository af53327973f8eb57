//! One application from planned to healthy.
//!
//! Each step is in the journal before the next begins. What fails here is undone elsewhere, in the
//! same way as after a crash.

use std::{ffi::OsStr, io};

use spacecp_contract::{Correction, Digest, DocumentKind};

use super::{
    Applier, ApplyError, Operation, Part, Progress, Step,
    carry::carry,
    disk::Disk,
    exchange,
    folder::Folder,
    journal::{Entry, State},
    late_writes,
    order::Work,
    own_files,
    place::{PAYLOAD, Place, START_LOCK, STOP_LOCK, payloads},
    plan,
    recovery::workspace,
    stage,
    stamps::{Stamps, nanoseconds},
};
use crate::{
    control::{ControlError, InheritedLock, Watch},
    inventory::{Component, VersionProblem, read_version_in},
};
use spacecp_feed::fetch::{FetchError, Source, fetch_payload_into};
use spacecp_trust::Verified;

impl Applier {
    /// Builds and verifies the new tree beside the live one, which goes on running.
    pub(super) async fn prepare(
        &self,
        work: &Work<'_>,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let (entry, correction) = (&work.entry, work.part.correction);
        let id = &entry.application.id;
        self.steps.reached(Step::Planned)?;
        progress.step("fetched");
        let place = Place::make(&self.disk, &entry.folder, &entry.workspace)?;
        self.fetch(&place, &work.part, source, progress).await?;
        self.steps.reached(Step::Fetched)?;
        progress.step(State::Staged.word());
        let new_tree =
            tokio::task::block_in_place(|| stage::stage(&place, entry, correction, progress))?;
        self.journal.new_tree(id, new_tree).await?;
        self.journal.state(id, State::Staged).await?;
        self.steps.reached(Step::Staged)?;
        progress.step(State::Verified.word());
        tokio::task::block_in_place(|| stage::verify(&place, correction))?;
        self.refuse_late_changes(work)?;
        self.refuse_unlisted(work.part.correction).await?;
        self.journal.state(id, State::Verified).await?;
        self.steps.reached(Step::Verified)?;
        Ok(())
    }

    /// Fetches every payload once, into the workspace.
    async fn fetch(
        &self,
        place: &Place,
        part: &Part<'_>,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let payload = place.workspace.make_folder(OsStr::new(PAYLOAD))?;
        let payloads = payloads(part.correction);
        let total = payloads.len() as u64;
        for (done, (name, blob)) in payloads.into_values().enumerate() {
            let path = payload.path_of(&name);
            let failed = |source| FetchError::File {
                path: path.clone(),
                source,
            };
            let fetched = async {
                let file = payload.create_unannounced(&name);
                fetch_payload_into(source, &blob, file.map_err(failed)?, &path).await
            };
            self.disk
                .act_slowly(Operation::Fetch, &path, fetched, failed)
                .await?;
            progress.files(done as u64 + 1, total);
        }
        Ok(())
    }

    /// Building the new tree took a while: the files that were decided about must be as they were. What cannot be read
    /// any more is named.
    pub(super) fn refuse_late_changes(&self, work: &Work<'_>) -> Result<(), ApplyError> {
        let Part {
            correction,
            component,
        } = work.part;
        let surroundings = self.surroundings(None);
        let late = plan::plan(correction, component, &work.supposed, &surroundings)?;
        let version = version_of(component);
        if late.digest == work.agreed && version.as_ref() == Ok(&work.entry.application.from) {
            return Ok(());
        }
        if let Err(problem) = version {
            return Err(ApplyError::NotApplicable {
                correction: correction.id.to_string(),
                component: component.name.clone(),
                reason: format!("installed version unknown: {problem}"),
            });
        }
        if late.obstacles().next().is_some() {
            return Err(ApplyError::Obstacle {
                plan: Box::new(late),
            });
        }
        Err(ApplyError::Drifted {
            shown: work.agreed,
            present: late.digest,
        })
    }

    /// Refuses a correction that the feed no longer lists. Fetching takes as long as the mirrors want, and stopping as
    /// long as the component wants: a sync may have brought a recovery from stolen keys meanwhile, and what only the
    /// thief listed is not applied.
    pub(super) async fn refuse_unlisted(
        &self,
        correction: &Verified<Correction>,
    ) -> Result<(), ApplyError> {
        let digest = Digest::of(correction.bytes());
        let store = self.journal.store();
        if store
            .lists(DocumentKind::Correction, &correction.id, digest)
            .await?
        {
            return Ok(());
        }
        Err(ApplyError::NoLongerListed {
            correction: correction.id.to_string(),
            revision: correction.revision,
        })
    }

    /// Stops the component, exchanges the trees, starts it, and looks whether it is well.
    ///
    /// Where the correction is given it must still be listed when the trees are exchanged.
    pub(super) async fn bring_in(
        &self,
        entry: &Entry,
        component: &Component,
        correction: Option<&Verified<Correction>>,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        let ran = self.stop(entry, progress).await?;
        if let Some(correction) = correction {
            self.refuse_unlisted(correction).await?;
        }
        let stamps = self.catch_up(entry)?;
        self.swap(entry, stamps, progress).await?;
        says_its_version(component, &entry.application.to)?;
        // Before the start: what the component says from here on is what counts.
        let watch = self.begin_to_watch(entry, ran).await?;
        if ran && entry.restarts {
            self.start(entry, progress).await?;
        }
        if let Some(watch) = watch {
            progress.step(State::Healthy.word());
            let well = watch.healthy().await;
            well.map_err(|source| ApplyError::Unwell {
                component: entry.application.component.clone(),
                source,
            })?;
        }
        self.journal.state(id, State::Healthy).await?;
        self.steps.reached(Step::Healthy)?;
        Ok(())
    }

    /// Stops the component, if that is wanted and it runs. Says whether it counts as running.
    async fn stop(&self, entry: &Entry, progress: &dyn Progress) -> Result<bool, ApplyError> {
        if !entry.restarts {
            return Ok(true);
        }
        let (id, component) = (&entry.application.id, &entry.application.component);
        progress.step(State::Stopped.word());
        let runs = self.control.is_running(component).await;
        let runs = runs
            .map_err(|error| control(component, "checked", error))?
            .unwrap_or(true);
        if !runs {
            tracing::info!(application = id, "component not running; not started");
            return Ok(false);
        }
        self.journal.stopping(id, true).await?;
        self.steps.reached(Step::Stopping)?;
        let stopped = self.order(entry, Command::Stop).await;
        stopped.map_err(|error| control(component, "stopped", error))?;
        self.journal.state(id, State::Stopped).await?;
        self.steps.reached(Step::Stopped)?;
        Ok(true)
    }

    /// Brings over what the component wrote until it was stopped. Gives what its files are like now.
    fn catch_up(&self, entry: &Entry) -> Result<Option<Stamps>, ApplyError> {
        let place = workspace(&self.disk, entry)?;
        let stamps = tokio::task::block_in_place(|| own_files::catch_up(&place, entry))?;
        self.steps.reached(Step::CaughtUp)?;
        Ok(stamps)
    }

    async fn swap(
        &self,
        entry: &Entry,
        stamps: Option<Stamps>,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        let place = workspace(&self.disk, entry)?;
        let exchanged = nanoseconds(place.workspace.touch()?);
        self.journal.swapping(id, exchanged).await?;
        self.steps.reached(Step::Swapping)?;
        progress.step(State::Swapped.word());
        tracing::info_span!("swap", application = id)
            .in_scope(|| exchange::exchange(self.exchange, &place, &*self.steps))?;
        self.steps.reached(Step::Exchanged)?;
        carry(&place, &entry.keep)?;
        self.steps.reached(Step::Carried)?;
        if let Some(stamps) = stamps {
            tokio::task::block_in_place(|| late_writes::bring(&place, entry, stamps, exchanged))?;
        }
        self.journal.state(id, State::Swapped).await?;
        self.steps.reached(Step::Swapped)?;
        Ok(())
    }

    async fn begin_to_watch(
        &self,
        entry: &Entry,
        ran: bool,
    ) -> Result<Option<Box<dyn Watch>>, ApplyError> {
        let component = &entry.application.component;
        match &entry.health {
            Some(check) if ran => {
                let watch = self.control.watch(component, check).await;
                let watch = watch.map_err(|error| control(component, "checked", error))?;
                Ok(Some(watch))
            }
            // What does not run cannot be well or ill.
            _ => Ok(None),
        }
    }

    async fn start(&self, entry: &Entry, progress: &dyn Progress) -> Result<(), ApplyError> {
        let (id, component) = (&entry.application.id, &entry.application.component);
        progress.step(State::Started.word());
        self.journal.state(id, State::Starting).await?;
        self.steps.reached(Step::Starting)?;
        let started = self.order(entry, Command::Start).await;
        started.map_err(|error| control(component, "started", error))?;
        self.journal.state(id, State::Started).await?;
        self.steps.reached(Step::Started)?;
        Ok(())
    }

    /// Orders the component to stop or to start. The command inherits a lock.
    pub(super) async fn order(&self, entry: &Entry, command: Command) -> Result<(), ControlError> {
        let opened = workspace(&self.disk, entry)
            .and_then(|place| place.workspace.make_lock(OsStr::new(command.lock())));
        let failed = |source| ControlError::InheritedLock {
            path: entry.workspace.join(command.lock()),
            source,
        };
        let file = opened.map_err(|error| match error {
            ApplyError::File { source, .. } => failed(source),
            error => failed(io::Error::other(error)),
        })?;
        let lock = InheritedLock::new(file).map_err(failed)?;
        let component = &entry.application.component;
        match command {
            Command::Stop => self.control.stop(component, &lock).await,
            Command::Start => self.control.start(component, &lock).await,
        }
    }
}

/// What a component is ordered to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// To end.
    Stop,
    /// To begin.
    Start,
}

impl Command {
    /// The name of the lock that the commands of an application inherit, in its workspace: each kind its
    /// own, as a component may keep what it was started with for as long as it runs.
    pub(super) fn lock(self) -> &'static str {
        match self {
            Self::Stop => STOP_LOCK,
            Self::Start => START_LOCK,
        }
    }
}

pub(super) fn control(
    component: &str,
    doing: &'static str,
    source: crate::control::ControlError,
) -> ApplyError {
    ApplyError::Control {
        component: component.to_owned(),
        doing,
        source,
    }
}

/// The component must say the version that it was to become.
fn says_its_version(component: &Component, expected: &str) -> Result<(), ApplyError> {
    let found = version_of(component).unwrap_or_else(|problem| problem.to_string());
    if found == expected {
        return Ok(());
    }
    Err(ApplyError::Unhealthy {
        component: component.name.clone(),
        expected: expected.to_owned(),
        found,
    })
}

/// The version that the component says now, read through a handle to its directory.
fn version_of(component: &Component) -> Result<String, VersionProblem> {
    let folder = Folder::open(&Disk::default(), &component.folder);
    let directory = folder.and_then(|folder| folder.for_reading());
    let directory = directory.map_err(|error| VersionProblem::File {
        path: component.folder.clone(),
        reason: error.to_string(),
    })?;
    read_version_in(&directory, &component.folder, &component.source)
}
