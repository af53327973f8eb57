//! What a whole `spacecp-advisories check` costs: a process that opens the store, reads the
//! inventory, and prints every verdict.
//!
//! All are measured in one run, turn by turn: the program that finds the report of the time before; the same where
//! something has changed, so that it starts the plugin from its cache; without that cache; and a process that does
//! nothing but print its version.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
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

    let report = demo.folder().join("state/remembered-report");
    let forget = |what: &Path, gone: std::io::Result<()>| {
        gone.with_context(|| format!("nothing was kept at {}", what.display()))
    };

    let mut nothing = Vec::new();
    let mut remembered = Vec::new();
    let mut warm = Vec::new();
    let mut cold = Vec::new();
    run(&check, 1)?;
    let (mut memory, mut warm_memory, mut idle_memory) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let idle = run(&["--version"], 0)?;
        let busy = run(&check, 1)?;
        idle_memory = idle.memory.max(idle_memory);
        memory = busy.memory.max(memory);
        nothing.push(idle.time);
        remembered.push(busy.time);
        forget(&report, std::fs::remove_file(&report))?;
        let asking = run(&check, 1)?;
        warm_memory = asking.memory.max(warm_memory);
        warm.push(asking.time);
    }
    for _ in 0..3 {
        forget(&report, std::fs::remove_file(&report))?;
        forget(&cache, std::fs::remove_dir_all(&cache))?;
        cold.push(run(&check, 1)?.time);
    }
    let (nothing, remembered) = (median(nothing), median(remembered));
    let (warm, cold) = (median(warm), median(cold));
    println!(
        "check, remembered            {:>9.1} ms   {:>6.1} MiB",
        millis(remembered),
        mebibytes(memory)
    );
    println!(
        "check, warm cache            {:>9.1} ms   {:>6.1} MiB",
        millis(warm),
        mebibytes(warm_memory)
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
        "ratio remembered / warm      {:>9.3}",
        remembered.as_secs_f64() / warm.as_secs_f64()
    );
    println!(
        "ratio warm / --version       {:>9.2}",
        warm.as_secs_f64() / nothing.as_secs_f64()
    );
    Ok(())
}

/// What one run of the program took.
struct Run {
    time: Duration,
    /// The largest resident set that was seen, in KiB.
    memory: u64,
}

/// Runs the program to its end. Its memory is looked at every millisecond, so a short-lived peak may
/// be missed; only the process itself knows (a parent's account begins before the program is loaded).
fn run(arguments: &[&str], expected: i32) -> Result<Run> {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()?;
    let mut memory = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        memory = peak(child.id()).unwrap_or(0).max(memory);
        std::thread::sleep(Duration::from_millis(1));
    };
    let time = started.elapsed();
    ensure!(
        status.code() == Some(expected),
        "{arguments:?} ended with {status}"
    );
    Ok(Run { time, memory })
}

/// The largest resident set of a process so far, in KiB (proc(5)), once it runs our program.
fn peak(process: u32) -> Option<u64> {
    let program = std::fs::read_link(format!("/proc/{process}/exe")).ok()?;
    if !program.ends_with("panel-program") {
        return None;
    }
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").trim().parse().ok()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}
