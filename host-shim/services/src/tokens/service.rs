//! Tokens of the API, as the API, pages and commands ask for them.

use jiff::Timestamp;

use super::{Token, Wish};
use crate::{ServiceError, store::Store, tokens};

/// API tokens.
#[derive(Debug, Clone)]
pub struct Tokens {
    store: Store,
}

impl Tokens {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Makes a token; the second value is its secret, which nobody can say again.
    pub async fn make(&self, wish: &Wish) -> Result<(Token, String), ServiceError> {
        Ok(tokens::make(&self.store, wish, Timestamp::now()).await?)
    }

    /// Revokes the good token of this name or number.
    pub async fn revoke(&self, which: &str, by: &str) -> Result<Token, ServiceError> {
        Ok(tokens::revoke(&self.store, which, by, Timestamp::now()).await?)
    }

    /// Every token that was ever made, the newest first.
    pub async fn all(&self) -> Result<Vec<Token>, ServiceError> {
        Ok(tokens::all(&self.store).await?)
    }

    /// The token with this secret, if it is good.
    pub async fn find(&self, secret: &str) -> Result<Option<Token>, ServiceError> {
        Ok(tokens::find(&self.store, secret, Timestamp::now()).await?)
    }
}
