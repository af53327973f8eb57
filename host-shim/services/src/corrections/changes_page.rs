//! What a correction changes in a component, line by line.
//!
//! Composed by the shim: what somebody reads before they give their word must not be told by the plugin.

use spacecp_render::page_builder::{code, fact, heading, notice, paragraph, plain};

use crate::{
    apply::{Difference, Plan},
    plugin::bindings::exports::spacecp::advisories::pages::{
        Block, Diff, DiffLine, LineKind, Page, Tone,
    },
};

/// The page, from the plan and what is to be read of its files.
pub fn page(plan: &Plan, differences: &[Difference], embargo: bool) -> Page {
    let mut blocks = vec![Block::Facts(vec![
        fact(
            "Correction",
            vec![
                code(plan.correction.to_string()),
                plain(format!(" revision {}", plan.revision)),
            ],
        ),
        fact(
            "Version",
            vec![code(plan.from.clone()), plain(" → "), code(plan.to.clone())],
        ),
        fact("Files", vec![plain(plan.files.len().to_string())]),
    ])];
    let (here, others): (Vec<_>, Vec<_>) = differences.iter().partition(|one| one.here);
    if !here.is_empty() {
        blocks.push(heading("Local modifications"));
        blocks.push(notice(Tone::Warning, "These files were modified locally. The correction would replace them; a rollback restores them while the old tree is kept."));
        blocks.extend(here.iter().map(|one| Block::Diff(diff(one))));
    }
    if !others.is_empty() {
        blocks.push(heading("Changes by the correction"));
        blocks.extend(others.iter().map(|one| Block::Diff(diff(one))));
    }
    let left = plan.files.len().saturating_sub(differences.len());
    if left > 0 {
        blocks.push(paragraph(format!(
            "{left} more files are not shown; they are listed on the page of the advisory."
        )));
    }
    Page {
        title: format!("Changes in {}", plan.component),
        blocks,
        embargo,
    }
}

fn diff(difference: &Difference) -> Diff {
    // The first two lines of a unified difference name the files, which the page does itself.
    let lines = difference.lines.lines();
    let lines = lines.filter(|line| !line.starts_with("--- ") && !line.starts_with("+++ "));
    Diff {
        path: difference.path.to_string(),
        lines: lines.map(line).collect(),
    }
}

fn line(text: &str) -> DiffLine {
    let (kind, text) = match text.split_at_checked(1) {
        Some(("+", rest)) => (LineKind::Added, rest),
        Some(("-", rest)) => (LineKind::Removed, rest),
        Some((" ", rest)) => (LineKind::Same, rest),
        _ => (LineKind::Position, text),
    };
    DiffLine {
        kind,
        text: text.to_owned(),
    }
}
