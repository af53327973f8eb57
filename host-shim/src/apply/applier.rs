//! Carries out plans, takes them back, and recovers from whatever interrupted either.

use std::{ffi::OsStr, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Correction, Digest};

use super::{
    Application, ApplyError, Exchange, Faults, NoFaults, Operation, Outcome, Plan, Step, Steps,
    carry::carry,
    disk::Disk,
    error::Doing,
    exchange, files,
    journal::{Entry, Journal, State},
    lock::{Lock, beside},
    place::{PAYLOAD, Place},
    plan,
    recovery::{LiveTree, bring, clean_up, drop_payload, live_tree, place},
    stage,
};
use crate::{
    fetch::{FetchError, Source, fetch_payload},
    inventory::{Component, Inventory, read_version},
    shim::Progress,
    store::Store,
    trust::Verified,
};

/// What is to be applied, and what was said about it.
#[derive(Debug)]
pub struct Order<'a> {
    /// The correction.
    pub correction: &'a Verified<Correction>,
    /// The component.
    pub component: &'a Component,
    /// Everything installed.
    pub inventory: &'a Inventory,
    /// The digest of the plan that was shown; none to take the present plan as it is.
    pub shown: Option<Digest>,
    /// Whether what wants a word has been given it.
    pub overwrite: bool,
    /// Who asks.
    pub by: &'a str,
    /// A name for the application that no other has.
    pub id: String,
    /// Now.
    pub now: Timestamp,
}

/// Applies corrections, one at a time per component.
#[derive(Debug, Clone)]
pub struct Applier {
    journal: Journal,
    exchange: Exchange,
    steps: Arc<dyn Steps>,
    disk: Disk,
}

impl Applier {
    /// An applier that keeps its journal in this store.
    pub fn new(store: Store) -> Self {
        Self {
            journal: Journal::new(store),
            exchange: Exchange::default(),
            steps: Arc::new(NoFaults),
            disk: Disk::default(),
        }
    }

    /// The same with another way to exchange trees, and told of every step. For tests.
    #[must_use]
    pub fn with(self, exchange: Exchange, steps: Arc<dyn Steps>) -> Self {
        Self {
            exchange,
            steps,
            ..self
        }
    }

    /// The same on a disk and with a journal where these faults happen. For tests.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn Faults>) -> Self {
        let disk = Disk::with(faults);
        Self {
            journal: self.journal.on(disk.clone()),
            disk,
            ..self
        }
    }

    /// What applying would do, as found just now.
    pub async fn plan(
        &self,
        correction: &Verified<Correction>,
        component: &Component,
        inventory: &Inventory,
    ) -> Result<Plan, ApplyError> {
        let unfinished = self.journal.of_component(&component.name).await?;
        let under_way = unfinished
            .into_iter()
            .find(|entry| !entry.state.is_final())
            .map(|entry| entry.application.id);
        let (correction, component, inventory) = (
            correction.document().clone(),
            component.clone(),
            inventory.clone(),
        );
        blocking(move || plan::plan(&correction, &component, &inventory, under_way)).await
    }

    /// Carries a plan out. On failure the component is as it was.
    #[tracing::instrument(name = "apply", skip_all, fields(application = %order.id, correction = %order.correction.id, component = %order.component.name))]
    pub async fn apply(
        &self,
        order: Order<'_>,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<Application, ApplyError> {
        let folder = order.component.folder.clone();
        let _lock = Lock::take(&self.disk, &folder)?;
        self.settle_what_was_cut_off(&order.component.name, order.now)
            .await?;
        let plan = self
            .plan(order.correction, order.component, order.inventory)
            .await?;
        agreed(&plan, &order)?;
        let entry = new_entry(&order, &plan)?;
        self.journal.begin(&entry).await?;
        let id = entry.application.id.clone();
        let agreed = plan.digest;
        let outcome = self
            .carry_out(&entry, &order, agreed, source, progress)
            .await;
        match outcome {
            Ok(()) => {}
            // As after a crash: recovery decides.
            Err(error @ ApplyError::Interrupted(_)) => return Err(error),
            Err(error) => {
                self.undo(&id, &error.to_string(), order.now).await?;
                return Err(error);
            }
        }
        // The new version is live whatever becomes of the leftovers, and they go with the next one.
        if let Err(error) = self.forget_older(&entry).await {
            tracing::warn!(application = id, %error, "leftovers of an application could not be removed");
        }
        self.steps.reached(Step::Committed)?;
        self.one(&id).await
    }

    async fn carry_out(
        &self,
        entry: &Entry,
        order: &Order<'_>,
        agreed: Digest,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        self.steps.reached(Step::Planned)?;
        progress.step("fetched");
        let place = Place::make(&self.disk, &entry.folder, &entry.workspace)?;
        self.fetch(&place, order.correction, source, progress)
            .await?;
        self.steps.reached(Step::Fetched)?;
        progress.step(State::Staged.word());
        let new_tree = tokio::task::block_in_place(|| {
            stage::stage(&place, &entry.keep, order.correction, progress)
        })?;
        self.journal.new_tree(id, new_tree).await?;
        self.journal.state(id, State::Staged).await?;
        self.steps.reached(Step::Staged)?;
        progress.step(State::Verified.word());
        tokio::task::block_in_place(|| stage::verify(&place, order.correction))?;
        self.refuse_late_changes(entry, order, agreed)?;
        self.journal.state(id, State::Verified).await?;
        self.steps.reached(Step::Verified)?;
        self.journal.state(id, State::Swapping).await?;
        self.steps.reached(Step::Swapping)?;
        progress.step(State::Swapped.word());
        tracing::info_span!("swap", application = id)
            .in_scope(|| exchange::exchange(self.exchange, &place, &*self.steps))?;
        self.steps.reached(Step::Exchanged)?;
        carry(&place, &entry.keep)?;
        self.steps.reached(Step::Carried)?;
        self.journal.state(id, State::Swapped).await?;
        self.steps.reached(Step::Swapped)?;
        progress.step("healthy");
        healthy(order.component, &entry.application.to)?;
        self.steps.reached(Step::Healthy)?;
        self.journal
            .end(id, State::Committed, None, order.now)
            .await?;
        progress.step(State::Committed.word());
        Ok(())
    }

    /// Fetches every payload once, into the workspace.
    async fn fetch(
        &self,
        place: &Place,
        correction: &Correction,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        let payload = place.workspace.make_folder(OsStr::new(PAYLOAD))?;
        let blobs: std::collections::BTreeMap<Digest, spacecp_contract::Blob> = correction
            .files
            .iter()
            .filter_map(|file| file.after)
            .map(|after| (after.blob.digest, after.blob))
            .collect();
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
    fn refuse_late_changes(
        &self,
        entry: &Entry,
        order: &Order<'_>,
        agreed: Digest,
    ) -> Result<(), ApplyError> {
        let late = plan::plan(order.correction, order.component, order.inventory, None)?;
        if late.digest != agreed
            || read_version(&entry.folder, &order.component.source).as_ref()
                != Ok(&entry.application.from)
        {
            return Err(ApplyError::Drifted {
                shown: agreed,
                plan: Box::new(late),
            });
        }
        Ok(())
    }

    /// Puts the old tree back where it is not, and notes why.
    async fn undo(&self, id: &str, reason: &str, now: Timestamp) -> Result<(), ApplyError> {
        let Some(entry) = self.journal.entry(id).await? else {
            return Ok(());
        };
        if entry.state.is_final() {
            return Ok(());
        }
        if live_tree(&self.disk, &entry)? == LiveTree::New {
            self.journal.state(id, State::Undoing).await?;
        }
        bring(&self.disk, &entry, LiveTree::Old, self.exchange)?;
        self.tidy(&entry);
        self.journal.end(id, State::Failed, Some(reason), now).await
    }

    /// Takes an application back: the old tree returns, with the run-time data as it is now.
    ///
    /// Needs neither the feed nor the plugin nor the component. Files of the correction that were
    /// changed since are lost with the new tree, so that wants a word.
    #[tracing::instrument(name = "rollback", skip_all, fields(application = id))]
    pub async fn roll_back(
        &self,
        id: &str,
        overwrite: bool,
        reason: &str,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Application, ApplyError> {
        let irreversible = |reason: &str| ApplyError::Irreversible {
            id: id.to_owned(),
            reason: reason.to_owned(),
        };
        let entry = self
            .journal
            .entry(id)
            .await?
            .ok_or_else(|| irreversible("the journal does not have it"))?;
        let _lock = Lock::take(&self.disk, &entry.folder)?;
        self.settle_what_was_cut_off(&entry.application.component, now)
            .await?;
        // Once more under the lock: somebody may have been faster.
        let entry = self
            .journal
            .entry(id)
            .await?
            .ok_or_else(|| irreversible("the journal does not have it"))?;
        if entry.state != State::Committed {
            return Err(irreversible(&format!("it is {}", entry.state.word())));
        }
        if !entry.workspace.join("tree").is_dir() {
            return Err(irreversible("its old tree is no longer kept"));
        }
        match live_tree(&self.disk, &entry) {
            Ok(LiveTree::New) => {}
            Ok(LiveTree::Old) | Err(ApplyError::Stranger { .. }) => {
                return Err(irreversible("the component's folder was replaced since"));
            }
            Err(error) => return Err(error),
        }
        let changed = changed_since(&entry)?;
        if !changed.is_empty() && !overwrite {
            return Err(irreversible(&format!(
                "these files were changed since and would be lost: {}; say so to go on",
                changed.join(", ")
            )));
        }
        self.journal.state(id, State::RollingBack).await?;
        match self.take_back(&entry, reason, now, progress).await {
            Ok(()) => {}
            Err(error @ ApplyError::Interrupted(_)) => return Err(error),
            // Half-way the run-time data may be in the wrong tree. Once more, as after a crash; what
            // fails again waits for recovery, and the journal says that it is under way.
            Err(error) => {
                tracing::warn!(application = id, %error, "taking back failed, and is tried once more");
                self.finish_taking_back(&entry, reason, now).await?;
            }
        }
        progress.step(State::RolledBack.word());
        self.one(id).await
    }

    async fn take_back(
        &self,
        entry: &Entry,
        reason: &str,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<(), ApplyError> {
        self.steps.reached(Step::RollingBack)?;
        progress.step(State::RollingBack.word());
        if let Some(place) = place(&self.disk, entry)? {
            exchange::exchange(self.exchange, &place, &*self.steps)?;
            self.steps.reached(Step::Exchanged)?;
            carry(&place, &entry.keep)?;
            self.steps.reached(Step::Carried)?;
        }
        self.finish_taking_back(entry, reason, now).await?;
        self.steps.reached(Step::RolledBack)?;
        Ok(())
    }

    /// Brings the old tree back from wherever taking back has come to, and notes it.
    async fn finish_taking_back(
        &self,
        entry: &Entry,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        bring(&self.disk, entry, LiveTree::Old, self.exchange)?;
        self.journal
            .end(&entry.application.id, State::RolledBack, Some(reason), now)
            .await?;
        self.tidy(entry);
        Ok(())
    }

    /// Finishes or undoes whatever was cut off. To be called before anything else is applied.
    ///
    /// What another process is at right now is left to it.
    #[tracing::instrument(name = "recover", skip_all)]
    pub async fn recover(&self, now: Timestamp) -> Result<(), ApplyError> {
        for entry in self.journal.unfinished().await? {
            match self.settle(&entry, now).await {
                // One disk that is gone must not keep the panel from its other components; the
                // journal goes on saying that this one is under way, so nothing is applied to it.
                Err(error @ (ApplyError::File { .. } | ApplyError::Stranger { .. })) => {
                    tracing::error!(
                        application = entry.application.id,
                        component = entry.application.component,
                        %error,
                        "an application that was cut off can neither be finished nor undone yet"
                    );
                }
                other => other?,
            }
        }
        if let Err(error) = self.sweep().await {
            tracing::warn!(%error, "leftovers of applications could not be removed");
        }
        Ok(())
    }

    async fn settle(&self, entry: &Entry, now: Timestamp) -> Result<(), ApplyError> {
        let _lock = match Lock::take(&self.disk, &entry.folder) {
            Err(ApplyError::Busy { .. }) => return Ok(()),
            lock => lock?,
        };
        // Once more under the lock: who had it may have come to the end.
        match self.journal.entry(&entry.application.id).await? {
            Some(entry) if !entry.state.is_final() => self.settle_locked(&entry, now).await,
            _ => Ok(()),
        }
    }

    /// Finishes or undoes what was cut off at a component whose lock is held: since it is, nobody is
    /// at it any more.
    async fn settle_what_was_cut_off(
        &self,
        component: &str,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        for entry in self.journal.of_component(component).await? {
            if !entry.state.is_final() {
                self.settle_locked(&entry, now).await?;
            }
        }
        Ok(())
    }

    async fn settle_locked(&self, entry: &Entry, now: Timestamp) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        let live = live_tree(&self.disk, entry)?;
        tracing::warn!(
            application = id,
            state = entry.state.word(),
            ?live,
            "an application was cut off"
        );
        if entry.state != State::RollingBack {
            // Nobody has seen the new version at work, and the old one is known to have worked.
            return self
                .undo(id, "it was cut off; the old tree is in place", now)
                .await;
        }
        let reason = "it was cut off, and finished afterwards";
        self.finish_taking_back(entry, reason, now).await
    }

    /// Removes what applications that came to their end could not remove any more.
    async fn sweep(&self) -> Result<(), ApplyError> {
        let mut committed = std::collections::BTreeSet::new();
        for entry in self.journal.newest(u32::MAX).await? {
            // The newest one that was committed keeps the old tree, and no other.
            let keeps_tree = entry.state == State::Committed
                && committed.insert(entry.application.component.clone());
            if !entry.state.is_final() || !entry.workspace.is_dir() {
                continue;
            }
            match Lock::take(&self.disk, &entry.folder) {
                Err(ApplyError::Busy { .. }) => {}
                Err(error) => return Err(error),
                Ok(_lock) if keeps_tree => drop_payload(&self.disk, &entry)?,
                Ok(_lock) => self.tidy(&entry),
            }
        }
        Ok(())
    }

    /// Removes what is left beside the component. What cannot be removed is tried again later; it is
    /// never a reason to leave an application without an end.
    fn tidy(&self, entry: &Entry) {
        if let Err(error) = clean_up(&self.disk, entry) {
            let id = &entry.application.id;
            tracing::warn!(application = id, %error, "leftovers of an application could not be removed");
        }
    }

    /// What was applied, newest first.
    pub async fn history(&self, limit: u32) -> Result<Vec<Application>, ApplyError> {
        let entries = self.journal.newest(limit).await?;
        Ok(entries.into_iter().map(described).collect())
    }

    /// The application of a component that can be taken back, if one can.
    pub async fn reversible(&self, component: &str) -> Result<Option<Application>, ApplyError> {
        let entries = self.journal.of_component(component).await?;
        Ok(entries
            .into_iter()
            .map(described)
            .find(|application| application.reversible))
    }

    async fn one(&self, id: &str) -> Result<Application, ApplyError> {
        let missing = || ApplyError::Irreversible {
            id: id.to_owned(),
            reason: "the journal does not have it".to_owned(),
        };
        self.journal
            .entry(id)
            .await?
            .map(described)
            .ok_or_else(missing)
    }

    /// Only the newest application of a component can be taken back; older trees go.
    async fn forget_older(&self, newest: &Entry) -> Result<(), ApplyError> {
        drop_payload(&self.disk, newest)?;
        for older in self
            .journal
            .of_component(&newest.application.component)
            .await?
        {
            if older.application.id != newest.application.id && older.state.is_final() {
                clean_up(&self.disk, &older)?;
            }
        }
        Ok(())
    }
}

/// Whether the plan may be carried out as it was asked for.
fn agreed(plan: &Plan, order: &Order<'_>) -> Result<(), ApplyError> {
    if plan.obstacles().next().is_some() {
        return Err(ApplyError::Obstacle {
            plan: Box::new(plan.clone()),
        });
    }
    if let Some(shown) = order.shown.filter(|shown| *shown != plan.digest) {
        return Err(ApplyError::Drifted {
            shown,
            plan: Box::new(plan.clone()),
        });
    }
    if !order.overwrite && plan.warnings().next().is_some() {
        return Err(ApplyError::WantsWord {
            plan: Box::new(plan.clone()),
        });
    }
    Ok(())
}

fn new_entry(order: &Order<'_>, plan: &Plan) -> Result<Entry, ApplyError> {
    let changes = order
        .correction
        .files
        .iter()
        .map(|file| (file.path.to_string(), file.after.map(|after| after.digest)));
    Ok(Entry {
        application: Application {
            id: order.id.clone(),
            correction: plan.correction.clone(),
            revision: plan.revision,
            component: plan.component.clone(),
            from: plan.from.clone(),
            to: plan.to.clone(),
            began: order.now,
            ended: None,
            by: order.by.to_owned(),
            outcome: Outcome::InProgress,
            reason: None,
            reversible: false,
        },
        state: State::Planned,
        folder: order.component.folder.clone(),
        workspace: beside(&order.component.folder)?.join(&order.id),
        new_tree: None,
        keep: order.component.keep.clone(),
        changes: changes.collect(),
    })
}

/// The component must say the version that it was to become.
fn healthy(component: &Component, expected: &str) -> Result<(), ApplyError> {
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

/// Files of the correction that are no longer as it left them.
fn changed_since(entry: &Entry) -> Result<Vec<String>, ApplyError> {
    let mut changed = Vec::new();
    for (path, after) in &entry.changes {
        let file: PathBuf = entry.folder.join(path);
        let there = if file.is_file() {
            Some(files::digest(&file).doing("read", &file)?)
        } else {
            None
        };
        if there != *after {
            changed.push(path.clone());
        }
    }
    Ok(changed)
}

/// The application, with whether it can be taken back now.
fn described(entry: Entry) -> Application {
    Application {
        reversible: is_reversible(&entry),
        ..entry.application
    }
}

fn is_reversible(entry: &Entry) -> bool {
    use std::os::unix::fs::MetadataExt;
    entry.state == State::Committed
        && entry.workspace.join("tree").is_dir()
        && std::fs::symlink_metadata(&entry.folder)
            .is_ok_and(|live| entry.new_tree == Some(live.ino()))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApplyError> + Send + 'static,
) -> Result<T, ApplyError> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
