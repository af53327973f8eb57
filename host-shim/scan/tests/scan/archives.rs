//! What is found in plugins, mods and libraries, however deep.

use spacecp_scan::Provider;

use crate::place::{Jar, Place, listed, unread};

const LOG4J: (&str, &str, &str) = ("org.apache.logging.log4j", "log4j-core", "2.14.1");

fn log4j() -> Vec<u8> {
    Jar::default()
        .with_library(LOG4J.0, LOG4J.1, LOG4J.2)
        .bytes()
}

#[test]
fn a_library_in_an_archive_in_an_archive_of_a_plugin_is_found_with_the_way_to_it() {
    let place = Place::new();
    let inner = Jar::default()
        .with("META-INF/jars/log4j-core-2.14.1.jar", log4j())
        .bytes();
    let plugin = Jar::default()
        .with(
            "plugin.yml",
            "name: Grief Prevention\nversion: 16.18\nmain: a.B\n",
        )
        .with("BOOT-INF/lib/engine-1.0.jar", inner)
        .bytes();
    place.put("plugins/GriefPrevention-16.18.jar", plugin);

    let report = place.scan(Provider::Minecraft);

    assert_eq!(
        listed(&report.found),
        [
            "lobby/Grief Prevention = bukkit:Grief_Prevention 16.18",
            "lobby/Grief Prevention/engine/log4j-core = maven:org.apache.logging.log4j:log4j-core 2.14.1",
        ]
    );
    let at = report.found[1]
        .found_at
        .replace(&place.path().display().to_string(), "");
    assert_eq!(
        at,
        "/plugins/GriefPrevention-16.18.jar!/BOOT-INF/lib/engine-1.0.jar!/META-INF/jars/log4j-core-2.14.1.jar!/META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties"
    );
    assert_eq!(unread(&report, &place), [] as [&str; 0]);
}

#[test]
fn libraries_shaded_into_one_plugin_in_two_versions_are_both_listed() {
    let place = Place::new();
    let older = Jar::default()
        .with_library("com.google.code.gson", "gson", "2.8.0")
        .bytes();
    let plugin = Jar::default()
        .with(
            "velocity-plugin.json",
            r#"{"id":"luckperms","version":"5.4"}"#,
        )
        .with_library("com.google.code.gson", "gson", "2.10.1")
        .with("lib/gson-2.8.0.jar", older)
        .bytes();
    place.put("plugins/LuckPerms.jar", plugin);
    assert_eq!(
        listed(&place.scan(Provider::Minecraft).found),
        [
            "lobby/luckperms = velocity:luckperms 5.4",
            "lobby/luckperms/gson@2.10.1 = maven:com.google.code.gson:gson 2.10.1",
            "lobby/luckperms/gson@2.8.0 = maven:com.google.code.gson:gson 2.8.0",
        ]
    );
}

#[test]
fn mods_say_what_they_are_and_forge_leaves_the_version_to_the_manifest() {
    let place = Place::new();
    let inner = Jar::default()
        .with(
            "fabric.mod.json",
            r#"{"schemaVersion":1,"id":"fabric-api-base","version":"0.4"}"#,
        )
        .bytes();
    let fabric = Jar::default()
        .with(
            "fabric.mod.json",
            r#"{"schemaVersion":1,"id":"fabric-api","version":"0.97"}"#,
        )
        .with("META-INF/jars/fabric-api-base-0.4.jar", inner)
        .bytes();
    place.put("mods/fabric-api.jar", fabric);
    let forge = Jar::default()
        .with("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Version: 15.2\r\n\r\n")
        .with("META-INF/mods.toml", "[[mods]]\nmodId = \"jei\"\nversion = \"${file.jarVersion}\"\n[[mods]]\nmodId = \"jei_api\"\nversion = \"1\"\n")
        .bytes();
    place.put("mods/jei.jar", forge);
    assert_eq!(
        listed(&place.scan(Provider::Minecraft).found),
        [
            "lobby/fabric-api = fabric:fabric-api 0.97",
            "lobby/fabric-api/fabric-api-base = fabric:fabric-api-base 0.4",
            "lobby/jei = forge:jei 15.2",
            "lobby/jei_api = forge:jei_api 1",
        ]
    );
}

#[test]
fn a_version_that_a_build_left_unreplaced_is_unknown() {
    let place = Place::new();
    let plugin = Jar::default().with("plugin.yml", "name: Shop\nversion: ${project.version}\n");
    place.put("plugins/Shop.jar", plugin.bytes());
    let found = place.scan(Provider::Minecraft).found;
    assert_eq!(listed(&found), ["lobby/Shop = bukkit:Shop ?"]);
    let problem = found[0].version.as_ref().unwrap_err();
    assert!(problem.contains("${project.version}"), "{problem}");
}

#[test]
fn a_library_at_mavens_path_is_known_by_it_even_if_its_archive_says_nothing() {
    let place = Place::new();
    let nameless = Jar::default().with("a.class", "x").bytes();
    let path = "libraries/org/apache/logging/log4j/log4j-core/2.14.1/log4j-core-2.14.1.jar";
    place.put(path, &nameless);
    place.put(
        "server.jar",
        Jar::default()
            .with(&format!("META-INF/{path}"), log4j())
            .bytes(),
    );
    let report = place.scan(Provider::Minecraft);
    assert_eq!(
        listed(&report.found),
        ["lobby/log4j-core = maven:org.apache.logging.log4j:log4j-core 2.14.1"]
    );
    assert!(
        report.found[0].found_at.ends_with("and 2 more"),
        "{report:?}"
    );
}
