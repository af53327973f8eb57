//! Databases of a panel that were put back to an earlier day, one of the two or the other: an earlier head is taken
//! from nobody, and that the panel is behind is said.

use std::{fs, path::PathBuf};

use anyhow::Result;
use spacecp_advisories::{store::Store, sync::SyncError, trust::TrustError};

use crate::scene::{Scene, advisory, copy};

const FEED: &str = "feed.sqlite";
const STORE: &str = "store.sqlite";

/// A panel that has followed two broadcasts, with its files and the feed as they were after the first.
struct Restored {
    scene: Scene,
    earlier: PathBuf,
}

impl Restored {
    async fn new() -> Result<Self> {
        let mut scene = Scene::followed().await?;
        let earlier = scene.folder.path().join("earlier");
        copy(scene.vendor.feed_dir(), &earlier.join("feed"))?;
        scene.close_feed().await;
        for name in [FEED, STORE] {
            fs::copy(scene.folder.path().join(name), earlier.join(name))?;
        }
        scene.store = Store::open(scene.store.path()).await?;
        scene.vendor.publish_advisory(advisory(2))?;
        scene.vendor.broadcast()?;
        assert_eq!(scene.sync().await?.sequence, 2);
        Ok(Self { scene, earlier })
    }

    /// Puts one of the databases back, or removes it.
    async fn put_back(&mut self, name: &str, earlier: bool) -> Result<()> {
        self.scene.close_feed().await;
        let path = self.scene.folder.path().join(name);
        for part in ["", "-wal", "-shm"] {
            let part = PathBuf::from(format!("{}{part}", path.display()));
            if part.exists() {
                fs::remove_file(part)?;
            }
        }
        if earlier {
            fs::copy(self.earlier.join(name), path)?;
        }
        self.scene.store = Store::open(self.scene.store.path()).await?;
        Ok(())
    }

    /// A mirror that shows the feed as it was.
    async fn sync_with_the_earlier_feed(&self) -> Result<(), SyncError> {
        let feed = self.earlier.join("feed").display().to_string();
        self.scene.sync_with(&feed).await.map(drop)
    }

    async fn refuses_the_earlier_feed(&self) {
        let refused = self.sync_with_the_earlier_feed().await;
        assert!(
            matches!(
                refused,
                Err(SyncError::Trust(TrustError::Sequence {
                    trusted: 2,
                    found: 1
                }))
            ),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_feed_file_of_an_earlier_day_lets_nobody_offer_that_days_head_again() -> Result<()> {
    for earlier in [true, false] {
        let mut restored = Restored::new().await?;
        restored.put_back(FEED, earlier).await?;
        restored.refuses_the_earlier_feed().await;
        let freshness = restored.scene.store.freshness().await?;
        assert!(
            freshness.is_stale(restored.scene.now) || !earlier,
            "{freshness:?}"
        );
        let problem = freshness.problem.unwrap_or_default();
        assert!(problem.contains("rollback"), "{problem}");
        // The feed of today is followed as before.
        assert_eq!(restored.scene.sync().await?.sequence, 2);
        let freshness = restored.scene.store.freshness().await?;
        assert!(!freshness.is_stale(restored.scene.now), "{freshness:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_store_of_an_earlier_day_does_not_make_the_feed_file_older() -> Result<()> {
    let mut restored = Restored::new().await?;
    restored.put_back(STORE, true).await?;
    restored.refuses_the_earlier_feed().await;
    assert!(!restored.scene.sync().await?.changed);
    // The older store has learnt it from the feed file meanwhile.
    restored.put_back(FEED, false).await?;
    restored.refuses_the_earlier_feed().await;
    assert_eq!(restored.scene.sync().await?.sequence, 2);
    Ok(())
}

#[tokio::test]
async fn after_a_trust_reset_a_feed_that_began_anew_is_followed_from_its_first_head() -> Result<()>
{
    let restored = Restored::new().await?;
    restored.refuses_the_earlier_feed().await;
    restored.scene.store.forget_feed().await?;
    restored.scene.store.forget_clock().await?;
    restored.sync_with_the_earlier_feed().await?;
    Ok(())
}
