//! The copy of the journal that is behind: it is made good, and nothing that was committed is undone by it.

use anyhow::Result;
use spacecp_advisories::{
    apply::{Applier, ApplyError, Outcome},
    store::Store,
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::tree::{Panel, new, now, old};

async fn open_copy(panel: &Panel) -> Result<SqliteConnection> {
    let copy = panel.folder.path().join("journal.sqlite");
    Ok(SqliteConnectOptions::new().filename(copy).connect().await?)
}

/// A panel with an application that was committed, and a copy of its journal that could not be written when the
/// trees were exchanged, nor since.
async fn with_an_outdated_copy() -> Result<Panel> {
    let panel = Panel::new(&old(), &new()).await?;
    panel.apply().await?;
    let mut copy = open_copy(&panel).await?;
    sqlx::query("UPDATE applications SET state = 'verified', ended = NULL, exchanged = NULL")
        .execute(&mut copy)
        .await?;
    copy.close().await?;
    Ok(panel)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_copy_undoes_nothing_that_may_have_been_committed() -> Result<()> {
    let panel = with_an_outdated_copy().await?;
    let copy = panel.folder.path().join("journal.sqlite");
    let standing_in = Applier::new(Store::open_without_feed(&copy).await?);
    let left = standing_in.recover(now()).await?;
    assert_eq!(left.len(), 1, "it is named");
    assert_eq!(left[0].outcome, Outcome::InProgress);
    assert!(panel.holds(&new())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_an_outdated_copy_knows_too_little_of_is_set_aside() -> Result<()> {
    let panel = with_an_outdated_copy().await?;
    panel
        .plain()
        .roll_back("first", false, "for a test", now(), &())
        .await?;
    let mut outdated = open_copy(&panel).await?;
    sqlx::query("UPDATE applications SET state = 'verified', ended = NULL, exchanged = NULL")
        .execute(&mut outdated)
        .await?;
    outdated.close().await?;
    let copy = panel.folder.path().join("journal.sqlite");
    let standing_in = Applier::new(Store::open_without_feed(&copy).await?);
    standing_in.recover(now()).await?;
    let beside = panel.folder.path().join("panel/.spacecp-advisories/first");
    assert!(beside.join("set-aside/0/tree/VERSION").is_file());
    assert!(panel.holds(&old())?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_process_makes_an_outdated_copy_good() -> Result<()> {
    let panel = with_an_outdated_copy().await?;
    let mut copy = open_copy(&panel).await?;
    panel.plain().recover(now()).await?;
    let states: Vec<(String, Option<i64>)> =
        sqlx::query_as("SELECT state, exchanged FROM applications")
            .fetch_all(&mut copy)
            .await?;
    assert_eq!(states.len(), 1);
    assert!(
        states[0].0 == "committed" && states[0].1.is_some(),
        "{states:?}"
    );
    copy.close().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_copy_rolls_nothing_back_that_it_does_not_know_to_be_committed() -> Result<()> {
    let panel = with_an_outdated_copy().await?;
    let copy = panel.folder.path().join("journal.sqlite");
    let standing_in = Applier::new(Store::open_without_feed(&copy).await?);
    let refused = standing_in
        .roll_back("first", true, "for a test", now(), &())
        .await;
    assert!(
        matches!(
            &refused,
            Err(ApplyError::MayBeCommitted { id, component }) if id == "first" && component == "component"
        ),
        "{refused:?}"
    );
    assert!(panel.holds(&new())?);
    Ok(())
}
