//! Advisories and components as data: what `list`, `show` and `components` print with `--json`.
//!
//! Filters and orders are those of the pages, on typed values. Items about an advisory under embargo are left out of a
//! redacted list whatever the filter is, since passing a filter discloses more than an id; `embargoed` names them all.
//!
//! May not: make a verdict. Verdicts are the plugin's.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::{Advisory, DocumentId, Rating, Severity, rate};

use crate::{
    Access, Exposure, Redacted, Redactor, ServiceError,
    inventory::{Installed, Provider},
    plugin::bindings::exports::spacecp::advisories::{
        exposure::{ExposureReport, Status, Verdict},
        pages::{Listing, Order, Severity as LeastSeverity, Standing},
    },
};

/// Items on one page of a list.
const PAGE: usize = 50;

/// One page of the advisories received.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AdvisoryList {
    items: Vec<Redacted<AdvisoryEntry>>,
    /// Every advisory under embargo, whether it matches the filter or not.
    embargoed: Vec<DocumentId>,
    page: usize,
    pages: usize,
}

/// One page of the installed components.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ComponentList {
    items: Vec<ComponentEntry>,
    /// Every advisory under embargo; a redacted list has no verdicts about them.
    embargoed: Vec<DocumentId>,
    /// Paths that could not be scanned: components there are unknown.
    unread: Vec<UnreadPath>,
    page: usize,
    pages: usize,
}

/// An advisory with its verdicts on this panel.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AdvisoryEntry {
    id: DocumentId,
    revision: u64,
    embargo: bool,
    title: String,
    aliases: Vec<String>,
    /// The kind of notice; none for a vulnerability.
    notice: Option<&'static str>,
    severity: &'static str,
    /// The CVSS score in tenths.
    score: Option<u8>,
    known_exploited: bool,
    tlp: String,
    published: Timestamp,
    modified: Timestamp,
    withdrawn: Option<Timestamp>,
    /// affected, unknown, clear, unrelated or notice, as the option `--status` names them.
    status: &'static str,
    corrections: Vec<DocumentId>,
    verdicts: Vec<VerdictEntry>,
}

/// An advisory with its verdicts and the document itself.
#[derive(Debug, Serialize)]
pub struct AdvisoryDetail {
    #[serde(flatten)]
    entry: AdvisoryEntry,
    /// The document as signed, in the fields of the contract.
    document: Advisory,
}

/// A verdict of one advisory about one component.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
struct VerdictEntry {
    advisory: String,
    component: String,
    version: Option<String>,
    status: &'static str,
    reason: String,
    correction: Option<String>,
}

/// An installed component.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ComponentEntry {
    name: String,
    advisory_name: String,
    scheme: String,
    version: Option<String>,
    /// Why the version could not be read.
    problem: Option<String>,
    found_at: String,
    correctable: bool,
    verdicts: Vec<VerdictEntry>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct UnreadPath {
    path: String,
    reason: String,
    provider: Provider,
    inventory: String,
}

impl Exposure {
    /// The advisories that match a listing.
    pub async fn advisory_list(
        &self,
        listing: &Listing,
        redactor: &Redactor,
        access: Access<'_>,
    ) -> Result<Redacted<AdvisoryList>, ServiceError> {
        let report = self.report().await?;
        let advisories = self.state.advisories().await?;
        let embargoed = redactor.index().embargoed().cloned().collect();
        let mut found: Vec<Matched<'_>> = advisories
            .iter()
            .filter(|advisory| access.is_full() || !advisory.is_under_embargo())
            .map(|advisory| Matched::new(advisory, &report))
            .filter(|matched| matched.fits(listing))
            .collect();
        found.sort_by(|one, other| one.advisory.id.cmp(&other.advisory.id));
        match listing.order {
            Order::Urgency => found.sort_by_key(|one| Reverse(one.urgency())),
            Order::Severity => found.sort_by_key(|one| Reverse(one.score())),
            Order::Changed => found.sort_by_key(|one| Reverse(one.advisory.modified)),
            Order::Published => found.sort_by_key(|one| Reverse(one.advisory.published)),
            Order::Name => {}
        }
        let (shown, page, pages) = cut(&found, listing);
        let mut items = Vec::new();
        for matched in shown {
            let view = redactor.view_advisory(access, matched.advisory, matched.entry());
            items.push(view.await?);
        }
        let list = AdvisoryList {
            items,
            embargoed,
            page,
            pages,
        };
        Ok(Redacted::of_redacted(list))
    }

    /// One advisory with its verdicts.
    pub async fn advisory_detail(
        &self,
        id: &str,
        redactor: &Redactor,
        access: Access<'_>,
    ) -> Result<Redacted<AdvisoryDetail>, ServiceError> {
        let missing = || ServiceError::NotFound {
            what: "advisory",
            name: id.to_owned(),
        };
        let advisories = self.state.advisories().await?;
        let mut advisories = advisories.into_iter();
        let document = advisories.find(|advisory| advisory.id.as_str() == id);
        let document = document.ok_or_else(missing)?;
        let report = self.report().await?;
        let detail = AdvisoryDetail {
            entry: Matched::new(&document, &report).entry(),
            document: document.clone(),
        };
        redactor.view_advisory(access, &document, detail).await
    }

    /// The components that match a listing.
    pub async fn component_list(
        &self,
        listing: &Listing,
        redactor: &Redactor,
        access: Access<'_>,
    ) -> Result<Redacted<ComponentList>, ServiceError> {
        let report = self.report().await?;
        let inventory = self.inventory().await;
        let visible = |verdict: &&Verdict| access.is_full() || redactor.is_public(verdict);
        let mut found = Vec::new();
        for component in inventory.installed() {
            let verdicts = all_verdicts(&report).filter(visible);
            let verdicts = verdicts.filter(|verdict| verdict.component == component.name());
            let verdicts: Vec<&Verdict> = verdicts.collect();
            let standing = component_standing(&component, &verdicts);
            let text = format!(
                "{} {} {} {}",
                component.name(),
                component.advisory_name(),
                component.version().unwrap_or_default(),
                component.found_at()
            );
            if listing.standing.is_none_or(|wanted| wanted == standing)
                && has_words(&text, &listing.words)
            {
                found.push((component, verdicts));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.name().cmp(other.name()));
        let (shown, page, pages) = cut(&found, listing);
        let items = shown.iter();
        let items = items.map(|(component, verdicts)| component_entry(component, verdicts));
        let unread = inventory.unread.iter().map(|unread| UnreadPath {
            path: unread.at.clone(),
            reason: unread.why.to_string(),
            provider: unread.provider,
            inventory: unread.job.clone(),
        });
        let list = ComponentList {
            items: items.collect(),
            embargoed: redactor.index().embargoed().cloned().collect(),
            unread: unread.collect(),
            page,
            pages,
        };
        redactor.view(access, list).await
    }
}

/// An advisory beside its verdicts here.
struct Matched<'a> {
    advisory: &'a Advisory,
    rating: Rating,
    verdicts: Vec<&'a Verdict>,
}

impl<'a> Matched<'a> {
    fn new(advisory: &'a Advisory, report: &'a ExposureReport) -> Self {
        let verdicts = all_verdicts(report);
        let verdicts = verdicts.filter(|verdict| verdict.advisory.id == advisory.id.as_str());
        Self {
            advisory,
            rating: rate(&advisory.severity),
            verdicts: verdicts.collect(),
        }
    }

    fn standing(&self) -> Standing {
        match (self.advisory.notice, gravest(&self.verdicts)) {
            (Some(_), _) => Standing::Notice,
            (None, Some(Status::Affected)) => Standing::Exposed,
            (None, Some(Status::Unknown)) => Standing::Undecided,
            (None, Some(Status::Fixed | Status::NotAffected)) => Standing::Clear,
            (None, None) => Standing::Unrelated,
        }
    }

    fn fits(&self, listing: &Listing) -> bool {
        let advisory = self.advisory;
        let least = listing.least_severity.map(least);
        listing
            .standing
            .is_none_or(|wanted| wanted == self.standing())
            && least.is_none_or(|least| rank(self.rating.severity) >= rank(least))
            && (!listing.known_exploited || advisory.known_exploited)
            && (!listing.embargo || advisory.is_under_embargo())
            && has_words(&self.text(), &listing.words)
    }

    /// What a search looks at, as on the page.
    fn text(&self) -> String {
        let advisory = self.advisory;
        let components = advisory.affected.iter();
        let components: Vec<_> = components.map(|one| one.component.to_string()).collect();
        format!(
            "{} {} {} {} {} {}",
            advisory.id,
            advisory.title,
            advisory.aliases.join(" "),
            self.rating.severity.name(),
            advisory.notice.map_or("", |notice| notice.as_str()),
            components.join(" ")
        )
    }

    fn score(&self) -> (Option<u8>, u8) {
        (self.rating.score, rank(self.rating.severity))
    }

    fn urgency(&self) -> impl Ord + use<> {
        (
            self.advisory.notice.is_none(),
            gravest(&self.verdicts).map(gravity),
            self.advisory.known_exploited,
            self.score(),
            self.advisory.modified,
        )
    }

    fn entry(&self) -> AdvisoryEntry {
        let advisory = self.advisory;
        AdvisoryEntry {
            id: advisory.id.clone(),
            revision: advisory.revision,
            embargo: advisory.is_under_embargo(),
            title: advisory.title.clone(),
            aliases: advisory.aliases.clone(),
            notice: advisory.notice.map(spacecp_contract::NoticeKind::as_str),
            severity: match self.rating.severity {
                Severity::Unrated => "unrated",
                rated => rated.name(),
            },
            score: self.rating.score,
            known_exploited: advisory.known_exploited,
            tlp: advisory.tlp.to_string(),
            published: advisory.published,
            modified: advisory.modified,
            withdrawn: advisory.withdrawn,
            status: standing_word(self.standing()),
            corrections: advisory.corrections.clone(),
            verdicts: self.verdicts.iter().map(|one| verdict_entry(one)).collect(),
        }
    }
}

/// Every verdict: those that count, those that another one speaks for, and those of notices.
fn all_verdicts(report: &ExposureReport) -> impl Iterator<Item = &Verdict> {
    let repeated = report.repeated.iter().map(|repeated| &repeated.verdict);
    let noticed = report.notices.iter().map(|noticed| &noticed.verdict);
    report.verdicts.iter().chain(repeated).chain(noticed)
}

fn component_standing(component: &Installed<'_>, verdicts: &[&Verdict]) -> Standing {
    match (gravest(verdicts), component.version()) {
        (Some(Status::Affected), _) => Standing::Exposed,
        (Some(Status::Unknown), _) | (_, None) => Standing::Undecided,
        (Some(Status::Fixed | Status::NotAffected), Some(_)) => Standing::Clear,
        (None, Some(_)) => Standing::Unrelated,
    }
}

fn component_entry(component: &Installed<'_>, verdicts: &[&Verdict]) -> ComponentEntry {
    ComponentEntry {
        name: component.name().to_owned(),
        advisory_name: component.advisory_name().to_string(),
        scheme: component.scheme().to_string(),
        version: component.version().map(str::to_owned),
        problem: component.problem(),
        found_at: component.found_at().to_owned(),
        correctable: component.is_correctable(),
        verdicts: verdicts.iter().map(|one| verdict_entry(one)).collect(),
    }
}

fn verdict_entry(verdict: &Verdict) -> VerdictEntry {
    VerdictEntry {
        advisory: verdict.advisory.id.clone(),
        component: verdict.component.clone(),
        version: verdict.version.clone(),
        status: match verdict.status {
            Status::Affected => "affected",
            Status::Fixed => "fixed",
            Status::NotAffected => "not-affected",
            Status::Unknown => "unknown",
        },
        reason: verdict.reason.clone(),
        correction: verdict.correction.as_ref().map(|one| one.id.clone()),
    }
}

fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::Exposed => "affected",
        Standing::Undecided => "unknown",
        Standing::Clear => "clear",
        Standing::Unrelated => "unrelated",
        Standing::Notice => "notice",
    }
}

fn gravest(verdicts: &[&Verdict]) -> Option<Status> {
    let statuses = verdicts.iter().map(|verdict| verdict.status);
    statuses.max_by_key(|status| gravity(*status))
}

fn gravity(status: Status) -> u8 {
    match status {
        Status::NotAffected => 0,
        Status::Fixed => 1,
        Status::Unknown => 2,
        Status::Affected => 3,
    }
}

fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Unrated => 0,
        Severity::None => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

fn least(severity: LeastSeverity) -> Severity {
    match severity {
        LeastSeverity::Unrated => Severity::Unrated,
        LeastSeverity::None => Severity::None,
        LeastSeverity::Low => Severity::Low,
        LeastSeverity::Medium => Severity::Medium,
        LeastSeverity::High => Severity::High,
        LeastSeverity::Critical => Severity::Critical,
    }
}

/// Whether a text has every word of a search.
fn has_words(text: &str, words: &str) -> bool {
    let (text, words) = (text.to_lowercase(), words.to_lowercase());
    words.split_whitespace().all(|word| text.contains(word))
}

/// The items of the page asked for, or of the last page; its number; and the number of pages.
fn cut<'a, T>(items: &'a [T], listing: &Listing) -> (&'a [T], usize, usize) {
    let pages = items.len().div_ceil(PAGE).max(1);
    let page = usize::try_from(listing.page)
        .unwrap_or(usize::MAX)
        .clamp(1, pages);
    let begin = (page - 1) * PAGE;
    (&items[begin..items.len().min(begin + PAGE)], page, pages)
}
