//! The command line: what there is, and what holds for every command.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use spacecp_contract::{ComponentName, DocumentId, DocumentKind, VersionScheme};

use super::{
    broadcast_arguments::{Consented, Fresh, Publisher},
    case_arguments::CaseCommand,
    disclosure_arguments::{Disclose, Retire, disclose_help},
    document_arguments::{Advisories, Corrections, Export, Formatted, Import, Plugins, documents},
    init::Init,
    recovery::RecoverFrom,
    root_arguments::Roots,
};

/// Manage the vendor's side of the advisory system: keys, roots, cases, advisories, corrections and their
/// broadcast.
#[derive(Debug, Parser)]
#[command(
    name = "spacecp-publisher",
    version,
    after_help = "The working directory (--desk) holds keys/, drafts/, panels/, records/, signed/ and products.toml. A feed is the published directory that panels download.\n\nExit codes:\n  0  success\n  1  a check found problems, something expires soon, or signatures are still missing\n  2  invalid command line\n  4  refused or failed\n\nExamples:\n  spacecp-publisher init FEED --audience customers --from https://advisories.example.com/ --plugin advisories.wasm\n  spacecp-publisher keys new feed-2027\n  spacecp-publisher advisory new SPACECP-SA-2026-0007 --audience customers\n  spacecp-publisher advisory check drafts/SPACECP-SA-2026-0007.toml\n  spacecp-publisher advisory sign drafts/SPACECP-SA-2026-0007.toml --feed FEED\n  spacecp-publisher import osv advisory-db.jsonl --feed FEED --dry-run\n  spacecp-publisher product map cpe:a:apache:log4j maven:org.apache.logging.log4j:log4j-core\n  spacecp-publisher export csaf FEED --out csaf/ --publisher SpaceCP --namespace https://example.com\n  spacecp-publisher panel enrol node-7 age1…\n  spacecp-publisher broadcast FEED --dry-run\n  spacecp-publisher disclose FEED --out /var/www/security\n  spacecp-publisher status FEED || mail the people who hold the keys\n  spacecp-publisher root rotate FEED feed --old feed --new feed-2027 --dry-run"
)]
pub(super) struct Arguments {
    /// Use this working directory, which holds keys, drafts and records.
    #[arg(
        long,
        global = true,
        env = "SPACECP_DESK",
        default_value = ".",
        value_name = "DIRECTORY"
    )]
    pub(super) desk: PathBuf,

    /// Read passphrases from this file descriptor, one a line, instead of prompting. Without it, the
    /// environment variable `SPACECP_PASSPHRASE` is used if set.
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(super) passphrase_fd: Option<u32>,

    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set up a desk and a feed: keys with one passphrase, a root, the signed plugin, and one file for customers.
    ///
    /// Creates what is missing and keeps what is there, so it can be repeated. Afterwards move the keys to where they
    /// belong. Example: spacecp-publisher init FEED --audience customers --from `https://advisories.example.com/customers/`
    /// --plugin advisories.wasm
    Init(Init),
    /// Print the completion script for a shell.
    ///
    /// Example: spacecp-publisher completions bash > /etc/bash_completion.d/spacecp-publisher
    Completions {
        /// Shell to print the script for.
        shell: spacecp_manual::Shell,
    },
    /// Write the manual pages of all commands into a directory.
    Man {
        /// Directory to write to.
        directory: PathBuf,
    },
    /// Create and list key pairs, in the format of minisign.
    #[command(subcommand)]
    Keys(Keys),
    /// Create and change roots, which define the keys that may sign in each role.
    #[command(subcommand)]
    Root(Roots),
    /// Handle cases, from the finder's vulnerability report to its disclosure.
    #[command(subcommand)]
    Case(CaseCommand),
    /// Write, check and sign advisories.
    #[command(subcommand)]
    Advisory(Advisories),
    /// Build and sign corrections from two directory trees.
    #[command(subcommand)]
    Correction(Corrections),
    /// Sign the plugin component that panels run.
    #[command(subcommand)]
    Plugin(Plugins),
    /// Manage the panels that can decrypt embargoed advisories.
    #[command(subcommand)]
    Panel(Panels),
    /// Map products of imported documents, which no package URL names, to components.
    #[command(subcommand)]
    Product(Products),
    /// Publish everything that was signed: write a new index and a new head.
    ///
    /// Embargoed documents are encrypted to the enrolled panels; all others are published in clear.
    /// Advisories of cases record the broadcast in their case. Example: spacecp-publisher broadcast FEED
    /// --dry-run
    Broadcast {
        /// Directory of the feed.
        feed: PathBuf,
        #[command(flatten)]
        fresh: Fresh,
        /// Show what would change, without changing anything.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        consented: Consented,
        #[command(flatten)]
        publisher: Publisher,
    },
    /// Discard signed documents that are pending, that is, not yet published. Published revisions are not
    /// changed.
    #[command(name = "discard-pending", alias = "unsign")]
    Unsign {
        /// Kind of the document: advisory or correction.
        #[arg(value_parser = documents)]
        kind: DocumentKind,
        /// Id of the document. All of its unpublished revisions are discarded.
        id: DocumentId,
        /// Directory of the feed.
        #[arg(long)]
        feed: PathBuf,
    },
    /// Publish a fresh head for the published index, without new documents. Intended for a timer.
    ///
    /// Documents signed since the last broadcast stay pending until the next broadcast. Example:
    /// spacecp-publisher refresh FEED --if-within 3
    Refresh {
        /// Directory of the feed.
        feed: PathBuf,
        #[command(flatten)]
        fresh: Fresh,
        /// Publish only if the published head expires within this number of days.
        #[arg(long, value_name = "DAYS")]
        if_within: Option<u32>,
        /// Show what would change, without changing anything.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show expiry dates, signing keys and pending work. Exits with 1 if anything needs attention.
    Status {
        /// Directory of the feed.
        feed: PathBuf,
        /// Report a head that expires within this number of days.
        #[arg(long, default_value_t = 2, value_name = "DAYS")]
        head_within: u32,
        /// Report a root that expires within this number of days.
        #[arg(long, default_value_t = 30, value_name = "DAYS")]
        root_within: u32,
    },
    /// Sign documents again after their key lost its role, so that new panels accept them. The documents
    /// themselves do not change.
    SignAgain {
        /// Directory of the feed.
        feed: PathBuf,
        /// Kind of the documents: advisory or correction.
        #[arg(value_parser = documents)]
        kind: DocumentKind,
        /// Also sign this document, which has not been published. May be repeated. Published documents
        /// are signed only if the publication record lists them.
        #[arg(long = "document", value_name = "ID")]
        documents: Vec<DocumentId>,
        /// Key to sign with. May be repeated [default: the key named like the role].
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
        /// List the documents that would be signed, and change nothing. Remove those that are not yours with "disown".
        #[arg(long)]
        dry_run: bool,
        /// Sign what is listed after keys were revoked with --afresh: a thief may have had this desk publish some of
        /// it.
        #[arg(long)]
        yes: bool,
    },
    /// Remove a published document from the publication record that somebody else signed with your keys.
    ///
    /// It is never signed or listed again. Run it after "root revoke --afresh" and before "sign-again".
    Disown {
        /// Kind of the document: advisory or correction.
        #[arg(value_parser = documents)]
        kind: DocumentKind,
        /// Id of the document.
        id: DocumentId,
        /// Directory of the feed.
        #[arg(long)]
        feed: PathBuf,
        /// First revision to remove; earlier ones stay.
        #[arg(long, default_value_t = 1)]
        revision: u64,
        /// Reason, for the record.
        #[arg(long)]
        reason: String,
        /// Person to record [default: the user's name].
        #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
        by: Option<String>,
    },
    /// Reconcile the published directory with the publication record after a restore or an attack.
    #[command(subcommand)]
    RecoverFrom(RecoverFrom),
    /// Sign a request written on another machine, after showing its content.
    ///
    /// Equivalent to "minisign -S -m REQUEST -t COMMENT" with the comment shown.
    SignRequest {
        /// Request file.
        request: PathBuf,
        /// Key to sign with. May be repeated. Without a key, the request is shown and not signed.
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
    },
    /// Add signatures made elsewhere to a request, and publish it once there are enough.
    ///
    /// Exits with 1 as long as signatures are missing.
    AddSignature {
        /// Request file. Its signatures are collected in REQUEST.minisig beside it.
        request: PathBuf,
        /// Files with further signatures.
        signatures: Vec<PathBuf>,
        /// Directory of the feed.
        #[arg(long)]
        feed: PathBuf,
        #[command(flatten)]
        publisher: Publisher,
    },
    /// Import external advisories and sign those that are new or changed.
    ///
    /// A refused document is named with the field and the reason, and does not stop the others; exits with
    /// 1 if any is refused. Importing the same documents again changes nothing. Example: spacecp-publisher
    /// import osv advisory-db.jsonl --feed FEED --dry-run
    #[command(subcommand)]
    Import(Formatted<Import>),
    /// Export the published TLP:CLEAR advisories of a feed to another format.
    ///
    /// Exits with 1 if any advisory is refused. An advisory that was imported from the format is exported
    /// as the original document. Example: spacecp-publisher export osv FEED --out osv/
    #[command(subcommand)]
    Export(Formatted<Export>),
    /// Write a public website of the TLP:CLEAR advisories of a feed: pages, CSAF 2.0, OSV, an Atom feed and
    /// security.txt.
    ///
    /// The files suit any web server. Running it again changes nothing; files of advisories that are no
    /// longer public are removed, and files written by others are kept. Exits with 1 if a format cannot
    /// express an advisory, which is then published as a page only.
    #[command(after_help = disclose_help())]
    Disclose(Disclose),
    /// Write the draft of a revision that withdraws an advisory.
    Withdraw {
        /// Id of the advisory.
        id: DocumentId,
        #[command(flatten)]
        retire: Retire,
    },
    /// Write the draft of a revision that replaces one advisory by another.
    Supersede {
        /// Id of the advisory to replace.
        id: DocumentId,
        /// Id of the advisory that replaces it; the draft is a revision of this one.
        #[arg(long, value_name = "ID")]
        by: DocumentId,
        #[command(flatten)]
        retire: Retire,
    },
    /// Write the published state of a feed into one file, for panels without network access.
    ///
    /// On the panel, "spacecp-advisories import FILE" verifies it exactly as the feed itself.
    Bundle {
        /// Directory of the feed.
        feed: PathBuf,
        /// File to write.
        into: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Keys {
    /// Create a key pair: keys/NAME.key and keys/NAME.pub.
    ///
    /// The secret key is encrypted with a passphrase, as minisign does. A key named "report" or "report-…"
    /// decrypts vulnerability reports instead of signing: it is an age identity, and keys/NAME.recipient
    /// holds the recipient for finders.
    New {
        /// Name of the key, usually its role: root, feed, advisory, correction, plugin; or report.
        name: String,
        /// Store the secret key without a passphrase, for storage that is protected otherwise.
        #[arg(long)]
        unencrypted: bool,
    },
    /// List the public keys.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Products {
    /// Map a product to a component. Imports use it from now on.
    Map {
        /// Product as the import shows it: its CPE such as cpe:a:apache:log4j, or its vendor and name such as
        /// "Apache/Log4j".
        product: String,
        /// Component, as advisories name it, such as npm:ws or maven:org.apache.logging.log4j:log4j-core.
        component: ComponentName,
        /// Version scheme: semver, npm, deb, rpm, maven, alpine, composer, pypi, nuget, gem or generic [default: that of
        /// the component's ecosystem, otherwise generic].
        #[arg(long, value_parser = scheme)]
        scheme: Option<VersionScheme>,
    },
    /// Remove the mapping of a product.
    Unmap {
        /// Product as it was mapped.
        product: String,
    },
    /// List all mappings.
    List,
}

fn scheme(word: &str) -> Result<VersionScheme, String> {
    let mut known = VersionScheme::ALL.into_iter();
    known
        .find(|scheme| scheme.to_string() == word)
        .ok_or_else(|| {
            let known = VersionScheme::ALL.map(|scheme| scheme.to_string());
            format!("must be one of {}", known.join(", "))
        })
}

#[derive(Debug, Subcommand)]
pub(super) enum Panels {
    /// Enrol a panel: from the next broadcast on, it can decrypt embargoed advisories.
    Enrol {
        /// Name of the panel: lower-case letters, digits, "-" and "_".
        name: String,
        /// Recipient of the panel (age1…), as shown there by "spacecp-advisories identity".
        recipient: String,
    },
    /// Revoke a panel: from the next broadcast on, it cannot decrypt new embargoed advisories.
    Revoke {
        /// Name of the panel.
        name: String,
        /// Reason, for the record.
        #[arg(long)]
        reason: String,
    },
    /// List all panels that were ever enrolled.
    List,
}
