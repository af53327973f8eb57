//! Digests and quiet hours, as a receiver sees them.

use anyhow::Result;
use spacecp_tests::catalog;

use super::{
    receiver::{Habit, Receiver},
    stage::{Stage, about_the_daemon, at, of_catalogue, webhook},
};

const NIGHT: &str = "zone = \"Europe/Berlin\"\nquiet = { from = \"22:00\", to = \"07:00\" }";

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_quiet_hours_is_held_until_their_end_by_the_clock_that_was_put_forward()
-> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), NIGHT))
        .await?;
    // Midnight; at two the clocks are put forward, so that seven is at five UTC and not at six.
    for quiet in [
        "2026-03-28T23:00:00Z",
        "2026-03-29T01:30:00Z",
        "2026-03-29T04:59:59Z",
    ] {
        app.notifications.deliver(at(quiet)).await?;
        assert!(receiver.requests().is_empty(), "{quiet}");
    }
    let report = app.notifications.report().await?;
    assert_eq!(
        report.channels[0].next_due,
        Some(at("2026-03-29T05:00:00Z"))
    );
    app.notifications
        .deliver(at("2026-03-29T05:00:00Z"))
        .await?;
    assert_eq!(receiver.requests().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_to_be_exploited_waits_for_nobody_to_wake_up() -> Result<()> {
    let mut exploited = of_catalogue(catalog::LOG4SHELL);
    exploited.corrections.clear();
    let stage = Stage::with(vec![about_the_daemon(), exploited]).await?;
    let (usual, never) = (
        Receiver::that_takes_everything().await?,
        Receiver::that_takes_everything().await?,
    );
    let channels = webhook("usual", &usual.address(), NIGHT)
        + &webhook("never", &never.address(), &format!("{NIGHT}\nurgent = []"));
    let app = stage.open(&channels).await?;
    app.notifications
        .deliver(at("2026-10-25T00:30:00Z"))
        .await?;
    assert_eq!(
        usual.told(),
        [("new-exposure".to_owned(), catalog::LOG4SHELL.to_owned())]
    );
    assert_eq!(never.told(), []);
    // The clocks were put back: seven is at six UTC.
    app.notifications
        .deliver(at("2026-10-25T05:59:00Z"))
        .await?;
    assert_eq!((usual.told(), never.told()), (vec![], vec![]));
    app.notifications
        .deliver(at("2026-10-25T06:00:00Z"))
        .await?;
    assert_eq!((usual.told().len(), never.told().len()), (1, 2));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_before_quiet_hours_is_not_tried_again_within_them() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that([Habit::Answers(503)]).await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), NIGHT))
        .await?;
    app.notifications
        .deliver(at("2026-01-10T20:59:00Z"))
        .await?;
    app.notifications
        .deliver(at("2026-01-10T21:05:00Z"))
        .await?;
    assert_eq!(receiver.take().len(), 1);
    app.notifications
        .deliver(at("2026-01-11T06:00:00Z"))
        .await?;
    assert_eq!(receiver.take().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daily_digest_is_one_message_about_all_of_the_day() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let more = "digest = \"daily\"\ndaily-at = \"08:00\"\nzone = \"Europe/Berlin\"";
    let app = stage
        .open(&webhook("desk", &receiver.address(), more))
        .await?;
    app.notifications
        .deliver(at("2026-01-10T12:00:00Z"))
        .await?;
    app.notifications
        .deliver(at("2026-01-11T06:59:00Z"))
        .await?;
    assert!(receiver.requests().is_empty());
    app.notifications
        .deliver(at("2026-01-11T07:00:00Z"))
        .await?;
    let sent = receiver.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].json()["notices"].as_array().map(Vec::len), Some(5));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hourly_digest_comes_at_the_full_hour() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), "digest = \"hourly\""))
        .await?;
    for (look, messages) in [("12:10", 0), ("12:59", 0), ("13:00", 1), ("14:00", 1)] {
        app.notifications
            .deliver(at(&format!("2026-01-10T{look}:00Z")))
            .await?;
        assert_eq!(receiver.requests().len(), messages, "{look}");
    }
    Ok(())
}
