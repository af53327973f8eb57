//! The panel of the stand-alone program: users from the configuration, a login of its own.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::request::Parts;

use super::{
    Panel,
    login::{Attempts, cookie_name},
    panel::{Identity, LocalPath, Login},
    session::Sessions,
};
use crate::shim::Shim;

/// Its own login, with the users that the configuration names.
#[derive(Debug)]
pub struct StandAlone {
    pub(super) shim: Arc<Shim>,
    pub(super) sessions: Sessions,
    pub(super) attempts: Attempts,
}

impl StandAlone {
    /// The panel with the users of this shim's configuration; nobody is logged in yet.
    pub fn new(shim: Arc<Shim>) -> Self {
        Self {
            shim,
            sessions: Sessions::default(),
            attempts: Attempts::default(),
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
