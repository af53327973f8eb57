//! `watch` and `recover`: what has to work when the panel, its feed and its plugin do not.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
};

use jiff::Timestamp;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    CommandError, Ending, Output, redacted_output::RedactedOutput, signals::HeldOff, user::whoami,
};
use crate::{
    apply::{Application, Outcome},
    config::Config,
    control::READY,
    inventory::Inventory,
    services::{self, ServiceError},
    store::{Lost, Replaced},
};

/// Goes on with what the panel has handed over, while it is stopped.
pub(super) async fn watch(config: &Config, application: &str) -> Result<Ending, CommandError> {
    // The lock first: nothing that follows may take it for input.
    let lock = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Whoever ends the panel's session or terminal does not mean this.
    rustix::process::setsid().map_err(|error| {
        CommandError::Usage(format!("cannot start the watch process; \"watch\" is started by the panel, not by hand: {error}"))
    })?;
    let (_terminate, _hang_up) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    );
    let (applier, _) = services::applier(&config.services()).await?;
    let inventory = Inventory::read(&config.components);
    let ready = || {
        // Without a panel to hear it this one goes on all the same.
        let _ = writeln!(io::stdout(), "{READY}").and_then(|()| io::stdout().flush());
    };
    let now = Timestamp::now();
    let ended = applier.take_over(application, lock, &inventory, now, ready);
    // What this says goes to a log. The reason is in the journal.
    let application = ended
        .await
        .map_err(|error| CommandError::Failed(error.for_log()))?;
    tracing::info!(application = application.id, outcome = ?application.outcome, "apply run ended");
    Ok(Ending::Well)
}

/// Finishes or undoes what was cut off; before that, makes a new store where that is asked for.
pub(super) async fn recover(
    config: &Config,
    new_store: bool,
    out: &Output,
) -> Result<Ending, CommandError> {
    let replaced = if new_store {
        Some(services::replace_store(&config.services(), &whoami()).await?)
    } else {
        None
    };
    if let Some(replaced) = replaced.as_ref().filter(|_| !out.json) {
        out.line(&without(replaced))?;
    }
    let (applier, store) = services::applier(&config.services()).await?;
    let _goes_on = HeldOff::begin()?;
    let recovered = applier.recover(Timestamp::now()).await;
    let recovered = recovered.map_err(ServiceError::from)?;
    let is_stuck = |run: &Application| run.outcome == Outcome::InProgress && run.reason.is_some();
    let ending = if recovered.iter().any(is_stuck) {
        Ending::Failed
    } else {
        Ending::Well
    };
    let redacted = RedactedOutput::of_store(&store, out).await;
    if out.json {
        match &replaced {
            Some(replaced) => redacted.value(&Renewed::of(replaced, &recovered)).await?,
            None => redacted.value(&recovered).await?,
        }
        return Ok(ending);
    }
    if recovered.is_empty() {
        out.line("No interrupted apply runs.")?;
    }
    redacted.mark(&recovered)?;
    for application in recovered {
        out.line(&format!(
            "{} of {}: {}.",
            application.id,
            application.component,
            application.reason.as_deref().unwrap_or("completed")
        ))?;
    }
    Ok(ending)
}

/// What a program is told where a new store was made.
#[derive(Serialize)]
struct Renewed<'a> {
    /// Where what was there is kept.
    aside: String,
    /// What the new store begins without.
    lost: Vec<&'static str>,
    /// What became of interrupted apply runs.
    recovered: &'a [Application],
}

impl<'a> Renewed<'a> {
    fn of(replaced: &Replaced, recovered: &'a [Application]) -> Self {
        Self {
            aside: replaced.aside.display().to_string(),
            lost: replaced.lost.iter().map(|lost| lost.words()).collect(),
            recovered,
        }
    }
}

/// What a person is told where a new store was made.
fn without(replaced: &Replaced) -> String {
    let lost = &replaced.lost;
    let words: Vec<&str> = lost.iter().map(|lost| lost.words()).collect();
    let from = if lost.contains(&Lost::ApplyRuns) {
        "created empty, as there is no copy of the journal"
    } else {
        "created from the copy of the journal"
    };
    format!(
        "store.sqlite was {from}; the previous file is kept as {}.\n\
         Lost: {}. The audit log records this; \"audit verify --expect\" with a later head fails.",
        replaced.aside.display(),
        words.join(", ")
    )
}
