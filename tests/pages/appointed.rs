//! What an administrator wants applied at the next window: kept then, and about nothing but the plan that
//! was shown.

use std::fs;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{
    automation::{Clock, Kept},
    policy::{Day, Window, Windows},
};
use spacecp_tests::{catalog, ground};

use crate::panel::{ADMINISTRATOR, Panel, VIEWER};

/// A clock that stands.
#[derive(Debug)]
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn console() -> String {
    format!("/advisories/{}", catalog::CONSOLE)
}

/// A panel whose policy has a window that opens in two hours, for an hour.
async fn panel() -> Result<(Panel, At)> {
    let panel = Panel::raise().await?;
    let (mut policy, _) = panel.app().panel.automation.policy().await?;
    let opens = Timestamp::now() + SignedDuration::from_hours(2);
    let start = opens.strftime("%H:%M").to_string();
    policy.windows = Windows(vec![Window::new(&Day::ALL, &start, 60, "UTC")?]);
    let now = Timestamp::now();
    panel
        .app()
        .panel
        .automation
        .set_policy(&policy, ADMINISTRATOR, now)
        .await?;
    // Within it, whatever the seconds were.
    Ok((panel, At(opens + SignedDuration::from_mins(5))))
}

fn is_corrected(panel: &Panel) -> Result<bool> {
    let text = fs::read_to_string(panel.ground().houston().join("package.json"))?;
    Ok(text.contains(ground::HOUSTON[1]))
}

async fn scheduled(panel: &Panel) -> Result<()> {
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let answer = administrator.press(&console(), "/schedule").await?;
    answer.leads_to("/history")?;
    let page = administrator.get("/history").await?.body;
    assert!(
        page.contains("houston scheduled for the next maintenance window"),
        "{page}"
    );
    assert!(page.contains("<h2>Scheduled corrections</h2>"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_applied_when_the_window_opens_and_not_before() -> Result<()> {
    let (panel, within) = panel().await?;
    scheduled(&panel).await?;
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&At(Timestamp::now()))
        .await?;
    assert!(!is_corrected(&panel)?);
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert!(is_corrected(&panel)?);
    let kept = panel.app().panel.automation.scheduled(10).await?.remove(0);
    assert_eq!(kept.state, Kept::Applied);
    let history = panel.app().panel.corrections.history(10).await?;
    assert_eq!(kept.application.as_deref(), Some(history[0].id.as_str()));
    assert!(
        history[0].by.starts_with(ADMINISTRATOR),
        "{}",
        history[0].by
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_drifted_meanwhile_is_not_applied_and_the_history_says_why() -> Result<()> {
    let (panel, within) = panel().await?;
    scheduled(&panel).await?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::write(&edited, "// mine\n")?;
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert_eq!(fs::read_to_string(&edited)?, "// mine\n");
    let kept = panel.app().panel.automation.scheduled(10).await?.remove(0);
    assert_eq!(kept.state, Kept::Failed);
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get("/history").await?.body;
    assert!(
        page.contains("<h2>Scheduled corrections that failed</h2>"),
        "{page}"
    );
    // It is not tried again and again.
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert_eq!(panel.app().panel.automation.scheduled(10).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_does_not_come_is_asked_for_again_while_the_window_is_open() -> Result<()> {
    let (panel, within) = panel().await?;
    scheduled(&panel).await?;
    let (payloads, away) = (panel.feed().join("blob"), panel.folder().join("away"));
    fs::rename(&payloads, &away)?;
    for _ in 0..2 {
        panel
            .app()
            .panel
            .automation
            .apply_scheduled(&within)
            .await?;
        let waiting = panel.app().panel.automation.scheduled(1).await?.remove(0);
        assert_eq!(waiting.state, Kept::Waiting, "{:?}", waiting.words);
        assert!(waiting.words.is_some());
    }
    fs::rename(&away, &payloads)?;
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert!(is_corrected(&panel)?);
    assert_eq!(
        panel.app().panel.automation.scheduled(1).await?[0].state,
        Kept::Applied
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_is_taken_back_counts_for_nothing() -> Result<()> {
    let (panel, within) = panel().await?;
    scheduled(&panel).await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    administrator
        .press("/history", "/withdraw-appointment")
        .await?
        .leads_to("/history")?;
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert!(!is_corrected(&panel)?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_word_about_a_component_counts() -> Result<()> {
    let (panel, within) = panel().await?;
    scheduled(&panel).await?;
    scheduled(&panel).await?;
    let all = panel.app().panel.automation.scheduled(10).await?;
    let states: Vec<Kept> = all.iter().map(|one| one.state).collect();
    assert_eq!(states, [Kept::Waiting, Kept::Withdrawn]);
    panel
        .app()
        .panel
        .automation
        .apply_scheduled(&within)
        .await?;
    assert_eq!(panel.app().panel.corrections.history(10).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_there_is_nothing_to_wait_for() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = administrator.get(&console()).await?;
    assert!(!page.offers("/schedule"));
    let form = page.form("/apply")?;
    administrator
        .post("/schedule", &form)
        .await?
        .leads_to("/history")?;
    let page = administrator.get("/history").await?.body;
    assert!(page.contains("no maintenance window"), "{page}");
    assert_eq!(panel.app().panel.automation.scheduled(10).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_can_neither_make_nor_take_back_an_appointment() -> Result<()> {
    let (panel, _) = panel().await?;
    scheduled(&panel).await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = administrator.get(&console()).await?.form("/schedule")?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let own = viewer.get("/").await?.form("/logout")?["csrf"].clone();
    let number = panel.app().panel.automation.scheduled(1).await?[0]
        .number
        .to_string();
    let withdraw = crate::visitor::fields(&[("appointment", &number)]);
    for (path, mut form) in [("/schedule", form), ("/withdraw-appointment", withdraw)] {
        form.insert("csrf".to_owned(), own.clone());
        assert_eq!(viewer.post(path, &form).await?.status, 403, "{path}");
    }
    let all = panel.app().panel.automation.scheduled(10).await?;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].state, Kept::Waiting);
    Ok(())
}
