//! `init`: from an empty desk to a feed and the file that customers set their panels up from.
//!
//! It makes what is missing and keeps what is there: after a killed run, or for a new hand-over, it is run again.
//! May not: replace a key or a root; hand over what panels would refuse.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;
use spacecp_contract::{
    Audience, Digest, Role, Root,
    hand_over::{self, HandOver, Part},
};
use spacecp_trust::{Unverified, Verified};
use zeroize::Zeroizing;

use super::{
    Ending,
    cli_context::{CliContext, warn},
};
use crate::{
    durable,
    feed::Feed,
    hand_over as archive,
    keys::{self, SecretKey},
    plugins, regular_file,
    report::key as report_key,
    roots, sign,
    signing::SigningService,
};

/// The name of the key that opens vulnerability reports.
const REPORT: &str = "report";

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Directory of the feed. Any web server, bucket or mirror can deliver it.
    feed: std::path::PathBuf,
    /// Audience of the feed, such as "customers".
    #[arg(long)]
    audience: Audience,
    /// Address under which panels reach the feed, such as `https://advisories.example.com/customers/`. May be
    /// repeated for mirrors, in the order in which panels try them.
    #[arg(long, value_name = "ADDRESS", required = true)]
    from: Vec<String>,
    /// Component of the plugin (WASM) that panels run. The package of this program brings one.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/usr/share/spacecp-publisher/advisories.wasm"
    )]
    plugin: std::path::PathBuf,
    /// Version of the plugin.
    #[arg(long, default_value = "1.0.0", value_name = "VERSION")]
    plugin_version: semver::Version,
    /// Release number of the plugin. Panels never return to a lower one.
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    plugin_release: u64,
    /// File to write for customers.
    #[arg(long, default_value = "hand-over.tar", value_name = "FILE")]
    hand_over: std::path::PathBuf,
    /// Days until a new root expires.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3660))]
    expires: u32,
    /// Store new keys without a passphrase, if something else protects them.
    #[arg(long)]
    unencrypted: bool,
}

impl CliContext<'_> {
    pub(super) fn init(&self, init: &Init) -> Result<Ending> {
        let feed = Feed::of_desk(&init.feed, &self.arguments.desk, &init.audience);
        for notice in feed.tidy()?.notices() {
            warn(&notice);
        }
        let root = feed.roots()?.pop();
        if let Some(root) = &root {
            same_audience(init, root)?;
        }
        let component = component(&init.plugin)?;
        let keys = self.keys();
        durable::private_folder(&keys)
            .with_context(|| format!("cannot create {}", keys.display()))?;
        let passphrase = self.one_passphrase(init.unencrypted)?;
        let created = self.missing_keys(passphrase.as_ref())?;
        let root = match root {
            Some(root) => root,
            None => self.first_root(&feed, init, passphrase.as_ref())?,
        };
        let facts = HandOver {
            schema: hand_over::SCHEMA,
            audience: init.audience.clone(),
            from: init.from.clone(),
            report_recipient: self.report_recipient()?.map(|one| one.to_string()),
        };
        let key = self.opened(Role::Plugin, passphrase.as_ref())?;
        let (version, release) = (&init.plugin_version, init.plugin_release);
        let manifest = plugins::manifest("advisories", version, release, &component, self.now);
        let manifest = sign::sign(manifest, &[&key])?;
        // As a customer's panel looks at it.
        spacecp_trust::check_root(&root, self.now)?;
        let offered = Unverified {
            bytes: &manifest.bytes,
            signatures: manifest.signatures.as_bytes(),
        };
        spacecp_trust::plugin(&root, offered, &component, None)
            .context("panels would refuse the plugin")?;
        let digest = archive::write(
            &init.hand_over,
            archive::Contents {
                facts: &facts,
                root: (root.bytes(), root.signatures().as_bytes()),
                component: &component,
                manifest: (&manifest.bytes, manifest.signatures.as_bytes()),
                issued: root.issued,
            },
        )?;
        self.report_init(init, &created, &root, &digest)
    }

    /// The passphrase of all keys: of those that are there, which it has to open, and of those that are to be made.
    fn one_passphrase(&self, unencrypted: bool) -> Result<Option<Zeroizing<String>>> {
        let is_there = |role: &Role| keys::paths(&self.keys(), role.as_str()).0.exists();
        let existing = Role::ALL.into_iter().find(is_there);
        let passphrase = match (unencrypted, existing) {
            (true, _) => None,
            (false, None) => Some(self.passphrases().choose("the desk's keys")?),
            (false, Some(_)) => Some(self.passphrases().ask("the desk's keys")?),
        };
        if let Some(role) = existing {
            self.opened(role, passphrase.as_ref())?;
        }
        Ok(passphrase)
    }

    /// Makes the keys that are not there, and returns their names.
    fn missing_keys(&self, passphrase: Option<&Zeroizing<String>>) -> Result<Vec<String>> {
        let folder = self.keys();
        let mut created = Vec::new();
        for role in Role::ALL {
            if !keys::paths(&folder, role.as_str()).1.exists() {
                keys::create(&folder, role.as_str(), passphrase)?;
                created.push(role.to_string());
            }
        }
        if !report_key::paths(&folder, REPORT).1.exists() {
            report_key::create(&folder, REPORT, passphrase)?;
            created.push(REPORT.to_owned());
        }
        Ok(created)
    }

    /// The first root of a feed that has none, with one key for each role.
    fn first_root(
        &self,
        feed: &Feed,
        init: &Init,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Verified<Root>> {
        let mut holders = roots::Holders::default();
        for role in Role::ALL {
            holders = holders.with(role, self.public(role.as_str())?);
        }
        let until = self.in_days(init.expires);
        let root = roots::root(init.audience.clone(), 1, &holders, self.now, until);
        let key = self.opened(Role::Root, passphrase)?;
        SigningService::of(feed).add_root(&sign::sign(root, &[&key])?)?;
        Ok(feed.root()?)
    }

    /// The secret key named like the role, with the passphrase that was given once for all.
    fn opened(&self, role: Role, passphrase: Option<&Zeroizing<String>>) -> Result<SecretKey> {
        let path = keys::paths(&self.keys(), role.as_str()).0;
        Ok(SecretKey::load(&path, || passphrase.cloned())?)
    }

    fn report_init(
        &self,
        init: &Init,
        created: &[String],
        root: &Root,
        digest: &Digest,
    ) -> Result<Ending> {
        let value = json!({
            "created-keys": created,
            "root": { "version": root.version, "expires": root.expires },
            "hand-over": init.hand_over,
            "sha256": digest,
        });
        let keys = match created {
            [] => "All keys exist; none created.".to_owned(),
            names => format!(
                "Created the keys {} in {}.",
                names.join(", "),
                self.keys().display()
            ),
        };
        let words = format!(
            "{keys}\nRoot {} of {} expires {}.\nWrote {}. Send it to customers, and its SHA-256 over another channel:\n  {digest}\n\
             Next: publish with \"spacecp-publisher broadcast {}\"; customers run\n  spacecp-advisories init {}",
            root.version,
            init.feed.display(),
            root.expires,
            init.hand_over.display(),
            init.feed.display(),
            name_of(&init.hand_over),
        );
        self.say(&value, &words)
    }
}

fn same_audience(init: &Init, root: &Root) -> Result<()> {
    if root.audience == init.audience {
        return Ok(());
    }
    bail!(
        "the feed {} is for the audience \"{}\", not \"{}\"",
        init.feed.display(),
        root.audience,
        init.audience
    )
}

/// The component in a file, if panels can load it.
pub(super) fn component(path: &Path) -> Result<Vec<u8>> {
    let bytes = regular_file::bytes(path, Part::Component.longest())
        .with_context(|| format!("cannot read {}", path.display()))?;
    plugins::check(&bytes).with_context(|| format!("cannot sign {}", path.display()))?;
    Ok(bytes)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
