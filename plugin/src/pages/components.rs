//! The components installed: in which version, read from where, and how each stands.

use std::collections::HashMap;

use super::{
    badge, cell, code, counted,
    listing::{cut, filter, has_all, narrows, words},
    notice, outdated, paragraph, plain, status_badge, strong, unread,
};
use crate::{
    bindings::{
        exports::spacecp::advisories::{
            exposure::{Status, Verdict},
            pages::{Badge, Block, Cell, Listing, Order, Page, Place, Standing, Table, Tone},
        },
        spacecp::advisories::inventory::Component,
    },
    exposure::gravity,
    knowledge::Knowledge,
    running,
};

/// Composes the page, with the components that are asked for.
pub fn components(knowledge: &Knowledge, listing: &Listing) -> Page {
    let verdicts = knowledge.verdicts();
    let found = Found::new(&verdicts);
    let words = words(listing);
    let mut fitting: Vec<&Component> = knowledge
        .components()
        .iter()
        .filter(|component| {
            let stands = |wanted| found.stands(component) == wanted;
            listing.standing.is_none_or(stands) && has_all(&text(component), &words)
        })
        .collect();
    if listing.order == Order::Name {
        fitting.sort_by(|one, other| one.name.cmp(&other.name));
    } else {
        fitting.sort_by_key(|component| std::cmp::Reverse(rank(found.stands(component))));
    }
    let all = counted(knowledge.components().len(), "component", "components");
    let unread = knowledge.components().iter();
    let unread = unread.filter(|component| component.version.is_none());
    let (shown, pager) = cut(&fitting, Place::Components, listing);
    let mut blocks = vec![
        filter(Place::Components, listing),
        paragraph(if narrows(listing) {
            format!("{} of {all} match.", fitting.len())
        } else {
            format!("{all} found on this machine.")
        }),
    ];
    blocks.push(paragraph(knowledge.coverage()));
    match unread.count() {
        0 => {}
        one_or_more => {
            let of = counted(one_or_more, "component has", "components have");
            blocks.push(notice(Tone::Warning, format!("{of} a version that could not be read. Their status is unknown; the reason is in their row.")));
        }
    }
    blocks.extend(unread::blocks(knowledge));
    outdated::section(shown.iter().copied(), &mut blocks);
    blocks.push(Block::Table(Table {
        caption: "Installed components".to_owned(),
        columns: [
            "Component",
            "Version",
            "Standing",
            "Name in advisories",
            "Read from",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: shown
            .iter()
            .map(|component| row(component, &found))
            .collect(),
        empty: if narrows(listing) {
            "No matching components. Remove a filter.".to_owned()
        } else {
            "No components configured: status unknown. Add components to the configuration."
                .to_owned()
        },
    }));
    blocks.extend(pager);
    Page {
        title: "Components".to_owned(),
        blocks,
        // That something is exposed to an advisory under embargo is a part of it.
        embargo: shown.iter().any(|component| found.under_embargo(component)),
    }
}

/// What was found about each component.
struct Found<'a> {
    of: HashMap<&'a str, Vec<&'a Verdict>>,
}

impl<'a> Found<'a> {
    fn new(verdicts: &[&'a Verdict]) -> Self {
        let mut of: HashMap<&str, Vec<&Verdict>> = HashMap::new();
        for verdict in verdicts {
            of.entry(&verdict.component).or_default().push(verdict);
        }
        Self { of }
    }

    fn verdicts(&self, component: &Component) -> &[&'a Verdict] {
        self.of
            .get(component.name.as_str())
            .map_or(&[], Vec::as_slice)
    }

    fn gravest(&self, component: &Component) -> Option<Status> {
        let statuses = self
            .verdicts(component)
            .iter()
            .map(|verdict| running::counted(verdict));
        statuses.max_by_key(|status| gravity(*status))
    }

    fn stands(&self, component: &Component) -> Standing {
        match (self.gravest(component), &component.version) {
            (Some(Status::Affected), _) => Standing::Exposed,
            (Some(Status::Unknown), _) | (_, None) => Standing::Undecided,
            (Some(Status::Fixed | Status::NotAffected), Some(_)) => Standing::Clear,
            (None, Some(_)) => Standing::Unrelated,
        }
    }

    fn badge(&self, component: &Component) -> Badge {
        match (self.stands(component), self.gravest(component)) {
            (Standing::Exposed, _) => {
                let exposures = self.verdicts(component).iter();
                let exposures: Vec<_> = exposures
                    .filter(|verdict| running::counted(verdict) == Status::Affected)
                    .collect();
                if exposures
                    .iter()
                    .all(|verdict| verdict.status != Status::Affected)
                {
                    let mark = exposures.first().and_then(|verdict| verdict.mark);
                    return mark
                        .map_or_else(|| status_badge(Status::Affected), outdated::mark_badge);
                }
                match exposures.len() {
                    1 => status_badge(Status::Affected),
                    several => badge(format!("affected by {several}"), Tone::Danger),
                }
            }
            (Standing::Undecided, _) => status_badge(Status::Unknown),
            (Standing::Clear, Some(status)) => status_badge(status),
            (Standing::Clear | Standing::Unrelated | Standing::Notice, _) => {
                badge("no advisory", Tone::Neutral)
            }
        }
    }

    fn under_embargo(&self, component: &Component) -> bool {
        let verdicts = self.verdicts(component).iter();
        let mut told = verdicts.filter(|verdict| {
            matches!(
                running::counted(verdict),
                Status::Affected | Status::Unknown
            )
        });
        told.any(|verdict| verdict.embargo)
    }
}

fn rank(standing: Standing) -> u8 {
    match standing {
        Standing::Exposed => 3,
        Standing::Undecided => 2,
        Standing::Clear => 1,
        Standing::Unrelated | Standing::Notice => 0,
    }
}

fn row(component: &Component, found: &Found<'_>) -> Vec<Cell> {
    let version = match (&component.version, &component.problem) {
        (Some(version), _) => plain(version.clone()),
        (None, Some(problem)) => plain(format!("not known: {problem}")),
        (None, None) => plain("not known"),
    };
    vec![
        cell(vec![strong(component.name.clone())]),
        cell(vec![version]),
        Cell {
            badges: vec![found.badge(component)],
            spans: Vec::new(),
        },
        cell(vec![code(component.advisory_name.clone())]),
        cell(vec![code(component.found_at.clone())]),
    ]
}

fn text(component: &Component) -> String {
    let version = component.version.as_deref().unwrap_or_default();
    format!(
        "{} {} {version} {}",
        component.name, component.advisory_name, component.found_at
    )
}
