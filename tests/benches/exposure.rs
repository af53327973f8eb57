//! What the sandbox costs: 100,000 ranges against 1,000 components, in the built plugin and in the
//! same code natively, turn by turn in one run; what one more advisory costs after that; what all of it costs
//! once more, after the panel had to begin anew; and whether a million ranges fit into the memory that a plugin
//! is given.
//!
//! Every turn is a process of its own, as a panel is that starts: memory that a process has used before costs
//! less, and only the native side would have some the first time. The second time both have.

mod in_memory;
mod own_process;

use std::time::Duration;

use anyhow::{Result, bail};
use in_memory::{Loaded, RANGES_EACH, Size, engine, in_guest, natively, unhurried};
use spacecp_advisories::config::PluginLimits;

const SIZE: Size = sized(10_000);

/// A million ranges.
const LARGE: Size = sized(100_000);

const ROUNDS: usize = 7;

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    if let [turn, side, advisories] = arguments.as_slice()
        && turn == "turn"
    {
        return tell(side, sized(advisories.parse()?));
    }
    let (mut guest, mut native) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let loaded = turn("guest", SIZE)?;
        let loaded_natively = turn("native", SIZE)?;
        // The first round warms caches up.
        if round > 0 {
            guest.push(loaded);
            native.push(loaded_natively);
        }
    }
    let figure = |side: &[Loaded], of: fn(&Loaded) -> Duration| median(side.iter().map(of));
    let both = |of| (figure(&guest, of), figure(&native, of));
    let tell = |what: &str, (guest, native): (Duration, Duration)| {
        for (side, time) in [("guest", guest), ("native", native)] {
            println!("{what:<20} {side:<8} {:>10.3} ms", millis(time));
        }
    };
    let (all, again, one) = (
        both(|side| side.all),
        both(|side| side.again),
        both(|side| side.one),
    );
    tell("full refresh", all);
    tell("full refresh, again", again);
    tell("one more advisory", one);
    println!(
        "guest / native                {:>9.3}   (budget 1.3)",
        ratio(all.0, all.1)
    );
    println!(
        "guest / native, again         {:>9.3}   (budget 1.3)",
        ratio(again.0, again.1)
    );
    println!(
        "one more / full               {:>9.4}   (budget 0.01)",
        ratio(one.0, all.0)
    );
    // The memory is the one that every plugin is given; more would be refused, and end this.
    let large = turn("guest", LARGE)?;
    let ranges = LARGE.advisories * RANGES_EACH;
    println!(
        "{ranges} ranges                {:>9.1} MiB   (budget {} MiB), {:.1} s",
        own_process::mebibytes(large.memory),
        PluginLimits::default().memory >> 20,
        large.all.as_secs_f64()
    );
    Ok(())
}

const fn sized(advisories: usize) -> Size {
    Size {
        advisories,
        components: 1_000,
    }
}

/// One side of one round, in a process of its own.
fn turn(side: &str, size: Size) -> Result<Loaded> {
    let told = own_process::told(&["turn", side, &size.advisories.to_string()])?;
    let figures: Vec<u64> = told
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let [all, one, again, memory] = figures[..] else {
        bail!("the {side} side told {told:?}");
    };
    Ok(Loaded {
        all: Duration::from_nanos(all),
        one: Duration::from_nanos(one),
        again: Duration::from_nanos(again),
        memory: usize::try_from(memory)?,
    })
}

/// Loads it here, and tells what that took.
#[expect(clippy::print_stdout, reason = "it is how the parent is told")]
fn tell(side: &str, size: Size) -> Result<()> {
    let stream = size.documents()?;
    let loaded = match side {
        "guest" => {
            let plugin = engine(unhurried())?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(in_guest(&plugin, size, &stream))?
        }
        "native" => natively(size, &stream)?,
        other => bail!("there is no side {other}"),
    };
    let [all, one, again] = [loaded.all, loaded.one, loaded.again].map(|time| time.as_nanos());
    println!("{all} {one} {again} {}", loaded.memory);
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
