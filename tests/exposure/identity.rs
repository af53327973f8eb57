//! One identity: what an importer names, every scanner that can meet it names alike.
//!
//! May not: know how a name is made. It compares what comes out on both sides.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use spacecp_formats::{Format, Terms, to_advisory};
use spacecp_scan::{Job, Provider, ScanLimits, Scanner};
use spacecp_tests::jar::Jar;

use crate::rpm_database::with_package;

/// An ecosystem in all the ways in which it is written. `<name>` stands for the package, `<version>` for its version.
struct Spelled {
    /// OSV's names.
    osv: &'static [&'static str],
    /// Package URLs, with what follows the version: those of documents and of lists.
    purls: &'static [(&'static str, &'static str)],
    /// Systems of whose packages dpkg has the list, by `os-release`.
    systems: &'static [&'static str],
    /// Systems of whose packages rpm has a database, by `os-release`, and who builds their packages.
    rpm_systems: &'static [(&'static str, &'static str)],
    /// Systems of whose packages apk has the list, by `os-release`.
    apk_systems: &'static [&'static str],
    /// A provider and the file that it reads.
    files: &'static [(Provider, &'static str, &'static str)],
}

const NONE: Spelled = Spelled {
    osv: &[],
    purls: &[],
    systems: &[],
    rpm_systems: &[],
    apk_systems: &[],
    files: &[],
};

const ECOSYSTEMS: &[Spelled] = &[
    Spelled {
        osv: &["crates.io"],
        purls: &[("pkg:cargo/<name>", "")],
        files: &[(
            Provider::Cargo,
            "Cargo.lock",
            "[[package]]\nname = \"<name>\"\nversion = \"<version>\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n",
        )],
        ..NONE
    },
    Spelled {
        osv: &["npm"],
        purls: &[
            ("pkg:npm/<name>", ""),
            ("pkg:NPM/<name>", "?vcs_url=git:%2F%2Fx"),
        ],
        files: &[
            (
                Provider::Npm,
                "package-lock.json",
                r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/<name>":{"version":"<version>"}}}"#,
            ),
            (
                Provider::Npm,
                "package.json",
                r#"{"name":"<name>","version":"<version>"}"#,
            ),
        ],
        ..NONE
    },
    Spelled {
        osv: &["Go"],
        purls: &[("pkg:golang/<name>", ""), ("pkg:golang/<name>", "#cmd")],
        files: &[(
            Provider::Go,
            "go.mod",
            "module example.com/x\n\nrequire (\n\t<name> v<version> // indirect\n)\n",
        )],
        ..NONE
    },
    Spelled {
        osv: &["Packagist"],
        purls: &[("pkg:composer/<name>", "")],
        files: &[(
            Provider::Composer,
            "composer.lock",
            r#"{"packages":[{"name":"<name>","version":"v<version>"}]}"#,
        )],
        ..NONE
    },
    Spelled {
        osv: &["PyPI"],
        purls: &[("pkg:pypi/<name>", ""), ("pkg:PyPI/<name>", "")],
        files: &[
            (
                Provider::Python,
                "lib/python3.11/site-packages/<name>-<version>.dist-info/METADATA",
                "Metadata-Version: 2.1\nName: <name>\nVersion: <version>\n\nName: other\n",
            ),
            (
                Provider::Python,
                "lib/python3.9/site-packages/<name>.egg-info/PKG-INFO",
                "Name: <name>\nVersion: <version>\n",
            ),
            (
                Provider::Python,
                "poetry.lock",
                "[[package]]\nname = \"<name>\"\nversion = \"<version>\"\n",
            ),
            (
                Provider::Python,
                "uv.lock",
                "[[package]]\nname = \"<name>\"\nversion = \"<version>\"\nsource = { registry = \"https://pypi.org/simple\" }\n",
            ),
            (
                Provider::Python,
                "Pipfile.lock",
                r#"{"default":{"<name>":{"version":"==<version>"}}}"#,
            ),
            (Provider::Python, "requirements.txt", "<name>==<version>\n"),
        ],
        ..NONE
    },
    Spelled {
        osv: &["NuGet"],
        purls: &[("pkg:nuget/<name>", "")],
        files: &[
            (
                Provider::Nuget,
                "app.deps.json",
                r#"{"libraries":{"<name>/<version>":{"type":"package"}}}"#,
            ),
            (
                Provider::Nuget,
                "packages.lock.json",
                r#"{"dependencies":{"net6.0":{"<name>":{"type":"Direct","resolved":"<version>"}}}}"#,
            ),
        ],
        ..NONE
    },
    Spelled {
        osv: &["RubyGems"],
        purls: &[("pkg:gem/<name>", ""), ("pkg:gem/<name>", "?platform=java")],
        files: &[
            (
                Provider::Ruby,
                "Gemfile.lock",
                "GEM\n  remote: https://rubygems.org/\n  specs:\n    <name> (<version>)\n",
            ),
            (
                Provider::Ruby,
                "gems/3.1.0/specifications/<name>-<version>.gemspec",
                "# -*- encoding: utf-8 -*-\n# stub: <name> <version> ruby lib\n",
            ),
        ],
        ..NONE
    },
    Spelled {
        osv: &["Alpine:v3.18"],
        purls: &[
            ("pkg:apk/alpine/<name>", "?arch=source&distro=alpine-3.18.4"),
            ("pkg:apk/alpine/<name>", "?arch=x86_64&distro=3.18"),
            (
                "pkg:apk/alpine/lib<name>",
                "?arch=x86_64&distro=alpine-3.18&upstream=<name>",
            ),
        ],
        apk_systems: &["ID=alpine\nVERSION_ID=3.18.4\n"],
        ..NONE
    },
    Spelled {
        osv: &["Wolfi"],
        purls: &[
            ("pkg:apk/wolfi/<name>", "?arch=x86_64"),
            ("pkg:apk/wolfi/<name>", "?arch=x86_64&distro=wolfi-20230201"),
        ],
        apk_systems: &["ID=wolfi\nVERSION_ID=\"20230201\"\n"],
        ..NONE
    },
    Spelled {
        osv: &["Chainguard"],
        purls: &[("pkg:apk/chainguard/<name>", "")],
        apk_systems: &["ID=chainguard\nVERSION_ID=\"20230214\"\n"],
        ..NONE
    },
    Spelled {
        osv: &["Debian:12", "Debian:12.5", "Debian:bookworm"],
        purls: &[
            ("pkg:deb/debian/<name>", "?arch=source&distro=debian-12"),
            ("pkg:deb/debian/<name>", "?arch=source&distro=bookworm"),
            ("pkg:deb/debian/<name>", "?arch=source&distro=debian-12.5"),
            (
                "pkg:deb/debian/lib<name>",
                "?arch=amd64&distro=12&upstream=<name>",
            ),
            (
                "pkg:deb/debian/<name>",
                "?arch=amd64&distro=debian-bookworm",
            ),
        ],
        systems: &[
            "ID=debian\nVERSION_ID=12\n",
            "ID=debian\nVERSION_CODENAME=bookworm\n",
            "ID=raspbian\nVERSION_ID=12\n",
            "ID=devuan\nVERSION_ID=5\n",
            "ID=linuxmint\nVERSION_ID=6\nDEBIAN_CODENAME=bookworm\n",
        ],
        ..NONE
    },
    Spelled {
        osv: &["Ubuntu:22.04:LTS", "Ubuntu:22.04", "Ubuntu:Pro:22.04:LTS"],
        purls: &[
            ("pkg:deb/ubuntu/<name>", "?arch=source&distro=ubuntu-22.04"),
            ("pkg:deb/ubuntu/<name>", "?arch=source&distro=jammy"),
            (
                "pkg:deb/ubuntu/<name>",
                "?arch=source&distro=ubuntu-22.04.3",
            ),
            (
                "pkg:deb/linuxmint/<name>",
                "?arch=source&distro=linuxmint-21.2",
            ),
        ],
        systems: &[
            "ID=ubuntu\nVERSION_ID=\"22.04\"\n",
            "ID=linuxmint\nVERSION_ID=\"21.2\"\nUBUNTU_CODENAME=jammy\n",
            "ID=pop\nVERSION_ID=\"22.04\"\nUBUNTU_CODENAME=jammy\n",
            "ID=elementary\nVERSION_ID=\"7.1\"\nUBUNTU_CODENAME=jammy\n",
        ],
        ..NONE
    },
    Spelled {
        osv: &["AlmaLinux:9"],
        purls: &[
            (
                "pkg:rpm/almalinux/<name>",
                "?arch=x86_64&distro=almalinux-9.3",
            ),
            ("pkg:rpm/almalinux/<name>", "?arch=x86_64&distro=alma-9.3"),
        ],
        rpm_systems: &[(
            "ID=\"almalinux\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\n",
            "AlmaLinux",
        )],
        ..NONE
    },
    Spelled {
        osv: &["Rocky Linux:9"],
        purls: &[
            ("pkg:rpm/rocky/<name>", "?arch=noarch&distro=rocky-9.3"),
            ("pkg:rpm/rocky/<name>", "?distro=rocky-9&epoch=0"),
        ],
        rpm_systems: &[(
            "ID=\"rocky\"\nVERSION_ID=\"9.3\"\n",
            "Rocky Enterprise Software Foundation",
        )],
        ..NONE
    },
    Spelled {
        osv: &[
            "Red Hat:enterprise_linux:9",
            "Red Hat:enterprise_linux:9::appstream",
        ],
        purls: &[
            ("pkg:rpm/redhat/<name>", "?arch=x86_64&distro=rhel-9.4"),
            ("pkg:rpm/redhat/<name>", "?arch=x86_64&distro=redhat-9.4"),
            ("pkg:rpm/redhat/<name>", "?arch=x86_64&distro=el9"),
        ],
        rpm_systems: &[("ID=\"rhel\"\nVERSION_ID=\"9.4\"\n", "Red Hat, Inc.")],
        ..NONE
    },
    Spelled {
        osv: &["openSUSE:Leap 15.5"],
        purls: &[
            ("pkg:rpm/opensuse/<name>", "?distro=opensuse-leap-15.5"),
            ("pkg:rpm/opensuse/<name>", "?distro=opensuse.leap-15.5"),
        ],
        rpm_systems: &[("ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\n", "openSUSE")],
        ..NONE
    },
    Spelled {
        osv: &["openSUSE:Tumbleweed"],
        purls: &[
            (
                "pkg:rpm/opensuse/<name>",
                "?distro=opensuse-tumbleweed-20240101",
            ),
            ("pkg:rpm/opensuse/<name>", "?distro=opensuse-tumbleweed"),
        ],
        rpm_systems: &[(
            "ID=\"opensuse-tumbleweed\"\nVERSION_ID=\"20240101\"\n",
            "openSUSE",
        )],
        ..NONE
    },
    Spelled {
        osv: &[
            "SUSE:Linux Enterprise Server 15 SP5",
            "SUSE:Linux Enterprise Module for Basesystem 15 SP5",
        ],
        purls: &[("pkg:rpm/suse/<name>", "?distro=sles-15.5")],
        rpm_systems: &[(
            "ID=\"sles\"\nVERSION_ID=\"15.5\"\n",
            "SUSE LLC <https://www.suse.com/>",
        )],
        ..NONE
    },
];

/// The names that importers give a package, by who spells it how.
fn imported(spelled: &Spelled, package: &str, version: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for osv in spelled.osv {
        let record = json!({
            "id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "A flaw",
            "affected": [{
                "package": { "ecosystem": osv, "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }] }],
            }],
        });
        // Where versions are semantic, their range is of that type.
        let semantic = record.to_string().replace("ECOSYSTEM", "SEMVER");
        let records = [record, serde_json::from_str(&semantic).unwrap()];
        let name = records.iter().find_map(|record| named(Format::Osv, record));
        names.insert((*osv).to_owned(), name.expect("it is imported"));
    }
    for purl in purls(spelled, package, version) {
        let name = named(Format::Csaf, &csaf(&purl)).expect("it is imported");
        names.insert(purl, name);
    }
    names
}

fn named(format: Format, document: &Value) -> Option<String> {
    let advisory = to_advisory(format, document, &Terms::public())
        .ok()?
        .advisory;
    Some(advisory.affected.first()?.component.to_string())
}

fn csaf(purl: &str) -> Value {
    json!({
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "A flaw",
            "publisher": { "category": "vendor", "name": "Example", "namespace": "https://example.org" },
            "tracking": {
                "id": "EX-1", "status": "final", "version": "1",
                "initial_release_date": "2026-01-01T00:00:00Z",
                "current_release_date": "2026-01-01T00:00:00Z",
                "revision_history": [{ "date": "2026-01-01T00:00:00Z", "number": "1", "summary": "First." }],
            },
        },
        "product_tree": { "full_product_names": [{
            "name": "P", "product_id": "P", "product_identification_helper": { "purl": purl },
        }] },
        "vulnerabilities": [{ "product_status": { "known_affected": ["P"] } }],
    })
}

fn purls(spelled: &Spelled, package: &str, version: &str) -> Vec<String> {
    // A name is encoded as a part of a URL is, and the part before the version needs it alone.
    let encoded = package.replace('@', "%40").replace('+', "%2B");
    let version = version.replace('+', "%2B");
    let one = |(before, after): &(&str, &str)| {
        let [before, after] = [before, after].map(|part| part.replace("<name>", &encoded));
        format!("{before}@{version}{after}")
    };
    spelled.purls.iter().map(one).collect()
}

/// The names that scanners give it, by what they read.
fn scanned(spelled: &Spelled, package: &str, version: &str) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    let mut scan = |label: String, provider, files: &[(&str, String)]| {
        names.insert(label, found(provider, files));
    };
    for purl in purls(spelled, package, version) {
        let cyclone =
            json!({ "bomFormat": "CycloneDX", "components": [{ "name": package, "purl": purl }] });
        let reference = json!({ "referenceType": "purl", "referenceLocator": purl });
        let spdx = json!({ "spdxVersion": "SPDX-2.3", "packages": [{ "name": package, "externalRefs": [reference] }] });
        scan(
            format!("CycloneDX {purl}"),
            Provider::Sbom,
            &[("bom.json", cyclone.to_string())],
        );
        scan(
            format!("SPDX {purl}"),
            Provider::Sbom,
            &[("list.spdx.json", spdx.to_string())],
        );
    }
    for system in spelled.systems {
        let status = format!(
            "Package: lib{package}\nStatus: install ok installed\nSource: {package} ({version})\nVersion: {version}+b1\n"
        );
        let files = [
            ("etc/os-release", (*system).to_owned()),
            ("var/lib/dpkg/status", status),
        ];
        scan(format!("dpkg {system}"), Provider::Dpkg, &files);
    }
    for system in spelled.apk_systems {
        let list = format!("C:Q1x\nP:lib{package}\nV:{version}-r0\no:{package}\nF:lib\n\n");
        let files = [
            ("etc/os-release", (*system).to_owned()),
            ("lib/apk/db/installed", list),
        ];
        scan(format!("apk {system}"), Provider::Apk, &files);
    }
    for (provider, path, text) in spelled.files {
        let [path, text] = [path, text].map(|text| {
            let text = text.replace("<name>", package);
            text.replace("<version>", version)
        });
        scan(format!("{provider} {path}"), *provider, &[(&path, text)]);
    }
    for (system, vendor) in spelled.rpm_systems {
        let folder = spacecp_tests::scratch::folder().unwrap();
        put(&folder.path().join("etc/os-release"), system.as_bytes());
        let database = with_package(package, version, vendor);
        let path = folder.path().join("usr/lib/sysimage/rpm/Packages.db");
        put(&path, &database);
        let found = found_in(Provider::Rpm, folder.path());
        assert_eq!(found.len(), 1, "{found:?}");
        names.extend(
            found
                .into_iter()
                .map(|name| (format!("rpm {system}"), name)),
        );
    }
    names
}

fn found(provider: Provider, files: &[(&str, String)]) -> String {
    let folder = spacecp_tests::scratch::folder().unwrap();
    for (path, text) in files {
        put(&folder.path().join(path), text.as_bytes());
    }
    let names = found_in(provider, folder.path());
    assert_eq!(names.len(), 1, "{provider}: {names:?} in {files:?}");
    names.into_iter().next().unwrap()
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn found_in(provider: Provider, folder: &Path) -> BTreeSet<String> {
    let job = Job {
        name: "here".to_owned(),
        place: folder.to_owned(),
        providers: vec![provider],
        except: Vec::new(),
    };
    let mut scanner = Scanner::new(ScanLimits::default(), None);
    let report = scanner.scan(&[job], &BTreeSet::new(), Timestamp::now());
    let found = report.found.iter();
    found.map(|found| found.advisory_name.to_string()).collect()
}

/// A package's name and version that every ecosystem could have.
fn package() -> impl Strategy<Value = (String, String)> {
    (
        "[a-z][a-z0-9]{1,8}(-[a-z0-9]{1,4})?",
        "[1-9]\\.[0-9]\\.[0-9]",
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_an_importer_names_every_scanner_names_alike((package, version) in package()) {
        for spelled in ECOSYSTEMS {
            let mut names = imported(spelled, &package, &version);
            names.extend(scanned(spelled, &package, &version));
            let different: BTreeSet<&String> = names.values().collect();
            prop_assert_eq!(different.len(), 1, "{:#?}", names);
        }
    }

    #[test]
    fn no_two_ecosystems_have_one_name((package, version) in package()) {
        let mut seen = BTreeSet::new();
        for spelled in ECOSYSTEMS {
            let names: BTreeSet<String> = imported(spelled, &package, &version).into_values().collect();
            for name in names {
                prop_assert!(seen.insert(name.clone()), "{} twice", name);
            }
        }
    }
}

#[test]
fn a_stream_of_a_module_is_named_alike_by_records_documents_lists_and_the_database() {
    let record = json!({
        "id": "X-1", "modified": "2026-01-01T00:00:00Z", "summary": "Important: nodejs:18 security update",
        "affected": [{
            "package": { "ecosystem": "AlmaLinux:8", "name": "npm" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [
                { "introduced": "0" }, { "fixed": "1:10.2.4-1.18.19.1.1.module_el8.9.0+3731+490e3ab4" },
            ] }],
        }],
    });
    let purl = "pkg:rpm/almalinux/npm@10.2.4-1.module_el8?epoch=1&distro=almalinux-8&rpmmod=nodejs:18:8090020240207131032:490e3ab4";
    let name = Some("rpm:almalinux-8:nodejs:18:npm".to_owned());
    assert_eq!(named(Format::Osv, &record), name);
    assert_eq!(named(Format::Csaf, &csaf(purl)), name);
    let list = json!({ "bomFormat": "CycloneDX", "components": [{ "name": "npm", "purl": purl }] });
    let listed = found(Provider::Sbom, &[("bom.json", list.to_string())]);
    assert_eq!(Some(listed), name);
    // Which stream it is about is not guessed.
    let mut silent = record;
    silent["summary"] = json!("Important: security update");
    assert_eq!(named(Format::Osv, &silent), None);
}

#[test]
fn names_with_a_scope_or_a_group_are_alike() {
    let npm = &ECOSYSTEMS[1];
    let mut names = imported(npm, "@babel/core", "7.1.0");
    names.extend(scanned(npm, "@babel/core", "7.1.0"));
    let different: BTreeSet<String> = names.into_values().collect();
    assert!(different.iter().eq(["npm:@babel/core"]), "{different:?}");

    let folder = spacecp_tests::scratch::folder().unwrap();
    let library = Jar::default().with_library("org.x", "y", "1.0");
    library.put(&folder.path().join("libraries/y.jar")).unwrap();
    put(&folder.path().join("server.properties"), b"");
    let maven = Spelled {
        osv: &["Maven"],
        ..NONE
    };
    let osv = imported(&maven, "org.x:y", "1.0");
    let csaf = named(Format::Csaf, &csaf("pkg:maven/org.x/y@1.0"));
    let found = found_in(Provider::Minecraft, folder.path());
    assert!(found.contains("maven:org.x:y"), "{found:?}");
    assert!(
        osv.values()
            .chain(&csaf)
            .all(|name| name == "maven:org.x:y")
    );
}
