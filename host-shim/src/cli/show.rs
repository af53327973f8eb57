//! `sync`, `list`, `show`, `history`: what the pages show, on a terminal.

use jiff::Timestamp;
use spacecp_contract::DocumentId;

use super::{CommandError, Ending, Output};
use crate::{
    plugin::bindings::exports::spacecp::advisories::pages::{Place, Request},
    render::{json, terminal},
    shim::Shim,
    sync::SyncReport,
};

/// Applications that `history --json` prints.
const HISTORY: u32 = 1_000;

pub(super) async fn sync(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    report(&shim.sync().await?, out)
}

/// What a sync or an import found.
pub(super) fn report(report: &SyncReport, out: &Output) -> Result<Ending, CommandError> {
    if out.json {
        out.value(report)?;
        return Ok(Ending::Well);
    }
    if report.changed {
        out.line(&format!(
            "Sequence {}: {} documents received.",
            report.sequence,
            report.accepted.len()
        ))?;
        for (id, revision) in &report.accepted {
            out.line(&format!("  {id} revision {revision}"))?;
        }
    } else {
        out.line(&format!(
            "Nothing new; the feed is at sequence {}.",
            report.sequence
        ))?;
    }
    out.line(&format!(
        "Good until {}.",
        report.valid_until.strftime("%Y-%m-%d %H:%M UTC")
    ))?;
    Ok(Ending::Well)
}

pub(super) async fn list(
    shim: &Shim,
    search: Option<&str>,
    out: &Output,
) -> Result<Ending, CommandError> {
    page(shim, Place::Advisories, search, out).await
}

pub(super) async fn advisory(shim: &Shim, id: &str, out: &Output) -> Result<Ending, CommandError> {
    // What is no id is no advisory's, and the page says so.
    if let Ok(id) = DocumentId::new(id) {
        shim.look_for(&id).await?;
    }
    page(shim, Place::Advisory(id.to_owned()), None, out).await
}

pub(super) async fn history(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    // Without the plugin, which may be what has to be taken back.
    let history = shim.history(HISTORY).await?;
    if out.json {
        out.value(&history)?;
        return Ok(Ending::Well);
    }
    if history.is_empty() {
        out.line("No correction has been applied here yet.")?;
    }
    for application in history {
        let outcome = serde_json::to_value(application.outcome).ok();
        let outcome = outcome
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let when = application
            .ended
            .unwrap_or(application.began)
            .strftime("%Y-%m-%d %H:%M UTC");
        let reversible = if application.reversible {
            "  (can be rolled back)"
        } else {
            ""
        };
        out.line(&format!(
            "{}  {when}  {}  {} → {}  {outcome}, by {}{reversible}",
            application.id, application.component, application.from, application.to, application.by
        ))?;
        if let Some(reason) = &application.reason {
            out.line(&format!("    {reason}"))?;
        }
    }
    Ok(Ending::Well)
}

async fn page(
    shim: &Shim,
    place: Place,
    search: Option<&str>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let request = Request {
        place,
        search: search.map(str::to_owned),
        now: Timestamp::now().as_second(),
        may_act: true,
    };
    let page = shim.page(&request).await?;
    if out.json {
        if page.embargo {
            return Err(CommandError::Refused(
                "something on this page is under embargo, so it is not given out as JSON"
                    .to_owned(),
            ));
        }
        out.value(&json::page(&page))?;
    } else {
        out.text(&terminal::page(&page, out.terminal()))?;
    }
    Ok(Ending::Well)
}
