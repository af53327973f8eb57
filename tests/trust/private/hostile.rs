//! A private side that was altered, copied, replayed, or sealed by a vendor who has lost their head.

use std::{cell::RefCell, collections::HashSet, fs, io::Write};

use age::Recipient as _;
use age_core::{
    format::{FileKey, Stanza},
    secrecy::ExposeSecret,
};
use anyhow::{Context, Result};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use spacecp_advisories::trust::sealed::STANZA;
use spacecp_contract::{
    Advisory, Blob, Digest, FeedPath, IndexEntry, ObjectKey, Sealed, SealedEntry, SealedIndex,
    SealedObject, Tlp, capsule,
    envelope::{self, ENVELOPE, Tag},
};
use spacecp_publisher::sign::{Signed, sign};
use spacecp_tests::catalog;

use super::stage::{Panel, Stage, bare, disclosed, entry};
use crate::scene::{advisory, copy};

/// Remembers the key of a file, as the vendor's own sealing does.
struct Keeper(RefCell<Option<ObjectKey>>);

impl age::Recipient for Keeper {
    fn wrap_file_key(
        &self,
        key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), age::EncryptError> {
        *self.0.borrow_mut() = Some(ObjectKey::from_bytes(*key.expose_secret()));
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: Vec::new(),
            body: Vec::new(),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

/// Seals contents into the feed.
fn seal(stage: &Stage, contents: &[u8]) -> Result<SealedObject> {
    let keeper = Keeper(RefCell::new(None));
    let recipients = std::iter::once(&keeper as &dyn age::Recipient);
    let mut bytes = Vec::new();
    let mut sealing = age::Encryptor::with_recipients(recipients)?.wrap_output(&mut bytes)?;
    sealing.write_all(contents)?;
    sealing.finish()?;
    let object = SealedObject {
        digest: Digest::of(&bytes),
        length: bytes.len() as u64,
        key: keeper.0.into_inner().context("age made a key")?,
    };
    stage.write(&FeedPath::sealed(&object.digest), &bytes)?;
    Ok(object)
}

/// An envelope for a panel.
fn wrapped(recipient: &str, key: &ObjectKey) -> Result<[u8; ENVELOPE]> {
    let recipient: age::x25519::Recipient = recipient.parse().map_err(anyhow::Error::msg)?;
    let key = FileKey::init_with_mut(|bytes| bytes.copy_from_slice(key.as_bytes()));
    let (stanzas, _) = recipient.wrap_file_key(&key)?;
    let share = BASE64_STANDARD_NO_PAD.decode(&stanzas[0].args[0])?;
    let envelope = [share, stanzas[0].body.clone()].concat();
    envelope.try_into().ok().context("it has 64 bytes")
}

fn blob(bytes: &[u8]) -> Blob {
    Blob {
        digest: Digest::of(bytes),
        length: bytes.len() as u64,
    }
}

/// A private side with one bucket, in which lies this envelope at the place of this recipient.
fn side(
    stage: &Stage,
    index: &SealedObject,
    recipient: &str,
    envelope: [u8; ENVELOPE],
) -> Result<Sealed> {
    let nonce = [7; 16];
    let records = [(Tag::of(&nonce, recipient), envelope)];
    let bucket = envelope::cut(&records, 1).remove(0);
    stage.write(&FeedPath::sealed(&Digest::of(&bucket)), &bucket)?;
    Ok(Sealed {
        nonce,
        index: index.blob(),
        buckets: vec![blob(&bucket)],
    })
}

/// Signs a private side with these contents of the sealed index, for this recipient.
fn broadcast(stage: &Stage, recipient: &str, contents: &[u8]) -> Result<()> {
    let index = seal(stage, contents)?;
    let side = side(stage, &index, recipient, wrapped(recipient, &index.key)?)?;
    stage.sign_index(|plain| plain.sealed = Some(side))
}

/// The same with these documents.
fn broadcast_documents(
    stage: &Stage,
    recipient: &str,
    audience: &str,
    documents: &[Signed<Advisory>],
) -> Result<()> {
    let mut entries = Vec::new();
    for signed in documents {
        let parts = [&signed.bytes[..], signed.signatures.as_bytes()];
        let contents = capsule::pack(&parts).context("they are short")?;
        entries.push(SealedEntry {
            document: entry(signed)?,
            object: seal(stage, &contents)?,
        });
    }
    let index = SealedIndex::new(audience.parse()?, entries, Vec::new());
    let contents = capsule::pack(&[&index.to_bytes()]).context("it is short")?;
    broadcast(stage, recipient, &contents)
}

fn signed(stage: &Stage, advisory: Advisory) -> Result<Signed<Advisory>> {
    Ok(sign(advisory, &[&stage.vendor.keys().advisory])?)
}

/// A stage with one panel that has followed a first broadcast with something under embargo, revision 2.
async fn followed() -> Result<(Stage, Panel, String)> {
    let mut stage = Stage::new().await?;
    let panel = stage.panel("panel").await?;
    let recipient = stage.vendor.enrol("panel", &panel.state)?;
    stage.vendor.publish_advisory(bare(2))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    Ok((stage, panel, recipient))
}

#[tokio::test]
async fn what_this_vendor_seals_by_hand_is_read_when_it_is_honest() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let next = signed(&stage, bare(3))?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[next])?;
    panel.sync().await?;
    assert_eq!(panel.knows().await?, Some(3));
    Ok(())
}

#[tokio::test]
async fn an_envelope_that_was_made_for_another_panel_is_refused_by_name() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let other = stage.panel("other").await?;
    let others = stage.vendor.enrol("other", &other.state)?;
    let index = SealedIndex::new(catalog::AUDIENCE.parse()?, Vec::new(), Vec::new());
    let contents = capsule::pack(&[&index.to_bytes()]).context("it is short")?;
    let index = seal(&stage, &contents)?;
    // The other's envelope, at this panel's place.
    let side = side(&stage, &index, &recipient, wrapped(&others, &index.key)?)?;
    stage.sign_index(|plain| plain.sealed = Some(side))?;
    panel.refuses("it was encrypted to another panel").await
}

#[tokio::test]
async fn an_altered_or_cut_off_bucket_index_or_document_is_refused() -> Result<()> {
    let mut stage = Stage::new().await?;
    let reader = stage.entitled("panel").await?;
    stage.vendor.broadcast()?;
    reader.sync().await?;
    stage.vendor.publish_advisory(bare(1))?;
    let before = stage.files()?;
    stage.vendor.broadcast()?;
    let new: Vec<_> = stage
        .files()?
        .into_iter()
        .filter(|(path, _)| path.components().any(|part| part.as_os_str() == "sealed"))
        .filter(|(path, _)| !before.iter().any(|(old, _)| old == path))
        .collect();
    assert_eq!(new.len(), 3, "a bucket, an index, a document");
    for (path, honest) in &new {
        let mut altered = honest.clone();
        altered[honest.len() / 2] ^= 1;
        fs::write(path, altered)?;
        reader.refuses("mix-and-match").await?;
        fs::write(path, &honest[..honest.len() - 1])?;
        reader.refuses("were announced").await?;
        let longer = [&honest[..], b"x"].concat();
        fs::write(path, longer)?;
        reader.refuses("endless data").await?;
        fs::remove_file(path)?;
        reader.refuses("the feed lacks the required file").await?;
        fs::write(path, honest)?;
    }
    reader.sync().await?;
    assert_eq!(
        reader.knows().await?,
        Some(1),
        "the next honest sync succeeds"
    );
    Ok(())
}

#[tokio::test]
async fn a_broadcast_that_is_replayed_is_a_rollback() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    let old = stage.folder.path().join("old");
    copy(stage.vendor.feed_dir(), &old)?;
    stage.vendor.publish_advisory(bare(2))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    fs::remove_dir_all(stage.vendor.feed_dir())?;
    copy(&old, stage.vendor.feed_dir())?;
    panel.refuses("rollback").await
}

#[tokio::test]
async fn an_older_private_side_under_a_newer_head_is_a_rollback() -> Result<()> {
    let mut stage = Stage::new().await?;
    let panel = stage.entitled("panel").await?;
    stage.vendor.publish_advisory(bare(1))?;
    stage.vendor.broadcast()?;
    let old = stage.sealed()?;
    stage.vendor.publish_advisory(bare(2))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    stage.sign_index(|index| index.sealed = Some(old))?;
    panel
        .refuses("went back from revision 2 to 1 (rollback)")
        .await
}

#[tokio::test]
async fn a_document_that_vanishes_from_the_private_side_is_missed() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[])?;
    panel.refuses("is no longer in the index").await
}

#[tokio::test]
async fn a_private_document_that_changed_in_silence_is_refused() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let mut other = bare(2);
    other.title = "Another one".to_owned();
    let other = signed(&stage, other)?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[other])?;
    panel.refuses("changed without a new revision").await
}

#[tokio::test]
async fn what_was_disclosed_does_not_go_back_under_embargo() -> Result<()> {
    let (mut stage, panel, recipient) = followed().await?;
    stage.vendor.publish_advisory(disclosed(3))?;
    stage.vendor.broadcast()?;
    panel.sync().await?;
    let again = signed(&stage, bare(2))?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[again])?;
    panel
        .refuses("is both public (revision 3) and sealed (revision 2)")
        .await?;
    // Nor if it vanishes from what is public.
    let again = signed(&stage, bare(4))?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[again])?;
    let side = stage.sealed()?;
    stage.sign_index(|plain| {
        plain.sealed = Some(side);
        plain
            .documents
            .retain(|entry| entry.id.as_str() != catalog::BACKUP);
    })?;
    panel.refuses("is no longer in the index").await
}

#[tokio::test]
async fn a_document_on_both_sides_is_refused() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let public = signed(&stage, disclosed(3))?;
    let listed = entry(&public)?;
    stage.put(
        &FeedPath::document(listed.kind, &listed.id, listed.revision),
        &public,
    )?;
    let private = signed(&stage, bare(4))?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[private])?;
    let side = stage.sealed()?;
    stage.sign_index(|plain| {
        plain.sealed = Some(side);
        plain.documents.push(listed);
    })?;
    panel
        .refuses("is both public (revision 3) and sealed (revision 4)")
        .await
}

#[tokio::test]
async fn what_is_under_embargo_is_refused_where_everybody_could_read_it() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    // Whether or not this panel has read it in private.
    let mut unheard = bare(1);
    unheard.id = "SPACECP-SA-2026-0099".parse()?;
    for exposed in [unheard, bare(3), bare(2)] {
        let exposed = signed(&stage, exposed)?;
        let listed: IndexEntry = entry(&exposed)?;
        stage.put(
            &FeedPath::document(listed.kind, &listed.id, listed.revision),
            &exposed,
        )?;
        let before = stage.index()?;
        // Of the two sides, the private one does not name it.
        let held = signed(&stage, bare(2))?;
        let others = if exposed.document.id == held.document.id {
            vec![]
        } else {
            vec![held]
        };
        broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &others)?;
        stage.sign_index(|plain| plain.documents.push(listed))?;
        panel.refuses("is published unencrypted").await?;
        stage.sign_index(|plain| {
            plain.documents = before.documents;
            plain.sealed = before.sealed;
        })?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_public_is_refused_where_only_some_could_read_it() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let mut concealed = disclosed(1);
    concealed.id = "SPACECP-SA-2026-0099".parse()?;
    assert_eq!(concealed.tlp, Tlp::Clear);
    let documents = [signed(&stage, bare(2))?, signed(&stage, concealed)?];
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &documents)?;
    panel
        .refuses("only embargoed documents may be sealed")
        .await
}

#[tokio::test]
async fn a_sealed_document_is_verified_as_a_plain_one_is() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    // Signed by the key of another role.
    let stranger = sign(bare(3), &[&stage.vendor.keys().feed])?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[stranger])?;
    panel.refuses("is not sufficiently signed").await?;
    // For another audience.
    let mut others = bare(3);
    others.audience = "others".parse()?;
    let others = signed(&stage, others)?;
    broadcast_documents(&stage, &recipient, catalog::AUDIENCE, &[others])?;
    panel.refuses("replay from another feed").await?;
    // And the whole sealed index for another audience.
    broadcast_documents(&stage, &recipient, "others", &[])?;
    panel.refuses("replay from another feed").await
}

#[tokio::test]
async fn a_sealed_index_that_is_none_is_refused() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    broadcast(&stage, &recipient, b"not packed at all")?;
    panel.refuses("not packed as sealed contents are").await?;
    // A list that announces four thousand million documents.
    let bomb = b"\x84\xa6schema\x01\xa8audience\xa9customers\xa9documents\xdd\xff\xff\xff\xff";
    broadcast(
        &stage,
        &recipient,
        &capsule::pack(&[bomb]).context("it is short")?,
    )?;
    panel.refuses("4294967295 values announced").await?;
    let later = b"\x84\xa6schema\x09\xa8audience\xa9customers\xa9documents\x90\xa8payloads\x90";
    broadcast(
        &stage,
        &recipient,
        &capsule::pack(&[later]).context("it is short")?,
    )?;
    panel.refuses("schema 9 is not supported").await
}

#[tokio::test]
async fn a_sealed_document_that_its_key_does_not_open_is_refused() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let document = signed(&stage, bare(3))?;
    let parts = [&document.bytes[..], document.signatures.as_bytes()];
    let contents = capsule::pack(&parts).context("they are short")?;
    let mut object = seal(&stage, &contents)?;
    object.key = ObjectKey::from_bytes([9; 16]);
    let sealed = SealedEntry {
        document: entry(&document)?,
        object,
    };
    let index = SealedIndex::new(catalog::AUDIENCE.parse()?, vec![sealed], Vec::new());
    let contents = capsule::pack(&[&index.to_bytes()]).context("it is short")?;
    broadcast(&stage, &recipient, &contents)?;
    panel.refuses("wrong key").await
}

#[tokio::test]
async fn limits_of_the_private_side_are_kept_before_anything_is_fetched() -> Result<()> {
    let (stage, panel, _) = followed().await?;
    let honest = stage.sealed()?;
    let three = vec![honest.buckets[0]; 3];
    let fat = vec![Blob {
        length: 1 << 20,
        ..honest.buckets[0]
    }];
    for (buckets, words) in [
        (three, "3 buckets is not"),
        (Vec::new(), "0 buckets is not"),
        (fat, "bucket 0 has 1048576 bytes"),
    ] {
        // No vendor signs such a thing through the publisher, which looks first.
        let nonce = honest.nonce;
        let sealed = Sealed {
            nonce,
            index: honest.index,
            buckets,
        };
        stage.sign_unseen(|plain| plain.sealed = Some(sealed))?;
        stage.server.asked();
        panel.refuses(words).await?;
        let asked = stage.server.asked();
        let looked = asked.iter().any(|one| one.path.starts_with("sealed/"));
        assert!(!looked, "{asked:?}");
    }
    let endless = Sealed {
        index: Blob {
            length: 1 << 40,
            ..honest.index
        },
        ..honest
    };
    stage.sign_unseen(|plain| plain.sealed = Some(endless))?;
    panel
        .refuses("the sealed index has 1099511627776 bytes")
        .await
}

#[tokio::test]
async fn a_bucket_that_is_none_is_refused() -> Result<()> {
    let (stage, panel, recipient) = followed().await?;
    let tags = [Tag::of(&[7; 16], &recipient), Tag::from_bytes([0; 8])];
    let unsorted: Vec<u8> = envelope::cut(&[(tags[0], [1; 64]), (tags[1], [2; 64])], 1).remove(0);
    let ragged = unsorted[..unsorted.len() - 1].to_vec();
    for (bucket, words) in [
        (unsorted, "envelope 1 is out of order"),
        (ragged, "are not a whole number of envelopes"),
    ] {
        stage.write(&FeedPath::sealed(&Digest::of(&bucket)), &bucket)?;
        let side = Sealed {
            nonce: [7; 16],
            buckets: vec![blob(&bucket)],
            ..stage.sealed()?
        };
        stage.sign_index(|plain| plain.sealed = Some(side))?;
        panel.refuses(words).await?;
    }
    Ok(())
}

#[tokio::test]
async fn two_panels_are_not_told_apart_by_what_they_fetch_of_an_empty_side() -> Result<()> {
    let mut stage = Stage::new().await?;
    let (one, other) = (stage.entitled("one").await?, stage.entitled("other").await?);
    stage.vendor.publish_advisory(advisory(2))?;
    stage.vendor.broadcast()?;
    let mut fetched = Vec::new();
    for panel in [&one, &other] {
        stage.server.asked();
        panel.sync().await?;
        fetched.push(stage.server.asked());
    }
    assert_eq!(fetched[0], fetched[1]);
    Ok(())
}
