//! A static web server for a feed folder, as any vendor would run one: real HTTP on loopback, with
//! entity tags, so that an unchanged file costs no body.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

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
}

impl FeedServer {
    /// Serves `folder` on a free port of this machine.
    pub async fn start(folder: PathBuf) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let app = Router::new()
            .route("/{*path}", get(file))
            .with_state(Arc::new(folder));
        let task = tokio::spawn(async move {
            // A listener on loopback fails only when the process is out of descriptors.
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the feed server stopped");
            }
        });
        Ok(Self { address, task })
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
    State(folder): State<Arc<PathBuf>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let answer = |status: StatusCode| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    };
    if path
        .split('/')
        .any(|part| part.is_empty() || part.starts_with('.'))
    {
        return answer(StatusCode::NOT_FOUND);
    }
    let Ok(bytes) = tokio::fs::read(folder.join(path)).await else {
        return answer(StatusCode::NOT_FOUND);
    };
    let tag = format!("\"{}\"", Digest::of(&bytes).short());
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known {
        answer(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(Body::from(bytes))
    };
    if let Ok(value) = tag.parse() {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}
