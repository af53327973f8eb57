//! Serves the pages: the plugin's, the shim's own, and the actions that they offer; follows the feed
//! and runs automatic application meanwhile.
//!
//! [`serve`] is a panel of its own with a login; [`mount`] puts the same pages below an address of
//! another application, which says through [`HostApplication`] who somebody is.
//!
//! Pages work without a script, and none is allowed but one of our own where work under way is shown.
//! Every answer carries a strict policy for the
//! browser; every action wants an administrator, the token of their session, and a browser that
//! says that the form came from these pages.
#![forbid(unsafe_code)]

mod actions;
mod api;
mod attempts;
mod background;
mod badge;
mod body;
mod client;
mod clocks;
mod concurrency;
mod config;
mod connections;
mod decisions;
mod forms;
mod guard;
mod health;
mod local;
mod local_path;
mod login;
mod marks;
mod metrics;
mod notifications;
mod notifying;
mod pages;
mod panel;
mod password;
mod policy;
mod progress;
mod rate_limit;
mod record;
mod refusal;
mod report;
mod report_page;
mod request_auth;
mod schedule;
mod session;
mod stand_alone;
mod state;
mod theme;
mod totp;
mod visitor;
mod work;

use std::{net::SocketAddr, sync::Arc, time::Duration};

pub use async_trait::async_trait;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
pub use badge::Badge;
pub use clocks::{Clocks, SystemClocks};
pub use config::{ApiConfig, MetricsConfig, ServeConfig, UserConfig, UserRole};
pub use connections::raise_limit as raise_descriptor_limit;
pub use local_path::{BasePath, LocalPath, PanelError};
use login::LoginState;
pub use panel::{HostApplication, Identity, Login, MountOptions, Names};
pub use password::{PasswordError, hash_password};
pub use stand_alone::StandAlone;
pub use state::Backend;
use state::{AppState, Web};
pub use theme::{Colour, Palette, Shade, Theme};
use tokio::net::TcpListener;
pub use totp::{Enrolments, TotpError};
pub use work::{AtWork, Work};

/// Why the pages are not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}. Choose another address with --listen or serve.listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The pages cannot be mounted.
    #[error(transparent)]
    Panel(#[from] PanelError),
    /// The listener broke.
    #[error("the web server failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// Listens on an address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServeError::Listen { address, source })
}

/// How long connections may take to come to their end when the pages are no longer served.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves the pages of this panel, follows its feed and applies what its policy lets it apply, until `shutdown` comes to its end.
pub async fn serve(
    listener: TcpListener,
    backend: Backend,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let app = router(backend.clone())?;
    let limits = connections::Limits::of(&backend.serve);
    let at_work = Work::of(backend).begin();
    let (told, heard) = tokio::sync::oneshot::channel();
    let shutdown = async move {
        shutdown.await;
        // Nobody hears it where the serving has ended by itself.
        let _ = told.send(());
    };
    let serving = connections::serve(listener, app, limits, shutdown);
    // Whoever holds a connection open must not keep the work from its end.
    let late = async {
        if heard.await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(DRAIN).await;
    };
    let served = tokio::select! {
        served = serving => served,
        () = late => Ok(()),
    };
    at_work.end().await;
    Ok(served?)
}

/// The pages with a login of their own as a router, to be mounted at the root of a host of their own.
pub fn router(backend: Backend) -> Result<Router, PanelError> {
    router_of(StandAlone::new(backend))
}

/// The same with a stand-alone panel that is there already.
pub fn router_of(panel: StandAlone) -> Result<Router, PanelError> {
    let panel = Arc::new(panel);
    let backend = panel.backend.clone();
    let serve = &backend.serve;
    let options = MountOptions {
        base: BasePath::root(),
        names: Names::Known(serve.hosts.clone()),
        https: serve.secure_cookie,
    };
    let web = Web::new(serve.clone(), panel.clone(), options, Some("/logout"))?;
    let doors = LoginState {
        web: web.clone(),
        panel,
    };
    let own = Router::new()
        .route("/login", get(login::form).post(login::attempt))
        .route("/logout", post(login::logout))
        .with_state(doors);
    let state = AppState::new(web.clone(), backend);
    Ok(guarded(own.merge(pages(state)), web))
}

/// The pages below another application's address, and the work that goes on behind them.
///
/// The application merges the router, whose paths begin with the base that the options name, gives
/// it requests with [`ConnectInfo`](axum::extract::ConnectInfo), and has [`Work`] begin when it starts
/// to serve.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use spacecp_web::{self as web, Backend, BasePath, HostApplication, MountOptions};
/// # fn example(backend: Backend, application: Arc<dyn HostApplication>) -> Result<(), web::PanelError> {
/// let base = BasePath::new("/advisories-app")?;
/// let mounted = web::mount(backend, application, MountOptions::at(base))?;
/// let router: axum::Router = axum::Router::new().merge(mounted.router);
/// let at_work = mounted.work.begin();
/// # Ok(())
/// # }
/// ```
pub fn mount(
    backend: Backend,
    application: Arc<dyn HostApplication>,
    options: MountOptions,
) -> Result<Mounted, PanelError> {
    let base = options.base.clone();
    let web = Web::new(backend.serve.clone(), application, options, None)?;
    let state = AppState::new(web.clone(), backend.clone());
    let pages = guarded(pages(state), web);
    let router = match base.as_str() {
        "" => pages,
        base => {
            let to_base = Redirect::permanent(base);
            Router::new()
                .nest(base, pages)
                .route(&format!("{base}/"), get(async move || to_base.clone()))
        }
    };
    Ok(Mounted {
        router,
        work: Work::of(backend),
    })
}

/// Pages that another application serves.
#[derive(Debug)]
#[must_use]
pub struct Mounted {
    /// The pages; their paths begin with the base.
    pub router: Router,
    /// What goes on behind them.
    pub work: Work,
}

fn pages(state: AppState) -> Router {
    let api = if state.web.serve.api.enabled {
        api::routes()
    } else {
        Router::new()
    };
    api.route("/", get(pages::overview))
        .route("/advisories", get(pages::advisories))
        .route("/advisories/{id}", get(pages::advisory))
        .route("/components", get(pages::components))
        .route("/exposure", get(record::exposure))
        .route("/changes", get(record::changes))
        .route("/history", get(pages::history))
        .route("/progress/{number}", get(progress::page))
        .route("/progress/{number}/events", get(progress::events))
        .route("/badge.json", get(badge::json))
        .route("/badge.svg", get(badge::picture))
        .route("/fragment", get(badge::fragment))
        .route("/trust", get(pages::trust))
        .route("/notifications", get(notifications::page))
        .route("/notifications/test", post(notifications::test))
        .route("/notifications/retry", post(notifications::retry))
        .route("/report", get(report::page).post(report::send))
        .route("/read-all", post(notifications::read_all))
        .route("/dismiss", post(notifications::dismiss))
        .route("/undismiss", post(notifications::undismiss))
        .route("/policy", get(policy::page).post(policy::edit))
        .route("/policy/switch", post(policy::switch))
        .route("/policy/release", post(policy::release))
        .route("/apply", post(actions::apply))
        .route("/schedule", post(actions::schedule))
        .route("/withdraw-appointment", post(actions::withdraw_appointment))
        .route("/roll-back", post(actions::roll_back))
        .route("/mark-workaround", post(decisions::mark_workaround))
        .route("/lift-workaround", post(decisions::lift_workaround))
        .route("/accept-risk", post(decisions::accept_risk))
        .route("/withdraw-acceptance", post(decisions::withdraw_acceptance))
        .route("/acknowledge-unread", post(local::acknowledge))
        .route("/set-version", post(local::set_version))
        .route("/withdraw-local", post(local::withdraw))
        .route("/sync", post(actions::sync))
        .route("/style.css", get(style))
        .route("/favicon.svg", get(icon))
        .route("/live.js", get(script))
        .route("/metrics", get(metrics::metrics))
        .route(guard::HEALTH, get(|| async { "ok\n" }))
        .route(guard::READY, get(health::ready))
        .fallback(pages::missing)
        .with_state(state)
}

fn guarded(router: Router, web: Web) -> Router {
    router.layer(middleware::from_fn_with_state(web, guard::guard))
}

async fn script() -> impl IntoResponse {
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], include_str!("live.js"))
}

async fn icon() -> impl IntoResponse {
    let kind = HeaderValue::from_static("image/svg+xml");
    ([(header::CONTENT_TYPE, kind)], include_str!("favicon.svg"))
}

async fn style(State(web): State<Web>) -> impl IntoResponse {
    let css = HeaderValue::from_static("text/css; charset=utf-8");
    let sheet = format!(
        "{}{}",
        include_str!("style.css"),
        web.mounting.theme.stylesheet()
    );
    ([(header::CONTENT_TYPE, css)], sheet)
}
