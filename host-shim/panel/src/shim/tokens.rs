//! Tokens of the API, as the API, pages and commands ask for them.

use jiff::Timestamp;

use super::{Shim, ShimError};
use crate::tokens::{self, Token, Wish};

impl Shim {
    /// Makes a token; the second value is its secret, which nobody can say again.
    pub async fn make_token(&self, wish: &Wish) -> Result<(Token, String), ShimError> {
        Ok(tokens::make(self.rooms.store(), wish, Timestamp::now()).await?)
    }

    /// Revokes the good token of this name or number.
    pub async fn revoke_token(&self, which: &str, by: &str) -> Result<Token, ShimError> {
        Ok(tokens::revoke(self.rooms.store(), which, by, Timestamp::now()).await?)
    }

    /// Every token that was ever made, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, ShimError> {
        Ok(tokens::all(self.rooms.store()).await?)
    }

    /// The token with this secret, if it is good.
    pub async fn token(&self, secret: &str) -> Result<Option<Token>, ShimError> {
        Ok(tokens::find(self.rooms.store(), secret, Timestamp::now()).await?)
    }
}
