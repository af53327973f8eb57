//! Keys of every role are exchanged, and asked for by several at once: whoever does not hold the role
//! now cannot sign for it, and who does can.

use std::fs;

use anyhow::Result;
use spacecp_advisories::{
    sync::SyncError,
    trust::{self, TrustError, Unverified},
};
use spacecp_contract::{
    Blob, Correction, Digest, Document, DocumentKind, FeedPath, FileChange, FileState, Head, Index,
    IndexEntry, Limits, Restart, Role, RoleKeys, Root, TreePath, TrustedComment, VersionRange,
    VersionScheme, decode,
};
use spacecp_publisher::{
    keys::SecretKey,
    plugins,
    sign::{Signed, sign, sign_bytes},
};

use crate::{
    rotation::{holders, keys, put_root, root, version},
    scene::{Scene, advisory, noon},
};

/// The roles that sign what is in a feed, or what runs.
const ROLES: [Role; 4] = [Role::Feed, Role::Advisory, Role::Correction, Role::Plugin];

pub(crate) fn correction() -> Correction {
    let bytes = b"what it becomes";
    Correction {
        id: "SPACECP-SC-2026-0042".parse().expect("an id"),
        revision: 1,
        audience: "customers".parse().expect("an audience"),
        published: noon(),
        advisories: vec![advisory(1).id],
        component: "spacecp:houston".parse().expect("a name"),
        scheme: VersionScheme::Semver,
        from: VersionRange {
            introduced: "0".to_owned(),
            fixed: Some("2.0.0".to_owned()),
            last_affected: None,
            limit: None,
        },
        to: "2.0.0".to_owned(),
        requires: Vec::new(),
        files: vec![FileChange {
            path: TreePath::new("PLACEHOLDER").expect("a path"),
            before: None,
            after: Some(FileState {
                digest: Digest::of(bytes),
                size: bytes.len() as u64,
                mode: 0o644,
                blob: Blob {
                    digest: Digest::of(b"compressed"),
                    length: 10,
                },
            }),
        }],
        restart: Restart::None,
        health: None,
        reversible: true,
    }
}

pub(crate) fn entry<T: Document>(signed: &Signed<T>) -> Result<IndexEntry> {
    Ok(IndexEntry {
        kind: T::KIND,
        id: signed.document.name().parse()?,
        revision: signed.document.revision(),
        digest: Digest::of(&signed.bytes),
        length: signed.bytes.len() as u64,
    })
}

pub(crate) fn put<T: Document>(scene: &Scene, at: &FeedPath, signed: &Signed<T>) -> Result<()> {
    let folder = scene.vendor.feed_dir();
    let path = folder.join(at.as_str());
    fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
    fs::write(path, &signed.bytes)?;
    Ok(fs::write(
        folder.join(at.signatures().as_str()),
        &signed.signatures,
    )?)
}

/// An index of these documents and a head that names it, signed by whoever.
pub(crate) fn put_current(
    scene: &Scene,
    root_version: u64,
    documents: Vec<IndexEntry>,
    signers: &[&SecretKey],
) -> Result<()> {
    let at = scene.vendor.feed_dir().join(FeedPath::head().as_str());
    let last: Head = decode(&fs::read(at)?, &Limits::default())?;
    let index = Index {
        audience: last.audience.clone(),
        sequence: last.sequence + 1,
        documents,
        sealed: None,
    };
    let index = sign(index, signers)?;
    put(scene, &FeedPath::index(last.sequence + 1), &index)?;
    let head = Head {
        sequence: last.sequence + 1,
        index: Digest::of(&index.bytes),
        index_length: index.bytes.len() as u64,
        root_version,
        ..last
    };
    put(scene, &FeedPath::head(), &sign(head, signers)?)
}

/// A feed with news of every kind under this root, in which `signers` signed what is the role's and
/// the vendor's own keys all else.
fn news(scene: &Scene, next: Root, role: Role, signers: &[&SecretKey]) -> Result<()> {
    let own = scene.vendor.keys();
    let by = |of: Role, key| {
        if of == role {
            signers.to_vec()
        } else {
            vec![key]
        }
    };
    let advisory = sign(advisory(2), &by(Role::Advisory, &own.advisory))?;
    let correction = sign(correction(), &by(Role::Correction, &own.correction))?;
    let version = next.version;
    put_root(&scene.vendor, version, next, &[&own.root])?;
    let path = |entry: &IndexEntry| FeedPath::document(entry.kind, &entry.id, entry.revision);
    let entries = vec![entry(&advisory)?, entry(&correction)?];
    put(scene, &path(&entries[0]), &advisory)?;
    put(scene, &path(&entries[1]), &correction)?;
    put_current(scene, version, entries, &by(Role::Feed, &own.feed))
}

/// What a panel says to a root that gives the role to these keys, with news signed by those.
async fn heard(
    scene: &Scene,
    role: Role,
    held: &[SecretKey],
    threshold: u32,
    signers: &[&SecretKey],
) -> Result<Result<(), TrustError>> {
    let next = root(2, &holders(&scene.vendor, role, held, threshold));
    news(scene, next.clone(), role, signers)?;
    if role == Role::Plugin {
        // A plugin is not in the feed: it lies on the panel's machine, and the root says whose it is.
        scene.sync().await?;
        return plugin(scene, signers).await;
    }
    let before = scene.believed().await?;
    let refused = match scene.sync().await {
        Ok(report) => {
            assert!(report.changed);
            assert_eq!(
                scene.store.documents_since(None, 10).await?.documents.len(),
                2
            );
            return Ok(Ok(()));
        }
        Err(SyncError::Trust(refused)) => refused,
        Err(other) => return Err(other.into()),
    };
    let after = scene.believed().await?;
    assert_eq!((after.head, after.index), (before.head, before.index));
    // Whoever holds the role now has only to sign.
    let enough: Vec<&SecretKey> = held.iter().take(threshold as usize).collect();
    news(scene, next, role, &enough)?;
    assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    Ok(Err(refused))
}

/// Whether a plugin that these keys signed may run.
async fn plugin(scene: &Scene, signers: &[&SecretKey]) -> Result<Result<(), TrustError>> {
    let root = scene.believed().await?.root.expect("a feed was followed");
    let component = b"the bytes of a component";
    let version = semver::Version::new(1, 0, 0);
    let manifest = plugins::manifest("advisories", &version, 1, component, noon());
    let manifest = sign(manifest, signers)?;
    let offered = Unverified {
        bytes: &manifest.bytes,
        signatures: manifest.signatures.as_bytes(),
    };
    Ok(trust::plugin(&root, offered, component, None).map(drop))
}

/// Three of five, each time others.
fn threes() -> impl Iterator<Item = [usize; 3]> {
    (0..5).flat_map(|one| {
        (one + 1..5).flat_map(move |two| (two + 1..5).map(move |three| [one, two, three]))
    })
}

#[tokio::test]
async fn of_every_role_a_new_key_signs_and_the_old_one_no_longer_does() -> Result<()> {
    for role in ROLES {
        let (scene, new) = (Scene::followed().await?, keys(1)?);
        let old = [scene.vendor.keys().of(role)];
        let refused = heard(&scene, role, &new, 1, &old).await?;
        assert!(
            matches!(refused, Err(TrustError::Signatures { role: of, good: 0, needed: 1, .. }) if of == role),
            "{role}: {refused:?}"
        );
        let scene = Scene::followed().await?;
        let taken = heard(&scene, role, &new, 1, &[&new[0]]).await?;
        assert_eq!(taken, Ok(()), "{role}");
    }
    Ok(())
}

#[tokio::test]
async fn of_every_role_signatures_that_nobody_asked_for_do_no_harm() -> Result<()> {
    for role in ROLES {
        let (new, strangers) = (keys(1)?, keys(2)?);
        let all = [&strangers[0], &new[0], &strangers[1]];
        let scene = Scene::followed().await?;
        let taken = heard(&scene, role, &new, 1, &all).await?;
        assert_eq!(taken, Ok(()), "{role}");
    }
    Ok(())
}

#[tokio::test]
async fn of_every_role_each_three_of_five_are_enough() -> Result<()> {
    for role in ROLES {
        let five = keys(5)?;
        for three in threes() {
            let three = three.map(|one| &five[one]);
            let scene = Scene::followed().await?;
            let taken = heard(&scene, role, &five, 3, &three).await?;
            assert_eq!(taken, Ok(()), "{role}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn of_every_role_two_of_five_are_too_few_whoever_else_signs() -> Result<()> {
    for role in ROLES {
        let (five, stranger) = (keys(5)?, keys(1)?);
        for signers in [
            vec![&five[0], &five[4]],
            vec![&five[1], &five[2], &stranger[0]],
        ] {
            let scene = Scene::followed().await?;
            let refused = heard(&scene, role, &five, 3, &signers).await?;
            assert!(
                matches!(refused, Err(TrustError::Signatures { role: of, good: 2, needed: 3, .. }) if of == role),
                "{role}: {refused:?}"
            );
        }
    }
    Ok(())
}

/// A panel that follows a root of one key, and five others that are to take its place.
async fn five_root_keys() -> Result<(Scene, Vec<SecretKey>)> {
    Ok((Scene::followed().await?, keys(5)?))
}

/// Whether the panel takes the step to a root that these keys hold, three of them at least, and these
/// sign.
async fn steps(
    scene: &Scene,
    to: u64,
    held: &[&SecretKey],
    signers: &[&SecretKey],
) -> Result<bool> {
    let mut next = root(to, &scene.vendor.keys().holders());
    let keys = held.iter().map(|key| key.public().to_base64()).collect();
    let threshold = 3;
    next.roles.insert(Role::Root, RoleKeys { keys, threshold });
    put_root(&scene.vendor, to, next, signers)?;
    // Something has to be new, or nobody asks for roots.
    put_current(scene, 1, Vec::new(), &[&scene.vendor.keys().feed])?;
    let before = version(scene).await?;
    let ended = scene.sync().await;
    let reached = version(scene).await?;
    match &ended {
        // The first root's documents are in no list of these: only the roots matter here.
        Err(SyncError::Trust(TrustError::Removed { .. })) => {}
        Err(SyncError::Trust(TrustError::Signatures {
            role: Role::Root, ..
        })) => {
            assert_eq!(reached, before, "the last good root is kept");
        }
        other => anyhow::bail!("neither a step nor a refusal: {other:?}"),
    }
    Ok(reached == Some(to))
}

#[tokio::test]
async fn a_root_of_three_of_five_is_signed_by_any_three() -> Result<()> {
    for three in threes() {
        let (scene, five) = five_root_keys().await?;
        let all: Vec<&SecretKey> = five.iter().collect();
        let own = &scene.vendor.keys().root;
        assert!(steps(&scene, 2, &all, &[own, all[0], all[1], all[2]]).await?);
        assert!(steps(&scene, 3, &all, &three.map(|one| all[one])).await?);
    }
    Ok(())
}

#[tokio::test]
async fn one_root_key_of_five_is_exchanged_at_once_or_with_a_step_between() -> Result<()> {
    let newcomer = SecretKey::generate()?;
    let (scene, five) = five_root_keys().await?;
    let old: Vec<&SecretKey> = five.iter().collect();
    let own = &scene.vendor.keys().root;
    assert!(steps(&scene, 2, &old, &[own, old[0], old[1], old[2]]).await?);
    let new = [old[0], old[1], old[2], old[3], &newcomer];
    // Three of the new ones are two of the old; and three of the old two of the new.
    assert!(!steps(&scene, 3, &new, &[old[0], old[1], &newcomer]).await?);
    assert!(!steps(&scene, 3, &new, &[old[0], old[1], old[4]]).await?);
    assert!(steps(&scene, 3, &new, &[old[0], old[1], old[2]]).await?);
    // Back again with a step between, on which all six hold the role.
    let six = [old[0], old[1], old[2], old[3], old[4], &newcomer];
    assert!(steps(&scene, 4, &six, &[old[0], old[1], &newcomer]).await?);
    assert!(steps(&scene, 5, &old, &[old[2], old[3], old[4]]).await?);
    Ok(())
}

#[tokio::test]
async fn of_every_role_no_key_of_another_role_signs() -> Result<()> {
    for role in ROLES {
        for other in Role::ALL.into_iter().filter(|other| *other != role) {
            let (scene, held) = (Scene::followed().await?, keys(1)?);
            let signers = [scene.vendor.keys().of(other)];
            let refused = heard(&scene, role, &held, 1, &signers).await?;
            assert!(
                matches!(refused, Err(TrustError::Signatures { good: 0, .. })),
                "{role} by {other}: {refused:?}"
            );
        }
    }
    for other in ROLES {
        let scene = Scene::followed().await?;
        let next = root(2, &scene.vendor.keys().holders());
        put_root(&scene.vendor, 2, next, &[scene.vendor.keys().of(other)])?;
        put_current(&scene, 1, Vec::new(), &[&scene.vendor.keys().feed])?;
        let refused = scene.sync().await;
        assert!(
            matches!(
                refused,
                Err(SyncError::Trust(TrustError::Signatures {
                    role: Role::Root,
                    good: 0,
                    ..
                }))
            ),
            "root by {other}: {refused:?}"
        );
        assert_eq!(version(&scene).await?, Some(1));
    }
    Ok(())
}

#[tokio::test]
async fn whatever_nobody_signed_is_refused() -> Result<()> {
    let paths = [
        FeedPath::root(2),
        FeedPath::head(),
        FeedPath::index(2),
        FeedPath::document(DocumentKind::Advisory, &advisory(2).id, 2),
        FeedPath::document(DocumentKind::Correction, &correction().id, 1),
    ];
    for path in paths {
        let scene = Scene::followed().await?;
        let next = root(2, &scene.vendor.keys().holders());
        news(&scene, next, Role::Feed, &[&scene.vendor.keys().feed])?;
        let at = scene.vendor.feed_dir().join(path.signatures().as_str());
        let honest = fs::read(&at)?;
        let before = scene.believed().await?;
        fs::remove_file(&at)?;
        let error = scene
            .sync()
            .await
            .expect_err("it is not signed")
            .to_string();
        assert!(
            error.contains(path.signatures().as_str()),
            "{path}: {error}"
        );
        fs::write(&at, "")?;
        let error = scene
            .sync()
            .await
            .expect_err("it is not signed")
            .to_string();
        assert!(error.contains("four lines"), "{path}: {error}");
        let after = scene.believed().await?;
        assert_eq!((after.head, after.index), (before.head, before.index));
        fs::write(&at, honest)?;
        assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    }
    Ok(())
}

/// A root as nobody could sign it with the publisher, which refuses such a thing.
async fn refused_root(words: &str, change: impl Fn(&mut Root)) -> Result<()> {
    let scene = Scene::followed().await?;
    let honest = root(2, &scene.vendor.keys().holders());
    let mut bad = honest.clone();
    change(&mut bad);
    let comment = TrustedComment::of(&bad);
    let bytes = spacecp_contract::encode(&bad);
    let signatures = sign_bytes(&bytes, &comment, &[&scene.vendor.keys().root])?;
    let bad = Signed {
        document: bad,
        bytes,
        signatures,
    };
    put(&scene, &FeedPath::root(2), &bad)?;
    let listed = listed(&scene)?;
    put_current(&scene, 1, listed.clone(), &[&scene.vendor.keys().feed])?;
    let error = scene.sync().await.expect_err("it is no root").to_string();
    assert!(error.contains(words), "{words:?} is not in: {error}");
    assert_eq!(version(&scene).await?, Some(1));
    put_root(&scene.vendor, 2, honest, &[&scene.vendor.keys().root])?;
    assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    Ok(())
}

/// What the feed lists now.
pub(crate) fn listed(scene: &Scene) -> Result<Vec<IndexEntry>> {
    let read = |path: FeedPath| fs::read(scene.vendor.feed_dir().join(path.as_str()));
    let head: Head = decode(&read(FeedPath::head())?, &Limits::default())?;
    let index: Index = decode(&read(FeedPath::index(head.sequence))?, &Limits::default())?;
    Ok(index.documents)
}

#[tokio::test]
async fn a_root_that_demands_more_keys_than_there_are_is_refused() -> Result<()> {
    let change = |root: &mut Root| {
        root.roles
            .entry(Role::Advisory)
            .and_modify(|held| held.threshold = 2);
    };
    refused_root(
        "threshold 2 for the role advisory exceeds its 1 keys",
        change,
    )
    .await
}

#[tokio::test]
async fn a_root_that_demands_no_signature_is_refused() -> Result<()> {
    let change = |root: &mut Root| {
        root.roles
            .entry(Role::Feed)
            .and_modify(|held| held.threshold = 0);
    };
    refused_root("threshold 0", change).await
}

#[tokio::test]
async fn a_root_that_lists_one_key_nine_times_is_refused() -> Result<()> {
    let change = |root: &mut Root| {
        let nine = |held: &mut RoleKeys| {
            held.keys = vec![held.keys[0].clone(); 9];
            held.threshold = 9;
        };
        root.roles.entry(Role::Correction).and_modify(nine);
    };
    refused_root("duplicate key", change).await
}
