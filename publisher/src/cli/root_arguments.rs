//! The command line about roots.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spacecp_contract::{Audience, Role, TimeBounds};

#[derive(Debug, Subcommand)]
pub(super) enum Roots {
    /// Create and sign the first root of a feed from keys/ROLE.pub, one key for each role.
    New {
        /// Directory of the feed.
        feed: PathBuf,
        /// Audience of the feed, such as "customers".
        #[arg(long)]
        audience: Audience,
        /// Days until the root expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
        expires: u32,
        /// Key for a role, instead of the key named like the role, such as "feed=feed-2026". May be
        /// repeated, also for several keys of one role.
        #[arg(long = "holder", value_name = "ROLE=NAME", value_parser = holder)]
        holders: Vec<(Role, String)>,
        /// Number of keys of a role that must sign, such as "root=2" [default: 1].
        #[arg(long = "threshold", value_name = "ROLE=NUMBER", value_parser = threshold)]
        thresholds: Vec<(Role, u32)>,
        #[command(flatten)]
        bounds: Bounds,
        /// Write a signing request to this directory instead of signing, for keys on other machines.
        #[arg(long, value_name = "DIRECTORY")]
        request: Option<PathBuf>,
    },
    /// Show the keys, thresholds and expiry date of the current root.
    Show {
        /// Directory of the feed.
        feed: PathBuf,
    },
    /// Replace keys of a role, as a planned change. Creates the next root.
    Rotate {
        /// Directory of the feed.
        feed: PathBuf,
        /// Role to change.
        #[arg(value_parser = role)]
        role: Role,
        /// Key to remove: its name, or its id of 16 digits.
        #[arg(long, value_name = "KEY")]
        old: Vec<String>,
        /// Key to add, by its name.
        #[arg(long, value_name = "NAME", required = true)]
        new: Vec<String>,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Remove a lost or compromised key from every role. Creates the next root.
    ///
    /// If it was the only key of a role, add another in the same step with --instead. Example:
    /// spacecp-publisher root revoke FEED feed --instead feed=feed-2027 --dry-run
    Revoke {
        /// Directory of the feed.
        feed: PathBuf,
        /// Key to revoke: its name, or its id of 16 digits.
        key: String,
        /// Key to add to a role, such as "feed=feed-2027". May be repeated.
        #[arg(long, value_name = "ROLE=NAME", value_parser = holder)]
        instead: Vec<(Role, String)>,
        /// Restart sequences and revisions, if the holder of the compromised key exhausted the numbers.
        #[arg(long)]
        afresh: bool,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Change the number of keys of a role that must sign. Creates the next root.
    Threshold {
        /// Directory of the feed.
        feed: PathBuf,
        /// Role to change.
        #[arg(value_parser = role)]
        role: Role,
        /// New threshold.
        number: u32,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Extend the validity of the root, with nothing else changed. Creates the next root.
    Renew {
        /// Directory of the feed.
        feed: PathBuf,
        #[command(flatten)]
        next: NextRoot,
    },
}

/// How the next root is signed.
#[derive(Debug, Args)]
pub(super) struct NextRoot {
    /// Key to sign the root with. May be repeated [default: root]. Panels require enough root keys of both
    /// the previous and the new root.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Days until the root expires.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub(super) expires: u32,
    #[command(flatten)]
    pub(super) bounds: Bounds,
    /// Show what would change, without changing anything.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Write a signing request to this directory instead of signing, for keys on other machines.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

/// Time limits in a root. Unset limits take the defaults in a first root, and are kept in later ones.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Bounds {
    /// Maximum lifetime of a head, in days. Panels refuse a head valid for longer, which a stolen feed key
    /// could otherwise use to withhold later updates [default: 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=i64::from(TimeBounds::MOST_HEAD_DAYS)))]
    head_days: Option<u32>,
    /// Maximum time, in minutes, that a root or head may be issued ahead of a panel's clock [default: 1440]
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=i64::from(TimeBounds::MOST_AHEAD_MINUTES)))]
    ahead_minutes: Option<u32>,
}

impl From<Bounds> for TimeBounds {
    fn from(bounds: Bounds) -> Self {
        Self {
            head_days: bounds.head_days,
            ahead_minutes: bounds.ahead_minutes,
        }
    }
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        format!("{word:?} is not a role; the roles are root, feed, advisory, correction and plugin")
    })
}

fn holder(text: &str) -> Result<(Role, String), String> {
    let (word, name) = text.split_once('=').ok_or("must have the form ROLE=NAME")?;
    Ok((role(word)?, name.to_owned()))
}

fn threshold(text: &str) -> Result<(Role, u32), String> {
    let (word, number) = text
        .split_once('=')
        .ok_or("must have the form ROLE=NUMBER")?;
    Ok((
        role(word)?,
        number
            .parse()
            .map_err(|_| format!("{number:?} is not a number"))?,
    ))
}
