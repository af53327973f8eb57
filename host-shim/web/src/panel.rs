//! The panel around the pages: who somebody is, where they log in, where the pages are, and how
//! they look there.
//!
//! Whoever embeds the shim implements [`HostApplication`]; the stand-alone program brings
//! [`StandAlone`](super::StandAlone). A panel says who somebody is and never what they have done:
//! tokens against forged forms, the look at where a form came from, and every check of a role are
//! the shim's, whatever panel is around it.

use async_trait::async_trait;
use axum::http::request::Parts;

use super::{
    local_path::{BasePath, LocalPath},
    theme::Theme,
};
use crate::UserRole;

/// What the shim wants to know of the application that embeds it.
#[async_trait]
pub trait HostApplication: std::fmt::Debug + Send + Sync + 'static {
    /// Who sends a request; none for somebody who is not logged in.
    ///
    /// Asked for every request to a page, with its headers and whatever the application's own
    /// layers have put into its extensions.
    async fn identify(&self, request: &Parts) -> Option<Identity>;

    /// Where somebody who is not logged in is sent.
    fn login(&self) -> Login;

    /// How the pages look.
    fn theme(&self) -> Theme {
        Theme::default()
    }
}

/// Somebody who is logged in.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Their name, as the history is to show it.
    pub user: String,
    /// What they may do.
    pub role: UserRole,
    /// Something secret that is the same for the whole of their session and belongs to no other:
    /// the session's id, say. It is shown to nobody. The token that their forms carry is derived
    /// from it, so that it ends with the session.
    pub session: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("user", &self.user)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Where somebody logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// On a page of ours, below the base.
    Own(LocalPath),
    /// On a page of the application.
    Host {
        /// Its path on the same host.
        path: LocalPath,
        /// The field of the query that tells it which page to go back to, if it has one.
        back: Option<&'static str>,
    },
}

/// By which names browsers may reach the pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// By addresses, by `localhost`, and by these: a name that somebody else points at this machine
    /// opens nothing.
    Known(Vec<String>),
    /// By any: the application has looked at the name already.
    CheckedByHost,
}

/// How the pages are mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountOptions {
    /// Where.
    pub base: BasePath,
    /// By which names.
    pub names: Names,
    /// Whether browsers reach the pages by https only, and are told to stay with it.
    pub https: bool,
}

impl MountOptions {
    /// At a base, with the names looked at here and by https only.
    pub fn at(base: BasePath) -> Self {
        Self {
            base,
            names: Names::Known(Vec::new()),
            https: true,
        }
    }
}
