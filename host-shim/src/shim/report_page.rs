//! The page on which a vulnerability is reported: what belongs there, before the form.

use spacecp_contract::{InScope, OrdinaryBug};

use super::pieces::{heading, notice, paragraph, plain};
use crate::{
    config::ReportConfig,
    plugin::bindings::exports::spacecp::advisories::pages::{Block, Item, Page, Tone},
    report::ReportingError,
};

/// Composes the page.
pub(crate) fn page(config: &ReportConfig) -> Page {
    let mut blocks = vec![
        paragraph(
            "Tell the vendor of a vulnerability in private. What you write is encrypted to the vendor on this panel before it leaves it, is kept nowhere here, and says who you are only if you do. Please do not speak about it elsewhere before the vendor has disclosed it.",
        ),
        heading("What belongs into a report"),
    ];
    blocks.extend(InScope::ALL.iter().map(|one| item(one.sentence())));
    blocks.push(heading("What is an ordinary bug"));
    blocks.push(paragraph(
        "These go to the vendor's ordinary bug reports. If you are in doubt, report in private.",
    ));
    blocks.extend(OrdinaryBug::ALL.iter().map(|one| item(one.sentence())));
    blocks.push(heading("While you look into it"));
    blocks.push(paragraph(
        "Keep to a panel of your own or one that the vendor gives you for testing; leave the data of others alone; deny nobody the service, nor run scanners that do; try neither people nor buildings. The vendor takes no legal steps against those who keep to that.",
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
    let first = characters.next().map(|first| first.to_uppercase());
    let first: String = first.into_iter().flatten().collect();
    format!("{first}{}.", characters.as_str())
}
