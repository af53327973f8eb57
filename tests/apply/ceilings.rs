//! The plugin plans, the shim enforces: a plugin that asks for what it may not have is refused by
//! name, and nothing is touched.

use anyhow::Result;
use spacecp_advisories::automation::Fate;
use spacecp_contract::Restart;
use spacecp_tests::artifacts;

use crate::night::{DAEMON_FIX, MODULE_FIX, Night, Panel, does_not_lead_there, hours, noon};

/// A panel whose plugin asks for whatever it is told to ask for.
async fn hostile(policy: &'static str) -> Result<Panel> {
    Panel::on(Night {
        policy,
        plugin: artifacts::HOSTILE,
        ..Night::default()
    })
    .await
}

const USUAL: &str = "automatic = true\nminimum-severity = \"low\"\n";

/// Has the plugin ask, and gives the name of the refusal. Nothing may have been begun.
async fn refused(panel: &Panel, wanted: &str) -> Result<String> {
    panel.ask_for(wanted).await?;
    let before = panel.app.panel.corrections.history(100).await?.len();
    let run = panel.run().await?;
    assert_eq!(run.problem, None);
    assert_eq!(run.lines.len(), 1, "{:?}", run.lines);
    assert_eq!(run.lines[0].fate, Fate::Refused, "{:?}", run.lines);
    assert_eq!(
        panel.app.panel.corrections.history(100).await?.len(),
        before
    );
    assert_eq!(panel.version("daemon")?, "1.0.0");
    assert_eq!(panel.version("module")?, "1.0.0");
    Ok(run.lines[0].refusal.clone().unwrap_or_default())
}

fn daemon() -> String {
    format!("{DAEMON_FIX} 1 daemon")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_allow_is_applied_whoever_plans_it() -> Result<()> {
    let panel = hostile(USUAL).await?;
    panel.ask_for(&daemon()).await?;
    let run = panel.run().await?;
    assert_eq!(run.lines[0].fate, Fate::Applied, "{:?}", run.lines);
    assert_eq!(panel.version("daemon")?, "1.0.1");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_no_feed_has() -> Result<()> {
    let panel = hostile(USUAL).await?;
    for wanted in [
        "SPACECP-SC-1999-0001 1 daemon",
        "../../etc/passwd 1 daemon",
        "SPACECP-SA-2100-0001 1 daemon",
    ] {
        assert_eq!(refused(&panel, wanted).await?, "unknown-correction");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_revision_than_the_current_one() -> Result<()> {
    let panel = hostile(USUAL).await?;
    for revision in [0, 2, u64::MAX] {
        let wanted = format!("{DAEMON_FIX} {revision} daemon");
        assert_eq!(refused(&panel, &wanted).await?, "not-current");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_not_here_or_is_another() -> Result<()> {
    let panel = hostile(USUAL).await?;
    let nowhere = format!("{DAEMON_FIX} 1 ../daemon");
    assert_eq!(refused(&panel, &nowhere).await?, "unknown-component");
    let another = format!("{DAEMON_FIX} 1 module");
    assert_eq!(refused(&panel, &another).await?, "wrong-component");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_the_correction_is_not_for() -> Result<()> {
    let panel = hostile(USUAL).await?;
    panel.ask_for(&daemon()).await?;
    std::fs::write(panel.component("daemon").join("VERSION"), "2.0.0\n")?;
    let run = panel.run().await?;
    assert_eq!(run.lines[0].refusal.as_deref(), Some("version"));
    assert_eq!(panel.version("daemon")?, "2.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_a_flaw_that_does_not_affect_what_is_installed() -> Result<()> {
    let withdrawn = Panel::on(Night {
        plugin: artifacts::HOSTILE,
        flaw: |flaw| flaw.withdrawn = Some(noon()),
        ..Night::default()
    })
    .await?;
    assert_eq!(refused(&withdrawn, &daemon()).await?, "not-exposed");
    let elsewhere = Panel::on(Night {
        plugin: artifacts::HOSTILE,
        flaw: |flaw| "0.9.0".clone_into(flaw.affected[0].ranges[0].fixed.get_or_insert_default()),
        ..Night::default()
    })
    .await?;
    assert_eq!(refused(&elsewhere, &daemon()).await?, "not-exposed");
    let unnamed = Panel::on(Night {
        plugin: artifacts::HOSTILE,
        flaw: |flaw| flaw.corrections.clear(),
        ..Night::default()
    })
    .await?;
    assert_eq!(refused(&unnamed, &daemon()).await?, "not-exposed");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_while_the_switch_is_off() -> Result<()> {
    let panel = hostile("").await?;
    assert_eq!(refused(&panel, &daemon()).await?, "off");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_the_policy_excludes() -> Result<()> {
    let panel =
        hostile("automatic = true\nminimum-severity = \"low\"\nexcluded = [\"daemon\"]\n").await?;
    assert_eq!(refused(&panel, &daemon()).await?, "excluded");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_severity_that_the_policy_does_not_correct_by_itself() -> Result<()> {
    let below = hostile("automatic = true\nminimum-severity = \"critical\"\n").await?;
    assert_eq!(refused(&below, &daemon()).await?, "severity");
    let asked = hostile("automatic = true\nseverity = { high = \"ask\" }\n").await?;
    assert_eq!(refused(&asked, &daemon()).await?, "severity");
    // Computed by the shim from the signed vectors: none of them computes.
    let unrated = Panel::on(Night {
        plugin: artifacts::HOSTILE,
        flaw: |flaw| flaw.severity.clear(),
        ..Night::default()
    })
    .await?;
    assert_eq!(refused(&unrated, &daemon()).await?, "severity");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_before_its_time() -> Result<()> {
    let delayed = hostile("automatic = true\ndelay-hours = 24\n").await?;
    assert_eq!(refused(&delayed, &daemon()).await?, "early");
    delayed.clock.set(noon() + hours(24));
    delayed.run().await?;
    assert_eq!(delayed.version("daemon")?, "1.0.1");
    let aged = hostile("automatic = true\nminimum-age-hours = 24\n").await?;
    assert_eq!(refused(&aged, &daemon()).await?, "early");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_outside_the_windows() -> Result<()> {
    let panel = hostile(
        "automatic = true\n[[policy.window]]\nstart = \"02:00\"\nminutes = 120\nzone = \"UTC\"\n",
    )
    .await?;
    assert_eq!(refused(&panel, &daemon()).await?, "closed");
    panel.clock.set(noon() + hours(16));
    assert_eq!(
        refused(&panel, &daemon()).await?,
        "closed",
        "its end is outside"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_that_goes_too_far() -> Result<()> {
    let panel = Panel::on(Night {
        policy: "automatic = true\nrestarts = \"component\"\n",
        plugin: artifacts::HOSTILE,
        change: |built| built.correction.restart = Restart::Panel,
        ..Night::default()
    })
    .await?;
    assert_eq!(refused(&panel, &daemon()).await?, "restart");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_quarantine() -> Result<()> {
    let panel = Panel::on(Night {
        plugin: artifacts::HOSTILE,
        change: does_not_lead_there,
        ..Night::default()
    })
    .await?;
    panel.ask_for(&daemon()).await?;
    let run = panel.run().await?;
    assert_eq!(run.lines.len(), 1, "the same is not tried twice in a run");
    assert_eq!(run.lines[0].fate, Fate::Failed);
    assert_eq!(refused(&panel, &daemon()).await?, "quarantined");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn anything_while_the_vendors_last_word_is_stale() -> Result<()> {
    let panel = hostile(USUAL).await?;
    panel
        .app
        .panel
        .automation
        .switch(false, "ada", noon())
        .await?;
    panel.run().await?;
    panel
        .app
        .panel
        .automation
        .switch(true, "ada", noon())
        .await?;
    panel.ask_for(&daemon()).await?;
    panel.clock.set(noon() + hours(24 * 91));
    let run = panel.run().await?;
    assert_eq!(run.lines[0].refusal.as_deref(), Some("stale"));
    assert_eq!(panel.version("daemon")?, "1.0.0");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_keeps_nothing_else_from_its_turn() -> Result<()> {
    let panel = hostile(USUAL).await?;
    panel
        .ask_for(&format!("{DAEMON_FIX} 7 daemon\n{MODULE_FIX} 1 module\n"))
        .await?;
    let run = panel.run().await?;
    let fates: Vec<Fate> = run.lines.iter().map(|line| line.fate).collect();
    assert_eq!(fates, [Fate::Refused, Fate::Applied]);
    Ok(())
}
