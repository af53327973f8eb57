//! The commands about other people's advisories: `import` and `export`.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, IsTerminal, Write},
    path::Path,
};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use spacecp_contract::{Audience, DocumentId, Role, Tlp};
use spacecp_formats::{Format, Limits, Terms, Unmapped, csaf::Issuer};

use super::{
    Ending,
    cli_context::{CliContext, references},
    document_arguments::{Export, Import},
};
use crate::{
    durable,
    external::{
        document_files::{self, Place},
        exporter::Exporter,
        importer::{Importer, Looked, Standing},
    },
    products::Products,
};

/// What an import did, or would do.
#[derive(Debug, Default, Serialize)]
struct Report {
    documents: usize,
    new: usize,
    changed: usize,
    withdrawn: usize,
    unchanged: usize,
    refused: usize,
    remarked: usize,
    /// The refusals, as far as they are listed.
    refusals: Vec<Refused>,
    /// What was taken and only kept, as far as it is listed.
    remarks: Vec<Remarked>,
    notices: usize,
    /// Products that are mapped to no component, the most frequent first, as far as they are listed.
    unmapped: Vec<UnmappedProduct>,
    #[serde(skip)]
    strangers: BTreeMap<Unmapped, usize>,
}

/// A product that is mapped to no component.
#[derive(Debug, Serialize)]
struct UnmappedProduct {
    #[serde(flatten)]
    product: Unmapped,
    /// Documents that name it.
    documents: usize,
    /// How to map it, with the component still to be filled in.
    command: String,
}

/// A document that was refused.
#[derive(Debug, Serialize)]
struct Refused {
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    reason: String,
}

/// A part of a document that decides nothing.
#[derive(Debug, Serialize)]
struct Remarked {
    place: String,
    id: DocumentId,
    field: String,
    reason: String,
}

impl Report {
    fn refuse(&mut self, place: &Place, id: Option<&str>, reason: &str, most: usize) {
        self.refused += 1;
        if self.refusals.len() < most {
            self.refusals.push(Refused {
                place: place.to_string(),
                id: id.map(str::to_owned),
                reason: excerpt(reason),
            });
        }
    }

    fn remark(&mut self, place: &Place, looked: &Looked, most: usize) {
        self.remarked += looked.remarks.len();
        let room = most.saturating_sub(self.remarks.len());
        let remarks = looked.remarks.iter().take(room);
        self.remarks.extend(remarks.map(|remark| Remarked {
            place: place.to_string(),
            id: looked.advisory.id.clone(),
            field: remark.field.clone(),
            reason: excerpt(&remark.reason),
        }));
    }

    /// Notes products of a document that nobody has mapped.
    fn meet(&mut self, products: &[Unmapped]) {
        for product in products {
            *self.strangers.entry(product.clone()).or_default() += 1;
        }
    }

    /// Lists the products that nobody has mapped, the most frequent first.
    fn list_unmapped(&mut self, most: usize) {
        let mut all: Vec<(Unmapped, usize)> =
            std::mem::take(&mut self.strangers).into_iter().collect();
        all.sort_by_key(|(_, documents)| Reverse(*documents));
        let listed = all.into_iter().take(most);
        self.unmapped = listed
            .map(|(product, documents)| UnmappedProduct {
                command: format!(
                    "spacecp-publisher product map {} COMPONENT",
                    quoted(product.best())
                ),
                product,
                documents,
            })
            .collect();
    }

    fn count(&mut self, standing: Standing) {
        let counter = match standing {
            Standing::New => &mut self.new,
            Standing::Changed => &mut self.changed,
            Standing::Withdrawn => &mut self.withdrawn,
            Standing::Unchanged => &mut self.unchanged,
        };
        *counter += 1;
    }

    /// A table of the numbers, below what was refused and what was only kept.
    fn words(&self, dry: bool) -> String {
        let mut lines = Vec::new();
        for remark in &self.remarks {
            // What strangers wrote is quoted where it is theirs alone; their ids and fields are checked.
            lines.push(format!(
                "kept     {} ({}): {}: {}",
                remark.id,
                remark.place,
                remark.field,
                plain(&remark.reason)
            ));
        }
        for refusal in &self.refusals {
            let id = refusal.id.as_deref().map(|id| format!("{id:?} "));
            lines.push(format!(
                "refused  {}({}): {}",
                id.unwrap_or_default(),
                refusal.place,
                plain(&refusal.reason)
            ));
        }
        let listed = self.refusals.len() + self.remarks.len();
        let unlisted = self.refused + self.remarked - listed;
        if unlisted > 0 {
            lines.push(format!("…and {unlisted} more of these"));
        }
        if !self.unmapped.is_empty() {
            lines.push(
                "Products without a package URL. Map those that panels have, then import again:"
                    .to_owned(),
            );
            for one in self.unmapped.iter().take(MOST_UNMAPPED) {
                lines.push(format!(
                    "  {}  ({} documents)",
                    plain(&one.command),
                    one.documents
                ));
            }
            if let more @ 1.. = self.unmapped.len().saturating_sub(MOST_UNMAPPED) {
                lines.push(format!("  and {more} more, listed with --json"));
            }
        }
        for (word, number) in [
            ("documents", self.documents),
            ("new", self.new),
            ("changed", self.changed),
            ("withdrawn", self.withdrawn),
            ("unchanged", self.unchanged),
            ("refused", self.refused),
            ("notices", self.notices),
        ] {
            lines.push(format!("{word:<10} {number:>8}"));
        }
        let to_sign = self.new + self.changed + self.withdrawn;
        lines.push(match (dry, to_sign) {
            (_, 0) => "No changes to the feed.".to_owned(),
            (true, _) => format!("{to_sign} would be signed."),
            (false, _) => {
                format!("{to_sign} signed. Panels receive them with the next broadcast.")
            }
        });
        lines.join("\n")
    }
}

/// Products that a person is told of.
const MOST_UNMAPPED: usize = 20;

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@+".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// The most of a reason that is shown: a stranger's document may be quoted in it at any length.
const LONGEST_REASON: usize = 500;

/// The beginning of a reason.
fn excerpt(reason: &str) -> String {
    if reason.chars().count() <= LONGEST_REASON {
        return reason.to_owned();
    }
    let mut short: String = reason.chars().take(LONGEST_REASON).collect();
    short.push('…');
    short
}

/// A text without anything that a terminal would obey.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

impl CliContext<'_> {
    /// Takes documents over, signs what is new to the feed, and says what became of each.
    pub(super) fn import(&self, format: Format, import: &Import) -> Result<Ending> {
        let feed = if import.dry_run {
            self.feed(&import.feed)?
        } else {
            self.tidy_feed(&import.feed)?
        };
        let limits = Limits::default();
        let terms = Terms {
            products: Products::of_desk(&self.arguments.desk).to_map()?,
            ..terms(import)?
        };
        let mut intake = Importer::into(&feed, format, &terms, limits, self.now)?;
        // A passphrase is asked for before the work, and not at all where nothing is signed.
        let keys = if import.dry_run {
            Vec::new()
        } else {
            self.signers(&import.keys, Role::Advisory)?
        };
        let span = tracing::info_span!("import", path = %import.path.display());
        let _entered = span.enter();
        let mut report = Report::default();
        let bar = bar();
        let mut documents = document_files::documents(&import.path, limits);
        while let Some((place, found)) = documents.next() {
            report.documents += 1;
            bar.set_position(documents.bytes());
            bar.set_message(format!("{} documents", report.documents));
            let bytes = match found {
                Ok(bytes) => bytes,
                Err(error) => {
                    report.refuse(&place, None, &error.to_string(), limits.listed);
                    continue;
                }
            };
            let looked = match intake.look(&bytes) {
                Ok(looked) => looked,
                Err(error) if error.is_final() => {
                    return Err(error).with_context(|| format!("import stopped at {place}"));
                }
                Err(error) => {
                    report.meet(error.unmapped());
                    report.refuse(&place, error.id(), &error.to_string(), limits.listed);
                    continue;
                }
            };
            report.count(looked.standing);
            report.remark(&place, &looked, limits.listed);
            report.meet(&looked.unmapped);
            report.notices += usize::from(looked.advisory.notice.is_some());
            if !import.dry_run {
                let added = intake.add(looked, &references(&keys));
                added.with_context(|| format!("import stopped at {place}"))?;
            }
        }
        if !import.dry_run {
            intake.finish(&references(&keys))?;
        }
        bar.finish_and_clear();
        report.list_unmapped(limits.listed);
        if report.documents == 0 {
            bail!(
                "no documents in {}; expected a .json file, a .jsonl file, or a directory of such files",
                import.path.display()
            );
        }
        tracing::info!(
            new = report.new,
            changed = report.changed,
            refused = report.refused,
            "imported"
        );
        self.say(&report, &report.words(import.dry_run))?;
        Ok(if report.refused > 0 {
            Ending::Faults
        } else {
            Ending::Well
        })
    }

    /// Gives out what a feed has broadcast.
    pub(super) fn export(&self, format: Format, export: &Export) -> Result<Ending> {
        let feed = self.feed(&export.feed)?;
        let issuer = match (&export.publisher, &export.namespace) {
            (Some(name), Some(namespace)) => Some(Issuer {
                name: name.clone(),
                namespace: namespace.clone(),
            }),
            _ => None,
        };
        let outlet = Exporter::of(&feed, format, issuer)?;
        let ids = if export.ids.is_empty() {
            outlet.ids()
        } else {
            export.ids.clone()
        };
        if let Some(folder) = &export.out {
            durable::sweep(folder)
                .with_context(|| format!("cannot remove leftovers in {}", folder.display()))?;
        }
        let (mut given, mut refused) = (Vec::new(), Vec::new());
        let mut stdout = io::stdout().lock();
        for id in &ids {
            let document = match outlet.document(id) {
                Ok(document) => document,
                Err(error) => {
                    refused.push(Refused {
                        place: export.feed.display().to_string(),
                        id: Some(id.to_string()),
                        reason: error.to_string(),
                    });
                    continue;
                }
            };
            match &export.out {
                Some(folder) => write_document(folder, id, &document)?,
                None => writeln!(stdout, "{document}")?,
            }
            given.push(id);
        }
        drop(stdout);
        for refusal in &refused {
            writeln!(io::stderr(), "refused  {}", plain(&refusal.reason))?;
        }
        // Without a folder the documents are what is printed, and nothing stands between them.
        if let Some(folder) = &export.out {
            let words = format!("Wrote {} advisories to {}.", given.len(), folder.display());
            self.say(
                &serde_json::json!({ "given": given, "refused": refused }),
                &words,
            )?;
        }
        Ok(if refused.is_empty() {
            Ending::Well
        } else {
            Ending::Faults
        })
    }
}

/// An id has nothing in it that means something in a path.
fn write_document(folder: &Path, id: &DocumentId, document: &serde_json::Value) -> Result<()> {
    let path = folder.join(format!("{id}.json"));
    let text = serde_json::to_string_pretty(document)? + "\n";
    durable::replace(&path, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))
}

fn terms(import: &Import) -> Result<Terms> {
    let mut terms = Terms::public();
    if let Some(audience) = &import.audience {
        terms.audience = audience.clone();
    }
    if let Some(tlp) = import.tlp {
        terms.tlp = tlp;
    }
    terms.embargo_until = import.embargo_until;
    if terms.audience.as_str() == Audience::PUBLIC && terms.tlp != Tlp::Clear {
        bail!(
            "{} conflicts with the audience everybody; pass another --audience",
            terms.tlp
        );
    }
    Ok(terms)
}

fn bar() -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg}, {bytes} in {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::no_length().with_style(style)
}
