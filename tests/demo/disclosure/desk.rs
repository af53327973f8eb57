//! The vendor's desk, by its own program: keys, a feed over HTTP, cases.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::Value;
use spacecp_tests::{artifacts, feed_server::FeedServer, settings};
use tempfile::TempDir;

/// A desk whose feed is served.
pub(super) struct Desk {
    folder: TempDir,
    feed: FeedServer,
}

impl Desk {
    /// Keys for every role, a root, a signed plugin, and an empty feed that is current.
    pub(super) async fn open() -> Result<Self> {
        let folder = TempDir::with_prefix("spacecp-desk-")?;
        let feed = FeedServer::start(folder.path().join("feed")).await?;
        let desk = Self { folder, feed };
        for role in ["root", "feed", "advisory", "correction", "plugin", "report"] {
            desk.well(&["keys", "new", role, "--unencrypted"])?;
        }
        desk.well(&["root", "new", &desk.feed(), "--audience", "customers"])?;
        let component = desk.path("advisories.wasm");
        fs::copy(artifacts::PLUGIN, &component)?;
        let component = component.display().to_string();
        let version = ["--version", "0.1.0", "--release", "1"];
        desk.well(&[&["plugin", "sign", &component], &version[..]].concat())?;
        desk.broadcast()?;
        Ok(desk)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder of the feed.
    pub(super) fn feed(&self) -> String {
        self.path("feed").display().to_string()
    }

    /// Where panels find it.
    pub(super) fn feed_url(&self) -> String {
        self.feed.url()
    }

    /// The first root, which panels pin.
    pub(super) fn root(&self) -> PathBuf {
        self.path("feed/root/1.root")
    }

    pub(super) fn well(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
            .arg("--desk")
            .arg(self.folder.path())
            .args(arguments)
            .env_remove("SPACECP_PASSPHRASE")
            .env("SPACECP_BY", "ada")
            .stdin(Stdio::null())
            .output()?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    pub(super) fn json(&self, arguments: &[&str]) -> Result<Value> {
        let said = self.well(&[&["--json"], arguments].concat())?;
        Ok(serde_json::from_str(&said)?)
    }

    /// Takes the next step of a case.
    pub(super) fn step(&self, case: &str, step: &str, more: &[&str]) -> Result<String> {
        self.well(&[&["case", step, case], more].concat())
    }

    pub(super) fn state(&self, case: &str) -> Result<String> {
        let shown = self.json(&["case", "show", case])?;
        let state = shown["state"].as_str();
        Ok(state.context("a case has a state")?.to_owned())
    }

    pub(super) fn broadcast(&self) -> Result<String> {
        self.well(&["broadcast", &self.feed()])
    }

    /// Makes the revision for everybody current, before the date that was planned.
    pub(super) fn disclose(&self, id: &str) -> Result<String> {
        self.well(&["broadcast", &self.feed(), "--disclose", id])
    }

    /// Writes the web root that everybody may read, and returns it.
    pub(super) fn tell_everybody(&self) -> Result<PathBuf> {
        fs::write(
            self.path("publisher.toml"),
            settings::text(Timestamp::now()),
        )?;
        let root = self.path("web");
        self.well(&[
            "disclose",
            &self.feed(),
            "--out",
            &root.display().to_string(),
        ])?;
        Ok(root)
    }

    /// Whether any file that strangers can fetch has these words in it, or in its name.
    pub(super) fn gives_away(&self, words: &str) -> Result<bool> {
        holds(&self.path("feed"), words)
    }
}

/// Whether any file below a folder has these words in it, or in its name.
pub(super) fn holds(folder: &Path, words: &str) -> Result<bool> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.path().to_string_lossy().contains(words) {
            return Ok(true);
        }
        if entry.file_type().is_file() {
            let bytes = fs::read(entry.path())?;
            let found = bytes
                .windows(words.len())
                .any(|part| part == words.as_bytes());
            if found {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
