//! What runs counts: a correction on disk ends no exposure while the version from before still runs.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::damage::stage::{CORRECTION, Stage};

const ADVISORY: &str = "SPACECP-SA-2026-0001";

/// A server that runs a program of the component's directory, and ends with the test.
struct Server(Child);

impl Server {
    fn start(stage: &Stage) -> Result<Self> {
        let folder = lobby(stage);
        let program = folder.join("server");
        fs::copy("/bin/sleep", &program)?;
        let child = Command::new(program)
            .arg("60")
            .current_dir(folder)
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn lobby(stage: &Stage) -> PathBuf {
    stage.disk().join("panel/servers/lobby")
}

fn check(stage: &Stage) -> Result<(Option<i32>, Value)> {
    let output = stage.run(&["check", "--format", "json"])?;
    Ok((
        output.status.code(),
        serde_json::from_slice(&output.stdout)?,
    ))
}

fn verdict(report: &Value) -> Result<&Value> {
    let verdicts = report["verdicts"].as_array().context("verdicts")?;
    let mut verdicts = verdicts.iter();
    verdicts
        .find(|one| one["component"] == "lobby")
        .context("a verdict")
}

fn said(stage: &Stage, arguments: &[&str]) -> Result<String> {
    let output = stage.run(arguments)?;
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_component_counts_as_affected_until_its_old_process_has_ended() -> Result<()> {
    let stage = Stage::raise()?;
    let server = Server::start(&stage)?;
    stage.works(&["apply", CORRECTION, "--yes", "--overwrite"])?;
    let (code, report) = check(&stage)?;
    assert_eq!(code, Some(1), "{report}");
    let pending = verdict(&report)?;
    assert_eq!(pending["status"], "fixed");
    assert_eq!(pending["mark"], "restart-pending");
    assert_eq!(
        pending["correction"],
        Value::Null,
        "it is not applied twice"
    );
    assert_eq!(report["summary"]["exposed"], 1);
    assert_eq!(report["summary"]["restart_pending"], 1);
    let outdated = &report["restart-pending"][0];
    assert_eq!(outdated["component"], "lobby");
    let process = &outdated["processes"][0];
    assert_eq!(process["pid"], server.0.id());
    assert_eq!(process["name"], "server");
    assert_eq!(process["version"], "1.17.1");
    ensure!(
        outdated["remedy"]
            .as_str()
            .is_some_and(|remedy| !remedy.is_empty())
    );
    let table = said(&stage, &["check"])?;
    assert!(table.contains("restart pending"), "{table}");
    assert!(table.contains(&server.0.id().to_string()), "{table}");
    let sarif: Value = serde_json::from_str(&said(&stage, &["check", "--format", "sarif"])?)?;
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["kind"], "fail");
    assert_eq!(result["properties"]["mark"], "restart-pending");
    drop(server);
    let (code, report) = check(&stage)?;
    assert_eq!(verdict(&report)?["mark"], Value::Null, "{report}");
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["restart-pending"], serde_json::json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_started_after_the_correction_runs_what_is_installed() -> Result<()> {
    let stage = Stage::raise()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let _server = Server::start(&stage)?;
    let (code, report) = check(&stage)?;
    assert_eq!(verdict(&report)?["mark"], Value::Null, "{report}");
    assert_eq!(code, Some(0), "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_says_which_exposures_it_reopens_and_asks_first() -> Result<()> {
    let stage = Stage::raise()?;
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let preview = said(&stage, &["rollback", "lobby", "--dry-run", "--json"])?;
    let preview: Value = serde_json::from_str(&preview)?;
    assert_eq!(preview["reopens"], serde_json::json!([ADVISORY]));
    assert_eq!(preview["incomplete"], Value::Null);
    let refused = stage.run(&["rollback", "lobby"])?;
    assert_eq!(refused.status.code(), Some(3));
    let shown = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(shown.contains(ADVISORY), "{shown}");
    assert_ne!(stage.version()?, flawed, "nothing was rolled back");
    let done = stage.works(&["rollback", "lobby", "--yes", "--json"])?;
    let done: Value = serde_json::from_slice(&done.stdout)?;
    assert_eq!(done["reopens"], serde_json::json!([ADVISORY]));
    assert_eq!(stage.version()?, flawed);
    Ok(())
}
