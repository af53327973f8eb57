//! What an administrator has done, and what nobody can have done.

use std::fs;

use anyhow::{Context, Result};
use serde_json::Value;
use spacecp_tests::{catalog, ground};

use crate::{
    panel::{ADMINISTRATOR, Panel, VIEWER},
    visitor::{Fields, fields},
};

fn console() -> String {
    format!("/advisories/{}", catalog::CONSOLE)
}

fn installed(panel: &Panel) -> Result<String> {
    let text = fs::read_to_string(panel.ground().houston().join("package.json"))?;
    let json: Value = serde_json::from_str(&text)?;
    Ok(json["version"]
        .as_str()
        .context("it has a version")?
        .to_owned())
}

async fn nothing_was_applied(panel: &Panel) -> Result<()> {
    assert_eq!(installed(panel)?, ground::HOUSTON[0]);
    assert_eq!(panel.app().panel.corrections.history(10).await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn applying_and_rolling_back_change_the_files_and_are_said_once() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    administrator
        .press(&console(), "/apply")
        .await?
        .leads_to("/history")?;
    assert_eq!(installed(&panel)?, ground::HOUSTON[1]);
    let words = "houston corrected: 4.7.2 → 4.7.4.";
    assert!(administrator.get("/history").await?.body.contains(words));
    assert!(
        !administrator.get("/history").await?.body.contains(words),
        "said twice"
    );

    administrator
        .press("/history", "/roll-back")
        .await?
        .leads_to("/history")?;
    assert_eq!(installed(&panel)?, ground::HOUSTON[0]);
    let said = administrator.get("/history").await?.body;
    assert!(
        said.contains("houston rolled back: 4.7.4 → 4.7.2."),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_names_who_acted() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    administrator.press(&console(), "/apply").await?;
    let history = panel.app().panel.corrections.history(10).await?;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].by, ADMINISTRATOR);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_one_reader_is_not_said_to_another() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let mut other = panel.visit_as(ADMINISTRATOR).await?;
    administrator.press("/", "/sync").await?.leads_to("/")?;
    let words = "No changes in the feed.";
    assert!(!other.get("/").await?.body.contains(words));
    assert!(administrator.get("/").await?.body.contains(words));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_sends_the_administrators_form_changes_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let form = apply_form(&panel).await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let own = viewer.get("/").await?.form("/logout")?["csrf"].clone();
    for (path, mut form) in [
        ("/apply", form),
        ("/roll-back", fields(&[("application", "anything")])),
        ("/sync", Fields::new()),
    ] {
        form.insert("csrf".to_owned(), own.clone());
        let answer = viewer.post(path, &form).await?;
        assert_eq!(answer.status, 403, "{path}");
        assert!(
            answer.body.contains("Administrator role required"),
            "{}",
            answer.body
        );
    }
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_the_sessions_token_changes_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let form = apply_form(&panel).await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    // The token of another session of the same administrator is not this one's.
    let others = form["csrf"].clone();
    for token in ["", "guess", &others, &"0".repeat(64)] {
        let mut forged = form.clone();
        forged.insert("csrf".to_owned(), token.to_owned());
        let answer = administrator.post("/apply", &forged).await?;
        assert_eq!(answer.status, 403, "{token:?}");
        assert!(answer.body.contains("Form expired"), "{}", answer.body);
    }
    let mut bare = form;
    bare.remove("csrf");
    assert_eq!(administrator.post("/apply", &bare).await?.status, 422);
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_another_site_sends_with_everything_right_changes_nothing() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = administrator.get(&console()).await?.form("/apply")?;
    let foreign = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        administrator
            .post_with("/apply", &form, &foreign)
            .await?
            .status,
        403
    );
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_cannot_be_had_by_a_link() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let form = administrator.get(&console()).await?.form("/apply")?;
    let query: Vec<_> = form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let answer = administrator
        .get(&format!("/apply?{}", query.join("&")))
        .await?;
    assert_eq!(answer.status, 405);
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_not_shown_is_refused_in_words() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let shown = administrator.get(&console()).await?.form("/apply")?;
    let another: String = shown["plan"]
        .chars()
        .map(|digit| if digit == '0' { '1' } else { '0' })
        .collect();
    let mut forged = shown.clone();
    forged.insert("plan".to_owned(), another);
    administrator
        .post_to_the_end("/apply", &forged)
        .await?
        .leads_to("/history")?;
    let page = administrator.get("/history").await?;
    assert!(
        page.body.contains("class=\"notice danger\""),
        "{}",
        page.body
    );

    let mut broken = shown;
    broken.insert("plan".to_owned(), "no digest".to_owned());
    let answer = administrator.post("/apply", &broken).await?;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("no plan"), "{}", answer.body);
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_the_plan_was_shown_is_not_overwritten() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let shown = administrator.get(&console()).await?.form("/apply")?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::write(&edited, "// mine\n")?;
    administrator
        .post_to_the_end("/apply", &shown)
        .await?
        .leads_to("/history")?;
    assert_eq!(fs::read_to_string(&edited)?, "// mine\n");
    nothing_was_applied(&panel).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_changed_here_is_replaced_only_with_the_administrators_word() -> Result<()> {
    let panel = Panel::raise().await?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::write(&edited, "// mine\n")?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let ticked = administrator.get(&console()).await?.form("/apply")?;
    let mut unticked = ticked.clone();
    assert_eq!(
        unticked.remove("overwrite").as_deref(),
        Some("yes"),
        "the page asks for a word"
    );
    administrator
        .post_to_the_end("/apply", &unticked)
        .await?
        .leads_to("/history")?;
    assert_eq!(fs::read_to_string(&edited)?, "// mine\n");
    nothing_was_applied(&panel).await?;

    administrator
        .post_to_the_end("/apply", &ticked)
        .await?
        .leads_to("/history")?;
    assert_eq!(installed(&panel)?, ground::HOUSTON[1]);
    Ok(())
}

/// The form of another session.
async fn apply_form(panel: &Panel) -> Result<Fields> {
    let mut another = panel.visit_as(ADMINISTRATOR).await?;
    another.get(&console()).await?.form("/apply")
}
