//! What chats and programs get: signed, bounded, and nothing but text.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use spacecp_contract::Advisory;

use super::{
    receiver::{Receiver, Request},
    stage::{SECRET, Stage, about_the_daemon, at, webhook},
};

/// The HMAC-SHA256 of a text, by a program that shares nothing with ours.
fn hmac(key: &str, text: &str) -> Result<String> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = openssl.stdin.take().context("it listens")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = openssl.wait_with_output()?;
    ensure!(output.status.success());
    let line = String::from_utf8(output.stdout)?;
    Ok(line
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned())
}

fn hostile() -> Advisory {
    let mut advisory = about_the_daemon();
    advisory.title = "Hi @everyone @here @room <!channel> <@U1>\r\nBcc: x@evil.example\r\n\r\n**bold** [a](https://evil.example) `code` \u{202e}".to_owned()
        + &"long ".repeat(400);
    advisory
}

async fn sent(kind: &str, more: &str, advisory: Advisory) -> Result<Vec<Request>> {
    let stage = Stage::with(vec![advisory]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    fs::write(
        stage.folder().join("address"),
        format!("{}\n", receiver.address()),
    )?;
    fs::write(stage.folder().join("token"), "a token\n")?;
    let channel = format!(
        "[[notify.channel]]\nname = \"chat\"\nkind = {kind:?}\nurl-file = \"address\"\n{more}\n"
    );
    let app = stage.open(&channel).await?;
    app.notifications
        .deliver(at("2026-03-10T12:00:00Z"))
        .await?;
    Ok(receiver.requests())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_signed_as_another_implementation_says_it_must_be() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let app = stage
        .open(&webhook("desk", &receiver.address(), ""))
        .await?;
    let now = at("2026-03-10T12:00:00Z");
    app.notifications.deliver(now).await?;
    let request = &receiver.requests()[0];
    let time = request.header("spacecp-timestamp");
    assert_eq!(time, now.as_second().to_string());
    let expected = hmac(SECRET, &format!("{time}.{}", request.body))?;
    assert_eq!(
        request.header("spacecp-signature"),
        format!("sha256={expected}")
    );
    assert_ne!(
        hmac(
            "another secret, as long",
            &format!("{time}.{}", request.body)
        )?,
        expected
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_calls_nobody_and_marks_nothing_up() -> Result<()> {
    let sent = sent("discord", "", hostile()).await?;
    let body = sent[0].json();
    let text = body["content"].as_str().unwrap();
    assert!(text.chars().count() <= 2_000, "{}", text.len());
    assert_eq!(body["allowed_mentions"]["parse"], serde_json::json!([]));
    assert!(
        !text.contains("@everyone") && !text.contains("@here"),
        "{text}"
    );
    assert!(text.contains("\\*\\*bold\\*\\*"), "{text}");
    assert!(text.contains("https://panel.example/advisories/"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_calls_nobody_and_marks_nothing_up() -> Result<()> {
    let sent = sent("slack", "", hostile()).await?;
    let body = sent[0].json();
    let text = body["text"].as_str().unwrap();
    assert!(!text.contains(['<', '>']), "{text}");
    assert!(text.contains("&lt;!channel&gt;"), "{text}");
    assert_eq!(
        (&body["mrkdwn"], &body["link_names"]),
        (&false.into(), &false.into())
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn matrix_gets_a_notice_under_a_name_that_makes_a_second_one_the_same() -> Result<()> {
    let more = "room = \"!abc:example.com\"\ntoken-file = \"token\"";
    let sent = sent("matrix", more, hostile()).await?;
    let request = &sent[0];
    assert_eq!(request.method, "PUT");
    let path = "/hook/_matrix/client/v3/rooms/!abc:example.com/send/m.room.message/";
    assert!(request.path.starts_with(path), "{}", request.path);
    assert_eq!(request.header("authorization"), "Bearer a token");
    let body = request.json();
    assert_eq!(body["msgtype"], "m.notice");
    assert_eq!(body["m.mentions"], serde_json::json!({}));
    assert!(!body["body"].as_str().unwrap().contains("@room"), "{body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_breaks_no_line_wherever_it_goes() -> Result<()> {
    for kind in ["discord", "slack"] {
        let sent = sent(kind, "", hostile()).await?;
        let body = sent[0].json();
        let text = body["content"]
            .as_str()
            .or(body["text"].as_str())
            .unwrap()
            .to_owned();
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
        assert!(!text.contains(['\r', '\u{202e}']), "{text}");
    }
    Ok(())
}
