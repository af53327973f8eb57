//! What the API answers when it does not do what it was asked for: a problem as RFC 9457 has it.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use spacecp_notify::NotifyError;
use spacecp_services::{ErrorKind, ServiceError};
use utoipa::ToSchema;

use crate::refusal::status_of;

/// The media type.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// URI of the kind of problem; stable. Its last part is `code`.
    #[schema(example = "tag:spacecp.net,2026:problem/embargo")]
    r#type: String,
    /// Kind of the problem in one word, for programs.
    code: &'static str,
    /// Kind of the problem in a few words.
    title: &'static str,
    /// The status code.
    status: u16,
    /// What failed, and what to do.
    detail: String,
    /// Seconds to wait before a retry.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    pub(crate) fn new(
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

    /// A failure of this kind.
    pub(crate) fn of_kind(kind: ErrorKind, detail: impl Into<String>) -> Self {
        let meaning = kind.meaning();
        Self::new(status_of(kind), meaning.problem, meaning.title, detail)
    }

    /// A failure with its words for whoever asked, and for the log.
    fn failed(kind: ErrorKind, detail: &str, for_log: &str) -> Self {
        if status_of(kind).is_server_error() {
            tracing::error!(error = for_log, "API request failed");
        }
        Self::of_kind(kind, detail)
    }

    pub(super) fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Something is under embargo: it may not be given out by a program.
    pub(super) fn embargo() -> Self {
        Self::of_kind(
            ErrorKind::Embargo,
            "Embargoed documents are not available through the API. An administrator can read them on the panel's pages.",
        )
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        let name: String = name.chars().take(200).collect();
        Self::of_kind(
            ErrorKind::NotFound,
            format!("no {what} {name:?} on this panel"),
        )
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Invalid, detail)
    }

    /// A problem that the framework found, by its status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let (code, title, detail) = match status {
            StatusCode::NOT_FOUND => (
                "not-found",
                "Not found",
                "unknown path; see /api/v1/openapi.json",
            ),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method",
                "Method not allowed",
                "see the header Allow for the methods supported",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("too-large", "Request too large", "send at most 16 KiB")
            }
            StatusCode::TOO_MANY_REQUESTS => (
                "too-often",
                "Too many requests",
                "the header Retry-After says how many seconds to wait",
            ),
            StatusCode::REQUEST_TIMEOUT => (
                "timeout",
                "Request timeout",
                "send the whole request within 10 seconds",
            ),
            StatusCode::MISDIRECTED_REQUEST => (
                "host",
                "Unknown host name",
                "if the name is correct, add it to serve.hosts in the configuration",
            ),
            StatusCode::FORBIDDEN => (
                "origin",
                "Request rejected",
                "the form was submitted from another site",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => (
                "malformed",
                "Invalid request",
                "send JSON with content-type: application/json",
            ),
            status if status.is_client_error() => (
                "malformed",
                "Invalid request",
                "the request does not match /api/v1/openapi.json",
            ),
            _ => ("fault", "Request failed", "see the panel's log"),
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

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        Self::failed(error.kind(), &error.to_string(), &error.for_log())
    }
}

impl From<NotifyError> for Problem {
    fn from(error: NotifyError) -> Self {
        let words = error.to_string();
        Self::failed(error.kind(), &words, &words)
    }
}
