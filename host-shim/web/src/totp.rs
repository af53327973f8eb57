//! One-time codes beside the password (RFC 6238): six digits, half a minute each.
//!
//! The secrets lie in a file beside the configuration that has the hashes of the passwords; who
//! may read one may read the other. Of each user the newest code that was used is kept in the store,
//! and neither that nor an older one is accepted again.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use spacecp_store::{Store, StoreError};
use url::Url;

/// Seconds of one code.
const STEP: i64 = 30;

/// Half minutes that a clock may be off, in either direction.
const SKEW: i64 = 1;

/// Bytes of a secret, as RFC 4226 recommends.
const SECRET: usize = 20;

/// Bytes of the file.
const LONGEST_FILE: u64 = 256 << 10;

/// Why second factors cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TotpError {
    /// The file.
    #[error("cannot use the TOTP secrets in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// What is in it.
    #[error("cannot parse the TOTP secrets in {}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Others may read it.
    #[error(
        "the TOTP secrets in {} are readable by every user. Remove that permission: chmod o= {}", path.display(), path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// No such user.
    #[error("no user {0:?} in the configuration")]
    NoUser(String),
    /// They have a secret already.
    #[error("user {0} already has a TOTP secret; remove it first with \"totp remove {0}\"")]
    Enrolled(String),
    /// They have none.
    #[error("user {0} has no TOTP secret")]
    NotEnrolled(String),
    /// The system gave no randomness.
    #[error("cannot create a secret: the system's random number generator failed")]
    Randomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The secrets in base 32, by user.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

/// The secrets of one-time codes.
#[derive(Debug)]
pub struct Enrolments {
    path: PathBuf,
    secrets: BTreeMap<String, Vec<u8>>,
}

impl Enrolments {
    /// Reads the file; nobody has a secret where there is none.
    pub fn read(path: &Path) -> Result<Self, TotpError> {
        let failed = |source| TotpError::File {
            path: path.to_owned(),
            source,
        };
        let content = |problem: String| TotpError::Content {
            path: path.to_owned(),
            problem,
        };
        let mut read = Self {
            path: path.to_owned(),
            secrets: BTreeMap::new(),
        };
        let meta = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(read),
            meta => meta.map_err(failed)?,
        };
        if meta.permissions().mode() & 0o007 != 0 {
            return Err(TotpError::Open {
                path: path.to_owned(),
            });
        }
        if meta.len() > LONGEST_FILE {
            return Err(content(format!("the file has {} bytes", meta.len())));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        // The parser's own words would show a line of the file, and with it a secret.
        let file: File = toml::from_str(&text).map_err(|_| content("it is no such file".into()))?;
        for (user, secret) in file.secrets {
            let secret = BASE32_NOPAD.decode(secret.as_bytes());
            let secret = secret.map_err(|_| content(format!("invalid secret of {user}")))?;
            if secret.len() < SECRET {
                return Err(content(format!("the secret of {user} is too short")));
            }
            read.secrets.insert(user, secret);
        }
        Ok(read)
    }

    /// Who has a secret.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// Makes a secret for a user, and returns the address that authenticators read.
    pub fn enrol(&mut self, user: &str, beside: &Path) -> Result<Url, TotpError> {
        if self.secrets.contains_key(user) {
            return Err(TotpError::Enrolled(user.to_owned()));
        }
        let mut secret = vec![0; SECRET];
        getrandom::fill(&mut secret).map_err(|_| TotpError::Randomness)?;
        let address = address(user, &secret);
        self.secrets.insert(user.to_owned(), secret);
        self.write(beside)?;
        Ok(address)
    }

    /// Takes the secret of a user away.
    pub fn remove(&mut self, user: &str, beside: &Path) -> Result<(), TotpError> {
        if self.secrets.remove(user).is_none() {
            return Err(TotpError::NotEnrolled(user.to_owned()));
        }
        self.write(beside)
    }

    /// Replaces the file as a whole. Whoever may read the configuration `beside` it may read it, but
    /// for everybody else.
    fn write(&self, beside: &Path) -> Result<(), TotpError> {
        let file = File {
            secrets: self
                .secrets
                .iter()
                .map(|(user, secret)| (user.clone(), BASE32_NOPAD.encode(secret)))
                .collect(),
        };
        let text = toml::to_string(&file).map_err(|error| TotpError::Content {
            path: self.path.clone(),
            problem: error.to_string(),
        })?;
        let write = || -> io::Result<()> {
            let like = fs::metadata(beside)?;
            let new = self.path.with_extension("new");
            let mut out = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&new)?;
            out.write_all(text.as_bytes())?;
            // Only root can give files away; for anybody else it is theirs already, or stays so.
            let _ = std::os::unix::fs::chown(&new, Some(like.uid()), Some(like.gid()));
            out.set_permissions(fs::Permissions::from_mode(like.mode() & 0o640 | 0o600))?;
            out.sync_all()?;
            fs::rename(&new, &self.path)?;
            // A relative path without a folder lies in the present one.
            let folder = self.path.parent().filter(|folder| *folder != Path::new(""));
            fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|source| TotpError::File {
            path: self.path.clone(),
            source,
        })
    }

    /// Whether a user logs in with this code now. Users without a secret need none.
    pub(super) async fn accept(
        &self,
        user: &str,
        typed: &str,
        now: Timestamp,
        store: &Store,
    ) -> Result<bool, TotpError> {
        let Some(secret) = self.secrets.get(user) else {
            return Ok(true);
        };
        let typed: String = typed
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(10)
            .collect();
        let step = now.as_second().div_euclid(STEP);
        let meant = (step - SKEW..=step + SKEW).find(|step| code(secret, *step) == typed);
        match meant {
            None => Ok(false),
            Some(step) => Ok(use_code(store, user, step).await?),
        }
    }
}

/// Notes that a user has used the code of a half minute; says no if it, or a newer one, was used.
async fn use_code(store: &Store, user: &str, step: i64) -> Result<bool, StoreError> {
    let noted = sqlx::query(
        "INSERT INTO used_codes (user, step) VALUES (?, ?) \
         ON CONFLICT (user) DO UPDATE SET step = excluded.step WHERE excluded.step > step",
    )
    .bind(user)
    .bind(step)
    .execute(store.pool())
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// The code of a half minute.
fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let start = usize::from(digest[digest.len() - 1] & 0xf);
    let word = [
        digest[start] & 0x7f,
        digest[start + 1],
        digest[start + 2],
        digest[start + 3],
    ];
    format!("{:06}", u32::from_be_bytes(word) % 1_000_000)
}

/// What authenticators read, as a link or from a square of dots.
fn address(user: &str, secret: &[u8]) -> Url {
    let mut address =
        Url::parse("otpauth://totp/").expect("an address that is written here is one");
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().push(&format!("SpaceCP:{user}"));
    }
    address
        .query_pairs_mut()
        .append_pair("secret", &BASE32_NOPAD.encode(secret))
        .append_pair("issuer", "SpaceCP")
        .append_pair("algorithm", "SHA1")
        .append_pair("digits", "6")
        .append_pair("period", "30");
    address
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; six are their end.
        for (second, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(b"12345678901234567890", second / 30), expected);
        }
    }
}
