//! Metrics for a monitoring system, in the text format of `OpenMetrics`.
//!
//! Computed when they are asked for, out of the store: nothing is counted twice, and a restart forgets
//! nothing but the calls of the plugin. No label names an advisory; what is under embargo makes components
//! exposed, and has no label and no severity.

use std::collections::BTreeMap;

use axum::{
    extract::{FromRequestParts, State},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use super::{
    api::{Caller, Problem},
    client::Client,
    state::AppState,
};
use spacecp_plugin_host::bindings::exports::spacecp::advisories::exposure::Status;
use spacecp_services::counted_status;
use spacecp_services::{Corrections, Exposure, Feed, ServiceError, tokens::Scope};

/// The media type of the format.
const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What exposures are counted by.
const SEVERITIES: [&str; 6] = ["critical", "high", "medium", "low", "none", "unrated"];

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BySeverity {
    severity: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByCall {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

/// Whoever may read the metrics: a token with the scope, or somebody on this machine where that is
/// enough.
#[derive(Debug)]
pub(super) struct Reader;

impl FromRequestParts<AppState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let client = parts.extensions.get::<Client>();
        let here = client.is_some_and(|client| client.0.is_loopback());
        if here && state.web.serve.metrics.open_on_loopback {
            return Ok(Self);
        }
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.may(Scope::Metrics)?;
        Ok(Self)
    }
}

pub(super) async fn metrics(
    State(feed): State<Feed>,
    State(exposure): State<Exposure>,
    State(corrections): State<Corrections>,
    _reader: Reader,
) -> Result<Response, Problem> {
    let text = text(&feed, &exposure, &corrections, Timestamp::now()).await?;
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

async fn text(
    feed: &Feed,
    exposure: &Exposure,
    corrections: &Corrections,
    now: Timestamp,
) -> Result<String, ServiceError> {
    let mut registry = Registry::with_prefix("spacecp_advisories");
    build(&mut registry);
    add_feed(&mut registry, feed, now).await?;
    add_exposures(&mut registry, exposure, feed, now).await?;
    add_apply_runs(&mut registry, corrections).await?;
    add_plugin(&mut registry, exposure);
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes every character");
    Ok(text)
}

fn build(registry: &mut Registry) {
    let build = Family::<Build, Gauge>::default();
    let version = env!("CARGO_PKG_VERSION");
    build.get_or_create(&Build { version }).set(1);
    registry.register("build", "Version of the program; always 1", build);
}

async fn add_feed(
    registry: &mut Registry,
    feed: &Feed,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let freshness = feed.freshness().await?;
    let sequence = gauge(freshness.sequence.unwrap_or(0).cast_signed());
    registry.register(
        "feed_sequence",
        "Sequence of the feed; 0 before the first sync",
        sequence,
    );
    if let Some(last) = freshness.last_word {
        let age = gauge(now.as_second().saturating_sub(last.as_second()));
        let help = "Seconds since the last successful sync";
        registry.register_with_unit("feed_age", help, Unit::Seconds, age);
    }
    if let Some(spoken) = freshness.spoken {
        let age = gauge(now.as_second().saturating_sub(spoken.as_second()));
        let help = "Seconds since the vendor signed the current head";
        registry.register_with_unit("head_age", help, Unit::Seconds, age);
    }
    let stale = gauge(i64::from(freshness.is_stale(now)));
    registry.register(
        "feed_stale",
        "1 if the data from the feed has expired",
        stale,
    );
    Ok(())
}

/// Nothing but the plugin's absence is told where it has no answer: zeros would look like safety.
async fn add_exposures(
    registry: &mut Registry,
    exposure: &Exposure,
    feed: &Feed,
    now: Timestamp,
) -> Result<(), ServiceError> {
    let report = match exposure.report().await {
        Ok(report) => report,
        Err(error @ (ServiceError::NoPlugin(_) | ServiceError::Plugin(_))) => {
            tracing::warn!(%error, "exposure metrics not available");
            registry.register("plugin_up", "Whether the plugin is running", gauge(0));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    registry.register("plugin_up", "Whether the plugin is running", gauge(1));
    let summary = &report.summary;
    for (name, help, count) in [
        ("components", "Components checked", summary.components),
        (
            "exposed_components",
            "Components that are affected",
            summary.exposed,
        ),
        (
            "restart_pending_components",
            "Components that are fixed and of which an earlier version still runs",
            summary.restart_pending,
        ),
        (
            "undecided_components",
            "Components whose status is unknown",
            summary.undecided,
        ),
        (
            "unread_places",
            "Paths that could not be scanned",
            summary.unread,
        ),
        ("advisories", "Advisories checked", summary.advisories),
    ] {
        registry.register(name, help, gauge(count.into()));
    }
    let index = feed.advisory_index().await?;
    let mut counted: BTreeMap<&str, i64> = SEVERITIES.map(|word| (word, 0)).into();
    let exposed = report.verdicts.iter();
    for verdict in exposed.filter(|verdict| counted_status(verdict) == Status::Affected) {
        // What is under embargo has no label, and no number of its own.
        if let Some(severity) = index.severity(&verdict.advisory.id) {
            *counted.entry(severity).or_default() += 1;
        }
    }
    let exposures = Family::<BySeverity, Gauge>::default();
    for (severity, count) in counted {
        exposures.get_or_create(&BySeverity { severity }).set(count);
    }
    registry.register(
        "exposures",
        "Pairs of an advisory and a component that it affects, by severity, without those under embargo",
        exposures,
    );
    let oldest = exposure.oldest_exposure(now).await?;
    let age = gauge(oldest.map_or(0, |since| now.as_second() - since.as_second()));
    registry.register_with_unit(
        "oldest_exposure_age",
        "Seconds since the oldest current exposure became known; 0 without exposures",
        Unit::Seconds,
        age,
    );
    Ok(())
}

async fn add_apply_runs(
    registry: &mut Registry,
    corrections: &Corrections,
) -> Result<(), ServiceError> {
    let applications = Family::<ByOutcome, Gauge>::default();
    for (outcome, count) in corrections.outcomes().await? {
        let labels = ByOutcome {
            outcome: outcome.as_str(),
        };
        applications.get_or_create(&labels).set(count.cast_signed());
    }
    registry.register(
        "applications",
        "Apply runs in the journal, by outcome",
        applications,
    );
    Ok(())
}

fn add_plugin(registry: &mut Registry, exposure: &Exposure) {
    let counts = exposure.plugin_counts();
    let calls = Family::<ByCall, Counter>::default();
    for (counted, outcome) in [(&counts.answered, "answered"), (&counts.failed, "failed")] {
        for (call, count) in counted {
            calls
                .get_or_create(&ByCall { call, outcome })
                .inc_by(*count);
        }
    }
    registry.register(
        "plugin_calls",
        "Plugin calls since the start of the panel",
        calls,
    );
    let poisoned = Counter::<u64>::default();
    poisoned.inc_by(counts.poisoned);
    registry.register(
        "plugin_traps",
        "Traps and exceeded limits of the plugin since the start of the panel",
        poisoned,
    );
}

fn gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}
