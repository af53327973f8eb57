//! A browser that goes through the pages of a panel.

use anyhow::Result;
use spacecp_tests::{browser::Browser, catalog};

use crate::panel::{ADMINISTRATOR, PASSWORD, Panel};

/// Widths of a phone and of a desk, in the pixels of a style sheet.
pub(super) const SIZES: [(u32, u32); 2] = [(360, 780), (1440, 900)];

/// Every page that somebody who is logged in can open.
pub(super) fn pages() -> Vec<String> {
    let advisory = |id: &str| format!("/advisories/{id}");
    vec![
        "/".to_owned(),
        "/advisories".to_owned(),
        "/advisories?q=log4j&sort=severity".to_owned(),
        advisory(catalog::LOG4SHELL),
        advisory(catalog::CONSOLE),
        advisory(catalog::BACKUP),
        "/components".to_owned(),
        format!(
            "/changes?correction={}&component=houston",
            catalog::HOUSTON_CORRECTION
        ),
        "/history".to_owned(),
        "/exposure".to_owned(),
        "/trust".to_owned(),
        "/policy".to_owned(),
        "/notifications".to_owned(),
        "/report".to_owned(),
        "/nothing".to_owned(),
    ]
}

/// A browser that has logged in as the administrator.
pub(super) async fn logged_in(panel: &Panel) -> Result<Browser> {
    let browser = Browser::start().await?;
    browser.open(&at(panel, "/login")).await?;
    browser.fill("name", ADMINISTRATOR).await?;
    browser.fill("password", PASSWORD).await?;
    browser.press("Log in").await?;
    browser.wait_for("Security overview").await?;
    Ok(browser)
}

/// The address of a page.
pub(super) fn at(panel: &Panel, path: &str) -> String {
    format!("http://{}{path}", panel.address())
}
