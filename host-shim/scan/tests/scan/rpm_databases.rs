//! Databases of RPM packages in their three formats: what is found, and what damage costs.

use std::{fs, os::unix::fs::symlink};

use proptest::prelude::*;
use spacecp_scan::{Limit, Provider, Report, ScanLimits, Why, fuzzing};

use crate::place::{Place, listed, unread};

const SQLITE: &[u8] = include_bytes!("rpm/rpmdb.sqlite");
const NDB: &[u8] = include_bytes!("rpm/Packages.db");
const BERKELEY: &[u8] = include_bytes!("rpm/Packages");

const DATABASES: [(&str, &[u8]); 3] = [
    ("var/lib/rpm/rpmdb.sqlite", SQLITE),
    ("usr/lib/sysimage/rpm/Packages.db", NDB),
    ("var/lib/rpm/Packages", BERKELEY),
];

const ALMALINUX: &str = "ID=\"almalinux\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\n";

/// What the databases list; the key of a repository is no package.
const PACKAGES: [&str; 5] = [
    "lobby/bash = rpm:almalinux-9:bash 5.1.8-6.el9",
    "lobby/curl = rpm:almalinux-9:curl 1:7.76.1-26.el9",
    "lobby/htop = rpm:almalinux-9:htop ?",
    "lobby/libstdc++ = rpm:almalinux-9:libstdc++ 11.4.1-2.1.el9.alma",
    "lobby/nodejs = rpm:almalinux-9:nodejs:18:nodejs 1:18.19.0-1.module_el9.3.0+52+47c8ae8a",
];

fn place(path: &str, database: &[u8]) -> Place {
    let place = Place::new();
    place.put("etc/os-release", ALMALINUX);
    place.put(path, database);
    place
}

fn scan(path: &str, database: &[u8]) -> Report {
    place(path, database).scan(Provider::Rpm)
}

/// Whether it is said that something was not read, other than that a repository has no advisories.
fn is_named(report: &Report) -> bool {
    let mut reasons = report.unread.iter().map(|unread| &unread.why);
    reasons.any(|why| !matches!(why, Why::NoAdvisories(_)))
}

#[test]
fn packages_are_found_in_every_format_by_binary_package_and_module_stream() {
    for (path, database) in DATABASES {
        let place = place(path, database);
        let report = place.scan(Provider::Rpm);
        assert_eq!(listed(&report.found), PACKAGES, "{path}");
        let said = format!("/{path}: no advisories are known for 1 packages of Fedora Project");
        assert_eq!(unread(&report, &place), [said]);
    }
}

#[test]
fn a_package_of_another_repository_has_no_version_that_the_distributions_advisories_speak_of() {
    let report = scan(DATABASES[1].0, NDB);
    let htop = report.found.iter().find(|found| found.name == "lobby/htop");
    let reason = htop.unwrap().version.as_ref().unwrap_err();
    let said = "3.3.0-1.el9 is built by Fedora Project, not by the distribution";
    assert_eq!(reason, said);
}

#[test]
fn every_package_of_a_distribution_without_advisories_is_counted() {
    let place = place(DATABASES[1].0, NDB);
    place.put("etc/os-release", "ID=fedora\nVERSION_ID=39\n");
    let report = place.scan(Provider::Rpm);
    let counted = unread(&report, &place);
    let said = [
        "no advisories are known for 1 packages of fedora 39",
        "no advisories are known for 4 packages of AlmaLinux",
    ];
    assert_eq!(counted.len(), 2, "{counted:?}");
    for (line, said) in counted.iter().zip(said.iter().rev()) {
        assert!(line.ends_with(said), "{counted:?}");
    }
}

#[test]
fn a_database_of_a_system_that_does_not_say_its_release_is_not_guessed() {
    let place = Place::new();
    place.put(DATABASES[0].0, SQLITE);
    let report = place.scan(Provider::Rpm);
    assert_eq!(report.found, []);
    assert!(matches!(report.unread[0].why, Why::Missing(_)));
}

#[test]
fn a_directory_that_is_a_link_to_the_other_is_read_once_and_a_second_database_is_named() {
    let place = place("usr/lib/sysimage/rpm/rpmdb.sqlite", SQLITE);
    fs::create_dir_all(place.path().join("var/lib")).unwrap();
    let link = place.path().join("var/lib/rpm");
    symlink("../../usr/lib/sysimage/rpm", &link).unwrap();
    assert!(!is_named(&place.scan(Provider::Rpm)));
    fs::remove_file(&link).unwrap();
    place.put("var/lib/rpm/Packages", BERKELEY);
    let report = place.scan(Provider::Rpm);
    assert_eq!(listed(&report.found), PACKAGES);
    assert!(is_named(&report), "{report:?}");
}

#[test]
fn a_database_behind_a_link_out_of_the_root_directory_is_named_and_not_read() {
    let outside = place(DATABASES[0].0, SQLITE);
    let place = Place::new();
    place.put("etc/os-release", ALMALINUX);
    fs::create_dir_all(place.path().join("var/lib/rpm")).unwrap();
    let target = outside.path().join(DATABASES[0].0);
    symlink(target, place.path().join(DATABASES[0].0)).unwrap();
    let report = place.scan(Provider::Rpm);
    assert_eq!(report.found, []);
    assert!(is_named(&report), "{report:?}");
}

#[test]
fn a_transaction_that_was_broken_off_is_named() {
    let place = place(DATABASES[0].0, SQLITE);
    assert!(!is_named(&place.scan(Provider::Rpm)));
    place.put("var/lib/rpm/rpmdb.sqlite-journal", "x");
    assert!(is_named(&place.scan(Provider::Rpm)));
    place.put("var/lib/rpm/rpmdb.sqlite-journal", "");
    place.put("var/lib/rpm/rpmdb.sqlite-wal", "x");
    assert!(is_named(&place.scan(Provider::Rpm)));
}

#[test]
fn a_header_longer_than_the_limit_costs_itself() {
    let limits = ScanLimits {
        document_bytes: 4000,
        ..ScanLimits::default()
    };
    for (path, database) in DATABASES {
        let report = place(path, database).scan_within(Provider::Rpm, limits);
        assert_eq!(listed(&report.found), PACKAGES[1..], "{path}");
        let mut reasons = report.unread.iter().map(|unread| unread.why.clone());
        let expected = Why::Limit {
            limit: Limit::DocumentBytes,
            most: 4000,
        };
        assert!(reasons.any(|why| why == expected), "{path}: {report:?}");
    }
}

/// Whatever is lost is named, and no more is lost than lies there.
#[test]
fn a_damaged_page_costs_what_is_on_it_and_is_named() {
    const PAGE: usize = 512;
    for (path, database) in DATABASES {
        let pages = database.len().div_ceil(PAGE);
        let mut costs = Vec::new();
        for page in 0..pages {
            for filling in [0u8, 0xff] {
                let mut damaged = database.to_vec();
                let end = database.len().min((page + 1) * PAGE);
                damaged[page * PAGE..end].fill(filling);
                let report = scan(path, &damaged);
                let found = listed(&report.found);
                let lost = PACKAGES
                    .iter()
                    .filter(|package| !found.iter().any(|found| found == *package));
                let lost = lost.count();
                assert!(
                    lost == 0 || is_named(&report),
                    "{path}, {filling:x} at {}: {found:#?}",
                    page * PAGE
                );
                costs.push(lost);
            }
        }
        let lost_some = costs.iter().filter(|lost| (1..5).contains(*lost)).count();
        assert!(lost_some > 0, "{path}: {costs:?}");
    }
}

#[test]
fn a_database_that_is_cut_off_anywhere_is_named() {
    for (path, database) in DATABASES {
        for length in (0..database.len()).step_by(256) {
            let report = scan(path, &database[..length]);
            let is_whole = listed(&report.found) == PACKAGES;
            assert!(is_whole || is_named(&report), "{path}, {length}");
        }
    }
}

#[test]
fn a_file_of_another_format_is_named() {
    for (path, _) in DATABASES {
        for bytes in [SQLITE, NDB, BERKELEY, b"x".as_slice(), b""] {
            let report = scan(path, bytes);
            assert!(!report.found.is_empty() || is_named(&report), "{path}");
        }
    }
}

proptest! {
    #[test]
    fn no_change_of_bytes_ends_the_process(
        database in prop::sample::select(&[SQLITE, NDB, BERKELEY][..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![Just(0), Just(0xff), any::<u8>()]), 1..30),
    ) {
        let mut damaged = database.to_vec();
        for (at, byte) in changes {
            // Where lengths and places stand, more often than not.
            let at = at.index(if byte.is_multiple_of(2) { 400 } else { damaged.len() });
            damaged[at] = byte;
        }
        fuzzing::rpm(&damaged);
    }
}
