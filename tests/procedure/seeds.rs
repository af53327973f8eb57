//! What the fuzz targets begin with: a small feed, and every kind of document in it.
//!
//! The files are kept with the sources, so that a finding stays a finding. They are written anew, with
//! new keys, by `WRITE_SEEDS=1 cargo test --workspace --test procedure seeds`.

use std::{fs, path::PathBuf};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use spacecp_advisories::trust::{self, Unverified};
use spacecp_contract::{
    Attachment, Audience, Digest, FeedPath, Finder, IndexEntry, Limits, ObjectKey, Report,
    ReportLimits, ReportedVersion, SealedEntry, SealedIndex, SealedObject, SealedPayload, TreePath,
    capsule,
    envelope::{self, Bucket, Tag},
};
use spacecp_publisher::{roots, sign};
use spacecp_tests::{
    catalog,
    ground::{Age, Ground},
    vendor::Vendor,
};
use tempfile::TempDir;

use crate::external;

fn place(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(path)
}

fn put(path: &str, bytes: &[u8]) -> Result<()> {
    let path = place(path);
    fs::create_dir_all(path.parent().expect("it lies in a folder"))?;
    Ok(fs::write(path, bytes)?)
}

fn write() -> Result<()> {
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse()?;
    let folder = TempDir::new()?;
    let mut vendor = Vendor::new(folder.path(), catalog::AUDIENCE, noon)?;
    let mut advisory = catalog::advisories(noon).remove(2);
    advisory.corrections.clear();
    let id = advisory.id.clone();
    let keep = |vendor: &Vendor, path: &FeedPath, name: &str| -> Result<()> {
        for (path, name) in [
            (path.clone(), name.to_owned()),
            (path.signatures(), format!("{name}.minisig")),
        ] {
            let bytes = fs::read(vendor.feed_dir().join(path.as_str()))?;
            put(&format!("feed/{name}"), &bytes)?;
            let kind = if name.ends_with("minisig") {
                "signatures"
            } else {
                "documents"
            };
            put(&format!("corpus/{kind}/{name}"), &bytes)?;
        }
        Ok(())
    };
    keep(&vendor, &FeedPath::root(1), "1.root")?;
    for revision in [1, 2] {
        advisory.revision = revision;
        vendor.publish_advisory(advisory.clone())?;
        vendor.broadcast()?;
        keep(&vendor, &FeedPath::head(), &format!("head.{revision}"))?;
        keep(
            &vendor,
            &FeedPath::index(revision),
            &format!("index.{revision}"),
        )?;
        let kind = spacecp_contract::DocumentKind::Advisory;
        let path = FeedPath::document(kind, &id, revision);
        keep(&vendor, &path, &format!("advisory.{revision}"))?;
    }
    let until = noon + SignedDuration::from_hours(24 * 300);
    let next = roots::next(
        &*vendor.feed().root()?,
        &roots::Change::default(),
        noon,
        until,
    )?;
    let next = sign::sign(next, &[&vendor.keys().root])?;
    vendor.signing().add_root(&next)?;
    keep(&vendor, &FeedPath::root(2), "2.root")?;
    let before = Ground::lay(&folder.path().join("before"), Age::Flawed)?;
    let after = Ground::lay(&folder.path().join("after"), Age::Corrected)?;
    let correction = vendor.publish_correction(&catalog::corrections()[0], &before, &after)?;
    put(
        "corpus/documents/correction",
        &spacecp_contract::encode(&correction),
    )?;
    for (number, name) in [
        "spacecp role=feed name=head revision=12",
        "SPACECP-SA-2026-0007",
        "lib/console/escape.js",
        "advisory/SPACECP-SA-2026-0007/1",
        "customers",
        "spacecp:houston",
    ]
    .iter()
    .enumerate()
    {
        put(&format!("corpus/names/{number}"), name.as_bytes())?;
    }
    let strangers = [
        ("osv", external::osv("RUSTSEC-2026-0001")),
        ("csaf", external::csaf("EX-2026:1", "WHITE")),
    ];
    for (name, document) in strangers {
        put(
            &format!("corpus/formats/{name}"),
            document.to_string().as_bytes(),
        )?;
    }
    vendor.broadcast()?;
    let bundle = folder.path().join("bundle.tar");
    spacecp_publisher::bundle::bundle(vendor.feed(), &bundle)?;
    put("corpus/bundle/whole", &fs::read(bundle)?)?;
    put("corpus/report/whole", &report()?.to_bytes())?;
    // Head, root 2, no root 3, index, advisory: a sync that goes well.
    put(
        "corpus/workflow/well",
        &[3, 0, 1, 0, 0, 3, 5, 0, 7, 0, 0, 0, 0, 0],
    )
}

/// One of each that the private side has; the first byte tells the target what follows.
fn write_sealed() -> Result<()> {
    let tag = Tag::from_bytes([0; 8]);
    let bucket = envelope::cut(&[(tag, [1; 64]), (tag, [2; 64])], 1).remove(0);
    put("corpus/sealed/bucket", &[&[0], &bucket[..]].concat())?;
    let digest = Digest::of(b"payload");
    let object = SealedObject {
        digest,
        length: 400,
        key: ObjectKey::from_bytes([7; 16]),
    };
    let document = IndexEntry {
        kind: spacecp_contract::DocumentKind::Correction,
        id: catalog::BACKUP_CORRECTION.parse()?,
        revision: 1,
        digest,
        length: 7,
    };
    let payload = SealedPayload {
        blob: object.blob(),
        object,
    };
    let index = SealedIndex::new(
        Audience::new(catalog::AUDIENCE)?,
        vec![SealedEntry { document, object }],
        vec![payload],
    );
    let index = index.to_bytes();
    put("corpus/sealed/index", &[&[1], &index[..]].concat())?;
    let capsule = capsule::pack(&[&index, b"signatures"]).expect("it is short");
    put("corpus/sealed/capsule", &[&[2], &capsule[..]].concat())?;
    let file = b"\x03age-encryption.org/v1\n-> spacecp-sealed\n\n--- ";
    put("corpus/sealed/header", file)
}

/// A report with something in every field.
fn report() -> Result<Report> {
    Ok(Report {
        title: "Backups follow links".into(),
        steps: "1. Make a link.\n2. Start a backup.".into(),
        affected: vec![ReportedVersion {
            component: "spacecp:module-backup".parse()?,
            version: "2.3.0".into(),
        }],
        expected: "The link is left out.".into(),
        actual: "It is followed.".into(),
        more: "\tAlways.".into(),
        finder: Finder {
            contact: "grace@example.com".into(),
            credit: "Grace".into(),
            recipient: "age1".into(),
        },
        attachments: vec![Attachment {
            name: TreePath::new("proof.txt")?,
            bytes: b"proof".to_vec(),
        }],
    })
}

#[test]
fn the_seed_of_reports_is_one() -> Result<()> {
    let bytes = fs::read(place("corpus/report/whole"))?;
    assert_eq!(
        Report::from_bytes(&bytes, &ReportLimits::default())?,
        report()?
    );
    Ok(())
}

#[test]
fn the_seeds_of_the_private_side_are_read() -> Result<()> {
    if std::env::var_os("WRITE_SEEDS").is_some() {
        write_sealed()?;
    }
    let seed = |name: &str| fs::read(place(&format!("corpus/sealed/{name}")));
    let (bucket, index) = (seed("bucket")?, seed("index")?);
    assert_eq!((bucket[0], index[0]), (0, 1));
    let bucket = Bucket::read(&bucket[1..], 0, 1)?;
    assert_eq!(bucket.at(Tag::from_bytes([0; 8])).count(), 2);
    let index = SealedIndex::from_bytes(&index[1..], &Limits::default())?;
    assert_eq!((index.documents.len(), index.payloads.len()), (1, 1));
    let capsule = seed("capsule")?;
    assert!(capsule::unpack::<2>(&capsule[1..]).is_some());
    Ok(())
}

#[test]
fn the_seeds_are_a_feed_that_panels_believe() -> Result<()> {
    if std::env::var_os("WRITE_SEEDS").is_some() {
        write()?;
    }
    let (bytes, signatures) = (
        fs::read(place("feed/1.root"))?,
        fs::read(place("feed/1.root.minisig"))?,
    );
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    let root = trust::pinned_root(offered, &Audience::new(catalog::AUDIENCE)?)?;
    let (bytes, signatures) = (
        fs::read(place("feed/2.root"))?,
        fs::read(place("feed/2.root.minisig"))?,
    );
    let offered = Unverified {
        bytes: &bytes,
        signatures: &signatures,
    };
    assert_eq!(trust::next_root(&root, offered)?.version, 2);
    Ok(())
}
