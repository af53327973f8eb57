//! `sync`, `list`, `show`, `history`: what the pages show, on a terminal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spacecp_contract::DocumentId;

use super::{
    CommandError, Ending, Output,
    filter_args::{Components, List, MinSeverity, SortBy, StatusFilter},
    redacted_output::{RedactedOutput, print_page},
    user::whoami,
};
use crate::{
    apply::Application,
    audit::{Entry, Recorded},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Listing, Order, Place, Request, Severity, Standing,
    },
    render::whole,
    services::Panel,
    sync::SyncReport,
};

/// Applications that `history --json` prints.
const HISTORY: u32 = 1_000;

/// Documents that a sync names to a person; a program is told all of them.
const MOST_NAMED: usize = 50;

pub(super) async fn sync(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    report(&panel.feed.sync().await?, out)
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
        for (id, revision) in report.accepted.iter().take(MOST_NAMED) {
            out.line(&format!("  {id} revision {revision}"))?;
        }
        if let more @ 1.. = report.accepted.len().saturating_sub(MOST_NAMED) {
            out.line(&format!("  and {more} more"))?;
        }
    } else {
        out.line(&format!(
            "No changes; the feed is at sequence {}.",
            report.sequence
        ))?;
    }
    out.line(&format!(
        "Valid until {}.",
        report.valid_until.strftime("%Y-%m-%d %H:%M UTC")
    ))?;
    Ok(Ending::Well)
}

pub(super) async fn list(
    panel: &Panel,
    asked: &List,
    out: &Output,
) -> Result<Ending, CommandError> {
    let listing = Listing {
        words: asked.search.join(" "),
        standing: asked.standing.map(standing),
        least_severity: asked.severity.map(|least| match least {
            MinSeverity::Low => Severity::Low,
            MinSeverity::Medium => Severity::Medium,
            MinSeverity::High => Severity::High,
            MinSeverity::Critical => Severity::Critical,
        }),
        known_exploited: asked.known_exploited,
        embargo: asked.embargo,
        order: match asked.order {
            SortBy::Urgency => Order::Urgency,
            SortBy::Severity => Order::Severity,
            SortBy::Changed => Order::Changed,
            SortBy::Published => Order::Published,
            SortBy::Name => Order::Name,
        },
        page: asked.page,
    };
    if !out.json {
        return page(panel, Place::Advisories, listing, out).await;
    }
    let redacted = RedactedOutput::of(panel, out).await;
    let (redactor, access) = (&redacted.redactor, redacted.access());
    let list = panel.exposure.advisory_list(&listing, redactor, access);
    out.redacted(&list.await?)?;
    Ok(Ending::Well)
}

pub(super) async fn components(
    panel: &Panel,
    asked: &Components,
    out: &Output,
) -> Result<Ending, CommandError> {
    let listing = Listing {
        words: asked.search.join(" "),
        standing: asked.standing.map(standing),
        page: asked.page,
        ..whole()
    };
    if !out.json {
        return page(panel, Place::Components, listing, out).await;
    }
    let redacted = RedactedOutput::of(panel, out).await;
    let (redactor, access) = (&redacted.redactor, redacted.access());
    let list = panel.exposure.component_list(&listing, redactor, access);
    out.redacted(&list.await?)?;
    Ok(Ending::Well)
}

fn standing(stands: StatusFilter) -> Standing {
    match stands {
        StatusFilter::Exposed => Standing::Exposed,
        StatusFilter::Undecided => Standing::Undecided,
        StatusFilter::Clear => Standing::Clear,
        StatusFilter::Unrelated => Standing::Unrelated,
        StatusFilter::Notice => Standing::Notice,
    }
}

pub(super) async fn advisory(
    panel: &Panel,
    id: &str,
    out: &Output,
) -> Result<Ending, CommandError> {
    // What is no id is no advisory's, and the page says so.
    if let Ok(id) = DocumentId::new(id) {
        panel.feed.look_for(&id).await?;
    }
    if out.json {
        let redacted = RedactedOutput::of(panel, out).await;
        let (redactor, access) = (&redacted.redactor, redacted.access());
        let detail = panel.exposure.advisory_detail(id, redactor, access);
        out.redacted(&detail.await?)?;
        return Ok(Ending::Well);
    }
    let request = request(Place::Advisory(id.to_owned()), whole());
    let page = panel.exposure.advisory_page(&whoami(), &request).await?;
    print_page(&page, out)
}

pub(super) async fn history(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    // Without the plugin, which may be what has to be taken back.
    let history = panel.corrections.history(HISTORY).await?;
    let recorded = recorded(panel).await?;
    let redacted = RedactedOutput::of(panel, out).await;
    if out.json {
        let with_audit = |application: &Application| WithAudit {
            application: application.clone(),
            audit: recorded.get(&application.id).cloned().unwrap_or_default(),
        };
        let all: Vec<_> = history.iter().map(with_audit).collect();
        redacted.value(&all).await?;
        return Ok(Ending::Well);
    }
    redacted.mark(&history)?;
    if history.is_empty() {
        out.line("No corrections have been applied yet.")?;
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
        for entry in recorded.get(&application.id).into_iter().flatten() {
            out.line(&format!("    {}", audited(entry)))?;
        }
    }
    Ok(Ending::Well)
}

/// An application with what the audit log has of it.
#[derive(serde::Serialize)]
struct WithAudit {
    #[serde(flatten)]
    application: Application,
    audit: Vec<Entry>,
}

/// The entries of the audit log that are about applications, by application, the oldest first.
async fn recorded(panel: &Panel) -> Result<BTreeMap<String, Vec<Entry>>, CommandError> {
    let mut recorded: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    // As many as the applications that are printed may have: each ends, and may be taken back.
    for Recorded { entry, .. } in panel.trust.audit(2 * HISTORY as usize).await?.newest {
        if let Some(application) = entry.event.application.clone() {
            recorded.entry(application).or_default().insert(0, entry);
        }
    }
    Ok(recorded)
}

/// What the audit log has, in a line.
fn audited(entry: &Entry) -> String {
    let event = &entry.event;
    let keys = match event.keys.as_slice() {
        [] => "no key recorded".to_owned(),
        keys => format!("signed by {}", keys.join(" ")),
    };
    let (from, to) = (event.from.as_deref(), event.to.as_deref());
    format!(
        "audit {}: {} by {}, {} → {}, {keys}",
        entry.number,
        event.what.as_str(),
        event.who,
        from.unwrap_or("?"),
        to.unwrap_or("?"),
    )
}

async fn page(
    panel: &Panel,
    place: Place,
    listing: Listing,
    out: &Output,
) -> Result<Ending, CommandError> {
    print_page(&panel.exposure.page(&request(place, listing)).await?, out)
}

/// Whoever has this panel's state may act here.
fn request(place: Place, listing: Listing) -> Request {
    Request {
        place,
        listing,
        now: Timestamp::now().as_second(),
        may_act: true,
    }
}
