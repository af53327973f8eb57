//! Everybody can read and use the pages: axe finds nothing against WCAG 2.2 AA, on a phone and at a
//! desk, in light and dark.

use anyhow::{Context, Result, ensure};
use spacecp_tests::{axe::Axe, browser::Browser, catalog};

use super::tour;
use crate::panel::{ADMINISTRATOR, Kind, Panel};

/// Looks at pages in every size and both sets of colours.
async fn nothing_is_found(browser: &Browser, addresses: &[String]) -> Result<()> {
    let axe = Axe::bring()?;
    let mut found = Vec::new();
    for address in addresses {
        browser.open(address).await?;
        for (width, height) in tour::SIZES {
            browser.at_a_size(width, height).await?;
            for dark in [false, true] {
                browser.in_the_dark(dark).await?;
                let colours = if dark { "dark" } else { "light" };
                let violations = axe.violations(browser).await?.into_iter();
                found.extend(violations.map(|what| format!("{address} {width} {colours}: {what}")));
            }
        }
    }
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_meets_the_guidelines() -> Result<()> {
    let panel = Panel::raise().await?;
    let browser = tour::logged_in(&panel).await?;
    let addresses: Vec<_> = tour::pages()
        .iter()
        .map(|page| tour::at(&panel, page))
        .collect();
    nothing_is_found(&browser, &addresses).await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_before_the_login_meet_the_guidelines() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let browser = Browser::start().await?;
    nothing_is_found(&browser, &[tour::at(&panel, "/login")]).await?;
    browser.fill("name", ADMINISTRATOR).await?;
    browser.fill("password", "no password").await?;
    browser.press("Log in").await?;
    browser.wait_for("Wrong").await?;
    let refused = browser.address().await?.to_string();
    nothing_is_found(&browser, &[refused]).await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn work_under_way_and_what_it_leaves_meet_the_guidelines() -> Result<()> {
    let panel = Panel::of(Kind {
        plugin: true,
        gated: true,
        ..Kind::default()
    })
    .await?;
    let browser = tour::logged_in(&panel).await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let page = format!("/advisories/{}", catalog::CONSOLE);
    let form = administrator.get(&page).await?.form("/apply")?;
    let answer = administrator.post("/apply", &form).await?;
    let work = answer
        .header("location")
        .context("leads to the work")?
        .to_owned();
    nothing_is_found(&browser, &[tour::at(&panel, &work)]).await?;
    panel.open_gate()?;
    browser.open(&tour::at(&panel, &work)).await?;
    browser.wait_for("4.7.2 → 4.7.4").await?;
    let left = ["/history", "/exposure", "/"].map(|page| tour::at(&panel, page));
    nothing_is_found(&browser, &left).await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_what_is_against_the_guidelines() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let browser = Browser::start().await?;
    browser.open(&tour::at(&panel, "/login")).await?;
    let spoil = "document.querySelector('label').remove(); \
        const field = document.createElement('input'); field.type = 'text'; \
        document.querySelector('form').append(field);";
    browser.run(spoil).await?;
    let found = Axe::bring()?.violations(&browser).await?.join("\n");
    ensure!(found.contains("\"label\""), "{found}");
    browser.close().await
}
