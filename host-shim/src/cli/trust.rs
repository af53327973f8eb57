//! `trust`, `trust reset`, `trust clock-reset`, `import`: whom this panel believes, and news that was carried here.

use std::path::Path;

use jiff::Timestamp;

use super::{CommandError, Ending, Output, show};
use crate::services::{Panel, ServiceError, forgotten_by_clock_reset, trust_page};

pub(super) async fn show(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let report = panel.trust.report(now).await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.page(&trust_page(&report, now))?;
    }
    Ok(Ending::Well)
}

pub(super) async fn reset(panel: &Panel, yes: bool, out: &Output) -> Result<Ending, CommandError> {
    if !yes {
        return Err(CommandError::Refused(
            "needs confirmation: this discards every root, head, index and document received from the feed, the protection against an older feed, and the recorded times. Apply runs and decisions are kept. Check \"spacecp-advisories trust\", compare the pinned fingerprint with the vendor's, then pass --yes"
                .to_owned(),
        ));
    }
    panel.trust.reset(&super::user::whoami()).await?;
    if out.json {
        out.value(&serde_json::json!({ "reset": true }))?;
    } else {
        out.line("Trusted state reset to the pinned root. Run \"spacecp-advisories sync\" next.")?;
    }
    Ok(Ending::Well)
}

pub(super) async fn clock_reset(
    panel: &Panel,
    yes: bool,
    out: &Output,
) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    if !yes {
        let memory = panel.trust.clock().await?;
        let lines = forgotten_by_clock_reset(&memory, now);
        if lines.is_empty() {
            let furthest = memory.furthest();
            return Err(ServiceError::ClockNotBehind { now, furthest }.into());
        }
        return Err(CommandError::Refused(format!(
            "needs confirmation: this discards\n  {}\nwhich prevents an expired feed from becoming valid again. The clock shows {now}; compare it with a time service. If it is right and was ahead before, pass --yes",
            lines.join("\n  ")
        )));
    }
    let memory = panel.trust.reset_clock(&super::user::whoami(), now).await?;
    let lines = forgotten_by_clock_reset(&memory, now);
    if out.json {
        out.value(&serde_json::json!({ "reset": true, "now": now, "forgotten": lines }))?;
    } else {
        out.line(&format!(
            "Discarded:\n  {}\nRun \"spacecp-advisories sync\" next.",
            lines.join("\n  ")
        ))?;
    }
    Ok(Ending::Well)
}

pub(super) async fn import(
    panel: &Panel,
    file: &Path,
    out: &Output,
) -> Result<Ending, CommandError> {
    let report = panel.feed.import(file, &super::user::whoami()).await?;
    show::report(&report, out)
}
