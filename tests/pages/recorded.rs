//! What the panel has recorded: exposure over time, what a correction changes, and the badge.

use std::fs;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::Value;
use spacecp_advisories::{Question, exposures::Verdict};
use spacecp_tests::catalog;

use crate::panel::{ADMINISTRATOR, Panel, VIEWER};

fn changes() -> String {
    format!(
        "/changes?correction={}&component=houston",
        catalog::HOUSTON_CORRECTION
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exposure_ends_in_the_record_when_it_is_corrected() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let question = Question {
        flaw: Some(catalog::CONSOLE.to_owned()),
        ..Question::default()
    };
    let before = panel
        .app()
        .panel
        .exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    assert_eq!(before.periods.len(), 1);
    assert_eq!(before.periods[0].verdict, Verdict::Affected);
    assert_eq!(before.periods[0].until, None);

    let page = format!("/advisories/{}", catalog::CONSOLE);
    administrator.press(&page, "/apply").await?;
    let after = panel
        .app()
        .panel
        .exposure
        .exposure_record(&question, Timestamp::now())
        .await?;
    assert_eq!(after.periods.len(), 1);
    assert!(after.periods[0].until.is_some(), "{:?}", after.periods);
    let why = after.periods[0].ended.as_deref().unwrap_or_default();
    assert!(why.contains("4.7.4"), "{why}");
    let shown = administrator
        .get(&format!("/exposure?advisory={}", catalog::CONSOLE))
        .await?;
    assert!(shown.body.contains("was affected"), "{}", shown.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_touch_the_days_that_are_asked_about_is_not_an_answer() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer
        .get("/exposure?from=2020-01-01&until=2020-12-31")
        .await?;
    assert!(
        page.body.contains(
            "No exposure between 2020-01-01 00:00 UTC and 2020-12-31 23:59 UTC recorded."
        ),
        "{}",
        page.body
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_was_before_the_record_began_nobody_says_that_all_was_well() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let asked = "/exposure?component=survival&from=2020-01-01&until=2020-12-31";
    let page = viewer.get(asked).await?.body;
    assert!(page.contains("earlier exposures are unknown"), "{page}");
    assert!(!page.contains("class=\"notice good\""), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flaw_is_found_by_every_name_that_it_has() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut found = Vec::new();
    for name in [catalog::LOG4SHELL, "CVE-2021-44228"] {
        let question = Question {
            flaw: Some(name.to_owned()),
            ..Question::default()
        };
        let now = Timestamp::now();
        found.push(
            panel
                .app()
                .panel
                .exposure
                .exposure_record(&question, now)
                .await?
                .periods,
        );
    }
    assert!(!found[0].is_empty());
    assert_eq!(found[0], found[1]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_leads_elsewhere_is_not_shown() -> Result<()> {
    let panel = Panel::raise().await?;
    let secret = panel.folder().join("secret");
    fs::write(&secret, "nobody's business\n")?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::remove_file(&edited)?;
    std::os::unix::fs::symlink(&secret, &edited)?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get(&changes()).await?;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("business"), "{}", page.body);
    assert!(page.body.contains("lib/console/escape.js"), "{}", page.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_a_file_keeps_nobody_waiting() -> Result<()> {
    let panel = Panel::raise().await?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::remove_file(&edited)?;
    let made = std::process::Command::new("mkfifo").arg(&edited).status()?;
    assert!(made.success());
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get(&changes()).await?;
    assert!(page.body.contains("not a regular file"), "{}", page.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_stays_as_it_is_where_nothing_changes() -> Result<()> {
    let panel = Panel::raise().await?;
    let now = Timestamp::now();
    let once = panel
        .app()
        .panel
        .exposure
        .exposure_record(&Question::default(), now)
        .await?;
    panel.app().panel.exposure.note_exposures(now).await?;
    panel.app().panel.feed.sync().await?;
    let again = panel
        .app()
        .panel
        .exposure
        .exposure_record(&Question::default(), now)
        .await?;
    assert!(!once.periods.is_empty());
    assert_eq!(once.periods, again.periods);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_what_is_under_embargo_is_not_given_out_as_json() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let json = [("accept", "application/json")];
    let all = viewer.get_with("/exposure", &json).await?;
    assert_eq!(all.status, 403, "{}", all.body);
    let public = format!("/exposure?advisory={}", catalog::LOG4SHELL);
    let public = viewer.get_with(&public, &json).await?;
    assert_eq!(public.status, 200);
    let record: Value = serde_json::from_str(&public.body)?;
    assert_eq!(record["periods"][0]["advisory"], catalog::LOG4SHELL);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_correction_changes_is_read_line_by_line() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get(&changes()).await?;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("<ins>+"), "{}", page.body);
    assert!(page.body.contains("<del>-"), "{}", page.body);
    assert!(page.body.contains("lib/console/escape.js"));
    assert!(!page.body.contains("Local modifications"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_here_comes_first_and_says_so() -> Result<()> {
    let panel = Panel::raise().await?;
    let edited = panel.ground().houston().join("lib/console/escape.js");
    fs::write(&edited, "// <b>mine</b>\n")?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get(&changes()).await?.body;
    let (here, rest) = (
        page.find("Local modifications"),
        page.find("Changes by the correction"),
    );
    assert!(here.is_some() && here < rest, "{page}");
    assert!(
        page.contains("<del>-// &lt;b&gt;mine&lt;/b&gt;</del>"),
        "{page}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_changes_of_nothing_are_a_calm_page() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    for path in [
        "/changes?correction=SPACECP-SC-1999-0001&component=houston",
        "/changes?correction=../../etc&component=houston",
    ] {
        assert_eq!(viewer.get(path).await?.status, 404, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_badge_says_how_the_panel_stands_and_names_no_advisory() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let told = viewer.get("/badge.json").await?;
    let badge: Value = serde_json::from_str(&told.body)?;
    assert_eq!(badge["worst"], "critical");
    assert_eq!(badge["current"], true);
    let words = format!("{} of {} affected", badge["exposed"], badge["components"]);
    for path in ["/badge.svg", "/fragment"] {
        let drawn = viewer.get(path).await?;
        assert_eq!(drawn.status, 200, "{path}");
        assert!(drawn.body.contains(&words), "{path}: {}", drawn.body);
        assert!(!drawn.body.contains("SPACECP-"), "{path}: {}", drawn.body);
        let login = format!("/login?next={}", path.replace('/', "%2F"));
        panel.visitor().get(path).await?.leads_to(&login)?;
    }
    Ok(())
}
