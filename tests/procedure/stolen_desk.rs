//! A thief worked at the vendor's own desk, with its keys: what was signed and broadcast there is disowned after the
//! keys were revoked, and the desk goes on without it.

use anyhow::Result;
use spacecp_contract::{Advisory, DocumentId, DocumentKind, Role};
use spacecp_publisher::{feed::FeedError, keys::SecretKey, record::RecordError, signing::Disown};

use crate::{
    ceremony::{hours, rotated},
    private::{now, secret},
    record::{Stage, plant_head, public, revoked_afresh},
};

fn forged(number: u32) -> Result<Advisory> {
    let mut forged = public(number)?;
    "forged".clone_into(&mut forged.title);
    Ok(forged)
}

fn forged_secret() -> Result<Advisory> {
    let mut forged = secret(1);
    forged.id = "SPACECP-SA-2026-0199".parse()?;
    Ok(forged)
}

fn disown(id: &DocumentId, revision: u64) -> Disown {
    Disown {
        kind: DocumentKind::Advisory,
        id: id.clone(),
        revision,
        by: "Ada".to_owned(),
        reason: "signed on the night of the theft".to_owned(),
    }
}

/// A desk where forgeries were broadcast: a public and a private document, and a newer revision of a genuine one.
fn robbed() -> Result<Stage> {
    let mut stage = Stage::new()?;
    let mut newer = forged(1)?;
    newer.revision = 2;
    newer.modified = now();
    for advisory in [forged(66)?, forged_secret()?, newer] {
        stage.vendor.publish_advisory(advisory)?;
    }
    stage.vendor.broadcast()?;
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    Ok(stage)
}

#[test]
fn forgeries_that_the_desk_itself_broadcast_are_disowned_and_neither_signed_nor_listed_again()
-> Result<()> {
    let mut stage = robbed()?;
    let signing = stage.vendor.signing();
    let early = signing.disown(&disown(&forged(66)?.id, 1), now());
    assert!(
        matches!(
            &early,
            Err(FeedError::Record(RecordError::NotAfresh { .. }))
        ),
        "panels that have it would refuse what follows: {early:?}"
    );
    let new = SecretKey::generate()?;
    rotated(
        &stage.vendor,
        Role::Advisory,
        &stage.vendor.keys().advisory,
        &new,
    )?;
    let feed_key = revoked_afresh(&stage)?;
    let kind = DocumentKind::Advisory;
    assert!(signing.starts_afresh()?, "the command asks before it signs");
    assert_eq!(signing.plan_sign_again(kind, &[])?.len(), 5);
    for (id, revision) in [
        (forged(66)?.id, 1),
        (forged_secret()?.id, 1),
        (public(1)?.id, 2),
    ] {
        signing.disown(&disown(&id, revision), now())?;
    }
    let key = [&feed_key];
    let until = now() + hours(24);
    let listed = stage.vendor.publisher().refresh(now(), until, &key);
    assert!(
        matches!(
            &listed,
            Err(FeedError::Record(RecordError::DisownedListed { .. }))
        ),
        "{listed:?}"
    );
    let again = signing.sign_again(kind, &[], &[&new])?;
    let genuine = [(public(1)?.id, 1), (public(2)?.id, 1), (secret(1).id, 1)];
    assert_eq!(again, genuine);
    let done = stage.vendor.publisher().broadcast(now(), until, &key)?;
    assert_eq!(done.documents, 2);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(done.sequence));
    assert_eq!(stage.panel.private(), [secret(1).id.to_string()]);
    let index = stage.vendor.feed().index(done.sequence)?;
    let revisions = index.documents.iter().map(|entry| entry.revision);
    assert_eq!(revisions.collect::<Vec<_>>(), [1, 1]);
    // Nor does it come back, by another signature or by a recovery.
    let audience = spacecp_tests::catalog::AUDIENCE.parse()?;
    let signed = signing.add(forged(66)?, &audience, &[&new]);
    assert!(
        matches!(
            &signed,
            Err(FeedError::Record(RecordError::Disowned { revision: 1, .. }))
        ),
        "{signed:?}"
    );
    Ok(())
}

#[test]
fn what_was_disowned_may_have_lost_its_files() -> Result<()> {
    let stage = robbed()?;
    let feed_key = revoked_afresh(&stage)?;
    let id = forged_secret()?.id;
    std::fs::remove_dir_all(
        stage
            .vendor
            .waiting_dir()
            .join("advisory")
            .join(id.as_str()),
    )?;
    let signing = stage.vendor.signing();
    signing.disown(&disown(&id, 1), now())?;
    let until = now() + hours(24);
    let done = stage
        .vendor
        .publisher()
        .broadcast(now(), until, &[&feed_key])?;
    assert_eq!(done.private.map(|private| private.documents), Some(1));
    Ok(())
}

#[test]
fn a_thiefs_head_in_the_folder_does_not_keep_keys_from_being_revoked_afresh_and_others_after_them()
-> Result<()> {
    let stage = Stage::new()?;
    plant_head(&stage, &stage.vendor.keys().feed, 7, 1, &[&forged(66)?])?;
    revoked_afresh(&stage)?;
    let new = SecretKey::generate()?;
    rotated(
        &stage.vendor,
        Role::Advisory,
        &stage.vendor.keys().advisory,
        &new,
    )?;
    assert_eq!(stage.vendor.feed().root()?.version, 3);
    Ok(())
}
