//! What the program does, command by command.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use spacecp_contract::{
    Correction, Digest, DocumentKind, FeedPath, Limits, Role, VersionRange, VersionScheme, decode,
};

use super::{
    Ending,
    arguments::{Advisories, Arguments, Build, Command, Corrections, Keys, Plugins, Roots},
};
use crate::{
    bundle, check,
    corrections::{self, Facts},
    drafts, durable,
    feed::Feed,
    keys::{self, PublicKey, SecretKey},
    passphrase::Source,
    plugins, roots, sign,
};

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let desk = Desk {
        arguments,
        now: Timestamp::now(),
    };
    match &arguments.command {
        Command::Keys(Keys::New { name, unencrypted }) => desk.new_key(name, *unencrypted),
        Command::Keys(Keys::List) => desk.list_keys(),
        Command::Root(Roots::New {
            feed,
            audience,
            expires,
            holders,
            thresholds,
        }) => {
            let mut held = roots::Holders::default();
            for role in Role::ALL {
                let named = holders
                    .iter()
                    .filter(|(other, _)| *other == role)
                    .map(|(_, name)| name.as_str());
                let mut names: Vec<&str> = named.collect();
                if names.is_empty() {
                    names.push(role.as_str());
                }
                for name in names {
                    held = held.with(role, PublicKey::load(&keys::paths(&desk.keys(), name).1)?);
                }
            }
            for (role, threshold) in thresholds {
                held = held.threshold(*role, *threshold);
            }
            let root = roots::root(audience.clone(), 1, &held, desk.now, desk.in_days(*expires));
            let names: Vec<&str> = holders
                .iter()
                .filter(|(role, _)| *role == Role::Root)
                .map(|(_, name)| name.as_str())
                .collect();
            let names = if names.is_empty() {
                vec![Role::Root.as_str()]
            } else {
                names
            };
            let signers = names
                .into_iter()
                .map(|name| desk.key(name))
                .collect::<Result<Vec<_>>>()?;
            let signed = sign::sign(root, &signers.iter().collect::<Vec<_>>())?;
            let target = Feed::at(feed);
            target.add_root(&signed)?;
            let path = feed.join(FeedPath::root(1).as_str());
            let fingerprint = Digest::of(&signed.bytes).to_string();
            desk.say(
                &json!({ "root": path, "version": 1, "fingerprint": fingerprint }),
                &format!(
                    "{} is signed. Hand it over to panels with {}.minisig, or tell them its fingerprint by another way than the feed:\n  {fingerprint}",
                    path.display(),
                    path.display()
                ),
            )
        }
        Command::Advisory(Advisories::New { id, audience }) => {
            let path = arguments.desk.join("drafts").join(format!("{id}.toml"));
            if path.exists() {
                bail!("{} is there already", path.display());
            }
            durable::replace(&path, drafts::template(id, audience, desk.now).as_bytes())?;
            desk.say(
                &json!({ "draft": path }),
                &format!("{} wants to be filled in.", path.display()),
            )
        }
        Command::Advisory(Advisories::Check { draft }) => desk.check(draft, None),
        Command::Advisory(Advisories::Sign { draft, feed, key }) => {
            desk.sign_advisory(draft, feed, key)
        }
        Command::Correction(Corrections::Build(build)) => desk.build(build),
        Command::Plugin(Plugins::Sign {
            component,
            version,
            release,
            name,
            key,
        }) => {
            let bytes = fs::read(component)
                .with_context(|| format!("cannot read {}", component.display()))?;
            let manifest = plugins::manifest(name, version, *release, &bytes, desk.now);
            let signed = sign::sign(manifest, &[&desk.key(key)?])?;
            let path = component.with_file_name(format!("{name}.manifest"));
            durable::replace(&path, &signed.bytes)?;
            durable::replace(
                &component.with_file_name(format!("{name}.manifest.minisig")),
                signed.signatures.as_bytes(),
            )?;
            desk.say(
                &json!({ "manifest": path, "component": signed.document.component }),
                &format!("{} is signed.", path.display()),
            )
        }
        Command::Bundle { feed, into } => {
            let done = bundle::bundle(&Feed::at(feed), into)?;
            let words = format!(
                "{} has sequence {} with {} documents and {} payloads; panels believe it until {}.",
                into.display(),
                done.sequence,
                done.documents,
                done.payloads,
                done.expires
            );
            desk.say(&done, &words)
        }
        Command::Broadcast {
            feed,
            key,
            expires,
            dry_run,
        } => {
            let target = Feed::at(feed);
            let expires = desk.in_days(*expires);
            let done = if *dry_run {
                target.plan_broadcast(desk.now, expires)?.0
            } else {
                target.broadcast(desk.now, expires, &[&desk.key(key)?])?
            };
            let would = if *dry_run { "would be" } else { "is" };
            let mut words = format!(
                "Sequence {} {would} current until {}, with {} documents.",
                done.sequence, done.expires, done.documents
            );
            for (id, revision) in &done.news {
                words.push_str(&format!("\n  new: {id} revision {revision}"));
            }
            desk.say(&done, &words)
        }
    }
}

/// The desk that a command works at.
struct Desk<'a> {
    arguments: &'a Arguments,
    now: Timestamp,
}

impl Desk<'_> {
    fn keys(&self) -> std::path::PathBuf {
        self.arguments.desk.join("keys")
    }

    fn passphrases(&self) -> Source {
        self.arguments
            .passphrase_fd
            .map_or(Source::VariableOrTerminal, Source::Descriptor)
    }

    fn in_days(&self, days: u32) -> Timestamp {
        self.now + SignedDuration::from_hours(24 * i64::from(days))
    }

    /// The secret key of that name; its passphrase is asked for if it has one.
    fn key(&self, name: &str) -> Result<SecretKey> {
        let path = keys::paths(&self.keys(), name).0;
        let mut problem = None;
        let key = SecretKey::load(&path, || {
            match self.passphrases().ask(&path.display().to_string()) {
                Ok(passphrase) => Some(passphrase),
                Err(error) => {
                    problem = Some(error);
                    None
                }
            }
        });
        match problem {
            Some(problem) => Err(problem.into()),
            None => Ok(key?),
        }
    }

    fn new_key(&self, name: &str, unencrypted: bool) -> Result<Ending> {
        let valid = |character: char| {
            character.is_ascii_alphanumeric() || character == '-' || character == '_'
        };
        if name.is_empty() || !name.chars().all(valid) {
            bail!("a key's name has letters, digits, - and _ only, and {name:?} has not");
        }
        let passphrase = if unencrypted {
            None
        } else {
            Some(self.passphrases().choose(name)?)
        };
        let public = keys::create(&self.keys(), name, passphrase.as_ref())?;
        let (secret, path) = keys::paths(&self.keys(), name);
        let value =
            json!({ "name": name, "id": public.id(), "public": public.to_base64(), "file": path });
        self.say(
            &value,
            &format!(
                "The key {} is made: {} (keep it) and {}.",
                public.id(),
                secret.display(),
                path.display()
            ),
        )
    }

    fn list_keys(&self) -> Result<Ending> {
        let folder = self.keys();
        let mut found = Vec::new();
        for entry in
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "pub") {
                let key = PublicKey::load(&path)?;
                found.push((path, key));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        let value: Vec<_> = found
            .iter()
            .map(|(path, key)| json!({ "file": path, "id": key.id(), "public": key.to_base64() }))
            .collect();
        let lines: Vec<String> = found
            .iter()
            .map(|(path, key)| format!("{}  {}", key.id(), path.display()))
            .collect();
        self.say(&value, &lines.join("\n"))
    }

    /// Finds every fault of a draft, held against the corrections that a feed has already.
    fn check(&self, draft: &Path, feed: Option<&Feed>) -> Result<Ending> {
        let advisory = drafts::load(draft)?;
        let corrections: Vec<Correction> = feed
            .map(|feed| known_corrections(feed, &advisory))
            .transpose()?
            .unwrap_or_default();
        let faults = check::advisory(&advisory, &corrections, self.now);
        if faults.is_empty() {
            return self.say(
                &json!({ "faults": faults }),
                &format!("{} can be published.", advisory.id),
            );
        }
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        self.say(&json!({ "faults": faults }), &lines.join("\n"))?;
        Ok(Ending::Faults)
    }

    fn sign_advisory(&self, draft: &Path, feed: &Path, key: &str) -> Result<Ending> {
        let target = Feed::at(feed);
        let advisory = drafts::load(draft)?;
        let faults = check::advisory(&advisory, &known_corrections(&target, &advisory)?, self.now);
        if !faults.is_empty() {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!(
                "{} is not fit to be published:\n{}",
                draft.display(),
                lines.join("\n")
            );
        }
        let audience = advisory.audience.clone();
        let signed = target.add(advisory, &audience, &[&self.key(key)?])?;
        let (id, revision) = (&signed.document.id, signed.document.revision);
        self.say(
            &json!({ "id": id, "revision": revision }),
            &format!("{id} revision {revision} is signed; panels see it after the next broadcast."),
        )
    }

    fn build(&self, build: &Build) -> Result<Ending> {
        let target = Feed::at(&build.feed);
        let facts = Facts {
            id: build.id.clone(),
            revision: build.revision,
            audience: target.root()?.audience,
            published: self.now,
            advisories: build.advisories.clone(),
            component: build.component.clone(),
            scheme: VersionScheme::Semver,
            from: VersionRange {
                introduced: build.from_version.clone(),
                fixed: None,
                last_affected: Some(build.from_version.clone()),
            },
            to: build.to_version.clone(),
            requires: Vec::new(),
            restart: build.restart,
            ignored: build.ignored.clone(),
        };
        let built = corrections::build(&build.from, &build.to, facts)?;
        let signed = target.add_correction(built, &[&self.key(&build.key)?])?;
        let correction = &signed.document;
        let value = json!({ "id": correction.id, "revision": correction.revision, "files": correction.files.len(), "download": correction.download() });
        let words = format!(
            "{} changes {} files, with {} bytes of payload; panels see it after the next broadcast.",
            correction.id,
            correction.files.len(),
            correction.download()
        );
        self.say(&value, &words)
    }

    fn say(&self, value: &impl serde::Serialize, words: &str) -> Result<Ending> {
        let text = if self.arguments.json {
            serde_json::to_string_pretty(value)?
        } else {
            words.to_owned()
        };
        writeln!(io::stdout(), "{text}")?;
        Ok(Ending::Well)
    }
}

/// The newest revision of every correction that an advisory names, as far as the feed has them.
fn known_corrections(
    feed: &Feed,
    advisory: &spacecp_contract::Advisory,
) -> Result<Vec<Correction>> {
    let mut known = Vec::new();
    for id in &advisory.corrections {
        for revision in (1..).take_while(|revision| {
            feed.folder()
                .join(FeedPath::document(DocumentKind::Correction, id, *revision).as_str())
                .exists()
        }) {
            let path = feed
                .folder()
                .join(FeedPath::document(DocumentKind::Correction, id, revision).as_str());
            known.push(decode(&fs::read(path)?, &Limits::default())?);
        }
    }
    Ok(known)
}
