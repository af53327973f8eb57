//! The panel's own restart: who stops the panel is stopped with it, so another process goes on.
//!
//! What has been prepared is handed over together with the component's lock. The watchdog needs the
//! journal and the configuration, and neither feed nor plugin. If it is killed, the lock is free, and
//! recovery undoes as after any other crash.

use std::{fs::File, time::Duration};

use jiff::Timestamp;
use tokio::time::sleep;

use super::{
    Application, Applier, ApplyError, Progress,
    journal::{Entry, State},
    lock::Lock,
    record::Acting,
    recovery::{LiveTree, live_tree},
};
use crate::inventory::Inventory;

/// How often whoever has handed over looks at the journal.
const PAUSE: Duration = Duration::from_millis(100);

impl Applier {
    /// Hands an application over and waits for its end, if this process sees it.
    pub(super) async fn hand_over(
        &self,
        entry: &Entry,
        lock: &Lock,
        progress: &dyn Progress,
    ) -> Result<Entry, ApplyError> {
        let id = &entry.application.id;
        let failed = |reason: String| ApplyError::Watchdog {
            component: entry.application.component.clone(),
            reason,
        };
        let watchdog = self.watchdog.as_ref();
        let watchdog = watchdog.ok_or_else(|| failed("not configured".to_owned()))?;
        let shelter = self.control.shelter(&entry.application.component);
        let started = watchdog.start(id, lock.share()?, &shelter).await;
        let mut child = started.map_err(|error| failed(error.to_string()))?;
        let mut seen = entry.state;
        loop {
            // In this order: what it wrote before it ended is seen.
            let ended = child.try_wait().ok().flatten();
            let now = match self.known(id).await {
                Ok(now) => now,
                // As long as the other process is at it, this one must not be.
                Err(error) if ended.is_none() => {
                    tracing::warn!(
                        application = id,
                        error = error.for_log(),
                        "cannot read the journal now; retrying"
                    );
                    sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if now.state != seen {
                seen = now.state;
                progress.step(seen.word());
            }
            if now.state.is_final() {
                return Ok(now);
            }
            if let Some(status) = ended {
                return Err(failed(format!("ended with {status}")));
            }
            sleep(PAUSE).await;
        }
    }

    /// What the watchdog does: goes on with what was handed over, to the end.
    ///
    /// `lock` is the component's lock, as it was inherited; `ready` is called once it is certain that
    /// nobody else holds it.
    #[tracing::instrument(name = "watch", skip_all, fields(application = id))]
    pub async fn take_over(
        &self,
        id: &str,
        lock: File,
        inventory: &Inventory,
        now: Timestamp,
        ready: impl FnOnce(),
    ) -> Result<Application, ApplyError> {
        let folder = self.known(id).await?.folder;
        let _lock = Lock::inherited(lock, &self.workspaces(), &folder)?;
        let entry = self.known(id).await?;
        match entry.state {
            State::Verified => {
                ready();
                self.go_on(&entry, inventory, now).await
            }
            State::RollingBack if live_tree(&self.disk, &entry)? == LiveTree::New => {
                ready();
                self.finish_going_back(&entry, "rolled back", now, &())
                    .await
            }
            other if other.is_final() => Err(ApplyError::Irreversible {
                id: id.to_owned(),
                reason: format!("cannot continue in state \"{}\"", other.word()),
            }),
            // It was cut off somewhere between.
            _ => {
                ready();
                let recovering = self.acting(Acting::Recovery);
                recovering.settle_here(&entry, now).await?;
                self.one(id).await
            }
        }
    }

    async fn go_on(
        &self,
        entry: &Entry,
        inventory: &Inventory,
        now: Timestamp,
    ) -> Result<Application, ApplyError> {
        let id = &entry.application.id;
        let name = &entry.application.component;
        let brought_in = match inventory.component(name) {
            Some(component) => self.bring_in(entry, component, None, &()).await,
            None => Err(ApplyError::NotApplicable {
                correction: entry.application.correction.to_string(),
                component: name.clone(),
                reason: "it is no longer configured".to_owned(),
            }),
        };
        let committed = match brought_in {
            Ok(()) => self.journal.commit(&entry.plan, now).await,
            Err(error) => Err(error),
        };
        match committed {
            Ok(()) => {
                self.drop_payload(entry);
                self.one(id).await
            }
            // As after a crash: recovery decides.
            Err(error @ ApplyError::Interrupted(_)) => Err(error),
            Err(cause) => match self.undo(id, &cause.to_string(), now).await? {
                None => Err(cause),
                Some(trouble) => Err(ApplyError::NotRunning {
                    cause: Box::new(cause),
                    trouble,
                }),
            },
        }
    }
}
