//! `decisions`: what administrators decided about exposures.

use crate::{
    bindings::spacecp::advisories::decisions::{Decision, Error, Host},
    call::HostState,
};

impl Host for HostState {
    async fn current(&mut self) -> Result<Vec<Decision>, Error> {
        let services = self.services.clone();
        self.ask(services.decisions()).await
    }
}
