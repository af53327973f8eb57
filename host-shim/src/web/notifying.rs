//! Tells whom it concerns what happens, as long as the pages are served: each minute, and as soon as
//! something happened here.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    notify::NotifyError,
    shim::{Shim, ShimError},
};

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
            Ok(told) => tracing::debug!(?told, "notifications were looked after"),
            Err(ShimError::Notify(NotifyError::Busy)) => {}
            Err(error) => tracing::error!(%error, "notifications could not be looked after"),
        }
        tokio::select! {
            () = tokio::time::sleep(LONGEST) => {}
            () = shim.stirred() => {}
        }
    }
}
