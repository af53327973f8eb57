//! What the vendor has said: advisories, whom the panel believes, and the question for news.

use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::DocumentId;
use utoipa::ToSchema;

use super::{Asked, Caller, List, Part, Problem, Web, json};
use crate::{shim::Open, tokens::Scope};

/// An advisory in short. Of one under embargo nothing but the first three fields is there.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Advisory {
    /// Its id.
    id: String,
    /// Its revision.
    revision: u64,
    /// Whether it is under embargo.
    embargo: bool,
    /// The rest.
    #[serde(flatten)]
    open: Option<Public>,
}

/// What may be said of an advisory that is not under embargo.
#[derive(Debug, Serialize, ToSchema)]
struct Public {
    /// One line.
    title: String,
    /// What others call it: CVE and GHSA ids.
    aliases: Vec<String>,
    /// How bad it is: critical, high, medium, low, none or unrated.
    severity: &'static str,
    /// The CVSS score in tenths.
    score: Option<u8>,
    /// Whether attacks are known.
    known_exploited: bool,
    /// Who may be told.
    tlp: String,
    /// When its first revision was published.
    #[schema(value_type = String, format = DateTime)]
    published: Timestamp,
    /// When this revision was.
    #[schema(value_type = String, format = DateTime)]
    modified: Timestamp,
    /// Since when it no longer holds.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn: Option<Timestamp>,
}

impl From<Open> for Public {
    fn from(open: Open) -> Self {
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

/// The advisories that the panel has, by id.
#[utoipa::path(get, path = "/api/v1/advisories", tag = "feed",
    params(("severity" = Option<String>, Query, description = "With this severity only; leaves out what is under embargo."), ("alias" = Option<String>, Query, description = "With this alias only, as a CVE; leaves out what is under embargo."), ("after" = Option<String>, Query, description = "Advisories after this one."), ("limit" = Option<u32>, Query, description = "At most so many: 100 if it is not said, 1000 at most.")),
    responses((status = 200, body = List<Advisory>), (status = "default", body = Problem)))]
pub(super) async fn advisories(
    State(web): State<Web>,
    caller: Caller,
    Asked(which): Asked<Which>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let catalogue = web.shim.catalogue().await?;
    let wanted = |open: Option<&Open>| {
        let severity = which.severity.as_deref();
        let alias = which.alias.as_ref();
        severity.is_none_or(|word| open.is_some_and(|open| open.severity == word))
            && alias.is_none_or(|alias| open.is_some_and(|open| open.aliases.contains(alias)))
    };
    let all = catalogue.advisories.iter();
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
    Ok(json(&part.of(all)))
}

/// One advisory, whole, as it was signed. Refused with `embargo` where it is under one.
#[utoipa::path(get, path = "/api/v1/advisories/{id}", tag = "feed",
    params(("id" = String, Path, description = "Its id.")),
    responses((status = 200, description = "The document, field by field, as the contract has it.", body = serde_json::Value), (status = "default", body = Problem)))]
pub(super) async fn advisory(
    State(web): State<Web>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    let missing = || Problem::not_found("advisory", &name);
    let id = DocumentId::new(name.clone()).map_err(|_| missing())?;
    let advisory = web.shim.advisory(&id).await?.ok_or_else(missing)?;
    if advisory.is_under_embargo() {
        return Err(Problem::embargo());
    }
    Ok(json(advisory.document()))
}

/// What a question for news brought.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct News {
    /// Whether anything is new.
    changed: bool,
    /// The feed's sequence now.
    sequence: u64,
    /// The documents that were accepted.
    accepted: Vec<Accepted>,
    /// Until when what is known is good.
    #[schema(value_type = String, format = DateTime)]
    valid_until: Timestamp,
}

/// A document that was accepted.
#[derive(Debug, Serialize, ToSchema)]
struct Accepted {
    /// Its id.
    id: String,
    /// Its revision.
    revision: u64,
}

/// Asks the feed for news.
#[utoipa::path(post, path = "/api/v1/sync", tag = "feed", responses(
    (status = 200, body = News), (status = "default", body = Problem)
))]
pub(super) async fn sync(State(web): State<Web>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Sync)?;
    let report = web.shim.sync().await?;
    let accepted = report.accepted.into_iter().map(|(id, revision)| Accepted {
        id: id.to_string(),
        revision,
    });
    Ok(json(&News {
        changed: report.changed,
        sequence: report.sequence,
        accepted: accepted.collect(),
        valid_until: report.valid_until,
    }))
}

/// Whom this panel believes, since when, and what it refused.
#[utoipa::path(get, path = "/api/v1/trust", tag = "feed", responses(
    (status = 200, description = "As the command trust --json prints it.", body = serde_json::Value),
    (status = "default", body = Problem)
))]
pub(super) async fn trust(State(web): State<Web>, caller: Caller) -> Result<Response, Problem> {
    caller.may(Scope::Read)?;
    Ok(json(&web.shim.trust_report(Timestamp::now()).await?))
}
