//! The native side of SpaceCP advisories: what a panel embeds.
//!
//! It alone touches the network, the disk and keys. Each duty is a crate of its own, and each knows only those
//! below it; this one has the commands, and gives the others on under the names by which an embedding panel and
//! the commands use them:
//!
//! [`web`] (pages, and the interface for programs) → [`Shim`] and [`config`] (what brings all of it together) →
//! [`notify`] (who is told what) → [`automation`], [`decisions`], [`exposures`], [`policy`], [`remembered`],
//! [`report`] and [`tokens`] (what a panel does with what it knows) → [`apply`], [`control`] and [`inventory`]
//! (what is installed, and how it is corrected) → [`fetch`], [`identity`] and [`sync`] (what the vendor says) →
//! [`store`] and [`audit`] (what this panel knows, and what was done here) → [`render`] (how pages are drawn) →
//! [`plugin`] (the guest, its limits) → [`trust`] (nothing leaves unverified).
#![forbid(unsafe_code)]

pub mod cli;

pub use spacecp_apply::{apply, apply::Progress, control, inventory};
pub use spacecp_feed::{fetch, identity, sync};
pub use spacecp_fs::{OneProcess, OneProcessError, OwnPlaceError};
pub use spacecp_notify as notify;
pub use spacecp_panel::{
    AUTOMATIC, ApplyRequest, AuditReport, EmbargoReader, ExposureRecord, Foreseen, JointRequest,
    PluginLoadError, PluginState, PolicyReport, PrivateReport, PrivateStanding, Question, Shim,
    ShimError, Standing, TrustReport, audit_blocks, changes_page, config, exposure_page,
    policy_page, trust_page,
};
pub use spacecp_plugin_host as plugin;
pub use spacecp_render as render;
pub use spacecp_services::{automation, decisions, exposures, policy, remembered, report, tokens};
pub use spacecp_store::{self as store, audit};
pub use spacecp_trust as trust;
pub use spacecp_web as web;

use spacecp_panel::shim;
