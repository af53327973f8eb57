//! How a feed is reached: patience, repeated attempts, a proxy, certificates.

use std::{path::Path, time::Duration};

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::FetchError;

/// How a feed on a web server is reached. A folder needs none of it.
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
    /// For a whole document, with every attempt; payloads have only the time between pieces.
    pub document: Duration,
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
    /// 10 s to connect, 30 s without a byte, 2 min for a document.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            document: Duration::from_mins(2),
        }
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
        return Err(unfit("there is no certificate in it".to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

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
