//! Cases as a team keeps them: folders of text that survive people, machines and strangers.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use spacecp_contract::{Attachment, Finder, Report, ReportedVersion, TreePath};
use spacecp_publisher::{
    cases::{
        case::Case,
        case_store::{CaseStore, CaseStoreError},
        id::CaseId,
        state_machine::{Event, State},
    },
    report::{
        OpenError,
        envelope::{self, EnvelopeError},
        key::{self, ReportKey, ReportKeyError},
    },
};
use tempfile::TempDir;
use zeroize::Zeroizing;

fn noon() -> Timestamp {
    "2026-11-24T12:00:00.25Z".parse().expect("a time")
}

fn report() -> Report {
    Report {
        title: "Backups follow \"links\" out of their folder".into(),
        steps: "1. Make a link.\n2. Start a backup.\n~~~\n<script>alert(1)</script>".into(),
        affected: vec![ReportedVersion {
            component: "spacecp:module-backup".parse().expect("a name"),
            version: "2.3.0".into(),
        }],
        expected: "The link is left out.".into(),
        actual: "What it leads to is in the archive.".into(),
        finder: Finder {
            contact: "grace@example.com".into(),
            credit: "Grace".into(),
            recipient: String::new(),
        },
        ..Report::default()
    }
}

struct Desk {
    _folder: TempDir,
    path: PathBuf,
    cases: CaseStore,
    key: ReportKey,
}

impl Desk {
    fn new() -> Result<Self> {
        let folder = TempDir::new()?;
        let path = folder.path().to_owned();
        Ok(Self {
            cases: CaseStore::of(&path),
            key: ReportKey::generate(),
            path,
            _folder: folder,
        })
    }

    fn open(&self, report: &Report) -> Result<CaseId, CaseStoreError> {
        let recipient = self.key.recipient();
        let case = self.cases.open(report, &recipient, noon(), "ada")?;
        Ok(case.id().clone())
    }

    fn file(&self, id: &CaseId, name: &str) -> PathBuf {
        self.cases.place(id).join(name)
    }
}

fn everything_below(folder: &Path) -> String {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            String::from_utf8_lossy(&fs::read(entry.path()).unwrap_or_default()).into_owned()
        })
        .collect()
}

#[test]
fn who_reported_is_nowhere_in_the_folder_but_encrypted() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let all = everything_below(&desk.path);
    assert!(all.contains("Backups follow") && all.contains("BEGIN AGE"));
    assert!(!all.contains("grace") && !all.contains("Grace"), "{all}");
    assert_eq!(desk.cases.finder(&id, &desk.key)?, report().finder);
    let other = desk.cases.finder(&id, &ReportKey::generate());
    let other = other.expect_err("another key");
    assert!(other.to_string().contains("finder.age"), "{other}");
    Ok(())
}

#[test]
fn the_digest_that_names_a_report_tells_nobody_who_sent_it() -> Result<()> {
    let (one, other) = (Desk::new()?, Desk::new()?);
    let id = one.open(&report())?;
    let mut anonymous = report();
    anonymous.finder = Finder::default();
    let same = other.open(&anonymous)?;
    assert_eq!(
        one.cases.case(&id)?.report(),
        other.cases.case(&same)?.report()
    );
    assert!(!other.file(&same, "finder.age").exists());
    assert!(!other.cases.case(&same)?.is_reachable());
    Ok(())
}

#[test]
fn a_report_has_one_case_however_often_it_comes_in() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let again = desk.open(&report()).expect_err("it is there");
    assert!(
        matches!(&again, CaseStoreError::Known { id: known } if *known == id),
        "{again}"
    );
    assert_eq!(desk.cases.all()?.0.len(), 1);
    let other = Report {
        title: "Another".into(),
        ..report()
    };
    assert_eq!(desk.open(&other)?.to_string(), "CASE-2026-0002");
    Ok(())
}

#[test]
fn everything_of_a_case_is_for_its_owner_alone() -> Result<()> {
    let desk = Desk::new()?;
    let attachment = Attachment {
        name: TreePath::new("proof.html")?,
        bytes: b"<script>".to_vec(),
    };
    let id = desk.open(&Report {
        attachments: vec![attachment],
        ..report()
    })?;
    desk.cases.record(&id, noon(), "ada", Event::Acknowledged)?;
    for name in [
        "case.toml",
        "report.md",
        "finder.age",
        "attachments/proof.html",
    ] {
        let mode = fs::metadata(desk.file(&id, name))?.permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = fs::metadata(desk.cases.place(&id))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let left: Vec<_> = fs::read_dir(desk.path.join("cases"))?.collect::<Result<_, _>>()?;
    assert_eq!(left.len(), 1, "nothing is left beside the case");
    Ok(())
}

#[test]
fn what_is_recorded_is_appended_and_what_a_person_wrote_stays() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let path = desk.file(&id, "case.toml");
    let by_hand = format!("# Ours to look into: Ben.\n{}", fs::read_to_string(&path)?);
    fs::write(&path, &by_hand)?;
    let case = desk.cases.record(&id, noon(), "ben", Event::Acknowledged)?;
    assert_eq!(case.status().state(), State::Acknowledged);
    let after = fs::read_to_string(&path)?;
    assert!(after.starts_with(by_hand.trim_end()), "{after}");
    assert_eq!(
        after[by_hand.trim_end().len()..].trim_start(),
        "[[entry]]\nat = \"2026-11-24T12:00:00Z\"\nby = \"ben\"\nwhat = \"acknowledged\"\n"
    );
    assert_eq!(desk.cases.case(&id)?, case);
    Ok(())
}

#[test]
fn a_mistake_by_hand_is_named_with_its_line_and_column() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let path = desk.file(&id, "case.toml");
    let good = fs::read_to_string(&path)?;
    let started = "\n[[entry]]\nat = \"2026-11-25T12:00:00Z\"\nby = \"ben\"\n";
    for (text, said) in [
        (
            good.replace("by = \"ada\"", "by = ada"),
            "line 10, column 6",
        ),
        (good.replace("by =", "bye ="), "unknown field `bye`"),
        (good.replace("CASE-2026-0001", ".."), "invalid case id"),
        (
            good.replace("schema = 1", "schema = 2"),
            "line 2, column 10: schema 2",
        ),
        (
            good.replace("\"reported\"", "\"opened\""),
            "unknown kind of entry \"opened\"",
        ),
        (
            format!("{good}{started}what = \"started\"\n"),
            "line 13, column 1: \"started\" is not allowed",
        ),
        (
            format!("{good}{started}what = \"acknowledged\"\ntext = \"x\"\n"),
            "\"acknowledged\" has no field \"text\"",
        ),
        (
            format!("{good}{started}what = \"rejected\"\nreason = \"dull\"\n"),
            "unknown reason \"dull\"",
        ),
        (
            format!(
                "{good}{}what = \"acknowledged\"\n",
                started.replace("2026", "2025")
            ),
            "is before the last entry at",
        ),
        (
            good.split("[[entry]]")
                .next()
                .unwrap_or_default()
                .to_owned(),
            "missing field `entry`",
        ),
        (String::from("\u{0}"), "line 1, column 2"),
    ] {
        fs::write(&path, &text)?;
        let error = desk.cases.case(&id).expect_err("it is wrong").to_string();
        assert!(
            error.contains(said) && error.contains("case.toml"),
            "{said:?}: {error}"
        );
        let refused = desk.cases.record(&id, noon(), "ada", Event::Acknowledged);
        assert!(refused.is_err());
        assert_eq!(
            fs::read_to_string(&path)?,
            text,
            "nothing was written over it"
        );
    }
    Ok(())
}

#[test]
fn a_case_that_cannot_be_read_hides_no_other_and_no_report_is_opened_beside_it() -> Result<()> {
    let desk = Desk::new()?;
    let broken = desk.open(&report())?;
    let other = Report {
        title: "Another".into(),
        ..report()
    };
    let whole = desk.open(&other)?;
    fs::write(desk.file(&broken, "case.toml"), "id = [")?;
    let (cases, unread) = desk.cases.all()?;
    assert_eq!(cases.iter().map(Case::id).collect::<Vec<_>>(), [&whole]);
    assert_eq!(unread[0].folder, desk.cases.place(&broken));
    // It may be the case of this very report.
    assert!(matches!(
        desk.open(&report()),
        Err(CaseStoreError::Written { .. })
    ));
    Ok(())
}

#[test]
fn a_folder_under_another_name_and_a_file_that_is_too_long_are_refused() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let moved: CaseId = "CASE-2026-0009".parse()?;
    fs::rename(desk.cases.place(&id), desk.cases.place(&moved))?;
    let error = desk.cases.case(&moved).expect_err("it is another's");
    assert!(matches!(error, CaseStoreError::Moved { .. }), "{error}");
    assert!(matches!(
        desk.cases.case(&id),
        Err(CaseStoreError::Unknown { .. })
    ));
    fs::write(desk.file(&moved, "case.toml"), "#".repeat((1 << 20) + 1))?;
    let error = desk.cases.case(&moved).expect_err("it is too long");
    assert!(matches!(error, CaseStoreError::Long { .. }), "{error}");
    Ok(())
}

#[test]
fn a_clock_that_goes_backwards_writes_nothing() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let before = fs::read(desk.file(&id, "case.toml"))?;
    let past = noon() - SignedDuration::from_hours(1);
    let error = desk.cases.record(&id, past, "ada", Event::Acknowledged);
    let error = error.expect_err("it was opened later").to_string();
    assert!(error.contains("is before the last entry"), "{error}");
    assert_eq!(fs::read(desk.file(&id, "case.toml"))?, before);
    Ok(())
}

#[test]
fn a_report_that_was_altered_cut_short_or_is_for_another_is_refused_by_name() -> Result<()> {
    let (key, other) = (ReportKey::generate(), ReportKey::generate());
    let sealed = envelope::seal(&report().to_bytes(), &key.recipient())?;
    let open = |sealed: &[u8], key| spacecp_publisher::report::open(sealed, key);
    assert_eq!(open(sealed.as_bytes(), &key)?, report());
    assert_eq!(
        open(sealed.replace('\n', "\r\n").as_bytes(), &key)?,
        report(),
        "mail changes the ends of lines"
    );
    let refused = |sealed: &[u8], key| match open(sealed, key) {
        Err(OpenError::Envelope(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        refused(sealed.as_bytes(), &other),
        EnvelopeError::OtherKey { .. }
    ));
    assert!(matches!(
        refused(b"no report", &key),
        EnvelopeError::Foreign { .. }
    ));
    for end in [60, sealed.len() / 2, sealed.len() - 40] {
        let error = refused(&sealed.as_bytes()[..end], &key);
        assert!(
            matches!(
                error,
                EnvelopeError::Foreign { .. } | EnvelopeError::Damaged { .. }
            ),
            "{error}"
        );
    }
    let mut altered = sealed.clone().into_bytes();
    let at = altered.len() - 100;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let error = refused(&altered, &key);
    assert!(matches!(error, EnvelopeError::Damaged { .. }), "{error}");
    let nothing = envelope::seal(b"not a report", &key.recipient())?;
    assert!(matches!(
        open(nothing.as_bytes(), &key),
        Err(OpenError::Report(_))
    ));
    Ok(())
}

#[test]
fn what_is_too_long_is_refused_before_and_after_decrypting() -> Result<()> {
    let key = ReportKey::generate();
    let long = vec![0; envelope::LONGEST + 1];
    assert!(matches!(
        envelope::open(&long, &key, 1),
        Err(EnvelopeError::Long {
            limit: envelope::LONGEST
        })
    ));
    let sealed = envelope::seal(&[0; 1000], &key.recipient())?;
    assert_eq!(envelope::open(sealed.as_bytes(), &key, 1000)?.len(), 1000);
    assert!(matches!(
        envelope::open(sealed.as_bytes(), &key, 999),
        Err(EnvelopeError::Long { limit: 999 })
    ));
    Ok(())
}

#[test]
fn a_header_of_ten_thousand_recipients_is_not_looked_through() {
    let key = ReportKey::generate();
    let mut header = String::from("age-encryption.org/v1\n");
    for _ in 0..10_000 {
        header.push_str("-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\nEmECAEcKN+n/Vs9SbWiV+Hu0r+E8R77DdWYyd83nw7U\n");
    }
    header.push_str("--- Vn+54jqiiUCE+WZcEVY3f1sqHjlu/z1LCQ/T7Xm7qI0\n");
    let error = envelope::open(header.as_bytes(), &key, 1000).expect_err("too many");
    assert!(matches!(error, EnvelopeError::Header { .. }), "{error}");
}

#[test]
fn a_report_key_is_kept_as_age_keeps_it_and_never_overwritten() -> Result<()> {
    let folder = TempDir::new()?;
    let recipient = key::create(folder.path(), "report", None)?;
    let (secret, public) = key::paths(folder.path(), "report");
    assert_eq!(fs::read_to_string(&public)?, format!("{recipient}\n"));
    assert!(fs::read_to_string(&secret)?.contains("\nAGE-SECRET-KEY-1"));
    assert_eq!(fs::metadata(&secret)?.permissions().mode() & 0o777, 0o600);
    let read = ReportKey::load(&secret, || None)?;
    assert_eq!(read.recipient().to_string(), recipient.to_string());
    assert!(matches!(
        key::create(folder.path(), "report", None),
        Err(ReportKeyError::Exists { .. })
    ));
    Ok(())
}

#[test]
fn a_report_key_with_a_passphrase_opens_with_it_alone() -> Result<()> {
    let folder = TempDir::new()?;
    let words = Zeroizing::new("correct horse".to_owned());
    let recipient = key::create(folder.path(), "report", Some(&words))?;
    let (secret, _) = key::paths(folder.path(), "report");
    assert!(!fs::read_to_string(&secret)?.contains("AGE-SECRET-KEY"));
    let read = ReportKey::load(&secret, || Some(words))?;
    assert_eq!(read.recipient().to_string(), recipient.to_string());
    let wrong = ReportKey::load(&secret, || Some(Zeroizing::new("horse".into())));
    let wrong = wrong.expect_err("another passphrase").to_string();
    assert!(wrong.contains("wrong passphrase"), "{wrong}");
    let none = ReportKey::load(&secret, || None);
    assert!(matches!(none, Err(ReportKeyError::Locked { .. })));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_people_say_is_read_back_from_the_text(
        said in prop::collection::vec("(\\PC|\n|\t|\"|'){1,60}", 1..8),
    ) {
        let desk = Desk::new().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let id = desk.open(&report()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        for text in &said {
            desk.cases
                .record(&id, noon(), text, Event::Told { text: text.clone() })
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
        }
        let case = desk.cases.case(&id).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let read: Vec<&str> = case.entries()[1..].iter().map(|entry| match &entry.event {
            Event::Told { text } => text.as_str(),
            _ => "",
        }).collect();
        prop_assert_eq!(read, said);
    }

    #[test]
    fn no_text_is_more_than_refused(text in "(\\[\\[entry\\]\\]|\\PC|\n|=|\"){0,200}") {
        let desk = Desk::new().map_err(|error| TestCaseError::fail(error.to_string()))?;
        let id = desk.open(&report()).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let path = desk.file(&id, "case.toml");
        fs::write(&path, &text).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(desk.cases.case(&id).is_err());
    }
}
