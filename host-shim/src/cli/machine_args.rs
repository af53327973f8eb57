//! The command line of what is set up and decided on this machine: `init`, `unread`, `set-version`. Arguments only.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spacecp_contract::Digest;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// File from the vendor, written by "spacecp-publisher init".
    #[arg(value_name = "FILE")]
    pub(super) hand_over: PathBuf,
    /// SHA-256 of the file, obtained from the vendor by another way than the file. Required without a terminal.
    #[arg(long, value_name = "DIGEST")]
    pub(super) sha256: Option<Digest>,
    /// Directory for the databases, the identity, locks and caches.
    #[arg(
        long,
        default_value = "/var/lib/spacecp-advisories",
        value_name = "DIRECTORY"
    )]
    pub(super) state: PathBuf,
    /// Look for installed software below this directory.
    #[arg(long, default_value = "/", value_name = "DIRECTORY")]
    pub(super) root: PathBuf,
    /// Administrator who may log in to the pages. The password is prompted for, or is the first line of standard input.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Print the configuration instead of writing it, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not sync with the feed.
    #[arg(long)]
    pub(super) no_sync: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum UnreadAction {
    /// List the paths that could not be read, and the acknowledgements that are valid or have ended.
    List {
        /// Include acknowledgements that were withdrawn or replaced.
        #[arg(long)]
        all: bool,
    },
    /// Acknowledge a path that could not be read, and every such path inside it.
    ///
    /// Example: spacecp-advisories unread acknowledge /srv/lobby/plugins/Private.jar
    /// --reason "our own plugin, reviewed by hand" --until 2026-12-31
    Acknowledge {
        /// Path as "unread" lists it, or a directory or archive around it.
        place: String,
        /// Reason for acknowledging it.
        #[arg(long)]
        reason: String,
        /// End: a day (inclusive, UTC) or a time such as 2026-12-31T18:00:00Z, at most
        /// decisions.longest-acceptance-days (default 90) away.
        #[arg(long, value_name = "DATE")]
        until: String,
    },
    /// Withdraw the acknowledgements of a path and of every path inside it.
    Withdraw {
        /// Path that was acknowledged, or a directory or archive around it.
        place: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct SetVersion {
    /// Component, as "components" lists it.
    #[arg(required_unless_present = "list")]
    pub(super) component: Option<String>,
    /// Version that is installed.
    #[arg(required_unless_present_any = ["withdraw", "list"])]
    pub(super) version: Option<String>,
    /// How the version is known.
    #[arg(long, required_unless_present_any = ["withdraw", "list"])]
    pub(super) reason: Option<String>,
    /// End: a day (inclusive, UTC) or a time such as 2026-12-31T18:00:00Z, at most
    /// decisions.longest-acceptance-days (default 90) away.
    #[arg(long, value_name = "DATE", required_unless_present_any = ["withdraw", "list"])]
    pub(super) until: Option<String>,
    /// Withdraw the version that was set.
    #[arg(long, conflicts_with_all = ["version", "reason", "until", "list"])]
    pub(super) withdraw: bool,
    /// List the versions that are set, and those whose time is over.
    #[arg(long, conflicts_with_all = ["component", "version", "reason", "until"])]
    pub(super) list: bool,
    /// With --list, include versions that were withdrawn or replaced.
    #[arg(long, requires = "list")]
    pub(super) all: bool,
}
