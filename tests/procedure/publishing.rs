//! What may be published, and that a feed is whole at every instant.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::trust::{self, Unverified};
use spacecp_contract::{Advisory, Limits, Tlp, decode, encode};
use spacecp_publisher::{
    check,
    corrections::BuildError,
    drafts,
    feed::FeedError,
    keys::{self, KeyError},
    record::RecordError,
};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};
use walkdir::WalkDir;

fn now() -> Timestamp {
    "2026-11-24T03:00:00Z".parse().expect("a time")
}

fn advisory() -> Advisory {
    catalog::advisories(now()).remove(0)
}

/// The fields that a check complains about.
fn faults(change: impl FnOnce(&mut Advisory)) -> Vec<String> {
    let mut advisory = advisory();
    change(&mut advisory);
    check::advisory(&advisory, &[], now())
        .into_iter()
        .map(|fault| fault.field)
        .collect()
}

#[test]
fn every_advisory_of_the_demo_may_be_published() {
    for advisory in catalog::advisories(now()) {
        assert_eq!(
            check::advisory(&advisory, &[], now()),
            [],
            "{}",
            advisory.id
        );
    }
}

#[test]
fn what_policy_or_panel_would_refuse_is_found_with_its_field() {
    assert_eq!(faults(|advisory| advisory.title.clear()), ["title"]);
    assert_eq!(faults(|advisory| advisory.issue.clear()), ["issue"]);
    assert_eq!(faults(|advisory| advisory.impacts.clear()), ["impacts"]);
    let unanswered = faults(|advisory| {
        advisory.solution.clear();
        advisory.workarounds.clear();
    });
    assert_eq!(
        unanswered,
        ["solution"],
        "an advisory with neither solution nor workaround"
    );
    assert_eq!(
        faults(|advisory| advisory.severity = vec!["CVSS:3.1/AV:N".into()]),
        ["severity[0]"]
    );
    assert_eq!(
        faults(|advisory| advisory.severity = vec!["nine".into()]),
        ["severity[0]"]
    );
    assert_eq!(
        faults(|advisory| advisory.affected[0].ranges[0].introduced = "soon".into()),
        ["affected[0].ranges[0].introduced"]
    );
    assert_eq!(
        faults(|advisory| advisory.affected[0].ranges[0].introduced = "2.0.0".into()),
        ["affected[0].ranges[0]"]
    );
    let overlapping = faults(|advisory| {
        let mut second = advisory.affected[0].ranges[0].clone();
        second.introduced = "1.10.0".into();
        advisory.affected[0].ranges.push(second);
    });
    assert_eq!(overlapping, ["affected[0].ranges[1]"]);
    assert_eq!(
        faults(|advisory| advisory.tlp = Tlp::AmberStrict),
        ["embargo_until"],
        "an embargo without a date"
    );
    let past = faults(|advisory| {
        advisory.tlp = Tlp::AmberStrict;
        advisory.embargo_until = Some(now() - SignedDuration::from_hours(1));
    });
    assert_eq!(past, ["embargo_until"]);
    assert_eq!(faults(|advisory| advisory.revision = 0), ["advisory"]);
}

#[test]
fn a_correction_that_leads_to_an_affected_version_is_found() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = demo_vendor(folder.path())?;
    let before = Ground::lay(&folder.path().join("b"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("a"), Age::Corrected)?;
    let mut correction = vendor.publish_correction(&catalog::corrections()[0], &before, &after)?;
    assert_eq!(
        check::advisory(&advisory(), std::slice::from_ref(&correction), now()),
        []
    );
    correction.to = "1.18.0".into();
    let faults = check::advisory(&advisory(), &[correction], now());
    assert_eq!(faults[0].field, "corrections", "{faults:?}");
    Ok(())
}

fn demo_vendor(folder: &Path) -> Result<Vendor> {
    Vendor::new(&folder.join("desk"), catalog::AUDIENCE, now())
}

#[test]
fn the_same_trees_give_the_same_correction_to_the_byte() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    let fix = &catalog::corrections()[1];
    let one = Vendor::new(&folder.path().join("one"), catalog::AUDIENCE, now())?
        .publish_correction(fix, &before, &after)?;
    let other = Vendor::new(&folder.path().join("other"), catalog::AUDIENCE, now())?
        .publish_correction(fix, &before, &after)?;
    assert_eq!(encode(&one), encode(&other));
    let paths: Vec<&str> = one.files.iter().map(|file| file.path.as_str()).collect();
    assert!(
        paths.contains(&"package.json") && paths.contains(&"lib/console/escape.js"),
        "{paths:?}"
    );
    assert!(
        !paths
            .iter()
            .any(|path| path.starts_with("logs/") || *path == "config.json"),
        "run-time data: {paths:?}"
    );
    Ok(())
}

#[test]
fn a_link_that_changes_is_refused_by_name_and_one_that_stays_is_left_out() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let (old, new) = (folder.path().join("old"), folder.path().join("new"));
    for (tree, text) in [(&old, "a"), (&new, "b")] {
        spacecp_tests::ground::write(tree, "file", text)?;
        std::os::unix::fs::symlink("file", tree.join("link"))?;
    }
    let mut vendor = demo_vendor(folder.path())?;
    let build = |vendor: &Vendor| {
        spacecp_publisher::corrections::build(&old, &new, vendor.facts(&catalog::corrections()[0])?)
            .map_err(anyhow::Error::from)
    };
    let built = build(&vendor)?;
    assert_eq!(built.correction.files.len(), 1);
    vendor.publish_built(built)?;
    fs::remove_file(new.join("link"))?;
    std::os::unix::fs::symlink("elsewhere", new.join("link"))?;
    let refused = build(&vendor).unwrap_err();
    assert!(
        matches!(refused.downcast_ref(), Some(BuildError::Link(path)) if path.as_str() == "link"),
        "{refused:#}"
    );
    Ok(())
}

#[test]
fn a_revision_is_published_once_and_never_goes_back() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = demo_vendor(folder.path())?;
    let publish = |advisory: Advisory| {
        let audience = advisory.audience.clone();
        vendor
            .signing()
            .add(advisory, &audience, &[&vendor.keys().advisory])
            .map(drop)
    };
    publish(advisory())?;
    publish(advisory())?;
    let mut changed = advisory();
    changed.title.push('!');
    assert!(matches!(
        publish(changed.clone()),
        Err(FeedError::Republished { revision: 1, .. })
    ));
    changed.revision = 2;
    publish(changed)?;
    assert!(matches!(
        publish(advisory()),
        Err(FeedError::Older {
            revision: 1,
            published: 2,
            ..
        })
    ));
    Ok(())
}

#[test]
fn a_key_of_another_role_is_refused_before_anything_is_written() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let vendor = demo_vendor(folder.path())?;
    let before = listing(vendor.feed_dir())?;
    let advisory = advisory();
    let audience = advisory.audience.clone();
    let refused = vendor
        .signing()
        .add(advisory, &audience, &[&vendor.keys().feed]);
    assert!(matches!(refused, Err(FeedError::Key { .. })), "{refused:?}");
    assert_eq!(listing(vendor.feed_dir())?, before);
    Ok(())
}

#[test]
fn a_broadcast_with_a_gap_is_refused() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = demo_vendor(folder.path())?;
    vendor.publish_advisory(advisory())?;
    let refused = vendor.broadcast().unwrap_err();
    assert!(
        matches!(
            refused.downcast_ref(),
            Some(FeedError::MissingCorrection { .. })
        ),
        "{refused:#}"
    );
    let before = Ground::lay(&folder.path().join("b"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("a"), Age::Corrected)?;
    let correction = vendor.publish_correction(&catalog::corrections()[0], &before, &after)?;
    let blob = correction.files[0]
        .after
        .expect("it changes a file")
        .blob
        .digest;
    let path = vendor
        .waiting_dir()
        .join(spacecp_contract::FeedPath::blob(&blob).as_str());
    let bytes = fs::read(&path)?;
    fs::write(&path, &bytes[1..])?;
    let refused = vendor.broadcast().unwrap_err();
    assert!(
        matches!(refused.downcast_ref(), Some(FeedError::Payload { .. })),
        "{refused:#}"
    );
    fs::write(&path, bytes)?;
    assert_eq!(vendor.broadcast()?.sequence, 1);
    assert_eq!(vendor.broadcast()?.sequence, 2);
    Ok(())
}

/// Every file below a folder, with its contents.
fn listing(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let files = WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| Ok((entry.path().display().to_string(), fs::read(entry.path())?)))
        .collect()
}

#[test]
fn secret_keys_are_for_their_owner_alone_and_never_overwritten() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    keys::create(folder.path(), "feed", None)?;
    let path = folder.path().join("feed.key");
    assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&path)?;
    assert!(matches!(
        keys::create(folder.path(), "feed", None),
        Err(KeyError::Exists { .. })
    ));
    assert_eq!(fs::read(&path)?, bytes);
    let key = keys::SecretKey::load(&path, || None)?;
    assert!(format!("{key:?}").contains("not shown"));
    Ok(())
}

#[test]
fn a_draft_is_filled_in_from_its_template() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let path = folder.path().join("draft.toml");
    let id = spacecp_contract::DocumentId::new("SPACECP-SA-2026-0009")?;
    let audience = spacecp_contract::Audience::new("customers")?;
    let template = drafts::template(&id, &audience, now(), &drafts::Known::default());
    let filled = template
        .replace("component = \"\"", "component = \"spacecp:houston\"")
        .replace("fixed = \"\"", "fixed = \"1.2.3\"");
    fs::write(&path, &filled)?;
    let advisory = spacecp_publisher::drafts::load(&path)?;
    assert_eq!(
        decode::<Advisory>(&encode(&advisory), &Limits::default())?,
        advisory
    );
    let fields: Vec<String> = check::advisory(&advisory, &[], now())
        .into_iter()
        .map(|fault| fault.field)
        .collect();
    assert_eq!(
        fields,
        ["title", "issue", "impacts", "solution"],
        "what is left to fill in"
    );
    fs::write(&path, filled.replace("revision = 1", "revision = \"one\""))?;
    let refused = spacecp_publisher::drafts::load(&path)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("line 3"), "{refused}");
    Ok(())
}

#[test]
fn a_broadcast_without_a_document_that_panels_have_is_not_published() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, Timestamp::now())?;
    let mut advisory = catalog::advisories(Timestamp::now()).remove(2);
    advisory.corrections.clear();
    let id = advisory.id.clone();
    vendor.publish_advisory(advisory)?;
    vendor.broadcast()?;
    let head = fs::read(vendor.feed_dir().join("head"))?;
    let document = vendor.feed_dir().join("advisory").join(id.as_str());
    fs::rename(&document, folder.path().join("lost"))?;
    let refused = vendor.broadcast().unwrap_err();
    assert!(
        matches!(
            refused.downcast_ref(),
            Some(FeedError::Record(RecordError::Damaged { .. }))
        ),
        "{refused:#}"
    );
    assert_eq!(fs::read(vendor.feed_dir().join("head"))?, head);
    fs::rename(folder.path().join("lost"), &document)?;
    vendor.broadcast()?;
    Ok(())
}

#[test]
fn whoever_reads_the_head_while_another_is_broadcast_finds_signatures_that_fit() -> Result<()> {
    let folder = spacecp_tests::scratch::folder()?;
    let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, Timestamp::now())?;
    let root = fs::read(vendor.root_path())?;
    let signatures = fs::read(vendor.root_path().with_extension("root.minisig"))?;
    let offered = Unverified {
        bytes: &root,
        signatures: &signatures,
    };
    let root = trust::pinned_root(offered, &catalog::AUDIENCE.parse()?)?;
    let before = trust::Before {
        head: None,
        index: None,
        afresh: true,
    };
    for round in 0..4 {
        // A slow reader has the head already, and asks for the signatures only now.
        let slow = fs::read(vendor.feed_dir().join("head")).ok();
        vendor.broadcast()?;
        let signatures = fs::read(vendor.feed_dir().join("head.minisig"))?;
        let fresh = fs::read(vendor.feed_dir().join("head"))?;
        for bytes in slow.iter().chain([&fresh]) {
            let offered = Unverified {
                bytes,
                signatures: &signatures,
            };
            trust::head(&root, before, offered, Timestamp::now())?;
        }
        let lines = String::from_utf8(signatures)?.lines().count();
        assert_eq!(lines, if round == 0 { 4 } else { 8 }, "and no older ones");
    }
    Ok(())
}
