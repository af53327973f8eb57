//! `apply` and `rollback`.

use std::io::{self, BufRead, IsTerminal, Write};

use spacecp_contract::{Digest, DocumentId};

use super::{CommandError, Ending, Output, arguments::Apply, progress::Bar};
use crate::{
    apply::{Application, Gravity, Plan},
    shim::{ApplyRequest, Shim},
};

/// Files of a plan that are printed; the rest is counted.
const MOST_FILES: usize = 40;

pub(super) async fn apply(
    shim: &Shim,
    asked: &Apply,
    out: &Output,
) -> Result<Ending, CommandError> {
    let usage = |problem: String| CommandError::Usage(problem);
    let correction =
        DocumentId::new(asked.correction.clone()).map_err(|error| usage(error.to_string()))?;
    let shown = asked
        .plan
        .as_deref()
        .map(str::parse::<Digest>)
        .transpose()
        .map_err(|error| usage(format!("--plan: {error}")))?;
    shim.look_for(&correction).await?;
    let component = which_component(shim, &correction, asked.component.as_deref()).await?;
    let plan = shim.plan(&correction, &component).await?;
    if asked.dry_run {
        print_plan(&plan, out)?;
        let refused = plan.obstacles().next().is_some();
        return Ok(if refused {
            Ending::Refused
        } else {
            Ending::Well
        });
    }
    if shown.is_none() && !asked.yes {
        if !out.json {
            print_plan(&plan, out)?;
        }
        ask(&plan)?;
    }
    let request = ApplyRequest {
        correction,
        component,
        plan: Some(shown.unwrap_or(plan.digest)),
        overwrite: asked.overwrite,
        by: whoami(),
    };
    let application = shim.apply(request, &Bar::new()).await?;
    tell(&application, "corrected", out)
}

pub(super) async fn roll_back(
    shim: &Shim,
    which: &str,
    overwrite: bool,
    out: &Output,
) -> Result<Ending, CommandError> {
    let id = match shim.reversible(which).await? {
        Some(application) => application.id,
        None => which.to_owned(),
    };
    let application = shim
        .roll_back(&id, overwrite, &whoami(), &Bar::new())
        .await?;
    tell(&application, "rolled back", out)
}

/// The component that is meant: the one that was named, or the only one that fits.
async fn which_component(
    shim: &Shim,
    correction: &DocumentId,
    named: Option<&str>,
) -> Result<String, CommandError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut fitting = shim.components_for(correction).await?;
    // Of several, the only one that nothing stands in the way of.
    if fitting.len() > 1 {
        let mut open = Vec::new();
        for component in &fitting {
            if shim
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
            "nothing that is installed here is what {correction} corrects"
        ))),
        several => Err(CommandError::Usage(format!(
            "{correction} could be applied to {}: say which with --component",
            several.join(", ")
        ))),
    }
}

fn print_plan(plan: &Plan, out: &Output) -> io::Result<()> {
    if out.json {
        return out.value(plan);
    }
    out.line(&format!(
        "{} revision {}: {} {} → {}",
        plan.correction, plan.revision, plan.component, plan.from, plan.to
    ))?;
    out.line(&format!(
        "{} files, {} bytes to fetch; plan {}",
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
            Gravity::Obstacle => "obstacle",
        };
        out.line(&format!(
            "{mark} ({}): {}. {}",
            finding.check,
            finding.found,
            finding.remedy.as_deref().unwrap_or_default()
        ))?;
    }
    Ok(())
}

fn ask(plan: &Plan) -> Result<(), CommandError> {
    if plan.obstacles().next().is_some() {
        // Applying says which, with the right ending.
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(CommandError::Refused(format!(
            "nobody is there to ask: repeat it with --yes, or with --plan {}",
            plan.digest
        )));
    }
    write!(io::stderr(), "Apply it? [y/N] ")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        Ok(())
    } else {
        Err(CommandError::Refused("nothing was changed".to_owned()))
    }
}

fn tell(application: &Application, done: &str, out: &Output) -> Result<Ending, CommandError> {
    if out.json {
        out.value(application)?;
    } else {
        let (from, to) = match done {
            "corrected" => (&application.from, &application.to),
            _ => (&application.to, &application.from),
        };
        out.line(&format!(
            "{} is {done}: {from} → {to} ({}).",
            application.component, application.id
        ))?;
    }
    Ok(Ending::Well)
}

/// Who is at the terminal, for the journal.
pub(super) fn whoami() -> String {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|variable| std::env::var(variable).ok());
    format!(
        "{} (terminal)",
        name.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
    )
}
