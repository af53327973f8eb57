//! The commands about panels: who may read what is under embargo.

use anyhow::Result;
use serde_json::json;

use super::{Ending, arguments, cli_context::CliContext};
use crate::panels::{Panel, Panels};

impl CliContext<'_> {
    pub(super) fn panel(&self, command: &arguments::Panels) -> Result<Ending> {
        let panels = Panels::of_desk(&self.arguments.desk);
        match command {
            arguments::Panels::Enrol { name, recipient } => {
                let panel = panels.enrol(name, recipient, self.now)?;
                self.say(
                    &panel,
                    &format!("Enrolled {name}. It can decrypt embargoed advisories from the next broadcast on."),
                )
            }
            arguments::Panels::Revoke { name, reason } => {
                let panel = panels.revoke(name, reason, self.now)?;
                self.say(
                    &panel,
                    &format!("Revoked {name}. It cannot decrypt later broadcasts."),
                )
            }
            arguments::Panels::List => {
                let all = panels.list()?;
                let lines: Vec<String> = all.iter().map(line).collect();
                self.say(&json!({ "panels": all }), &lines.join("\n"))
            }
        }
    }
}

fn line(panel: &Panel) -> String {
    let Panel {
        name,
        recipient,
        enrolled,
        ..
    } = panel;
    match (panel.revoked, &panel.reason) {
        (Some(revoked), Some(reason)) => {
            format!("{name}  {recipient}  revoked on {revoked}: {reason:?}")
        }
        _ => format!("{name}  {recipient}  enrolled on {enrolled}"),
    }
}
