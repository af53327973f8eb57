//! `notify` on the command line, and what `doctor` says.

use anyhow::Result;
use serde_json::Value;

use super::{
    receiver::{Habit, Receiver},
    stage::{Stage, about_the_daemon, webhook},
};
use crate::program::{Ended, run};

async fn on(stage: &Stage, notify: &str, arguments: &'static [&'static str]) -> Result<Ended> {
    let config = stage.configure(notify)?.display().to_string();
    let ended = tokio::task::spawn_blocking(move || {
        run(&[&["--config", config.as_str()], arguments].concat())
    });
    ended.await?
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_listed_with_what_failed_and_doctor_points_at_them() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that([
        Habit::Answers(500),
        Habit::Answers(500),
        Habit::Answers(500),
    ])
    .await?;
    let channels = webhook("desk", &receiver.address(), "");
    let shown = webhook(
        "desk",
        &receiver.address(),
        "minimum-severity = \"medium\"\ndigest = \"immediate\"\nzone = \"Europe/Berlin\"\nquiet = { from = \"03:00\", to = \"03:01\" }\nurgent = []",
    );
    let none = on(&stage, "", &["notify", "list"]).await?;
    assert_eq!(none.code, Some(0));
    assert!(
        none.output.contains("Add [[notify.channel]]"),
        "{}",
        none.output
    );
    let well = on(&stage, &shown, &["notify", "list"]).await?;
    insta::assert_snapshot!("notify_list", well.output);
    for _ in 0..3 {
        let failed = on(&stage, &channels, &["notify", "retry"]).await?;
        assert_eq!(failed.code, Some(4), "{}", failed.complaint);
    }
    let listed = on(&stage, &channels, &["notify", "list", "--json"]).await?;
    let listed: Value = serde_json::from_str(&listed.output)?;
    assert_eq!(listed["channels"][0]["pending"], 1);
    assert!(
        listed["channels"][0]["problem"]
            .as_str()
            .unwrap()
            .contains("500")
    );
    let again = on(&stage, &channels, &["notify", "retry", "--json"]).await?;
    assert_eq!(again.code, Some(0), "{}", again.complaint);
    let again: Value = serde_json::from_str(&again.output)?;
    assert_eq!(again["told"]["delivered"], 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_is_sent_at_once_and_one_that_fails_ends_with_4() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that([Habit::Takes, Habit::Takes, Habit::Answers(403)]).await?;
    let channel = webhook("desk", &receiver.address(), "digest = \"hourly\"");
    let all = on(&stage, &channel, &["notify", "test"]).await?;
    assert_eq!(
        (all.code, all.output.as_str()),
        (Some(0), "desk: test notification delivered.\n")
    );
    let one = on(&stage, &channel, &["notify", "test", "desk"]).await?;
    assert_eq!(one.code, Some(0), "{}", one.complaint);
    let refused = on(&stage, &channel, &["notify", "test", "desk"]).await?;
    assert_eq!(refused.code, Some(4));
    assert!(
        refused.output.contains("HTTP status 403"),
        "{}",
        refused.output
    );
    let strange = on(&stage, &channel, &["notify", "test", "nobody"]).await?;
    assert_eq!(strange.code, Some(2));
    assert!(
        strange.complaint.contains("configured: desk"),
        "{}",
        strange.complaint
    );
    let sent = receiver.requests();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].json()["trial"], true);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_which_channel_fails_and_what_to_do() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that(vec![Habit::Answers(410); 9]).await?;
    let channel = webhook("desk", &receiver.address(), "");
    let app = stage.open(&channel).await?;
    for hours in 0..3 {
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        app.notifications.deliver(now).await?;
    }
    drop(app);
    let doctor = on(&stage, &channel, &["doctor"]).await?;
    assert_eq!(doctor.code, Some(1), "{}", doctor.output);
    for words in [
        "desk (webhook) fails",
        "HTTP status 410",
        "notify test desk",
    ] {
        assert!(
            doctor.output.contains(words),
            "{words} in {}",
            doctor.output
        );
    }
    Ok(())
}
