//! The metrics.

use anyhow::Result;
use spacecp_advisories::tokens::Scope;
use spacecp_tests::catalog;

use super::program::{Program, problem};
use crate::{
    panel::{ADMINISTRATOR, Kind, Panel},
    visitor::Answer,
};

/// The value of a sample.
fn value(answer: &Answer, sample: &str) -> Option<f64> {
    let mut lines = answer.body.lines();
    let line = lines.find(|line| {
        line.strip_prefix(sample)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_those_of_the_panel_and_end_as_the_format_wants() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    visitor
        .press(&format!("/advisories/{}", catalog::CONSOLE), "/apply")
        .await?;
    let mut program = Program::of(&panel, &[Scope::Metrics]).await?;
    let metrics = program.get("/metrics").await?;
    assert_eq!(metrics.status, 200, "{}", metrics.body);
    assert_eq!(
        metrics.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(metrics.body.ends_with("# EOF\n"), "{}", metrics.body);
    let summary = panel.app().panel.exposure.report().await?.summary;
    for (sample, expected) in [
        (
            "spacecp_advisories_exposed_components",
            f64::from(summary.exposed),
        ),
        (
            "spacecp_advisories_components",
            f64::from(summary.components),
        ),
        ("spacecp_advisories_plugin_up", 1.0),
        ("spacecp_advisories_feed_stale", 0.0),
        ("spacecp_advisories_applications{outcome=\"applied\"}", 1.0),
        ("spacecp_advisories_applications{outcome=\"failed\"}", 0.0),
        ("spacecp_advisories_unread_places", 0.0),
        ("spacecp_advisories_plugin_traps_total", 0.0),
    ] {
        assert_eq!(
            value(&metrics, sample),
            Some(expected),
            "{sample}: {}",
            metrics.body
        );
    }
    let critical = value(
        &metrics,
        "spacecp_advisories_exposures{severity=\"critical\"}",
    );
    assert!(critical >= Some(1.0), "{}", metrics.body);
    let age = value(&metrics, "spacecp_advisories_oldest_exposure_age_seconds");
    assert!(
        age.is_some_and(|age| (0.0..600.0).contains(&age)),
        "{age:?}"
    );
    let calls =
        "spacecp_advisories_plugin_calls_total{call=\"exposure.report\",outcome=\"answered\"}";
    assert!(value(&metrics, calls) >= Some(1.0), "{}", metrics.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plugin_there_are_no_zeros_that_look_like_safety() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut program = Program::of(&panel, &[Scope::Metrics]).await?;
    let metrics = program.get("/metrics").await?;
    assert_eq!(value(&metrics, "spacecp_advisories_plugin_up"), Some(0.0));
    assert!(
        !metrics.body.contains("exposed_components"),
        "{}",
        metrics.body
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_on_this_machine_needs_no_token_where_the_configuration_says_so() -> Result<()> {
    let closed = Panel::without_plugin().await?;
    problem(&closed.visitor().get("/metrics").await?, 401, "token")?;
    let open = Panel::of(Kind {
        open_metrics: true,
        ..Kind::default()
    })
    .await?;
    assert_eq!(open.visitor().get("/metrics").await?.status, 200);
    // Behind a proxy that is believed, the others are not on this machine.
    let behind = [("x-forwarded-for", "203.0.113.5")];
    let answer = open.visitor().get_with("/metrics", &behind).await?;
    problem(&answer, 401, "token")?;
    Ok(())
}
