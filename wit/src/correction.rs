//! The correction: the signed fix for one component. Data only; it carries nothing to run.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Audience, ComponentName, Digest, Document, DocumentId, DocumentKind, TreePath, VersionRange,
    VersionScheme,
};

/// What turns one version of a component into another, file by file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Its id.
    pub id: DocumentId,
    /// Its revision, from 1; it only grows.
    pub revision: u64,
    /// Whom it is for.
    pub audience: Audience,
    /// When this revision was made.
    pub published: Timestamp,
    /// The advisories that it answers.
    pub advisories: Vec<DocumentId>,
    /// The component, by the name that advisories use.
    pub component: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// The versions that it can be applied to.
    pub from: VersionRange,
    /// The version that it leads to.
    pub to: String,
    /// What must be there first.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// The files that it changes, each path once.
    pub files: Vec<FileChange>,
    /// What has to restart afterwards.
    #[serde(default)]
    pub restart: Restart,
    /// The name of a health check that the panel has configured.
    #[serde(default)]
    pub health: Option<String>,
    /// Whether the old version copes with what the new one writes, so that it can be taken back without
    /// a further thought.
    #[serde(default = "yes")]
    pub reversible: bool,
}

fn yes() -> bool {
    true
}

impl Correction {
    /// Bytes of payload, as they are fetched; contents that several files share count once.
    pub fn download(&self) -> u64 {
        let blobs: BTreeSet<(Digest, u64)> = self
            .files
            .iter()
            .filter_map(|file| file.after)
            .map(|after| (after.blob.digest, after.blob.length))
            .collect();
        blobs
            .iter()
            .fold(0, |sum, (_, length)| sum.saturating_add(*length))
    }
}

impl Document for Correction {
    const KIND: DocumentKind = DocumentKind::Correction;

    fn name(&self) -> &str {
        &self.id
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn validate(&self) -> Result<(), String> {
        if self.revision == 0 {
            return Err("revisions begin at 1".to_owned());
        }
        if self.files.is_empty() {
            return Err("no file is changed".to_owned());
        }
        let mut seen = BTreeSet::new();
        for file in &self.files {
            if file.before.is_none() && file.after.is_none() {
                return Err(format!("{} has neither an old nor a new state", file.path));
            }
            // A file system without case would take two such paths for one file.
            if !seen.insert(file.path.folded()) {
                return Err(format!(
                    "{} is listed twice, or differs only in case",
                    file.path
                ));
            }
        }
        let files: BTreeSet<String> = self
            .files
            .iter()
            .filter(|file| file.after.is_some())
            .map(|file| file.path.folded())
            .collect();
        for path in &files {
            if let Some((end, _)) = path
                .match_indices('/')
                .find(|(end, _)| files.contains(&path[..*end]))
            {
                return Err(format!(
                    "{} would be both a file and the directory of {path}",
                    &path[..end]
                ));
            }
        }
        Ok(())
    }
}

/// A component that must have reached a version first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    /// The component.
    pub component: ComponentName,
    /// Its least version.
    pub at_least: String,
}

/// What happens to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path within the component's folder.
    pub path: TreePath,
    /// The digest of what is there before; none for a file that is added.
    #[serde(default)]
    pub before: Option<Digest>,
    /// What is there afterwards; none for a file that goes.
    #[serde(default)]
    pub after: Option<FileState>,
}

/// A file as it is afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// The digest of its contents.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its permission bits; of these only those of `0o777` count.
    pub mode: u32,
    /// The payload that holds its contents.
    pub blob: Blob,
}

/// A payload: one file's contents, compressed with zstd, named by the digest of the compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// The digest of the compressed bytes.
    pub digest: Digest,
    /// How many compressed bytes there are.
    pub length: u64,
}

/// What has to restart after a correction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Nothing.
    #[default]
    None,
    /// The component.
    Component,
    /// The panel.
    Panel,
}
