//! Maven's artifacts: what `pom.properties` and `pom.xml` say, what Forge's list of archives inside a mod says, what a
//! path of Maven's layout says, and what an archive is called without its version.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{known, pom};
use crate::{
    Why,
    assignments::assignments,
    json::{self, Item, Text},
    text,
};

/// Artifacts that were published under several names: their groups, and how all of them begin.
const RENAMED: [(&[&str], &str); 4] = [
    (&["com.mysql", "mysql"], "mysql-connector-j"),
    (&["org.bouncycastle"], "bcprov-"),
    (&["com.google.protobuf"], "protobuf-java"),
    (&["com.squareup.okhttp3"], "okhttp-jvm"),
];

/// An artifact of Maven's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Artifact {
    pub(super) group: String,
    pub(super) id: String,
    /// Its version, or why there is none.
    pub(super) version: Result<String, String>,
    /// The entry that says so; nothing where the path of the archive or whatever is around it does.
    pub(super) entry: Option<String>,
}

impl Artifact {
    /// What a `pom.properties` says (<https://maven.apache.org/shared/maven-archiver/>); where it leaves out group or
    /// artifact, its path says them.
    pub(super) fn of_properties(entry: &str, bytes: &[u8]) -> Option<Self> {
        let text = text::decode(bytes);
        let mut said = assignments(&text);
        let version = said.remove("version").filter(|version| !version.is_empty());
        let version = version.ok_or_else(|| "no version given".to_owned());
        let (group, id) = (said.remove("groupId"), said.remove("artifactId"));
        Self::of_maven(entry, group, id, version)
    }

    /// What a `pom.xml` says.
    pub(super) fn of_pom(entry: &str, bytes: &[u8]) -> Option<Self> {
        let said = pom::read(&text::decode(bytes));
        let version = match said.version {
            Some(version) => Ok(version),
            None => Err("no version in pom.xml".to_owned()),
        };
        Self::of_maven(entry, said.group, said.artifact, version)
    }

    fn of_maven(
        entry: &str,
        group: Option<String>,
        id: Option<String>,
        version: Result<String, String>,
    ) -> Option<Self> {
        let (by_path, _) = maven_folder(entry)?;
        let says = |said: Option<String>, path: &str| {
            said.filter(|said| !said.trim().is_empty() && !said.contains("${"))
                .unwrap_or_else(|| path.to_owned())
        };
        let (group_of_path, id_of_path) = by_path.split_once('/')?;
        Some(Self {
            group: says(group, group_of_path),
            id: says(id, id_of_path),
            version,
            entry: Some(entry.to_owned()),
        })
    }

    /// The artifact at a path of Maven's layout: `GROUP/AS/FOLDERS/ARTIFACT/VERSION/ARTIFACT-VERSION.jar`,
    /// below a folder called `libraries`.
    pub(super) fn by_path(path: &str) -> Option<Self> {
        let (_, path) = path
            .split_once("libraries/")
            .filter(|(before, _)| before.is_empty() || before.ends_with('/'))?;
        let mut parts: Vec<&str> = path.split('/').collect();
        let (file, version, id) = (parts.pop()?, parts.pop()?, parts.pop()?);
        let rest = file.strip_prefix(id)?.strip_prefix('-')?;
        let rest = rest.strip_prefix(version)?;
        // A classifier may stand behind the version, as in "-natives-linux.jar".
        if !(is_archive(rest) && (rest.starts_with('-') || rest.starts_with('.')))
            || parts.is_empty()
        {
            return None;
        }
        Some(Self {
            group: parts.join("."),
            id: id.to_owned(),
            version: Ok(version.to_owned()),
            entry: None,
        })
    }

    /// What an archive without any of these is by its manifest and its name, where both say the same of a library
    /// whose group is known. Where only one of them says so, its version stays unknown.
    pub(super) fn by_manifest(stem: &str, manifest: &BTreeMap<String, String>) -> Option<Self> {
        let said = |name: &str| manifest.get(name).map(|value| value.trim());
        let (named, behind) = name_and_version(stem);
        let title = said("implementation-title").or_else(|| said("bundle-name"));
        let id = [Some(named), title].into_iter().flatten();
        let vendor = said("implementation-vendor-id").filter(|vendor| vendor.contains('.'));
        let found = id
            .filter(|id| !id.is_empty() && !id.contains([' ', ':', '/']))
            .find_map(|id| Some((id, known::group_of(id).or(vendor)?)));
        let (id, group) = found?;
        let version = said("implementation-version").or_else(|| said("bundle-version"));
        let agree =
            title == Some(id) && named == id && behind.is_none_or(|one| Some(one) == version);
        let version = match version.or(behind) {
            Some(version) if agree => Ok(version.to_owned()),
            Some(version) => Err(format!(
                "only its manifest or its file name says what it is, and that it is {version}"
            )),
            None => Err("only its manifest or its file name says what it is".to_owned()),
        };
        Some(Self {
            group: group.to_owned(),
            id: id.to_owned(),
            version,
            entry: None,
        })
    }

    /// Whether it is another artifact, which may have been published under other names. One that is called like it
    /// or is of the same group is none: what it was built from may lie beside it.
    pub(super) fn is(&self, group: &str, id: &str) -> bool {
        let is_same = self.group == group && self.id == id;
        let is_renamed = RENAMED.iter().any(|(groups, begin)| {
            groups.contains(&self.group.as_str())
                && groups.contains(&group)
                && self.id.starts_with(begin)
                && id.starts_with(begin)
        });
        is_same || is_renamed
    }

    /// Whether it is what the archive of this name is, rather than something put into it.
    pub(super) fn is_own(&self, stem: &str) -> bool {
        if self.entry.is_none() {
            return true;
        }
        let Some(rest) = stem.strip_prefix(self.id.as_str()) else {
            return false;
        };
        let version = self.version.as_deref().unwrap_or_default();
        let versioned = rest
            .strip_prefix('-')
            .is_some_and(|rest| rest.starts_with(version));
        rest.is_empty() || versioned
    }
}

/// What Forge is told of the archives inside a mod, by their entries: `META-INF/jarjar/metadata.json`
/// (<https://docs.minecraftforge.net/en/latest/gettingstarted/jarinjar/>); and what of it is odd.
pub(super) fn jar_in_jar(bytes: &[u8]) -> Result<(BTreeMap<String, Artifact>, Vec<Why>), Why> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        jars: Vec<Item<Jar>>,
    }
    #[derive(Deserialize)]
    struct Jar {
        identifier: Identifier,
        #[serde(default)]
        version: Value,
        path: String,
    }
    #[derive(Deserialize)]
    struct Identifier {
        group: Text,
        artifact: Text,
    }
    let list: List = json::read(bytes)?;
    let (mut artifacts, mut odd) = (BTreeMap::new(), Vec::new());
    for jar in list.jars {
        let jar = match jar {
            Item::Good(jar) => jar,
            Item::Odd(reason) => {
                odd.push(Why::malformed("an archive inside a mod", reason));
                continue;
            }
        };
        let (Some(group), Some(id)) = (jar.identifier.group.0, jar.identifier.artifact.0) else {
            odd.push(Why::Missing(format!("group and artifact of {}", jar.path)));
            continue;
        };
        let version = json::text_of(&jar.version, "artifactVersion");
        let artifact = Artifact {
            group,
            id,
            version: version
                .map(Into::into)
                .ok_or_else(|| "no version given".to_owned()),
            entry: None,
        };
        artifacts.insert(jar.path, artifact);
    }
    Ok((artifacts, odd))
}

/// Where Maven leaves word of an artifact, at the top of an archive or where the classes lie that are put into it:
/// `BOOT-INF/classes/`, `WEB-INF/classes/`, or a folder that an agent keeps from others.
const MAVEN: &str = "META-INF/maven/";

/// `GROUP/ARTIFACT` of an entry below [`MAVEN`], and the file there.
fn maven_folder(entry: &str) -> Option<(&str, &str)> {
    let (folder, file) = entry.rsplit_once('/')?;
    if !matches!(file, "pom.properties" | "pom.xml") {
        return None;
    }
    let at = folder.rfind(MAVEN)?;
    let (before, folder) = folder.split_at_checked(at)?;
    if !(before.is_empty() || before.ends_with('/')) {
        return None;
    }
    let folder = folder.strip_prefix(MAVEN)?;
    (folder.split('/').count() == 2).then_some((folder, file))
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
pub(super) fn is_properties(name: &str) -> bool {
    maven_folder(name).is_some_and(|(_, file)| file == "pom.properties")
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.xml`.
pub(super) fn is_pom(name: &str) -> bool {
    maven_folder(name).is_some_and(|(_, file)| file == "pom.xml")
}

/// Whether a name is that of a Java archive.
pub(crate) fn is_archive(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let known = ["jar", "jarinjar", "war", "ear", "litemod"];
    extension.is_some_and(|extension| known.iter().any(|one| extension.eq_ignore_ascii_case(one)))
}

/// Whether a name is that of a Java archive in a format that is not read.
pub(crate) fn is_packed_archive(name: &str) -> bool {
    let Some((inner, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let is = |extension: &str, known: &[&str]| {
        known.iter().any(|one| extension.eq_ignore_ascii_case(one))
    };
    // Among very many names the length tells nearly all apart.
    match extension.len() {
        4 if is(extension, &["pack"]) => is_archive(inner),
        2..=4 if is(extension, &["gz", "xz", "lzma", "bz2", "zst", "br"]) => {
            let packed = inner.rsplit_once('.').map_or("", |(_, packed)| packed);
            is_archive(inner) || is(packed, &["pack"])
        }
        _ => false,
    }
}

/// The name of a file without folders and extension.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// A stem up to its version: the name should stay when the version does not.
pub(super) fn without_version(stem: &str) -> &str {
    name_and_version(stem).0
}

/// A stem up to its version, and the version behind it.
fn name_and_version(stem: &str) -> (&str, Option<&str>) {
    let at = stem.char_indices().zip(stem.chars().skip(1));
    let mut ends = at.filter(|((_, letter), next)| {
        matches!(letter, '-' | '_') && (next.is_ascii_digit() || *next == 'v')
    });
    match ends.next() {
        Some(((0, _), _)) | None => (stem, None),
        Some(((end, _), _)) => (&stem[..end], Some(&stem[end + 1..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_mavens_layout_says_what_lies_there() {
        let path =
            "META-INF/libraries/org/apache/logging/log4j/log4j-core/2.14.1/log4j-core-2.14.1.jar";
        let found = Artifact::by_path(path).unwrap();
        assert_eq!(found.group, "org.apache.logging.log4j");
        assert_eq!(found.id, "log4j-core");
        assert_eq!(found.version.as_deref(), Ok("2.14.1"));
        for path in [
            "libraries/log4j-core/2.14.1/log4j-core-2.14.1.jar",
            "libraries/org/log4j-core/2.14.1/log4j-core-2.15.0.jar",
            "mylibraries/org/a/1/a-1.jar",
            "libraries/org/a/1/a-12.jar",
            "plugins/a.jar",
        ] {
            assert_eq!(Artifact::by_path(path), None, "{path}");
        }
    }

    #[test]
    fn an_artifact_of_the_same_group_or_of_a_longer_name_is_another_one() {
        let artifact = |group: &str, id: &str| Artifact {
            group: group.to_owned(),
            id: id.to_owned(),
            version: Ok("1".to_owned()),
            entry: None,
        };
        for (group, id) in [
            ("io.netty", "netty-codec"),
            ("io.netty", "netty-codec-dns"),
            ("io.netty", "netty-all"),
        ] {
            let one = artifact(group, id);
            assert_eq!(
                one.is("io.netty", "netty-codec"),
                id == "netty-codec",
                "{id}"
            );
        }
        assert!(artifact("mysql", "mysql-connector-java").is("com.mysql", "mysql-connector-j"));
        assert!(
            artifact("org.bouncycastle", "bcprov-jdk15on").is("org.bouncycastle", "bcprov-jdk18on")
        );
        assert!(!artifact("x", "log4j-core").is("org.apache.logging.log4j", "log4j-core"));
    }

    #[test]
    fn a_name_stays_when_the_version_does_not() {
        assert_eq!(without_version("EssentialsX-2.20.1"), "EssentialsX");
        assert_eq!(without_version("tool_v2"), "tool");
        assert_eq!(without_version("log4j-core-2.14.1"), "log4j-core");
        assert_eq!(without_version("-1"), "-1");
        assert_eq!(without_version("plain"), "plain");
    }

    #[test]
    fn a_name_of_an_entry_is_wanted_as_it_is_and_in_no_other_place() {
        assert!(is_properties("META-INF/maven/g/a/pom.properties"));
        assert!(!is_properties("META-INF/maven/g/pom.properties"));
        assert!(!is_properties("META-INF/maven/../../a/b/pom.properties"));
        assert!(is_pom("META-INF/maven/g/a/pom.xml"));
        assert!(is_properties(
            "BOOT-INF/classes/META-INF/maven/g/a/pom.properties"
        ));
        assert!(is_pom("WEB-INF/classes/META-INF/maven/g/a/pom.xml"));
        assert!(!is_pom("xMETA-INF/maven/g/a/pom.xml"));
        assert!(is_archive("BOOT-INF/lib/x.JAR"));
        assert!(!is_archive("jar"));
        assert!(is_packed_archive("lib/x.jar.pack.gz") && is_packed_archive("x.jar.xz"));
        assert!(!is_packed_archive("data/x.nbt.gz") && !is_packed_archive("icons.pack"));
    }

    #[test]
    fn what_properties_leave_empty_their_path_says() {
        let entry = "META-INF/maven/some.group/art/pom.properties";
        let found = Artifact::of_properties(entry, b"version=2.10.13\ngroupId=\nartifactId=\n");
        let found = found.unwrap();
        assert_eq!(
            (found.group.as_str(), found.id.as_str()),
            ("some.group", "art")
        );
        assert_eq!(found.version.as_deref(), Ok("2.10.13"));
    }

    #[test]
    fn a_manifest_and_a_file_name_that_agree_say_which_version_it_is() {
        let manifest = |title: &str, version: &str| -> BTreeMap<String, String> {
            [
                ("implementation-title", title),
                ("implementation-version", version),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
        };
        let both = Artifact::by_manifest("spring-core-5.3.17", &manifest("spring-core", "5.3.17"));
        let both = both.unwrap();
        assert_eq!(both.group, "org.springframework");
        assert_eq!(both.version.as_deref(), Ok("5.3.17"));
        for (stem, title, version) in [
            ("spring-core-5.3.18", "spring-core", "5.3.17"),
            ("spring-core-5.3.17", "Something else", "1"),
            ("library", "spring-core", "5.3.17"),
        ] {
            let one = Artifact::by_manifest(stem, &manifest(title, version)).unwrap();
            assert_eq!(one.id, "spring-core");
            assert!(one.version.is_err(), "{stem} {title} {version}");
        }
        assert_eq!(
            Artifact::by_manifest("mine-1", &manifest("Mine", "1")),
            None
        );
    }

    #[test]
    fn an_odd_archive_in_a_list_of_forges_costs_itself() {
        let list = br#"{"jars":[1,{"identifier":{"group":"g","artifact":"a"},"version":{"artifactVersion":"1"},"path":"a.jar"},
            {"identifier":{"group":"g"},"path":"b.jar"},{"identifier":{"group":"g","artifact":"c"},"path":"c.jar"}]}"#;
        let (artifacts, odd) = jar_in_jar(list).unwrap();
        let versions: Vec<_> = artifacts
            .values()
            .map(|one| one.version.as_deref().ok())
            .collect();
        assert_eq!(versions, [Some("1"), None]);
        assert_eq!(odd.len(), 2);
    }
}
