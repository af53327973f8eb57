//! `doctor`: what keeps advisories from arriving or corrections from being applied.
//!
//! It looks and says what to do; it changes nothing, but that it makes the folder of the state and closes it
//! to others as every command does, and asks nobody on the network.

use std::{path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{CommandError, Ending, Output};
use crate::{
    config::Config,
    own_place::{self, Ajar},
    shim::{PrivateReport, Shim, Standing},
    store::{PARTS, with_suffix},
};

/// A clock may be off by so much without anybody minding.
const CLOCK: SignedDuration = SignedDuration::from_mins(5);

/// Places that could not be read which are named one by one; the components page names more.
const MOST_UNREAD: usize = 20;

/// Days before a root expires from which on that wants a word.
const SOON: i64 = 30;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    /// Whether it is as it should be.
    well: bool,
    /// What was found.
    found: String,
    /// What to do, where something is to be done.
    remedy: Option<String>,
}

impl Finding {
    fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            well: true,
            found: found.into(),
            remedy: None,
        }
    }

    fn ill(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            check,
            well: false,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }
}

pub(super) async fn doctor(config: Config, out: &Output) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    // As it is before it is opened, which closes what stands open.
    let mut findings = standing_open(&config.state);
    findings.push(state_folder(&config.state));
    findings.extend(config.components.iter().map(component_folder));
    match Shim::open(config).await {
        Err(error) => findings.push(Finding::ill(
            "panel",
            error.to_string(),
            "put this right first; the rest cannot be looked at before",
        )),
        Ok(shim) => inside(&shim, now, &mut findings).await?,
    }
    let well = findings.iter().all(|finding| finding.well);
    if out.json {
        out.value(&findings)?;
    } else {
        for finding in &findings {
            let mark = if finding.well { "ok  " } else { "!!  " };
            out.line(&format!("{mark}{}: {}", finding.check, finding.found))?;
            if let Some(remedy) = &finding.remedy {
                out.line(&format!("      {remedy}"))?;
            }
        }
    }
    Ok(if well { Ending::Well } else { Ending::Exposed })
}

/// What can be seen once the panel's store is open.
async fn inside(
    shim: &Arc<Shim>,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) -> Result<(), CommandError> {
    findings.push(match shim.plugin_problem().await? {
        None => Finding::well("plugin", "it is signed as it must be and runs"),
        Some(problem) => Finding::ill(
            "plugin",
            problem.to_string(),
            "put the plugin and its manifest there as the vendor hands them over",
        ),
    });
    for damage in shim.look_for_damage().await? {
        findings.push(Finding::ill(
            "store",
            damage,
            "run \"spacecp-advisories sync\"; for store.sqlite, restore the file from a backup",
        ));
    }
    findings.extend(inventory(shim).await);
    findings.push(audit_log(shim).await);
    findings.extend(channels(shim).await?);
    let report = shim.trust_report(now).await?;
    let latest = shim.latest_time().await?;
    findings.push(clock(now, latest, shim.head_issued().await?));
    if let Some(root) = &report.root {
        findings.push(root_age(root.version, root.expires, now));
    }
    findings.push(private_side(&report.private));
    let problem = report.freshness.problem.clone();
    let because = problem.map_or(String::new(), |problem| {
        format!("; the last attempt: {problem}")
    });
    findings.push(match report.standing {
        Standing::Current => Finding::well("feed", "what is known is current"),
        Standing::NeverHeard => Finding::ill(
            "feed",
            format!("it has never been heard{because}"),
            "run \"spacecp-advisories sync\" and read what it says",
        ),
        Standing::Stale | Standing::RootExpired => Finding::ill(
            "feed",
            format!("no fresh word in time{because}"),
            "run \"spacecp-advisories sync\"; if that fails with the same words, try another mirror, or ask the vendor whether the feed is kept up",
        ),
    });
    Ok(())
}

/// Whether there is an identity to read private broadcasts with. That none is for this panel is no fault.
fn private_side(report: &PrivateReport) -> Finding {
    match &report.problem {
        Some(problem) => Finding::ill(
            "identity",
            problem,
            "public advisories go on; what is under embargo cannot be read until this is put right",
        ),
        None => Finding::well("identity", report.standing.words()),
    }
}

/// What was looked at to find components, and what could not be read there.
async fn inventory(shim: &Shim) -> Vec<Finding> {
    let report = shim.looked().await;
    if report.looked.is_empty() {
        return Vec::new();
    }
    let remedy = "nobody can say what is installed there: put it right, raise the limit that is named, or leave the place out with except or scan-except";
    let unread = report.unread.iter().take(MOST_UNREAD).map(|unread| {
        let found = format!("{} ({}): {}", unread.at, unread.provider, unread.why);
        Finding::ill("inventory", found, remedy)
    });
    let mut findings: Vec<Finding> = unread.collect();
    let more = report.unread.len().saturating_sub(MOST_UNREAD);
    if more > 0 {
        let found = format!("{more} more places could not be read");
        findings.push(Finding::ill("inventory", found, remedy));
    }
    if findings.is_empty() {
        let found = format!(
            "{} components found, and nothing left unread: {}",
            report.found.len(),
            report.looked.join(", ")
        );
        findings.push(Finding::well("inventory", found));
    }
    findings
}

async fn audit_log(shim: &Shim) -> Finding {
    let problem = match shim.audit(0).await {
        Ok(report) => match report.walked.fault {
            None => return Finding::well("audit log", "every entry holds"),
            Some(fault) => fault.to_string(),
        },
        Err(error) => error.to_string(),
    };
    Finding::ill(
        "audit log",
        problem,
        "somebody or something changed store.sqlite: find out what, compare it with the last export (\"spacecp-advisories audit --json\"), and restore the file from a backup",
    )
}

/// Channels that do not take what they are sent.
async fn channels(shim: &Shim) -> Result<Vec<Finding>, CommandError> {
    let report = shim.notify_report().await?;
    let finding = |channel: crate::notify::ChannelReport| {
        let what = format!("{} ({})", channel.name, channel.kind);
        if !channel.wants_attention() {
            return Finding::well("notifications", format!("{what} is in order"));
        }
        let problem = channel.problem.unwrap_or_default();
        Finding::ill(
            "notifications",
            format!(
                "{what} fails: {problem}; {} wait, {} were given up",
                channel.pending, channel.given_up
            ),
            format!(
                "put right what is wrong there; \"spacecp-advisories notify test {}\" tries it, and \"notify retry\" sends what was given up",
                channel.name
            ),
        )
    };
    Ok(report.channels.into_iter().map(finding).collect())
}

fn state_folder(path: &Path) -> Finding {
    if let Err(error) = own_place::folder(path) {
        return Finding::ill(
            "state folder",
            error.to_string(),
            "what is under embargo is kept there, for the user that runs this program alone",
        );
    }
    writable("state folder", path, tempfile::tempfile_in(path).map(drop))
}

/// What of the state others could read until now.
fn standing_open(state: &Path) -> Vec<Finding> {
    let bases = ["store.sqlite", "feed.sqlite"].map(|name| state.join(name));
    let files = bases
        .iter()
        .flat_map(|base| PARTS.map(|part| with_suffix(base, part)));
    let ajar = own_place::ajar(std::iter::once(state.to_owned()).chain(files));
    let finding = |Ajar { path, mode }: Ajar| {
        Finding::ill(
            "state folder",
            format!("{} stood open to others (mode {mode:03o})", path.display()),
            "it is closed now, if it belongs to the user that runs this program; whoever has an account on this machine may have read what is under embargo: ask, and tell the vendor",
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
                "the folder of {}, {}, is not there",
                component.name,
                component.folder.display()
            ),
            "mount its disk, or put its name right in the configuration; after a crash, \"spacecp-advisories recover\" may bring it back",
        );
    }
    let folder = component.folder.parent().unwrap_or(Path::new("/"));
    let made = tempfile::tempfile_in(folder).map(drop);
    writable("component folder", folder, made)
}

fn writable(check: &'static str, path: &Path, made: std::io::Result<()>) -> Finding {
    match made {
        Ok(()) => Finding::well(check, format!("{} can be written to", path.display())),
        Err(error) => Finding::ill(
            check,
            format!("cannot write to {}: {error}", path.display()),
            "give the user that runs this program the right to write there, and look whether the disk is full or mounted read-only",
        ),
    }
}

/// The clock against what the vendor's clock said and what this one said before.
fn clock(now: Timestamp, latest: Timestamp, issued: Option<Timestamp>) -> Finding {
    let remedy = "set the clock, best by a time service";
    if now + CLOCK < latest {
        let found = format!("it is {now}, and it was {latest} already: the clock went back");
        return Finding::ill("clock", found, remedy);
    }
    match issued {
        Some(issued) if now + CLOCK < issued => Finding::ill(
            "clock",
            format!(
                "it is {now} here, and the vendor signed the head at {issued}: the clock is slow"
            ),
            remedy,
        ),
        _ => Finding::well("clock", format!("it is {now}")),
    }
}

fn root_age(version: u64, expires: Timestamp, now: Timestamp) -> Finding {
    let days = expires.duration_since(now).as_hours() / 24;
    if days >= SOON {
        return Finding::well("root", format!("root {version} is good for {days} days"));
    }
    Finding::ill(
        "root",
        format!("root {version} is good until {expires}"),
        "nothing is to be done here: the vendor has to issue another in time; ask whether that is under way",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-11-24T12:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_clock_that_went_back_or_is_slow_is_found_and_a_little_is_forgiven() {
        let hour = SignedDuration::from_hours(1);
        assert!(clock(noon(), noon(), Some(noon())).well);
        assert!(clock(noon(), noon() + SignedDuration::from_mins(4), None).well);
        assert!(!clock(noon(), noon() + hour, None).well);
        assert!(!clock(noon(), Timestamp::UNIX_EPOCH, Some(noon() + hour)).well);
    }

    #[test]
    fn a_root_that_expires_within_a_month_wants_a_word() {
        let day = SignedDuration::from_hours(24);
        assert!(root_age(3, noon() + day * 31, noon()).well);
        assert!(!root_age(3, noon() + day * 29, noon()).well);
        assert!(!root_age(3, noon() - day, noon()).well);
    }
}
