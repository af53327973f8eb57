//! What lock files and bills of materials declare and do not list is named, and a fork has no known version.

use spacecp_scan::Provider;

use crate::place::{Place, listed, unread};

const NEEDS: &str = r#"{"dependencies":{"lodash":"^4.17.16"},"optionalDependencies":{"fsevents":"^2"},"devDependencies":{"jest":"^29"}}"#;

/// What is found in and not read of these files.
fn of(provider: Provider, files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let place = Place::new();
    for (path, text) in files {
        place.put(path, text);
    }
    let report = place.scan(provider);
    (listed(&report.found), unread(&report, &place))
}

#[test]
fn what_a_lock_file_lacks_of_what_is_needed_is_named() {
    for (lock, text) in [
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/ms":{"version":"2.0.0"}}}"#,
        ),
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"":{"dependencies":{"lodash":"^4"}}}}"#,
        ),
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{}}"#,
        ),
        (
            "package-lock.json",
            r#"{"lockfileVersion":1,"dependencies":{}}"#,
        ),
        (
            "yarn.lock",
            "# yarn lockfile v1\n\n\nms@^1:\n  version \"1.0.0\"\n",
        ),
        ("yarn.lock", "__metadata:\n  version: 8\n"),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  ms@1.0.0: {}\n",
        ),
        (
            "bun.lock",
            r#"{"lockfileVersion":1,"workspaces":{"":{"dependencies":{"lodash":"^4"}}},"packages":{}}"#,
        ),
    ] {
        let (_, unread) = of(Provider::Npm, &[("package.json", NEEDS), (lock, text)]);
        assert_eq!(unread.len(), 1, "{text}: {unread:?}");
        assert!(
            unread[0].contains("which version of lodash"),
            "{text}: {unread:?}"
        );
    }
}

#[test]
fn what_a_package_in_a_lock_file_needs_and_the_lock_file_lacks_is_named() {
    for (lock, text) in [
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","dependencies":{"lodash":"^4"}}}}"#,
        ),
        (
            "yarn.lock",
            "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    lodash \"^4\"\n",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\nsnapshots:\n  a@1.0.0:\n    dependencies:\n      lodash: 4.17.16\n",
        ),
        (
            "bun.lock",
            r#"{"packages":{"a":["a@1.0.0","",{"dependencies":{"lodash":"^4"}},"sha512-x"]}}"#,
        ),
    ] {
        let (_, unread) = of(Provider::Npm, &[(lock, text)]);
        assert_eq!(unread.len(), 1, "{text}: {unread:?}");
        assert!(
            unread[0].contains("which version of lodash"),
            "{text}: {unread:?}"
        );
    }
}

#[test]
fn a_whole_lock_file_lacks_nothing_whatever_others_call_a_package() {
    let needs = r#"{"dependencies":{"alias":"npm:lodash@^4","here":"workspace:*"}}"#;
    for (lock, text) in [
        (
            "package-lock.json",
            r#"{"lockfileVersion":3,"packages":{"node_modules/alias":{"name":"lodash","version":"4.17.21"},"node_modules/here":{"resolved":"here","link":true},"here":{"version":"1.0.0"}}}"#,
        ),
        (
            "yarn.lock",
            "__metadata:\n  version: 8\n\n\"alias@npm:lodash@^4\":\n  version: 4.17.21\n  resolution: \"lodash@npm:4.17.21\"\n\n\"here@workspace:*, here@workspace:here\":\n  version: 0.0.0-use.local\n  resolution: \"here@workspace:here\"\n",
        ),
        (
            "pnpm-lock.yaml",
            "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      alias:\n        specifier: npm:lodash@^4\n        version: lodash@4.17.21\n      here:\n        specifier: workspace:*\n        version: link:here\npackages:\n  lodash@4.17.21: {}\n",
        ),
        (
            "bun.lock",
            r#"{"workspaces":{"":{"dependencies":{"alias":"npm:lodash@^4","here":"workspace:*"}}},"packages":{"alias":["lodash@4.17.21","",{},"x"],"here":["here@workspace:here"]}}"#,
        ),
    ] {
        let (found, unread) = of(Provider::Npm, &[("package.json", needs), (lock, text)]);
        assert!(unread.is_empty(), "{text}: {unread:?}");
        assert!(
            found.iter().any(|one| one.ends_with("npm:lodash 4.17.21")),
            "{found:?}"
        );
    }
}

#[test]
fn a_lock_file_of_version_2_with_one_empty_list_is_read_by_the_other() {
    let lock =
        r#"{"lockfileVersion":2,"packages":{},"dependencies":{"lodash":{"version":"4.17.16"}}}"#;
    let (found, unread) = of(
        Provider::Npm,
        &[("package.json", NEEDS), ("package-lock.json", lock)],
    );
    assert_eq!(found, ["lobby/lodash = npm:lodash 4.17.16"]);
    assert!(unread.is_empty(), "{unread:?}");
}

#[test]
fn a_package_of_the_tree_that_is_not_from_a_registry_has_no_known_version() {
    for needs in [
        r#"{"dependencies":{"lodash":"github:x/lodash"}}"#,
        r#"{"dependencies":{"lodash":"x/lodash#1"}}"#,
        r#"{"devDependencies":{"lodash":"git+https://example.org/lodash.git"}}"#,
        r#"{"optionalDependencies":{"lodash":"https://example.org/lodash.tgz"}}"#,
        r#"{"overrides":{"a":{"lodash":"file:lodash.tgz"}}}"#,
        r#"{"resolutions":{"**/lodash@^4":"github:x/lodash"}}"#,
        r#"{"pnpm":{"overrides":{"a>lodash":"github:x/lodash"}}}"#,
    ] {
        let package = r#"{"name":"lodash","version":"4.17.99"}"#;
        let files = [
            ("package.json", needs),
            ("node_modules/lodash/package.json", package),
        ];
        let (found, _) = of(Provider::Npm, &files);
        assert_eq!(found, ["lobby/lodash = npm:lodash ?"], "{needs}");
    }
    let package = r#"{"name":"lodash","version":"4.17.99","_resolved":"git+ssh://git@example.org/lodash.git#1"}"#;
    let (found, _) = of(
        Provider::Npm,
        &[("node_modules/lodash/package.json", package)],
    );
    assert_eq!(found, ["lobby/lodash = npm:lodash ?"]);
    let package = r#"{"name":"lodash","version":"4.17.99"}"#;
    let hidden = r#"{"packages":{"node_modules/lodash":{"version":"4.17.99","resolved":"git+ssh://git@example.org/lodash.git#1"}}}"#;
    let files = [
        ("node_modules/.package-lock.json", hidden),
        ("node_modules/lodash/package.json", package),
    ];
    let (found, _) = of(Provider::Npm, &files);
    assert_eq!(found, ["lobby/lodash = npm:lodash ?"]);
}

#[test]
fn what_a_manifest_of_cargos_needs_and_its_lock_file_lacks_is_named() {
    let manifest = "[dependencies]\ntime = '0.3'\n";
    let lock = "[[package]]\nname = 'a'\nversion = '1.0.0'\n";
    let (_, missing) = of(
        Provider::Cargo,
        &[("Cargo.toml", manifest), ("Cargo.lock", lock)],
    );
    assert!(
        missing[0].contains("which version of time 0.3"),
        "{missing:?}"
    );
    let (_, empty) = of(Provider::Cargo, &[("Cargo.lock", "")]);
    assert_eq!(empty.len(), 1, "{empty:?}");
}

const LODASH: &str =
    r#"{"bomFormat":"CycloneDX","components":[{"name":"lodash","purl":"pkg:npm/lodash@4.17.16"}]}"#;
const MS: &str =
    r#"{"bomFormat":"CycloneDX","components":[{"name":"ms","purl":"pkg:npm/ms@1.0.0"}]}"#;

#[test]
fn every_list_of_a_directory_is_read_whatever_it_is_called() {
    for path in [
        "sbom.json",
        "report.json",
        "sub/bom.json",
        "a/b/my-sbom.json",
    ] {
        let (found, unread) = of(Provider::Sbom, &[("bom.json", MS), (path, LODASH)]);
        assert_eq!(
            found,
            [
                "lobby/lodash = npm:lodash 4.17.16",
                "lobby/ms = npm:ms 1.0.0"
            ],
            "{path}"
        );
        assert!(unread.is_empty(), "{path}: {unread:?}");
    }
    let other = r#"{"name":"package"}"#;
    let (_, unread) = of(Provider::Sbom, &[("bom.json", MS), ("package.json", other)]);
    assert!(unread.is_empty(), "{unread:?}");
    let (_, unread) = of(Provider::Sbom, &[("package.json", other)]);
    assert_eq!(unread.len(), 1);
}

#[test]
fn a_list_of_components_that_is_there_twice_is_read_and_named() {
    let list = r#"{"bomFormat":"CycloneDX","components":[{"name":"lodash","purl":"pkg:npm/lodash@4.17.16"}],"components":[{"name":"ms","purl":"pkg:npm/ms@1.0.0"}]}"#;
    let (found, unread) = of(Provider::Sbom, &[("bom.json", list)]);
    assert_eq!(found.len(), 2);
    assert!(
        unread[0].contains("\"components\" is there twice"),
        "{unread:?}"
    );
}

#[test]
fn every_package_url_of_a_package_counts() {
    let list = r#"{"spdxVersion":"SPDX-2.3","packages":[{"name":"x","versionInfo":"1.0.0","externalRefs":[
        {"referenceType":"purl","referenceLocator":"pkg:npm/ms@1.0.0"},{"referenceType":"purl","referenceLocator":"pkg:npm/lodash@4.17.16"}]}]}"#;
    let (found, _) = of(Provider::Sbom, &[("x.spdx.json", list)]);
    assert_eq!(
        found,
        [
            "lobby/lodash = npm:lodash 4.17.16",
            "lobby/ms = npm:ms 1.0.0"
        ]
    );
}
