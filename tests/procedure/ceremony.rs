//! Keys over their life: rotated, taken back, signing on machines of their own; and a feed that a
//! timer keeps fresh.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use spacecp_contract::{DocumentKind, FeedPath, Restart, Role};
use spacecp_publisher::{
    feed::{Feed, FeedError},
    keys::SecretKey,
    record::RecordError,
    recovery::{Reason, Recover},
    requests::{self, Request, RequestError, Wanted},
    roots::{self, Change, ChangeError},
    sign,
    status::Margins,
};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};

const MARGINS: Margins = Margins {
    head: SignedDuration::from_hours(48),
    root: SignedDuration::from_hours(24 * 30),
};

pub(crate) fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// A vendor with one advisory that is broadcast.
pub(crate) fn vendor(folder: &Path) -> Result<Vendor> {
    let mut vendor = Vendor::new(folder, catalog::AUDIENCE, Timestamp::now())?;
    let mut advisory = catalog::advisories(Timestamp::now()).remove(2);
    advisory.corrections.clear();
    vendor.publish_advisory(advisory)?;
    vendor.broadcast()?;
    Ok(vendor)
}

fn change_root(vendor: &Vendor, change: &Change, keys: &[&SecretKey]) -> Result<u64> {
    let (before, now) = (vendor.feed().root()?, vendor.now());
    let root = roots::next(&before, change, now, now + hours(24 * 365))?;
    let version = root.version;
    vendor.signing().add_root(&sign::sign(root, keys)?)?;
    Ok(version)
}

pub(crate) fn rotated(vendor: &Vendor, role: Role, old: &SecretKey, new: &SecretKey) -> Result<()> {
    let change = Change {
        given: vec![(role, new.public().clone())],
        taken: vec![(Some(role), old.public().to_base64())],
        ..Change::default()
    };
    change_root(vendor, &change, &[&vendor.keys().root]).map(drop)
}

#[test]
fn a_root_that_panels_would_not_follow_is_not_published() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let new = SecretKey::generate()?;
    let exchange = Change {
        given: vec![(Role::Root, new.public().clone())],
        taken: vec![(Some(Role::Root), vendor.keys().root.public().to_base64())],
        ..Change::default()
    };
    for keys in [vec![&new], vec![&vendor.keys().root]] {
        let refused = change_root(&vendor, &exchange, &keys).unwrap_err();
        assert!(
            matches!(refused.downcast_ref(), Some(FeedError::Refused { what, .. }) if what == "root 2"),
            "{refused:#}"
        );
        let place = FeedPath::root(2);
        assert!(!vendor.feed_dir().join(place.as_str()).exists());
        assert_eq!(vendor.feed().root()?.version, 1);
    }
    assert_eq!(
        change_root(&vendor, &exchange, &[&new, &vendor.keys().root])?,
        2
    );
    assert_eq!(vendor.feed().root()?.version, 2);
    Ok(())
}

#[test]
fn a_change_that_contradicts_itself_is_no_root() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let root = vendor.feed().root()?;
    let next = |change: Change| roots::next(&root, &change, vendor.now(), vendor.now());
    let held = vendor.keys().feed.public();
    let gone = next(Change {
        taken: vec![(None, held.to_base64())],
        ..Change::default()
    });
    assert!(matches!(gone, Err(ChangeError::Invalid { .. })), "{gone:?}");
    let twice = next(Change {
        given: vec![(Role::Feed, held.clone())],
        ..Change::default()
    });
    assert!(matches!(twice, Err(ChangeError::Held { .. })), "{twice:?}");
    let strange = next(Change {
        taken: vec![(Some(Role::Advisory), held.to_base64())],
        ..Change::default()
    });
    assert!(
        matches!(strange, Err(ChangeError::NotHeld { .. })),
        "{strange:?}"
    );
    for threshold in [0, 2] {
        let none = next(Change {
            thresholds: vec![(Role::Feed, threshold)],
            ..Change::default()
        });
        assert!(matches!(none, Err(ChangeError::Invalid { .. })), "{none:?}");
    }
    Ok(())
}

#[test]
fn after_a_rotation_the_status_says_what_has_to_follow_until_it_has() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let now = vendor.now();
    assert_eq!(vendor.feed().status(now, MARGINS)?.problems, [""; 0]);
    let (feed, advisory) = (SecretKey::generate()?, SecretKey::generate()?);
    rotated(&vendor, Role::Feed, &vendor.keys().feed, &feed)?;
    rotated(&vendor, Role::Advisory, &vendor.keys().advisory, &advisory)?;
    let problems = vendor.feed().status(now, MARGINS)?.problems;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("run \"refresh\""), "{problems:?}");
    assert!(problems[1].contains("run \"sign-again\""), "{problems:?}");
    let until = now + hours(24 * 7);
    let refused = vendor.publisher().refresh(now, until, &[&feed]);
    assert!(
        matches!(refused, Err(FeedError::Refused { .. })),
        "new panels could not take the advisory: {refused:?}"
    );
    let before = fs::read(vendor.feed_dir().join("head"))?;
    let again = vendor
        .signing()
        .sign_again(DocumentKind::Advisory, &[], &[&advisory])?;
    assert_eq!(again.len(), 1);
    assert_eq!(fs::read(vendor.feed_dir().join("head"))?, before);
    assert_eq!(
        vendor
            .signing()
            .sign_again(DocumentKind::Advisory, &[], &[&advisory])?,
        []
    );
    vendor.publisher().refresh(now, until, &[&feed])?;
    assert_eq!(vendor.feed().status(now, MARGINS)?.problems, [""; 0]);
    Ok(())
}

#[test]
fn what_no_root_ever_vouched_for_is_not_signed_again() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let id = catalog::advisories(vendor.now()).remove(2).id;
    let file = vendor
        .feed_dir()
        .join("advisory")
        .join(id.as_str())
        .join("1");
    let mut forged = fs::read(&file)?;
    *forged.last_mut().context("it has bytes")? ^= 1;
    fs::write(&file, &forged)?;
    let advisory = SecretKey::generate()?;
    rotated(&vendor, Role::Advisory, &vendor.keys().advisory, &advisory)?;
    let refused = vendor
        .signing()
        .sign_again(DocumentKind::Advisory, &[], &[&advisory]);
    assert!(
        matches!(refused, Err(FeedError::Record(RecordError::Damaged { .. }))),
        "{refused:?}"
    );
    Ok(())
}

#[test]
fn a_refresh_shows_nothing_that_was_not_broadcast() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let mut secret = catalog::advisories(Timestamp::now()).remove(1);
    secret.corrections.clear();
    let id = secret.id.clone();
    vendor.publish_advisory(secret)?;
    let now = vendor.now();
    let done = vendor
        .publisher()
        .refresh(now, now + hours(48), &[&vendor.keys().feed])?;
    assert_eq!((done.sequence, done.documents), (2, 1));
    assert_eq!(
        vendor.feed().status(now, MARGINS)?.waiting,
        [(id.clone(), 1)]
    );
    assert_eq!(vendor.broadcast()?.news, [(id, 1)]);
    Ok(())
}

#[test]
fn a_new_root_that_no_panel_would_look_for_yet_is_a_problem() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let now = vendor.now();
    change_root(&vendor, &Change::default(), &[&vendor.keys().root])?;
    let problems = vendor.feed().status(now, MARGINS)?.problems;
    assert!(
        problems.len() == 1 && problems[0].contains("root 2"),
        "{problems:?}"
    );
    let keys = [&vendor.keys().feed];
    vendor
        .publisher()
        .refresh(now, now + hours(24 * 7), &keys)?;
    assert_eq!(vendor.feed().status(now, MARGINS)?.problems, [""; 0]);
    Ok(())
}

#[test]
fn status_warns_before_panels_notice() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let now = vendor.now();
    let soon = vendor.feed().status(now + hours(24 * 6), MARGINS)?.problems;
    assert!(
        soon.len() == 1 && soon[0].contains("sequence 1 expires on"),
        "{soon:?}"
    );
    let late = vendor
        .feed()
        .status(now + hours(24 * 366), MARGINS)?
        .problems;
    assert!(
        late.iter()
            .any(|problem| problem.contains("root 1 expired on")),
        "{late:?}"
    );
    Ok(())
}

#[test]
fn a_request_collects_signatures_until_panels_would_follow_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let (second, third) = (SecretKey::generate()?, SecretKey::generate()?);
    let change = Change {
        given: [&second, &third]
            .map(|key| (Role::Root, key.public().clone()))
            .to_vec(),
        thresholds: vec![(Role::Root, 2)],
        ..Change::default()
    };
    let now = vendor.now();
    let root = roots::next(&*vendor.feed().root()?, &change, now, now + hours(24 * 365))?;
    let request = requests::write(folder.path(), Wanted::Root(root))?;
    // A stranger signs it, and somebody signs with the right key but for something else.
    let stranger = folder.path().join("stranger.minisig");
    let bytes = fs::read(request.path())?;
    let key = SecretKey::generate()?;
    fs::write(
        &stranger,
        sign::sign_bytes(&bytes, &request.wanted().comment(), &[&key])?,
    )?;
    let refused = request.add(vendor.feed(), &[stranger]);
    assert!(
        matches!(refused, Err(RequestError::Signature { .. })),
        "{refused:?}"
    );
    let moved = folder.path().join("moved.minisig");
    let mut comment = request.wanted().comment();
    comment.revision = 3;
    fs::write(&moved, sign::sign_bytes(&bytes, &comment, &[&second])?)?;
    let refused = request.add(vendor.feed(), &[moved]).unwrap_err();
    assert!(
        refused.to_string().contains("instead of"),
        "and it says what: {refused}"
    );
    assert!(!request.signatures().exists(), "none of them was taken");
    request.sign(&[&second])?;
    request.sign(&[&third])?;
    let progress = request.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!(progress.missing, ["1 by keys of root 1"]);
    assert_eq!(vendor.feed().root()?.version, 1);
    Request::read(request.path())?.sign(&[&vendor.keys().root])?;
    let progress = request.publish(&vendor.publisher(), vendor.now())?;
    assert_eq!((progress.missing.len(), progress.signed.len()), (0, 3));
    assert_eq!(vendor.feed().root()?.version, 2);
    Ok(())
}

pub(crate) fn program(desk: &Path, arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_vendor-program"))
        .arg("--json")
        .arg("--desk")
        .arg(desk)
        .args(arguments)
        .env_remove("SPACECP_PASSPHRASE")
        .output()?)
}

pub(crate) fn well(desk: &Path, arguments: &[&str]) -> Result<Value> {
    let output = program(desk, arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {said}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A desk with a key for every role, and a feed with its first root and an empty broadcast.
pub(crate) fn desk(folder: &Path) -> Result<(PathBuf, String)> {
    let desk = folder.join("desk");
    let feed = folder.join("feed").display().to_string();
    for key in ["root", "feed", "advisory", "correction", "plugin", "spare"] {
        well(&desk, &["keys", "new", key, "--unencrypted"])?;
    }
    well(&desk, &["root", "new", &feed, "--audience", "customers"])?;
    well(&desk, &["broadcast", &feed])?;
    Ok((desk, feed))
}

#[test]
fn the_program_rotates_takes_back_and_refreshes_and_a_dry_run_changes_nothing() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (desk, feed) = desk(folder.path())?;
    assert_eq!(
        well(&desk, &["status", &feed])?["problems"],
        serde_json::json!([])
    );
    let rotate = [
        "root", "rotate", &feed, "feed", "--old", "feed", "--new", "spare",
    ];
    let dry = well(&desk, &[&rotate[..], &["--dry-run"]].concat())?;
    assert_eq!(dry["published"], false);
    assert_eq!(dry["changes"].as_array().map(Vec::len), Some(3), "{dry}");
    assert_eq!(well(&desk, &["root", "show", &feed])?["root"]["version"], 1);
    well(&desk, &rotate)?;
    let status = program(&desk, &["status", &feed])?;
    assert_eq!(
        status.status.code(),
        Some(1),
        "the head is by a key that lost its role"
    );
    let old = program(&desk, &["refresh", &feed])?;
    assert_eq!(old.status.code(), Some(4), "the old key refreshes nothing");
    // The timer's usual condition does not keep it from answering a new root.
    let done = well(
        &desk,
        &["refresh", &feed, "--key", "spare", "--if-within", "3"],
    )?;
    assert_eq!(done["sequence"], 2);
    let idle = well(
        &desk,
        &["refresh", &feed, "--key", "spare", "--if-within", "3"],
    )?;
    assert_eq!(idle["refreshed"], false);
    well(&desk, &["status", &feed])?;
    let id = well(&desk, &["keys", "list"])?;
    let id = id
        .as_array()
        .and_then(|keys| {
            keys.iter().find(|key| {
                key["file"]
                    .as_str()
                    .is_some_and(|f| f.ends_with("spare.pub"))
            })
        })
        .and_then(|key| key["id"].as_str())
        .context("the spare key is listed")?
        .to_owned();
    let alone = program(&desk, &["root", "revoke", &feed, &id])?;
    assert_eq!(
        alone.status.code(),
        Some(4),
        "nobody would be left to sign heads"
    );
    well(
        &desk,
        &[
            "root",
            "revoke",
            &feed,
            &id,
            "--instead",
            "feed=feed",
            "--afresh",
        ],
    )?;
    let root = &well(&desk, &["root", "show", &feed])?["root"];
    assert_eq!(
        (&root["version"], &root["sequence_epoch"]),
        (&3.into(), &1.into())
    );
    well(&desk, &["refresh", &feed])?;
    let too_many = program(&desk, &["root", "threshold", &feed, "feed", "2"])?;
    assert_eq!(too_many.status.code(), Some(4));
    well(&desk, &["root", "renew", &feed, "--expires", "700"])?;
    Ok(())
}

#[test]
#[cfg_attr(
    not(has_minisign),
    ignore = "needs the program minisign (Debian: minisign)"
)]
fn the_minisign_program_on_another_machine_signs_a_request() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (desk, feed) = desk(folder.path())?;
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere)?;
    fs::rename(desk.join("keys/root.key"), elsewhere.join("root.key"))?;
    let out = elsewhere.display().to_string();
    let made = well(&desk, &["root", "renew", &feed, "--request", &out])?;
    let (request, comment) = (&made["request"], &made["comment"]);
    let (request, comment) = (
        request.as_str().context("a path")?,
        comment.as_str().context("a comment")?,
    );
    assert_eq!(comment, "spacecp role=root name=root revision=2");
    let missing = program(&desk, &["add-signature", request, "--feed", &feed])?;
    assert_eq!(missing.status.code(), Some(1), "nobody has signed yet");
    let signed = Command::new("minisign")
        .args(["-S", "-W", "-s", "root.key", "-m", request, "-t", comment])
        .args(["-x", "by-root"])
        .current_dir(&elsewhere)
        .output()
        .context("cannot run minisign (Debian: minisign)")?;
    ensure!(
        signed.status.success(),
        "{}",
        String::from_utf8_lossy(&signed.stderr)
    );
    let file = elsewhere.join("by-root").display().to_string();
    well(&desk, &["add-signature", request, &file, "--feed", &feed])?;
    assert_eq!(Feed::at(&feed).root()?.version, 2);
    Ok(())
}

#[test]
fn the_first_root_is_signed_elsewhere_in_the_folder_where_somebody_stands() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let desk = folder.path().join("desk");
    for key in ["root", "feed", "advisory", "correction", "plugin"] {
        well(&desk, &["keys", "new", key, "--unencrypted"])?;
    }
    let there = |arguments: &[&str]| -> Result<Output> {
        Ok(Command::new(env!("CARGO_BIN_EXE_vendor-program"))
            .args(["--desk", "desk"])
            .args(arguments)
            .current_dir(folder.path())
            .output()?)
    };
    for arguments in [
        &[
            "root",
            "new",
            "feed",
            "--audience",
            "customers",
            "--request",
            ".",
        ][..],
        &["sign-request", "1.root", "--key", "root"],
        &["add-signature", "1.root", "--feed", "feed"],
        &["broadcast", "feed"],
        &["bundle", "feed", "feed.tar"],
    ] {
        let output = there(arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {said}");
    }
    assert_eq!(Feed::at(folder.path().join("feed")).root()?.version, 1);
    Ok(())
}

#[test]
fn what_a_request_says_is_shown_and_not_obeyed() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut advisory = catalog::advisories(Timestamp::now()).remove(2);
    advisory.title = "calm\u{1b}[2Jand \u{202e}hidden".to_owned();
    let request = requests::write(folder.path(), Wanted::Advisory(advisory))?;
    let output = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
        .arg("sign-request")
        .arg(request.path())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    assert!(output.status.success() && text.contains("calm"), "{text:?}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text:?}"
    );
    Ok(())
}

/// What is shown of a request to whoever is asked to sign it.
fn shown(folder: &Path, wanted: Wanted) -> Result<String> {
    let request = requests::write(folder, wanted)?;
    let output = Command::new(env!("CARGO_BIN_EXE_vendor-program"))
        .arg("sign-request")
        .arg(request.path())
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn says(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "{words:?} is not in:\n{text}");
    }
}

#[test]
fn whoever_signs_a_root_is_told_for_whom_it_is_and_loudly_that_sequences_start_afresh() -> Result<()>
{
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let now = vendor.now();
    let root = vendor.feed().root()?;
    let mut next = roots::next(&root, &Change::default(), now, now + hours(24 * 365))?;
    let usual = shown(&folder.path().join("usual"), Wanted::Root(next.clone()))?;
    says(&usual, &["for:     customers"]);
    assert!(!usual.contains("EPOCH"), "{usual}");
    next.sequence_epoch = 7;
    let afresh = shown(&folder.path().join("afresh"), Wanted::Root(next))?;
    says(&afresh, &["EPOCH 7", "REVISIONS RESTART"]);
    Ok(())
}

#[test]
fn whoever_signs_an_advisory_is_told_what_panels_will_make_of_it() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let now: Timestamp = "2026-11-24T12:00:00Z".parse()?;
    let mut advisory = catalog::advisories(now).remove(0);
    advisory.tlp = spacecp_contract::Tlp::Amber;
    advisory.embargo_until = Some(now + hours(48));
    advisory.withdrawn = Some(now);
    advisory.affected.truncate(1);
    let affected = &mut advisory.affected[0];
    affected.versions = vec!["4.7\u{1b}[2J".to_owned()];
    affected.ranges = vec![spacecp_contract::VersionRange {
        introduced: "4.0.0".to_owned(),
        fixed: Some("4.7.4".to_owned()),
        last_affected: None,
        limit: None,
    }];
    let (component, severity) = (affected.component.to_string(), advisory.severity.clone());
    let corrections = advisory.corrections.clone();
    let text = shown(folder.path(), Wanted::Advisory(advisory))?;
    says(
        &text,
        &[
            "for:     customers",
            "TLP:AMBER, under embargo until 2026-11-26T12:00:00Z",
            "WITHDRAWN since 2026-11-24T12:00:00Z",
            &component,
            "\"4.0.0\" up to before \"4.7.4\"",
            &severity[0],
            corrections[0].as_str(),
        ],
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
    Ok(())
}

#[test]
fn whoever_signs_a_correction_is_told_from_where_to_where_and_how_much_it_changes() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(&folder.path().join("vendor"))?;
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    let [fix, ..] = catalog::corrections();
    let mut correction = vendor.publish_correction(&fix, &before, &after)?;
    correction.restart = Restart::Panel;
    correction.reversible = false;
    let [from, to] = fix.versions;
    let (files, bytes) = (correction.files.len(), correction.download());
    let text = shown(folder.path(), Wanted::Correction(correction))?;
    says(
        &text,
        &[
            "for:     customers",
            &format!("{} to {to:?}", fix.component),
            &format!("from:    {from:?} up to before {to:?}"),
            "restart: panel",
            &format!("files:   {files}, of which"),
            &format!("payload: {bytes} bytes"),
            fix.advisories[0],
            "cannot be rolled back automatically",
        ],
    );
    Ok(())
}

#[test]
fn an_endless_request_is_not_read_and_what_does_not_count_is_not_published() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let endless = folder.path().join("endless");
    fs::File::create(&endless)?.set_len(1 << 40)?;
    let refused = Request::read(&endless);
    assert!(
        matches!(refused, Err(RequestError::TooLong { .. })),
        "{refused:?}"
    );
    let now = vendor.now();
    let root = vendor.feed().root()?;
    let next = roots::next(&root, &Change::default(), now, now + hours(24 * 365))?;
    let request = requests::write(folder.path(), Wanted::Root(next))?;
    let refused = request.add(vendor.feed(), &[endless]);
    assert!(
        matches!(refused, Err(RequestError::TooLong { .. })),
        "{refused:?}"
    );
    // Whoever signs with another program may leave anything in the file where signatures collect.
    fs::write(request.signatures(), "one\ntwo\n")?;
    request.sign(&[&SecretKey::generate()?, &vendor.keys().root])?;
    assert_eq!(
        request
            .publish(&vendor.publisher(), vendor.now())?
            .signed
            .len(),
        1
    );
    let published = fs::read_to_string(vendor.feed_dir().join("root/2.root.minisig"))?;
    assert_eq!(published.lines().count(), 4, "{published}");
    Ok(())
}

#[test]
fn a_timer_does_not_sign_a_list_that_somebody_put_into_the_folder() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = vendor(folder.path())?;
    let mut secret = catalog::advisories(Timestamp::now()).remove(1);
    secret.corrections.clear();
    let index = vendor.feed().index(1)?;
    vendor.publish_advisory(secret)?;
    let (_, mut listed) = vendor
        .publisher()
        .plan_broadcast(vendor.now(), vendor.now() + hours(24))?;
    listed.sequence = 1;
    assert!(listed.documents.len() > index.documents.len());
    let forged = sign::sign(listed, &[&SecretKey::generate()?])?;
    let place = vendor.feed_dir().join(FeedPath::index(1).as_str());
    assert!(place.exists(), "it is the vendor's own that is exchanged");
    fs::write(place, &forged.bytes)?;
    let place = FeedPath::index(1).signatures();
    fs::write(vendor.feed_dir().join(place.as_str()), &forged.signatures)?;
    let head = fs::read(vendor.feed_dir().join("head"))?;
    let (now, keys) = (vendor.now(), [&vendor.keys().feed]);
    for refused in [
        vendor.publisher().refresh(now, now + hours(24), &keys),
        vendor.publisher().broadcast(now, now + hours(24), &keys),
    ] {
        assert!(
            matches!(
                refused,
                Err(FeedError::Record(RecordError::Replaced { .. }))
            ),
            "{refused:?}"
        );
    }
    assert_eq!(fs::read(vendor.feed_dir().join("head"))?, head);
    Ok(())
}

#[test]
fn after_the_feed_key_was_exchanged_nothing_that_was_listed_may_vanish() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let feed = SecretKey::generate()?;
    rotated(&vendor, Role::Feed, &vendor.keys().feed, &feed)?;
    fs::rename(
        vendor.feed_dir().join("advisory"),
        folder.path().join("lost"),
    )?;
    let now = vendor.now();
    let refused = vendor.publisher().broadcast(now, now + hours(24), &[&feed]);
    assert!(
        matches!(refused, Err(FeedError::Record(RecordError::Damaged { .. }))),
        "{refused:?}"
    );
    fs::rename(
        folder.path().join("lost"),
        vendor.feed_dir().join("advisory"),
    )?;
    let done = vendor
        .publisher()
        .broadcast(now, now + hours(24), &[&feed])?;
    assert_eq!((done.sequence, done.news.len()), (2, 0));
    Ok(())
}

#[test]
fn a_feed_whose_sequences_are_used_up_starts_afresh_under_a_root_that_says_so() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = vendor(folder.path())?;
    let (now, own) = (vendor.now(), &vendor.keys().feed);
    let mut index = vendor.feed().index(1)?;
    index.sequence = u64::MAX;
    let index = sign::sign(index, &[own])?;
    let mut head = vendor.feed().head()?.context("it was broadcast")?;
    head.sequence = u64::MAX;
    head.index = spacecp_contract::Digest::of(&index.bytes);
    head.index_length = index.bytes.len() as u64;
    let head = sign::sign(head, &[own])?;
    let last = FeedPath::index(u64::MAX);
    for (path, bytes, signatures) in [
        (FeedPath::head(), head.bytes, head.signatures),
        (last, index.bytes, index.signatures),
    ] {
        let signed = vendor.feed_dir().join(path.signatures().as_str());
        fs::write(vendor.feed_dir().join(path.as_str()), bytes)?;
        fs::write(signed, signatures)?;
    }
    let why = Reason {
        by: "Ada".to_owned(),
        reason: "somebody had the feed key".to_owned(),
        seen: None,
    };
    vendor.recovery().recover(Recover::Feed, &why, now)?;
    let refused = vendor.publisher().broadcast(now, now + hours(24), &[own]);
    assert!(
        matches!(refused, Err(FeedError::UsedUp(u64::MAX))),
        "{refused:?}"
    );
    let new = SecretKey::generate()?;
    let change = Change {
        given: vec![(Role::Feed, new.public().clone())],
        taken: vec![(None, own.public().to_base64())],
        afresh: true,
        ..Change::default()
    };
    change_root(&vendor, &change, &[&vendor.keys().root])?;
    let done = vendor
        .publisher()
        .refresh(now, now + hours(24 * 7), &[&new])?;
    assert_eq!((done.sequence, done.documents), (1, 1));
    assert_eq!(vendor.feed().status(now, MARGINS)?.problems, [""; 0]);
    Ok(())
}
