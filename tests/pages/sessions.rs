//! When a session ends, and how long a guesser has to wait, on clocks that the test moves.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::Result;
use spacecp_advisories::web::{self, StandAlone};

use crate::{
    panel::{ADMINISTRATOR, PASSWORD, Panel, VIEWER},
    served::{Moved, Served},
    visitor::Visitor,
};

async fn served() -> Result<(Panel, Served, Arc<Moved>)> {
    let panel = Panel::without_plugin().await?;
    let clocks = Arc::new(Moved::new());
    let alone = StandAlone::by(panel.app().backend(), clocks.clone());
    let served = Served::new(web::router_of(alone)?).await?;
    Ok((panel, served, clocks))
}

async fn logged_in(served: &Served) -> Result<Visitor> {
    let mut visitor = served.visitor();
    visitor
        .log_in(ADMINISTRATOR, PASSWORD)
        .await?
        .leads_to("/")?;
    Ok(visitor)
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_session_ends_after_half_an_hour_without_a_request() -> Result<()> {
    let (_panel, served, clocks) = served().await?;
    let mut visitor = logged_in(&served).await?;
    for _ in 0..3 {
        clocks.pass(29 * MINUTE);
        assert_eq!(
            visitor.get("/trust").await?.status,
            200,
            "a request keeps it open"
        );
    }
    clocks.pass(30 * MINUTE);
    visitor
        .get("/trust")
        .await?
        .leads_to("/login?next=%2Ftrust")
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours_however_busy_it_was() -> Result<()> {
    let (_panel, served, clocks) = served().await?;
    let mut visitor = logged_in(&served).await?;
    for _ in 0..35 {
        clocks.pass(20 * MINUTE);
        assert_eq!(visitor.get("/trust").await?.status, 200);
    }
    clocks.pass(20 * MINUTE);
    visitor
        .get("/trust")
        .await?
        .leads_to("/login?next=%2Ftrust")
}

#[tokio::test]
async fn logging_in_again_changes_the_session_and_ends_the_one_before() -> Result<()> {
    let (_panel, served, _clocks) = served().await?;
    let mut visitor = logged_in(&served).await?;
    let before = visitor.cookie().unwrap_or_default().to_owned();
    visitor
        .log_in(ADMINISTRATOR, PASSWORD)
        .await?
        .leads_to("/")?;
    assert_ne!(visitor.cookie(), Some(before.as_str()));
    let mut copy = served.visitor().with_cookie(&before);
    copy.get("/trust").await?.leads_to("/login?next=%2Ftrust")
}

#[tokio::test]
async fn whoever_guesses_waits_longer_each_time_and_is_let_in_afterwards() -> Result<()> {
    let (_panel, served, clocks) = served().await?;
    let mut visitor = served.visitor();
    for _ in 0..5 {
        assert_eq!(visitor.log_in(ADMINISTRATOR, "wrong").await?.status, 401);
    }
    let waits = visitor.log_in(ADMINISTRATOR, PASSWORD).await?;
    assert!(waits.body.contains("Wait 3 seconds"), "{}", waits.body);
    clocks.pass(Duration::from_secs(2));
    assert_eq!(visitor.log_in(ADMINISTRATOR, "wrong").await?.status, 401);
    let waits = visitor.log_in(ADMINISTRATOR, PASSWORD).await?;
    assert!(waits.body.contains("Wait 5 seconds"), "{}", waits.body);
    clocks.pass(Duration::from_secs(4));
    visitor.log_in(ADMINISTRATOR, PASSWORD).await?.leads_to("/")
}

#[tokio::test]
async fn an_address_that_guesses_at_many_names_has_to_wait_with_every_name() -> Result<()> {
    let (_panel, served, clocks) = served().await?;
    let mut visitor = served.visitor();
    for number in 0..30 {
        let answer = visitor.log_in(&format!("user{number}"), "wrong").await?;
        assert_eq!(answer.status, 401, "{number}");
    }
    assert_eq!(visitor.log_in(VIEWER, PASSWORD).await?.status, 429);
    // From another address there is no wait.
    let elsewhere = served.visitor().from(Ipv4Addr::new(127, 0, 0, 9).into());
    elsewhere
        .clone()
        .log_in(VIEWER, PASSWORD)
        .await?
        .leads_to("/")?;
    // Somebody who may log in does not wipe out their guesses at other names by it.
    clocks.pass(Duration::from_secs(2));
    visitor.log_in(VIEWER, PASSWORD).await?.leads_to("/")?;
    assert_eq!(visitor.log_in("user99", "wrong").await?.status, 429);
    Ok(())
}

#[tokio::test]
async fn a_name_that_many_addresses_guess_at_is_slow_and_not_locked() -> Result<()> {
    let (_panel, served, clocks) = served().await?;
    for number in 0..50 {
        let address = Ipv4Addr::new(127, 0, 1, number / 5 + 1);
        let answer = served
            .visitor()
            .from(address.into())
            .log_in(ADMINISTRATOR, "wrong")
            .await?;
        assert_eq!(answer.status, 401, "{number}");
    }
    let mut owner = served.visitor();
    assert_eq!(owner.log_in(ADMINISTRATOR, PASSWORD).await?.status, 429);
    assert_ne!(owner.log_in(VIEWER, "wrong").await?.status, 429);
    clocks.pass(Duration::from_secs(30));
    owner.log_in(ADMINISTRATOR, PASSWORD).await?.leads_to("/")
}
