//! A feed in an object store: S3 and what speaks its language, Google Cloud Storage, Azure.
//!
//! The store's client comes from a crate; what it may spend is said here. It gets the same connection
//! as a web server's feed (no redirects, the same proxy and certificates), and of an answer that
//! reports an error no more is read than an error needs.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::StreamExt;
use object_store::{
    BackoffConfig, ClientOptions, Error, GetOptions, GetRange, GetResult, ObjectStore, RetryConfig,
    aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
        HttpResponseBody, HttpService,
    },
    gcp::GoogleCloudStorageBuilder,
    path::Path,
};
use spacecp_contract::FeedPath;
use url::Url;

use super::{
    Access, FetchError, Fetched, Patience,
    access::Settings,
    http::{Failed, is_one_tag},
};

/// Bytes of an answer that is not the object: an error's text, or a token.
const MOST_OF_AN_ERROR: usize = 64 << 10;

/// Characters of an error's text that are shown.
const MOST_OF_A_REASON: usize = 300;

/// An object store that holds a feed under a prefix.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    address: Arc<str>,
    patience: Patience,
}

impl fmt::Debug for Objects {
    /// A store's client knows its credentials, so nothing of it is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.address).finish()
    }
}

impl Objects {
    /// A feed below `prefix` in a store that the panel brings; `address` is what errors call it.
    pub fn new(
        address: &str,
        store: Arc<dyn ObjectStore>,
        prefix: Path,
        patience: Patience,
    ) -> Self {
        Self {
            store,
            prefix,
            address: address.trim_end_matches('/').into(),
            patience,
        }
    }

    /// Whether an address is that of an object store.
    pub(super) fn is_address(address: &str) -> bool {
        Kind::of(address).is_some()
    }

    /// The feed at an address such as `s3://bucket/prefix`.
    pub(super) fn follow(address: &str, access: &Access) -> Result<Self, FetchError> {
        let failed = |reason: String| FetchError::Address {
            address: address.to_owned(),
            reason,
        };
        let kind = Kind::of(address).ok_or_else(|| failed("not an object store".to_owned()))?;
        let url = Url::parse(address).map_err(|error| failed(error.to_string()))?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err(failed(
                "the address must consist of a bucket and a path".to_owned(),
            ));
        }
        let settings = access.settings(address);
        let (store, prefix) = kind.open(&url, access, &settings).map_err(&failed)?;
        let prefix = Path::from_url_path(prefix).map_err(|error| failed(error.to_string()))?;
        Ok(Self::new(address, store, prefix, access.patience))
    }

    pub(super) fn base(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn address(&self, path: &FeedPath) -> String {
        format!("{}/{path}", self.address)
    }

    pub(super) async fn get(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let allowed = self.patience.for_document(limit);
        let whole = self.get_whole(path, limit, known);
        tokio::time::timeout(allowed, whole)
            .await
            .unwrap_or_else(|_| {
                Err(FetchError::TimeOut {
                    address: self.address(path),
                    allowed,
                })
            })
    }

    async fn get_whole(
        &self,
        path: &FeedPath,
        limit: u64,
        known: Option<&str>,
    ) -> Result<Fetched, FetchError> {
        let options = GetOptions {
            if_none_match: known.map(str::to_owned),
            ..GetOptions::default()
        };
        let object = match self.store.get_opts(&self.place(path)?, options).await {
            Ok(object) => object,
            Err(Error::NotFound { .. }) => return Ok(Fetched::Missing),
            // Who may not list a bucket is not told whether an object is in it.
            Err(Error::PermissionDenied { .. }) if path.is_root() => {
                return Ok(Fetched::Missing);
            }
            Err(Error::NotModified { .. }) => return Ok(Fetched::Unchanged),
            Err(error) => return Err(self.failed(path, &error)),
        };
        let address = self.address(path);
        if object.meta.size > limit {
            return Err(FetchError::TooLong { address, limit });
        }
        let validator = object.meta.e_tag.clone().filter(|tag| is_validator(tag));
        let mut bytes = Vec::new();
        let mut stream = object.into_stream();
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|error| self.failed(path, &error))?;
            if (bytes.len() + piece.len()) as u64 > limit {
                return Err(FetchError::TooLong { address, limit });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Fetched::Body { bytes, validator })
    }

    /// An object from the byte `from` on, if it is there.
    pub(super) async fn stream(
        &self,
        path: &FeedPath,
        from: u64,
    ) -> Result<Option<GetResult>, Failed> {
        let options = GetOptions {
            range: (from > 0).then_some(GetRange::Offset(from)),
            ..GetOptions::default()
        };
        match self.store.get_opts(&self.place(path)?, options).await {
            Ok(object) if object.range.start != from => Err(FetchError::Resumed {
                address: self.address(path),
                from,
            }
            .into()),
            Ok(object) => Ok(Some(object)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(path, &error).into()),
        }
    }

    /// How long the next piece of a stream may take.
    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    fn place(&self, path: &FeedPath) -> Result<Path, FetchError> {
        let whole = format!("{}/{path}", self.prefix);
        Path::parse(whole.trim_start_matches('/')).map_err(|error| FetchError::Address {
            address: self.address(path),
            reason: error.to_string(),
        })
    }

    pub(super) fn failed(&self, path: &FeedPath, error: &Error) -> FetchError {
        let address = self.address(path);
        match error {
            Error::PermissionDenied { .. } => {
                return FetchError::Status {
                    address,
                    status: 403,
                };
            }
            Error::Unauthenticated { .. } => {
                return FetchError::Status {
                    address,
                    status: 401,
                };
            }
            _ => {}
        }
        let mut innermost: &dyn std::error::Error = error;
        let mut timed_out = false;
        loop {
            if let Some(http) = innermost.downcast_ref::<HttpError>() {
                timed_out |= http.kind() == HttpErrorKind::Timeout;
            }
            match innermost.source() {
                Some(source) => innermost = source,
                None => break,
            }
        }
        if timed_out {
            return FetchError::TimeOut {
                address,
                allowed: self.patience.idle,
            };
        }
        // The text may be the server's own.
        let reason = innermost.to_string();
        let plain = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
        FetchError::Connection {
            address,
            reason: plain.take(MOST_OF_A_REASON).collect(),
        }
    }
}

/// Whether this stands for one state of an object. Stores that are no servers, as one in memory, say it
/// in a word without quotes; it must be no list of them, nor the `*` that stands for any.
fn is_validator(tag: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    is_one_tag(tag) || (1..=64).contains(&tag.len()) && tag.chars().all(is_plain)
}

/// Whose language a store speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    S3,
    Google,
    Azure,
}

impl Kind {
    fn of(address: &str) -> Option<Self> {
        match address.split_once("://")?.0 {
            "s3" => Some(Self::S3),
            "gs" => Some(Self::Google),
            "az" => Some(Self::Azure),
            _ => None,
        }
    }

    /// The client, with what the environment says and then what the configuration says; and the path
    /// below the bucket.
    fn open<'a>(
        self,
        url: &'a Url,
        access: &Access,
        settings: &Settings,
    ) -> Result<(Arc<dyn ObjectStore>, &'a str), String> {
        let connector = Connector {
            client: access.client(settings.needs_tls())?,
        };
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: access.retries.first,
                max_backoff: access.retries.longest,
                base: 2.0,
            },
            max_retries: access.retries.times as usize,
            retry_timeout: access.patience.document,
        };
        // The builders have the same methods and no trait that says so.
        macro_rules! built {
            ($builder:expr) => {{
                let mut builder = $builder
                    .with_url(url.as_str())
                    .with_http_connector(connector)
                    .with_retry(retry);
                for (name, value) in settings.iter() {
                    let key = name
                        .replace('-', "_")
                        .parse()
                        .map_err(|_| format!("unknown setting {name:?}"))?;
                    builder = builder.with_config(key, value);
                }
                let store = builder.build().map_err(|error| error.to_string())?;
                Arc::new(store) as Arc<dyn ObjectStore>
            }};
        }
        let store = match self {
            Self::S3 => built!(AmazonS3Builder::from_env()),
            Self::Google => built!(GoogleCloudStorageBuilder::from_env()),
            Self::Azure => built!(MicrosoftAzureBuilder::from_env()),
        };
        Ok((store, url.path()))
    }
}

/// Gives a store's client our connection, whatever it would have made itself.
#[derive(Debug)]
struct Connector {
    client: reqwest::Client,
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Bounded(self.client.clone())))
    }
}

/// A connection that reads only so much of an answer that reports an error.
#[derive(Debug)]
struct Bounded(reqwest::Client);

#[async_trait]
impl HttpService for Bounded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = HttpService::call(&self.0, request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let mut pieces = body.bytes_stream();
        let mut text = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            let room = MOST_OF_AN_ERROR - text.len();
            text.extend_from_slice(&piece[..piece.len().min(room)]);
            if text.len() == MOST_OF_AN_ERROR {
                break;
            }
        }
        Ok(HttpResponse::from_parts(
            parts,
            HttpResponseBody::from(text),
        ))
    }
}
