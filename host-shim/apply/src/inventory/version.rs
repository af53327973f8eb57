//! Reads a version out of a file of the component: by a pattern, or by a pointer into its JSON.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt};
use regex::Regex;

use crate::{apply::open_directory, config::VersionConfig};

/// A file that tells a version is small.
const LARGEST_FILE: u64 = 1 << 20;

/// Opening returns at once, whatever it is that is opened.
const WITHOUT_WAITING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// The longest version in bytes.
const LONGEST_VERSION: usize = 128;

/// Why a version is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionProblem {
    /// The file is not there or cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file is larger than any that tells a version.
    #[error("{} is larger than 1 MiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Nothing in the file fits.
    #[error("{} has no value at {what}", path.display())]
    NotThere {
        /// The file.
        path: PathBuf,
        /// The pattern or pointer.
        what: String,
    },
    /// What was found is not a version.
    #[error("{} does not contain a valid version", path.display())]
    NotAVersion {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the version of the component in `folder`. Links inside the folder are followed, but not
/// out of it.
pub fn read_version(folder: &Path, source: &VersionConfig) -> Result<String, VersionProblem> {
    let directory = open_directory(folder).map_err(|error| VersionProblem::File {
        path: folder.join(source.file.as_path()),
        reason: error.to_string(),
    })?;
    read_version_in(&directory, folder, source)
}

/// The same, for a component's directory that is held open; `folder` is its name, for messages.
pub(crate) fn read_version_in(
    directory: &Dir,
    folder: &Path,
    source: &VersionConfig,
) -> Result<String, VersionProblem> {
    let path = folder.join(source.file.as_path());
    let text = read(directory, source, &path)?;
    let not_there = |what: &str| VersionProblem::NotThere {
        path: path.clone(),
        what: what.to_owned(),
    };
    let found = match (&source.pattern, &source.pointer) {
        (Some(pattern), _) => {
            // The configuration was refused if the pattern does not compile.
            let regex = Regex::new(pattern).map_err(|_| not_there(pattern))?;
            let captures = regex.captures(&text).ok_or_else(|| not_there(pattern))?;
            captures
                .get(1)
                .or_else(|| captures.get(0))
                .map(|found| found.as_str().to_owned())
                .ok_or_else(|| not_there(pattern))?
        }
        (None, Some(pointer)) => {
            let json: serde_json::Value =
                serde_json::from_str(&text).map_err(|error| VersionProblem::File {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
            let value = json.pointer(pointer).and_then(serde_json::Value::as_str);
            value.map(str::to_owned).ok_or_else(|| not_there(pointer))?
        }
        (None, None) => text,
    };
    let version = found.trim();
    if version.is_empty()
        || version.len() > LONGEST_VERSION
        || version.chars().any(char::is_control)
    {
        return Err(VersionProblem::NotAVersion { path });
    }
    Ok(version.to_owned())
}

fn read(directory: &Dir, source: &VersionConfig, path: &Path) -> Result<String, VersionProblem> {
    let failed = |error: io::Error| VersionProblem::File {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut options = OpenOptions::new();
    // Without it a pipe that the component puts there would keep everybody waiting.
    let options = options.read(true).custom_flags(WITHOUT_WAITING);
    let file = directory
        .open_with(source.file.as_path(), options)
        .map_err(failed)?;
    let there = file.metadata().map_err(failed)?;
    if !there.is_file() {
        return Err(failed(io::Error::other("not a regular file")));
    }
    // It may be another user's file, to which the component's user has given one more name.
    if there.nlink() > 1 && there.uid() != directory.dir_metadata().map_err(failed)?.uid() {
        return Err(failed(io::Error::other(
            "it has other names and another owner than the component's directory",
        )));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(VersionProblem::TooLarge {
            path: path.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|_| failed(io::Error::other("not text")))
}
