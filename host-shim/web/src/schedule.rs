//! Runs automatic application whenever it is time for it, and puts right what other processes left cut
//! off, as long as the pages are served.

use std::time::Duration;

use jiff::Timestamp;
use spacecp_services::{
    Panel, ServiceError,
    automation::{AutomationError, Clock, SystemClock, Wake},
};
use tokio::task::JoinHandle;

/// The longest sleep. What is due is asked for anew after it: the clock may have been set, and the
/// policy changed by another process.
const LONGEST: Duration = Duration::from_mins(1);

/// How long a correction that is being applied may take to its end when the panel closes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Lets what is being applied come to its end, and begins nothing more. What takes too long is
/// recovered at the next start, as after a crash.
pub(super) async fn end(panel: &Panel, mut scheduling: JoinHandle<()>) {
    panel.automation.close();
    // What was begun on a page goes on when whoever began it has closed the browser.
    let ended = async {
        let scheduled = (&mut scheduling).await;
        panel.corrections.at_rest().await;
        scheduled
    };
    if tokio::time::timeout(PATIENCE, ended).await.is_err() {
        tracing::warn!("shutting down during an apply run; it is recovered on the next start");
        scheduling.abort();
    }
}

/// Looks again and again. A failure is logged and shown on the page; the next look is not spared.
pub(super) async fn keep(panel: Panel) {
    while !panel.automation.is_closing() {
        // A command line that was killed in the middle of an application leaves it to us.
        if let Err(error) = panel.corrections.reconcile(SystemClock.now()).await {
            tracing::error!(
                error = error.for_log(),
                "recovery of interrupted apply runs failed"
            );
        }
        if let Err(error) = panel.automation.apply_scheduled(&SystemClock).await {
            tracing::error!(error = error.for_log(), "scheduled corrections failed");
        }
        // A panel without its plugin says so elsewhere, and its record waits.
        if let Err(error) = panel.exposure.note_exposures(SystemClock.now()).await {
            tracing::debug!(
                error = error.for_log(),
                "cannot update the exposure history"
            );
        }
        let pause = match panel.automation.run_if_due(&SystemClock).await {
            Ok((Wake::At(next), _)) => until(next),
            Ok((Wake::Never | Wake::Now { .. }, _)) => LONGEST,
            Err(ServiceError::Automation(AutomationError::Busy)) => LONGEST,
            Err(error) => {
                tracing::error!(error = error.for_log(), "automatic application failed");
                LONGEST
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = panel.automation.closed() => return,
        }
    }
}

fn until(next: Timestamp) -> Duration {
    let left = next.duration_since(SystemClock.now());
    // In the past means that it is time.
    Duration::try_from(left).unwrap_or_default().min(LONGEST)
}
