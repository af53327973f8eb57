//! What the program does: every command, and those about keys, advisories, corrections and plugins.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::json;
use spacecp_contract::{Audience, Correction, DocumentId, Role, VersionRange, VersionScheme};
use spacecp_formats::Format;

use super::{
    Ending,
    arguments::{Arguments, Command, Keys},
    cases::named,
    cli_context::{CliContext, references},
    document_arguments::{Advisories, Build, Corrections, Formatted, Plugins},
    init, manual,
};
use crate::{
    cases::id::CaseId,
    check,
    corrections::{self, Facts},
    drafts::{self, Known},
    durable,
    feed::Feed,
    keys::{self, PublicKey},
    plugins,
    report::key::is_report_key,
    requests::Wanted,
    sign,
    signing::{Disown, SigningService},
};

pub(super) fn run(arguments: &Arguments) -> Result<Ending> {
    let desk = CliContext {
        arguments,
        now: Timestamp::now(),
    };
    // What describes the program needs no desk.
    if !matches!(
        arguments.command,
        Command::Completions { .. } | Command::Man { .. }
    ) {
        desk.mend()?;
    }
    match &arguments.command {
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { directory } => manual::man(directory, &desk),
        Command::Init(command) => desk.init(command),
        Command::Keys(Keys::New { name, unencrypted }) => desk.new_key(name, *unencrypted),
        Command::Keys(Keys::List) => desk.list_keys(),
        Command::Root(command) => desk.root(command),
        Command::Case(command) => desk.case(command),
        Command::Advisory(Advisories::New { id, audience, case }) => {
            desk.draft(id, audience, case.as_ref())
        }
        Command::Advisory(Advisories::Check { draft }) => desk.check(&desk.draft_of(draft), None),
        Command::Advisory(Advisories::Sign {
            draft,
            feed,
            keys,
            request,
        }) => desk.sign_advisory(&desk.draft_of(draft), feed, keys, request.as_deref()),
        Command::Correction(Corrections::Build(build)) => desk.build(build),
        Command::Plugin(Plugins::Sign {
            component,
            version,
            release,
            name,
            key,
        }) => {
            let bytes = init::component(component)?;
            let manifest = plugins::manifest(name, version, *release, &bytes, desk.now);
            let signed = sign::sign(manifest, &[&desk.key(key)?])?;
            let path = component.with_file_name(format!("{name}.manifest"));
            durable::replace_anywhere(&path, &signed.bytes)?;
            durable::replace_anywhere(
                &component.with_file_name(format!("{name}.manifest.minisig")),
                signed.signatures.as_bytes(),
            )?;
            desk.say(
                &json!({ "manifest": path, "component": signed.document.component }),
                &format!("Signed {}.", path.display()),
            )
        }
        Command::Panel(command) => desk.panel(command),
        Command::Product(command) => desk.product(command),
        Command::SignRequest { request, keys } => desk.sign_request(request, keys),
        Command::AddSignature {
            request,
            signatures,
            feed,
            publisher,
        } => desk.add_signature(request, signatures, feed, publisher),
        Command::Import(Formatted::Osv(import)) => desk.import(Format::Osv, import),
        Command::Import(Formatted::Csaf(import)) => desk.import(Format::Csaf, import),
        Command::Export(Formatted::Osv(export)) => desk.export(Format::Osv, export),
        Command::Export(Formatted::Csaf(export)) => desk.export(Format::Csaf, export),
        Command::Disclose(disclose) => desk.disclose(disclose),
        Command::Withdraw { id, retire } => desk.withdraw(id, retire),
        Command::Supersede { id, by, retire } => desk.supersede(id, by, retire),
        Command::Bundle { feed, into } => desk.bundle(feed, into),
        Command::Broadcast {
            feed,
            fresh,
            dry_run,
            consented,
            publisher,
        } => desk.broadcast(feed, fresh, *dry_run, consented, publisher),
        Command::Unsign { kind, id, feed } => desk.discard_pending(*kind, id, feed),
        Command::Refresh {
            feed,
            fresh,
            if_within,
            dry_run,
        } => desk.refresh(feed, fresh, *if_within, *dry_run),
        Command::Status {
            feed,
            head_within,
            root_within,
        } => desk.status(&desk.feed(feed)?, *head_within, *root_within),
        Command::SignAgain {
            feed,
            kind,
            documents,
            keys,
            dry_run,
            yes,
        } => {
            let documents = (*kind, documents.as_slice());
            desk.sign_again(feed, documents, keys, *dry_run, *yes)
        }
        Command::Disown {
            kind,
            id,
            feed,
            revision,
            reason,
            by,
        } => {
            let what = Disown {
                kind: *kind,
                id: id.clone(),
                revision: *revision,
                by: named(by.as_deref())?,
                reason: reason.trim().to_owned(),
            };
            desk.disown(feed, &what)
        }
        Command::RecoverFrom(recovery) => desk.recover_from(recovery),
    }
}

impl CliContext<'_> {
    fn new_key(&self, name: &str, unencrypted: bool) -> Result<Ending> {
        let valid = |character: char| {
            character.is_ascii_alphanumeric() || character == '-' || character == '_'
        };
        if name.is_empty() || !name.chars().all(valid) {
            bail!("invalid key name {name:?}: only letters, digits, \"-\" and \"_\" are allowed");
        }
        let passphrase = if unencrypted {
            None
        } else {
            Some(self.passphrases().choose(name)?)
        };
        if is_report_key(name) {
            return self.new_report_key(name, passphrase.as_ref());
        }
        let public = keys::create(&self.keys(), name, passphrase.as_ref())?;
        let (secret, path) = keys::paths(&self.keys(), name);
        let value =
            json!({ "name": name, "id": public.id(), "public": public.to_base64(), "file": path });
        self.say(
            &value,
            &format!(
                "Created key {}: {} (secret) and {}.",
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

    fn draft(&self, id: &DocumentId, audience: &Audience, case: Option<&CaseId>) -> Result<Ending> {
        let path = self.draft_path(id);
        if path.exists() {
            bail!("{} already exists", path.display());
        }
        let known = match case {
            Some(case) => self.known_of(case)?,
            None => Known::default(),
        };
        // The case first: a draft that no case knows would be checked against none.
        if let Some(case) = case {
            self.record_draft(case, id)?;
        }
        let text = drafts::template(id, audience, self.now, &known);
        durable::replace_private(&path, text.as_bytes())?;
        self.say(
            &json!({ "draft": path, "case": case.map(ToString::to_string) }),
            &format!("Created draft {}. Fill it in.", path.display()),
        )
    }

    pub(super) fn draft_path(&self, id: &DocumentId) -> std::path::PathBuf {
        self.arguments
            .desk
            .join("drafts")
            .join(format!("{id}.toml"))
    }

    /// The draft that is meant: the file, or where there is none the draft of that id.
    fn draft_of(&self, named: &Path) -> std::path::PathBuf {
        let id = named
            .to_str()
            .and_then(|name| name.parse::<DocumentId>().ok());
        match id.filter(|_| !named.exists()) {
            Some(id) => self.draft_path(&id),
            None => named.to_owned(),
        }
    }

    /// Finds every fault of a draft, held against the corrections that a feed has already.
    fn check(&self, draft: &Path, feed: Option<&Feed>) -> Result<Ending> {
        let advisory = drafts::load(draft)?;
        let corrections: Vec<Correction> = feed
            .map(|feed| known_corrections(feed, &advisory))
            .transpose()?
            .unwrap_or_default();
        let mut faults = check::advisory(&advisory, &corrections, self.now);
        faults.extend(self.faults_of_cases(&advisory)?);
        if faults.is_empty() {
            return self.say(
                &json!({ "faults": faults }),
                &format!("{} is valid.", advisory.id),
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
        let target = self.tidy_feed(feed)?;
        let advisory = drafts::load(draft)?;
        let known = known_corrections(&target, &advisory)?;
        let mut faults = check::advisory(&advisory, &known, self.now);
        if let Some(signed) = target.advisory(&target.root()?, &advisory.id)? {
            faults.extend(check::follows(&advisory, &signed));
        }
        faults.extend(self.faults_of_cases(&advisory)?);
        if !faults.is_empty() {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            bail!(
                "{} cannot be published:\n{}",
                draft.display(),
                lines.join("\n")
            );
        }
        if let Some(folder) = request {
            return self.write_request(folder, Wanted::Advisory(advisory));
        }
        let audience = advisory.audience.clone();
        let keys = self.signers(keys, Role::Advisory)?;
        let signed = SigningService::of(&target).add(advisory, &audience, &references(&keys))?;
        let (id, revision) = (&signed.document.id, signed.document.revision);
        self.say(
            &json!({ "id": id, "revision": revision }),
            &format!("Signed {id} revision {revision}. Panels receive it with the next broadcast."),
        )
    }

    fn build(&self, build: &Build) -> Result<Ending> {
        let target = self.tidy_feed(&build.feed)?;
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
                limit: None,
            },
            to: build.to_version.clone(),
            requires: build.requires.clone(),
            restart: build.restart,
            ignored: build.ignored.clone(),
        };
        let mut built = corrections::build(&build.from, &build.to, facts)?;
        built.correction.health.clone_from(&build.health);
        built.correction.reversible = !build.one_way;
        if let Some(folder) = &build.request {
            SigningService::of(&target).add_payload(&built)?;
            return self.write_request(folder, Wanted::Correction(built.correction));
        }
        let keys = self.signers(&build.keys, Role::Correction)?;
        let signed = SigningService::of(&target).add_correction(built, &references(&keys))?;
        let correction = &signed.document;
        let value = json!({ "id": correction.id, "revision": correction.revision, "files": correction.files.len(), "download": correction.download() });
        let words = format!(
            "Signed {}: {} files, {} bytes of payload. Panels receive it with the next broadcast.",
            correction.id,
            correction.files.len(),
            correction.download()
        );
        self.say(&value, &words)
    }
}

/// Every revision of every correction that an advisory names, as far as the feed has them.
fn known_corrections(
    feed: &Feed,
    advisory: &spacecp_contract::Advisory,
) -> Result<Vec<Correction>> {
    let mut known = Vec::new();
    for id in &advisory.corrections {
        known.extend(feed.corrections(id)?);
    }
    Ok(known)
}
