//! A correction is applied with the keyboard alone, and one always sees where one is.

use anyhow::{Result, ensure};
use fantoccini::key::Key;
use spacecp_tests::{browser::Browser, catalog};

use super::tour;
use crate::panel::{ADMINISTRATOR, PASSWORD, Panel};

/// How often somebody presses Tab before they give up.
const PATIENCE: usize = 150;

/// What has the focus: its words, and how it is told from all else.
const FOCUSED: &str = r"
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const words = element.getAttribute('aria-label') || element.labels?.[0]?.textContent
        || (element.closest('a, button, summary') && element.textContent) || '';
    return {
        tag: element.tagName,
        words: words.replace(/\s+/g, ' ').trim(),
        outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        inside: box.width > 0 && box.top < innerHeight && box.bottom > 0 && box.left >= 0,
    };
";

fn key(key: Key) -> String {
    char::from(key).to_string()
}

/// Presses Tab until the control with these words has the focus; each on the way is visible.
async fn tab_to(browser: &Browser, words: &str) -> Result<()> {
    let mut passed = Vec::new();
    for _ in 0..PATIENCE {
        browser.type_keys(&key(Key::Tab)).await?;
        let focused = browser.run(FOCUSED).await?;
        let at = focused["words"].as_str().unwrap_or_default().to_owned();
        let tag = focused["tag"].as_str().unwrap_or_default();
        // Past the last control the browser's own are next.
        if tag == "BODY" {
            continue;
        }
        ensure!(
            focused["outlined"] == true,
            "nobody sees that {tag} {at:?} has the focus"
        );
        ensure!(
            focused["inside"] == true,
            "{tag} {at:?} has the focus out of sight"
        );
        if at.contains(words) {
            return Ok(());
        }
        passed.push(at);
    }
    anyhow::bail!("Tab never came to {words:?}, but to {passed:?}")
}

async fn enter(browser: &Browser) -> Result<()> {
    browser.type_keys(&key(Key::Enter)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_is_applied_with_the_keyboard_alone() -> Result<()> {
    for (width, height) in tour::SIZES {
        let panel = Panel::raise().await?;
        let browser = Browser::start().await?;
        browser.at_a_size(width, height).await?;
        browser.open(&tour::at(&panel, "/")).await?;
        browser.wait_for("Log in").await?;
        tab_to(&browser, "Name").await?;
        browser.type_keys(ADMINISTRATOR).await?;
        tab_to(&browser, "Password").await?;
        browser.type_keys(PASSWORD).await?;
        enter(&browser).await?;
        browser.wait_for("Security overview").await?;
        if width < 600 {
            tab_to(&browser, "Menu").await?;
            enter(&browser).await?;
        }
        tab_to(&browser, "Advisories").await?;
        enter(&browser).await?;
        browser.wait_for(catalog::CONSOLE).await?;
        tab_to(&browser, catalog::CONSOLE).await?;
        enter(&browser).await?;
        tab_to(&browser, "Apply: houston").await?;
        enter(&browser).await?;
        browser
            .wait_for("houston corrected: 4.7.2 → 4.7.4.")
            .await?;
        browser.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_tab_skips_what_every_page_begins_with() -> Result<()> {
    let panel = Panel::raise().await?;
    let browser = tour::logged_in(&panel).await?;
    for page in ["/", "/advisories", "/trust", "/policy"] {
        browser.open(&tour::at(&panel, page)).await?;
        browser.type_keys(&key(Key::Tab)).await?;
        let focused = browser.run(FOCUSED).await?;
        ensure!(
            focused["words"] == "Skip to the content",
            "{page}: {focused}"
        );
        enter(&browser).await?;
        browser.type_keys(&key(Key::Tab)).await?;
        let within = "return document.querySelector('main').contains(document.activeElement)";
        ensure!(
            browser.run(within).await? == true,
            "{page}: {}",
            browser.run(FOCUSED).await?
        );
    }
    browser.close().await
}
