//! What every command has at hand: the desk's keys, the clock, and the output. It decides nothing.

use std::{
    io::{self, Write},
    path::Path,
};

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use spacecp_contract::{Role, Root};
use zeroize::Zeroizing;

use super::{Ending, arguments::Arguments};
use crate::{
    feed::Feed,
    keys::{self, PublicKey, SecretKey},
    passphrase::Source,
    private_files,
};

/// What every command has at hand.
pub(super) struct CliContext<'a> {
    pub(super) arguments: &'a Arguments,
    pub(super) now: Timestamp,
}

impl CliContext<'_> {
    pub(super) fn keys(&self) -> std::path::PathBuf {
        self.arguments.desk.join("keys")
    }

    pub(super) fn passphrases(&self) -> Source {
        self.arguments
            .passphrase_fd
            .map_or(Source::VariableOrTerminal, Source::Descriptor)
    }

    pub(super) fn in_days(&self, days: u32) -> Timestamp {
        self.now + SignedDuration::from_hours(24 * i64::from(days))
    }

    /// The secret key of that name; its passphrase is asked for if it has one.
    pub(super) fn key(&self, name: &str) -> Result<SecretKey> {
        let path = keys::paths(&self.keys(), name).0;
        self.unlocked(&path, |ask| SecretKey::load(&path, ask))
    }

    /// The key in a file. What loads it asks for the passphrase if it wants one; why nobody could be asked is
    /// then the error, and not what became of the key without it.
    pub(super) fn unlocked<K, E>(
        &self,
        path: &Path,
        load: impl FnOnce(&mut dyn FnMut() -> Option<Zeroizing<String>>) -> Result<K, E>,
    ) -> Result<K>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut problem = None;
        let key = load(
            &mut || match self.passphrases().ask(&path.display().to_string()) {
                Ok(passphrase) => Some(passphrase),
                Err(error) => {
                    problem = Some(error);
                    None
                }
            },
        );
        match problem {
            Some(problem) => Err(problem.into()),
            None => Ok(key?),
        }
    }

    /// The secret keys of these names; the one with the role's name where none is named.
    pub(super) fn signers(&self, names: &[String], role: Role) -> Result<Vec<SecretKey>> {
        if names.is_empty() {
            return Ok(vec![self.key(role.as_str())?]);
        }
        names.iter().map(|name| self.key(name)).collect()
    }

    pub(super) fn public(&self, name: &str) -> Result<PublicKey> {
        Ok(PublicKey::load(&keys::paths(&self.keys(), name).1)?)
    }

    /// The key of a root by its id, for a key whose file is lost, or by its name on the desk.
    pub(super) fn named(&self, key: &str, root: &Root) -> Result<String> {
        let listed = root.roles.values().flat_map(|held| &held.keys);
        let of_that_id = listed
            .filter(|text| spacecp_trust::key_id(text).is_some_and(|id| id == key.to_uppercase()));
        // An id is a label that nothing vouches for: two keys may have the same.
        let mut found: Vec<&String> = of_that_id.collect();
        found.sort();
        found.dedup();
        match found.as_slice() {
            [] => Ok(self.public(key)?.to_base64()),
            [text] => Ok((*text).clone()),
            _ => bail!(
                "{} keys of root {} have the id {key}; use the name of its file",
                found.len(),
                root.version
            ),
        }
    }

    /// A feed of this desk, to be looked at.
    pub(super) fn feed(&self, folder: &Path) -> Result<Feed> {
        Ok(Feed::at(folder).with_desk(&self.arguments.desk)?)
    }

    /// A feed of this desk, to be worked at: nothing that a killed command left is in the way, and it is what
    /// this desk published last.
    pub(super) fn tidy_feed(&self, folder: &Path) -> Result<Feed> {
        let feed = self.feed(folder)?;
        for notice in feed.tidy()?.notices() {
            warn(&notice);
        }
        Ok(feed)
    }

    /// A feed of this desk, to be worked at whatever its head is.
    pub(super) fn swept_feed(&self, folder: &Path) -> Result<Feed> {
        let feed = self.feed(folder)?;
        feed.sweep()?;
        Ok(feed)
    }

    /// Makes the desk private, and cleans up after killed commands.
    pub(super) fn mend(&self) -> Result<()> {
        for mended in private_files::mend(&self.arguments.desk)? {
            warn(&mended);
        }
        Ok(())
    }

    pub(super) fn say(&self, value: &impl serde::Serialize, words: &str) -> Result<Ending> {
        let text = if self.arguments.json {
            serde_json::to_string_pretty(value)?
        } else {
            words.to_owned()
        };
        writeln!(io::stdout(), "{text}")?;
        Ok(Ending::Well)
    }
}

/// Tells a person what a script need not know.
pub(super) fn warn(text: &str) {
    // With nowhere to say it to there is nothing left to do.
    let _ = writeln!(io::stderr(), "warning: {text}");
}

/// The keys as those who sign take them.
pub(super) fn references(keys: &[SecretKey]) -> Vec<&SecretKey> {
    keys.iter().collect()
}
