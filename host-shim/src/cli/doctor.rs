//! `doctor`: what keeps advisories from arriving or corrections from being applied.
//!
//! It looks and says what to do; it makes nothing and changes nothing, but that it closes the folder of the state to
//! others as every command does, and asks nobody on the network.

mod finding;
mod settings;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{CommandError, Ending, Output, storage};
use crate::{
    App, audit,
    config::Config,
    services::{Panel, PrivateReport, Standing, own_folder, secure_place},
    store::{ClockMemory, PARTS, ballast, with_suffix},
};
use finding::Finding;
use spacecp_fs::private_files::{self, Ajar};

/// What to do about a state directory that is not the panel's alone.
const OWN_PLACE: &str = "make the directory accessible only to the user that runs this program, in a directory where no other user may rename: it holds embargoed advisories, and the journal by which corrections are rolled back";

/// A clock may be off by so much without anybody minding.
const CLOCK: SignedDuration = SignedDuration::from_mins(5);

/// Places that could not be read which are named one by one; the components page names more.
const MOST_UNREAD: usize = 20;

/// Days before a root expires from which on that wants a word.
const SOON: i64 = 30;

pub(super) async fn doctor(config: Config, out: &Output) -> Result<Ending, CommandError> {
    let findings = look(config).await;
    let well = findings.iter().all(|finding| finding.well);
    if out.json {
        out.value(&findings)?;
    } else {
        for line in finding::in_words(&findings).lines() {
            out.line(line)?;
        }
    }
    Ok(if well { Ending::Well } else { Ending::Exposed })
}

async fn look(config: Config) -> Vec<Finding> {
    let mut findings = settings::of_config(&config);
    findings.extend(config.components.iter().map(component_folder));
    if is_empty(&config.state) {
        if let Err(error) = secure_place(&config.state) {
            findings.push(Finding::ill("state folder", error.to_string(), OWN_PLACE));
            return findings;
        }
        findings.push(Finding::ill(
            "feed",
            format!(
                "never synced: {} has nothing in it yet",
                config.state.display()
            ),
            "run \"spacecp-advisories sync\", which sets it up",
        ));
        return findings;
    }
    // As it is before it is opened, which closes what stands open.
    findings.extend(standing_open(&config.state));
    findings.push(state_folder(&config.state));
    let app = match App::open(config.clone()).await {
        Ok(app) => app,
        Err(error) => {
            let named = error.to_string();
            let more = storage::damage(&config).await.into_iter();
            let more: Vec<_> = more.filter(|what| *what != named).map(damaged).collect();
            findings.push(Finding::ill(
                "panel",
                named,
                "fix this first; the other checks depend on it",
            ));
            findings.extend(more);
            return findings;
        }
    };
    if let Err(error) = inside(&app, Timestamp::now(), &mut findings).await {
        let remedy =
            "fix this and run \"spacecp-advisories doctor\" again; the other checks were skipped";
        findings.push(Finding::ill("panel", error.to_string(), remedy));
    }
    findings
}

/// Whether a panel has never been here.
fn is_empty(state: &Path) -> bool {
    match std::fs::read_dir(state) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// What can be seen once the panel's store is open.
async fn inside(
    app: &App,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<(), CommandError> {
    let panel = &app.panel;
    findings.extend(
        panel
            .trust
            .look_for_damage()
            .await?
            .into_iter()
            .map(damaged),
    );
    findings.push(match panel.exposure.plugin_problem().await? {
        None => Finding::well("plugin", "signature valid, plugin runs"),
        Some(problem) => Finding::ill(
            "plugin",
            problem.to_string(),
            "install the plugin and its manifest as shipped by the vendor",
        ),
    });
    findings.extend(inventory(panel).await);
    findings.push(audit_log(panel).await);
    findings.extend(channels(app).await?);
    findings.push(settings::of_policy(
        &panel.automation.report(now).await?.policy,
    ));
    let report = panel.trust.report(now).await?;
    let memory = panel.trust.clock().await?;
    findings.push(clock(now, &memory, panel.feed.head_issued().await?));
    if let Some(root) = &report.root {
        findings.push(root_age(root.version, root.expires, now));
    }
    findings.push(private_side(&report.private));
    let problem = report.freshness.problem.clone();
    let because = problem.map_or(String::new(), |problem| format!("; last sync: {problem}"));
    findings.push(match report.standing {
        Standing::Current => Finding::well("feed", "up to date"),
        Standing::Stale | Standing::RootExpired if was_ahead(now, &memory) => Finding::ill(
            "feed",
            format!("expired by an earlier clock that was ahead of the current one{because}"),
            "see the check \"clock\": set the clock, then run \"spacecp-advisories trust clock-reset\" or wait for the vendor's next root and head",
        ),
        Standing::NeverHeard => Finding::ill(
            "feed",
            format!("never synced{because}"),
            "run \"spacecp-advisories sync\" and follow its error message",
        ),
        Standing::Stale | Standing::RootExpired => Finding::ill(
            "feed",
            format!("expired or withheld: no head from the feed is valid at the current time{because}"),
            "run \"spacecp-advisories sync\"; if it fails with the same error, try another mirror or ask the vendor whether the feed is maintained",
        ),
    });
    Ok(())
}

/// A database that is damaged.
fn damaged(what: String) -> Finding {
    Finding::ill(
        "store",
        what,
        "run \"spacecp-advisories sync\"; if store.sqlite is damaged, restore it from a backup: until then \"recover\", \"rollback\" and \"history\" use a copy of the journal",
    )
}

/// Whether there is an identity to read private broadcasts with. That none is for this panel is no fault.
fn private_side(report: &PrivateReport) -> Finding {
    match &report.problem {
        Some(problem) => Finding::ill(
            "identity",
            problem,
            "fix the identity; until then embargoed advisories cannot be read, public ones are not affected",
        ),
        None => Finding::well("identity", report.standing.words()),
    }
}

/// What was looked at to find components, and what could not be read there.
async fn inventory(panel: &Panel) -> Vec<Finding> {
    let report = panel.exposure.scan_report().await;
    if report.looked.is_empty() {
        return Vec::new();
    }
    let inventory = panel.exposure.inventory().await;
    let remedy = "components there are unknown: fix the cause, raise the named limit, exclude the path with except or scan-except, or acknowledge it with \"unread acknowledge\"";
    let unread = inventory.unread.iter().take(MOST_UNREAD).map(|unread| {
        let found = format!("{} ({}): {}", unread.at, unread.provider, unread.why);
        Finding::ill("inventory", found, remedy)
    });
    let mut findings: Vec<Finding> = unread.collect();
    let more = inventory.unread.len().saturating_sub(MOST_UNREAD);
    if more > 0 {
        let found = format!("{more} more paths could not be read");
        findings.push(Finding::ill("inventory", found, remedy));
    }
    if findings.is_empty() {
        let found = format!("{} ({})", inventory.coverage, report.looked.join(", "));
        findings.push(Finding::well("inventory", found));
    }
    findings
}

async fn audit_log(panel: &Panel) -> Finding {
    let problem = match panel.trust.audit(0).await {
        Ok(report) => match report.walked.fault {
            None => return audit_log_and_copy(panel).await,
            Some(fault) => fault.to_string(),
        },
        Err(error) => error.to_string(),
    };
    Finding::ill(
        "audit log",
        problem,
        "store.sqlite was modified from outside: find the cause, compare with the last export (\"spacecp-advisories audit --json\"), and restore the file from a backup",
    )
}

/// The log, which is whole, against its copy in `journal.sqlite`.
async fn audit_log_and_copy(panel: &Panel) -> Finding {
    let compared = async {
        let copied = audit::head_of_copy(panel.store()).await;
        let copied = copied.map_err(|error| error.to_string())?;
        let walked = audit::walk(panel.store(), copied, |_| {}).await;
        let walked = walked.map_err(|error| error.to_string())?;
        Ok::<_, String>((copied, walked.fault))
    };
    match compared.await {
        Ok((Some(copied), Some(_))) => Finding::ill(
            "audit log",
            format!(
                "store.sqlite is older than its copy: it lacks entry {copied}, which journal.sqlite has"
            ),
            "if store.sqlite was restored from a backup, what was done and decided after the backup is in journal.sqlite alone: keep that file elsewhere and move it out of the state directory, so that a new copy is made; if nobody restored it, find the cause",
        ),
        Ok(_) => Finding::well("audit log", "all entries verified"),
        // As on a full disk. What the log itself says was verified.
        Err(problem) => Finding::well(
            "audit log",
            format!("all entries verified; not compared with journal.sqlite: {problem}"),
        ),
    }
}

/// Channels that do not take what they are sent.
async fn channels(app: &App) -> Result<Vec<Finding>, CommandError> {
    let report = app.notifications.report().await?;
    let finding = |channel: crate::notify::ChannelReport| {
        let what = format!("{} ({})", channel.name, channel.kind);
        if !channel.wants_attention() {
            return Finding::well("notifications", format!("{what} works"));
        }
        let problem = channel.problem.unwrap_or_default();
        Finding::ill(
            "notifications",
            format!(
                "{what} fails: {problem}; {} pending, {} abandoned",
                channel.pending, channel.given_up
            ),
            format!(
                "fix the channel, test it with \"spacecp-advisories notify test {}\", then send abandoned notifications with \"notify retry\"",
                channel.name
            ),
        )
    };
    Ok(report.channels.into_iter().map(finding).collect())
}

fn state_folder(path: &Path) -> Finding {
    if let Err(error) = own_folder(path) {
        return Finding::ill("state folder", error.to_string(), OWN_PLACE);
    }
    writable("state folder", path, ballast::room(path))
}

/// What of the state others could read until now.
fn standing_open(state: &Path) -> Vec<Finding> {
    let bases = ["store.sqlite", "feed.sqlite"].map(|name| state.join(name));
    let files = bases
        .iter()
        .flat_map(|base| PARTS.map(|part| with_suffix(base, part)));
    let ajar = private_files::ajar(std::iter::once(state.to_owned()).chain(files));
    let finding = |Ajar { path, mode }: Ajar| {
        Finding::ill(
            "state folder",
            format!(
                "{} was accessible to other users (mode {mode:03o})",
                path.display()
            ),
            "the mode is fixed now if the file belongs to the user that runs this program; other users of this machine may have read embargoed advisories: investigate, and inform the vendor",
        )
    };
    ajar.into_iter().map(finding).collect()
}

/// Corrections are built beside the tree that they correct.
fn component_folder(component: &crate::config::ComponentConfig) -> Finding {
    if !component.folder.is_dir() {
        return Finding::ill(
            "component folder",
            format!(
                "the directory of {}, {}, does not exist",
                component.name,
                component.folder.display()
            ),
            "mount its disk or correct its path in the configuration; after a crash, run \"spacecp-advisories recover\"",
        );
    }
    let folder = component.folder.parent().unwrap_or(Path::new("/"));
    let made = tempfile::tempfile_in(folder).map(drop);
    writable("component folder", folder, made)
}

fn writable(check: &'static str, path: &Path, made: std::io::Result<()>) -> Finding {
    match made {
        Ok(()) => Finding::well(check, format!("{} is writable", path.display())),
        Err(error) => Finding::ill(
            check,
            format!("cannot write to {}: {error}", path.display()),
            "grant write permission to the user that runs this program, and check whether the disk is full or mounted read-only",
        ),
    }
}

/// Whether something was seen expired at a time that is still to come.
fn was_ahead(now: Timestamp, memory: &ClockMemory) -> bool {
    memory.seen.is_some_and(|seen| now + CLOCK < seen)
}

/// The clock against what the vendor's clock said and what this one said before.
fn clock(now: Timestamp, memory: &ClockMemory, issued: Option<Timestamp>) -> Finding {
    let furthest = memory.furthest();
    if now + CLOCK < furthest {
        let found = if was_ahead(now, memory) {
            format!(
                "the clock shows {now}, but the feed was seen expired at {furthest}: the clock was ahead then, or was set back since"
            )
        } else {
            format!(
                "the clock shows {now}, but showed {furthest} before: it was ahead then, or was set back since"
            )
        };
        return Finding::ill(
            "clock",
            found,
            "set the clock, preferably with a time service; if it is right now, discard the future time with \"spacecp-advisories trust clock-reset\"",
        );
    }
    match issued {
        Some(issued) if now + CLOCK < issued => Finding::ill(
            "clock",
            format!(
                "the clock shows {now}, but the vendor signed the head at {issued}: the clock is slow"
            ),
            "set the clock, preferably with a time service",
        ),
        _ => Finding::well("clock", format!("the clock shows {now}")),
    }
}

fn root_age(version: u64, expires: Timestamp, now: Timestamp) -> Finding {
    let days = expires.duration_since(now).as_hours() / 24;
    if days >= SOON {
        return Finding::well("root", format!("root {version} is valid for {days} days"));
    }
    Finding::ill(
        "root",
        format!("root {version} expires at {expires}"),
        "ask the vendor whether the next root will be published before then; nothing needs to be done on this panel",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().expect("a time")
    }

    fn remembered(latest: Timestamp, seen: Option<Timestamp>) -> ClockMemory {
        ClockMemory {
            latest,
            seen,
            ..ClockMemory::default()
        }
    }

    #[test]
    fn a_clock_that_went_back_or_is_slow_is_found_and_a_little_is_forgiven() {
        let hour = SignedDuration::from_hours(1);
        assert!(clock(noon(), &remembered(noon(), None), Some(noon())).well);
        let close = remembered(noon() + CLOCK, Some(noon() + CLOCK));
        assert!(clock(noon(), &close, None).well);
        assert!(!clock(noon(), &remembered(noon() + hour, None), None).well);
        let never = ClockMemory::default();
        assert!(!clock(noon(), &never, Some(noon() + hour)).well);
    }

    #[test]
    fn a_feed_that_was_seen_expired_by_a_clock_that_was_ahead_is_told_from_a_stale_one() {
        let hour = SignedDuration::from_hours(1);
        assert!(was_ahead(noon(), &remembered(noon(), Some(noon() + hour))));
        assert!(!was_ahead(noon(), &remembered(noon(), Some(noon()))));
        assert!(!was_ahead(noon(), &remembered(noon() + hour, None)));
    }

    #[test]
    fn a_root_that_expires_within_a_month_wants_a_word() {
        let day = SignedDuration::from_hours(24);
        assert!(root_age(3, noon() + day * 31, noon()).well);
        assert!(!root_age(3, noon() + day * 29, noon()).well);
        assert!(!root_age(3, noon() - day, noon()).well);
    }
}
