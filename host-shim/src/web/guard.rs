//! What every request must pass, and what every answer carries.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::Url;

use super::{Web, pages::shim_page};
use crate::config::ServeConfig;

/// Nothing may be loaded but the stylesheet, nothing may run, nobody may frame the pages, and forms
/// go nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

pub(super) async fn guard(State(web): State<Web>, request: Request, next: Next) -> Response {
    let serve = &web.shim.config().serve;
    let refusal = refuse(request.method(), request.headers(), serve);
    let mut response = match refusal {
        Some((status, words)) => {
            tracing::warn!(%status, words, "a request was refused");
            shim_page(status, "This request was refused", words, None).into_response()
        }
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            header::HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if serve.secure_cookie {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

fn refuse(
    method: &Method,
    headers: &HeaderMap,
    serve: &ServeConfig,
) -> Option<(StatusCode, &'static str)> {
    if !known_host(headers, serve) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "These pages are not known by that name. Add it to serve.hosts in the configuration if it is right.",
        ));
    }
    if method != Method::GET && method != Method::HEAD && !same_origin(headers) {
        return Some((
            StatusCode::FORBIDDEN,
            "The form did not come from these pages.",
        ));
    }
    None
}

/// Whether the name that the browser used is one of ours. A name that somebody else points at this
/// machine must not open the pages to their scripts (DNS rebinding).
fn known_host(headers: &HeaderMap, serve: &ServeConfig) -> bool {
    let Some(host) = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
    else {
        return false;
    };
    let Ok(url) = Url::parse(&format!("http://{host}/")) else {
        return false;
    };
    match url.host() {
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        Some(url::Host::Domain(name)) => {
            name == "localhost"
                || serve
                    .hosts
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
        }
        None => false,
    }
}

/// Whether the browser says that a form came from these pages. A browser that says nothing at all is
/// not refused for that: the session's token decides.
fn same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let (Ok(origin), Some(Ok(host))) = (
        origin.to_str(),
        headers.get(header::HOST).map(HeaderValue::to_str),
    ) else {
        return false;
    };
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority == host)
}
