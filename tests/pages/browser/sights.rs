//! What the pages look like with three hundred advisories, with long names, and with nothing: never
//! wider than the window. Pictures are kept in `target/tmp/pages`, for people to look at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, DocumentId};
use spacecp_tests::{browser::Browser, catalog};

use super::tour;
use crate::panel::{ADMINISTRATOR, Kind, Panel};

pub(super) fn pictures() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Three hundred more advisories, of every severity, some with names as long as they may be.
fn three_hundred(now: Timestamp) -> Vec<Advisory> {
    let models = catalog::advisories(now);
    let numbered = (1u32..=300).zip(models.iter().cycle());
    numbered
        .map(|(number, model)| another(number, model, now))
        .collect()
}

fn another(number: u32, model: &Advisory, now: Timestamp) -> Advisory {
    let at = now - SignedDuration::from_hours(i64::from(number) * 20);
    let title = match number % 7 {
        0 => "Unauthenticated-remote-code-execution-in-".repeat(4),
        1 => format!("{} and {}", model.title, model.title),
        _ => format!("{} ({number})", model.title),
    };
    Advisory {
        id: DocumentId::new(format!("SPACECP-SA-2025-{number:04}")).expect("an id"),
        title: title.chars().take(200).collect(),
        published: at,
        modified: at,
        corrections: Vec::new(),
        ..model.clone()
    }
}

async fn fits(browser: &Browser, panel: &Panel, pages: &[String], name: &str) -> Result<()> {
    let folder = pictures()?;
    for page in pages {
        browser.open(&tour::at(panel, page)).await?;
        for (width, height) in tour::SIZES {
            browser.at_a_size(width, height).await?;
            let dark = width < 600;
            browser.in_the_dark(dark).await?;
            let file: String = page
                .chars()
                .map(|letter| {
                    if letter.is_ascii_alphanumeric() {
                        letter
                    } else {
                        '-'
                    }
                })
                .collect();
            browser
                .picture(&folder.join(format!("{name}{file}-{width}.png")))
                .await?;
            ensure!(
                !browser.overflows().await?,
                "{page} is wider than {width} pixels"
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_advisories_fit_a_phone_and_a_desk() -> Result<()> {
    let panel = Panel::of(Kind {
        plugin: true,
        further: Some(three_hundred),
        ..Kind::default()
    })
    .await?;
    let browser = tour::logged_in(&panel).await?;
    let mut pages = tour::pages();
    pages.push("/advisories/SPACECP-SA-2025-0007".to_owned());
    pages.push("/advisories?page=3".to_owned());
    fits(&browser, &panel, &pages, "many").await?;
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_advisory_and_no_plugin_fit_a_phone_and_a_desk() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut administrator = panel.visit_as(ADMINISTRATOR).await?;
    let overview = administrator.get("/").await?;
    ensure!(
        overview.status == 200 || overview.status == 503,
        "{}",
        overview.status
    );
    let browser = Browser::start().await?;
    fits(&browser, &panel, &["/login".to_owned()], "none").await?;
    browser.fill("name", ADMINISTRATOR).await?;
    browser.fill("password", crate::panel::PASSWORD).await?;
    browser.press("Log in").await?;
    let pages = ["/", "/history", "/trust", "/policy", "/notifications"].map(str::to_owned);
    fits(&browser, &panel, &pages, "none").await?;
    browser.close().await
}
