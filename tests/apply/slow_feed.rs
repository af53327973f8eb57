//! Automatic application and a feed that does not answer: it never waits for it.

use std::fs;

use anyhow::{Context, Result};
use jiff::Timestamp;
use spacecp_advisories::automation::{Fate, Occasion};
use spacecp_tests::feed_server::{Fault, FeedServer};

use crate::night::{DAEMON_FIX, MODULE_FIX, Night, Panel, fates, noon};

/// A mirror that takes every question and never answers.
async fn silent(panel: &Panel) -> Result<FeedServer> {
    let server = FeedServer::start(panel.vendor.feed_dir().to_owned()).await?;
    server.always("head", Fault::Silent);
    Ok(server)
}

/// Has the panel follow these places, each for so many seconds a sync, from now on.
async fn follow(panel: &mut Panel, places: &[String], seconds: u64) -> Result<()> {
    let path = panel.config_path();
    let text = fs::read_to_string(&path)?;
    let feed = format!(
        "from = {:?}\n",
        panel.vendor.feed_dir().display().to_string()
    );
    let there = format!("from = {places:?}\nsync-timeout = {seconds}\n");
    anyhow::ensure!(text.contains(&feed), "{text}");
    fs::write(&path, text.replace(&feed, &there))?;
    panel.come_up_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_verified_is_applied_while_the_feed_does_not_answer() -> Result<()> {
    let mut panel = Panel::on(Night::default()).await?;
    panel
        .app
        .panel
        .automation
        .switch(false, "ada", Timestamp::now())
        .await?;
    panel.run().await?;
    assert_eq!(panel.version("daemon")?, "1.0.0", "it is switched off");
    let server = silent(&panel).await?;
    follow(&mut panel, &[server.url()], 3_600).await?;
    panel
        .app
        .panel
        .automation
        .switch(true, "ada", Timestamp::now())
        .await?;
    // A sync of the panel's own is under way, too.
    let app = panel.app.clone();
    let syncing = tokio::spawn(async move { app.panel.feed.sync().await.map(drop) });
    for occasion in [Occasion::Due, Occasion::Asked] {
        let run = panel
            .app
            .panel
            .automation
            .run(occasion, None, &panel.clock)
            .await?;
        let problem = run.problem.context("the feed did not answer")?;
        assert!(problem.contains("has not answered"), "{problem}");
    }
    assert_eq!(panel.version("daemon")?, "1.0.1");
    assert_eq!(panel.version("module")?, "1.0.1");
    syncing.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sync_brings_after_all_is_applied_by_the_command_that_began_it() -> Result<()> {
    let mut panel = Panel::on(Night::default()).await?;
    let server = silent(&panel).await?;
    let places = [server.url(), panel.vendor.feed_dir().display().to_string()];
    follow(&mut panel, &places, 8).await?;
    panel.clock.set(noon());
    let run = panel
        .app
        .panel
        .automation
        .run_to_the_end(&panel.clock)
        .await?;
    assert_eq!(
        fates(&run.lines),
        [(DAEMON_FIX, Fate::Applied), (MODULE_FIX, Fate::Applied)]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_says_that_the_sync_that_it_waited_for_failed_after_all() -> Result<()> {
    let mut panel = Panel::on(Night::default()).await?;
    let server = silent(&panel).await?;
    follow(&mut panel, &[server.url()], 8).await?;
    panel.clock.set(noon());
    let run = panel
        .app
        .panel
        .automation
        .run_to_the_end(&panel.clock)
        .await?;
    let problem = run.problem.context("the sync failed")?;
    assert!(problem.contains("sync failed"), "{problem}");
    Ok(())
}
