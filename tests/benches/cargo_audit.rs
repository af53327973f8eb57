//! A whole `check` beside a peer's: `cargo audit` over the same lock file and the same advisories, turn by turn
//! in one run.
//!
//! Both are asked the way their users ask them. The peer also looks whether packages were yanked, which is no
//! question of ours and takes most of its time, so that its figure without that stands beside it.
//!
//! ```console
//! CARGO_AUDIT=~/.cargo/bin/cargo-audit ADVISORY_DB=advisory-db OSV=advisories.jsonl LOCK=Cargo.lock \
//!     cargo bench --profile dev --package spacecp-tests --bench cargo_audit
//! ```
//!
//! `ADVISORY_DB` is a clone of the database of `RustSec`, and `OSV` the same advisories as its export has them: a
//! `.jsonl` file or a folder. GNU time tells the memory of both.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config};
use spacecp_formats::{Format, Limits, Terms, json, to_advisory};
use spacecp_publisher::external::document_files;
use spacecp_tests::{artifacts, vendor::Vendor};

const ROUNDS: usize = 25;

/// What both look at.
struct Asked {
    peer: PathBuf,
    database: PathBuf,
    advisories: PathBuf,
    lock: PathBuf,
}

/// One way to ask, and what it took.
struct Side {
    label: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    times: Vec<Duration>,
    /// KiB.
    memory: Vec<u64>,
}

impl Asked {
    fn of_environment() -> Result<Self> {
        let path = |name: &str, what: &str| {
            let path = std::env::var_os(name).map(PathBuf::from);
            let missing =
                || format!("{name} is not set: {what}. See the head of benches/cargo_audit.rs");
            let path = path.with_context(missing)?;
            ensure!(
                path.exists(),
                "{name} names {}, which is not there: {what}",
                path.display()
            );
            Ok(path)
        };
        Ok(Self {
            peer: path(
                "CARGO_AUDIT",
                "the program cargo-audit, as cargo install leaves it",
            )?,
            database: path("ADVISORY_DB", "a clone of the database of RustSec")?,
            advisories: path(
                "OSV",
                "the same advisories in OSV, a .jsonl file or a folder",
            )?,
            lock: path("LOCK", "the Cargo.lock that both look at")?,
        })
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let asked = Asked::of_environment()?;
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let config = runtime.block_on(panel(folder.path(), &asked))?;
    let mut sides = sides(&asked, &config);
    for side in &sides {
        // The first run warms up whatever there is to warm up.
        side.run()?;
    }
    for _ in 0..ROUNDS {
        for side in &mut sides {
            let time = side.run()?;
            side.times.push(time);
            let memory = side.weigh()?;
            side.memory.push(memory);
        }
    }
    for side in &sides {
        println!(
            "{:<34} {:>9.1} ms   {:>6.1} MiB",
            side.label,
            side.time().as_secs_f64() * 1e3,
            mebibytes(side.peak())
        );
    }
    let [check, _, peer, bare] = &sides;
    for (label, peer) in [("cargo audit", peer), ("cargo audit --no-yanked", bare)] {
        println!(
            "ratio {label:<28} {:>6.2} x time, {:>6.2} x memory",
            peer.time().as_secs_f64() / check.time().as_secs_f64(),
            mebibytes(peer.peak()) / mebibytes(check.peak())
        );
    }
    Ok(())
}

fn sides(asked: &Asked, config: &Path) -> [Side; 4] {
    let side = |label, program: &Path, arguments: &[&str]| Side {
        label,
        program: program.to_owned(),
        arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
        times: Vec::new(),
        memory: Vec::new(),
    };
    let (config, database, lock) = (
        config.display().to_string(),
        asked.database.display().to_string(),
        asked.lock.display().to_string(),
    );
    let ours = Path::new(env!("CARGO_BIN_EXE_panel-program"));
    let audit = ["audit", "-n", "-d", &database, "--file", &lock];
    let without = [
        "audit",
        "-n",
        "--no-yanked",
        "-d",
        &database,
        "--file",
        &lock,
    ];
    [
        side(
            "check, remembered",
            ours,
            &["--config", &config, "check", "--format", "json"],
        ),
        side("--version", ours, &["--version"]),
        side("cargo audit", &asked.peer, &audit),
        side("cargo audit --no-yanked", &asked.peer, &without),
    ]
}

/// A panel that has heard of every advisory of the peer's database and looks at its lock file.
async fn panel(root: &Path, asked: &Asked) -> Result<PathBuf> {
    let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
    for (place, bytes) in document_files::documents(&asked.advisories, Limits::default()) {
        let bytes = bytes.with_context(|| place.to_string())?;
        let document = json::read(&bytes, &Limits::default());
        let document = document.with_context(|| place.to_string())?;
        let taken = to_advisory(Format::Osv, &document, &Terms::public());
        let mut advisory = taken.with_context(|| place.to_string())?.advisory;
        advisory.audience = "customers".parse()?;
        vendor.publish_advisory(advisory)?;
    }
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    vendor.broadcast()?;
    // The peer is told the file; a panel is told where it lies.
    let lock = root.join("Cargo.lock");
    std::fs::copy(&asked.lock, &lock)?;
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let written = format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [[inventory]]\nprovider = \"cargo\"\nplace = {lock}\n",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        lock = quoted(&lock),
    );
    let config = root.join("config.toml");
    std::fs::write(&config, written)?;
    let app = App::open(Config::load(&config)?).await?;
    app.panel.feed.sync().await?;
    let summary = app.panel.exposure.report().await?.summary;
    ensure!(summary.exposed > 0, "there is nothing to find: {summary:?}");
    Ok(config)
}

impl Side {
    /// Runs it to its end.
    fn run(&self) -> Result<Duration> {
        let started = Instant::now();
        let status = Command::new(&self.program)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let time = started.elapsed();
        // Both end with 1 where something was found.
        let ended = status.code();
        ensure!(
            matches!(ended, Some(0 | 1)),
            "{} ended with {status}",
            self.label
        );
        Ok(time)
    }

    /// Its largest resident set in KiB, as GNU time tells it.
    fn weigh(&self) -> Result<u64> {
        let output = Command::new("/usr/bin/time")
            .args(["--quiet", "-f", "%M", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .stdout(Stdio::null())
            .output()
            .context("cannot run GNU time (Debian: time)")?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = told.lines().last().unwrap_or_default();
        last.trim()
            .parse()
            .with_context(|| format!("{}: {last:?} is no size", self.label))
    }

    fn time(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times[times.len() / 2]
    }

    /// KiB.
    fn peak(&self) -> u64 {
        self.memory.iter().copied().max().unwrap_or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
