//! What following a feed costs: verifying documents, a large payload, a poll.
//!
//! `cargo bench --workspace --bench feed [-- NUMBER]`, with the number of advisories; 1,000 unless it
//! is said. All sides are measured in one run, turn by turn, over the same bytes.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use blake2::{Blake2b512, Digest as _};
use jiff::{SignedDuration, Timestamp};
use minisign_verify::{PublicKey, Signature};
use spacecp_advisories::{
    fetch::{Patience, Source, fetch_payload},
    store::Store,
    sync::{Follower, Mirror},
    trust::{self, Unverified, Verified},
};
use spacecp_contract::{
    Advisory, Blob, Digest, DocumentId, DocumentKind, FeedPath, IndexEntry, Limits, Root,
};
use spacecp_publisher::sign;
use spacecp_tests::{catalog, feed_server::FeedServer, vendor::Vendor};
use tempfile::TempDir;

const ROUNDS: usize = 5;
const GIBIBYTE: u64 = 1 << 30;

struct Document {
    entry: IndexEntry,
    bytes: Vec<u8>,
    signatures: String,
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Runtime::new()?;
    if let [word, address, digest, length, into] = arguments.as_slice()
        && word == "--fetch"
    {
        let blob = Blob {
            digest: digest.parse()?,
            length: length.parse()?,
        };
        let before = peak_memory()?;
        let source = Source::new(address, Patience::default())?;
        runtime.block_on(fetch_payload(&source, &blob, Path::new(into)))?;
        println!("{}", peak_memory()? - before);
        return Ok(());
    }
    let number = arguments.iter().find_map(|argument| argument.parse().ok());
    let number: usize = number.unwrap_or(1_000);
    let folder = TempDir::new()?;
    let vendor = Vendor::new(folder.path(), catalog::AUDIENCE, Timestamp::now())?;
    let documents = documents(&vendor, number)?;
    verifying(&vendor, &documents)?;
    runtime.block_on(payload(&folder))?;
    runtime.block_on(polling(folder, vendor, documents))
}

/// That many advisories, signed.
fn documents(vendor: &Vendor, number: usize) -> Result<Vec<Document>> {
    let mut advisory = catalog::advisories(vendor.now()).remove(2);
    advisory.corrections.clear();
    let one = |at: usize| {
        let mut advisory = advisory.clone();
        advisory.id = DocumentId::new(format!("SPACECP-SA-2026-{at:06}"))?;
        document(vendor, advisory)
    };
    (0..number).map(one).collect()
}

fn document(vendor: &Vendor, advisory: Advisory) -> Result<Document> {
    let signed = sign::sign(advisory, &[&vendor.keys().advisory])?;
    let entry = IndexEntry {
        kind: DocumentKind::Advisory,
        id: signed.document.id.clone(),
        revision: signed.document.revision,
        digest: Digest::of(&signed.bytes),
        length: signed.bytes.len() as u64,
    };
    Ok(Document {
        entry,
        bytes: signed.bytes,
        signatures: signed.signatures,
    })
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn verifying(vendor: &Vendor, documents: &[Document]) -> Result<()> {
    let root: Verified<Root> = vendor.feed().root()?;
    let text = vendor.keys().advisory.public().to_base64();
    let key = PublicKey::from_base64(&text)?;
    let raw = STANDARD.decode(&text)?[10..].to_vec();
    let quick = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, raw);
    let (mut ours, mut bare, mut other) = (Vec::new(), Vec::new(), Vec::new());
    let limits = Limits::default();
    for _ in 0..ROUNDS {
        ours.push(timed(|| {
            for document in documents {
                let offered = Unverified {
                    bytes: &document.bytes,
                    signatures: document.signatures.as_bytes(),
                };
                trust::document(&root, &document.entry, offered, &limits)?;
            }
            Ok(())
        })?);
        bare.push(timed(|| {
            for document in documents {
                let signature = Signature::decode(&document.signatures)?;
                key.verify(&document.bytes, &signature, false)?;
            }
            Ok(())
        })?);
        other.push(timed(|| {
            for document in documents {
                with_ring(&quick, document)?;
            }
            Ok(())
        })?);
    }
    let (ours, bare, other) = (median(ours), median(bare), median(other));
    let number = documents.len();
    println!(
        "verify and load {number} advisories   {:>10.1} ms",
        millis(ours)
    );
    println!(
        "  minisign-verify alone              {:>10.1} ms",
        millis(bare)
    );
    println!(
        "  ring's Ed25519 and blake2 alone    {:>10.1} ms",
        millis(other)
    );
    println!(
        "  ours / minisign-verify             {:>10.3}",
        ratio(ours, bare)
    );
    println!(
        "  ours / ring                        {:>10.3}",
        ratio(ours, other)
    );
    Ok(())
}

/// Both signatures of a minisign signature, by another implementation of Ed25519.
fn with_ring(key: &ring::signature::UnparsedPublicKey<Vec<u8>>, document: &Document) -> Result<()> {
    let lines: Vec<&str> = document.signatures.lines().collect();
    let signature = STANDARD.decode(lines[1])?;
    let comment = lines[2]
        .strip_prefix("trusted comment: ")
        .context("it has a trusted comment")?;
    let hash = Blake2b512::digest(&document.bytes);
    let refused = |_| anyhow::anyhow!("a good signature is refused");
    key.verify(&hash, &signature[10..]).map_err(refused)?;
    let covered = [&signature[10..], comment.as_bytes()].concat();
    key.verify(&covered, &STANDARD.decode(lines[3])?)
        .map_err(refused)
}

/// What a process needs beyond its start to fetch and verify a payload of 1 GiB.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn payload(folder: &TempDir) -> Result<()> {
    let feed = folder.path().join("large");
    let bytes: Vec<u8> = (0..=250).cycle().take(usize::try_from(GIBIBYTE)?).collect();
    let digest = Digest::of(&bytes);
    let path = feed.join(FeedPath::blob(&digest).as_str());
    fs::create_dir_all(path.parent().context("it lies in a folder")?)?;
    fs::write(&path, &bytes)?;
    drop(bytes);
    let server = FeedServer::start(feed.clone()).await?;
    for (name, address) in [
        ("folder", feed.display().to_string()),
        ("http", server.url()),
    ] {
        let into = folder.path().join(format!("copy-{name}"));
        let program = std::env::current_exe()?;
        let words = [
            "--fetch".to_owned(),
            address,
            digest.to_string(),
            GIBIBYTE.to_string(),
            into.display().to_string(),
        ];
        let child = tokio::task::spawn_blocking(move || Command::new(program).args(words).output());
        let output = child.await??;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let kibibytes: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
        println!(
            "1 GiB payload over {name:<8}          {:>10.1} MiB more at the peak",
            f64::from(u32::try_from(kibibytes)?) / 1024.0
        );
        fs::remove_file(&into)?;
    }
    Ok(fs::remove_dir_all(feed)?)
}

/// Requests and bytes of bodies: everything, nothing new, one more.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn polling(folder: TempDir, mut vendor: Vendor, documents: Vec<Document>) -> Result<()> {
    // Written without the publisher, which brings each to the disk by itself.
    for document in &documents {
        let path = FeedPath::document(DocumentKind::Advisory, &document.entry.id, 1);
        let place = vendor.feed_dir().join(path.as_str());
        fs::create_dir_all(place.parent().context("it lies in a folder")?)?;
        fs::write(place, &document.bytes)?;
        let signatures = vendor.feed_dir().join(path.signatures().as_str());
        fs::write(signatures, &document.signatures)?;
    }
    vendor.broadcast()?;
    let server = FeedServer::start(vendor.feed_dir().to_owned()).await?;
    let store = Store::open(&folder.path().join("store.sqlite")).await?;
    let audience = catalog::AUDIENCE.parse()?;
    let mirror = Mirror {
        address: server.url(),
        source: Arc::new(Source::new(&server.url(), Patience::default())?),
    };
    let pin = vendor.pin()?;
    let follower = Follower::new(vec![mirror], store, pin, audience);
    let say = |what: &str, took: Duration| {
        let asked = server.asked();
        let bytes: usize = asked.iter().map(|one| one.body).sum();
        println!(
            "{what:<34} {:>10} requests {bytes:>12} bytes {:>10.1} ms",
            asked.len(),
            millis(took)
        );
    };
    for what in ["first sync", "nothing new"] {
        let began = Instant::now();
        follower.sync(vendor.now()).await?;
        say(what, began.elapsed());
    }
    let mut advisory = catalog::advisories(vendor.now()).remove(2);
    advisory.corrections.clear();
    vendor.publish_advisory(advisory)?;
    let later = vendor.now() + SignedDuration::from_secs(1);
    vendor.at(later).broadcast()?;
    let began = Instant::now();
    follower.sync(vendor.now()).await?;
    say("one more", began.elapsed());
    Ok(())
}

/// The most memory that this process has used, in KiB.
fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("Linux says it")?.parse()?)
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
