//! Decisions about this machine, as pages and commands make them.

use jiff::Timestamp;
use spacecp_apply::inventory::{Inventory, Unread};
use spacecp_contract::version::Version;

use super::{LocalDecision, LocalKind, Stamp, is_within, log};
use crate::{
    Decisions, ServiceError,
    decisions::{
        DecisionError, Kind, State,
        sense::{check_end, checked_text},
    },
    state::State as Panel,
};

/// A decision about this machine that somebody wants to make.
#[derive(Debug, Clone)]
pub struct NewLocalDecision {
    /// What it is about.
    pub about: Subject,
    /// Who decides.
    pub by: String,
    /// Until when it is to hold; without one it is refused.
    pub until: Option<Timestamp>,
    /// Why; without one it is refused.
    pub reason: Option<String>,
}

/// What a decision about this machine is to be about.
#[derive(Debug, Clone)]
pub enum Subject {
    /// Everything that is not read at this path and inside it, as a scan found it.
    Unread(String),
    /// The version of a component.
    Version {
        /// The component.
        component: String,
        /// The version.
        version: String,
    },
}

impl Decisions {
    /// Acknowledges what is not read at a path, or sets a version.
    ///
    /// Of what is not read, each path is a decision by itself: one of them changes without the others.
    #[tracing::instrument(name = "decide-locally", skip_all, fields(by = wish.by))]
    pub async fn decide_locally(
        &self,
        wish: &NewLocalDecision,
    ) -> Result<Vec<LocalDecision>, ServiceError> {
        let now = self.state.now().await;
        let reason = checked_text(wish.reason.as_deref())?.ok_or(DecisionError::NoReason)?;
        let longest = self.state.config().decisions.longest_acceptance_days;
        check_end(Kind::Acceptance, wish.until, now, longest)?;
        let until = wish.until.ok_or(DecisionError::NoEnd)?;
        let inventory = self.state.inventory().await;
        let blank = LocalDecision {
            number: 0,
            kind: LocalKind::Unread,
            subject: String::new(),
            because: String::new(),
            version: None,
            by: wish.by.clone(),
            made: now,
            until,
            reason,
            state: State::Standing,
            end: None,
            stamp: Stamp::default(),
        };
        let wanted = match &wish.about {
            Subject::Unread(place) => acknowledging(&inventory, place, &blank)?,
            Subject::Version { component, version } => {
                vec![setting(&inventory, component, version, blank)?]
            }
        };
        Ok(log::make(self.state.store(), wanted, now).await?)
    }

    /// Takes back what holds of this kind: at a path and inside it, or for a component.
    pub async fn withdraw_locally(
        &self,
        kind: LocalKind,
        subject: &str,
        by: &str,
    ) -> Result<Vec<LocalDecision>, ServiceError> {
        let is_meant = |one: &LocalDecision| match kind {
            LocalKind::Unread => is_within(&one.subject, subject),
            LocalKind::Version => one.subject == subject,
        };
        let what = match kind {
            LocalKind::Unread => format!("acknowledgement of {subject:?}"),
            LocalKind::Version => format!("version that was set of {subject:?}"),
        };
        self.withdraw_those(|one| one.kind == kind && is_meant(one), what, by)
            .await
    }

    /// Takes back the decision about this machine of this number.
    pub async fn withdraw_local(
        &self,
        number: u64,
        by: &str,
    ) -> Result<Vec<LocalDecision>, ServiceError> {
        let what = format!("decision about this machine with the number {number}");
        self.withdraw_those(|one| one.number == number, what, by)
            .await
    }

    async fn withdraw_those(
        &self,
        is_meant: impl Fn(&LocalDecision) -> bool,
        what: String,
        by: &str,
    ) -> Result<Vec<LocalDecision>, ServiceError> {
        // Whatever has come to its end by now ends so.
        let _ = self.state.inventory().await;
        let mut meant = log::standing(self.state.store()).await?;
        meant.retain(is_meant);
        if meant.is_empty() {
            return Err(DecisionError::NotFound { what }.into());
        }
        let now = self.state.now().await;
        Ok(log::lift(self.state.store(), meant, by, now).await?)
    }

    /// The decisions about this machine that hold, and the newest about each matter that ended by itself.
    pub async fn current_locally(&self) -> Result<Vec<LocalDecision>, ServiceError> {
        let _ = self.state.inventory().await;
        Ok(log::current(self.state.store()).await?)
    }

    /// Every decision about this machine, newest first, at most `limit` of them.
    pub async fn all_locally(&self, limit: u32) -> Result<Vec<LocalDecision>, ServiceError> {
        let _ = self.state.inventory().await;
        Ok(log::all(self.state.store(), limit).await?)
    }
}

/// A decision for each path that is not read there. One that is acknowledged is so anew.
fn acknowledging(
    inventory: &Inventory,
    place: &str,
    blank: &LocalDecision,
) -> Result<Vec<LocalDecision>, DecisionError> {
    let acknowledged = inventory.acknowledged.iter().map(|(unread, _)| unread);
    let unread = inventory.unread.iter().chain(acknowledged);
    let mut there: Vec<&Unread> = unread.filter(|one| is_within(&one.at, place)).collect();
    there.sort_by_key(|one| (&one.at, one.why.to_string()));
    there.dedup_by_key(|one| (&one.at, one.why.to_string()));
    if there.is_empty() {
        let place = place.to_owned();
        return Err(DecisionError::NothingUnread { place });
    }
    let decisions = there.into_iter().map(|unread| LocalDecision {
        subject: unread.at.clone(),
        because: unread.why.to_string(),
        stamp: Stamp::of(&unread.at),
        ..blank.clone()
    });
    Ok(decisions.collect())
}

/// A version can be set where none was found, and has to be one of the component's scheme.
fn setting(
    inventory: &Inventory,
    name: &str,
    version: &str,
    blank: LocalDecision,
) -> Result<LocalDecision, DecisionError> {
    let component = inventory.installed_as(name).ok_or_else(|| {
        let component = name.to_owned();
        DecisionError::NoComponent { component }
    })?;
    let before = inventory.set_versions.get(name);
    let because = before.map(|set| set.problem.clone());
    let because = because.or_else(|| component.problem());
    let because = because.ok_or_else(|| DecisionError::VersionFound {
        component: name.to_owned(),
        version: component.version().unwrap_or_default().to_owned(),
    })?;
    let version = version.trim();
    Version::read(component.scheme(), version).map_err(|error| DecisionError::Version {
        component: name.to_owned(),
        reason: error.to_string(),
    })?;
    let stamp = match inventory.component(name) {
        Some(configured) => Stamp::of_component(configured),
        None => Stamp::of(component.found_at()),
    };
    Ok(LocalDecision {
        kind: LocalKind::Version,
        subject: name.to_owned(),
        because,
        version: Some(version.to_owned()),
        stamp,
        ..blank
    })
}

impl Panel {
    /// What was decided about this machine and nobody has ended.
    pub(crate) async fn local_decisions(&self) -> Vec<LocalDecision> {
        match log::standing(self.store()).await {
            Ok(standing) => standing,
            Err(error) => {
                // What cannot be read covers nothing.
                tracing::warn!(%error, "cannot read the decisions about this machine");
                Vec::new()
            }
        }
    }

    /// Writes down the ends of decisions about this machine.
    pub(crate) async fn end_local_decisions(&self, over: &[LocalDecision]) {
        if let Err(error) = log::settle(self.store(), over).await {
            tracing::warn!(%error, "cannot record that decisions about this machine have ended");
        }
    }
}
