//! Packages of npm and Cargo, and lists of them.

use std::os::unix::fs::symlink;

use spacecp_contract::TreePath;
use spacecp_scan::{Provider, ScanLimits, Scanner};

use crate::place::{Place, later, listed, unread};

fn package(name: &str, version: &str) -> String {
    format!(r#"{{"name":"{name}","version":"{version}"}}"#)
}

#[test]
fn the_tree_is_what_is_installed_and_the_lock_file_is_asked_only_where_there_is_none() {
    let place = Place::new();
    place.put("package.json", package("houston", "4.7.2"));
    place.put(
        "package-lock.json",
        r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/ws":{"version":"8.0.0"}}}"#,
    );
    assert_eq!(
        listed(&place.scan(Provider::Npm).found),
        [
            "lobby/houston = npm:houston 4.7.2",
            "lobby/ws = npm:ws 8.0.0"
        ]
    );
    place.put("node_modules/ws/package.json", package("ws", "8.16.0"));
    place.put(
        "node_modules/@babel/core/package.json",
        package("@babel/core", "7.1.0"),
    );
    place.put(
        "node_modules/@babel/core/node_modules/ws/package.json",
        package("ws", "7.0.0"),
    );
    place.put("node_modules/.bin/ws", "");
    assert_eq!(
        listed(&place.scan(Provider::Npm).found),
        [
            "lobby/@babel/core = npm:@babel/core 7.1.0",
            "lobby/@babel/core/ws = npm:ws 7.0.0",
            "lobby/houston = npm:houston 4.7.2",
            "lobby/ws = npm:ws 8.16.0",
        ]
    );
}

#[test]
fn a_tree_of_pnpms_is_read_where_its_packages_lie_and_links_in_circles_end() {
    let place = Place::new();
    place.put(
        "node_modules/.pnpm/ws@8.0.0/node_modules/ws/package.json",
        package("ws", "8.0.0"),
    );
    symlink(
        ".pnpm/ws@8.0.0/node_modules/ws",
        place.path().join("node_modules/ws"),
    )
    .unwrap();
    symlink(
        "..",
        place
            .path()
            .join("node_modules/.pnpm/ws@8.0.0/node_modules/ws/node_modules"),
    )
    .unwrap();
    let report = place.scan(Provider::Npm);
    assert_eq!(
        listed(&report.found),
        ["lobby/ws = npm:ws 8.0.0"],
        "{report:?}"
    );
}

#[test]
fn a_package_that_cannot_be_read_is_named_beside_those_that_can() {
    let place = Place::new();
    place.put("node_modules/good/package.json", package("good", "1.0.0"));
    place.put("node_modules/bad/package.json", "{");
    place.put("node_modules/none/index.js", "");
    place.put("node_modules/odd/package.json", package("a b", "1.0.0"));
    let report = place.scan(Provider::Npm);
    assert_eq!(listed(&report.found), ["lobby/good = npm:good 1.0.0"]);
    let unread = unread(&report, &place);
    assert_eq!(unread.len(), 3, "{unread:?}");
    assert!(
        unread[0].starts_with("/node_modules/bad/package.json: not JSON"),
        "{unread:?}"
    );
}

#[test]
fn what_is_left_out_is_neither_listed_nor_named() {
    let place = Place::new();
    place.put("node_modules/good/package.json", package("good", "1.0.0"));
    place.put("node_modules/bad/package.json", "{");
    let mut job = place.job(Provider::Npm);
    job.except = vec![TreePath::new("node_modules/bad").unwrap()];
    let report = Scanner::new(ScanLimits::default(), None).scan(&[job], &[].into(), later());
    assert_eq!(listed(&report.found), ["lobby/good = npm:good 1.0.0"]);
    assert_eq!(report.unread, []);
}

#[test]
fn one_file_may_be_the_place() {
    let place = Place::new();
    let lock = "[[package]]\nname = \"time\"\nversion = \"0.3.36\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let file = place.put("deep/Cargo.lock", lock);
    let mut job = place.job(Provider::Cargo);
    job.place = file;
    let report = Scanner::new(ScanLimits::default(), None).scan(&[job], &[].into(), later());
    assert_eq!(listed(&report.found), ["lobby/time = cargo:time 0.3.36"]);
}

#[test]
fn lists_of_materials_are_found_by_their_names() {
    let place = Place::new();
    place.put("houston.cdx.json", r#"{"bomFormat":"CycloneDX","components":[{"type":"library","name":"ws","purl":"pkg:npm/ws@8.0.0"}]}"#);
    place.put("other.json", "{");
    let report = place.scan(Provider::Sbom);
    assert_eq!(listed(&report.found), ["lobby/ws = npm:ws 8.0.0"]);
    assert_eq!(report.unread, []);
}

#[test]
fn a_scan_that_is_repeated_says_the_same() {
    let place = Place::new();
    for number in 0..40 {
        let name = format!("package-{number}");
        place.put(
            &format!("node_modules/{name}/package.json"),
            package(&name, "1.0.0"),
        );
    }
    assert_eq!(
        place.scan(Provider::Npm).found,
        place.scan(Provider::Npm).found
    );
}

#[test]
fn what_a_workspace_has_beside_it_is_found_behind_the_link_to_it() {
    let place = Place::new();
    place.put("packages/here/package.json", package("here", "0.1.0"));
    place.put(
        "packages/here/node_modules/ws/package.json",
        package("ws", "7.0.0"),
    );
    place.put("node_modules/ws/package.json", package("ws", "8.0.0"));
    symlink("../packages/here", place.path().join("node_modules/here")).unwrap();
    assert_eq!(
        listed(&place.scan(Provider::Npm).found),
        [
            "lobby/here = npm:here 0.1.0",
            "lobby/here/ws = npm:ws 7.0.0",
            "lobby/ws = npm:ws 8.0.0",
        ]
    );
}

#[test]
fn a_tree_without_a_package_says_less_than_the_lock_file() {
    let place = Place::new();
    place.put("node_modules/.cache/x", "");
    place.put(
        "package-lock.json",
        r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/ws":{"version":"8.0.0"}}}"#,
    );
    assert_eq!(
        listed(&place.scan(Provider::Npm).found),
        ["lobby/ws = npm:ws 8.0.0"]
    );
}

#[test]
fn lists_with_nothing_in_them_are_no_all_clear() {
    for (provider, path, text) in [
        (
            Provider::Sbom,
            "bom.json",
            r#"{"bomFormat":"CycloneDX","specVersion":"1.5"}"#,
        ),
        (Provider::Dpkg, "var/lib/dpkg/status", ""),
    ] {
        let place = Place::new();
        place.put("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
        place.put(path, text);
        let report = place.scan(provider);
        let unread = unread(&report, &place).join("\n");
        assert!(
            unread.contains("missing information: any package"),
            "{provider}: {unread}"
        );
    }
}

#[test]
fn what_is_declared_and_not_in_the_tree_is_named() {
    let place = Place::new();
    place.put(
        "package.json",
        r#"{"name":"houston","version":"1.0.0","dependencies":{"lodash":"4.17.16","ws":"8.0.0"},
            "optionalDependencies":{"fsevents":"2"},"devDependencies":{"mocha":"10"}}"#,
    );
    place.put(
        "node_modules/ws/package.json",
        r#"{"name":"ws","version":"8.0.0","dependencies":{"@scope/inner":"1","above":"1","gone":"2"}}"#,
    );
    place.put(
        "node_modules/ws/node_modules/@scope/inner/package.json",
        package("@scope/inner", "1.0.0"),
    );
    place.put("node_modules/above/package.json", package("above", "1.0.0"));
    let unread = unread(&place.scan(Provider::Npm), &place);
    assert_eq!(
        unread,
        [
            "/package.json: missing information: where lodash 4.17.16 is, which it depends on: it is not in node_modules",
            "/node_modules/ws/package.json: missing information: where gone 2 is, which it depends on: it is not in node_modules",
        ]
    );
}

#[test]
fn lock_files_of_other_package_managers_are_read_where_there_is_no_tree() {
    for (file, text) in [
        (
            "yarn.lock",
            "# yarn lockfile v1\n\nlodash@^4:\n  version \"4.17.16\"\n",
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"lodash@npm:^4\":\n  version: 4.17.16\n  resolution: \"lodash@npm:4.17.16\"\n",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  lodash@4.17.16: {}\n",
        ),
        (
            "bun.lock",
            "{\"packages\":{\"lodash\":[\"lodash@4.17.16\",\"\",{},\"\"],},}",
        ),
    ] {
        let place = Place::new();
        place.put("package.json", package("houston", "1.0.0"));
        place.put(file, text);
        let report = place.scan(Provider::Npm);
        assert_eq!(
            listed(&report.found),
            [
                "lobby/houston = npm:houston 1.0.0",
                "lobby/lodash = npm:lodash 4.17.16"
            ],
            "{file}"
        );
        assert_eq!(report.unread, []);
    }
}

#[test]
fn a_binary_lock_file_of_buns_is_named() {
    let place = Place::new();
    place.put("package.json", package("houston", "1.0.0"));
    place.put("bun.lockb", "#!/usr/bin/env bun\n");
    let unread = unread(&place.scan(Provider::Npm), &place).join("\n");
    assert!(
        unread.contains("/bun.lockb: a binary lock file of Bun"),
        "{unread}"
    );
}

#[test]
fn a_program_made_with_go_says_which_modules_are_in_it() {
    let modules = "path\texample.com/tool\nmod\texample.com/tool\tv1.2.3\th1:x\ndep\tgolang.org/x/net\tv0.16.0\th1:y\n";
    let marked = format!("0123456789abcdef{modules}fedcba9876543210");
    let mut program = b"\x7fELF".to_vec();
    // Behind where one look ends, and the beginning of the information across that.
    program.resize((1 << 20) - 16, 0);
    program.extend(b"\xff Go buildinf:\x08\x02");
    program.resize((1 << 20) + 16, 0);
    program.push(8);
    program.extend(b"go1.21.5");
    program.extend([
        u8::try_from(0x80 | (marked.len() & 0x7f)).unwrap(),
        u8::try_from(marked.len() >> 7).unwrap(),
    ]);
    program.extend(marked.bytes());
    program.extend([0; 100]);
    let place = Place::new();
    place.put("bin/tool", &program);
    place.put("bin/other", b"\x7fELF");
    place.put("README", "text");
    let report = place.scan(Provider::Go);
    let all = format!("{:?} {:?}", listed(&report.found), unread(&report, &place));
    // Either the contract knows Go and each is listed, or they are counted.
    let is_listed =
        all.contains("golang:golang.org/x/net 0.16.0") && all.contains("golang:stdlib 1.21.5");
    assert!(
        is_listed || all.contains("/bin/tool: no advisories are known for 3 packages of Go"),
        "{all}"
    );
    assert_eq!(report.unread.len(), usize::from(!is_listed), "{all}");
}

#[test]
fn packages_of_composer_are_found_where_they_are_installed() {
    let place = Place::new();
    place.put(
        "vendor/composer/installed.json",
        r#"{"packages":[{"name":"monolog/monolog","version":"2.0.0"}]}"#,
    );
    place.put("composer.lock", "{");
    let report = place.scan(Provider::Composer);
    assert_eq!(report.found.len() + report.unread.len(), 1, "{report:?}");
}
