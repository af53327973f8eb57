//! Keys that change: who may sign, and how many of them must.

use std::fs;

use anyhow::Result;
use spacecp_advisories::{sync::SyncError, trust::TrustError};
use spacecp_contract::{
    DocumentKind, FeedPath, Head, Limits, Role, RoleKeys, Root, TrustedComment, decode,
};
use spacecp_publisher::{
    keys::SecretKey,
    roots::{self, Holders},
    sign::{sign, sign_bytes},
};
use spacecp_tests::vendor::Vendor;

use crate::scene::{Scene, hours, noon};

pub(crate) fn keys(count: usize) -> Result<Vec<SecretKey>> {
    (0..count).map(|_| Ok(SecretKey::generate()?)).collect()
}

/// The vendor's holders, but for one role.
pub(crate) fn holders(vendor: &Vendor, role: Role, keys: &[SecretKey], threshold: u32) -> Holders {
    let own = vendor.keys();
    let others = Role::ALL.into_iter().filter(|other| *other != role);
    let holders = others.fold(Holders::default(), |holders, other| {
        holders.with(other, own.of(other).public().clone())
    });
    keys.iter()
        .fold(holders, |holders, key| {
            holders.with(role, key.public().clone())
        })
        .threshold(role, threshold)
}

pub(crate) fn root(version: u64, holders: &Holders) -> Root {
    let audience = "customers".parse().expect("an audience");
    roots::root(audience, version, holders, noon(), noon() + hours(24 * 300))
}

/// Puts a root into the feed: as the publisher does where it would, and else unchecked.
pub(crate) fn put_root(vendor: &Vendor, at: u64, root: Root, signers: &[&SecretKey]) -> Result<()> {
    let path = vendor.feed_dir().join(FeedPath::root(at).as_str());
    let signatures = path.with_extension("root.minisig");
    for before in [&path, &signatures] {
        if before.exists() {
            fs::remove_file(before)?;
        }
    }
    let is_in_its_place = root.version == at;
    let signed = sign(root, signers)?;
    if is_in_its_place && vendor.signing().add_root(&signed).is_ok() {
        return Ok(());
    }
    fs::write(&path, signed.bytes)?;
    fs::write(&signatures, signed.signatures)?;
    vendor.believe_folder()
}

pub(crate) async fn version(scene: &Scene) -> Result<Option<u64>> {
    Ok(scene.believed().await?.root.map(|root| root.version))
}

fn head_signed_by(scene: &Scene, signers: &[&SecretKey]) -> Result<()> {
    let at = scene.vendor.feed_dir().join("head");
    let bytes = fs::read(&at)?;
    let head: Head = decode(&bytes, &Limits::default())?;
    let signatures = sign_bytes(&bytes, &TrustedComment::of(&head), signers)?;
    Ok(fs::write(at.with_extension("minisig"), signatures)?)
}

/// A feed whose root was followed once and whose second root asks for `needed` of `feed`.
async fn with_feed_keys(feed: &[SecretKey], needed: u32) -> Result<Scene> {
    let mut scene = Scene::followed().await?;
    let next = root(2, &holders(&scene.vendor, Role::Feed, feed, needed));
    scene.vendor.broadcast()?;
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    // The broadcast's index is to be signed by those who may sign now, as the head is.
    let at = scene.vendor.feed_dir().join(FeedPath::index(2).as_str());
    let comment = TrustedComment::for_parts(DocumentKind::Index, "index", 2);
    let all: Vec<&SecretKey> = feed.iter().collect();
    let signatures = sign_bytes(&fs::read(&at)?, &comment, &all)?;
    fs::write(at.with_extension("index.minisig"), signatures)?;
    Ok(scene)
}

#[tokio::test]
async fn every_three_of_five_feed_keys_are_enough() -> Result<()> {
    let five = keys(5)?;
    for left_out in 0..5 {
        for also in left_out + 1..5 {
            let scene = with_feed_keys(&five, 3).await?;
            let three: Vec<&SecretKey> = (0..5)
                .filter(|one| ![left_out, also].contains(one))
                .map(|one| &five[one])
                .collect();
            head_signed_by(&scene, &three)?;
            assert!(scene.sync().await?.changed, "without {left_out} and {also}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn fewer_feed_keys_than_the_threshold_are_too_few_whoever_else_signs() -> Result<()> {
    let (five, stranger) = (keys(5)?, SecretKey::generate()?);
    for signers in [
        vec![&five[0], &five[1]],
        vec![&five[0], &five[1], &stranger],
        vec![&five[0], &five[1], &five[1], &five[0]],
    ] {
        let scene = with_feed_keys(&five, 3).await?;
        head_signed_by(&scene, &signers)?;
        let before = scene.believed().await?.head;
        let error = scene.sync().await.unwrap_err();
        assert!(
            matches!(
                error,
                SyncError::Trust(TrustError::Signatures {
                    role: Role::Feed,
                    good: 2,
                    needed: 3,
                    ..
                })
            ),
            "{error}"
        );
        assert_eq!(scene.believed().await?.head, before);
        head_signed_by(&scene, &[&five[0], &five[1], &five[2]])?;
        assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    }
    Ok(())
}

#[tokio::test]
async fn one_key_under_two_ids_is_one_signer() -> Result<()> {
    let mut scene = Scene::followed().await?;
    scene.vendor.broadcast()?;
    let feed = scene.vendor.keys();
    // The same key with another id in front of it, in the root and in the signature.
    let (original, twin) = relabelled(&feed.feed.public().to_base64());
    let mut next = root(2, &feed.holders());
    next.roles.insert(
        Role::Feed,
        RoleKeys {
            keys: vec![original, twin],
            threshold: 2,
        },
    );
    put_root(&scene.vendor, 2, next, &[&feed.root])?;
    head_signed_by(&scene, &[&feed.feed])?;
    let at = scene.vendor.feed_dir().join("head.minisig");
    let signature = fs::read_to_string(&at)?;
    let mut lines: Vec<String> = signature.lines().map(str::to_owned).collect();
    lines[1] = relabelled(&lines[1]).1;
    fs::write(&at, format!("{signature}{}\n", lines.join("\n")))?;
    let error = scene.sync().await.unwrap_err();
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::Signatures {
                good: 1,
                needed: 2,
                ..
            })
        ),
        "{error}"
    );
    Ok(())
}

/// A minisign key or signature, and the same with another key id.
fn relabelled(text: &str) -> (String, String) {
    // Base64 of two bytes of algorithm and eight of id: the fourth to the twelfth letter are id
    // alone.
    let other = if &text[5..6] == "A" { "B" } else { "A" };
    (
        text.to_owned(),
        format!("{}{other}{}", &text[..5], &text[6..]),
    )
}

#[tokio::test]
async fn root_keys_are_all_exchanged_in_steps() -> Result<()> {
    let scene = Scene::followed().await?;
    let vendor = &scene.vendor;
    let [first, second] = [keys(1)?, keys(3)?];
    let step = |version, keys: &[SecretKey], threshold| {
        root(version, &holders(vendor, Role::Root, keys, threshold))
    };
    put_root(
        vendor,
        2,
        step(2, &first, 1),
        &[&vendor.keys().root, &first[0]],
    )?;
    // The threshold rises to two of three, with a signature too many.
    let signers = [&first[0], &second[0], &second[1], &second[2]];
    put_root(vendor, 3, step(3, &second, 2), &signers)?;
    // And falls to one: the old threshold must still be reached.
    put_root(
        vendor,
        4,
        step(4, &second[..1], 1),
        &[&second[0], &second[2]],
    )?;
    vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&vendor.keys().feed])?;
    assert!(scene.sync().await?.changed);
    assert_eq!(version(&scene).await?, Some(4));
    Ok(())
}

#[tokio::test]
async fn a_root_that_old_or_new_keys_did_not_sign_is_refused_and_the_last_good_one_kept()
-> Result<()> {
    let new = keys(3)?;
    // Signed by the old key only; by the new ones only; by the old and too few of the new.
    for (old, by_new) in [(true, 0), (false, 3), (true, 1)] {
        let mut scene = Scene::followed().await?;
        let next = root(2, &holders(&scene.vendor, Role::Root, &new, 2));
        let own = old.then_some(&scene.vendor.keys().root);
        let signers: Vec<&SecretKey> = own.into_iter().chain(&new[..by_new]).collect();
        put_root(&scene.vendor, 2, next.clone(), &signers)?;
        // Something has to be new, or nobody asks for roots.
        let honest = fs::read(scene.vendor.feed_dir().join("head"))?;
        flip_head(&scene)?;
        let error = scene.sync().await.unwrap_err();
        assert!(
            matches!(
                &error,
                SyncError::Trust(TrustError::Signatures {
                    role: Role::Root,
                    ..
                })
            ),
            "{error}"
        );
        assert_eq!(version(&scene).await?, Some(1));
        fs::write(scene.vendor.feed_dir().join("head"), honest)?;
        let all = [&scene.vendor.keys().root, &new[0], &new[1]];
        put_root(&scene.vendor, 2, next, &all)?;
        scene.vendor.broadcast()?;
        assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    }
    Ok(())
}

fn flip_head(scene: &Scene) -> Result<()> {
    let at = scene.vendor.feed_dir().join("head");
    let mut bytes = fs::read(&at)?;
    bytes[0] ^= 1;
    Ok(fs::write(at, bytes)?)
}

#[tokio::test]
async fn a_key_that_was_taken_back_stays_so_even_if_the_sync_that_said_so_failed() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let new = keys(1)?;
    let next = root(2, &holders(&scene.vendor, Role::Feed, &new, 1));
    // The head of the old feed key comes with the root that takes the key back: refused.
    scene.vendor.broadcast()?;
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    assert!(scene.sync().await.is_err());
    // Now somebody holds the root back, so that the old key would be good again.
    let at = scene.vendor.feed_dir().join(FeedPath::root(2).as_str());
    let held_back = scene.folder.path().join("held-back");
    fs::rename(&at, &held_back)?;
    let error = scene.sync().await.unwrap_err();
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::Signatures {
                role: Role::Feed,
                ..
            })
        ),
        "{error}"
    );
    fs::rename(&held_back, &at)?;
    scene
        .vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&new[0]])?;
    assert!(scene.sync().await?.changed);
    Ok(())
}

#[tokio::test]
async fn a_new_root_that_has_expired_is_kept_and_nothing_else_moves_until_the_next() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let before = scene.believed().await?;
    scene.vendor.broadcast()?;
    let mut expired = root(2, &scene.vendor.keys().holders());
    expired.issued = noon() - hours(48);
    expired.expires = noon() - hours(24);
    put_root(&scene.vendor, 2, expired, &[&scene.vendor.keys().root])?;
    let error = scene.sync().await.unwrap_err();
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::RootExpired { version: 2, .. })
        ),
        "{error}"
    );
    let after = scene.believed().await?;
    assert_eq!((after.head, after.index), (before.head, before.index));
    assert_eq!(version(&scene).await?, Some(2));
    let fresh = root(3, &scene.vendor.keys().holders());
    put_root(&scene.vendor, 3, fresh, &[&scene.vendor.keys().root])?;
    assert!(scene.sync().await?.changed);
    assert_eq!(version(&scene).await?, Some(3));
    Ok(())
}

#[tokio::test]
async fn under_an_expired_root_an_unchanged_head_is_no_fresh_word() -> Result<()> {
    let mut scene = Scene::followed().await?;
    let soon = noon() + hours(24 * 364);
    scene.now = soon;
    // A head that outlives its root.
    scene
        .vendor
        .at(soon)
        .broadcast_until(soon + hours(24 * 7))?;
    scene.sync().await?;
    scene.now = soon + hours(48);
    let error = scene.sync().await.unwrap_err();
    assert!(
        matches!(
            error,
            SyncError::Trust(TrustError::RootExpired { version: 1, .. })
        ),
        "{error}"
    );
    let mut fresh = root(2, &scene.vendor.keys().holders());
    fresh.expires = soon + hours(24 * 365);
    put_root(&scene.vendor, 2, fresh, &[&scene.vendor.keys().root])?;
    scene.vendor.at(scene.now).broadcast()?;
    assert!(
        scene.sync().await?.changed,
        "the chain leads to a fresh root"
    );
    Ok(())
}

#[tokio::test]
async fn a_chain_longer_than_one_sync_walks_is_gone_on_with_by_the_next() -> Result<()> {
    let scene = Scene::followed().await?;
    let vendor = &scene.vendor;
    // By hand: the desk walks the whole chain again for each root that it is given.
    for version in 2..=300 {
        let next = sign(
            root(version, &vendor.keys().holders()),
            &[&vendor.keys().root],
        )?;
        let path = vendor.feed_dir().join(FeedPath::root(version).as_str());
        fs::write(&path, next.bytes)?;
        fs::write(path.with_extension("root.minisig"), next.signatures)?;
    }
    vendor.believe_folder()?;
    vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&vendor.keys().feed])?;
    let error = scene.sync().await.unwrap_err();
    assert!(
        matches!(error, SyncError::LongChain { reached: 257 }),
        "{error}"
    );
    assert!(scene.sync().await?.changed);
    assert_eq!(version(&scene).await?, Some(300));
    Ok(())
}

#[tokio::test]
async fn sequences_that_were_used_up_start_afresh_under_a_root_that_says_so() -> Result<()> {
    let mut scene = Scene::followed().await?;
    // Somebody with the feed key leaps to the last sequence.
    let at = scene.vendor.feed_dir().to_owned();
    let index = fs::read(at.join(FeedPath::index(1).as_str()))?;
    let mut index: spacecp_contract::Index = decode(&index, &Limits::default())?;
    index.sequence = u64::MAX;
    let index = sign(index, &[&scene.vendor.keys().feed])?;
    let path = at.join(FeedPath::index(u64::MAX).as_str());
    fs::write(&path, &index.bytes)?;
    fs::write(path.with_extension("index.minisig"), &index.signatures)?;
    let honest: Head = decode(&fs::read(at.join("head"))?, &Limits::default())?;
    let leap = Head {
        sequence: u64::MAX,
        index: spacecp_contract::Digest::of(&index.bytes),
        index_length: index.bytes.len() as u64,
        ..honest.clone()
    };
    let honest = sign(honest, &[&scene.vendor.keys().feed])?;
    let leap = sign(leap, &[&scene.vendor.keys().feed])?;
    fs::write(at.join("head"), &leap.bytes)?;
    fs::write(at.join("head.minisig"), &leap.signatures)?;
    assert_eq!(scene.sync().await?.sequence, u64::MAX);
    // The vendor takes the key back and starts afresh.
    fs::write(at.join("head"), &honest.bytes)?;
    fs::write(at.join("head.minisig"), &honest.signatures)?;
    let new = keys(1)?;
    let mut next = root(2, &holders(&scene.vendor, Role::Feed, &new, 1));
    next.sequence_epoch = 1;
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    let now = scene.now;
    scene
        .vendor
        .at(now)
        .publisher()
        .broadcast(now, now + hours(24), &[&new[0]])?;
    let report = scene.sync().await?;
    assert_eq!((report.changed, report.sequence), (true, 2));
    // And what was leapt to is over for good.
    fs::write(at.join("head"), &leap.bytes)?;
    fs::write(at.join("head.minisig"), &leap.signatures)?;
    assert!(scene.sync().await.is_err());
    Ok(())
}

#[tokio::test]
async fn documents_held_stay_good_after_their_key_was_taken_back() -> Result<()> {
    let scene = Scene::followed().await?;
    let id = crate::scene::advisory(1).id;
    scene
        .vendor
        .publisher()
        .broadcast(noon(), noon() + hours(24), &[&scene.vendor.keys().feed])?;
    let new = keys(1)?;
    let next = root(2, &holders(&scene.vendor, Role::Advisory, &new, 1));
    put_root(&scene.vendor, 2, next, &[&scene.vendor.keys().root])?;
    assert!(scene.sync().await?.changed);
    let held = scene.store.document(DocumentKind::Advisory, &id).await?;
    assert!(held.is_some(), "it was verified under the root of its time");
    Ok(())
}
