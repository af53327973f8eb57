//! `identity`: whom the vendor encrypts to, for this panel to read what is under embargo.

use jiff::Timestamp;

use super::{CommandError, Ending, Output, arguments};
use crate::shim::Shim;

pub(super) async fn identity(
    shim: &Shim,
    action: Option<&arguments::Identity>,
    out: &Output,
) -> Result<Ending, CommandError> {
    match action {
        None | Some(arguments::Identity::Show) => show(shim, out).await,
        Some(arguments::Identity::Renew { yes }) => renew(shim, *yes, out).await,
    }
}

async fn show(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let report = shim.private_report().await?;
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

async fn renew(shim: &Shim, yes: bool, out: &Output) -> Result<Ending, CommandError> {
    if !yes {
        return Err(CommandError::Refused(
            "needs confirmation: with a new identity this panel cannot read new embargoed advisories until the vendor has enrolled it and broadcast again. Unread advisories encrypted to the old identity are lost; advisories already read are kept. To continue, pass --yes"
                .to_owned(),
        ));
    }
    let recipient = shim
        .renew_identity(&super::apply::whoami(), Timestamp::now())
        .await?;
    if out.json {
        out.value(&serde_json::json!({ "recipient": recipient }))?;
    } else {
        out.line(&recipient)?;
    }
    Ok(Ending::Well)
}
