//! A whole panel with one component, and its vendor: a real feed, a real store, the plugin in its sandbox.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{
    App,
    config::Config,
    plugin::{Counts, bindings::exports::spacecp::advisories::exposure::ExposureReport},
};
use spacecp_tests::{artifacts, compiled, vendor::Vendor};
use tempfile::TempDir;

use crate::panel::advisory;

/// The advisory about the component, which is in version 1.0.0.
pub(crate) const ADVISORY: &str = "SPACECP-SA-2026-0001";

/// The name by which advisories know it.
pub(crate) const COMPONENT: &str = "spacecp:component";

/// A panel with one component, and its vendor.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) vendor: Vendor,
}

/// What one start of the panel said, and whether it had to ask the plugin for it.
pub(crate) struct Answer {
    pub(crate) report: ExposureReport,
    pub(crate) asked: bool,
}

impl House {
    /// A panel that has heard of one advisory and has been asked once.
    pub(crate) async fn that_was_asked() -> Result<Self> {
        let house = Self::with_plugin(Path::new(artifacts::PLUGIN)).await?;
        let first = house.asked().await?;
        ensure!(first.asked, "nobody had asked before");
        Ok(house)
    }

    /// A panel that has heard of one advisory, with another plugin that its vendor has signed.
    pub(crate) async fn with_plugin(component: &Path) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
        vendor.publish_advisory(advisory(ADVISORY, COMPONENT, &[("0", Some("1.0.1"), None)]))?;
        vendor.sign_plugin(component)?;
        vendor.broadcast()?;
        fs::create_dir(root.join("component"))?;
        fs::write(root.join("component/VERSION"), "1.0.0\n")?;
        fs::write(root.join("panel.toml"), configuration(root, &vendor))?;
        let panel = Self { folder, vendor };
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &panel.state())?;
        panel.app().await?.panel.feed.sync().await?;
        Ok(panel)
    }

    /// The panel, started anew.
    pub(crate) async fn app(&self) -> Result<App> {
        Ok(App::open(Config::load(&self.folder.path().join("panel.toml"))?).await?)
    }

    /// Asks the panel after a start.
    pub(crate) async fn asked(&self) -> Result<Answer> {
        let app = self.app().await?;
        let report = app.panel.exposure.report().await?;
        let asked = app.panel.exposure.plugin_counts() != Counts::default();
        Ok(Answer { report, asked })
    }

    /// Its state folder.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Where the report is remembered.
    pub(crate) fn file(&self) -> PathBuf {
        self.state().join("remembered-report")
    }

    /// How a check ends, and what it prints.
    pub(crate) fn check(&self) -> Result<(Option<i32>, String)> {
        self.told(&["check", "--format", "json"])
    }

    /// How a command ends, and what it prints.
    pub(crate) fn told(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
            .args(arguments)
            .arg("--config")
            .arg(self.folder.path().join("panel.toml"))
            .output()?;
        Ok((output.status.code(), String::from_utf8(output.stdout)?))
    }

    /// Changes a byte of every document in its store.
    pub(crate) async fn tamper_with_documents(&self) -> Result<()> {
        let feed = self.state().join("feed.sqlite");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(feed);
        let pool = sqlx::SqlitePool::connect_with(options).await?;
        sqlx::query(
            "UPDATE documents SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) || x'00' AS BLOB)",
        )
        .execute(&pool)
        .await?;
        pool.close().await;
        Ok(())
    }

    /// What is remembered has to go: the plugin is asked, says the same, and is remembered again.
    pub(crate) async fn is_asked_again(&self) -> Result<()> {
        let mended = self.asked().await?;
        ensure!(mended.asked, "the plugin was not asked");
        let after = self.asked().await?;
        ensure!(!after.asked, "what it said was not remembered");
        ensure!(after.report == mended.report, "{:?}", after.report);
        ensure!(after.report.summary.exposed == 1, "{:?}", after.report);
        Ok(())
    }
}

fn configuration(root: &Path, vendor: &Vendor) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [[component]]\nname = \"component\"\nadvisory-name = \"{COMPONENT}\"\nscheme = \"semver\"\n\
         folder = {folder}\nversion = {{ file = \"VERSION\", pattern = '(.+)' }}\n",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        folder = quoted(&root.join("component")),
    )
}
