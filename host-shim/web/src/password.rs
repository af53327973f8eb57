//! Passwords: argon2id with the parameters that its authors recommend.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// Why a password cannot be hashed.
#[derive(Debug, thiserror::Error)]
#[error("cannot hash the password: {0}")]
pub struct PasswordError(String);

/// The hash of a password, as the configuration wants it.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.is_empty() {
        return Err(PasswordError("it is empty".to_owned()));
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string())
        .map_err(|error| PasswordError(error.to_string()))
}

/// Whether the password is the one that was hashed.
///
/// With no hash, as for a user who is not there, the same work is done in vain: how long it takes
/// must not tell who is there.
pub(super) fn verify(password: &str, hash: Option<&str>) -> bool {
    let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
    if let Some(parsed) = parsed {
        Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok()
    } else {
        let in_vain = Argon2::default().hash_password(password.as_bytes());
        drop(in_vain);
        false
    }
}
