//! How time and memory grow with what there is: ranges from a thousand to a million, components from ten to
//! ten thousand, in the built plugin and natively.
//!
//! Prints a table and draws it: `growth.svg`, beside this file. Each native size is loaded in a process of its
//! own, since only that knows how much memory it has taken.

#[path = "growth/chart.rs"]
mod chart;
mod in_memory;
mod own_process;

use std::path::Path;

use anyhow::{Context, Result};
use chart::{Chart, Line};
use in_memory::{RANGES_EACH, Size, engine, in_guest, natively, unhurried};

/// Ranges, for 1,000 components.
const RANGES: [usize; 7] = [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000];

/// Components, for 100,000 ranges.
const COMPONENTS: [usize; 4] = [10, 100, 1_000, 10_000];

/// The best of so many counts: what disturbs only ever adds.
const ROUNDS: usize = 3;

/// What one size costs, guest and native.
struct Cost {
    size: Size,
    /// Milliseconds.
    times: [f64; 2],
    /// MiB.
    memory: [f64; 2],
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    if let [_, native, advisories, components] = arguments.as_slice()
        && native == "natively"
    {
        return tell(Size {
            advisories: advisories.parse()?,
            components: components.parse()?,
        });
    }
    println!(
        "   ranges  components     guest ms    native ms   ratio    guest MiB   native MiB   one more ms"
    );
    let by_ranges = RANGES.map(|ranges| Size {
        advisories: ranges / RANGES_EACH,
        components: 1_000,
    });
    let by_components = COMPONENTS.map(|components| Size {
        advisories: 100_000 / RANGES_EACH,
        components,
    });
    let by_ranges = costs(&by_ranges)?;
    let by_components = costs(&by_components)?;
    let drawn = Chart::sheet(&[
        chart(
            "Time, 1,000 components",
            "ranges",
            "ms",
            &by_ranges,
            ranges,
            |cost| cost.times,
        ),
        chart(
            "Memory, 1,000 components",
            "ranges",
            "MiB",
            &by_ranges,
            ranges,
            |cost| cost.memory,
        ),
        chart(
            "Time, 100,000 ranges",
            "components",
            "ms",
            &by_components,
            components,
            |cost| cost.times,
        ),
        chart(
            "Memory, 100,000 ranges",
            "components",
            "MiB",
            &by_components,
            components,
            |cost| cost.memory,
        ),
    ]);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/growth.svg");
    std::fs::write(&file, drawn).with_context(|| file.display().to_string())?;
    println!("drawn in {}", file.display());
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn ranges(size: Size) -> f64 {
    (size.advisories * RANGES_EACH) as f64
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn components(size: Size) -> f64 {
    size.components as f64
}

fn chart(
    title: &'static str,
    across: &'static str,
    up: &'static str,
    costs: &[Cost],
    size: fn(Size) -> f64,
    cost: fn(&Cost) -> [f64; 2],
) -> Chart {
    let line = |label, side: usize| Line {
        label,
        points: costs
            .iter()
            .map(|one| (size(one.size), cost(one)[side]))
            .collect(),
    };
    Chart {
        title,
        across,
        up,
        lines: [line("guest", 0), line("native", 1)],
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn costs(sizes: &[Size]) -> Result<Vec<Cost>> {
    let plugin = engine(unhurried())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut costs = Vec::new();
    for size in sizes {
        let stream = size.documents()?;
        let (mut times, mut memory) = ([f64::INFINITY; 2], [f64::INFINITY; 2]);
        let mut one = f64::INFINITY;
        for _ in 0..ROUNDS {
            let guest = runtime.block_on(in_guest(&plugin, *size, &stream))?;
            let (native, taken) = in_a_process_of_its_own(*size)?;
            times = [
                times[0].min(guest.all.as_secs_f64() * 1e3),
                times[1].min(native),
            ];
            one = one.min(guest.one.as_secs_f64() * 1e3);
            memory = [
                memory[0].min(own_process::mebibytes(guest.memory)),
                memory[1].min(taken),
            ];
        }
        println!(
            "{:>9} {:>11} {:>12.1} {:>12.1} {:>7.2} {:>12.1} {:>12.1} {:>13.3}",
            size.advisories * RANGES_EACH,
            size.components,
            times[0],
            times[1],
            times[0] / times[1],
            memory[0],
            memory[1],
            one
        );
        costs.push(Cost {
            size: *size,
            times,
            memory,
        });
    }
    Ok(costs)
}

/// Milliseconds and MiB of loading it natively.
fn in_a_process_of_its_own(size: Size) -> Result<(f64, f64)> {
    let told = own_process::told(&[
        "natively",
        &size.advisories.to_string(),
        &size.components.to_string(),
    ])?;
    let (time, memory) = told
        .trim()
        .split_once(' ')
        .context("it tells two figures")?;
    Ok((time.parse()?, memory.parse()?))
}

/// Loads it here, and tells what that took.
#[expect(clippy::print_stdout, reason = "it is how the parent is told")]
fn tell(size: Size) -> Result<()> {
    let stream = size.documents()?;
    let before = resident("VmRSS:")?;
    let loaded = natively(size, &stream)?;
    let most = resident("VmHWM:")?;
    println!(
        "{} {}",
        loaded.all.as_secs_f64() * 1e3,
        (most - before).max(0.0)
    );
    Ok(())
}

/// MiB of this process, by their name in proc(5).
fn resident(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes = line
        .context("the system tells it")?
        .trim()
        .trim_end_matches(" kB");
    Ok(kibibytes.trim().parse::<f64>()? / 1024.0)
}
