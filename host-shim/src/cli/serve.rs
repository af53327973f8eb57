//! `serve` and `hash-password`.

use std::io::{self, BufRead, IsTerminal};

use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::{CommandError, Ending, Output};
use crate::{App, web};

pub(super) async fn serve(app: &App, out: &Output) -> Result<Ending, CommandError> {
    let serve = &app.config().serve;
    web::raise_descriptor_limit(serve.max_connections);
    let listener = web::listen(serve.listen).await?;
    let address = listener.local_addr()?;
    if serve.users.is_empty() {
        tracing::warn!(
            "no users configured, so nobody can log in: add serve.users to the configuration (see \"hash-password\")"
        );
    }
    out.line(&format!("Listening on http://{address}/"))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            // An error means that the signal cannot be waited for; the other one still can.
            Ok(()) = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    // News first, so that the first page is of today; without it the pages say since when not.
    let feed = app.panel.feed.clone();
    let syncing = tokio::spawn(async move { drop(feed.sync().await) });
    web::serve(listener, app.backend(), shutdown).await?;
    syncing.abort();
    Ok(Ending::Well)
}

pub(super) fn hash_password(out: &Output) -> Result<Ending, CommandError> {
    out.line(&web::hash_password(&password("Password: ")?)?)?;
    Ok(Ending::Well)
}

/// A password: typed twice at a terminal, without echo, or else the first line of standard input.
pub(super) fn password(prompt: &str) -> Result<Zeroizing<String>, CommandError> {
    if !io::stdin().is_terminal() {
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().read_line(&mut line)?;
        return Ok(Zeroizing::new(
            line.trim_end_matches(['\r', '\n']).to_owned(),
        ));
    }
    let first = Zeroizing::new(rpassword::prompt_password(prompt)?);
    let second = Zeroizing::new(rpassword::prompt_password("Repeat the password: ")?);
    if *first == *second {
        return Ok(first);
    }
    Err(CommandError::Refused(
        "the passwords do not match".to_owned(),
    ))
}
