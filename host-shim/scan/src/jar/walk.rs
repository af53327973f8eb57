//! Goes through an archive and the archives inside it, and says what is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::Path,
};

use rawzip::ReaderAt;

use super::{
    archive::{self, Archive, Member, Wanted},
    artifact::{Artifact, is_archive, is_packed_archive, is_pom, is_properties, stem},
    contents::what_it_is,
    describe::Descriptor,
    known::{self, Library},
    loader::Loader,
    server::Facts,
};
use crate::{Limit, Why, assignments::manifest, budget::Budget, findings::Findings, text};

/// What Forge is told of the archives inside a mod.
pub(super) const JAR_IN_JAR: &str = "META-INF/jarjar/metadata.json";

/// Entries of one name that are held against each other.
const MOST_OF_A_NAME: usize = 8;

/// Entries that are named one by one, of those that are not read.
pub(super) const MOST_PACKED: usize = 20;

/// What an archive is to the server whose folder it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Possibly the server itself; whether what its bundle holds lies beside it.
    Server { unpacked: bool },
    /// A plugin, a mod or a library.
    Part(Loader),
}

impl Role {
    pub(super) fn loader(self) -> Loader {
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
pub(super) struct Place {
    /// The labels of what is around it.
    pub(super) above: Vec<String>,
    /// The way into the outermost file; empty for that file.
    pub(super) within: String,
    /// Its path in whatever it lies in.
    pub(super) path: String,
    pub(super) role: Role,
    pub(super) depth: u32,
    /// What the archive around it says that it is.
    pub(super) known: Option<Artifact>,
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

pub(super) struct Walk<'a> {
    pub(super) budget: &'a mut Budget,
    pub(super) findings: Findings,
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

    pub(super) fn unread(&mut self, within: &str, why: Why) {
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
pub(super) struct Texts(pub(super) BTreeMap<String, Vec<u8>>);

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

/// Whether an entry is one that Java or an agent loads as a class.
fn is_class(name: &str) -> bool {
    known::class_path(name).is_some()
}

/// What an archive inside another is: a bundle has the server below `META-INF/versions/`.
fn role_inside(around: Role, name: &str) -> Role {
    match around {
        Role::Server { .. } if name.starts_with("META-INF/versions/") => around,
        around => Role::Part(around.loader()),
    }
}

/// The way to an entry of an archive.
pub(super) fn into(within: &str, name: &str) -> String {
    format!("{within}!/{name}")
}
