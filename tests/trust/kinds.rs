//! A document of another kind in the place of each role's file, signed by those who hold the role: that they
//! may sign does not make it what was asked for.

use std::fs;

use anyhow::Result;
use spacecp_advisories::{
    sync::SyncError,
    trust::{self, TrustError, Unverified, workflow::Pin},
};
use spacecp_contract::{
    Audience, DecodeError, Digest, Document, DocumentKind, FeedPath, Head, Index, IndexEntry,
    Limits, Role, TrustedComment, decode, encode,
};
use spacecp_publisher::sign::{sign, sign_bytes};
use spacecp_tests::vendor::Vendor;

use crate::{
    roles::{correction, entry, put, put_current},
    rotation::root,
    scene::{Scene, advisory, copy},
};

/// Bytes with signatures that say of them what they are not.
struct Disguised {
    bytes: Vec<u8>,
    signatures: String,
}

/// A document that the holder of `role` signed as if it were of this kind.
fn disguise(
    vendor: &Vendor,
    document: &impl Document,
    comment: &TrustedComment,
) -> Result<Disguised> {
    let bytes = encode(document);
    let signatures = sign_bytes(&bytes, comment, &[vendor.keys().of(comment.role)])?;
    Ok(Disguised { bytes, signatures })
}

fn write(vendor: &Vendor, at: &FeedPath, file: &Disguised) -> Result<()> {
    let folder = vendor.feed_dir();
    let path = folder.join(at.as_str());
    fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
    fs::write(path, &file.bytes)?;
    Ok(fs::write(
        folder.join(at.signatures().as_str()),
        &file.signatures,
    )?)
}

fn read<T: Document>(vendor: &Vendor, at: &FeedPath) -> Result<T> {
    let bytes = fs::read(vendor.feed_dir().join(at.as_str()))?;
    Ok(decode(&bytes, &Limits::default())?)
}

/// Whether an error says that another kind of document came than the one that was asked for.
fn is_of_another_kind(error: &TrustError, expected: DocumentKind, found: DocumentKind) -> bool {
    matches!(
        error,
        TrustError::Decode { source: DecodeError::Kind { expected: asked, found: came }, .. }
            if *asked == expected && came == found.as_str()
    )
}

/// A feed with news of every kind, in which one file is another kind of document; the panel refuses it for that,
/// keeps what it trusts, and accepts the honest news afterwards.
async fn refuses(
    expected: DocumentKind,
    found: DocumentKind,
    spoil: impl FnOnce(&Scene) -> Result<()>,
) -> Result<()> {
    let scene = Scene::followed().await?;
    let keys = scene.vendor.keys();
    let news = (
        sign(advisory(2), &[&keys.advisory])?,
        sign(correction(), &[&keys.correction])?,
    );
    let entries = vec![entry(&news.0)?, entry(&news.1)?];
    let path = |entry: &IndexEntry| FeedPath::document(entry.kind, &entry.id, entry.revision);
    put(&scene, &path(&entries[0]), &news.0)?;
    put(&scene, &path(&entries[1]), &news.1)?;
    put_current(&scene, 1, entries, &[&keys.feed])?;
    let honest = scene.folder.path().join("honest");
    copy(scene.vendor.feed_dir(), &honest)?;
    let before = scene.trusted().await?;
    spoil(&scene)?;
    let refused = scene.sync().await;
    assert!(
        matches!(&refused, Err(SyncError::Trust(error)) if is_of_another_kind(error, expected, found)),
        "{refused:?}"
    );
    assert_eq!(
        scene.trusted().await?,
        before,
        "a refused sync changes nothing"
    );
    fs::remove_dir_all(scene.vendor.feed_dir())?;
    copy(&honest, scene.vendor.feed_dir())?;
    assert!(scene.sync().await?.changed, "the next honest sync succeeds");
    Ok(())
}

#[tokio::test]
async fn a_head_in_the_place_of_a_root_is_refused() -> Result<()> {
    refuses(DocumentKind::Root, DocumentKind::Head, |scene| {
        let head: Head = read(&scene.vendor, &FeedPath::head())?;
        let comment = TrustedComment::for_parts(DocumentKind::Root, "root", 2);
        let file = disguise(&scene.vendor, &head, &comment)?;
        write(&scene.vendor, &FeedPath::root(2), &file)
    })
    .await
}

#[tokio::test]
async fn an_index_in_the_place_of_a_head_is_refused() -> Result<()> {
    refuses(DocumentKind::Head, DocumentKind::Index, |scene| {
        let index: Index = read(&scene.vendor, &FeedPath::index(2))?;
        let comment = TrustedComment::for_parts(DocumentKind::Head, "head", 2);
        let file = disguise(&scene.vendor, &index, &comment)?;
        write(&scene.vendor, &FeedPath::head(), &file)
    })
    .await
}

#[tokio::test]
async fn a_head_in_the_place_of_an_index_is_refused() -> Result<()> {
    refuses(DocumentKind::Index, DocumentKind::Head, |scene| {
        let head: Head = read(&scene.vendor, &FeedPath::head())?;
        let comment = TrustedComment::for_parts(DocumentKind::Index, "index", 2);
        let file = disguise(&scene.vendor, &head, &comment)?;
        write(&scene.vendor, &FeedPath::index(2), &file)?;
        let naming_it = Head {
            index: Digest::of(&file.bytes),
            index_length: file.bytes.len() as u64,
            ..head
        };
        put(
            scene,
            &FeedPath::head(),
            &sign(naming_it, &[&scene.vendor.keys().feed])?,
        )
    })
    .await
}

/// Serves these bytes as the document of this kind that is listed, and an index and a head that say so.
fn serve_as(scene: &Scene, kind: DocumentKind, document: &impl Document) -> Result<()> {
    let index: Index = read(&scene.vendor, &FeedPath::index(2))?;
    let head: Head = read(&scene.vendor, &FeedPath::head())?;
    let mut entries = index.documents.clone();
    let listed = entries.iter_mut().find(|entry| entry.kind == kind);
    let listed = listed.expect("one of each kind is listed");
    let comment = TrustedComment::for_parts(kind, &listed.id, listed.revision);
    let file = disguise(&scene.vendor, document, &comment)?;
    listed.digest = Digest::of(&file.bytes);
    listed.length = file.bytes.len() as u64;
    let at = FeedPath::document(kind, &listed.id, listed.revision);
    write(&scene.vendor, &at, &file)?;
    let feed = [&scene.vendor.keys().feed];
    let index = sign(
        Index {
            documents: entries,
            ..index
        },
        &feed,
    )?;
    put(scene, &FeedPath::index(2), &index)?;
    let head = Head {
        index: Digest::of(&index.bytes),
        index_length: index.bytes.len() as u64,
        ..head
    };
    put(scene, &FeedPath::head(), &sign(head, &feed)?)
}

#[tokio::test]
async fn a_correction_in_the_place_of_an_advisory_is_refused() -> Result<()> {
    refuses(DocumentKind::Advisory, DocumentKind::Correction, |scene| {
        serve_as(scene, DocumentKind::Advisory, &correction())
    })
    .await
}

#[tokio::test]
async fn an_advisory_in_the_place_of_a_correction_is_refused() -> Result<()> {
    refuses(DocumentKind::Correction, DocumentKind::Advisory, |scene| {
        serve_as(scene, DocumentKind::Correction, &advisory(2))
    })
    .await
}

#[tokio::test]
async fn a_head_in_the_place_of_a_plugin_manifest_is_refused() -> Result<()> {
    let scene = Scene::followed().await?;
    let root = scene.believed().await?.root.expect("it was followed");
    let comment = TrustedComment::for_parts(DocumentKind::Plugin, "advisories", 1);
    let head: Head = read(&scene.vendor, &FeedPath::head())?;
    let file = disguise(&scene.vendor, &head, &comment)?;
    let offered = Unverified {
        bytes: &file.bytes,
        signatures: file.signatures.as_bytes(),
    };
    let error = trust::plugin(&root, offered, b"a component", None).expect_err("it is no manifest");
    assert!(
        is_of_another_kind(&error, DocumentKind::Plugin, DocumentKind::Head),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_pinned_root_that_is_another_kind_of_document_is_refused() -> Result<()> {
    let scene = Scene::new().await?;
    let head: Head = read(&scene.vendor, &FeedPath::head())?;
    let honest = root(1, &scene.vendor.keys().holders());
    assert_eq!(TrustedComment::of(&honest).role, Role::Root);
    let file = disguise(&scene.vendor, &head, &TrustedComment::of(&honest))?;
    let offered = Unverified {
        bytes: &file.bytes,
        signatures: file.signatures.as_bytes(),
    };
    let error = Pin::root(offered, &Audience::new("customers")?).expect_err("it is no root");
    assert!(
        is_of_another_kind(&error, DocumentKind::Root, DocumentKind::Head),
        "{error:?}"
    );
    Ok(())
}
