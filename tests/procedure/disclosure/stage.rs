//! A vendor with a feed, and the web root that is made of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::Advisory;
use spacecp_publisher::{
    corrections,
    disclosure::{self, Disclosure, Public, Sequence, Settings, Webroot},
};
use spacecp_tests::{catalog, settings, vendor::Vendor};
use tempfile::TempDir;

/// The recipient of a report key that nobody holds.
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

pub(super) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

pub(super) fn settings() -> Result<Settings> {
    let recipient = RECIPIENT.parse()?;
    let text = settings::text(now());
    Ok(Settings::read(
        Path::new("publisher.toml"),
        &text,
        Some(&recipient),
        now(),
    )?)
}

/// A vendor and its web root.
pub(super) struct Stage {
    pub(super) folder: TempDir,
    pub(super) vendor: Vendor,
}

impl Stage {
    pub(super) fn open() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let vendor = Vendor::new(folder.path(), catalog::AUDIENCE, now())?;
        let keys = folder.path().join("desk/keys");
        fs::create_dir_all(&keys)?;
        fs::write(keys.join("report.recipient"), format!("{RECIPIENT}\n"))?;
        // The program goes by this machine's clock.
        let text = settings::text(Timestamp::now());
        fs::write(folder.path().join("desk/publisher.toml"), text)?;
        Ok(Self { folder, vendor })
    }

    /// A vendor that has broadcast these.
    pub(super) fn with(advisories: impl IntoIterator<Item = Advisory>) -> Result<Self> {
        let mut stage = Self::open()?;
        for advisory in advisories {
            stage.sign(advisory)?;
        }
        stage.vendor.broadcast()?;
        Ok(stage)
    }

    /// Signs an advisory with the corrections that it names, those of the catalogue.
    pub(super) fn sign(&mut self, advisory: Advisory) -> Result<()> {
        for id in &advisory.corrections {
            let fixes = catalog::corrections().into_iter();
            let mut fixes = fixes.filter(|fix| *fix.id == **id);
            let fix = fixes.next().context("the catalogue has it")?;
            let mut facts = self.vendor.facts(&fix)?;
            facts.advisories = vec![advisory.id.clone()];
            let (old, new) = (
                spacecp_tests::scratch::folder()?,
                spacecp_tests::scratch::folder()?,
            );
            fs::write(old.path().join("file"), "old")?;
            fs::write(new.path().join("file"), format!("new, by {id}"))?;
            let built = corrections::build(old.path(), new.path(), facts)?;
            self.vendor.publish_built(built)?;
        }
        self.vendor.publish_advisory(advisory)
    }

    pub(super) fn webroot(&self) -> PathBuf {
        self.folder.path().join("web")
    }

    /// What the site would be.
    pub(super) fn site(&self) -> Result<Disclosure> {
        let public = Public::of(self.vendor.feed())?;
        Ok(disclosure::site(&public, &settings()?, None, now())?)
    }

    /// Writes the web root, without the program.
    pub(super) fn publish(&self) -> Result<Disclosure> {
        let made = self.site()?;
        let root = Webroot::at(self.webroot());
        root.become_site(&root.lock()?, &made.site, Sequence::default())?;
        Ok(made)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vendor-program"));
        command
            .arg("--desk")
            .arg(self.folder.path().join("desk"))
            .args(arguments)
            .env_remove("SPACECP_PASSPHRASE")
            .stdin(std::process::Stdio::null());
        Ok(command.output()?)
    }

    /// The program's own disclosure; says what it said.
    pub(super) fn disclose(&self) -> Result<Value> {
        let feed = self.vendor.feed_dir().display().to_string();
        let out = self.webroot().display().to_string();
        let output = self.run(&["--json", "disclose", &feed, "--out", &out])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    pub(super) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.webroot().join(path)).with_context(|| path.to_owned())
    }
}

/// Every file below a folder, with its bytes.
pub(super) fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder)?.display().to_string();
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(files)
}
