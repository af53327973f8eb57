//! A customer's machine with a panel, by its own program; one of them serves its pages.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Result, ensure};
use serde_json::Value;
use spacecp_advisories::{App, config::Config, web};
use spacecp_tests::{
    compiled,
    ground::{Age, Ground},
};
use tempfile::TempDir;
use tokio::{net::TcpListener, process::Command, task::JoinHandle};

use super::desk::Desk;

pub(super) const PASSWORD: &str = "correct horse battery staple";

pub(super) struct Machine {
    folder: TempDir,
    ground: Ground,
    address: std::net::SocketAddr,
    listener: Option<TcpListener>,
}

impl Machine {
    /// A machine that has not followed the desk's feed yet.
    pub(super) async fn new(desk: &Desk) -> Result<Self> {
        let folder = TempDir::with_prefix("spacecp-machine-")?;
        let ground = Ground::lay(&folder.path().join("panel"), Age::Flawed)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let machine = Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            folder,
            ground,
        };
        fs::write(machine.config(), machine.configuration(desk)?)?;
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        compiled::share(target, &machine.folder.path().join("state"))?;
        Ok(machine)
    }

    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("panel.toml")
    }

    fn configuration(&self, desk: &Desk) -> Result<String> {
        let recipient = fs::read_to_string(desk.path("keys/report.recipient"))?;
        let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
        Ok(format!(
            "state = {state}\n\
             [feed]\nfrom = {feed:?}\naudience = \"customers\"\nroot = {root}\n\
             [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
             [serve]\nlisten = \"{address}\"\nsecure-cookie = false\n\
             [[serve.users]]\nname = \"ada\"\nrole = \"administrator\"\npassword-hash = {hash:?}\n\
             [report]\nrecipient = {recipient:?}\n{inventory}",
            state = quoted(self.folder.path().join("state")),
            feed = desk.feed_url(),
            root = quoted(desk.root()),
            manifest = quoted(desk.path("advisories.manifest")),
            component = quoted(desk.path("advisories.wasm")),
            address = self.address,
            hash = web::hash_password(PASSWORD)?,
            recipient = recipient.trim(),
            inventory = self.ground.inventory_toml(),
        ))
    }

    /// Serves the pages until the machine's test ends.
    pub(super) async fn serve(&mut self) -> Result<JoinHandle<()>> {
        let app: App = App::open(Config::load(&self.config())?).await?;
        let listener = self.listener.take().expect("it is served once");
        Ok(tokio::spawn(async move {
            let ended = web::serve(listener, app.backend(), std::future::pending()).await;
            drop(ended);
        }))
    }

    pub(super) async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut program = Command::new(env!("CARGO_BIN_EXE_panel-program"));
        let program = program.arg("--config").arg(self.config()).args(arguments);
        Ok(program.output().await?)
    }

    pub(super) async fn well(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments).await?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{arguments:?}: {complaint}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Makes the panel's identity, and has the desk enrol it.
    pub(super) async fn enrolled(&self, desk: &Desk, name: &str) -> Result<()> {
        let recipient = self.well(&["identity"]).await?;
        desk.well(&["panel", "enrol", name, recipient.trim()])?;
        Ok(())
    }

    /// Follows the feed, and says whether the panel has an advisory.
    pub(super) async fn knows(&self, advisory: &str) -> Result<bool> {
        self.well(&["sync"]).await?;
        Ok(self.well(&["list"]).await?.contains(advisory))
    }

    /// The verdict on a component, as a script reads it.
    pub(super) async fn verdict(&self, advisory: &str, component: &str) -> Result<Value> {
        let output = self.run(&["check", "--json"]).await?;
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let mut verdicts = report["verdicts"].as_array().into_iter().flatten();
        let found = verdicts.find(|verdict| {
            verdict["advisory"]["id"] == advisory && verdict["component"] == component
        });
        Ok(found.cloned().unwrap_or_default())
    }
}
