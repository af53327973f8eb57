//! `identity`: whom the vendor encrypts to, for this panel to read what is under embargo.

use jiff::Timestamp;

use super::{CommandError, Ending, Output, arguments};
use crate::services::Panel;

pub(super) async fn identity(
    panel: &Panel,
    action: Option<&arguments::Identity>,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        None | Some(arguments::Identity::Show) => show(panel, out).await,
        Some(arguments::Identity::Renew { yes }) => renew(panel, *yes, out).await,
    }
}

async fn show(panel: &Panel, out: &Output) -> Result<Ending, CommandError> {
    let report = panel.trust.private_report().await?;
    if out.json {
        out.value(&report)?;
        return Ok(Ending::Well);
    }
    let Some(recipient) = &report.recipient else {
        let problem = report.problem.clone().unwrap_or_default();
        return Err(CommandError::Refused(problem));
    };
    out.line(recipient)?;
    Ok(Ending::Well)
}

async fn renew(panel: &Panel, yes: bool, out: &Output) -> Result<Ending, CommandError> {
    if !yes {
        return Err(CommandError::Refused(
            "needs confirmation: with a new identity this panel cannot read new embargoed advisories until the vendor has enrolled it and broadcast again. Unread advisories encrypted to the old identity are lost; advisories already read are kept. To continue, pass --yes"
                .to_owned(),
        ));
    }
    let recipient = panel
        .trust
        .renew_identity(&super::user::whoami(), Timestamp::now())
        .await?;
    if out.json {
        out.value(&serde_json::json!({ "recipient": recipient }))?;
    } else {
        out.line(&recipient)?;
    }
    Ok(Ending::Well)
}
