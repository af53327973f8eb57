//! Which feed is followed, from where, and where trust in it begins.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use spacecp_contract::{Audience, Digest};
use utoipa::ToSchema;

use crate::fetch::Settings;

/// The feed that this panel follows, and the root that it trusts first.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FeedConfig {
    /// Address of the feed, or a list of mirrors in the order in which they are tried: an `http:` or `https:` URL, a
    /// bucket (`s3://bucket/path`, `gs://…`, `az://…`), or a directory.
    pub from: Places,
    /// Audience that the feed's documents must be signed for, such as `customers`.
    #[schema(value_type = String)]
    pub audience: Audience,
    /// File of the first root, as the vendor handed it over, with its signatures beside it in `….minisig`. Required
    /// unless `root-fingerprint` is set.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "path")]
    pub root: Option<PathBuf>,
    /// SHA-256 digest of the first root, 64 hexadecimal digits, obtained from the vendor by another way than the feed.
    /// The root itself is then fetched from the feed.
    #[serde(default)]
    pub root_fingerprint: Option<String>,
    /// Version of the root that the fingerprint belongs to.
    #[serde(default = "first_version")]
    #[schema(default = first_version)]
    pub root_version: u64,
    /// HTTP proxy as an `http:` or `https:` URL, or `none` to use no proxy. Without it the environment
    /// (`HTTPS_PROXY` and the like) decides.
    #[serde(default)]
    pub proxy: Option<String>,
    /// PEM file of certificate authorities to trust in addition to those of the system.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "path")]
    pub authorities: Option<PathBuf>,
    /// Settings of object stores, one table for each bucket in `from`: `region`, `endpoint`, `access-key-id`,
    /// `secret-access-key`, `skip-signature` and whatever else the client of the store accepts. Environment variables
    /// such as `AWS_REGION` are read first.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, BTreeMap<String, String>>)]
    pub object_stores: BTreeMap<String, Settings>,
    /// Seconds between two syncs of `serve`.
    #[serde(default = "default_interval")]
    #[schema(default = default_interval, minimum = 60)]
    pub interval: u64,
    /// Seconds that one sync, or fetching the payloads of one apply run, may spend on one mirror, plus one second for
    /// every 16 KiB that it delivered and that were verified. Then the next mirror is tried; what arrived is kept.
    #[serde(default = "default_sync_timeout")]
    #[schema(default = default_sync_timeout, minimum = 1, maximum = 86_400)]
    pub sync_timeout: u64,
    /// Bytes of payloads kept on this machine. The oldest are removed first and fetched again when needed.
    #[serde(default = "default_payloads")]
    #[schema(default = default_payloads)]
    pub keep_payloads_bytes: u64,
}

fn default_sync_timeout() -> u64 {
    120
}

fn default_payloads() -> u64 {
    10 << 30
}

fn first_version() -> u64 {
    1
}

impl FeedConfig {
    /// The first thing that does not fit: where, and what to do.
    pub fn fault(&self) -> Option<(String, String)> {
        if self.interval < 60 {
            let problem = "must be at least 60 seconds".to_owned();
            return Some(("feed.interval".to_owned(), problem));
        }
        if !(1..=86_400).contains(&self.sync_timeout) {
            let problem = "must be 1 to 86400 seconds".to_owned();
            return Some(("feed.sync-timeout".to_owned(), problem));
        }
        let problem = self.problem()?;
        Some(("feed".to_owned(), problem))
    }

    fn problem(&self) -> Option<String> {
        if self.from.iter().next().is_none() {
            return Some("from lists no mirror".to_owned());
        }
        let is_proxy = |text: &str| {
            text == "none"
                || url::Url::parse(text)
                    .is_ok_and(|proxy| matches!(proxy.scheme(), "http" | "https"))
        };
        if self.proxy.as_deref().is_some_and(|proxy| !is_proxy(proxy)) {
            return Some("proxy must be an http: or https: address, or \"none\"".to_owned());
        }
        let nobody = |address: &&String| !self.from.iter().any(|from| from == *address);
        if let Some(address) = self.object_stores.keys().find(nobody) {
            return Some(format!(
                "object-stores has settings for {address:?}, which is not listed in from"
            ));
        }
        match (&self.root, &self.root_fingerprint) {
            (None, None) => Some(
                "no pinned root: set root to the root file from the vendor, or root-fingerprint to the fingerprint of the vendor's first root"
                    .to_owned(),
            ),
            (_, Some(text)) if text.parse::<Digest>().is_err() => Some(
                "root-fingerprint must have 64 hexadecimal digits (0-9, a-f)".to_owned(),
            ),
            _ => None,
        }
    }
}

/// One address, or a list of addresses in the order in which they are tried.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Places {
    /// One address.
    One(String),
    /// Several addresses, in the order in which they are tried.
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

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut String> {
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
