//! What the plugin has taken in, and the verdicts that follow from it.
//!
//! Documents come as a stream and components as a whole; verdicts are kept by advisory, so that one
//! new revision costs the verdicts of that advisory alone.

mod fitting;

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use rustc_hash::{FxHashMap, FxHashSet};
use spacecp_contract::{
    Advisory, Correction, DocumentId, Limits, NoticeKind as Kinds, decode, identity::canonical_name,
};

use crate::{
    bindings::{
        exports::spacecp::advisories::exposure::{
            ExposureReport, NoticeKind, Noticed, Repeated, Status, Summary, Unreadable, Verdict,
        },
        spacecp::advisories::{
            documents::{Cursor, Document, Kind},
            inventory::{Acknowledged, Component, Snapshot, Unread},
            types::DocumentRef,
        },
    },
    exposure::{Index, Installed, Judgement},
    headline::Headline,
    running,
    severity::Ratings,
    supersession::Supersession,
    verdicts::Verdicts,
    words,
};

/// Everything that the plugin knows.
#[derive(Debug, Default)]
pub struct Knowledge {
    cursor: Option<Cursor>,
    advisories: FxHashMap<String, Box<Headline>>,
    corrections: BTreeMap<String, Correction>,
    unreadable: BTreeMap<(bool, String), Unreadable>,
    supersession: Supersession,
    /// The advisories that name each correction.
    answered: FxHashMap<String, BTreeSet<String>>,
    index: Index,
    ratings: Ratings,
    fingerprint: Option<String>,
    components: Vec<Component>,
    /// Places whose components nobody knows.
    unread: Vec<Unread>,
    /// Such places that somebody has looked at otherwise.
    acknowledged: Vec<Acknowledged>,
    /// What was looked at, in one line.
    coverage: String,
    /// Their versions, in the same order.
    installed: Vec<Option<Installed>>,
    /// Places of components by the name that advisories use.
    by_name: FxHashMap<String, Vec<usize>>,
    verdicts: Verdicts,
    /// Those of notices, which count nowhere.
    notices: Verdicts,
}

impl Knowledge {
    /// Where to go on reading documents from.
    pub fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// The components that the verdicts are about.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Takes in a part of the stream of documents. Another epoch means that what was read before
    /// counts for nothing.
    pub fn take(&mut self, documents: &[Document], next: Cursor) {
        if self.cursor.is_some_and(|cursor| cursor.epoch != next.epoch) {
            self.forget_documents();
        }
        let mut stale = FxHashSet::default();
        for document in documents {
            match document.kind {
                Kind::Advisory => self.take_advisory(document, &mut stale),
                Kind::Correction => self.take_correction(document, &mut stale),
            }
        }
        self.cursor = Some(next);
        for advisory in stale {
            self.judge(&advisory);
        }
    }

    /// Everything but the components goes.
    fn forget_documents(&mut self) {
        let fingerprint = self.fingerprint.take();
        let snapshot = Snapshot {
            fingerprint: fingerprint.clone().unwrap_or_default(),
            components: std::mem::take(&mut self.components),
            unread: std::mem::take(&mut self.unread),
            acknowledged: std::mem::take(&mut self.acknowledged),
            coverage: std::mem::take(&mut self.coverage),
        };
        *self = Self::default();
        if fingerprint.is_some() {
            self.install(snapshot);
        }
    }

    /// Takes in the components installed. Only the advisories that speak of what changed are judged
    /// again.
    pub fn install(&mut self, snapshot: Snapshot) {
        let before = std::mem::replace(&mut self.components, snapshot.components);
        self.by_name.clear();
        for (place, component) in self.components.iter().enumerate() {
            self.by_name
                .entry(canonical_name(&component.advisory_name).into_owned())
                .or_default()
                .push(place);
        }
        let versions = self.components.iter();
        self.installed = versions
            .map(|component| {
                let version = component.version.as_deref()?;
                Some(Installed::new(&component.advisory_name, version))
            })
            .collect();
        self.unread = snapshot.unread;
        self.acknowledged = snapshot.acknowledged;
        self.coverage = snapshot.coverage;
        self.fingerprint = Some(snapshot.fingerprint);
        let unversioned = self.components.iter();
        let unversioned = unversioned.filter(|component| component.version.is_none());
        self.verdicts
            .unversioned(unversioned.map(|component| component.name.as_str()));
        for advisory in self.concerned(&changed(&before, &self.components)) {
            self.judge(&advisory);
        }
    }

    /// The advisories that speak of components, or that corrections of these answer.
    fn concerned(&self, components: &BTreeSet<&str>) -> BTreeSet<String> {
        let mut advisories = BTreeSet::new();
        for component in components {
            advisories.extend(self.index.advisories(component).map(str::to_owned));
        }
        for (id, correction) in &self.corrections {
            if components.contains(correction.component.as_str()) {
                advisories.extend(self.answered.get(id).into_iter().flatten().cloned());
            }
        }
        advisories
    }

    fn take_advisory(&mut self, document: &Document, stale: &mut FxHashSet<String>) {
        // Its texts stay where they are: little of them is kept, and none of the long ones.
        let advisory = match Advisory::borrowed(&document.bytes, &Limits::default()) {
            Ok(advisory) => advisory,
            Err(error) => return self.note_unreadable(document, &error.to_string(), stale),
        };
        self.unreadable.remove(&(true, document.id.clone()));
        self.forget_answers(&document.id);
        for correction in &advisory.corrections {
            let advisories = self.answered.entry(correction.to_string()).or_default();
            advisories.insert(document.id.clone());
        }
        // A withdrawn advisory takes nobody's place.
        let supersedes = advisory.supersedes.iter().map(DocumentId::as_str);
        let supersedes = supersedes.filter(|_| advisory.withdrawn.is_none());
        stale.extend(self.supersession.put(&document.id, supersedes));
        self.index.put(&advisory);
        stale.insert(document.id.clone());
        let rating = self.ratings.of(&advisory.severity);
        let headline = Box::new(Headline::of(advisory, rating));
        self.advisories.insert(document.id.clone(), headline);
    }

    fn take_correction(&mut self, document: &Document, stale: &mut FxHashSet<String>) {
        match decode::<Correction>(&document.bytes, &Limits::default()) {
            Ok(correction) => {
                self.unreadable.remove(&(false, document.id.clone()));
                stale.extend(
                    self.answered
                        .get(&document.id)
                        .into_iter()
                        .flatten()
                        .cloned(),
                );
                self.corrections.insert(document.id.clone(), correction);
            }
            Err(error) => self.note_unreadable(document, &error.to_string(), stale),
        }
    }

    fn forget_answers(&mut self, advisory: &str) {
        let Some(known) = self.advisories.get(advisory) else {
            return;
        };
        for correction in &known.corrections {
            if let Some(advisories) = self.answered.get_mut(correction.as_str()) {
                advisories.remove(advisory);
            }
        }
    }

    /// An older revision that could be read is not kept: its verdicts would be out of date.
    fn note_unreadable(
        &mut self,
        document: &Document,
        reason: &str,
        stale: &mut FxHashSet<String>,
    ) {
        let advisory = document.kind == Kind::Advisory;
        if advisory {
            self.forget_answers(&document.id);
            stale.extend(self.supersession.remove(&document.id));
            self.index.remove(&document.id);
            self.advisories.remove(&document.id);
            self.verdicts.remove(&document.id);
            self.notices.remove(&document.id);
        } else {
            stale.extend(
                self.answered
                    .get(&document.id)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            self.corrections.remove(&document.id);
        }
        let unreadable = Unreadable {
            document: reference(&document.id, document.revision),
            reason: reason.to_owned(),
        };
        self.unreadable
            .insert((advisory, document.id.clone()), unreadable);
    }

    /// Computes the verdicts of one advisory afresh.
    fn judge(&mut self, id: &str) {
        let Some(known) = self.advisories.get(id).filter(|known| self.in_force(known)) else {
            self.verdicts.remove(id);
            self.notices.remove(id);
            return;
        };
        let is_notice = known.notice.is_some();
        let mut verdicts = Vec::new();
        for statement in self.index.statements(id) {
            let places = self.by_name.get(statement.component());
            for place in places.into_iter().flatten() {
                let component = &self.components[*place];
                let Judgement { status, mut reason } =
                    statement.judge(self.installed[*place].as_ref());
                if let (Status::Unknown, Some(problem)) = (status, &component.problem) {
                    reason = format!("{reason}: {problem}");
                }
                let mark = running::mark(statement, component, status);
                if let Some((_, runs)) = &mark {
                    reason = format!("{reason}, but {runs}");
                }
                let mark = mark.map(|(mark, _)| mark);
                verdicts.push(Verdict {
                    mark,
                    ..self.verdict(known, component, status, reason)
                });
            }
        }
        // An advisory may become a notice, or stop being one.
        let (of_its_kind, of_the_other) = if is_notice {
            (&mut self.notices, &mut self.verdicts)
        } else {
            (&mut self.verdicts, &mut self.notices)
        };
        of_the_other.remove(id);
        of_its_kind.put(id, verdicts);
    }

    fn verdict(
        &self,
        known: &Headline,
        component: &Component,
        status: Status,
        reason: String,
    ) -> Verdict {
        let correction = if status == Status::Affected {
            self.correction_for(known, component)
        } else {
            None
        };
        Verdict {
            advisory: reference(&known.id, known.revision),
            title: known.title.to_string(),
            component: component.name.clone(),
            version: component.version.clone(),
            status,
            reason,
            severity: known.rating.severity,
            score: known.rating.score,
            known_exploited: known.known_exploited,
            embargo: known.embargo,
            correction: correction
                .map(|(correction, _)| reference(&correction.id, correction.revision)),
            mark: None,
        }
    }

    /// Whether an advisory still holds: neither withdrawn nor superseded by one that is known.
    pub fn in_force(&self, known: &Headline) -> bool {
        known.withdrawn.is_none() && !self.supersession.is_superseded(&known.id)
    }

    /// Every advisory, by id.
    pub fn advisories(&self) -> impl Iterator<Item = &Headline> {
        let mut advisories: Vec<&Headline> = self.advisories.values().map(Box::as_ref).collect();
        advisories.sort_unstable_by(|one, other| words::compare(&one.id, &other.id));
        advisories.into_iter()
    }

    /// One advisory.
    pub fn advisory(&self, id: &str) -> Option<&Headline> {
        self.advisories.get(id).map(Box::as_ref)
    }

    /// The components that an advisory says are affected in some version.
    pub fn affected_by(&self, advisory: &str) -> impl Iterator<Item = &str> {
        self.index.affected(advisory)
    }

    /// One correction.
    pub fn correction(&self, id: &str) -> Option<&Correction> {
        self.corrections.get(id)
    }

    /// Whether a correction answers an advisory that is under embargo.
    pub fn is_under_embargo(&self, correction: &str) -> bool {
        let answered = self
            .corrections
            .get(correction)
            .into_iter()
            .flat_map(|correction| &correction.advisories);
        answered
            .filter_map(|id| self.advisories.get(id.as_str()))
            .any(|known| known.embargo)
    }

    /// The components installed.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// What was looked at to find components, in one line.
    pub fn coverage(&self) -> &str {
        &self.coverage
    }

    /// The places that could not be read, and nobody has acknowledged.
    pub fn unread(&self) -> &[Unread] {
        &self.unread
    }

    /// The places that could not be read, and are acknowledged.
    pub fn acknowledged(&self) -> &[Acknowledged] {
        &self.acknowledged
    }

    /// One component, by its name on this panel.
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components
            .iter()
            .find(|component| component.name == name)
    }

    /// The verdicts of one advisory, also of a notice.
    pub fn verdicts_of(&self, advisory: &str) -> impl Iterator<Item = &Verdict> {
        self.verdicts.of(advisory).chain(self.notices.of(advisory))
    }

    /// What notices say of components, worst first.
    pub fn notices(&self) -> impl Iterator<Item = (&Verdict, Kinds)> {
        let all = self.notices.every(|id| self.aliases(id));
        all.filter_map(|verdict| {
            let known = self.advisories.get(&verdict.advisory.id)?;
            Some((verdict, known.notice?))
        })
    }

    /// A verdict for each flaw and component, worst first. Where several advisories speak of one flaw,
    /// the gravest verdict stands.
    pub fn verdicts(&self) -> Vec<&Verdict> {
        let merged = self.verdicts.merged(|id| self.aliases(id));
        merged.map(|(verdict, _)| verdict).collect()
    }

    fn aliases(&self, advisory: &str) -> &[String] {
        self.advisories
            .get(advisory)
            .map_or(&[], |known| &*known.aliases)
    }

    /// The verdicts of every advisory, worst first, also those that speak of one flaw.
    pub fn every_verdict(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.every(|id| self.aliases(id))
    }

    /// How the panel stands.
    pub fn summary(&self) -> Summary {
        Summary {
            components: count(self.components.len()),
            exposed: count(self.verdicts.exposed()),
            restart_pending: count(self.verdicts.restart_pending()),
            undecided: count(self.verdicts.undecided()),
            unread: count(self.unread.len()),
            advisories: count(self.verdicts.advisories() + self.notices.advisories()),
            notices: count(self.notices.noticed()),
            worst: self.verdicts.worst(),
        }
    }

    /// The whole answer.
    pub fn report(&self) -> ExposureReport {
        let (mut verdicts, mut repeated) = (Vec::new(), Vec::new());
        for (verdict, others) in self.verdicts.merged(|id| self.aliases(id)) {
            repeated.extend(others.iter().map(|other| Repeated {
                verdict: Verdict::clone(other),
                same_flaw_as: verdict.advisory.id.clone(),
            }));
            let mut verdict = with_others(verdict, others);
            if verdict.status == Status::Affected && verdict.correction.is_none() {
                verdict.correction = self.correction_of_others(&verdict, others);
            }
            verdicts.push(verdict);
        }
        ExposureReport {
            summary: self.summary(),
            verdicts,
            repeated,
            notices: self.notices().map(noticed).collect(),
            unreadable: self.unreadable().cloned().collect(),
        }
    }

    /// Documents that could not be read.
    pub fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.unreadable.values()
    }
}

fn noticed((verdict, kind): (&Verdict, Kinds)) -> Noticed {
    Noticed {
        verdict: verdict.clone(),
        kind: match kind {
            Kinds::Unmaintained => NoticeKind::Unmaintained,
            Kinds::Unsound => NoticeKind::Unsound,
            Kinds::Notice => NoticeKind::Notice,
            Kinds::Other => NoticeKind::Other,
        },
    }
}

/// The verdict, with the advisories named that speak of the same flaw.
fn with_others(verdict: &Verdict, others: &[Rc<Verdict>]) -> Verdict {
    let mut verdict = verdict.clone();
    if !others.is_empty() {
        let others: Vec<&str> = others.iter().map(|other| &*other.advisory.id).collect();
        let others = others.join(", ");
        verdict.reason = format!("{}; same vulnerability as {others}", verdict.reason);
    }
    verdict
}

/// The names that advisories use for components that came, went or changed.
fn changed<'a>(before: &'a [Component], after: &'a [Component]) -> BTreeSet<&'a str> {
    let by_name = |components: &'a [Component]| -> FxHashMap<&'a str, Vec<&'a Component>> {
        let mut by_name: FxHashMap<&str, Vec<&Component>> = FxHashMap::default();
        for component in components {
            let named = by_name.entry(&component.advisory_name).or_default();
            named.push(component);
        }
        by_name
    };
    let (before, after) = (by_name(before), by_name(after));
    let names = before.keys().chain(after.keys()).copied();
    names
        .filter(|name| before.get(name) != after.get(name))
        .collect()
}

fn reference(id: &str, revision: u64) -> DocumentRef {
    DocumentRef {
        id: id.to_owned(),
        revision,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
