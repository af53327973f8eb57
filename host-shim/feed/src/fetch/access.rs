//! How a feed is reached: patience, repeated attempts, a proxy, certificates.

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc, time::Duration};

use reqwest::{Client, redirect::Policy};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;

use super::FetchError;

/// How a feed on a web server or in an object store is reached. A folder needs none of it.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// How long it may take.
    pub patience: Patience,
    /// How often a passing failure is tried again.
    pub retries: Retries,
    /// Through which proxy.
    pub proxy: Proxy,
    /// Certificates of authorities to believe beside those that this machine trusts.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What object stores want to know, by the addresses of the feeds in them.
    pub object_stores: BTreeMap<String, Settings>,
}

/// What an object store wants to know: a region, an endpoint, keys, by the names that its client has
/// for them, as `region` or `secret-access-key`. It is never shown, as it may be secret.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Setting>);

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Setting {
    Text(String),
    Flag(bool),
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| match value {
            Setting::Text(text) => (name.as_str(), text.clone()),
            Setting::Flag(flag) => (name.as_str(), flag.to_string()),
        })
    }

    /// Whether the store is reached through TLS: always, but where an endpoint says otherwise.
    pub(super) fn needs_tls(&self) -> bool {
        let is_plain = |value: &str| value.starts_with("http://");
        !self
            .iter()
            .any(|(name, value)| name.contains("endpoint") && is_plain(&value))
    }
}

impl Access {
    /// What the object store at this address wants to know.
    pub(super) fn settings(&self, address: &str) -> Settings {
        let same = |other: &str| other.trim_end_matches('/') == address.trim_end_matches('/');
        let mut stores = self.object_stores.iter();
        let found = stores.find(|(other, _)| same(other));
        found
            .map(|(_, settings)| settings.clone())
            .unwrap_or_default()
    }

    /// A client for the web: no redirects, patience, the proxy, and TLS where it is needed.
    pub fn client(&self, needs_tls: bool) -> Result<Client, String> {
        let through_tls =
            matches!(&self.proxy, Proxy::Address(proxy) if proxy.starts_with("https:"));
        let tls = self.tls(needs_tls || through_tls);
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls.map_err(|error| error.to_string())?)
            .redirect(Policy::none())
            .connect_timeout(self.patience.connect)
            .read_timeout(self.patience.idle)
            .user_agent(concat!("spacecp-advisories/", env!("CARGO_PKG_VERSION")));
        client = match &self.proxy {
            Proxy::Environment => client,
            Proxy::None => client.no_proxy(),
            Proxy::Address(proxy) => {
                let proxy = reqwest::Proxy::all(proxy)
                    .map_err(|error| format!("proxy: {}", innermost(&error)))?;
                client.no_proxy().proxy(proxy)
            }
        };
        client.build().map_err(|error| innermost(&error))
    }

    /// TLS by rustls and ring, with the certificates that this machine trusts and those configured.
    ///
    /// A feed over plain http needs none, and is followed on a machine that has none.
    fn tls(&self, is_needed: bool) -> Result<rustls::ClientConfig, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        if is_needed {
            let authorities = self.authorities.iter().cloned();
            let verifier =
                rustls_platform_verifier::Verifier::new_with_extra_roots(authorities, provider)?;
            return Ok(builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth());
        }
        Ok(builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth())
    }
}

/// The innermost reason: reqwest's own words repeat the address.
pub fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Through which proxy a feed is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Proxy {
    /// The one that the environment names (`HTTPS_PROXY` and the like), if it does.
    #[default]
    Environment,
    /// None, whatever the environment says.
    None,
    /// This one: an `http:` or `https:` address.
    Address(String),
}

/// How long a feed may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// To accept a connection.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For a whole document, with every attempt; a long one may take as long as the slowest pace allows.
    pub document: Duration,
    /// For all payloads of one run from one place, with every attempt, and beside what the bytes that it delivered
    /// and the payload on its way take at the slowest pace: neither a byte now and then nor one small file after
    /// another must keep a panel from the next place.
    pub payload: Duration,
    /// For all that one sync asks of one place, beside what the bytes that were verified, or are on their way,
    /// take at the slowest pace: thousands of files, each just within its own limit, must not keep a panel from the next place.
    pub sync: Duration,
    /// The slowest pace of a payload, and of a whole sync, in bytes a second.
    pub slowest: u64,
}

/// How often a failure that may pass is tried again: a connection that breaks, a server that is
/// overloaded. A time-out is not: its time has been spent, and another mirror may be quicker.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// How often, after the first attempt.
    pub times: u32,
    /// The longest pause before the first of them; it doubles each time.
    pub first: Duration,
    /// What no pause exceeds, whatever the server asks for.
    pub longest: Duration,
}

impl Default for Patience {
    /// 10 s to connect, 30 s without a byte, 2 min for a document; for the payloads of one run, and for
    /// a whole sync, 2 min and a second for every 16 KiB.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            document: Duration::from_mins(2),
            payload: Duration::from_mins(2),
            sync: Duration::from_mins(2),
            slowest: 16 << 10,
        }
    }
}

impl Patience {
    /// For payloads of so many bytes together, from one place.
    pub(super) fn for_payloads(&self, bytes: u64) -> Duration {
        self.payload.saturating_add(self.at_slowest(bytes))
    }

    /// For a document of at most this length, with every attempt.
    pub(super) fn for_document(&self, length: u64) -> Duration {
        self.document.max(self.at_slowest(length))
    }

    /// For a sync from one place that has brought so many bytes, or is about to.
    pub fn for_sync(&self, bytes: u64) -> Duration {
        self.sync.saturating_add(self.at_slowest(bytes))
    }

    fn at_slowest(&self, bytes: u64) -> Duration {
        Duration::from_secs(bytes / self.slowest.max(1))
    }
}

impl Default for Retries {
    /// Twice, after up to 0.5 s and 1 s, and never more than 30 s.
    fn default() -> Self {
        Self {
            times: 2,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(30),
        }
    }
}

impl From<Patience> for Access {
    fn from(patience: Patience) -> Self {
        Self {
            patience,
            ..Self::default()
        }
    }
}

impl Retries {
    /// The pause before an attempt, counted from 0: what the server asked for, or else a share of the
    /// back-off, so that panels that failed together do not come back together. `share` is random,
    /// `u32::MAX` for all of it.
    pub fn pause(&self, attempt: u32, asked_for: Option<Duration>, share: u32) -> Duration {
        if let Some(asked_for) = asked_for {
            return asked_for.min(self.longest);
        }
        let whole = self
            .first
            .saturating_mul(2_u32.saturating_pow(attempt))
            .min(self.longest);
        whole.mul_f64(f64::from(share) / f64::from(u32::MAX))
    }
}

/// The certificates of a file in PEM form.
pub fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, FetchError> {
    let unfit = |reason: String| FetchError::Authorities {
        path: path.to_owned(),
        reason,
    };
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unfit(error.to_string()))?;
    if certificates.is_empty() {
        return Err(unfit("the file contains no certificate".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_document_may_take_as_long_as_the_slowest_pace_allows() {
        let patience = Patience::default();
        let allowed =
            [0, 120 << 14, (121 << 14) - 1, 121 << 14].map(|length| patience.for_document(length));
        assert_eq!(allowed.map(|time| time.as_secs()), [120, 120, 120, 121]);
    }

    #[test]
    fn a_sync_has_its_time_and_a_second_for_every_16_kib() {
        let patience = Patience::default();
        let allowed = [0, (16 << 10) - 1, 16 << 10, 1 << 20].map(|bytes| patience.for_sync(bytes));
        assert_eq!(allowed.map(|time| time.as_secs()), [120, 120, 121, 184]);
        assert!(patience.for_sync(u64::MAX) > patience.sync);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_a_server_is_heard_up_to_there_too() {
        let retries = Retries::default();
        let pauses = [0, 1, 2, 40].map(|attempt| retries.pause(attempt, None, u32::MAX));
        let millis = pauses.map(|pause| pause.as_millis());
        assert_eq!(millis, [500, 1_000, 2_000, 30_000]);
        assert_eq!(retries.pause(3, None, 0), Duration::ZERO);
        let asked = |seconds| retries.pause(0, Some(Duration::from_secs(seconds)), 7);
        assert_eq!(asked(3), Duration::from_secs(3));
        assert_eq!(asked(86_400), Duration::from_secs(30));
    }
}
