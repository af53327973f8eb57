//! What a private broadcast costs the vendor and one panel, by the number of panels, beside one file of age
//! with everybody in its header.
//!
//! `cargo bench --workspace --bench broadcast [-- NUMBER…]`, with numbers of panels; 1,000, 10,000 and
//! 100,000 unless they are said. Both sides are measured in one run, with the same recipients.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use age::x25519;
use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{
    fetch::{Patience, Source},
    identity,
    store::Store,
    sync::{Follower, Mirror},
};
use spacecp_contract::{Advisory, Index};
use spacecp_tests::{catalog, feed_server::FeedServer, vendor::Vendor};
use tempfile::TempDir;
use walkdir::WalkDir;

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let asked = arguments
        .iter()
        .filter_map(|argument| argument.parse().ok());
    let mut numbers: Vec<usize> = asked.collect();
    if numbers.is_empty() {
        numbers = vec![1_000, 10_000, 100_000];
    }
    let runtime = tokio::runtime::Runtime::new()?;
    for number in numbers {
        let scene = Scene::of(number)?;
        println!("{number} panels");
        print_vendor(&scene)?;
        print_header(&scene)?;
        runtime.block_on(print_panel(&scene))?;
    }
    Ok(())
}

/// A vendor with so many panels, of which the first is a real one.
struct Scene {
    folder: TempDir,
    vendor: Vendor,
    recipients: Vec<x25519::Recipient>,
    first: Broadcast,
    second: Broadcast,
}

/// One broadcast.
struct Broadcast {
    took: Duration,
    /// Bytes that it wrote beside what was there.
    new: u64,
}

impl Scene {
    fn of(number: usize) -> Result<Self> {
        let folder = TempDir::new()?;
        let now = Timestamp::now();
        let mut vendor = Vendor::new(&folder.path().join("vendor"), catalog::AUDIENCE, now)?;
        let state = folder.path().join("state");
        vendor.enrol("panel-0", &state)?;
        let own = identity::load_or_make(&state, now)?.recipient();
        let mut recipients = vec![own.parse().map_err(anyhow::Error::msg)?];
        recipients.extend((1..number).map(|_| x25519::Identity::generate().to_public()));
        // As "panel enrol" writes them, without looking at all the others each time.
        let panels = folder.path().join("vendor/desk/panels");
        for (place, recipient) in recipients.iter().enumerate().skip(1) {
            let text = format!(
                "name = \"panel-{place}\"\nrecipient = \"{recipient}\"\nenrolled = \"{now}\"\n"
            );
            fs::write(panels.join(format!("panel-{place}.toml")), text)?;
        }
        for advisory in private(now) {
            vendor.publish_advisory(advisory)?;
        }
        let feed = vendor.feed_dir().to_owned();
        let mut broadcast = || -> Result<Broadcast> {
            let before = sealed_bytes(&feed)?;
            let begun = Instant::now();
            let done = vendor.broadcast()?;
            let took = begun.elapsed();
            let panels = done.private.context("it has a private side")?.panels;
            ensure!(panels == number, "{panels} can read it");
            let new = sealed_bytes(&feed)? - before;
            Ok(Broadcast { took, new })
        };
        let (first, second) = (broadcast()?, broadcast()?);
        Ok(Self {
            folder,
            vendor,
            recipients,
            first,
            second,
        })
    }

    fn index(&self) -> Result<Index> {
        let head = self.vendor.feed().head()?.context("it was broadcast")?;
        Ok(self.vendor.feed().index(head.sequence)?)
    }
}

/// The one advisory under embargo of the demo.
fn private(now: Timestamp) -> Vec<Advisory> {
    let mut advisory = catalog::advisories(now).remove(3);
    advisory.corrections.clear();
    vec![advisory]
}

fn sealed_bytes(feed: &Path) -> Result<u64> {
    let mut sum = 0;
    for entry in WalkDir::new(feed.join("sealed")) {
        let Ok(entry) = entry else { continue };
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            sum += metadata.len();
        }
    }
    Ok(sum)
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print_vendor(scene: &Scene) -> Result<()> {
    let number = scene.recipients.len() as u64;
    for (name, one) in [("first", &scene.first), ("second", &scene.second)] {
        println!(
            "  the {name} broadcast: {:.2} s, {} bytes sealed, {:.1} a panel",
            one.took.as_secs_f64(),
            one.new,
            one.new as f64 / number as f64
        );
    }
    let index = scene.index()?;
    let buckets = index.sealed.as_ref().context("a private side")?;
    println!(
        "  the index that everybody fetches: {} bytes, with {} buckets",
        spacecp_contract::encode(&index).len(),
        buckets.buckets.len()
    );
    Ok(())
}

/// The same to everybody in one header, which everybody fetches and looks through.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn print_header(scene: &Scene) -> Result<()> {
    let contents = spacecp_contract::encode(&private(Timestamp::now())[0]);
    let begun = Instant::now();
    let recipients = scene.recipients.iter().rev();
    let recipients = recipients.map(|recipient| recipient as &dyn age::Recipient);
    let mut file = Vec::new();
    let mut sealing = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut file)?;
    sealing.write_all(&contents)?;
    sealing.finish()?;
    let sealed = begun.elapsed();
    let state = scene.folder.path().join("state/identity.txt");
    let text = fs::read_to_string(state)?;
    let line = text.lines().find(|line| line.starts_with("AGE-"));
    let own: x25519::Identity = line
        .context("there is an identity")?
        .parse()
        .map_err(anyhow::Error::msg)?;
    // It is the last in the header; on average, a panel looks through half of it.
    let begun = Instant::now();
    let opened = age::Decryptor::new_buffered(&file[..])?;
    let mut found = Vec::new();
    opened
        .decrypt(std::iter::once(&own as &dyn age::Identity))?
        .read_to_end(&mut found)?;
    ensure!(found == contents, "it is what was sealed");
    println!(
        "  all in one header: {:.2} s, {} bytes, {:.1} a panel, fetched whole by each; {:.2} s to find the last",
        sealed.as_secs_f64(),
        file.len(),
        file.len() as f64 / scene.recipients.len() as f64,
        begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// What one panel fetches for one advisory under embargo, from nothing and after another broadcast.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn print_panel(scene: &Scene) -> Result<()> {
    let server = FeedServer::start(scene.vendor.feed_dir().to_owned()).await?;
    let store = Store::open(&scene.folder.path().join("store.sqlite")).await?;
    let mirror = Mirror {
        address: server.url(),
        source: Arc::new(Source::new(&server.url(), Patience::default())?),
    };
    let pin = scene.vendor.pin()?;
    let follower = Follower::new(vec![mirror], store, pin, catalog::AUDIENCE.parse()?)
        .reading_as(scene.folder.path().join("state"));
    let begun = Instant::now();
    let report = follower.sync(Timestamp::now()).await?;
    let took = begun.elapsed();
    ensure!(report.accepted.len() == 1, "it read the advisory");
    let asked = server.asked();
    let sealed = asked.iter().filter(|one| one.path.starts_with("sealed/"));
    let (count, bytes) = sealed.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.body));
    println!(
        "  one panel's first sync: {} requests and {} bytes, of which {count} and {bytes} sealed; {:.0} ms",
        asked.len(),
        asked.iter().map(|one| one.body).sum::<usize>(),
        took.as_secs_f64() * 1_000.0
    );
    Ok(())
}
