//! `state`: what the plugin wants to remember, kept when its call returns.

use std::collections::BTreeMap;

use crate::plugin::{
    bindings::spacecp::advisories::state::{Error, Host},
    call::HostState,
};

/// The longest key in bytes.
const LONGEST_KEY: usize = 256;

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
        let sizes = self.state_sizes().await?;
        let (was, is) = (sizes.of(&key), key.len() as u64 + value.len() as u64);
        if sizes.total - was + is > quota {
            return Err(Error::Quota);
        }
        sizes.put(&key, is);
        self.call.writes.insert(key, Some(value));
        Ok(())
    }

    async fn remove(&mut self, key: String) -> Result<(), Error> {
        checked(&key)?;
        let sizes = self.state_sizes().await?;
        // Forgetting what is not there needs no write, so that a call cannot pile them up.
        if sizes.of(&key) == 0 {
            return Ok(());
        }
        sizes.put(&key, 0);
        self.call.writes.insert(key, None);
        Ok(())
    }
}

impl HostState {
    /// How much every key takes, as it will be when the call returns.
    async fn state_sizes(&mut self) -> Result<&mut Sizes, Error> {
        let sizes = if let Some(sizes) = self.call.sizes.take() {
            sizes
        } else {
            let services = self.services.clone();
            let stored = self
                .ask(services.state_sizes())
                .await
                .map_err(Error::Unavailable)?;
            Sizes::new(stored)
        };
        Ok(self.call.sizes.insert(sizes))
    }
}

/// How much every key takes with its value, in bytes.
#[derive(Debug, Default)]
pub(in crate::plugin) struct Sizes {
    by_key: BTreeMap<String, u64>,
    total: u64,
}

impl Sizes {
    fn new(stored: Vec<(String, u64)>) -> Self {
        let by_key: BTreeMap<_, _> = stored
            .into_iter()
            .map(|(key, size)| (key.clone(), key.len() as u64 + size))
            .collect();
        Self {
            total: by_key.values().sum(),
            by_key,
        }
    }

    fn of(&self, key: &str) -> u64 {
        self.by_key.get(key).copied().unwrap_or(0)
    }

    fn put(&mut self, key: &str, size: u64) {
        self.total = self.total - self.of(key) + size;
        if size == 0 {
            self.by_key.remove(key);
        } else {
            self.by_key.insert(key.to_owned(), size);
        }
    }
}

fn checked(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        Err(Error::Key)
    } else {
        Ok(())
    }
}
