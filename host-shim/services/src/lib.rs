//! What a panel does with what it knows: use cases, below every page, command and interface for programs.
//!
//! [`Panel`] has one small service for each duty: [`Feed`] (sync, import, the documents received), [`Exposure`]
//! (verdicts, the plugin's pages, the history of exposures), [`Corrections`] (plan, apply, roll back), [`Automation`]
//! (policy, runs, scheduled corrections), [`Decisions`], [`Trust`] (trusted state, audit log, identity), [`Tokens`] and
//! [`Reports`]. They share one state, in which each of the crates below is opened once.
//!
//! Below them, each module owns its tables in the store and nobody else's: [`policy`] says what may happen by itself,
//! [`automation`] remembers what is due and what became of it, [`decisions`] is what administrators decided,
//! [`exposures`] from when until when something was exposed, [`cache`] keeps answers that took long, [`tokens`] says
//! which programs may ask, and [`report`] goes to the vendor, encrypted.
//!
//! May not: send anything but what the crates below send; draw markup; know notifications, HTTP or a command line.
#![forbid(unsafe_code)]

mod access_log;
mod advisory_index;
pub mod automation;
pub mod cache;
mod config;
mod corrections;
pub mod decisions;
mod error;
mod error_kind;
mod events;
pub mod exposures;
mod feed;
mod panel;
mod plugin_runtime;
pub mod policy;
mod redaction;
pub mod report;
mod state;
pub mod tokens;
mod trust_status;

pub use access_log::{AccessLogEntry, note_all};
pub use advisory_index::{AdvisoryIndex, PublicSummary, UnknownAdvisory};
pub use automation::{AUTOMATIC, Automation, PolicyReport, Preview};
pub use config::{DecisionsConfig, ServicesConfig};
pub use corrections::{
    ApplyRequest, Corrections, JointRequest, RollbackPreview, changes_page, correction_id,
};
pub use decisions::Decisions;
pub use error::ServiceError;
pub use error_kind::{ErrorKind, Meaning, of_audit, of_store};
pub use events::Events;
pub use exposures::{
    Exposure, ExposureRecord, KnownComponent, OutdatedComponent, Question, counted_status,
    exposure_page, mark_word, matters,
};
pub use feed::Feed;
pub use panel::Panel;
pub use plugin_runtime::{PluginLoadError, PluginState};
pub use redaction::{Access, Redacted, Redactor};
pub use report::{ReportConfig, Reports};
pub use state::{applier, open_store, own_folder, replace_store, secure_place};
pub use tokens::Tokens;
pub use trust_status::{
    AuditReport, PrivateReport, PrivateStanding, Standing, Trust, TrustReport, audit_blocks,
    forgotten_by_clock_reset, trust_page,
};

// Names under which the modules know the crates below.
pub(crate) use spacecp_apply::{apply, control, inventory};
pub(crate) use spacecp_feed::{fetch, identity, sync};
pub(crate) use spacecp_plugin_host as plugin;
pub(crate) use spacecp_store::{self as store, audit};
pub(crate) use spacecp_trust as trust;
