//! Goes through an archive and the archives inside it, and says what is there.

use std::{collections::BTreeMap, fs::File, path::Path};

use rawzip::ReaderAt;
use spacecp_contract::Ecosystem;

use super::{
    archive::{self, Archive, Member},
    describe::Descriptor,
    server::Facts,
};
use crate::{
    Limit, Why,
    assignments::{assignments, manifest},
    budget::Budget,
    findings::Findings,
    names,
};

/// What an archive is to the server whose folder it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Possibly the server itself; whether what its bundle holds lies beside it.
    Server { unpacked: bool },
    /// A plugin, a mod or a library.
    Part,
}

/// Everything that is in the archive in `file`, which lies at `path`.
pub(crate) fn read(
    file: &File,
    path: &Path,
    role: Role,
    budget: &mut Budget,
) -> Result<Findings, Why> {
    let archive = archive::of_file(file)?;
    Ok(outermost(&archive, &path.to_string_lossy(), role, budget))
}

/// How many components an archive in memory has, if it is one.
pub(crate) fn read_bytes(bytes: &[u8], path: &str, budget: &mut Budget) -> usize {
    let role = Role::Server { unpacked: false };
    let archive = archive::of_bytes(bytes);
    archive.map_or(0, |archive| {
        outermost(&archive, path, role, budget).entries.len()
    })
}

fn outermost<R: ReaderAt>(
    archive: &Archive<R>,
    path: &str,
    role: Role,
    budget: &mut Budget,
) -> Findings {
    let mut walk = Walk {
        budget,
        findings: Findings::default(),
    };
    let place = Place {
        above: Vec::new(),
        within: String::new(),
        path: path.to_owned(),
        role,
        depth: 1,
    };
    walk.archive(archive, &place);
    walk.findings
}

/// Where an archive lies.
struct Place {
    /// The labels of what is around it.
    above: Vec<String>,
    /// The way into the outermost file; empty for that file.
    within: String,
    /// Its path in whatever it lies in.
    path: String,
    role: Role,
    depth: u32,
}

/// An artifact of Maven's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Artifact {
    group: String,
    id: String,
    version: Option<String>,
    /// The entry that says so; nothing where the path of the archive does.
    entry: Option<String>,
}

struct Walk<'a> {
    budget: &'a mut Budget,
    findings: Findings,
}

impl Walk<'_> {
    fn archive<R: ReaderAt>(&mut self, archive: &Archive<R>, place: &Place) {
        let listed = archive.list(self.budget, |name| is_wanted(name, place.role));
        if let Some(why) = listed.why {
            self.unread(&place.within, why);
        }
        let (nested, small): (Vec<Member>, Vec<Member>) = listed
            .members
            .into_iter()
            .partition(|member| is_archive(&member.name));
        let texts = self.texts(archive, small, place);
        let mut facts = Facts {
            manifest: texts.manifest(),
            ..Facts::default()
        };
        if let Role::Server { unpacked } = place.role {
            facts.version_json = texts.of("version.json");
            facts.versions_list = texts.of("META-INF/versions.list");
            facts.install_properties = texts.of("install.properties");
            self.server(&facts, unpacked, place);
        }
        let described = self.descriptors(&texts, &facts.manifest, place);
        let artifacts = self.artifacts(&texts, place);
        let label = self.label(&described, &artifacts, place);
        let mut inside = place.above.clone();
        inside.extend(label);
        for member in nested {
            self.nested(archive, &member, &inside, place);
        }
    }

    /// What the small entries say, by name; of two to one name neither.
    fn texts<R: ReaderAt>(
        &mut self,
        archive: &Archive<R>,
        members: Vec<Member>,
        place: &Place,
    ) -> Texts {
        let mut by_name: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for member in members {
            by_name.entry(member.name.clone()).or_default().push(member);
        }
        let mut texts = Texts::default();
        for (name, members) in by_name {
            let read = match members.as_slice() {
                [one] => archive.text(one, self.budget),
                _ => Err(Why::Twice),
            };
            match read {
                Ok(bytes) => {
                    texts.0.insert(name, bytes);
                }
                Err(why) => self.unread(&into(&place.within, &name), why),
            }
        }
        texts
    }

    fn server(&mut self, facts: &Facts, unpacked: bool, place: &Place) {
        for part in facts.parts(unpacked) {
            let version = part.version.as_deref().map_err(Clone::clone);
            self.findings.add(
                vec![part.name.clone()],
                names::thing(part.kind, &part.name),
                version,
                &place.within,
            );
        }
    }

    /// Takes in what plugins and mods say; their names, the first first.
    fn descriptors(
        &mut self,
        texts: &Texts,
        manifest: &BTreeMap<String, String>,
        place: &Place,
    ) -> Vec<String> {
        let mut present: Vec<(Descriptor, &String, &Vec<u8>)> = texts
            .0
            .iter()
            .filter_map(|(name, bytes)| Some((Descriptor::of(name)?, name, bytes)))
            .collect();
        present.sort_by_key(|(descriptor, ..)| *descriptor);
        let mut named = Vec::new();
        for (descriptor, name, bytes) in present {
            let within = into(&place.within, name);
            let described = match descriptor.read(bytes) {
                Ok(described) => described,
                Err(why) => {
                    self.unread(&within, why);
                    continue;
                }
            };
            for one in described {
                let mut path = place.above.clone();
                path.push(one.name.clone());
                let version = version_of(one.version.as_deref(), manifest);
                let version = version.ok_or_else(|| "it says no version".to_owned());
                let name = names::thing(one.kind, &one.name);
                self.findings.add(path, name, version, &within);
                named.push(one.name);
            }
        }
        named
    }

    /// The libraries that Maven left word of, and the archive itself where its path says what it is.
    fn artifacts(&mut self, texts: &Texts, place: &Place) -> Vec<Artifact> {
        let mut artifacts: Vec<Artifact> = by_path(&place.path).into_iter().collect();
        for (name, bytes) in texts.0.iter().filter(|(name, _)| is_pom(name)) {
            let text = String::from_utf8_lossy(bytes);
            let said = assignments(&text);
            let (group, id) = (said.get("groupId"), said.get("artifactId"));
            let (Some(group), Some(id)) = (group, id) else {
                let why = Why::Missing("group and artifact".to_owned());
                self.unread(&into(&place.within, name), why);
                continue;
            };
            artifacts.push(Artifact {
                group: group.clone(),
                id: id.clone(),
                version: said.get("version").cloned(),
                entry: Some(name.clone()),
            });
        }
        artifacts
    }

    /// What the archive is called as part of a name, after taking in its artifacts: those inside it have
    /// its label before their own. None where the server itself is the component around it.
    fn label(
        &mut self,
        described: &[String],
        artifacts: &[Artifact],
        place: &Place,
    ) -> Option<String> {
        let stem = stem(&place.path);
        let own = artifacts.iter().find(|artifact| is_own(artifact, stem));
        let is_server = matches!(place.role, Role::Server { .. });
        let label = match (described.first(), own) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(own)) => Some(own.id.clone()),
            (None, None) if is_server => None,
            (None, None) => Some(without_version(stem).to_owned()),
        };
        for artifact in artifacts {
            let mut path = place.above.clone();
            // The archive's own artifact is the archive, unless it is a plugin: that has a name of its own.
            let is_itself = described.is_empty() && is_own(artifact, stem);
            if !is_itself {
                path.extend(label.clone());
            }
            path.push(artifact.id.clone());
            let package = format!("{}:{}", artifact.group, artifact.id);
            let version = artifact.version.as_deref();
            let version = version.ok_or_else(|| "it says no version".to_owned());
            let within = match &artifact.entry {
                Some(entry) => into(&place.within, entry),
                None => place.within.clone(),
            };
            let name = names::package(&Ecosystem::Maven, &package);
            self.findings.add(path, name, version, &within);
        }
        label
    }

    fn nested<R: ReaderAt>(
        &mut self,
        archive: &Archive<R>,
        member: &Member,
        inside: &[String],
        place: &Place,
    ) {
        let within = into(&place.within, &member.name);
        let deepest = self.budget.limits.archive_depth;
        if place.depth >= deepest {
            let why = Why::limit(Limit::ArchiveDepth, u64::from(deepest));
            return self.unread(&within, why);
        }
        let bytes = match archive.nested(member, self.budget) {
            Ok(bytes) => bytes,
            Err(why) => return self.unread(&within, why),
        };
        match archive::of_bytes(&bytes) {
            Ok(nested) => self.archive(
                &nested,
                &Place {
                    above: inside.to_vec(),
                    within,
                    path: member.name.clone(),
                    role: Role::Part,
                    depth: place.depth + 1,
                },
            ),
            Err(why) => self.unread(&within, why),
        }
        self.budget.release(bytes);
    }

    fn unread(&mut self, within: &str, why: Why) {
        // An archive can have more broken entries than anybody would want to read about.
        if self.findings.unread.len() as u64 <= self.budget.limits.problems {
            self.findings.unread.push((within.to_owned(), why));
        }
    }
}

/// What the small entries of an archive say.
#[derive(Debug, Default)]
struct Texts(BTreeMap<String, Vec<u8>>);

impl Texts {
    fn of(&self, name: &str) -> Option<Vec<u8>> {
        self.0.get(name).cloned()
    }

    fn manifest(&self) -> BTreeMap<String, String> {
        let bytes = self.0.get("META-INF/MANIFEST.MF");
        bytes.map_or_else(BTreeMap::new, |bytes| {
            manifest(&String::from_utf8_lossy(bytes))
        })
    }
}

/// The version that is meant: Forge's mods may leave it to the manifest.
fn version_of<'a>(
    said: Option<&'a str>,
    manifest: &'a BTreeMap<String, String>,
) -> Option<&'a str> {
    match said {
        Some("${file.jarVersion}") => manifest.get("implementation-version").map(String::as_str),
        said => said,
    }
}

fn is_wanted(name: &str, role: Role) -> bool {
    let of_a_server = matches!(role, Role::Server { .. })
        && matches!(
            name,
            "version.json" | "META-INF/versions.list" | "install.properties"
        );
    of_a_server
        || name == "META-INF/MANIFEST.MF"
        || Descriptor::of(name).is_some()
        || is_pom(name)
        || is_archive(name)
}

/// `META-INF/maven/GROUP/ARTIFACT/pom.properties`.
fn is_pom(name: &str) -> bool {
    let inner = name.strip_prefix("META-INF/maven/");
    let inner = inner.and_then(|inner| inner.strip_suffix("/pom.properties"));
    inner.is_some_and(|inner| inner.split('/').count() == 2)
}

pub(super) fn is_archive(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("jar"))
}

/// The way to an entry of an archive.
fn into(within: &str, name: &str) -> String {
    format!("{within}!/{name}")
}

/// The artifact at a path of Maven's layout: `GROUP/AS/FOLDERS/ARTIFACT/VERSION/ARTIFACT-VERSION.jar`,
/// below a folder called `libraries`.
fn by_path(path: &str) -> Option<Artifact> {
    let (_, path) = path
        .split_once("libraries/")
        .filter(|(before, _)| before.is_empty() || before.ends_with('/'))?;
    let mut parts: Vec<&str> = path.split('/').collect();
    let (file, version, id) = (parts.pop()?, parts.pop()?, parts.pop()?);
    let rest = file.strip_prefix(id)?.strip_prefix('-')?;
    let rest = rest.strip_prefix(version)?;
    // A classifier may stand behind the version, as in "-natives-linux.jar".
    if !(is_archive(rest) && (rest.starts_with('-') || rest.starts_with('.'))) || parts.is_empty() {
        return None;
    }
    Some(Artifact {
        group: parts.join("."),
        id: id.to_owned(),
        version: Some(version.to_owned()),
        entry: None,
    })
}

fn is_own(artifact: &Artifact, stem: &str) -> bool {
    let Some(rest) = stem.strip_prefix(artifact.id.as_str()) else {
        return false;
    };
    let version = artifact.version.as_deref().unwrap_or_default();
    let versioned = rest
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(version));
    artifact.entry.is_none() || rest.is_empty() || versioned
}

/// The name of a file without folders and extension.
fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem)
}

/// A stem up to its version: the name should stay when the version does not.
fn without_version(stem: &str) -> &str {
    let at = stem.char_indices().zip(stem.chars().skip(1));
    let mut ends = at.filter(|((_, letter), next)| {
        matches!(letter, '-' | '_') && (next.is_ascii_digit() || *next == 'v')
    });
    match ends.next() {
        Some(((0, _), _)) | None => stem,
        Some(((end, _), _)) => &stem[..end],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_mavens_layout_says_what_lies_there() {
        let path =
            "META-INF/libraries/org/apache/logging/log4j/log4j-core/2.14.1/log4j-core-2.14.1.jar";
        let found = by_path(path).unwrap();
        assert_eq!(found.group, "org.apache.logging.log4j");
        assert_eq!(found.id, "log4j-core");
        assert_eq!(found.version.as_deref(), Some("2.14.1"));
        for path in [
            "libraries/log4j-core/2.14.1/log4j-core-2.14.1.jar",
            "libraries/org/log4j-core/2.14.1/log4j-core-2.15.0.jar",
            "mylibraries/org/a/1/a-1.jar",
            "libraries/org/a/1/a-12.jar",
            "plugins/a.jar",
        ] {
            assert_eq!(by_path(path), None, "{path}");
        }
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
        assert!(is_pom("META-INF/maven/g/a/pom.properties"));
        assert!(!is_pom("META-INF/maven/g/pom.properties"));
        assert!(!is_pom("META-INF/maven/../../a/b/pom.properties"));
        assert!(is_archive("BOOT-INF/lib/x.JAR"));
        assert!(!is_archive("jar"));
    }
}
