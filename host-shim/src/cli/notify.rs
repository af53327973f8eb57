//! `notify`: the channels and how they fare, a trial, and another attempt at what failed.

use jiff::Timestamp;

use super::{CommandError, Ending, Output, arguments::NotifyAction, user::whoami};
use crate::{
    App,
    notify::{NotifyError, notifications_page},
};

pub(super) async fn notify(
    app: &App,
    action: &NotifyAction,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        NotifyAction::List => list(app, out).await,
        NotifyAction::Test { channel } => test(app, channel.as_deref(), out).await,
        NotifyAction::Retry => retry(app, out).await,
    }
}

async fn list(app: &App, out: &Output) -> Result<Ending, CommandError> {
    let report = app.notifications.report().await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.page(&notifications_page(&report))?;
    }
    Ok(Ending::Well)
}

async fn test(app: &App, channel: Option<&str>, out: &Output) -> Result<Ending, CommandError> {
    let configured = &app.notifications.config().channels;
    let names: Vec<&str> = match channel {
        Some(channel) => vec![channel],
        None => configured.iter().map(|one| one.name.as_str()).collect(),
    };
    if names.is_empty() {
        return Err(NotifyError::NoChannel.into());
    }
    let mut tried = Vec::new();
    for name in names {
        let problem = match app.notifications.test(name, &whoami()).await {
            Ok(()) => None,
            Err(NotifyError::Trial { source, .. }) => Some(source.to_string()),
            Err(error) => return Err(error.into()),
        };
        tried.push((name, problem));
    }
    let well = tried.iter().all(|(_, problem)| problem.is_none());
    if out.json {
        let tried = tried.iter().map(|(name, problem)| {
            serde_json::json!({ "channel": name, "taken": problem.is_none(), "problem": problem })
        });
        out.value(&tried.collect::<Vec<_>>())?;
    } else {
        for (name, problem) in &tried {
            out.line(&match problem {
                None => format!("{name}: test notification delivered."),
                Some(problem) => format!("{name}: test notification failed: {problem}"),
            })?;
        }
    }
    Ok(if well { Ending::Well } else { Ending::Failed })
}

async fn retry(app: &App, out: &Output) -> Result<Ending, CommandError> {
    if app.notifications.config().channels.is_empty() {
        return Err(NotifyError::NoChannel.into());
    }
    let now = Timestamp::now();
    let again = app.notifications.retry(now).await?;
    let told = app.notifications.deliver(now).await?;
    if out.json {
        out.value(&serde_json::json!({ "again": again, "told": told }))?;
    } else {
        out.line(&format!(
            "Notifications: {} new, {again} retried, {} delivered, {} failed.",
            told.new, told.delivered, told.failed
        ))?;
    }
    Ok(if told.failed == 0 {
        Ending::Well
    } else {
        Ending::Failed
    })
}
