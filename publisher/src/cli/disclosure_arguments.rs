//! The arguments of the commands that tell everybody, and of those that say what no longer holds.

use std::path::PathBuf;

use clap::Args;

use crate::disclosure::settings::EXAMPLE;

#[derive(Debug, Args)]
pub(super) struct Disclose {
    /// The feed.
    pub(super) feed: PathBuf,
    /// The folder that the web server serves as the root of its host.
    #[arg(long, value_name = "WEBROOT")]
    pub(super) out: PathBuf,
    /// The settings, if they are not publisher.toml of the desk.
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct Retire {
    /// The feed.
    #[arg(long)]
    pub(super) feed: PathBuf,
    /// Why, in one line for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
}

/// What the settings are, where somebody looks for it.
pub(super) fn disclose_help() -> String {
    format!(
        "The settings are publisher.toml of the desk:\n\n{EXAMPLE}\nExample:\n  spacecp-publisher disclose FEED --out /var/www/security --dry-run"
    )
}
