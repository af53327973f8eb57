//! `inventory`: the components found on this panel.

use crate::{
    bindings::spacecp::advisories::inventory::{Error, Host, Snapshot},
    call::HostState,
};

impl Host for HostState {
    async fn fingerprint(&mut self) -> Result<String, Error> {
        let services = self.services.clone();
        self.ask(services.fingerprint()).await
    }

    async fn components(&mut self) -> Result<Snapshot, Error> {
        let services = self.services.clone();
        self.ask(services.components()).await
    }
}
