//! What whatever watches over a panel is told.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use spacecp_advisories::config::Config;
use tokio::time::{sleep, timeout};

use crate::{
    own_process::Serving,
    panel::Panel,
    visitor::{Answer, Visitor},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// What it says once it knows whether it has a plugin.
async fn settled(mut visitor: Visitor) -> Result<Answer> {
    let settled = async {
        loop {
            let answer = visitor.get("/health/ready").await?;
            if !answer.body.contains("plugin-loading") {
                return Ok(answer);
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, settled).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_with_its_plugin_and_fresh_words_is_ready() -> Result<()> {
    let panel = Panel::raise().await?;
    let answer = settled(panel.visitor()).await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told: Value = serde_json::from_str(&answer.body)?;
    assert_eq!(told, json!({ "ready": true, "reasons": [] }));
    Ok(())
}

#[tokio::test]
async fn a_panel_that_has_heard_nothing_and_has_no_plugin_says_both_in_fixed_words() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let answer = settled(panel.visitor()).await?;
    assert_eq!(answer.status, 503);
    let told: Value = serde_json::from_str(&answer.body)?;
    let reasons = json!(["feed-never-heard", "plugin-missing"]);
    assert_eq!(told, json!({ "ready": false, "reasons": reasons }));
    Ok(())
}

/// The program, which takes its time to open this file.
fn slow_to_open(file: &Path, log: &Path) -> Command {
    let mut strace = Command::new("strace");
    // Not its parent: who is stopped at the end of the test is the program.
    strace.args(["-D", "-f", "-qq", "-o"]).arg(log);
    strace.arg("-P").arg(file);
    strace.args([
        "-e",
        "trace=openat",
        "-e",
        "inject=openat:delay_exit=6000000",
    ]);
    strace.arg(env!("CARGO_BIN_EXE_panel-program"));
    strace
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
async fn while_the_plugin_is_loading_a_panel_answers_and_says_that_it_is_not_ready() -> Result<()> {
    let mut panel = Panel::raise().await?;
    panel.stop_serving().await?;
    let config = panel.folder().join("panel.toml");
    let plugin = Config::load(&config)?.plugin;
    let log = panel.folder().join("calls");
    let serving = Serving::start(slow_to_open(&plugin.component, &log), &config)?;
    for _ in 0..3 {
        let mut visitor = serving.visitor();
        let health = timeout(PATIENCE, visitor.get("/health")).await;
        assert_eq!(health.context("/health waits")??.status, 200);
        let ready = timeout(PATIENCE, visitor.get("/health/ready")).await;
        let ready = ready.context("/health/ready waits")??;
        assert_eq!(ready.status, 503);
        let told: Value = serde_json::from_str(&ready.body)?;
        let reasons = json!(["plugin-loading"]);
        assert_eq!(told, json!({ "ready": false, "reasons": reasons }));
    }
    assert_eq!(settled(serving.visitor()).await?.status, 200);
    Ok(())
}
