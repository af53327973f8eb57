//! `documents`: the signed documents that this panel has accepted.

use crate::plugin::{
    bindings::spacecp::advisories::documents::{Batch, Cursor, Error, Host},
    call::HostState,
};

impl Host for HostState {
    async fn since(&mut self, after: Option<Cursor>, limit: u32) -> Result<Batch, Error> {
        let services = self.services.clone();
        self.ask(services.documents_since(after, limit)).await
    }
}
