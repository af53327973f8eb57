//! `apply`.

use std::io::{self, BufRead, IsTerminal, Write};

use spacecp_contract::{Digest, DocumentId};

use super::{
    CommandError, Ending, Output,
    arguments::Apply,
    progress::Bar,
    redacted_output::{RedactedOutput, print_page},
    scheduled_applies,
    signals::HeldOff,
    user::whoami,
};
use crate::{
    apply::{Application, Gravity, JointPlan, Plan},
    services::{ApplyRequest, JointRequest, Panel, changes_page},
};

/// Files of a plan that are printed; the rest is counted.
const MOST_FILES: usize = 40;

pub(super) async fn apply(
    panel: &Panel,
    asked: &Apply,
    out: &Output,
) -> Result<Ending, CommandError> {
    let usage = |problem: String| CommandError::Usage(problem);
    let shown = asked
        .plan
        .as_deref()
        .map(str::parse::<Digest>)
        .transpose()
        .map_err(|error| usage(format!("--plan: {error}")))?;
    let parts = parts(panel, asked).await?;
    let mut joint = panel.corrections.plan_jointly(&parts).await?;
    let redacted = RedactedOutput::of(panel, out).await;
    let shows = asked.dry_run || (shown.is_none() && !asked.yes);
    if shows {
        with_differences(panel, &mut joint).await?;
    }
    if asked.dry_run {
        print_joint(&joint, &redacted, out).await?;
        let refused = joint.plans.iter().any(has_obstacles);
        return Ok(if refused {
            Ending::Refused
        } else {
            Ending::Well
        });
    }
    if shows {
        if !out.json {
            print_joint(&joint, &redacted, out).await?;
        }
        ask(&joint)?;
    }
    if asked.at_window {
        let [(correction, component)] = parts.as_slice() else {
            return Err(usage("--at-window accepts only one correction".to_owned()));
        };
        let request = ApplyRequest {
            correction: correction.clone(),
            component: component.clone(),
            plan: Some(shown.unwrap_or(joint.digest)),
            overwrite: asked.overwrite,
            by: whoami(),
        };
        let made = panel
            .automation
            .schedule(request, jiff::Timestamp::now())
            .await?;
        return scheduled_applies::print(&made, &redacted, out).await;
    }
    let request = JointRequest {
        parts,
        plan: Some(shown.unwrap_or(joint.digest)),
        overwrite: asked.overwrite,
        by: whoami(),
    };
    let _goes_on = HeldOff::begin()?;
    let applied = panel
        .corrections
        .apply_jointly(request, &Bar::new())
        .await?;
    match applied.as_slice() {
        [one] => tell(one, &redacted, out).await,
        several if out.json => {
            redacted.value(&several).await?;
            Ok(Ending::Well)
        }
        several => {
            for application in several {
                tell(application, &redacted, out).await?;
            }
            Ok(Ending::Well)
        }
    }
}

/// What a correction changes, line by line.
pub(super) async fn changes(
    panel: &Panel,
    correction: &str,
    component: Option<&str>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let correction = DocumentId::new(correction.to_owned())
        .map_err(|error| CommandError::Usage(error.to_string()))?;
    let component = which_component(panel, &correction, component).await?;
    let (plan, differences, embargo) = panel
        .corrections
        .changes(&correction, &component, &whoami())
        .await?;
    // Whoever reads it is on the audit log by now.
    print_page(&changes_page(&plan, &differences, embargo), out)
}

/// The corrections that are meant, each with its component.
async fn parts(panel: &Panel, asked: &Apply) -> Result<Vec<(DocumentId, String)>, CommandError> {
    if asked.component.is_some() && asked.corrections.len() > 1 {
        return Err(CommandError::Usage(
            "--component accepts only one correction; apply the others without it".to_owned(),
        ));
    }
    let mut parts: Vec<(DocumentId, String)> = Vec::new();
    for name in &asked.corrections {
        let correction = DocumentId::new(name.clone())
            .map_err(|error| CommandError::Usage(error.to_string()))?;
        if parts.iter().any(|(other, _)| *other == correction) {
            return Err(CommandError::Usage(format!("{name} is given twice")));
        }
        panel.feed.look_for(&correction).await?;
        let component = which_component(panel, &correction, asked.component.as_deref()).await?;
        parts.push((correction, component));
    }
    Ok(parts)
}

/// Adds what would become of text files that were changed here.
async fn with_differences(panel: &Panel, joint: &mut JointPlan) -> Result<(), CommandError> {
    for plan in &mut joint.plans {
        plan.differences = panel
            .corrections
            .differences(&plan.correction, &plan.component)
            .await?;
    }
    Ok(())
}

fn has_obstacles(plan: &Plan) -> bool {
    plan.obstacles().next().is_some()
}

/// One plan as it is; several with the digest of all of them.
async fn print_joint(
    joint: &JointPlan,
    redacted: &RedactedOutput<'_>,
    out: &Output,
) -> Result<(), CommandError> {
    match joint.plans.as_slice() {
        [one] if out.json => return redacted.value(one).await,
        _ if out.json => return redacted.value(joint).await,
        _ => redacted.opened(joint).await?,
    }
    for plan in &joint.plans {
        print_plan(plan, out)?;
    }
    if joint.plans.len() > 1 {
        out.line(&format!(
            "{} corrections, applied together or not at all; plan {}",
            joint.plans.len(),
            joint.digest
        ))?;
    }
    Ok(())
}

/// The component that is meant: the one that was named, or the only one that fits.
async fn which_component(
    panel: &Panel,
    correction: &DocumentId,
    named: Option<&str>,
) -> Result<String, CommandError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut fitting = panel.corrections.components_for(correction).await?;
    // Of several, the only one that nothing stands in the way of.
    if fitting.len() > 1 {
        let mut open = Vec::new();
        for component in &fitting {
            if panel
                .corrections
                .plan(correction, component)
                .await
                .is_ok_and(|plan| plan.obstacles().next().is_none())
            {
                open.push(component.clone());
            }
        }
        if open.len() == 1 {
            fitting = open;
        }
    }
    match fitting.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(CommandError::Refused(format!(
            "no installed component matches correction {correction}"
        ))),
        several => Err(CommandError::Usage(format!(
            "{correction} matches several components ({}): choose one with --component",
            several.join(", ")
        ))),
    }
}

fn print_plan(plan: &Plan, out: &Output) -> io::Result<()> {
    out.line(&format!(
        "{} revision {}: {} {} → {}",
        plan.correction, plan.revision, plan.component, plan.from, plan.to
    ))?;
    out.line(&format!(
        "{} files, {} bytes to download; plan {}",
        plan.files.len(),
        plan.download,
        plan.digest
    ))?;
    for file in plan.files.iter().take(MOST_FILES) {
        out.line(&format!(
            "  {:8} {}",
            format!("{:?}", file.change).to_lowercase(),
            file.path
        ))?;
    }
    if plan.files.len() > MOST_FILES {
        out.line(&format!("  and {} more", plan.files.len() - MOST_FILES))?;
    }
    for finding in &plan.findings {
        let mark = match finding.gravity {
            Gravity::Information => "note",
            Gravity::Warning => "warning",
            Gravity::Obstacle => "blocker",
        };
        out.line(&format!(
            "{mark} ({}): {}. {}",
            finding.check,
            finding.found,
            finding.remedy.as_deref().unwrap_or_default()
        ))?;
    }
    for difference in &plan.differences {
        out.line(&format!("{}, current and corrected:", difference.path))?;
        out.text(&difference.lines)?;
    }
    Ok(())
}

fn ask(joint: &JointPlan) -> Result<(), CommandError> {
    if joint.plans.iter().any(has_obstacles) {
        // Applying says which, with the right ending.
        return Ok(());
    }
    confirm("Apply?", &format!("--yes or --plan {}", joint.digest))
}

/// Asks at a terminal whether to go on; elsewhere it names the options that say so.
pub(super) fn confirm(question: &str, options: &str) -> Result<(), CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::Refused(format!(
            "cannot prompt: standard input is not a terminal. Pass {options}"
        )));
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(CommandError::Refused(
            "cancelled: nothing was changed".to_owned(),
        ))
    }
}

async fn tell(
    application: &Application,
    redacted: &RedactedOutput<'_>,
    out: &Output,
) -> Result<Ending, CommandError> {
    if out.json {
        redacted.value(application).await?;
    } else {
        redacted.mark(application)?;
        out.line(&format!(
            "{} is corrected: {} → {} ({}).",
            application.component, application.from, application.to, application.id
        ))?;
    }
    Ok(Ending::Well)
}
