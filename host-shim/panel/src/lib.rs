//! The panel as a whole, below its pages and commands: the configuration, and [`Shim`], which owns one of
//! everything and brings it together in the right order.
//!
//! It decides nothing that a crate below decides. Use cases belong into `spacecp-services`, one small service each,
//! and what only wires belongs to the program: this crate has what has not moved there yet.
//!
//! May not: draw markup; listen on an address.
#![forbid(unsafe_code)]

pub mod config;
pub mod shim;

pub use shim::{
    AUTOMATIC, ApplyRequest, AuditReport, EmbargoReader, ExposureRecord, Foreseen, JointRequest,
    PluginLoadError, PluginState, PolicyReport, PrivateReport, PrivateStanding, Question, Shim,
    ShimError, Standing, TrustReport, audit_blocks, changes_page, exposure_page, policy_page,
    trust_page,
};
pub(crate) use spacecp_apply::{apply, control, inventory};
pub(crate) use spacecp_feed::{fetch, identity, sync};
pub(crate) use spacecp_notify as notify;
pub(crate) use spacecp_plugin_host as plugin;
pub(crate) use spacecp_services::{
    automation, decisions, exposures, policy, remembered, report, tokens,
};
pub(crate) use spacecp_store::{self as store, audit};
pub(crate) use spacecp_trust as trust;
