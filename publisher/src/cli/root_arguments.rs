//! The command line about roots.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spacecp_contract::{Audience, Role};

#[derive(Debug, Subcommand)]
pub(super) enum Roots {
    /// Make and sign the first root of a feed from keys/ROLE.pub, one key a role.
    New {
        /// The feed.
        feed: PathBuf,
        /// Whom the feed is for, as "customers".
        #[arg(long)]
        audience: Audience,
        /// Days until it expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
        expires: u32,
        /// Another key for a role than the one of its name, as "feed=feed-2026"; several times for
        /// several keys.
        #[arg(long = "holder", value_name = "ROLE=NAME", value_parser = holder)]
        holders: Vec<(Role, String)>,
        /// How many keys of a role must sign, as "root=2"; one if it is not said.
        #[arg(long = "threshold", value_name = "ROLE=NUMBER", value_parser = threshold)]
        thresholds: Vec<(Role, u32)>,
        /// Do not sign: write a request into this folder, for keys on other machines.
        #[arg(long, value_name = "FOLDER")]
        request: Option<PathBuf>,
    },
    /// Show who may sign what, and until when.
    Show {
        /// The feed.
        feed: PathBuf,
    },
    /// Exchange keys of a role, as a planned change: the next root.
    Rotate {
        /// The feed.
        feed: PathBuf,
        /// The role.
        #[arg(value_parser = role)]
        role: Role,
        /// A key that no longer signs: a name on the desk, or an id of 16 digits.
        #[arg(long, value_name = "KEY")]
        old: Vec<String>,
        /// A key that signs from now on: a name on the desk.
        #[arg(long, value_name = "NAME", required = true)]
        new: Vec<String>,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Take every role from a key that is lost or known to others: the next root.
    ///
    /// Give the role another key in the same step with --instead, if it was the only one.
    Revoke {
        /// The feed.
        feed: PathBuf,
        /// The key: a name on the desk, or an id of 16 digits.
        key: String,
        /// A key that gets a role, as "feed=feed-2027".
        #[arg(long, value_name = "ROLE=NAME", value_parser = holder)]
        instead: Vec<(Role, String)>,
        /// Start sequences and revisions afresh, if whoever had the key has used the numbers up.
        #[arg(long)]
        afresh: bool,
        #[command(flatten)]
        next: NextRoot,
    },
    /// Change how many keys of a role must sign: the next root.
    Threshold {
        /// The feed.
        feed: PathBuf,
        /// The role.
        #[arg(value_parser = role)]
        role: Role,
        /// How many.
        number: u32,
        #[command(flatten)]
        next: NextRoot,
    },
    /// The same root for longer: the next root, with nothing else changed.
    Renew {
        /// The feed.
        feed: PathBuf,
        #[command(flatten)]
        next: NextRoot,
    },
}

/// How the next root is signed.
#[derive(Debug, Args)]
pub(super) struct NextRoot {
    /// A key that signs it; several times for several. "root" if it is not said. Panels demand enough
    /// keys of the root before and of the new one.
    #[arg(long = "key", value_name = "NAME")]
    pub(super) keys: Vec<String>,
    /// Days until it expires.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub(super) expires: u32,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not sign: write a request into this folder, for keys on other machines.
    #[arg(long, value_name = "FOLDER", conflicts_with = "keys")]
    pub(super) request: Option<PathBuf>,
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        format!("{word:?} is no role; the roles are root, feed, advisory, correction and plugin")
    })
}

fn holder(text: &str) -> Result<(Role, String), String> {
    let (word, name) = text.split_once('=').ok_or("it has the form ROLE=NAME")?;
    Ok((role(word)?, name.to_owned()))
}

fn threshold(text: &str) -> Result<(Role, u32), String> {
    let (word, number) = text.split_once('=').ok_or("it has the form ROLE=NUMBER")?;
    Ok((
        role(word)?,
        number
            .parse()
            .map_err(|_| format!("{number:?} is not a number"))?,
    ))
}
