//! What one archive says that it is and has inside: a server, plugins and mods, artifacts of Maven's, and libraries
//! that only their classes tell of. It reads no archive: entries are read where archives are gone through.

use std::collections::{BTreeMap, BTreeSet};

use spacecp_contract::Ecosystem;

use super::{
    artifact::{self, Artifact, is_pom, is_properties, stem, without_version},
    describe::{Description, Descriptor},
    known::Library,
    server::Facts,
    walk::{JAR_IN_JAR, MOST_PACKED, Place, Role, Texts, Walk, into},
};
use crate::{Why, names};

/// What plugins and mods say.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Whether any does, readable or not.
    pub(super) says: bool,
    pub(super) names: Vec<String>,
    /// Archives that have to be inside.
    pub(super) nested: Vec<String>,
}

impl Walk<'_> {
    /// Takes in what the archive is if it is a server; whether it is.
    pub(super) fn server(&mut self, facts: &Facts, place: &Place) -> bool {
        let Role::Server { unpacked } = place.role else {
            return false;
        };
        let parts = facts.parts(unpacked);
        for part in &parts {
            let version = part.version.as_deref().map_err(Clone::clone);
            self.findings.add(
                vec![part.name.clone()],
                names::thing(part.kind, &part.name),
                version,
                &place.within,
            );
        }
        !parts.is_empty()
    }

    /// Names what a manifest has loaded from outside of the folder that is looked at (JAR File Specification,
    /// "Class-Path"); what lies inside is found there.
    pub(super) fn class_path(&mut self, manifest: &BTreeMap<String, String>, place: &Place) {
        let folder = place.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let depth = folder.split('/').filter(|part| !part.is_empty()).count();
        let class_path = manifest.get("class-path").map_or("", String::as_str);
        let outside = class_path
            .split_whitespace()
            .filter(|one| leads_out(one, depth));
        for one in outside.take(MOST_PACKED) {
            let one: String = one.chars().take(200).collect();
            let why =
                format!("{one}, which its manifest has loaded and which is not in the directory");
            self.unread(&place.within, Why::Missing(why));
        }
    }

    /// Takes in what plugins and mods say, the first first.
    pub(super) fn descriptors(
        &mut self,
        texts: &Texts,
        manifest: &BTreeMap<String, String>,
        place: &Place,
    ) -> Said {
        let mut present: Vec<(Descriptor, &String, &Vec<u8>)> = texts
            .0
            .iter()
            .filter_map(|(name, bytes)| Some((Descriptor::of(name)?, name, bytes)))
            .collect();
        present.sort_by_key(|(descriptor, ..)| *descriptor);
        let all: Vec<Descriptor> = present.iter().map(|(descriptor, ..)| *descriptor).collect();
        let mut said = Said {
            says: !present.is_empty(),
            ..Said::default()
        };
        for (descriptor, name, bytes) in present {
            let within = into(&place.within, name);
            let Description {
                parts,
                libraries,
                nested,
                odd,
            } = match descriptor.read(bytes) {
                Ok(description) => description,
                Err(why) => {
                    self.unread(&within, why);
                    continue;
                }
            };
            for why in odd {
                self.unread(&within, why);
            }
            said.nested.extend(nested);
            for one in parts {
                let Some(kind) = place.role.loader().kind(descriptor, one.kind, &all) else {
                    continue;
                };
                let mut path = place.above.clone();
                path.push(one.name.clone());
                let version = version_of(one.version.as_deref(), manifest);
                let version = version.ok_or_else(|| "no version given".to_owned());
                let called = names::thing(kind, &one.name);
                self.findings.add(path.clone(), called, version, &within);
                self.fetched(&libraries, &path, &within);
                said.names.push(one.name);
            }
        }
        said
    }

    /// Takes in the libraries that a server fetches for a plugin: `group:artifact:version`.
    pub(super) fn fetched(&mut self, libraries: &[String], path: &[String], within: &str) {
        for library in libraries {
            let mut parts = library.split(':');
            let (Some(group), Some(id), Some(version)) =
                (parts.next(), parts.next(), parts.next_back())
            else {
                let shown: String = library.chars().take(100).collect();
                let why =
                    Why::malformed("a library", format!("{shown}: not group:artifact:version"));
                self.unread(within, why);
                continue;
            };
            let mut path = path.to_vec();
            path.push(id.to_owned());
            let name = names::package(&Ecosystem::Maven, &format!("{group}:{id}"));
            self.findings.add(path, name, Ok(version), within);
        }
    }

    /// What is declared of the archives inside this one: what they are, and where each has to be.
    pub(super) fn declared(
        &mut self,
        texts: &Texts,
        described: &Said,
        place: &Place,
    ) -> (BTreeMap<String, Artifact>, BTreeSet<String>) {
        let mut declared: BTreeSet<String> = described.nested.iter().cloned().collect();
        let Some(bytes) = texts.0.get(JAR_IN_JAR) else {
            return (BTreeMap::new(), declared);
        };
        let within = into(&place.within, JAR_IN_JAR);
        match artifact::jar_in_jar(bytes) {
            Ok((inside, odd)) => {
                for why in odd {
                    self.unread(&within, why);
                }
                declared.extend(inside.keys().cloned());
                (inside, declared)
            }
            Err(why) => {
                self.unread(&within, why);
                (BTreeMap::new(), declared)
            }
        }
    }

    /// The libraries that Maven left word of, and the archive itself where its path, whatever is around it or its
    /// manifest says what it is.
    pub(super) fn artifacts(
        &mut self,
        texts: &Texts,
        manifest: &BTreeMap<String, String>,
        is_named: bool,
        place: &Place,
    ) -> Vec<Artifact> {
        let by_path = Artifact::by_path(&place.path);
        let mut artifacts: Vec<Artifact> = by_path.into_iter().chain(place.known.clone()).collect();
        for (name, bytes) in &texts.0 {
            let artifact = if is_properties(name) {
                Artifact::of_properties(name, bytes)
            } else if is_pom(name) {
                Artifact::of_pom(name, bytes)
            } else {
                continue;
            };
            if let Some(artifact) = artifact {
                artifacts.push(artifact);
            } else {
                let why = Why::Missing("group and artifact".to_owned());
                self.unread(&into(&place.within, name), why);
            }
        }
        let stem = stem(&place.path);
        let is_known = is_named || artifacts.iter().any(|artifact| artifact.is_own(stem));
        if !is_known {
            artifacts.extend(Artifact::by_manifest(stem, manifest));
        }
        artifacts
    }

    /// Adds the libraries that were identified by their classes alone, each with an unknown version.
    pub(super) fn by_classes(
        &mut self,
        libraries: &BTreeMap<Library, String>,
        artifacts: &[Artifact],
        label: Option<&str>,
        place: &Place,
    ) {
        for ((group, id), class) in libraries {
            if artifacts.iter().any(|artifact| artifact.is(group, id)) {
                continue;
            }
            let mut path = place.above.clone();
            path.extend(label.map(str::to_owned));
            path.push((*id).to_owned());
            let name = names::package(&Ecosystem::Maven, &format!("{group}:{id}"));
            let version = "only its classes are there, and they do not say their version";
            self.findings.add(
                path,
                name,
                Err(version.to_owned()),
                &into(&place.within, class),
            );
        }
    }

    /// Takes in the artifacts, and says what the archive is called as part of a name: those inside it have
    /// its label before their own. None where the server itself is the component around it.
    pub(super) fn libraries(
        &mut self,
        described: &[String],
        artifacts: &[Artifact],
        place: &Place,
    ) -> Option<String> {
        let stem = stem(&place.path);
        let own = artifacts.iter().find(|artifact| artifact.is_own(stem));
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
            let is_itself = described.is_empty() && artifact.is_own(stem);
            if !is_itself {
                path.extend(label.clone());
            }
            path.push(artifact.id.clone());
            let package = format!("{}:{}", artifact.group, artifact.id);
            let version = artifact.version.as_deref().map_err(Clone::clone);
            let within = match &artifact.entry {
                Some(entry) => into(&place.within, entry),
                None => place.within.clone(),
            };
            let name = names::package(&Ecosystem::Maven, &package);
            self.findings.add(path, name, version, &within);
        }
        label
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

/// Whether a path of a manifest leads out of a folder that it is so deep in.
fn leads_out(path: &str, depth: usize) -> bool {
    if path.starts_with('/') || path.contains(':') {
        return true;
    }
    let mut left = depth;
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match left.checked_sub(1) {
                Some(less) => left = less,
                None => return true,
            },
            _ => left += 1,
        }
    }
    false
}

/// What is missing of an archive that nothing names, with what its manifest says all the same.
pub(super) fn what_it_is(manifest: &BTreeMap<String, String>) -> String {
    let said = |names: &[&str]| {
        let said = names.iter().find_map(|name| manifest.get(*name));
        said.map(|said| said.chars().take(80).collect::<String>())
    };
    let title = said(&[
        "implementation-title",
        "bundle-symbolicname",
        "automatic-module-name",
    ]);
    let version = said(&["implementation-version", "bundle-version"]);
    match (title, version) {
        (Some(title), Some(version)) => {
            format!("what it is; its manifest says {title} {version}, and no group")
        }
        (Some(title), None) => format!("what it is; its manifest says {title}, and no group"),
        _ => "what it is".to_owned(),
    }
}
