//! Payloads that were carried here in a bundle, kept so that corrections can be applied without a
//! network. The folder is laid out like a feed's, so that it is read like one.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use spacecp_contract::{Blob, Correction, FeedPath};

use super::ShimError;
use crate::fetch::{Source, fetch_payload};

/// The folder of the payloads that were carried here.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    folder: PathBuf,
}

impl Carried {
    pub(super) fn below(state: &Path) -> Self {
        Self {
            folder: state.join("carried"),
        }
    }

    /// The folder, as a feed's.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether every payload of a correction is here. They are verified when they are used.
    pub(super) fn has(&self, correction: &Correction) -> bool {
        let mut blobs = blobs(correction);
        blobs.all(|blob| {
            let length = fs::metadata(self.place(blob)).map(|file| file.len());
            length.is_ok_and(|length| length == blob.length)
        })
    }

    /// Keeps the payloads of these corrections, each verified, and no others.
    pub(super) async fn keep(
        &self,
        source: &Source,
        corrections: &[Correction],
    ) -> Result<(), ShimError> {
        let mut wanted = BTreeSet::new();
        for blob in corrections.iter().flat_map(blobs) {
            let place = self.place(blob);
            if wanted.insert(place.clone()) && !place.exists() {
                self.bring(source, blob, &place).await?;
            }
        }
        self.clear_but(&wanted)
    }

    async fn bring(&self, source: &Source, blob: &Blob, place: &Path) -> Result<(), ShimError> {
        let folder = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        // Under its own name only once it is whole.
        let part = place.with_extension("part");
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&part, error));
            }
            _ => {}
        }
        fetch_payload(source, blob, &part).await?;
        fs::rename(&part, place).map_err(|source| failed(place, source))
    }

    /// Removes what no correction names any more.
    fn clear_but(&self, wanted: &BTreeSet<PathBuf>) -> Result<(), ShimError> {
        for entry in walkdir::WalkDir::new(self.folder.join("blob")) {
            // Where nothing was ever carried there is no folder.
            let Ok(entry) = entry else { continue };
            if entry.file_type().is_file() && !wanted.contains(entry.path()) {
                fs::remove_file(entry.path()).map_err(|source| failed(entry.path(), source))?;
            }
        }
        Ok(())
    }

    fn place(&self, blob: &Blob) -> PathBuf {
        self.folder.join(FeedPath::blob(&blob.digest).as_str())
    }
}

fn blobs(correction: &Correction) -> impl Iterator<Item = &Blob> {
    let files = correction.files.iter();
    files
        .filter_map(|file| file.after.as_ref())
        .map(|after| &after.blob)
}

fn failed(path: &Path, source: io::Error) -> ShimError {
    ShimError::File {
        path: path.to_owned(),
        source,
    }
}
