//! What the audit log has of the roots that this panel came to trust.

use anyhow::{Context, Result};
use spacecp_advisories::audit::{self, Entry, What};
use spacecp_contract::{Digest, Role};

use crate::{
    rotation::{holders, keys, put_root, root},
    scene::Scene,
};

async fn recorded(scene: &Scene) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let walked = audit::walk(&scene.store, None, |one| entries.push(one.entry)).await?;
    assert_eq!(walked.fault, None);
    Ok(entries)
}

#[tokio::test]
async fn a_new_root_is_recorded_once_with_whose_signatures_counted() -> Result<()> {
    let mut scene = Scene::followed().await?;
    assert_eq!(
        recorded(&scene).await?,
        [],
        "the first root was pinned, not learnt"
    );
    let next = root(2, &holders(&scene.vendor, Role::Plugin, &keys(1)?, 1));
    scene.vendor.broadcast()?;
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    scene.sync().await?;
    scene.sync().await?;
    let recorded = recorded(&scene).await?;
    assert_eq!(recorded.len(), 1, "{recorded:#?}");
    let event = &recorded[0].event;
    assert_eq!(
        (event.what, event.who.as_str()),
        (What::SyncedNewRoot, "this panel")
    );
    assert_eq!(
        (event.from.as_deref(), event.to.as_deref()),
        (Some("root 1"), Some("root 2"))
    );
    assert_eq!(event.keys, [scene.vendor.keys().root.public().id()]);
    let trusted = scene.believed().await?.root.context("a root")?;
    let fingerprint = format!("fingerprint {}", Digest::of(trusted.bytes()));
    assert_eq!(event.reason, Some(fingerprint));
    Ok(())
}

#[tokio::test]
async fn a_root_that_is_refused_is_not_recorded_as_trusted() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let strangers = keys(1)?;
    let next = root(2, &holders(&scene.vendor, Role::Root, &strangers, 1));
    scene.vendor.broadcast()?;
    put_root(&scene.vendor, 2, next, &[&strangers[0]])?;
    scene.sync().await.expect_err("nobody who may signed it");
    assert_eq!(recorded(&scene).await?, []);
    Ok(())
}
