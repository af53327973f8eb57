//! `serve` and `hash-password`.

use std::io::BufRead;

use tokio::signal::unix::{SignalKind, signal};

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
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    out.line(&web::hash_password(
        password.trim_end_matches(['\r', '\n']),
    )?)?;
    Ok(Ending::Well)
}
