//! `workaround` and `accept`: what an administrator decides about an exposure.

use spacecp_contract::DocumentId;

use super::{
    CommandError, Ending, Output,
    arguments::{Accept, Workaround},
    redacted_output::RedactedOutput,
    user::whoami,
};
use crate::{
    decisions::{self, Decision, DecisionError, Kind, State, Wish},
    services::{Panel, ServiceError},
};

/// Decisions that `--all` lists.
const MOST_LISTED: u32 = 1_000;

pub(super) async fn workaround(
    panel: &Panel,
    asked: &Workaround,
    out: &Output,
) -> Result<Ending, CommandError> {
    match asked {
        Workaround::Mark {
            advisory,
            workaround,
            component,
            until,
            reason,
        } => {
            let wish = Wish {
                workaround: Some(workaround.clone()),
                advisory: id(advisory)?,
                shown: None,
                component: component.clone(),
                by: whoami(),
                until: end(until.as_deref())?,
                reason: reason.clone(),
            };
            tell(panel, &panel.decisions.decide(&wish).await?, out).await
        }
        Workaround::Lift {
            advisory,
            workaround,
            component,
        } => {
            let matter = (
                advisory.as_str(),
                Some(workaround.as_str()),
                component.as_deref(),
            );
            lift(panel, Kind::Workaround, matter, out).await
        }
        Workaround::List { all } => list(panel, Kind::Workaround, *all, out).await,
    }
}

pub(super) async fn accept(
    panel: &Panel,
    asked: &Accept,
    out: &Output,
) -> Result<Ending, CommandError> {
    if asked.list {
        return list(panel, Kind::Acceptance, asked.all, out).await;
    }
    let advisory = asked.advisory.as_deref().unwrap_or_default();
    if asked.lift {
        let matter = (advisory, None, asked.component.as_deref());
        return lift(panel, Kind::Acceptance, matter, out).await;
    }
    let wish = Wish {
        workaround: None,
        advisory: id(advisory)?,
        shown: None,
        component: asked.component.clone(),
        by: whoami(),
        until: end(asked.until.as_deref())?,
        reason: asked.reason.clone(),
    };
    tell(panel, &panel.decisions.decide(&wish).await?, out).await
}

/// What a decision is about: advisory, workaround, component.
type Matter<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

async fn lift(
    panel: &Panel,
    kind: Kind,
    (advisory, workaround, component): Matter<'_>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let current = panel.decisions.current().await?;
    let found = current.iter().find(|decision| {
        decision.kind == kind
            && decision.advisory.as_str() == advisory
            && decision.workaround.as_deref() == workaround
            && decision.component.as_deref() == component
            && matches!(decision.state, State::Standing | State::Unknown)
    });
    let found = found.ok_or_else(|| {
        let what = match workaround {
            Some(workaround) => format!("mark of workaround {workaround} of {advisory}"),
            None => format!("acceptance of {advisory}"),
        };
        let whose = component.unwrap_or("every component");
        let what = format!("{what} for {whose}");
        CommandError::Service(ServiceError::Decision(DecisionError::NotFound { what }))
    })?;
    let lifted = panel
        .decisions
        .withdraw(found.number, kind, &whoami())
        .await?;
    tell(panel, &lifted, out).await
}

async fn list(panel: &Panel, kind: Kind, all: bool, out: &Output) -> Result<Ending, CommandError> {
    let mut decisions = if all {
        panel.decisions.all(MOST_LISTED).await?
    } else {
        panel.decisions.current().await?
    };
    decisions.retain(|decision| decision.kind == kind);
    let redacted = RedactedOutput::of(panel, out).await;
    if out.json {
        redacted.value(&decisions).await?;
        return Ok(Ending::Well);
    }
    redacted.mark(&decisions)?;
    if decisions.is_empty() {
        out.line("No decisions found.")?;
    }
    for decision in &decisions {
        out.line(&described(decision))?;
    }
    Ok(Ending::Well)
}

async fn tell(panel: &Panel, decision: &Decision, out: &Output) -> Result<Ending, CommandError> {
    let redacted = RedactedOutput::of(panel, out).await;
    if out.json {
        redacted.value(decision).await?;
    } else {
        redacted.mark(decision)?;
        out.line(&described(decision))?;
    }
    Ok(Ending::Well)
}

/// One decision as a line, or two where it has a reason.
fn described(decision: &Decision) -> String {
    let what = match &decision.workaround {
        Some(workaround) => format!("workaround {workaround}"),
        None => "risk accepted".to_owned(),
    };
    let minute = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let until = decision
        .until
        .map_or(String::new(), |until| format!(", until {}", minute(until)));
    let mut line = format!(
        "#{}  {}  {what} for {}: {}, by {} on {}{until}",
        decision.number,
        decision.advisory,
        decision.component.as_deref().unwrap_or("every component"),
        decision.state.as_str(),
        decision.by,
        minute(decision.made),
    );
    let why = decision.end.as_ref().and_then(|end| end.reason.as_ref());
    for words in [decision.reason.as_ref(), why].into_iter().flatten() {
        line.push_str("\n    ");
        line.push_str(&words.replace('\n', "\n    "));
    }
    line
}

fn id(text: &str) -> Result<DocumentId, CommandError> {
    DocumentId::new(text).map_err(|error| CommandError::Usage(error.to_string()))
}

pub(super) fn end(text: Option<&str>) -> Result<Option<jiff::Timestamp>, CommandError> {
    let until = text.map(decisions::until).transpose();
    until.map_err(|error| CommandError::Usage(format!("--until: {error}")))
}
