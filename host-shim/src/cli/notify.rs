//! `notify`: the channels and how they fare, a trial, and another attempt at what failed.

use jiff::Timestamp;

use super::{CommandError, Ending, Output, apply::whoami, arguments::NotifyAction};
use crate::{
    notify::NotifyError,
    shim::{Shim, ShimError, notifications_page},
};

pub(super) async fn notify(
    shim: &Shim,
    action: &NotifyAction,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        NotifyAction::List => list(shim, out).await,
        NotifyAction::Test { channel } => test(shim, channel.as_deref(), out).await,
        NotifyAction::Retry => retry(shim, out).await,
    }
}

async fn list(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let report = shim.notify_report().await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.page(&notifications_page(&report))?;
    }
    Ok(Ending::Well)
}

async fn test(shim: &Shim, channel: Option<&str>, out: &Output) -> Result<Ending, CommandError> {
    let configured = &shim.config().notify.channels;
    let names: Vec<&str> = match channel {
        Some(channel) => vec![channel],
        None => configured.iter().map(|one| one.name.as_str()).collect(),
    };
    if names.is_empty() {
        return Err(ShimError::from(NotifyError::NoChannel).into());
    }
    let mut tried = Vec::new();
    for name in names {
        let problem = match shim.notify_test(name, &whoami()).await {
            Ok(()) => None,
            Err(ShimError::Notify(NotifyError::Trial { source, .. })) => Some(source.to_string()),
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

async fn retry(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    if shim.config().notify.channels.is_empty() {
        return Err(ShimError::from(NotifyError::NoChannel).into());
    }
    let now = Timestamp::now();
    let again = shim.notify_again(now).await?;
    let told = shim.notify(now).await?;
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
