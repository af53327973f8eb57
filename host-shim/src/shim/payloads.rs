//! Payloads on this machine: carried here in a bundle, or fetched before, so that a correction is applied
//! without a network. What no correction of the feed names any more is removed; nothing else is.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use spacecp_contract::{Blob, Correction};

use super::ShimError;
use crate::{
    config::Config,
    fetch::{Kept, Source},
    store::SealedPayloads,
};

/// The folder of the payloads that are here.
#[derive(Debug, Clone)]
pub(super) struct Payloads {
    folder: PathBuf,
    /// Bytes of them that may be there.
    most: u64,
    sealed: SealedPayloads,
}

impl Payloads {
    pub(super) fn of(config: &Config) -> Self {
        Self {
            folder: config.state.join("payloads"),
            most: config.feed.keep_payloads_bytes,
            sealed: SealedPayloads::new(),
        }
    }

    /// The same, where those under embargo come in these sealed files.
    pub(super) fn opening(mut self, sealed: SealedPayloads) -> Self {
        self.sealed = sealed;
        self
    }

    /// These payloads, and the places from which the others are brought when they are asked for.
    pub(super) fn or_from(&self, places: Vec<Arc<Source>>) -> Kept {
        Kept::new(self.folder.clone(), places, self.most).opening(self.sealed.clone())
    }

    /// Keeps the payloads of these corrections, each verified, and no others; none of them if there is
    /// no room for all.
    pub(super) async fn keep(
        &self,
        source: &Source,
        corrections: &[Correction],
    ) -> Result<(), ShimError> {
        let all: BTreeMap<_, _> = corrections
            .iter()
            .flat_map(blobs)
            .map(|blob| (blob.digest, blob))
            .collect();
        let lengths = all.values().map(|blob| blob.length);
        let needed = lengths.fold(0, u64::saturating_add);
        if needed > self.most {
            return Err(ShimError::NoRoomForPayloads {
                needed,
                limit: self.most,
            });
        }
        self.clear_but(corrections)?;
        let kept = self.or_from(vec![Arc::new(source.clone())]);
        let kept = kept.sparing(all.values().copied());
        for blob in all.into_values() {
            // What is here has to be right while there is something to bring it from.
            kept.forget_if_damaged(blob).await?;
            kept.bring(blob).await?;
        }
        Ok(())
    }

    /// Removes what none of these corrections names any more.
    pub(super) fn clear_but(&self, corrections: &[Correction]) -> Result<(), ShimError> {
        let kept = self.or_from(Vec::new());
        let places = corrections.iter().flat_map(blobs);
        let wanted: BTreeSet<PathBuf> = places.map(|blob| kept.place(blob)).collect();
        Ok(kept.keep_only(&wanted)?)
    }
}

fn blobs(correction: &Correction) -> impl Iterator<Item = &Blob> {
    let files = correction.files.iter();
    files
        .filter_map(|file| file.after.as_ref())
        .map(|after| &after.blob)
}
