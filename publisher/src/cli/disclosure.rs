//! The commands that tell everybody, and those that say what no longer holds.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;
use spacecp_contract::{Advisory, DocumentId};
use spacecp_formats::Format;

use super::{
    Ending,
    cli_context::CliContext,
    disclosure_arguments::{Disclose, Retire},
};
use crate::{
    disclosure::{self, Omitted, Outcome, Public, Settings, Webroot},
    drafts, durable,
    feed::Feed,
    report::key::Recipient,
    withdraw,
};

impl CliContext<'_> {
    /// Makes a web root say what a feed has broadcast for everybody.
    pub(super) fn disclose(&self, arguments: &Disclose) -> Result<Ending> {
        let span = tracing::info_span!("disclose", out = %arguments.out.display());
        let _entered = span.enter();
        let place = arguments.settings.clone();
        let place = place.unwrap_or_else(|| self.arguments.desk.join("publisher.toml"));
        let recipient = self.report_recipient()?;
        let settings = Settings::load(&place, recipient.as_ref(), self.now)
            .context("nothing disclosed (see \"disclose --help\" for the settings)")?;
        let webroot = Webroot::at(&arguments.out);
        // Locked before the feed is read: nobody writes something newer meanwhile.
        let lock = (!arguments.dry_run).then(|| webroot.lock()).transpose()?;
        self.feed(&arguments.feed)?.refuse_unpublished()?;
        let public = Public::of(&Feed::at(&arguments.feed))?;
        webroot.refuse_older(public.sequence)?;
        let before = webroot.provider_metadata()?;
        let made = disclosure::site(&public, &settings, before.as_deref(), self.now)?;
        let outcome = match &lock {
            Some(lock) => webroot.become_site(lock, &made.site, public.sequence)?,
            None => webroot.compare(&made.site)?,
        };
        tracing::info!(
            advisories = public.advisories.len(),
            written = outcome.written.len(),
            removed = outcome.removed.len(),
            "disclosed"
        );
        let omitted: Vec<_> = made.omitted.iter().map(omission).collect();
        let value = json!({
            "advisories": public.advisories.len(),
            "files": outcome,
            "omitted": omitted,
        });
        let words = words(&public, &outcome, &made.omitted, arguments);
        self.say(&value, &words)?;
        Ok(if made.omitted.is_empty() && outcome.left.is_empty() {
            Ending::Well
        } else {
            Ending::Faults
        })
    }

    /// The recipient of the desk's report key, if it has one.
    pub(super) fn report_recipient(&self) -> Result<Option<Recipient>> {
        let path = self.keys().join("report.recipient");
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let recipient = text.trim().parse();
        recipient
            .map(Some)
            .with_context(|| format!("cannot use {}", path.display()))
    }

    /// Writes the draft that withdraws an advisory.
    pub(super) fn withdraw(&self, id: &DocumentId, retire: &Retire) -> Result<Ending> {
        let signed = self.newest(id, &retire.feed)?;
        let next = withdraw::withdrawn(signed.clone(), &retire.reason, self.now)?;
        self.go_on_from(&signed, &next, &retire.feed)
    }

    /// Writes the draft by which an advisory takes the place of another.
    pub(super) fn supersede(
        &self,
        older: &DocumentId,
        newer: &DocumentId,
        retire: &Retire,
    ) -> Result<Ending> {
        let older = self.newest(older, &retire.feed)?;
        let signed = self.newest(newer, &retire.feed)?;
        if signed.tlp < older.tlp {
            bail!(
                "{} is {}, but {}, which is {}, would reveal it to more readers. Disclose it first",
                older.id,
                older.tlp,
                signed.id,
                signed.tlp
            );
        }
        let next = withdraw::superseding(signed.clone(), &older, &retire.reason, self.now)?;
        self.go_on_from(&signed, &next, &retire.feed)
    }

    /// The newest revision that was signed, verified.
    fn newest(&self, id: &DocumentId, feed: &Path) -> Result<Advisory> {
        let target = self.feed(feed)?;
        let found = target.advisory(&target.root()?, id)?;
        let found =
            found.with_context(|| format!("{id} was never signed for {}", feed.display()))?;
        Ok(Advisory::clone(&found))
    }

    /// Puts the draft of the next revision in the place of that of this one, if nobody has gone on there.
    fn go_on_from(&self, signed: &Advisory, next: &Advisory, feed: &Path) -> Result<Ending> {
        let path = self.draft_path(&next.id);
        if path.exists() && !is_signed(&path, signed) {
            bail!(
                "{} differs from the signed revision; sign it first, or move it away",
                path.display()
            );
        }
        let text = drafts::written_out(next)?;
        durable::replace_private(&path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
        let value = json!({ "draft": path, "id": next.id, "revision": next.revision });
        let words = format!(
            "Wrote {draft} as revision {revision}. Review it, then run:\n  \
             spacecp-publisher advisory sign {draft} --feed {feed}\n  \
             spacecp-publisher broadcast {feed}",
            draft = path.display(),
            revision = next.revision,
            feed = feed.display(),
        );
        self.say(&value, &words)
    }
}

/// Whether a draft says what was signed, and nothing else.
fn is_signed(path: &Path, signed: &Advisory) -> bool {
    drafts::load(path).is_ok_and(|draft| draft == *signed)
}

fn omission(omitted: &Omitted) -> serde_json::Value {
    json!({
        "id": omitted.id,
        "format": name(omitted.format),
        "reason": omitted.reason.to_string(),
    })
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Osv => "OSV",
        Format::Csaf => "CSAF",
    }
}

fn words(public: &Public, outcome: &Outcome, omitted: &[Omitted], asked: &Disclose) -> String {
    let mut lines = Vec::new();
    if asked.dry_run {
        lines.extend(outcome.written.iter().map(|path| format!("write   {path}")));
        lines.extend(outcome.removed.iter().map(|path| format!("remove  {path}")));
    }
    let left = outcome.left.iter();
    lines.extend(left.map(|path| {
        format!("left    {path}: outdated, but modified by another program; remove it by hand")
    }));
    lines.extend(
        omitted
            .iter()
            .map(|one| format!("omitted {} as {}: {}", one.id, name(one.format), one.reason)),
    );
    let verb = if asked.dry_run { "would be" } else { "are" };
    lines.push(format!(
        "{} advisories {verb} public in {}: {} files written, {} removed, {} unchanged.",
        public.advisories.len(),
        asked.out.display(),
        outcome.written.len(),
        outcome.removed.len(),
        outcome.unchanged
    ));
    lines.join("\n")
}
