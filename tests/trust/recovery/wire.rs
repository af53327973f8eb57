//! Embargo on the wire: whoever sees what a panel asks for learns nothing of what is under embargo.

use std::{collections::BTreeMap, fs, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use spacecp_advisories::fetch::{Access, FetchError, Kept, Source};
use spacecp_contract::{Blob, Digest, DocumentId, FeedPath, Tlp};
use spacecp_tests::{
    feed_server::{Asked, Fault, FeedServer},
    hand_signed::{Side, Unsigned},
};

use super::scene::{Scene, correction, sealed};

const ADVISORY: &str = "SPACECP-SA-2026-0003";
pub(super) const CORRECTION: &str = "SPACECP-SC-2026-0003";

/// A panel that knows of a correction under embargo, a web server with the feed, and what the correction brings.
pub(super) struct Secret {
    pub(super) scene: Scene,
    pub(super) server: FeedServer,
    pub(super) blobs: Vec<Blob>,
}

impl Secret {
    pub(super) async fn told() -> Result<Self> {
        let mut scene = Scene::followed().await?;
        let built = correction(scene.folder.path(), CORRECTION, ADVISORY)?;
        let files = built.correction.files.iter();
        let blobs = files.filter_map(|file| Some(file.after?.blob)).collect();
        scene.vendor.list(sealed(ADVISORY, 1).into(), Side::Sealed);
        scene.vendor.list(built.into(), Side::Sealed);
        scene.vendor.publish()?;
        scene.panel.sync().await?;
        let server = FeedServer::start(scene.vendor.folder().to_owned()).await?;
        Ok(Self {
            scene,
            server,
            blobs,
        })
    }

    /// Has the vendor disclose everything, and the panel follow.
    async fn disclose(&mut self) -> Result<()> {
        for (document, side) in self.scene.vendor.listed.values_mut() {
            if let Unsigned::Advisory(advisory) = document {
                advisory.revision += 1;
                advisory.tlp = Tlp::Clear;
            }
            *side = Side::Public;
        }
        self.scene.vendor.publish()?;
        self.scene.panel.sync().await?;
        Ok(())
    }

    /// Where payloads are kept, and brought from the web server and another place that has nothing.
    async fn kept(&self) -> Result<Kept> {
        let mut access = Access::default();
        access.retries.first = Duration::from_millis(1);
        access.patience.idle = Duration::from_millis(300);
        let nothing = self.scene.folder.path().join("nothing");
        fs::create_dir_all(&nothing)?;
        let places = vec![
            Arc::new(Source::new(&self.server.url(), access.clone())?),
            Arc::new(Source::new(&nothing.display().to_string(), access)?),
        ];
        let folder = self.scene.panel.state.join("payloads");
        let sealed = self.scene.panel.store.sealed_payloads().await?;
        Ok(Kept::new(folder, places, u64::MAX).opening(sealed))
    }

    /// Where payloads are kept, and brought from these mirrors.
    async fn kept_from(&self, mirrors: &[&FeedServer]) -> Result<Kept> {
        let mut access = Access::default();
        access.retries.first = Duration::from_millis(1);
        access.patience.idle = Duration::from_millis(300);
        let places = mirrors.iter().map(|mirror| {
            let source = Source::new(&mirror.url(), access.clone())?;
            Ok(Arc::new(source))
        });
        let places = places.collect::<Result<_>>()?;
        let folder = self.scene.panel.state.join("payloads");
        let sealed = self.scene.panel.store.sealed_payloads().await?;
        Ok(Kept::new(folder, places, u64::MAX).opening(sealed))
    }

    /// What a mirror could tell of the requests since: paths that are neither sealed names nor those of any feed.
    fn given_away(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter().map(|one| one.path);
        asked.filter(|path| !path.starts_with("sealed/")).collect()
    }
}

#[tokio::test]
async fn a_sealed_payload_that_does_not_come_is_asked_for_by_no_other_name() -> Result<()> {
    for fault in [
        Fault::Busy(404, 0),
        Fault::Busy(410, 0),
        Fault::Busy(500, 0),
        Fault::Silent,
        Fault::Stalls(0),
        Fault::Breaks(0),
    ] {
        let secret = Secret::told().await?;
        let kept = secret.kept().await?;
        let sealed = secret.scene.panel.store.sealed_payloads().await?;
        let blob = secret.blobs.first().context("it brings something")?;
        let path = FeedPath::sealed(&sealed[&blob.digest].digest);
        secret.server.always(path.as_str(), fault);
        kept.bring(blob).await.expect_err("it does not come");
        let asked = secret.server.asked();
        if matches!(fault, Fault::Busy(..)) {
            assert!(!asked.is_empty(), "{fault:?}: it was asked for");
        }
        let named = asked.iter().filter(|one| !one.path.starts_with("sealed/"));
        assert_eq!(named.count(), 0, "{fault:?}: {asked:?}");
    }
    Ok(())
}

#[tokio::test]
async fn nor_is_it_on_another_mirror_whatever_fails_on_each() -> Result<()> {
    let faults = [
        Fault::Busy(404, 0),
        Fault::Busy(503, 0),
        Fault::Breaks(0),
        Fault::Stalls(0),
        Fault::Silent,
    ];
    let secret = Secret::told().await?;
    let sealed = secret.scene.panel.store.sealed_payloads().await?;
    let blob = secret.blobs.first().context("it brings something")?;
    let path = FeedPath::sealed(&sealed[&blob.digest].digest);
    for (fault, other) in faults.iter().zip(faults.iter().cycle().skip(1)) {
        let feed = secret.scene.vendor.folder();
        let [one, another] = [
            FeedServer::start(feed.to_owned()).await?,
            FeedServer::start(feed.to_owned()).await?,
        ];
        one.always(path.as_str(), *fault);
        another.always(path.as_str(), *other);
        let kept = secret.kept_from(&[&one, &another]).await?;
        kept.bring(blob).await.expect_err("it does not come");
        for asked in [one.asked(), another.asked()] {
            let named = asked.iter().filter(|one| !one.path.starts_with("sealed/"));
            assert_eq!(named.count(), 0, "{fault:?} {other:?}: {asked:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn nor_is_one_that_is_another_or_does_not_open() -> Result<()> {
    for spoil in [
        |bytes: &mut Vec<u8>| *bytes = vec![7; bytes.len()],
        |bytes: &mut Vec<u8>| bytes.truncate(10),
        |bytes: &mut Vec<u8>| bytes.push(0),
    ] {
        let secret = Secret::told().await?;
        for object in secret.scene.panel.store.sealed_payloads().await?.values() {
            let at = secret.scene.vendor.path(&FeedPath::sealed(&object.digest));
            let mut bytes = fs::read(&at)?;
            spoil(&mut bytes);
            fs::write(at, bytes)?;
        }
        let kept = secret.kept().await?;
        for blob in &secret.blobs {
            kept.bring(blob).await.expect_err("it is another");
        }
        assert_eq!(secret.given_away(), Vec::<String>::new());
    }
    Ok(())
}

#[tokio::test]
async fn a_payload_under_embargo_without_a_sealed_file_is_not_asked_for_at_all() -> Result<()> {
    let secret = Secret::told().await?;
    let id = DocumentId::new(CORRECTION)?;
    let withheld: BTreeMap<Digest, DocumentId> = secret
        .blobs
        .iter()
        .map(|blob| (blob.digest, id.clone()))
        .collect();
    let kept = secret.kept().await?.opening(BTreeMap::new());
    let kept = kept.withholding(withheld);
    secret.server.asked();
    for blob in &secret.blobs {
        let refused = kept.bring(blob).await;
        assert!(
            matches!(&refused, Err(FetchError::NoSealedFile { correction }) if *correction == id),
            "{refused:?}"
        );
    }
    assert_eq!(secret.server.asked(), []);
    Ok(())
}

#[tokio::test]
async fn what_a_sync_asks_for_names_nothing_that_is_sealed() -> Result<()> {
    let secret = Secret::told().await?;
    let names = [ADVISORY, CORRECTION].map(str::to_owned).into_iter();
    let digests = secret.blobs.iter().map(|blob| blob.digest.to_string());
    let names: Vec<String> = names.chain(digests).collect();
    let panel = super::scene::Panel::of(&secret.scene.vendor, secret.scene.folder.path().join("2"));
    let panel = panel.await?;
    fs::copy(
        secret.scene.panel.state.join("identity.txt"),
        panel.state.join("identity.txt"),
    )?;
    let sync = panel.follower_at(&secret.server.url())?;
    secret.server.asked();
    sync.sync(crate::scene::noon()).await?;
    let asked = secret.server.asked();
    let index = asked.iter().filter(|one| one.path.starts_with("sealed/"));
    assert!(index.count() > 2, "it read the sealed side: {asked:?}");
    for one in &asked {
        let named = names.iter().find(|name| one.path.contains(name.as_str()));
        assert_eq!(named, None, "{one:?}");
    }
    Ok(())
}

#[tokio::test]
async fn after_its_disclosure_a_payload_comes_by_its_own_name() -> Result<()> {
    let mut secret = Secret::told().await?;
    secret.disclose().await?;
    let sealed = secret.scene.panel.store.sealed_payloads().await?;
    assert!(sealed.is_empty(), "{sealed:?}");
    let kept = secret.kept().await?;
    secret.server.asked();
    let blob = secret.blobs.first().context("it brings something")?;
    kept.bring(blob).await?;
    let own = FeedPath::blob(&blob.digest).to_string();
    assert_eq!(secret.given_away(), [own]);
    Ok(())
}

#[tokio::test]
async fn a_fetch_that_a_disclosure_overtakes_asks_for_nothing_by_its_own_name() -> Result<()> {
    let mut secret = Secret::told().await?;
    let sealed = secret.scene.panel.store.sealed_payloads().await?;
    let blob = *secret.blobs.first().context("it brings something")?;
    let path = FeedPath::sealed(&sealed[&blob.digest].digest);
    secret.server.always(path.as_str(), Fault::Stalls(10));
    let kept = secret.kept_from(&[&secret.server]).await?;
    let under_way = tokio::spawn(async move { kept.bring(&blob).await });
    let mut asked = Vec::new();
    while !asked.iter().any(|one: &Asked| one.path == path.as_str()) {
        asked.extend(secret.server.asked());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    secret.disclose().await?;
    under_way.await?.expect_err("its sealed file does not come");
    asked.extend(secret.server.asked());
    let named = asked.iter().filter(|one| !one.path.starts_with("sealed/"));
    assert_eq!(named.count(), 0, "{asked:?}");
    Ok(())
}
