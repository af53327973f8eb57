//! Goes through an archive and the archives inside it, and says what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
};

use rawzip::ReaderAt;
use spacecp_contract::Ecosystem;

use super::{
    archive::{self, Archive, Member, Wanted},
    artifact::{
        self, Artifact, is_archive, is_packed_archive, is_pom, is_properties, stem, without_version,
    },
    describe::{Description, Descriptor},
    known::{self, Library},
    loader::Loader,
    server::Facts,
};
use crate::{Limit, Why, assignments::manifest, budget::Budget, findings::Findings, names, text};

/// What Forge is told of the archives inside a mod.
const JAR_IN_JAR: &str = "META-INF/jarjar/metadata.json";

/// Entries of one name that are held against each other.
const MOST_OF_A_NAME: usize = 8;

/// Entries that are named one by one, of those that are not read.
const MOST_PACKED: usize = 20;

/// What an archive is to the server whose folder it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Possibly the server itself; whether what its bundle holds lies beside it.
    Server { unpacked: bool },
    /// A plugin, a mod or a library.
    Part(Loader),
}

impl Role {
    fn loader(self) -> Loader {
        match self {
            Self::Server { .. } => Loader::Any,
            Self::Part(loader) => loader,
        }
    }
}

/// Whether a file is an archive by its contents, whatever it is called.
pub(crate) fn is_in(file: &File) -> Result<bool, Why> {
    archive::is_archive(file)
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
        known: None,
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
    /// What the archive around it says that it is.
    known: Option<Artifact>,
}

/// What the names of an archive's entries say.
#[derive(Debug, Default)]
struct Names {
    has_classes: bool,
    /// Libraries, with the class that each was told by.
    libraries: BTreeMap<Library, String>,
    /// Archives in formats that are not read.
    packed: Vec<String>,
}

impl Names {
    fn note(&mut self, name: &str) {
        if is_class(name) {
            self.has_classes = true;
            if let Some(library) = known::of_class(name) {
                self.libraries
                    .entry(library)
                    .or_insert_with(|| name.to_owned());
            }
        } else if is_packed_archive(name) && self.packed.len() < MOST_PACKED {
            self.packed.push(name.to_owned());
        }
    }
}

struct Walk<'a> {
    budget: &'a mut Budget,
    findings: Findings,
}

impl Walk<'_> {
    fn archive<R: ReaderAt>(&mut self, archive: &Archive<R>, place: &Place) {
        let before = self.findings.unread.len();
        let mut names = Names::default();
        let listed = archive.list(self.budget, |name| {
            names.note(name);
            wanted(name, place.role)
        });
        let is_whole = listed.why.is_none();
        if let Some(why) = listed.why {
            self.unread(&place.within, why);
        }
        for name in &names.packed {
            let why = Why::NotRead("a packed archive".to_owned());
            self.unread(&into(&place.within, name), why);
        }
        let (nested, small): (Vec<Member>, Vec<Member>) = listed
            .members
            .into_iter()
            .partition(|member| member.is_archive);
        let texts = self.texts(archive, small, place);
        let manifest = texts.manifest();
        let facts = Facts {
            manifest: manifest.clone(),
            version_json: texts.of_server("version.json", place.role),
            versions_list: texts.of_server("META-INF/versions.list", place.role),
            install_properties: texts.of_server("install.properties", place.role),
        };
        let is_server = self.server(&facts, place);
        let described = self.descriptors(&texts, &manifest, place);
        let (mut inside, declared) = self.declared(&texts, &described, place);
        let artifacts = self.artifacts(&texts, &manifest, is_server || described.says, place);
        let label = self.libraries(&described.names, &artifacts, place);
        self.by_classes(&names.libraries, &artifacts, label.as_deref(), place);
        for bytes in texts.0.into_values() {
            self.budget.release(bytes);
        }
        let has_own = artifacts
            .iter()
            .any(|artifact| artifact.is_own(stem(&place.path)));
        // What a bundle unpacked is beside it, and says what the bundle does not. What only has or names what else is
        // loaded has no code.
        if place.depth == 1 {
            self.class_path(&manifest, place);
        }
        let has_others = !nested.is_empty() || manifest.contains_key("class-path");
        let is_empty = !names.has_classes && (has_others || !is_archive(&place.path));
        let is_named = is_server || described.says || has_own || facts.versions_list.is_some();
        let is_unread = self.findings.unread.len() > before;
        if !(is_named || is_empty || is_unread) {
            self.unread(&place.within, Why::Missing(what_it_is(&manifest)));
        }
        let mut above = place.above.clone();
        above.extend(label);
        let there: BTreeSet<String> = nested.iter().map(|member| member.name.clone()).collect();
        for name in declared
            .into_iter()
            .filter(|name| is_whole && !there.contains(name))
        {
            let why = Why::Missing("an archive that is declared to be there".to_owned());
            self.unread(&into(&place.within, &name), why);
        }
        for member in nested {
            let known = inside.remove(&member.name);
            self.nested(archive, &member, &above, known, place);
        }
    }

    /// What the small entries say, by name; of two to one name neither, unless they say the same.
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
        let has_properties: BTreeSet<String> = by_name
            .keys()
            .filter_map(|name| Some(format!("{}/pom.xml", name.strip_suffix("/pom.properties")?)))
            .collect();
        // The properties beside it say the same in short.
        by_name.retain(|name, _| !has_properties.contains(name));
        for (name, members) in by_name {
            let read = self
                .one_of(archive, &members)
                .and_then(|bytes| self.budget.keep(bytes));
            match read {
                Ok(bytes) => {
                    texts.0.insert(name, bytes);
                }
                Err(why) => self.unread(&into(&place.within, &name), why),
            }
        }
        texts
    }

    /// What all entries of one name say.
    fn one_of<R: ReaderAt>(
        &mut self,
        archive: &Archive<R>,
        members: &[Member],
    ) -> Result<Vec<u8>, Why> {
        let plain: Vec<&Member> = members.iter().filter(|member| !member.is_slashed).collect();
        let members = if plain.is_empty() {
            members.iter().collect()
        } else {
            plain
        };
        let Some((first, others)) = members.split_first() else {
            return Err(Why::Twice);
        };
        let bytes = archive.text(first, self.budget)?;
        if others.len() >= MOST_OF_A_NAME {
            return Err(Why::Twice);
        }
        for other in others {
            if archive.text(other, self.budget)? != bytes {
                return Err(Why::Twice);
            }
        }
        Ok(bytes)
    }

    /// Takes in what the archive is if it is a server; whether it is.
    fn server(&mut self, facts: &Facts, place: &Place) -> bool {
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
    fn class_path(&mut self, manifest: &BTreeMap<String, String>, place: &Place) {
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
    fn descriptors(
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
    fn fetched(&mut self, libraries: &[String], path: &[String], within: &str) {
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
    fn declared(
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
    fn artifacts(
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
    fn by_classes(
        &mut self,
        libraries: &BTreeMap<Library, String>,
        artifacts: &[Artifact],
        label: Option<&str>,
        place: &Place,
    ) {
        for ((group, id), class) in libraries {
            if artifacts
                .iter()
                .any(|artifact| artifact.has_classes_of(group, id))
            {
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

    fn nested<R: ReaderAt>(
        &mut self,
        archive: &Archive<R>,
        member: &Member,
        above: &[String],
        known: Option<Artifact>,
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
                    above: above.to_vec(),
                    within,
                    path: member.name.clone(),
                    role: role_inside(place.role, &member.name),
                    depth: place.depth + 1,
                    known,
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
    /// What a server says, if the archive may be one.
    fn of_server(&self, name: &str, role: Role) -> Option<Vec<u8>> {
        matches!(role, Role::Server { .. }).then(|| self.0.get(name).cloned())?
    }

    fn manifest(&self) -> BTreeMap<String, String> {
        let bytes = self.0.get("META-INF/MANIFEST.MF");
        bytes.map_or_else(BTreeMap::new, |bytes| manifest(&text::decode(bytes)))
    }
}

/// What plugins and mods say.
#[derive(Debug, Default)]
struct Said {
    /// Whether any does, readable or not.
    says: bool,
    names: Vec<String>,
    /// Archives that have to be inside.
    nested: Vec<String>,
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

fn wanted(name: &str, role: Role) -> Wanted {
    let of_a_server = matches!(role, Role::Server { .. })
        && matches!(
            name,
            "version.json" | "META-INF/versions.list" | "install.properties"
        );
    let is_text = of_a_server
        || matches!(name, "META-INF/MANIFEST.MF" | JAR_IN_JAR)
        || Descriptor::of(name).is_some()
        || is_properties(name)
        || is_pom(name);
    if is_text {
        Wanted::Text
    } else if is_archive(name) {
        Wanted::Archive
    } else if is_class(name) {
        Wanted::No
    } else {
        Wanted::Perhaps
    }
}

/// Whether an entry is one that Java loads as a class.
fn is_class(name: &str) -> bool {
    name.strip_suffix(".class").is_some()
}

/// What an archive inside another is: a bundle has the server below `META-INF/versions/`.
fn role_inside(around: Role, name: &str) -> Role {
    match around {
        Role::Server { .. } if name.starts_with("META-INF/versions/") => around,
        around => Role::Part(around.loader()),
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
fn what_it_is(manifest: &BTreeMap<String, String>) -> String {
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

/// The way to an entry of an archive.
fn into(within: &str, name: &str) -> String {
    format!("{within}!/{name}")
}
