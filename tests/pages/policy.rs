//! The page about automatic application: what a policy would do is seen before it is in force, and
//! only an administrator puts it there.

use anyhow::Result;
use spacecp_advisories::policy::{MinimumSeverity, Treatment};
use spacecp_tests::catalog;

use crate::{
    panel::{ADMINISTRATOR, Panel, VIEWER},
    visitor::{Fields, Visitor, fields},
};

/// A policy as a browser sends it, with the token of the visitor's session.
async fn filled_in(visitor: &mut Visitor, more: &[(&str, &str)]) -> Result<Fields> {
    let csrf = visitor.get("/policy").await?.form("/logout")?["csrf"].clone();
    let mut form = fields(&[
        ("automatic", "yes"),
        ("minimum-severity", "medium"),
        ("severity-low", "ask"),
        ("severity-medium", "ask"),
        ("severity-high", "auto"),
        ("severity-critical", "auto"),
        ("delay-hours", "0"),
        ("minimum-age-hours", "0"),
        ("wave-hours", "0"),
        ("restarts", "component"),
        ("excluded:lobby", "yes"),
    ]);
    form.insert("csrf".to_owned(), csrf);
    form.extend(fields(more));
    Ok(form)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_effect_of_a_policy_is_shown_before_it_is_in_force() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let (before, _) = panel.app().panel.automation.policy().await?;
    let mut form = filled_in(&mut administrator, &[("do", "preview")]).await?;
    let preview = administrator.post("/policy", &form).await?;
    assert_eq!(preview.status, 200);
    for words in [
        "This policy is not saved yet",
        "Would apply now: 2. Would hold: 1.",
        "the policy excludes lobby",
        catalog::HOUSTON_CORRECTION,
        "Save policy",
    ] {
        assert!(preview.body.contains(words), "{words}:\n{}", preview.body);
    }
    assert_eq!(panel.app().panel.automation.policy().await?, (before, None));

    form.insert("do".to_owned(), "save".to_owned());
    administrator
        .post("/policy", &form)
        .await?
        .leads_to("/policy")?;
    let (policy, decided) = panel.app().panel.automation.policy().await?;
    assert!(policy.automatic);
    assert_eq!(policy.minimum_severity, MinimumSeverity::Medium);
    assert_eq!(policy.severity.medium, Treatment::Ask);
    assert_eq!(
        decided.map(|decided| decided.by).as_deref(),
        Some(ADMINISTRATOR)
    );
    let page = administrator.get("/policy").await?.body;
    assert!(page.contains("Policy saved."), "{page}");
    assert!(page.contains("Automatic application is enabled"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_are_kept_as_they_were_filled_in_and_shown_in_words() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let window = [
        ("window-1-sat", "yes"),
        ("window-1-sun", "yes"),
        ("window-1-start", "02:30"),
        ("window-1-minutes", "90"),
        ("window-1-zone", "Europe/Berlin"),
        ("do", "save"),
    ];
    let form = filled_in(&mut administrator, &window).await?;
    administrator
        .post("/policy", &form)
        .await?
        .leads_to("/policy")?;
    let page = administrator.get("/policy").await?;
    let words = "Saturday, Sunday at 02:30 for 90 minutes (Europe/Berlin)";
    assert!(page.body.contains(words), "{}", page.body);
    assert_eq!(page.form("/policy")?["window-0-start"], "02:30");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_policy_is_refused_in_words_and_changes_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let before = panel.app().panel.automation.policy().await?;
    let row = [
        ("window-0-mon", "yes"),
        ("window-0-start", "02:30"),
        ("window-0-minutes", "90"),
        ("window-0-zone", "UTC"),
    ];
    for (field, value, words) in [
        ("window-0-zone", "Mars/Olympus", "unknown time zone"),
        ("window-0-minutes", "0", "window length of 0 minutes"),
        ("window-0-start", "later", "invalid time of day"),
        ("delay-hours", "-1", "delay-hours must be a whole number"),
        ("delay-hours", "9000", "is too long"),
        ("severity-high", "perhaps", "for severity-high"),
        ("restarts", "everything", "for restarts"),
    ] {
        let more = [&row[..], &[("do", "save"), (field, value)]].concat();
        let form = filled_in(&mut administrator, &more).await?;
        let answer = administrator.post("/policy", &form).await?;
        assert_eq!(answer.status, 200, "{field}");
        assert!(answer.body.contains("Nothing was changed"), "{field}");
        assert!(answer.body.contains(words), "{words}:\n{}", answer.body);
    }
    assert_eq!(panel.app().panel.automation.policy().await?, before);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_the_policy_and_cannot_change_it() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get("/policy").await?;
    assert!(page.body.contains("Automatic application is disabled"));
    for path in ["/policy", "/policy/switch", "/policy/release"] {
        assert!(!page.offers(path), "{path}");
        let more = [("do", "save"), ("to", "on"), ("correction", "X")];
        let form = filled_in(&mut viewer, &more).await?;
        assert_eq!(viewer.post(path, &form).await?.status, 403, "{path}");
    }
    assert!(!panel.app().panel.automation.policy().await?.0.automatic);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_without_the_sessions_token_changes_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    for path in ["/policy", "/policy/switch", "/policy/release"] {
        let more = [("do", "save"), ("to", "on"), ("correction", "X")];
        let mut form = filled_in(&mut administrator, &more).await?;
        form.insert("csrf".to_owned(), "guess".to_owned());
        assert_eq!(administrator.post(path, &form).await?.status, 403, "{path}");
    }
    assert!(!panel.app().panel.automation.policy().await?.0.automatic);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_button_switches_it_on_and_off() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    for (to, on) in [("on", true), ("off", false)] {
        let form = filled_in(&mut administrator, &[("to", to)]).await?;
        administrator
            .post("/policy/switch", &form)
            .await?
            .leads_to("/policy")?;
        assert_eq!(panel.app().panel.automation.policy().await?.0.automatic, on);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_plugin_the_page_is_there_and_says_what_it_cannot_say() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let page = panel.visit_as(VIEWER).await?.get("/policy").await?;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Preview failed"), "{}", page.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn something_under_embargo_is_marked_and_not_given_out_as_json() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    assert!(viewer.get("/policy").await?.body.contains("Under embargo."));
    let json = [("accept", "application/json")];
    assert_eq!(viewer.get_with("/policy", &json).await?.status, 403);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_is_in_quarantine_and_one_button_releases_it() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let console = format!("/advisories/{}", catalog::CONSOLE);
    administrator.press(&console, "/apply").await?;
    administrator.press("/history", "/roll-back").await?;
    let page = administrator.get("/policy").await?.body;
    assert!(page.contains("In quarantine"), "{page}");
    administrator
        .press("/policy", "/policy/release")
        .await?
        .leads_to("/policy")?;
    let page = administrator.get("/policy").await?.body;
    assert!(!page.contains("In quarantine"), "{page}");
    assert!(
        page.contains("released from quarantine for houston"),
        "{page}"
    );
    Ok(())
}
