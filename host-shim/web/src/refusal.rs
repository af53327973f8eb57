//! Why a request for a page is refused, as a response that the guard draws.

use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use spacecp_notify::NotifyError;
use spacecp_services::{ErrorKind, ServiceError};

/// Why somebody does not get what they asked for.
pub(super) enum Refusal {
    /// Nobody is logged in.
    LogIn {
        /// The path that they asked for.
        asked: Option<String>,
    },
    /// They may not act.
    Viewer,
    /// The form does not belong to their session.
    Token,
    /// A service says why.
    Failed {
        /// What kind of failure it is.
        kind: ErrorKind,
        /// Why, and what to do.
        words: String,
        /// What a log may say of it.
        for_log: String,
    },
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self::Failed {
            kind: error.kind(),
            words: error.to_string(),
            for_log: error.for_log(),
        }
    }
}

impl From<NotifyError> for Refusal {
    fn from(error: NotifyError) -> Self {
        Self::Failed {
            kind: error.kind(),
            words: error.to_string(),
            for_log: error.to_string(),
        }
    }
}

/// A refusal before it is drawn: the guard knows where the pages are and how they look.
#[derive(Debug, Clone)]
pub(super) enum ErrorPage {
    /// The browser is to go to the login.
    LogIn {
        /// The path that was asked for.
        asked: Option<String>,
    },
    /// A page in the shim's own words.
    Page {
        /// Its title.
        title: &'static str,
        /// Its words.
        words: String,
    },
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let page = |status: StatusCode, title, words: String| {
            (status, Extension(ErrorPage::Page { title, words })).into_response()
        };
        match self {
            Self::LogIn { asked } => {
                (StatusCode::SEE_OTHER, Extension(ErrorPage::LogIn { asked })).into_response()
            }
            Self::Viewer => page(
                StatusCode::FORBIDDEN,
                "Administrator role required",
                "Ask an administrator of this panel.".to_owned(),
            ),
            Self::Token => page(
                StatusCode::FORBIDDEN,
                "Form expired",
                "Go back, reload the page and repeat the action.".to_owned(),
            ),
            Self::Failed {
                kind,
                words,
                for_log,
            } => {
                let status = status_of(kind);
                if status.is_server_error() {
                    tracing::error!(error = for_log, "page failed");
                }
                let title = match kind {
                    ErrorKind::NotFound => "Page not found",
                    kind => kind.meaning().title,
                };
                page(status, title, words)
            }
        }
    }
}

/// The HTTP status of a kind of failure, of a page and of the API.
pub(crate) fn status_of(kind: ErrorKind) -> StatusCode {
    StatusCode::from_u16(kind.meaning().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
