//! Key pairs and their files, in the formats of the `minisign` program.
//!
//! A pair named `feed` is two files, `feed.key` and `feed.pub`. Secret keys are encrypted with a
//! passphrase as `minisign -G` does it (scrypt), or kept in clear when that is asked for by name.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{durable, keypair_files, regular_file};

/// The longest file of a key that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// A public key: what roots list.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(minisign::PublicKey);

/// A secret key that is ready to sign. It never shows itself.
pub struct SecretKey {
    secret: minisign::SecretKey,
    public: PublicKey,
}

/// Why a key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("cannot use the key file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A key of that name is there already.
    #[error("the key {} already exists and is not overwritten; choose another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} is not a minisign key: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The passphrase does not open the key.
    #[error("wrong passphrase for {}", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// The key is encrypted and no passphrase was given.
    #[error("{} is encrypted, but no passphrase was given", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The system gave no randomness, or the key derivation failed.
    #[error("cannot create a key pair: {0}")]
    Generate(String),
}

impl PublicKey {
    /// Reads the base64 form that roots list.
    pub fn from_base64(text: &str) -> Option<Self> {
        minisign::PublicKey::from_base64(text).ok().map(Self)
    }

    /// Reads a `.pub` file.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let text = read(path)?;
        let key = minisign::PublicKeyBox::from_string(&text)
            .and_then(minisign::PublicKeyBox::into_public_key);
        key.map(Self).map_err(|error| format_error(path, &error))
    }

    /// The base64 form that roots list.
    pub fn to_base64(&self) -> String {
        self.0.to_base64()
    }

    /// The id that minisign prints: 16 hexadecimal digits.
    pub fn id(&self) -> String {
        self.0
            .keynum()
            .iter()
            .rev()
            .fold(String::new(), |id, byte| id + &format!("{byte:02X}"))
    }

    /// Writes a `.pub` file.
    pub(crate) fn store(&self, path: &Path) -> io::Result<()> {
        let text = self.0.to_box().map_err(io::Error::other)?;
        durable::replace(path, text.into_string().as_bytes())
    }

    pub(crate) fn inner(&self) -> &minisign::PublicKey {
        &self.0
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({}, not shown)", self.public.id())
    }
}

impl SecretKey {
    /// A fresh key that lives in memory only.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = minisign::KeyPair::generate_unencrypted_keypair()
            .map_err(|error| KeyError::Generate(error.to_string()))?;
        Ok(Self {
            secret: pair.sk,
            public: PublicKey(pair.pk),
        })
    }

    /// Reads a `.key` file; `passphrase` is asked for only if the key is encrypted.
    pub fn load(
        path: &Path,
        passphrase: impl FnOnce() -> Option<Zeroizing<String>>,
    ) -> Result<Self, KeyError> {
        let text = Zeroizing::new(read(path)?);
        let boxed = || {
            minisign::SecretKeyBox::from_string(&text).map_err(|error| format_error(path, &error))
        };
        let secret = match boxed()?.into_unencrypted_secret_key() {
            Ok(secret) => secret,
            Err(error) if matches!(error.kind(), minisign::ErrorKind::Verify) => {
                return Err(KeyError::Format {
                    path: path.to_owned(),
                    reason: "checksum mismatch: it is damaged, or was created by minisign without a passphrase (-W). Add a passphrase and checksum with \"minisign -C -s FILE\"".to_owned(),
                });
            }
            Err(_) => {
                let passphrase = passphrase().ok_or_else(|| KeyError::Locked {
                    path: path.to_owned(),
                })?;
                boxed()?
                    .into_secret_key(Some(passphrase.to_string()))
                    .map_err(|error| match error.kind() {
                        minisign::ErrorKind::Verify => KeyError::Passphrase {
                            path: path.to_owned(),
                        },
                        _ => format_error(path, &error),
                    })?
            }
        };
        let public = minisign::PublicKey::from_secret_key(&secret)
            .map_err(|error| format_error(path, &error))?;
        Ok(Self {
            secret,
            public: PublicKey(public),
        })
    }

    /// Its public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn inner(&self) -> &minisign::SecretKey {
        &self.secret
    }
}

/// Makes a pair and writes `NAME.key` and `NAME.pub` into `folder`.
///
/// Without a passphrase the secret key lies there in clear, for those who protect it otherwise.
pub fn create(
    folder: &Path,
    name: &str,
    passphrase: Option<&Zeroizing<String>>,
) -> Result<PublicKey, KeyError> {
    let (secret_path, public_path) = paths(folder, name);
    for path in [&secret_path, &public_path] {
        if path.exists() {
            return Err(KeyError::Exists { path: path.clone() });
        }
    }
    let generated = match passphrase {
        Some(passphrase) => {
            minisign::KeyPair::generate_encrypted_keypair(Some(passphrase.to_string()))
        }
        None => minisign::KeyPair::generate_unencrypted_keypair(),
    };
    let failed = |error: minisign::PError| KeyError::Generate(error.to_string());
    let pair = generated.map_err(failed)?;
    let kind = if passphrase.is_some() {
        "encrypted"
    } else {
        "unencrypted"
    };
    let secret = pair
        .sk
        .to_box(Some(&format!("minisign {kind} secret key of {name}")))
        .map_err(failed)?;
    let public = pair.pk.to_box().map_err(failed)?;
    let secret = Zeroizing::new(secret.into_string());
    let public = public.into_string();
    let halves = (
        (secret_path.as_path(), secret.as_bytes()),
        (public_path.as_path(), public.as_bytes()),
    );
    keypair_files::write(halves.0, halves.1).map_err(|source| KeyError::File {
        path: secret_path.clone(),
        source,
    })?;
    Ok(PublicKey(pair.pk))
}

/// Where the two halves of the pair `name` lie.
pub fn paths(folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    (
        folder.join(format!("{name}.key")),
        folder.join(format!("{name}.pub")),
    )
}

fn read(path: &Path) -> Result<String, KeyError> {
    regular_file::text(path, LONGEST).map_err(|source| KeyError::File {
        path: path.to_owned(),
        source,
    })
}

fn format_error(path: &Path, error: &minisign::PError) -> KeyError {
    KeyError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
