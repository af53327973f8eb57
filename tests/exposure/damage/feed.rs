//! `feed.sqlite`: everything in it is fetched again by the next sync.

use std::fs;

use anyhow::{Context, Result};
use spacecp_tests::siege;

use super::stage::{Stage, With, rounds};

const FEED: &str = "feed.sqlite";

/// What may find the damage; each of them works, or says what is wrong.
const COMMANDS: [&[&str]; 10] = [
    &["sync"],
    &["check"],
    &["list"],
    &["trust"],
    &["trust", "reset", "--yes"],
    &["doctor"],
    &["history"],
    &["audit"],
    &["recover"],
    &["show", "SPACECP-SA-2026-0001"],
];

#[tokio::test(flavor = "multi_thread")]
async fn one_sync_mends_a_feed_with_any_page_damaged_whatever_was_done_before() -> Result<()> {
    let stage = Stage::raise()?;
    let before = stage.verdicts()?;
    let saved = stage.save().await?;
    let pages = stage.pages(FEED)?;
    let count = siege::rounds(12, pages * 2 * COMMANDS.len());
    for (page, with, command) in rounds(count, pages, &COMMANDS) {
        let case = format!("page {page} of {pages}, {with:?}, {command:?}");
        saved.put_back()?;
        stage.overwrite(FEED, page, with)?;
        stage.run(command).context(case.clone())?;
        stage.works(&["sync"]).context(case.clone())?;
        assert_eq!(stage.verdicts().context(case.clone())?, before, "{case}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_runs_finds_a_damaged_page_and_its_next_sync_mends_it() -> Result<()> {
    let stage = Stage::raise()?;
    stage.at_rest().await?;
    let pages = stage.pages(FEED)?;
    let rounds = rounds(siege::rounds(6, pages * 2), pages, &[()]);
    for (page, with, ()) in rounds {
        let case = format!("page {page} of {pages}, {with:?}");
        let app = stage.app().await.context(case.clone())?;
        let before = app.panel.exposure.report().await.context(case.clone())?;
        stage.overwrite(FEED, page, with)?;
        // Whether it is found depends on what is asked, and on what SQLite has in memory.
        drop(app.panel.exposure.report().await);
        drop(app.panel.feed.freshness().await);
        drop(app.panel.trust.report(jiff::Timestamp::now()).await);
        drop(app.panel.trust.look_for_damage().await);
        app.panel.feed.sync().await.context(case.clone())?;
        assert_eq!(
            app.panel.trust.look_for_damage().await?,
            [] as [String; 0],
            "{case}"
        );
        let after = app.panel.exposure.report().await.context(case.clone())?;
        assert_eq!(after.verdicts, before.verdicts, "{case}");
        drop(app);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_files_that_were_set_aside_the_newest_are_kept() -> Result<()> {
    let stage = Stage::raise()?;
    for _ in 0..6 {
        stage.at_rest().await?;
        stage.overwrite(FEED, 0, With::Noise)?;
        stage.works(&["sync"])?;
    }
    let names = fs::read_dir(stage.state())?.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let is_database = !name.ends_with("-wal") && !name.ends_with("-shm");
        (name.starts_with("feed.sqlite.damaged-") && is_database).then_some(name)
    });
    assert_eq!(names.count(), 3);
    Ok(())
}
