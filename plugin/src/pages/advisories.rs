//! The advisories received.

use std::cmp::Reverse;

use spacecp_contract::NoticeKind;

use super::{
    badge, cell, counted, day, labelled,
    listing::{cut, filter, has_all, narrows, words},
    outdated,
    overview::labels,
    paragraph, plain, status_badge, to_advisory,
};
use crate::{
    bindings::exports::spacecp::advisories::{
        exposure::{Mark, Status},
        pages::{Badge, Block, Cell, Listing, Order, Page, Place, Standing, Table, Tone},
    },
    exposure::gravity,
    headline::Headline,
    knowledge::Knowledge,
    running, severity,
};

/// Composes the page, with the advisories that are asked for.
pub fn advisories(knowledge: &Knowledge, listing: &Listing) -> Page {
    let words = words(listing);
    let mut found: Vec<&Headline> = knowledge
        .advisories()
        .filter(|known| fits(knowledge, known, listing) && has_all(&text(knowledge, known), &words))
        .collect();
    put_in_order(knowledge, &mut found, listing.order);
    let received = counted(knowledge.advisories().count(), "advisory", "advisories");
    let (shown, pager) = cut(&found, Place::Advisories, listing);
    let mut blocks = vec![
        filter(Place::Advisories, listing),
        paragraph(if narrows(listing) {
            format!("{} of {received} match.", found.len())
        } else {
            format!("{received} received.")
        }),
        Block::Table(Table {
            caption: "Advisories".to_owned(),
            columns: ["Advisory", "Title", "Severity", "This panel", "Changed"]
                .map(str::to_owned)
                .to_vec(),
            rows: shown.iter().map(|known| row(knowledge, known)).collect(),
            empty: if narrows(listing) {
                "No matching advisories. Remove a filter.".to_owned()
            } else {
                "No advisories received yet.".to_owned()
            },
        }),
    ];
    blocks.extend(pager);
    Page {
        title: "Advisories".to_owned(),
        blocks,
        embargo: shown.iter().any(|known| known.embargo),
    }
}

fn row(knowledge: &Knowledge, known: &Headline) -> Vec<Cell> {
    vec![
        cell(vec![to_advisory(&known.id)]),
        cell(vec![plain(&*known.title)]),
        labelled(labels(known)),
        labelled(vec![standing(knowledge, known)]),
        cell(vec![plain(day(known.modified))]),
    ]
}

/// Whether an advisory is one of those that are asked for, but for the words.
fn fits(knowledge: &Knowledge, known: &Headline, listing: &Listing) -> bool {
    let stands = |wanted| match wanted {
        // Wherever they are about something here or not.
        Standing::Notice => known.notice.is_some(),
        wanted => stands(knowledge, known) == wanted,
    };
    let severe = |least| severity::rank(known.rating.severity) >= severity::rank(least);
    listing.standing.is_none_or(stands)
        && listing.least_severity.is_none_or(severe)
        && (!listing.known_exploited || known.known_exploited)
        && (!listing.embargo || known.embargo)
}

fn put_in_order(knowledge: &Knowledge, found: &mut [&Headline], order: Order) {
    let score = |known: &Headline| (known.rating.score, severity::rank(known.rating.severity));
    // They come by id, and keep that order where they are alike.
    match order {
        Order::Urgency => found.sort_by_cached_key(|known| {
            Reverse((
                known.notice.is_none(),
                gravest(knowledge, known).map(gravity),
                known.known_exploited,
                score(known),
                known.modified,
            ))
        }),
        Order::Severity => found.sort_by_key(|known| Reverse(score(known))),
        Order::Changed => found.sort_by_key(|known| Reverse(known.modified)),
        Order::Published => found.sort_by_key(|known| Reverse(known.published)),
        Order::Name => found.sort_by(|one, other| one.id.cmp(&other.id)),
    }
}

/// The gravest verdict that an advisory has on this panel.
fn gravest(knowledge: &Knowledge, known: &Headline) -> Option<Status> {
    knowledge
        .verdicts_of(&known.id)
        .map(running::counted)
        .max_by_key(|status| gravity(*status))
}

/// How an advisory stands here. One that is not in force has no verdicts.
fn stands(knowledge: &Knowledge, known: &Headline) -> Standing {
    if known.notice.is_some() {
        return Standing::Notice;
    }
    match gravest(knowledge, known) {
        Some(Status::Affected) => Standing::Exposed,
        Some(Status::Unknown) => Standing::Undecided,
        Some(Status::Fixed | Status::NotAffected) => Standing::Clear,
        None => Standing::Unrelated,
    }
}

/// The mark that makes an advisory stand as it does, where no verdict about what is installed is as grave.
fn worst_mark(knowledge: &Knowledge, known: &Headline) -> Option<Mark> {
    let worst = gravest(knowledge, known)?;
    let mut as_grave = knowledge
        .verdicts_of(&known.id)
        .filter(|verdict| running::counted(verdict) == worst);
    let first = as_grave.next()?;
    if first.status == worst || as_grave.any(|verdict| verdict.status == worst) {
        return None;
    }
    first.mark
}

pub(super) fn standing(knowledge: &Knowledge, known: &Headline) -> Badge {
    if known.withdrawn.is_some() {
        return badge("withdrawn", Tone::Neutral);
    }
    if !knowledge.in_force(known) {
        return badge("superseded", Tone::Neutral);
    }
    if let Some(mark) = worst_mark(knowledge, known) {
        return outdated::mark_badge(mark);
    }
    match (known.notice, gravest(knowledge, known)) {
        (_, None) => badge("not installed", Tone::Neutral),
        (Some(_), Some(Status::Affected)) => badge("concerned", Tone::Information),
        (_, Some(status)) => status_badge(status),
    }
}

/// What the words of a search are looked for in: id, aliases, title, severity and components.
fn text(knowledge: &Knowledge, known: &Headline) -> String {
    let mut text = format!(
        "{} {} {} {} {}",
        known.id,
        known.title,
        known.aliases.join(" "),
        severity::name(known.rating.severity),
        known.notice.map_or("", NoticeKind::as_str)
    );
    for component in knowledge.affected_by(&known.id) {
        text.push(' ');
        text.push_str(component);
    }
    text
}
