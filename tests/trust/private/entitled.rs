//! Who reads what, from the first broadcast to the disclosure.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, Result};
use spacecp_advisories::{identity, trust::workflow::PrivateDocuments};
use spacecp_contract::{FeedPath, Sealed, envelope::RECORD};
use spacecp_publisher::feed::FeedError;
use spacecp_tests::catalog;

use super::stage::{Panel, Stage, bare, decoded, disclosed, secret};
use crate::scene::{advisory, hours, noon};

#[tokio::test]
async fn two_entitled_panels_read_what_a_third_learns_nothing_of() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (one, other) = (stage.entitled("one").await?, stage.entitled("other").await?);
    let stranger = stage.panel("stranger").await?;
    stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    let done = stage.vendor.broadcast()?;
    let private = done.private.context("there is a private side")?;
    assert_eq!((private.documents, private.panels), (2, 2));
    for panel in [&one, &other] {
        assert_eq!(panel.sync().await?.accepted.len(), 3);
        assert_eq!(panel.knows().await?, Some(1));
        assert_eq!(panel.entitled().await?, Some(true));
    }
    stage.server.asked();
    let report = stranger.sync().await?;
    assert_eq!(
        (report.sequence, report.accepted.len()),
        (1, 1),
        "public advisories go on, and nothing is wrong"
    );
    assert_eq!(stranger.entitled().await?, Some(false));
    assert_eq!(stranger.store.freshness().await?.problem, None);
    let sealed: Vec<_> = stage
        .server
        .asked()
        .into_iter()
        .filter(|asked| asked.path.starts_with("sealed/"))
        .collect();
    assert_eq!(sealed.len(), 1, "its bucket, and nothing else: {sealed:?}");
    Ok(())
}

#[tokio::test]
async fn nothing_in_the_feed_says_what_is_under_embargo() -> Result<()> {
    let mut stage = Stage::new().await?;
    stage.entitled("node-seventeen").await?;
    let recipient = stage.vendor.panels().list()?.remove(0).recipient;
    let correction = stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    let (component, title) = (correction.component.to_string(), secret(1).title);
    let path = correction.files[0].path.to_string();
    let payload = correction.files.iter().find_map(|file| file.after);
    let payload = payload.context("it brings something")?.blob.digest;
    let words = [
        catalog::BACKUP,
        catalog::BACKUP_CORRECTION,
        component.as_str(),
        title.as_str(),
        path.as_str(),
        "node-seventeen",
        recipient.as_str(),
        &payload.to_string(),
    ];
    for broadcast in [false, true] {
        if broadcast {
            stage.vendor.broadcast()?;
        }
        for (path, bytes) in stage.files()? {
            for word in words {
                let name = path.display().to_string();
                assert!(!name.contains(word), "{word:?} is the name of {name}");
                let found = bytes
                    .windows(word.len())
                    .any(|part| part == word.as_bytes());
                assert!(!found, "{word:?} is in {name}");
            }
        }
    }
    assert!(!stage.path(&FeedPath::blob(&payload)).exists());
    Ok(())
}

#[tokio::test]
async fn how_many_panels_there_are_does_not_show() -> Result<()> {
    let mut shapes = BTreeSet::new();
    for panels in [1, 2, 40] {
        let mut stage = Stage::new().await?;
        for number in 0..panels {
            stage.entitled(&format!("panel-{number}")).await?;
        }
        stage.vendor.publish_advisory(bare(1))?;
        stage.vendor.broadcast()?;
        let sealed = stage.sealed()?;
        let lengths: Vec<u64> = sealed.buckets.iter().map(|bucket| bucket.length).collect();
        assert_eq!(lengths, [64 * RECORD as u64]);
        let files = stage.files()?;
        let names = files.iter().filter(|(path, _)| {
            let path = path.strip_prefix(stage.vendor.feed_dir());
            path.is_ok_and(|path| path.starts_with("sealed"))
        });
        let index = stage.vendor.feed_dir();
        let index = index.join(FeedPath::sealed(&sealed.index.digest).as_str());
        shapes.insert((
            lengths,
            behind_its_header(&fs::read(index)?)?,
            names.count(),
        ));
    }
    assert_eq!(shapes.len(), 1, "{shapes:?}");
    Ok(())
}

/// How long the contents of an age file are. The header before them has a stanza of chance, of no fixed
/// length.
pub(super) fn behind_its_header(file: &[u8]) -> Result<usize> {
    let mac = b"\n--- ";
    let mac = file.windows(mac.len()).position(|part| part == mac);
    let mac = mac.context("the header ends with its mac")? + 1;
    let end = file[mac..].iter().position(|byte| *byte == b'\n');
    Ok(file.len() - mac - end.context("the mac is a line")? - 1)
}

#[tokio::test]
async fn a_private_side_is_there_whether_or_not_anything_is_under_embargo() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.broadcast()?;
    let empty = stage.sealed()?;
    assert_eq!(panel.sync().await?.accepted.len(), 1);
    assert_eq!(panel.entitled().await?, Some(true));
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    let full = stage.sealed()?;
    // The sealed index of one document is as long as that of none.
    let contents = |sealed: &Sealed| -> Result<usize> {
        let path = FeedPath::sealed(&sealed.index.digest);
        behind_its_header(&fs::read(stage.vendor.feed_dir().join(path.as_str()))?)
    };
    assert_eq!(contents(&empty)?, contents(&full)?);
    assert_ne!(empty.nonce, full.nonce);
    Ok(())
}

#[tokio::test]
async fn a_revoked_panel_reads_nothing_new_and_keeps_what_it_has() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (loyal, former) = (
        stage.entitled("loyal").await?,
        stage.entitled("former").await?,
    );
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    former.sync().await?;
    loyal.sync().await?;
    let panels = stage.vendor.panels();
    panels.revoke("former", "the contract has ended", noon())?;
    stage.vendor.publish_advisory(bare(2))?;
    stage.vendor.publish_advisory(advisory(2))?;
    stage.vendor.broadcast()?;
    assert_eq!(former.sync().await?.accepted.len(), 1, "what is public");
    assert_eq!(former.knows().await?, Some(1));
    assert_eq!(former.entitled().await?, Some(false));
    loyal.sync().await?;
    assert_eq!(loyal.knows().await?, Some(2));
    Ok(())
}

#[tokio::test]
async fn a_panel_that_lost_its_identity_reads_again_once_it_was_enrolled_anew() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    fs::remove_file(panel.state.join("identity.txt"))?;
    stage.vendor.publish_advisory(bare(2))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    assert_eq!(panel.entitled().await?, Some(false), "it is another now");
    assert_eq!(panel.knows().await?, Some(1));
    let panels = stage.vendor.panels();
    panels.revoke("panel", "its disk was lost", noon())?;
    stage.vendor.enrol("panel", &panel.state)?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    assert_eq!(panel.entitled().await?, Some(true));
    assert_eq!(panel.knows().await?, Some(2));
    Ok(())
}

#[tokio::test]
async fn a_renewed_identity_is_used_by_a_follower_that_runs() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    let follower = panel.follower()?;
    stage.vendor.broadcast()?;
    follower.sync(noon()).await?;
    let renewed = identity::renew(&panel.state, noon())?;
    let panels = stage.vendor.panels();
    panels.revoke("panel", "it was renewed", noon())?;
    panels.enrol("panel", &renewed.recipient(), noon())?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    follower.sync(noon()).await?;
    assert_eq!(panel.knows().await?, Some(1));
    Ok(())
}

#[tokio::test]
async fn an_identity_that_cannot_be_used_keeps_nothing_public_away() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    fs::write(panel.state.join("identity.txt"), "AGE-SECRET-KEY-1NONE\n")?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    assert_eq!(panel.sync().await?.accepted.len(), 1);
    assert_eq!(panel.entitled().await?, None, "nobody looked");
    let error = identity::load_or_make(&panel.state, noon()).expect_err("it is damaged");
    let words = error.to_string();
    assert!(words.contains("identity renew"), "{words}");
    assert!(
        !words.contains("NONE"),
        "what it says is not shown: {words}"
    );
    Ok(())
}

#[tokio::test]
async fn what_was_signed_by_mistake_is_nowhere_in_the_feed_before_its_broadcast() -> Result<()> {
    let mut stage = Stage::new().await?;
    stage.vendor.broadcast()?;
    let before = stage.files()?;
    stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    assert_eq!(stage.files()?, before, "it waits in the desk");
    let refused = stage.vendor.broadcast();
    let error = refused.expect_err("nobody is enrolled");
    let refused = error.downcast_ref::<FeedError>();
    assert!(
        matches!(refused, Some(FeedError::NobodyEntitled { id, .. }) if id.as_str() == catalog::BACKUP),
        "{error}"
    );
    assert_eq!(stage.files()?, before);
    Ok(())
}

#[tokio::test]
async fn a_refresh_shows_nothing_that_was_not_broadcast_and_costs_no_second_look() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    let sealed = stage.sealed()?;
    stage.vendor.publish_advisory(bare(2))?;
    let (vendor, now) = (&stage.vendor, noon());
    vendor
        .publisher()
        .refresh(now, now + hours(48), &[&vendor.keys().feed])?;
    assert_eq!(stage.sealed()?, sealed);
    stage.server.asked();
    assert!(panel.sync().await?.changed);
    assert_eq!(panel.knows().await?, Some(1));
    let asked = stage.server.asked();
    let looked = asked.iter().any(|asked| asked.path.starts_with("sealed/"));
    assert!(!looked, "{asked:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_out_already_is_neither_sealed_nor_fetched_again() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    let names = |stage: &Stage| -> Result<BTreeSet<_>> {
        Ok(stage.files()?.into_iter().map(|(path, _)| path).collect())
    };
    let before = names(&stage)?;
    stage.server.asked();
    stage.vendor.broadcast()?;
    panel.sync().await?;
    let asked = stage.server.asked();
    let sealed = asked.iter().filter(|one| one.path.starts_with("sealed/"));
    assert_eq!(sealed.count(), 2, "a bucket and a sealed index: {asked:?}");
    let new = names(&stage)?;
    let new = new.difference(&before);
    let new: Vec<_> = new
        .filter(|path| path.components().any(|part| part.as_os_str() == "sealed"))
        .collect();
    assert_eq!(new.len(), 2, "{new:?}");
    // And what nobody asks for any more goes: the files of the broadcast before the last.
    stage.vendor.broadcast()?;
    stage.vendor.broadcast()?;
    let left = names(&stage)?;
    let left = left
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "sealed"));
    assert_eq!(left.count(), 1 + 2 * 2, "one document, and two broadcasts");
    Ok(())
}

#[tokio::test]
async fn the_date_of_an_embargo_discloses_nothing_by_itself() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (reader, stranger) = (
        stage.entitled("reader").await?,
        stage.panel("stranger").await?,
    );
    let mut planned = bare(1);
    planned.embargo_until = Some(noon() + hours(24));
    stage.vendor.publish_advisory(planned)?;
    stage.vendor.broadcast()?;
    for now in [noon(), noon() + hours(48)] {
        reader.sync_at(now).await?;
        stranger.sync_at(now).await?;
        assert_eq!(reader.knows().await?, Some(1));
        assert_eq!(stranger.knows().await?, None);
        let held = reader.store.documents_since(None, 10).await?.documents;
        let held = held.iter().find(|one| one.id == catalog::BACKUP);
        let held = decoded(&held.context("it is held")?.bytes)?;
        assert!(held.is_under_embargo());
    }
    Ok(())
}

#[tokio::test]
async fn after_its_disclosure_everybody_has_the_next_revision() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (reader, stranger) = (
        stage.entitled("reader").await?,
        stage.panel("stranger").await?,
    );
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    reader.sync().await?;
    stranger.sync().await?;
    stage.vendor.publish_advisory(disclosed(2))?;
    let done = stage.vendor.broadcast()?;
    assert_eq!(done.private.map(|private| private.documents), Some(0));
    for panel in [&reader, &stranger] as [&Panel; 2] {
        panel.sync().await?;
        assert_eq!(panel.knows().await?, Some(2));
        let private = panel.trusted().await?.private;
        assert_eq!(private, PrivateDocuments::new());
    }
    Ok(())
}

#[tokio::test]
async fn the_correction_of_what_is_disclosed_is_public_at_its_own_revision() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (reader, stranger) = (
        stage.entitled("reader").await?,
        stage.panel("stranger").await?,
    );
    let correction = stage.correct()?;
    stage.vendor.publish_advisory(secret(1))?;
    stage.vendor.broadcast()?;
    reader.sync().await?;
    stranger.sync().await?;
    let mut public = disclosed(2);
    public.corrections = vec![correction.id.clone()];
    stage.vendor.publish_advisory(public)?;
    stage.vendor.broadcast()?;
    for panel in [&reader, &stranger] {
        panel.sync().await?;
        let held = panel.held().await?;
        assert!(held.contains(&(correction.id.to_string(), 1)), "{held:?}");
        assert_eq!(panel.follower()?.corrections().await?.len(), 1);
        assert!(panel.trusted().await?.private.is_empty());
    }
    let after = correction.files.iter().find_map(|file| file.after);
    let blob = after.context("it brings something")?.blob;
    assert!(stage.path(&FeedPath::blob(&blob.digest)).exists());
    Ok(())
}

#[tokio::test]
async fn the_identity_is_its_owners_alone_and_made_once() -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new().await?;
    let panel = stage.panel("panel").await?;
    let first = identity::load_or_make(&panel.state, noon())?;
    let path = panel.state.join("identity.txt");
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    let again = identity::load_or_make(&panel.state, noon())?;
    assert_eq!(first.recipient(), again.recipient());
    assert!(format!("{first:?}").len() < 20, "it is not shown");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640))?;
    let refused = identity::load_or_make(&panel.state, noon());
    let error = refused.expect_err("others can read it").to_string();
    assert!(error.contains("640"), "{error}");
    Ok(())
}
