//! The page about notifications, and what is marked for each reader on the others.

use anyhow::{Context, Result};
use spacecp_tests::catalog;

use super::receiver::Receiver;
use crate::{
    panel::{ADMINISTRATOR, Kind, Panel, VIEWER},
    visitor::{Answer, fields},
};

const JSON: [(&str, &str); 1] = [("accept", "application/json")];

async fn told(receiver: &Receiver) -> Result<Panel> {
    Panel::of(Kind {
        plugin: true,
        webhook: Some(receiver.port()),
        ..Kind::default()
    })
    .await
}

/// The row of a page's tables that leads to this advisory.
fn row<'a>(page: &'a Answer, advisory: &str) -> Result<&'a str> {
    let link = format!("href=\"/advisories/{advisory}\"");
    let mut rows = page.body.split("<tr>").skip(1);
    rows.find(|row| row.contains(&link))
        .with_context(|| format!("no row leads to {advisory}:\n{}", page.body))
}

fn page_of(advisory: &str) -> String {
    format!("/advisories/{advisory}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_channel_the_page_says_that_nobody_is_told() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let page = visitor.get("/notifications").await?;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("No notification channels configured"));
    assert!(!page.offers("/notifications/test"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_which_channel_hears_of_what() -> Result<()> {
    let receiver = Receiver::that_takes_everything().await?;
    let panel = told(&receiver).await?;
    let mut visitor = panel.visit_as(VIEWER).await?;
    let page = visitor.get("/notifications").await?;
    for words in ["desk (webhook)", "Severities", "critical", "embargo-lifted"] {
        assert!(page.body.contains(words), "{words}");
    }
    let report = visitor.get_with("/notifications", &JSON).await?;
    let report: serde_json::Value = serde_json::from_str(&report.body)?;
    assert_eq!(report["channels"][0]["minimum-severity"], "high");
    assert!(!page.body.contains("a secret that nobody guesses"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sends_a_trial_and_a_viewer_may_not() -> Result<()> {
    let receiver = Receiver::that_takes_everything().await?;
    let panel = told(&receiver).await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get("/notifications").await?;
    assert!(!page.offers("/notifications/test"));
    let csrf = &page.form("/read-all")?["csrf"];
    let forced = fields(&[("csrf", csrf), ("channel", "desk")]);
    for action in ["/notifications/test", "/notifications/retry"] {
        assert_eq!(viewer.post(action, &forced).await?.status, 403, "{action}");
    }
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let sent = administrator
        .press("/notifications", "/notifications/test")
        .await?;
    sent.leads_to("/notifications")?;
    let page = administrator.get("/notifications").await?;
    assert!(
        page.body.contains("Test notification delivered to desk."),
        "{}",
        page.body
    );
    let trials = receiver.requests();
    assert!(
        trials.iter().any(|one| one.body.contains(ADMINISTRATOR)),
        "nobody was told of the trial"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_is_new_until_its_page_was_opened_and_for_each_reader_apart() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    for list in ["/", "/advisories"] {
        let page = viewer.get(list).await?;
        assert!(
            row(&page, catalog::CONSOLE)?.contains("new to you"),
            "{list}"
        );
    }
    viewer.get(&page_of(catalog::CONSOLE)).await?;
    let page = viewer.get("/advisories").await?;
    assert!(!row(&page, catalog::CONSOLE)?.contains("new to you"));
    assert!(row(&page, catalog::LOG4SHELL)?.contains("new to you"));
    let mut other = panel.visit_as(ADMINISTRATOR).await?;
    let page = other.get("/advisories").await?;
    assert!(row(&page, catalog::CONSOLE)?.contains("new to you"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_marked_as_read_at_once() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let answer = viewer.press("/notifications", "/read-all").await?;
    answer.leads_to("/notifications")?;
    let page = viewer.get("/advisories").await?;
    assert!(!page.body.contains("new to you"), "{}", page.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reader_dismissed_is_still_there_and_marked_for_them_alone() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let place = page_of(catalog::CONSOLE);
    let answer = viewer.press(&place, "/dismiss").await?;
    answer.leads_to(&place)?;
    let overview = viewer.get("/").await?;
    assert!(row(&overview, catalog::CONSOLE)?.contains("dismissed by you"));
    let mut other = panel.visit_as(ADMINISTRATOR).await?;
    let overview = other.get("/").await?;
    assert!(!row(&overview, catalog::CONSOLE)?.contains("dismissed by you"));
    let answer = viewer.press("/notifications", "/undismiss").await?;
    answer.leads_to("/notifications")?;
    let overview = viewer.get("/").await?;
    assert!(!row(&overview, catalog::CONSOLE)?.contains("dismissed by you"));
    assert!(viewer.get(&place).await?.offers("/dismiss"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panels_own_navigation_calls_out_no_more_when_everything_is_dismissed() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let loud = viewer.get("/fragment").await?;
    assert!(loud.body.contains("data-tone=\"danger\""), "{}", loud.body);
    let report = panel.app().panel.exposure.report().await?;
    for verdict in &report.verdicts {
        let place = page_of(&verdict.advisory.id);
        if viewer.get(&place).await?.offers("/dismiss") {
            viewer.press(&place, "/dismiss").await?;
        }
    }
    let quiet = viewer.get("/fragment").await?;
    assert!(
        quiet.body.contains("data-tone=\"dismissed\"") && quiet.body.contains("affected"),
        "{}",
        quiet.body
    );
    let mut other = panel.visit_as(ADMINISTRATOR).await?;
    assert!(other.get("/fragment").await?.body.contains("danger"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_dismisses_for_somebody_else_or_from_another_page() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let mut form = viewer
        .get(&page_of(catalog::CONSOLE))
        .await?
        .form("/dismiss")?;
    form.insert("csrf".to_owned(), "0".repeat(64));
    assert_eq!(viewer.post("/dismiss", &form).await?.status, 403);
    let mut stranger = panel.visitor();
    stranger.post("/dismiss", &form).await?.leads_to("/login")?;
    Ok(())
}
