//! Which database is damaged and which disk is full, where that is why a command failed: an error of SQLite does not
//! name its file.

use super::CommandError;
use crate::{
    audit::AuditError,
    config::Config,
    services::own_folder,
    store::{Store, StoreError},
};

/// What to say beside an error, if it has to do with the disk or what is on it.
pub(super) async fn advice(config: &Config, error: &CommandError) -> Vec<String> {
    let Some(error) = of_the_store(error) else {
        return Vec::new();
    };
    if error.is_full() || error.is_unreachable() {
        let state = config.state.display();
        return vec![format!("state directory of the panel: {state}")];
    }
    if error.is_damage() {
        return damage(config).await;
    }
    Vec::new()
}

/// What is damaged of the two databases, and what to do about each.
pub(super) async fn damage(config: &Config) -> Vec<String> {
    if own_folder(&config.state).is_err() {
        // Nothing is opened where others could have put it.
        return Vec::new();
    }
    let path = config.state.join("store.sqlite");
    let found = match Store::open_without_feed(&path).await {
        Ok(store) => store.look_for_damage().await,
        Err(error) => return vec![error.to_string()],
    };
    found.unwrap_or_else(|error| vec![error.to_string()])
}

fn of_the_store(error: &CommandError) -> Option<&StoreError> {
    match error {
        CommandError::Service(error) => error.of_the_store(),
        CommandError::Audit(AuditError::Store(error)) => Some(error),
        _ => None,
    }
}
