//! A clock that was ahead once, as an administrator finds and mends it: the real program, each time.

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{store::Store, trust::workflow::SeenHead};
use spacecp_contract::Digest;

use crate::{
    panel::Panel,
    program::{Ended, run},
};

async fn program(panel: &Panel, arguments: &[&str]) -> Result<Ended> {
    let config = panel.folder().join("panel.toml").display().to_string();
    let mut all = vec!["--config".to_owned(), config];
    all.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    let run = move || run(&all.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await?
}

fn seen(sequence: u64, bytes: &[u8]) -> SeenHead {
    SeenHead {
        epoch: 0,
        sequence,
        digest: Digest::of(bytes),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_that_was_ahead_saw_expire_is_forgotten_only_by_a_word_that_is_recorded()
-> Result<()> {
    let panel = Panel::without_plugin().await?;
    let store = Store::open(&panel.folder().join("state/store.sqlite")).await?;
    let ahead = Timestamp::now() + SignedDuration::from_hours(24 * 400);
    store.saw_head_expired(seen(7, b"a head"), ahead).await?;
    let before = store.clock().await?;
    let asked = program(&panel, &["trust", "clock-reset"]).await?;
    assert_eq!(asked.code, Some(3));
    let forgets = "heads up to sequence 7 were seen expired";
    assert!(asked.complaint.contains(forgets), "{}", asked.complaint);
    assert_eq!(store.clock().await?, before, "it was only asked");
    let done = program(&panel, &["trust", "clock-reset", "--yes"]).await?;
    assert_eq!(done.code, Some(0), "{}", done.complaint);
    assert!(done.output.contains(forgets), "{}", done.output);
    assert_eq!(store.clock().await?.seen, None);
    let log = program(&panel, &["audit", "--json"]).await?;
    assert!(log.output.contains("clock-reset"), "{}", log.output);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_not_behind_what_is_remembered_cannot_be_reset() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let store = Store::open(&panel.folder().join("state/store.sqlite")).await?;
    let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
    store
        .saw_head_expired(seen(7, b"a head"), yesterday)
        .await?;
    let before = store.clock().await?;
    for arguments in [
        &["trust", "clock-reset"][..],
        &["trust", "clock-reset", "--yes"],
    ] {
        let refused = program(&panel, arguments).await?;
        assert_eq!(refused.code, Some(3), "{}", refused.output);
    }
    assert_eq!(store.clock().await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_clock_that_was_ahead_from_a_feed_that_is_stale() -> Result<()> {
    let panel = Panel::raise().await?;
    let store = Store::open(&panel.folder().join("state/store.sqlite")).await?;
    let said = async |check: &str| -> Result<String> {
        let doctor = program(&panel, &["doctor"]).await?;
        let mut lines = doctor.output.lines();
        let line = lines.find(|line| line.contains(&format!("{check}: ")));
        Ok(line.unwrap_or_default().to_owned())
    };
    let head = store.trusted().await?.head.clone().context("a head")?;
    store
        .saw_head_expired(seen(head.sequence, head.bytes()), Timestamp::now())
        .await?;
    assert!(said("clock").await?.starts_with("ok"));
    let feed = said("feed").await?;
    assert!(
        feed.starts_with("!!") && feed.contains("withheld"),
        "{feed}"
    );
    let ahead = Timestamp::now() + SignedDuration::from_hours(24 * 400);
    store
        .saw_head_expired(seen(head.sequence + 1, b"a later head"), ahead)
        .await?;
    let clock = said("clock").await?;
    assert!(
        clock.starts_with("!!") && clock.contains("ahead"),
        "{clock}"
    );
    let feed = said("feed").await?;
    assert!(feed.contains("by an earlier clock"), "{feed}");
    Ok(())
}
