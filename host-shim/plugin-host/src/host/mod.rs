//! The host's side of each interface, one file each.

mod corrections;
mod decisions;
mod documents;
mod inventory;
mod log;
mod settings;
mod state;

pub(super) use state::Used;

use super::bindings::spacecp::advisories::types;

impl types::Host for super::call::HostState {}
