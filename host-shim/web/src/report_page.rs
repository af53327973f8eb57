//! The page on which a vulnerability is reported: what belongs there, before the form.

use spacecp_contract::{InScope, OrdinaryBug};

use spacecp_plugin_host::bindings::exports::spacecp::advisories::pages::{Block, Item, Page, Tone};
use spacecp_render::page_builder::{heading, notice, paragraph, plain};
use spacecp_services::{ReportConfig, report::ReportingError};

/// Composes the page.
pub(crate) fn page(config: &ReportConfig) -> Page {
    let mut blocks = vec![
        paragraph(
            "Report a vulnerability to the vendor confidentially. The report is encrypted to the vendor on this panel, is not stored here, and identifies you only if you fill in your contact. Please do not disclose it before the vendor does.",
        ),
        heading("In scope"),
    ];
    blocks.extend(InScope::ALL.iter().map(|one| item(one.sentence())));
    blocks.push(heading("Out of scope"));
    blocks.push(paragraph(
        "Report these as ordinary bugs. If in doubt, report confidentially.",
    ));
    blocks.extend(OrdinaryBug::ALL.iter().map(|one| item(one.sentence())));
    blocks.push(heading("Rules for testing"));
    blocks.push(paragraph(
        "Use your own panel or a test panel from the vendor. Do not access data of others, cause denial of service or run scanners that do, and do not use social engineering or physical access. The vendor takes no legal action against finders who follow these rules.",
    ));
    if config.recipient.is_none() {
        let words = ReportingError::NoRecipient.to_string();
        blocks.push(notice(Tone::Warning, sentence(&words)));
    }
    Page {
        title: "Report a vulnerability".to_owned(),
        blocks,
        embargo: false,
    }
}

fn item(words: &str) -> Block {
    Block::Item(Item {
        depth: 0,
        number: None,
        spans: vec![plain(sentence(words))],
    })
}

/// With a capital first and a full stop last.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    let first = characters.next().map(char::to_uppercase);
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", characters.as_str())
}
