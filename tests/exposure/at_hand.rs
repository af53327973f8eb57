//! The documents at hand in short, remembered from one process to the next: what may be told to programs, and who
//! has read what is under embargo, is by what is held now.

use std::fs;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::Tlp;

use crate::{
    fetched::page_of,
    house::{COMPONENT, House},
    panel::{advisory, id},
};

const SECRET: &str = "SPACECP-SA-2026-0002";

/// A panel that has heard of a second advisory, under embargo, in a broadcast that it could not read yet.
async fn blinded() -> Result<(House, Vec<u8>)> {
    let mut panel = House::that_was_asked().await?;
    panel.vendor.enrol("house", &panel.state())?;
    let file = panel.state().join("identity.txt");
    let identity = fs::read(&file)?;
    fs::write(&file, "nothing\n")?;
    let mut secret = advisory(SECRET, COMPONENT, &[("0", Some("2.0.0"), None)]);
    "A secret door".clone_into(&mut secret.title);
    secret.tlp = Tlp::AmberStrict;
    secret.embargo_until = Some(Timestamp::now() + SignedDuration::from_hours(24));
    panel.vendor.publish_advisory(secret)?;
    panel.vendor.broadcast()?;
    panel.app().await?.panel.feed.sync().await?;
    Ok((panel, identity))
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_what_a_mended_identity_has_opened_is_noted_by_a_panel_that_kept_running()
-> Result<()> {
    let (panel, identity) = Box::pin(blinded()).await?;
    let app = panel.app().await?;
    // It has looked at what is at hand, under the very index that is current afterwards.
    app.panel
        .exposure
        .advisory_page("early", &page_of(crate::house::ADVISORY))
        .await?;
    fs::write(panel.state().join("identity.txt"), identity)?;
    assert_eq!(app.panel.feed.sync().await?.accepted.len(), 1);
    app.panel
        .exposure
        .advisory_page("late", &page_of(SECRET))
        .await?;
    let readers = app.panel.exposure.access_log(&id(SECRET)).await?;
    let readers: Vec<&str> = readers.iter().map(|reader| reader.who.as_str()).collect();
    assert_eq!(readers, ["late"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_are_told_the_same_whether_it_was_read_or_remembered() -> Result<()> {
    let (panel, identity) = Box::pin(blinded()).await?;
    fs::write(panel.state().join("identity.txt"), identity)?;
    panel.app().await?.panel.feed.sync().await?;
    let kept = panel.state().join("remembered-catalogue");
    let read = panel.check()?;
    assert!(
        read.1.contains(SECRET) && !read.1.contains("A secret door"),
        "{}",
        read.1
    );
    let first = fs::read(&kept)?;
    assert!(!String::from_utf8_lossy(&first).contains("A secret door"));
    assert_eq!(panel.check()?, read);
    assert_eq!(fs::read(&kept)?, first);
    for broken in [&b""[..], b"nothing", &first[..first.len() / 2]] {
        fs::write(&kept, broken)?;
        assert_eq!(panel.check()?, read);
        assert_eq!(fs::read(&kept)?, first, "it is kept anew");
    }
    Ok(())
}
