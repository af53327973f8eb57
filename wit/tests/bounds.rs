//! Every bound of a document on both sides, and every part that says what a document is.

use jiff::Timestamp;
use serde::de::{
    Deserialize, IntoDeserializer,
    value::{Error as ValueError, StrDeserializer},
};
use spacecp_contract::{
    Advisory, Affected, Audience, Blob, ComponentName, Correction, DecodeError, Digest, Document,
    DocumentId, DocumentKind, FeedPath, FileChange, FileState, Head, Index, IndexEntry, Limits,
    ObjectKey, PluginManifest, Restart, Role, RoleKeys, Root, Sealed, SealedEntry, SealedIndex,
    SealedIndexError, SealedObject, SealedPayload, ShapeError, Source, SourceFormat, TimeBounds,
    Tlp, TreePath, TrustedComment, VersionRange, VersionScheme, capsule, decode, encode,
    envelope::{Bucket, BucketError, ENVELOPE, MOST_BUCKETS, MOST_IN_BUCKET, RECORD, Tag, cut},
    most_sealed,
};

fn audience() -> Audience {
    "customers".parse().expect("an audience")
}

fn blob(length: u64) -> Blob {
    Blob {
        digest: Digest::of(&length.to_be_bytes()),
        length,
    }
}

fn root() -> Root {
    let held = RoleKeys {
        keys: vec!["one".to_owned(), "two".to_owned()],
        threshold: 1,
    };
    Root {
        audience: audience(),
        version: 3,
        issued: Timestamp::UNIX_EPOCH,
        expires: Timestamp::MAX,
        sequence_epoch: 0,
        time_bounds: TimeBounds::default(),
        roles: Role::ALL.map(|role| (role, held.clone())).into(),
    }
}

fn head() -> Head {
    Head {
        audience: audience(),
        sequence: 12,
        issued: Timestamp::UNIX_EPOCH,
        expires: Timestamp::MAX,
        index: Digest::of(b"an index"),
        index_length: 8,
        root_version: 1,
    }
}

fn index(sealed: Option<Sealed>) -> Index {
    Index {
        audience: audience(),
        sequence: 12,
        documents: Vec::new(),
        sealed,
    }
}

fn manifest(plugin: &str) -> PluginManifest {
    PluginManifest {
        plugin: plugin.to_owned(),
        version: "1.0.0".to_owned(),
        release: 5,
        contract: "1.0.0".to_owned(),
        issued: Timestamp::UNIX_EPOCH,
        component: Digest::of(b"a component"),
        length: 11,
        abilities: Vec::new(),
    }
}

fn advisory() -> Advisory {
    Advisory {
        id: "SPACECP-SA-2026-0007".parse().expect("an id"),
        revision: 2,
        audience: audience(),
        published: Timestamp::UNIX_EPOCH,
        modified: Timestamp::UNIX_EPOCH,
        withdrawn: None,
        aliases: Vec::new(),
        title: "A title".to_owned(),
        issue: String::new(),
        impacts: String::new(),
        solution: String::new(),
        workarounds: Vec::new(),
        severity: Vec::new(),
        cwe: Vec::new(),
        known_exploited: false,
        tlp: Tlp::Clear,
        embargo_until: None,
        affected: vec![Affected {
            component: "spacecp:houston".parse().expect("a name"),
            scheme: VersionScheme::Semver,
            ranges: vec![range()],
            versions: Vec::new(),
            unlisted: None,
        }],
        not_affected: Vec::new(),
        corrections: Vec::new(),
        credits: Vec::new(),
        references: Vec::new(),
        supersedes: Vec::new(),
        timeline: Vec::new(),
        notice: None,
        source: None,
    }
}

fn range() -> VersionRange {
    VersionRange {
        introduced: "1.0.0".to_owned(),
        fixed: None,
        last_affected: None,
        limit: None,
    }
}

fn correction() -> Correction {
    Correction {
        id: "SPACECP-SC-2026-0007".parse().expect("an id"),
        revision: 4,
        audience: audience(),
        published: Timestamp::UNIX_EPOCH,
        advisories: Vec::new(),
        component: "spacecp:houston".parse().expect("a name"),
        scheme: VersionScheme::Semver,
        from: range(),
        to: "2.0.0".to_owned(),
        requires: Vec::new(),
        files: vec![added("a", 10)],
        restart: Restart::None,
        health: None,
        reversible: true,
    }
}

fn added(path: &str, compressed: u64) -> FileChange {
    FileChange {
        path: path.parse().expect("a path"),
        before: None,
        after: Some(FileState {
            digest: Digest::of(b"contents"),
            size: 100,
            mode: 0o644,
            blob: blob(compressed),
        }),
    }
}

/// Whether a document is read back; what is refused is refused for contradicting itself.
fn reads<T: Document>(document: &T) -> bool {
    match decode::<T>(&encode(document), &Limits::default()) {
        Ok(_) => true,
        Err(DecodeError::Invalid { kind, .. }) => {
            assert_eq!(kind, T::KIND);
            false
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_trusted_comment_names_the_role_the_document_and_its_revision() {
    fn comment<T: Document>(document: &T) -> String {
        TrustedComment::of(document).to_string()
    }
    assert_eq!(comment(&root()), "spacecp role=root name=root revision=3");
    assert_eq!(comment(&head()), "spacecp role=feed name=head revision=12");
    assert_eq!(
        comment(&index(None)),
        "spacecp role=feed name=index revision=12"
    );
    assert_eq!(
        comment(&advisory()),
        "spacecp role=advisory name=SPACECP-SA-2026-0007 revision=2"
    );
    assert_eq!(
        comment(&correction()),
        "spacecp role=correction name=SPACECP-SC-2026-0007 revision=4"
    );
    assert_eq!(
        comment(&manifest("advisories")),
        "spacecp role=plugin name=advisories revision=5"
    );
}

#[test]
fn every_number_that_counts_documents_begins_at_1() {
    for (number, fits) in [(0, false), (1, true)] {
        let with = |change: fn(&mut Root, u64)| {
            let mut root = root();
            change(&mut root, number);
            reads(&root)
        };
        assert_eq!(with(|root, number| root.version = number), fits);
        let with = |change: fn(&mut Head, u64)| {
            let mut head = head();
            change(&mut head, number);
            reads(&head)
        };
        assert_eq!(with(|head, number| head.sequence = number), fits);
        assert_eq!(with(|head, number| head.root_version = number), fits);
        let mut advisory = advisory();
        advisory.revision = number;
        assert_eq!(reads(&advisory), fits);
        let mut correction = correction();
        correction.revision = number;
        assert_eq!(reads(&correction), fits);
        let mut manifest = manifest("advisories");
        manifest.release = number;
        assert_eq!(reads(&manifest), fits);
    }
}

#[test]
fn a_head_expires_after_it_was_issued_and_an_advisory_was_not_modified_before_it_was_published() {
    let moment = Timestamp::constant(1_800_000_000, 0);
    let instant = jiff::SignedDuration::from_nanos(1);
    for (expires, fits) in [
        (moment - instant, false),
        (moment, false),
        (moment + instant, true),
    ] {
        let mut head = head();
        head.issued = moment;
        head.expires = expires;
        assert_eq!(reads(&head), fits, "{expires}");
    }
    for (modified, fits) in [
        (moment - instant, false),
        (moment, true),
        (moment + instant, true),
    ] {
        let mut advisory = advisory();
        advisory.published = moment;
        advisory.modified = modified;
        assert_eq!(reads(&advisory), fits, "{modified}");
    }
}

#[test]
fn a_root_demands_from_one_signature_to_as_many_as_there_are_keys() {
    for role in Role::ALL {
        for (threshold, fits) in [(0, false), (1, true), (2, true), (3, false)] {
            let mut root = root();
            root.roles.get_mut(&role).expect("it is there").threshold = threshold;
            assert_eq!(reads(&root), fits, "{threshold} for the role {role}");
        }
        let mut without = root();
        without.roles.remove(&role);
        assert!(!reads(&without), "nobody has the role {role}");
    }
}

#[test]
fn what_is_under_embargo_is_not_for_everybody() {
    for (tlp, embargo) in [
        (Tlp::Clear, false),
        (Tlp::Green, false),
        (Tlp::Amber, true),
        (Tlp::AmberStrict, true),
        (Tlp::Red, true),
    ] {
        let mut advisory = advisory();
        advisory.tlp = tlp;
        assert_eq!(advisory.is_under_embargo(), embargo, "{tlp}");
        assert!(reads(&advisory));
        advisory.audience = Audience::PUBLIC.parse().expect("an audience");
        assert_eq!(reads(&advisory), !embargo, "{tlp}");
    }
}

#[test]
fn what_is_affected_has_versions_or_ranges_and_a_range_one_end_at_most() {
    let with = |change: fn(&mut Affected)| {
        let mut advisory = advisory();
        change(&mut advisory.affected[0]);
        reads(&advisory)
    };
    let end = || Some("2.0.0".to_owned());
    assert!(with(|_| {}));
    assert!(!with(|affected| affected.ranges.clear()));
    assert!(with(|affected| {
        affected.ranges.clear();
        affected.versions.push("1.0.0".to_owned());
    }));
    for ends in 0..8 {
        let mut advisory = advisory();
        let range = &mut advisory.affected[0].ranges[0];
        range.fixed = (ends & 1 != 0).then(end).flatten();
        range.last_affected = (ends & 2 != 0).then(end).flatten();
        range.limit = (ends & 4 != 0).then(end).flatten();
        assert_eq!(reads(&advisory), u32::count_ones(ends) <= 1, "{ends:b}");
    }
}

#[test]
fn a_source_has_an_id_of_1_kib_and_keeps_512_kib() {
    let with = |id: usize, rest: usize| {
        let mut advisory = advisory();
        advisory.source = Some(Box::new(Source {
            format: SourceFormat::Osv,
            id: "x".repeat(id),
            digest: Digest::of(b"the document"),
            rest: "x".repeat(rest),
        }));
        reads(&advisory)
    };
    assert!(with(0, 0));
    assert!(with(1 << 10, 512 << 10));
    assert!(!with((1 << 10) + 1, 0));
    assert!(!with(0, (512 << 10) + 1));
}

#[test]
fn a_correction_is_downloaded_with_every_payload_once() {
    let mut correction = correction();
    assert_eq!(correction.download(), 10);
    correction.files = vec![added("a", 10), added("b", 10), added("c", 7)];
    correction.files.push(FileChange {
        path: "d".parse().expect("a path"),
        before: Some(Digest::of(b"old")),
        after: None,
    });
    assert_eq!(correction.download(), 17);
    correction.files = vec![added("a", u64::MAX), added("b", 1)];
    assert_eq!(correction.download(), u64::MAX);
}

#[test]
fn a_correction_changes_a_file_and_says_what_is_there_before_or_after() {
    let mut nothing = correction();
    nothing.files.clear();
    assert!(!reads(&nothing));
    let mut neither = correction();
    neither.files[0].after = None;
    assert!(!reads(&neither));
    neither.files[0].before = Some(Digest::of(b"old"));
    assert!(reads(&neither));
}

#[test]
fn a_plugin_has_a_name_of_1_to_64_lower_case_letters_digits_and_hyphens() {
    for (name, fits) in [
        (String::new(), false),
        ("a".to_owned(), true),
        ("a-1".to_owned(), true),
        ("a".repeat(64), true),
        ("a".repeat(65), false),
        ("A".to_owned(), false),
        ("a_b".to_owned(), false),
        ("ä".to_owned(), false),
    ] {
        assert_eq!(reads(&manifest(&name)), fits, "{name}");
    }
}

#[test]
fn names_have_their_lengths() {
    let id = |length: usize| "A".repeat(length).parse::<DocumentId>().is_ok();
    assert_eq!([2, 3, 64, 65].map(id), [false, true, true, false]);
    let name = |length: usize| "a".repeat(length).parse::<ComponentName>().is_ok();
    assert_eq!([0, 1, 200, 201].map(name), [false, true, true, false]);
    let audience = |length: usize| "a".repeat(length).parse::<Audience>().is_ok();
    assert_eq!([0, 1, 64, 65].map(audience), [false, true, true, false]);
}

#[test]
fn only_roots_and_their_signatures_may_be_asked_for_before_they_are_there() {
    let root = FeedPath::root(7);
    assert!(root.is_root() && root.signatures().is_root());
    let id: DocumentId = "SPACECP-SA-2026-0007".parse().expect("an id");
    for other in [
        FeedPath::head(),
        FeedPath::index(7),
        FeedPath::document(DocumentKind::Advisory, &id, 7),
        FeedPath::blob(&Digest::of(b"a payload")),
    ] {
        assert!(!other.is_root(), "{other}");
    }
}

#[test]
fn the_bytes_of_a_digest_are_those_of_its_text() {
    let bytes: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).expect("it is small"));
    let digest = Digest::from_bytes(bytes);
    assert_eq!(digest.as_bytes(), &bytes);
    assert_eq!(
        digest.to_string(),
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    );
    assert_eq!(digest.short(), "000102030405");
    assert_eq!(format!("{digest:?}"), format!("Digest({digest})"));
}

/// A value that a text form has: of a format that people read.
fn from_text<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ValueError> {
    let text: StrDeserializer<'a, ValueError> = text.into_deserializer();
    T::deserialize(text)
}

#[test]
fn a_key_is_sixteen_bytes_or_32_hexadecimal_digits() {
    let bytes: [u8; 16] = std::array::from_fn(|place| u8::try_from(place).expect("it is small"));
    let text = "000102030405060708090a0b0c0d0e0f";
    let read: ObjectKey = from_text(text).expect("a key");
    assert_eq!(read.as_bytes(), &bytes);
    for wrong in [&text[2..], "no digits", ""] {
        assert!(from_text::<ObjectKey>(wrong).is_err(), "{wrong}");
    }
    let packed = rmp_serde::to_vec(&read).expect("bytes");
    assert_eq!(packed, [&[0xc4, 16][..], &bytes].concat());
    let again: ObjectKey = rmp_serde::from_slice(&packed).expect("a key");
    assert_eq!(again.as_bytes(), &bytes);
    for length in [15, 17] {
        let other = [&[0xc4, length][..], &vec![0; usize::from(length)]].concat();
        assert!(
            rmp_serde::from_slice::<ObjectKey>(&other).is_err(),
            "{length}"
        );
    }
    assert_eq!(format!("{read:?}"), "ObjectKey(…)", "it is not shown");
}

fn sealed(index: u64, buckets: usize, bucket: u64) -> bool {
    reads(&self::index(Some(Sealed {
        nonce: [0; 16],
        index: blob(index),
        buckets: vec![blob(bucket); buckets],
    })))
}

#[test]
fn a_private_side_has_a_power_of_two_of_buckets_up_to_65536() {
    for (buckets, fits) in [
        (0, false),
        (1, true),
        (2, true),
        (3, false),
        (MOST_BUCKETS, true),
        (2 * MOST_BUCKETS, false),
    ] {
        assert_eq!(sealed(1, buckets, 1), fits, "{buckets}");
    }
}

#[test]
fn buckets_and_the_sealed_index_have_the_lengths_that_they_may_come_to() {
    let bucket = (MOST_IN_BUCKET * RECORD) as u64;
    let index = most_sealed(capsule::most(16 << 20));
    assert!(sealed(index, 2, bucket));
    assert!(!sealed(index + 1, 2, bucket));
    assert!(!sealed(index, 2, bucket + 1));
}

#[test]
fn sealing_adds_a_header_and_a_tag_for_each_64_kib() {
    assert_eq!(most_sealed(0), 512);
    assert_eq!(most_sealed((64 << 10) - 1), (64 << 10) - 1 + 512);
    assert_eq!(most_sealed(64 << 10), (64 << 10) + 16 + 512);
    assert_eq!(most_sealed(3 * (64 << 10)), 3 * (64 << 10) + 48 + 512);
    assert_eq!(most_sealed(u64::MAX), u64::MAX);
}

fn entry(kind: DocumentKind, id: &str, length: u64, sealed: u64) -> SealedEntry {
    SealedEntry {
        document: IndexEntry {
            kind,
            id: id.parse().expect("an id"),
            revision: 1,
            digest: Digest::of(id.as_bytes()),
            length,
        },
        object: object(sealed),
    }
}

fn object(length: u64) -> SealedObject {
    SealedObject {
        digest: Digest::of(b"sealed"),
        length,
        key: ObjectKey::from_bytes([7; 16]),
    }
}

/// Whether a sealed index is read back.
fn opens(documents: Vec<SealedEntry>, payloads: Vec<SealedPayload>) -> bool {
    let index = SealedIndex::new(audience(), documents, payloads);
    match SealedIndex::from_bytes(&index.to_bytes(), &Limits::default()) {
        Ok(read) => read == index,
        Err(SealedIndexError::Invalid(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_sealed_index_lists_advisories_and_corrections_and_each_once() {
    use DocumentKind::{Advisory, Correction, Head, Index, Plugin, Root};
    let one = |kind| entry(kind, "SPACECP-SA-2026-0001", 1, 1);
    assert!(opens(Vec::new(), Vec::new()));
    assert!(opens(vec![one(Advisory), one(Correction)], Vec::new()));
    assert!(!opens(vec![one(Advisory), one(Advisory)], Vec::new()));
    for other in [Root, Head, Index, Plugin] {
        assert!(!opens(vec![one(other)], Vec::new()), "{other}");
    }
}

#[test]
fn what_a_sealed_index_lists_has_the_lengths_that_it_may_come_to() {
    let most = Limits::default().bytes as u64;
    let sealed = most_sealed(capsule::most(most));
    let of = |length, sealed| {
        let entry = entry(
            DocumentKind::Advisory,
            "SPACECP-SA-2026-0001",
            length,
            sealed,
        );
        opens(vec![entry], Vec::new())
    };
    assert!(of(most, sealed));
    assert!(!of(most + 1, sealed));
    assert!(!of(most, sealed + 1));
    assert!(!of(1, sealed + 1));
    assert!(!of(most + 1, 1));
}

#[test]
fn a_sealed_index_lists_each_payload_once_and_no_longer_than_sealing_makes_it() {
    let payload = |length, sealed| SealedPayload {
        blob: blob(length),
        object: object(sealed),
    };
    let most = most_sealed(capsule::most(100));
    assert!(opens(Vec::new(), vec![payload(100, most), payload(7, 1)]));
    assert!(!opens(Vec::new(), vec![payload(100, most + 1)]));
    assert!(!opens(
        Vec::new(),
        vec![payload(100, most), payload(100, most)]
    ));
}

#[test]
fn a_sealed_index_of_a_newer_schema_is_refused_by_name() {
    let index = SealedIndex::new(audience(), Vec::new(), Vec::new()).to_bytes();
    let at = index.windows(6).position(|window| window == b"schema");
    let schema = at.expect("it says its schema") + 6;
    for (number, refused) in [(0, None), (1, None), (2, Some(2))] {
        let mut index = index.clone();
        index[schema] = number;
        let read = SealedIndex::from_bytes(&index, &Limits::default());
        let newer = refused.map(SealedIndexError::Schema);
        assert_eq!(read.err(), newer, "{number}");
    }
}

#[test]
fn a_tag_belongs_into_the_bucket_of_its_leading_bits() {
    let bucket = |first: u8, buckets| Tag::from_bytes([first, 0, 0, 0, 0, 0, 0, 0]).bucket(buckets);
    assert_eq!(
        [0, 0x3f, 0x40, 0x80, 0xff].map(|first| bucket(first, 4)),
        [0, 0, 1, 2, 3]
    );
    assert_eq!(
        [0, 0x7f, 0x80, 0xff].map(|first| bucket(first, 2)),
        [0, 0, 1, 1]
    );
    assert_eq!([0, 0xff].map(|first| bucket(first, 1)), [0, 0]);
    assert_eq!(
        Tag::from_bytes([0xff; 8]).bucket(MOST_BUCKETS),
        MOST_BUCKETS - 1
    );
}

#[test]
fn a_bucket_has_its_envelopes_in_order_and_two_of_one_tag_if_chance_will_have_it() {
    let tag = |first: u8| Tag::from_bytes([first, 0, 0, 0, 0, 0, 0, 0]);
    let envelope = |byte: u8| [byte; ENVELOPE];
    let twins = [
        (tag(1), envelope(1)),
        (tag(1), envelope(2)),
        (tag(2), envelope(3)),
    ];
    let bytes = cut(&twins, 1).remove(0);
    let bucket = Bucket::read(&bytes, 0, 1).expect("they are in order");
    let found: Vec<_> = bucket.at(tag(1)).copied().collect();
    assert_eq!(found, [envelope(1), envelope(2)]);
    let unsorted = [(tag(2), envelope(3)), (tag(1), envelope(1))];
    let bytes = cut(&unsorted, 1).remove(0);
    assert_eq!(
        Bucket::read(&bytes, 0, 1).err(),
        Some(BucketError::Order(1))
    );
}

#[test]
fn a_bucket_has_up_to_1024_whole_envelopes() {
    let of = |records: usize, more: usize| {
        let bytes = vec![0; records * RECORD + more];
        Bucket::read(&bytes, 0, 1).err()
    };
    assert_eq!(of(0, 0), None);
    assert_eq!(of(MOST_IN_BUCKET, 0), None);
    let one_more = (MOST_IN_BUCKET + 1) * RECORD;
    assert_eq!(
        of(MOST_IN_BUCKET + 1, 0),
        Some(BucketError::Length(one_more))
    );
    assert_eq!(of(1, 1), Some(BucketError::Length(RECORD + 1)));
    assert_eq!(of(1, RECORD - 1), Some(BucketError::Length(2 * RECORD - 1)));
}

#[test]
fn contents_are_padded_as_padme_does_it() {
    // Of a length of 12 or 13 bits the leading 5 stay, of one of 20 bits the leading 6.
    for (length, padded) in [
        (0, 4_096),
        (4_096, 4_096),
        (4_097, 4_352),
        (4_352, 4_352),
        (4_353, 4_608),
        (8_191, 8_192),
        (1_000_000, 1_015_808),
        (1 << 20, 1 << 20),
        ((1 << 20) + 1, (1 << 20) + (1 << 15)),
    ] {
        assert_eq!(capsule::padded(length), padded, "{length}");
    }
}

#[test]
fn a_capsule_comes_to_its_contents_and_an_eighth_at_most() {
    for (length, most) in [
        (0, 4_608),
        (4_096 - 1_024, 4_608),
        (10_000, 11_024 + 1_378),
        (u64::MAX, u64::MAX),
    ] {
        assert_eq!(capsule::most(length), most, "{length}");
    }
}

#[test]
fn a_capsule_has_exactly_its_parts_and_zeros_behind_them() {
    let packed = capsule::pack(&[b"one", b"other"]).expect("they are short");
    assert_eq!(capsule::unpack(&packed), Some([&b"one"[..], b"other"]));
    let mut one_more = packed.clone();
    *one_more.last_mut().expect("it is not empty") = 1;
    assert_eq!(capsule::unpack::<2>(&one_more), None);
    assert_eq!(capsule::unpack::<1>(&packed), None, "there is another part");
    let exactly = [0, 0, 0, 3, b'o', b'n', b'e'];
    assert_eq!(capsule::unpack(&exactly), Some([&b"one"[..]]));
    assert_eq!(capsule::unpack::<1>(&exactly[..6]), None);
    assert_eq!(capsule::unpack::<1>(&exactly[..3]), None);
}

/// A head with one more field, whose value is these bytes.
fn with_field(value: &[u8]) -> Vec<u8> {
    let mut bytes = encode(&head());
    bytes[0] += 1;
    bytes.extend(b"\xa4more");
    bytes.extend(value);
    bytes
}

#[test]
fn values_of_every_length_are_stepped_over() {
    let texts = |head: &[u8], length: usize| [head, &vec![b'x'; length]].concat();
    for value in [
        vec![0x7f],
        vec![0xff],
        vec![0xc0],
        vec![0xc2],
        vec![0xc3],
        vec![0xcc, 1],
        vec![0xcd, 1, 2],
        vec![0xce, 1, 2, 3, 4],
        vec![0xcf, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0xd0, 1],
        vec![0xd1, 1, 2],
        vec![0xd2, 1, 2, 3, 4],
        vec![0xd3, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0xca, 1, 2, 3, 4],
        vec![0xcb, 1, 2, 3, 4, 5, 6, 7, 8],
        texts(&[0xbf], 31),
        texts(&[0xd9, 5], 5),
        texts(&[0xda, 1, 0], 256),
        texts(&[0xdb, 0, 1, 0, 0], 65_536),
        texts(&[0xc4, 5], 5),
        texts(&[0xc5, 1, 0], 256),
        texts(&[0xc6, 0, 1, 0, 0], 65_536),
        vec![0x92, 1, 2],
        vec![0xdc, 0, 2, 1, 2],
        vec![0xdd, 0, 0, 0, 2, 1, 2],
        vec![0x83, 1, 2, 3, 4, 5, 6],
        vec![0xde, 0, 3, 1, 2, 3, 4, 5, 6],
        vec![0xdf, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6],
    ] {
        let bytes = with_field(&value);
        let read = decode::<Head>(&bytes, &Limits::default());
        assert_eq!(read, Ok(head()), "{:x?}", &value[..value.len().min(9)]);
        let short = decode::<Head>(&bytes[..bytes.len() - 1], &Limits::default());
        let Err(DecodeError::Shape { source, .. }) = short else {
            panic!("{:x?} was read: {short:?}", &value[..value.len().min(9)]);
        };
        let is_cut = match source {
            ShapeError::Truncated { missing, .. } => missing == 1,
            ShapeError::Items {
                announced, room, ..
            } => announced == room as u64 + 1,
            _ => false,
        };
        assert!(is_cut, "{source:?}");
        let long = decode::<Head>(&[&bytes[..], &[0]].concat(), &Limits::default());
        let Err(DecodeError::Shape { source, .. }) = long else {
            panic!("{long:?}");
        };
        assert_eq!(source, ShapeError::Trailing { extra: 1 });
    }
}

#[test]
fn a_field_is_known_by_its_name_however_the_length_of_that_is_written() {
    let plain = encode(&head());
    let short = b"\xa6schema";
    let at = plain
        .windows(short.len())
        .position(|window| window == short);
    let at = at.expect("it says its schema");
    for longer in [
        &b"\xd9\x06schema"[..],
        b"\xda\x00\x06schema",
        b"\xdb\x00\x00\x00\x06schema",
    ] {
        let behind = &plain[at + short.len()..];
        let bytes = [&plain[..at], longer, behind].concat();
        assert_eq!(decode::<Head>(&bytes, &Limits::default()), Ok(head()));
    }
}

#[test]
fn a_sealed_index_is_bounded_before_it_is_read() {
    let bytes = SealedIndex::new(audience(), Vec::new(), Vec::new()).to_bytes();
    let read = |bytes: &[u8], limits: Limits| match SealedIndex::from_bytes(bytes, &limits) {
        Ok(_) => None,
        Err(SealedIndexError::Shape(why)) => Some(why),
        Err(other) => panic!("{other}"),
    };
    let limits = |bytes| Limits {
        bytes,
        ..Limits::default()
    };
    assert_eq!(read(&bytes, limits(bytes.len())), None);
    let too_long = ShapeError::Bytes {
        length: bytes.len(),
        limit: bytes.len() - 1,
    };
    assert_eq!(read(&bytes, limits(bytes.len() - 1)), Some(too_long));
    let with_more = [&bytes[..], &[0]].concat();
    let trailing = ShapeError::Trailing { extra: 1 };
    assert_eq!(read(&with_more, Limits::default()), Some(trailing));
}

#[test]
fn a_correction_that_does_not_say_so_can_be_taken_back() {
    let bytes = encode(&correction());
    let field = b"\xaareversible\xc3";
    let rest = bytes.strip_suffix(field).expect("it is the last field");
    assert_eq!(rest[0], 0xde, "there are more fields than a short map has");
    let mut without = rest.to_vec();
    without[2] -= 1;
    let read: Correction = decode(&without, &Limits::default()).expect("it has its fields");
    assert!(read.reversible);
    let mut one_way = bytes;
    *one_way.last_mut().expect("it is not empty") = 0xc2;
    let read: Correction = decode(&one_way, &Limits::default()).expect("it has its fields");
    assert!(!read.reversible);
}

#[test]
fn a_path_has_1024_bytes_and_each_part_255() {
    let of = |parts: &[usize]| {
        let parts: Vec<String> = parts.iter().map(|length| "a".repeat(*length)).collect();
        parts.join("/").parse::<TreePath>().is_ok()
    };
    assert!(of(&[255]) && !of(&[256]));
    assert!(of(&[255, 255, 255, 254, 1]), "1024 bytes");
    assert!(!of(&[255, 255, 255, 255, 1]), "1025 bytes");
}

#[test]
fn what_is_no_digest_and_no_key_is_said_to_be_none() {
    let error = rmp_serde::from_slice::<Digest>(&[7]).expect_err("it is a number");
    assert!(error.to_string().contains("a SHA-256 digest"), "{error}");
    let error = rmp_serde::from_slice::<ObjectKey>(&[7]).expect_err("it is a number");
    assert!(error.to_string().contains("16 bytes"), "{error}");
}

#[test]
fn a_document_that_is_no_map_says_nothing_of_itself() {
    // An array whose values look like the entries of a map.
    let array = b"\x94\xa6schema\x01\xa4kind\xa4head";
    let missing = DecodeError::Field {
        kind: DocumentKind::Head,
        reason: "missing field `schema`".to_owned(),
    };
    assert_eq!(decode::<Head>(array, &Limits::default()), Err(missing));
}

#[test]
fn what_is_sealed_lies_in_a_folder_of_its_own() {
    let digest = Digest::of(b"sealed");
    for path in [FeedPath::sealed(&digest), FeedPath::blob(&digest)] {
        assert_eq!(FeedPath::parse(path.as_str()), Some(path));
    }
    assert_ne!(FeedPath::sealed(&digest), FeedPath::blob(&digest));
    let elsewhere = FeedPath::sealed(&digest)
        .to_string()
        .replacen("sealed", "other", 1);
    assert_eq!(FeedPath::parse(&elsewhere), None);
}

#[test]
fn an_escape_in_a_path_is_refused_where_it_stands_for_a_parent_only() {
    for (path, fits) in [
        ("a%2eb", true),
        ("%2e", false),
        ("%2E%2e", false),
        ("lib/%2e%2e%2fa", false),
        ("100%", true),
    ] {
        assert_eq!(path.parse::<TreePath>().is_ok(), fits, "{path}");
    }
}

#[test]
fn labels_formats_and_paths_are_written_as_documents_have_them() {
    let labels = [
        Tlp::Clear,
        Tlp::Green,
        Tlp::Amber,
        Tlp::AmberStrict,
        Tlp::Red,
    ];
    assert_eq!(
        labels.map(|label| label.to_string()),
        [
            "TLP:CLEAR",
            "TLP:GREEN",
            "TLP:AMBER",
            "TLP:AMBER+STRICT",
            "TLP:RED"
        ]
    );
    let formats = [SourceFormat::Osv, SourceFormat::Csaf, SourceFormat::Unknown];
    assert_eq!(
        formats.map(|format| format.to_string()),
        ["OSV", "CSAF", "unknown"]
    );
    let path: TreePath = "lib/a.js".parse().expect("a path");
    assert_eq!(path.to_string(), "lib/a.js");
}
