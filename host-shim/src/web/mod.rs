//! Serves the pages: login, sessions, the plugin's pages, and the actions that they offer; follows
//! the feed and runs automatic application meanwhile.
//!
//! Pages work without a script and none is allowed. Every answer carries a strict policy for the
//! browser; every action wants an administrator, the token of their session, and a browser that
//! says that the form came from these pages.

mod actions;
mod decisions;
mod guard;
mod login;
mod notifying;
mod pages;
mod password;
mod policy;
mod schedule;
mod session;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
pub use password::{PasswordError, hash_password};
use session::Sessions;
use tokio::net::TcpListener;

use crate::shim::Shim;

/// Everything that a request may need.
#[derive(Debug, Clone)]
struct Web {
    shim: Arc<Shim>,
    sessions: Arc<Sessions>,
    attempts: Arc<login::Attempts>,
}

/// Why the pages are not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another with --listen or serve.listen")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The listener broke.
    #[error("the pages can no longer be served: {0}")]
    Serve(#[from] std::io::Error),
}

/// Listens on an address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })
}

/// Serves the pages of this panel, follows its feed and applies what its policy lets it apply, until `shutdown` comes to its end.
pub async fn serve(
    listener: TcpListener,
    shim: Arc<Shim>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let following = tokio::spawn(follow(shim.clone()));
    let scheduling = tokio::spawn(schedule::keep(shim.clone()));
    let notifying = tokio::spawn(notifying::keep(shim.clone()));
    let closing = shim.clone();
    let app = router(shim).into_make_service_with_connect_info::<SocketAddr>();
    let served = axum::serve(listener, app)
        .with_graceful_shutdown(shutdown)
        .await;
    following.abort();
    notifying.abort();
    schedule::end(&closing, scheduling).await;
    Ok(served?)
}

/// The pages as a router, to be mounted at the root of a host of their own.
pub fn router(shim: Arc<Shim>) -> Router {
    let web = Web {
        shim,
        sessions: Arc::default(),
        attempts: Arc::default(),
    };
    Router::new()
        .route("/", get(pages::overview))
        .route("/advisories", get(pages::advisories))
        .route("/advisories/{id}", get(pages::advisory))
        .route("/history", get(pages::history))
        .route("/trust", get(pages::trust))
        .route("/policy", get(policy::page).post(policy::edit))
        .route("/policy/switch", post(policy::switch))
        .route("/policy/release", post(policy::release))
        .route("/apply", post(actions::apply))
        .route("/roll-back", post(actions::roll_back))
        .route("/mark-workaround", post(decisions::mark_workaround))
        .route("/lift-workaround", post(decisions::lift_workaround))
        .route("/accept-risk", post(decisions::accept_risk))
        .route("/withdraw-acceptance", post(decisions::withdraw_acceptance))
        .route("/sync", post(actions::sync))
        .route("/login", get(login::form).post(login::attempt))
        .route("/logout", post(login::logout))
        .route("/style.css", get(style))
        .route("/health", get(|| async { "ok\n" }))
        .fallback(pages::missing)
        .layer(middleware::from_fn_with_state(web.clone(), guard::guard))
        .with_state(web)
}

async fn style() -> impl IntoResponse {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    ([(header::CONTENT_TYPE, css)], include_str!("style.css"))
}

/// Asks the feed for news, again and again. A little chance keeps many panels from asking at once.
async fn follow(shim: Arc<Shim>) {
    let interval = shim.config().feed.interval;
    loop {
        let mut chance = [0u8; 1];
        // Without chance the interval is merely the same each time.
        let _ = getrandom::fill(&mut chance);
        let pause = interval + interval * u64::from(chance[0]) / 2560;
        tokio::time::sleep(Duration::from_secs(pause)).await;
        // What failed has been logged, and the pages say it.
        let _ = shim.sync().await;
    }
}
