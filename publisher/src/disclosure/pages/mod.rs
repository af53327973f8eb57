//! Pages for people: one for each advisory, and one that lists them.
//!
//! They run nothing, load nothing and ask nobody; every text of an advisory is escaped.

mod advisory;
mod affected;
mod frame;
mod index;

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};
use spacecp_contract::{Advisory, DocumentId, Severity, rate};
use spacecp_formats::timeline;

use super::{
    Public,
    addresses::{self, Addresses, CSAF, OSV, PAGES},
    public::Disclosed,
    settings::Settings,
    site::{Site, SiteError, Turn},
};
use crate::markdown::{self, Addresses as Links};

/// The names of documents in a format, by advisory.
type Names = BTreeMap<DocumentId, String>;

/// Adds the pages, and the signed documents that they tell how to check.
pub(super) fn write(
    public: &Public,
    settings: &Settings,
    addresses: &Addresses,
    csaf: &Names,
    osv: &Names,
    site: &mut Site,
) -> Result<(), SiteError> {
    for disclosed in &public.advisories {
        let id = &disclosed.advisory.id;
        let documents = Documents {
            csaf: csaf.get(id).map(|name| format!("../{CSAF}/{name}")),
            osv: osv.get(id).map(|name| format!("../{OSV}/{name}")),
        };
        let page = advisory::page(disclosed, public, settings, addresses, &documents);
        site.put(Turn::Document, addresses::page(id), page.into_string())?;
        signed(disclosed, site)?;
    }
    let page = index::page(public, settings);
    site.put(
        Turn::List,
        format!("{PAGES}/index.html"),
        page.into_string(),
    )
}

/// The signed document, each signature in a file of its own as the program minisign reads them.
fn signed(disclosed: &Disclosed, site: &mut Site) -> Result<(), SiteError> {
    let Some(signed) = &disclosed.signed else {
        return Ok(());
    };
    let path = addresses::signed(&disclosed.advisory.id);
    for (number, signature) in (1..).zip(&signed.signatures) {
        let path = format!("{path}.{number}.minisig");
        site.put(Turn::Beside, path, signature.text.clone())?;
    }
    site.put(Turn::Document, path, signed.bytes.clone())
}

/// Where the same advisory is for machines, from its page.
struct Documents {
    csaf: Option<String>,
    osv: Option<String>,
}

/// The HTML of a text of an advisory.
pub(super) fn markdown(text: &str) -> Markup {
    markdown::html(text, Links::Followed)
}

/// What became of an advisory that is no longer what it was: a word, and a sentence.
pub(super) fn state(disclosed: &Disclosed) -> Option<(&'static str, String)> {
    let advisory = &disclosed.advisory;
    if let Some(since) = advisory.withdrawn {
        let reason = timeline::reason_of_withdrawal(advisory).unwrap_or("No reason given.");
        let day = since.strftime("%Y-%m-%d");
        return Some(("Withdrawn", format!("Withdrawn on {day}: {reason}")));
    }
    let newer: Vec<&str> = disclosed
        .successors
        .iter()
        .map(|one| one.id.as_str())
        .collect();
    if newer.is_empty() {
        return None;
    }
    let mut words = format!("Superseded by {}.", newer.join(", "));
    for reason in disclosed
        .successors
        .iter()
        .filter_map(|one| one.reason.as_ref())
    {
        words.push_str(&format!(" {reason}"));
    }
    Some(("Superseded", words))
}

/// The severity as people say it: a word, and the score that it stands for.
pub(super) fn severity_in_words(advisory: &Advisory) -> String {
    let rating = rate(&advisory.severity);
    match rating.score {
        Some(score) => format!("Severity: {} ({})", rating.severity.name(), tenths(score)),
        None => format!("Severity: {}", rating.severity.name()),
    }
}

fn tenths(score: u8) -> String {
    format!("{}.{}", score / 10, score % 10)
}

/// A severity as a badge: the word says it, and the colour repeats it.
fn badge(advisory: &Advisory) -> Markup {
    let rating = rate(&advisory.severity);
    let colour = match rating.severity {
        Severity::Critical | Severity::High => "danger",
        Severity::Medium => "warning",
        Severity::Low => "information",
        Severity::None | Severity::Unrated => "neutral",
    };
    html! {
        span class=(format!("badge {colour}")) { (rating.severity.name()) }
        @if let Some(score) = rating.score { " " (tenths(score)) }
    }
}

/// A moment, to the minute.
fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M UTC")) } }
}

/// A day.
fn day(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d")) } }
}
