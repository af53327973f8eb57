//! A static web server for a feed folder, as any vendor would run one: real HTTP on loopback, with
//! entity tags, so that an unchanged file costs no body.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, Response, StatusCode, header},
    routing::get,
};
use spacecp_contract::Digest;
use tokio::{net::TcpListener, task::JoinHandle};

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct FeedServer {
    address: SocketAddr,
    task: JoinHandle<()>,
    shelf: Arc<Shelf>,
}

/// What is served, and what was asked for.
#[derive(Debug)]
struct Shelf {
    folder: PathBuf,
    asked: Mutex<Vec<Asked>>,
    faults: Mutex<Vec<(String, Fault)>>,
    habits: Mutex<Vec<(String, Fault)>>,
    tags: Mutex<Vec<(String, String)>>,
    pause: Mutex<Duration>,
}

/// How one answer goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status instead of the file, with "come back in so many seconds".
    Busy(u16, u64),
    /// The connection breaks after so many bytes of the body.
    Breaks(usize),
    /// So many bytes of the body come, and then nothing for as long as anybody waits.
    Stalls(usize),
    /// A part that is asked for is sent from the beginning instead, under the name of a part.
    OtherPart,
    /// The request is taken, and nothing is ever answered.
    Silent,
    /// Everything is announced, and comes byte by byte, for longer than anybody waits.
    Trickles,
}

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The path, without a `/` at its beginning.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Bytes of its body.
    pub body: usize,
}

impl FeedServer {
    /// Serves `folder` on a free port of this machine.
    pub async fn start(folder: PathBuf) -> std::io::Result<Self> {
        Self::serve(folder, TcpListener::bind(("127.0.0.1", 0)).await?)
    }

    /// Serves `folder` over TLS.
    pub async fn start_tls(
        folder: PathBuf,
        identity: Arc<rustls::ServerConfig>,
    ) -> std::io::Result<Self> {
        let listener = TlsListener {
            listener: TcpListener::bind(("127.0.0.1", 0)).await?,
            acceptor: identity.into(),
        };
        Self::serve(folder, listener)
    }

    fn serve(
        folder: PathBuf,
        listener: impl axum::serve::Listener<Addr = SocketAddr>,
    ) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let shelf = Arc::new(Shelf {
            folder,
            asked: Mutex::default(),
            faults: Mutex::default(),
            habits: Mutex::default(),
            tags: Mutex::default(),
            pause: Mutex::default(),
        });
        let app = Router::new()
            .route("/{*path}", get(file))
            .with_state(shelf.clone());
        let task = tokio::spawn(async move {
            // A listener on loopback fails only when the process is out of descriptors.
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the feed server stopped");
            }
        });
        Ok(Self {
            address,
            task,
            shelf,
        })
    }

    /// Lets the next answers for this path go wrong, one after another.
    pub fn fault(&self, path: &str, faults: &[Fault]) {
        let mut all = self
            .shelf
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        all.extend(faults.iter().map(|fault| (path.to_owned(), *fault)));
    }

    /// Lets every answer for this path go wrong, until [`Self::behave`].
    pub fn always(&self, path: &str, fault: Fault) {
        let habits = &self.shelf.habits;
        let mut habits = habits.lock().unwrap_or_else(PoisonError::into_inner);
        habits.push((path.to_owned(), fault));
    }

    /// Says this of a file, instead of its entity tag, until [`Self::behave`].
    pub fn call(&self, path: &str, tag: &str) {
        let mut tags = self.shelf.lies();
        tags.push((path.to_owned(), tag.to_owned()));
    }

    /// Lets every answer wait for so long, until [`Self::behave`].
    pub fn slow_down(&self, pause: Duration) {
        *self.shelf.pause() = pause;
    }

    /// From now on every answer is what it should be.
    pub fn behave(&self) {
        self.shelf.lies().clear();
        *self.shelf.pause() = Duration::ZERO;
        for faults in [&self.shelf.habits, &self.shelf.faults] {
            faults
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What was asked for since the last time this was called.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(
            &mut *self
                .shelf
                .asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// The feed's address, with a `/` at its end.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections over TLS; one whose handshake fails is the client's affair.
struct TlsListener {
    listener: TcpListener,
    acceptor: tokio_rustls::TlsAcceptor,
}

impl axum::serve::Listener for TlsListener {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else {
                continue;
            };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

impl Shelf {
    /// What is said of files instead of their entity tags.
    fn lies(&self) -> std::sync::MutexGuard<'_, Vec<(String, String)>> {
        self.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.pause.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_fault(&self, path: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = faults.iter().position(|(of, _)| of == path) {
            return Some(faults.remove(at).1);
        }
        let habits = self.habits.lock().unwrap_or_else(PoisonError::into_inner);
        let habit = habits.iter().find(|(of, _)| of == path)?;
        Some(habit.1)
    }

    fn note(&self, path: String, status: StatusCode, body: usize) {
        let asked = Asked {
            path,
            status: status.as_u16(),
            body,
        };
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
    }
}

async fn file(
    State(shelf): State<Arc<Shelf>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let pause = *shelf.pause();
    tokio::time::sleep(pause).await;
    let fault = shelf.next_fault(&path);
    if let Some(Fault::Busy(status, seconds)) = fault {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        shelf.note(path, status, 0);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, seconds.into());
        return response;
    }
    if fault == Some(Fault::Silent) {
        std::future::pending::<()>().await;
    }
    let (mut status, tag, mut bytes) = look_up(&shelf, &path, &headers).await;
    let mut part = None;
    if status == StatusCode::OK
        && let Some(from) = part_from(&headers)
    {
        if from >= bytes.len() {
            (status, bytes) = (StatusCode::RANGE_NOT_SATISFIABLE, Vec::new());
        } else {
            let all = bytes.len();
            let from = if fault == Some(Fault::OtherPart) {
                0
            } else {
                from
            };
            bytes.drain(..from);
            status = StatusCode::PARTIAL_CONTENT;
            part = Some(format!("bytes {from}-{}/{all}", all - 1));
        }
    }
    shelf.note(path, status, bytes.len());
    let mut response = match fault {
        Some(Fault::Breaks(after)) => breaking(bytes, after),
        Some(Fault::Stalls(after)) => stalling(bytes, after),
        Some(Fault::Trickles) => trickling(bytes),
        _ => Response::new(Body::from(bytes)),
    };
    *response.status_mut() = status;
    for (name, value) in [(header::ETAG, tag), (header::CONTENT_RANGE, part)] {
        if let Some(Ok(value)) = value.map(|value| value.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// An answer that announces all of the bytes and sends some of them.
fn breaking(bytes: Vec<u8>, after: usize) -> Response<Body> {
    let length = bytes.len();
    let sent = bytes[..after.min(length)].to_vec();
    let end = std::io::Error::other("the connection breaks here");
    // The pause lets what was sent reach the other side before the connection is reset.
    let pieces = futures_util::stream::unfold(0, move |step| {
        let piece = match step {
            0 => Some(Ok(sent.clone())),
            1 => Some(Err(std::io::Error::new(end.kind(), end.to_string()))),
            _ => None,
        };
        async move {
            if step == 1 {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            piece.map(|piece| (piece, step + 1))
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    response
}

/// An answer that announces all of the bytes, sends some of them, and stays open.
fn stalling(bytes: Vec<u8>, after: usize) -> Response<Body> {
    use futures_util::StreamExt;
    let length = bytes.len();
    let sent = bytes[..after.min(length)].to_vec();
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(sent)]);
    let mut response = Response::new(Body::from_stream(
        pieces.chain(futures_util::stream::pending()),
    ));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    response
}

/// An answer that announces all of the bytes and sends one in a while.
fn trickling(bytes: Vec<u8>) -> Response<Body> {
    let length = bytes.len();
    let pieces = futures_util::stream::unfold(bytes.into_iter(), |mut left| async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let byte = left.next()?;
        Some((Ok::<_, std::io::Error>(vec![byte]), left))
    });
    let mut response = Response::new(Body::from_stream(pieces));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    response
}

/// From which byte on the file is asked for.
fn part_from(headers: &HeaderMap) -> Option<usize> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes=")?
        .strip_suffix('-')?
        .parse()
        .ok()
}

/// The answer to a request: status, entity tag, body.
async fn look_up(
    shelf: &Shelf,
    path: &str,
    headers: &HeaderMap,
) -> (StatusCode, Option<String>, Vec<u8>) {
    if path
        .split('/')
        .any(|part| part.is_empty() || part.starts_with('.'))
    {
        return (StatusCode::NOT_FOUND, None, Vec::new());
    }
    let Ok(bytes) = tokio::fs::read(shelf.folder.join(path)).await else {
        return (StatusCode::NOT_FOUND, None, Vec::new());
    };
    let tag = entity_tag(&bytes);
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok())
        .is_some_and(|known| matches(known, &tag));
    let lie = shelf.lies().iter().find(|(of, _)| of == path).cloned();
    let said = lie.map_or(tag, |(_, lie)| lie);
    if known {
        return (StatusCode::NOT_MODIFIED, Some(said), Vec::new());
    }
    (StatusCode::OK, Some(said), bytes)
}

/// The entity tag of a file with these bytes.
pub fn entity_tag(bytes: &[u8]) -> String {
    format!("\"{}\"", Digest::of(bytes).short())
}

/// Whether a condition names this tag (RFC 9110, section 13.1.2): alone, in a list, or by naming all.
fn matches(known: &str, tag: &str) -> bool {
    known.trim() == "*" || known.split(',').any(|one| one.trim() == tag)
}
