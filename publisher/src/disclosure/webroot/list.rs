//! The list of what was written into a web root: which files are this command's own, and what they said.
//!
//! It lies where others may write, so nothing of it is believed that could lead outside of the web root.

use std::{collections::BTreeSet, path::Path};

use spacecp_contract::Digest;

use super::WebrootError;
use crate::disclosure::site::SitePath;

/// The longest list that is read, in bytes: 400,000 files.
pub(super) const LONGEST_LIST: u64 = 64 << 20;

/// The files that were written, each with its digest; several where a process ended in between.
pub type Written = BTreeSet<(SitePath, Digest)>;

/// A list of files that were written, as [`read_list`] reads it.
pub fn list_of(written: &Written) -> String {
    let lines = written.iter();
    let lines = lines.map(|(path, digest)| format!("{digest}  {path}\n"));
    lines.collect()
}

/// Reads a list of files that were written: a digest, two blanks and a path a line.
///
/// # Errors
///
/// [`WebrootError::List`] with the line, and nothing of it is believed.
pub fn read_list(path: &Path, text: &str) -> Result<Written, WebrootError> {
    let refused = |line: usize, reason| WebrootError::List {
        path: path.to_owned(),
        line,
        reason,
    };
    if text.len() as u64 > LONGEST_LIST {
        return Err(refused(
            1,
            "the list is longer than any that is written here",
        ));
    }
    let mut written = Written::new();
    for (number, line) in (1..).zip(text.lines()) {
        let parts = line.split_once("  ");
        let (digest, name) = parts.ok_or_else(|| refused(number, "it is no digest and path"))?;
        let digest = digest.parse();
        let digest = digest.map_err(|_| refused(number, "it does not begin with a digest"))?;
        let name = SitePath::new(name);
        let name = name.map_err(|_| refused(number, "it names a file outside the web root"))?;
        written.insert((name, digest));
    }
    Ok(written)
}
