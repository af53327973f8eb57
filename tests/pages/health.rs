//! What whatever watches over a panel is told.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use serde_json::{Value, json};
use spacecp_advisories::{App, config::Config, web};
use tokio::{
    net::TcpListener,
    time::{sleep, timeout},
};

use crate::{
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

/// A pipe: whoever opens it to read from it waits until this is dropped.
struct Pipe(PathBuf);

impl Pipe {
    fn at(path: PathBuf) -> Result<Self> {
        mknodat(CWD, &path, FileType::Fifo, Mode::from(0o600), 0)?;
        Ok(Self(path))
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut both = fs::File::options();
        both.read(true).write(true);
        both.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
        let opened = both.open(&self.0);
        let _ = fs::remove_file(&self.0);
        drop(opened);
    }
}

/// The panel with its plugin's component in another place.
async fn with_component(panel: &Panel, component: &Path) -> Result<App> {
    let text = fs::read_to_string(panel.folder().join("panel.toml"))?;
    let lines = text.lines().map(|line| {
        if line.starts_with("component = ") {
            format!("component = {component:?}")
        } else {
            line.to_owned()
        }
    });
    let config = panel.folder().join("elsewhere.toml");
    fs::write(&config, lines.collect::<Vec<_>>().join("\n"))?;
    Ok(App::open(Config::load(&config)?).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn while_the_plugin_is_loading_a_panel_answers_and_says_that_it_is_not_ready() -> Result<()> {
    let mut panel = Panel::raise().await?;
    panel.stop_serving().await?;
    let pipe = Pipe::at(panel.folder().join("pipe"))?;
    let app = with_component(&panel, &pipe.0).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(web::serve(listener, app.backend(), std::future::pending()));
    for _ in 0..3 {
        let mut visitor = Visitor::new(address);
        let health = timeout(PATIENCE, visitor.get("/health")).await;
        assert_eq!(health.context("/health waits")??.status, 200);
        let ready = timeout(PATIENCE, visitor.get("/health/ready")).await;
        let ready = ready.context("/health/ready waits")??;
        assert_eq!(ready.status, 503);
        let told: Value = serde_json::from_str(&ready.body)?;
        let reasons = json!(["plugin-loading"]);
        assert_eq!(told, json!({ "ready": false, "reasons": reasons }));
    }
    drop(pipe);
    let told: Value = serde_json::from_str(&settled(Visitor::new(address)).await?.body)?;
    assert_eq!(told["reasons"], json!(["plugin-missing"]));
    serving.abort();
    Ok(())
}
