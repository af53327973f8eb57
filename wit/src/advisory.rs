//! The advisory: the signed document about one vulnerability.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Audience, ComponentName, DecodeError, Document, DocumentId, DocumentKind, Limits, Source,
    codec, decode,
};

/// One vulnerability, as the vendor describes it.
///
/// The texts are Markdown by strangers: whoever shows them must not let them become markup. They are held as
/// `Text`: owned, or, by whoever reads many advisories and keeps little of each, left where they are in the bytes
/// (see [`Advisory::borrowed`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory<Text = String> {
    /// Its id.
    pub id: DocumentId,
    /// Its revision, from 1; it only grows.
    pub revision: u64,
    /// Whom it is for.
    pub audience: Audience,
    /// When its first revision was published.
    pub published: Timestamp,
    /// When this revision was.
    pub modified: Timestamp,
    /// Since when it no longer holds.
    #[serde(default)]
    pub withdrawn: Option<Timestamp>,
    /// What others call it: CVE and GHSA ids.
    #[serde(default)]
    pub aliases: Vec<Text>,
    /// One line.
    pub title: Text,
    /// What is wrong (Markdown).
    pub issue: Text,
    /// What it leads to (Markdown).
    pub impacts: Text,
    /// What to do (Markdown); may be empty as long as a workaround is there.
    #[serde(default)]
    pub solution: Text,
    /// What to do for the time being.
    #[serde(default)]
    pub workarounds: Vec<Workaround<Text>>,
    /// CVSS vectors (v3.0, v3.1 or v4.0); scores are computed from them.
    #[serde(default)]
    pub severity: Vec<Text>,
    /// CWE numbers.
    #[serde(default)]
    pub cwe: Vec<u32>,
    /// Whether attacks are known.
    #[serde(default)]
    pub known_exploited: bool,
    /// Who may be told.
    pub tlp: Tlp,
    /// When it is planned to become public.
    #[serde(default)]
    pub embargo_until: Option<Timestamp>,
    /// What is affected.
    pub affected: Vec<Affected<Text>>,
    /// What is not, although one might think so.
    #[serde(default)]
    pub not_affected: Vec<NotAffected>,
    /// The corrections that fix it.
    #[serde(default)]
    pub corrections: Vec<DocumentId>,
    /// Who found it, with their consent.
    #[serde(default)]
    pub credits: Vec<Credit<Text>>,
    /// Where to read more.
    #[serde(default)]
    pub references: Vec<Reference<Text>>,
    /// The advisories that this one takes the place of.
    #[serde(default)]
    pub supersedes: Vec<DocumentId>,
    /// What happened when.
    #[serde(default)]
    pub timeline: Vec<TimelineEntry<Text>>,
    /// What it is, where it is no vulnerability but information about a component: shown apart, never counted as
    /// affected. Left out of the bytes of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeKind>,
    /// Whose document it was made from, where it was not written here. Left out of the bytes where
    /// there is none, as before there was such a thing; apart, since most advisories have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<Source>>,
}

impl<Text> Advisory<Text> {
    /// Whether it may not be spoken about: AMBER or stricter, until a revision says CLEAR.
    ///
    /// A planned date that has passed does not lift an embargo by itself: what is not yet public
    /// stays unspoken until the vendor says so.
    pub fn is_under_embargo(&self) -> bool {
        matches!(self.tlp, Tlp::Amber | Tlp::AmberStrict | Tlp::Red)
    }

    /// That its parts fit each other; otherwise what does not.
    fn parts_fit(&self) -> Result<(), String> {
        if self.revision == 0 {
            return Err("revisions begin at 1".to_owned());
        }
        if self.modified < self.published {
            return Err("modified before it was published".to_owned());
        }
        if self.audience.as_str() == Audience::PUBLIC && self.is_under_embargo() {
            return Err(format!(
                "audience \"everybody\" conflicts with {}",
                self.tlp
            ));
        }
        if let Some(source) = &self.source {
            source.validate()?;
        }
        self.affected.iter().try_for_each(Affected::parts_fit)?;
        self.not_affected
            .iter()
            .try_for_each(NotAffected::parts_fit)
    }
}

impl<'a> Advisory<&'a str> {
    /// Reads an advisory as [`decode`](crate::decode) does, with the same limits and the same errors, and leaves its
    /// texts where they are.
    pub fn borrowed(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let read = codec::read(bytes, limits, DocumentKind::Advisory, Self::parts_fit);
        // What is refused is refused in the same words, and those are for people, who borrow nothing.
        read.map_err(|error| decode::<Advisory>(bytes, limits).err().unwrap_or(error))
    }
}

impl<Text> Affected<Text> {
    fn parts_fit(&self) -> Result<(), String> {
        let names_none = self.ranges.is_empty() && self.versions.is_empty();
        let unlisted = self.unlisted.as_deref().map(|unlisted| unlisted.others);
        if names_none && unlisted.is_none_or(|others| others == Others::NotAffected) {
            return Err(format!("no affected versions given for {}", self.component));
        }
        if let Some(unlisted) = &self.unlisted {
            have_one_end(&unlisted.investigated, &self.component)?;
        }
        have_one_end(&self.ranges, &self.component)
    }
}

impl NotAffected {
    fn parts_fit(&self) -> Result<(), String> {
        let Some(only) = &self.only else {
            return Ok(());
        };
        if only.ranges.is_empty() && only.versions.is_empty() {
            return Err(format!(
                "no unaffected versions given for {}",
                self.component
            ));
        }
        have_one_end(&only.ranges, &self.component)
    }
}

fn have_one_end<Text>(
    ranges: &[VersionRange<Text>],
    component: &ComponentName,
) -> Result<(), String> {
    for range in ranges {
        let ends = [&range.fixed, &range.last_affected, &range.limit];
        if ends.iter().filter(|end| end.is_some()).count() > 1 {
            return Err(format!(
                "a range of {component} has more than one of fixed, last_affected and limit"
            ));
        }
    }
    Ok(())
}

impl Document for Advisory {
    const KIND: DocumentKind = DocumentKind::Advisory;

    fn name(&self) -> &str {
        &self.id
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn validate(&self) -> Result<(), String> {
        self.parts_fit()
    }
}

/// A mitigation for those who cannot apply the correction yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workaround<Text = String> {
    /// Names it within the advisory.
    pub id: Text,
    /// What to do (Markdown).
    pub text: Text,
}

/// Traffic Light Protocol 2.0 labels (FIRST), from the one that the most may know to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tlp {
    /// Anybody.
    #[serde(rename = "TLP:CLEAR")]
    Clear,
    /// The community.
    #[serde(rename = "TLP:GREEN")]
    Green,
    /// The organisation and its customers.
    #[serde(rename = "TLP:AMBER")]
    Amber,
    /// The organisation only.
    #[serde(rename = "TLP:AMBER+STRICT")]
    AmberStrict,
    /// The recipients only.
    #[serde(rename = "TLP:RED")]
    Red,
}

impl std::fmt::Display for Tlp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        })
    }
}

/// How the versions of a component are ordered.
///
/// A scheme that this reader does not know is kept as [`VersionScheme::Unknown`]: every verdict
/// about it is `unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionScheme {
    /// Semantic Versioning 2.0.0.
    Semver,
    /// Debian package versions.
    Deb,
    /// RPM package versions.
    Rpm,
    /// Maven's ordering.
    Maven,
    /// npm's flavour of Semantic Versioning.
    Npm,
    /// Dotted numbers with suffixes.
    Generic,
    /// Alpine package versions.
    Alpine,
    /// Composer's ordering.
    Composer,
    /// Python's versions (PEP 440).
    Pypi,
    /// `NuGet`'s flavour of Semantic Versioning.
    Nuget,
    /// `RubyGems`' ordering.
    Gem,
    /// One that a later reader knows.
    #[serde(other)]
    Unknown,
}

impl VersionScheme {
    /// All that are known here, in the order in which they are listed to people.
    pub const ALL: [Self; 11] = [
        Self::Semver,
        Self::Npm,
        Self::Deb,
        Self::Rpm,
        Self::Maven,
        Self::Alpine,
        Self::Composer,
        Self::Pypi,
        Self::Nuget,
        Self::Gem,
        Self::Generic,
    ];
}

impl fmt::Display for VersionScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Semver => "semver",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Maven => "maven",
            Self::Npm => "npm",
            Self::Generic => "generic",
            Self::Alpine => "alpine",
            Self::Composer => "composer",
            Self::Pypi => "pypi",
            Self::Nuget => "nuget",
            Self::Gem => "gem",
            Self::Unknown => "unknown",
        })
    }
}

/// A component and the versions of it that are affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected<Text = String> {
    /// The component.
    pub component: ComponentName,
    /// How its versions are ordered.
    pub scheme: VersionScheme,
    /// Ranges of versions; backported branches are ranges of their own.
    #[serde(default)]
    pub ranges: Vec<VersionRange<Text>>,
    /// Single versions, whatever the order.
    #[serde(default)]
    pub versions: Vec<Text>,
    /// What is said of versions that are in no range and not listed. Left out of the bytes where this list is
    /// complete, so that they are not affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<Box<Unlisted<Text>>>,
}

/// What is said of the versions of a component that are not called affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unlisted<Text = String> {
    /// What all of them are that are not named here.
    pub others: Others,
    /// Versions within the ranges that are left out of them: they are what the others are.
    #[serde(default = "Vec::new")]
    pub excluded: Vec<Text>,
    /// Versions that are called fixed. What is at or after the highest of them, and after everything that is
    /// affected, is fixed as well.
    #[serde(default = "Vec::new")]
    pub fixed: Vec<Text>,
    /// What is written of affected versions and could not be read.
    #[serde(default = "Vec::new")]
    pub unread: Vec<Text>,
    /// Versions that the author names as still under investigation: unless they are affected they are unknown, whatever
    /// else is said of them. Left out of the bytes where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub investigated: Vec<VersionRange<Text>>,
}

/// What versions are that an advisory does not name: not affected where its list is complete; else unknown, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    /// The list is complete: they are not affected.
    NotAffected,
    /// The advisory says nothing of them.
    Unstated,
    /// Its author is still investigating.
    UnderInvestigation,
    /// It calls the same versions affected and fixed.
    Contradictory,
    /// What it says of them could not be read.
    Unreadable,
    /// A reason that a later reader knows.
    #[serde(other)]
    Unknown,
}

/// What an advisory is that describes no vulnerability, as the informational advisories about Rust's crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// Nobody maintains the component any longer.
    Unmaintained,
    /// It has a flaw that is no vulnerability by itself, as an interface that breaks memory safety when it is misused.
    Unsound,
    /// Anything else that is worth knowing.
    Notice,
    /// A kind that a later reader knows.
    #[serde(other)]
    Other,
}

impl NoticeKind {
    /// The word for it, as in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unmaintained => "unmaintained",
            Self::Unsound => "unsound",
            Self::Notice => "notice",
            Self::Other => "other",
        }
    }
}

/// A range of versions, with the meaning that OSV gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VersionRange<Text = String> {
    /// The first affected version; `0` is before all others.
    pub introduced: Text,
    /// The first version that is no longer affected.
    #[serde(default)]
    pub fixed: Option<Text>,
    /// The last affected version, where no fixed one exists.
    #[serde(default)]
    pub last_affected: Option<Text>,
    /// The first version that this range says nothing about: not fixed, but of a branch that another
    /// range speaks of. Left out of the bytes where there is none, as before there was such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Text>,
}

/// A component that is not affected, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotAffected {
    /// The component.
    pub component: ComponentName,
    /// Why.
    pub justification: Justification,
    /// The versions that this holds for. Left out of the bytes where it holds for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Box<Versions>>,
}

/// Versions in the order of a scheme.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Versions {
    /// How they are ordered.
    pub scheme: VersionScheme,
    /// Ranges of versions.
    #[serde(default)]
    pub ranges: Vec<VersionRange>,
    /// Single versions.
    #[serde(default)]
    pub versions: Vec<String>,
}

/// The justifications of VEX (OpenVEX, CISA 2022).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// The flawed part is not there.
    ComponentNotPresent,
    /// The flawed code is not there.
    VulnerableCodeNotPresent,
    /// The flawed code never runs.
    VulnerableCodeNotInExecutePath,
    /// An attacker cannot reach it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something already prevents it.
    InlineMitigationsAlreadyExist,
    /// The vendor says so and why, in words of its own that the advisory has.
    Stated,
}

/// Somebody who helped and wants to be named.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Credit<Text = String> {
    /// Their name, as they want it written.
    pub name: Text,
    /// What they did, as `finder`.
    pub role: Text,
}

/// Where to read more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference<Text = String> {
    /// What it is.
    pub title: Text,
    /// Its address.
    pub url: Text,
}

/// Something that happened to the vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry<Text = String> {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Text,
}
