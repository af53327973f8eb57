//! The report that is remembered: it answers where nothing has changed, and only there; and whatever
//! becomes of its file, the answer is the plugin's.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::{ServiceError, cache::LARGEST, decisions::Wish};
use spacecp_contract::Tlp;
use spacecp_tests::artifacts;

use crate::{
    fetched::page_of,
    house::{ADVISORY, COMPONENT, House},
    panel::{advisory, id},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_on_which_nothing_has_changed_does_not_start_the_plugin() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let (code, said) = panel.check()?;
    assert_eq!(code, Some(1), "{said}");
    // Whoever starts the plugin makes this folder.
    fs::remove_file(panel.state().join("plugin-cache"))?;
    let (code_again, said_again) = panel.check()?;
    assert_eq!((code_again, said_again), (code, said));
    assert!(!panel.state().join("plugin-cache").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn news_of_the_feed_are_put_to_the_plugin() -> Result<()> {
    let mut panel = House::that_was_asked().await?;
    let second = "SPACECP-SA-2026-0002";
    let told = advisory(second, COMPONENT, &[("0", Some("2.0.0"), None)]);
    panel.vendor.publish_advisory(told)?;
    panel.vendor.broadcast()?;
    panel.app().await?.panel.feed.sync().await?;
    let answer = panel.asked().await?;
    assert!(answer.asked);
    assert_eq!(answer.report.verdicts.len(), 2);
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_without_news_leaves_it_as_it_is() -> Result<()> {
    let panel = House::that_was_asked().await?;
    panel.app().await?.panel.feed.sync().await?;
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_is_put_to_the_plugin() -> Result<()> {
    let panel = House::that_was_asked().await?;
    fs::write(panel.folder.path().join("component/VERSION"), "1.0.1\n")?;
    let answer = panel.asked().await?;
    assert!(answer.asked);
    assert_eq!(answer.report.summary.exposed, 0);
    fs::write(panel.folder.path().join("component/VERSION"), "1.0.0\n")?;
    assert_eq!(panel.asked().await?.report.summary.exposed, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_put_to_the_plugin() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let wish = Wish {
        workaround: None,
        advisory: id(ADVISORY),
        shown: None,
        component: Some("component".to_owned()),
        by: "ada".to_owned(),
        until: Some(Timestamp::now() + SignedDuration::from_hours(24)),
        reason: Some("It cannot be reached.".to_owned()),
    };
    panel.app().await?.panel.decisions.decide(&wish).await?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_limits_are_put_to_the_plugin() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let mut configuration = OpenOptions::new()
        .append(true)
        .open(panel.folder.path().join("panel.toml"))?;
    configuration.write_all(b"[limits]\nlog-lines = 3\n")?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_release_of_the_same_component_speaks_for_itself() -> Result<()> {
    let mut panel = House::that_was_asked().await?;
    let component = Path::new(artifacts::PLUGIN);
    panel.vendor.release_plugin(component, 2)?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_damaged_has_no_word_remembered() -> Result<()> {
    let panel = House::that_was_asked().await?;
    panel.tamper_with_documents().await?;
    // Nobody has looked at them yet; whoever does notes it.
    let app = panel.app().await?;
    let page = app.panel.exposure.page(&page_of(ADVISORY)).await;
    assert!(page.is_err(), "{page:?}");
    drop(app);
    assert_eq!(panel.check()?.0, Some(4));
    panel.app().await?.panel.feed.sync().await?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_embargo_is_told_from_memory_as_it_was_told_at_first() -> Result<()> {
    let mut panel = House::that_was_asked().await?;
    panel.vendor.enrol("house", &panel.state())?;
    let secret = "SPACECP-SA-2026-0002";
    let mut told = advisory(secret, COMPONENT, &[("0", Some("2.0.0"), None)]);
    told.title = "A secret door".to_owned();
    told.tlp = Tlp::AmberStrict;
    told.embargo_until = Some(Timestamp::now() + SignedDuration::from_secs(2));
    panel.vendor.publish_advisory(told.clone())?;
    panel.vendor.broadcast()?;
    panel.app().await?.panel.feed.sync().await?;
    let first = panel.check()?;
    assert!(first.1.contains(secret), "{}", first.1);
    assert!(!first.1.contains("A secret door"), "{}", first.1);
    // The planned day lifts nothing, neither for the plugin nor for what is remembered.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(!panel.asked().await?.asked);
    assert_eq!(panel.check()?, first);
    told.revision += 1;
    told.tlp = Tlp::Clear;
    told.embargo_until = None;
    panel.vendor.publish_advisory(told)?;
    panel.vendor.broadcast()?;
    panel.app().await?.panel.feed.sync().await?;
    assert!(panel.asked().await?.asked);
    let (_, said) = panel.check()?;
    assert!(said.contains("A secret door"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_what_was_signed_has_no_word_remembered() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let component = panel.vendor.plugin_component();
    let signed = fs::read(component)?;
    let mut other = signed.clone();
    *other.last_mut().context("it has bytes")? ^= 1;
    fs::write(component, &other)?;
    let refused = panel.app().await?.panel.exposure.report().await;
    assert!(
        matches!(refused, Err(ServiceError::NoPlugin(_))),
        "{refused:?}"
    );
    assert_eq!(panel.check()?.0, Some(3));
    fs::write(component, &signed[..signed.len() - 1])?;
    assert_eq!(panel.check()?.0, Some(3));
    fs::remove_file(component)?;
    assert_eq!(panel.check()?.0, Some(3));
    fs::write(component, signed)?;
    assert!(!panel.asked().await?.asked);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_plugin_speaks_for_itself() -> Result<()> {
    let mut panel = House::that_was_asked().await?;
    // The same with a section that says nothing: another component, and as good.
    let aside = panel.folder.path().join("other.wasm");
    let mut other = fs::read(artifacts::PLUGIN)?;
    other.extend_from_slice(&[0, 5, 4, b'n', b'o', b't', b'e']);
    fs::write(&aside, other)?;
    panel.vendor.sign_plugin(&aside)?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_damaged_in_any_way_is_as_good_as_none() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let whole = fs::read(panel.file())?;
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 0x20;
    let damaged: [&[u8]; 5] = [
        &[],
        &whole[..whole.len() / 2],
        &whole[1..],
        &changed,
        &[0xff; 200],
    ];
    for bytes in damaged {
        fs::write(panel.file(), bytes)?;
        panel.is_asked_again().await?;
    }
    fs::remove_file(panel.file())?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_as_good_as_none() -> Result<()> {
    let panel = House::that_was_asked().await?;
    let file = OpenOptions::new().write(true).open(panel.file())?;
    file.set_len(LARGEST + 1)?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_may_write_is_as_good_as_none() -> Result<()> {
    let panel = House::that_was_asked().await?;
    fs::set_permissions(panel.file(), fs::Permissions::from_mode(0o666))?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_another_panel_is_as_good_as_none() -> Result<()> {
    let (panel, other) = (
        House::that_was_asked().await?,
        House::that_was_asked().await?,
    );
    fs::copy(other.file(), panel.file())?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_and_built_anew_is_another_feed() -> Result<()> {
    let panel = House::that_was_asked().await?;
    for file in ["feed.sqlite", "feed.sqlite-wal", "feed.sqlite-shm"] {
        let file = panel.state().join(file);
        if file.exists() {
            fs::remove_file(file)?;
        }
    }
    let before_any_word = panel.asked().await?;
    assert!(before_any_word.asked);
    assert_eq!(before_any_word.report.summary.advisories, 0);
    panel.app().await?.panel.feed.sync().await?;
    panel.is_asked_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn that_the_vendors_word_expires_is_seen_all_the_same() -> Result<()> {
    let mut panel = House::that_was_asked().await?;
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    panel.vendor.broadcast_until(soon)?;
    panel.app().await?.panel.feed.sync().await?;
    // A new head over the same documents; the report that is remembered is about these.
    panel.asked().await?;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let answer = panel.asked().await?;
    assert!(!answer.asked);
    let (code, said) = panel.check()?;
    let said: serde_json::Value = serde_json::from_str(&said)?;
    assert_eq!(code, Some(1));
    let until: Timestamp = said["freshness"]["valid_until"]
        .as_str()
        .context("it says until when")?
        .parse()?;
    assert!(until < Timestamp::now());
    Ok(())
}
