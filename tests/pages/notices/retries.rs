//! Receivers that are down, slow, overloaded or strange: nothing is lost, and nobody is besieged.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::{
    receiver::{Habit, Receiver},
    stage::{Stage, about_the_daemon, at, counted, webhook},
};

/// Any day will do: the clocks of this machine are not asked.
const NOON: &str = "2026-03-10T12:00:00Z";

fn after(minutes: i64) -> Timestamp {
    at(NOON) + SignedDuration::from_mins(minutes)
}

/// A webhook, on a panel that mentions no exposure twice.
fn desk(receiver: &Receiver) -> String {
    let channel = webhook("desk", &receiver.address(), "");
    format!("no-correction-after-hours = 2160\n{channel}")
}

async fn stage() -> Result<Stage> {
    Stage::with(vec![about_the_daemon()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_down_is_told_once_it_is_up_and_not_twice() -> Result<()> {
    let stage = stage().await?;
    let port = Receiver::that_takes_everything().await?.port();
    let app = stage
        .open(&webhook(
            "desk",
            &format!("http://127.0.0.1:{port}/hook"),
            "",
        ))
        .await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [1, 0, 1, 0]
    );
    let receiver = Receiver::on(port, []).await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [0, 0, 0, 0],
        "it is left alone for a while"
    );
    assert_eq!(
        counted(app.notifications.deliver(after(1)).await?),
        [0, 1, 0, 0]
    );
    assert_eq!(
        counted(app.notifications.deliver(after(60)).await?),
        [0, 0, 0, 0]
    );
    assert_eq!(receiver.requests().len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_to_be_left_alone_is() -> Result<()> {
    let stage = stage().await?;
    let receiver = Receiver::that([Habit::Asks(900)]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    for minute in [0, 1, 5, 14] {
        app.notifications.deliver(after(minute)).await?;
    }
    assert_eq!(receiver.requests().len(), 1);
    assert_eq!(
        counted(app.notifications.deliver(after(15)).await?),
        [0, 1, 0, 0]
    );
    let sent = receiver.requests();
    assert_eq!(
        sent[0].header("spacecp-delivery"),
        sent[1].header("spacecp-delivery"),
        "the receiver can tell that it is the same"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_asked_less_and_less_often_and_then_given_up() -> Result<()> {
    let stage = stage().await?;
    let receiver = Receiver::that(vec![Habit::Answers(500); 10_000]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    let mut asked = Vec::new();
    for minute in 0..72 * 60 {
        app.notifications.deliver(after(minute)).await?;
        asked.extend(receiver.take().iter().map(|_| minute));
        if asked.len() == 6 {
            break;
        }
    }
    for (failures, pair) in asked.windows(2).enumerate() {
        let pause = pair[1] - pair[0];
        let whole = 1_i64 << failures;
        // Of the back-off up to half is chance; the looks are a minute apart.
        assert!(
            pause >= (whole / 2).max(1) && pause <= whole + 1,
            "{asked:?}"
        );
    }
    let report = app.notifications.report().await?;
    assert_eq!(
        (report.channels[0].pending, report.channels[0].given_up),
        (1, 0)
    );
    assert!(report.channels[0].wants_attention());

    assert_eq!(
        counted(app.notifications.deliver(after(72 * 60)).await?),
        [0, 0, 1, 1]
    );
    let report = app.notifications.report().await?;
    assert_eq!(
        (report.channels[0].pending, report.channels[0].given_up),
        (0, 1)
    );
    let failure = &report.failures[0];
    assert_eq!(failure.channel, "desk");
    assert!(failure.problem.contains("HTTP status 500"), "{failure:?}");
    assert_eq!(
        counted(app.notifications.deliver(after(80 * 60)).await?),
        [0, 0, 0, 0]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_sent_when_somebody_asks_for_it() -> Result<()> {
    let stage = stage().await?;
    let receiver = Receiver::that([Habit::Answers(404), Habit::Answers(404)]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    app.notifications.deliver(after(0)).await?;
    assert_eq!(
        counted(app.notifications.deliver(after(72 * 60)).await?),
        [0, 0, 1, 1]
    );
    assert_eq!(app.notifications.retry(after(72 * 60)).await?, 1);
    assert_eq!(
        counted(app.notifications.deliver(after(72 * 60)).await?),
        [0, 1, 0, 0]
    );
    assert_eq!(app.notifications.report().await?.failures, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_is_not_waited_for_and_keeps_no_other_waiting() -> Result<()>
{
    let stage = stage().await?;
    let (slow, quick) = (
        Receiver::that([Habit::Hangs]).await?,
        Receiver::that_takes_everything().await?,
    );
    let channels = webhook("slow", &slow.address(), "") + &webhook("quick", &quick.address(), "");
    let app = stage
        .open(&format!("timeout-seconds = 1\n{channels}"))
        .await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [1, 1, 1, 0]
    );
    assert_eq!(quick.requests().len(), 1);
    let report = app.notifications.report().await?;
    let problem = report.channels[0].problem.clone().unwrap_or_default();
    assert!(
        problem.contains("no complete answer within 1 s"),
        "{problem}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirection_is_refused_and_nothing_goes_where_it_leads() -> Result<()> {
    let stage = stage().await?;
    let elsewhere = Receiver::that_takes_everything().await?;
    let receiver = Receiver::that([Habit::Redirects(elsewhere.address())]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [1, 0, 1, 0]
    );
    assert!(elsewhere.requests().is_empty());
    let report = app.notifications.report().await?;
    let problem = report.channels[0].problem.clone().unwrap_or_default();
    assert!(problem.contains("redirect 307"), "{problem}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_stops_talking_is_not_listened_to() -> Result<()> {
    let stage = stage().await?;
    let receiver = Receiver::that([Habit::Talks]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [1, 1, 0, 0]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_is_always_refused_does_not_keep_the_next_ones_back() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that([Habit::Answers(400)]).await?;
    let more = "events = [\"new-exposure\"]";
    let app = stage
        .open(&webhook("desk", &receiver.address(), more))
        .await?;
    assert_eq!(
        counted(app.notifications.deliver(after(0)).await?),
        [4, 0, 1, 0]
    );
    assert_eq!(
        counted(app.notifications.deliver(after(1)).await?),
        [0, 4, 0, 0]
    );
    let numbers: Vec<u64> = receiver
        .requests()
        .iter()
        .map(|request| request.json()["notices"][0]["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2, 3, 4, 1], "the refused one comes last");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_gone_from_the_configuration_leaves_a_recorded_failure() -> Result<()> {
    let stage = stage().await?;
    let receiver = Receiver::that([Habit::Answers(500)]).await?;
    let app = stage.open(&desk(&receiver)).await?;
    app.notifications.deliver(after(0)).await?;
    drop(app);
    let app = stage
        .open(&webhook("other", &receiver.address(), ""))
        .await?;
    app.notifications.deliver(after(5)).await?;
    let report = app.notifications.report().await?;
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].problem.contains("no longer configured"));
    Ok(())
}
