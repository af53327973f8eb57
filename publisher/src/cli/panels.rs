//! The commands about panels: who may read what is under embargo.

use anyhow::Result;
use serde_json::json;

use super::{Ending, arguments, desk::Desk};
use crate::panels::{Panel, Panels};

impl Desk<'_> {
    pub(super) fn panel(&self, command: &arguments::Panels) -> Result<Ending> {
        let panels = Panels::of_desk(&self.arguments.desk);
        match command {
            arguments::Panels::Enrol { name, recipient } => {
                let panel = panels.enrol(name, recipient, self.now)?;
                self.say(
                    &panel,
                    &format!("{name} is enrolled; it can read the next broadcast."),
                )
            }
            arguments::Panels::Revoke { name, reason } => {
                let panel = panels.revoke(name, reason, self.now)?;
                self.say(
                    &panel,
                    &format!(
                        "{name} is revoked; it can read nothing that is broadcast from now on."
                    ),
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
