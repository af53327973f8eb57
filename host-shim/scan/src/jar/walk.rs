//! Goes through an archive and the archives inside it, and says what is there.

use std::{collections::BTreeMap, fs::File, path::Path};

use rawzip::ReaderAt;
use spacecp_contract::Ecosystem;

use super::{
    archive::{self, Archive, Member},
    artifact::{Artifact, is_archive, is_pom, stem, without_version},
    describe::Descriptor,
    server::Facts,
};
use crate::{Limit, Why, assignments::manifest, budget::Budget, findings::Findings, names};

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

struct Walk<'a> {
    budget: &'a mut Budget,
    findings: Findings,
}

impl Walk<'_> {
    fn archive<R: ReaderAt>(&mut self, archive: &Archive<R>, place: &Place) {
        let before = self.findings.count();
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
        let label = self.libraries(&described, &artifacts, place);
        for bytes in texts.0.into_values() {
            self.budget.release(bytes);
        }
        let says_nothing = self.findings.count() == before && nested.is_empty();
        // What a bundle unpacked is beside it, and says what the bundle does not.
        if says_nothing && place.role != (Role::Server { unpacked: true }) {
            self.unread(&place.within, Why::Missing("what it is".to_owned()));
        }
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
                [one] => archive
                    .text(one, self.budget)
                    .and_then(|bytes| self.budget.keep(bytes)),
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
                let version = version.ok_or_else(|| "no version given".to_owned());
                let name = names::thing(one.kind, &one.name);
                self.findings.add(path, name, version, &within);
                named.push(one.name);
            }
        }
        named
    }

    /// The libraries that Maven left word of, and the archive itself where its path says what it is.
    fn artifacts(&mut self, texts: &Texts, place: &Place) -> Vec<Artifact> {
        let mut artifacts: Vec<Artifact> = Artifact::by_path(&place.path).into_iter().collect();
        for (name, bytes) in texts.0.iter().filter(|(name, _)| is_pom(name)) {
            let Some(artifact) = Artifact::of_pom(name, bytes) else {
                let why = Why::Missing("group and artifact".to_owned());
                self.unread(&into(&place.within, name), why);
                continue;
            };
            artifacts.push(artifact);
        }
        artifacts
    }

    /// Takes in the artifacts, and says what the archive is called as part of a name: those inside it have
    /// its label before their own. None where the server itself is the component around it.
    fn libraries(
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
            let version = artifact.version.as_deref();
            let version = version.ok_or_else(|| "no version given".to_owned());
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
        // An archive can have more broken entries than anybody would want to read about. What may be read
        // the next time has to be among them: without it this would count as the last word.
        let is_new = why.may_pass() && self.findings.is_lasting();
        if is_new || self.findings.unread.len() as u64 <= self.budget.limits.problems {
            self.findings.unread(within.to_owned(), why);
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

/// The way to an entry of an archive.
fn into(within: &str, name: &str) -> String {
    format!("{within}!/{name}")
}
