//! What every request must pass, and what every answer carries.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use tokio::time::timeout;
use url::{Url, form_urlencoded};

use super::{
    Web,
    api::{self, Problem},
    body::Holding,
    client::Client,
    concurrency::Counted,
    connections::{Activity, CountedByConnection},
    login,
    panel::{Login, Names},
    progress::Live,
    rate_limit,
    refusal::ErrorPage,
};
use spacecp_render::html::REPORT;

/// Nothing may be loaded but the stylesheet and the icon, nothing may run, nobody may frame the pages, and forms
/// go nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The same where our own script may run and hear from us: it shows how far work under way is.
const POLICY_LIVE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// The page that says no more than that the panel answers.
pub(super) const HEALTH: &str = "/health";

/// The page that says whether the panel can do its work.
pub(super) const READY: &str = "/health/ready";

/// Bytes of a form.
const LONGEST_FORM: usize = 16 << 10;

/// Bytes of the form of a report: four texts of 32 KiB, of which a browser makes three times as many.
const LONGEST_REPORT: usize = 512 << 10;

/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn guard(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let options = &web.mounting.options;
    let to_a_program = api::is_below(request.uri(), options.base.as_str());
    let proxies = &web.serve.proxies;
    let client = Client::of(request.extensions(), request.headers(), proxies);
    if let Some(client) = client {
        request.extensions_mut().insert(client);
    }
    let response = match admit(&web, client, &request) {
        Ok(counted) => {
            let response = pass_on(&web, request, next).await;
            // Counted until the answer has been sent, which may take longer than to compose it.
            response.map(|body| Body::new(Holding::new(body, counted)))
        }
        Err(refusal) => refusal,
    };
    let mut response = if to_a_program {
        as_problem(response)
    } else {
        calm(&web, response)
    };
    let policy = match response.extensions_mut().remove::<Live>() {
        Some(Live) => POLICY_LIVE,
        None => POLICY,
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not "no-referrer": with it a browser that reaches the pages by plain http calls the origin
        // of their own forms "null", and none could be told from a forged one.
        (header::REFERRER_POLICY, "same-origin"),
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
    if options.https {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

fn refused(status: StatusCode, words: &str) -> Response {
    tracing::warn!(%status, words, "request rejected");
    let mut response = status.into_response();
    response.extensions_mut().insert(ErrorPage::Page {
        title: "Request rejected",
        words: words.to_owned(),
    });
    response
}

/// Counts the request, or refuses it. Nobody is refused for their number where it is not known who it is.
///
/// Requests for `/health` are not counted: a monitor at the address of somebody who floods the panel is to learn
/// that the panel is up, and there is no cheaper answer than that one.
#[expect(clippy::result_large_err, reason = "a response is what it is")]
fn admit(
    web: &Web,
    client: Option<Client>,
    request: &Request,
) -> Result<Option<Counted>, Response> {
    let options = &web.mounting.options;
    let is_health = own_path(request.uri(), options.base.as_str()) == HEALTH;
    let counted = match client {
        Some(client) if !is_health => count(web, client, request)?,
        _ => None,
    };
    match refuse(request.method(), request.headers(), &options.names) {
        Some((status, words)) => Err(refused(status, words)),
        None => Ok(counted),
    }
}

/// Counts a request for its client's address: by the minute, and while it is answered unless connections are
/// counted for that address already.
#[expect(clippy::result_large_err, reason = "a response is what it is")]
fn count(web: &Web, client: Client, request: &Request) -> Result<Option<Counted>, Response> {
    let network = client.network();
    if let Some(addresses) = &web.paces.addresses
        && let Err(wait) = addresses.count(&network)
    {
        return Err(too_many(
            StatusCode::TOO_MANY_REQUESTS,
            rate_limit::seconds(wait),
        ));
    }
    if request.extensions().get::<CountedByConnection>().is_some() {
        return Ok(None);
    }
    match web.concurrency.count(network) {
        Some(counted) => Ok(Some(counted)),
        None => Err(too_many(StatusCode::TOO_MANY_REQUESTS, 1)),
    }
}

/// What is answered when there are more requests than may be.
fn too_many(status: StatusCode, retry_after: u64) -> Response {
    let after = (header::RETRY_AFTER, retry_after.to_string());
    let mut response = (status, [after]).into_response();
    response.extensions_mut().insert(ErrorPage::Page {
        title: "Too many requests",
        words: "Wait a moment, then reload the page.".into(),
    });
    response
}

/// The path of a request below the base of the pages.
fn own_path<'a>(uri: &'a Uri, base: &str) -> &'a str {
    uri.path().strip_prefix(base).unwrap_or(uri.path())
}

/// How long the form of a request may be: only somebody who is logged in may send a report.
async fn longest(web: &Web, parts: &Parts) -> usize {
    let base = web.mounting.options.base.as_str();
    let is_report = parts.method == Method::POST && own_path(&parts.uri, base) == REPORT;
    if is_report && web.application.identify(parts).await.is_some() {
        LONGEST_REPORT
    } else {
        LONGEST_FORM
    }
}

/// Reads the whole form, within its limits, before anything is done with it; then waits for the request's turn.
async fn pass_on(web: &Web, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let longest = longest(web, &parts).await;
    let form = match timeout(PATIENCE, to_bytes(body, longest)).await {
        Ok(Ok(form)) => form,
        Ok(Err(_)) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    let request = Request::from_parts(parts, Body::from(form));
    let path = own_path(request.uri(), web.mounting.options.base.as_str());
    let _turn = if path == HEALTH || path == READY {
        None
    } else {
        let Some(turn) = web.concurrency.turn().await else {
            return too_many(StatusCode::SERVICE_UNAVAILABLE, 5);
        };
        Some(turn)
    };
    if let Some(activity) = request.extensions().get::<Arc<Activity>>() {
        activity.answering();
    }
    next.run(request).await
}

/// What the framework refuses, as programs want to read it.
fn as_problem(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let well = status.is_success() || kind.is_some_and(|kind| kind == api::MEDIA_TYPE);
    if well {
        return response;
    }
    // Pages' own refusals lead to a login or are drawn for people; neither is for a program.
    let status = if status.is_redirection() {
        StatusCode::NOT_FOUND
    } else {
        status
    };
    let mut problem = Problem::of_status(status).into_response();
    keep_headers(&response, &mut problem);
    problem
}

/// What handlers and the router refuse, as a page in words.
fn calm(web: &Web, mut response: Response) -> Response {
    match response.extensions_mut().remove::<ErrorPage>() {
        Some(ErrorPage::LogIn { asked }) => return to_login(web, asked.as_deref()),
        Some(ErrorPage::Page { title, words }) => {
            let mut page = web.plain(response.status(), title, &words, None);
            keep_headers(&response, &mut page);
            return page;
        }
        None => {}
    }
    let (title, words) = match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => ("Method not allowed", "Go back to the overview."),
        StatusCode::PAYLOAD_TOO_LARGE => (
            "Request too large",
            "Nothing was changed. Go back and send a shorter form.",
        ),
        StatusCode::REQUEST_TIMEOUT => (
            "Request timeout",
            "Nothing was changed. Go back and submit the form again.",
        ),
        StatusCode::BAD_REQUEST
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => (
            "Invalid request",
            "Nothing was changed. Go back, reload the page and repeat the action.",
        ),
        _ => return response,
    };
    let mut page = web.plain(response.status(), title, words, None);
    keep_headers(&response, &mut page);
    page
}

/// What the framework and we said beside the status holds for the answer in words, too.
fn keep_headers(from: &Response, to: &mut Response) {
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = from.headers().get(&name) {
            to.headers_mut().insert(name, value.clone());
        }
    }
}

/// Leads to wherever the panel has people log in.
fn to_login(web: &Web, asked: Option<&str>) -> Response {
    match web.application.login() {
        Login::Own(path) => web.lead(&login::address(path.as_str(), asked)),
        Login::Host {
            path,
            back: Some(field),
        } => {
            let asked = web.site().at(asked.unwrap_or("/"));
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair(field, &asked)
                .finish();
            Redirect::to(&format!("{}?{query}", path.as_str())).into_response()
        }
        Login::Host { path, back: None } => Redirect::to(path.as_str()).into_response(),
    }
}

fn refuse(
    method: &Method,
    headers: &HeaderMap,
    names: &Names,
) -> Option<(StatusCode, &'static str)> {
    if !known_host(headers, names) {
        return Some((
            StatusCode::MISDIRECTED_REQUEST,
            "Unknown host name. If it is correct, add it to serve.hosts in the configuration.",
        ));
    }
    if method != Method::GET && method != Method::HEAD && !same_origin(headers) {
        return Some((
            StatusCode::FORBIDDEN,
            "The form was not submitted from these pages.",
        ));
    }
    None
}

/// Whether the name that the browser used is one of ours. A name that somebody else points at this
/// machine must not open the pages to their scripts (DNS rebinding).
fn known_host(headers: &HeaderMap, names: &Names) -> bool {
    let Names::Known(names) = names else {
        return true;
    };
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
            name == "localhost" || names.iter().any(|known| known.eq_ignore_ascii_case(name))
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
