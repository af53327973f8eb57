//! `unread` and `set-version`: what an administrator decides about what could not be read on this machine.

use super::{
    CommandError, Ending, Output,
    coverage::Coverage,
    decisions::end,
    machine_args::{SetVersion, UnreadAction},
    redacted_output::RedactedOutput,
    user::whoami,
};
use crate::{
    decisions::{
        State,
        local::{LocalDecision, LocalKind, NewLocalDecision, Subject},
    },
    services::Panel,
};

/// Decisions that `--all` lists.
const MOST_LISTED: u32 = 1_000;

pub(super) async fn unread(
    panel: &Panel,
    action: Option<&UnreadAction>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let decided = match action {
        None => return list_unread(panel, false, out).await,
        Some(UnreadAction::List { all }) => return list_unread(panel, *all, out).await,
        Some(UnreadAction::Acknowledge {
            place,
            reason,
            until,
        }) => {
            let wish = NewLocalDecision {
                about: Subject::Unread(place.clone()),
                by: whoami(),
                until: end(Some(until))?,
                reason: Some(reason.clone()),
            };
            panel.decisions.decide_locally(&wish).await?
        }
        Some(UnreadAction::Withdraw { place }) => {
            let decisions = &panel.decisions;
            decisions
                .withdraw_locally(LocalKind::Unread, place, &whoami())
                .await?
        }
    };
    tell(panel, &decided, out).await
}

pub(super) async fn set_version(
    panel: &Panel,
    asked: &SetVersion,
    out: &Output,
) -> Result<Ending, CommandError> {
    if asked.list {
        let decisions = of_kind(panel, LocalKind::Version, asked.all).await?;
        return tell(panel, &decisions, out).await;
    }
    let component = asked.component.clone().unwrap_or_default();
    let decided = if asked.withdraw {
        let decisions = &panel.decisions;
        decisions
            .withdraw_locally(LocalKind::Version, &component, &whoami())
            .await?
    } else {
        let wish = NewLocalDecision {
            about: Subject::Version {
                component,
                version: asked.version.clone().unwrap_or_default(),
            },
            by: whoami(),
            until: end(asked.until.as_deref())?,
            reason: asked.reason.clone(),
        };
        panel.decisions.decide_locally(&wish).await?
    };
    tell(panel, &decided, out).await
}

/// What was not read, and what was decided about it.
async fn list_unread(panel: &Panel, all: bool, out: &Output) -> Result<Ending, CommandError> {
    let coverage = Coverage::of(panel).await;
    let decisions = of_kind(panel, LocalKind::Unread, all).await?;
    if out.json {
        let mut value = coverage.json();
        value["decisions"] = serde_json::json!(decisions);
        RedactedOutput::of(panel, out).await.value(&value).await?;
        return Ok(Ending::Well);
    }
    out.line(coverage.line())?;
    for (path, why) in coverage.unread() {
        out.line(&format!("{path}\n    {why}"))?;
    }
    for decision in &decisions {
        out.line(&described(decision))?;
    }
    Ok(Ending::Well)
}

async fn of_kind(
    panel: &Panel,
    kind: LocalKind,
    all: bool,
) -> Result<Vec<LocalDecision>, CommandError> {
    let mut decisions = if all {
        panel.decisions.all_locally(MOST_LISTED).await?
    } else {
        panel.decisions.current_locally().await?
    };
    decisions.retain(|one| one.kind == kind);
    Ok(decisions)
}

async fn tell(
    panel: &Panel,
    decisions: &[LocalDecision],
    out: &Output,
) -> Result<Ending, CommandError> {
    if out.json {
        RedactedOutput::of(panel, out)
            .await
            .value(&decisions)
            .await?;
        return Ok(Ending::Well);
    }
    if decisions.is_empty() {
        out.line("No decisions found.")?;
    }
    for decision in decisions {
        out.line(&described(decision))?;
    }
    Ok(Ending::Well)
}

/// One decision as a few lines.
fn described(decision: &LocalDecision) -> String {
    let what = match &decision.version {
        Some(version) => format!("version set to {version}"),
        None => "acknowledged".to_owned(),
    };
    let minute = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let mut line = format!(
        "#{}  {}  {what}: {}, by {} on {}, until {}\n    {}\n    not read: {}",
        decision.number,
        decision.subject,
        state(decision.state),
        decision.by,
        minute(decision.made),
        minute(decision.until),
        decision.reason.replace('\n', "\n    "),
        decision.because,
    );
    if let Some(why) = decision.end.as_ref().and_then(|end| end.reason.as_ref()) {
        line.push_str("\n    ended: ");
        line.push_str(why);
    }
    line
}

fn state(state: State) -> &'static str {
    match state {
        State::Standing => "valid",
        State::Lifted => "withdrawn",
        other => other.as_str(),
    }
}
