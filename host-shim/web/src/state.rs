//! What a request is answered from: the services of the panel, each on its own, and how the pages look here.
//!
//! A handler names the one service that it needs; none is given all of them.

use std::sync::Arc;

use axum::extract::FromRef;
use spacecp_notify::Notifications;
use spacecp_render::html::Site;
use spacecp_services::{
    Automation, Corrections, Decisions, Exposure, Feed, Panel, Reports, Tokens, Trust,
};

use crate::{
    HostApplication, MountOptions, PanelError, ServeConfig, Theme,
    background::Works,
    concurrency::Concurrency,
    rate_limit::Paces,
    visitor::{CsrfTokens, Notices},
};

/// The services that pages and API are answered from, and how they are served.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The services of the panel.
    pub panel: Panel,
    /// Its notifications.
    pub notifications: Notifications,
    /// How pages and API are served.
    pub serve: Arc<ServeConfig>,
}

/// Everything that a request may need.
#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) web: Web,
    backend: Backend,
}

impl AppState {
    pub(crate) fn new(web: Web, backend: Backend) -> Self {
        Self { web, backend }
    }
}

/// How the pages are drawn, and to whom: nothing of what they say.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) serve: Arc<ServeConfig>,
    pub(crate) application: Arc<dyn HostApplication>,
    pub(crate) mounting: Arc<Mounting>,
    pub(crate) notices: Arc<Notices>,
    pub(crate) works: Arc<Works>,
    pub(crate) csrf: CsrfTokens,
    pub(crate) paces: Arc<Paces>,
    pub(crate) concurrency: Arc<Concurrency>,
}

/// Where and how the pages are mounted.
#[derive(Debug)]
pub(crate) struct Mounting {
    pub(crate) options: MountOptions,
    pub(crate) theme: Theme,
    /// Where our own form logs out, if the login is ours.
    logout: Option<&'static str>,
}

impl Web {
    pub(crate) fn new(
        serve: Arc<ServeConfig>,
        application: Arc<dyn HostApplication>,
        options: MountOptions,
        logout: Option<&'static str>,
    ) -> Result<Self, PanelError> {
        let csrf = CsrfTokens::new().map_err(|_| PanelError::Randomness)?;
        let theme = application.theme();
        Ok(Self {
            paces: Arc::new(Paces::of(&serve)),
            concurrency: Arc::new(Concurrency::of(&serve)),
            serve,
            application,
            mounting: Arc::new(Mounting {
                options,
                theme,
                logout,
            }),
            notices: Arc::default(),
            works: Arc::default(),
            csrf,
        })
    }

    pub(crate) fn site(&self) -> Site<'_> {
        let Mounting {
            options,
            theme,
            logout,
        } = &*self.mounting;
        Site {
            base: options.base.as_str(),
            brand: theme.brand(),
            back: theme.back(),
            logout: *logout,
        }
    }
}

impl FromRef<AppState> for Web {
    fn from_ref(state: &AppState) -> Self {
        state.web.clone()
    }
}

impl FromRef<AppState> for Notifications {
    fn from_ref(state: &AppState) -> Self {
        state.backend.notifications.clone()
    }
}

/// Lets a handler take this service of the panel.
macro_rules! service {
    ($($name:ident: $service:ty),+) => {
        $(impl FromRef<AppState> for $service {
            fn from_ref(state: &AppState) -> Self {
                state.backend.panel.$name.clone()
            }
        })+
    };
}

service!(
    feed: Feed,
    exposure: Exposure,
    corrections: Corrections,
    automation: Automation,
    decisions: Decisions,
    trust: Trust,
    tokens: Tokens,
    reports: Reports
);
