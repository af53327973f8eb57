//! Tells whom it concerns what happens, as long as the pages are served: each minute, and as soon as
//! something happened here.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use spacecp_notify::NotifyError;
use spacecp_panel::shim::{Shim, ShimError};

/// How long nobody looks, where nothing happens: what is due then is told, and so is what other
/// processes of this panel did.
const LONGEST: Duration = Duration::from_mins(1);

/// Looks again and again. What fails is logged and shown in the report; the next look is not spared.
pub(super) async fn keep(shim: Arc<Shim>) {
    if shim.config().notify.channels.is_empty() {
        return;
    }
    loop {
        match shim.notify(Timestamp::now()).await {
            Ok(report) => tracing::debug!(?report, "notifications processed"),
            Err(ShimError::Notify(NotifyError::Busy)) => {}
            Err(error) => tracing::error!(%error, "cannot process notifications"),
        }
        tokio::select! {
            () = tokio::time::sleep(LONGEST) => {}
            () = shim.stirred() => {}
        }
    }
}
