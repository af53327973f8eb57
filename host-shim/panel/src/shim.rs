//! The house: owns one of each room and is what `web` and `cli` talk to.
//!
//! It decides nothing that a room decides; it brings them together in the right order.

mod applying;
mod appointments;
mod audit_report;
mod automation;
mod catalogue;
mod ceilings;
mod changes_page;
mod clock;
mod contract;
mod corrections;
mod decisions;
mod embargo_readers;
mod error;
mod exposures;
mod hearing;
mod held_back;
mod inventory;
mod lines;
mod neutral;
mod notices;
mod notifications_page;
mod payloads;
mod pieces;
mod plugin_load;
mod plugin_slot;
mod policy_page;
mod policy_report;
mod private_report;
mod report;
mod report_page;
mod rooms;
mod run;
mod services;
mod syncing;
mod tokens;
mod told;
mod trust_report;
mod verdicts;

use std::{path::Path, sync::Arc};

use jiff::Timestamp;
use spacecp_contract::{Advisory, Correction, Digest, DocumentId, DocumentKind};

use crate::{
    apply::Application,
    audit::{self, Event, Recorded, What},
    config::Config,
    fetch::Source,
    inventory::Inventory,
    plugin::bindings::exports::spacecp::advisories::{automation::Action, pages},
    policy::Policy,
    store::{Freshness, Store},
    sync::{Mirror, SyncReport},
    trust::{AnyDocument, Verified},
};
pub use applying::{ApplyRequest, JointRequest};
pub use audit_report::{AuditReport, blocks as audit_blocks};
pub use automation::Foreseen;
pub use catalogue::{Catalogue, Open};
pub use changes_page::page as changes_page;
pub use clock::forgotten as forgotten_by_clock_reset;
pub use embargo_readers::EmbargoReader;
pub use embargo_readers::note_all;
pub use error::ShimError;
pub use exposures::{ExposureRecord, Question, page as exposure_page};
pub use neutral::NEUTRAL;
pub use notifications_page::page as notifications_page;
pub use plugin_load::PluginLoadError;
use plugin_slot::LoadedPlugin;
pub use plugin_slot::PluginState;
pub use policy_page::page as policy_page;
pub use policy_page::{lines, trial};
pub use policy_report::PolicyReport;
pub use private_report::{PrivateReport, PrivateStanding};
pub use report_page::page as report_page;
pub(crate) use rooms::Rooms;
pub use rooms::{applier, replace_store, store};
pub use run::AUTOMATIC;
pub use trust_report::{Standing, TrustReport, page as trust_page};

/// Everything that a panel can ask for.
#[derive(Debug)]
pub struct Shim {
    rooms: Arc<Rooms>,
    /// The plugin, once somebody wanted it.
    plugin: plugin_slot::PluginSlot,
    told: Arc<told::Told>,
    /// The stream of documents, the sequence and the inventory of which the record of exposures was last
    /// brought up to date.
    noted: tokio::sync::Mutex<Option<(u64, Option<u64>, Digest)>>,
}

/// The id of a correction, as somebody typed it.
pub fn correction_id(text: &str) -> Result<DocumentId, ShimError> {
    DocumentId::new(text.to_owned()).map_err(|_| ShimError::no_correction(text))
}

impl Shim {
    /// Opens the store, and finishes or undoes what a crash interrupted.
    ///
    /// The plugin is loaded when it is first needed, and verified whenever its word is used. One that cannot
    /// be loaded does not keep the rest from working: what needs it says why it is not there; `sync`,
    /// `plan`, `apply`, `roll_back` and `history` do not.
    pub async fn open(config: Config) -> Result<Arc<Self>, ShimError> {
        Self::around(Rooms::open(config).await?).await
    }

    /// The same for rolling back: neither the pinned root nor what is stored of the feed has to be there or whole.
    pub async fn open_without_feed(config: Config) -> Result<Arc<Self>, ShimError> {
        Self::around(Rooms::open_without_feed(config).await?).await
    }

    async fn around(rooms: Rooms) -> Result<Arc<Self>, ShimError> {
        let rooms = Arc::new(rooms);
        let now = Timestamp::now();
        // A recovery may come to a whole application, and its future need not be part of whoever opens a shim.
        // What cannot be recovered now is tried again now and then, and keeps nobody from reading.
        if let Err(error) = Box::pin(rooms.applier().recover(now)).await {
            if !error.is_full() {
                return Err(error.into());
            }
            tracing::error!(error = error.for_log(), "recovery failed: disk full");
        }
        if let Err(error) = rooms.applier().clear_old_trees(now).await {
            tracing::warn!(error = error.for_log(), "cannot remove old trees");
        }
        Ok(Arc::new(Self {
            rooms,
            plugin: plugin_slot::PluginSlot::default(),
            told: Arc::default(),
            noted: tokio::sync::Mutex::default(),
        }))
    }

    /// Finishes or undoes what was cut off since the start, as by a command line that was killed. What
    /// somebody is working on is left alone.
    pub async fn settle(&self, now: Timestamp) -> Result<Vec<Application>, ShimError> {
        Ok(self.rooms.applier().settle_all(now).await?)
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        self.rooms.config()
    }

    /// What this panel knows, for rooms of the house that own a table.
    pub fn store(&self) -> &Store {
        self.rooms.store()
    }

    /// Asks the feed for news.
    pub async fn sync(&self) -> Result<SyncReport, ShimError> {
        // Whoever is second asks all the same; only a run of automatic application looks at it.
        let _under_way = self.rooms.syncing().try_lock_owned();
        // Everything that a sync may come to would make the future of whoever waits for it a large one.
        let report = Box::pin(self.rooms.sync(None, Timestamp::now())).await;
        self.drop_revoked_plugin().await;
        self.rooms.stirred().notify_one();
        report
    }

    /// Asks the feed for news if nothing of this name has been heard of here. That the feed does not
    /// answer is no failure of this: what is then looked for is not there, and that is said.
    pub async fn look_for(&self, id: &DocumentId) -> Result<(), ShimError> {
        for kind in [DocumentKind::Advisory, DocumentKind::Correction] {
            if self.rooms.store().document(kind, id).await?.is_some() {
                return Ok(());
            }
        }
        if let Err(error) = self.sync().await {
            tracing::warn!(%id, %error, "cannot fetch the document from the feed");
        }
        Ok(())
    }

    /// Takes in news that was carried here in one file, without asking anybody on the network. `by`
    /// is kept.
    pub async fn import(&self, file: &Path, by: &str) -> Result<SyncReport, ShimError> {
        let mirror = Mirror {
            address: file.display().to_string(),
            source: Arc::new(Source::bundle(file)?),
        };
        let report = Box::pin(self.rooms.sync(Some(&mirror), Timestamp::now())).await;
        self.drop_revoked_plugin().await;
        let report = report?;
        self.record_import(&report, by).await?;
        self.rooms.stirred().notify_one();
        let corrections = self.rooms.follower()?.corrections().await?;
        let all: Vec<&Verified<Correction>> = corrections.iter().collect();
        let carried = self.rooms.payloads_of(&all).await?;
        carried.keep(&mirror.source, &corrections).await?;
        Ok(report)
    }

    /// A page of the plugin.
    pub async fn page(&self, request: &pages::Request) -> Result<pages::Page, ShimError> {
        Ok(self.informed_plugin().await?.host.render(request).await?)
    }

    /// What the plugin would apply by itself now, before the shim has held it against its ceilings.
    pub async fn automation_plan(&self) -> Result<Vec<Action>, ShimError> {
        let now = Timestamp::now().as_second();
        Ok(self
            .informed_plugin()
            .await?
            .host
            .automation_plan(now)
            .await?)
    }

    /// What the plugin would plan under a policy that is not in force.
    async fn plan_under(&self, policy: &Policy, now: Timestamp) -> Result<Vec<Action>, ShimError> {
        let services = Arc::new(services::PluginServices {
            rooms: self.rooms.clone(),
            trying: Some(policy.clone()),
            told: Arc::default(),
        });
        let plugin = self.informed_plugin().await?;
        let plugin = plugin.host.answered_by(services);
        Ok(plugin.automation_plan(now.as_second()).await?)
    }

    /// What is installed.
    pub async fn inventory(&self) -> Arc<Inventory> {
        self.rooms.inventory().await
    }

    /// An advisory that the panel has, verified again.
    pub async fn advisory(&self, id: &DocumentId) -> Result<Option<Verified<Advisory>>, ShimError> {
        let document = self
            .rooms
            .store()
            .document(DocumentKind::Advisory, id)
            .await?;
        Ok(match document {
            Some(AnyDocument::Advisory(advisory)) => Some(advisory),
            _ => None,
        })
    }

    /// How current the panel's knowledge is.
    pub async fn freshness(&self) -> Result<Freshness, ShimError> {
        Ok(self.rooms.store().freshness().await?)
    }

    /// Why the plugin is not there, if it is not. Loads it if nobody has needed it yet.
    pub async fn plugin_problem(&self) -> Result<Option<PluginLoadError>, ShimError> {
        match self.plugin().await {
            Ok(_) => Ok(None),
            Err(ShimError::NoPlugin(problem)) => Ok(Some(problem)),
            Err(error) => Err(error),
        }
    }

    /// When the vendor signed the head that is trusted.
    pub async fn head_issued(&self) -> Result<Option<Timestamp>, ShimError> {
        let trusted = self.rooms.store().trusted().await?;
        Ok(trusted.head.as_ref().map(|head| head.issued))
    }

    /// Reads the whole store and says what is damaged; takes as long as reading it does.
    pub async fn look_for_damage(&self) -> Result<Vec<String>, ShimError> {
        Ok(self.rooms.store().look_for_damage().await?)
    }

    /// The newest entries of the audit log, at most `most` of them, and whether the whole of it holds.
    pub async fn audit(&self, most: usize) -> Result<AuditReport, ShimError> {
        let mut newest = std::collections::VecDeque::new();
        let walked = audit::walk(self.rooms.store(), None, |recorded: Recorded| {
            newest.push_front(recorded);
            newest.truncate(most);
        });
        Ok(AuditReport {
            walked: walked.await?,
            newest: newest.into(),
        })
    }

    async fn record_import(&self, report: &SyncReport, by: &str) -> Result<(), ShimError> {
        let documents = report.accepted.len();
        let event = Event {
            to: Some(format!("sequence {}", report.sequence)),
            reason: Some(format!("{documents} new or changed documents from a file")),
            ..Event::new(What::Imported, by)
        };
        audit::record(self.rooms.store(), &event, Timestamp::now()).await?;
        Ok(())
    }

    /// The plugin, after looking at what is installed: that may take longer than a plugin is given.
    async fn informed_plugin(&self) -> Result<Arc<LoadedPlugin>, ShimError> {
        let plugin = self.plugin().await?;
        self.rooms.lookout().look().await;
        Ok(plugin)
    }
}

/// The signature file beside a file.
fn beside(path: &Path) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(spacecp_contract::SIGNATURE_SUFFIX);
    name.into()
}
