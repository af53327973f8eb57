//! Recovery: what was cut off is finished or undone.
//!
//! It needs neither the feed nor the plugin nor the component, and is safe to repeat. What somebody is
//! working on is left to them: only whoever has the component's lock settles anything.

use std::{ffi::OsStr, time::Duration};

use jiff::Timestamp;

use super::{
    Application, Applier, ApplyError,
    applied::described,
    error::Doing,
    forward::Command,
    journal::{Entry, State},
    lock::{Lock, Locks},
    record::Acting,
    recovery::{LiveTree, live_tree, place},
};
use crate::control::InheritedLock;

/// How long recovery waits for a command that the process before it had begun.
const LAST_COMMAND: Duration = Duration::from_mins(2);

impl Applier {
    /// Finishes or undoes whatever was cut off. To be called before anything else is applied.
    ///
    /// What another process is at right now is left to it. Says what came of everything that was
    /// cut off.
    #[tracing::instrument(name = "recover", skip_all)]
    pub async fn recover(&self, now: Timestamp) -> Result<Vec<Application>, ApplyError> {
        let recovered = self.settle_all(now).await?;
        if let Err(error) = self.sweep().await {
            tracing::warn!(
                error = error.for_log(),
                "cannot remove leftovers of apply runs"
            );
        }
        Ok(recovered)
    }

    /// Finishes or undoes whatever was cut off and is not being worked on. To be called now and then, too:
    /// what could not be settled may be by now, and another process may have been killed. What is still under way
    /// has a reason where that is why, and none where another process is at it.
    pub async fn settle_all(&self, now: Timestamp) -> Result<Vec<Application>, ApplyError> {
        self.journal.copy().await;
        let mut settled = Vec::new();
        let recovering = self.acting(Acting::Recovery);
        for entry in self.journal.unfinished().await? {
            let (id, folder) = (&entry.application.id, &entry.folder);
            match recovering.settle(id, folder, now).await {
                Ok(()) => settled.push(self.one(id).await?),
                Err(error @ ApplyError::Interrupted(_)) => return Err(error),
                // One disk that is gone must not keep the panel from its other components; the
                // journal goes on saying that this one is under way, so nothing is applied to it.
                Err(error) => {
                    tracing::error!(
                        application = id,
                        error = error.for_log(),
                        "cannot complete or roll back an interrupted apply run yet"
                    );
                    // No run that is under way has a reason, but for this one.
                    settled.push(Application {
                        reason: Some(format!(
                            "it can neither be finished nor undone yet: {error}"
                        )),
                        ..described(entry)
                    });
                }
            }
        }
        Ok(settled)
    }

    async fn settle(
        &self,
        id: &str,
        folder: &std::path::Path,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let own = std::iter::once(folder);
        let locks = match Locks::take(&self.workspaces(), own, &self.folders) {
            Err(ApplyError::Busy { .. }) => return Ok(()),
            locks => locks?,
        };
        // Under the lock it is as it stays: whoever was at it may just have ended.
        let entry = self.known(id).await?;
        match locks.of(folder) {
            Some(lock) if !entry.state.is_final() => self.settle_locked(&entry, lock, now).await,
            _ => Ok(()),
        }
    }

    /// Finishes or undoes what was cut off at components whose locks are held, and at those around them
    /// and in them: since the locks are, nobody is at it any more.
    pub(super) async fn settle_around(
        &self,
        locks: &Locks,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        self.journal.copy().await;
        let recovering = self.acting(Acting::Recovery);
        for entry in self.journal.unfinished().await? {
            match locks.of(&entry.folder) {
                Some(lock) => recovering.settle_locked(&entry, lock, now).await?,
                // A component that is no longer configured.
                None if locks.reach(&entry.folder) => {
                    let lock = Lock::take(&self.workspaces(), &entry.folder)?;
                    recovering.settle_locked(&entry, &lock, now).await?;
                }
                None => {}
            }
        }
        Ok(())
    }

    async fn settle_locked(
        &self,
        entry: &Entry,
        lock: &Lock,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        if entry.panel && entry.owes_start && !self.runs_as_before(entry).await? {
            // Whoever stops the panel may be in it, and would be stopped before the end.
            tracing::warn!(
                application = entry.application.id,
                "apply run that stops the panel was interrupted; handed to the detached helper"
            );
            return self.hand_over(entry, lock, &()).await.map(drop);
        }
        self.settle_here(entry, now).await
    }

    /// Whether the component runs, from the old tree.
    async fn runs_as_before(&self, entry: &Entry) -> Result<bool, ApplyError> {
        let runs = self
            .control
            .is_running(&entry.application.component)
            .await
            .unwrap_or(None);
        Ok(runs == Some(true) && live_tree(&self.disk, entry)? == LiveTree::Old)
    }

    /// Finishes or undoes what was cut off, in this process.
    pub(super) async fn settle_here(
        &self,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), ApplyError> {
        let id = &entry.application.id;
        tracing::warn!(
            application = id,
            state = entry.state.word(),
            "recovering interrupted apply run"
        );
        self.refuse_outdated(entry)?;
        // A careless component holds on to what its start was given, for as long as it runs.
        if entry.owes_start && !self.command_ended(entry, Command::Start).await? {
            tracing::warn!(
                application = id,
                "start command of the component still running"
            );
        }
        if entry.state != State::RollingBack {
            // Nobody has seen the new version at work, and the old one is known to have worked.
            return self
                .undo(id, "interrupted; rolled back", now)
                .await
                .map(drop);
        }
        let reason = "interrupted; completed by recovery";
        self.put_back_after_all(entry, reason, now).await.map(drop)
    }

    /// A copy of the journal may end before the commit: only what it says was being taken back leaves its place.
    fn refuse_outdated(&self, entry: &Entry) -> Result<(), ApplyError> {
        let goes_back = matches!(entry.state, State::RollingBack | State::Undoing);
        if !self.journal.stands_in() || goes_back {
            return Ok(());
        }
        match live_tree(&self.disk, entry)? {
            LiveTree::Old => Ok(()),
            LiveTree::New => Err(ApplyError::MayBeCommitted {
                id: entry.application.id.clone(),
                component: entry.application.component.clone(),
            }),
        }
    }

    /// A process that is killed leaves the command that it waited for: it goes on, and what is found now
    /// may not be what is there when it has ended. Says whether it has, within a while.
    pub(super) async fn command_ended(
        &self,
        entry: &Entry,
        command: Command,
    ) -> Result<bool, ApplyError> {
        let name = OsStr::new(command.lock());
        let Some(place) = place(&self.disk, entry)? else {
            return Ok(true);
        };
        if place.workspace.look(name)?.is_none() {
            return Ok(true);
        }
        let file = place.workspace.open_lock(name)?;
        let released = InheritedLock::released(&file, LAST_COMMAND).await;
        released.doing("wait for the last holder of", place.workspace.path_of(name))
    }
}
