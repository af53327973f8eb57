//! Payloads on this machine: carried here in a bundle, or fetched before, so that a correction is applied
//! without a network. What no correction of the feed names any more is removed; nothing else is.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use spacecp_contract::{Blob, Correction, Digest, DocumentId, DocumentKind, Index};

use crate::{
    ServiceError, ServicesConfig,
    fetch::{Kept, Source},
    state::State,
    store::{SealedPayloads, StoreError},
    trust::Verified,
};

/// The folder of the payloads that are here.
#[derive(Debug, Clone)]
pub(crate) struct Payloads {
    folder: PathBuf,
    /// Bytes of them that may be there.
    most: u64,
    /// The sealed files of those under embargo.
    sealed: SealedPayloads,
    /// Those under embargo, with the correction that brings each.
    withheld: BTreeMap<Digest, DocumentId>,
}

/// What one revision of a correction brings.
#[derive(Debug, Clone)]
struct Brought {
    id: DocumentId,
    revision: u64,
    /// The digest of the correction itself.
    digest: Digest,
    payloads: BTreeSet<Digest>,
}

impl Brought {
    fn by(correction: &Verified<Correction>) -> Self {
        Self {
            id: correction.id.clone(),
            revision: correction.revision,
            digest: Digest::of(correction.bytes()),
            payloads: blobs(correction).map(|blob| blob.digest).collect(),
        }
    }

    /// Whether the index lists this very correction.
    fn is_listed(&self, index: &Index) -> bool {
        let entry = index.entry(DocumentKind::Correction, &self.id);
        entry.is_some_and(|entry| entry.revision == self.revision && entry.digest == self.digest)
    }
}

impl Payloads {
    fn of(config: &ServicesConfig) -> Self {
        Self {
            folder: config.state.join("payloads"),
            most: config.feed.keep_payloads_bytes,
            sealed: SealedPayloads::new(),
            withheld: BTreeMap::new(),
        }
    }

    /// The same for these corrections: only what one brings that the public index lists, in this very revision, is
    /// asked for by its own digest. Everything else counts as under embargo, and so does a correction that is listed
    /// nowhere any more: to ask for its payloads would name them.
    fn bringing(
        mut self,
        corrections: &[Brought],
        index: Option<&Index>,
        sealed: &SealedPayloads,
    ) -> Self {
        let (mut withheld, mut public) = (BTreeMap::new(), BTreeSet::new());
        for correction in corrections {
            let digests = correction.payloads.iter().copied();
            if index.is_some_and(|index| correction.is_listed(index)) {
                public.extend(digests);
            } else {
                withheld.extend(digests.map(|digest| (digest, correction.id.clone())));
            }
        }
        withheld.retain(|digest, _| !public.contains(digest));
        let sealed = sealed.iter();
        let sealed = sealed.filter(|(digest, _)| withheld.contains_key(digest));
        self.sealed = sealed.map(|(digest, object)| (*digest, *object)).collect();
        self.withheld = withheld;
        self
    }

    /// These payloads, and the places from which the others are brought when they are asked for.
    pub(crate) fn or_from(&self, places: Vec<Arc<Source>>) -> Kept {
        Kept::new(self.folder.clone(), places, self.most)
            .opening(self.sealed.clone())
            .withholding(self.withheld.clone())
    }

    /// Keeps the payloads of these corrections, each verified, and no others; none of them if there is
    /// no room for all.
    pub(crate) async fn keep(
        &self,
        source: &Source,
        corrections: &[Verified<Correction>],
    ) -> Result<(), ServiceError> {
        let all: BTreeMap<_, _> = corrections
            .iter()
            .flat_map(|correction| blobs(correction))
            .map(|blob| (blob.digest, blob))
            .collect();
        let lengths = all.values().map(|blob| blob.length);
        let needed = lengths.fold(0, u64::saturating_add);
        if needed > self.most {
            return Err(ServiceError::NoRoomForPayloads {
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
    fn clear_but(&self, corrections: &[Verified<Correction>]) -> Result<(), ServiceError> {
        let kept = self.or_from(Vec::new());
        let places = corrections.iter().flat_map(|correction| blobs(correction));
        let wanted: BTreeSet<PathBuf> = places.map(|blob| kept.place(blob)).collect();
        Ok(kept.keep_only(&wanted)?)
    }
}

impl State {
    /// The payloads of these corrections.
    pub(crate) async fn payloads_of(
        &self,
        corrections: &[&Verified<Correction>],
    ) -> Result<Payloads, StoreError> {
        let trusted = self.store().trusted().await?;
        let sealed = self.store().sealed_payloads().await?;
        let index = trusted.index.as_ref().map(Verified::document);
        let corrections: Vec<Brought> = corrections.iter().map(|one| Brought::by(one)).collect();
        Ok(Payloads::of(self.config()).bringing(&corrections, index, &sealed))
    }

    /// Removes the payloads of corrections that the feed no longer has, which would only fill the disk.
    pub(crate) async fn clear_payloads(&self) -> Result<(), ServiceError> {
        let current = self.follower()?.corrections().await?;
        Payloads::of(self.config()).clear_but(&current)
    }
}

fn blobs(correction: &Correction) -> impl Iterator<Item = &Blob> {
    let files = correction.files.iter();
    files
        .filter_map(|file| file.after.as_ref())
        .map(|after| &after.blob)
}

#[cfg(test)]
mod tests {
    use spacecp_contract::{IndexEntry, ObjectKey, SealedObject};

    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    /// A correction as somebody read it before the feed was disclosed, withdrawn or recovered meanwhile.
    fn read_before() -> Brought {
        Brought {
            id: DocumentId::new("SPACECP-SC-2026-0001").expect("an id"),
            revision: 2,
            digest: digest("correction"),
            payloads: [digest("payload"), digest("another payload")].into(),
        }
    }

    /// An index that lists that correction, or what has become of it.
    fn index(change: impl FnOnce(&mut IndexEntry)) -> Index {
        let correction = read_before();
        let mut entry = IndexEntry {
            kind: DocumentKind::Correction,
            id: correction.id,
            revision: correction.revision,
            digest: correction.digest,
            length: 100,
        };
        change(&mut entry);
        Index {
            audience: "customers".parse().expect("an audience"),
            sequence: 7,
            documents: vec![entry],
            sealed: None,
        }
    }

    fn sealed(payloads: &BTreeSet<Digest>) -> SealedPayloads {
        let object = |digest: &Digest| SealedObject {
            digest: Digest::of(digest.as_bytes()),
            length: 100,
            key: ObjectKey::from_bytes([1; 16]),
        };
        let payloads = payloads.iter();
        payloads.map(|digest| (*digest, object(digest))).collect()
    }

    fn bringing(corrections: &[Brought], index: Option<&Index>) -> Payloads {
        let empty = Payloads {
            folder: PathBuf::new(),
            most: 0,
            sealed: SealedPayloads::new(),
            withheld: BTreeMap::new(),
        };
        empty.bringing(corrections, index, &sealed(&read_before().payloads))
    }

    #[test]
    fn what_is_public_is_asked_for_by_its_own_digest() {
        let payloads = bringing(&[read_before()], Some(&index(|_| {})));
        assert!(payloads.withheld.is_empty(), "{payloads:?}");
        assert!(payloads.sealed.is_empty(), "{payloads:?}");
    }

    #[test]
    fn what_the_index_of_now_does_not_list_exactly_so_is_asked_for_by_its_sealed_files_alone() {
        let other_id = DocumentId::new("SPACECP-SC-2026-0002").expect("an id");
        for index in [
            None,
            Some(index(|entry| entry.revision = 1)),
            Some(index(|entry| entry.revision = 3)),
            Some(index(|entry| entry.digest = digest("another correction"))),
            Some(index(|entry| entry.id = other_id)),
            Some(index(|entry| entry.kind = DocumentKind::Advisory)),
        ] {
            let correction = read_before();
            let payloads = bringing(std::slice::from_ref(&correction), index.as_ref());
            let withheld: BTreeSet<Digest> = payloads.withheld.keys().copied().collect();
            assert_eq!(withheld, correction.payloads, "{index:?}");
            assert_eq!(payloads.sealed, sealed(&correction.payloads), "{index:?}");
        }
    }

    #[test]
    fn a_payload_that_a_public_correction_brings_too_is_public() {
        let (public, mut other) = (read_before(), read_before());
        other.id = DocumentId::new("SPACECP-SC-2026-0002").expect("an id");
        other.payloads = [digest("payload"), digest("its own")].into();
        let payloads = bringing(&[public, other.clone()], Some(&index(|_| {})));
        assert_eq!(payloads.withheld, [(digest("its own"), other.id)].into());
        assert!(payloads.sealed.is_empty(), "{payloads:?}");
    }
}
