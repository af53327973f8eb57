//! Two trees of a component into a correction: what changed, and the payload.
//!
//! The result depends on the trees and the facts alone: the same input gives the same bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use spacecp_contract::{
    Audience, Blob, ComponentName, Correction, Digest, DocumentId, FileChange, FileState,
    PathError, Requirement, Restart, TreePath, VersionRange, VersionScheme,
};
use walkdir::WalkDir;

/// zstd's level: payloads are compressed once and fetched by every panel.
const LEVEL: i32 = 12;

/// What a correction says beside its files.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Its id.
    pub id: DocumentId,
    /// Its revision.
    pub revision: u64,
    /// Whom it is for.
    pub audience: Audience,
    /// When it is made.
    pub published: Timestamp,
    /// The advisories that it answers.
    pub advisories: Vec<DocumentId>,
    /// The component.
    pub component: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// The versions that it can be applied to.
    pub from: VersionRange,
    /// The version that it leads to.
    pub to: String,
    /// What must be there first.
    pub requires: Vec<Requirement>,
    /// What has to restart.
    pub restart: Restart,
    /// Paths that the component writes at run time; a folder has a `/` behind. They are not looked at.
    pub ignored: Vec<String>,
}

/// A correction with its payload.
#[derive(Debug, Clone)]
pub struct Built {
    /// The correction.
    pub correction: Correction,
    /// The payload: compressed contents by the digest of the compressed bytes.
    pub payload: BTreeMap<Digest, Vec<u8>>,
}

/// Why no correction can be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A path that panels would refuse.
    #[error("invalid path for a correction: {}: {source}", path.display())]
    Path {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: PathError,
    },
    /// A name that is not Unicode.
    #[error("the name of {} is not Unicode", .0.display())]
    Name(PathBuf),
    /// A device, pipe or socket.
    #[error("{} is neither a file, a directory nor a symbolic link", .0.display())]
    Special(PathBuf),
    /// A symbolic link that is not the same in both trees.
    #[error(
        "the symbolic link {0} differs between the trees, but a correction can change files only"
    )]
    Link(TreePath),
    /// Nothing changed.
    #[error("the trees {} and {} are identical", old.display(), new.display())]
    Same {
        /// The tree before.
        old: PathBuf,
        /// The tree after.
        new: PathBuf,
    },
}

/// What lies at a path of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File { digest: Digest, mode: u32 },
    Link(PathBuf),
}

/// Compares the trees and builds the correction that turns the first into the second.
pub fn build(old: &Path, new: &Path, facts: Facts) -> Result<Built, BuildError> {
    let before = scan(old, &facts.ignored)?;
    let after = scan(new, &facts.ignored)?;
    let mut payload = BTreeMap::new();
    let mut files = Vec::new();
    let paths: BTreeSet<&TreePath> = before.keys().chain(after.keys()).collect();
    for path in paths {
        let (was, is) = (before.get(path), after.get(path));
        if was == is {
            continue;
        }
        if matches!(was, Some(Entry::Link(_))) || matches!(is, Some(Entry::Link(_))) {
            return Err(BuildError::Link(path.clone()));
        }
        let after = match is {
            Some(Entry::File { mode, .. }) => {
                Some(state(&new.join(path.as_path()), *mode, &mut payload)?)
            }
            _ => None,
        };
        let before = match was {
            Some(Entry::File { digest, .. }) => Some(*digest),
            _ => None,
        };
        files.push(FileChange {
            path: path.clone(),
            before,
            after,
        });
    }
    if files.is_empty() {
        return Err(BuildError::Same {
            old: old.to_owned(),
            new: new.to_owned(),
        });
    }
    let correction = Correction {
        id: facts.id,
        revision: facts.revision,
        audience: facts.audience,
        published: facts.published,
        advisories: facts.advisories,
        component: facts.component,
        scheme: facts.scheme,
        from: facts.from,
        to: facts.to,
        requires: facts.requires,
        files,
        restart: facts.restart,
        health: None,
        reversible: true,
    };
    Ok(Built {
        correction,
        payload,
    })
}

fn scan(root: &Path, ignored: &[String]) -> Result<BTreeMap<TreePath, Entry>, BuildError> {
    let mut entries = BTreeMap::new();
    for found in WalkDir::new(root).min_depth(1).sort_by_file_name() {
        let found = found.map_err(|error| BuildError::Read {
            path: error.path().unwrap_or(root).to_owned(),
            source: error.into(),
        })?;
        let relative = found.path().strip_prefix(root).unwrap_or(found.path());
        let text = relative
            .to_str()
            .ok_or_else(|| BuildError::Name(found.path().to_owned()))?;
        if is_ignored(text, ignored) || found.file_type().is_dir() {
            continue;
        }
        let path = TreePath::new(text).map_err(|source| BuildError::Path {
            path: found.path().to_owned(),
            source,
        })?;
        entries.insert(path, entry(found.path(), found.file_type())?);
    }
    Ok(entries)
}

fn is_ignored(path: &str, ignored: &[String]) -> bool {
    ignored
        .iter()
        .any(|pattern| match pattern.strip_suffix('/') {
            Some(folder) => path == folder || path.starts_with(pattern.as_str()),
            None => path == pattern,
        })
}

fn entry(path: &Path, kind: fs::FileType) -> Result<Entry, BuildError> {
    let failed = |source| BuildError::Read {
        path: path.to_owned(),
        source,
    };
    if kind.is_symlink() {
        return fs::read_link(path).map(Entry::Link).map_err(failed);
    }
    if !kind.is_file() {
        return Err(BuildError::Special(path.to_owned()));
    }
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    Ok(Entry::File {
        digest: Digest::of(&fs::read(path).map_err(failed)?),
        mode,
    })
}

fn state(
    path: &Path,
    mode: u32,
    payload: &mut BTreeMap<Digest, Vec<u8>>,
) -> Result<FileState, BuildError> {
    let failed = |source| BuildError::Read {
        path: path.to_owned(),
        source,
    };
    let contents = fs::read(path).map_err(failed)?;
    let compressed = zstd::bulk::compress(&contents, LEVEL).map_err(failed)?;
    let blob = Blob {
        digest: Digest::of(&compressed),
        length: compressed.len() as u64,
    };
    payload.insert(blob.digest, compressed);
    Ok(FileState {
        digest: Digest::of(&contents),
        size: contents.len() as u64,
        mode,
        blob,
    })
}
