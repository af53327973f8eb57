//! A small panel with a correction that can be applied, and pages of its databases to overwrite.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config};
use spacecp_tests::{
    artifacts,
    catalog::Fix,
    compiled,
    ground::{Age, Ground},
    vendor::Vendor,
};
use tempfile::TempDir;

use crate::panel::{advisory, id};

const ADVISORY: &str = "SPACECP-SA-2026-0001";
pub(crate) const CORRECTION: &str = "SPACECP-SC-2026-0001";
const COMPONENT: &str = "minecraft:server";

/// Bytes of a page of SQLite, unless it is told otherwise.
const PAGE: usize = 4096;

/// The files of a database.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// The databases in the state folder.
const DATABASES: [&str; 3] = ["feed.sqlite", "store.sqlite", "journal.sqlite"];

/// The panel.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    /// Where the panel and its state are.
    disk: PathBuf,
    vendor: Vendor,
    /// Advisories that were published so far.
    published: u32,
}

/// What a page is overwritten with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum With {
    Zeros,
    Noise,
}

/// The databases as they were at one time.
pub(crate) struct Saved(Vec<(PathBuf, Option<Vec<u8>>)>);

impl Stage {
    /// A panel that has followed its feed, and whose component is as it was before the correction.
    pub(crate) fn raise() -> Result<Self> {
        Self::raise_on(Path::new(""))
    }

    /// The same on a disk of its own; the vendor is elsewhere.
    pub(crate) fn raise_on(disk: &Path) -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let root = folder.path();
        let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
        let before = Ground::lay(&root.join("before"), Age::Flawed)?;
        let after = Ground::lay(&root.join("after"), Age::Corrected)?;
        let fix = Fix {
            id: CORRECTION,
            component: COMPONENT,
            folder: Ground::lobby,
            versions: ["1.17.1", "1.18.1"],
            advisories: &[ADVISORY],
            ignored: &["world/", "logs/", "server.properties"],
        };
        vendor.publish_correction(&fix, &before, &after)?;
        let mut told = advisory(ADVISORY, COMPONENT, &[("0", Some("1.18.1"), None)]);
        told.corrections = vec![id(CORRECTION)];
        // Some of its pages are taken up by one document alone.
        told.issue = "It is **flawed**. ".repeat(2_000);
        vendor.publish_advisory(told)?;
        for number in 2..12 {
            let other = format!("SPACECP-SA-2026-{number:04}");
            let other = advisory(&other, "spacecp:other", &[("0", Some("9.9.9"), None)]);
            vendor.publish_advisory(other)?;
        }
        vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
        vendor.broadcast()?;
        let disk = root.join(disk);
        Ground::lay(&disk.join("panel"), Age::Flawed)?;
        let stage = Self {
            folder,
            disk,
            vendor,
            published: 11,
        };
        fs::write(stage.config(), stage.configuration())?;
        compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &stage.state())?;
        stage.works(&["sync"])?;
        Ok(stage)
    }

    fn configuration(&self) -> String {
        let quoted = |path: &Path| format!("{:?}", path.display().to_string());
        let vendor = &self.vendor;
        format!(
            "state = {state}\n\
             [feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
             [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
             [[component]]\nname = \"lobby\"\nadvisory-name = \"{COMPONENT}\"\nscheme = \"semver\"\n\
             folder = {lobby}\nkeep = [\"world/\", \"logs/\", \"server.properties\"]\n\
             version = {{ file = \"version_history.json\", pattern = '\\(MC: ([^)]+)\\)' }}\n",
            state = quoted(&self.state()),
            feed = quoted(vendor.feed_dir()),
            pinned = quoted(&self.pinned()),
            manifest = quoted(vendor.plugin_manifest()),
            component = quoted(vendor.plugin_component()),
            lobby = quoted(&self.disk.join("panel/servers/lobby")),
        )
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("panel.toml")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.disk.join("state")
    }

    /// Where the panel and its state are.
    pub(crate) fn disk(&self) -> &Path {
        &self.disk
    }

    /// Publishes one more advisory.
    pub(crate) fn publish_more(&mut self) -> Result<()> {
        self.published += 1;
        let named = format!("SPACECP-SA-2026-{:04}", self.published);
        let mut told = advisory(&named, "spacecp:other", &[("0", Some("9.9.9"), None)]);
        told.issue = "It is **flawed**. ".repeat(4_000);
        self.vendor.publish_advisory(told)?;
        self.vendor.broadcast()?;
        Ok(())
    }

    /// The root that is pinned.
    pub(crate) fn pinned(&self) -> PathBuf {
        self.vendor.root_path().to_owned()
    }

    /// The panel, as a program that embeds it has it.
    pub(crate) async fn app(&self) -> Result<App> {
        Ok(App::open(Config::load(&self.config())?).await?)
    }

    /// What a command prints, and how it ends. It never panics.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code().is_some_and(|code| code <= 4) && !said.contains("panicked"),
            "{arguments:?}: {} {said}",
            output.status
        );
        Ok(output)
    }

    /// The same for a command that has to do what it says.
    pub(crate) fn works(&self, arguments: &[&str]) -> Result<Output> {
        let output = self.run(arguments)?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(output)
    }

    /// What a check says of every component, and how it ends.
    pub(crate) fn verdicts(&self) -> Result<(Option<i32>, serde_json::Value)> {
        let output = self.run(&["check", "--format", "json"])?;
        let said = String::from_utf8_lossy(&output.stderr);
        let whole: serde_json::Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| anyhow::anyhow!("{error}: {said}"))?;
        let parts = serde_json::json!([whole["summary"], whole["verdicts"], whole["unreadable"]]);
        Ok((output.status.code(), parts))
    }

    /// The version that the component has now.
    pub(crate) fn version(&self) -> Result<String> {
        let path = "panel/servers/lobby/version_history.json";
        Ok(fs::read_to_string(self.disk.join(path))?)
    }

    /// Brings everything that the databases hold into their own files, as no process has them open.
    pub(crate) async fn at_rest(&self) -> Result<()> {
        for name in DATABASES {
            let path = self.state().join(name);
            if !path.exists() {
                continue;
            }
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
            let mut connection = sqlx::ConnectOptions::connect(&options).await?;
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(&mut connection)
                .await?;
            sqlx::Connection::close(connection).await?;
        }
        Ok(())
    }

    /// The databases as they are, at rest.
    pub(crate) async fn save(&self) -> Result<Saved> {
        self.at_rest().await?;
        let mut saved = Vec::new();
        for name in DATABASES {
            for part in PARTS {
                let path = self.state().join(format!("{name}{part}"));
                saved.push((path.clone(), fs::read(path).ok()));
            }
        }
        Ok(Saved(saved))
    }

    /// Pages of a database.
    pub(crate) fn pages(&self, database: &str) -> Result<usize> {
        let length = fs::metadata(self.state().join(database))?.len();
        Ok(usize::try_from(length)? / PAGE)
    }

    /// Overwrites a page of a database, by another process: SQLite would lose its locks in this one.
    pub(crate) fn overwrite(&self, database: &str, page: usize, with: With) -> Result<()> {
        let contents = self.folder.path().join("page");
        fs::write(&contents, with.page(page))?;
        let done = Command::new("dd")
            .arg(format!("if={}", contents.display()))
            .arg(format!("of={}", self.state().join(database).display()))
            .args(["conv=notrunc", "status=none"])
            .args([format!("bs={PAGE}"), format!("seek={page}")])
            .status()?;
        ensure!(done.success(), "page {page} of {database}");
        Ok(())
    }
}

impl Saved {
    /// Puts the databases back.
    pub(crate) fn put_back(&self) -> Result<()> {
        for (path, contents) in &self.0 {
            match contents {
                Some(contents) => {
                    let mut file = File::options()
                        .create(true)
                        .truncate(false)
                        .write(true)
                        .open(path)?;
                    file.set_len(0)?;
                    file.seek(SeekFrom::Start(0))?;
                    file.write_all(contents)?;
                }
                None if path.exists() => fs::remove_file(path)?,
                None => {}
            }
        }
        Ok(())
    }
}

impl With {
    fn page(self, number: usize) -> Vec<u8> {
        let mut word = number as u64 + 0x9e37_79b9_7f4a_7c15;
        let noise = std::iter::repeat_with(|| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word.to_le_bytes()[0]
        });
        match self {
            Self::Zeros => vec![0; PAGE],
            Self::Noise => noise.take(PAGE).collect(),
        }
    }
}

/// Rounds, each with a page of so many and something of a list that goes with it: all combinations when there are
/// rounds enough, and otherwise as different ones as there can be.
pub(crate) fn rounds<T>(
    rounds: usize,
    pages: usize,
    list: &[T],
) -> impl Iterator<Item = (usize, With, &T)> {
    let all = pages * 2 * list.len();
    let rounds = rounds.min(all);
    (0..rounds).map(move |round| {
        // Every page has its turn before any has another, and the list is gone through meanwhile.
        let page = round * pages.max(1) / rounds.max(1);
        let (page, turn) = if rounds < pages {
            (page, round)
        } else {
            (round % pages, round / pages + round)
        };
        let with = if round % 2 == 0 {
            With::Zeros
        } else {
            With::Noise
        };
        (page, with, &list[turn % list.len()])
    })
}
