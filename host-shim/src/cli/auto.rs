//! `auto`: the policy in force, one run by hand, the switch, and release from quarantine.

use jiff::Timestamp;

use super::{
    CommandError, Ending, Output,
    arguments::{Auto, AutoAction},
    redacted_output::RedactedOutput,
    signals::HeldOff,
    user::whoami,
};
use crate::{
    automation::{Fate, Line, SystemClock, lines, policy_page},
    plugin::bindings::exports::spacecp::advisories::pages::Page,
    services::{Panel, Preview},
};

pub(super) async fn auto(
    panel: &Panel,
    asked: &Auto,
    out: &Output,
) -> Result<Ending, CommandError> {
    match &asked.action {
        Some(AutoAction::On) => switch(panel, true, out).await,
        Some(AutoAction::Off) => switch(panel, false, out).await,
        Some(AutoAction::Release { correction }) => release(panel, correction, out).await,
        None if asked.once && asked.dry_run => foresee(panel, out).await,
        None if asked.once => once(panel, out).await,
        None => show(panel, out).await,
    }
}

async fn show(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let report = panel.automation.report(now).await?;
    let redacted = RedactedOutput::of(panel, out).await;
    let preview = panel.automation.preview(None, now).await;
    let preview: Result<Preview, String> = preview.map_err(|error| error.to_string());
    if out.json {
        let (preview, problem) = (preview.as_ref().ok(), preview.as_ref().err());
        redacted
            .value(&serde_json::json!({ "automation": report, "foreseen": preview, "problem": problem }))
            .await?;
    } else {
        let mut page = policy_page(&report, &preview);
        page.embargo |= redacted.is_embargoed(&report)?;
        out.page(&page)?;
    }
    Ok(Ending::Well)
}

async fn foresee(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    let preview = panel.automation.preview(None, Timestamp::now()).await?;
    let redacted = RedactedOutput::of(panel, out).await;
    if out.json {
        redacted.value(&preview).await?;
    } else {
        print(
            "Preview: corrections that would be applied or held back",
            &preview.lines,
            &redacted,
            out,
        )?;
    }
    Ok(ending(&preview.lines))
}

async fn once(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    let _goes_on = HeldOff::begin()?;
    let run = panel.automation.run_to_the_end(&SystemClock).await?;
    let redacted = RedactedOutput::of(panel, out).await;
    if out.json {
        redacted.value(&run).await?;
    } else {
        let caption = "Corrections applied or held back";
        print(caption, &run.lines, &redacted, out)?;
        if let Some(problem) = &run.problem {
            out.line(&format!("warning: {problem}"))?;
        }
    }
    Ok(ending(&run.lines))
}

/// A failure before a refusal; what is held is no reason to end badly.
fn ending(lines: &[Line]) -> Ending {
    let any = |fate: Fate| lines.iter().any(|line| line.fate == fate);
    if any(Fate::Failed) {
        Ending::Failed
    } else if any(Fate::Refused) {
        Ending::Refused
    } else {
        Ending::Well
    }
}

fn print(
    caption: &str,
    all: &[Line],
    redacted: &RedactedOutput<'_>,
    out: &Output,
) -> Result<(), CommandError> {
    let page = Page {
        title: "Automatic application".to_owned(),
        blocks: vec![lines(caption, all, "No corrections to apply.")],
        embargo: redacted.is_embargoed(&all)?,
    };
    Ok(out.page(&page)?)
}

async fn switch(panel: &Panel, on: bool, out: &Output) -> Result<Ending, CommandError> {
    panel
        .automation
        .switch(on, &whoami(), Timestamp::now())
        .await?;
    if out.json {
        out.value(&serde_json::json!({ "automatic": on }))?;
    } else if on {
        out.line("Automatic application enabled. Preview it with \"spacecp-advisories auto\".")?;
    } else {
        out.line("Automatic application disabled.")?;
    }
    Ok(Ending::Well)
}

async fn release(panel: &Panel, correction: &str, out: &Output) -> Result<Ending, CommandError> {
    let components = panel
        .automation
        .release(correction, &whoami(), Timestamp::now())
        .await?;
    if out.json {
        let released = serde_json::json!({ "released": correction, "correction": correction, "components": components });
        RedactedOutput::of(panel, out)
            .await
            .value(&released)
            .await?;
    } else {
        out.line(&format!(
            "{correction} released from quarantine for {}.",
            components.join(", ")
        ))?;
    }
    Ok(Ending::Well)
}
