//! The native side of SpaceCP advisories: what a panel embeds.
//!
//! It alone touches the network, the disk and keys. Data flows through its rooms in one order, and
//! each room knows only those before it:
//!
//! [`identity`] (what is read with that is for this panel alone) → [`fetch`] (bytes from a feed) → [`trust`] (nothing leaves unverified) → [`store`] (what this
//! panel knows) → [`audit`] (what was done here) → [`inventory`] (what is installed) →
//! [`decisions`] (what was decided about exposures) → [`exposures`] (from when until when) → [`plugin`] (the guest, its limits) →
//! [`remembered`] (what it said last) →
//! [`control`] (stop, start, look from outside) → [`apply`] (stage, swap, check, commit or roll
//! back) → [`policy`] (what may happen by itself) → [`automation`] (what is due and what became of
//! it) → [`notify`] (who is told what) → [`report`] (to the vendor, encrypted) → [`tokens`] (which programs may ask) → [`render`] (pages for people and
//! programs) → [`web`] and [`cli`].
//!
//! `Shim` is the house: it owns one of each and is what `web` and `cli` talk to.
#![forbid(unsafe_code)]

pub mod apply;
pub mod audit;
pub mod automation;
pub mod cli;
pub mod config;
pub mod control;
pub mod decisions;
pub mod exposures;
pub mod fetch;
pub mod identity;
pub mod inventory;
pub mod notify;
mod one_process;
mod own_place;
pub mod plugin;
pub mod policy;
pub mod remembered;
pub mod render;
pub mod report;
mod shim;

pub mod store;
mod streamed;
pub mod sync;
pub mod tokens;
pub mod web;

pub use apply::Progress;
pub use one_process::{OneProcess, OneProcessError};
pub use own_place::OwnPlaceError;
pub use spacecp_trust as trust;

pub use shim::{
    AUTOMATIC, ApplyRequest, AuditReport, EmbargoReader, ExposureRecord, Foreseen, JointRequest,
    PluginLoadError, PolicyReport, PrivateReport, PrivateStanding, Question, Shim, ShimError,
    Standing, TrustReport, audit_blocks, changes_page, exposure_page, policy_page, trust_page,
};
