//! Panels that may read what is under embargo, and what the desk refuses to let out.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use spacecp_contract::{Advisory, DocumentId, FeedPath, Tlp};
use spacecp_publisher::{
    feed::{Feed, FeedError},
    panels::{PanelError, Panels},
    publish::PublishService,
    requests::{self, Request, Wanted},
    signing::SigningService,
    status::Margins,
};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};

/// The recipient of a panel.
pub(crate) const ONE: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

pub(crate) fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().expect("a time")
}

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

/// A recipient that nobody has seen before.
fn another() -> String {
    age::x25519::Identity::generate().to_public().to_string()
}

/// The advisory of the demo that is under embargo, without its correction.
pub(crate) fn secret(revision: u64) -> Advisory {
    let mut secret = catalog::advisories(now()).remove(3);
    secret.corrections.clear();
    secret.revision = revision;
    secret
}

fn disclosed(revision: u64) -> Advisory {
    let mut disclosed = secret(revision);
    disclosed.tlp = Tlp::Clear;
    disclosed.embargo_until = None;
    disclosed
}

/// A vendor with a panel that reads what is under embargo.
pub(crate) fn vendor(folder: &Path) -> Result<Vendor> {
    let vendor = Vendor::new(folder, catalog::AUDIENCE, now())?;
    vendor.panels().enrol("panel", ONE, now())?;
    Ok(vendor)
}

/// What a broadcast is refused for.
fn refused(vendor: &mut Vendor) -> Result<FeedError> {
    let refused = vendor.broadcast().map(|done| format!("{done:?}"));
    let error = refused.expect_err("it was broadcast");
    error.downcast().context("the feed refused it")
}

#[test]
fn a_panel_is_enrolled_revoked_and_enrolled_anew_with_its_history() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let panels = Panels::of_desk(folder.path());
    assert_eq!(panels.list()?, []);
    panels.enrol("node-7", ONE, now())?;
    panels.revoke("node-7", "its disk was lost", now() + hours(1))?;
    let next = another();
    let panel = panels.enrol("node-7", &next, now() + hours(2))?;
    assert_eq!((panel.recipient.as_str(), panel.revoked), (&*next, None));
    assert_eq!(panel.former[0].recipient, ONE);
    assert_eq!(panel.former[0].reason, "its disk was lost");
    assert_eq!(panels.list()?, [panel]);
    let file = folder.path().join("panels/node-7.toml");
    assert_eq!(fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    Ok(())
}

#[test]
fn names_recipients_and_reasons_are_refused_by_name() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let panels = Panels::of_desk(folder.path());
    let enrol = |name: &str, recipient: &str| panels.enrol(name, recipient, now()).map(drop);
    enrol("one", ONE)?;
    assert!(matches!(enrol("one", &another()), Err(PanelError::Taken(name)) if name == "one"));
    assert!(matches!(
        enrol("two", ONE),
        Err(PanelError::Enrolled { name, .. }) if name == "one"
    ));
    for name in ["", "../one", "One", "a b", &"x".repeat(65)] {
        let refused = enrol(name, &another());
        assert!(matches!(refused, Err(PanelError::Name(_))), "{name:?}");
    }
    for strange in ["age1", "node-7", &ONE.to_uppercase(), &format!("{ONE} ")] {
        let refused = enrol("two", strange);
        assert!(
            matches!(refused, Err(PanelError::NotARecipient { .. })),
            "{strange:?}"
        );
    }
    // Every broadcast would come to grief over it.
    let zero = format!("age1{}5cu47z", "q".repeat(52));
    let error = enrol("two", &zero).expect_err("it has a small order");
    assert!(error.to_string().contains("small order"), "{error}");
    let secret = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";
    let error = enrol("two", secret).expect_err("it is the secret half");
    assert!(matches!(error, PanelError::Secret));
    assert!(!error.to_string().contains("1GQ9778"), "{error}");
    let revoke = |name: &str, reason: &str| panels.revoke(name, reason, now()).map(drop);
    assert!(matches!(revoke("two", "why"), Err(PanelError::Unknown(_))));
    assert!(matches!(revoke("one", " "), Err(PanelError::NoReason(_))));
    revoke("one", "it was sold")?;
    assert!(matches!(
        revoke("one", "again"),
        Err(PanelError::Again { .. })
    ));
    let error = enrol("two", ONE).expect_err("it was revoked");
    let words = error.to_string();
    assert!(words.contains("as one: it was sold"), "{words}");
    enrol("one", &another())?;
    let error = enrol("two", ONE).expect_err("it was revoked once");
    assert!(matches!(error, PanelError::Revoked { .. }), "{error}");
    Ok(())
}

#[test]
fn a_registry_that_somebody_edited_badly_is_refused_with_its_file() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let panels = Panels::of_desk(folder.path());
    panels.enrol("one", ONE, now())?;
    let file = folder.path().join("panels/one.toml");
    let honest = fs::read_to_string(&file)?;
    for (bad, words) in [
        (
            honest.replace("\"one\"", "\"other\""),
            "it names itself other",
        ),
        (honest.replace("age1", "age2"), "invalid recipient"),
        (format!("{honest}colour = \"red\"\n"), "colour"),
        (
            format!("{honest}revoked = \"{}\"\n", now()),
            "a date and a reason",
        ),
    ] {
        fs::write(&file, bad)?;
        let error = panels.list().expect_err("it is no panel").to_string();
        assert!(error.contains("panels/one.toml"), "{error}");
        assert!(error.contains(words), "{error}");
    }
    Ok(())
}

#[test]
fn a_feed_without_a_desk_takes_nothing_under_embargo() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let feed = Feed::at(vendor.feed_dir());
    let audience = catalog::AUDIENCE.parse()?;
    let refused = SigningService::of(&feed).add(secret(1), &audience, &[&vendor.keys().advisory]);
    assert!(
        matches!(
            &refused,
            Err(FeedError::NoDesk {
                tlp: Tlp::AmberStrict,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(!vendor.feed_dir().join("advisory").exists());
    Ok(())
}

#[test]
fn only_the_desk_that_sealed_a_private_side_goes_on_with_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.broadcast()?;
    let feed = Feed::at(vendor.feed_dir());
    let refused =
        PublishService::of(&feed).broadcast(now(), now() + hours(24), &[&vendor.keys().feed]);
    assert!(
        matches!(refused, Err(FeedError::SealedElsewhere(_))),
        "{refused:?}"
    );
    let refused =
        PublishService::of(&feed).refresh(now(), now() + hours(24), &[&vendor.keys().feed]);
    assert!(
        matches!(refused, Err(FeedError::SealedElsewhere(_))),
        "nor does a timer: {refused:?}"
    );
    Ok(())
}

#[test]
fn what_lies_in_the_feed_in_clear_is_not_called_secret() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(secret(1))?;
    let path = FeedPath::document(
        spacecp_contract::DocumentKind::Advisory,
        &catalog::BACKUP.parse()?,
        1,
    );
    let desk = vendor.waiting_dir();
    let there = vendor.feed_dir().join(path.as_str());
    fs::create_dir_all(there.parent().context("it lies in a folder")?)?;
    fs::copy(desk.join(path.as_str()), &there)?;
    let error = refused(&mut vendor)?;
    assert!(
        matches!(&error, FeedError::InClear { path, .. } if *path == there),
        "{error}"
    );
    fs::remove_file(there)?;
    vendor.broadcast()?;
    Ok(())
}

#[test]
fn what_is_public_is_not_put_under_embargo_again() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(disclosed(1))?;
    vendor.broadcast()?;
    let signed = vendor.publish_advisory(secret(2));
    let error: FeedError = signed.expect_err("it is known").downcast()?;
    assert!(
        matches!(
            error,
            FeedError::KnownAlready {
                public: 1,
                revision: 2,
                ..
            }
        ),
        "{error}"
    );
    // Nothing is in the way of the others.
    vendor.broadcast()?;
    Ok(())
}

#[test]
fn a_public_advisory_names_no_correction_of_a_secret() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    vendor.publish_correction(&catalog::corrections()[2], &before, &after)?;
    vendor.publish_advisory(secret(1))?;
    let mut public = disclosed(1);
    public.id = "SPACECP-SA-2026-0099".parse()?;
    public.corrections = vec![DocumentId::new(catalog::BACKUP_CORRECTION)?];
    vendor.publish_advisory(public)?;
    let error = refused(&mut vendor)?;
    assert!(matches!(&error, FeedError::TellsOf { .. }), "{error}");
    Ok(())
}

/// What another machine was asked to sign for the next broadcast, and has signed: the index and its head.
pub(crate) fn signed_elsewhere(vendor: &Vendor, at: &Path) -> Result<[Request; 2]> {
    let publisher = vendor.publisher();
    let (plan, index) = publisher.prepare_broadcast(now(), now() + hours(24))?;
    let head = publisher.planned_head(&plan, &index, now())?;
    let both = [
        requests::write(at, Wanted::Index(index))?,
        requests::write(at, Wanted::Head(head))?,
    ];
    for request in &both {
        request.sign(&[&vendor.keys().feed])?;
    }
    Ok(both)
}

#[test]
fn what_was_sealed_for_a_panel_that_is_revoked_meanwhile_does_not_become_current() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.panels().enrol("stolen", &another(), now())?;
    vendor.publish_advisory(secret(1))?;
    let requests = signed_elsewhere(&vendor, &folder.path().join("before"))?;
    vendor.panels().revoke("stolen", "it was stolen", now())?;
    let refused = requests[0].publish(&vendor.publisher(), now());
    let error = refused
        .expect_err("it is still for the stolen one")
        .to_string();
    assert!(
        error.contains("after this broadcast was encrypted"),
        "{error}"
    );
    assert!(vendor.feed().head()?.is_none());
    // Sealed anew it is for the others.
    vendor.broadcast()?;
    assert!(vendor.feed().head()?.is_some());
    Ok(())
}

#[test]
fn a_sealed_broadcast_is_signed_on_another_machine_and_becomes_current_whole() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(secret(1))?;
    let first = signed_elsewhere(&vendor, &folder.path().join("first"))?;
    let second = signed_elsewhere(&vendor, &folder.path().join("second"))?;
    let overtaken = first[0].publish(&vendor.publisher(), now());
    let error = overtaken.expect_err("it was sealed anew").to_string();
    assert!(
        error.contains("Create the signing requests again"),
        "{error}"
    );
    second[0].publish(&vendor.publisher(), now())?;
    let head = vendor.feed().head()?.context("it is current")?;
    let index = vendor.feed().index(head.sequence)?;
    let sealed = index.sealed.context("it has a private side")?;
    for blob in sealed.buckets.iter().chain([&sealed.index]) {
        let path = FeedPath::sealed(&blob.digest);
        let file = vendor.feed_dir().join(path.as_str());
        assert_eq!(fs::metadata(file)?.len(), blob.length);
    }
    assert!(!vendor.feed_dir().join("advisory").exists());
    Ok(())
}

#[test]
fn status_says_what_waits_who_reads_and_when_the_registry_has_changed() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(secret(1))?;
    vendor.publish_advisory(disclosed_as("SPACECP-SA-2026-0099")?)?;
    let margins = Margins {
        head: hours(0),
        root: hours(0),
    };
    vendor.broadcast()?;
    let status = vendor.feed().status(now(), margins)?;
    assert_eq!(status.problems, Vec::<String>::new());
    assert_eq!(status.waiting, []);
    let private = status.private.context("there is a private side")?;
    assert_eq!((private.documents, private.panels), (1, 1));
    vendor.panels().enrol("other", &another(), now())?;
    vendor.publish_advisory(secret(2))?;
    let status = vendor.feed().status(now(), margins)?;
    assert_eq!(status.waiting, [(catalog::BACKUP.parse()?, 2)]);
    assert!(
        status.problems[0].contains("enrolled or revoked"),
        "{:?}",
        status.problems
    );
    Ok(())
}

fn disclosed_as(id: &str) -> Result<Advisory> {
    let mut advisory = disclosed(1);
    advisory.id = id.parse()?;
    Ok(advisory)
}

#[test]
fn what_was_signed_again_is_sealed_again() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    vendor.publish_advisory(secret(1))?;
    vendor.broadcast()?;
    let desk = vendor.waiting_dir();
    assert_eq!(fs::metadata(&desk)?.permissions().mode() & 0o777, 0o700);
    assert_eq!(
        fs::metadata(desk.join("sealed.json"))?.permissions().mode() & 0o777,
        0o600
    );
    let again = vendor.signing().sign_again(
        spacecp_contract::DocumentKind::Advisory,
        &[],
        &[&vendor.keys().advisory],
    )?;
    assert_eq!(again, [], "its key still holds the role");
    assert!(!vendor.feed_dir().join("advisory").exists());
    Ok(())
}

#[test]
fn the_program_enrols_lists_and_revokes_for_people_and_for_scripts() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let run = |arguments: &[&str]| -> Result<Output> {
        Ok(Command::new(env!("CARGO_BIN_EXE_vendor-program"))
            .arg("--desk")
            .arg(folder.path())
            .args(arguments)
            .output()?)
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let done = run(&["panel", "enrol", "node-7", ONE])?;
    assert!(done.status.success());
    assert!(said(&done).contains("It can decrypt embargoed advisories"));
    let refused = run(&["panel", "enrol", "node-8", ONE])?;
    assert_eq!(refused.status.code(), Some(4));
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(words.contains("is already enrolled as node-7"), "{words}");
    let done = run(&["panel", "revoke", "node-7", "--reason", "it was sold"])?;
    assert!(done.status.success());
    let listed: Value = serde_json::from_slice(&run(&["panel", "list", "--json"])?.stdout)?;
    assert_eq!(listed["panels"][0]["recipient"], ONE);
    assert_eq!(listed["panels"][0]["reason"], "it was sold");
    assert!(said(&run(&["panel", "list"])?).contains("\"it was sold\""));
    Ok(())
}
