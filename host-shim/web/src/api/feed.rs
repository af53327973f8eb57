//! What the vendor has said: advisories, whom the panel believes, and the question for news.

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::DocumentId;
use spacecp_services::{Feed, PublicSummary, Redacted, Trust, tokens::Scope};
use utoipa::ToSchema;

use super::{Asked, Caller, List, Part, Problem, json};

/// Summary of an advisory; for an embargoed one, the first three fields only.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Advisory {
    /// Its id.
    id: String,
    /// Its revision.
    revision: u64,
    /// Whether it is under embargo.
    embargo: bool,
    /// Details.
    #[serde(flatten)]
    open: Option<Public>,
}

/// Details of an advisory that is not under embargo.
#[derive(Debug, Serialize, ToSchema)]
struct Public {
    /// Title.
    title: String,
    /// Aliases: CVE and GHSA ids.
    aliases: Vec<String>,
    /// Severity: critical, high, medium, low, none or unrated.
    severity: &'static str,
    /// The CVSS score in tenths.
    score: Option<u8>,
    /// Whether the vulnerability is known to be exploited.
    known_exploited: bool,
    /// TLP label.
    tlp: String,
    /// Publication time of the first revision.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// Publication time of this revision.
    #[schema(value_type = String, format = DateTime)]
    modified: Timestamp,
    /// Time of its withdrawal.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn: Option<Timestamp>,
}

impl From<PublicSummary> for Public {
    fn from(open: PublicSummary) -> Self {
        Self {
            title: open.title,
            aliases: open.aliases,
            severity: open.severity,
            score: open.score,
            known_exploited: open.known_exploited,
            tlp: open.tlp.to_string(),
            published: open.published,
            modified: open.modified,
            withdrawn: open.withdrawn,
        }
    }
}

/// Which advisories are asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Which {
    severity: Option<String>,
    alias: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// Lists the advisories received, by id.
#[utoipa::path(get, path = "/api/v1/advisories", tag = "feed",
    params(("severity" = Option<String>, Query, description = "Filter by severity; excludes embargoed advisories."), ("alias" = Option<String>, Query, description = "Filter by alias such as a CVE id; excludes embargoed advisories."), ("after" = Option<String>, Query, description = "Items after this advisory."), ("limit" = Option<u32>, Query, description = "Maximum number of items: 100 by default, at most 1000.")),
    responses((status = 200, body = List<Advisory>), (status = "default", body = Problem)))]
pub(super) async fn advisories(
    State(feed): State<Feed>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let index = feed.advisory_index().await?;
    let wanted = |open: Option<&PublicSummary>| {
        let severity = which.severity.as_deref();
        let alias = which.alias.as_ref();
        severity.is_none_or(|word| open.is_some_and(|open| open.severity == word))
            && alias.is_none_or(|alias| open.is_some_and(|open| open.aliases.contains(alias)))
    };
    let all = index.advisories.iter();
    let all = all.filter(|(_, listed)| wanted(listed.open.as_ref()));
    let all = all.map(|(id, listed)| {
        let shown = Advisory {
            id: id.to_string(),
            revision: listed.revision,
            embargo: listed.open.is_none(),
            open: listed.open.clone().map(Public::from),
        };
        (id.to_string(), shown)
    });
    let part = Part {
        after: which.after.clone(),
        limit: which.limit,
    };
    Ok(json(index.redacted(part.of(all))))
}

/// Returns one advisory in full, as signed. Refused with `embargo` if it is under embargo.
#[utoipa::path(get, path = "/api/v1/advisories/{id}", tag = "feed",
    params(("id" = String, Path, description = "Id of the advisory.")),
    responses((status = 200, description = "The document, field by field, as defined in the contract.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn advisory(
    State(feed): State<Feed>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let missing = || Problem::not_found("advisory", &name);
    let id = DocumentId::new(name.clone()).map_err(|_| missing())?;
    let advisory = feed.advisory(&id).await?.ok_or_else(missing)?;
    if advisory.is_under_embargo() {
        return Err(Problem::embargo());
    }
    Ok(json(Ok(Redacted::of_advisory(
        advisory.document(),
        advisory.document(),
    ))))
}

/// Result of a sync.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct News {
    /// Whether anything changed.
    changed: bool,
    /// Current sequence of the feed.
    sequence: u64,
    /// Documents received.
    accepted: Vec<Accepted>,
    /// Expiry of the data.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
}

/// A document received.
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    /// Its id.
    id: String,
    /// Its revision.
    revision: u64,
}

/// Syncs with the feed.
#[utoipa::path(post, path = "/api/v1/sync", tag = "feed", responses(
    (status = 200, body = News), (status = "default", body = Problem)
))]
pub(super) async fn sync(State(feed): State<Feed>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Sync)?;
    let report = feed.sync().await?;
    let accepted = report.accepted.into_iter().map(|(id, revision)| Accepted {
        id: id.to_string(),
        revision,
    });
    Ok(json(Redacted::without_documents(News {
        changed: report.changed,
        sequence: report.sequence,
        accepted: accepted.collect(),
        valid_until: report.valid_until,
    })))
}

/// Returns the trusted state, and the data rejected.
#[utoipa::path(get, path = "/api/v1/trust", tag = "feed", responses(
    (status = 200, description = "As printed by trust --json.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn trust(State(trust): State<Trust>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    Ok(json(Redacted::without_documents(
        trust.report(Timestamp::now()).await?,
    )))
}
