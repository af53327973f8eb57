//! Servers, runtimes and systems.

use spacecp_scan::Provider;

use crate::place::{Jar, Place, listed, unread};

const VERSION: &str =
    r#"{"id":"1.20.4","name":"1.20.4","world_version":3700,"protocol_version":765}"#;

#[test]
fn a_server_of_mojangs_says_which_game_it_runs() {
    let place = Place::new();
    place.put(
        "minecraft_server.jar",
        Jar::default().with("version.json", VERSION).bytes(),
    );
    let report = place.scan(Provider::Minecraft);
    assert_eq!(
        listed(&report.found),
        ["lobby/server = minecraft:server 1.20.4"]
    );
    assert_eq!(
        report.looked,
        [format!("minecraft: {}", place.path().display())]
    );
}

#[test]
fn a_server_of_papers_says_its_build_once_it_has_unpacked_itself() {
    let place = Place::new();
    let bundle = Jar::default().with("version.json", VERSION).with(
        "META-INF/versions.list",
        "abc\t1.20.4\t1.20.4/paper-1.20.4.jar\n",
    );
    place.put("paper.jar", bundle.bytes());
    assert_eq!(
        listed(&place.scan(Provider::Minecraft).found),
        [
            "lobby/paper = minecraft:paper ?",
            "lobby/server = minecraft:server 1.20.4"
        ]
    );
    let unpacked = Jar::default()
        .with("version.json", VERSION)
        .with("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: Paper\nImplementation-Version: git-Paper-496\n");
    place.put("versions/1.20.4/paper-1.20.4.jar", unpacked.bytes());
    assert_eq!(
        listed(&place.scan(Provider::Minecraft).found),
        [
            "lobby/paper = minecraft:paper git-Paper-496",
            "lobby/server = minecraft:server 1.20.4"
        ]
    );
}

#[test]
fn java_runtimes_are_found_side_by_side() {
    let place = Place::new();
    place.put(
        "jdk-17/release",
        "JAVA_VERSION=\"17.0.9\"\nJVM_VARIANT=\"Hotspot\"\n",
    );
    place.put("jdk-21/release", "JAVA_VERSION=\"21.0.1\"\n");
    std::os::unix::fs::symlink("jdk-21", place.path().join("default")).unwrap();
    assert_eq!(
        listed(&place.scan(Provider::Java).found),
        [
            "lobby/jdk-17 = java:openjdk 17.0.9",
            "lobby/jdk-21 = java:openjdk 21.0.1"
        ]
    );
}

#[test]
fn packages_of_a_system_belong_to_its_release() {
    let place = Place::new();
    place.put("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    place.put(
        "var/lib/dpkg/status",
        "Package: libcurl4\nStatus: install ok installed\nSource: curl\nVersion: 7.88.1-10\n",
    );
    place.put(
        "var/lib/dpkg/status.d/base",
        "Package: base-files\nVersion: 12.4\n",
    );
    place.put("var/lib/dpkg/status.d/base.md5sums", "abc  usr/bin/x\n");
    assert_eq!(
        listed(&place.scan(Provider::Dpkg).found),
        [
            "lobby/base-files = deb:debian-12:base-files 12.4",
            "lobby/curl = deb:debian-12:curl 7.88.1-10"
        ]
    );
    assert_eq!(
        listed(&place.scan(Provider::Os).found),
        ["lobby/debian = os:debian 12"]
    );
}

#[test]
fn packages_of_a_system_that_does_not_say_which_are_not_guessed() {
    let place = Place::new();
    place.put(
        "var/lib/dpkg/status",
        "Package: curl\nStatus: install ok installed\nVersion: 1\n",
    );
    let report = place.scan(Provider::Dpkg);
    assert_eq!(report.found, []);
    assert_eq!(report.unread.len(), 1, "{report:?}");
}

#[test]
fn a_folder_with_nothing_in_it_is_named_by_every_provider() {
    let place = Place::new();
    let providers = [
        Provider::Npm,
        Provider::Cargo,
        Provider::Minecraft,
        Provider::Java,
        Provider::Dpkg,
        Provider::Rpm,
        Provider::Os,
        Provider::Sbom,
        Provider::Go,
        Provider::Composer,
        Provider::Apk,
        Provider::Python,
        Provider::Nuget,
        Provider::Ruby,
    ];
    for provider in providers {
        let report = place.scan(provider);
        assert_eq!(report.found, [], "{provider}");
        assert_eq!(report.unread.len(), 1, "{provider}: {report:?}");
    }
}

#[test]
fn the_server_that_an_old_launcher_of_papers_keeps_aside_is_looked_into() {
    let place = Place::new();
    place.put(
        "paper.jar",
        Jar::default().with("patch.properties", "x=y").bytes(),
    );
    let patched = Jar::default().with("version.json", VERSION).with_library(
        "org.apache.logging.log4j",
        "log4j-core",
        "2.14.1",
    );
    place.put("cache/patched_1.17.1.jar", patched.bytes());
    let report = place.scan(Provider::Minecraft);
    let found = listed(&report.found).join("\n");
    assert!(
        found.contains("maven:org.apache.logging.log4j:log4j-core 2.14.1"),
        "{found}"
    );
    assert!(found.contains("minecraft:server 1.20.4"), "{found}");
    assert_eq!(
        unread(&report, &place),
        ["/paper.jar: missing information: what it is"]
    );
}

#[test]
fn the_game_among_the_libraries_of_forge_is_a_server() {
    let place = Place::new();
    let game = Jar::default().with("version.json", VERSION).bytes();
    place.put(
        "libraries/net/minecraft/server/1.20.4/server-1.20.4.jar",
        game,
    );
    let found = listed(&place.scan(Provider::Minecraft).found).join("\n");
    assert!(found.contains("minecraft:server 1.20.4"), "{found}");
}

#[test]
fn a_runtime_behind_a_link_that_leads_out_and_one_without_a_version_are_named() {
    let place = Place::new();
    place.put("java-17/release", "JAVA_VERSION=\"17.0.9\"\n");
    place.put("custom/bin/java", "");
    std::os::unix::fs::symlink("java-17", place.path().join("default-java")).unwrap();
    std::os::unix::fs::symlink("/usr", place.path().join("elsewhere")).unwrap();
    let report = place.scan(Provider::Java);
    assert_eq!(
        listed(&report.found),
        ["lobby/java-17 = java:openjdk 17.0.9"]
    );
    let unread = unread(&report, &place).join("\n");
    assert!(
        unread.contains("/custom: missing information: its version"),
        "{unread}"
    );
    assert!(unread.contains("/elsewhere"), "{unread}");
}
