//! The native side of SpaceCP advisories: what a panel embeds.
//!
//! It alone touches the network, the disk and keys. Each duty is a crate of its own, and each knows only those
//! below it; this one has the commands, and gives the others on under the names by which an embedding panel and
//! the commands use them:
//!
//! [`App`] and [`config`] (what puts all of it together) → [`web`] (pages, and the interface for programs) →
//! [`notify`] (who is told what) → [`Panel`] (the services: what a panel does with what it knows) → [`apply`],
//! [`control`] and [`inventory`] (what is installed, and how it is corrected) → [`fetch`], [`identity`] and [`sync`]
//! (what the vendor says) → [`store`] and [`audit`] (what this panel knows, and what was done here) → [`render`] (how
//! pages are drawn) → [`plugin`] (the guest, its limits) → [`trust`] (nothing leaves unverified).
#![forbid(unsafe_code)]

mod app;
pub mod cli;
pub mod config;
pub mod init;

pub use app::App;
pub use spacecp_apply::{apply, apply::Progress, control, inventory};
pub use spacecp_feed::{fetch, identity, sync};
pub use spacecp_fs::{OneProcess, OneProcessError, OwnPlaceError};
pub use spacecp_notify as notify;
pub use spacecp_plugin_host as plugin;
pub use spacecp_render as render;
pub use spacecp_services::{
    AUTOMATIC, AccessLogEntry, AdvisoryIndex, ApplyRequest, AuditReport, ErrorKind, ExposureRecord,
    JointRequest, Panel, PluginLoadError, PluginState, PolicyReport, Preview, PrivateReport,
    PrivateStanding, Question, ServiceError, Standing, TrustReport, automation, cache, decisions,
    exposures, policy, report, tokens,
};
pub use spacecp_store::{self as store, audit};
pub use spacecp_trust as trust;
pub use spacecp_web as web;

use spacecp_services as services;
