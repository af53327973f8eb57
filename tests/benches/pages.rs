//! What the overview costs with 10,000 advisories and 500 components: the time until its first byte,
//! its bytes, its requests a second beside those of a bare handler that answers with the same bytes,
//! and all that a browser loads to show it.
//!
//! `cargo bench --workspace --bench pages [-- NUMBER]`, with the number of advisories. Both servers run in
//! this process, on as many threads as there are cores, and are asked turn by turn.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use axum::{Router, response::Html, routing::get};
use jiff::Timestamp;
use spacecp_advisories::{App, config::Config, web};
use spacecp_contract::{Advisory, Affected, DocumentId, VersionRange, VersionScheme};
use spacecp_tests::{artifacts, catalog, vendor::Vendor};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const ADVISORIES: usize = 10_000;
const COMPONENTS: usize = 500;
const PASSWORD: &str = "correct horse battery staple";
const ROUNDS: usize = 5;
/// Connections that ask at once, and how often each of them does in a round.
const CONNECTIONS: usize = 8;
const REQUESTS: usize = 100;

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` asks whether it starts; that is all it needs to know.
    if arguments.iter().any(|argument| argument == "--test") {
        return Ok(());
    }
    let number = arguments.iter().find_map(|argument| argument.parse().ok());
    let number = number.unwrap_or(ADVISORIES);
    let folder = TempDir::new()?;
    let config = panel(folder.path(), number)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let app = App::open(Config::load(&config)?).await?;
        app.panel.feed.sync().await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let ours = listener.local_addr()?;
        let serving = tokio::spawn(web::serve(listener, app.backend(), std::future::pending()));
        let cookie = log_in(ours).await?;
        let page = ask(ours, "/", &cookie).await?;
        ensure!(page.body.contains("components affected"), "{}", page.body);
        println!("{number} advisories, {COMPONENTS} components");
        println!("overview                     {:>9} bytes", page.body.len());
        weigh(ours, &cookie, &page).await?;
        let (bare, bare_serving) = bare(page.body.clone()).await?;
        latency(ours, bare, &cookie).await?;
        throughput(ours, bare, &cookie).await?;
        serving.abort();
        bare_serving.abort();
        Ok(())
    })
}

/// Everything that the page has a browser load, without a script and without images.
#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn weigh(address: SocketAddr, cookie: &str, page: &Answered) -> Result<()> {
    let style = ask(address, "/style.css", cookie).await?;
    ensure!(!page.body.contains("<script"), "the overview has no script");
    let all = page.body.len() + style.body.len();
    println!(
        "page and stylesheet          {all:>9} bytes   (budget {})",
        60 << 10
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn latency(ours: SocketAddr, bare: SocketAddr, cookie: &str) -> Result<()> {
    let (mut first, mut bare_first) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 20 {
        first.push(ask(ours, "/", cookie).await?.first_byte);
        bare_first.push(ask(bare, "/", cookie).await?.first_byte);
    }
    let (first, bare_first) = (median(first), median(bare_first));
    println!("first byte, overview         {:>9.3} ms", millis(first));
    println!(
        "first byte, bare handler     {:>9.3} ms",
        millis(bare_first)
    );
    println!(
        "ratio of first bytes         {:>9.2}",
        ratio(first, bare_first)
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are the purpose")]
async fn throughput(ours: SocketAddr, bare: SocketAddr, cookie: &str) -> Result<()> {
    let (mut all, mut bare_all) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        all.push(storm(ours, cookie).await?);
        bare_all.push(storm(bare, cookie).await?);
    }
    let (all, bare_all) = (median(all), median(bare_all));
    println!("requests a second, overview  {:>9.0}", rate(all));
    println!("requests a second, bare      {:>9.0}", rate(bare_all));
    println!("ratio overview / bare        {:>9.4}", ratio(bare_all, all));
    Ok(())
}

/// So many connections ask for the page so many times each.
async fn storm(address: SocketAddr, cookie: &str) -> Result<Duration> {
    let started = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let cookie = cookie.to_owned();
        asking.spawn(async move {
            let mut stream = connect(address).await?;
            for _ in 0..REQUESTS {
                send(&mut stream, &request("GET", "/", &cookie, "")).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = asking.join_next().await {
        done??;
    }
    Ok(started.elapsed())
}

/// A handler that has the page at hand.
async fn bare(page: String) -> Result<(SocketAddr, tokio::task::JoinHandle<std::io::Result<()>>)> {
    let app = Router::new().route("/", get(move || std::future::ready(Html(page.clone()))));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((address, serving))
}

struct Answered {
    head: String,
    body: String,
    first_byte: Duration,
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn ask(address: SocketAddr, path: &str, cookie: &str) -> Result<Answered> {
    let mut stream = connect(address).await?;
    send(&mut stream, &request("GET", path, cookie, "")).await
}

fn request(method: &str, path: &str, cookie: &str, body: &str) -> String {
    let length = body.len();
    let form = match method {
        "POST" => {
            "content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n"
        }
        _ => "",
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {cookie}\r\n{form}content-length: {length}\r\n\r\n{body}"
    )
}

/// Sends a request and reads the whole answer, whose length its head says.
async fn send(stream: &mut TcpStream, request: &str) -> Result<Answered> {
    let started = Instant::now();
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::with_capacity(64 << 10);
    let mut first_byte = None;
    loop {
        let read = stream.read_buf(&mut bytes).await?;
        ensure!(read > 0, "the server closed the connection");
        first_byte.get_or_insert_with(|| started.elapsed());
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = header(&head, "content-length")
            .unwrap_or("0")
            .parse::<usize>()?;
        let whole = end + 4 + length;
        while bytes.len() < whole {
            ensure!(
                stream.read_buf(&mut bytes).await? > 0,
                "the answer is cut off"
            );
        }
        let ok = head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 303");
        ensure!(ok, "{head}");
        return Ok(Answered {
            body: String::from_utf8_lossy(&bytes[end + 4..]).into_owned(),
            head,
            first_byte: first_byte.context("something was read")?,
        });
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

async fn log_in(address: SocketAddr) -> Result<String> {
    let body = format!("name=ada&password={}", PASSWORD.replace(' ', "+"));
    let mut stream = connect(address).await?;
    let answer = send(&mut stream, &request("POST", "/login", "", &body)).await?;
    let cookie = header(&answer.head, "set-cookie").context("a login gives a cookie")?;
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

/// A vendor with that many advisories, and the configuration of a panel with all the components.
fn panel(folder: &Path, number: usize) -> Result<PathBuf> {
    let mut vendor = Vendor::new(&folder.join("vendor"), catalog::AUDIENCE, Timestamp::now())?;
    for place in 0..number {
        vendor.publish_advisory(advisory(&vendor, place)?)?;
    }
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    vendor.broadcast()?;
    fs::write(folder.join("package-lock.json"), lock_file()?)?;
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    let config = format!(
        "state = {state}\n\
         [feed]\nfrom = {feed}\naudience = {audience:?}\nroot = {root}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n\
         [serve]\nlisten = \"127.0.0.1:0\"\nsecure-cookie = false\nrequests-per-minute = 100000000\n\
         [[serve.users]]\nname = \"ada\"\nrole = \"administrator\"\npassword-hash = {hash:?}\n\
         [[inventory]]\nprovider = \"npm\"\nplace = {lock}\n",
        state = quoted(&folder.join("state")),
        feed = quoted(vendor.feed_dir()),
        audience = catalog::AUDIENCE,
        root = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
        hash = web::hash_password(PASSWORD)?,
        lock = quoted(folder),
    );
    let path = folder.join("panel.toml");
    fs::write(&path, config)?;
    Ok(path)
}

/// One of each component's advisories in ten holds for the version that is installed.
fn advisory(vendor: &Vendor, place: usize) -> Result<Advisory> {
    let model = catalog::advisories(vendor.now()).remove(2);
    let range = VersionRange {
        introduced: "1.0.0".to_owned(),
        fixed: Some(
            if place.is_multiple_of(10) {
                "9.0.0"
            } else {
                "1.5.0"
            }
            .to_owned(),
        ),
        last_affected: None,
        limit: None,
    };
    Ok(Advisory {
        id: DocumentId::new(format!("SPACECP-SA-2026-{place:06}"))?,
        affected: vec![Affected {
            component: format!("npm:package-{}", place % COMPONENTS).parse()?,
            scheme: VersionScheme::Npm,
            ranges: vec![range],
            versions: Vec::new(),
            unlisted: None,
        }],
        corrections: Vec::new(),
        ..model
    })
}

fn lock_file() -> Result<String> {
    let package = |number: usize| {
        let name = format!("node_modules/package-{number}");
        (name, serde_json::json!({ "version": "2.1.0" }))
    };
    let packages: serde_json::Map<_, _> = (0..COMPONENTS).map(package).collect();
    let lock = serde_json::json!({ "name": "panel", "lockfileVersion": 3, "packages": packages });
    Ok(serde_json::to_string(&lock)?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(time: Duration) -> f64 {
    (CONNECTIONS * REQUESTS) as f64 / time.as_secs_f64()
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
