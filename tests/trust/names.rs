//! Names that lead elsewhere, in whatever part of a document: signed, and refused by name all the same.

use anyhow::{Context, Result};
use spacecp_contract::{Digest, Document, FeedPath, IndexEntry, TrustedComment, encode};
use spacecp_publisher::{
    keys::SecretKey,
    sign::{Signed, sign, sign_bytes},
};

use crate::{
    roles::{correction, entry, listed, put, put_current},
    scene::{Scene, advisory},
};

/// What no path within a component may be, and a word of what is said about it.
fn hostile_paths() -> Vec<(String, &'static str)> {
    let fixed = [
        ("../escaped", "\"..\""),
        ("lib/../../escaped", "\"..\""),
        ("./here", "\".\""),
        ("/etc/passwd", "absolute"),
        ("", "empty"),
        ("lib//twice", "empty part"),
        ("lib/\0", "control character"),
        ("lib/\r\n", "control character"),
        ("lib\\..\\escaped", "backslash"),
        ("c:escaped", "colon"),
        ("%2e%2e/escaped", "read as \"..\""),
        ("lib/%2E%2e/escaped", "read as \"..\""),
        ("..%2fescaped", "read as \"..\""),
        ("NUL", "device"),
        ("lib/com1.txt", "device"),
        ("lib/trailing.", "ends in a dot"),
        ("lib/\u{202e}gpj.exe", "reading direction"),
    ];
    let long = "x".repeat(300);
    let longer = "x/".repeat(600) + "x";
    let made = [(long, "255 bytes"), (longer, "1024 bytes")];
    let fixed = fixed.map(|(path, words)| (path.to_owned(), words));
    fixed.into_iter().chain(made).collect()
}

/// What no id may be.
const HOSTILE_IDS: [&str; 10] = [
    "../SPACECP-SA-2026-0001",
    "/etc/passwd",
    "SPACECP-SA-2026-0001/2",
    "..",
    "",
    "%2e%2e",
    "SPACECP\0SA",
    "\u{202e}1000-6202-AS",
    "SPACECP SA 2026",
    "SPACECP-SA-2026-0001\n",
];

/// The bytes of a document in which one text was exchanged for another, signed as they are.
fn exchanged<T: Document>(
    document: &T,
    text: &str,
    hostile: &str,
    key: &SecretKey,
) -> Result<(Vec<u8>, String)> {
    let (text, hostile) = (rmp_serde::to_vec(text)?, rmp_serde::to_vec(hostile)?);
    let bytes = encode(document);
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)
        .context("the text is in the document")?;
    let bytes = [&bytes[..at], &hostile, &bytes[at + text.len()..]].concat();
    let signatures = sign_bytes(&bytes, &TrustedComment::of(document), &[key])?;
    Ok((bytes, signatures))
}

/// The panel refuses what this document became with these words, keeps what it has, and takes the
/// honest document from the same feed afterwards.
async fn refused<T: Document + Clone>(
    scene: &Scene,
    document: T,
    key: &SecretKey,
    (text, hostile, words): (&str, &str, &str),
) -> Result<()> {
    let own = scene.vendor.keys();
    let honest = sign(document.clone(), &[key])?;
    let (bytes, signatures) = exchanged(&document, text, hostile, key)?;
    let bad = Signed {
        document,
        bytes,
        signatures,
    };
    let before = scene.trusted().await?;
    let was_listed = listed(scene)?;
    let with = |one: IndexEntry| -> Vec<IndexEntry> {
        let others = was_listed.iter().filter(|other| other.id != one.id);
        others.cloned().chain([one.clone()]).collect()
    };
    let listed = entry(&bad)?;
    let path = FeedPath::document(listed.kind, &listed.id, listed.revision);
    put(scene, &path, &bad)?;
    put_current(scene, 1, with(listed), &[&own.feed])?;
    let error = scene.sync().await.expect_err("it was accepted").to_string();
    assert!(
        error.contains(words),
        "{hostile:?}: {words:?} is not in: {error}"
    );
    assert!(
        error.chars().all(|c| !c.is_control()),
        "it is fit to print: {error:?}"
    );
    assert_eq!(scene.trusted().await?, before, "{hostile:?}");
    put(scene, &path, &honest)?;
    put_current(scene, 1, with(entry(&honest)?), &[&own.feed])?;
    assert!(
        scene.sync().await?.changed,
        "{hostile:?}: the next honest sync succeeds"
    );
    Ok(())
}

#[tokio::test]
async fn a_path_of_a_correction_that_leads_elsewhere() -> Result<()> {
    for (path, words) in hostile_paths() {
        let scene = Scene::followed().await?;
        let key = &scene.vendor.keys().correction;
        refused(&scene, correction(), key, ("PLACEHOLDER", &path, words)).await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_paths_that_some_file_systems_take_for_one() -> Result<()> {
    let scene = Scene::followed().await?;
    let mut twins = correction();
    let mut twin = twins.files[0].clone();
    twin.path = "TWIN".parse()?;
    twins.files.push(twin);
    let key = &scene.vendor.keys().correction;
    refused(
        &scene,
        twins,
        key,
        (
            "TWIN",
            "Placeholder",
            "listed twice, or differs only in case",
        ),
    )
    .await
}

#[tokio::test]
async fn an_id_that_leads_elsewhere() -> Result<()> {
    for id in HOSTILE_IDS {
        let scene = Scene::followed().await?;
        let mut honest = advisory(2);
        honest.supersedes = vec!["SPACECP-SA-2026-0666".parse()?];
        let key = &scene.vendor.keys().advisory;
        let exchange = ("SPACECP-SA-2026-0666", id, "is not");
        refused(&scene, honest, key, exchange).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_component_whose_name_leads_elsewhere() -> Result<()> {
    for name in ["../houston", "spacecp:../x", "spacecp:\u{202e}x", "a b", ""] {
        let scene = Scene::followed().await?;
        let key = &scene.vendor.keys().correction;
        let exchange = ("spacecp:houston", name, "is not");
        refused(&scene, correction(), key, exchange).await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_index_whose_ids_lead_elsewhere() -> Result<()> {
    for id in HOSTILE_IDS {
        let scene = Scene::followed().await?;
        let own = scene.vendor.keys();
        let mut documents = listed(&scene)?;
        let mut other = documents[0].clone();
        other.id = "SPACECP-SA-2026-0666".parse()?;
        documents.push(other);
        put_current(&scene, 1, documents.clone(), &[&own.feed])?;
        let index = spacecp_contract::Index {
            audience: "customers".parse()?,
            sequence: 2,
            documents: documents.clone(),
            sealed: None,
        };
        let (bytes, signatures) = exchanged(&index, "SPACECP-SA-2026-0666", id, &own.feed)?;
        let index = Signed {
            document: index,
            bytes,
            signatures,
        };
        put(&scene, &FeedPath::index(2), &index)?;
        let at = scene.vendor.feed_dir().join("head");
        let limits = spacecp_contract::Limits::default();
        let mut head: spacecp_contract::Head =
            spacecp_contract::decode(&std::fs::read(at)?, &limits)?;
        head.index = Digest::of(&index.bytes);
        head.index_length = index.bytes.len() as u64;
        put(&scene, &FeedPath::head(), &sign(head, &[&own.feed])?)?;
        let before = scene.trusted().await?;
        let error = scene.sync().await.expect_err("it was accepted").to_string();
        assert!(error.contains("is not"), "{id:?}: {error}");
        assert_eq!(scene.trusted().await?, before, "{id:?}");
        documents.pop();
        put_current(&scene, 1, documents, &[&own.feed])?;
        assert!(
            scene.sync().await?.changed,
            "{id:?}: the next honest sync succeeds"
        );
    }
    Ok(())
}
