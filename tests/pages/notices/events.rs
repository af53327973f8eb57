//! What happens on a panel, from the real feed, plugin and journal, and that each of it is told once.

use std::fs;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{ApplyRequest, decisions::Wish, notify::Kind};
use spacecp_contract::Tlp;
use spacecp_tests::catalog;

use super::{
    receiver::Receiver,
    stage::{Stage, about_the_daemon, at, counted, id, of_catalogue, revised, webhook},
};

fn told(event: &str, advisory: &str) -> (String, String) {
    (event.to_owned(), advisory.to_owned())
}

fn noon() -> Timestamp {
    at("2026-03-10T12:00:00Z")
}

fn apply(correction: &str, component: &str) -> ApplyRequest {
    ApplyRequest {
        correction: id(correction),
        component: component.to_owned(),
        plan: None,
        overwrite: false,
        by: "ada".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exposure_is_told_once_and_what_cannot_be_decided_is_told_as_that() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let channel = webhook("desk", &receiver.address(), "");
    let app = stage.open(&channel).await?;
    assert_eq!(
        counted(app.notifications.deliver(noon()).await?),
        [5, 5, 0, 0]
    );
    let mut first = receiver.told();
    first.sort();
    assert_eq!(
        first,
        [
            told("new-exposure", catalog::LOG4SHELL),
            told("new-exposure", catalog::WS_HEADERS),
            told("new-exposure", catalog::CONSOLE),
            // Exposed, and somewhere undecided: under embargo neither is said.
            told("under-embargo", catalog::BACKUP),
            told("under-embargo", catalog::BACKUP),
        ]
    );
    drop(app);
    let app = stage.open(&channel).await?;
    assert_eq!(
        counted(app.notifications.deliver(noon()).await?),
        [0, 0, 0, 0],
        "nor after a restart"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_is_applied_and_taken_back_is_told_and_so_is_the_flaw_that_returns()
-> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    app.notifications.deliver(noon()).await?;
    receiver.take();
    let applied = app
        .panel
        .corrections
        .apply(apply(catalog::HOUSTON_CORRECTION, "houston"), &())
        .await?;
    app.notifications.deliver(noon()).await?;
    let requests = receiver.requests();
    assert_eq!(receiver.told(), [told("applied", catalog::WS_HEADERS)]);
    let notice = requests[0].json()["notices"][0].clone();
    assert_eq!(notice["correction"], catalog::HOUSTON_CORRECTION);
    assert_eq!(notice["change"], serde_json::json!(["4.7.2", "4.7.4"]));
    app.panel
        .corrections
        .roll_back(&applied.id, false, "ada", &())
        .await?;
    app.notifications.deliver(noon()).await?;
    let mut back = receiver.told();
    back.sort();
    assert_eq!(
        back,
        [
            told("new-exposure", catalog::WS_HEADERS),
            told("new-exposure", catalog::CONSOLE),
            told("rolled-back", catalog::WS_HEADERS),
        ]
    );
    assert_eq!(
        counted(app.notifications.deliver(noon()).await?),
        [0, 0, 0, 0]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_applied_before_anybody_was_told_anything_is_no_news() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook(
            "desk",
            &receiver.address(),
            "events = [\"applied\"]",
        ))
        .await?;
    app.panel
        .corrections
        .apply(apply(catalog::SERVER_CORRECTION, "lobby"), &())
        .await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), []);
    app.panel
        .corrections
        .apply(apply(catalog::HOUSTON_CORRECTION, "houston"), &())
        .await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), [told("applied", catalog::WS_HEADERS)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_fails_is_told_with_why() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook(
            "desk",
            &receiver.address(),
            "events = [\"failed\"]",
        ))
        .await?;
    app.notifications.deliver(noon()).await?;
    // Whatever is fetched is not what was signed.
    for entry in walkdir::WalkDir::new(stage.feed()).into_iter().flatten() {
        if entry.file_type().is_file() && entry.path().to_string_lossy().contains("blob") {
            fs::write(entry.path(), "something else")?;
        }
    }
    let failed = app
        .panel
        .corrections
        .apply(apply(catalog::SERVER_CORRECTION, "lobby"), &())
        .await;
    assert!(failed.is_err());
    app.notifications.deliver(noon()).await?;
    let sent = receiver.take();
    assert_eq!(
        sent.len(),
        1,
        "{:?}",
        app.panel.corrections.history(10).await?
    );
    let notice = sent[0].json()["notices"][0].clone();
    assert_eq!(notice["event"], "failed");
    assert!(notice["reason"].is_string(), "{notice}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exposure_without_a_correction_is_mentioned_again_once_unless_somebody_decided()
-> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    let day = SignedDuration::from_hours(24);
    app.notifications.deliver(noon()).await?;
    app.notifications
        .deliver(noon() + day - SignedDuration::from_mins(1))
        .await?;
    assert_eq!(receiver.told(), [told("new-exposure", catalog::CONSOLE)]);
    app.notifications.deliver(noon() + day).await?;
    app.notifications.deliver(noon() + day * 9).await?;
    assert_eq!(receiver.told(), [told("no-correction", catalog::CONSOLE)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_risk_that_somebody_accepted_is_not_mentioned_and_its_end_is() -> Result<()> {
    let advisory = about_the_daemon();
    let mut stage = Stage::with(vec![advisory.clone()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    let now = Timestamp::now();
    app.notifications.deliver(now).await?;
    let wish = Wish {
        workaround: None,
        advisory: advisory.id.clone(),
        shown: None,
        component: Some("houston".to_owned()),
        by: "ada".to_owned(),
        until: Some(now + SignedDuration::from_hours(24 * 20)),
        reason: Some("nobody can reach it".to_owned()),
    };
    app.panel.decisions.decide(&wish).await?;
    receiver.take();
    app.notifications
        .deliver(now + SignedDuration::from_hours(48))
        .await?;
    assert_eq!(receiver.told(), []);
    let worse = revised(&advisory, |advisory| advisory.known_exploited = true);
    stage.revise(&app, worse).await?;
    app.notifications
        .deliver(now + SignedDuration::from_hours(49))
        .await?;
    let mut after = receiver.told();
    after.sort();
    assert_eq!(
        after,
        [
            told("acceptance-reopened", catalog::CONSOLE),
            told("advisory-updated", catalog::CONSOLE),
            told("no-correction", catalog::CONSOLE),
        ]
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_revision_and_a_withdrawal_are_told() -> Result<()> {
    let advisory = about_the_daemon();
    let mut stage = Stage::with(vec![advisory.clone()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    app.notifications.deliver(noon()).await?;
    receiver.take();
    let second = revised(&advisory, |advisory| {
        advisory.issue.push_str(" More is known.");
    });
    stage.revise(&app, second.clone()).await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(
        receiver.told(),
        [told("advisory-updated", catalog::CONSOLE)]
    );
    let third = revised(&second, |advisory| {
        advisory.withdrawn = Some(Timestamp::now());
    });
    stage.revise(&app, third).await?;
    app.notifications.deliver(noon()).await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), [told("withdrawn", catalog::CONSOLE)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_embargo_that_is_lifted_is_told_and_from_then_on_everything_is_said() -> Result<()> {
    let mut advisory = about_the_daemon();
    advisory.tlp = Tlp::AmberStrict;
    let mut stage = Stage::with(vec![advisory.clone()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), [told("under-embargo", catalog::CONSOLE)]);
    let public = revised(&advisory, |advisory| advisory.tlp = Tlp::Clear);
    stage.revise(&app, public).await?;
    app.notifications.deliver(noon()).await?;
    let sent = receiver.take();
    assert_eq!(sent.len(), 1);
    let notice = sent[0].json()["notices"][0].clone();
    assert_eq!(notice["event"], "embargo-lifted");
    assert_eq!(notice["title"], advisory.title);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_comes_later_is_told() -> Result<()> {
    let mut waiting = of_catalogue(catalog::LOG4SHELL);
    waiting.corrections.clear();
    let mut stage = Stage::with(vec![waiting.clone()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    app.notifications.deliver(noon()).await?;
    receiver.take();
    stage.publish_correction(&catalog::corrections()[0])?;
    let corrected = revised(&waiting, |advisory| {
        advisory.corrections = vec![id(catalog::SERVER_CORRECTION)];
    });
    stage.revise(&app, corrected).await?;
    app.notifications.deliver(noon()).await?;
    let sent = receiver.requests();
    let mut after = receiver.told();
    after.sort();
    assert_eq!(
        after,
        [
            told("advisory-updated", catalog::LOG4SHELL),
            told("correction-available", catalog::LOG4SHELL),
        ]
    );
    let command = format!("spacecp-advisories apply {}", catalog::SERVER_CORRECTION);
    assert!(sent[0].body.contains(&command), "{}", sent[0].body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_falls_silent_and_speaks_again_is_told_both_times() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let more = "minimum-severity = \"critical\"\nevents = [\"feed-stale\", \"feed-fresh\"]";
    let app = stage
        .open(&webhook("desk", &receiver.address(), more))
        .await?;
    let now = Timestamp::now();
    // The vendor's word is good for a week.
    for (days, event) in [
        (1, None),
        (8, Some("feed-stale")),
        (9, None),
        (2, Some("feed-fresh")),
    ] {
        app.notifications
            .deliver(now + SignedDuration::from_hours(24 * days))
            .await?;
        let expected: Vec<_> = event.iter().map(|event| told(event, "")).collect();
        assert_eq!(receiver.told(), expected, "day {days}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_gone_is_told_once_and_hides_no_exposure() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let channel = webhook("desk", &receiver.address(), "");
    let app = stage.open(&channel).await?;
    app.notifications.deliver(noon()).await?;
    receiver.take();
    drop(app);
    let component = stage.plugin().to_owned();
    let kept = fs::read(&component)?;
    fs::write(&component, "no plugin at all")?;
    let app = stage.open(&channel).await?;
    app.notifications.deliver(noon()).await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), [told(Kind::PluginDisabled.as_str(), "")]);
    drop(app);
    fs::write(&component, kept)?;
    let app = stage.open(&channel).await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(receiver.told(), [], "nothing has changed but the plugin");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_is_told_what_it_asked_for() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let (grave, applied) = (
        Receiver::that_takes_everything().await?,
        Receiver::that_takes_everything().await?,
    );
    let channels = webhook("grave", &grave.address(), "minimum-severity = \"critical\"")
        + &webhook("applied", &applied.address(), "events = [\"applied\"]");
    let app = stage.open(&channels).await?;
    app.notifications.deliver(noon()).await?;
    assert_eq!(grave.told(), [told("new-exposure", catalog::LOG4SHELL)]);
    assert_eq!(applied.told(), []);
    Ok(())
}
