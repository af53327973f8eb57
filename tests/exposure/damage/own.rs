//! `store.sqlite`, which cannot be fetched again: its damage is named, and keeps nobody from rolling back.

use std::fs;

use anyhow::{Context, Result, ensure};
use spacecp_tests::siege;

use super::stage::{CORRECTION, Stage, rounds};

const STORE: &str = "store.sqlite";
const FEED: &str = "feed.sqlite";

const COMMANDS: [&[&str]; 9] = [
    &["check"],
    &["list"],
    &["sync"],
    &["trust"],
    &["doctor"],
    &["history"],
    &["audit"],
    &["recover"],
    &["components"],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_meets_a_damaged_page_of_the_store_names_it() -> Result<()> {
    let stage = Stage::raise()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    let saved = stage.save().await?;
    let pages = stage.pages(STORE)?;
    let count = siege::rounds(20, pages * 2 * COMMANDS.len());
    for (page, with, command) in rounds(count, pages, &COMMANDS) {
        let case = format!("page {page} of {pages}, {with:?}, {command:?}");
        saved.put_back()?;
        stage.overwrite(STORE, page, with)?;
        let output = stage.run(command).context(case.clone())?;
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let works = matches!(output.status.code(), Some(0 | 1));
        assert!(works || said.contains(STORE), "{case}: {said}");
    }
    Ok(())
}

/// Applies the correction, does something to the panel, and rolls back.
async fn rolls_back(stage: &Stage, hurt: impl FnOnce(&Stage) -> Result<()>) -> Result<()> {
    let flawed = stage.version()?;
    stage.works(&["apply", CORRECTION, "--yes"])?;
    ensure!(stage.version()? != flawed, "it was not applied");
    stage.at_rest().await?;
    hurt(stage)?;
    stage.works(&["rollback", "lobby", "--yes"])?;
    ensure!(stage.version()? == flawed, "it was not rolled back");
    // Whatever becomes of the databases, it stays so.
    stage.run(&["recover"])?;
    ensure!(stage.version()? == flawed, "it came back");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_rolled_back_with_any_page_of_either_database_damaged() -> Result<()> {
    let stage = Stage::raise()?;
    let saved = stage.save().await?;
    // As many as there are once it has been applied.
    stage.works(&["apply", CORRECTION, "--yes"])?;
    stage.at_rest().await?;
    let pages = [(STORE, stage.pages(STORE)?), (FEED, stage.pages(FEED)?)];
    stage.works(&["rollback", "lobby", "--yes"])?;
    for (database, pages) in pages {
        let count = siege::rounds(5, pages * 2);
        for (page, with, ()) in rounds(count, pages, &[()]) {
            saved.put_back()?;
            rolls_back(&stage, |stage| stage.overwrite(database, page, with))
                .await
                .with_context(|| format!("page {page} of {pages} of {database}, {with:?}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_rolled_back_without_feed_plugin_pinned_root_and_stores() -> Result<()> {
    let stage = Stage::raise()?;
    rolls_back(&stage, |stage| {
        fs::remove_file(stage.pinned())?;
        fs::write(stage.state().join(STORE), "no database")?;
        fs::remove_file(stage.state().join(FEED))?;
        fs::create_dir(stage.state().join(FEED))?;
        Ok(fs::remove_dir_all(stage.folder.path().join("desk"))?)
    })
    .await
}
