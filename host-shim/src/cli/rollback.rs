//! `rollback`: what it would reopen, the question, and the rollback itself.

use serde_json::json;

use super::{
    CommandError, Ending, Output, apply::confirm, progress::Bar, redacted_output::RedactedOutput,
    signals::HeldOff, user::whoami,
};
use crate::services::{Panel, RollbackPreview};

/// What was asked for.
pub(super) struct Asked<'a> {
    pub(super) which: &'a str,
    pub(super) overwrite: bool,
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

pub(super) async fn roll_back(
    panel: &Panel,
    asked: &Asked<'_>,
    out: &Output,
) -> Result<Ending, CommandError> {
    let preview = panel.corrections.preview_rollback(asked.which).await?;
    if preview.is_none() && asked.dry_run {
        return Err(CommandError::Refused(format!(
            "there is no apply run or component {:?} to roll back",
            asked.which
        )));
    }
    if let Some(preview) = &preview
        && (asked.dry_run || !asked.yes)
    {
        let redacted = RedactedOutput::of(panel, out).await;
        if out.json && asked.dry_run {
            redacted.value(preview).await?;
            return Ok(Ending::Well);
        }
        if !out.json {
            redacted.opened(preview).await?;
            print(preview, out)?;
        }
        if asked.dry_run {
            return Ok(Ending::Well);
        }
        confirm("Roll back?", "--yes")?;
    }
    // What is not known by this name is refused with the reason by whoever rolls back.
    let id = preview
        .as_ref()
        .map_or(asked.which, |preview| preview.apply_run.as_str());
    let _goes_on = HeldOff::begin()?;
    let application = panel
        .corrections
        .roll_back(id, asked.overwrite, &whoami(), &Bar::new())
        .await?;
    let redacted = RedactedOutput::of(panel, out).await;
    let reopens = preview.map_or_else(Vec::new, |preview| preview.reopens);
    if out.json {
        let mut value = json!(application);
        value["reopens"] = json!(reopens);
        redacted.value(&value).await?;
        return Ok(Ending::Well);
    }
    redacted.mark(&json!([application, reopens]))?;
    out.line(&format!(
        "{} is rolled back: {} → {} ({}).",
        application.component, application.to, application.from, application.id
    ))?;
    if !reopens.is_empty() {
        out.line(&format!("Affected again: {}.", reopens.join(", ")))?;
    }
    Ok(Ending::Well)
}

fn print(preview: &RollbackPreview, out: &Output) -> std::io::Result<()> {
    out.line(&format!(
        "{}: {} → {} (apply run {})",
        preview.component, preview.from, preview.to, preview.apply_run
    ))?;
    out.line(&preview.words())
}
