//! A desk that was put back to an earlier day: what it does not know of the private side any more, it does not guess.

use anyhow::Result;
use spacecp_publisher::{
    feed::FeedError,
    publish::{Broadcast, Consent},
    record::RecordError,
};

use crate::{
    ceremony::hours,
    follower::put_back,
    private::{ONE, now},
    record::{Stage, public},
};

impl Stage {
    fn broadcast_to(&self, recipients: &[&str]) -> Result<Broadcast, FeedError> {
        let consent = Consent {
            seal_anew: true,
            recipients: recipients.iter().map(ToString::to_string).collect(),
            ..Consent::default()
        };
        let publisher = self.vendor.publisher().with_consent(consent);
        publisher.broadcast(now(), now() + hours(24), &[&self.vendor.keys().feed])
    }
}

#[test]
fn a_restored_desk_does_not_publish_from_its_record_what_entitled_panels_would_miss() -> Result<()>
{
    let mut stage = Stage::new()?;
    stage.roll_back_desk()?;
    stage.recover_feed()?;
    let refused = stage.recover_record();
    assert!(
        matches!(
            refused
                .as_ref()
                .map_err(|error| error.downcast_ref::<FeedError>()),
            Err(Some(FeedError::NotRemembered { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!(
        stage.vendor.feed().head()?.map(|head| head.sequence),
        Some(2)
    );
    let done = stage.broadcast_to(&["panel"])?;
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(done.sequence));
    assert_eq!(stage.panel.private().len(), 1);
    // From then on it knows again.
    stage.recover_record()?;
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    Ok(())
}

#[test]
fn a_restored_desk_seals_to_nobody_before_each_panel_was_named() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.vendor.panels().enrol("revoked", ONE, now())?;
    stage.vendor.publish_advisory(public(3)?)?;
    stage.vendor.broadcast()?;
    put_back(
        &stage.vendor.desk_dir(),
        &stage.folder.path().join("old desk"),
    )?;
    let panels = stage.vendor.panels();
    panels.revoke("revoked", "the contract ended", now())?;
    stage.vendor.broadcast()?;
    stage.roll_back_desk()?;
    stage.recover_feed()?;
    for recipients in [&[][..], &["panel"]] {
        let refused = stage.broadcast_to(recipients);
        assert!(
            matches!(
                &refused,
                Err(FeedError::Record(RecordError::UnconfirmedRecipients { panels }))
                    if *panels == ["panel", "revoked"]
            ),
            "{refused:?}"
        );
    }
    let panels = stage.vendor.panels();
    panels.revoke("revoked", "the contract ended", now())?;
    let done = stage.broadcast_to(&["panel"])?;
    assert_eq!(done.private.map(|private| private.panels), Some(1));
    Ok(())
}

#[test]
fn a_registry_that_was_put_back_to_before_a_panel_was_revoked_is_refused_by_its_name() -> Result<()>
{
    let mut stage = Stage::new()?;
    stage.vendor.panels().enrol("revoked", ONE, now())?;
    stage.vendor.broadcast()?;
    let (registry, old) = (
        stage.vendor.desk_dir().join("panels"),
        stage.folder.path().join("old panels"),
    );
    put_back(&registry, &old)?;
    let panels = stage.vendor.panels();
    panels.revoke("revoked", "the contract ended", now())?;
    stage.vendor.broadcast()?;
    put_back(&old, &registry)?;
    let refused = stage.broadcast_to(&[]);
    assert!(
        matches!(
            &refused,
            Err(FeedError::Record(RecordError::RevokedPanel { panel })) if panel == "revoked"
        ),
        "{refused:?}"
    );
    // Nor is it sealed for keys on other machines, or for what the record lists.
    let publisher = stage.vendor.publisher();
    let asked = publisher.prepare_broadcast(now(), now() + hours(24));
    assert!(
        matches!(
            &asked,
            Err(FeedError::Record(RecordError::RevokedPanel { panel })) if panel == "revoked"
        ),
        "{asked:?}"
    );
    let recovered = stage.recover_record().expect_err("it is sealed anew");
    let recovered = recovered.downcast_ref::<FeedError>();
    assert!(
        matches!(
            recovered,
            Some(FeedError::Record(RecordError::RevokedPanel { panel })) if panel == "revoked"
        ),
        "{recovered:?}"
    );
    let panels = stage.vendor.panels();
    panels.revoke("revoked", "the contract ended", now())?;
    assert_eq!(stage.vendor.broadcast()?.sequence, 5);
    Ok(())
}
