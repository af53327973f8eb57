//! Lists that somebody narrows: which part of them they get, and how they come to the rest.

use anyhow::Result;
use spacecp_tests::catalog;

use crate::panel::{Panel, VIEWER};

async fn shows(path: &str, wanted: &[&str], unwanted: &[&str]) -> Result<()> {
    let panel = Panel::raise().await?;
    let mut viewer = panel.visit_as(VIEWER).await?;
    let page = viewer.get(path).await?;
    assert_eq!(page.status, 200, "{path}");
    for words in wanted {
        assert!(
            page.body.contains(words),
            "{path} lacks {words}:\n{}",
            page.body
        );
    }
    for words in unwanted {
        assert!(
            !page.body.contains(words),
            "{path} has {words}:\n{}",
            page.body
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_known_to_be_exploited_is_shown_where_that_is_asked_for() -> Result<()> {
    shows(
        "/advisories?exploited=yes",
        &[catalog::LOG4SHELL, "checked"],
        &[catalog::CONSOLE, catalog::BACKUP],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_under_embargo_is_shown_where_that_is_asked_for() -> Result<()> {
    shows(
        "/advisories?embargo=yes",
        &[
            catalog::BACKUP,
            "under embargo",
            "Confidential. Do not share this page.",
        ],
        &[catalog::LOG4SHELL],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_without_anything_under_embargo_carries_no_such_mark() -> Result<()> {
    shows(
        "/advisories?exploited=yes",
        &[],
        &["Confidential. Do not share this page."],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn severities_are_shown_from_the_one_that_is_asked_for() -> Result<()> {
    shows(
        "/advisories?severity=critical",
        &[catalog::LOG4SHELL],
        &[catalog::CONSOLE],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_in_an_address_shows_everything() -> Result<()> {
    shows(
        "/advisories?severity=awful&order=sideways&page=-7&standing=no",
        &[catalog::LOG4SHELL, catalog::CONSOLE],
        &[],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_nothing_fits_says_so() -> Result<()> {
    shows(
        "/advisories?q=nothing-of-that-name",
        &["No matching advisories. Remove a filter."],
        &["<table>"],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_component_is_shown_with_its_version_and_where_that_was_read() -> Result<()> {
    shows(
        "/components",
        &["houston", "4.7.2", "package.json", "affected"],
        &[],
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_which_nobody_can_say_is_found_by_that() -> Result<()> {
    shows(
        "/components?standing=undecided",
        &["unknown"],
        &["<strong>houston</strong>"],
    )
    .await
}
