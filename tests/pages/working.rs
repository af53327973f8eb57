//! Work under way, as a page shows it: with a script and without, and to whom.

use anyhow::Result;

use crate::panel::{ADMINISTRATOR, Panel, VIEWER};
use spacecp_tests::catalog;

async fn begun(panel: &Panel) -> Result<(crate::visitor::Visitor, String)> {
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let form = administrator.get(&page).await?.form("/apply")?;
    let answer = administrator.post("/apply", &form).await?;
    assert_eq!(answer.status, 303);
    let work = answer.header("location").unwrap_or_default().to_owned();
    assert!(work.starts_with("/progress/"), "{work}");
    Ok((administrator, work))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_an_application_tell_its_steps_and_its_end() -> Result<()> {
    let panel = Panel::raise().await?;
    let (mut administrator, work) = begun(&panel).await?;
    // The answer ends with the work.
    let events = administrator.get(&format!("{work}/events")).await?;
    if events.status == 200 {
        assert_eq!(events.header("content-type"), Some("text/event-stream"));
        assert!(events.body.contains("event: end"), "{}", events.body);
    }
    let after = administrator.get(&work).await?;
    after.leads_to("/history")?;
    let said = administrator.get("/history").await?.body;
    assert!(
        said.contains("houston is corrected: 4.7.2 → 4.7.4."),
        "{said}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_remembers_leads_to_the_history() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    viewer.get("/progress/4711").await?.leads_to("/history")?;
    viewer
        .get("/progress/4711/events")
        .await?
        .leads_to("/history")?;
    assert_eq!(viewer.get("/progress/none").await?.status, 400);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_work_without_logging_in() -> Result<()> {
    let panel = Panel::raise().await?;
    let (_, work) = begun(&panel).await?;
    for path in [work.clone(), format!("{work}/events")] {
        panel.visitor().get(&path).await?.leads_to("/login")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_run_on_the_page_of_work_under_way_and_nowhere_else() -> Result<()> {
    let panel = Panel::raise().await?;
    let (mut administrator, work) = begun(&panel).await?;
    let page = administrator.get(&work).await?;
    let policy = |page: &crate::visitor::Answer| {
        let policy = page.header("content-security-policy");
        policy.unwrap_or_default().to_owned()
    };
    if page.status == 200 {
        assert!(
            policy(&page).contains("script-src 'self'"),
            "{:?}",
            page.headers
        );
        assert!(page.body.contains("<noscript><meta http-equiv=\"refresh\""));
    }
    for path in [
        "/",
        "/advisories",
        "/history",
        "/trust",
        "/policy",
        "/components",
        "/exposure",
    ] {
        let page = administrator.get(path).await?;
        assert!(!policy(&page).contains("script-src"), "{path}");
        assert!(!page.body.contains("<script"), "{path}");
    }
    Ok(())
}
