//! `audit` and `audit verify`: the log for people and for another place to keep, and whether it holds.
//!
//! Needs the store and nothing else: neither feed nor plugin nor a panel that runs.

use serde_json::json;
use spacecp_contract::Digest;

use super::{CommandError, Ending, Output, arguments::Audit, redacted_output::RedactedOutput};
use crate::{
    audit::{self, AuditError, Head, Recorded, Walked},
    config::Config,
    plugin::bindings::exports::spacecp::advisories::pages::Page,
    services::{self, AuditReport, ServiceError, audit_blocks},
    store::Store,
};

pub(super) async fn audit(
    config: &Config,
    asked: &Audit,
    out: &Output,
) -> Result<Ending, CommandError> {
    let store = match services::open_store(&config.services()).await {
        Err(ServiceError::Store(error)) => {
            let path = config.state.join("store.sqlite");
            return Err(AuditError::of(&path, error).into());
        }
        store => store?,
    };
    match &asked.action {
        Some(super::arguments::AuditAction::Verify { expect }) => {
            verify(&store, expect.as_deref(), out).await
        }
        None if out.json => export(&store, asked.since.as_deref(), out).await,
        None => table(&store, asked, out).await,
    }
}

async fn verify(store: &Store, expect: Option<&str>, out: &Output) -> Result<Ending, CommandError> {
    let expect = expect.map(str::parse::<Head>).transpose();
    let expect = expect.map_err(|error| CommandError::Usage(error.to_string()))?;
    let mut entries = 0_u64;
    let walked = audit::walk(store, expect, |_| entries += 1).await?;
    if out.json {
        let fault = walked.fault.as_ref().map(|fault| {
            json!({ "number": fault.number(), "what": fault.word(), "words": fault.to_string() })
        });
        out.value(&json!({ "entries": entries, "head": walked.head, "fault": fault }))?;
        return Ok(ending(&walked));
    }
    match (&walked.fault, walked.head) {
        (Some(fault), _) => return Err(broken(fault)),
        (None, None) => out.line("The audit log is empty.")?,
        (None, Some(head)) => {
            out.line(&format!(
                "All {entries} entries verified. Newest entry:\n{head}"
            ))?;
        }
    }
    Ok(Ending::Well)
}

/// Prints one line of JSON an entry, the oldest first: all of them, or those after a hash. Of what is under
/// embargo it has who and what, and the hash, which is over all of the entry.
async fn export(store: &Store, since: Option<&str>, out: &Output) -> Result<Ending, CommandError> {
    let since = since.map(since_hash).transpose()?;
    let redacted = RedactedOutput::of_store(store, out).await;
    if out.under_embargo {
        redacted.record_access_to_all().await?;
    }
    let (mut found, mut written) = (since.is_none(), Ok(()));
    let walked = audit::walk(store, None, |recorded| {
        if found && written.is_ok() {
            written = redacted.line(&recorded.line());
        }
        found |= since == Some(recorded.hash);
    });
    let walked = walked.await?;
    written?;
    refuse_broken(&walked)?;
    refuse_unknown(found, since)
}

/// Prints the newest entries as a table, or those after a hash.
async fn table(store: &Store, asked: &Audit, out: &Output) -> Result<Ending, CommandError> {
    let since = asked.since.as_deref().map(since_hash).transpose()?;
    let mut newest = std::collections::VecDeque::new();
    let mut found = since.is_none();
    let walked = audit::walk(store, None, |recorded: Recorded| {
        let is_it = since == Some(recorded.hash);
        if found {
            newest.push_front(recorded);
            newest.truncate(asked.limit as usize);
        }
        found |= is_it;
    });
    let walked = walked.await?;
    let redacted = RedactedOutput::of_store(store, out).await;
    let entries: Vec<_> = newest.iter().map(|one| &one.entry).collect();
    let embargo = redacted.is_embargoed(&entries)?;
    let ending = ending(&walked);
    let report = AuditReport {
        newest: newest.into(),
        walked,
    };
    let page = Page {
        title: "Audit".to_owned(),
        blocks: audit_blocks(&report),
        embargo,
    };
    out.page(&page)?;
    refuse_unknown(found, since)?;
    Ok(ending)
}

fn since_hash(text: &str) -> Result<Digest, CommandError> {
    // A head is taken as well, since that is what "verify" prints.
    let hash = text.rsplit(':').next().unwrap_or(text);
    hash.parse()
        .map_err(|error| CommandError::Usage(format!("--since: {error}")))
}

fn refuse_unknown(found: bool, since: Option<Digest>) -> Result<Ending, CommandError> {
    match since {
        Some(hash) if !found => Err(CommandError::Refused(format!(
            "the audit log has no entry with hash {hash}: the log was truncated or rewritten, or the hash is from another panel"
        ))),
        _ => Ok(Ending::Well),
    }
}

fn refuse_broken(walked: &Walked) -> Result<(), CommandError> {
    match &walked.fault {
        Some(fault) => Err(broken(fault)),
        None => Ok(()),
    }
}

fn broken(fault: &audit::Fault) -> CommandError {
    CommandError::Refused(format!("audit log verification failed: {fault}"))
}

fn ending(walked: &Walked) -> Ending {
    match walked.fault {
        Some(_) => Ending::Refused,
        None => Ending::Well,
    }
}
