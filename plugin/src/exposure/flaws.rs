//! Several advisories about one flaw: what they call it tells.
//!
//! A flaw must not be counted twice because two vendors wrote about it, and no flaw may disappear
//! behind another one. So a verdict gives way only to a graver one about the same component whose
//! advisory covers it: it goes by a name that the two share, and it names no CVE that the other does
//! not name. What is public and what is under embargo stay apart: each would say too much of the other, or
//! hide it from whoever may know of it.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::bindings::exports::spacecp::advisories::exposure::Verdict;

/// The place of a verdict that stands, and the places of others about its flaw.
type Merged = (usize, Vec<usize>);

/// The verdicts that stand, in the order in which they came: the gravest first.
pub(crate) fn merge<'a>(
    verdicts: &[&'a Verdict],
    aliases: impl Fn(&str) -> &'a [String],
) -> Vec<Merged> {
    let mut standing: Vec<Merged> = Vec::with_capacity(verdicts.len());
    // Where a verdict about this component stands whose advisory goes by this name.
    let mut named: FxHashMap<(&str, &str), Vec<usize>> = FxHashMap::default();
    for (place, verdict) in verdicts.iter().enumerate() {
        let id = verdict.advisory.id.as_str();
        let names: BTreeSet<&str> = aliases(id).iter().map(String::as_str).chain([id]).collect();
        let shared = names
            .iter()
            .filter_map(|name| named.get(&(verdict.component.as_str(), *name)))
            .flatten();
        let over = shared.copied().find(|over| {
            let over = verdicts[standing[*over].0];
            over.embargo == verdict.embargo && covers(aliases(&over.advisory.id), &names)
        });
        if let Some(over) = over {
            standing[over].1.push(place);
            continue;
        }
        for name in names {
            let standing_here = named.entry((&verdict.component, name)).or_default();
            standing_here.push(standing.len());
        }
        standing.push((place, Vec::new()));
    }
    standing
}

/// Whether an advisory of these aliases names every CVE that there is among `names`.
fn covers(aliases: &[String], names: &BTreeSet<&str>) -> bool {
    let mut cves = names.iter().filter(|name| name.starts_with("CVE-"));
    cves.all(|cve| aliases.iter().any(|alias| alias == cve))
}
