//! The way back: undoing what failed, and taking back what was applied.
//!
//! Both put the old tree back and have the component run if it ran before. Neither needs the feed, the
//! plugin, or the component itself; everything is safe to repeat.

use std::path::Path;

use jiff::Timestamp;

use super::{
    Application, Applier, ApplyError, Progress, Step,
    applied::why_irreversible,
    carry::carry,
    disk::Disk,
    exchange,
    forward::{Command, control},
    journal::{Entry, State},
    last_seen, late_writes,
    lock::Locks,
    own_files,
    place::Place,
    plan::{Live, look_unless_leased},
    progress::steps_back,
    recovery::{LiveTree, bring, live_tree, place, workspace},
};

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
                tracing::warn!(
                    application = id,
                    error = error.for_log(),
                    "cannot record the rollback in the journal"
                );
            }
        }
        let trouble = self.restore(&entry).await?;
        let mut reason = with(reason, trouble.as_deref());
        if entry.one_way && entry.owes_start {
            reason.push_str("; the vendor states that the old version may be unable to read data written by the new one: check that it works");
        }
        self.journal
            .end(id, State::Failed, Some(&reason), now)
            .await?;
        self.tidy(&entry);
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
                "cannot tell whether {component} is running: {reason}. Check it, and restart it"
            )),
            Standing::Stopped => {
                let started = self.order(entry, Command::Start).await;
                let words =
                    |error| format!("cannot restart {component}: {error}. Start it by hand");
                started.err().map(words)
            }
        };
        if trouble.is_some() {
            tracing::error!(
                application = entry.application.id,
                "component not restarted after rollback; see \"history\""
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
        if !self.command_ended(entry, Command::Stop).await? {
            return Err(ApplyError::CommandGoesOn {
                component: component.clone(),
            });
        }
        let runs = self.control.is_running(component).await;
        let runs = runs.unwrap_or_else(|error| {
            let application = entry.application.id.as_str();
            tracing::warn!(
                application,
                error = error.for_log(),
                "cannot tell whether the component is running"
            );
            None
        });
        Ok(match (runs, live) {
            (Some(true), LiveTree::Old) => Standing::Runs,
            (Some(false), _) => Standing::Stopped,
            // Stopped once too often is better than started twice.
            _ => match self.order(entry, Command::Stop).await {
                Ok(()) => Standing::Stopped,
                Err(error) => Standing::Unknown(format!("cannot stop it: {error}")),
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
        let locks = Locks::take(&self.workspaces(), own, &self.folders)?;
        self.settle_around(&locks, now).await?;
        // Once more under the lock: somebody may have been faster.
        let entry = self.known(id).await?;
        let exchanged = tokio::task::block_in_place(|| may_go_back(&self.disk, &entry, overwrite))?;
        let entry = self.begin_to_go_back(entry, exchanged).await?;
        progress.steps(&steps_back(&entry));
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
    async fn begin_to_go_back(&self, entry: Entry, exchanged: i64) -> Result<Entry, ApplyError> {
        let (id, component) = (&entry.application.id, &entry.application.component);
        let runs = if entry.restarts && self.control.can_restart(component) {
            let runs = self.control.is_running(component).await;
            runs.map_err(|error| control(component, "checked", error))?
                .unwrap_or(true)
        } else {
            false
        };
        self.journal.rolling_back(id, runs, exchanged).await?;
        self.steps.reached(Step::RollingBack)?;
        Ok(Entry {
            state: State::RollingBack,
            owes_start: runs,
            exchanged: Some(exchanged),
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
            tracing::warn!(
                application = id,
                error = problem.for_log(),
                "left for recovery"
            );
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
                tracing::warn!(
                    application = id,
                    error = error.for_log(),
                    "rollback failed; retrying once"
                );
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
            let words = |error| format!("cannot start {component}: {error}");
            trouble = started.err().map(words);
        }
        let reason = with(reason, trouble.as_deref());
        self.journal
            .end(id, State::RolledBack, Some(&reason), now)
            .await?;
        self.steps.reached(Step::RolledBack)?;
        self.drop_payload(entry);
        // What was written after somebody looked what would be lost. What fails is tried again before
        // the tree goes.
        let rescued = tokio::task::block_in_place(|| late_writes::rescue(&place, entry));
        if let Err(error) = rescued {
            tracing::warn!(
                application = id,
                error = error.for_log(),
                "cannot preserve late writes yet"
            );
        }
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

    /// What the journal has under this name. Where that is a component's, nothing of it can be rolled back: then
    /// why not the newest.
    pub(super) async fn known(&self, id: &str) -> Result<Entry, ApplyError> {
        if let Some(entry) = self.journal.entry(id).await? {
            return Ok(entry);
        }
        let entries = self.journal.of_component(id).await?;
        let committed = entries
            .iter()
            .find(|entry| entry.state == State::Committed)
            .or(entries.first());
        Err(match committed {
            Some(entry) => irreversible(&entry.application.id, &why_irreversible(entry)),
            None => irreversible(id, "no such apply run in the journal"),
        })
    }
}

/// Whether an application can be taken back now. Gives the time of the file system before anybody looked
/// what would be lost: what is written from then on is set aside before its tree goes.
fn may_go_back(disk: &Disk, entry: &Entry, overwrite: bool) -> Result<i64, ApplyError> {
    let irreversible = |reason: &str| Err(irreversible(&entry.application.id, reason));
    if entry.state != State::Committed {
        return irreversible(&format!("it is {}", entry.state.word()));
    }
    let place = match place(disk, entry)? {
        Some(place) if place.has_other()? => place,
        _ => return irreversible(&why_irreversible(entry)),
    };
    match live_tree(disk, entry) {
        Ok(LiveTree::New) => {}
        Ok(LiveTree::Old) | Err(ApplyError::Stranger { .. }) => {
            return irreversible("the component's directory was replaced since");
        }
        Err(error) => return Err(error),
    }
    if entry.one_way && !overwrite {
        return irreversible(
            "the vendor states that the old version may be unable to read data written by the new one. Repeat with --overwrite to roll back anyway",
        );
    }
    let (began, stamps) = last_seen::look_at_live(&place, entry)?;
    let mut changed = changed_since(&place, entry)?;
    changed.extend(own_files::written_since(&place, entry)?);
    if !changed.is_empty() && !overwrite {
        return irreversible(&format!(
            "files modified since then would be lost: {}. Repeat with --overwrite to discard the changes",
            changed.join(", ")
        ));
    }
    last_seen::keep_stamps(&place, entry, stamps)?;
    Ok(began)
}

/// Files of the correction that are no longer as it left them. What is no regular file any more, lies
/// behind a link, or is held for writing by a lease, is one of them.
fn changed_since(place: &Place, entry: &Entry) -> Result<Vec<String>, ApplyError> {
    let live = place.live()?;
    let mut changed = Vec::new();
    for (path, after) in &entry.changes {
        let is_as_left = match (look_unless_leased(&live, Path::new(path))?, after) {
            (Live::File(there), Some(after)) => there == *after,
            (Live::Missing, None) => true,
            _ => false,
        };
        if !is_as_left {
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
        Some(trouble) => format!("{reason}; then: {trouble}"),
        None => reason.to_owned(),
    }
}
