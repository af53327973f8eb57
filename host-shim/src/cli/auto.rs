//! `auto`: the policy in force, one run by hand, the switch, and release from quarantine.

use jiff::Timestamp;

use super::{
    CommandError, Ending, Output,
    apply::whoami,
    arguments::{Auto, AutoAction},
    signals::HeldOff,
    telling::Telling,
};
use crate::{
    automation::{Fate, Line, SystemClock},
    plugin::bindings::exports::spacecp::advisories::pages::Page,
    shim::{Foreseen, Shim, lines, policy_page},
};

pub(super) async fn auto(shim: &Shim, asked: &Auto, out: &Output) -> Result<Ending, CommandError> {
    match &asked.action {
        Some(AutoAction::On) => switch(shim, true, out).await,
        Some(AutoAction::Off) => switch(shim, false, out).await,
        Some(AutoAction::Release { correction }) => release(shim, correction, out).await,
        None if asked.once && asked.dry_run => foresee(shim, out).await,
        None if asked.once => once(shim, out).await,
        None => show(shim, out).await,
    }
}

async fn show(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let report = shim.policy_report(now).await?;
    let telling = Telling::of(shim, out).await;
    let foreseen = shim.foresee(None, now).await;
    let foreseen: Result<Foreseen, String> = foreseen.map_err(|error| error.to_string());
    if out.json {
        let (foreseen, problem) = (foreseen.as_ref().ok(), foreseen.as_ref().err());
        telling
            .value(&serde_json::json!({ "automation": report, "foreseen": foreseen, "problem": problem }))
            .await?;
    } else {
        let mut page = policy_page(&report, &foreseen);
        page.embargo |= telling.is_secret(&report)?;
        out.page(&page)?;
    }
    Ok(Ending::Well)
}

async fn foresee(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let foreseen = shim.foresee(None, Timestamp::now()).await?;
    let telling = Telling::of(shim, out).await;
    if out.json {
        telling.value(&foreseen).await?;
    } else {
        print(
            "Preview: corrections that would be applied or held back",
            &foreseen.lines,
            &telling,
            out,
        )?;
    }
    Ok(ending(&foreseen.lines))
}

async fn once(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let _goes_on = HeldOff::begin()?;
    let run = shim.automate_to_the_end(&SystemClock).await?;
    let telling = Telling::of(shim, out).await;
    if out.json {
        telling.value(&run).await?;
    } else {
        let caption = "Corrections applied or held back";
        print(caption, &run.lines, &telling, out)?;
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
    telling: &Telling<'_>,
    out: &Output,
) -> Result<(), CommandError> {
    let page = Page {
        title: "Automatic application".to_owned(),
        blocks: vec![lines(caption, all, "No corrections to apply.")],
        embargo: telling.is_secret(&all)?,
    };
    Ok(out.page(&page)?)
}

async fn switch(shim: &Shim, on: bool, out: &Output) -> Result<Ending, CommandError> {
    shim.switch(on, &whoami(), Timestamp::now()).await?;
    if out.json {
        out.value(&serde_json::json!({ "automatic": on }))?;
    } else if on {
        out.line("Automatic application enabled. Preview it with \"spacecp-advisories auto\".")?;
    } else {
        out.line("Automatic application disabled.")?;
    }
    Ok(Ending::Well)
}

async fn release(shim: &Shim, correction: &str, out: &Output) -> Result<Ending, CommandError> {
    let components = shim
        .release(correction, &whoami(), Timestamp::now())
        .await?;
    if out.json {
        let released = serde_json::json!({ "released": correction, "correction": correction, "components": components });
        Telling::of(shim, out).await.value(&released).await?;
    } else {
        out.line(&format!(
            "{correction} released from quarantine for {}.",
            components.join(", ")
        ))?;
    }
    Ok(Ending::Well)
}
