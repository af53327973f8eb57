//! Secrets are read from their files when they are needed, and shown nowhere.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::DeliveryError;

/// Bytes of a secret.
const LONGEST: u64 = 4_096;

/// The secret in this file, without the line break after it; it has at least so many characters.
pub(super) fn read(path: &Path, least: usize) -> Result<String, DeliveryError> {
    let unfit = |reason: &str| DeliveryError::Secret {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = read_bounded(path).map_err(|error| unfit(&error.to_string()))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.contains(char::is_control) {
        return Err(unfit("more than one line"));
    }
    if secret.chars().count() < least {
        return Err(unfit(&format!("fewer than {least} characters")));
    }
    Ok(secret.to_owned())
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("more than 4096 bytes"));
    }
    Ok(text)
}
