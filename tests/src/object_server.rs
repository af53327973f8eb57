//! A server that speaks S3's language, on this machine: a bucket is a folder of a folder. It is
//! another project's program, so that our client is held against words that are not our own.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Result, anyhow};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use spacecp_advisories::fetch::Settings;
use tokio::{net::TcpListener, task::JoinHandle};

/// Who may read.
const KEY: (&str, &str) = ("panel", "a secret that only the panel knows");

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct ObjectServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for ObjectServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl ObjectServer {
    /// Serves the folders of `buckets` on a free port of this machine.
    pub async fn start(buckets: &Path) -> Result<Self> {
        fs::create_dir_all(buckets)?;
        let files = FileSystem::new(buckets).map_err(|error| anyhow!("{error:?}"))?;
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(KEY.0, KEY.1));
        let service = service.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let server = auto::Builder::new(TokioExecutor::new());
                    let served = server.serve_connection(TokioIo::new(stream), service);
                    if let Err(error) = served.await {
                        tracing::debug!(%error, "a connection to the object server ended");
                    }
                });
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a panel that may read writes into its configuration.
    pub fn settings(&self) -> String {
        format!(
            "endpoint = {:?}\naccess-key-id = {:?}\nsecret-access-key = {:?}\n",
            self.endpoint(),
            KEY.0,
            KEY.1
        )
    }
}

/// Settings as they stand in a configuration.
pub fn settings(toml: &str) -> Result<Settings> {
    Ok(toml::from_str(toml)?)
}
