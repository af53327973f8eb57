//! How the panel stands: components, verdicts, and the record of them.

use axum::{extract::State, response::Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Asked, Caller, List, Part, Problem, json};
use crate::{Badge, record::begin_of_day};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::exposure::Status as Answer;
use spacecp_services::{
    self as services, Decisions, Feed, KnownComponent, Question, Redacted, UnknownAdvisory,
    counted_status, decisions, mark_word, tokens::Scope,
};

/// Status of the panel.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Status {
    /// Components checked.
    components: u32,
    /// Components that are affected.
    exposed: u32,
    /// Those among them that are fixed, and of which an earlier version still runs.
    restart_pending: u32,
    /// Components whose status is unknown.
    undecided: u32,
    /// Paths that could not be scanned.
    unread: u32,
    /// Highest severity among the affected components, without embargoed advisories.
    worst: Option<String>,
    /// The feed.
    feed: FeedStatus,
}

/// Freshness of the data from the feed.
#[derive(Debug, Serialize, ToSchema)]
struct FeedStatus {
    /// Sequence of the feed; none before the first sync.
    sequence: Option<u64>,
    /// Time of the last successful sync.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_word: Option<Timestamp>,
    /// Expiry of the data.
    #[schema(value_type = Option<String>, format = DateTime)]
    valid_until: Option<Timestamp>,
    /// Whether the data has expired.
    stale: bool,
    /// Error of the last sync, if it failed.
    problem: Option<String>,
}

/// Status of the panel.
#[utoipa::path(get, path = "/api/v1/status", tag = "exposure", responses(
    (status = 200, body = Status), (status = "default", body = Problem)
))]
pub(super) async fn status(
    State(feed): State<Feed>,
    State(exposure): State<services::Exposure>,
    caller: Caller,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let now = Timestamp::now();
    let badge = Badge::of(&exposure, &feed, now).await?;
    let freshness = feed.freshness().await?;
    let report = exposure.report().await?;
    let index = feed.advisory_index().await?;
    Ok(json(index.redacted(Status {
        components: badge.components,
        exposed: badge.exposed,
        restart_pending: badge.restart_pending,
        undecided: badge.undecided,
        unread: badge.unread,
        // The worst of what may be spoken of: a severity is more than an id.
        worst: index.worst(&report).map(str::to_owned),
        feed: FeedStatus {
            sequence: freshness.sequence,
            last_word: freshness.last_word,
            valid_until: freshness.valid_until,
            stale: freshness.is_stale(now),
            problem: freshness.problem,
        },
    })))
}

/// An installed component.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Component {
    /// Its name on this panel.
    name: String,
    /// Name in advisories.
    advisory_name: String,
    /// Version scheme.
    scheme: String,
    /// Its version; none if it could not be read.
    version: Option<String>,
    /// Why the version could not be read.
    problem: Option<String>,
    /// Path where it was looked for.
    found_at: String,
    /// Whether corrections can be applied to it directly; a component found inside another is corrected with that.
    correctable: bool,
    /// What still runs of it from before it was changed.
    running: Option<Running>,
}

/// What still runs of a component from before it was changed.
#[derive(Debug, Serialize, ToSchema)]
struct Running {
    /// The processes.
    processes: Vec<Process>,
    /// Why it could not be decided whether there are others.
    undecided: Option<String>,
    /// What to restart, and how.
    remedy: String,
}

/// A process that runs a version from before a component was changed.
#[derive(Debug, Serialize, ToSchema)]
struct Process {
    /// Its number.
    pid: u32,
    /// The user that it runs as.
    user: String,
    /// The name of its program.
    name: String,
    /// When it started.
    #[schema(value_type = Option<String>, format = DateTime)]
    started: Option<Timestamp>,
    /// How it was recognised.
    why: String,
    /// The version that it runs, if known.
    version: Option<String>,
}

impl From<services::OutdatedComponent> for Running {
    fn from(outdated: services::OutdatedComponent) -> Self {
        let processes = outdated.processes.into_iter().map(|process| Process {
            pid: process.pid,
            user: process.user,
            name: process.name,
            started: process.started,
            why: process.why,
            version: process.version,
        });
        Self {
            processes: processes.collect(),
            undecided: outdated.undecided,
            remedy: outdated.remedy,
        }
    }
}

/// Lists the components of this panel, by name.
#[utoipa::path(get, path = "/api/v1/components", tag = "exposure",
    params(("after" = Option<String>, Query, description = "Items after this component."), ("limit" = Option<u32>, Query, description = "Maximum number of items: 100 by default, at most 1000.")),
    responses((status = 200, body = List<Component>), (status = "default", body = Problem)))]
pub(super) async fn components(
    State(exposure): State<services::Exposure>,
    caller: Caller,
    Asked(part): Asked<Part>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let inventory = exposure.inventory().await;
    let mut components: Vec<_> = inventory.installed().collect();
    components.sort_by(|one, other| one.name().cmp(other.name()));
    let components = components.into_iter().map(|component| {
        let shown = Component {
            name: component.name().to_owned(),
            advisory_name: component.advisory_name().to_string(),
            scheme: component.scheme().to_string(),
            version: component.version().map(str::to_owned),
            problem: component.problem(),
            found_at: component.found_at().to_owned(),
            correctable: component.is_correctable(),
            running: exposure
                .running_of(&inventory, component.name())
                .map(Running::from),
        };
        (component.name().to_owned(), shown)
    });
    Ok(json(Redacted::without_documents(part.of(components))))
}

/// Filter for verdicts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Which {
    status: Option<Verdict>,
    advisory: Option<String>,
    component: Option<String>,
}

/// A verdict about an advisory and a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// The installed version is affected.
    Affected,
    /// The installed version has the correction.
    Fixed,
    /// The installed version is not affected.
    NotAffected,
    /// The status cannot be determined.
    Unknown,
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Affected => Self::Affected,
            Answer::Fixed => Self::Fixed,
            Answer::NotAffected => Self::NotAffected,
            Answer::Unknown => Self::Unknown,
        }
    }
}

/// One verdict.
#[derive(Debug, Serialize, ToSchema)]
struct Exposure {
    /// The advisory.
    advisory: String,
    /// Its revision.
    revision: u64,
    /// The component.
    component: String,
    /// Its version as found.
    version: Option<String>,
    /// The verdict.
    status: Verdict,
    /// What else is to be known: `restart-pending` (a process still runs an affected version; counts as affected),
    /// `restart-unknown` (it cannot be decided whether one does; counts as unknown), or `compromised`.
    mark: Option<&'static str>,
    /// Reason.
    reason: String,
    /// Severity: critical, high, medium, low, none or unrated.
    severity: String,
    /// The CVSS score in tenths.
    score: Option<u8>,
    /// Whether the vulnerability is known to be exploited.
    known_exploited: bool,
    /// The correction to apply, if available.
    correction: Option<String>,
    /// Whether a workaround is marked as in place or the risk is accepted.
    decided: bool,
}

/// Verdicts, and the ids of embargoed advisories.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Exposures {
    /// The matching verdicts, most severe first.
    items: Vec<Exposure>,
    /// The embargoed advisories, regardless of their verdicts.
    embargoed: Vec<String>,
}

/// Lists the verdicts of this panel, most severe first.
#[utoipa::path(get, path = "/api/v1/exposures", tag = "exposure",
    params(("status" = Option<Verdict>, Query, description = "Filter by what the verdict counts as: a component whose restart is pending counts as affected."), ("advisory" = Option<String>, Query, description = "Filter by advisory id or alias such as a CVE id."), ("component" = Option<String>, Query, description = "Filter by component.")),
    responses((status = 200, body = Exposures), (status = "default", body = Problem)))]
pub(super) async fn exposures(
    State(exposure): State<services::Exposure>,
    State(feed): State<Feed>,
    State(decisions): State<Decisions>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let report = exposure.report().await?;
    let index = feed.advisory_index().await?;
    let decided = decisions.current().await?;
    // Of several advisories about one flaw the gravest speaks for all.
    let flaw = which.advisory.as_ref();
    let flaw = flaw.map(|name| index.about_one_flaw(name));
    let mut items = Vec::new();
    for verdict in report.verdicts {
        let status = Verdict::from(verdict.status);
        let counted = counted_status(&verdict);
        let is_wanted = |wanted| wanted == Verdict::from(counted);
        let wanted = which.status.is_none_or(is_wanted)
            && flaw
                .as_ref()
                .is_none_or(|flaw| flaw.contains(&verdict.advisory.id))
            && which
                .component
                .as_ref()
                .is_none_or(|name| *name == verdict.component);
        if !wanted || !index.is_public(&verdict.advisory.id) {
            continue;
        }
        let id = &verdict.advisory.id;
        items.push(Exposure {
            severity: index.severity(id).unwrap_or("unrated").to_owned(),
            decided: decided
                .iter()
                .any(|one| one.covers(id, &verdict.component, counted)),
            advisory: verdict.advisory.id,
            revision: verdict.advisory.revision,
            component: verdict.component,
            version: verdict.version,
            status,
            mark: verdict.mark.map(mark_word),
            reason: verdict.reason,
            score: verdict.score,
            known_exploited: verdict.known_exploited,
            correction: verdict.correction.map(|correction| correction.id),
        });
    }
    Ok(json(index.redacted(Exposures {
        items,
        embargoed: index.embargoed().map(ToString::to_string).collect(),
    })))
}

/// What is asked of the record.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Sought {
    advisory: Option<String>,
    component: Option<String>,
    from: Option<String>,
    until: Option<String>,
}

impl Sought {
    fn question(self) -> Result<Question, Problem> {
        let moment = |name: &str, text: Option<String>| {
            let moment = text.map(|text| decisions::until(&text)).transpose();
            moment.map_err(|error| Problem::malformed(format!("{name}: {error}")))
        };
        Ok(Question {
            flaw: self.advisory,
            component: self.component,
            from: self.from.map(|text| begin(&text)).transpose()?,
            until: moment("until", self.until)?,
        })
    }
}

/// A day, whose beginning is meant, or a time.
fn begin(text: &str) -> Result<Timestamp, Problem> {
    if let Some(day) = begin_of_day(text) {
        return Ok(day);
    }
    let moment = text.parse();
    moment.map_err(|_| Problem::malformed(format!("from: invalid time {}", text.escape_debug())))
}

/// A period in which a component was affected or its status unknown.
#[derive(Debug, Serialize, ToSchema)]
struct Period {
    /// The advisory.
    advisory: String,
    /// The component.
    component: String,
    /// The verdict: affected or unknown.
    verdict: String,
    /// The version at its start.
    version: Option<String>,
    /// Time when it became known to this panel.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// Reason of the verdict.
    because: String,
    /// End; none while it lasts.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// Why it ended.
    ended: Option<String>,
}

/// Exposure history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Record {
    /// Start of the recording.
    #[schema(value_type = Option<String>, format = DateTime)]
    began: Option<Timestamp>,
    /// What is known of the component that was asked about: whether it is installed and a public advisory names it.
    #[schema(value_type = Option<Object>)]
    component: Option<KnownComponent>,
    /// The nearest advisory, where none is called as was asked.
    #[schema(value_type = Option<Object>)]
    unknown_advisory: Option<UnknownAdvisory>,
    /// The periods, current ones first.
    items: Vec<Period>,
    /// Whether more periods match: filter by advisory, component or time.
    more: bool,
    /// The embargoed advisories, whether or not they have periods.
    embargoed: Vec<String>,
}

/// Returns the exposure history of this panel.
#[utoipa::path(get, path = "/api/v1/record", tag = "exposure",
    params(("advisory" = Option<String>, Query, description = "Filter by advisory id or alias such as a CVE id."), ("component" = Option<String>, Query, description = "Filter by component."), ("from" = Option<String>, Query, description = "Start: a day or a time (RFC 3339)."), ("until" = Option<String>, Query, description = "End: a day (inclusive) or a time.")),
    responses((status = 200, body = Record), (status = "default", body = Problem)))]
pub(super) async fn record(
    State(exposure): State<services::Exposure>,
    State(feed): State<Feed>,
    caller: Caller,
    Asked(sought): Asked<Sought>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let question = sought.question()?;
    let record = exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    let index = feed.advisory_index().await?;
    let periods = record.periods.into_iter();
    let items = periods
        .filter(|period| index.is_public(&period.advisory))
        .map(|period| Period {
            advisory: period.advisory,
            component: period.component,
            verdict: period.verdict.as_str().to_owned(),
            version: period.version,
            since: period.since,
            because: period.because,
            until: period.until,
            ended: period.ended,
        });
    Ok(json(index.redacted(Record {
        began: record.began,
        component: record.component,
        unknown_advisory: record.unknown_advisory,
        items: items.collect(),
        more: record.more,
        embargoed: record.embargoed.into_iter().collect(),
    })))
}
