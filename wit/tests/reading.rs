//! What the contract reads and what it refuses, whoever wrote it.

use jiff::Timestamp;
use proptest::prelude::*;
use spacecp_contract::{
    Advisory, Affected, Audience, Blob, ComponentName, Correction, Credit, DecodeError, Digest,
    Document, DocumentId, DocumentKind, FeedPath, FileChange, FileState, Head, Index, IndexEntry,
    Limits, Reference, Restart, Role, RoleKeys, Root, ShapeError, TimeBounds, TimelineEntry, Tlp,
    TreePath, TrustedComment, VersionRange, VersionScheme, Workaround, decode, encode,
};

fn head(sequence: u64) -> Head {
    Head {
        audience: "customers".parse().expect("an audience"),
        sequence,
        issued: Timestamp::UNIX_EPOCH,
        expires: Timestamp::MAX,
        index: Digest::of(b"an index"),
        index_length: 8,
        root_version: 1,
    }
}

fn entry(id: &str, kind: DocumentKind) -> IndexEntry {
    IndexEntry {
        kind,
        id: id.parse().expect("an id"),
        revision: 1,
        digest: Digest::of(id.as_bytes()),
        length: 1,
    }
}

fn index(documents: Vec<IndexEntry>) -> Index {
    Index {
        audience: "customers".parse().expect("an audience"),
        sequence: 1,
        documents,
        sealed: None,
    }
}

fn root(keys: &[&str], threshold: u32) -> Root {
    let held = RoleKeys {
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        threshold,
    };
    Root {
        audience: "customers".parse().expect("an audience"),
        version: 1,
        issued: Timestamp::UNIX_EPOCH,
        expires: Timestamp::MAX,
        sequence_epoch: 0,
        time_bounds: TimeBounds::default(),
        roles: Role::ALL.map(|role| (role, held.clone())).into(),
    }
}

/// A correction that adds these files.
fn correction(paths: &[&str]) -> Correction {
    let digest = Digest::of(b"contents");
    let added = FileState {
        digest,
        size: 8,
        mode: 0o644,
        blob: Blob { digest, length: 8 },
    };
    Correction {
        id: "SPACECP-SC-2026-0001".parse().expect("an id"),
        revision: 1,
        audience: "customers".parse().expect("an audience"),
        published: Timestamp::UNIX_EPOCH,
        advisories: Vec::new(),
        component: "spacecp:houston".parse().expect("a component"),
        scheme: VersionScheme::Semver,
        from: VersionRange {
            introduced: "1.0.0".to_owned(),
            fixed: None,
            last_affected: None,
            limit: None,
        },
        to: "1.0.1".to_owned(),
        requires: Vec::new(),
        files: paths
            .iter()
            .map(|path| FileChange {
                path: path.parse().expect("a path"),
                before: None,
                after: Some(added),
            })
            .collect(),
        restart: Restart::None,
        health: None,
        reversible: true,
    }
}

/// The shape's verdict over bytes that are no document.
fn shape(bytes: &[u8], limits: &Limits) -> Option<ShapeError> {
    match decode::<Head>(bytes, limits) {
        Err(DecodeError::Shape { source, .. }) => Some(source),
        Err(_) => None,
        Ok(_) => panic!("these bytes are no head"),
    }
}

/// Arrays of one inside one another, `depth` of them, with a zero in the innermost.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![0x91; depth];
    bytes.push(0);
    bytes
}

#[test]
fn a_document_is_read_back_as_it_was_written() {
    let (head, index, root) = (
        head(7),
        index(vec![entry("SPACECP-SA-2026-0001", DocumentKind::Advisory)]),
        root(&["one", "two"], 2),
    );
    let limits = Limits::default();
    assert_eq!(decode::<Head>(&encode(&head), &limits), Ok(head));
    assert_eq!(decode::<Index>(&encode(&index), &limits), Ok(index));
    assert_eq!(decode::<Root>(&encode(&root), &limits), Ok(root));
}

#[test]
fn a_document_of_another_kind_is_refused_by_name() {
    let error = decode::<Index>(&encode(&head(1)), &Limits::default()).unwrap_err();
    assert_eq!(
        error,
        DecodeError::Kind {
            expected: DocumentKind::Index,
            found: "head".to_owned()
        }
    );
}

/// An advisory that says a little of everything.
fn advisory() -> Advisory {
    let text = str::to_owned;
    Advisory {
        id: "SPACECP-SA-2026-0001".parse().expect("an id"),
        revision: 2,
        audience: "customers".parse().expect("an audience"),
        published: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        withdrawn: None,
        aliases: vec![text("CVE-2026-1")],
        title: text("Anybody may log in"),
        issue: text("Ä door"),
        impacts: text(""),
        solution: text("Close it."),
        workarounds: vec![Workaround {
            id: text("w1"),
            text: text("Lean on it."),
        }],
        severity: vec![text("CVSS:3.1/AV:N")],
        cwe: vec![287],
        known_exploited: true,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: "spacecp:houston".parse().expect("a component"),
            scheme: VersionScheme::Semver,
            ranges: vec![VersionRange {
                introduced: text("0"),
                fixed: Some(text("1.0.1")),
                last_affected: None,
                limit: None,
            }],
            versions: vec![text("0.9")],
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: vec!["SPACECP-SC-2026-0001".parse().expect("an id")],
        credits: vec![Credit {
            name: text("Ada"),
            role: text("finder"),
        }],
        references: vec![Reference {
            title: text("More"),
            url: text("https://example.org/"),
        }],
        supersedes: Vec::new(),
        timeline: vec![TimelineEntry {
            at: Timestamp::UNIX_EPOCH,
            event: text("found"),
        }],
        notice: None,
        source: None,
    }
}

#[test]
fn texts_that_are_left_in_the_bytes_are_those_that_are_taken_out_whatever_the_bytes() {
    let whole = encode(&advisory());
    let limits = Limits::default();
    let owned = |bytes: &[u8]| format!("{:?}", decode::<Advisory>(bytes, &limits));
    let borrowed = |bytes: &[u8]| format!("{:?}", Advisory::borrowed(bytes, &limits));
    assert_eq!(
        owned(&whole),
        format!("{:?}", Ok::<_, DecodeError>(advisory()))
    );
    let mut read = 0;
    for place in 0..whole.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= change;
            assert_eq!(borrowed(&bytes), owned(&bytes), "{place} {change:x}");
            read += usize::from(owned(&bytes).starts_with("Ok"));
        }
    }
    assert!(read > whole.len() / 4, "only {read} of them could be read");
    assert_eq!(borrowed(&whole), owned(&whole));
}

/// The bytes of a head, with an entry more at the end of its outermost map.
fn with_entry(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut bytes = encode(&head(1));
    bytes[0] += 1;
    bytes.extend([name, value].concat());
    bytes
}

/// Why it is not read, where a field is what is wrong.
fn field(bytes: &[u8]) -> String {
    match decode::<Head>(bytes, &Limits::default()) {
        Err(DecodeError::Field { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_document_that_says_twice_what_it_is_is_refused_since_readers_might_choose() {
    let kind = with_entry(b"\xa4kind", b"\xa5index");
    assert_eq!(field(&kind), "duplicate field `kind`");
    let written_longer = with_entry(b"\xd9\x06schema", b"\x02");
    assert_eq!(field(&written_longer), "duplicate field `schema`");
}

#[test]
fn a_document_that_does_not_say_what_it_is_is_refused() {
    let mut bytes = encode(&head(1));
    let place = bytes.windows(5).position(|name| name == b"\xa4kind");
    bytes[place.expect("it is written there") + 1] = b'm';
    assert_eq!(field(&bytes), "missing field `kind`");
    assert_eq!(
        field(b"\x93\xa6schema\x01\xa4kind"),
        "missing field `schema`"
    );
    assert_eq!(field(b"\x80"), "missing field `schema`");
    let text = b"\x82\xa6schema\xa3one\xa4kind\xa4head";
    assert!(
        field(text).starts_with("field `schema`: "),
        "{}",
        field(text)
    );
}

#[test]
fn a_field_without_a_text_for_a_name_is_refused_since_readers_might_count_fields() {
    for name in [
        &b"\x01"[..],
        b"\xff",
        b"\xc0",
        b"\xcd\x01\x00",
        b"\x90",
        b"\xc3",
        b"\xc4\x05other",
        b"\xa3\xff\xfe\xfd",
    ] {
        let reason = field(&with_entry(name, b"\x01"));
        assert_eq!(reason, "a field name is not text", "{name:x?}");
    }
}

#[test]
fn what_a_field_says_of_itself_is_not_what_the_document_says() {
    let nested = with_entry(b"\xa5other", b"\x82\xa4kind\xa5index\xa6schema\x63");
    assert_eq!(decode(&nested, &Limits::default()), Ok(head(1)));
}

#[test]
fn a_newer_schema_is_refused_by_name_before_any_field_is_read() {
    let kind = DocumentKind::Head;
    for newer in [
        &b"\x83\xa5other\x91\x07\xa4kind\xa4head\xa6schema\x02"[..],
        b"\x83\x07\x01\xa4kind\xa4head\xa6schema\x02",
    ] {
        let error = decode::<Head>(newer, &Limits::default()).unwrap_err();
        assert_eq!(error, DecodeError::Schema { kind, found: 2 });
    }
}

#[test]
fn a_document_of_exactly_the_limit_is_read_and_one_byte_less_refuses_it() {
    let bytes = encode(&head(1));
    let limit = |bytes| Limits {
        bytes,
        ..Limits::default()
    };
    assert!(decode::<Head>(&bytes, &limit(bytes.len())).is_ok());
    assert_eq!(
        shape(&bytes, &limit(bytes.len() - 1)),
        Some(ShapeError::Bytes {
            length: bytes.len(),
            limit: bytes.len() - 1
        })
    );
}

#[test]
fn nesting_up_to_the_limit_is_read_and_beyond_it_refused() {
    let limits = Limits {
        depth: 5,
        ..Limits::default()
    };
    assert_eq!(shape(&nested(5), &limits), None);
    assert_eq!(
        shape(&nested(6), &limits),
        Some(ShapeError::Depth { at: 5, limit: 5 })
    );
}

#[test]
fn values_up_to_the_limit_are_read_and_beyond_it_refused() {
    let limits = Limits {
        items: 5,
        ..Limits::default()
    };
    assert_eq!(shape(&[0x94, 0, 0, 0, 0], &limits), None);
    assert_eq!(
        shape(&[0x95, 0, 0, 0, 0, 0], &limits),
        Some(ShapeError::Items {
            at: 0,
            announced: 5,
            room: 4
        })
    );
}

#[test]
fn values_are_counted_over_the_whole_document_and_not_per_array() {
    let limits = Limits {
        items: 6,
        ..Limits::default()
    };
    // An array of two arrays of two: seven values, of which no array announces more than two.
    let bytes = [0x92, 0x92, 0, 0, 0x92, 0, 0];
    assert_eq!(
        shape(&bytes, &limits),
        Some(ShapeError::Items {
            at: 4,
            announced: 2,
            room: 1
        })
    );
}

#[test]
fn an_announcement_beyond_the_bytes_is_a_lie_whatever_the_limits() {
    for bytes in [
        &[0xdd, 0xff, 0xff, 0xff, 0xff][..],
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
        &[0xdc, 0xff, 0xff],
    ] {
        assert!(
            matches!(
                shape(bytes, &Limits::default()),
                Some(ShapeError::Items { at: 0, room: 0, .. })
            ),
            "{bytes:x?}"
        );
    }
}

#[test]
fn a_text_longer_than_the_limit_is_refused_before_it_is_read() {
    let limits = Limits {
        text: 4,
        ..Limits::default()
    };
    assert_eq!(shape(b"\xa4four", &limits), None);
    assert_eq!(
        shape(b"\xdb\xff\xff\xff\xff", &limits),
        Some(ShapeError::Text {
            at: 0,
            announced: 0xffff_ffff,
            limit: 4
        })
    );
}

#[test]
fn bytes_behind_the_end_are_refused() {
    let mut bytes = encode(&head(1));
    bytes.extend_from_slice(b"more");
    assert_eq!(
        shape(&bytes, &Limits::default()),
        Some(ShapeError::Trailing { extra: 4 })
    );
}

#[test]
fn extension_types_are_refused() {
    for bytes in [&[0xc7, 0, 1][..], &[0xd4, 1, 0], &[0xc1]] {
        assert_eq!(
            shape(bytes, &Limits::default()),
            Some(ShapeError::Kind { at: 0 }),
            "{bytes:x?}"
        );
    }
}

#[test]
fn a_head_that_expires_before_it_is_issued_contradicts_itself() {
    let mut head = head(1);
    head.expires = head.issued;
    assert!(matches!(
        decode::<Head>(&encode(&head), &Limits::default()),
        Err(DecodeError::Invalid { .. })
    ));
}

#[test]
fn an_index_lists_advisories_and_corrections_only_and_each_once() {
    let twice = index(vec![
        entry("SPACECP-SA-2026-0001", DocumentKind::Advisory),
        entry("SPACECP-SA-2026-0001", DocumentKind::Advisory),
    ]);
    assert!(twice.validate().unwrap_err().contains("duplicate"));
    let root = index(vec![entry("ROOT", DocumentKind::Root)]);
    assert!(root.validate().is_err());
}

#[test]
fn a_correction_names_no_file_twice_not_even_but_for_case() {
    assert!(correction(&["a", "b", "c/d", "c/e"]).validate().is_ok());
    assert!(correction(&["a", "a"]).validate().is_err());
    assert!(correction(&["README", "readme"]).validate().is_err());
    assert!(correction(&[]).validate().is_err());
}

#[test]
fn a_correction_makes_nothing_a_file_and_a_folder_at_once() {
    for paths in [["a", "a/b"], ["a/b/c", "a"], ["A", "a/b"]] {
        let error = correction(&paths).validate().unwrap_err();
        assert!(error.contains("the directory of"), "{paths:?}: {error}");
    }
    assert!(correction(&["a-b", "a/b", "ab"]).validate().is_ok());
}

#[test]
fn a_root_demands_a_number_of_signatures_that_its_keys_can_give() {
    assert!(root(&["one", "two"], 2).validate().is_ok());
    assert!(root(&["one"], 2).validate().is_err());
    assert!(root(&["one"], 0).validate().is_err());
    assert!(root(&["one", "one"], 1).validate().is_err());
    let mut incomplete = root(&["one"], 1);
    incomplete.roles.remove(&Role::Plugin);
    assert!(incomplete.validate().unwrap_err().contains("plugin"));
}

#[test]
fn paths_that_could_lead_out_or_mean_another_file_are_refused() {
    let long = "a".repeat(256);
    for path in [
        "",
        "/etc/passwd",
        "..",
        "../a",
        "a/../b",
        "a/..",
        ".",
        "a/./b",
        "a//b",
        "%2e%2e/x",
        "a/..%2Fb",
        "a/",
        "a\0b",
        "a\nb",
        "a\\b",
        "c:/b",
        "a:stream",
        "nul",
        "a/CON.txt",
        "com1",
        "lpt9.log",
        "a ",
        "a./b",
        "readme\u{202e}txt",
        "a\u{2066}b",
        long.as_str(),
    ] {
        assert!(TreePath::new(path).is_err(), "{path:?}");
    }
    assert!(TreePath::new("a/".repeat(512) + "b").is_err());
}

#[test]
fn ordinary_paths_are_taken_as_they_are() {
    for path in [
        "package.json",
        "node_modules/.bin/tsc",
        "ein Ordner/Größe.txt",
        "a..b",
        "...a",
        "console",
        "com10",
    ] {
        assert_eq!(TreePath::new(path).expect(path).as_str(), path);
    }
}

#[test]
fn a_path_names_the_folders_that_lead_to_it() {
    let path = TreePath::new("a/b/c").expect("a path");
    assert_eq!(path.parents().collect::<Vec<_>>(), ["a", "a/b"]);
}

#[test]
fn names_that_mean_something_elsewhere_are_refused() {
    for id in [
        "",
        "ab",
        "A",
        "AB",
        "aBC",
        "1AB",
        "ABC-",
        "A/B",
        "A.B",
        "..",
        "ABC\u{202e}",
        "Ａ-1",
    ] {
        assert!(DocumentId::new(id).is_err(), "{id:?}");
    }
    assert!(DocumentId::new("A".repeat(64)).is_ok());
    assert!(DocumentId::new("A".repeat(65)).is_err());
    for component in ["", "../x", "a/../b", "npm:", ":x", "a//b", "a b", "-x"] {
        assert!(ComponentName::new(component).is_err(), "{component:?}");
    }
    for component in [
        "spacecp:houston",
        "npm:@scope/name",
        "maven:org.apache:log4j",
    ] {
        assert!(ComponentName::new(component).is_ok(), "{component:?}");
    }
    for audience in ["", "Public", "a b", "a/b"] {
        assert!(Audience::new(audience).is_err(), "{audience:?}");
    }
}

#[test]
fn a_document_reaches_its_own_audience_and_a_public_one_everybody() {
    let [a, b, public] = ["a", "b", "public"].map(|name| Audience::new(name).expect("an audience"));
    assert!(a.may_reach(&a) && public.may_reach(&a));
    assert!(!a.may_reach(&b) && !a.may_reach(&public));
}

#[test]
fn a_feed_keeps_its_files_where_the_contract_says() {
    let id: DocumentId = "SPACECP-SA-2026-0007".parse().expect("an id");
    let path = FeedPath::document(DocumentKind::Advisory, &id, 2);
    assert_eq!(path.as_str(), "advisory/SPACECP-SA-2026-0007/2");
    assert_eq!(
        path.signatures().as_str(),
        "advisory/SPACECP-SA-2026-0007/2.minisig"
    );
    let digest = Digest::of(b"");
    assert_eq!(
        FeedPath::blob(&digest).as_str(),
        format!("blob/e3/{digest}")
    );
}

#[test]
fn there_is_one_way_to_write_a_trusted_comment() {
    let text = "spacecp role=feed name=head revision=12";
    let comment = TrustedComment::parse(text).expect("a comment");
    assert_eq!(comment, TrustedComment::of(&head(12)));
    for other in [
        "",
        "timestamp:1555779966\tfile:test",
        "spacecp role=feed name=head revision=012",
        "spacecp role=feed name=head revision=+12",
        "spacecp role=feed  name=head revision=12",
        "spacecp role=feed name=head revision=12 ",
        "spacecp name=head role=feed revision=12",
        "spacecp role=FEED name=head revision=12",
        "spacecp role=feed name=head revision=18446744073709551616",
    ] {
        assert!(TrustedComment::parse(other).is_err(), "{other:?}");
    }
}

#[test]
fn no_prefix_of_a_document_is_a_document() {
    let bytes = encode(&index(vec![entry("ABC", DocumentKind::Advisory)]));
    for end in 0..bytes.len() {
        assert!(
            matches!(
                decode::<Index>(&bytes[..end], &Limits::default()),
                Err(DecodeError::Shape { .. })
            ),
            "cut at {end}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        // Random bytes are no head: one would have to say so in words.
        prop_assert!(decode::<Head>(&bytes, &Limits::default()).is_err());
    }

    #[test]
    fn every_head_survives_the_round_trip(sequence in 1u64.., length: u64, version in 1u64..) {
        let head = Head { index_length: length, root_version: version, ..head(sequence) };
        prop_assert_eq!(decode::<Head>(&encode(&head), &Limits::default()), Ok(head));
    }

    #[test]
    fn every_trusted_comment_survives_the_round_trip(
        role in prop::sample::select(Role::ALL.to_vec()),
        name in "[A-Za-z0-9-]{1,64}",
        revision: u64,
    ) {
        let comment = TrustedComment { role, name, revision };
        prop_assert_eq!(TrustedComment::parse(&comment.to_string()), Ok(comment));
    }

    #[test]
    fn a_comment_that_is_read_is_the_one_that_would_be_written(text in "spacecp role=(feed|root|x) name=[ -~]{0,12} revision=[0-9+-]{1,21}") {
        if let Ok(comment) = TrustedComment::parse(&text) {
            prop_assert_eq!(comment.to_string(), text);
        }
    }

    #[test]
    fn a_path_that_is_taken_stays_inside(text in r"[a-zA-Z./ \\:\x00-\x1f-]{0,40}") {
        if let Ok(path) = TreePath::new(text) {
            let inside = path.as_path().components().all(|part| matches!(part, std::path::Component::Normal(_)));
            prop_assert!(inside && path.as_path().is_relative());
        }
    }

    #[test]
    fn every_digest_survives_the_round_trip(bytes: [u8; 32]) {
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
        if digest.to_string() != digest.to_string().to_uppercase() {
            prop_assert!(digest.to_string().to_uppercase().parse::<Digest>().is_err());
        }
    }
}

#[test]
fn every_path_of_a_feed_reads_back_and_nothing_else_is_one() {
    let id: DocumentId = "SPACECP-SA-2026-0007".parse().unwrap();
    let digest = Digest::of(b"payload");
    let documents = [
        FeedPath::head(),
        FeedPath::root(3),
        FeedPath::index(u64::MAX),
        FeedPath::document(DocumentKind::Advisory, &id, 2),
        FeedPath::document(DocumentKind::Correction, &id, 1),
    ];
    for path in documents {
        assert_eq!(FeedPath::parse(path.as_str()), Some(path.clone()));
        let signatures = path.signatures();
        assert_eq!(FeedPath::parse(signatures.as_str()), Some(signatures));
    }
    let blob = FeedPath::blob(&digest);
    assert_eq!(FeedPath::parse(blob.as_str()), Some(blob.clone()));
    let refused = [
        "",
        "/head",
        "./head",
        "../head",
        "head/",
        "HEAD",
        "head.minisig.minisig",
        "root/03.root",
        "root/-1.root",
        "root/+1.root",
        "root/3.ROOT",
        "index/18446744073709551616.index",
        "advisory/../../etc/passwd",
        "advisory/SPACECP-SA-2026-0007/../1",
        "advisory//1",
        "advisory/SPACECP-SA-2026-0007/1/",
        "advisory\\SPACECP-SA-2026-0007\\1",
        "head\0",
        "he\u{202e}ad",
        "%2e%2e/head",
        "CON",
        "blob/00/aa",
        &format!("blob/00/{digest}"),
        &format!("{blob}.minisig"),
        &format!("advisory/{}/1", "A".repeat(300)),
    ];
    for text in refused {
        assert_eq!(FeedPath::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_digest_of_any_other_length_than_that_of_sha_256_is_refused() {
    for (length, fits) in [
        (20, false),
        (31, false),
        (32, true),
        (33, false),
        (64, false),
    ] {
        let bytes = [&[0xc4, length][..], &vec![7; usize::from(length)]].concat();
        let read: Result<Digest, _> = rmp_serde::from_slice(&bytes);
        assert_eq!(read.is_ok(), fits, "{length}");
        let text = "07".repeat(usize::from(length));
        assert_eq!(text.parse::<Digest>().is_ok(), fits, "{length}");
    }
    assert!("0A".repeat(32).parse::<Digest>().is_err(), "upper case");
}
