//! What a reader gets, in the form they ask for.

use anyhow::{Context, Result};
use serde_json::Value;
use spacecp_tests::catalog;

use crate::panel::{ADMINISTRATOR, Panel, VIEWER};

const JSON: [(&str, &str); 1] = [("accept", "application/json")];

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_every_page_and_is_offered_no_action() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let advisory = format!("/advisories/{}", catalog::CONSOLE);
    for path in ["/", "/advisories", &advisory, "/history"] {
        let page = viewer.get(path).await?;
        assert_eq!(page.status, 200, "{path}");
        for action in ["/apply", "/roll-back", "/sync"] {
            assert!(!page.offers(action), "{path} offers {action}");
        }
        assert!(page.offers("/logout"), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_offered_the_plan_that_is_shown() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = administrator
        .get(&format!("/advisories/{}", catalog::CONSOLE))
        .await?;
    let form = page.form("/apply")?;
    let named: Vec<_> = form.keys().map(String::as_str).collect();
    assert_eq!(named, ["component", "correction", "csrf", "plan"]);
    assert_eq!(form["component"], "houston");
    assert_eq!(form["correction"], catalog::HOUSTON_CORRECTION);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_by_its_words_and_shows_them_as_text() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let found = viewer.get("/advisories?q=log4shell").await?;
    assert!(found.body.contains(catalog::LOG4SHELL) && !found.body.contains(catalog::CONSOLE));
    let hostile = viewer
        .get("/advisories?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        .await?;
    assert!(
        hostile.body.contains("&quot;&gt;&lt;script&gt;"),
        "{}",
        hostile.body
    );
    assert!(!hostile.body.contains("<script"), "{}", hostile.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_calm_page() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    for path in [
        "/advisories/SPACECP-SA-1999-0001",
        "/advisories/..%2f..%2fetc",
        "/advisories/%3Cscript%3E",
    ] {
        let page = viewer.get(path).await?;
        assert_eq!(page.status, 404, "{path}:\n{}", page.body);
        assert!(
            page.body.contains("<h1>Page not found</h1>"),
            "{}",
            page.body
        );
        assert!(!page.body.contains("<script"), "{}", page.body);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_the_same_page_as_json() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let answer = viewer
        .get_with(&format!("/advisories/{}", catalog::LOG4SHELL), &JSON)
        .await?;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let page: Value = serde_json::from_str(&answer.body)?;
    assert_eq!(page["embargo"], Value::Bool(false));
    assert!(
        page["title"]
            .as_str()
            .is_some_and(|title| title.contains("Log4Shell")),
        "{page}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_embargo_is_marked_and_not_given_out_as_json() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let path = format!("/advisories/{}", catalog::BACKUP);
    let page = viewer.get(&path).await?;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("<strong>Under embargo.</strong>"),
        "{}",
        page.body
    );
    let refused = viewer.get_with(&path, &JSON).await?;
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("embargoed advisories"),
        "{}",
        refused.body
    );
    assert!(
        !refused.body.contains("Backups of other customers"),
        "{}",
        refused.body
    );
    Ok(())
}

#[tokio::test]
async fn without_its_plugin_the_panel_says_which_file_is_missing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get("/").await?;
    assert_eq!(page.status, 503);
    assert!(page.body.contains("advisories.manifest"), "{}", page.body);
    Ok(())
}

/// The number under this label at the top of an overview.
fn figure(page: &str, label: &str) -> Option<u64> {
    let (_, value) = page.split_once(&format!("<dt>{label}</dt>"))?;
    let (number, _) = value.split_once("</span>")?;
    number.rsplit('>').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_begins_with_the_numbers_that_the_badge_has() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let badge: Value = serde_json::from_str(&viewer.get("/badge.json").await?.body)?;
    let page = viewer.get("/").await?.body;
    let affected = figure(&page, "Affected");
    assert!(affected > Some(0));
    assert_eq!(affected, badge["exposed"].as_u64());
    let all: Option<u64> = ["Affected", "Unknown", "Not known to be affected"]
        .into_iter()
        .map(|label| figure(&page, label))
        .sum();
    assert_eq!(all, badge["components"].as_u64());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_has_one_main_action_and_it_leads_to_the_correction() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let overview = administrator.get("/").await?.body;
    let buttons: Vec<_> = overview
        .split("<a class=\"button primary\" href=\"")
        .skip(1)
        .collect();
    assert_eq!(buttons.len(), 1);
    let advisory = buttons[0].split('"').next().unwrap_or_default();
    let page = administrator.get(advisory).await?;
    assert!(page.offers("/apply"), "{advisory}:\n{}", page.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advisory_offers_its_correction_before_the_verdicts_and_the_embargo_text() -> Result<()>
{
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = administrator
        .get(&format!("/advisories/{}", catalog::BACKUP))
        .await?
        .body;
    let at = |words: &str| {
        page.find(words)
            .with_context(|| format!("{words} is there"))
    };
    let apply = at("action=\"/apply\"")?;
    assert!(at("Restarts the component")? < apply);
    assert!(apply < at("This panel")? && apply < at("Do not share, publish")?);
    Ok(())
}
