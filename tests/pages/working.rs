//! Work under way, as a page shows it: with a script and without, and to whom.

use anyhow::Result;

use crate::{
    panel::{ADMINISTRATOR, Kind, Panel, VIEWER},
    visitor::{Answer, Visitor},
};
use spacecp_tests::catalog;

/// A panel whose daemon is about to be stopped, and stays so until the gate opens.
async fn gated() -> Result<(Panel, Visitor, String)> {
    let panel = Panel::of(Kind {
        plugin: true,
        gated: true,
        ..Kind::default()
    })
    .await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let form = administrator.get(&page).await?.form("/apply")?;
    let answer = administrator.post("/apply", &form).await?;
    assert_eq!(answer.status, 303);
    let work = answer.header("location").unwrap_or_default().to_owned();
    assert!(work.starts_with("/progress/"), "{work}");
    Ok((panel, administrator, work))
}

fn policy(page: &Answer) -> &str {
    page.header("content-security-policy").unwrap_or_default()
}

/// Loads the page of work again until it leads on, as a browser without a script does.
async fn to_the_end(visitor: &mut Visitor, work: &str) -> Result<Answer> {
    loop {
        let page = visitor.get(work).await?;
        if page.status != 200 {
            return Ok(page);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_under_way_is_shown_without_a_script_and_leads_to_the_history_at_its_end() -> Result<()>
{
    let (panel, mut administrator, work) = gated().await?;
    let page = administrator.get(&work).await?;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("Applying a correction to houston."),
        "{}",
        page.body
    );
    assert!(
        page.body
            .contains("<noscript><meta http-equiv=\"refresh\" content=\"2\">"),
        "{}",
        page.body
    );
    panel.open_gate()?;
    to_the_end(&mut administrator, &work)
        .await?
        .leads_to("/history")?;
    let said = administrator.get("/history").await?.body;
    assert!(said.contains("houston corrected: 4.7.2 → 4.7.4."), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_events_of_work_tell_each_step_and_then_the_end() -> Result<()> {
    let (panel, mut administrator, work) = gated().await?;
    let mut follower = administrator.clone();
    let path = format!("{work}/events");
    // The answer ends with the work.
    let events = tokio::spawn(async move { follower.get(&path).await });
    administrator.get(&work).await?;
    panel.open_gate()?;
    let events = events.await??;
    assert_eq!(events.status, 200);
    assert_eq!(events.header("content-type"), Some("text/event-stream"));
    let (stage, end) = (
        events.body.find("event: stage"),
        events.body.find("event: end\ndata: end"),
    );
    assert!(stage.is_some() && stage < end, "{}", events.body);
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
    let (panel, _, work) = gated().await?;
    for path in [work.clone(), format!("{work}/events")] {
        let login = format!("/login?next={}", path.replace('/', "%2F"));
        panel.visitor().get(&path).await?.leads_to(&login)?;
    }
    panel.open_gate()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_run_on_the_page_of_work_under_way_and_nowhere_else() -> Result<()> {
    let (panel, mut administrator, work) = gated().await?;
    let page = administrator.get(&work).await?;
    assert!(
        policy(&page).contains("script-src 'self'"),
        "{:?}",
        page.headers
    );
    assert!(!policy(&page).contains("unsafe"), "{:?}", page.headers);
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
    panel.open_gate()
}
