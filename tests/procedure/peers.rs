//! The `minisign` program as a peer: what one side makes, the other side takes.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result};
use minisign_verify::{PublicKey as Verifier, Signature};
use spacecp_contract::{DocumentKind, TrustedComment};
use spacecp_publisher::{keys, sign};
use zeroize::Zeroizing;

const PASSPHRASE: &str = "a passphrase for both";

fn minisign(folder: &Path, arguments: &[&str], input: &str) -> Result<Output> {
    let mut child = Command::new("minisign")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run minisign (Debian: minisign)")?;
    child
        .stdin
        .take()
        .context("its input is piped")?
        .write_all(input.as_bytes())?;
    Ok(child.wait_with_output()?)
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn comment() -> TrustedComment {
    TrustedComment::for_parts(DocumentKind::Advisory, "SPACECP-SA-2026-0007", 3)
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn the_program_verifies_what_the_publisher_signs() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    keys::create(folder.path(), "advisory", None)?;
    let key = keys::SecretKey::load(&folder.path().join("advisory.key"), || None)?;
    let bytes = b"exactly these bytes";
    fs::write(folder.path().join("document"), bytes)?;
    fs::write(
        folder.path().join("document.minisig"),
        sign::sign_bytes(bytes, &comment(), &[&key])?,
    )?;
    let output = minisign(
        folder.path(),
        &["-V", "-m", "document", "-p", "advisory.pub"],
        "",
    )?;
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("spacecp role=advisory name=SPACECP-SA-2026-0007 revision=3"),
        "{}",
        said(&output)
    );
    fs::write(folder.path().join("document"), b"exactly those bytes")?;
    let output = minisign(
        folder.path(),
        &["-V", "-m", "document", "-p", "advisory.pub"],
        "",
    )?;
    assert!(!output.status.success(), "other bytes must not verify");
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn what_the_program_signs_with_a_key_of_the_publisher_verifies_here() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let public = keys::create(
        folder.path(),
        "advisory",
        Some(&Zeroizing::new(PASSPHRASE.to_owned())),
    )?;
    fs::write(folder.path().join("document"), b"exactly these bytes")?;
    let comment = comment().to_string();
    let arguments = ["-S", "-m", "document", "-s", "advisory.key", "-t", &comment];
    let output = minisign(folder.path(), &arguments, &format!("{PASSPHRASE}\n"))?;
    assert!(output.status.success(), "{}", said(&output));
    let signature =
        Signature::decode(&fs::read_to_string(folder.path().join("document.minisig"))?)?;
    let verifier = Verifier::from_base64(&public.to_base64())?;
    verifier.verify(b"exactly these bytes", &signature, false)?;
    assert_eq!(
        TrustedComment::parse(signature.trusted_comment())?.revision,
        3
    );
    assert!(
        verifier
            .verify(b"exactly those bytes", &signature, false)
            .is_err()
    );
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn a_key_that_the_program_made_signs_here_and_a_wrong_passphrase_does_not_open_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let arguments = ["-G", "-p", "made.pub", "-s", "made.key"];
    let output = minisign(
        folder.path(),
        &arguments,
        &format!("{PASSPHRASE}\n{PASSPHRASE}\n"),
    )?;
    assert!(output.status.success(), "{}", said(&output));
    let path = folder.path().join("made.key");
    let key = keys::SecretKey::load(&path, || Some(Zeroizing::new(PASSPHRASE.to_owned())))?;
    assert_eq!(
        *key.public(),
        keys::PublicKey::load(&folder.path().join("made.pub"))?
    );
    let signature = sign::sign_bytes(b"bytes", &comment(), &[&key])?;
    Verifier::from_base64(&key.public().to_base64())?.verify(
        b"bytes",
        &Signature::decode(&signature)?,
        false,
    )?;
    let wrong = keys::SecretKey::load(&path, || Some(Zeroizing::new("another".to_owned())));
    assert!(
        matches!(wrong, Err(keys::KeyError::Passphrase { .. })),
        "{wrong:?}"
    );
    let locked = keys::SecretKey::load(&path, || None);
    assert!(
        matches!(locked, Err(keys::KeyError::Locked { .. })),
        "{locked:?}"
    );
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn a_key_that_the_program_left_without_a_checksum_is_named_with_what_to_do() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let made = minisign(
        folder.path(),
        &["-G", "-W", "-p", "k.pub", "-s", "k.key"],
        "",
    )?;
    assert!(made.status.success(), "{}", said(&made));
    let refused = keys::SecretKey::load(&folder.path().join("k.key"), || None);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("minisign -C"), "{words}");
    Ok(())
}
