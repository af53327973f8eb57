//! What a request says, for whoever is to sign it: a key on a machine of its own vouches for what its
//! holder was shown, and for nothing else.
//!
//! Free text is quoted, so that a terminal shows what is there and does not obey it.

use spacecp_contract::{Advisory, Correction, Head, Index, Root, Unlisted, VersionRange};

use crate::requests::{Request, Wanted};

/// A request in words: what is wanted of it, and what a signature would say.
pub(super) fn described(request: &Request, how: &str) -> String {
    let comment = request.wanted().comment();
    let path = request.path().display();
    let mut words = format!(
        "{path} {how}.\n  comment: {comment}\n  digest:  {}",
        request.digest()
    );
    for line in lines(request.wanted()) {
        words.push_str("\n  ");
        words.push_str(&line);
    }
    words
}

fn lines(wanted: &Wanted) -> Vec<String> {
    match wanted {
        Wanted::Root(root) => of_root(root),
        Wanted::Advisory(advisory) => of_advisory(advisory),
        Wanted::Correction(correction) => of_correction(correction),
        Wanted::Index(index) => of_index(index),
        Wanted::Head(head) => of_head(head),
    }
}

fn of_index(index: &Index) -> Vec<String> {
    let mut lines = vec![
        format!("for:     {}", index.audience),
        format!("lists:   {} documents", index.documents.len()),
    ];
    if let Some(sealed) = &index.sealed {
        lines.push(format!("sealed:  {}", sealed.index.digest));
    }
    lines
}

fn of_head(head: &Head) -> Vec<String> {
    vec![
        format!("for:     {}", head.audience),
        format!("expires: {}", head.expires),
        format!("index:   {}", head.index),
    ]
}

fn of_root(root: &Root) -> Vec<String> {
    let mut lines = vec![
        format!("for:     {}", root.audience),
        format!("expires: {}", root.expires),
    ];
    if root.sequence_epoch != 0 {
        lines.push(format!(
            "EPOCH {}: SEQUENCES AND REVISIONS RESTART on every panel that is at a lower epoch. It discards \
             its state, and can be served older documents again.",
            root.sequence_epoch
        ));
    }
    // The keys themselves: an id is a label that anybody can give to a key of their own.
    for (role, held) in &root.roles {
        lines.push(format!("{role}: {} of", held.threshold));
        lines.extend(held.keys.iter().map(|key| format!("  {key:?}")));
    }
    lines
}

fn of_advisory(advisory: &Advisory) -> Vec<String> {
    let embargo = advisory.embargo_until.map_or_else(String::new, |until| {
        format!(", under embargo until {until}")
    });
    let exploited = if advisory.known_exploited {
        ", known exploited"
    } else {
        ""
    };
    let mut lines = vec![
        format!("title:   {:?}", advisory.title),
        format!("for:     {}", advisory.audience),
        format!("shared:  {}{embargo}", advisory.tlp),
        format!("severity: {}{exploited}", quoted(&advisory.severity)),
    ];
    if let Some(source) = &advisory.source {
        lines.push(format!("source:  {:?}, in {}", source.id, source.format));
    }
    if let Some(notice) = advisory.notice {
        lines.push(format!(
            "NOTICE ({}): panels do not count it as affected.",
            notice.as_str()
        ));
    }
    if let Some(withdrawn) = advisory.withdrawn {
        lines.push(format!(
            "WITHDRAWN since {withdrawn}: panels no longer warn of it."
        ));
    }
    for affected in &advisory.affected {
        let scheme = word(affected.scheme);
        let mut what: Vec<String> = affected.ranges.iter().map(range).collect();
        what.extend(
            affected
                .versions
                .iter()
                .map(|version| format!("{version:?}")),
        );
        let what = what.join("; ");
        lines.push(format!("affects: {} ({scheme}) {what}", affected.component));
        lines.extend(affected.unlisted.as_deref().map(unlisted));
    }
    for spared in &advisory.not_affected {
        let why = word(spared.justification);
        let only = spared.only.as_deref().map(|only| {
            let ranges = only.ranges.iter().map(range);
            let listed = only.versions.iter().map(|version| format!("{version:?}"));
            let all: Vec<String> = ranges.chain(listed).collect();
            format!(" {}", all.join("; "))
        });
        let only = only.unwrap_or_default();
        lines.push(format!("not affected: {}{only} ({why})", spared.component));
    }
    lines.push(format!("corrections: {}", named(&advisory.corrections)));
    if !advisory.supersedes.is_empty() {
        lines.push(format!("supersedes: {}", named(&advisory.supersedes)));
    }
    lines
}

/// What is said of versions that are not called affected.
fn unlisted(unlisted: &Unlisted) -> String {
    let lists = [
        ("except", &unlisted.excluded),
        ("fixed", &unlisted.fixed),
        ("unread", &unlisted.unread),
    ];
    let mut parts = vec![format!("others {}", word(unlisted.others))];
    for (name, list) in lists {
        if !list.is_empty() {
            parts.push(format!("{name} {list:?}"));
        }
    }
    format!("         {}", parts.join("; "))
}

fn of_correction(correction: &Correction) -> Vec<String> {
    let files = correction.files.len();
    let gone = correction.files.iter().filter(|file| file.after.is_none());
    let mut lines = vec![
        format!("brings:  {} to {:?}", correction.component, correction.to),
        format!(
            "from:    {} ({})",
            range(&correction.from),
            word(correction.scheme)
        ),
        format!("for:     {}", correction.audience),
        format!("fixes:   {}", named(&correction.advisories)),
        format!("restart: {}", word(correction.restart)),
        format!("files:   {files}, of which {} are removed", gone.count()),
        format!("payload: {} bytes", correction.download()),
    ];
    if !correction.reversible {
        lines.push("ONE-WAY: it cannot be rolled back automatically.".to_owned());
    }
    lines
}

fn range(range: &VersionRange) -> String {
    let end = match (&range.fixed, &range.last_affected, &range.limit) {
        (Some(fixed), ..) => format!("up to before {fixed:?}"),
        (None, Some(last), _) => format!("up to {last:?}"),
        (None, None, Some(limit)) => format!("up to before {limit:?}, unknown after that"),
        (None, None, None) => "and all later versions".to_owned(),
    };
    format!("{:?} {end}", range.introduced)
}

/// The document's own word for one of several choices.
fn word(choice: impl serde::Serialize) -> String {
    let value = serde_json::json!(choice);
    value.as_str().unwrap_or("?").to_owned()
}

fn quoted(words: &[String]) -> String {
    if words.is_empty() {
        return "not stated".to_owned();
    }
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    words.join(", ")
}

fn named(ids: &[impl std::fmt::Display]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(", ")
}
