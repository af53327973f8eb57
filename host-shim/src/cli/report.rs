//! `report`: encrypts a report of a vulnerability to the vendor, from a terminal.
//!
//! It needs no panel: with a recipient on the command line there need not be a configuration.

use std::{
    io::Read,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use super::{CommandError, Ending, Output, arguments::Report};
use crate::{
    config::Config,
    inventory::Inventory,
    report::{self, Recipient, ReportingError, WrittenError},
    services::ServiceError,
};

pub(super) fn report(
    configuration: &Path,
    asked: &Report,
    out: &Output,
) -> Result<Ending, CommandError> {
    if asked.template {
        let config = Config::load(configuration)?;
        let inventory = Inventory::read(&config.components);
        out.text(&report::template(&inventory))?;
        return Ok(Ending::Well);
    }
    let recipient = recipient(configuration, asked.recipient.as_ref())?;
    let Some(from) = &asked.from else {
        let problem =
            "missing --from FILE with the vulnerability report; create one with --template";
        return Err(CommandError::Usage(problem.to_owned()));
    };
    let text = text(from)?;
    let report = report::read(&text, asked.title.as_deref());
    let report = report.map_err(|source| match source {
        // The file's name says which of them is meant.
        WrittenError::Field(source) => {
            CommandError::Usage(format!("invalid report file {}:\n{source}", from.display()))
        }
        source => CommandError::Usage(format!("{}: {source}", from.display())),
    })?;
    let sealed = report::seal(&report, &recipient).map_err(ServiceError::from)?;
    match &asked.out {
        Some(path) => {
            keep(path, &sealed)?;
            if out.json {
                let value = serde_json::json!({ "file": path, "recipient": recipient.to_string() });
                out.value(&value)?;
            } else {
                out.line(&format!(
                    "Encrypted report for {recipient} written to {}. Send the file to the vendor.",
                    path.display()
                ))?;
            }
        }
        None => out.text(&sealed)?,
    }
    Ok(Ending::Well)
}

/// The one on the command line, or that of the configuration.
fn recipient(configuration: &Path, given: Option<&Recipient>) -> Result<Recipient, CommandError> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let config = Config::load(configuration)?;
    let recipient = config.report.recipient;
    Ok(recipient.ok_or_else(|| ServiceError::from(ReportingError::NoRecipient))?)
}

/// No more of a file than a report can have.
fn text(from: &PathBuf) -> Result<String, CommandError> {
    let mut text = String::new();
    let limit = report::LONGEST_FILE + 1;
    let read = match from.to_str() {
        Some("-") => std::io::stdin().take(limit).read_to_string(&mut text),
        _ => std::fs::File::open(from).and_then(|file| file.take(limit).read_to_string(&mut text)),
    };
    read.map_err(|source| ServiceError::File {
        path: from.clone(),
        source,
    })?;
    Ok(text)
}

/// Writes what was encrypted into a file of its own; one that is there is left alone.
fn keep(path: &PathBuf, sealed: &str) -> Result<(), CommandError> {
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let written = file.and_then(|mut file| {
        std::io::Write::write_all(&mut file, sealed.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|source| {
        ServiceError::File {
            path: path.clone(),
            source,
        }
        .into()
    })
}
