//! A command that is told to end by a signal while the component is stopped for it.

use std::{fs, os::unix::process::ExitStatusExt, path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use spacecp_advisories::apply::Outcome;
use spacecp_contract::Restart;
use tokio::process::{Child, Command};

use crate::{
    panel::panel_with,
    tree::{CORRECTION, Panel, new, now, old},
};

/// A panel whose order to stop waits for a file, and the command that applies a correction there.
async fn being_stopped() -> Result<(Panel, Child)> {
    let (panel, config) = panel_with(Restart::Component, &old(), &new()).await?;
    let at = |name: &str| panel.folder.path().join(name).display().to_string();
    fs::write(
        at("stop"),
        format!(
            "touch {}\nwhile ! test -e {}; do sleep 0.05; done\nexec \"$@\"\n",
            at("stopping"),
            at("go")
        ),
    )?;
    let child = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg(&config)
        .args(["apply", CORRECTION, "--yes"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(at("said"))?)
        .kill_on_drop(true)
        .spawn()?;
    until("it is being stopped", || {
        Path::new(&at("stopping")).exists()
    })
    .await?;
    Ok((panel, child))
}

async fn until(what: &str, is_so: impl Fn() -> bool) -> Result<()> {
    for _ in 0..1_200 {
        if is_so() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("never: {what}")
}

fn send(child: &Child, signal: Signal) -> Result<()> {
    let id = i32::try_from(child.id().context("it runs")?)?;
    Ok(kill_process(
        Pid::from_raw(id).context("it has a number")?,
        signal,
    )?)
}

/// Sends it once, and waits until the command has said what it does.
async fn told_once(panel: &Panel, child: &Child, signal: Signal) -> Result<()> {
    send(child, signal)?;
    let said = panel.folder.path().join("said");
    until("it says what it does", || {
        fs::read_to_string(&said).is_ok_and(|said| said.contains("completing"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_told_to_end_finishes_what_it_began() -> Result<()> {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let (panel, mut child) = being_stopped().await?;
        told_once(&panel, &child, signal).await?;
        fs::write(panel.folder.path().join("go"), "")?;
        let ended = child.wait().await?;
        ensure!(ended.success(), "{signal:?}: {ended:?}");
        assert!(panel.holds(&new())?, "{signal:?}");
        assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.1"));
        assert_eq!(panel.plain().history(1).await?[0].outcome, Outcome::Applied);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_told_twice_ends_at_once_and_recovery_goes_on() -> Result<()> {
    let (panel, mut child) = being_stopped().await?;
    told_once(&panel, &child, Signal::TERM).await?;
    send(&child, Signal::TERM)?;
    let ended = child.wait().await?;
    assert_eq!((ended.code(), ended.signal()), (Some(4), None));
    fs::write(panel.folder.path().join("go"), "")?;
    panel.plain().recover(now()).await?;
    assert!(panel.holds(&old())?);
    assert_eq!(panel.service().seen().await.as_deref(), Some("1.0.0"));
    assert_eq!(panel.plain().history(1).await?[0].outcome, Outcome::Failed);
    Ok(())
}
