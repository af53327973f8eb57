//! The command and what it leaves: the same twice, whole files only, and small files letter by letter.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    kinds::{self, own},
    stage::{Stage, files},
};

#[test]
fn the_same_once_more_changes_nothing_not_even_a_date() -> Result<()> {
    let stage = Stage::with(kinds::all()?.into_iter().map(|kind| kind.advisory))?;
    let first = stage.disclose()?;
    ensure!(
        first["files"]["written"].as_array().map(Vec::len) > Some(50),
        "{first}"
    );
    let before = files(&stage.webroot())?;
    let second = stage.disclose()?;
    assert_eq!(second["files"]["written"], serde_json::json!([]));
    assert_eq!(second["files"]["removed"], serde_json::json!([]));
    assert_eq!(files(&stage.webroot())?, before);
    Ok(())
}

#[test]
fn the_small_files_say_what_their_standards_ask_for() -> Result<()> {
    let stage = Stage::open()?;
    stage.vendor.feed().root()?;
    let stage = {
        let mut stage = stage;
        stage.vendor.broadcast()?;
        stage
    };
    stage.publish()?;
    insta::assert_snapshot!("security_txt", stage.read(".well-known/security.txt")?);
    insta::assert_snapshot!(
        "provider_metadata",
        stage.read(".well-known/csaf/provider-metadata.json")?
    );
    insta::assert_snapshot!("report_key", stage.read("advisories/report-key.txt")?);
    Ok(())
}

#[test]
fn without_settings_nothing_is_written_and_what_is_missing_is_named() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    let feed = stage.vendor.feed_dir().display().to_string();
    let out = stage.webroot().display().to_string();
    let settings = stage.folder.path().join("desk/publisher.toml");
    fs::write(&settings, "name = \"SpaceCP\"\n")?;
    let output = stage.run(&["disclose", &feed, "--out", &out])?;
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8(output.stderr)?;
    for words in [
        "namespace",
        "security-txt.contact",
        "security-txt.expires",
        "disclose --help",
    ] {
        ensure!(said.contains(words), "{said}");
    }
    assert!(!stage.webroot().exists());
    let help = stage.run(&["disclose", "--help"])?;
    let help = String::from_utf8(help.stdout)?;
    ensure!(
        help.contains("[security-txt]") && help.contains("Example:"),
        "{help}"
    );
    Ok(())
}

#[test]
fn a_dry_run_says_what_would_be_written_and_writes_nothing() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    let feed = stage.vendor.feed_dir().display().to_string();
    let out = stage.webroot().display().to_string();
    let output = stage.run(&["disclose", &feed, "--out", &out, "--dry-run"])?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(
        said.contains("write   advisories/SPACECP-SA-2026-1001.html"),
        "{said}"
    );
    assert!(!stage.webroot().exists());
    Ok(())
}

/// Ends the program at many instants; whatever is there then is whole, and the next run finishes it.
#[test]
fn a_process_killed_at_any_instant_leaves_whole_files() -> Result<()> {
    let stage = Stage::with((1..40).map(own))?;
    let whole = {
        let other = spacecp_tests::scratch::folder()?;
        run_into(&stage, other.path())?.wait()?;
        files(other.path())?
    };
    for after in [1u64, 5, 10, 20, 40, 80, 160, 320] {
        let folder = spacecp_tests::scratch::folder()?;
        let mut child = run_into(&stage, folder.path())?;
        std::thread::sleep(std::time::Duration::from_millis(after));
        child.kill()?;
        child.wait()?;
        for (name, bytes) in files(folder.path())? {
            if name.starts_with(".spacecp-disclosure/") || name.contains("provider-metadata") {
                continue;
            }
            let shall = whole.iter().find(|(other, _)| *other == name);
            let (_, shall) = shall.with_context(|| format!("{name} is no file of the site"))?;
            ensure!(*shall == bytes, "{name} is half written after {after} ms");
        }
        ensure!(
            run_into(&stage, folder.path())?.wait()?.success(),
            "the next run"
        );
        let names = |files: Vec<(String, Vec<u8>)>| files.into_iter().map(|(name, _)| name);
        let left: Vec<String> = names(files(folder.path())?).collect();
        let wanted: Vec<String> = names(whole.clone()).collect();
        assert_eq!(left, wanted, "after {after} ms");
        assert!(!folder.path().join(".spacecp-disclosure/staging").exists());
    }
    Ok(())
}

fn run_into(stage: &Stage, out: &std::path::Path) -> Result<std::process::Child> {
    let child = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
        .arg("--desk")
        .arg(stage.folder.path().join("desk"))
        .arg("disclose")
        .arg(stage.vendor.feed_dir())
        .arg("--out")
        .arg(out)
        .stdout(std::process::Stdio::null())
        .spawn()?;
    Ok(child)
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn the_commands_on_a_page_check_the_signature() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    stage.publish()?;
    let page = stage.read("advisories/SPACECP-SA-2026-1001.html")?;
    let line = page.lines().find(|line| line.starts_with("minisign -V"));
    let line = line.context("the page has a command")?;
    let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
    let verify = || {
        Command::new("minisign")
            .args(&arguments)
            .current_dir(stage.webroot().join("advisories"))
            .output()
    };
    let output = verify()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{line}: {said}");
    ensure!(
        said.contains("spacecp role=advisory name=SPACECP-SA-2026-1001 revision=1"),
        "{said}"
    );
    ensure!(
        page.contains("spacecp role=advisory name=SPACECP-SA-2026-1001 revision=1"),
        "{page}"
    );
    let path = stage
        .webroot()
        .join("advisories/SPACECP-SA-2026-1001.signed");
    let mut bytes = fs::read(&path)?;
    bytes[20] ^= 1;
    fs::write(&path, bytes)?;
    assert!(!verify()?.status.success(), "other bytes must not verify");
    Ok(())
}

#[test]
fn a_format_without_words_for_an_advisory_is_named_and_its_page_is_there() -> Result<()> {
    let mut nothing = own(1);
    nothing.affected.clear();
    let stage = Stage::with([nothing, own(2)])?;
    let feed = stage.vendor.feed_dir().display().to_string();
    let out = stage.webroot().display().to_string();
    let output = stage.run(&["--json", "disclose", &feed, "--out", &out])?;
    assert_eq!(output.status.code(), Some(1));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    assert_eq!(said["omitted"][0]["format"], "CSAF");
    let page = stage.read("advisories/SPACECP-SA-2026-1001.html")?;
    assert!(
        page.contains("OSV") && !page.contains("CSAF 2.0</a>"),
        "{page}"
    );
    Ok(())
}
