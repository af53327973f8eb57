//! The forms about what could not be read: who is offered them, and what they do.

use std::fs;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use crate::{
    panel::{ADMINISTRATOR, Kind, Panel, VIEWER},
    visitor::fields,
};

async fn panel() -> Result<Panel> {
    let kind = Kind {
        plugin: true,
        unread: true,
        ..Kind::default()
    };
    Panel::of(kind).await
}

fn tomorrow() -> String {
    let day = Timestamp::now() + SignedDuration::from_hours(24);
    day.strftime("%Y-%m-%d").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_acknowledges_an_unread_path_on_the_page_of_the_components() -> Result<()>
{
    let panel = panel().await?;
    let path = panel.unread_path();
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get("/components").await?;
    assert!(page.body.contains(&path), "{}", page.body);
    assert!(page.body.contains("1 path could not be read"));
    assert!(!page.offers("/acknowledge-unread"));
    let overview = viewer.get("/").await?.body;
    assert!(overview.contains("1 place could not be read"), "{overview}");

    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let mut form = administrator
        .get("/components")
        .await?
        .form("/acknowledge-unread")?;
    assert_eq!(form["place"], path);
    form.insert("reason".to_owned(), "Half a file, on purpose.".to_owned());
    form.insert("until".to_owned(), tomorrow());
    let refused = viewer.post("/acknowledge-unread", &form).await?;
    assert_eq!(refused.status, 403);
    administrator
        .post("/acknowledge-unread", &form)
        .await?
        .leads_to("/components")?;
    let page = administrator.get("/components").await?;
    assert!(!page.offers("/acknowledge-unread"));
    assert!(page.body.contains("1 of these is acknowledged."));
    assert!(page.body.contains("Half a file, on purpose."));
    let overview = administrator.get("/").await?.body;
    assert!(
        !overview.contains("1 place could not be read"),
        "{overview}"
    );
    assert!(
        overview.contains("1 of these is acknowledged."),
        "{overview}"
    );
    let badge = administrator.get("/badge.json").await?.body;
    assert!(badge.contains("\"unread\":0"), "{badge}");
    let history = administrator.get("/history").await?.body;
    assert!(history.contains("unread acknowledged"), "{history}");
    assert!(history.contains(&path), "{history}");

    administrator
        .press("/components", "/withdraw-local")
        .await?
        .leads_to("/components")?;
    let page = administrator.get("/components").await?;
    assert!(page.offers("/acknowledge-unread"));
    let badge = administrator.get("/badge.json").await?.body;
    assert!(badge.contains("\"unread\":1"), "{badge}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_a_version_that_could_not_be_read() -> Result<()> {
    let panel = panel().await?;
    fs::remove_file(panel.ground().houston().join("package.json"))?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = administrator.get("/components").await?;
    let mut form = page.form("/set-version")?;
    assert_eq!(form["component"], "houston");
    for (name, value) in [
        ("version", "99.0.0"),
        ("reason", "Asked the program."),
        ("until", &tomorrow()),
    ] {
        form.insert(name.to_owned(), value.to_owned());
    }
    administrator
        .post("/set-version", &form)
        .await?
        .leads_to("/components")?;
    let page = administrator.get("/components").await?;
    assert!(page.body.contains("99.0.0"), "{}", page.body);
    assert!(page.body.contains("set by ada until"), "{}", page.body);
    assert!(!page.offers("/set-version"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_the_token_of_the_session_decides_nothing() -> Result<()> {
    let panel = panel().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let path = panel.unread_path();
    let form = fields(&[
        ("csrf", "wrong"),
        ("place", &path),
        ("reason", "x"),
        ("until", &tomorrow()),
    ]);
    let answer = administrator.post("/acknowledge-unread", &form).await?;
    assert_eq!(answer.status, 403);
    assert!(panel.app().panel.decisions.all_locally(1).await?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_scanned_the_page_says_so() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let words = "Nothing is scanned: only the";
    for path in ["/components", "/"] {
        let page = viewer.get(path).await?.body;
        assert!(page.contains(words), "{path}: {page}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_advisory_leads_to_the_nearest_one() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let answer = viewer.get("/advisories/SPACECP-SA-2026-00001").await?;
    assert_eq!(answer.status, 404);
    assert!(
        answer.body.contains("did you mean SPACECP-SA-2026-0001?"),
        "{}",
        answer.body
    );
    Ok(())
}
