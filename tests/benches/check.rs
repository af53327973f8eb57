//! What a whole `spacecp-advisories check` costs: a process that opens the store, reads the
//! inventory, starts the plugin from its cache, and prints every verdict.
//!
//! Both sides are measured in one run, turn by turn: the program with a warm cache of compiled
//! plugins against the same program without one, and against a process that does nothing but
//! print its version.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use spacecp_tests::demo::{Demo, Login};

const ROUNDS: usize = 15;

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    let login = Login::with_password("figures".to_owned());
    let demo = runtime.block_on(Demo::raise(None, 0, login))?;
    let config = demo.config_path().display().to_string();
    let cache = demo.folder().join("state/plugin-cache");
    let check = ["--config", &config, "check", "--format", "json"];

    let mut nothing = Vec::new();
    let mut warm = Vec::new();
    let mut cold = Vec::new();
    run(&["--version"], 0)?;
    let idle_memory = children_memory()?;
    run(&check, 1)?;
    let memory = children_memory()?;
    for _ in 0..ROUNDS {
        nothing.push(run(&["--version"], 0)?);
        warm.push(run(&check, 1)?);
    }
    for _ in 0..3 {
        std::fs::remove_dir_all(&cache)
            .with_context(|| format!("no cache at {}", cache.display()))?;
        cold.push(run(&check, 1)?);
    }
    let (nothing, warm, cold) = (median(nothing), median(warm), median(cold));
    println!(
        "check, warm cache            {:>9.1} ms   {:>6.1} MiB",
        millis(warm),
        mebibytes(memory)
    );
    println!("check, cold cache            {:>9.1} ms", millis(cold));
    println!(
        "--version                    {:>9.1} ms   {:>6.1} MiB",
        millis(nothing),
        mebibytes(idle_memory)
    );
    println!(
        "ratio warm / cold            {:>9.3}",
        warm.as_secs_f64() / cold.as_secs_f64()
    );
    println!(
        "ratio warm / --version       {:>9.2}",
        warm.as_secs_f64() / nothing.as_secs_f64()
    );
    Ok(())
}

/// Runs the program to its end and returns how long that took.
fn run(arguments: &[&str], expected: i32) -> Result<Duration> {
    let started = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .args(arguments)
        .stdout(Stdio::null())
        .status()?;
    let took = started.elapsed();
    ensure!(
        status.code() == Some(expected),
        "{arguments:?} ended with {status}"
    );
    Ok(took)
}

/// The largest resident set of all children so far, in KiB.
fn children_memory() -> Result<i64> {
    Ok(getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(kibibytes: i64) -> f64 {
    kibibytes as f64 / 1024.0
}
