//! What was decided about exposures, and what can be.

use super::{badge, cell, heading, notice, paragraph, plain, time};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Verdict},
            pages::{
                AcceptRisk, Action, Badge, Block, Cell, MarkWorkaround, Table, TakeBack, Tone,
            },
        },
        spacecp::advisories::{
            decisions::{Decision, Kind, State},
            types::DocumentRef,
        },
    },
    decisions::{Decisions, Group, Tally},
    headline::Headline,
    knowledge::Knowledge,
    running::counted,
};

/// How the exposed components stand, and how much that matters; none where nothing was decided.
pub(super) fn of_those(tally: &Tally) -> Option<(String, Tone)> {
    let mut parts = Vec::new();
    if tally.worked_around.components > 0 {
        let group = &tally.worked_around;
        let until = until(group);
        parts.push(format!(
            "{} with a workaround in place{until}",
            group.components
        ));
    }
    if tally.accepted.components > 0 {
        let group = &tally.accepted;
        parts.push(format!("{} accepted{}", group.components, until(group)));
    }
    if parts.is_empty() {
        return None;
    }
    let tone = if tally.open.components > 0 {
        parts.insert(0, format!("{} without a decision", tally.open.components));
        Tone::Danger
    } else {
        Tone::Warning
    };
    Some((parts.join(", "), tone))
}

fn until(group: &Group) -> String {
    match (group.first_end, group.components) {
        (None, _) => String::new(),
        (Some(end), 1) => format!(" until {}", time(end)),
        (Some(end), _) => format!(" (the first until {})", time(end)),
    }
}

/// Why it cannot be said what was decided, if it cannot.
pub(super) fn problem(decisions: &Decisions) -> Option<Block> {
    let problem = decisions.problem()?;
    let words = format!("Decisions cannot be read and are ignored: {problem}");
    Some(notice(Tone::Warning, words))
}

/// Adds a column about decisions to a table with a row for each of these verdicts, where there is
/// anything to say.
pub(super) fn column(table: &mut Table, verdicts: &[&Verdict], decisions: &Decisions) {
    let told =
        |verdict: &&&Verdict| is_open(verdict) && decisions.matching(verdict).next().is_some();
    if verdicts.iter().filter(told).count() == 0 {
        return;
    }
    table.columns.push("Decision".to_owned());
    for (row, verdict) in table.rows.iter_mut().zip(verdicts) {
        row.push(if told(&verdict) {
            in_short(decisions.matching(verdict))
        } else {
            cell(vec![plain("–")])
        });
    }
}

/// Whether a risk can be accepted: nobody can say that there is none.
fn is_open(verdict: &Verdict) -> bool {
    matches!(counted(verdict), Status::Affected | Status::Unknown)
}

fn in_short<'a>(decisions: impl Iterator<Item = &'a Decision>) -> Cell {
    let mut short = cell(Vec::new());
    for decision in decisions {
        short.badges.push(state(decision));
        if let (State::Standing, Some(end)) = (decision.state, decision.until) {
            short.spans.push(plain(format!("until {} ", time(end))));
        }
    }
    short
}

fn state(decision: &Decision) -> Badge {
    match (decision.state, decision.kind) {
        (State::Standing, Kind::Workaround) => badge("workaround in place", Tone::Information),
        (State::Standing, Kind::Acceptance) => badge("accepted", Tone::Information),
        (State::Unknown, _) => badge("decision not valid", Tone::Warning),
        (State::Expired, _) => badge("decision expired", Tone::Warning),
        (State::Reopened, _) => badge("decision reopened", Tone::Warning),
    }
}

/// The exposures to one advisory, and what was decided about them.
pub(super) struct Exposures<'a> {
    advisory: DocumentRef,
    /// Affected, or not known to be unaffected.
    open: Vec<&'a Verdict>,
    decisions: &'a Decisions,
}

impl<'a> Exposures<'a> {
    pub(super) fn new(
        knowledge: &'a Knowledge,
        known: &'a Headline,
        decisions: &'a Decisions,
    ) -> Self {
        let verdicts = knowledge.verdicts_of(&known.id);
        Self {
            advisory: DocumentRef {
                id: known.id.to_string(),
                revision: known.revision,
            },
            open: verdicts.filter(|verdict| is_open(verdict)).collect(),
            decisions,
        }
    }

    /// What was decided, in full, with how to take it back.
    pub(super) fn decisions(&self, may_act: bool, blocks: &mut Vec<Block>) {
        blocks.extend(problem(self.decisions));
        for decision in self.decisions.about(&self.advisory.id) {
            let ended = matches!(decision.state, State::Expired | State::Reopened);
            // An end that nobody has to do anything about is history.
            if ended && self.open.is_empty() {
                continue;
            }
            blocks.push(in_full(decision));
            if may_act && !ended {
                blocks.push(Block::Action(take_back(decision)));
            }
        }
    }

    /// Offers to accept the risk of what is exposed and not accepted.
    pub(super) fn accept(&self, blocks: &mut Vec<Block>) {
        let components = self.components(|_| true, |decision| decision.kind == Kind::Acceptance);
        if components.is_empty() {
            return;
        }
        blocks.push(heading("Workaround and risk acceptance"));
        blocks.push(paragraph("Mark a workaround that is in place below, at its description. Or accept the risk until a date:"));
        blocks.push(Block::Action(Action::AcceptRisk(AcceptRisk {
            advisory: self.advisory.clone(),
            components,
        })));
    }

    /// Offers to mark a workaround as in place for what is exposed and has no such mark.
    pub(super) fn mark(&self, workaround: &str, blocks: &mut Vec<Block>) {
        let components = self.components(
            |verdict| verdict.status == Status::Affected,
            |decision| decision.workaround.as_deref() == Some(workaround),
        );
        if components.is_empty() {
            return;
        }
        blocks.push(Block::Action(Action::MarkWorkaround(MarkWorkaround {
            advisory: self.advisory.clone(),
            workaround: workaround.to_owned(),
            components,
        })));
    }

    /// The components of these verdicts that have no such decision.
    fn components(
        &self,
        these: impl Fn(&Verdict) -> bool,
        such: impl Fn(&Decision) -> bool,
    ) -> Vec<String> {
        let open = self.open.iter().filter(|verdict| these(verdict));
        let without = open.filter(|verdict| !self.decisions.of(verdict).any(&such));
        without.map(|verdict| verdict.component.clone()).collect()
    }
}

fn in_full(decision: &Decision) -> Block {
    let whose = decision.component.as_deref().unwrap_or("every component");
    let what = match &decision.workaround {
        Some(workaround) => format!("Workaround {workaround} in place for {whose}"),
        None => format!("Risk accepted for {whose}"),
    };
    let until = decision
        .until
        .map(|end| format!(", until {}", time(end)))
        .unwrap_or_default();
    let said = format!("{what}: {} on {}{until}.", decision.by, time(decision.made));
    let reason = decision
        .reason
        .as_ref()
        .map(|reason| format!(" {reason}"))
        .unwrap_or_default();
    let why = decision
        .why
        .as_ref()
        .map(|why| format!(" ({why})"))
        .unwrap_or_default();
    match decision.state {
        State::Standing => notice(Tone::Information, format!("{said}{reason}")),
        State::Unknown => notice(
            Tone::Warning,
            format!("{said}{reason} It is not valid now{why}."),
        ),
        State::Expired => notice(
            Tone::Warning,
            format!("{said}{reason} It has expired: apply the correction or decide again."),
        ),
        State::Reopened => notice(
            Tone::Warning,
            format!(
                "{said}{reason} The advisory changed{why}: apply the correction or decide again."
            ),
        ),
    }
}

fn take_back(decision: &Decision) -> Action {
    let back = TakeBack {
        decision: decision.number,
        advisory: decision.advisory.id.clone(),
        workaround: decision.workaround.clone(),
        component: decision.component.clone(),
    };
    match decision.kind {
        Kind::Workaround => Action::LiftWorkaround(back),
        Kind::Acceptance => Action::WithdrawAcceptance(back),
    }
}
