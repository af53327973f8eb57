//! Which feed is followed, from where, and where trust in it begins.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use spacecp_contract::{Audience, Digest};

use crate::fetch::Settings;

/// The feed to follow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// Where it is: an `http:` or `https:` address, a bucket (`s3://bucket/path`, `gs:`, `az:`), or a
    /// folder; or a list of such places, of which
    /// the first is asked that has news to believe.
    pub from: Places,
    /// Whom it must be for.
    pub audience: Audience,
    /// The first root, as the vendor handed it over; its signatures lie beside it in `….minisig`.
    #[serde(default)]
    pub root: Option<PathBuf>,
    /// The fingerprint of the first root: the SHA-256 digest of its bytes in hexadecimal digits, as
    /// the vendor says it by another way than the feed. The root itself is then fetched.
    #[serde(default)]
    pub root_fingerprint: Option<String>,
    /// Which root the fingerprint is of.
    #[serde(default = "first_version")]
    pub root_version: u64,
    /// The proxy to reach it through, an `http:` or `https:` address; "none" for no proxy whatever the
    /// environment says. Without it, `HTTPS_PROXY` and the like are followed.
    #[serde(default)]
    pub proxy: Option<String>,
    /// A file of certificates (PEM) of authorities to believe beside those that this machine trusts,
    /// for a mirror or a proxy with certificates of its own.
    #[serde(default)]
    pub authorities: Option<PathBuf>,
    /// What object stores want to know, by the addresses in `from`: `region`, `endpoint`,
    /// `access-key-id`, `secret-access-key`, `skip-signature` and whatever else their client knows.
    /// The environment (`AWS_REGION` and the like) is heard first.
    #[serde(default)]
    pub object_stores: BTreeMap<String, Settings>,
    /// How often `serve` asks for news, in seconds.
    #[serde(default = "default_interval")]
    pub interval: u64,
    /// Bytes of payloads that may be kept on this machine. Where another one is needed the oldest go,
    /// to be fetched again if they are.
    #[serde(default = "default_payloads")]
    pub keep_payloads_bytes: u64,
}

fn default_payloads() -> u64 {
    10 << 30
}

fn first_version() -> u64 {
    1
}

impl FeedConfig {
    /// The first thing that does not fit: where, and what to do.
    pub(super) fn fault(&self) -> Option<(String, String)> {
        if self.interval < 60 {
            let problem = "at least 60 seconds, please".to_owned();
            return Some(("feed.interval".to_owned(), problem));
        }
        let problem = self.problem()?;
        Some(("feed".to_owned(), problem))
    }

    fn problem(&self) -> Option<String> {
        if self.from.iter().next().is_none() {
            return Some("from names no place at all".to_owned());
        }
        let is_proxy = |text: &str| {
            text == "none"
                || url::Url::parse(text)
                    .is_ok_and(|proxy| matches!(proxy.scheme(), "http" | "https"))
        };
        if self.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
            return Some("proxy is an http: or https: address, or \"none\"".to_owned());
        }
        let nobody = |address: &&String| !self.from.iter().any(|from| from == *address);
        if let Some(address) = self.object_stores.keys().find(nobody) {
            return Some(format!(
                "object-stores has settings for {address:?}, which is not among the places in from"
            ));
        }
        match (&self.root, &self.root_fingerprint) {
            (None, None) => Some(
                "trust must begin somewhere: set root to the file that the vendor handed over, or root-fingerprint to what the vendor says its first root has"
                    .to_owned(),
            ),
            (_, Some(text)) if text.parse::<Digest>().is_err() => Some(
                "root-fingerprint has 64 hexadecimal digits (0-9, a-f)".to_owned(),
            ),
            _ => None,
        }
    }
}

/// One place, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Places {
    /// One.
    One(String),
    /// Several, in this order.
    Several(Vec<String>),
}

impl Places {
    /// The places, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(place) => std::slice::from_ref(place),
            Self::Several(places) => places.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut String> {
        match self {
            Self::One(place) => std::slice::from_mut(place),
            Self::Several(places) => places.as_mut_slice(),
        }
        .iter_mut()
    }
}

fn default_interval() -> u64 {
    900
}
