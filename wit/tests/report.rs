//! What a report is, and what is refused before anybody reads it.

use proptest::prelude::*;
use spacecp_contract::{
    Attachment, Finder, Report, ReportError, ReportLimits, ReportedVersion, ShapeError, TreePath,
};

fn report() -> Report {
    Report {
        title: "Backups follow links out of their folder".into(),
        steps: "1. Make a link.\n2. Start a backup.".into(),
        affected: vec![ReportedVersion {
            component: "spacecp:module-backup".parse().expect("a name"),
            version: "2.3.0".into(),
        }],
        expected: "The link is left out.".into(),
        actual: "What it leads to is in the archive: <script>alert(1)</script>".into(),
        ..Report::default()
    }
}

fn attached(name: &str, bytes: &[u8]) -> Attachment {
    Attachment {
        name: TreePath::new(name).expect("a path"),
        bytes: bytes.to_vec(),
    }
}

fn limits() -> ReportLimits {
    ReportLimits::default()
}

fn refused(change: impl FnOnce(&mut Report)) -> ReportError {
    let mut report = report();
    change(&mut report);
    let by_writer = report.check(&limits()).expect_err("it is refused");
    let by_reader = Report::from_bytes(&report.to_bytes(), &limits()).expect_err("so it is");
    assert!(
        by_writer == by_reader || matches!(by_reader, ReportError::Shape(_)),
        "{by_writer} and {by_reader}"
    );
    by_writer
}

#[test]
fn markup_in_a_report_is_text_and_stays_so() {
    let read = Report::from_bytes(&report().to_bytes(), &limits());
    assert_eq!(read, Ok(report()));
}

#[test]
fn nobody_is_named_unless_they_say_so() {
    assert!(report().finder.is_anonymous());
    let finder = Finder {
        credit: "Ada".into(),
        ..Finder::default()
    };
    assert!(!finder.is_anonymous());
    let named = Report { finder, ..report() };
    assert_eq!(named.without_finder(), report());
}

#[test]
fn what_the_vendor_needs_must_be_said() {
    for (change, field) in [
        (
            (|report| report.title.clear()) as fn(&mut Report),
            "the title",
        ),
        (
            |report| report.steps = " \n".into(),
            "what to do to reproduce it",
        ),
        (|report| report.expected.clear(), "what was expected"),
        (|report| report.actual.clear(), "what happened"),
    ] {
        assert_eq!(refused(change), ReportError::Missing { field });
    }
    let versionless = refused(|report| report.affected[0].version.clear());
    assert!(
        versionless
            .to_string()
            .contains("the version of spacecp:module-backup is empty"),
        "{versionless}"
    );
}

#[test]
fn what_would_speak_to_a_terminal_or_turn_a_line_around_is_named_with_its_place() {
    let escape = refused(|report| report.actual = "one\ntwo \u{1b}[2J".into());
    assert_eq!(
        escape.to_string(),
        "what happened contains the unsupported character \\u{1b} on line 2"
    );
    for (change, character) in [
        ((|report| report.title.push('\n')) as fn(&mut Report), '\n'),
        (|report| report.more = "a\u{202e}b".into(), '\u{202e}'),
        (|report| report.steps.push('\0'), '\0'),
        (|report| report.finder.contact = "a\tb".into(), '\t'),
        (|report| report.affected[0].version.push('\r'), '\r'),
    ] {
        let error = refused(change);
        assert!(
            matches!(error, ReportError::Character { character: found, .. } if found == character),
            "{error}"
        );
    }
}

#[test]
fn what_is_too_long_or_too_many_is_named_with_its_limit() {
    let limits = limits();
    let long = refused(|report| report.title = "é".repeat(limits.line + 1));
    assert_eq!(
        long.to_string(),
        "the title has 201 characters, more than the limit of 200"
    );
    for change in [
        (|report| report.steps = "x".repeat((32 << 10) + 1)) as fn(&mut Report),
        |report| report.affected = vec![report.affected[0].clone(); 257],
        |report| report.attachments = (0..17).map(|n| attached(&n.to_string(), b"")).collect(),
        |report| report.attachments = vec![attached("big", &vec![0; (4 << 20) + 1])],
    ] {
        assert!(matches!(refused(change), ReportError::Long { .. }));
    }
    let mut full = report();
    full.title = "é".repeat(limits.line);
    full.steps = "x".repeat(limits.text);
    full.affected = vec![full.affected[0].clone(); limits.affected];
    full.attachments = vec![
        attached("one", &vec![0; limits.attachment]),
        attached("two", &vec![0; limits.attachment]),
    ];
    assert_eq!(
        Report::from_bytes(&full.to_bytes(), &limits),
        Ok(full),
        "what is at the limits is read"
    );
}

#[test]
fn an_attachment_has_the_name_of_a_file_and_of_no_other() {
    for (name, rule) in [
        ("a/b", "contains a directory"),
        (".gitattributes", "begins with a dot"),
    ] {
        let error = refused(|report| report.attachments = vec![attached(name, b"")]);
        assert!(error.to_string().contains(rule), "{error}");
    }
    let twice =
        refused(|report| report.attachments = vec![attached("Log", b""), attached("log", b"")]);
    assert_eq!(twice, ReportError::Twice { name: "log".into() });
    let mut bytes = Report {
        attachments: vec![attached("xx-passwd", b"")],
        ..report()
    }
    .to_bytes();
    let at = bytes
        .windows(9)
        .position(|window| window == b"xx-passwd")
        .expect("its name");
    bytes[at..at + 3].copy_from_slice(b"../");
    let error = Report::from_bytes(&bytes, &limits()).expect_err("it leads out");
    assert!(error.to_string().contains("\"..\""), "{error}");
}

#[test]
fn what_announces_more_than_there_is_costs_no_memory() {
    let mut bytes = report().to_bytes();
    // An array of four thousand million values in place of the texts.
    bytes.truncate(30);
    bytes.extend_from_slice(b"\xdd\xff\xff\xff\xff");
    assert!(matches!(
        Report::from_bytes(&bytes, &limits()),
        Err(ReportError::Shape(_))
    ));
    let large = vec![0xc0; limits().bytes + 1];
    assert!(matches!(
        Report::from_bytes(&large, &limits()),
        Err(ReportError::Shape(ShapeError::Bytes { .. }))
    ));
}

#[test]
fn another_kind_a_newer_schema_and_an_unknown_field_are_refused_by_name() {
    fn with(schema: u32, kind: &str, extra: Option<&str>) -> Result<Report, ReportError> {
        let mut bytes = report().to_bytes();
        let head = |schema: u32, kind: &str| {
            let mut head = vec![0x83, 0xa6];
            head.extend_from_slice(b"schema");
            head.push(u8::try_from(schema).expect("a small number"));
            head.push(0xa4);
            head.extend_from_slice(b"kind");
            head.push(0xa0 | u8::try_from(kind.len()).expect("a short word"));
            head.extend_from_slice(kind.as_bytes());
            head
        };
        let rest = bytes.split_off(head(1, "report").len());
        let mut bytes = head(schema, kind);
        bytes.extend_from_slice(&rest);
        if let Some(extra) = extra {
            bytes[0] += 1;
            bytes.push(0xa0 | u8::try_from(extra.len()).expect("a short word"));
            bytes.extend_from_slice(extra.as_bytes());
            bytes.push(0xc0);
        }
        Report::from_bytes(&bytes, &limits())
    }
    assert_eq!(with(1, "report", None), Ok(report()));
    assert_eq!(
        with(2, "report", None),
        Err(ReportError::Schema { found: 2 })
    );
    assert_eq!(
        with(1, "advisory", None),
        Err(ReportError::Kind {
            found: "advisory".into()
        })
    );
    let unknown = with(1, "report", Some("signature")).expect_err("it is unknown");
    assert!(unknown.to_string().contains("signature"), "{unknown}");
}

fn line() -> impl Strategy<Value = String> {
    "[^\\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,60}"
}

fn text() -> impl Strategy<Value = String> {
    "([^\\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]|\n|\t){0,200}x"
}

prop_compose! {
    fn any_report()(
        title in "[^\\p{Cc}\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,60}x",
        texts in (text(), text(), text(), text()),
        versions in prop::collection::vec("[a-z0-9.+-]{1,20}", 0..8),
        finder in (line(), line(), line()),
        files in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 0..4),
    ) -> Report {
        Report {
            title,
            steps: texts.0,
            expected: texts.1,
            actual: texts.2,
            more: texts.3,
            affected: versions.into_iter().map(|version| ReportedVersion {
                component: "npm:@scope/name".parse().expect("a name"),
                version,
            }).collect(),
            finder: Finder { contact: finder.0, credit: finder.1, recipient: finder.2 },
            attachments: files.iter().enumerate()
                .map(|(number, bytes)| attached(&format!("{number}.bin"), bytes))
                .collect(),
        }
    }
}

proptest! {
    #[test]
    fn every_report_is_read_as_it_was_written(report in any_report()) {
        prop_assert_eq!(Report::from_bytes(&report.to_bytes(), &limits()), Ok(report));
    }

    #[test]
    fn a_report_that_was_cut_short_is_no_report(report in any_report(), at in 0.0..1.0f64) {
        let bytes = report.to_bytes();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let end = (bytes.len() as f64 * at) as usize;
        prop_assert!(Report::from_bytes(&bytes[..end], &limits()).is_err());
    }

    #[test]
    fn no_bytes_are_more_than_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Report::from_bytes(&bytes, &limits());
    }
}
