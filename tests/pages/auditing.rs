//! The audit log as an operator reads, exports and checks it: the real program, each time.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::{
    panel::Panel,
    program::{Ended, run},
};

/// A panel whose log has so many entries, each by a process of its own, all of them at once.
async fn filled(entries: usize) -> Result<Panel> {
    let panel = Panel::without_plugin().await?;
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..entries {
        let config = config(&panel);
        running.spawn_blocking(move || run(&["--config", &config, "trust", "reset", "--yes"]));
    }
    while let Some(ended) = running.join_next().await {
        let ended = ended??;
        assert_eq!(ended.code, Some(0), "{}", ended.complaint);
    }
    Ok(panel)
}

fn config(panel: &Panel) -> String {
    panel.folder().join("panel.toml").display().to_string()
}

fn store(panel: &Panel) -> PathBuf {
    panel.folder().join("state/store.sqlite")
}

async fn audit(panel: &Panel, arguments: &[&str]) -> Result<Ended> {
    let config = config(panel);
    let mut all = vec!["--config".to_owned(), config, "audit".to_owned()];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let run = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await?
}

/// Somebody with the file and without the program.
async fn tamper(panel: &Panel, statement: &'static str) -> Result<()> {
    let options = SqliteConnectOptions::new().filename(store(panel));
    let mut intruder = options.connect().await?;
    let unlock = "DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened";
    sqlx::raw_sql(unlock).execute(&mut intruder).await?;
    sqlx::raw_sql(statement).execute(&mut intruder).await?;
    Ok(intruder.close().await?)
}

/// The newest entry as `verify` prints it.
fn head(verified: &Ended) -> Result<String> {
    Ok(verified.output.lines().last().context("a head")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_record_at_once_form_one_chain() -> Result<()> {
    let panel = filled(5).await?;
    let verified = audit(&panel, &["verify"]).await?;
    assert_eq!(verified.code, Some(0), "{}", verified.complaint);
    assert!(
        verified.output.starts_with("All 5 entries verified."),
        "{}",
        verified.output
    );
    let again = audit(&panel, &["verify", "--expect", &head(&verified)?]).await?;
    assert_eq!(again.code, Some(0), "{}", again.complaint);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_where_the_last_one_ended() -> Result<()> {
    let panel = filled(2).await?;
    let first = audit(&panel, &["--json"]).await?;
    assert_eq!(first.code, Some(0), "{}", first.complaint);
    let lines: Vec<serde_json::Value> = first
        .output
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["entry"]["what"], "trust-reset");
    let hash = lines[0]["hash"].as_str().context("a hash")?;
    let rest = audit(&panel, &["--json", "--since", hash]).await?;
    assert_eq!(rest.output.lines().count(), 1);
    assert_eq!(Some(rest.output.trim()), first.output.lines().nth(1));
    let unknown = audit(&panel, &["--json", "--since", &"0".repeat(64)]).await?;
    assert_eq!((unknown.code, unknown.output.as_str()), (Some(3), ""));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_hold_ends_with_3_and_says_where() -> Result<()> {
    for (statement, words) in [
        (
            "UPDATE audit SET entry = replace(entry, 'reset', 'Reset') WHERE number = 2",
            "entry 2 was modified",
        ),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        (
            "DELETE FROM audit WHERE number = 3",
            "entries from 3 on are missing",
        ),
        (
            "UPDATE audit SET number = -1 WHERE number = 2; UPDATE audit SET number = 2 WHERE number = 3; \
             UPDATE audit SET number = 3 WHERE number = -1",
            "entry 3 stands in place of entry 2",
        ),
    ] {
        let panel = filled(3).await?;
        tamper(&panel, statement).await?;
        for arguments in [&["verify"][..], &["--json"]] {
            let ended = audit(&panel, arguments).await?;
            assert_eq!(ended.code, Some(3), "{statement}");
            assert!(ended.complaint.contains(words), "{}", ended.complaint);
        }
        let table = audit(&panel, &[]).await?;
        assert_eq!(table.code, Some(3), "{statement}");
        let told = table
            .output
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(told.contains(words), "{told}");
        let json = audit(&panel, &["verify", "--json"]).await?;
        assert_eq!(json.code, Some(3));
        assert!(json.output.contains("\"number\": "), "{}", json.output);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_end_is_found_out_by_whoever_remembers_it() -> Result<()> {
    let panel = filled(3).await?;
    let head = head(&audit(&panel, &["verify"]).await?)?;
    tamper(
        &panel,
        "DELETE FROM audit WHERE number > 1; UPDATE sqlite_sequence SET seq = 1 WHERE name = 'audit'",
    )
    .await?;
    assert_eq!(
        audit(&panel, &["verify"]).await?.code,
        Some(0),
        "nothing tells by itself"
    );
    let told = audit(&panel, &["verify", "--expect", &head]).await?;
    assert_eq!(told.code, Some(3));
    assert!(
        told.complaint.contains("from 2 on are missing"),
        "{}",
        told.complaint
    );
    let (_, hash) = head.split_once(':').context("a head")?;
    assert_eq!(
        audit(&panel, &["--json", "--since", hash]).await?.code,
        Some(3)
    );
    assert_eq!(
        audit(&panel, &["verify", "--expect", "3"]).await?.code,
        Some(2)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_no_store_is_named() -> Result<()> {
    let panel = filled(1).await?;
    for part in ["-wal", "-shm"] {
        fs::remove_file(store(&panel).with_file_name(format!("store.sqlite{part}")))?;
    }
    fs::write(
        store(&panel),
        "not a store at all, and longer than a header".repeat(100),
    )?;
    let ended = audit(&panel, &["verify"]).await?;
    assert_eq!(ended.code, Some(3), "{}", ended.complaint);
    let path = store(&panel).display().to_string();
    assert!(ended.complaint.contains(&path), "{}", ended.complaint);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_says_when_the_log_does_not_hold() -> Result<()> {
    let panel = filled(2).await?;
    let doctor = |panel: &Panel| {
        let config = config(panel);
        tokio::task::spawn_blocking(move || run(&["--config", &config, "doctor"]))
    };
    let well = doctor(&panel).await??.output;
    assert!(
        well.contains("ok  audit log: all entries verified"),
        "{well}"
    );
    tamper(&panel, "DELETE FROM audit WHERE number = 1").await?;
    let ill = doctor(&panel).await??.output;
    assert!(ill.contains("!!  audit log: entry 1 is missing"), "{ill}");
    Ok(())
}
