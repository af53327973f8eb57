//! What applying a correction costs, each figure against the plain work beneath it in the same run.
//!
//! A correction that changes one file in a hundred of a tree of 10,000, against `cp -a
//! --reflink=auto` of that tree and `sync`; the time from the moment before the trees are exchanged
//! until the run-time data is in its place, against the bare exchange; the memory for a payload of
//! 1 GiB, against that for a small one.

#![allow(
    clippy::unwrap_used,
    clippy::case_sensitive_file_extension_comparisons,
    reason = "a bench that cannot go on says so and ends"
)]

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use spacecp_advisories::apply::{Exchange, Interrupted, NoFaults, Step, Steps};
use spacecp_contract::{Blob, Digest, FileChange, FileState};
use spacecp_publisher::corrections::Built;

#[path = "../apply/service.rs"]
#[expect(dead_code, reason = "the tests use it")]
mod service;

#[path = "../apply/tree.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod tree;

#[path = "../apply/site.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod site;

use site::Site;
use tree::{Panel, Tree, now};

const FILES: usize = 10_000;
const ROUNDS: usize = 5;
/// A child of this bench that only applies, and is looked at from outside.
const CHILD: &str = "--apply-only";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        // `cargo test --benches` asks whether it starts; that is all it needs to know.
        Some("--test") => Ok(()),
        Some(CHILD) => apply_only(&arguments.next().context("a folder")?),
        _ => figures(),
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn figures() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let (mut applied, mut copied, mut down, mut bare) = (vec![], vec![], vec![], vec![]);
    let panel = runtime
        .block_on(Panel::new(&large("1.0.0"), &large("1.0.1")))?
        .keeping(&["data/"]);
    spacecp_tests::ground::write(&panel.component(), "data/world", "played for years")?;
    for round in 0..ROUNDS {
        // Each side begins with everything before it on the disk, and each goes first in its turn, as a
        // disk may be quicker for whoever finds it rested.
        sync()?;
        let to = panel.folder.path().join("panel/copy");
        if round % 2 == 0 {
            copied.push(copy(&panel.component(), &to)?);
            sync()?;
        }
        let watch = Arc::new(Watch::default());
        let id = format!("round-{round}");
        let began = Instant::now();
        let applier = panel.applier(Exchange::Atomic, watch.clone());
        runtime.block_on(panel.apply_with(&applier, &id, None, false))?;
        applied.push(began.elapsed());
        down.push(watch.between(Step::Swapping, Step::Carried)?);
        bare.push(exchange(&panel)?);
        let plain = panel.applier(Exchange::Atomic, Arc::new(NoFaults));
        runtime.block_on(plain.roll_back(&id, false, "the next round", now(), &()))?;
        if round % 2 == 1 {
            sync()?;
            copied.push(copy(&panel.component(), &to)?);
        }
    }
    let (applied, copied) = (median(applied), median(copied));
    let (down, bare) = (median(down), median(bare));
    println!(
        "apply 1 % of {FILES} files      {:>9.1} ms",
        millis(applied)
    );
    println!("cp -a --reflink=auto; sync    {:>9.1} ms", millis(copied));
    println!(
        "ratio apply / copy            {:>9.2}   (budget 1.2)",
        ratio(applied, copied)
    );
    println!("exchange and carry            {:>9.2} ms", millis(down));
    println!("bare exchange and syncs       {:>9.2} ms", millis(bare));
    println!("ratio exchange / bare         {:>9.2}", ratio(down, bare));
    drop(panel);
    let (small, huge) = (memory(1)?, memory(1024)?);
    println!(
        "memory, payload of 1 MiB      {:>9.1} MiB",
        mebibytes(small)
    );
    println!("memory, payload of 1 GiB      {:>9.1} MiB", mebibytes(huge));
    let more = mebibytes(huge.saturating_sub(small));
    println!("more for 1 GiB                {more:>9.1} MiB (budget 32)");
    Ok(())
}

/// A tree of many files of the size that sources have; between two versions one in a hundred differs.
fn large(version: &str) -> Tree {
    let mut files = Tree::from([("VERSION".to_owned(), format!("{version}\n"))]);
    for number in 0..FILES {
        let belongs = if number % 100 == 0 { version } else { "any" };
        let line = format!("file {number} of {belongs}\n");
        let text = line.repeat(1 + (number * 37) % 400);
        files.insert(format!("lib/{:03}/{number}.js", number % 250), text);
    }
    files
}

fn sync() -> Result<()> {
    ensure!(Command::new("sync").status()?.success(), "sync");
    Ok(())
}

/// The plain work beneath an application: the same tree once more, on the disk.
fn copy(tree: &Path, to: &Path) -> Result<Duration> {
    let began = Instant::now();
    let copied = Command::new("cp")
        .args(["-a", "--reflink=auto"])
        .args([tree, to])
        .status()?;
    sync()?;
    let took = began.elapsed();
    ensure!(copied.success(), "cp -a");
    fs::remove_dir_all(to)?;
    Ok(took)
}

/// Exchanges two folders there and makes it durable, and nothing else.
fn exchange(panel: &Panel) -> Result<Duration> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let around = panel.folder.path().join("panel");
    let (one, inner) = (around.join("one"), around.join("inner"));
    let other = inner.join("other");
    fs::create_dir_all(&other)?;
    fs::create_dir_all(&one)?;
    sync()?;
    let began = Instant::now();
    renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE)?;
    for folder in [&around, &inner] {
        fs::File::open(folder)?.sync_all()?;
    }
    let took = began.elapsed();
    fs::remove_dir_all(&one)?;
    fs::remove_dir_all(&inner)?;
    Ok(took)
}

/// When each step was reached.
#[derive(Debug, Default)]
struct Watch(Mutex<Vec<(Step, Instant)>>);

impl Watch {
    fn between(&self, one: Step, other: Step) -> Result<Duration> {
        let reached = self.0.lock().unwrap();
        let at = |wanted| {
            reached
                .iter()
                .find(|(step, _)| *step == wanted)
                .map(|(_, at)| *at)
        };
        let (one, other) = (
            at(one).context("it was reached")?,
            at(other).context("it was reached")?,
        );
        Ok(other - one)
    }
}

impl Steps for Watch {
    fn reached(&self, step: Step) -> Result<(), Interrupted> {
        self.0.lock().unwrap().push((step, Instant::now()));
        Ok(())
    }
}

/// Applies the correction in a folder that was prepared, and nothing else: what is looked at from
/// outside is the memory of a panel, and not that of the vendor.
fn apply_only(folder: &str) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let site = Site::open(Path::new(folder)).await?;
        site.apply(&site.plain(), "first").await?;
        anyhow::Ok(())
    })
}

/// The largest resident set of a process that applies a payload of so many MiB, in KiB (proc(5)).
fn memory(mebibytes: usize) -> Result<u64> {
    let small = |version: &str| Tree::from([("VERSION".to_owned(), format!("{version}\n"))]);
    let runtime = tokio::runtime::Runtime::new()?;
    let panel = runtime.block_on(Panel::with(&small("1.0.0"), &small("1.0.1"), |built| {
        let mut contents = vec![0; mebibytes << 20];
        getrandom::fill(&mut contents).expect("there is randomness");
        add(built, &contents);
    }))?;
    runtime.block_on(panel.store.close());
    let mut child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .arg(panel.folder.path())
        .spawn()?;
    let mut most = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        most = peak(child.id()).unwrap_or(0).max(most);
        std::thread::sleep(Duration::from_millis(1));
    };
    ensure!(status.success(), "it was not applied");
    Ok(most)
}

fn add(built: &mut Built, contents: &[u8]) {
    let payload = zstd::bulk::compress(contents, 1).expect("it compresses");
    let after = FileState {
        digest: Digest::of(contents),
        size: contents.len() as u64,
        mode: 0o644,
        blob: Blob {
            digest: Digest::of(&payload),
            length: payload.len() as u64,
        },
    };
    built.payload.insert(after.blob.digest, payload);
    built.correction.files.push(FileChange {
        path: "world.jar".parse().expect("a path"),
        before: None,
        after: Some(after),
    });
}

/// The largest resident set of a process so far, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
