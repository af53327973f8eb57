//! `watch` and `recover`: what has to work when the panel, its feed and its plugin do not.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::{CommandError, Ending, Output, telling::Telling};
use crate::{config::Config, control::READY, inventory::Inventory, shim};

/// Goes on with what the panel has handed over, while it is stopped.
pub(super) async fn watch(config: &Config, application: &str) -> Result<Ending, CommandError> {
    // The lock first: nothing that follows may take it for input.
    let lock = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Whoever ends the panel's session or terminal does not mean this.
    rustix::process::setsid().map_err(|error| {
        CommandError::Usage(format!("the panel starts this, not a person: {error}"))
    })?;
    let (_terminate, _hang_up) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    );
    let applier = shim::applier(config).await?;
    let inventory = Inventory::read(&config.components);
    let ready = || {
        // Without a panel to hear it this one goes on all the same.
        let _ = writeln!(io::stdout(), "{READY}").and_then(|()| io::stdout().flush());
    };
    let now = Timestamp::now();
    let ended = applier.take_over(application, lock, &inventory, now, ready);
    let application = ended.await.map_err(crate::shim::ShimError::from)?;
    tracing::info!(application = application.id, outcome = ?application.outcome, "it has come to its end");
    Ok(Ending::Well)
}

/// Finishes or undoes what was cut off.
pub(super) async fn recover(config: &Config, out: &Output) -> Result<Ending, CommandError> {
    let applier = shim::applier(config).await?;
    let recovered = applier.recover(Timestamp::now()).await;
    let recovered = recovered.map_err(crate::shim::ShimError::from)?;
    let telling = Telling::by(&shim::store(config).await?, out).await;
    if out.json {
        telling.value(&recovered).await?;
        return Ok(Ending::Well);
    }
    if recovered.is_empty() {
        out.line("Nothing was cut off.")?;
    }
    telling.mark(&recovered)?;
    for application in recovered {
        out.line(&format!(
            "{} of {}: {}.",
            application.id,
            application.component,
            application.reason.as_deref().unwrap_or("it goes on")
        ))?;
    }
    Ok(Ending::Well)
}
