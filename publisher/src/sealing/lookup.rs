//! What the desk can say of a private side that it has sealed, and files of none.

use std::{collections::BTreeSet, path::PathBuf};

use spacecp_contract::{Digest, FeedPath, Sealed};
use spacecp_trust::Identity;

use crate::record::SealedTo;

use super::{
    SealError, Sealing,
    ledger::{Edition, Witness},
};

impl Sealing<'_> {
    /// A file that is missing of the private side with this sealed index; none where the desk does not know it.
    pub(crate) fn lost(&self, sealed: Digest) -> Result<Option<PathBuf>, SealError> {
        let edition = self.edition(sealed)?;
        for digest in edition.into_iter().flat_map(|edition| edition.files) {
            let path = FeedPath::sealed(&digest);
            if self.feed.open(&path)?.is_none() {
                return Ok(Some(self.feed.place(&path)));
            }
        }
        Ok(None)
    }

    /// An identity that reads the private side with this sealed index as a panel does; none where it was sealed
    /// before there were any.
    pub(crate) fn witness(&self, sealed: Digest) -> Result<Option<Identity>, SealError> {
        let edition = self.edition(sealed)?;
        let witness = edition.and_then(|edition| edition.witness);
        let spoilt =
            || SealError::Envelope("invalid age identity of the working directory".to_owned());
        let identity = |witness: Witness| witness.identity().ok_or_else(spoilt);
        witness.map(identity).transpose()
    }

    /// The panels that this private side is sealed to, as the registry names them; none where the desk does not know
    /// it.
    pub(crate) fn sealed_to(&self, sealed: &Sealed) -> Result<Option<Vec<SealedTo>>, SealError> {
        let ledger = self.remembered()?;
        let known = [ledger.pending, ledger.current, ledger.previous];
        let mut known = known.into_iter().flatten();
        let edition = known.find(|edition| edition.index == sealed.index.digest);
        Ok(edition.map(|edition| edition.sealed_to))
    }

    /// The panels that are entitled now.
    pub(crate) fn entitled_panels(&self) -> Result<Vec<SealedTo>, SealError> {
        Ok(self.panels.sealed_to()?)
    }

    /// Whether the index of the head is the very one that this desk published last with its private side.
    pub(crate) fn vouches(&self) -> Result<bool, SealError> {
        let current = self.remembered()?.current;
        let listed_in = current.and_then(|current| current.listed_in);
        Ok(listed_in.is_some() && listed_in == self.head)
    }

    pub(super) fn edition(&self, sealed: Digest) -> Result<Option<Edition>, SealError> {
        let ledger = self.remembered()?;
        let known = [ledger.pending, ledger.current];
        let mut known = known.into_iter().flatten();
        Ok(known.find(|edition| edition.index == sealed))
    }

    /// Removes sealed files that a killed command wrote, and that nothing names.
    pub(crate) fn sweep(&self) -> Result<(), SealError> {
        let ledger = self.remembered()?;
        // Without a memory of what is current every file may be needed.
        if ledger.current.is_none() {
            return Ok(());
        }
        let editions = [&ledger.pending, &ledger.current, &ledger.previous];
        let named = editions.into_iter().flatten().flat_map(|one| &one.files);
        let objects = ledger.objects.values().map(|object| &object.digest);
        let named: BTreeSet<&Digest> = named.chain(objects).collect();
        for first in self.feed.names("sealed")? {
            let Some(below) = first.to_str().filter(|first| first.len() == 2) else {
                continue;
            };
            for name in self.feed.names(&format!("sealed/{below}"))? {
                let digest = name.to_str().and_then(|name| name.parse::<Digest>().ok());
                if let Some(digest) = digest.filter(|digest| !named.contains(digest)) {
                    self.feed.remove(&FeedPath::sealed(&digest))?;
                }
            }
        }
        Ok(())
    }
}
