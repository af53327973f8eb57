//! What is known of a component that somebody asks about: whether it is here, and whether any advisory names it.
//!
//! "Not affected", "named by no advisory" and "not found here" are three answers, and none of them is given for another.

use serde::Serialize;
use spacecp_contract::{Advisory, DocumentKind, Limits, decode, identity::is_same};

use crate::{
    Exposure, ServiceError,
    plugin::bindings::exports::spacecp::advisories::exposure::{Status, Verdict},
    state::State,
    store::StoreError,
};

/// Documents that are read at a time.
const BATCH: u32 = 1_000;

/// What is known of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownComponent {
    /// The name that was asked for.
    pub name: String,
    /// Whether it is installed here, as far as that was looked at.
    pub installed: bool,
    /// Its version, if it is known.
    pub version: Option<String>,
    /// Whether an advisory that is public names it.
    pub named: bool,
    /// Whether any advisory does. Not given out: which are under embargo is nobody else's business.
    #[serde(skip)]
    pub named_under_embargo: bool,
    /// The gravest verdict about it. Not given out, as that may rest on an advisory under embargo.
    #[serde(skip)]
    pub status: Option<Status>,
    /// What was looked at to find components, in one line.
    pub coverage: String,
}

impl KnownComponent {
    /// Whether it is installed, an advisory names it, and none affects it.
    pub fn is_clear(&self) -> bool {
        self.installed && matches!(self.status, Some(Status::Fixed | Status::NotAffected))
    }

    /// All of it in words.
    pub fn words(&self) -> String {
        let name = &self.name;
        let is_named = self.named || self.named_under_embargo;
        match (self.installed, is_named) {
            (false, false) => format!(
                "No advisory names {name:?}, and no such component was found on this panel. {}",
                self.coverage
            ),
            (false, true) => format!(
                "Advisories name {name:?}, but no such component was found on this panel. {}",
                self.coverage
            ),
            (true, false) => format!("No advisory names {name:?}."),
            (true, true) => {
                let version = self.version.as_deref().unwrap_or("of unknown version");
                let status = match self.status {
                    Some(Status::Affected) => "affected now",
                    Some(Status::Fixed) => "fixed now",
                    Some(Status::NotAffected) => "not affected now",
                    Some(Status::Unknown) | None => "now of unknown status",
                };
                format!("Advisories name {name:?}; {version} is {status}.")
            }
        }
    }
}

impl Exposure {
    /// What is known of the component of this name, on this panel or in advisories.
    pub async fn known_component(&self, name: &str) -> Result<KnownComponent, ServiceError> {
        let inventory = self.inventory().await;
        let installed = inventory.installed_as(name).or_else(|| {
            let mut all = inventory.installed();
            all.find(|one| is_same(one.advisory_name(), name))
        });
        let advisory_name = installed.map_or(name, |one| one.advisory_name());
        let (public, embargoed) = self.state.naming(advisory_name).await?;
        let verdicts = match self.report().await {
            Ok(report) => report.verdicts,
            Err(error) => {
                tracing::warn!(%error, "no verdicts about a component that was asked for");
                Vec::new()
            }
        };
        let of_it =
            |verdict: &&Verdict| installed.is_some_and(|one| one.name() == verdict.component);
        let statuses = verdicts.iter().filter(of_it).map(|verdict| verdict.status);
        Ok(KnownComponent {
            name: name.to_owned(),
            installed: installed.is_some(),
            version: installed
                .and_then(crate::inventory::Installed::version)
                .map(str::to_owned),
            named: public,
            named_under_embargo: embargoed,
            status: statuses.max_by_key(|status| gravity(*status)),
            coverage: inventory.coverage.clone(),
        })
    }
}

fn gravity(status: Status) -> u8 {
    match status {
        Status::Affected => 3,
        Status::Unknown => 2,
        Status::Fixed => 1,
        Status::NotAffected => 0,
    }
}

impl State {
    /// Whether a public advisory that holds names a component, and whether one under embargo does.
    async fn naming(&self, component: &str) -> Result<(bool, bool), StoreError> {
        let (mut public, mut embargoed) = (false, false);
        let mut after = None;
        loop {
            let batch = self.store().documents_since(after, BATCH).await?;
            let advisories = batch.documents.iter();
            let advisories = advisories.filter(|one| one.kind == DocumentKind::Advisory);
            for document in advisories {
                // One that cannot be read is named elsewhere.
                let Ok(advisory) = decode::<Advisory>(&document.bytes, &Limits::default()) else {
                    continue;
                };
                let mut affected = advisory.affected.iter();
                let names = affected.any(|one| is_same(&one.component, component));
                let counts = names && advisory.withdrawn.is_none();
                public |= counts && !advisory.is_under_embargo();
                embargoed |= counts && advisory.is_under_embargo();
            }
            after = Some(batch.next);
            if batch.complete {
                return Ok((public, embargoed));
            }
        }
    }
}
