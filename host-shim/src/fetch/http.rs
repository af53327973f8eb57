//! A feed on a web server.
//!
//! Redirects are refused, nothing is decompressed, no cookies are kept: what the feed's address
//! answers is all there is.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Response, StatusCode, header, redirect::Policy};
use rustls_platform_verifier::BuilderVerifierExt;
use spacecp_contract::FeedPath;
use url::Url;

use super::{FetchError, Fetched, Patience};

/// A web server that holds a feed.
#[derive(Debug, Clone)]
pub struct Http {
    base: Arc<Url>,
    client: Client,
    patience: Patience,
}

impl Http {
    pub(super) fn new(address: &str, patience: Patience) -> Result<Self, FetchError> {
        let failed = |reason: String| FetchError::Address {
            address: address.to_owned(),
            reason,
        };
        let mut base = Url::parse(address).map_err(|error| failed(error.to_string()))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(failed("it must end with a path".to_owned()));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = Client::builder()
            .tls_backend_preconfigured(tls(&base).map_err(|error| failed(error.to_string()))?)
            .redirect(Policy::none())
            .connect_timeout(patience.connect)
            .read_timeout(patience.idle)
            .user_agent(concat!("spacecp-advisories/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| failed(reason(&error)))?;
        Ok(Self {
            base: Arc::new(base),
            client,
            patience,
        })
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
        let allowed = self.patience.document;
        let whole = self.get_unhurried(path, limit, known);
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

    async fn get_unhurried(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let Some(mut response) = self.request(path, known).await? else {
            return Ok(Fetched::Missing);
        };
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Unchanged);
        }
        let address = self.address(path);
        let announced = response.content_length();
        if announced.is_some_and(|announced| announced > limit) {
            return Err(FetchError::TooLong { address, limit });
        }
        let validator = response
            .headers()
            .get(header::ETAG)
            .and_then(|tag| tag.to_str().ok())
            .map(str::to_owned);
        let mut bytes = Vec::new();
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| self.broken(path, &error))?
        {
            if (bytes.len() + piece.len()) as u64 > limit {
                return Err(FetchError::TooLong { address, limit });
            }
            bytes.extend_from_slice(&piece);
        }
        // A tag that is longer than any honest one is not worth remembering.
        Ok(Fetched::Body {
            bytes,
            validator: validator.filter(|tag| tag.len() <= 256),
        })
    }

    /// The answer, unless the file is not there.
    pub(super) async fn request(
        &self,
        path: &FeedPath,
        known: Option<&str>,
    ) -> Result<Option<Response>, FetchError> {
        let address = self.address(path);
        let mut request = self
            .client
            .get(&address)
            .header(header::ACCEPT_ENCODING, "identity");
        if let Some(tag) = known {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.broken(path, &error))?;
        match response.status() {
            StatusCode::OK => Ok(Some(response)),
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(Some(response)),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(FetchError::Status {
                address,
                status: status.as_u16(),
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
            reason: reason(error),
        }
    }
}

/// TLS by rustls and ring, with the certificates that this machine trusts.
///
/// A feed over plain http needs none, and is followed on a machine that has none.
fn tls(base: &Url) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?;
    if base.scheme() == "https" {
        return Ok(builder.with_platform_verifier()?.with_no_client_auth());
    }
    Ok(builder
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

/// The innermost reason: reqwest's own words repeat the address.
fn reason(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
