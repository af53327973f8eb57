//! `settings`: what the administrator has decided.

use crate::{
    bindings::spacecp::advisories::settings::{Error, Freshness, Host, Policy, Rules},
    call::HostState,
};

impl Host for HostState {
    async fn current_policy(&mut self) -> Policy {
        let services = self.services.clone();
        self.ask(services.policy()).await
    }

    async fn current_rules(&mut self, now: i64) -> Result<Rules, Error> {
        let services = self.services.clone();
        self.ask(services.rules(now)).await
    }

    async fn current_freshness(&mut self) -> Freshness {
        let services = self.services.clone();
        self.ask(services.freshness()).await
    }
}
