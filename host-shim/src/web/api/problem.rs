//! What the API answers when it does not do what it was asked for: a problem as RFC 9457 has it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    apply::ApplyError, automation::AutomationError, notify::NotifyError, plugin::PluginError,
    shim::ShimError, sync::SyncError,
};

/// The media type.
pub(in crate::web) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::web) struct Problem {
    /// Names the kind of problem; it does not change. The last part is `code`.
    #[schema(example = "tag:spacecp.net,2026:problem/embargo")]
    r#type: String,
    /// The kind in one word, for programs to tell problems apart.
    code: &'static str,
    /// The kind in a few words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// What was the matter this time, and what to do.
    detail: String,
    /// Seconds after which it may be tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    pub(in crate::web) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            r#type: format!("tag:spacecp.net,2026:problem/{code}"),
            code,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            retry_after: None,
        }
    }

    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Something is under embargo: it may not be given out by a program.
    pub(super) fn embargo() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "embargo",
            "Under embargo",
            "This is under embargo, and not given out to programs. An administrator reads it on this panel's pages.",
        )
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is nothing here",
            format!("there is no {what} {name:?} here"),
        )
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "malformed",
            "This request cannot be used",
            detail,
        )
    }

    /// A problem that the framework found, by its status.
    pub(in crate::web) fn of_status(status: StatusCode) -> Self {
        let (code, title, detail) = match status {
            StatusCode::NOT_FOUND => (
                "not-found",
                "There is nothing here",
                "the address leads nowhere; /api/v1/openapi.json lists those that do",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method",
                "This address is not for that",
                "the header Allow says which methods it takes",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("too-large", "This is too long", "send at most 16 KiB")
            }
            StatusCode::TOO_MANY_REQUESTS => (
                "too-often",
                "Too many requests",
                "the header Retry-After says how many seconds to wait",
            ),
            StatusCode::REQUEST_TIMEOUT => (
                "timeout",
                "This took too long to arrive",
                "send the whole request within 10 seconds",
            ),
            StatusCode::MISDIRECTED_REQUEST => (
                "host",
                "This panel is not known by that name",
                "add the name to serve.hosts in the configuration if it is right",
            ),
            StatusCode::FORBIDDEN => (
                "origin",
                "This request was refused",
                "it came from a page of another site",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "malformed",
                "This request cannot be used",
                "send JSON, and say so with content-type: application/json",
            ),
            status if status.is_client_error() => (
                "malformed",
                "This request cannot be used",
                "it is not as /api/v1/openapi.json describes it",
            ),
            _ => ("fault", "That did not work", "the panel's log says more"),
        };
        Self::new(status, code, title, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("a problem holds texts and numbers only");
        let kind = [(header::CONTENT_TYPE, MEDIA_TYPE)];
        let mut response = (status, kind, body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer realm=\"spacecp-advisories\"");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

impl From<ShimError> for Problem {
    fn from(error: ShimError) -> Self {
        let (status, code, title) = kind(&error);
        if status.is_server_error() {
            tracing::error!(%error, "the API could not answer");
        }
        Self::new(status, code, title, error.to_string())
    }
}

/// What kind of problem an error is.
fn kind(error: &ShimError) -> (StatusCode, &'static str, &'static str) {
    let missing = (StatusCode::NOT_FOUND, "not-found", "There is nothing here");
    let refused = (StatusCode::CONFLICT, "refused", "The panel refuses this");
    match error {
        ShimError::NotFound { .. } | ShimError::Plugin(PluginError::NotFound { .. }) => missing,
        ShimError::Decision(error) if error.is_not_found() => missing,
        ShimError::Decision(_) | ShimError::NotCorrectable { .. } => refused,
        ShimError::Automation(AutomationError::NoAppointment { .. }) => missing,
        ShimError::Automation(_) => refused,
        ShimError::Apply(ApplyError::Drifted { .. }) => (
            StatusCode::CONFLICT,
            "drifted",
            "Something has changed since",
        ),
        ShimError::Apply(ApplyError::Busy { .. }) | ShimError::Notify(NotifyError::Busy) => {
            (StatusCode::CONFLICT, "busy", "Somebody else is at it")
        }
        ShimError::Apply(
            ApplyError::NotApplicable { .. }
            | ApplyError::Obstacle { .. }
            | ApplyError::WantsWord { .. }
            | ApplyError::Circle { .. }
            | ApplyError::SameFolder { .. }
            | ApplyError::NotAlone { .. }
            | ApplyError::Irreversible { .. },
        ) => refused,
        ShimError::Sync(SyncError::Trust(_) | SyncError::PinChanged { .. }) => (
            StatusCode::BAD_GATEWAY,
            "distrusted",
            "What the feed offers is not to be trusted",
        ),
        ShimError::Sync(_) | ShimError::Fetch(_) => (
            StatusCode::BAD_GATEWAY,
            "feed",
            "The feed could not be followed",
        ),
        ShimError::NoPlugin(_) | ShimError::Plugin(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "plugin",
            "The plugin has no answer",
        ),
        _ => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "fault",
            "That did not work",
        ),
    }
}
