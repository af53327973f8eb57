//! Connections, one task each: bounded in number, and in how long a client may keep each of them waiting.
//!
//! The header of a request has to come in time, whatever stands before it; an answer has to be read. The bodies
//! of requests are bounded by the guard.

mod activity;
mod admission;
mod descriptors;
mod stream;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, Id, JoinSet},
    time::{Instant, sleep_until},
};

use self::{
    activity::Answering,
    admission::{Admission, Bounds, Connection, admit},
    stream::Stream,
};
use super::{body::Holding, client::Client};
use crate::ServeConfig;

pub(super) use activity::Activity;
pub use descriptors::raise_limit;

/// How long no connection is accepted after that failed, as without a descriptor left.
const PAUSE: Duration = Duration::from_millis(200);

/// Connections that may still be on their way out while others are accepted.
const CLOSING: usize = 16;

/// Bytes that are buffered for one connection in each direction; also the longest header.
const BUFFERED: usize = 64 << 10;

/// How often the log says at most that connections were closed to make room.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// Marks a request that came over a connection which counts for its client's address.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedByConnection;

/// How connections are bounded.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    bounds: Bounds,
    header_within: Duration,
    write_within: Duration,
    /// Their connections carry the requests of many people, so that no bound by address holds for them.
    proxies: Vec<IpAddr>,
}

impl Limits {
    /// What the configuration says, as far as this process has descriptors for it.
    pub(super) fn of(serve: &ServeConfig) -> Self {
        Self {
            bounds: Bounds {
                total: descriptors::affordable(serve.max_connections),
                per_address: serve.max_connections_per_address,
            },
            header_within: Duration::from_secs(serve.header_seconds),
            write_within: Duration::from_secs(serve.write_seconds),
            proxies: serve.proxies.clone(),
        }
    }

    /// The network of an address; none for that of a trusted proxy.
    fn network(&self, peer: SocketAddr) -> Option<IpAddr> {
        let is_proxy = self.proxies.contains(&peer.ip().to_canonical());
        (!is_proxy).then(|| Client(peer.ip()).network())
    }
}

/// Serves whoever connects until `shutdown` comes to its end, and then until each connection has answered
/// what it was asked. Dropped before, it cuts them off.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let closing = watch::Sender::new(());
    let mut open = OpenConnections::new(limits);
    let mut shutdown = pin!(shutdown);
    let mut not_before = Instant::now();
    loop {
        let accept = async {
            sleep_until(not_before).await;
            listener.accept().await
        };
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            () = open.one_ended() => continue,
            accepted = accept, if open.may_accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => open.admit(socket, peer, &app, &closing),
            Err(error) if went_away(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                open.close_one();
                not_before = Instant::now() + PAUSE;
            }
        }
    }
    drop(listener);
    closing.send_replace(());
    while open.tasks.join_next().await.is_some() {}
    Ok(())
}

/// The connections that are open.
struct OpenConnections {
    limits: Limits,
    tasks: JoinSet<()>,
    open: HashMap<Id, Open>,
    closed_for_others: u64,
    refused: u64,
    warn_from: Instant,
}

/// One of them.
struct Open {
    network: Option<IpAddr>,
    activity: Arc<Activity>,
    task: AbortHandle,
}

impl OpenConnections {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            tasks: JoinSet::new(),
            open: HashMap::new(),
            closed_for_others: 0,
            refused: 0,
            warn_from: Instant::now(),
        }
    }

    /// Waits until a connection has ended.
    async fn one_ended(&mut self) {
        let id = match self.tasks.join_next_with_id().await {
            Some(Ok((id, ()))) => id,
            Some(Err(error)) => error.id(),
            None => return std::future::pending().await,
        };
        self.open.remove(&id);
    }

    /// Whether descriptors are left: those of closed connections are free only when their tasks have ended.
    fn may_accept(&self) -> bool {
        self.tasks.len() < self.limits.bounds.total + CLOSING
    }

    fn admit(
        &mut self,
        socket: TcpStream,
        peer: SocketAddr,
        app: &Router,
        closing: &watch::Sender<()>,
    ) {
        let network = self.limits.network(peer);
        match admit(&self.connections(), network, self.limits.bounds) {
            Admission::Free => {}
            Admission::InsteadOf(id) => {
                self.close(id);
                self.warn();
            }
            Admission::Refused => {
                self.refused += 1;
                self.warn();
                return;
            }
        }
        let activity = Activity::new();
        let stream = Stream::new(socket, activity.clone(), self.limits.write_within);
        let app = TowerToHyperService::new(app.clone());
        let served = connection(
            stream,
            peer,
            network.map(|_| CountedByConnection),
            app,
            activity.clone(),
            self.limits.header_within,
            closing.subscribe(),
        );
        let task = self.tasks.spawn(served);
        let open = Open {
            network,
            activity,
            task,
        };
        self.open.insert(open.task.id(), open);
    }

    fn connections(&self) -> Vec<Connection<Id>> {
        let open = self.open.iter();
        open.map(|(id, open)| Connection {
            id: *id,
            network: open.network,
            waiting_since: open.activity.waiting_since(),
        })
        .collect()
    }

    /// Closes a connection to make room.
    fn close(&mut self, id: Id) {
        if let Some(open) = self.open.remove(&id) {
            open.task.abort();
            self.closed_for_others += 1;
        }
    }

    /// Closes the connection that matters least, where descriptors have run out all the same.
    fn close_one(&mut self) {
        let none = Bounds {
            total: 0,
            per_address: usize::MAX,
        };
        if let Admission::InsteadOf(id) = admit(&self.connections(), None, none) {
            self.close(id);
        }
    }

    /// Says now and then that a bound was reached.
    fn warn(&mut self) {
        let now = Instant::now();
        if now < self.warn_from {
            return;
        }
        self.warn_from = now + BETWEEN_WARNINGS;
        let (closed, refused) = (self.closed_for_others, self.refused);
        let open = self.open.len();
        tracing::warn!(open, closed, refused, "connection limit reached");
    }
}

async fn connection(
    stream: Stream,
    peer: SocketAddr,
    counted: Option<CountedByConnection>,
    app: TowerToHyperService<Router>,
    activity: Arc<Activity>,
    header_within: Duration,
    mut closed: watch::Receiver<()>,
) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(counted) = counted {
            request.extensions_mut().insert(counted);
        }
        request.extensions_mut().insert(activity.clone());
        let answering = Answering(activity.clone());
        let answer = app.call(request);
        async move {
            let answer = answer.await?;
            Ok::<_, std::convert::Infallible>(answer.map(|body| Holding::new(body, answering)))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_within)
        .max_buf_size(BUFFERED)
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
        tracing::debug!(%peer, %error, "connection closed with an error");
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
