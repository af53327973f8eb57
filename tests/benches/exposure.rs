//! What the sandbox costs: 100,000 ranges against 1,000 components, in the built plugin and in the
//! same code natively, turn by turn in one run; what one more advisory costs after that; and whether a
//! million ranges fit into the memory that a plugin is given.

mod in_memory;

use std::time::Duration;

use anyhow::Result;
use in_memory::{Loaded, RANGES_EACH, Size, engine, in_guest, natively};
use spacecp_advisories::config::PluginLimits;

const SIZE: Size = Size {
    advisories: 10_000,
    components: 1_000,
};

/// A million ranges.
const LARGE: Size = Size {
    advisories: 100_000,
    components: 1_000,
};

const ROUNDS: usize = 7;

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let stream = SIZE.documents()?;
    // What is measured here is the work, not the limits.
    let unhurried = PluginLimits {
        guest_time_ms: 600_000,
        wall_clock_ms: 600_000,
        ..PluginLimits::default()
    };
    let plugin = engine(unhurried)?;
    let (mut guest, mut native) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let loaded = runtime.block_on(in_guest(&plugin, SIZE, &stream))?;
        let loaded_natively = natively(SIZE, &stream)?;
        // The first round warms caches up.
        if round > 0 {
            guest.push(loaded);
            native.push(loaded_natively);
        }
    }
    let all = |side: &[Loaded]| median(side.iter().map(|loaded| loaded.all));
    let one = |side: &[Loaded]| median(side.iter().map(|loaded| loaded.one));
    let (guest_all, native_all) = (all(&guest), all(&native));
    println!("full refresh, guest          {:>9.1} ms", millis(guest_all));
    println!(
        "full refresh, native         {:>9.1} ms",
        millis(native_all)
    );
    println!(
        "one more advisory, guest     {:>9.3} ms",
        millis(one(&guest))
    );
    println!(
        "one more advisory, native    {:>9.3} ms",
        millis(one(&native))
    );
    println!(
        "ratio guest / native         {:>9.3}   (budget 1.3)",
        ratio(guest_all, native_all)
    );
    println!(
        "ratio one more / full        {:>9.4}   (budget 0.01)",
        ratio(one(&guest), guest_all)
    );
    drop(stream);
    // The memory is the one that every plugin is given; more would be refused, and end this.
    let large = runtime.block_on(in_guest(&plugin, LARGE, &LARGE.documents()?))?;
    let ranges = LARGE.advisories * RANGES_EACH;
    println!(
        "{ranges} ranges              {:>9.1} MiB   (budget {} MiB), {:.1} s",
        mebibytes(large.memory),
        PluginLimits::default().memory >> 20,
        large.all.as_secs_f64()
    );
    Ok(())
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mebibytes(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
