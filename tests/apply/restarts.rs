//! Components are stopped for the exchange, started after it, and looked at from outside.

use std::sync::Arc;

use anyhow::Result;
use spacecp_advisories::apply::{ApplyError, Exchange, Gravity, NoFaults, Outcome};
use spacecp_contract::Restart;

use crate::tree::{Panel, Tree, new, now, old};

/// A tree that misbehaves.
pub(crate) fn behaving(mut tree: Tree, how: &str) -> Tree {
    tree.insert("behaviour".to_owned(), how.to_owned());
    tree
}

/// A panel whose component runs, and a correction that has it restart and names a health check.
pub(crate) async fn running(old: &Tree, new: &Tree, health: Option<&str>) -> Result<Panel> {
    let health = health.map(str::to_owned);
    let panel = Panel::with(old, new, |built| {
        built.correction.restart = Restart::Component;
        built.correction.health = health;
    })
    .await?
    .served()?;
    panel.service().start().await?;
    Ok(panel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_stopped_for_the_exchange_and_started_after_it() -> Result<()> {
    let panel = running(&old(), &new(), Some("http")).await?;
    let applied = panel.apply().await?;
    assert_eq!(applied.outcome, Outcome::Applied);
    assert!(panel.holds(&new())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.1"));
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    assert_eq!(
        panel.service().happened(),
        [
            "start 1.0.0",
            "stop 1.0.0",
            "start 1.0.1",
            "stop 1.0.1",
            "start 1.0.0"
        ]
    );
    assert_eq!(panel.left_over()?, ["first"], "the new tree, for a while");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_does_not_run_is_neither_started_nor_looked_at() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| {
        built.correction.restart = Restart::Component;
        built.correction.health = Some("http".to_owned());
    })
    .await?
    .served()?;
    panel.apply().await?;
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    assert_eq!(panel.service().happened(), Vec::<String>::new());
    assert!(panel.holds(&old())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_health_check_sees_a_component_that_is_well() -> Result<()> {
    for check in ["tcp", "http", "log", "command"] {
        let panel = running(&old(), &new(), Some(check)).await?;
        panel.apply().await?;
        assert_eq!(
            panel.service().seen().await.as_deref(),
            Some("1.0.1"),
            "{check}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_is_ill_goes_and_the_old_one_runs_again() -> Result<()> {
    // The log has the line of the old version's start, which must not count.
    for check in ["http", "log"] {
        let panel = running(&old(), &behaving(new(), "ill"), Some(check)).await?;
        let panel = panel.patient_for(1);
        let refused = panel.apply().await.expect_err("it was applied");
        assert!(
            matches!(&refused, ApplyError::Unwell { .. }),
            "{check}: {refused}"
        );
        assert!(panel.holds(&old())?, "{check}");
        assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
        let history = panel.plain().history(1).await?;
        assert_eq!(history[0].outcome, Outcome::Failed);
        assert_eq!(history[0].reason, Some(refused.to_string()));
        assert_eq!(panel.left_over()?, Vec::<String>::new());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_does_not_start_goes_and_the_old_one_runs_again() -> Result<()> {
    let panel = running(&old(), &behaving(new(), "dead"), None).await?;
    let refused = panel.apply().await.expect_err("it was applied").to_string();
    assert!(
        refused.contains("be started") && refused.contains("does not start"),
        "with what the command said: {refused}"
    );
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_cannot_be_stopped_goes_on_as_it_is() -> Result<()> {
    let old = behaving(old(), "stubborn");
    let panel = running(&old, &new(), Some("http"))
        .await?
        .stopping_within(1);
    let refused = panel.apply().await.expect_err("it was applied").to_string();
    assert!(
        refused.contains("within 1 s and was killed") && refused.contains("I would rather not"),
        "{refused}"
    );
    assert!(panel.holds(&old)?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    assert_eq!(panel.service().happened(), ["start 1.0.0"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_cannot_be_stopped_is_not_taken_back() -> Result<()> {
    let new = behaving(new(), "stubborn");
    let panel = running(&old(), &new, None).await?.stopping_within(1);
    panel.apply().await?;
    let refused = panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Control { .. })),
        "{refused:?}"
    );
    assert!(panel.holds(&new)?);
    let history = panel.plain().history(1).await?;
    assert_eq!(
        (history[0].outcome, history[0].reversible),
        (Outcome::Applied, true),
        "it can be tried again"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_that_does_not_start_again_is_told_with_the_reason() -> Result<()> {
    let panel = running(&old(), &behaving(new(), "ill"), Some("http")).await?;
    let panel = panel.patient_for(1).with_start("/nowhere/at/all");
    let refused = panel.apply().await.expect_err("it was applied");
    assert!(
        matches!(&refused, ApplyError::NotRunning { trouble, .. } if trouble.contains("Start it by hand")),
        "{refused}"
    );
    assert!(panel.holds(&old())?, "the tree is right in any case");
    let history = panel.plain().history(1).await?;
    let reason = history[0].reason.clone().unwrap_or_default();
    assert!(reason.contains("cannot restart"), "{reason}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_that_is_not_configured_is_an_obstacle() -> Result<()> {
    let panel = running(&old(), &new(), Some("telepathy")).await?;
    let found = panel.plan().await?.findings;
    assert!(
        found
            .iter()
            .any(|finding| finding.check == "health" && finding.gravity == Gravity::Obstacle),
        "{found:?}"
    );
    let refused = panel.apply().await;
    assert!(
        matches!(refused, Err(ApplyError::Obstacle { .. })),
        "{refused:?}"
    );
    assert_eq!(panel.service().happened(), ["start 1.0.0"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_nobody_here_can_do_is_said_and_left_to_a_person() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| {
        built.correction.restart = Restart::Component;
    })
    .await?;
    let plan = panel.plan().await?;
    let found: Vec<_> = plan
        .findings
        .iter()
        .map(|finding| (finding.check.as_str(), finding.gravity))
        .collect();
    assert_eq!(found, [("restart", Gravity::Information)]);
    assert!(!plan.restarts);
    panel
        .apply_with(
            &panel.applier(Exchange::Atomic, Arc::new(NoFaults)),
            "first",
            Some(plan.digest),
            false,
        )
        .await?;
    assert!(panel.holds(&new())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_made_before_the_control_was_configured_has_drifted() -> Result<()> {
    let panel = Panel::with(&old(), &new(), |built| {
        built.correction.restart = Restart::Component;
    })
    .await?;
    let shown = panel.plan().await?.digest;
    let panel = panel.served()?;
    let refused = panel
        .apply_with(&panel.plain(), "first", Some(shown), false)
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Drifted { .. })),
        "{refused:?}"
    );
    Ok(())
}
