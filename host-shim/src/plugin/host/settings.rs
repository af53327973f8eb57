//! `settings`: what the administrator has decided.

use crate::plugin::{
    bindings::spacecp::advisories::settings::{Freshness, Host, Policy},
    call::HostState,
};

impl Host for HostState {
    async fn current_policy(&mut self) -> Policy {
        self.services.policy()
    }

    async fn current_freshness(&mut self) -> Freshness {
        let services = self.services.clone();
        self.ask(services.freshness()).await
    }
}
