//! The command line about documents: advisories, corrections, plugins, and other people's formats.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use spacecp_contract::{
    Audience, ComponentName, DocumentId, DocumentKind, Requirement, Restart, Tlp,
};

use crate::cases::id::CaseId;

#[derive(Debug, Subcommand)]
pub(super) enum Advisories {
    /// Create a draft in drafts/ to fill in.
    New {
        /// Id of the advisory, such as SPACECP-SA-2026-0007.
        id: DocumentId,
        /// Audience of the advisory, such as "customers".
        #[arg(long)]
        audience: Audience,
        /// Case to take the title, the versions and the timeline from.
        #[arg(long, value_name = "CASE")]
        case: Option<CaseId>,
    },
    /// Check a draft. Exits with 1 if it cannot be published, and lists every problem.
    Check {
        /// Draft file, or the id of the advisory, whose draft is then in drafts/.
        #[arg(value_name = "DRAFT|ID")]
        draft: PathBuf,
    },
    /// Check and sign a draft and add it to a feed. Panels receive it with the next broadcast.
    Sign {
        /// Draft file, or the id of the advisory, whose draft is then in drafts/.
        #[arg(value_name = "DRAFT|ID")]
        draft: PathBuf,
        /// Directory of the feed.
        #[arg(long)]
        feed: PathBuf,
        /// Key to sign with. May be repeated [default: advisory].
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
        /// Write a signing request to this directory instead of signing, for keys on other machines.
        #[arg(long, value_name = "DIRECTORY", conflicts_with = "keys")]
        request: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Corrections {
    /// Compare two trees of a component, sign the correction that turns the first into the second, and add
    /// it to a feed with its payload.
    Build(Box<Build>),
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Id of the correction, such as SPACECP-SC-2026-0007.
    pub(super) id: DocumentId,
    /// Directory of the vulnerable component.
    #[arg(long, value_name = "OLD_TREE")]
    pub(super) from: PathBuf,
    /// Directory of the corrected component.
    #[arg(long, value_name = "NEW_TREE")]
    pub(super) to: PathBuf,
    /// Directory of the feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Name of the component, as advisories use it.
    #[arg(long)]
    pub(super) component: ComponentName,
    /// Version of `OLD_TREE`.
    #[arg(long)]
    pub(super) from_version: String,
    /// Version of `NEW_TREE`.
    #[arg(long)]
    pub(super) to_version: String,
    /// Advisory that the correction fixes. May be repeated.
    #[arg(long = "advisory", required = true, value_name = "ID")]
    pub(super) advisories: Vec<DocumentId>,
    /// Revision of the correction.
    #[arg(long, default_value_t = 1)]
    pub(super) revision: u64,
    /// Path that the component writes at run time; a directory ends with "/". May be repeated.
    #[arg(long = "ignore", value_name = "PATH")]
    pub(super) ignored: Vec<String>,
    /// What to restart afterwards: none, component or panel.
    #[arg(long, default_value = "none", value_parser = restart)]
    pub(super) restart: Restart,
    /// Health check that must succeed afterwards, by its name in the panel's configuration.
    #[arg(long, value_name = "NAME")]
    pub(super) health: Option<String>,
    /// Component version required first, such as "spacecp:daemon=1.9.3". May be repeated.
    #[arg(long = "requires", value_name = "COMPONENT=VERSION", value_parser = requirement)]
    pub(super) requires: Vec<Requirement>,
    /// Mark the correction as one-way: the old version cannot read data written by the new one. Applying it
    /// and rolling it back then need confirmation by a person.
    #[arg(long)]
    pub(super) one_way: bool,
    /// Key to sign with. May be repeated [default: correction].
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Write a signing request to this directory instead of signing, for keys on other machines.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

/// A format of external advisories.
#[derive(Debug, Subcommand)]
pub(super) enum Formatted<T: Args> {
    /// Open Source Vulnerability, schema 1.x.
    Osv(T),
    /// Common Security Advisory Framework 2.0.
    Csaf(T),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// File to import: .json with one document, .jsonl with one a line, or a directory of such files.
    pub(super) path: PathBuf,
    /// Directory of the feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Audience of the advisories [default: everybody].
    #[arg(long)]
    pub(super) audience: Option<Audience>,
    /// TLP label of the advisories [default: TLP:CLEAR]. A stricter label in a document is kept.
    #[arg(long, value_parser = tlp, value_name = "LABEL")]
    pub(super) tlp: Option<Tlp>,
    /// Planned publication of documents that are TLP:AMBER or stricter, such as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(super) embargo_until: Option<Timestamp>,
    /// Key to sign with. May be repeated [default: advisory].
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Show what would change, without changing anything.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// Directory of the feed.
    pub(super) feed: PathBuf,
    /// Advisory to export. May be repeated [default: all].
    #[arg(long = "id", value_name = "ID")]
    pub(super) ids: Vec<DocumentId>,
    /// Write each document to DIRECTORY/ID.json [default: print one a line].
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) out: Option<PathBuf>,
    /// Publisher name in CSAF documents of advisories that were written here, such as "SpaceCP".
    #[arg(long, requires = "namespace", value_name = "NAME")]
    pub(super) publisher: Option<String>,
    /// Publisher namespace for CSAF: the publisher's own https URL.
    #[arg(long, requires = "publisher", value_name = "URL")]
    pub(super) namespace: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// Sign a plugin component: write NAME.manifest and NAME.manifest.minisig beside it.
    Sign {
        /// Component file (WASM).
        component: PathBuf,
        /// Version of the plugin.
        #[arg(long)]
        version: semver::Version,
        /// Release number. Panels never return to a lower one.
        #[arg(long)]
        release: u64,
        /// Name of the plugin.
        #[arg(long, default_value = "advisories")]
        name: String,
        /// Key to sign with.
        #[arg(long, default_value = "plugin", value_name = "NAME")]
        key: String,
    },
}

fn tlp(word: &str) -> Result<Tlp, String> {
    [
        Tlp::Clear,
        Tlp::Green,
        Tlp::Amber,
        Tlp::AmberStrict,
        Tlp::Red,
    ]
    .into_iter()
    .find(|label| label.to_string() == word)
    .ok_or_else(|| {
        "must be TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT or TLP:RED".to_owned()
    })
}

pub(super) fn documents(word: &str) -> Result<DocumentKind, String> {
    [DocumentKind::Advisory, DocumentKind::Correction]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| "must be advisory or correction".to_owned())
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let (component, version) = text
        .split_once('=')
        .ok_or("must have the form COMPONENT=VERSION")?;
    Ok(Requirement {
        component: component
            .parse::<ComponentName>()
            .map_err(|error| error.to_string())?,
        at_least: version.to_owned(),
    })
}

fn restart(word: &str) -> Result<Restart, String> {
    match word {
        "none" => Ok(Restart::None),
        "component" => Ok(Restart::Component),
        "panel" => Ok(Restart::Panel),
        _ => Err("must be none, component or panel".to_owned()),
    }
}
