//! `init`: sets this panel up from the file that the vendor handed over.
//!
//! The SHA-256 of that file is what trust begins with: it is given, or compared by a person at the terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use jiff::Timestamp;
use serde::Serialize;
use spacecp_contract::Digest;

use super::{CommandError, Ending, Output, machine_args::Init, show};
use crate::{
    App,
    config::Config,
    init::{Parts, Proposal, Received, User, Verified, detect, install, refuse_existing, text},
    web,
};

/// What was set up, for scripts.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct SetUp<'a> {
    config: &'a std::path::Path,
    sha256: String,
    audience: &'a str,
    plugin: &'a str,
    found: Vec<Found<'a>>,
    synced: bool,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    what: &'a str,
    path: &'a std::path::Path,
}

pub(super) async fn init(
    config: &std::path::Path,
    asked: &Init,
    out: &Output,
) -> Result<Ending, CommandError> {
    let config = std::path::absolute(config)?;
    if !asked.dry_run {
        refuse_existing(&config)?;
    }
    let received = Received::read(&asked.hand_over)?;
    let expected = match asked.sha256 {
        Some(digest) => digest,
        None => confirmed(received.digest())?,
    };
    let hand_over = received.verify(expected, Timestamp::now())?;
    let proposals = detect(&asked.root);
    let user = asked.user.as_deref().map(user).transpose()?;
    let text = text(&Parts {
        vendor: (&hand_over.facts, hand_over.digest),
        state: &std::path::absolute(&asked.state)?,
        user: user.as_ref(),
        proposals: &proposals,
    });
    if asked.dry_run {
        out.text(&text)?;
        return Ok(Ending::Well);
    }
    install(&config, &hand_over, &text)?;
    if !out.json {
        tell(&config, &hand_over, &proposals, user.is_some(), out)?;
    }
    let synced = !asked.no_sync;
    if synced {
        let app = App::open(Config::load(&config)?).await?;
        let report = app.panel.feed.sync().await?;
        if !out.json {
            show::report(&report, out)?;
        }
    }
    if out.json {
        let found = proposals.iter().map(|proposal| Found {
            what: proposal.what,
            path: &proposal.found,
        });
        out.value(&SetUp {
            config: &config,
            sha256: hand_over.digest.to_string(),
            audience: hand_over.facts.audience.as_str(),
            plugin: &hand_over.plugin,
            found: found.collect(),
            synced,
        })?;
    } else {
        out.line("Next: \"spacecp-advisories check\", then \"spacecp-advisories serve\" or its systemd unit.")?;
    }
    Ok(Ending::Well)
}

fn tell(
    config: &std::path::Path,
    hand_over: &Verified,
    proposals: &[Proposal],
    has_user: bool,
    out: &Output,
) -> Result<(), CommandError> {
    out.line(&format!(
        "Verified the hand-over: audience \"{}\", plugin {}.",
        hand_over.facts.audience, hand_over.plugin
    ))?;
    for proposal in proposals {
        out.line(&format!(
            "Found {} ({}).",
            proposal.what,
            proposal.found.display()
        ))?;
    }
    if proposals.is_empty() {
        out.line(
            "Found no software in the usual places: add [[component]] and [[inventory]] tables.",
        )?;
    }
    if !has_user {
        out.line(
            "Nobody can log in to the pages yet: repeat with --user NAME, or add [[serve.users]].",
        )?;
    }
    out.line(&format!("Wrote {}. Review it.", config.display()))?;
    Ok(())
}

/// Has a person compare the digest with what the vendor told.
fn confirmed(digest: Digest) -> Result<Digest, CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::Refused(format!(
            "needs confirmation: pass --sha256 with the SHA-256 that the vendor gave you by another way than the file; this file has {digest}"
        )));
    }
    let mut terminal = io::stderr();
    write!(
        terminal,
        "SHA-256 of this file:\n  {digest}\nDid the vendor give you this SHA-256 by another way than the file? [y/N] "
    )?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(digest);
    }
    Err(CommandError::Refused(
        "not confirmed; nothing was changed. Ask the vendor for the SHA-256 of the file".to_owned(),
    ))
}

fn user(name: &str) -> Result<User, CommandError> {
    let password = super::serve::password(&format!("Password of {name}: "))?;
    Ok(User {
        name: name.to_owned(),
        password_hash: web::hash_password(&password)?,
    })
}
