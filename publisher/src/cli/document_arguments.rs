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
    /// Put a draft to fill in into drafts/.
    New {
        /// Its id, as SPACECP-SA-2026-0007.
        id: DocumentId,
        /// Whom it is for.
        #[arg(long)]
        audience: Audience,
        /// The case that it is about: title, versions and timeline come from there.
        #[arg(long, value_name = "CASE")]
        case: Option<CaseId>,
    },
    /// Find everything that keeps a draft from being published; ends with 1 if there is anything.
    Check {
        /// The draft.
        draft: PathBuf,
    },
    /// Check a draft, sign it, and put it into a feed; panels see it after the next broadcast.
    Sign {
        /// The draft.
        draft: PathBuf,
        /// The feed.
        #[arg(long)]
        feed: PathBuf,
        /// A key that signs; several times for several. "advisory" if it is not said.
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
        /// Do not sign: write a request into this folder, for keys on other machines.
        #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
        request: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Corrections {
    /// Compare two trees of a component, sign what turns the first into the second, and put it into a
    /// feed with its payload.
    Build(Box<Build>),
}

#[derive(Debug, Args)]
pub(super) struct Build {
    /// Its id, as SPACECP-SC-2026-0007.
    pub(super) id: DocumentId,
    /// The component's folder with the flaw.
    #[arg(long, value_name = "OLD_TREE")]
    pub(super) from: PathBuf,
    /// The component's folder without it.
    #[arg(long, value_name = "NEW_TREE")]
    pub(super) to: PathBuf,
    /// The feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// The component, by the name that advisories use.
    #[arg(long)]
    pub(super) component: ComponentName,
    /// The version of `OLD_TREE`.
    #[arg(long)]
    pub(super) from_version: String,
    /// The version of `NEW_TREE`.
    #[arg(long)]
    pub(super) to_version: String,
    /// An advisory that it answers; several times for several.
    #[arg(long = "advisory", required = true, value_name = "ID")]
    pub(super) advisories: Vec<DocumentId>,
    /// Its revision.
    #[arg(long, default_value_t = 1)]
    pub(super) revision: u64,
    /// Paths that the component writes at run time; a folder with a "/" behind.
    #[arg(long = "ignore", value_name = "PATH")]
    pub(super) ignored: Vec<String>,
    /// What has to restart afterwards: none, component or panel.
    #[arg(long, default_value = "none", value_parser = restart)]
    pub(super) restart: Restart,
    /// The health check that has to succeed afterwards, by the name that panels configure.
    #[arg(long, value_name = "NAME")]
    pub(super) health: Option<String>,
    /// What must be there in this version first, as "spacecp:daemon=1.9.3"; several times for several.
    #[arg(long = "requires", value_name = "COMPONENT=VERSION", value_parser = requirement)]
    pub(super) requires: Vec<Requirement>,
    /// The old version does not cope with what the new one writes: applying it and taking it back want a
    /// person's word.
    #[arg(long)]
    pub(super) one_way: bool,
    /// A key that signs; several times for several. "correction" if it is not said.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Do not sign: write a request into this folder, for keys on other machines.
    #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

/// A format of other people's advisories.
#[derive(Debug, Subcommand)]
pub(super) enum Formatted<T: Args> {
    /// Open Source Vulnerability, schema 1.x.
    Osv(T),
    /// Common Security Advisory Framework 2.0.
    Csaf(T),
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// A .json with one document, a .jsonl with one a line, or a folder with such files in it.
    pub(super) path: PathBuf,
    /// The feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Whom the advisories are for; everybody if it is not said.
    #[arg(long)]
    pub(super) audience: Option<Audience>,
    /// Who may be told: TLP:CLEAR if it is not said. A document that says something stricter keeps that.
    #[arg(long, value_parser = tlp, value_name = "LABEL")]
    pub(super) tlp: Option<Tlp>,
    /// When what is TLP:AMBER or stricter is planned to become public, as 2027-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(super) embargo_until: Option<Timestamp>,
    /// A key that signs; several times for several. "advisory" if it is not said.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The feed.
    pub(super) feed: PathBuf,
    /// An advisory; several times for several. All if it is not said.
    #[arg(long = "id", value_name = "ID")]
    pub(super) ids: Vec<DocumentId>,
    /// Write each into FOLDER/ID.json; without it, one a line is printed.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Who publishes CSAF documents of advisories that were written here, as "SpaceCP".
    #[arg(long, requires = "namespace", value_name = "NAME")]
    pub(super) publisher: Option<String>,
    /// The publisher's own address on the web, with its https.
    #[arg(long, requires = "publisher", value_name = "URL")]
    pub(super) namespace: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Plugins {
    /// Sign a component: writes NAME.manifest and NAME.manifest.minisig beside it.
    Sign {
        /// The component.
        component: PathBuf,
        /// The plugin's version.
        #[arg(long)]
        version: semver::Version,
        /// Counts its releases; panels never go back to a lower one.
        #[arg(long)]
        release: u64,
        /// Its name.
        #[arg(long, default_value = "advisories")]
        name: String,
        /// The key that signs.
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
        "the labels are TLP:CLEAR, TLP:GREEN, TLP:AMBER, TLP:AMBER+STRICT and TLP:RED".to_owned()
    })
}

pub(super) fn documents(word: &str) -> Result<DocumentKind, String> {
    [DocumentKind::Advisory, DocumentKind::Correction]
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| "it is advisory or correction".to_owned())
}

fn requirement(text: &str) -> Result<Requirement, String> {
    let (component, version) = text
        .split_once('=')
        .ok_or("it has the form COMPONENT=VERSION")?;
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
        _ => Err("it is none, component or panel".to_owned()),
    }
}
