//! The pages inside another axum application, below `/advisories-app`.
//!
//! `cargo run --package spacecp-advisories --example embedded -- panel.toml` serves an application
//! with a page of its own at `/`, and prints one link for an administrator and one for a viewer.
//! What an application brings is all here: who somebody is ([`Application::identify`]), where they
//! log in, how the pages look, and where they are mounted.

use std::{
    collections::HashMap,
    fmt::Write as _,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{Path as Segment, Query, Request, State},
    http::{StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use spacecp_advisories::{
    App,
    config::{Config, UserRole},
    web::{
        self, BasePath, Colour, HostApplication, Identity, LocalPath, Login, MountOptions, Names,
        Palette, Shade, Theme, Work, async_trait,
    },
};

/// Where the pages are mounted.
pub(crate) const BASE: &str = "/advisories-app";

/// The cookie of the application's own sessions.
pub(crate) const COOKIE: &str = "acme";

/// Somebody whom the application has let in.
#[derive(Debug, Clone)]
struct Someone {
    name: String,
    role: UserRole,
    secret: String,
}

/// The application: its own sessions, by their secret.
#[derive(Debug, Default)]
pub(crate) struct Application {
    sessions: Mutex<HashMap<String, Someone>>,
}

impl Application {
    /// Lets somebody in and returns the secret of their session.
    pub(crate) fn let_in(&self, name: &str, role: UserRole) -> Result<String> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let mut secret = String::new();
        for byte in bytes {
            write!(secret, "{byte:02x}")?;
        }
        let someone = Someone {
            name: name.to_owned(),
            role,
            secret: secret.clone(),
        };
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(secret.clone(), someone);
        Ok(secret)
    }

    fn find(&self, secret: &str) -> Option<Someone> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(secret).cloned()
    }
}

#[async_trait]
impl HostApplication for Application {
    async fn identify(&self, request: &Parts) -> Option<Identity> {
        // The application's own layer has found out already who it is.
        let someone = request.extensions.get::<Someone>()?;
        Some(Identity {
            user: someone.name.clone(),
            role: someone.role,
            session: someone.secret.clone(),
        })
    }

    fn login(&self) -> Login {
        Login::Host {
            path: LocalPath::new("/login").expect("a path that is written here is one"),
            back: Some("next"),
        }
    }

    fn theme(&self) -> Theme {
        theme().expect("colours and names that are written here are sound")
    }
}

fn theme() -> Result<Theme, web::PanelError> {
    let light = Palette::LIGHT.with(Shade::Accent, Colour::new("#7a2e8e")?);
    let dark = Palette::DARK.with(Shade::Accent, Colour::new("#e0a8f0")?);
    Theme::default()
        .coloured(light, dark)?
        .named("Acme Hosting")?
        .with_way_back("Back to Acme", LocalPath::new("/")?)
}

/// The whole application with the pages in it, and the work behind them.
pub(crate) fn app(panel: &App, application: Arc<Application>) -> Result<(Router, Work)> {
    let options = MountOptions {
        // This application is reached by an address; one with a name of its own says it here.
        names: Names::Known(Vec::new()),
        https: false,
        ..MountOptions::at(BasePath::new(BASE)?)
    };
    let mounted = web::mount(panel.backend(), application.clone(), options)?;
    let app = Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/enter/{secret}", get(enter))
        .with_state(application.clone())
        .merge(mounted.router)
        .layer(middleware::from_fn_with_state(application, whoever));
    Ok((app, mounted.work))
}

/// The application's own layer: says to everything behind it who somebody is.
async fn whoever(
    State(application): State<Arc<Application>>,
    mut request: Request,
    next: Next,
) -> Response {
    let cookies = request.headers().get(header::COOKIE);
    let secret = cookies
        .and_then(|cookies| cookies.to_str().ok())
        .and_then(|cookies| {
            let mut pairs = cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='));
            pairs.find(|(name, _)| *name == COOKIE)
        })
        .and_then(|(_, secret)| application.find(secret));
    if let Some(someone) = secret {
        request.extensions_mut().insert(someone);
    }
    next.run(request).await
}

async fn home() -> Html<String> {
    Html(format!("<h1>Acme</h1><a href=\"{BASE}\">Advisories</a>"))
}

async fn login() -> Html<&'static str> {
    Html("<h1>Log in</h1><p>Open one of the links that were printed at the start.</p>")
}

async fn enter(
    State(application): State<Arc<Application>>,
    Segment(secret): Segment<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    if application.find(&secret).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let next = query.get("next").map_or(BASE, String::as_str);
    let next = LocalPath::new(next).map_or(BASE.to_owned(), |path| path.as_str().to_owned());
    let cookie = format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax");
    ([(header::SET_COOKIE, cookie)], Redirect::to(&next)).into_response()
}

#[tokio::main]
#[allow(
    dead_code,
    reason = "the tests mount the application without starting it"
)]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1);
    let path = path.context("say which configuration: embedded panel.toml")?;
    let panel = App::open(Config::load(Path::new(&path))?).await?;
    let application = Arc::new(Application::default());
    let (app, work) = app(&panel, application.clone())?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    for (name, role) in [
        ("ada", UserRole::Administrator),
        ("victor", UserRole::Viewer),
    ] {
        let secret = application.let_in(name, role)?;
        print(&format!("{name}: http://{address}/enter/{secret}"));
    }
    let at_work = work.begin();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    // Whatever is being applied comes to its end first.
    at_work.end().await;
    Ok(())
}

#[allow(
    dead_code,
    clippy::print_stdout,
    reason = "an example talks to whoever started it"
)]
fn print(line: &str) {
    println!("{line}");
}
