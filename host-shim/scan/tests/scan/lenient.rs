//! As lenient as whoever runs the file: what Java, Gson, `SnakeYAML` and Node take is read.

use spacecp_scan::Provider;

use crate::place::{Jar, Place, listed, unread};

fn plugin() -> Jar {
    Jar::default().with("plugin.yml", "name: Shop\nversion: 1\n")
}

fn scanned(bytes: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let place = Place::new();
    place.put("plugins/Shop.jar", bytes);
    let report = place.scan(Provider::Minecraft);
    (listed(&report.found), unread(&report, &place))
}

fn found() -> (Vec<String>, Vec<String>) {
    (vec!["lobby/Shop = bukkit:Shop 1".to_owned()], Vec::new())
}

#[test]
fn two_entries_of_one_name_that_say_the_same_are_one() {
    let twice = plugin().with("plugin.yml", "name: Shop\nversion: 1\n");
    assert_eq!(scanned(twice.bytes()), found());
}

#[test]
fn an_archive_behind_a_script_is_read_with_and_without_adjusted_offsets() {
    let script = [
        b"#!/bin/bash\n".as_slice(),
        &b"# starts it\n".repeat(500),
        b"exit 0\n",
    ]
    .concat();
    let plain = plugin().bytes();
    let unadjusted = [script.as_slice(), &plain].concat();
    assert_eq!(scanned(&unadjusted), found());
    assert_eq!(scanned(plugin().behind(&script)), found());
    let place = Place::new();
    place.put("plugins/start.sh", &unadjusted);
    assert_eq!(listed(&place.scan(Provider::Minecraft).found), found().0);
}

#[test]
fn an_entry_that_is_called_like_a_folder_is_found_as_java_finds_it() {
    let yaml = "name: Shop\nversion: 1\n";
    assert_eq!(
        scanned(Jar::default().with("plugin.yml/", yaml).bytes()),
        found()
    );
    // Java takes the plain name first.
    let both = Jar::default()
        .with("plugin.yml/", "name: Other\nversion: 9\n")
        .with("plugin.yml", yaml);
    assert_eq!(scanned(both.bytes()), found());
}

#[test]
fn a_digest_that_does_not_fit_is_ignored_as_java_ignores_it() {
    let mut bytes = plugin().bytes();
    let directory = bytes.windows(4).position(|at| at == b"PK\x01\x02").unwrap();
    bytes[14] ^= 0xff;
    bytes[directory + 16] ^= 0xff;
    assert_eq!(scanned(bytes), found());
}

#[test]
fn a_mark_before_package_json_is_ignored_as_node_ignores_it() {
    let place = Place::new();
    place.put(
        "package.json",
        "\u{feff}{\"name\":\"panel\",\"version\":\"1.0.0\"}",
    );
    place.put(
        "node_modules/lodash/package.json",
        "\u{feff}{\"name\":\"lodash\",\"version\":\"4.17.16\"}",
    );
    let report = place.scan(Provider::Npm);
    assert_eq!(
        listed(&report.found),
        [
            "lobby/lodash = npm:lodash 4.17.16",
            "lobby/panel = npm:panel 1.0.0"
        ]
    );
    assert_eq!(report.unread, []);
}

#[test]
fn a_field_of_another_type_in_package_json_costs_itself() {
    let place = Place::new();
    place.put(
        "node_modules/lodash/package.json",
        r#"{"name":"lodash","version":"4.17.16","dependencies":[],"optionalDependencies":7}"#,
    );
    place.put(
        "node_modules/odd/package.json",
        r#"{"name":"odd","version":7}"#,
    );
    let report = place.scan(Provider::Npm);
    assert_eq!(
        listed(&report.found),
        ["lobby/lodash = npm:lodash 4.17.16", "lobby/odd = npm:odd ?"]
    );
}
