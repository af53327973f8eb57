//! Signature files: one or more minisign signatures of four lines, one after another.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minisign_verify::{PublicKey, Signature};
use spacecp_contract::{Document, Limits, RoleKeys, Root, TrustedComment, decode};

use super::{TrustError, Unverified, Verified};

/// A signature is below 400 bytes; nobody needs more than this many of them.
const LARGEST_FILE: usize = 64 << 10;

/// What a signature file may have beyond this is not looked at.
const MOST_SIGNATURES: usize = 64;

/// What stands where a signature says what nobody has signed.
const UNTRUSTED: &str = "untrusted comment: signature";

/// One signature of a file, and its lines.
struct Block<'a> {
    signature: Signature,
    lines: [&'a str; 4],
}

impl Block<'_> {
    /// The signature as it is kept: without what the feed may have written beside it at will.
    fn text(&self) -> String {
        let [_, signature, comment, global] = self.lines;
        format!("{UNTRUSTED}\n{signature}\n{comment}\n{global}\n")
    }
}

/// Reads a signature file. What it returns has been parsed, nothing more.
fn parse<'a>(what: &str, file: &'a [u8]) -> Result<Vec<Block<'a>>, TrustError> {
    let failed = |reason: &str| TrustError::SignatureFile {
        what: what.to_owned(),
        reason: reason.to_owned(),
    };
    if file.len() > LARGEST_FILE {
        return Err(failed("longer than 64 KiB"));
    }
    let text = std::str::from_utf8(file).map_err(|_| failed("not text"))?;
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() || !lines.len().is_multiple_of(4) {
        return Err(failed("a minisign signature must have four lines"));
    }
    let (blocks, _) = lines.as_chunks();
    let blocks = blocks.iter().take(MOST_SIGNATURES);
    blocks
        .map(|lines: &[&str; 4]| {
            let signature = Signature::decode(&lines.join("\n"));
            let signature = signature.map_err(|error| failed(&error.to_string()))?;
            let lines = *lines;
            Ok(Block { signature, lines })
        })
        .collect()
}

/// Verifies that enough different keys of the role signed these bytes, and decodes them.
///
/// Nothing is decoded before the signatures have been verified. The trusted comment of each
/// signature that counts must say what the document itself says.
pub(super) fn verify<T: Document>(
    what: &str,
    root: &Root,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<Verified<T>, TrustError> {
    let role = T::KIND.role();
    // A root gives every role to somebody: its own validation says so.
    let held = root.roles.get(&role).cloned().unwrap_or(RoleKeys {
        keys: Vec::new(),
        threshold: 1,
    });
    verify_by(what, &held, offered, limits)
}

/// The same with the keys given apart from a root, for a root that signs itself.
pub(super) fn verify_by<T: Document>(
    what: &str,
    held: &RoleKeys,
    offered: Unverified<'_>,
    limits: &Limits,
) -> Result<Verified<T>, TrustError> {
    let mut comments = Vec::new();
    let mut signers = BTreeMap::new();
    let mut note = None;
    for block in parse(what, offered.signatures)? {
        match signer(&block.signature, held, offered.bytes) {
            Ok((key, comment)) => {
                let counted = (key.clone(), block.text());
                signers.entry(unlabelled(&key)).or_insert(counted);
                comments.push(comment);
            }
            Err(reason) => note = note.or(Some(reason)),
        }
    }
    let good = u32::try_from(signers.len()).unwrap_or(u32::MAX);
    if good < held.threshold {
        return Err(TrustError::Signatures {
            what: what.to_owned(),
            role: T::KIND.role(),
            good,
            needed: held.threshold,
            note,
        });
    }
    let document: T = decode(offered.bytes, limits).map_err(|source| TrustError::Decode {
        what: what.to_owned(),
        source,
    })?;
    let expected = TrustedComment::of(&document);
    if let Some(other) = comments.iter().find(|comment| **comment != expected) {
        return Err(TrustError::Moved {
            what: what.to_owned(),
            found: format!("{} {} {}", other.role, other.name, other.revision),
        });
    }
    let (signers, signatures): (Vec<String>, String) = signers.into_values().unzip();
    Ok(Verified {
        document,
        bytes: offered.bytes.to_vec(),
        signatures,
        signers,
    })
}

/// Whether enough of the keys that signed a document hold its role under this root.
///
/// Of a document that was verified under an earlier root only the signatures that counted then are kept: where
/// this says no, the document as the feed has it may still be signed as it must be.
pub fn is_vouched_for<T: Document>(root: &Root, document: &Verified<T>) -> bool {
    root.roles.get(&T::KIND.role()).is_some_and(|held| {
        let signers = document.signers().iter();
        let holding = signers.filter(|key| held.keys.contains(key)).count();
        holding >= held.threshold as usize
    })
}

/// The Ed25519 key inside a minisign key.
///
/// A minisign key is two bytes of algorithm, eight of key id, and the key. The id is a label that
/// nothing vouches for: one key under two ids is still one signer.
fn unlabelled(key: &str) -> Vec<u8> {
    match STANDARD.decode(key) {
        Ok(bytes) if bytes.len() == 42 => bytes[10..].to_vec(),
        // It has verified a signature, so it was read as a key; counting it by its text is safe.
        _ => key.as_bytes().to_vec(),
    }
}

/// The id that `minisign` prints for a public key: 16 hexadecimal digits. None if the text is no key.
///
/// It is a label to look a key up by; nothing is decided by it.
pub fn key_id(key: &str) -> Option<String> {
    let bytes = STANDARD
        .decode(key)
        .ok()
        .filter(|bytes| bytes.len() == 42)?;
    let number = bytes[2..10].iter().rev();
    let number = number.fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Some(format!("{number:016X}"))
}

/// The key that made this signature, and what the signature says it is for.
fn signer(
    signature: &Signature,
    held: &RoleKeys,
    bytes: &[u8],
) -> Result<(String, TrustedComment), String> {
    let mut reason = "signed by a key without the role".to_owned();
    for text in &held.keys {
        let Ok(key) = PublicKey::from_base64(text) else {
            continue;
        };
        // `false`: legacy signatures, which are not over a hash, are never accepted.
        match key.verify(bytes, signature, false) {
            Ok(()) => {
                let comment = TrustedComment::parse(signature.trusted_comment())
                    .map_err(|error| error.to_string())?;
                return Ok((text.clone(), comment));
            }
            Err(minisign_verify::Error::UnexpectedKeyId) => {}
            Err(error) => reason = error.to_string(),
        }
    }
    Err(reason)
}
