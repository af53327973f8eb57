//! What was found by looking, for who asks after the looking itself.

use std::sync::Arc;

use super::Shim;
use crate::inventory::Report;

impl Shim {
    /// What was found inside components and on the machine, and what could not be read there.
    pub async fn looked(&self) -> Arc<Report> {
        self.rooms.lookout().look().await
    }
}
