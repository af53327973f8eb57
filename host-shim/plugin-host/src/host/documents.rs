//! `documents`: the signed documents that this panel has accepted.

use crate::{
    bindings::spacecp::advisories::{
        documents::{Batch, Cursor, Error, FetchError, Host, Kind, Name},
        types::DocumentRef,
    },
    call::HostState,
};

/// Documents that can be asked about at a time.
const MOST_NAMES: usize = 10_000;

impl Host for HostState {
    async fn since(&mut self, after: Option<Cursor>, limit: u32) -> Result<Batch, Error> {
        let services = self.services.clone();
        self.ask(services.documents_since(after, limit)).await
    }

    async fn fetch(&mut self, kind: Kind, document: DocumentRef) -> Result<Vec<u8>, FetchError> {
        let services = self.services.clone();
        self.ask(services.fetch(kind, document)).await
    }

    async fn accepted(&mut self, names: Vec<Name>) -> Result<Vec<Option<i64>>, Error> {
        if names.len() > MOST_NAMES {
            let reason =
                format!("no more than {MOST_NAMES} documents can be asked about at a time");
            return Err(Error::Unavailable(reason));
        }
        let services = self.services.clone();
        self.ask(services.accepted(names)).await
    }
}
