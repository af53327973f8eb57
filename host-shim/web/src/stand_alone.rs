//! The panel of the stand-alone program: users from the configuration, a login of its own.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::request::Parts;

use super::{
    Clocks, Panel, SystemClocks,
    attempts::Attempts,
    login::cookie_name,
    panel::{Identity, LocalPath, Login},
    session::Sessions,
};
use spacecp_panel::shim::Shim;

/// Its own login, with the users that the configuration names.
#[derive(Debug)]
pub struct StandAlone {
    pub(super) shim: Arc<Shim>,
    pub(super) sessions: Sessions,
    pub(super) attempts: Attempts,
    pub(super) clocks: Arc<dyn Clocks>,
}

impl StandAlone {
    /// The panel with the users of this shim's configuration; nobody is logged in yet.
    pub fn new(shim: Arc<Shim>) -> Self {
        Self::by(shim, Arc::new(SystemClocks))
    }

    /// The same with other clocks.
    pub fn by(shim: Arc<Shim>, clocks: Arc<dyn Clocks>) -> Self {
        Self {
            sessions: Sessions::new(clocks.clone()),
            attempts: Attempts::new(clocks.clone()),
            shim,
            clocks,
        }
    }
}

#[async_trait]
impl Panel for StandAlone {
    async fn identify(&self, request: &Parts) -> Option<Identity> {
        let cookie = cookie_name(&self.shim.config().serve);
        self.sessions.of(&request.headers, cookie)
    }

    fn login(&self) -> Login {
        Login::Own(LocalPath::new("/login").expect("a path that is written here is one"))
    }
}
