//! A panel that could not read a broadcast, and then is given the identity that can.

use std::fs;

use anyhow::{Context, Result};
use spacecp_advisories::{
    fetch::Source,
    identity,
    sync::{Follower, Mirror, SyncError},
    trust::TrustError,
};
use spacecp_contract::FeedPath;
use spacecp_tests::feed_server::FeedServer;

use super::stage::{Panel, Stage, bare, patience};
use crate::scene::{advisory, hours, noon};

/// A panel whose identity was elsewhere while the broadcast that it may read was heard.
struct Blinded {
    stage: Stage,
    panel: Panel,
    identity: Vec<u8>,
}

impl Blinded {
    async fn new() -> Result<Self> {
        let mut stage = Stage::new().await?;
        let panel = stage.entitled("panel").await?;
        stage.vendor.publish_advisory(bare(1))?;
        stage.vendor.broadcast()?;
        let identity = fs::read(panel.state.join("identity.txt"))?;
        fs::write(panel.state.join("identity.txt"), "nothing\n")?;
        panel.sync().await?;
        assert_eq!(panel.knows().await?, None);
        Ok(Self {
            stage,
            panel,
            identity,
        })
    }

    fn mend(&self) -> Result<()> {
        Ok(fs::write(
            self.panel.state.join("identity.txt"),
            &self.identity,
        )?)
    }

    /// What the feed was asked for since, without signature files.
    fn asked(&self) -> Vec<String> {
        let asked = self.stage.server.asked().into_iter();
        let asked = asked.map(|one| one.path);
        asked.filter(|path| !path.ends_with(".minisig")).collect()
    }
}

#[tokio::test]
async fn an_identity_that_was_put_back_opens_the_broadcast_that_was_passed_by() -> Result<()> {
    let blinded = Blinded::new().await?;
    blinded.mend()?;
    let report = blinded.panel.sync().await?;
    assert!(report.changed);
    assert_eq!(report.accepted.len(), 1, "what was under embargo");
    assert_eq!(blinded.panel.knows().await?, Some(1));
    assert_eq!(blinded.panel.entitled().await?, Some(true));
    Ok(())
}

#[tokio::test]
async fn the_right_identity_in_the_place_of_a_wrong_one_opens_the_same_broadcast() -> Result<()> {
    let blinded = Blinded::new().await?;
    let panel = &blinded.panel;
    identity::renew(&panel.state, noon())?;
    assert!(!panel.sync().await?.changed, "there is nothing for it");
    assert_eq!(panel.entitled().await?, Some(false));
    blinded.mend()?;
    assert_eq!(panel.sync().await?.accepted.len(), 1);
    assert_eq!(panel.knows().await?, Some(1));
    Ok(())
}

#[tokio::test]
async fn what_is_held_is_not_fetched_again_for_it_and_nothing_is_looked_at_twice() -> Result<()> {
    let blinded = Blinded::new().await?;
    let sealed = blinded.stage.sealed()?;
    blinded.asked();
    assert!(!blinded.panel.sync().await?.changed);
    assert_eq!(blinded.asked(), ["head"], "nobody can look");
    blinded.mend()?;
    blinded.panel.sync().await?;
    let asked = blinded.asked();
    let (bucket, index) = (&sealed.buckets[0].digest, &sealed.index.digest);
    assert_eq!(
        asked[..4],
        [
            FeedPath::head().to_string(),
            FeedPath::root(2).to_string(),
            FeedPath::sealed(bucket).to_string(),
            FeedPath::sealed(index).to_string(),
        ]
    );
    assert_eq!(asked.len(), 5, "and one document: {asked:?}");
    assert!(asked[4].starts_with("sealed/"), "{asked:?}");
    assert!(!blinded.panel.sync().await?.changed);
    assert_eq!(blinded.asked(), ["head"]);
    Ok(())
}

#[tokio::test]
async fn a_bundle_that_was_carried_here_before_opens_as_well() -> Result<()> {
    let blinded = Blinded::new().await?;
    let folder = blinded.stage.vendor.feed_dir();
    let address = folder.display().to_string();
    let carried = Source::new(&address, patience())?;
    let follower = blinded.panel.follower_from(&address, carried)?;
    assert!(!follower.sync(noon()).await?.changed);
    blinded.mend()?;
    assert_eq!(follower.sync(noon()).await?.accepted.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_offers_an_older_head_to_a_mended_panel_is_refused() -> Result<()> {
    let mut blinded = Blinded::new().await?;
    let head = [FeedPath::head(), FeedPath::head().signatures()];
    let old = head.clone().map(|path| {
        let bytes = fs::read(blinded.stage.path(&path));
        bytes.map(|bytes| (path, bytes))
    });
    let vendor = &mut blinded.stage.vendor;
    vendor.publish_advisory(advisory(2))?;
    vendor.broadcast()?;
    blinded.panel.sync().await?;
    for file in old {
        let (path, bytes) = file?;
        blinded.stage.write(&path, &bytes)?;
    }
    blinded.mend()?;
    let refused = blinded.panel.sync().await;
    let sequence = matches!(&refused, Err(SyncError::Trust(TrustError::Sequence { .. })));
    assert!(sequence, "{refused:?}");
    assert_eq!(blinded.panel.knows().await?, None);
    Ok(())
}

#[tokio::test]
async fn a_mended_panel_opens_nothing_under_a_head_that_has_expired() -> Result<()> {
    let blinded = Blinded::new().await?;
    blinded.mend()?;
    let refused = blinded.panel.sync_at(noon() + hours(24 * 365)).await;
    assert!(
        matches!(&refused, Err(error) if error.is_refusal()),
        "{refused:?}"
    );
    assert_eq!(blinded.panel.knows().await?, None);
    Ok(())
}

#[tokio::test]
async fn a_sealed_file_that_a_mirror_lacks_is_looked_for_at_the_next() -> Result<()> {
    let blinded = Blinded::new().await?;
    let (stage, panel) = (&blinded.stage, &blinded.panel);
    let copy = stage.folder.path().join("mirror");
    for (path, bytes) in stage.files()? {
        let path = path.strip_prefix(stage.vendor.feed_dir())?;
        if !path.starts_with("sealed") {
            let at = copy.join(path);
            fs::create_dir_all(at.parent().context("it lies in a folder")?)?;
            fs::write(at, bytes)?;
        }
    }
    let poor = FeedServer::start(copy).await?;
    let mirror = |address: String| -> Result<Mirror> {
        let source = Source::new(&address, patience())?.into();
        Ok(Mirror { address, source })
    };
    let mirrors = vec![mirror(poor.url())?, mirror(stage.server.url())?];
    blinded.mend()?;
    let follower: Follower = panel.follower()?;
    assert_eq!(
        follower.sync_from(&mirrors, noon()).await?.accepted.len(),
        1
    );
    Ok(())
}
