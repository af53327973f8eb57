//! `state`: what the plugin wants to remember, kept when its call returns.

use std::collections::BTreeMap;

use crate::{
    bindings::spacecp::advisories::state::{Error, Host},
    call::HostState,
};

/// The longest key in bytes.
const LONGEST_KEY: usize = 256;

/// Bytes that an entry takes beside its key and value: in the maps of a call and in the rows of the store.
const ENTRY_OVERHEAD: u64 = 128;

impl Host for HostState {
    async fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, Error> {
        checked(&key)?;
        if let Some(written) = self.call.writes.get(&key) {
            return Ok(written.clone());
        }
        let services = self.services.clone();
        self.ask(services.state_get(key))
            .await
            .map_err(Error::Unavailable)
    }

    async fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Error> {
        checked(&key)?;
        let quota = self.limits.state;
        let used = self.used().await?;
        let size = entry_size(&key, value.len() as u64);
        if used.total_with(&key, size) > quota {
            return Err(Error::Quota);
        }
        used.set(&key, size);
        self.call.writes.insert(key, Some(value));
        Ok(())
    }

    async fn remove(&mut self, key: String) -> Result<(), Error> {
        checked(&key)?;
        match self.used().await?.remove(&key) {
            // Nothing durable is to be removed, so that nothing needs to be remembered of it either.
            Removed::NotDurable => self.call.writes.remove(&key),
            Removed::Durable => self.call.writes.insert(key, None),
        };
        Ok(())
    }
}

impl HostState {
    /// What the state takes, as it will be when the call returns.
    async fn used(&mut self) -> Result<&mut Used, Error> {
        let used = if let Some(used) = self.call.state_used.take() {
            used
        } else {
            let services = self.services.clone();
            let stored = self
                .ask(services.state_sizes())
                .await
                .map_err(Error::Unavailable)?;
            Used::by(stored)
        };
        Ok(self.call.state_used.insert(used))
    }
}

/// What the state takes in bytes: durable entries, entries that this call has set, and marks of the durable ones
/// that it has removed.
#[derive(Debug, Default)]
pub(crate) struct Used {
    entries: BTreeMap<String, Entry>,
    total: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    size: u64,
    /// Whether a value under this key is durable; it is until the call returns.
    durable: bool,
}

/// What was removed.
#[derive(Debug, PartialEq, Eq)]
enum Removed {
    /// Something durable: the removal has to be committed.
    Durable,
    /// Nothing, or what this call had set itself.
    NotDurable,
}

impl Used {
    fn by(stored: Vec<(String, u64)>) -> Self {
        let mut used = Self::default();
        for (key, length) in stored {
            let size = entry_size(&key, length);
            used.total += size;
            let durable = true;
            used.entries.insert(key, Entry { size, durable });
        }
        used
    }

    fn size_of(&self, key: &str) -> u64 {
        self.entries.get(key).map_or(0, |entry| entry.size)
    }

    /// The total if the entry under this key had this size.
    fn total_with(&self, key: &str, size: u64) -> u64 {
        (self.total - self.size_of(key)).saturating_add(size)
    }

    fn set(&mut self, key: &str, size: u64) {
        self.total = self.total_with(key, size);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.size = size;
            return;
        }
        let durable = false;
        self.entries.insert(key.to_owned(), Entry { size, durable });
    }

    fn remove(&mut self, key: &str) -> Removed {
        if self.entries.get(key).is_some_and(|entry| entry.durable) {
            self.set(key, entry_size(key, 0));
            return Removed::Durable;
        }
        if let Some(entry) = self.entries.remove(key) {
            self.total -= entry.size;
        }
        Removed::NotDurable
    }
}

/// What an entry takes, in memory and in the store.
fn entry_size(key: &str, value: u64) -> u64 {
    value.saturating_add(key.len() as u64 + ENTRY_OVERHEAD)
}

fn checked(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        Err(Error::Key)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_call_sets_and_removes_again_takes_nothing() {
        let mut used = Used::default();
        for number in 0..1_000 {
            let key = format!("key-{number}");
            used.set(&key, entry_size(&key, 100));
            assert_eq!(used.remove(&key), Removed::NotDurable);
        }
        assert_eq!(used.total, 0);
        assert!(used.entries.is_empty());
    }

    #[test]
    fn the_removal_of_something_durable_takes_its_key_until_the_call_returns() {
        let mut used = Used::by(vec![("key".to_owned(), 100)]);
        assert_eq!(used.total, 3 + 100 + ENTRY_OVERHEAD);
        for _ in 0..2 {
            assert_eq!(used.remove("key"), Removed::Durable);
            assert_eq!(used.total, 3 + ENTRY_OVERHEAD);
        }
        used.set("key", entry_size("key", 7));
        assert_eq!(used.total, 3 + 7 + ENTRY_OVERHEAD);
    }

    #[test]
    fn an_entry_without_a_value_takes_something_too() {
        let mut used = Used::default();
        used.set("k", entry_size("k", 0));
        assert_eq!(used.total, 1 + ENTRY_OVERHEAD);
        assert_eq!(used.total_with("other", u64::MAX), u64::MAX);
    }
}
