//! Files that want to be more than they are: each costs what the limits allow, and is named.

use std::{fs, io::Write, os::unix::fs::symlink};

use spacecp_scan::{Limit, Provider, Report, ScanLimits, Why};

use crate::place::{Jar, Place, listed, unread};

/// The plugin that is found whatever lies beside it.
fn put_a_good_one(place: &Place) {
    let good = Jar::default().with("plugin.yml", "name: Good\nversion: 1\n");
    place.put("plugins/Good.jar", good.bytes());
}

/// Scans a plugin beside a good one, which is found in any case.
fn beside_a_good_one(bytes: &[u8], limits: ScanLimits) -> (Vec<String>, Vec<String>) {
    let place = Place::new();
    put_a_good_one(&place);
    place.put("plugins/Bad.jar", bytes);
    let report = place.scan_within(Provider::Minecraft, limits);
    let mut found = listed(&report.found);
    let good = found
        .iter()
        .position(|one| one == "lobby/Good = bukkit:Good 1");
    found.remove(good.expect("the good one is found"));
    (found, unread(&report, &place))
}

fn small() -> ScanLimits {
    ScanLimits {
        descriptor_bytes: 64 << 10,
        nested_bytes: 1 << 20,
        archive_entries: 1_000,
        ..ScanLimits::default()
    }
}

fn limits_reached(report: &Report) -> Vec<Limit> {
    let limits = report.unread.iter().filter_map(|unread| match unread.why {
        Why::Limit { limit, .. } => Some(limit),
        _ => None,
    });
    limits.collect()
}

#[test]
fn a_description_that_unpacks_to_more_than_any_description_is_left_at_the_limit() {
    let bomb = Jar::default()
        .with("plugin.yml", vec![b' '; 50 << 20])
        .bytes();
    assert!(bomb.len() < 100 << 10);
    let (found, unread) = beside_a_good_one(&bomb, small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(
        unread,
        [
            "/plugins/Bad.jar!/plugin.yml: limit scan.descriptor-bytes (65536) reached; the rest was not read"
        ]
    );
}

#[test]
fn an_archive_inside_that_unpacks_to_more_than_may_be_held_is_left_at_the_limit() {
    let bomb = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .with("lib/bomb.jar", vec![0; 50 << 20])
        .bytes();
    let (found, unread) = beside_a_good_one(&bomb, small());
    assert_eq!(found, ["lobby/Bad = bukkit:Bad 1"]);
    assert_eq!(
        unread,
        [
            "/plugins/Bad.jar!/lib/bomb.jar: limit scan.nested-bytes (1048576) reached; the rest was not read"
        ]
    );
}

#[test]
fn archives_inside_one_another_end_at_the_depth_that_is_allowed() {
    let mut nested = Jar::default().with_library("g", "deepest", "1").bytes();
    for level in 0..20 {
        nested = Jar::default()
            .with(&format!("level{level}.jar"), nested)
            .bytes();
    }
    let limits = ScanLimits {
        archive_depth: 3,
        ..small()
    };
    let (found, unread) = beside_a_good_one(&nested, limits);
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(
        unread,
        [
            "/plugins/Bad.jar!/level19.jar!/level18.jar!/level17.jar: limit scan.archive-depth (3) reached; the rest was not read"
        ]
    );
}

#[test]
fn an_archive_of_archives_that_are_copies_of_each_other_ends_at_the_bytes_of_a_scan() {
    // Each level holds the one below ten times: ten to the sixth in all.
    let mut nested = vec![0; 10 << 10];
    for _ in 0..6 {
        let mut jar = Jar::default();
        for copy in 0..10 {
            jar = jar.with(&format!("{copy}.jar"), &nested);
        }
        nested = jar.bytes();
    }
    let place = Place::new();
    place.put("plugins/Bad.jar", nested);
    let limits = ScanLimits {
        bytes: 4 << 20,
        archive_depth: 10,
        ..ScanLimits::default()
    };
    let report = place.scan_within(Provider::Minecraft, limits);
    assert!(
        limits_reached(&report).contains(&Limit::Bytes),
        "{report:?}"
    );
    assert!(report.unread.len() as u64 <= limits.problems + 1);
}

#[test]
fn an_archive_with_more_entries_than_are_allowed_is_named() {
    let mut many = Jar::default();
    for number in 0..2_000 {
        many = many.with(&format!("{number}.class"), "");
    }
    let (_, unread) = beside_a_good_one(&many.bytes(), small());
    assert_eq!(
        unread,
        ["/plugins/Bad.jar: limit scan.archive-entries (1000) reached; the rest was not read"]
    );
}

/// The bytes of an archive with one change to the end of its directory.
fn with_end(mut bytes: Vec<u8>, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
    change(&mut bytes[end..]);
    bytes
}

#[test]
fn an_archive_that_lies_about_its_entries_is_named_and_what_it_has_is_listed() {
    let honest = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .bytes();
    let lies = with_end(honest, |end| {
        end[10..12].copy_from_slice(&7_u16.to_le_bytes());
    });
    let (found, unread) = beside_a_good_one(&lies, small());
    assert_eq!(found, ["lobby/Bad = bukkit:Bad 1"]);
    assert_eq!(
        unread,
        ["/plugins/Bad.jar: not an archive: 7 entries announced, 1 found"]
    );
}

#[test]
fn a_zip64_record_that_announces_the_impossible_is_refused_before_memory_is_spent() {
    let honest = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .bytes();
    let end_at = honest.len() - 22;
    let mut lies = honest[..end_at].to_vec();
    let mut record = b"PK\x06\x06".to_vec();
    record.extend(44_u64.to_le_bytes());
    record.extend([45, 0, 45, 0]);
    record.extend([0; 8]);
    record.extend(u64::MAX.to_le_bytes());
    record.extend(u64::MAX.to_le_bytes());
    record.extend(u64::MAX.to_le_bytes());
    record.extend(0_u64.to_le_bytes());
    lies.extend(record);
    lies.extend(b"PK\x06\x07");
    lies.extend(0_u32.to_le_bytes());
    lies.extend((end_at as u64).to_le_bytes());
    lies.extend(1_u32.to_le_bytes());
    let end = with_end(honest, |end| {
        end[8..12].fill(0xff);
        end[12..20].fill(0xff);
    });
    lies.extend(&end[end_at..]);
    let (found, unread) = beside_a_good_one(&lies, small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(unread.len(), 1, "{unread:?}");
}

#[test]
fn two_entries_of_one_name_are_not_chosen_from() {
    let twice = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 9\n")
        .with("plugin.yml", "name: Bad\nversion: 1\n");
    let (found, unread) = beside_a_good_one(&twice.bytes(), small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(
        unread,
        [
            "/plugins/Bad.jar!/plugin.yml: duplicate entry name; programs differ in which one they use"
        ]
    );
}

#[test]
fn names_that_climb_are_names_and_nothing_is_written() {
    let climbs = Jar::default()
        .with("../../plugin.yml", "name: Evil\nversion: 1\n")
        .with("plugin.yml", "name: '../../../Good'\nversion: 1\n")
        .with(
            "../../../lib.jar",
            Jar::default()
                .with(
                    "META-INF/maven/g/x/pom.properties",
                    "groupId=g\nartifactId=../../x\nversion=1\n",
                )
                .bytes(),
        );
    let (found, unread) = beside_a_good_one(&climbs.bytes(), small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(unread.len(), 2, "{unread:?}");
}

#[test]
fn an_encrypted_entry_and_a_strange_compression_are_named() {
    let honest = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .bytes();
    let directory = honest
        .windows(4)
        .position(|at| at == b"PK\x01\x02")
        .unwrap();
    let mut encrypted = honest.clone();
    encrypted[directory + 8] |= 1;
    let (found, unread) = beside_a_good_one(&encrypted, small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(unread, ["/plugins/Bad.jar!/plugin.yml: encrypted"]);
    let mut strange = honest;
    strange[directory + 10] = 14;
    let (_, unread) = beside_a_good_one(&strange, small());
    assert_eq!(
        unread,
        ["/plugins/Bad.jar!/plugin.yml: unsupported compression LZMA"]
    );
}

#[test]
fn an_entry_that_no_compressor_wrote_is_named() {
    let mut bytes = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .bytes();
    let contents = 30 + "plugin.yml".len();
    bytes[contents] = 0xff;
    let (found, unread) = beside_a_good_one(&bytes, small());
    assert_eq!(found, [] as [&str; 0]);
    assert!(
        unread[0].starts_with("/plugins/Bad.jar!/plugin.yml: not an entry of an archive"),
        "{unread:?}"
    );
}

#[test]
fn what_is_no_archive_or_cut_off_is_named() {
    let whole = Jar::default()
        .with("plugin.yml", "name: Bad\nversion: 1\n")
        .bytes();
    for bytes in [&b""[..], b"PK", &whole[..whole.len() / 2], &[0xff; 4096]] {
        let (found, unread) = beside_a_good_one(bytes, small());
        assert_eq!(found, [] as [&str; 0]);
        assert_eq!(unread.len(), 1, "{unread:?}");
    }
}

#[test]
fn a_link_out_of_the_folder_is_not_followed_and_named() {
    let outside = Place::new();
    put_a_good_one(&outside);
    let place = Place::new();
    fs::create_dir(place.path().join("mods")).unwrap();
    symlink(outside.path().join("plugins"), place.path().join("plugins")).unwrap();
    symlink(
        outside.path().join("plugins/Good.jar"),
        place.path().join("mods/Good.jar"),
    )
    .unwrap();
    symlink("/nowhere", place.path().join("libraries")).unwrap();
    let report = place.scan(Provider::Minecraft);
    assert_eq!(report.found, []);
    let unread = unread(&report, &place);
    for at in ["/plugins: ", "/mods/Good.jar: ", "/libraries: "] {
        assert!(
            unread.iter().any(|one| one.starts_with(at)),
            "{at} {unread:?}"
        );
    }
}

#[test]
fn a_pipe_and_a_folder_in_the_place_of_a_file_keep_nobody_waiting() {
    let place = Place::new();
    put_a_good_one(&place);
    let pipe = place.path().join("plugins/Pipe.jar");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
    place.put("node_modules/a/package.json/x", "");
    let report = place.scan(Provider::Minecraft);
    assert_eq!(
        unread(&report, &place),
        ["/plugins/Pipe.jar: not a regular file"]
    );
    assert_eq!(
        unread(&place.scan(Provider::Npm), &place),
        ["/node_modules/a/package.json: not a regular file"]
    );
}

#[test]
fn a_file_that_is_larger_than_any_of_its_kind_is_left_at_the_limit() {
    let place = Place::new();
    let file = fs::File::create(place.path().join("Cargo.lock")).unwrap();
    // A hole of a TiB: it has no contents to be read, only a length.
    file.set_len(1 << 40).unwrap();
    let report = place.scan_within(
        Provider::Cargo,
        ScanLimits {
            document_bytes: 1 << 20,
            ..ScanLimits::default()
        },
    );
    assert_eq!(limits_reached(&report), [Limit::DocumentBytes]);
}

#[test]
fn json_10_000_deep_and_bytes_that_are_no_text_are_named() {
    let deep = "[".repeat(10_000);
    for (path, contents) in [
        ("node_modules/a/package.json", deep.as_bytes()),
        ("node_modules/a/package.json", br#"{"name":"a","x":[[[["#),
        ("node_modules/a/package.json", b"{\"name\":\"\xff\"}"),
    ] {
        let place = Place::new();
        place.put(path, contents);
        let report = place.scan(Provider::Npm);
        assert_eq!(report.found, []);
        assert_eq!(report.unread.len(), 1, "{report:?}");
    }
}

#[test]
fn a_tree_of_folders_without_end_is_left_at_the_depth_that_is_allowed() {
    let place = Place::new();
    let mut path = "libraries".to_owned();
    for _ in 0..100 {
        path.push_str("/a");
    }
    place.put(&format!("{path}/x.jar"), "");
    let report = place.scan(Provider::Minecraft);
    assert_eq!(limits_reached(&report), [Limit::FolderDepth], "{report:?}");
}

#[test]
fn more_components_and_more_problems_than_are_allowed_are_counted() {
    let place = Place::new();
    for number in 0..50 {
        let name = format!("p{number:02}");
        place.put(
            &format!("node_modules/{name}/package.json"),
            format!(r#"{{"name":"{name}","version":"1.0.0"}}"#),
        );
        place.put(&format!("node_modules/x{number:02}/package.json"), "{");
    }
    let limits = ScanLimits {
        components: 10,
        problems: 5,
        ..ScanLimits::default()
    };
    let report = place.scan_within(Provider::Npm, limits);
    assert_eq!(report.found.len(), 10);
    let last = &report.unread.last().unwrap().why;
    assert_eq!(report.unread.len(), 6);
    assert_eq!(
        *last,
        Why::More(85),
        "40 components and 50 problems, of which 5 are named"
    );
}

#[test]
fn a_scan_whose_time_is_over_says_where_it_stopped() {
    let place = Place::new();
    put_a_good_one(&place);
    let limits = ScanLimits {
        seconds: 0,
        ..ScanLimits::default()
    };
    let report = place.scan_within(Provider::Minecraft, limits);
    assert_eq!(report.found, []);
    assert!(
        limits_reached(&report).contains(&Limit::Seconds),
        "{report:?}"
    );
}

#[test]
fn more_entries_than_a_scan_may_look_at_are_named() {
    let place = Place::new();
    for number in 0..100 {
        place.put(&format!("libraries/{number}.txt"), "");
    }
    let limits = ScanLimits {
        entries: 50,
        ..ScanLimits::default()
    };
    let report = place.scan_within(Provider::Minecraft, limits);
    assert!(
        limits_reached(&report).contains(&Limit::Entries),
        "{report:?}"
    );
}

#[test]
fn names_that_are_no_text_are_read_all_the_same() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let place = Place::new();
    fs::create_dir(place.path().join("plugins")).unwrap();
    let path = place
        .path()
        .join("plugins")
        .join(OsStr::from_bytes(b"\xff\xfe.jar"));
    let jar = Jar::default()
        .with("plugin.yml", "name: Shop\nversion: 1\n")
        .bytes();
    fs::File::create(path).unwrap().write_all(&jar).unwrap();
    assert_eq!(
        listed(&place.scan(Provider::Minecraft).found),
        ["lobby/Shop = bukkit:Shop 1"]
    );
}

#[test]
fn descriptions_that_are_small_alone_are_together_no_more_than_what_may_be_held() {
    let mut bomb = Jar::default();
    for number in 0..100 {
        let name = format!("META-INF/maven/g/a{number}/pom.properties");
        bomb = bomb.with(&name, vec![b' '; 60 << 10]);
    }
    let (_, unread) = beside_a_good_one(&bomb.bytes(), small());
    let held = "scan.nested-bytes (1048576) reached";
    assert!(unread.iter().any(|line| line.contains(held)), "{unread:?}");
}

#[test]
fn very_many_of_one_name_are_named_in_no_more_than_their_number() {
    let place = Place::new();
    let packages: Vec<String> = (0..20_000)
        .map(|number| {
            format!(r#""node_modules/a{number}":{{"name":"a","version":"${{{number}}}"}}"#)
        })
        .collect();
    let lock = format!(
        r#"{{"lockfileVersion":3,"packages":{{{}}}}}"#,
        packages.join(",")
    );
    place.put("package-lock.json", lock);
    let report = place.scan(Provider::Npm);
    let mut names: Vec<_> = report.found.iter().map(|found| &found.name).collect();
    names.dedup();
    assert_eq!(names.len(), 20_000);
}

#[test]
fn an_archive_that_says_nothing_of_itself_is_named() {
    let nothing = Jar::default().with("a/B.class", "code").bytes();
    let (found, unread) = beside_a_good_one(&nothing, small());
    assert_eq!(found, [] as [&str; 0]);
    assert_eq!(
        unread,
        ["/plugins/Bad.jar: missing information: what it is"]
    );
}
