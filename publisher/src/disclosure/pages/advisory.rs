//! The page of one advisory.

use cvss::Cvss;
use maud::{Markup, html};
use spacecp_contract::{Advisory, DocumentId, DocumentKind, TrustedComment, rate};
use spacecp_formats::vector;

use super::{Documents, affected, badge, frame, markdown, moment, state, tenths};
use crate::{
    disclosure::{
        Disclosed, Public,
        addresses::{self, Addresses},
        public::SignedBytes,
        settings::Settings,
    },
    markdown::is_web,
};

/// The page.
pub(super) fn page(
    disclosed: &Disclosed,
    public: &Public,
    settings: &Settings,
    addresses: &Addresses,
    documents: &Documents,
) -> Markup {
    let advisory = &disclosed.advisory;
    let main = html! {
        (notice(disclosed))
        h1 { (advisory.title) }
        (facts(disclosed))
        (text("Issue", &advisory.issue))
        (text("Impacts", &advisory.impacts))
        (affected::section(advisory))
        (text("Solution", &advisory.solution))
        @if !advisory.workarounds.is_empty() {
            h2 { "Workarounds" }
            @for workaround in &advisory.workarounds { (markdown(&workaround.text)) }
        }
        (vectors(advisory))
        (people(advisory))
        (history(disclosed))
        (further(disclosed, public))
        (forms(documents))
        @if let Some(signed) = &disclosed.signed { (check(advisory, signed, addresses)) }
    };
    let title = format!("{}: {}", advisory.id, advisory.title);
    frame::page(settings, &title, &settings.language, main)
}

/// What a reader has to know first: that it no longer holds.
fn notice(disclosed: &Disclosed) -> Markup {
    let state = state(disclosed);
    html! {
        @if let Some((_, words)) = &state {
            div.notice.warning role="note" {
                strong { (words) }
                @for newer in &disclosed.successors {
                    " " a href=(format!("{}.html", newer.id)) { "Read " (newer.id) " instead." }
                }
                @if disclosed.advisory.withdrawn.is_some() {
                    " The text before the withdrawal follows."
                }
            }
        }
    }
}

fn facts(disclosed: &Disclosed) -> Markup {
    let advisory = &disclosed.advisory;
    let weaknesses: Vec<String> = advisory
        .cwe
        .iter()
        .map(|one| format!("CWE-{one}"))
        .collect();
    html! {
        dl.facts {
            div { dt { "Advisory" } dd { (advisory.id) ", revision " (advisory.revision) } }
            div { dt { "Severity" } dd { (badge(advisory)) } }
            div { dt { "Published" } dd { (moment(disclosed.first())) } }
            div { dt { "Changed" } dd { (moment(advisory.modified)) } }
            @if !advisory.aliases.is_empty() {
                div { dt { "Aliases" } dd { (advisory.aliases.join(", ")) } }
            }
            @if !weaknesses.is_empty() {
                div { dt { "Weaknesses" } dd { (weaknesses.join(", ")) } }
            }
            div { dt { "Attacks" } dd {
                @if advisory.known_exploited { span.badge.danger { "known" } } @else { "none known" }
            } }
            @if !advisory.corrections.is_empty() {
                div { dt { "Corrections" } dd {
                    (advisory.corrections.iter().map(DocumentId::as_str).collect::<Vec<_>>().join(", "))
                } }
            }
        }
    }
}

fn text(title: &str, words: &str) -> Markup {
    html! { @if !words.trim().is_empty() { h2 { (title) } (markdown(words)) } }
}

/// Every vector with the score that it computes to.
fn vectors(advisory: &Advisory) -> Markup {
    html! {
        @if !advisory.severity.is_empty() {
            h2 { "CVSS vectors" }
            table.rows {
                thead { tr { th scope="col" { "System" } th scope="col" { "Score" } th scope="col" { "Vector" } } }
                tbody {
                    @for vector in &advisory.severity {
                        tr {
                            td data-label="System" { span { (system(vector)) } }
                            td data-label="Score" { span { (score(vector)) } }
                            td data-label="Vector" { span { code { (vector) } } }
                        }
                    }
                }
            }
        }
    }
}

fn system(vector: &str) -> &'static str {
    match vector.parse::<Cvss>() {
        Ok(Cvss::CvssV40(_)) => "CVSS v4.0",
        Ok(Cvss::CvssV31(_)) => "CVSS v3.1",
        Ok(Cvss::CvssV30(_)) => "CVSS v3.0",
        _ => "CVSS",
    }
}

fn score(text: &str) -> String {
    let rating = rate(&[text.to_owned()]);
    match rating.score {
        Some(score) if vector::computes(text).is_ok() => {
            format!("{} ({})", tenths(score), rating.severity.name())
        }
        _ => "invalid vector".to_owned(),
    }
}

fn people(advisory: &Advisory) -> Markup {
    html! {
        @if !advisory.credits.is_empty() {
            h2 { "Credits" }
            ul { @for credit in &advisory.credits { li { (credit.name) " (" (credit.role) ")" } } }
        }
    }
}

fn history(disclosed: &Disclosed) -> Markup {
    let advisory = &disclosed.advisory;
    html! {
        @if !advisory.timeline.is_empty() {
            h2 { "Timeline" }
            ol.timeline {
                @for entry in &advisory.timeline { li { (moment(entry.at)) (entry.event) } }
            }
        }
        @if !disclosed.editions.is_empty() {
            h2 { "Revisions" }
            ol.timeline {
                @for edition in &disclosed.editions {
                    li { (moment(edition.at)) "Revision " (edition.revision) }
                }
            }
        }
    }
}

fn further(disclosed: &Disclosed, public: &Public) -> Markup {
    let advisory = &disclosed.advisory;
    html! {
        @if !advisory.supersedes.is_empty() {
            h2 { "Supersedes" }
            ul {
                @for id in &advisory.supersedes {
                    @if let Some(older) = public.get(id) {
                        li { a href=(format!("{id}.html")) { (id) ": " (older.advisory.title) } }
                    }
                }
            }
        }
        @if !advisory.references.is_empty() {
            h2 { "References" }
            ul {
                @for reference in &advisory.references {
                    li {
                        (reference.title) ": "
                        @if is_web(&reference.url) {
                            a href=(reference.url) rel="noopener noreferrer" { (reference.url) }
                        } @else { (reference.url) }
                    }
                }
            }
        }
    }
}

fn forms(documents: &Documents) -> Markup {
    html! {
        @if documents.csaf.is_some() || documents.osv.is_some() {
            h2 { "Machine-readable formats" }
            ul {
                @if let Some(csaf) = &documents.csaf { li { a href=(csaf) { "CSAF 2.0" } } }
                @if let Some(osv) = &documents.osv { li { a href=(osv) { "OSV" } } }
            }
        }
    }
}

/// How to find out that the vendor said this, and nobody else.
fn check(advisory: &Advisory, signed: &SignedBytes, addresses: &Addresses) -> Markup {
    let path = addresses::signed(&advisory.id);
    let name = format!("{}.signed", advisory.id);
    let comment =
        TrustedComment::for_parts(DocumentKind::Advisory, &advisory.id, advisory.revision);
    let numbered = || (1..).zip(&signed.signatures);
    let mut commands = format!("curl -O {}\n", addresses.of_path(&path));
    for (number, _) in numbered() {
        let url = addresses.of_path(&format!("{path}.{number}.minisig"));
        commands.push_str(&format!("curl -O {url}\n"));
    }
    for (number, signature) in numbered() {
        let key = &signature.key;
        commands.push_str(&format!(
            "minisign -V -m {name} -x {name}.{number}.minisig -P {key}\n"
        ));
    }
    html! {
        h2 { "Check the signature" }
        p {
            "Panels verify the signed document, not this page. It is signed with "
            a href="https://jedisct1.github.io/minisign/" rel="noopener noreferrer" { "minisign" }
            ": " a href=(name) { "the document" }
            @for (number, _) in numbered() {
                ", " a href=(format!("{name}.{number}.minisig")) { "signature " (number) }
            }
            "."
        }
        pre { code { (commands) } }
        p {
            "The trusted comment shown must be " code { (comment) }
            @if signed.threshold > 1 { ", and " (signed.threshold) " of the signatures must be valid" }
            ". Compare each key with a copy obtained over another channel."
        }
    }
}
