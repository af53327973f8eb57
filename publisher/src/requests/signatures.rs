//! The signatures of a request: which of them count, and what is missing.
//!
//! They collect beside the request, in `REQUEST.minisig`, each taken only if it is by a key that may sign it.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use spacecp_contract::{Role, Root};

use super::{Request, RequestError, Wanted, pair::Pair, read};
use crate::{
    durable,
    feed::{Feed, FeedError},
    keys::PublicKey,
};

/// Panels look at no longer signature file.
const LONGEST_SIGNATURES: usize = 64 << 10;

/// How far a request is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Progress {
    /// The ids of the keys that have signed.
    pub signed: Vec<String>,
    /// How many signatures of which role are still missing, in words; empty when it is published. Of an
    /// index its head's are missing, too, and the other way round.
    pub missing: Vec<String>,
}

/// The signatures of a request that count.
pub(super) struct Counted {
    signers: Vec<PublicKey>,
    pub(super) signatures: String,
    pub(super) missing: Vec<String>,
}

impl Request {
    /// Takes signatures that were made elsewhere, each only if it is by a key that may sign this.
    ///
    /// A signature that does not count is refused by the name of its file, and then none is taken.
    pub fn add(&self, feed: &Feed, files: &[PathBuf]) -> Result<(), RequestError> {
        let may: Vec<PublicKey> = self.may_sign(feed)?;
        let mut taken = Vec::new();
        for path in files {
            let blocks = blocks(&read_text(path)?);
            if blocks.is_empty() {
                return Err(RequestError::Signature {
                    path: path.clone(),
                    reason: "the file contains no minisign signature".to_owned(),
                });
            }
            for block in blocks {
                self.signer(&block, &may)
                    .map_err(|reason| RequestError::Signature {
                        path: path.clone(),
                        reason,
                    })?;
                taken.push(block);
            }
        }
        self.keep(&taken)
    }

    /// Who has signed, and what is missing before it can be published.
    pub fn progress(&self, feed: &Feed) -> Result<Progress, RequestError> {
        let counted = self.counted(feed)?;
        let mut missing = counted.missing;
        if let Some(pair) = Pair::of(self)? {
            missing.extend(pair.missing_beside(self, feed)?);
        }
        Ok(Progress {
            signed: counted.signers.iter().map(PublicKey::id).collect(),
            missing,
        })
    }

    /// Whose signatures count, and what is missing.
    pub(super) fn counted(&self, feed: &Feed) -> Result<Counted, RequestError> {
        let may = self.may_sign(feed)?;
        let mut signers: Vec<PublicKey> = Vec::new();
        let mut signatures = String::new();
        // What does not count, or counts already, is of no use to anybody in the feed.
        for block in blocks(&self.collected()?) {
            if let Ok(key) = self.signer(&block, &may)
                && !signers.contains(&key)
            {
                signers.push(key);
                signatures.push_str(&block);
            }
        }
        let missing = self.missing(feed, &signers)?;
        Ok(Counted {
            signers,
            signatures,
            missing,
        })
    }

    /// The roles whose keys have to sign, and how many of each.
    fn demanded(&self, feed: &Feed) -> Result<Vec<(String, Vec<String>, u32)>, FeedError> {
        let demand = |root: &Root, role: Role, of: String| {
            let held = &root.roles[&role];
            (of, held.keys.clone(), held.threshold)
        };
        let Wanted::Root(new) = &self.wanted else {
            let role = self.wanted.comment().role;
            return Ok(vec![demand(&*feed.root()?, role, format!("role {role}"))]);
        };
        let mut demanded = vec![demand(new, Role::Root, format!("root {}", new.version))];
        let roots = feed.roots()?;
        if let Some(old) = roots.iter().find(|old| old.version + 1 == new.version) {
            demanded.push(demand(old, Role::Root, format!("root {}", old.version)));
        }
        Ok(demanded)
    }

    fn may_sign(&self, feed: &Feed) -> Result<Vec<PublicKey>, FeedError> {
        let demanded = self.demanded(feed)?;
        let keys = demanded.iter().flat_map(|(_, keys, _)| keys);
        let mut keys: Vec<PublicKey> = keys.filter_map(|key| PublicKey::from_base64(key)).collect();
        keys.dedup();
        Ok(keys)
    }

    fn missing(&self, feed: &Feed, signers: &[PublicKey]) -> Result<Vec<String>, FeedError> {
        let signed: Vec<String> = signers.iter().map(PublicKey::to_base64).collect();
        let mut missing = Vec::new();
        for (of, keys, threshold) in self.demanded(feed)? {
            let there = keys.iter().filter(|key| signed.contains(key)).count();
            let lacking = (threshold as usize).saturating_sub(there);
            if lacking > 0 {
                missing.push(format!("{lacking} by keys of {of}"));
            }
        }
        Ok(missing)
    }

    /// The key that made one signature, if it is one of these and the signature is for this.
    fn signer(&self, block: &str, may: &[PublicKey]) -> Result<PublicKey, String> {
        let signature = minisign::SignatureBox::from_string(block).map_err(|e| e.to_string())?;
        let comment = signature
            .trusted_comment()
            .map_err(|error| error.to_string())?;
        let expected = self.wanted.comment().to_string();
        if comment != expected {
            return Err(format!(
                "its comment is {comment:?} instead of {expected:?} (minisign -t)"
            ));
        }
        let mut reason = "it is by a key that may not sign this".to_owned();
        for key in may {
            let bytes = Cursor::new(&self.bytes);
            match minisign::verify(key.inner(), &signature, bytes, true, false, false) {
                Ok(()) => return Ok(key.clone()),
                Err(error) if signature.keynum() == key.inner().keynum() => {
                    reason = error.to_string();
                }
                Err(_) => {}
            }
        }
        Err(reason)
    }

    fn collected(&self) -> Result<String, RequestError> {
        let path = self.signatures();
        if !path.exists() {
            return Ok(String::new());
        }
        read_text(&path)
    }

    pub(super) fn keep(&self, new: &[String]) -> Result<(), RequestError> {
        let mut all: Vec<String> = blocks(&self.collected()?);
        for block in new.iter().flat_map(|text| blocks(text)) {
            if !all.contains(&block) {
                all.push(block);
            }
        }
        let path = self.signatures();
        durable::sweep(durable::folder_of(&path))
            .and_then(|()| durable::replace(&path, all.concat().as_bytes()))
            .map_err(|source| RequestError::File { path, source })
    }
}

fn read_text(path: &Path) -> Result<String, RequestError> {
    String::from_utf8(read(path, LONGEST_SIGNATURES)?).map_err(|_| RequestError::Signature {
        path: path.to_owned(),
        reason: "it is not text".to_owned(),
    })
}

/// The signatures of a file, four lines each, wherever in it they begin: a person may have put anything
/// between them.
fn blocks(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |at: &usize| lines[*at].starts_with("untrusted comment:");
    let begun = (0..lines.len()).filter(begins);
    let whole = begun.filter_map(|at| lines.get(at..at + 4));
    whole.map(|block| block.join("\n") + "\n").collect()
}
