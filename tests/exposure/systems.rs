//! Machines and lists as they are met in the field, judged by imported records: from the files on the disk to the
//! verdict of the compiled guest.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use spacecp_advisories::{
    App, config::Config, plugin::bindings::exports::spacecp::advisories::exposure::Status,
};
use spacecp_contract::{Audience, Tlp, VersionScheme};
use spacecp_formats::{Format, Terms, to_advisory};
use spacecp_tests::{artifacts, compiled, vendor::Vendor};

use crate::{panel::advisory, rpm_database::with_package};

const DEBIAN: &str = "ID=debian\nVERSION_ID=12\n";
const MINT: &str =
    "ID=linuxmint\nVERSION_ID=\"21.2\"\nID_LIKE=\"ubuntu debian\"\nUBUNTU_CODENAME=jammy\n";
const KALI: &str = "ID=kali\nVERSION_ID=\"2024.1\"\nID_LIKE=debian\n";
const FOCAL: &str = "ID=ubuntu\nVERSION_ID=\"20.04\"\nID_LIKE=debian\n";

/// Machines with dpkg: name, `os-release`, packages.
const MACHINES: &[(&str, &str, &str)] = &[
    (
        "kernel",
        DEBIAN,
        "Package: linux-image-6.1.0-28-amd64\nSource: linux-signed-amd64 (6.1.119+1)\nVersion: 6.1.119-1\n",
    ),
    (
        "headers",
        DEBIAN,
        "Package: linux-libc-dev\nSource: linux\nVersion: 6.1.119-1\n",
    ),
    (
        "backport",
        DEBIAN,
        "Package: openssh-server\nSource: openssh\nVersion: 1:10.0p1-7~bpo12+1\n",
    ),
    (
        "stable",
        DEBIAN,
        "Package: openssh-server\nSource: openssh\nVersion: 1:9.2p1-2\n",
    ),
    (
        "mint",
        MINT,
        "Package: openssl\nVersion: 3.0.2-0ubuntu1.10\n",
    ),
    (
        "kali",
        KALI,
        "Package: openssl\nVersion: 3.0.2-0ubuntu1.10\n",
    ),
    (
        "focal",
        FOCAL,
        "Package: systemd\nVersion: 245.4-4ubuntu3.24\n",
    ),
    (
        "focal-pro",
        FOCAL,
        "Package: systemd\nVersion: 245.4-4ubuntu3.24+esm1\n",
    ),
];

const ALMALINUX: &str = "ID=\"almalinux\"\nVERSION_ID=\"9.3\"\nPLATFORM_ID=\"platform:el9\"\n";

/// Machines with rpm: name, package, version, vendor.
const RPM_MACHINES: &[(&str, &str, &str, &str)] = &[
    ("alma", "curl", "7.76.1", "AlmaLinux"),
    ("alma-corrected", "curl", "7.76.2", "AlmaLinux"),
    ("alma-elsewhere", "curl", "8.5.0", "City Fan"),
];

/// Places of other providers: name, provider, file, what is in it.
const PLACES: &[(&str, &str, &str, &str)] = &[
    (
        "venv",
        "python",
        "lib/python3.11/site-packages/Jinja2-3.1.2.dist-info/METADATA",
        "Metadata-Version: 2.1\nName: Jinja2\nVersion: 3.1.2+local.1\n",
    ),
    ("unpinned", "python", "requirements.txt", "jinja2>=3\n"),
    (
        "bundle",
        "ruby",
        "Gemfile.lock",
        "GEM\n  specs:\n    nokogiri (1.15.0-x86_64-linux)\n",
    ),
    (
        "built",
        "nuget",
        "app.deps.json",
        r#"{"libraries":{"Newtonsoft.Json/12.0.3":{"type":"package"}}}"#,
    ),
    (
        "vendored",
        "composer",
        "composer.lock",
        r#"{"packages":[{"name":"Guzzlehttp/Guzzle","version":"7.4.5"}]}"#,
    ),
    (
        "module",
        "go",
        "go.mod",
        "module m\nrequire golang.org/x/net v0.0.0-20221012134737-56aed061732a\n",
    ),
];

/// Lists, each of one `CycloneDX` component.
fn lists() -> Vec<(&'static str, Value)> {
    let listed = |url: &str| json!({ "type": "library", "name": "x", "purl": url });
    vec![
        (
            "code-name",
            listed("pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1.10?arch=source&distro=jammy"),
        ),
        (
            "epoch",
            listed("pkg:rpm/redhat/dbus@1.12.8-18.el8?arch=x86_64&epoch=1&distro=rhel-8.6"),
        ),
        (
            "same-url",
            listed("pkg:rpm/redhat/ncurses-base@6.2-8.el9?arch=noarch&distro=redhat-9.4"),
        ),
        ("windows", listed("pkg:cargo/pipework@1.20.0")),
        (
            "stream-18",
            listed(
                "pkg:rpm/almalinux/nodejs@18.17.1-1.module_el9?epoch=1&distro=almalinux-9&rpmmod=nodejs:18:9:x",
            ),
        ),
        (
            "stream-20",
            listed(
                "pkg:rpm/almalinux/nodejs@20.9.0-1.module_el9?epoch=1&distro=almalinux-9&rpmmod=nodejs:20:9:x",
            ),
        ),
    ]
}

/// A record: its id, and for each package ecosystem, name, events and what is specific to it.
fn record(id: &str, affected: &[(&str, &str, Value, Value)]) -> Value {
    let affected = affected.iter().map(|(ecosystem, name, events, specific)| {
        let kind = if matches!(*ecosystem, "crates.io" | "Go") {
            "SEMVER"
        } else {
            "ECOSYSTEM"
        };
        json!({
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": kind, "events": events }],
            "ecosystem_specific": specific,
        })
    });
    json!({
        "id": id, "modified": "2026-01-02T00:00:00Z", "summary": "A flaw",
        "affected": affected.collect::<Vec<_>>(),
    })
}

fn records() -> Vec<Value> {
    let until = |version: &str| json!([{ "introduced": "0" }, { "fixed": version }]);
    let none = || json!({});
    vec![
        record(
            "DSA-1",
            &[("Debian:12", "linux", until("6.1.153-1"), none())],
        ),
        record(
            "DSA-2",
            &[
                (
                    "Debian:12",
                    "openssh",
                    json!([{ "introduced": "0" }]),
                    none(),
                ),
                ("Debian:13", "openssh", until("1:10.0p1-5"), none()),
            ],
        ),
        record(
            "USN-1",
            &[(
                "Ubuntu:22.04:LTS",
                "openssl",
                until("3.0.2-0ubuntu1.15"),
                none(),
            )],
        ),
        record(
            "USN-2",
            &[(
                "Ubuntu:Pro:20.04:LTS",
                "systemd",
                until("245.4-4ubuntu3.24+esm1"),
                none(),
            )],
        ),
        record(
            "RHSA-1",
            &[(
                "Red Hat:enterprise_linux:8::baseos",
                "dbus",
                until("1:1.12.8-10.el8_2"),
                none(),
            )],
        ),
        record(
            "ALSA-1",
            &[("AlmaLinux:9", "curl", until("7.76.2-1"), none())],
        ),
        {
            let until = until("1:18.19.0-1.module_el9.3.0+52+47c8ae8a");
            let mut record = record("ALSA-2", &[("AlmaLinux:9", "nodejs", until, none())]);
            record["summary"] = json!("Important: nodejs:18 security update");
            record
        },
        record(
            "ALPINE-1",
            &[("Alpine:v3.18", "openssl", until("3.1.4-r0"), none())],
        ),
        record("PYSEC-1", &[("PyPI", "jinja2", until("3.1.3"), none())]),
        record(
            "GHSA-GEM",
            &[("RubyGems", "nokogiri", until("1.15.4"), none())],
        ),
        record(
            "GHSA-NUGET",
            &[("NuGet", "Newtonsoft.Json", until("13.0.1"), none())],
        ),
        record(
            "GHSA-PHP",
            &[("Packagist", "guzzlehttp/guzzle", until("7.4.5"), none())],
        ),
        record(
            "GO-1",
            &[("Go", "golang.org/x/net", until("0.17.0"), none())],
        ),
        record(
            "RUSTSEC-1",
            &[(
                "crates.io",
                "pipework",
                until("1.20.5"),
                json!({ "affects": { "os": ["windows"] } }),
            )],
        ),
    ]
}

/// The verdicts by machine or list, and how much could not be read.
async fn verdicts() -> Result<(BTreeMap<String, Status>, u32)> {
    let folder = spacecp_tests::scratch::folder()?;
    let root = folder.path();
    let mut vendor = Vendor::new(&root.join("desk"), "customers", Timestamp::now())?;
    let terms = Terms {
        audience: Audience::new("customers")?,
        tlp: Tlp::Clear,
        embargo_until: None,
        ..Terms::public()
    };
    for record in records() {
        vendor.publish_advisory(to_advisory(Format::Osv, &record, &terms)?.advisory)?;
    }
    // As documents were named that were published before names were canonical.
    let name = "rpm:rhel-9.4:ncurses-base";
    let mut earlier = advisory("EX-9", name, &[("0", Some("6.2-9.el9"), None)]);
    earlier.affected[0].scheme = VersionScheme::Rpm;
    vendor.publish_advisory(earlier)?;
    let java = "java:openjdk";
    let mut java = advisory(
        "EX-10",
        java,
        &[("8", Some("8.0.402"), None), ("17", Some("17.0.10"), None)],
    );
    java.affected[0].scheme = VersionScheme::Generic;
    vendor.publish_advisory(java)?;
    vendor.sign_plugin(Path::new(artifacts::PLUGIN))?;
    vendor.broadcast()?;
    let mut inventories = String::new();
    let mut inventory = |provider: &str, name: &str, place: &Path| {
        inventories += &format!(
            "[[inventory]]\nprovider = \"{provider}\"\nname = \"{name}\"\nplace = {:?}\n",
            place.display().to_string()
        );
    };
    for (name, system, packages) in MACHINES {
        let place = root.join(name);
        put(&place.join("etc/os-release"), system)?;
        let packages = packages.replace("Version:", "Status: install ok installed\nVersion:");
        put(&place.join("var/lib/dpkg/status"), &packages)?;
        inventory("dpkg", name, &place);
    }
    for (name, package, version, vendor) in RPM_MACHINES {
        let place = root.join(name);
        put(&place.join("etc/os-release"), ALMALINUX)?;
        let database = with_package(package, version, vendor);
        fs::create_dir_all(place.join("var/lib/rpm"))?;
        fs::write(place.join("var/lib/rpm/Packages.db"), database)?;
        inventory("rpm", name, &place);
    }
    let alpine = root.join("alpine");
    put(
        &alpine.join("etc/os-release"),
        "ID=alpine\nVERSION_ID=3.18.4\n",
    )?;
    put(
        &alpine.join("lib/apk/db/installed"),
        "P:libcrypto3\nV:3.1.3-r0\no:openssl\n\n",
    )?;
    inventory("apk", "alpine", &alpine);
    for (name, provider, file, text) in PLACES {
        put(&root.join(name).join(file), text)?;
        inventory(provider, name, &root.join(name));
    }
    for (name, component) in lists() {
        let place = root.join(format!("{name}.cdx.json"));
        let bill =
            json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "components": [component] });
        put(&place, &bill.to_string())?;
        inventory("sbom", name, &place);
    }
    put(&root.join("jvm/8/release"), "JAVA_VERSION=\"1.8.0_392\"\n")?;
    inventory("java", "jvm", &root.join("jvm"));
    put(
        &root.join("panel.toml"),
        &configuration(root, &vendor, &inventories),
    )?;
    compiled::share(Path::new(env!("CARGO_TARGET_TMPDIR")), &root.join("state"))?;
    let app = App::open(Config::load(&root.join("panel.toml"))?).await?;
    app.panel.feed.sync().await?;
    let report = app.panel.exposure.report().await?;
    let verdicts = report.verdicts.into_iter().map(|verdict| {
        let place = verdict.component.split('/').next().unwrap_or_default();
        (place.to_owned(), verdict.status)
    });
    Ok((verdicts.collect(), report.summary.unread))
}

fn put(path: &Path, text: &str) -> Result<()> {
    fs::create_dir_all(path.parent().context("it has a folder")?)?;
    Ok(fs::write(path, text)?)
}

fn configuration(root: &Path, vendor: &Vendor, inventories: &str) -> String {
    let quoted = |path: &Path| format!("{:?}", path.display().to_string());
    format!(
        "state = {state}\n[feed]\nfrom = {feed}\naudience = \"customers\"\nroot = {pinned}\n\
         [plugin]\nmanifest = {manifest}\ncomponent = {component}\n{inventories}",
        state = quoted(&root.join("state")),
        feed = quoted(vendor.feed_dir()),
        pinned = quoted(vendor.root_path()),
        manifest = quoted(vendor.plugin_manifest()),
        component = quoted(vendor.plugin_component()),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_and_lists_are_judged_by_what_advisories_say_of_their_packages() -> Result<()> {
    let (verdicts, unread) = verdicts().await?;
    let expected = [
        // Debian's kernel is a signed build of its source; headers are no kernel, and nothing is said of them.
        ("kernel", Some(Status::Affected)),
        ("headers", None),
        // What is said of the release says nothing of a backport to it.
        ("stable", Some(Status::Affected)),
        ("backport", Some(Status::Unknown)),
        // Mint's openssl is Ubuntu's; Kali's is nobody's, and the machine is named as unread.
        ("mint", Some(Status::Affected)),
        ("kali", None),
        // What is corrected for subscribers is a flaw of those who are none.
        ("focal", Some(Status::Affected)),
        ("focal-pro", Some(Status::Fixed)),
        ("code-name", Some(Status::Affected)),
        ("epoch", Some(Status::Fixed)),
        ("same-url", Some(Status::Affected)),
        // A flaw of Windows alone.
        ("windows", Some(Status::NotAffected)),
        // 1.8.0_392 is 8.0.392.
        ("jvm", Some(Status::Affected)),
        ("alma", Some(Status::Affected)),
        ("alma-corrected", Some(Status::Fixed)),
        // A higher version of another builder's says nothing, and the repository is named as unread.
        ("alma-elsewhere", Some(Status::Unknown)),
        // What is said of one stream of a module says nothing of another.
        ("stream-18", Some(Status::Affected)),
        ("stream-20", None),
        ("alpine", Some(Status::Affected)),
        // A local build of 3.1.2 is 3.1.2.
        ("venv", Some(Status::Affected)),
        ("unpinned", Some(Status::Unknown)),
        ("bundle", Some(Status::Affected)),
        ("built", Some(Status::Affected)),
        ("vendored", Some(Status::Fixed)),
        ("module", Some(Status::Affected)),
    ];
    for (name, status) in expected {
        assert_eq!(verdicts.get(name).copied(), status, "{name}");
    }
    assert_eq!(unread, 2);
    Ok(())
}
