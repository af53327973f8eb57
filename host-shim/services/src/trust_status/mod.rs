//! Whom this panel believes, since when, and what it refused; the audit log, the identity and the clock.

mod audit_report;
mod clock;
mod page;
mod sealed;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::{Audience, Digest, DocumentKind, Role, Root};

use crate::{
    ServiceError,
    audit::{self, Event, What},
    state::State,
    store::{Freshness, Incident, IncidentKind, Signer},
    trust::{self, Verified},
};
pub use audit_report::{AuditReport, blocks as audit_blocks};
pub use clock::forgotten as forgotten_by_clock_reset;
pub use page::page as trust_page;
pub use sealed::{PrivateReport, PrivateStanding};

/// Incidents that are shown.
const INCIDENTS: u32 = 20;

/// Everything that can be said about trust.
#[derive(Debug, Clone, Serialize)]
pub struct TrustReport {
    /// How the panel stands.
    pub standing: Standing,
    /// Whom the feed must be for.
    pub audience: Audience,
    /// Where the feed is looked for, in this order.
    pub mirrors: Vec<String>,
    /// Where trust begins.
    pub pinned: PinnedReport,
    /// The root that decides now; none before the first sync from a fingerprint.
    pub root: Option<RootReport>,
    /// How current the panel's knowledge is.
    pub freshness: Freshness,
    /// Whether this panel reads what is under embargo.
    pub private: PrivateReport,
    /// Documents that are held.
    pub documents: usize,
    /// Documents whose signers have lost their role since, at least in part.
    pub signed_by_former_keys: Vec<Signer>,
    /// What was refused, found damaged or forgotten, newest first.
    pub incidents: Vec<Incident>,
}

/// How the panel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The feed has never been heard.
    NeverHeard,
    /// What is known is current.
    Current,
    /// There was no fresh word for too long.
    Stale,
    /// The root has expired: nobody can say anything new until the vendor issues another.
    RootExpired,
}

/// Where trust begins.
#[derive(Debug, Clone, Serialize)]
pub struct PinnedReport {
    /// Which root.
    pub version: u64,
    /// The digest of its bytes.
    pub fingerprint: Digest,
}

/// A root, for people.
#[derive(Debug, Clone, Serialize)]
pub struct RootReport {
    /// Its version.
    pub version: u64,
    /// The digest of its bytes.
    pub fingerprint: Digest,
    /// When it was issued.
    pub issued: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Who holds which role.
    pub roles: Vec<RoleReport>,
}

/// Who holds a role.
#[derive(Debug, Clone, Serialize)]
pub struct RoleReport {
    /// The role.
    pub role: Role,
    /// How many of the keys must sign.
    pub threshold: u32,
    /// The keys.
    pub keys: Vec<KeyReport>,
}

/// A key.
#[derive(Debug, Clone, Serialize)]
pub struct KeyReport {
    /// The id that `minisign` prints.
    pub id: String,
    /// The whole key, in base64.
    pub public: String,
}

/// The trusted state, the audit log, the identity and the clock.
#[derive(Debug, Clone)]
pub struct Trust {
    state: Arc<State>,
}

impl Trust {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Reads the whole store and says what is damaged; takes as long as reading it does.
    pub async fn look_for_damage(&self) -> Result<Vec<String>, ServiceError> {
        Ok(self.state.store().look_for_damage().await?)
    }

    /// Whom this panel believes, since when, and what it refused. Needs no plugin.
    pub async fn report(&self, now: Timestamp) -> Result<TrustReport, ServiceError> {
        let (store, follower) = (self.state.store(), self.state.follower()?);
        let root = follower.root().await?;
        let freshness = store.freshness().await?;
        let signers = store.signers().await?;
        let trusted = store.trusted().await?;
        let now = now.max(trusted.latest_time);
        let seen = &trusted.seen_expired;
        let root_expired = root
            .as_ref()
            .is_some_and(|root| root.expires <= now || seen.has_root(root));
        Ok(TrustReport {
            standing: standing(root_expired, &freshness, now),
            audience: self.state.config().feed.audience.clone(),
            mirrors: self
                .state
                .config()
                .feed
                .from
                .iter()
                .map(str::to_owned)
                .collect(),
            pinned: PinnedReport {
                version: follower.pin().version(),
                fingerprint: follower.pin().digest(),
            },
            private: self.private_report().await?,
            documents: signers.len(),
            signed_by_former_keys: former(root.as_ref(), signers),
            root: root.as_ref().map(root_report),
            freshness,
            incidents: store.incidents(INCIDENTS).await?,
        })
    }

    /// Forgets everything that was learnt from the feed, so that trust begins with the pinned root
    /// again. Applications, the plugin's memory and what administrators decided stay. `by` is kept.
    pub async fn reset(&self, by: &str) -> Result<(), ServiceError> {
        let store = self.state.store();
        // First, so that nothing is ever forgotten unrecorded.
        let event = Event::new(What::TrustReset, by);
        audit::record(store, &event, Timestamp::now()).await?;
        store.forget_feed().await?;
        store.forget_clock().await?;
        let words = format!(
            "{by} reset the trusted state to the pinned root and discarded every root, head, index and document"
        );
        store
            .note(IncidentKind::Reset, &words, Timestamp::now())
            .await?;
        tracing::warn!(by, "trusted state reset");
        Ok(())
    }
}

fn standing(root_expired: bool, freshness: &Freshness, now: Timestamp) -> Standing {
    match freshness.valid_until {
        _ if root_expired => Standing::RootExpired,
        None => Standing::NeverHeard,
        _ if freshness.is_stale(now) => Standing::Stale,
        _ => Standing::Current,
    }
}

fn root_report(root: &Verified<Root>) -> RootReport {
    let roles = Role::ALL.into_iter().filter_map(|role| {
        let held = root.roles.get(&role)?;
        let keys = held.keys.iter().map(|key| KeyReport {
            id: trust::key_id(key).unwrap_or_else(|| "no keys".to_owned()),
            public: key.clone(),
        });
        Some(RoleReport {
            role,
            threshold: held.threshold,
            keys: keys.collect(),
        })
    });
    RootReport {
        version: root.version,
        fingerprint: Digest::of(root.bytes()),
        issued: root.issued,
        expires: root.expires,
        roles: roles.collect(),
    }
}

/// The documents that were signed by a key which does not hold the role any more.
fn former(root: Option<&Verified<Root>>, signers: Vec<Signer>) -> Vec<Signer> {
    let Some(root) = root else { return Vec::new() };
    let holds = |kind: DocumentKind, key: &String| {
        let held = root.roles.get(&kind.role());
        held.is_some_and(|held| held.keys.contains(key))
    };
    let lost = |signer: &Signer| !signer.keys.iter().all(|key| holds(signer.kind, key));
    signers.into_iter().filter(lost).collect()
}
