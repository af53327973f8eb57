//! What a page may load and run: nothing but the one style sheet that it brings itself.

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

/// The content security policy of a page with this style sheet, which is allowed by its digest.
pub(super) fn of(style: &str) -> String {
    let digest = BASE64.encode(&Sha256::digest(style));
    format!("default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
}
