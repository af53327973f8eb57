//! Runs automatic application whenever it is time for it, and puts right what other processes left cut
//! off, as long as the pages are served.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use spacecp_panel::shim::{Shim, ShimError};
use spacecp_services::automation::{AutomationError, Clock, SystemClock, Wake};
use tokio::task::JoinHandle;

/// The longest sleep. What is due is asked for anew after it: the clock may have been set, and the
/// policy changed by another process.
const LONGEST: Duration = Duration::from_mins(1);

/// How long a correction that is being applied may take to its end when the panel closes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lets what is being applied come to its end, and begins nothing more. What takes too long is
/// recovered at the next start, as after a crash.
pub(super) async fn end(shim: &Shim, mut scheduling: JoinHandle<()>) {
    shim.close_automation();
    // What was begun on a page goes on when whoever began it has closed the browser.
    let ended = async {
        let scheduled = (&mut scheduling).await;
        shim.at_rest().await;
        scheduled
    };
    if tokio::time::timeout(PATIENCE, ended).await.is_err() {
        tracing::warn!("shutting down during an apply run; it is recovered on the next start");
        scheduling.abort();
    }
}

/// Looks again and again. A failure is logged and shown on the page; the next look is not spared.
pub(super) async fn keep(shim: Arc<Shim>) {
    while !shim.automation_closes() {
        // A command line that was killed in the middle of an application leaves it to us.
        if let Err(error) = shim.settle(SystemClock.now()).await {
            tracing::error!(
                error = error.for_log(),
                "recovery of interrupted apply runs failed"
            );
        }
        if let Err(error) = shim.keep_appointments(&SystemClock).await {
            tracing::error!(error = error.for_log(), "scheduled corrections failed");
        }
        // A panel without its plugin says so elsewhere, and its record waits.
        if let Err(error) = shim.note_exposures(SystemClock.now()).await {
            tracing::debug!(
                error = error.for_log(),
                "cannot update the exposure history"
            );
        }
        let pause = match shim.automate_if_due(&SystemClock).await {
            Ok((Wake::At(next), _)) => until(next),
            Ok((Wake::Never | Wake::Now { .. }, _)) => LONGEST,
            Err(ShimError::Automation(AutomationError::Busy)) => LONGEST,
            Err(error) => {
                tracing::error!(error = error.for_log(), "automatic application failed");
                LONGEST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shim.automation_closed() => return,
        }
    }
}

fn until(next: Timestamp) -> Duration {
    let left = next.duration_since(SystemClock.now());
    // In the past means that it is time.
    Duration::try_from(left).unwrap_or_default().min(LONGEST)
}
