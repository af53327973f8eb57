//! Connections, one task each, with a bound on how long the header of a request may take.
//!
//! Whoever sends half a header, or nothing, is cut off: otherwise a few patient clients would hold every
//! file handle of the panel. The bound holds for what comes after an answer, too.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::Service, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// How long nobody is let in when nobody can be, as without a file handle left.
const BREATH: Duration = Duration::from_secs(1);

/// Serves whoever connects until `shutdown` comes to its end, and then until each connection has answered
/// what it was asked. Dropped before, it cuts them off.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    header_within: Duration,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let closing = watch::Sender::new(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let app = TowerToHyperService::new(app.clone());
                let closed = closing.subscribe();
                connections.spawn(connection(stream, peer, app, header_within, closed));
            }
            Err(error) if went_away(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "nobody can be let in for a moment");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    closing.send_replace(());
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: TowerToHyperService<Router>,
    header_within: Duration,
    mut closed: watch::Receiver<()>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_within)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = closed.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection was cut off");
    }
}

/// Whether this is about one connection, which ended before it had begun.
fn went_away(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}
