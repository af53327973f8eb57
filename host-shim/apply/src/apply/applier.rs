//! Carries out plans, whole or not at all.

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::Correction;

use super::{
    Application, ApplyError, Exchange, Faults, JointPlan, NoFaults, OldTrees, Order, Part, Plan,
    Progress, Step, Steps,
    disk::Disk,
    joint,
    journal::{Entry, Journal, State},
    lock::Locks,
    order::{Work, agreed, works},
    plan::{self, Surroundings},
    progress::steps_of,
    record::Acting,
    recovery::drop_payload,
    workspaces::Workspaces,
};
use crate::{
    config::ApplyConfig,
    control::{Control, NoControl, Watchdog},
    inventory::{Component, Inventory},
};
use spacecp_feed::fetch::Source;
use spacecp_store::{Store, audit};
use spacecp_trust::Verified;

/// Who carried a plan out.
#[derive(Debug)]
enum Carried {
    /// This process; the commit is still to come.
    Here,
    /// Another one, to this end.
    Meanwhile(Box<Entry>),
}

/// Applies corrections, one at a time per component.
#[derive(Debug, Clone)]
pub struct Applier {
    pub(super) journal: Journal,
    pub(super) exchange: Exchange,
    pub(super) steps: Arc<dyn Steps>,
    pub(super) control: Arc<dyn Control>,
    pub(super) watchdog: Option<Watchdog>,
    pub(super) old_trees: OldTrees,
    pub(super) disk: Disk,
    /// The folders of every component.
    pub(super) folders: Vec<PathBuf>,
    /// The directory for workspaces that is configured.
    pub(super) workspace: Option<PathBuf>,
}

impl Applier {
    /// An applier that keeps its journal in this store, and can neither stop nor start anything.
    pub fn new(store: Store) -> Self {
        Self {
            journal: Journal::new(store),
            exchange: Exchange::default(),
            steps: Arc::new(NoFaults),
            control: Arc::new(NoControl),
            watchdog: None,
            old_trees: ApplyConfig::default().old_trees(),
            disk: Disk::default(),
            folders: Vec::new(),
            workspace: None,
        }
    }

    /// The same for a panel with components in these folders. Where one lies in another, nobody works on
    /// the one while somebody works on the other.
    #[must_use]
    pub fn among(self, folders: Vec<PathBuf>) -> Self {
        Self { folders, ..self }
    }

    /// The same with workspaces in this directory, for components on its file system, instead of beside
    /// each component.
    #[must_use]
    pub fn working_in(self, workspace: Option<PathBuf>) -> Self {
        Self { workspace, ..self }
    }

    /// The same with a way to stop, start and look at components.
    #[must_use]
    pub fn controlled_by(self, control: Arc<dyn Control>) -> Self {
        Self { control, ..self }
    }

    /// The same with a process that goes on while the panel is stopped.
    #[must_use]
    pub fn watched_by(self, watchdog: Option<Watchdog>) -> Self {
        Self { watchdog, ..self }
    }

    /// The same with another time for old trees to stay.
    #[must_use]
    pub fn keeping(self, old_trees: OldTrees) -> Self {
        Self { old_trees, ..self }
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

    /// The same for somebody who takes back what another began: the audit log names them.
    #[must_use]
    pub fn acting_for(&self, who: &str) -> Self {
        self.acting(Acting::Somebody(who.to_owned()))
    }

    pub(super) fn acting(&self, acting: Acting) -> Self {
        Self {
            journal: self.journal.acting(acting),
            ..self.clone()
        }
    }

    /// What applying one correction would do, as found just now.
    pub async fn plan(
        &self,
        correction: &Verified<Correction>,
        component: &Component,
        inventory: &Inventory,
    ) -> Result<Plan, ApplyError> {
        let part = Part {
            correction,
            component,
        };
        self.plan_part(part, inventory).await
    }

    /// What applying several corrections would do, each as it will be found when those before it have
    /// been applied.
    pub async fn plan_jointly(
        &self,
        parts: &[Part<'_>],
        inventory: &Inventory,
    ) -> Result<JointPlan, ApplyError> {
        let (plan, _) = self.planned(parts, inventory).await?;
        Ok(plan)
    }

    /// The plan, with each part of it in its order and the inventory that it will find.
    async fn planned<'a>(
        &self,
        parts: &[Part<'a>],
        inventory: &Inventory,
    ) -> Result<(JointPlan, Vec<(Part<'a>, Inventory)>), ApplyError> {
        joint::one_a_folder(parts)?;
        let (mut plans, mut ordered) = (Vec::new(), Vec::new());
        let mut supposed = inventory.clone();
        for part in joint::in_order(parts)? {
            let plan = self.plan_part(part, &supposed).await?;
            let after = joint::after(&supposed, &plan);
            ordered.push((part, std::mem::replace(&mut supposed, after)));
            plans.push(plan);
        }
        Ok((joint::join(plans), ordered))
    }

    async fn plan_part(&self, part: Part<'_>, inventory: &Inventory) -> Result<Plan, ApplyError> {
        let entries = self.journal.of_component(&part.component.name).await?;
        let under_way = entries
            .into_iter()
            .find(|entry| !entry.state.is_final())
            .map(|entry| entry.application.id);
        let (correction, component, inventory) = (
            part.correction.document().clone(),
            part.component.clone(),
            inventory.clone(),
        );
        let applier = self.clone();
        blocking(move || {
            let surroundings = applier.surroundings(under_way);
            plan::plan(&correction, &component, &inventory, &surroundings)
        })
        .await
    }

    /// What preflight looks at beside the component itself.
    pub(super) fn surroundings(&self, under_way: Option<String>) -> Surroundings<'_> {
        Surroundings {
            under_way,
            control: &*self.control,
            watched: self.watchdog.is_some(),
            workspaces: self.workspaces(),
        }
    }

    /// Where locks and workspaces are.
    pub(super) fn workspaces(&self) -> Workspaces {
        Workspaces {
            disk: self.disk.clone(),
            configured: self.workspace.clone(),
        }
    }

    /// Carries a plan out. On failure every component is as it was.
    ///
    /// All new trees are built and verified before the first component is stopped.
    #[tracing::instrument(name = "apply", skip_all, fields(plan = %order.id))]
    pub async fn apply(
        &self,
        order: Order<'_>,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<Vec<Application>, ApplyError> {
        joint::one_a_folder(&order.parts)?;
        let folders = order.parts.iter();
        let folders = folders.map(|part| part.component.folder.as_path());
        let locks = match Locks::take(&self.workspaces(), folders, &self.folders) {
            Err(error @ (ApplyError::Insecure { .. } | ApplyError::NotOwn { .. })) => {
                // Preflight says the same, and what else stands in the way.
                let (joint, _) = self.planned(&order.parts, order.inventory).await?;
                agreed(&joint, &order)?;
                return Err(error);
            }
            locks => locks?,
        };
        self.settle_around(&locks, order.now).await?;
        let (joint, ordered) = self.planned(&order.parts, order.inventory).await?;
        agreed(&joint, &order)?;
        let works = works(&joint, ordered, &order, &locks)?;
        let entries: Vec<&Entry> = works.iter().map(|work| &work.entry).collect();
        for work in &works {
            let application = &work.entry.application.id;
            let noted = async {
                let store = self.journal.store();
                audit::note_signed(store, application, work.part.correction).await?;
                Ok(())
            };
            self.journal.write("signed", application, noted).await?;
        }
        self.journal.begin(&entries).await?;
        progress.steps(&steps_of(&entries));
        match self.carry_out(&works, &locks, source, progress).await {
            Ok(Carried::Here) => {}
            Ok(Carried::Meanwhile(entry)) => return self.told(*entry).await,
            // As after a crash: recovery decides.
            Err((_, error @ ApplyError::Interrupted(_))) => return Err(error),
            Err((failed, error)) => {
                return Err(self.undo_all(&works, failed, error, order.now).await);
            }
        }
        if let Err(error) = self.journal.commit(&order.id, order.now).await {
            return Err(self.undo_all(&works, 0, error, order.now).await);
        }
        progress.step(State::Committed.word());
        for entry in entries {
            self.drop_payload(entry);
        }
        self.steps.reached(Step::Committed)?;
        drop(locks);
        // The new version is live whatever becomes of old trees, and they go the next time.
        if let Err(error) = self.clear_old_trees(order.now).await {
            tracing::warn!(error = error.for_log(), "cannot remove old trees");
        }
        let mut applied = Vec::with_capacity(works.len());
        for work in &works {
            applied.push(self.one(&work.entry.application.id).await?);
        }
        Ok(applied)
    }

    /// Everything up to the commit; on failure with the place of what failed.
    async fn carry_out(
        &self,
        works: &[Work<'_>],
        locks: &Locks,
        source: &Source,
        progress: &dyn Progress,
    ) -> Result<Carried, (usize, ApplyError)> {
        for (place, work) in works.iter().enumerate() {
            let prepared = self.prepare(work, source, progress).await;
            prepared.map_err(|error| (place, error))?;
        }
        // Each was listed when it was ready. Preparing the others took time, in which a recovery may have come.
        for (place, work) in works.iter().enumerate() {
            let listed = self.refuse_unlisted(work.part.correction).await;
            listed.map_err(|error| (place, error))?;
        }
        if let [work] = works
            && work.entry.panel
            && let Some(lock) = locks.of(&work.entry.folder)
        {
            let end = self.hand_over(&work.entry, lock, progress).await;
            let end = end.map_err(|error| (0, error))?;
            return Ok(Carried::Meanwhile(Box::new(end)));
        }
        for (place, work) in works.iter().enumerate() {
            let Part {
                correction,
                component,
            } = work.part;
            let brought_in = self
                .bring_in(&work.entry, component, Some(correction), progress)
                .await;
            brought_in.map_err(|error| (place, error))?;
        }
        Ok(Carried::Here)
    }

    /// What came of an application that another process went on with.
    async fn told(&self, end: Entry) -> Result<Vec<Application>, ApplyError> {
        let application = self.one(&end.application.id).await?;
        match end.state {
            State::Committed => Ok(vec![application]),
            _ => Err(ApplyError::Undone {
                component: application.component,
                reason: application.reason.unwrap_or_default(),
            }),
        }
    }

    /// Undoes a whole plan, what came last first. Gives the error, with whatever else went wrong.
    async fn undo_all(
        &self,
        works: &[Work<'_>],
        failed: usize,
        error: ApplyError,
        now: Timestamp,
    ) -> ApplyError {
        let own = error.to_string();
        let failing = works.get(failed).map(|work| &work.entry.application);
        let others = failing.map_or_else(String::new, |failing| {
            format!("{} of the same plan failed: {own}", failing.correction)
        });
        let mut troubles = Vec::new();
        for (place, work) in works.iter().enumerate().rev() {
            let id = &work.entry.application.id;
            let reason = if place == failed { &own } else { &others };
            match self.undo(id, reason, now).await {
                Ok(trouble) => troubles.extend(trouble),
                Err(error) => troubles.push(format!(
                    "{} is not restored yet: {error}",
                    work.entry.application.component
                )),
            }
        }
        if troubles.is_empty() {
            return error;
        }
        ApplyError::NotRunning {
            cause: Box::new(error),
            trouble: troubles.join("; "),
        }
    }

    /// The payload has served; what is left of it goes with the old tree.
    pub(super) fn drop_payload(&self, entry: &Entry) {
        if let Err(error) = drop_payload(&self.disk, entry) {
            let id = &entry.application.id;
            tracing::warn!(
                application = id,
                error = error.for_log(),
                "cannot remove the payload of an apply run"
            );
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApplyError> + Send + 'static,
) -> Result<T, ApplyError> {
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
