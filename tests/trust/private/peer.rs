//! The `age` program as a peer: what is sealed is its format, but for where the key is.

use std::{fs, process::Command};

use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use ring::{hkdf, hmac};
use spacecp_advisories::{identity, trust::sealed};
use spacecp_contract::{
    FeedPath, Limits, SealedIndex, capsule,
    envelope::{Bucket, Tag},
};
use spacecp_tests::catalog;

use super::stage::{Stage, bare};
use crate::scene::noon;

/// The authentication code of a header (age's specification, "Header MAC").
fn code(header: &[u8], key: &[u8; 16]) -> Result<String> {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]);
    let mut derived = [0; 32];
    salt.extract(key)
        .expand(&[b"header"], hkdf::HKDF_SHA256)
        .and_then(|key| key.fill(&mut derived))
        .ok()
        .context("32 bytes can be derived")?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &derived);
    Ok(BASE64_STANDARD_NO_PAD.encode(hmac::sign(&key, header)))
}

/// What follows the header: the nonce, and the contents.
fn body(sealed: &[u8]) -> Result<&[u8]> {
    let line = sealed.windows(5).position(|bytes| bytes == b"\n--- ");
    let rest = &sealed[line.context("it has a header")? + 1..];
    let end = rest.iter().position(|byte| *byte == b'\n');
    Ok(&rest[end.context("the header ends")? + 1..])
}

#[tokio::test]
#[cfg_attr(not(has_age), ignore = "needs the program age (Debian: age)")]
async fn an_envelope_before_a_sealed_index_is_a_file_that_age_opens() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    let side = stage.sealed()?;
    let identity = identity::load_or_make(&panel.state, noon())?;
    let bucket = fs::read(stage.path(&FeedPath::sealed(&side.buckets[0].digest)))?;
    let key = sealed::envelope(&side, 0, &identity, &bucket)?.context("it is for this panel")?;
    let tag = Tag::of(&side.nonce, &identity.recipient());
    let found = Bucket::read(&bucket, 0, 1)?.at(tag).next();
    let (share, wrapped) = found.context("it is there")?.split_at(32);
    // The same stanza, at the place where age has it.
    let mut file = format!(
        "age-encryption.org/v1\n-> X25519 {}\n{}\n---",
        BASE64_STANDARD_NO_PAD.encode(share),
        BASE64_STANDARD_NO_PAD.encode(wrapped)
    )
    .into_bytes();
    let code = code(&file, key.as_bytes())?;
    file.extend_from_slice(format!(" {code}\n").as_bytes());
    let index = fs::read(stage.path(&FeedPath::sealed(&side.index.digest)))?;
    file.extend_from_slice(body(&index)?);
    let path = stage.folder.path().join("index.age");
    fs::write(&path, file)?;
    let opened = Command::new("age")
        .arg("-d")
        .arg("-i")
        .arg(panel.state.join("identity.txt"))
        .arg(&path)
        .output()?;
    assert!(
        opened.status.success(),
        "{}",
        String::from_utf8_lossy(&opened.stderr)
    );
    let [contents] = capsule::unpack(&opened.stdout).context("it is packed")?;
    let index = SealedIndex::from_bytes(contents, &Limits::default())?;
    assert_eq!(index.documents[0].document.id.as_str(), catalog::BACKUP);
    Ok(())
}
