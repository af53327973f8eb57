//! The words of a notice: what happened, where, and what to do.
//!
//! Whatever comes from a document, a component or a failure is a stranger's text, and is said by
//! [`Escaping`]; everything else is written here or in the configuration.

use spacecp_contract::DocumentId;

use super::{
    escaping::{Escaping, cut},
    notice::{Facts, Kind, Notice, Numbered, Subject},
};

/// Characters of a title.
const TITLE: usize = 160;

/// Characters of a name, a version or an id.
const NAME: usize = 64;

/// Characters of a reason.
const REASON: usize = 240;

/// Components that are named; the rest is counted.
const MOST_NAMED: usize = 5;

/// Advisories that are named; the rest is counted.
const MOST_ADVISORIES: usize = 8;

/// Characters of a subject.
const SUBJECT: usize = 180;

/// Which panel speaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Where its pages are, if that is known.
    pub(super) url: Option<&'a str>,
}

/// A message as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// One line.
    pub(super) subject: String,
    /// All of it.
    pub(super) text: String,
    /// How many of the notices it has room for: the first ones, and at least one.
    pub(super) included: usize,
}

impl Speaker<'_> {
    /// One message about as many of these notices as fit into it.
    pub(super) fn message(self, notices: &[Numbered], escaping: Escaping) -> Message {
        let mut text = String::new();
        let mut included = 0;
        let mut left = escaping.room() - 200;
        for numbered in notices {
            let part = self.part(&numbered.notice, escaping);
            let length = part.chars().count() + 2;
            if included > 0 && length > left {
                break;
            }
            if included > 0 {
                text.push_str("\n\n");
            }
            text.push_str(&part);
            left = left.saturating_sub(length);
            included += 1;
        }
        let name = escaping.escape(self.name, NAME);
        let subject = match notices {
            [one] => self.subject(&one.notice),
            _ => format!("{included} notifications about security advisories"),
        };
        if notices.len() > 1 {
            text = format!("{name}: {subject}\n\n{text}");
        }
        Message {
            subject: cut(
                &format!("[{}] {subject}", Escaping::Plain.escape(self.name, NAME)),
                SUBJECT,
            ),
            text: cut(&text, escaping.room()),
            included,
        }
    }

    /// A message by which somebody tries whether a channel works.
    pub(super) fn trial(self, by: &str, escaping: Escaping) -> Message {
        let name = escaping.escape(self.name, NAME);
        let by = escaping.escape(by, NAME);
        Message {
            subject: cut(
                &format!(
                    "[{}] test notification",
                    Escaping::Plain.escape(self.name, NAME)
                ),
                SUBJECT,
            ),
            text: format!(
                "{name}: test notification requested by {by}. Notifications about security advisories are delivered to this channel.{}",
                self.link("")
            ),
            included: 0,
        }
    }

    /// The subject of one notice, as plain text.
    fn subject(self, notice: &Notice) -> String {
        match &notice.subject {
            Subject::Embargoed(ids) if ids.is_empty() => "An advisory under embargo".to_owned(),
            Subject::Embargoed(ids) => format!("An advisory under embargo, {}", named(ids)),
            Subject::Open(facts) => headline(notice, facts, Escaping::Plain),
        }
    }

    /// One notice.
    pub(super) fn part(self, notice: &Notice, escaping: Escaping) -> String {
        match &notice.subject {
            Subject::Embargoed(ids) => {
                let ids = match ids.as_slice() {
                    [] => String::new(),
                    ids => format!(", {},", named(ids)),
                };
                let link = self.link("");
                format!(
                    "An advisory under embargo{ids} concerns this panel. Log in to read it.{link}"
                )
            }
            Subject::Open(facts) => self.open(notice, facts, escaping),
        }
    }

    fn open(self, notice: &Notice, facts: &Facts, escaping: Escaping) -> String {
        let mut lines = vec![headline(notice, facts, escaping)];
        if let Some(title) = &facts.title {
            let revision = facts
                .revision
                .map_or(String::new(), |revision| format!(", revision {revision}"));
            let title = escaping.escape(title, TITLE);
            lines.push(format!("{title}{revision}{}", gravity(notice)));
        }
        let components = components(facts, escaping);
        let place = escaping.escape(self.name, NAME);
        lines.push(if components.is_empty() {
            format!("Host: {place}.")
        } else {
            format!("Affected: {components} on {place}.")
        });
        if let Some([from, to]) = &facts.change {
            let (from, to) = (escaping.escape(from, NAME), escaping.escape(to, NAME));
            lines.push(format!("Version: {from} to {to}."));
        }
        if let Some(reason) = &facts.reason {
            lines.push(format!("Reason: {}.", escaping.escape(reason, REASON)));
        }
        lines.push(format!("Action: {}", remedy(notice.kind, facts)));
        lines.push(match facts.advisories.first() {
            Some(id) => self.link(&format!("advisories/{id}")).trim().to_owned(),
            None => self.link("").trim().to_owned(),
        });
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }

    fn link(self, path: &str) -> String {
        match self.url {
            Some(url) => format!("\n{}/{path}", url.trim_end_matches('/')),
            None => String::new(),
        }
    }
}

/// What happened, in one line.
fn headline(notice: &Notice, facts: &Facts, escaping: Escaping) -> String {
    let ids = named(&facts.advisories);
    let what = components(facts, escaping);
    let what = if what.is_empty() {
        "This panel".to_owned()
    } else {
        what
    };
    let correction = facts
        .correction
        .as_ref()
        .map_or("a correction".to_owned(), |id| escaping.escape(id, NAME));
    match notice.kind {
        Kind::NewExposure => format!("{what}: affected by {ids}{}", rated(notice)),
        Kind::Undecided => format!("{what}: unknown whether affected by {ids}"),
        Kind::NoCorrection => format!(
            "{what}: still affected by {ids}, without a correction or workaround{}",
            rated(notice)
        ),
        Kind::CorrectionAvailable => {
            format!(
                "{what}: correction {correction} available for {ids}{}",
                rated(notice)
            )
        }
        Kind::AdvisoryUpdated => format!("{ids}: new revision{}", rated(notice)),
        Kind::Withdrawn => format!("{ids}: withdrawn by the vendor"),
        Kind::EmbargoLifted => format!("{ids}: now public{}", rated(notice)),
        Kind::Applied => format!("{what}: {correction} applied"),
        Kind::Failed => format!("{what}: applying {correction} failed"),
        Kind::RolledBack => format!("{what}: {correction} rolled back"),
        Kind::HeldBack => format!("{what}: {correction} cannot be applied automatically"),
        Kind::FeedStale => "Sync overdue: advisories may be missing".to_owned(),
        Kind::FeedFresh => "Sync with the feed works again".to_owned(),
        Kind::AcceptanceExpired => {
            format!("{what}: decision about {ids} expired")
        }
        Kind::AcceptanceReopened => {
            format!("{what}: decision about {ids} is no longer valid: the advisory changed")
        }
        Kind::PluginDisabled => "Plugin not running: status unknown".to_owned(),
    }
}

/// What whoever reads it does next.
fn remedy(kind: Kind, facts: &Facts) -> String {
    let apply = |id: &DocumentId| {
        format!("apply correction {id}, on the page or with \"spacecp-advisories apply {id}\".")
    };
    match (kind, &facts.correction) {
        (
            Kind::NewExposure | Kind::CorrectionAvailable | Kind::AdvisoryUpdated
            | Kind::EmbargoLifted | Kind::AcceptanceExpired | Kind::AcceptanceReopened,
            Some(id),
        ) => apply(id),
        (Kind::NewExposure | Kind::NoCorrection, None) if facts.workaround => {
            "no correction available yet; put the workaround in place and mark it.".to_owned()
        }
        (Kind::NewExposure | Kind::NoCorrection, _) => {
            "no correction available yet; read the advisory, and restrict access meanwhile."
                .to_owned()
        }
        (Kind::Undecided, _) => {
            "make the component's version readable, or check it by hand."
                .to_owned()
        }
        (Kind::Withdrawn | Kind::Applied | Kind::FeedFresh, _) => "nothing.".to_owned(),
        (Kind::Failed, _) => {
            "the component is unchanged; see the history for the cause, fix it, then apply again."
                .to_owned()
        }
        (Kind::RolledBack, _) => {
            "the component is affected again; apply the correction again when possible."
                .to_owned()
        }
        (Kind::HeldBack, Some(id)) => format!(
            "fix the cause shown by \"spacecp-advisories apply {id} --dry-run\"; the next automatic run tries again."
        ),
        (Kind::FeedStale, _) => {
            "run \"spacecp-advisories doctor\"; known advisories stay valid, and nothing is applied automatically."
                .to_owned()
        }
        (Kind::PluginDisabled, _) => {
            "run \"spacecp-advisories doctor\", fix the cause it shows, then restart the panel."
                .to_owned()
        }
        (Kind::AcceptanceExpired | Kind::AcceptanceReopened, None) => {
            "review the advisory and decide again.".to_owned()
        }
        _ => "read the advisory.".to_owned(),
    }
}

fn components(facts: &Facts, escaping: Escaping) -> String {
    let named = facts.components.iter().take(MOST_NAMED).map(|component| {
        let name = escaping.escape(&component.name, NAME);
        match &component.version {
            Some(version) => format!("{name} {}", escaping.escape(version, NAME)),
            None => name,
        }
    });
    let mut named: Vec<String> = named.collect();
    let more = facts.components.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    named.join(", ")
}

/// Ids have nothing in them that could mean anything to anybody.
fn named(ids: &[DocumentId]) -> String {
    if ids.is_empty() {
        return "an advisory".to_owned();
    }
    let mut named: Vec<&str> = ids
        .iter()
        .take(MOST_ADVISORIES)
        .map(DocumentId::as_str)
        .collect();
    if ids.len() > MOST_ADVISORIES {
        named.push("…");
    }
    named.join(", ")
}

fn rated(notice: &Notice) -> String {
    let attacks = if notice.known_exploited {
        ", known to be exploited"
    } else {
        ""
    };
    format!(" ({}{attacks})", notice.severity.name())
}

fn gravity(notice: &Notice) -> String {
    let attacks = if notice.known_exploited {
        " Known to be exploited."
    } else {
        ""
    };
    format!(". Severity: {}.{attacks}", notice.severity.name())
}
