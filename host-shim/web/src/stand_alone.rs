//! The panel of the stand-alone program: users from the configuration, a login of its own.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::request::Parts;

use super::{
    Backend, Clocks, HostApplication, ServeConfig, SystemClocks,
    attempts::Attempts,
    local_path::LocalPath,
    panel::{Identity, Login},
    session::Sessions,
};

/// The cookie's name. With https it has the prefix that binds it to this host.
pub(super) fn cookie_name(serve: &ServeConfig) -> &'static str {
    if serve.secure_cookie {
        "__Host-spacecp"
    } else {
        "spacecp"
    }
}

/// Its own login, with the users that the configuration names.
#[derive(Debug)]
pub struct StandAlone {
    pub(super) backend: Backend,
    pub(super) sessions: Sessions,
    pub(super) attempts: Attempts,
    pub(super) clocks: Arc<dyn Clocks>,
}

impl StandAlone {
    /// The panel with the users of this configuration; nobody is logged in yet.
    pub fn new(backend: Backend) -> Self {
        Self::by(backend, Arc::new(SystemClocks))
    }

    /// The same with other clocks.
    pub fn by(backend: Backend, clocks: Arc<dyn Clocks>) -> Self {
        Self {
            sessions: Sessions::new(clocks.clone()),
            attempts: Attempts::new(clocks.clone()),
            backend,
            clocks,
        }
    }
}

#[async_trait]
impl HostApplication for StandAlone {
    async fn identify(&self, request: &Parts) -> Option<Identity> {
        let cookie = cookie_name(&self.backend.serve);
        self.sessions.of(&request.headers, cookie)
    }

    fn login(&self) -> Login {
        Login::Own(LocalPath::new("/login").expect("a path that is written here is one"))
    }
}
