//! What the program does, command by command.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use spacecp_contract::{
    Correction, Digest, DocumentKind, FeedPath, Limits, Role, Root, VersionRange, VersionScheme,
    decode,
};

use super::{
    Ending,
    arguments::{
        Advisories, Arguments, Build, Command, Corrections, Keys, NextRoot, Plugins, Roots,
    },
};
use crate::{
    broadcast::Broadcast,
    bundle, check,
    corrections::{self, Facts},
    drafts, durable,
    feed::Feed,
    keys::{self, PublicKey, SecretKey},
    passphrase::Source,
    plugins,
    requests::{self, Request, Wanted},
    roots::{self, Change},
    sign,
    status::Margins,
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
        Command::Root(Roots::Show { feed }) => {
            let root = Feed::at(feed).root()?;
            let mut words = format!("Root {} expires {}.", root.version, root.expires);
            for (role, held) in &root.roles {
                words.push_str(&format!("\n  {role}: {} of", held.threshold));
                for key in &held.keys {
                    words.push_str(&format!(
                        " {}",
                        spacecp_trust::key_id(key).as_deref().unwrap_or(key)
                    ));
                }
            }
            let fingerprint = Digest::of(root.bytes()).to_string();
            words.push_str(&format!("\n  fingerprint {fingerprint}"));
            desk.say(
                &json!({ "root": root.document(), "fingerprint": fingerprint }),
                &words,
            )
        }
        Command::Root(Roots::Rotate {
            feed,
            role,
            old,
            new,
            next,
        }) => {
            let root = Feed::at(feed).root()?;
            let taken = old
                .iter()
                .map(|key| Ok((Some(*role), desk.named(key, &root)?)));
            let given = new.iter().map(|name| Ok((*role, desk.public(name)?)));
            let change = Change {
                taken: taken.collect::<Result<_>>()?,
                given: given.collect::<Result<_>>()?,
                ..Change::default()
            };
            desk.next_root(feed, &change, next)
        }
        Command::Root(Roots::Revoke {
            feed,
            key,
            instead,
            afresh,
            next,
        }) => {
            let root = Feed::at(feed).root()?;
            let given = instead
                .iter()
                .map(|(role, name)| Ok((*role, desk.public(name)?)));
            let change = Change {
                taken: vec![(None, desk.named(key, &root)?)],
                given: given.collect::<Result<_>>()?,
                thresholds: Vec::new(),
                afresh: *afresh,
            };
            desk.next_root(feed, &change, next)
        }
        Command::Root(Roots::Threshold {
            feed,
            role,
            number,
            next,
        }) => {
            let change = Change {
                thresholds: vec![(*role, *number)],
                ..Change::default()
            };
            desk.next_root(feed, &change, next)
        }
        Command::Root(Roots::Renew { feed, next }) => {
            desk.next_root(feed, &Change::default(), next)
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
        Command::Advisory(Advisories::Sign {
            draft,
            feed,
            keys,
            request,
        }) => desk.sign_advisory(draft, feed, keys, request.as_deref()),
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
            fresh,
            dry_run,
        } => {
            let target = Feed::at(feed);
            let expires = desk.in_days(fresh.expires);
            let done = if *dry_run {
                target.plan_broadcast(desk.now, expires)?.0
            } else {
                let keys = desk.signers(&fresh.keys, Role::Feed)?;
                target.broadcast(desk.now, expires, &references(&keys))?
            };
            desk.say_broadcast(&done, *dry_run)
        }
        Command::Refresh {
            feed,
            fresh,
            if_within,
            dry_run,
        } => {
            let target = Feed::at(feed);
            if let (Some(days), Some(head)) = (if_within, target.head()?)
                && head.expires > desk.in_days(*days)
                && head.root_version == target.root()?.version
            {
                return desk.say(
                    &json!({ "refreshed": false, "sequence": head.sequence, "expires": head.expires }),
                    &format!("Sequence {} is current until {}: nothing to do.", head.sequence, head.expires),
                );
            }
            let expires = desk.in_days(fresh.expires);
            let done = if *dry_run {
                target.plan_refresh(desk.now, expires)?.0
            } else {
                let keys = desk.signers(&fresh.keys, Role::Feed)?;
                target.refresh(desk.now, expires, &references(&keys))?
            };
            desk.say_broadcast(&done, *dry_run)
        }
        Command::Status {
            feed,
            head_within,
            root_within,
        } => desk.status(&Feed::at(feed), *head_within, *root_within),
        Command::SignAgain { feed, kind, keys } => {
            let keys = desk.signers(keys, kind.role())?;
            let again = Feed::at(feed).sign_again(*kind, &references(&keys))?;
            let mut words = format!("{} documents were signed again.", again.len());
            for (id, revision) in &again {
                words.push_str(&format!("\n  {id} revision {revision}"));
            }
            desk.say(&json!({ "signed": again }), &words)
        }
        Command::SignRequest { request, keys } => desk.sign_request(request, keys),
        Command::AddSignature {
            request,
            signatures,
            feed,
        } => desk.add_signature(request, signatures, &Feed::at(feed)),
    }
}

fn references(keys: &[SecretKey]) -> Vec<&SecretKey> {
    keys.iter().collect()
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

    /// The secret keys of these names; the one with the role's name where none is named.
    fn signers(&self, names: &[String], role: Role) -> Result<Vec<SecretKey>> {
        if names.is_empty() {
            return Ok(vec![self.key(role.as_str())?]);
        }
        names.iter().map(|name| self.key(name)).collect()
    }

    fn public(&self, name: &str) -> Result<PublicKey> {
        Ok(PublicKey::load(&keys::paths(&self.keys(), name).1)?)
    }

    /// The key of a root by its id, for a key whose file is lost, or by its name on the desk.
    fn named(&self, key: &str, root: &Root) -> Result<String> {
        let listed = root.roles.values().flat_map(|held| &held.keys);
        let by_id = listed
            .into_iter()
            .find(|text| spacecp_trust::key_id(text).is_some_and(|id| id == key.to_uppercase()));
        match by_id {
            Some(text) => Ok(text.clone()),
            None => Ok(self.public(key)?.to_base64()),
        }
    }

    fn next_root(&self, feed: &Path, change: &Change, next: &NextRoot) -> Result<Ending> {
        let target = Feed::at(feed);
        let before = target.root()?;
        let after = roots::next(&before, change, self.now, self.in_days(next.expires))?;
        let differences = roots::differences(&before, &after);
        let version = after.version;
        if next.dry_run {
            let value = json!({ "version": version, "changes": differences, "published": false });
            let words = format!("Root {version} would say:\n  {}", differences.join("\n  "));
            return self.say(&value, &words);
        }
        if let Some(folder) = &next.request {
            return self.write_request(folder, Wanted::Root(after));
        }
        let keys = self.signers(&next.keys, Role::Root)?;
        target.add_root(&sign::sign(after, &references(&keys))?)?;
        let value = json!({ "version": version, "changes": differences, "published": true });
        let words = format!(
            "Root {version} is published:\n  {}\nLook at \"status\" for what has to follow.",
            differences.join("\n  ")
        );
        self.say(&value, &words)
    }

    fn say_broadcast(&self, done: &Broadcast, dry_run: bool) -> Result<Ending> {
        let would = if dry_run { "would be" } else { "is" };
        let mut words = format!(
            "Sequence {} {would} current until {}, with {} documents.",
            done.sequence, done.expires, done.documents
        );
        for (id, revision) in &done.news {
            words.push_str(&format!("\n  new: {id} revision {revision}"));
        }
        self.say(done, &words)
    }

    fn status(&self, feed: &Feed, head_within: u32, root_within: u32) -> Result<Ending> {
        let days = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
        let margins = Margins {
            head: days(head_within),
            root: days(root_within),
        };
        let status = feed.status(self.now, margins)?;
        let mut words = format!("Root {} expires {}.", status.root, status.root_expires);
        for held in &status.roles {
            let keys = held.keys.join(" ");
            words.push_str(&format!("\n  {}: {} of {keys}", held.role, held.threshold));
        }
        if let (Some(sequence), Some(expires)) = (status.sequence, status.head_expires) {
            words.push_str(&format!(
                "\nSequence {sequence} is current until {expires}, with {} documents.",
                status.documents
            ));
        }
        for (id, revision) in &status.waiting {
            words.push_str(&format!("\n  not broadcast yet: {id} revision {revision}"));
        }
        for problem in &status.problems {
            words.push_str(&format!("\nproblem: {problem}"));
        }
        self.say(&status, &words)?;
        Ok(if status.problems.is_empty() {
            Ending::Well
        } else {
            Ending::Faults
        })
    }

    fn write_request(&self, folder: &Path, wanted: Wanted) -> Result<Ending> {
        let request = requests::write(folder, wanted)?;
        self.say_request(&request, "wants to be signed")
    }

    fn sign_request(&self, path: &Path, names: &[String]) -> Result<Ending> {
        let request = Request::read(path)?;
        if names.is_empty() {
            return self.say_request(&request, "wants to be signed");
        }
        let keys = names.iter().map(|name| self.key(name));
        request.sign(&references(&keys.collect::<Result<Vec<_>>>()?))?;
        self.say_request(
            &request,
            &format!("is signed; carry {} back", request.signatures().display()),
        )
    }

    fn say_request(&self, request: &Request, how: &str) -> Result<Ending> {
        let comment = request.wanted().comment();
        let path = request.path().display();
        let mut words = format!(
            "{path} {how}.\n  comment: {comment}\n  digest:  {}",
            request.digest()
        );
        match request.wanted() {
            Wanted::Root(root) => {
                words.push_str(&format!("\n  expires: {}", root.expires));
                for (role, held) in &root.roles {
                    let id = |key: &String| spacecp_trust::key_id(key).unwrap_or_default();
                    let keys: Vec<String> = held.keys.iter().map(id).collect();
                    words.push_str(&format!(
                        "\n  {role}: {} of {}",
                        held.threshold,
                        keys.join(" ")
                    ));
                }
            }
            Wanted::Advisory(advisory) => {
                words.push_str(&format!("\n  title:   {}", advisory.title));
            }
            Wanted::Correction(correction) => words.push_str(&format!(
                "\n  brings:  {} to {}, {} files",
                correction.component,
                correction.to,
                correction.files.len()
            )),
        }
        let value = json!({
            "request": request.path(),
            "signatures": request.signatures(),
            "comment": comment.to_string(),
            "digest": request.digest(),
        });
        self.say(&value, &words)
    }

    fn add_signature(&self, path: &Path, files: &[PathBuf], feed: &Feed) -> Result<Ending> {
        let request = Request::read(path)?;
        request.add(feed, files)?;
        let progress = request.publish(feed)?;
        let signed = progress.signed.join(", ");
        if progress.missing.is_empty() {
            let words = format!("{} is in the feed, signed by {signed}.", path.display());
            return self.say(&progress, &words);
        }
        let missing = progress.missing.join(", ");
        self.say(
            &progress,
            &format!("Signed by: {signed}. Still missing: {missing}."),
        )?;
        Ok(Ending::Faults)
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

    fn sign_advisory(
        &self,
        draft: &Path,
        feed: &Path,
        keys: &[String],
        request: Option<&Path>,
    ) -> Result<Ending> {
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
        if let Some(folder) = request {
            return self.write_request(folder, Wanted::Advisory(advisory));
        }
        let audience = advisory.audience.clone();
        let keys = self.signers(keys, Role::Advisory)?;
        let signed = target.add(advisory, &audience, &references(&keys))?;
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
            audience: target.root()?.audience.clone(),
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
        if let Some(folder) = &build.request {
            target.add_payload(&built)?;
            return self.write_request(folder, Wanted::Correction(built.correction));
        }
        let keys = self.signers(&build.keys, Role::Correction)?;
        let signed = target.add_correction(built, &references(&keys))?;
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
