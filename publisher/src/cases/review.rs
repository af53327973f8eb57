//! The copy of an advisory that its finder reviews: the same words, and on every page whose copy it is.
//!
//! A copy has a mark of its own, so that one that turns up elsewhere says where it came from. It fetches
//! nothing, links nowhere and runs nothing.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use spacecp_contract::Advisory;

use super::id::CaseId;
use crate::markdown;

/// A copy, twice: for a browser and for a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewCopy {
    /// A whole page.
    pub html: String,
    /// The same as text.
    pub text: String,
}

/// The system gave no randomness.
#[derive(Debug, thiserror::Error)]
#[error("the system's random number generator failed: {0}")]
pub struct RandomError(#[from] getrandom::Error);

/// A mark that no other copy has: `R-` and 16 hexadecimal digits.
pub fn mark() -> Result<String, RandomError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)?;
    Ok(format!("R-{}", hex::encode(bytes)))
}

/// A passphrase for a finder who has no key: 128 bits of chance, in groups that can be read out.
pub fn passphrase() -> Result<zeroize::Zeroizing<String>, RandomError> {
    let mut bytes = zeroize::Zeroizing::new([0; 16]);
    getrandom::fill(bytes.as_mut_slice())?;
    let groups: Vec<String> = bytes.chunks(2).map(hex::encode).collect();
    Ok(zeroize::Zeroizing::new(groups.join("-")))
}

/// Composes a copy.
pub fn compose(case: &CaseId, advisory: &Advisory, mark: &str) -> ReviewCopy {
    let watermark = format!("Review copy for case {case}, not for publication. Mark {mark}.");
    let parts = parts(advisory);
    ReviewCopy {
        text: text(advisory, &parts, &watermark),
        html: page(advisory, &parts, &watermark).into_string(),
    }
}

/// A heading with what stands below it, as Markdown.
type Part = (&'static str, String);

fn parts(advisory: &Advisory) -> Vec<Part> {
    let mut parts = vec![
        ("Issue", advisory.issue.clone()),
        ("Impacts", advisory.impacts.clone()),
        ("Solution", advisory.solution.clone()),
        (
            "Workarounds",
            list(&advisory.workarounds, |one| one.text.clone()),
        ),
        ("Affected", list(&advisory.affected, affected)),
        (
            "Severity",
            list(&advisory.severity, |one| format!("`{one}`")),
        ),
        (
            "Weaknesses",
            list(&advisory.cwe, |one| format!("CWE-{one}")),
        ),
        ("Aliases", list(&advisory.aliases, String::clone)),
        (
            "Credits",
            list(&advisory.credits, |one| {
                format!("{} ({})", one.name, one.role)
            }),
        ),
        (
            "Timeline",
            list(&advisory.timeline, |one| {
                format!("{}: {}", one.at, one.event)
            }),
        ),
        (
            "References",
            list(&advisory.references, |one| {
                format!("{}: {}", one.title, one.url)
            }),
        ),
    ];
    if advisory.credits.is_empty() {
        parts.push(("Credits", "No credits.".to_owned()));
    }
    parts.retain(|(_, text)| !text.trim().is_empty());
    parts
}

fn list<T>(items: &[T], words: impl Fn(&T) -> String) -> String {
    let lines: Vec<String> = items
        .iter()
        .map(|item| format!("- {}", words(item).trim().replace('\n', "\n  ")))
        .collect();
    lines.join("\n")
}

fn affected(affected: &spacecp_contract::Affected) -> String {
    let mut spans: Vec<String> = Vec::new();
    for range in &affected.ranges {
        let end = match (&range.fixed, &range.last_affected, &range.limit) {
            (Some(fixed), ..) => format!("before {fixed}"),
            (_, Some(last), _) => format!("up to {last}"),
            (_, _, Some(limit)) => format!("as far as {limit}"),
            _ => "and all later versions".to_owned(),
        };
        spans.push(format!("from {} {end}", range.introduced));
    }
    spans.extend(affected.versions.iter().cloned());
    format!("{}: {}", affected.component, spans.join("; "))
}

fn text(advisory: &Advisory, parts: &[Part], watermark: &str) -> String {
    let rule = "=".repeat(watermark.chars().count());
    let banner = format!("{rule}\n{watermark}\n{rule}\n");
    let mut text = format!(
        "{banner}\n{}\n{}, revision {}, {}\n",
        advisory.title, advisory.id, advisory.revision, advisory.tlp
    );
    for (heading, words) in parts {
        text.push_str(&format!("\n{heading}  [{watermark}]\n\n{}\n", words.trim()));
    }
    text.push_str(&format!("\n{banner}"));
    text
}

const STYLE: &str = "body{font-family:sans-serif;max-width:46em;margin:0 auto;padding:1em;line-height:1.5}\
.mark{border:2px solid #a00;color:#a00;background:#fff;padding:.5em;font-weight:bold}\
section p.mark{border-width:0 0 0 2px;font-size:.8em;font-weight:normal}\
@media print{.mark{position:static}}";

fn page(advisory: &Advisory, parts: &[Part], watermark: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width";
                title { "Review copy: " (advisory.id) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.mark role="note" { (watermark) }
                main {
                    h1 { (advisory.title) }
                    p { (advisory.id) ", revision " (advisory.revision) ", " (advisory.tlp) }
                    @for (heading, words) in parts {
                        section {
                            h2 { (heading) }
                            p.mark { (watermark) }
                            (markdown::html(words, markdown::Addresses::Written))
                        }
                    }
                }
                p.mark { (watermark) }
            }
        }
    }
}
