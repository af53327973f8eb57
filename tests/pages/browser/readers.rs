//! The table of those who read what is under embargo, on the page of its advisory: with short names and with
//! names that no panel should give, it fits and meets the guidelines. Pictures are kept as for other pages.

use anyhow::{Result, ensure};
use jiff::Timestamp;
use spacecp_advisories::{
    plugin::bindings::exports::spacecp::advisories::pages::{Place, Request},
    render::whole,
};
use spacecp_tests::{axe::Axe, catalog};

use super::{sights, tour};
use crate::panel::Panel;

/// A phone and a small desk.
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 900)];

/// Has somebody open the page.
async fn read_by(panel: &Panel, who: &str) -> Result<()> {
    let request = Request {
        place: Place::Advisory(catalog::BACKUP.to_owned()),
        listing: whole(),
        now: Timestamp::now().as_second(),
        may_act: false,
    };
    panel
        .app()
        .panel
        .exposure
        .advisory_page(who, &request)
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_read_it_under_embargo_fits_and_meets_the_guidelines() -> Result<()> {
    let panel = Panel::raise().await?;
    for who in [
        "victor",
        "root (terminal)",
        "Annegret Müller-Lüdenscheidt of the night shift <annegret@operations.example.com>",
        &"a-name-without-an-end-".repeat(9),
        &"unbroken".repeat(25),
    ] {
        read_by(&panel, who).await?;
    }
    let browser = tour::logged_in(&panel).await?;
    let axe = Axe::bring()?;
    let page = tour::at(&panel, &format!("/advisories/{}", catalog::BACKUP));
    browser.open(&page).await?;
    ensure!(browser.text().await?.contains("Read under embargo"));
    for (width, height) in SIZES {
        browser.at_a_size(width, height).await?;
        for dark in [false, true] {
            browser.in_the_dark(dark).await?;
            let to_the_table = "const all = [...document.querySelectorAll('h2')]; \
                all.find(one => one.textContent == 'Read under embargo').scrollIntoView();";
            browser.run(to_the_table).await?;
            let colours = if dark { "dark" } else { "light" };
            let file = format!("readers-{width}-{colours}.png");
            browser.picture(&sights::pictures()?.join(file)).await?;
            ensure!(!browser.overflows().await?, "wider than {width} pixels");
            let inside = "const box = [...document.querySelectorAll('.table')].at(-1); \
                return box.scrollWidth > box.clientWidth;";
            let is_scrolled = browser.run(inside).await?;
            ensure!(
                is_scrolled == false,
                "a table is wider than its box at {width}"
            );
            let found = axe.violations(&browser).await?;
            ensure!(found.is_empty(), "{width} {colours}: {}", found.join("\n"));
        }
    }
    browser.close().await
}
