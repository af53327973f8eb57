//! Feeds that are reached through a proxy: it may see whom the panel asks, and nothing else.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use spacecp_advisories::fetch::{self, Access, FetchError, Fetched, Proxy, Source};
use spacecp_contract::FeedPath;
use spacecp_tests::{authority::identity, feed_server::FeedServer};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

const HEAD: &[u8] = b"a head that nobody on the way may read";

/// What a proxy does when it is asked for a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// It makes one to the server, wherever it was asked to.
    Tunnels,
    /// It wants a password first.
    WantsAPassword,
    /// It says that there is a tunnel, and answers itself without TLS.
    AnswersItself,
}

/// A proxy, and everything that it has seen; it stops when dropped.
struct Seen {
    port: u16,
    bytes: Arc<Mutex<Vec<u8>>>,
    task: JoinHandle<()>,
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Seen {
    fn text(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

async fn proxy(habit: Habit, server: u16, tls: Option<TlsAcceptor>) -> Result<Seen> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let seen = bytes.clone();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (seen, tls) = (seen.clone(), tls.clone());
            tokio::spawn(async move {
                let served = match tls {
                    None => serve(stream, habit, server, &seen).await,
                    Some(tls) => serve(tls.accept(stream).await?, habit, server, &seen).await,
                };
                anyhow::Ok(served?)
            });
        }
    });
    Ok(Seen { port, bytes, task })
}

/// One connection of the panel.
async fn serve(
    mut panel: impl AsyncRead + AsyncWrite + Unpin,
    habit: Habit,
    server: u16,
    seen: &Mutex<Vec<u8>>,
) -> Result<()> {
    let note = |bytes: &[u8]| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.extend_from_slice(bytes);
    };
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(panel.read_u8().await?);
    }
    note(&request);
    if habit == Habit::WantsAPassword {
        let refused = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
        return Ok(panel.write_all(refused).await?);
    }
    if habit == Habit::AnswersItself {
        panel.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nproxy";
        return Ok(panel.write_all(answer).await?);
    }
    let mut server = TcpStream::connect(("127.0.0.1", server)).await?;
    panel.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    let (mut from_panel, mut from_server) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = panel.read(&mut from_panel) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                note(&from_panel[..read]);
                server.write_all(&from_panel[..read]).await?;
            }
            read = server.read(&mut from_server) => {
                let read = read?;
                if read == 0 {
                    return Ok(());
                }
                note(&from_server[..read]);
                panel.write_all(&from_server[..read]).await?;
            }
        }
    }
}

/// A feed over https whose certificate is for this name.
struct Feed {
    folder: TempDir,
    server: FeedServer,
    access: Access,
}

async fn feed(name: &str) -> Result<Feed> {
    let folder = spacecp_tests::scratch::folder()?;
    let shelf = folder.path().join("feed");
    fs::create_dir(&shelf)?;
    fs::write(shelf.join("head"), HEAD)?;
    let (own, file) = identity(folder.path(), name)?;
    let server = FeedServer::start_tls(shelf, own).await?;
    let mut access = Access {
        authorities: fetch::authorities(&file)?,
        ..Access::default()
    };
    access.retries.times = 0;
    Ok(Feed {
        folder,
        server,
        access,
    })
}

impl Feed {
    /// What the panel hears of it through this proxy.
    async fn through(&self, proxy: String) -> Result<Result<Fetched, FetchError>> {
        let access = Access {
            proxy: Proxy::Address(proxy),
            ..self.access.clone()
        };
        let source = Source::new("https://feed.invalid/", access)?;
        Ok(source.get(&FeedPath::head(), 1 << 10, None).await)
    }

    fn below(&self, name: &str) -> Result<std::path::PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder).context("a new folder")?;
        Ok(folder)
    }
}

fn is_the_head(answer: &Fetched) -> bool {
    matches!(answer, Fetched::Body { bytes, .. } if bytes == HEAD)
}

#[tokio::test]
async fn an_https_feed_is_followed_through_a_proxy_that_sees_only_its_name() -> Result<()> {
    let feed = feed("feed.invalid").await?;
    let proxy = proxy(Habit::Tunnels, feed.server.port(), None).await?;
    let answer = feed
        .through(format!("http://127.0.0.1:{}", proxy.port))
        .await??;
    assert!(is_the_head(&answer), "{answer:?}");
    let seen = proxy.text();
    assert!(
        seen.starts_with("CONNECT feed.invalid:443 HTTP/1.1\r\n"),
        "{seen}"
    );
    for secret in ["GET ", "/head", "a head that nobody"] {
        assert!(!seen.contains(secret), "{secret:?} can be read on the way");
    }
    Ok(())
}

fn acceptor(folder: &Path, name: &str) -> Result<(TlsAcceptor, std::path::PathBuf)> {
    let (own, file) = identity(folder, name)?;
    Ok((own.into(), file))
}

#[tokio::test]
async fn a_proxy_that_is_reached_over_tls_needs_a_certificate_of_its_own() -> Result<()> {
    let mut feed = feed("feed.invalid").await?;
    let (tls, authority) = acceptor(&feed.below("proxy")?, "localhost")?;
    let proxy = proxy(Habit::Tunnels, feed.server.port(), Some(tls)).await?;
    let address = format!("https://localhost:{}", proxy.port);
    let refused = feed.through(address.clone()).await?;
    let words = refused.expect_err("nobody vouches for it").to_string();
    assert!(words.contains("invalid peer certificate"), "{words}");
    assert_eq!(proxy.text(), "", "and it was told nothing");
    feed.access
        .authorities
        .extend(fetch::authorities(&authority)?);
    let answer = feed.through(address).await??;
    assert!(is_the_head(&answer), "{answer:?}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_puts_itself_in_the_servers_place_is_refused() -> Result<()> {
    let feed = feed("feed.invalid").await?;
    let another = self::feed("feed.invalid").await?;
    let proxy = proxy(Habit::Tunnels, another.server.port(), None).await?;
    let refused = feed
        .through(format!("http://127.0.0.1:{}", proxy.port))
        .await?;
    let words = refused.expect_err("it reads along").to_string();
    // Its authority has the same name as the right one, and another key.
    assert!(words.contains("invalid peer certificate"), "{words}");
    assert!(!proxy.text().contains("GET "), "and was told nothing");
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_takes_tls_away_is_refused() -> Result<()> {
    let feed = feed("feed.invalid").await?;
    let proxy = proxy(Habit::AnswersItself, 0, None).await?;
    let refused = feed
        .through(format!("http://127.0.0.1:{}", proxy.port))
        .await?;
    assert!(
        matches!(refused, Err(FetchError::Connection { .. })),
        "{refused:?}"
    );
    assert!(!proxy.text().contains("GET "), "and was told nothing");
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_is_named() -> Result<()> {
    let feed = feed("feed.invalid").await?;
    let proxy = proxy(Habit::WantsAPassword, feed.server.port(), None).await?;
    let refused = feed
        .through(format!("http://127.0.0.1:{}", proxy.port))
        .await?;
    let words = refused.expect_err("it has no password").to_string();
    assert!(words.contains("proxy"), "{words}");
    Ok(())
}

#[tokio::test]
async fn a_configured_proxy_is_asked_instead_of_the_server() -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let proxy = format!("http://{}", listener.local_addr()?);
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).await?;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nproxy")
            .await?;
        anyhow::Ok(String::from_utf8_lossy(&request[..length]).into_owned())
    });
    let access = Access {
        proxy: Proxy::Address(proxy),
        ..Access::default()
    };
    let source = Source::new("http://feed.invalid/spacecp/", access)?;
    let answer = source.get(&FeedPath::head(), 1 << 10, None).await?;
    assert!(matches!(answer, Fetched::Body { bytes, .. } if bytes == b"proxy"));
    let line = asked.await??;
    assert!(
        line.starts_with("GET http://feed.invalid/spacecp/head HTTP/1.1"),
        "{line}"
    );
    Ok(())
}
