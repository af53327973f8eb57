//! A feed on a web server.
//!
//! Redirects are refused, nothing is decompressed, no cookies are kept: what the feed's address
//! answers is all there is.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header};
use spacecp_contract::FeedPath;
use url::Url;

use super::{Access, FetchError, Fetched, Patience, Retries, access::innermost};

/// A web server that holds a feed.
#[derive(Debug, Clone)]
pub struct Http {
    base: Arc<Url>,
    client: Client,
    patience: Patience,
    retries: Retries,
}

/// A request that gave nothing, and for how long the server asked to be left alone.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: FetchError,
    pub(super) asked_for: Option<Duration>,
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        Self {
            error,
            asked_for: None,
        }
    }
}

impl Failed {
    /// Whether the same request may do better in a while.
    pub(super) fn may_pass(&self) -> bool {
        match self.error {
            FetchError::Connection { .. } => true,
            FetchError::Status { status, .. } => {
                matches!(status, 408 | 425 | 429 | 500 | 502..=504)
            }
            _ => false,
        }
    }
}

impl Http {
    pub(super) fn new(address: &str, access: Access) -> Result<Self, FetchError> {
        let failed = |reason: String| FetchError::Address {
            address: address.to_owned(),
            reason,
        };
        let mut base = Url::parse(address).map_err(|error| failed(error.to_string()))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(failed("the address must have a path".to_owned()));
        }
        // Addresses are shown and logged.
        if !base.username().is_empty() || base.password().is_some() {
            return Err(failed(
                "the address must not contain a user name or password".to_owned(),
            ));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = access.client(base.scheme() == "https").map_err(failed)?;
        Ok(Self {
            base: Arc::new(base),
            client,
            patience: access.patience,
            retries: access.retries,
        })
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    pub(super) fn base(&self) -> String {
        self.base.to_string()
    }

    pub(super) fn address(&self, path: &FeedPath) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) async fn get(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let allowed = self.patience.for_document(limit);
        let whole = self.get_patiently(path, limit, known);
        let address = || self.address(path);
        tokio::time::timeout(allowed, whole)
            .await
            .unwrap_or_else(|_| {
                Err(FetchError::TimeOut {
                    address: address(),
                    allowed,
                })
            })
    }

    async fn get_patiently(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let mut attempt = 0;
        loop {
            match self.get_once(path, limit, known).await {
                Ok(fetched) => return Ok(fetched),
                Err(failed) if self.goes_on(attempt, &failed).await => attempt += 1,
                Err(failed) => return Err(failed.error),
            }
        }
    }

    /// Whether to try again after this many attempts that failed; if so, the pause is over.
    pub(super) async fn goes_on(&self, attempt: u32, failed: &Failed) -> bool {
        if attempt >= self.retries.times || !failed.may_pass() {
            return false;
        }
        // Without randomness panels come back together, which is no reason to stay blind.
        let share = getrandom::u32().unwrap_or(u32::MAX);
        let pause = self.retries.pause(attempt, failed.asked_for, share);
        tracing::debug!(error = %failed.error, ?pause, "retrying request");
        tokio::time::sleep(pause).await;
        true
    }

    async fn get_once(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, Failed> {
        let Some(mut response) = self.request(path, known, 0).await? else {
            return Ok(Fetched::Missing);
        };
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Unchanged);
        }
        let address = self.address(path);
        let announced = response.content_length();
        if announced.is_some_and(|announced| announced > limit) {
            return Err(FetchError::TooLong { address, limit }.into());
        }
        let validator = response
            .headers()
            .get(header::ETAG)
            .and_then(|tag| tag.to_str().ok())
            .filter(|tag| is_one_tag(tag))
            .map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.broken(path, &error))?
        {
            if (bytes.len() + piece.len()) as u64 > limit {
                return Err(FetchError::TooLong { address, limit }.into());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Fetched::Body { bytes, validator })
    }

    /// The answer, unless the file is not there; from the byte `from` on, if the server can do that.
    pub(super) async fn request(
        &self,
        path: &FeedPath,
        known: Option<&str>,
        from: u64,
    ) -> Result<Option<Response>, Failed> {
        let address = self.address(path);
        let mut request = self
            .client
            .get(&address)
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(tag) = known {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        if from > 0 {
            request = request.header(header::RANGE, format!("bytes={from}-"));
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.broken(path, &error))?;
        match response.status() {
            StatusCode::OK => Ok(Some(response)),
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(Some(response)),
            StatusCode::PARTIAL_CONTENT if from > 0 => Ok(Some(response)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            // A bucket that is served as a web site says so of everything that is not in it.
            StatusCode::FORBIDDEN if path.is_root() => Ok(None),
            status => Err(Failed {
                asked_for: retry_after(&response),
                error: FetchError::Status {
                    address,
                    status: status.as_u16(),
                },
            }),
        }
    }

    pub(super) fn broken(&self, path: &FeedPath, error: &reqwest::Error) -> FetchError {
        let address = self.address(path);
        if error.is_timeout() {
            let allowed: Duration = if error.is_connect() {
                self.patience.connect
            } else {
                self.patience.idle
            };
            return FetchError::TimeOut { address, allowed };
        }
        FetchError::Connection {
            address,
            reason: innermost(error),
        }
    }
}

/// Characters of an entity tag; one that is longer than any honest one is not worth remembering.
const LONGEST_TAG: usize = 256;

/// Whether this is one entity tag (RFC 9110, section 8.8.3). A list, or the `*` that stands for any,
/// would have a server say of whatever it has that it is unchanged.
pub(super) fn is_one_tag(text: &str) -> bool {
    let quoted = text.strip_prefix("W/").unwrap_or(text);
    let opaque = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    text.len() <= LONGEST_TAG && opaque.is_some_and(|opaque| !opaque.contains('"'))
}

/// For how many seconds the server wants to be left alone. Its other form, a date, is not read: it
/// would have this machine's clock decide.
fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers().get(header::RETRY_AFTER)?;
    let seconds = value.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
