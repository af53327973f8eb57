//! The panels that may read what is under embargo: one text file each, fit for the team's own version
//! control.
//!
//! A panel is known by its recipient, the public half of an identity that never leaves it. Whoever knows a
//! recipient can tell whether a broadcast is for it, so these files are for the desk alone. What was revoked
//! is kept: an identity that was taken back once must not come in again under another name.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use spacecp_contract::Digest;

use crate::{contributory::is_contributory, durable, record::SealedTo, regular_file};

/// The registry of panels.
#[derive(Debug, Clone)]
pub struct Panels {
    folder: PathBuf,
}

/// A panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// What the team calls it; also the name of its file.
    pub name: String,
    /// Whom to encrypt to (`age1…`).
    pub recipient: String,
    /// Since when it may read.
    pub enrolled: Timestamp,
    /// Since when it may read nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Identities that it had before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Former>,
}

/// An identity that a panel had once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// The recipient.
    pub recipient: String,
    /// Since when it could read.
    pub enrolled: Timestamp,
    /// Since when it could no more.
    pub revoked: Timestamp,
    /// Why.
    pub reason: String,
}

/// Why the registry stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file is not a panel's.
    #[error("invalid panel entry {}: {reason}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// A name that cannot be a file's.
    #[error(
        "invalid panel name {0:?}: it must have 1 to 64 lower-case letters, digits, \"-\" and \"_\""
    )]
    Name(String),
    /// The name is another panel's.
    #[error("panel {0} is already enrolled; revoke it first, or choose another name")]
    Taken(String),
    /// The recipient is another panel's.
    #[error("recipient {recipient} is already enrolled as {name}")]
    Enrolled {
        /// The recipient.
        recipient: String,
        /// The panel's name.
        name: String,
    },
    /// Not a recipient of age.
    #[error(
        "invalid recipient {found:?}: {reason}. Use the one (age1…) that \"spacecp-advisories identity\" shows on the panel"
    )]
    NotARecipient {
        /// What was given.
        found: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The secret half.
    #[error(
        "this is the secret identity of a panel, which must not leave the panel. Renew it there, and enrol the recipient (age1…)"
    )]
    Secret,
    /// A recipient that was taken back.
    #[error(
        "recipient {recipient} was revoked on {revoked} as {name}: {reason}. Renew the panel's identity, and enrol the new recipient"
    )]
    Revoked {
        /// The recipient.
        recipient: String,
        /// What the panel was called.
        name: String,
        /// When.
        revoked: Timestamp,
        /// Why.
        reason: String,
    },
    /// Nobody of that name.
    #[error("no panel named {0}")]
    Unknown(String),
    /// Revoked already.
    #[error("panel {name} was already revoked on {revoked}")]
    Again {
        /// The panel.
        name: String,
        /// Since when.
        revoked: Timestamp,
    },
    /// Nobody would know why.
    #[error("missing reason for revoking panel {0}; pass --reason")]
    NoReason(String),
}

impl Panels {
    /// The registry of the desk in this folder.
    pub fn of_desk(desk: &Path) -> Self {
        Self {
            folder: desk.join("panels"),
        }
    }

    /// Enrols a panel: from the next broadcast on it can read what is under embargo. A panel that was
    /// revoked can come back under its name, with another identity.
    pub fn enrol(&self, name: &str, recipient: &str, now: Timestamp) -> Result<Panel, PanelError> {
        check_name(name)?;
        check_recipient(recipient)?;
        let _lock = self.lock()?;
        let all = self.list()?;
        for panel in &all {
            refuse_known(panel, recipient)?;
        }
        let before = all.into_iter().find(|panel| panel.name == name);
        let former = match before {
            None => Vec::new(),
            Some(panel) => panel.into_former()?,
        };
        let panel = Panel {
            name: name.to_owned(),
            recipient: recipient.to_owned(),
            enrolled: now,
            revoked: None,
            reason: None,
            former,
        };
        self.write(&panel)?;
        Ok(panel)
    }

    /// Takes the right to read from a panel: from the next broadcast on, it reads nothing new. What it has
    /// read it has read.
    pub fn revoke(&self, name: &str, reason: &str, now: Timestamp) -> Result<Panel, PanelError> {
        if reason.trim().is_empty() {
            return Err(PanelError::NoReason(name.to_owned()));
        }
        let _lock = self.lock()?;
        let found = self.list()?.into_iter().find(|panel| panel.name == name);
        let mut panel = found.ok_or_else(|| PanelError::Unknown(name.to_owned()))?;
        if let Some(revoked) = panel.revoked {
            let name = panel.name;
            return Err(PanelError::Again { name, revoked });
        }
        panel.revoked = Some(now);
        panel.reason = Some(reason.to_owned());
        self.write(&panel)?;
        Ok(panel)
    }

    /// Every panel that was ever enrolled, by name.
    pub fn list(&self) -> Result<Vec<Panel>, PanelError> {
        let failed = |source| PanelError::File {
            path: self.folder.clone(),
            source,
        };
        let listing = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listing => listing.map_err(failed)?,
        };
        let mut panels = BTreeMap::new();
        for entry in listing {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let panel = read(&path)?;
                panels.insert(panel.name.clone(), panel);
            }
        }
        Ok(panels.into_values().collect())
    }

    /// The recipients of all panels that may read what is broadcast next.
    pub(crate) fn entitled(&self) -> Result<Vec<age::x25519::Recipient>, PanelError> {
        let all = self.list()?;
        let entitled = all.iter().filter(|panel| panel.revoked.is_none());
        entitled
            .map(|panel| check_recipient(&panel.recipient))
            .collect()
    }

    /// The same panels, as the record of what was published names them.
    pub(crate) fn sealed_to(&self) -> Result<Vec<SealedTo>, PanelError> {
        let all = self.list()?.into_iter();
        let entitled = all.filter(|panel| panel.revoked.is_none());
        let sealed_to = entitled.map(|panel| SealedTo {
            recipient: Digest::of(panel.recipient.as_bytes()),
            panel: panel.name,
        });
        Ok(sealed_to.collect())
    }

    fn write(&self, panel: &Panel) -> Result<(), PanelError> {
        let path = self.folder.join(format!("{}.toml", panel.name));
        let text = toml::to_string(panel).map_err(|error| PanelError::Field {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let written = durable::replace_private(&path, text.as_bytes());
        written.map_err(|source| PanelError::File { path, source })
    }

    /// One at a time: two people must not enrol the same recipient under two names.
    fn lock(&self) -> Result<fs::File, PanelError> {
        let locked = durable::private_folder(&self.folder)
            .and_then(|()| fs::File::open(&self.folder))
            .and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|source| PanelError::File {
            path: self.folder.clone(),
            source,
        })
    }
}

impl Panel {
    /// What it was, for the record of what it is going to be; an error if it still is.
    fn into_former(self) -> Result<Vec<Former>, PanelError> {
        let (Some(revoked), mut former) = (self.revoked, self.former) else {
            return Err(PanelError::Taken(self.name));
        };
        former.push(Former {
            recipient: self.recipient,
            enrolled: self.enrolled,
            revoked,
            reason: self.reason.unwrap_or_default(),
        });
        Ok(former)
    }
}

/// Refuses a recipient that this panel has, or had.
fn refuse_known(panel: &Panel, recipient: &str) -> Result<(), PanelError> {
    let revoked = |revoked: Timestamp, reason: &str| PanelError::Revoked {
        recipient: recipient.to_owned(),
        name: panel.name.clone(),
        revoked,
        reason: reason.to_owned(),
    };
    if panel.recipient == recipient {
        return Err(match panel.revoked {
            Some(at) => revoked(at, panel.reason.as_deref().unwrap_or_default()),
            None => PanelError::Enrolled {
                recipient: recipient.to_owned(),
                name: panel.name.clone(),
            },
        });
    }
    let mut former = panel.former.iter();
    match former.find(|former| former.recipient == recipient) {
        Some(former) => Err(revoked(former.revoked, &former.reason)),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), PanelError> {
    let valid = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    if (1..=64).contains(&name.len()) && name.bytes().all(valid) {
        return Ok(());
    }
    Err(PanelError::Name(name.chars().take(80).collect()))
}

fn check_recipient(text: &str) -> Result<age::x25519::Recipient, PanelError> {
    if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
        return Err(PanelError::Secret);
    }
    let refused = |reason| PanelError::NotARecipient {
        found: text.chars().take(80).collect(),
        reason,
    };
    let recipient: age::x25519::Recipient = text.parse().map_err(refused)?;
    // Tags are made of the text, so there may be one way to write it only.
    if recipient.to_string() != text {
        return Err(refused("not in the canonical form of age"));
    }
    if !is_contributory(text) {
        return Err(refused("unsafe recipient: its point has a small order"));
    }
    Ok(recipient)
}

fn read(path: &Path) -> Result<Panel, PanelError> {
    let text = regular_file::text(path, u64::MAX).map_err(|source| PanelError::File {
        path: path.to_owned(),
        source,
    })?;
    let refused = |reason| PanelError::Field {
        path: path.to_owned(),
        reason,
    };
    let panel: Panel = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
    check_name(&panel.name).map_err(|error| refused(error.to_string()))?;
    check_recipient(&panel.recipient).map_err(|error| refused(error.to_string()))?;
    if path.file_stem() != Some(panel.name.as_ref()) {
        return Err(refused(format!("it names itself {}", panel.name)));
    }
    if panel.revoked.is_some() != panel.reason.is_some() {
        let reason = "what is revoked has a date and a reason, and nothing else has";
        return Err(refused(reason.to_owned()));
    }
    Ok(panel)
}
