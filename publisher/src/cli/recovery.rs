//! The command that goes on where folder and record differ: shows what would be believed, and does it if told so.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use spacecp_contract::{Audience, Role};

use super::{
    Ending,
    cases::named,
    cli_context::{CliContext, references},
};
use crate::{
    feed::Feed,
    recovery::{Adopted, Reason, Recover, RecoveryService},
};

#[derive(Debug, Subcommand)]
pub(super) enum RecoverFrom {
    /// Adopt the published directory: update the publication record from it. For a working directory that
    /// was restored from a backup, or has no record yet.
    Feed(Recovery),
    /// Adopt the publication record: publish a new head with the recorded documents, above every signed
    /// sequence, and restore missing roots. For a feed directory that was reset to an earlier state.
    Record {
        #[command(flatten)]
        recovery: Recovery,
        /// Key to sign with. May be repeated [default: feed].
        #[arg(long = "key", value_name = "NAME")]
        keys: Vec<String>,
        /// Days until the new head expires.
        #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=366))]
        expires: u32,
        /// Audience of the feed, if the directory has no root left.
        #[arg(long)]
        audience: Option<Audience>,
    },
}

/// What every recovery asks for.
#[derive(Debug, Args)]
pub(super) struct Recovery {
    /// Directory of the feed.
    feed: PathBuf,
    /// Reason, for the record.
    #[arg(long)]
    reason: String,
    /// Person to record [default: the user's name].
    #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
    by: Option<String>,
    /// Highest sequence known to any panel, as shown by "spacecp-advisories trust". The next publication is
    /// above it.
    #[arg(long, value_name = "SEQUENCE")]
    seen: Option<u64>,
    /// Recover now instead of showing what would change.
    #[arg(long)]
    yes: bool,
}

impl CliContext<'_> {
    pub(super) fn recover_from(&self, from: &RecoverFrom) -> Result<Ending> {
        match from {
            RecoverFrom::Feed(recovery) => {
                let feed = self.feed(&recovery.feed)?;
                self.recover(&feed, recovery, Recover::Feed)
            }
            RecoverFrom::Record {
                recovery,
                keys,
                expires,
                audience,
            } => {
                let feed = match audience {
                    Some(audience) => Feed::of_desk(&recovery.feed, &self.arguments.desk, audience),
                    None => self.feed(&recovery.feed)?,
                };
                let keys = if recovery.yes {
                    self.signers(keys, Role::Feed)?
                } else {
                    Vec::new()
                };
                let keys = references(&keys);
                self.recover(
                    &feed,
                    recovery,
                    Recover::Record(&keys, self.in_days(*expires)),
                )
            }
        }
    }

    fn recover(&self, feed: &Feed, recovery: &Recovery, how: Recover<'_>) -> Result<Ending> {
        if recovery.reason.trim().is_empty() {
            bail!("the reason is empty; pass --reason");
        }
        if !recovery.yes {
            let planned = RecoveryService::of(feed).plan(how, recovery.seen)?;
            self.say(&planned, &in_words(&planned, how))?;
            bail!("needs confirmation: pass --yes");
        }
        feed.sweep()?;
        let why = Reason {
            by: named(recovery.by.as_deref())?,
            reason: recovery.reason.trim().to_owned(),
            seen: recovery.seen,
        };
        let done = RecoveryService::of(feed).recover(how, &why, self.now)?;
        self.say(&done, &in_words(&done, how))
    }
}

fn in_words(adopted: &Adopted, how: Recover<'_>) -> String {
    let sequence = |found: Option<u64>| {
        found.map_or_else(|| "nothing".to_owned(), |found| format!("sequence {found}"))
    };
    let mut words = format!(
        "Publication record: {}. Directory: {}.",
        sequence(adopted.recorded),
        sequence(adopted.found)
    );
    for version in &adopted.roots {
        words.push_str(&format!("\n  restored: root {version}"));
    }
    for gained in &adopted.gained {
        words.push_str(&format!(
            "\n  NEW: {gained}. Not in the publication record: check that you published it"
        ));
    }
    for lost in &adopted.lost {
        words.push_str(&format!(
            "\n  LOST: {lost}. Panels that have it reject every broadcast without it: sign it again first"
        ));
    }
    words.push_str(&match (&adopted.published, how) {
        (Some(done), _) => format!(
            "\nPublished sequence {}, valid until {}.",
            done.sequence, done.expires
        ),
        (None, Recover::Feed) => format!(
            "\nThe directory is adopted; the next broadcast has sequence {}.",
            adopted.next
        ),
        (None, Recover::Record(..)) => format!(
            "\nThe publication record is adopted, and published as sequence {}.",
            adopted.next
        ),
    });
    words
}
