//! `corrections`: what could be applied, and what was.

use crate::{
    bindings::spacecp::advisories::{
        corrections::{Application, Host, Plan, PlanError},
        types::DocumentRef,
    },
    call::HostState,
};

impl Host for HostState {
    async fn prepare(
        &mut self,
        correction: DocumentRef,
        component: String,
    ) -> Result<Plan, PlanError> {
        let services = self.services.clone();
        self.ask(services.plan(correction, component)).await
    }

    async fn history(&mut self, limit: u32) -> Result<Vec<Application>, String> {
        let services = self.services.clone();
        self.ask(services.history(limit)).await
    }
}
