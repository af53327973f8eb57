//! Does the address answer with the status that it should?

use reqwest::Client;
use spacecp_feed::fetch::{Access, Proxy};

#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    url: String,
    status: u16,
}

impl Http {
    pub(super) fn new(url: &str, status: u16) -> Result<Self, String> {
        // A component of this machine is not behind the proxy that leads out of it.
        let access = Access {
            proxy: Proxy::None,
            ..Access::default()
        };
        Ok(Self {
            client: access.client(url.starts_with("https:"))?,
            url: url.to_owned(),
            status,
        })
    }

    pub(super) async fn answers(&self) -> Result<(), String> {
        let url = &self.url;
        let answer = self.client.get(url).send().await;
        // The body is nobody's business here, and is not read.
        match answer.map(|answer| answer.status().as_u16()) {
            Ok(status) if status == self.status => Ok(()),
            Ok(status) => Err(format!(
                "{url} answered {status} instead of {}",
                self.status
            )),
            Err(error) => Err(format!("{url}: {}", spacecp_feed::fetch::innermost(&error))),
        }
    }
}
