//! Whatever a server or its loader could load is found or named, however it was built and whatever it is called.

use spacecp_scan::Provider;

use crate::place::{Jar, Place, listed, unread};

const CODE: &[u8] = b"\xca\xfe\xba\xbe\0\0\0\x34";

/// A plugin of Bukkit's, with code.
fn plugin(name: &str) -> Jar {
    Jar::default()
        .with("plugin.yml", format!("name: {name}\nversion: 1.0.0\n"))
        .with("org/example/Main.class", CODE)
}

fn library(class: &str) -> Jar {
    Jar::default()
        .with("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n\n")
        .with(class, CODE)
}

/// What is found in and not read of one plugin.
fn of_plugin(jar: &Jar) -> (Vec<String>, Vec<String>) {
    of_file("plugins/Plugin.jar", jar.bytes())
}

fn of_file(path: &str, bytes: impl AsRef<[u8]>) -> (Vec<String>, Vec<String>) {
    let place = Place::new();
    place.put(path, bytes);
    let report = place.scan(Provider::Minecraft);
    (listed(&report.found), unread(&report, &place))
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_library_of_which_only_classes_are_left_is_there_in_an_unknown_version() {
    for class in [
        "org/apache/logging/log4j/core/lookup/JndiLookup.class",
        "org/example/libs/log4j/core/lookup/JndiLookup.class",
    ] {
        let (found, unread) = of_plugin(&plugin("Chronicle").with(class, CODE));
        assert_eq!(
            found,
            [
                "lobby/Chronicle = bukkit:Chronicle 1.0.0",
                "lobby/Chronicle/log4j-core = maven:org.apache.logging.log4j:log4j-core ?",
            ]
        );
        assert_eq!(unread, NOTHING);
    }
}

#[test]
fn classes_say_nothing_more_where_maven_has_said_it() {
    let jar = plugin("Chronicle")
        .with(
            "org/apache/logging/log4j/core/lookup/JndiLookup.class",
            CODE,
        )
        .with_library("org.apache.logging.log4j", "log4j-core", "2.14.1");
    let (found, _) = of_plugin(&jar);
    assert_eq!(
        found,
        [
            "lobby/Chronicle = bukkit:Chronicle 1.0.0",
            "lobby/Chronicle/log4j-core = maven:org.apache.logging.log4j:log4j-core 2.14.1",
        ]
    );
}

#[test]
fn a_pom_without_properties_beside_it_says_what_a_library_is() {
    let pom = "<project><groupId>com.h2database</groupId><artifactId>h2</artifactId><version>1.4.200</version></project>";
    let jar = plugin("Ledger").with("META-INF/maven/com.h2database/h2/pom.xml", pom);
    let (found, unread) = of_plugin(&jar);
    assert_eq!(
        found,
        [
            "lobby/Ledger = bukkit:Ledger 1.0.0",
            "lobby/Ledger/h2 = maven:com.h2database:h2 1.4.200",
        ]
    );
    assert_eq!(unread, NOTHING);
}

#[test]
fn a_manifest_alone_says_what_a_library_is_or_the_library_is_named() {
    let manifest = |title: &str| {
        let manifest = format!(
            "Manifest-Version: 1.0\nImplementation-Title: {title}\nImplementation-Version: 5.3.17\n"
        );
        let library = Jar::default().with("META-INF/MANIFEST.MF", manifest);
        library.with("org/example/Ordered.class", CODE).bytes()
    };
    let jar = plugin("WebMap").with("lib/spring-core-5.3.17.jar", manifest("spring-core"));
    assert_eq!(
        of_plugin(&jar).0,
        [
            "lobby/WebMap = bukkit:WebMap 1.0.0",
            "lobby/WebMap/spring-core = maven:org.springframework:spring-core 5.3.17",
        ]
    );
    let jar = plugin("WebMap").with("lib/nobody-knows-1.jar", manifest("nobody-knows"));
    assert_eq!(
        of_plugin(&jar).1,
        [
            "/plugins/Plugin.jar!/lib/nobody-knows-1.jar: missing information: what it is; its manifest says nobody-knows 5.3.17, and no group"
        ]
    );
}

#[test]
fn forges_list_says_what_the_archives_inside_a_mod_are_and_which_are_missing() {
    let list = r#"{"jars":[
        {"identifier":{"group":"com.squareup.okio","artifact":"okio-jvm"},"version":{"range":"[3.2.0,4.0)","artifactVersion":"3.2.0"},"path":"META-INF/jarjar/any.jar"},
        {"identifier":{"group":"g","artifact":"gone"},"version":{"artifactVersion":"1"},"path":"META-INF/jarjar/gone.jar"}]}"#;
    let jar = Jar::default()
        .with(
            "META-INF/mods.toml",
            "[[mods]]\nmodId=\"beacon\"\nversion=\"1.4.0\"\n",
        )
        .with("META-INF/jarjar/metadata.json", list)
        .with(
            "META-INF/jarjar/any.jar",
            library("okio/Buffer.class").bytes(),
        );
    let (found, unread) = of_file("mods/beacon.jar", jar.bytes());
    assert_eq!(
        found,
        [
            "lobby/beacon = forge:beacon 1.4.0",
            "lobby/beacon/okio-jvm = maven:com.squareup.okio:okio-jvm 3.2.0",
        ]
    );
    assert_eq!(
        unread,
        [
            "/mods/beacon.jar!/META-INF/jarjar/gone.jar: missing information: an archive that is declared to be there"
        ]
    );
}

#[test]
fn an_archive_that_fabric_declares_and_that_is_not_there_is_named() {
    let json =
        r#"{"schemaVersion":1,"id":"a","version":"1","jars":[{"file":"META-INF/jars/gone.jar"}]}"#;
    let (_, unread) = of_file(
        "mods/a.jar",
        Jar::default().with("fabric.mod.json", json).bytes(),
    );
    assert_eq!(
        unread,
        [
            "/mods/a.jar!/META-INF/jars/gone.jar: missing information: an archive that is declared to be there"
        ]
    );
}

#[test]
fn mods_are_found_in_folders_of_any_name() {
    let json = r#"{"schema_version":1,"quilt_loader":{"id":"deeper","version":"1.0.0"}}"#;
    let jar = Jar::default().with("quilt.mod.json", json).bytes();
    for path in [
        "mods/performance/deeper.jar",
        "mods/1.12.2/deeper.jar",
        "mods/a/b/c/deeper.JAR",
        "mods/deeper.zip",
        "plugins/Loader/addons/deeper.jar",
        "anything/at/all/deeper.jar",
        "plugins/Loader/downloaded",
        "plugins/Loader/core.bytes",
    ] {
        let (found, unread) = of_file(path, &jar);
        assert_eq!(found, ["lobby/deeper = quilt:deeper 1.0.0"], "{path}");
        assert_eq!(unread, NOTHING, "{path}");
    }
}

#[test]
fn an_archive_inside_is_found_by_its_contents_whatever_it_is_called() {
    let inner = || {
        Jar::default()
            .with_library("g", "engine", "1")
            .with("g/A.class", CODE)
    };
    for name in [
        "engine.jar",
        "lib/engine.dat",
        "engine",
        "assets/engine.png",
        "engine.zip",
    ] {
        let (found, _) = of_plugin(&plugin("Shop").with(name, inner().bytes()));
        assert!(
            found.contains(&"lobby/Shop/engine = maven:g:engine 1".to_owned()),
            "{name} {found:?}"
        );
    }
}

#[test]
fn an_archive_without_code_inside_a_plugin_needs_no_name() {
    let pack = Jar::default().with("pack.mcmeta", "{}".repeat(100)).bytes();
    let (found, unread) = of_plugin(&plugin("Shop").with("resources.zip", pack));
    assert_eq!(found, ["lobby/Shop = bukkit:Shop 1.0.0"]);
    assert_eq!(unread, NOTHING);
}

#[test]
fn a_library_that_was_put_into_an_archive_does_not_say_what_that_is() {
    let jar = library("com/enderio/core/EnderCore.class").with_library(
        "com.google.code.gson",
        "gson",
        "2.11.0",
    );
    let (_, unread) = of_file("mods/EnderCore.jar", jar.bytes());
    assert_eq!(
        unread,
        ["/mods/EnderCore.jar: missing information: what it is"]
    );
    let info = r#"[{"modid":"endercore","name":"EnderCore","version":"0.5.76"}]"#;
    let (found, unread) = of_file("mods/EnderCore.jar", jar.with("mcmod.info", info).bytes());
    assert_eq!(
        found,
        [
            "lobby/endercore = forge:endercore 0.5.76",
            "lobby/endercore/gson = maven:com.google.code.gson:gson 2.11.0",
        ]
    );
    assert_eq!(unread, NOTHING);
}

#[test]
fn packed_archives_are_named() {
    let (_, unread) = of_plugin(&plugin("Shop").with("lib/engine.jar.pack.xz", "x"));
    assert_eq!(
        unread,
        ["/plugins/Plugin.jar!/lib/engine.jar.pack.xz: a packed archive is not supported"]
    );
    let (_, unread) = of_file("libraries/engine.jar.lzma", "x");
    assert_eq!(
        unread,
        ["/libraries/engine.jar.lzma: a packed archive is not supported"]
    );
}

#[test]
fn libraries_that_a_server_fetches_for_a_plugin_are_found_where_they_are_declared() {
    let yaml = "name: Shop\nversion: 1\nlibraries:\n- com.h2database:h2:1.4.200\n- odd\n";
    let (found, unread) = of_plugin(&Jar::default().with("plugin.yml", yaml));
    assert_eq!(
        found,
        [
            "lobby/Shop = bukkit:Shop 1",
            "lobby/Shop/h2 = maven:com.h2database:h2 1.4.200"
        ]
    );
    assert_eq!(unread.len(), 1, "{unread:?}");
}

/// A server, by its manifest.
fn server(title: &str, version: &str) -> Vec<u8> {
    let manifest = format!(
        "Manifest-Version: 1.0\nMain-Class: a.Main\nImplementation-Title: {title}\nImplementation-Version: {version}\n"
    );
    Jar::default()
        .with("META-INF/MANIFEST.MF", manifest)
        .with("a/Main.class", CODE)
        .bytes()
}

#[test]
fn a_plugin_has_the_name_that_its_loader_gives_it() {
    let waterfall = server(
        "Waterfall-Bootstrap",
        "git:Waterfall-Bootstrap:1.20-R0.2-SNAPSHOT:a1b2c3d:550",
    );
    let paper = server("Paper", "git-Paper-496");
    let both = plugin("TabKeeper").with("bungee.yml", "name: TabKeeper\nversion: 1.0.0\n");
    for (server, plugin, name) in [
        (&waterfall, plugin("TabKeeper"), "bungee:TabKeeper"),
        (&paper, plugin("TabKeeper"), "bukkit:TabKeeper"),
        (&waterfall, both, "bungee:TabKeeper"),
    ] {
        let place = Place::new();
        place.put("server.jar", server);
        place.put("plugins/TabKeeper.jar", plugin.bytes());
        let found = listed(&place.scan(Provider::Minecraft).found);
        let plugins: Vec<_> = found
            .iter()
            .filter(|one| one.contains("TabKeeper"))
            .collect();
        assert_eq!(plugins, [&format!("lobby/TabKeeper = {name} 1.0.0")]);
    }
}

#[test]
fn modules_of_a_proxy_are_looked_at() {
    let (found, _) = of_file("modules/cmd_alert.jar", plugin("cmd_alert").bytes());
    assert_eq!(found, ["lobby/cmd_alert = bungee:cmd_alert 1.0.0"]);
}

#[test]
fn a_descendant_of_craftbukkit_is_found_as_what_it_is() {
    let place = Place::new();
    let version = r#"{"id":"1.20.4"}"#;
    let bundle = Jar::default()
        .with(
            "META-INF/MANIFEST.MF",
            "Manifest-Version: 1.0\nMain-Class: io.papermc.paperclip.Main\n",
        )
        .with(
            "META-INF/versions.list",
            "0\t1.20.4\t1.20.4/paper-1.20.4.jar\n",
        )
        .with("version.json", version);
    let inner = Jar::default()
        .with("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nMain-Class: org.bukkit.craftbukkit.Main\nImplementation-Title: CraftBukkit\nImplementation-Version: git-Paper-430\n")
        .with("version.json", version);
    place.put("paper-1.20.4-430.jar", bundle.bytes());
    place.put("versions/1.20.4/paper-1.20.4.jar", inner.bytes());
    let report = place.scan(Provider::Minecraft);
    assert_eq!(
        listed(&report.found),
        [
            "lobby/paper = minecraft:paper git-Paper-430",
            "lobby/server = minecraft:server 1.20.4",
        ]
    );
    assert_eq!(unread(&report, &place), NOTHING);
}

#[test]
fn the_server_inside_mojangs_bundle_is_a_server() {
    let inner = Jar::default()
        .with("version.json", r#"{"id":"1.20.4"}"#)
        .with("net/minecraft/server/Main.class", CODE);
    let bundle = Jar::default()
        .with(
            "META-INF/versions.list",
            "0\t1.20.4\t1.20.4/server-1.20.4.jar\n",
        )
        .with("META-INF/versions/1.20.4/server-1.20.4.jar", inner.bytes())
        .with("version.json", r#"{"id":"1.20.4"}"#);
    let (found, unread) = of_file("server.jar", bundle.bytes());
    assert_eq!(found, ["lobby/server = minecraft:server 1.20.4"]);
    assert_eq!(unread, NOTHING);
}

#[test]
fn what_a_manifest_has_loaded_from_elsewhere_is_named() {
    let manifest = "Manifest-Version: 1.0\nClass-Path: libraries/a.jar ../libraries/b.jar ../../c.jar\n  file:/opt/d.jar\n";
    let jar = plugin("Shop").with("META-INF/MANIFEST.MF", manifest);
    let (_, unread) = of_plugin(&jar);
    let why = "which its manifest has loaded and which is not in the directory";
    assert_eq!(
        unread,
        ["../../c.jar", "file:/opt/d.jar"]
            .map(|one| format!("/plugins/Plugin.jar: missing information: {one}, {why}"))
    );
}

#[test]
fn what_maven_left_below_the_classes_of_an_application_counts() {
    for folder in ["BOOT-INF/classes/", "WEB-INF/classes/", "inst/"] {
        let pom =
            format!("{folder}META-INF/maven/org.apache.logging.log4j/log4j-core/pom.properties");
        let (found, _) = of_plugin(&plugin("Chronicle").with(&pom, "version=2.14.1\n"));
        assert_eq!(
            found,
            [
                "lobby/Chronicle = bukkit:Chronicle 1.0.0",
                "lobby/Chronicle/log4j-core = maven:org.apache.logging.log4j:log4j-core 2.14.1",
            ]
        );
    }
}

#[test]
fn an_artifact_of_the_same_group_hides_no_classes_of_another() {
    let jar = plugin("Chronicle")
        .with("okhttp3/OkHttpClient.class", CODE)
        .with_library("com.squareup.okhttp3", "okhttp-urlconnection", "4.9.0");
    let (found, _) = of_plugin(&jar);
    assert!(
        found.contains(&"lobby/Chronicle/okhttp = maven:com.squareup.okhttp3:okhttp ?".to_owned()),
        "{found:?}"
    );
}

#[test]
fn classes_that_an_agent_renamed_are_classes() {
    let class = "inst/org/apache/logging/log4j/core/lookup/JndiLookup.classdata";
    let (found, _) = of_plugin(&plugin("Agent").with(class, CODE));
    assert_eq!(
        found,
        [
            "lobby/Agent = bukkit:Agent 1.0.0",
            "lobby/Agent/log4j-core = maven:org.apache.logging.log4j:log4j-core ?",
        ]
    );
}
