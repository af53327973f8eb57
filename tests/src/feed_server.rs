//! A static web server for a feed folder, as any vendor would run one: real HTTP on loopback, with
//! entity tags, so that an unchanged file costs no body.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
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
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shelf = Arc::new(Shelf {
            folder,
            asked: Mutex::default(),
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

async fn file(
    State(shelf): State<Arc<Shelf>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let (status, tag, bytes) = look_up(&shelf, &path, &headers).await;
    let asked = Asked {
        path,
        status: status.as_u16(),
        body: bytes.len(),
    };
    shelf
        .asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    if let Some(Ok(value)) = tag.map(|tag| tag.parse()) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
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
    let tag = format!("\"{}\"", Digest::of(&bytes).short());
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    if known {
        return (StatusCode::NOT_MODIFIED, Some(tag), Vec::new());
    }
    (StatusCode::OK, Some(tag), bytes)
}
