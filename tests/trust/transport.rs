//! Servers that answer with something else than a file, or without end.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::scene::Scene;

/// How a server misbehaves once it has been asked.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Answer(&'static str),
    Endless,
    LiesAboutItsLength,
    EndlessHeaders,
    Trickle,
    Silence,
    Reset,
}

async fn server(manner: Manner) -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(misbehave(stream, manner));
        }
    });
    Ok(address)
}

async fn misbehave(mut stream: TcpStream, manner: Manner) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    match manner {
        Manner::Answer(text) => stream.write_all(text.as_bytes()).await,
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            // Bounded all the same, should the client be wrong.
            for _ in 0..4_096 {
                stream.write_all(&[0; 4096]).await?;
            }
            Ok(())
        }
        Manner::LiesAboutItsLength => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\nx")
                .await
        }
        Manner::EndlessHeaders => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            for number in 0..100_000 {
                stream
                    .write_all(format!("x-{number}: y\r\n").as_bytes())
                    .await?;
            }
            Ok(())
        }
        Manner::Trickle => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")
                .await?;
            for _ in 0..100 {
                stream.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok(())
        }
        Manner::Silence => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            Ok(())
        }
        Manner::Reset => Ok(()),
    }
}

async fn refused(manner: Manner, words: &str) -> Result<()> {
    let scene = Scene::followed().await?;
    let before = scene.trusted().await?;
    let address = server(manner).await?;
    let error = scene
        .sync_with(&format!("http://{address}/"))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains(words),
        "{words:?} is not in: {error}"
    );
    assert!(
        error.to_string().contains(&address.to_string()),
        "it names the address: {error}"
    );
    assert_eq!(scene.trusted().await?, before);
    assert!(scene.sync().await.is_ok(), "the next honest sync succeeds");
    Ok(())
}

#[tokio::test]
async fn a_server_that_fails_is_named() -> Result<()> {
    refused(
        Manner::Answer("HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n"),
        "answered 500",
    )
    .await
}

#[tokio::test]
async fn a_redirect_is_not_followed() -> Result<()> {
    refused(
        Manner::Answer(
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/head\r\ncontent-length: 0\r\n\r\n",
        ),
        "answered 302",
    )
    .await
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() -> Result<()> {
    refused(Manner::Endless, "endless data").await
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() -> Result<()> {
    refused(Manner::LiesAboutItsLength, "endless data").await
}

#[tokio::test]
async fn headers_without_end_are_given_up() -> Result<()> {
    refused(Manner::EndlessHeaders, "cannot fetch").await
}

#[tokio::test]
async fn an_answer_that_trickles_is_given_up() -> Result<()> {
    refused(Manner::Trickle, "within ").await
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() -> Result<()> {
    refused(Manner::Silence, "within ").await
}

#[tokio::test]
async fn a_connection_that_breaks_is_named() -> Result<()> {
    refused(Manner::Reset, "cannot fetch").await
}

#[tokio::test]
async fn nobody_at_the_address_is_named() -> Result<()> {
    let scene = Scene::followed().await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    drop(listener);
    let error = scene
        .sync_with(&format!("http://{address}/"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot fetch"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_address_that_is_no_feed_is_refused_before_anything_is_fetched() -> Result<()> {
    let scene = Scene::new().await?;
    for address in ["ftp://127.0.0.1/", "http://127.0.0.1/feed?x=1", "http://"] {
        assert!(scene.follower_of(address).is_err(), "{address}");
    }
    Ok(())
}
