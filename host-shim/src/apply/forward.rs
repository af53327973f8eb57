//! One application from planned to healthy.
//!
//! Each step is in the journal before the next begins. What fails here is undone elsewhere, in the
//! same way as after a crash.

use std::ffi::OsStr;

use spacecp_contract::Digest;

use super::{
    Action, Applier, ApplyError, Operation, Part, Progress, Step,
    carry::carry,
    exchange,
    journal::{Entry, State},
    order::Work,
    own_files,
    place::{PAYLOAD, Place, START_TIE, STOP_TIE},
    plan,
    recovery::workspace,
    stage,
};
use crate::{
    control::{ControlError, Tie, Watch},
    fetch::{FetchError, Source, fetch_payload},
    inventory::{Component, read_version},
};

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
        let new_tree = tokio::task::block_in_place(|| {
            stage::stage(&place, &entry.keep, correction, progress)
        })?;
        self.journal.new_tree(id, new_tree).await?;
        self.journal.state(id, State::Staged).await?;
        self.steps.reached(Step::Staged)?;
        progress.step(State::Verified.word());
        tokio::task::block_in_place(|| stage::verify(&place, correction))?;
        self.refuse_late_changes(work)?;
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
        let files = part.correction.files.iter().filter_map(|file| file.after);
        let blobs: std::collections::BTreeMap<Digest, spacecp_contract::Blob> =
            files.map(|after| (after.blob.digest, after.blob)).collect();
        let total = blobs.len() as u64;
        for (done, blob) in blobs.into_values().enumerate() {
            let path = payload.path_of(OsStr::new(&blob.digest.to_string()));
            let failed = |source| FetchError::File {
                path: path.clone(),
                source,
            };
            let fetched = fetch_payload(source, &blob, &path);
            self.disk
                .act_slowly(Operation::Fetch, &path, fetched, failed)
                .await?;
            progress.files(done as u64 + 1, total);
        }
        Ok(())
    }

    /// Building the new tree took a while: the files that were decided about must be as they were.
    pub(super) fn refuse_late_changes(&self, work: &Work<'_>) -> Result<(), ApplyError> {
        let Part {
            correction,
            component,
        } = work.part;
        let late = plan::plan(
            correction,
            component,
            &work.supposed,
            None,
            &*self.control,
            self.watchdog.is_some(),
        )?;
        let version = read_version(&work.entry.folder, &component.source);
        if late.digest == work.agreed && version.as_ref() == Ok(&work.entry.application.from) {
            return Ok(());
        }
        Err(ApplyError::Drifted {
            shown: work.agreed,
            present: late.digest,
        })
    }

    /// Stops the component, exchanges the trees, starts it, and looks whether it is well.
    pub(super) async fn bring_in(
        &self,
        entry: &Entry,
        component: &Component,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        let ran = self.stop(entry, progress).await?;
        self.catch_up(entry)?;
        self.swap(entry, progress).await?;
        says_its_version(component, &entry.application.to)?;
        // Before the start: what the component says from here on is what counts.
        let watch = self.begin_to_watch(entry, ran).await?;
        if ran && entry.restarts {
            self.start(entry, progress).await?;
        }
        progress.step(State::Healthy.word());
        if let Some(watch) = watch {
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
            .map_err(|error| control(component, "asked whether it runs", error))?
            .unwrap_or(true);
        if !runs {
            tracing::info!(
                application = id,
                "what it corrects does not run, and is not started"
            );
            return Ok(false);
        }
        self.journal.stopping(id, State::Stopping, true).await?;
        self.steps.reached(Step::Stopping)?;
        let stopped = self.order(entry, Command::Stop).await;
        stopped.map_err(|error| control(component, "stopped", error))?;
        self.journal.state(id, State::Stopped).await?;
        self.steps.reached(Step::Stopped)?;
        Ok(true)
    }

    /// Brings over what the component wrote until it was stopped.
    fn catch_up(&self, entry: &Entry) -> Result<(), ApplyError> {
        let place = workspace(&self.disk, entry)?;
        tokio::task::block_in_place(|| own_files::catch_up(&place, entry))?;
        self.steps.reached(Step::CaughtUp)?;
        Ok(())
    }

    async fn swap(&self, entry: &Entry, progress: &dyn Progress) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        self.journal.state(id, State::Swapping).await?;
        self.steps.reached(Step::Swapping)?;
        progress.step(State::Swapped.word());
        let place = workspace(&self.disk, entry)?;
        tracing::info_span!("swap", application = id)
            .in_scope(|| exchange::exchange(self.exchange, &place, &*self.steps))?;
        self.steps.reached(Step::Exchanged)?;
        carry(&place, &entry.keep)?;
        self.steps.reached(Step::Carried)?;
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
                let watch = watch.map_err(|error| control(component, "looked at", error))?;
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

    /// Orders the component to stop or to start, with what the command is to hold on to.
    pub(super) async fn order(&self, entry: &Entry, command: Command) -> Result<(), ControlError> {
        let path = tie_path(entry, command);
        let made = self.disk.perform(
            &Action {
                operation: Operation::Lock,
                path: &path,
                to: None,
            },
            || Tie::new(&path),
        );
        let component = &entry.application.component;
        let tie = made.map_err(|source| ControlError::Tie { path, source })?;
        match command {
            Command::Stop => self.control.stop(component, &tie).await,
            Command::Start => self.control.start(component, &tie).await,
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

/// What the commands of an application hold on to: each kind its own, as what a component was started
/// with it may keep for as long as it runs.
pub(super) fn tie_path(entry: &Entry, command: Command) -> std::path::PathBuf {
    entry.workspace.join(match command {
        Command::Stop => STOP_TIE,
        Command::Start => START_TIE,
    })
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
    let found = read_version(&component.folder, &component.source)
        .unwrap_or_else(|problem| problem.to_string());
    if found == expected {
        return Ok(());
    }
    Err(ApplyError::Unhealthy {
        component: component.name.clone(),
        expected: expected.to_owned(),
        found,
    })
}
