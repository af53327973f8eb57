//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Signed security advisories on this panel: what is exposed, and the corrections for it.
#[derive(Debug, Parser)]
#[command(
    name = "spacecp-advisories",
    version,
    after_help = "Exit codes:\n  0  done; with check: nothing is exposed\n  1  with check: something is exposed or cannot be decided; with doctor: something wants attention\n  2  the command line or the configuration cannot be used\n  3  refused: not signed as it must be, drifted, in the way, or no word given\n  4  tried, and did not work\n\nExamples:\n  spacecp-advisories sync\n  spacecp-advisories check --format json\n  spacecp-advisories show SPACECP-SA-2026-0007\n  spacecp-advisories apply SPACECP-SC-2026-0007 --dry-run"
)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(
        long,
        short,
        global = true,
        env = "SPACECP_ADVISORIES_CONFIG",
        default_value = "/etc/spacecp-advisories/config.toml",
        value_name = "FILE"
    )]
    pub(super) config: PathBuf,

    /// Print JSON for a script to read.
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(super) color: Colour,

    /// What to log to standard error, as "info" or "warn,sqlx=off".
    #[arg(
        long,
        global = true,
        env = "SPACECP_ADVISORIES_LOG",
        value_name = "FILTER"
    )]
    pub(super) log: Option<String>,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal only.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask the feed for news.
    Sync,
    /// Say which installed components are exposed, and why; ends with 1 if any is.
    ///
    /// Does not ask the feed: run "sync" before, or leave that to "serve".
    Check {
        /// How to print the verdicts.
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// List the advisories received.
    List {
        /// Words that an advisory must have in id, aliases, title or components.
        search: Option<String>,
    },
    /// Show one advisory, with the verdicts and the correction for this panel.
    Show {
        /// Its id, as SPACECP-SA-2026-0007.
        advisory: String,
    },
    /// Apply corrections.
    ///
    /// Several are one plan: what others require comes first, and all of them are applied, or none.
    ///
    /// Shows what would happen first. On a terminal it asks then; elsewhere it wants --yes, or --plan
    /// with the digest of the plan that was looked at.
    Apply(Apply),
    /// Take an application back: the old tree returns, with the run-time data as it is now.
    ///
    /// Needs neither the feed nor the plugin nor the component itself.
    Rollback {
        /// The application's id, or a component whose newest application is meant.
        #[arg(value_name = "APPLICATION|COMPONENT")]
        which: String,
        /// Give up files that were changed since the correction was applied.
        #[arg(long)]
        overwrite: bool,
    },
    /// Show what was applied and taken back.
    History,
    /// Take in news that was carried here in one file; asks nobody on the network.
    ///
    /// The file is checked as the feed itself would be. The payloads of its corrections are kept, so
    /// that they can be applied here.
    Import {
        /// The bundle, as "spacecp-publisher bundle" makes it.
        file: PathBuf,
    },
    /// Show whom this panel believes, since when, and what it refused.
    Trust {
        #[command(subcommand)]
        action: Option<Trust>,
    },
    /// Look for what keeps advisories from arriving or corrections from being applied, and say what
    /// to do; ends with 1 if there is anything.
    Doctor,
    /// Finish or undo what was cut off: a crash, a power loss.
    ///
    /// Every other command does that first, too. It needs neither the feed nor the plugin, and leaves
    /// alone what another process is at.
    Recover,
    /// Go on with an application while the panel is stopped: started by the panel, not by hand.
    #[command(hide = true)]
    Watch {
        /// The application's id.
        application: String,
    },
    /// Serve the pages and follow the feed.
    Serve {
        /// The address to listen on, instead of the one in the configuration.
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Turn a password (read from standard input) into the hash that the configuration wants.
    HashPassword,
}

#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Forget everything that was learnt from the feed and begin with the pinned root again.
    ///
    /// For the day when all else fails: a vendor that had to begin anew, say. Until the next sync
    /// this panel knows nothing. Applications and what was decided here stay.
    Reset {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The corrections' ids, as SPACECP-SC-2026-0007.
    #[arg(required = true, value_name = "CORRECTION")]
    pub(super) corrections: Vec<String>,
    /// The component; needed only where several could be meant, and for one correction only.
    #[arg(long)]
    pub(super) component: Option<String>,
    /// Show the plan and what stands in the way, and change nothing.
    #[arg(long, conflicts_with_all = ["yes", "plan"])]
    pub(super) dry_run: bool,
    /// Carry out this plan and no other.
    #[arg(long, value_name = "DIGEST")]
    pub(super) plan: Option<String>,
    /// Replace files that were changed on this machine; they stay in the old tree.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(super) yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people.
    Table,
    /// JSON for scripts.
    Json,
}
