//! The desk's record of what it has published: whoever puts the folder or the desk back to an earlier day gets
//! nothing signed, and every way out is explicit.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use spacecp_advisories::trust::Identity;
use spacecp_contract::{Advisory, Digest, DocumentKind, FeedPath, IndexEntry, Role, encode};
use spacecp_publisher::{
    feed::{Feed, FeedError},
    keys::SecretKey,
    publish::{Consent, PublishService},
    record::RecordError,
    recovery::{Reason, Recover},
    roots::{self, Change},
    sign,
    status::Margins,
};
use spacecp_tests::{catalog, vendor::Vendor};
use tempfile::TempDir;

use crate::{
    ceremony::{hours, rotated},
    follower::{Follower, put_back},
    private::{now, secret},
};

/// A vendor with one public and one embargoed document, a panel that reads both, and copies of folder and desk
/// from the day before the last broadcast.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) vendor: Vendor,
    pub(crate) panel: Follower,
}

pub(crate) fn public(number: u32) -> Result<Advisory> {
    let mut advisory = catalog::advisories(now()).remove(2);
    advisory.corrections.clear();
    advisory.id = format!("SPACECP-SA-2026-01{number:02}").parse()?;
    Ok(advisory)
}

impl Stage {
    pub(crate) fn new() -> Result<Self> {
        let folder = spacecp_tests::scratch::folder()?;
        let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, now())?;
        let identity = age::x25519::Identity::generate();
        let recipient = identity.to_public().to_string();
        vendor.panels().enrol("panel", &recipient, now())?;
        let text = age_core::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        let identity: Identity = text.parse()?;
        let mut panel = Follower::new(vendor.pin()?, catalog::AUDIENCE, Some(identity))?;
        vendor.publish_advisory(public(1)?)?;
        vendor.publish_advisory(secret(1))?;
        vendor.broadcast()?;
        put_back(vendor.feed_dir(), &folder.path().join("old feed"))?;
        put_back(&vendor.desk_dir(), &folder.path().join("old desk"))?;
        vendor.publish_advisory(public(2)?)?;
        vendor.broadcast()?;
        panel.sync(vendor.feed_dir(), now())?;
        assert_eq!(panel.sequence(), Some(2));
        Ok(Self {
            folder,
            vendor,
            panel,
        })
    }

    fn roll_back_feed(&self) -> Result<()> {
        put_back(&self.folder.path().join("old feed"), self.vendor.feed_dir())
    }

    pub(crate) fn roll_back_desk(&self) -> Result<()> {
        put_back(
            &self.folder.path().join("old desk"),
            &self.vendor.desk_dir(),
        )
    }

    fn record(&self) -> PathBuf {
        let name = format!("{}.jsonl", catalog::AUDIENCE);
        self.vendor.desk_dir().join("records").join(name)
    }

    pub(crate) fn place(&self, path: &FeedPath) -> PathBuf {
        self.vendor.feed_dir().join(path.as_str())
    }

    /// What every command that signs is refused for, by its name.
    fn refusals(&self) -> Result<Vec<(&'static str, FeedError)>> {
        let (feed, keys) = (self.vendor.feed(), self.vendor.keys());
        let (publisher, signing) = (self.vendor.publisher(), self.vendor.signing());
        let until = now() + hours(24);
        let head = fs::read(self.place(&FeedPath::head())).ok();
        let mut refused = vec![
            (
                "broadcast",
                publisher.broadcast(now(), until, &[&keys.feed]).err(),
            ),
            (
                "refresh",
                publisher.refresh(now(), until, &[&keys.feed]).err(),
            ),
            ("plan", publisher.plan_broadcast(now(), until).err()),
            ("request", publisher.prepare_broadcast(now(), until).err()),
            (
                "sign-again",
                signing
                    .sign_again(DocumentKind::Advisory, &[], &[&keys.advisory])
                    .err(),
            ),
            (
                "advisory sign",
                signing
                    .add(public(9)?, &catalog::AUDIENCE.parse()?, &[&keys.advisory])
                    .err(),
            ),
            (
                "root renew",
                self.renewed().err().and_then(|error| error.downcast().ok()),
            ),
            (
                "unsign",
                signing
                    .discard_pending(DocumentKind::Advisory, &public(9)?.id)
                    .err(),
            ),
            ("tidy", feed.tidy().err()),
            ("disclose", feed.refuse_unpublished().err()),
        ];
        assert_eq!(
            fs::read(self.place(&FeedPath::head())).ok(),
            head,
            "nothing was published"
        );
        refused.retain(|(_, error)| matches!(error, Some(FeedError::Record(_))));
        Ok(refused
            .into_iter()
            .filter_map(|(name, error)| Some((name, error?)))
            .collect())
    }

    fn renewed(&self) -> Result<()> {
        let (feed, key) = (self.vendor.feed(), &self.vendor.keys().root);
        let root = roots::next(
            &*feed.root()?,
            &Change::default(),
            now(),
            now() + hours(24 * 365),
        )?;
        Ok(self.vendor.signing().add_root(&sign::sign(root, &[key])?)?)
    }

    pub(crate) fn recover_feed(&self) -> Result<()> {
        self.vendor
            .recovery()
            .recover(Recover::Feed, &why(), now())?;
        Ok(())
    }

    pub(crate) fn recover_record(&self) -> Result<u64> {
        let keys = [&self.vendor.keys().feed];
        let how = Recover::Record(&keys, now() + hours(24 * 7));
        Ok(self.vendor.recovery().recover(how, &why(), now())?.next)
    }

    pub(crate) fn problems(&self) -> Result<Vec<String>> {
        problems(&self.vendor)
    }
}

/// What status says that wants to be done.
pub(crate) fn problems(vendor: &Vendor) -> Result<Vec<String>> {
    let margins = Margins {
        head: hours(0),
        root: hours(0),
    };
    Ok(vendor.feed().status(now(), margins)?.problems)
}

pub(crate) fn why() -> Reason {
    Reason {
        by: "Ada".to_owned(),
        reason: "restored from the backup of Monday".to_owned(),
        seen: None,
    }
}

/// All commands that are refused, in the order of [`Stage::refusals`].
const ALL: [&str; 10] = [
    "broadcast",
    "refresh",
    "plan",
    "request",
    "sign-again",
    "advisory sign",
    "root renew",
    "unsign",
    "tidy",
    "disclose",
];

/// Those that look at every document.
const THOROUGH: [&str; 6] = [
    "broadcast",
    "refresh",
    "plan",
    "request",
    "sign-again",
    "disclose",
];

fn assert_refused(
    stage: &Stage,
    commands: &[&str],
    is_it: impl Fn(&RecordError) -> bool,
) -> Result<()> {
    let refusals = stage.refusals()?;
    let names: Vec<&str> = refusals.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, commands);
    for (name, error) in &refusals {
        let FeedError::Record(error) = error else {
            anyhow::bail!("{name}: {error}");
        };
        assert!(is_it(error), "{name}: {error:?}");
    }
    let problems = stage.problems()?;
    assert!(!problems.is_empty(), "status says so, too");
    Ok(())
}

#[test]
fn a_published_folder_that_was_put_back_to_an_earlier_day_is_refused_by_every_command_that_signs()
-> Result<()> {
    let stage = Stage::new()?;
    stage.roll_back_feed()?;
    assert_refused(&stage, &ALL, |error| {
        matches!(
            error,
            RecordError::FeedRolledBack {
                recorded: 2,
                found: Some(1),
                ..
            }
        )
    })
}

#[test]
fn a_folder_whose_head_and_index_were_deleted_does_not_begin_again() -> Result<()> {
    let stage = Stage::new()?;
    fs::remove_file(stage.place(&FeedPath::head()))?;
    fs::remove_dir_all(stage.vendor.feed_dir().join("index"))?;
    assert_refused(&stage, &ALL, |error| {
        matches!(
            error,
            RecordError::FeedRolledBack {
                recorded: 2,
                found: None,
                ..
            }
        )
    })
}

#[test]
fn a_head_or_an_index_with_other_contents_is_refused() -> Result<()> {
    for path in [FeedPath::head(), FeedPath::index(2)] {
        let stage = Stage::new()?;
        fs::write(stage.place(&path), "x")?;
        assert_refused(
            &stage,
            &ALL,
            |error| matches!(error, RecordError::Replaced { path: found, .. } if *found == stage.place(&path)),
        )?;
    }
    Ok(())
}

#[test]
fn a_root_that_was_deleted_is_missed() -> Result<()> {
    let stage = Stage::new()?;
    stage.renewed()?;
    fs::remove_file(stage.place(&FeedPath::root(2)))?;
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::RootRolledBack { version: 2, .. })
    })
}

#[test]
fn a_public_document_that_was_deleted_or_changed_is_named() -> Result<()> {
    let path = FeedPath::document(DocumentKind::Advisory, &public(1)?.id, 1);
    for change in [
        |path: &Path| fs::remove_file(path),
        |path: &Path| fs::write(path, "x"),
    ] {
        let stage = Stage::new()?;
        change(&stage.place(&path))?;
        assert_refused(
            &stage,
            &THOROUGH,
            |error| matches!(error, RecordError::Damaged { path: found, .. } if *found == stage.place(&path)),
        )?;
    }
    Ok(())
}

#[test]
fn a_sealed_file_that_was_deleted_is_named() -> Result<()> {
    let stage = Stage::new()?;
    let index = stage.vendor.feed().index(2)?;
    let sealed = FeedPath::sealed(&index.sealed.context("a private side")?.index.digest);
    fs::remove_file(stage.place(&sealed))?;
    assert_refused(
        &stage,
        &THOROUGH,
        |error| matches!(error, RecordError::Damaged { path, .. } if *path == stage.place(&sealed)),
    )
}

#[test]
fn an_embargoed_document_that_the_desk_has_lost_is_named() -> Result<()> {
    let stage = Stage::new()?;
    let waiting = stage
        .vendor
        .waiting_dir()
        .join("advisory")
        .join(catalog::BACKUP);
    fs::remove_dir_all(&waiting)?;
    assert_refused(
        &stage,
        &THOROUGH,
        |error| matches!(error, RecordError::Damaged { path, .. } if path.ends_with("1")),
    )
}

#[test]
fn a_desk_that_was_restored_from_a_backup_is_refused_until_it_recovers_from_the_feed() -> Result<()>
{
    let mut stage = Stage::new()?;
    stage.roll_back_desk()?;
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::DeskRolledBack { .. })
    })?;
    stage.recover_feed()?;
    let consent = Consent {
        seal_anew: true,
        recipients: ["panel".to_owned()].into(),
        ..Consent::default()
    };
    let publisher = stage.vendor.publisher().with_consent(consent);
    let done = publisher.broadcast(now(), now() + hours(24), &[&stage.vendor.keys().feed])?;
    assert_eq!((done.sequence, done.documents), (3, 2));
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(3));
    assert_eq!(stage.panel.private(), [catalog::BACKUP]);
    Ok(())
}

#[test]
fn a_desk_without_a_record_asks_before_it_goes_on_with_a_published_folder() -> Result<()> {
    let stage = Stage::new()?;
    fs::remove_file(stage.record())?;
    fs::remove_file(stage.vendor.waiting_dir().join("sealed.json"))?;
    assert_refused(
        &stage,
        &ALL,
        |error| matches!(error, RecordError::Missing { record, .. } if *record == stage.record()),
    )?;
    stage.recover_feed()?;
    assert!(stage.record().exists());
    Ok(())
}

#[test]
fn a_desk_of_before_there_was_a_record_goes_on_where_its_memory_of_what_it_sealed_fits()
-> Result<()> {
    let mut stage = Stage::new()?;
    fs::remove_file(stage.record())?;
    assert!(stage.vendor.feed().tidy()?.adopted);
    assert_eq!(stage.vendor.broadcast()?.sequence, 3);
    // That memory vouches for no other head.
    fs::remove_file(stage.record())?;
    stage.roll_back_feed()?;
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::Missing { .. })
    })
}

#[test]
fn recovering_from_the_record_publishes_what_it_lists_above_every_sequence_and_panels_follow()
-> Result<()> {
    let mut stage = Stage::new()?;
    stage.renewed()?;
    stage.roll_back_feed()?;
    assert_eq!(stage.recover_record()?, 3);
    assert_eq!(
        stage.vendor.feed().root()?.version,
        2,
        "root 2 was put back"
    );
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(3));
    assert_eq!(stage.panel.private(), [catalog::BACKUP]);
    assert_eq!(stage.problems()?, [""; 0]);
    assert_eq!(stage.vendor.broadcast()?.sequence, 4);
    Ok(())
}

#[test]
fn a_folder_that_was_emptied_is_published_again_from_the_record() -> Result<()> {
    let mut stage = Stage::new()?;
    fs::remove_dir_all(stage.vendor.feed_dir())?;
    assert_eq!(stage.recover_record()?, 3);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(3));
    Ok(())
}

#[test]
fn a_sequence_that_a_panel_reports_is_jumped_over() -> Result<()> {
    let mut stage = Stage::new()?;
    let seen = Reason {
        seen: Some(40),
        ..why()
    };
    stage
        .vendor
        .recovery()
        .recover(Recover::Feed, &seen, now())?;
    assert_eq!(stage.vendor.broadcast()?.sequence, 41);
    Ok(())
}

#[test]
fn a_recovery_says_what_is_lost_and_stays_in_the_record_with_who_and_why() -> Result<()> {
    let stage = Stage::new()?;
    stage.roll_back_feed()?;
    let planned = stage.vendor.recovery().plan(Recover::Feed, None)?;
    assert_eq!(
        (planned.recorded, planned.found, planned.next),
        (Some(2), Some(1), 3)
    );
    assert_eq!(
        planned.lost,
        [format!("advisory {} revision 1", public(2)?.id)]
    );
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::FeedRolledBack { .. })
    })?;
    stage.recover_feed()?;
    let text = fs::read_to_string(stage.record())?;
    let line = text
        .lines()
        .find(|line| line.contains("\"line\":\"recovery\""));
    let line: serde_json::Value = serde_json::from_str(line.context("it is recorded")?)?;
    assert_eq!(line["by"], "Ada");
    assert_eq!(line["reason"], "restored from the backup of Monday");
    assert_eq!(line["before"]["sequence"], 2);
    Ok(())
}

#[test]
fn roots_that_contradict_each_other_are_not_united_by_a_recovery() -> Result<()> {
    let stage = Stage::new()?;
    stage.renewed()?;
    let other = roots::next(
        &stage.vendor.feed().roots()?.remove(0),
        &Change::default(),
        now() + hours(1),
        now() + hours(24 * 30),
    )?;
    let other = sign::sign(other, &[&stage.vendor.keys().root])?;
    fs::write(stage.place(&FeedPath::root(2)), &other.bytes)?;
    fs::write(
        stage.place(&FeedPath::root(2).signatures()),
        &other.signatures,
    )?;
    let error = stage.recover_feed().expect_err("there are two roots 2");
    let error: FeedError = error.downcast()?;
    assert!(
        matches!(
            error,
            FeedError::Record(RecordError::Forked { version: 2, .. })
        ),
        "{error}"
    );
    Ok(())
}

/// Puts an advisory into the published folder that a stolen key has signed.
pub(crate) fn plant(stage: &Stage, advisory: &Advisory, key: &SecretKey) -> Result<()> {
    let signed = sign::sign(advisory.clone(), &[key])?;
    let path = FeedPath::document(DocumentKind::Advisory, &advisory.id, advisory.revision);
    let place = stage.place(&path);
    fs::create_dir_all(place.parent().context("it lies in a folder")?)?;
    fs::write(&place, &signed.bytes)?;
    fs::write(stage.place(&path.signatures()), &signed.signatures)?;
    Ok(())
}

#[test]
fn what_a_stolen_key_signed_is_neither_signed_again_nor_broadcast_and_status_names_it() -> Result<()>
{
    let mut stage = Stage::new()?;
    let stolen = &stage.vendor.keys().advisory;
    plant(&stage, &public(66)?, stolen)?;
    let mut newer = public(1)?;
    newer.revision = 2;
    newer.title = "planted".to_owned();
    plant(&stage, &newer, stolen)?;
    let named = stage.problems()?;
    assert_eq!(
        named
            .iter()
            .filter(|one| one.contains("not published from this working directory"))
            .count(),
        2
    );
    let new = SecretKey::generate()?;
    rotated(&stage.vendor, Role::Advisory, stolen, &new)?;
    let again = stage
        .vendor
        .signing()
        .sign_again(DocumentKind::Advisory, &[], &[&new])?;
    let ids: Vec<String> = again
        .iter()
        .map(|(id, revision)| format!("{id} {revision}"))
        .collect();
    let listed = [
        format!("{} 1", public(1)?.id),
        format!("{} 1", public(2)?.id),
        format!("{} 1", catalog::BACKUP),
    ];
    assert_eq!(ids, listed);
    let signing = stage.vendor.signing();
    let refused = signing.sign_again(DocumentKind::Advisory, &[public(66)?.id], &[&new]);
    assert!(
        matches!(
            &refused,
            Err(FeedError::Record(RecordError::NoSuchDocument { .. }))
        ),
        "{refused:?}"
    );
    let done = stage.vendor.broadcast()?;
    assert_eq!((done.documents, done.news), (2, Vec::new()));
    Ok(())
}

#[test]
fn a_payload_in_the_published_folder_with_other_contents_is_named_by_status() -> Result<()> {
    let stage = Stage::new()?;
    let [genuine, spoiled, pipe] =
        [&b"genuine"[..], b"spoiled", b"pipe"].map(|bytes| FeedPath::blob(&Digest::of(bytes)));
    for (path, contents) in [(&genuine, "genuine"), (&spoiled, "something else")] {
        let place = stage.place(path);
        fs::create_dir_all(place.parent().context("it lies in a folder")?)?;
        fs::write(place, contents)?;
    }
    let at = stage.place(&pipe);
    fs::create_dir_all(at.parent().context("it lies in a folder")?)?;
    mknodat(CWD, &at, FileType::Fifo, Mode::RUSR, 0)?;
    let problems = stage.problems()?;
    let named = |path: &FeedPath| {
        let path = stage.place(path).display().to_string();
        problems.iter().any(|problem| problem.starts_with(&path))
    };
    assert!(named(&spoiled) && named(&pipe), "{problems:?}");
    assert!(!named(&genuine), "{problems:?}");
    Ok(())
}

/// Puts a head and an index into the folder that list these documents beside the published ones.
pub(crate) fn plant_head(
    stage: &Stage,
    key: &SecretKey,
    sequence: u64,
    root_version: u64,
    listed: &[&Advisory],
) -> Result<()> {
    let mut index = stage.vendor.feed().index(2)?;
    index.sequence = sequence;
    for advisory in listed {
        let bytes = encode(*advisory);
        index.documents.push(IndexEntry {
            kind: DocumentKind::Advisory,
            id: advisory.id.clone(),
            revision: advisory.revision,
            digest: Digest::of(&bytes),
            length: bytes.len() as u64,
        });
    }
    let index = sign::sign(index, &[key])?;
    let mut head = stage.vendor.feed().head()?.context("a head")?;
    (head.sequence, head.root_version) = (sequence, root_version);
    (head.index, head.index_length) = (Digest::of(&index.bytes), index.bytes.len() as u64);
    let head = sign::sign(head, &[key])?;
    for (path, bytes, signatures) in [
        (FeedPath::index(sequence), index.bytes, index.signatures),
        (FeedPath::head(), head.bytes, head.signatures),
    ] {
        fs::write(stage.place(&path), bytes)?;
        fs::write(stage.place(&path.signatures()), signatures)?;
    }
    Ok(())
}

/// Revokes the feed key with a root that starts sequences afresh; gives the new key.
pub(crate) fn revoked_afresh(stage: &Stage) -> Result<SecretKey> {
    let new = SecretKey::generate()?;
    let keys = stage.vendor.keys();
    let change = Change {
        given: vec![(Role::Feed, new.public().clone())],
        taken: vec![(None, keys.feed.public().to_base64())],
        afresh: true,
        ..Change::default()
    };
    let feed = stage.vendor.feed();
    let root = roots::next(&*feed.root()?, &change, now(), now() + hours(24 * 365))?;
    let signing = stage.vendor.signing();
    signing.add_root(&sign::sign(root, &[&keys.root])?)?;
    Ok(new)
}

#[test]
fn a_thief_who_stops_just_below_the_last_sequence_does_not_use_up_those_of_the_next_epoch()
-> Result<()> {
    let mut stage = Stage::new()?;
    let thief = &stage.vendor.keys().feed;
    plant_head(&stage, thief, u64::MAX - 1, 1, &[])?;
    let new = revoked_afresh(&stage)?;
    let feed = stage.vendor.feed();
    let first = PublishService::of(feed).broadcast(now(), now() + hours(24), &[&new])?;
    assert_eq!(first.sequence, 1);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    plant_head(&stage, thief, u64::MAX - 1, 1, &[])?;
    let keys = [&new];
    let how = Recover::Record(&keys, now() + hours(24));
    assert_eq!(stage.vendor.recovery().recover(how, &why(), now())?.next, 2);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(2));
    Ok(())
}

#[test]
fn a_refresh_after_a_root_that_starts_afresh_says_what_the_record_lists_on_both_sides() -> Result<()>
{
    let mut stage = Stage::new()?;
    plant_head(&stage, &stage.vendor.keys().feed, u64::MAX, 1, &[])?;
    let new = revoked_afresh(&stage)?;
    stage.vendor.publish_advisory(public(3)?)?;
    let feed = stage.vendor.feed();
    let done = PublishService::of(feed).refresh(now(), now() + hours(24), &[&new])?;
    assert_eq!((done.sequence, done.documents), (1, 2));
    assert_eq!(done.news, []);
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.private(), [catalog::BACKUP]);
    Ok(())
}

#[test]
fn a_head_that_only_a_revoked_key_signed_is_not_recovered_from() -> Result<()> {
    let stage = Stage::new()?;
    let keys = stage.vendor.keys();
    let (feed_key, advisory_key) = (SecretKey::generate()?, SecretKey::generate()?);
    rotated(&stage.vendor, Role::Feed, &keys.feed, &feed_key)?;
    rotated(&stage.vendor, Role::Advisory, &keys.advisory, &advisory_key)?;
    let forged = public(66)?;
    plant(&stage, &forged, &keys.advisory)?;
    plant_head(&stage, &keys.feed, 3, 1, &[&forged])?;
    let record = fs::read(stage.record())?;
    let refused: FeedError = stage
        .recover_feed()
        .expect_err("no root in use accepts it")
        .downcast()?;
    assert!(
        matches!(
            refused,
            FeedError::Record(RecordError::NotVouched {
                sequence: 3,
                version: 3,
                ..
            })
        ),
        "{refused:?}"
    );
    assert_eq!(fs::read(stage.record())?, record);
    Ok(())
}

#[test]
fn a_head_of_a_revoked_key_does_not_make_the_desk_look_older_than_it_is() -> Result<()> {
    let mut stage = Stage::new()?;
    let new = SecretKey::generate()?;
    let thief = &stage.vendor.keys().feed;
    rotated(&stage.vendor, Role::Feed, thief, &new)?;
    plant_head(&stage, thief, 3, 1, &[])?;
    assert_refused(&stage, &ALL, |error| {
        matches!(
            error,
            RecordError::NotVouched {
                sequence: 3,
                version: 2,
                ..
            }
        )
    })?;
    let keys = [&new];
    let how = Recover::Record(&keys, now() + hours(24));
    assert_eq!(stage.vendor.recovery().recover(how, &why(), now())?.next, 4);
    let publisher = stage.vendor.publisher();
    publisher.broadcast(now(), now() + hours(24), &keys)?;
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(5));
    assert_eq!(stage.problems()?, [] as [String; 0]);
    // With a key that has the role still, it is the desk that is older.
    plant_head(&stage, &new, 6, 2, &[])?;
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::DeskRolledBack { .. })
    })
}

#[test]
fn the_recorded_head_is_recovered_from_although_its_key_was_exchanged_since() -> Result<()> {
    let stage = Stage::new()?;
    let new = SecretKey::generate()?;
    rotated(&stage.vendor, Role::Feed, &stage.vendor.keys().feed, &new)?;
    stage.recover_feed()
}

#[test]
fn a_recovery_from_the_feed_lists_and_records_the_documents_that_the_desk_did_not_know()
-> Result<()> {
    let stage = Stage::new()?;
    stage.roll_back_desk()?;
    let new = [format!("advisory {} revision 1", public(2)?.id)];
    let planned = stage.vendor.recovery().plan(Recover::Feed, None)?;
    assert_eq!(planned.gained, new);
    stage.recover_feed()?;
    let text = fs::read_to_string(stage.record())?;
    let line = text
        .lines()
        .find(|line| line.contains("\"line\":\"recovery\""));
    let line: serde_json::Value = serde_json::from_str(line.context("it is recorded")?)?;
    assert_eq!(line["gained"][0], new[0]);
    Ok(())
}

#[test]
fn a_damaged_signature_file_is_named_and_recovering_from_the_record_puts_it_back() -> Result<()> {
    let mut stage = Stage::new()?;
    let path = FeedPath::document(DocumentKind::Advisory, &public(1)?.id, 1).signatures();
    let genuine = fs::read(stage.place(&path))?;
    fs::write(stage.place(&path), "x")?;
    assert_refused(
        &stage,
        &THOROUGH,
        |error| matches!(error, RecordError::Damaged { path: found, .. } if *found == stage.place(&path)),
    )?;
    assert_eq!(stage.recover_record()?, 3);
    assert_eq!(fs::read(stage.place(&path))?, genuine);
    assert_eq!(stage.problems()?, [""; 0]);
    assert_eq!(stage.vendor.broadcast()?.sequence, 4);
    Ok(())
}

/// The record while a broadcast goes on, given the one before it and the one after it.
fn interrupted(recorded: &str, published: &str) -> String {
    let first = published.lines().take(1).map(str::to_owned);
    let current = recorded.lines().skip(1).map(str::to_owned);
    let state = "\"state\":\"current\"";
    let pending = published.lines().filter(|line| line.contains(state));
    let pending = pending.map(|line| line.replace(state, "\"state\":\"pending\""));
    let lines: Vec<String> = first.chain(current).chain(pending).collect();
    lines.join("\n") + "\n"
}

/// Broadcasts a third advisory, and puts everything back to where it was just before its head was written.
fn interrupt_broadcast(stage: &mut Stage) -> Result<Advisory> {
    let head = stage.place(&FeedPath::head());
    let signatures = stage.place(&FeedPath::head().signatures());
    let ledger = stage.vendor.waiting_dir().join("sealed.json");
    let files = [head, signatures, ledger];
    let advisory = public(3)?;
    stage.vendor.publish_advisory(advisory.clone())?;
    let before: Vec<Vec<u8>> = files.iter().map(fs::read).collect::<Result<_, _>>()?;
    let recorded = fs::read_to_string(stage.record())?;
    stage.vendor.broadcast()?;
    let published = fs::read_to_string(stage.record())?;
    fs::write(stage.record(), interrupted(&recorded, &published))?;
    for (path, bytes) in files.iter().zip(before) {
        fs::write(path, bytes)?;
    }
    Ok(advisory)
}

#[test]
fn what_an_interrupted_broadcast_left_in_the_folder_comes_back_only_if_it_is_genuine() -> Result<()>
{
    for was_released in [true, false] {
        let mut stage = Stage::new()?;
        let advisory = interrupt_broadcast(&mut stage)?;
        let path = FeedPath::document(DocumentKind::Advisory, &advisory.id, 1);
        let waiting = stage.vendor.waiting_dir();
        let (waiting, beside) = (
            waiting.join(path.as_str()),
            waiting.join(path.signatures().as_str()),
        );
        let signatures = fs::read(stage.place(&path.signatures()))?;
        if !was_released {
            fs::create_dir_all(waiting.parent().context("it lies in a folder")?)?;
            fs::rename(stage.place(&path), &waiting)?;
            fs::rename(stage.place(&path.signatures()), &beside)?;
        }
        let mut forged = advisory.clone();
        forged.title = "forged".to_owned();
        plant(&stage, &forged, &stage.vendor.keys().advisory)?;
        assert_eq!(stage.vendor.feed().tidy()?.taken_back, Some(3));
        assert_eq!(fs::read(&waiting)?, encode(&advisory));
        assert_eq!(fs::read(&beside)?, signatures);
        assert_eq!(fs::read(stage.place(&path))?, encode(&forged));
        let named = stage.problems()?;
        assert!(
            named
                .iter()
                .any(|one| one.contains("not published from this working directory")),
            "{named:?}"
        );
        assert_eq!(stage.vendor.broadcast()?.documents, 3);
        assert_eq!(fs::read(stage.place(&path))?, encode(&advisory));
    }
    Ok(())
}

#[test]
fn a_recovery_from_the_feed_puts_what_an_interrupted_broadcast_took_back_into_the_desk()
-> Result<()> {
    let mut stage = Stage::new()?;
    let advisory = interrupt_broadcast(&mut stage)?;
    let path = FeedPath::document(DocumentKind::Advisory, &advisory.id, 1);
    stage.recover_feed()?;
    assert!(!stage.place(&path).exists());
    let done = stage.vendor.broadcast()?;
    assert_eq!((done.sequence, done.documents), (4, 3));
    Ok(())
}

#[test]
fn a_recovery_keeps_what_a_command_published_that_was_killed_right_after() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.vendor.publish_advisory(public(3)?)?;
    let recorded = fs::read_to_string(stage.record())?;
    stage.vendor.broadcast()?;
    let published = fs::read_to_string(stage.record())?;
    fs::write(stage.record(), interrupted(&recorded, &published))?;
    assert_eq!(stage.recover_record()?, 4);
    assert_eq!(stage.vendor.feed().index(4)?.documents.len(), 3);
    Ok(())
}

#[test]
fn after_a_stolen_feed_key_a_root_that_starts_afresh_overrules_what_the_thief_published()
-> Result<()> {
    let mut stage = Stage::new()?;
    let keys = stage.vendor.keys();
    let thief = &keys.feed;
    plant(&stage, &public(66)?, &keys.advisory)?;
    plant_head(&stage, thief, u64::MAX, 1, &[])?;
    assert_refused(&stage, &ALL, |error| {
        matches!(error, RecordError::DeskRolledBack { .. })
    })?;
    let new = revoked_afresh(&stage)?;
    let feed = stage.vendor.feed();
    let done = PublishService::of(feed).broadcast(now(), now() + hours(24), &[&new])?;
    assert_eq!((done.sequence, done.documents), (1, 2));
    stage.panel.sync(stage.vendor.feed_dir(), now())?;
    assert_eq!(stage.panel.sequence(), Some(1));
    Ok(())
}

#[test]
fn what_waits_for_its_first_broadcast_is_signed_again_only_if_it_is_asked_for() -> Result<()> {
    let mut stage = Stage::new()?;
    stage.vendor.publish_advisory(public(3)?)?;
    let new = SecretKey::generate()?;
    rotated(
        &stage.vendor,
        Role::Advisory,
        &stage.vendor.keys().advisory,
        &new,
    )?;
    let refused = stage
        .vendor
        .signing()
        .sign_again(DocumentKind::Advisory, &[], &[&new]);
    let id = public(3)?.id;
    assert!(
        matches!(&refused, Err(FeedError::Record(RecordError::NotListed { id: found, .. })) if *found == id),
        "{refused:?}"
    );
    let signing = stage.vendor.signing();
    let again = signing.sign_again(DocumentKind::Advisory, &[id], &[&new])?;
    assert_eq!(again.len(), 4);
    assert_eq!(stage.vendor.broadcast()?.documents, 3);
    Ok(())
}

#[test]
fn a_head_that_an_entitled_panel_would_refuse_is_not_published() -> Result<()> {
    let stage = Stage::new()?;
    let index = stage.vendor.feed().index(2)?;
    let sealed = index.sealed.context("a private side")?.index;
    // As long as it was, so that only who opens it notices.
    let place = stage.place(&FeedPath::sealed(&sealed.digest));
    fs::write(&place, vec![0; usize::try_from(sealed.length)?])?;
    let head = fs::read(stage.place(&FeedPath::head()))?;
    let feed = stage.vendor.feed();
    let refused =
        PublishService::of(feed).refresh(now(), now() + hours(24), &[&stage.vendor.keys().feed]);
    assert!(
        matches!(&refused, Err(FeedError::Refused { .. })),
        "{refused:?}"
    );
    assert_eq!(fs::read(stage.place(&FeedPath::head()))?, head);
    Ok(())
}

#[test]
fn a_head_that_every_panel_would_refuse_is_not_published() -> Result<()> {
    let stage = Stage::new()?;
    let path = FeedPath::document(DocumentKind::Advisory, &public(1)?.id, 1);
    fs::remove_file(stage.place(&path.signatures()))?;
    // The desk has no better ones, either.
    let copies = stage.vendor.desk_dir().join("published");
    let copy = copies
        .join(catalog::AUDIENCE)
        .join(path.signatures().as_str());
    fs::remove_file(copy)?;
    let feed = stage.vendor.feed();
    let refused =
        PublishService::of(feed).refresh(now(), now() + hours(24), &[&stage.vendor.keys().feed]);
    assert!(
        matches!(
            &refused,
            Err(FeedError::Refused { .. } | FeedError::Unfollowable { .. })
        ),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_feed_without_a_desk_is_not_published() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, now())?;
    vendor.publish_advisory(public(1)?)?;
    vendor.broadcast()?;
    let feed = Feed::at(vendor.feed_dir());
    let refused =
        PublishService::of(&feed).refresh(now(), now() + hours(24), &[&vendor.keys().feed]);
    assert!(
        matches!(&refused, Err(FeedError::Record(RecordError::Deskless(_)))),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn the_record_lists_digests_and_ids_and_no_text_under_embargo() -> Result<()> {
    let stage = Stage::new()?;
    let text = fs::read_to_string(stage.record())?;
    assert!(text.contains(&Digest::of(&encode(&secret(1))).to_string()));
    assert!(!text.contains(&secret(1).title));
    assert!(!text.contains("AGE-SECRET-KEY"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(stage.record())?.permissions());
    assert_eq!(mode & 0o777, 0o600);
    Ok(())
}

#[test]
fn a_record_that_somebody_edited_badly_is_refused_with_its_line() -> Result<()> {
    let stage = Stage::new()?;
    let text = fs::read_to_string(stage.record())?;
    fs::write(stage.record(), text.replace("\"index\"", "\"inde\""))?;
    let refused = stage.vendor.feed().tidy();
    assert!(
        matches!(&refused, Err(FeedError::Record(RecordError::Format { .. }))),
        "{refused:?}"
    );
    Ok(())
}
