//! The arguments of the commands that tell everybody, and of those that say what no longer holds.

use std::path::PathBuf;

use clap::Args;

use crate::disclosure::settings::EXAMPLE;

#[derive(Debug, Args)]
pub(super) struct Disclose {
    /// Directory of the feed.
    pub(super) feed: PathBuf,
    /// Document root of the web server.
    #[arg(long, value_name = "WEBROOT")]
    pub(super) out: PathBuf,
    /// Read the settings from this file [default: publisher.toml in the working directory].
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// Show what would change, without changing anything.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Retire {
    /// Directory of the feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Reason for the change, in one public line.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
}

/// What the settings are, where somebody looks for it.
pub(super) fn disclose_help() -> String {
    format!(
        "Settings in publisher.toml:\n\n{EXAMPLE}\nExample:\n  spacecp-publisher disclose FEED --out /var/www/security --dry-run"
    )
}
