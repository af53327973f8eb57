//! A correction that restarts the panel: whoever asked for it is stopped with it, and a watchdog goes
//! on.

use std::{fs, os::unix::process::ExitStatusExt, path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, Result};
use spacecp_advisories::{
    apply::{ApplyError, Exchange, Outcome, Step},
    control::Watchdog,
};
use spacecp_contract::Restart;
use tokio::process::Command;

use crate::{
    ends::EndAfter,
    restarts::behaving,
    tampered,
    tree::{CORRECTION, Panel, Tree, new, now, old},
};

/// A panel that runs, with its program's configuration, and a correction that restarts it.
async fn panel(old: &Tree, new: &Tree) -> Result<(Panel, PathBuf)> {
    panel_with(Restart::Panel, old, new).await
}

/// The same with a correction that restarts this.
pub(crate) async fn panel_with(
    restart: Restart,
    old: &Tree,
    new: &Tree,
) -> Result<(Panel, PathBuf)> {
    let panel = Panel::with(old, new, |built| {
        built.correction.restart = restart;
        built.correction.health = Some("http".to_owned());
    })
    .await?
    .served()?;
    panel.service().start().await?;
    let at = |name: &str| panel.folder.path().join(name).display().to_string();
    // Stopping the panel kills whoever asked for it, as a part of it.
    let stop = panel.folder.path().join("stop");
    fs::write(
        &stop,
        format!("kill -9 -$(cat {})\nexec \"$@\"\n", at("asker")),
    )?;
    let words = |words: Vec<String>| format!("{words:?}");
    let control = panel.service().control();
    let mut stopping = vec!["sh".to_owned(), stop.display().to_string()];
    stopping.extend(control.stop);
    let config = panel.folder.path().join("config.toml");
    fs::write(
        &config,
        format!(
            "state = {state:?}\n[feed]\nfrom = {feed:?}\naudience = \"customers\"\nroot = {root:?}\n\
             [plugin]\nmanifest = \"none\"\ncomponent = \"none\"\n\
             [[component]]\nname = \"component\"\nadvisory-name = \"spacecp:component\"\nscheme = \"semver\"\n\
             folder = {folder:?}\nversion = {{ file = \"VERSION\" }}\n\
             [component.control]\nstop = {stop}\nstart = {start}\nrunning = {running}\n\
             [[component.health]]\nname = \"http\"\nwithin = 5\nhttp = {{ url = {url:?} }}\n",
            state = panel.folder.path().display().to_string(),
            feed = panel.vendor.feed_dir().display().to_string(),
            root = panel.vendor.root_path().display().to_string(),
            folder = panel.component().display().to_string(),
            stop = words(stopping),
            start = words(control.start),
            running = words(control.running),
            url = panel.service().url(),
        ),
    )?;
    Ok((panel, config))
}

/// Has the panel's program do something as a part of the panel; says whether it was killed.
async fn ask(panel: &Panel, config: &PathBuf, arguments: &[&str]) -> Result<bool> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let id = child.id().context("it runs")?;
    fs::write(panel.folder.path().join("asker"), id.to_string())?;
    Ok(child.wait().await?.signal() == Some(9))
}

/// Waits until the application has come to its end, whoever brings it there.
async fn end(panel: &Panel) -> Result<Outcome> {
    for _ in 0..1_200 {
        let outcome = panel.plain().history(1).await?[0].outcome;
        if outcome != Outcome::InProgress {
            return Ok(outcome);
        }
        // A panel that starts looks for what was cut off; what the watchdog is at is left to it.
        panel.plain().recover(now()).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("it has no end")
}

/// The same without anybody who recovers: whoever is at it has to bring it to its end.
async fn end_by_itself(panel: &Panel) -> Result<Outcome> {
    for _ in 0..600 {
        let outcome = panel.plain().history(1).await?[0].outcome;
        if outcome != Outcome::InProgress {
            return Ok(outcome);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("it has no end")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watchdog_goes_on_when_the_panel_is_stopped_and_the_new_panel_runs() -> Result<()> {
    let (panel, config) = panel(&behaving(old(), "slow"), &new()).await?;
    assert!(ask(&panel, &config, &["apply", CORRECTION, "--yes"]).await?);
    assert_eq!(end(&panel).await?, Outcome::Applied);
    assert!(panel.holds(&new())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.1"));
    assert_eq!(
        panel.service().happened(),
        ["start 1.0.0", "stop 1.0.0", "start 1.0.1"]
    );
    assert!(ask(&panel, &config, &["rollback", "component", "--yes"]).await?);
    assert_eq!(end(&panel).await?, Outcome::RolledBack);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_panel_that_is_ill_is_taken_back_by_the_watchdog() -> Result<()> {
    let (panel, config) = panel(&old(), &behaving(new(), "ill")).await?;
    assert!(ask(&panel, &config, &["apply", CORRECTION, "--yes"]).await?);
    assert_eq!(end(&panel).await?, Outcome::Failed);
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_watchdog_is_killed_too_the_next_start_undoes() -> Result<()> {
    // Its order to stop kills it, and is carried out afterwards.
    let old = behaving(old(), "killer");
    let (panel, config) = panel(&old, &new()).await?;
    assert!(ask(&panel, &config, &["apply", CORRECTION, "--yes"]).await?);
    let recovered = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(&config)
        .args(["recover", "--json"])
        .output()
        .await?;
    assert!(recovered.status.success(), "{recovered:?}");
    assert_eq!(end(&panel).await?, Outcome::Failed);
    assert!(panel.holds(&old)?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

/// Has the journal say that what was applied is the panel.
async fn of_the_panel(panel: &Panel) -> Result<()> {
    let store = panel.folder.path().join("store.sqlite");
    tampered::run(&store, "UPDATE applications SET panel = 1").await
}

/// A panel whose power failed at this step of a correction that restarts it, and which has come up since.
async fn after_a_power_failure(step: Step, exchange: Exchange) -> Result<(Panel, PathBuf)> {
    let (panel, config) = panel_with(Restart::Component, &old(), &new()).await?;
    // What the watchdog did until then, done here.
    let applier = panel.applier(exchange, std::sync::Arc::new(EndAfter(step)));
    let cut_off = panel.apply_with(&applier, "first", None, false).await;
    assert!(
        matches!(cut_off, Err(ApplyError::Interrupted(_))),
        "{cut_off:?}"
    );
    of_the_panel(&panel).await?;
    if !panel.service().runs() {
        panel.service().start().await?;
    }
    Ok((panel, config))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_comes_up_in_the_new_tree_after_a_power_failure_is_not_stopped_for_good()
-> Result<()> {
    for step in [Step::Swapped, Step::Starting, Step::Started, Step::Healthy] {
        let (panel, config) = after_a_power_failure(step, Exchange::Atomic).await?;
        assert!(panel.holds(&new())?);
        // The panel recovers what was cut off, and is itself what has to be stopped for it.
        assert!(ask(&panel, &config, &["recover"]).await?, "{step:?}");
        assert_eq!(end_by_itself(&panel).await?, Outcome::Failed, "{step:?}");
        assert!(panel.holds(&old())?, "{step:?}");
        assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
        let happened = panel.service().happened();
        assert!(
            !happened.contains(&"started twice".to_owned()),
            "{happened:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_comes_up_in_the_old_tree_goes_on_running() -> Result<()> {
    let (panel, config) = after_a_power_failure(Step::Stopped, Exchange::Atomic).await?;
    assert!(
        !ask(&panel, &config, &["recover"]).await?,
        "it is not stopped"
    );
    assert_eq!(end(&panel).await?, Outcome::Failed);
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

/// Recovers by something that has no watchdog to hand over to. Gives the outcome, and whether it wanted one.
async fn recovered_without_a_watchdog(panel: &Panel) -> Result<(Outcome, bool)> {
    let recovered = panel.plain().watched_by(None).recover(now()).await?;
    let run = recovered.first().context("it was cut off")?;
    let wanted_one = run.reason.as_ref().is_some_and(|reason| {
        let refused = ApplyError::Watchdog {
            component: "component".to_owned(),
            reason: "not configured".to_owned(),
        };
        reason.ends_with(&refused.to_string())
    });
    Ok((run.outcome, wanted_one))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_is_stopped_is_started_by_the_watchdog_alone_and_one_that_runs_needs_none()
-> Result<()> {
    let handed_over = (Outcome::InProgress, true);
    // Whoever recovers may be a part of the panel that is about to be started.
    let (panel, _) = after_a_power_failure(Step::Stopped, Exchange::Atomic).await?;
    panel.service().end();
    assert_eq!(recovered_without_a_watchdog(&panel).await?, handed_over);
    assert!(!panel.service().runs(), "it was started here");
    // Of the new tree one that runs has to be stopped.
    let (panel, _) = after_a_power_failure(Step::Swapped, Exchange::Atomic).await?;
    assert_eq!(recovered_without_a_watchdog(&panel).await?, handed_over);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.1"));
    // Of the old tree it goes on.
    let (panel, _) = after_a_power_failure(Step::Stopped, Exchange::Atomic).await?;
    let settled = recovered_without_a_watchdog(&panel).await?;
    assert_eq!(settled, (Outcome::Failed, false));
    let happened = panel.service().happened();
    assert_eq!(happened.last().map(String::as_str), Some("start 1.0.0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_brings_back_a_component_that_a_crash_left_without_a_folder() -> Result<()> {
    let (panel, config) = panel_with(Restart::Component, &old(), &new()).await?;
    let ending = std::sync::Arc::new(EndAfter(Step::MovedAside));
    let applier = panel.applier(Exchange::Renames, ending);
    let cut_off = panel.apply_with(&applier, "first", None, false).await;
    assert!(matches!(cut_off, Err(ApplyError::Interrupted(_))));
    assert!(!panel.component().exists(), "for this moment it is nowhere");
    let recovered = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(&config)
        .args(["recover", "--json"])
        .output()
        .await?;
    assert!(recovered.status.success(), "{recovered:?}");
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_whose_watchdog_does_not_start_leaves_the_new_panel_as_it_is() -> Result<()> {
    let (panel, _) = panel_with(Restart::Component, &old(), &new()).await?;
    panel.apply().await?;
    of_the_panel(&panel).await?;
    let watchdog = Watchdog {
        program: "/nowhere/spacecp-advisories".into(),
        config: "/nowhere/config.toml".into(),
        log: panel.folder.path().join("watchdog.log"),
    };
    let applier = panel.plain().watched_by(Some(watchdog));
    let refused = applier
        .roll_back("first", false, "for a test", now(), &())
        .await;
    assert!(
        matches!(refused, Err(ApplyError::Watchdog { .. })),
        "{refused:?}"
    );
    let history = panel.plain().history(1).await?;
    assert_eq!(
        (history[0].outcome, history[0].reversible),
        (Outcome::Applied, true)
    );
    assert!(panel.holds(&new())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.1"));
    Ok(())
}
