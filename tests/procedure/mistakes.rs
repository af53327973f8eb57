//! What a tired person at the desk does wrong with something under embargo, and what the desk says to it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Advisory, DocumentId, DocumentKind, FeedPath, Tlp};
use spacecp_publisher::{
    corrections,
    feed::{Feed, FeedError, HeldBack},
    publish::{Consent, PublishService},
    record::RecordError,
    recovery::{Reason, Recover, RecoveryService},
    requests::{self, RequestError, Wanted},
};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};

use crate::private::{now, secret as bare, signed_elsewhere, vendor};

fn tomorrow() -> Timestamp {
    now() + SignedDuration::from_hours(24)
}

/// The advisory of the demo that is under embargo; it names a correction.
fn secret(revision: u64) -> Advisory {
    let mut secret = catalog::advisories(now()).remove(3);
    secret.revision = revision;
    secret
}

fn disclosed(id: &str, revision: u64) -> Result<Advisory> {
    let mut disclosed = bare(revision);
    disclosed.id = id.parse()?;
    disclosed.tlp = Tlp::Clear;
    disclosed.embargo_until = None;
    Ok(disclosed)
}

/// Builds and signs the correction that the secret advisory names.
fn correct(vendor: &mut Vendor, folder: &Path) -> Result<()> {
    let before = Ground::lay(&folder.join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.join("after"), Age::Corrected)?;
    vendor.publish_correction(&catalog::corrections()[2], &before, &after)?;
    Ok(())
}

/// What a broadcast is refused for.
fn refused(feed: &Feed, vendor: &Vendor) -> Result<FeedError> {
    let done = PublishService::of(feed).broadcast(now(), tomorrow(), &[&vendor.keys().feed]);
    done.err().context("it was broadcast")
}

fn in_clear(vendor: &Vendor) -> bool {
    let feed = vendor.feed_dir();
    ["advisory", "correction", "blobs"]
        .iter()
        .any(|kind| feed.join(kind).exists())
}

#[test]
fn a_correction_waits_for_the_advisory_that_it_answers() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    correct(&mut vendor, folder.path())?;
    let done = vendor.broadcast()?;
    let held = HeldBack {
        correction: catalog::BACKUP_CORRECTION.parse()?,
        revision: 1,
        advisory: Some(catalog::BACKUP.parse()?),
    };
    assert_eq!((done.held_back, done.documents), (vec![held], 0));
    assert!(!in_clear(&vendor));
    vendor.publish_advisory(secret(1))?;
    let done = vendor.broadcast()?;
    assert_eq!(done.held_back, []);
    assert_eq!(done.private.context("a private side")?.documents, 2);
    assert!(!in_clear(&vendor));
    Ok(())
}

#[test]
fn an_advisory_does_not_go_out_without_a_correction_that_waits_for_another() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    correct(&mut vendor, folder.path())?;
    let mut public = disclosed("SPACECP-SA-2026-0099", 1)?;
    public.corrections = vec![DocumentId::new(catalog::BACKUP_CORRECTION)?];
    vendor.publish_advisory(public)?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(
        matches!(&error, FeedError::HeldBack { waits_for, .. } if **waits_for == *catalog::BACKUP),
        "{error}"
    );
    Ok(())
}

#[test]
fn a_public_advisory_names_none_under_embargo_as_superseded_or_as_itself() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(bare(1))?;
    let mut public = disclosed("SPACECP-SA-2026-0099", 1)?;
    public.supersedes = vec![catalog::BACKUP.parse()?];
    vendor.publish_advisory(public.clone())?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(matches!(&error, FeedError::Names { .. }), "{error}");
    public.supersedes.clear();
    public.aliases = vec![catalog::BACKUP.to_owned()];
    public.revision = 2;
    vendor.publish_advisory(public)?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(matches!(&error, FeedError::Names { .. }), "{error}");
    assert!(!in_clear(&vendor));
    Ok(())
}

#[test]
fn nothing_is_disclosed_before_its_date_unless_it_is_asked_for() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let planned = now() + SignedDuration::from_hours(24 * 30);
    let mut early = bare(1);
    early.embargo_until = Some(planned);
    vendor.publish_advisory(early)?;
    vendor.broadcast()?;
    vendor.publish_advisory(disclosed(catalog::BACKUP, 2)?)?;
    let keys = &[&vendor.keys().feed];
    let error = refused(vendor.feed(), &vendor)?;
    assert!(
        matches!(&error, FeedError::Early { planned: at, .. } if *at == planned),
        "{error}"
    );
    assert!(!in_clear(&vendor));
    let consent = Consent {
        disclose: [catalog::BACKUP.parse()?].into(),
        ..Consent::default()
    };
    let asked = vendor.publisher().with_consent(consent);
    asked.plan_broadcast(now(), tomorrow())?;
    // On the day itself nobody needs to ask.
    let after = planned + SignedDuration::from_hours(24);
    vendor.publisher().broadcast(planned, after, keys)?;
    assert!(in_clear(&vendor));
    Ok(())
}

#[test]
fn a_desk_that_does_not_know_a_feed_does_not_go_on_with_it_unasked() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(bare(1))?;
    vendor.broadcast()?;
    let second = folder.path().join("second desk");
    fs::create_dir(&second)?;
    let elsewhere = Feed::at(vendor.feed_dir()).with_desk(&second)?;
    let error = refused(&elsewhere, &vendor)?;
    assert!(
        matches!(
            &error,
            FeedError::Record(RecordError::Missing { record, .. }) if record.starts_with(&second)
        ),
        "{error}"
    );
    let margins = spacecp_publisher::status::Margins {
        head: SignedDuration::ZERO,
        root: SignedDuration::ZERO,
    };
    let problems = elsewhere.status(now(), margins)?.problems;
    assert!(
        problems.iter().any(|one| one.contains("recover-from feed")),
        "{problems:?}"
    );
    // Who believes the folder still has nothing of what is under embargo.
    let why = Reason {
        by: "Ada".to_owned(),
        reason: "the first desk is lost".to_owned(),
        seen: None,
    };
    RecoveryService::of(&elsewhere).recover(Recover::Feed, &why, now())?;
    let error = refused(&elsewhere, &vendor)?;
    assert!(
        matches!(&error, FeedError::NotRemembered { ledger, .. } if ledger.starts_with(&second)),
        "{error}"
    );
    // The desk itself, whose memory alone is lost, has everything that was under embargo.
    fs::remove_file(vendor.waiting_dir().join("sealed.json"))?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(matches!(&error, FeedError::NotRemembered { .. }), "{error}");
    let consent = Consent {
        seal_anew: true,
        ..Consent::default()
    };
    let asked = vendor.publisher().with_consent(consent);
    let done = asked.broadcast(now(), tomorrow(), &[&vendor.keys().feed])?;
    assert_eq!(done.private.context("a private side")?.documents, 1);
    vendor.broadcast()?;
    Ok(())
}

#[test]
fn a_desk_restored_from_before_the_last_broadcast_does_not_go_on() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.broadcast()?;
    let ledger = vendor.waiting_dir().join("sealed.json");
    let old = fs::read(&ledger)?;
    vendor.publish_advisory(bare(1))?;
    vendor.broadcast()?;
    let new = fs::read(&ledger)?;
    fs::write(&ledger, old)?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(matches!(&error, FeedError::NotRemembered { .. }), "{error}");
    fs::write(&ledger, new)?;
    vendor.broadcast()?;
    Ok(())
}

/// Puts the desk's memory back to where it was between the head and itself.
fn cut_off(vendor: &Vendor) -> Result<()> {
    let path = vendor.waiting_dir().join("sealed.json");
    let mut ledger: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
    ledger["pending"] = ledger["current"].take();
    ledger["current"] = ledger["previous"].take();
    Ok(fs::write(path, ledger.to_string())?)
}

#[test]
fn a_broadcast_that_was_cut_off_after_its_head_is_current_to_the_desk_as_well() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.broadcast()?;
    let mut secret = bare(1);
    secret.embargo_until = Some(now() + SignedDuration::from_hours(24 * 30));
    vendor.publish_advisory(secret)?;
    vendor.broadcast()?;
    cut_off(&vendor)?;
    let id: DocumentId = catalog::BACKUP.parse()?;
    let taken = vendor
        .signing()
        .discard_pending(DocumentKind::Advisory, &id);
    assert!(
        matches!(&taken, Err(FeedError::NotWaiting { .. })),
        "panels have it: {taken:?}"
    );
    vendor.signing().add(
        disclosed(catalog::BACKUP, 2)?,
        &catalog::AUDIENCE.parse()?,
        &[&vendor.keys().advisory],
    )?;
    let error = refused(vendor.feed(), &vendor)?;
    assert!(matches!(&error, FeedError::Early { .. }), "{error}");
    // A timer goes on.
    vendor
        .publisher()
        .refresh(now(), tomorrow(), &[&vendor.keys().feed])?;
    assert_eq!(
        vendor
            .signing()
            .discard_pending(DocumentKind::Advisory, &id)?,
        [2],
        "what nobody has is taken back"
    );
    let done = vendor.broadcast()?;
    assert_eq!(done.private.context("a private side")?.documents, 1);
    Ok(())
}

#[test]
fn the_next_revision_of_a_secret_correction_is_no_less_secret() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    correct(&mut vendor, folder.path())?;
    vendor.publish_advisory(bare(1))?;
    vendor.publish_advisory(disclosed("SPACECP-SA-2026-0099", 1)?)?;
    let done = vendor.broadcast()?;
    assert_eq!(done.private.context("a private side")?.documents, 2);
    let fix = &catalog::corrections()[2];
    let mut facts = vendor.facts(fix)?;
    facts.revision = 2;
    facts.advisories = vec!["SPACECP-SA-2026-0099".parse()?];
    let old = Ground::lay(&folder.path().join("again/before"), Age::Flawed)?;
    let new = Ground::lay(&folder.path().join("again/after"), Age::Corrected)?;
    let built = corrections::build(&(fix.folder)(&old), &(fix.folder)(&new), facts)?;
    vendor.publish_built(built)?;
    let done = vendor.broadcast()?;
    assert_eq!(done.private.context("a private side")?.documents, 2);
    assert!(!vendor.feed_dir().join("correction").exists());
    Ok(())
}

#[test]
fn what_was_asked_for_in_clear_does_not_go_out_once_it_is_secret() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let fix = &catalog::corrections()[2];
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    let mut facts = vendor.facts(fix)?;
    facts.advisories = vec!["SPACECP-SA-2026-0099".parse()?];
    let built = corrections::build(&(fix.folder)(&before), &(fix.folder)(&after), facts)?;
    vendor.publish_built(built)?;
    vendor.publish_advisory(disclosed("SPACECP-SA-2026-0099", 1)?)?;
    let feed = vendor.feed().clone();
    let [index, _] = signed_elsewhere(&vendor, &folder.path().join("asked"))?;
    // It names the correction, which is as secret as the advisory from now on.
    vendor.publish_advisory(secret(1))?;
    let error = index
        .publish(&PublishService::of(&feed), now())
        .expect_err("it is secret now");
    assert!(
        matches!(&error, RequestError::Feed(FeedError::SecretSince { .. })),
        "{error}"
    );
    assert!(!in_clear(&vendor));
    Ok(())
}

#[test]
fn what_was_signed_by_mistake_is_taken_back_as_long_as_no_panel_has_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let id: DocumentId = catalog::BACKUP.parse()?;
    let kind = DocumentKind::Advisory;
    vendor.publish_advisory(bare(1))?;
    assert_eq!(vendor.signing().discard_pending(kind, &id)?, [1]);
    let done = vendor.broadcast()?;
    assert_eq!(done.private.context("a private side")?.documents, 0);
    // The revision is free again, for other contents.
    let mut other = bare(1);
    other.title = "Another title".to_owned();
    vendor.publish_advisory(other)?;
    vendor.broadcast()?;
    let refused = vendor.signing().discard_pending(kind, &id);
    assert!(
        matches!(&refused, Err(FeedError::NotWaiting { .. })),
        "{refused:?}"
    );
    // Of the next revisions all are: what the newer put right is not to go out either.
    vendor.publish_advisory(bare(2))?;
    vendor.publish_advisory(bare(3))?;
    assert_eq!(vendor.signing().discard_pending(kind, &id)?, [2, 3]);
    assert!(vendor.signing().discard_pending(kind, &id).is_err());
    vendor.publish_advisory(disclosed("SPACECP-SA-2026-0099", 1)?)?;
    vendor.broadcast()?;
    let refused = vendor
        .signing()
        .discard_pending(kind, &"SPACECP-SA-2026-0099".parse()?);
    assert!(
        matches!(&refused, Err(FeedError::NotWaiting { .. })),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn what_was_sealed_with_a_document_that_is_taken_back_does_not_become_current() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(bare(1))?;
    let feed = vendor.feed();
    let [index, _] = signed_elsewhere(&vendor, &folder.path().join("asked"))?;
    vendor
        .signing()
        .discard_pending(DocumentKind::Advisory, &catalog::BACKUP.parse()?)?;
    let error = index
        .publish(&PublishService::of(feed), now())
        .expect_err("it was taken back");
    assert!(
        matches!(&error, RequestError::Feed(FeedError::SealedGone)),
        "{error}"
    );
    let sealed = feed.folder().join("sealed");
    let left = walkdir::WalkDir::new(sealed).into_iter().flatten();
    assert_eq!(left.filter(|entry| entry.file_type().is_file()).count(), 0);
    Ok(())
}

#[test]
fn what_was_sealed_and_is_not_whole_any_more_does_not_become_current() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(bare(1))?;
    let feed = vendor.feed();
    let [index, _] = signed_elsewhere(&vendor, &folder.path().join("asked"))?;
    let Wanted::Index(wanted) = index.wanted() else {
        bail!("the first is the index");
    };
    let bucket = wanted.sealed.as_ref().context("it is sealed")?.buckets[0];
    let file = feed
        .folder()
        .join(FeedPath::sealed(&bucket.digest).as_str());
    let bytes = fs::read(&file)?;
    fs::remove_file(&file)?;
    let error = index
        .publish(&PublishService::of(feed), now())
        .expect_err("a bucket is gone");
    assert!(
        matches!(&error, RequestError::Feed(FeedError::SealedGone)),
        "{error}"
    );
    fs::write(&file, bytes)?;
    index.publish(&PublishService::of(feed), now())?;
    Ok(())
}

#[test]
fn a_request_is_for_its_owner_alone_and_a_folder_with_one_takes_no_other() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(bare(1))?;
    let at = folder.path().join("asked");
    let (plan, index) = vendor.publisher().prepare_broadcast(now(), tomorrow())?;
    requests::refuse_taken(&at, plan.sequence)?;
    let request = requests::write(&at, Wanted::Index(index))?;
    let mode = fs::metadata(request.path())?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let taken = requests::refuse_taken(&at, plan.sequence);
    assert!(
        matches!(&taken, Err(RequestError::Exists(path)) if path == request.path()),
        "{taken:?}"
    );
    Ok(())
}
