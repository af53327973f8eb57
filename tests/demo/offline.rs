//! A machine without a network, a store that a crash or a full disk meets half-way, and what an
//! administrator is told: the real programs, each as a process of its own.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use serde_json::Value;
use spacecp_advisories::store::Store;
use spacecp_contract::{Correction, Digest, DocumentId, DocumentKind, FeedPath, Limits, decode};
use spacecp_tests::{
    authority::identity,
    catalog,
    demo::{Demo, Login},
    feed_server::{Fault, FeedServer},
};
use walkdir::WalkDir;

/// A panel of the demo whose store is empty, and whose feed is nowhere to be found.
struct Desert {
    demo: Demo,
    config: PathBuf,
}

impl Desert {
    async fn new(from: &str) -> Result<Self> {
        let demo = crate::rehearse(Login::with_password("words".to_owned())).await?;
        let config = demo.folder().join("desert.toml");
        let desert = Self { demo, config };
        desert.configure(|text| text.replace(&desert.demo.feed_url(), from))?;
        // It is the same panel, so that what is under embargo is for it, too.
        desert.demo.lend_identity(&desert.state())?;
        Ok(desert)
    }

    fn configure(&self, change: impl FnOnce(String) -> String) -> Result<()> {
        let text = std::fs::read_to_string(self.demo.config_path())?;
        let state = self.demo.folder().join("state").display().to_string();
        let text = change(text.replace(&state, &self.state().display().to_string()));
        Ok(std::fs::write(&self.config, text)?)
    }

    fn state(&self) -> PathBuf {
        self.demo.folder().join("state-desert")
    }

    fn bundle(&self) -> Result<PathBuf> {
        let file = self.demo.folder().join("feed.tar");
        let made = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
            .arg("bundle")
            .arg(self.demo.folder().join("vendor/feed"))
            .arg(&file)
            .output()?;
        ensure!(made.status.success(), "{}", text(&made.stderr));
        Ok(file)
    }

    /// Runs the panel's program, `before` it whatever is to hold it.
    fn run_in(&self, before: &[&str], arguments: &[&str]) -> Result<Output> {
        let program = env!("CARGO_BIN_EXE_panel-program");
        let mut words = before.iter().copied().chain([program]);
        let first = words.next().unwrap_or(program);
        Ok(Command::new(first)
            .args(words)
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .output()?)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.run_in(&[], arguments)
    }

    async fn sequence(&self) -> Result<Option<u64>> {
        let store = Store::open(&self.state().join("store.sqlite")).await?;
        let trusted = store.trusted().await?;
        let sequence = trusted.head.as_ref().map(|head| head.sequence);
        let documents = store.documents_since(None, 1_000).await?.documents.len();
        ensure!(sequence.is_some() == (documents > 0), "neither old nor new");
        store.close().await;
        Ok(sequence)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A network namespace without interfaces: not even loopback answers there.
const CUT_OFF: &[&str] = &["unshare", "--user", "--map-root-user", "--net"];

#[tokio::test(flavor = "multi_thread")]
async fn with_the_network_cut_a_bundle_is_imported_and_its_corrections_are_applied() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    let bundle = desert.bundle()?.display().to_string();
    let imported = desert.run_in(CUT_OFF, &["import", &bundle])?;
    assert!(imported.status.success(), "{}", text(&imported.stderr));
    let checked = desert.run_in(CUT_OFF, &["check", "--json"])?;
    let json: Value = serde_json::from_slice(&checked.stdout)?;
    assert_eq!(json["summary"]["exposed"], 4);
    let applied = desert.run_in(CUT_OFF, &["apply", catalog::HOUSTON_CORRECTION, "--yes"])?;
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let again = desert.run_in(CUT_OFF, &["import", &bundle])?;
    assert!(
        text(&again.stdout).contains("No changes"),
        "{}",
        text(&again.stdout)
    );
    // What was carried here, and what was done with it, is on record without a network, too.
    let audit = desert.run_in(CUT_OFF, &["audit", "--json"])?;
    let lines = text(&audit.stdout);
    let whats: Vec<String> = lines
        .lines()
        .map(|line| Ok(serde_json::from_str::<Value>(line)?["entry"]["what"].to_string()))
        .collect::<Result<_>>()?;
    assert_eq!(whats, ["\"imported\"", "\"applied\"", "\"imported\""]);
    let history = text(&desert.run(&["history"])?.stdout);
    assert!(history.contains("audit 2: applied by"), "{history}");
    assert!(history.contains("4.7.2 → 4.7.4, signed by"), "{history}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_puts_damaged_payloads_right_and_clears_away_the_others_first() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    let bundle = desert.bundle()?.display().to_string();
    assert!(desert.run(&["import", &bundle])?.status.success());
    let folder = desert.state().join("payloads");
    let mut right = BTreeMap::new();
    for entry in WalkDir::new(folder.join("blob")) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let bytes = std::fs::read(entry.path())?;
            // What a bad disk does: another content of the same length.
            std::fs::write(entry.path(), vec![7; bytes.len()])?;
            right.insert(entry.into_path(), bytes);
        }
    }
    ensure!(right.len() > 1, "the corrections have payloads");
    let needed: usize = right.values().map(Vec::len).sum();
    let stranger = folder.join(FeedPath::blob(&Digest::of(b"a stranger")).as_str());
    std::fs::create_dir_all(stranger.parent().unwrap_or(&folder))?;
    std::fs::write(&stranger, vec![7; needed])?;
    // Room for what the bundle has, and for nothing else.
    let limit = format!("[feed]\nkeep-payloads-bytes = {needed}\n");
    desert.configure(|text| {
        text.replace(&desert.demo.feed_url(), "http://127.0.0.1:9/feed/")
            .replace("[feed]\n", &limit)
    })?;
    let again = desert.run(&["import", &bundle])?;
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(!stranger.exists());
    for (path, bytes) in right {
        assert!(std::fs::read(&path)? == bytes, "{}", path.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_heard_of_is_looked_for_in_the_feed_before_the_error_names_it() -> Result<()>
{
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    desert.configure(|text| text)?;
    // Nothing has been heard here yet: the advisory comes when it is asked for.
    let shown = desert.run(&["show", catalog::LOG4SHELL])?;
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert_eq!(desert.sequence().await?, Some(1));
    desert.configure(|text| text.replace(&desert.demo.feed_url(), "http://127.0.0.1:9/feed/"))?;
    for (command, id) in [
        ("show", "SPACECP-SA-2026-9999"),
        ("apply", "SPACECP-SC-2026-9999"),
    ] {
        let missing = desert.run(&["--log", "warn", command, id])?;
        let said = text(&missing.stderr);
        assert!(!missing.status.success());
        assert!(
            said.contains("cannot fetch the document from the feed"),
            "{said}"
        );
        assert!(said.contains(id), "{said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_says_whom_the_panel_believes_and_what_it_refused() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    assert_eq!(desert.run(&["sync"])?.status.code(), Some(4));
    let json: Value = serde_json::from_slice(&desert.run(&["trust", "--json"])?.stdout)?;
    assert_eq!(json["standing"], "never-heard");
    assert_eq!(json["incidents"][0]["kind"], "unreachable");
    let bundle = desert.bundle()?.display().to_string();
    assert!(desert.run(&["import", &bundle])?.status.success());
    let json: Value = serde_json::from_slice(&desert.run(&["trust", "--json"])?.stdout)?;
    assert_eq!(json["standing"], "current");
    assert_eq!(json["root"]["roles"].as_array().map(Vec::len), Some(5));
    assert_eq!(json["pinned"]["fingerprint"], json["root"]["fingerprint"]);
    let words = text(&desert.run(&["trust"])?.stdout);
    assert!(words.contains("Up to date"), "{words}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn trust_is_reset_only_by_a_word_and_what_was_done_here_stays() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    let bundle = desert.bundle()?.display().to_string();
    desert.run(&["import", &bundle])?;
    desert.run(&["apply", catalog::HOUSTON_CORRECTION, "--yes"])?;
    assert_eq!(desert.run(&["trust", "reset"])?.status.code(), Some(3));
    assert_eq!(desert.sequence().await?, Some(1));
    assert!(desert.run(&["trust", "reset", "--yes"])?.status.success());
    assert_eq!(desert.sequence().await?, None);
    let history: Value = serde_json::from_slice(&desert.run(&["history", "--json"])?.stdout)?;
    assert_eq!(history.as_array().map(Vec::len), Some(1));
    let json: Value = serde_json::from_slice(&desert.run(&["trust", "--json"])?.stdout)?;
    assert_eq!(
        json["incidents"][0]["kind"], "reset",
        "it can be seen afterwards"
    );
    assert!(desert.run(&["import", &bundle])?.status.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_what_is_wrong_and_what_to_do() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    let look = || -> Result<(Option<i32>, Vec<Value>)> {
        let output = desert.run(&["doctor", "--json"])?;
        Ok((
            output.status.code(),
            serde_json::from_slice(&output.stdout)?,
        ))
    };
    let ill = |findings: &[Value], check: &str| {
        let mut findings = findings.iter();
        findings.any(|finding| finding["check"] == check && finding["well"] == false)
    };
    let (code, findings) = look()?;
    assert_eq!(code, Some(1));
    assert!(
        ill(&findings, "feed") && !ill(&findings, "clock"),
        "{findings:?}"
    );
    desert.run(&["import", &desert.bundle()?.display().to_string()])?;
    let (code, findings) = look()?;
    assert_eq!(code, Some(0), "{findings:?}");
    desert.configure(|text| text.replace("1.root", "no-such.root"))?;
    let (code, findings) = look()?;
    assert!(code == Some(1) && ill(&findings, "panel"), "{findings:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_is_down_is_left_for_the_next() -> Result<()> {
    let desert = Desert::new("http://127.0.0.1:9/feed/").await?;
    let feed = desert.demo.feed_url();
    desert.configure(|text| {
        text.replace(
            &format!("{feed:?}"),
            &format!("[\"http://127.0.0.1:9/\", {feed:?}]"),
        )
    })?;
    let synced = desert.run(&["sync"])?;
    assert!(synced.status.success(), "{}", text(&synced.stderr));
    assert_eq!(desert.sequence().await?, Some(1));
    Ok(())
}

/// Runs a sync whose every call of this kind from the `from`th on meets `what`.
fn sync_meets(desert: &Desert, call: &str, what: &str, from: u32, on: &str) -> Result<Output> {
    let inject = format!("inject={call}:{what}:when={from}{on}");
    let trace = format!("trace={call}");
    let strace = [
        "strace",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    desert.run_in(&strace, &["sync"])
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
async fn a_sync_that_is_killed_at_any_durable_step_leaves_the_old_state_or_the_new() -> Result<()> {
    let desert = Desert::new("the feed's own").await?;
    desert.configure(|text| text)?;
    let mut kills = 0;
    // A call that makes something durable, and how many of its kind are passed over at a time.
    for (call, stride) in [("fdatasync", 1), ("pwrite64", 7), ("ftruncate", 1)] {
        let mut which = 1;
        loop {
            if desert.state().exists() {
                std::fs::remove_dir_all(desert.state())?;
            }
            let output = sync_meets(&desert, call, "signal=KILL", which, "")?;
            if output.status.success() {
                break;
            }
            kills += 1;
            desert.sequence().await?;
            let next = desert.run(&["sync"])?;
            assert!(
                next.status.success(),
                "{call} {which}: {}",
                text(&next.stderr)
            );
            assert_eq!(desert.sequence().await?, Some(1), "{call} {which}");
            which += stride;
        }
    }
    assert!(kills > 10, "only {kills} steps were met");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_strace), ignore = "needs the program strace")]
async fn a_full_disk_and_a_read_only_one_are_named_and_cost_nothing_that_was_there() -> Result<()> {
    for error in ["ENOSPC", "EROFS", "EIO"] {
        let desert = Desert::new("the feed's own").await?;
        desert.configure(|text| text)?;
        assert!(
            desert.run(&["trust"])?.status.success(),
            "the store is there, and empty"
        );
        let output = sync_meets(&desert, "pwrite64", &format!("error={error}"), 1, "+")?;
        assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
        let complained = text(&output.stderr);
        let state = desert.state().display().to_string();
        assert!(complained.contains(&state), "{error}: {complained}");
        assert_eq!(desert.sequence().await?, None);
        let next = desert.run(&["sync"])?;
        assert!(next.status.success(), "{}", text(&next.stderr));
        assert_eq!(desert.sequence().await?, Some(1));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_syncs_at_once_in_two_processes_leave_the_store_whole() -> Result<()> {
    let demo = Desert::new("placeholder").await?;
    demo.configure(|text| text)?;
    for _ in 0..5 {
        let _ = std::fs::remove_dir_all(demo.state());
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| demo.run(&["sync"]));
            (demo.run(&["sync"]), other.join())
        });
        let other = other.map_err(|_| anyhow::anyhow!("it panicked"))?;
        for output in [one?, other?] {
            ensure!(output.status.success(), "{}", text(&output.stderr));
        }
        let store = Store::open(&demo.state().join("store.sqlite")).await?;
        let held = store.documents_since(None, 100).await?.documents.len();
        assert!(held > 3, "all of the demo's documents: {held}");
        let again = demo.run(&["sync"])?;
        ensure!(again.status.success(), "{}", text(&again.stderr));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_with_a_certificate_of_its_own_is_followed_once_its_authority_is_configured()
-> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let (identity, authority) = identity(folder.path(), "localhost")?;
    let desert = Desert::new("placeholder").await?;
    let feed = desert.demo.folder().join("vendor/feed");
    let server = FeedServer::start_tls(feed, identity).await?;
    let mirror = format!("https://localhost:{}/", server.port());
    let ours = desert.demo.feed_url();
    desert.configure(|text| text.replace(&ours, &mirror))?;
    let refused = desert.run(&["sync"])?;
    assert!(!refused.status.success());
    let words = text(&refused.stderr);
    assert!(
        words.contains("UnknownIssuer") && words.contains(&mirror),
        "{words}"
    );
    let line = format!(
        "[feed]\nproxy = \"none\"\nauthorities = {:?}",
        authority.display().to_string()
    );
    desert.configure(|text| text.replace(&ours, &mirror).replace("[feed]", &line))?;
    let followed = desert.run(&["sync"])?;
    ensure!(followed.status.success(), "{}", text(&followed.stderr));
    std::fs::remove_file(&authority)?;
    let gone = desert.run(&["sync"])?;
    let words = text(&gone.stderr);
    assert!(words.contains("authority.pem"), "{words}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_broke_in_one_process_is_gone_on_with_by_the_next() -> Result<()> {
    let desert = Desert::new("placeholder").await?;
    let feed = desert.demo.folder().join("vendor/feed");
    let server = FeedServer::start(feed.clone()).await?;
    let ours = desert.demo.feed_url();
    desert.configure(|text| text.replace(&ours, &server.url()))?;
    ensure!(desert.run(&["sync"])?.status.success());
    let blob = payload_of(&feed, catalog::HOUSTON_CORRECTION)?;
    let break_off = 20;
    server.fault(&blob, &[Fault::Breaks(break_off)]);
    server.fault(&blob, &[Fault::Busy(503, 0); 3]);
    server.asked();
    let apply = ["apply", catalog::HOUSTON_CORRECTION, "--yes"];
    let broken = desert.run(&apply)?;
    let asked = server.asked();
    let of_it = |asked: &[spacecp_tests::feed_server::Asked]| -> Vec<u16> {
        let of_it = asked.iter().filter(|one| one.path == blob);
        of_it.map(|one| one.status).collect()
    };
    assert_eq!(
        of_it(&asked),
        [200, 503, 503, 503],
        "{}",
        text(&broken.stderr)
    );
    assert!(!broken.status.success());
    let applied = desert.run(&apply)?;
    ensure!(applied.status.success(), "{}", text(&applied.stderr));
    assert_eq!(of_it(&server.asked()), [206], "from byte {break_off} on");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_in_the_folder_where_somebody_stands_is_as_good_as_any() -> Result<()> {
    let desert = Desert::new("placeholder").await?;
    let here = tempfile::TempDir::new()?;
    let state = desert.state().display().to_string();
    let text_here = std::fs::read_to_string(&desert.config)?
        .replace(&state, "state")
        .replace("placeholder", &desert.demo.feed_url());
    std::fs::write(here.path().join("config.toml"), text_here)?;
    let output = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .args(["--config", "config.toml", "sync"])
        .current_dir(here.path())
        .output()?;
    let said = text(&output.stderr);
    ensure!(output.status.success(), "{said}");
    assert!(!said.contains("plugin"), "it runs: {said}");
    Ok(())
}

/// The first payload of a correction, by its path in the feed.
fn payload_of(feed: &std::path::Path, correction: &str) -> Result<String> {
    let id = DocumentId::new(correction)?;
    let path = FeedPath::document(DocumentKind::Correction, &id, 1);
    let bytes = std::fs::read(feed.join(path.as_str()))?;
    let correction: Correction = decode(&bytes, &Limits::default())?;
    let mut after = correction.files.iter().filter_map(|file| file.after);
    let after = after
        .next()
        .ok_or_else(|| anyhow::anyhow!("it changes a file"))?;
    Ok(FeedPath::blob(&after.blob.digest).to_string())
}
