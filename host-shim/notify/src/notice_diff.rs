//! What was told of what is the case, and what is news. Pure.
//!
//! The plugin says which component is exposed to what, and no word of its own goes any further:
//! titles, severities and the embargo are those of the verified documents, names and versions those
//! of the inventory. A plugin that lies can have too much or too little told, and nothing leak.

mod held_back;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use spacecp_contract::{DocumentId, Severity};

use super::{
    escaping::cut,
    notice::{Facts, Installed, Kind, Notice, Subject},
    present::{About, Application, Decision, Exposure, Present},
};

/// Characters of a title or a reason in a notice.
const LONGEST_TEXT: usize = 300;

/// Components that a notice names.
const MOST_COMPONENTS: usize = 200;

/// What something can be told about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// This panel: whatever was there before anybody was told anything is no news.
    Beginning,
    /// A component and an advisory.
    Exposure(DocumentId, String),
    /// An advisory.
    Advisory(DocumentId),
    /// An application.
    Application(String),
    /// A correction that is held back, and the component.
    HeldBack(DocumentId, String),
    /// A decision.
    Decision(u64),
    /// The feed.
    Feed,
    /// The plugin.
    Plugin,
}

/// What was told about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// That it is so.
    Standing,
    /// How it ended.
    Ended(Kind),
    /// That it was held back.
    HeldBack {
        /// The revision of the correction.
        revision: u64,
        /// Why.
        reason: String,
    },
    /// An exposure.
    Exposed {
        /// When it was told.
        since: Timestamp,
        /// Whether it was one; otherwise nobody could say.
        affected: bool,
        /// The correction, with its revision.
        correction: Option<(DocumentId, u64)>,
        /// Whether it was said that it stands without a correction.
        reminded: bool,
    },
    /// What an advisory said.
    Heard {
        /// Its revision.
        revision: u64,
        /// Whether it was under embargo.
        embargo: bool,
        /// Whether it was withdrawn.
        withdrawn: bool,
    },
}

/// Everything that was told.
pub type Told = BTreeMap<Topic, Fact>;

/// Compares the present with what was told: what is to be told now, and what has been told then.
pub fn compare(
    present: &Present,
    told: &Told,
    remind_after: SignedDuration,
    now: Timestamp,
) -> (Vec<Notice>, Told) {
    let mut news = News {
        present,
        told,
        now,
        notices: Vec::new(),
        next: Told::from([(Topic::Beginning, Fact::Standing)]),
    };
    news.advisories();
    match &present.exposures {
        Some(exposures) => news.exposures(exposures, remind_after),
        None => news.keep(|topic| matches!(topic, Topic::Exposure(..))),
    }
    news.applications();
    news.held_back();
    news.decisions();
    news.panel();
    (news.notices, news.next)
}

struct News<'a> {
    present: &'a Present,
    told: &'a Told,
    now: Timestamp,
    notices: Vec<Notice>,
    next: Told,
}

impl News<'_> {
    /// What was told of this stays told.
    fn keep(&mut self, of: impl Fn(&Topic) -> bool) {
        let kept = self.told.iter().filter(|(topic, _)| of(topic));
        self.next
            .extend(kept.map(|(topic, fact)| (topic.clone(), fact.clone())));
    }

    fn advisories(&mut self) {
        let present = self.present;
        self.keep(|topic| matches!(topic, Topic::Advisory(id) if present.may_return(id)));
        for (id, about) in &self.present.advisories {
            let concerned = self.concerned(id);
            let before = self.told.get(&Topic::Advisory(id.clone()));
            let kind = match before {
                Some(Fact::Heard {
                    withdrawn,
                    embargo,
                    revision,
                }) => {
                    if about.withdrawn && !withdrawn {
                        Some(Kind::Withdrawn)
                    } else if *embargo && !about.embargo {
                        Some(Kind::EmbargoLifted)
                    } else if about.revision != *revision
                        && !concerned.is_empty()
                        && !about.withdrawn
                    {
                        Some(Kind::AdvisoryUpdated)
                    } else {
                        None
                    }
                }
                _ if concerned.is_empty() => continue,
                _ => None,
            };
            if let Some(kind) = kind {
                self.about(kind, id, about, concerned);
            }
            let heard = Fact::Heard {
                revision: about.revision,
                embargo: about.embargo,
                withdrawn: about.withdrawn,
            };
            self.next.insert(Topic::Advisory(id.clone()), heard);
        }
    }

    /// The exposures to an advisory.
    fn concerned(&self, id: &DocumentId) -> Vec<(String, Exposure)> {
        let exposures = self.present.exposures.iter().flatten();
        exposures
            .filter(|((advisory, _), _)| advisory == id)
            .map(|((_, component), exposure)| (component.clone(), exposure.clone()))
            .collect()
    }

    fn exposures(
        &mut self,
        exposures: &BTreeMap<(DocumentId, String), Exposure>,
        remind_after: SignedDuration,
    ) {
        let present = self.present;
        self.keep(|topic| matches!(topic, Topic::Exposure(id, _) if present.may_return(id)));
        let mut groups: BTreeMap<_, Vec<(String, Exposure)>> = BTreeMap::new();
        for ((id, component), exposure) in exposures {
            let topic = Topic::Exposure(id.clone(), component.clone());
            let before = self.told.get(&topic);
            let (kind, fact) = self.exposure(exposure, before, remind_after);
            self.next.insert(topic, fact);
            if let Some(kind) = kind {
                let correction = exposure.correction.clone();
                let group = groups.entry((id, kind, correction)).or_default();
                group.push((component.clone(), exposure.clone()));
            }
        }
        for ((id, kind, _), components) in groups {
            if let Some(about) = self.present.advisories.get(id) {
                self.about(kind, id, about, components);
            }
        }
    }

    /// What is to be told about one exposure, and what has been told then.
    fn exposure(
        &self,
        exposure: &Exposure,
        before: Option<&Fact>,
        remind_after: SignedDuration,
    ) -> (Option<Kind>, Fact) {
        let fact = |since, affected, reminded| Fact::Exposed {
            since,
            affected,
            correction: exposure.correction.clone(),
            reminded,
        };
        let Some(Fact::Exposed {
            since,
            affected,
            correction,
            reminded,
        }) = before
        else {
            let kind = if exposure.affected {
                Kind::NewExposure
            } else {
                Kind::Undecided
            };
            return (Some(kind), fact(self.now, exposure.affected, false));
        };
        if !exposure.affected {
            // An exposure that cannot be seen for a while is not over.
            return (None, before.cloned().unwrap_or(Fact::Standing));
        }
        if !affected {
            return (Some(Kind::NewExposure), fact(self.now, true, false));
        }
        if exposure.correction.is_some() && exposure.correction != *correction {
            return (
                Some(Kind::CorrectionAvailable),
                fact(*since, true, *reminded),
            );
        }
        let waited = self.now.duration_since(*since) >= remind_after;
        if exposure.correction.is_none() && !exposure.decided && !reminded && waited {
            return (Some(Kind::NoCorrection), fact(*since, true, true));
        }
        (None, fact(*since, true, *reminded))
    }

    fn applications(&mut self) {
        for application in &self.present.applications {
            let topic = Topic::Application(application.id.clone());
            let fact = Fact::Ended(application.kind);
            let is_old = !self.told.contains_key(&Topic::Beginning);
            if self.told.get(&topic) != Some(&fact) && !is_old {
                self.application(application);
            }
            self.next.insert(topic, fact);
        }
    }

    fn application(&mut self, application: &Application) {
        let known: Option<Vec<&About>> = application
            .advisories
            .iter()
            .map(|id| self.present.advisories.get(id))
            .collect();
        let known = known.filter(|known| !known.is_empty());
        let all = known.iter().flatten();
        let severity = all.clone().map(|about| about.severity).max();
        let known_exploited = all.clone().any(|about| about.known_exploited);
        let open = known.is_some() && !all.clone().any(|about| about.embargo);
        let subject = if open {
            Subject::Open(Box::new(Facts {
                advisories: application.advisories.clone(),
                components: vec![Installed {
                    name: application.component.clone(),
                    version: None,
                }],
                correction: Some(application.correction.clone()),
                change: Some(application.change.clone()),
                reason: application
                    .reason
                    .as_ref()
                    .map(|reason| cut(reason, LONGEST_TEXT)),
                ..Facts::default()
            }))
        } else {
            // What it answers is under embargo, or nobody can say any more.
            Subject::Embargoed(application.advisories.clone())
        };
        self.notices.push(Notice {
            kind: application.kind,
            severity: severity.unwrap_or(Severity::Unrated),
            known_exploited,
            subject,
        });
    }

    fn decisions(&mut self) {
        for decision in &self.present.decisions {
            let topic = Topic::Decision(decision.number);
            let is_old = !self.told.contains_key(&Topic::Beginning);
            if !self.told.contains_key(&topic) && !is_old {
                self.decision(decision);
            }
            self.next.insert(topic, Fact::Ended(decision.kind));
        }
    }

    fn decision(&mut self, decision: &Decision) {
        let mut concerned = self.concerned(&decision.advisory);
        if let Some(own) = &decision.component {
            concerned.retain(|(component, _)| component == own);
        }
        match self.present.advisories.get(&decision.advisory) {
            Some(about) => self.about(decision.kind, &decision.advisory, about, concerned),
            None => self.notices.push(Notice {
                kind: decision.kind,
                severity: Severity::Unrated,
                known_exploited: false,
                subject: Subject::Embargoed(vec![decision.advisory.clone()]),
            }),
        }
    }

    fn panel(&mut self) {
        let was_stale = self.told.contains_key(&Topic::Feed);
        if self.present.stale {
            self.next.insert(Topic::Feed, Fact::Standing);
        }
        match (was_stale, self.present.stale) {
            (false, true) => self.plain(Kind::FeedStale),
            (true, false) => self.plain(Kind::FeedFresh),
            _ => {}
        }
        let was_disabled = self.told.contains_key(&Topic::Plugin);
        let disabled = self.present.disabled.unwrap_or(was_disabled);
        if disabled {
            self.next.insert(Topic::Plugin, Fact::Standing);
        }
        if disabled && !was_disabled {
            self.plain(Kind::PluginDisabled);
        }
    }

    /// A notice about the panel itself.
    fn plain(&mut self, kind: Kind) {
        self.notices.push(Notice {
            kind,
            severity: Severity::Unrated,
            known_exploited: false,
            subject: Subject::Open(Box::default()),
        });
    }

    /// A notice about an advisory: the one place where it is decided how much of it is said.
    fn about(
        &mut self,
        kind: Kind,
        id: &DocumentId,
        about: &About,
        components: Vec<(String, Exposure)>,
    ) {
        let subject = if about.embargo {
            Subject::Embargoed(vec![id.clone()])
        } else {
            let corrections = components.iter();
            let mut corrections = corrections.filter_map(|(_, one)| one.correction.as_ref());
            Subject::Open(Box::new(Facts {
                advisories: vec![id.clone()],
                title: Some(cut(&about.title, LONGEST_TEXT)),
                revision: Some(about.revision),
                correction: corrections.next().map(|(id, _)| id.clone()),
                workaround: about.workaround,
                components: components
                    .into_iter()
                    .take(MOST_COMPONENTS)
                    .map(|(name, exposure)| Installed {
                        name,
                        version: exposure.version,
                    })
                    .collect(),
                ..Facts::default()
            }))
        };
        self.notices.push(Notice {
            kind,
            severity: about.severity,
            known_exploited: about.known_exploited,
            subject,
        });
    }
}

#[cfg(test)]
mod tests;
