//! `trust`, `trust reset`, `import`: whom this panel believes, and news that was carried here.

use std::path::Path;

use jiff::Timestamp;

use super::{CommandError, Ending, Output, show};
use crate::{
    render::terminal,
    shim::{Shim, trust_page},
};

pub(super) async fn show(shim: &Shim, out: &Output) -> Result<Ending, CommandError> {
    let now = Timestamp::now();
    let report = shim.trust_report(now).await?;
    if out.json {
        out.value(&report)?;
    } else {
        out.text(&terminal::page(&trust_page(&report, now), out.terminal()))?;
    }
    Ok(Ending::Well)
}

pub(super) async fn reset(shim: &Shim, yes: bool, out: &Output) -> Result<Ending, CommandError> {
    if !yes {
        return Err(CommandError::Refused(
            "this forgets every root, head, index and document that was learnt from the feed, and with them that the feed must not go back behind them; applications and the panel's own decisions stay. Look at \"spacecp-advisories trust\" first, compare the pinned fingerprint with what the vendor says, and then add --yes"
                .to_owned(),
        ));
    }
    shim.reset_trust(&super::apply::whoami()).await?;
    if out.json {
        out.value(&serde_json::json!({ "reset": true }))?;
    } else {
        out.line("Trust begins with the pinned root again; \"spacecp-advisories sync\" fetches the rest.")?;
    }
    Ok(Ending::Well)
}

pub(super) async fn import(shim: &Shim, file: &Path, out: &Output) -> Result<Ending, CommandError> {
    let report = shim.import(file, &super::apply::whoami()).await?;
    show::report(&report, out)
}
