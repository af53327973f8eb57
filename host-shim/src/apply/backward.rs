//! The way back: undoing what failed, and taking back what was applied.
//!
//! Both put the old tree back and have the component run if it ran before. Neither needs the feed, the
//! plugin, or the component itself; everything is safe to repeat.

use std::path::PathBuf;

use jiff::Timestamp;

use super::{
    Application, Applier, ApplyError, Progress, Step,
    carry::carry,
    disk::Disk,
    error::Doing,
    exchange,
    forward::{Command, control},
    journal::{Entry, State},
    lock::Locks,
    own_files,
    place::TREE,
    recovery::{LiveTree, bring, live_tree, place, tidy, workspace},
    settle::command_ended,
};
use crate::streamed;

/// What is known of a component when its old tree is about to return.
#[derive(Debug)]
enum Standing {
    /// It was not stopped by us, and is not ours to start.
    NotOurs,
    /// It runs, from the old tree.
    Runs,
    /// It has been stopped.
    Stopped,
    /// Nobody knows, for this reason.
    Unknown(String),
}

impl Applier {
    /// Puts the old tree back where it is not, and notes why. Says what could not be made good.
    pub(super) async fn undo(
        &self,
        id: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<String>, ApplyError> {
        let Some(entry) = self.journal.entry(id).await? else {
            return Ok(None);
        };
        if entry.state.is_final() {
            return Ok(None);
        }
        if entry.owes_start || live_tree(&self.disk, &entry)? == LiveTree::New {
            // Whatever the journal says, putting the old tree back is right: a full disk is no reason to
            // leave a component stopped.
            if let Err(error) = self.journal.state(id, State::Undoing).await {
                tracing::warn!(application = id, %error, "that it is being undone could not be noted");
            }
        }
        let trouble = self.restore(&entry).await?;
        let mut reason = with(reason, trouble.as_deref());
        if entry.one_way && entry.owes_start {
            reason.push_str("; its vendor says that the old version may not cope with what the new one has written: look whether it does");
        }
        self.journal
            .end(id, State::Failed, Some(&reason), now)
            .await?;
        tidy(&self.disk, &entry);
        Ok(trouble)
    }

    /// Brings the old tree into its place and has the component run if it ran before. Says what could
    /// not be made good; the tree is in its place then, too.
    async fn restore(&self, entry: &Entry) -> Result<Option<String>, ApplyError> {
        let component = &entry.application.component;
        let standing = self.halt(entry, live_tree(&self.disk, entry)?).await?;
        bring(&self.disk, entry, LiveTree::Old, self.exchange)?;
        let trouble = match standing {
            Standing::NotOurs | Standing::Runs => None,
            Standing::Unknown(reason) => Some(format!(
                "whether {component} runs is not known: {reason}; look, and restart it"
            )),
            Standing::Stopped => {
                let started = self.order(entry, Command::Start).await;
                let words = |error| {
                    format!("{component} could not be started again: {error}; start it by hand")
                };
                started.err().map(words)
            }
        };
        if trouble.is_some() {
            tracing::error!(
                application = entry.application.id,
                "what was stopped for it does not run again; \"history\" says why"
            );
        }
        Ok(trouble)
    }

    /// Stops the component where it is ours to start again, unless it runs from the old tree.
    async fn halt(&self, entry: &Entry, live: LiveTree) -> Result<Standing, ApplyError> {
        let component = &entry.application.component;
        if !entry.owes_start {
            return Ok(Standing::NotOurs);
        }
        // An order to stop that goes on would stop what is about to be found running.
        if !command_ended(entry, Command::Stop).await? {
            return Err(ApplyError::CommandGoesOn {
                component: component.clone(),
            });
        }
        let runs = self.control.is_running(component).await;
        let runs = runs.unwrap_or_else(|error| {
            tracing::warn!(component, %error, "nobody can say whether it runs");
            None
        });
        Ok(match (runs, live) {
            (Some(true), LiveTree::Old) => Standing::Runs,
            (Some(false), _) => Standing::Stopped,
            // Stopped once too often is better than started twice.
            _ => match self.order(entry, Command::Stop).await {
                Ok(()) => Standing::Stopped,
                Err(error) => Standing::Unknown(format!("it could not be stopped: {error}")),
            },
        })
    }

    /// Takes an application back: the old tree returns, with the run-time data as it is now.
    ///
    /// Needs neither the feed nor the plugin nor the component. Files of the correction that were
    /// changed since are lost with the new tree, so that wants a word. A component that was stopped
    /// for the application is stopped and started for this, too.
    #[tracing::instrument(name = "rollback", skip_all, fields(application = id))]
    pub async fn roll_back(
        &self,
        id: &str,
        overwrite: bool,
        reason: &str,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Application, ApplyError> {
        let entry = self.known(id).await?;
        let own = std::iter::once(entry.folder.as_path());
        let locks = Locks::take(&self.disk, own, &self.folders)?;
        self.settle_around(&locks, now).await?;
        // Once more under the lock: somebody may have been faster.
        let entry = self.known(id).await?;
        tokio::task::block_in_place(|| may_go_back(&self.disk, &entry, overwrite))?;
        let entry = self.begin_to_go_back(entry).await?;
        if entry.panel
            && entry.owes_start
            && let Some(lock) = locks.of(&entry.folder)
        {
            let end = match self.hand_over(&entry, lock, progress).await {
                Err(error) => return Err(self.stay(&entry, error).await),
                end => end?,
            };
            return match end.state {
                State::RolledBack => self.one(id).await,
                _ => Err(ApplyError::Undone {
                    component: end.application.component,
                    reason: "the panel could not be stopped".to_owned(),
                }),
            };
        }
        self.finish_going_back(&entry, reason, now, progress).await
    }

    /// Notes that the old tree is about to return, and whether the component is to run then.
    async fn begin_to_go_back(&self, entry: Entry) -> Result<Entry, ApplyError> {
        let (id, component) = (&entry.application.id, &entry.application.component);
        let runs = if entry.restarts && self.control.can_restart(component) {
            let runs = self.control.is_running(component).await;
            runs.map_err(|error| control(component, "asked whether it runs", error))?
                .unwrap_or(true)
        } else {
            false
        };
        self.journal.stopping(id, State::RollingBack, runs).await?;
        self.steps.reached(Step::RollingBack)?;
        Ok(Entry {
            state: State::RollingBack,
            owes_start: runs,
            ..entry
        })
    }

    /// Notes that the new tree stays where it is, as what should have taken it back did not. Gives why.
    async fn stay(&self, entry: &Entry, error: ApplyError) -> ApplyError {
        let id = &entry.application.id;
        let stays = async {
            let now = self.known(id).await?;
            if now.state == State::RollingBack && live_tree(&self.disk, &now)? == LiveTree::New {
                self.journal.state(id, State::Committed).await?;
            }
            Ok::<(), ApplyError>(())
        };
        if let Err(problem) = stays.await {
            tracing::warn!(application = id, %problem, "recovery will have to look at it");
        }
        error
    }

    /// Stops the component, puts the old tree back, and starts it.
    pub(super) async fn finish_going_back(
        &self,
        entry: &Entry,
        reason: &str,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Application, ApplyError> {
        let id = &entry.application.id;
        if entry.owes_start {
            progress.step(State::Stopped.word());
            self.stop_or_stay(entry).await?;
            self.steps.reached(Step::Stopped)?;
        }
        let trouble = match self.put_back(entry, reason, now, progress).await {
            Err(error @ ApplyError::Interrupted(_)) => return Err(error),
            // Half-way the run-time data may be in the wrong tree. Once more, as after a crash; what
            // fails again waits for recovery, and the journal says that it is under way.
            Err(error) => {
                tracing::warn!(application = id, %error, "taking back failed, and is tried once more");
                self.put_back_after_all(entry, reason, now).await?
            }
            Ok(trouble) => trouble,
        };
        progress.step(State::RolledBack.word());
        match trouble {
            Some(trouble) => Err(ApplyError::NotRunningBack {
                id: id.clone(),
                trouble,
            }),
            None => self.one(id).await,
        }
    }

    /// Exchanges the trees and starts the component. Says what could not be made good.
    async fn put_back(
        &self,
        entry: &Entry,
        reason: &str,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Option<String>, ApplyError> {
        let (id, component) = (&entry.application.id, &entry.application.component);
        progress.step(State::RollingBack.word());
        let place = workspace(&self.disk, entry)?;
        exchange::exchange(self.exchange, &place, &*self.steps)?;
        self.steps.reached(Step::Exchanged)?;
        carry(&place, &entry.keep)?;
        self.steps.reached(Step::Carried)?;
        let mut trouble = None;
        if entry.owes_start {
            progress.step(State::Started.word());
            let started = self.order(entry, Command::Start).await;
            let words = |error| format!("{component} could not be started: {error}");
            trouble = started.err().map(words);
        }
        let reason = with(reason, trouble.as_deref());
        self.journal
            .end(id, State::RolledBack, Some(&reason), now)
            .await?;
        self.steps.reached(Step::RolledBack)?;
        self.drop_payload(entry);
        Ok(trouble)
    }

    /// Brings the old tree back from wherever taking back has come to, and notes it. Says what could
    /// not be made good.
    pub(super) async fn put_back_after_all(
        &self,
        entry: &Entry,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<String>, ApplyError> {
        let trouble = self.restore(entry).await?;
        let reason = with(reason, trouble.as_deref());
        self.journal
            .end(&entry.application.id, State::RolledBack, Some(&reason), now)
            .await?;
        // The new tree stays for a while, as an old one does: the component may have written to it.
        self.drop_payload(entry);
        Ok(trouble)
    }

    /// Stops a component that is to go back. One that cannot be stopped keeps its new tree.
    async fn stop_or_stay(&self, entry: &Entry) -> Result<(), ApplyError> {
        let (id, component) = (&entry.application.id, &entry.application.component);
        let Err(error) = self.order(entry, Command::Stop).await else {
            return Ok(());
        };
        // The journal comes last: until it says that this is over, recovery looks after the component.
        let started = match self.control.is_running(component).await {
            Ok(Some(false)) => self.order(entry, Command::Start).await,
            _ => Ok(()),
        };
        self.journal.state(id, State::Committed).await?;
        started.map_err(|error| control(component, "started", error))?;
        Err(control(component, "stopped", error))
    }

    /// What the journal has under this name.
    pub(super) async fn known(&self, id: &str) -> Result<Entry, ApplyError> {
        let entry = self.journal.entry(id).await?;
        entry.ok_or_else(|| irreversible(id, "the journal does not have it"))
    }
}

/// Whether an application can be taken back now.
fn may_go_back(disk: &Disk, entry: &Entry, overwrite: bool) -> Result<(), ApplyError> {
    let irreversible = |reason: &str| Err(irreversible(&entry.application.id, reason));
    if entry.state != State::Committed {
        return irreversible(&format!("it is {}", entry.state.word()));
    }
    if !entry.workspace.join(TREE).is_dir() {
        return irreversible("its old tree is no longer kept");
    }
    match live_tree(disk, entry) {
        Ok(LiveTree::New) => {}
        Ok(LiveTree::Old) | Err(ApplyError::Stranger { .. }) => {
            return irreversible("the component's folder was replaced since");
        }
        Err(error) => return Err(error),
    }
    if entry.one_way && !overwrite {
        return irreversible(
            "its vendor says that the old version may not cope with what the new one has written; say so to go on",
        );
    }
    let mut changed = changed_since(entry)?;
    if let Some(place) = place(disk, entry)? {
        changed.extend(own_files::written_since(&place, entry)?);
    }
    if !changed.is_empty() && !overwrite {
        return irreversible(&format!(
            "these files were changed since and would be lost: {}; say so to go on",
            changed.join(", ")
        ));
    }
    Ok(())
}

/// Files of the correction that are no longer as it left them.
fn changed_since(entry: &Entry) -> Result<Vec<String>, ApplyError> {
    let mut changed = Vec::new();
    for (path, after) in &entry.changes {
        let file: PathBuf = entry.folder.join(path);
        let there = if file.is_file() {
            Some(streamed::digest(&file).doing("read", &file)?)
        } else {
            None
        };
        if there != *after {
            changed.push(path.clone());
        }
    }
    Ok(changed)
}

fn irreversible(id: &str, reason: &str) -> ApplyError {
    ApplyError::Irreversible {
        id: id.to_owned(),
        reason: reason.to_owned(),
    }
}

/// A reason, and what could not be made good.
fn with(reason: &str, trouble: Option<&str>) -> String {
    match trouble {
        Some(trouble) => format!("{reason}; and then: {trouble}"),
        None => reason.to_owned(),
    }
}
