//! Pages about processes that run a version from before a correction, and the question before a rollback.

use std::{fs, process::Command};

use anyhow::Result;
use spacecp_advisories::tokens::Scope;
use spacecp_tests::catalog;

use crate::{
    api::program::Program,
    panel::{ADMINISTRATOR, Panel},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_page_shows_a_pending_restart_until_the_process_has_ended() -> Result<()> {
    let panel = Panel::raise().await?;
    let houston = panel.ground().houston();
    fs::copy("/bin/sleep", houston.join("server"))?;
    let mut server = Command::new(houston.join("server"))
        .arg("60")
        .current_dir(&houston)
        .spawn()?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let advisory = format!("/advisories/{}", catalog::CONSOLE);
    administrator
        .press(&advisory, "/apply")
        .await?
        .leads_to("/history")?;
    let pid = format!("({})", server.id());
    for page in ["/", "/components", advisory.as_str()] {
        let shown = administrator.get(page).await?.body;
        assert!(shown.contains("restart pending"), "{page}: {shown}");
        assert!(shown.contains(&pid), "{page} names the process: {shown}");
    }
    // The component, and the package inside it that the same correction replaced.
    let mut program = Program::of(&panel, &[Scope::Metrics, Scope::Read]).await?;
    let metrics = program.get("/metrics").await?.body;
    assert!(
        metrics.contains("restart_pending_components 2"),
        "{metrics}"
    );
    let status = program.get("/api/v1/status").await?.body;
    assert!(status.contains("\"restart_pending\":2"), "{status}");
    server.kill()?;
    server.wait()?;
    for page in ["/", "/components", advisory.as_str()] {
        let shown = administrator.get(page).await?.body;
        assert!(!shown.contains(&pid), "{page}: {shown}");
        // The overview counts them, none as well.
        let is_counted = page == "/";
        assert!(
            is_counted || !shown.contains("restart pending"),
            "{page}: {shown}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_confirmed_on_a_page_that_names_what_it_reopens() -> Result<()> {
    let panel = Panel::raise().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let advisory = format!("/advisories/{}", catalog::CONSOLE);
    administrator
        .press(&advisory, "/apply")
        .await?
        .leads_to("/history")?;
    let history = administrator.get("/history").await?;
    let asked = administrator
        .post("/roll-back", &history.form("/roll-back")?)
        .await?;
    assert_eq!(asked.status, 200, "{}", asked.body);
    assert!(asked.body.contains(catalog::CONSOLE), "{}", asked.body);
    assert!(asked.body.contains("reopened"), "{}", asked.body);
    let form = asked.form("/roll-back")?;
    assert_eq!(form.get("confirmed").map(String::as_str), Some("yes"));
    Ok(())
}
