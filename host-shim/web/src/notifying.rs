//! Tells whom it concerns what happens, as long as the pages are served: each minute, and as soon as
//! something happened here.

use std::time::Duration;

use jiff::Timestamp;
use spacecp_notify::{Notifications, NotifyError};

/// How long nobody looks, where nothing happens: what is due then is told, and so is what other
/// processes of this panel did.
const LONGEST: Duration = Duration::from_mins(1);

/// Looks again and again. What fails is logged and shown in the report; the next look is not spared.
pub(super) async fn keep(notifications: Notifications) {
    if notifications.config().channels.is_empty() {
        return;
    }
    loop {
        match notifications.deliver(Timestamp::now()).await {
            Ok(report) => tracing::debug!(?report, "notifications processed"),
            Err(NotifyError::Busy) => {}
            Err(error) => tracing::error!(%error, "cannot process notifications"),
        }
        tokio::select! {
            () = tokio::time::sleep(LONGEST) => {}
            () = notifications.wait_for_event() => {}
        }
    }
}
