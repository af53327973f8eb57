//! Mail, to a real mail server.

use std::fs;

use anyhow::Result;
use spacecp_tests::catalog;

use super::{
    mail_server::MailServer,
    stage::{Stage, about_the_daemon, at, counted},
};

const NOON: &str = "2026-03-10T12:00:00Z";

fn channel(port: u16, security: &str, more: &str) -> String {
    format!(
        "[[notify.channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost\"\nport = {port}\nsecurity = {security:?}\nfrom = \"Node 7 <panel@example.com>\"\nto = [\"ada@example.com\", \"ops@example.com\"]\n{more}\n"
    )
}

const LOGIN: &str =
    "user = \"panel\"\npassword-file = \"password\"\nauthorities = \"mail-authority.pem\"";

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_says_what_happened_where_and_what_to_do() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let server = MailServer::start("none", stage.folder(), None)?;
    let more = "minimum-severity = \"critical\"";
    let app = stage.open(&channel(server.port(), "none", more)).await?;
    assert_eq!(
        counted(app.notifications.deliver(at(NOON)).await?),
        [1, 1, 0, 0]
    );
    let mail = server.mail()?;
    assert_eq!(mail["from"], "panel@example.com");
    assert_eq!(
        mail["to"],
        serde_json::json!(["ada@example.com", "ops@example.com"])
    );
    let text = mail["mail"].as_str().unwrap();
    // Ids differ from panel to panel.
    let text: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("Message-ID"))
        .collect();
    insta::assert_snapshot!("mail", text.join("\n"));
    assert!(server.is_idle());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_through_tls_and_a_login_or_not_at_all() -> Result<()> {
    for security in ["starttls", "tls"] {
        let stage = Stage::with(vec![about_the_daemon()]).await?;
        fs::write(stage.folder().join("password"), "pass word 9\n")?;
        let login = Some(("panel", "pass word 9"));
        let server = MailServer::start(security, stage.folder(), login)?;
        let app = stage.open(&channel(server.port(), security, LOGIN)).await?;
        assert_eq!(
            counted(app.notifications.deliver(at(NOON)).await?),
            [1, 1, 0, 0],
            "{security}: {:?}",
            app.notifications.report().await?
        );
        let mail = server.mail()?;
        assert_eq!(
            (&mail["tls"], &mail["user"]),
            (&true.into(), &"panel".into())
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_or_of_a_strange_authority_is_told_nothing() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let clear = MailServer::start("none", stage.folder(), None)?;
    let app = stage.open(&channel(clear.port(), "starttls", "")).await?;
    assert_eq!(
        counted(app.notifications.deliver(at(NOON)).await?),
        [1, 0, 1, 0]
    );
    assert!(clear.is_idle());
    drop(app);

    let stranger = MailServer::start("starttls", stage.folder(), None)?;
    let app = stage
        .open(&channel(stranger.port(), "starttls", ""))
        .await?;
    assert_eq!(
        counted(
            app.notifications
                .deliver(at("2026-03-10T13:00:00Z"))
                .await?
        ),
        [0, 0, 1, 0]
    );
    assert!(stranger.is_idle());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_failure_that_says_so_and_shows_no_password() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    fs::write(stage.folder().join("password"), "quagga-password\n")?;
    let server = MailServer::start("starttls", stage.folder(), Some(("panel", "another")))?;
    let app = stage
        .open(&channel(server.port(), "starttls", LOGIN))
        .await?;
    assert_eq!(
        counted(app.notifications.deliver(at(NOON)).await?),
        [1, 0, 1, 0]
    );
    let report = app.notifications.report().await?;
    let problem = report.channels[0].problem.clone().unwrap_or_default();
    assert!(problem.contains("535"), "{problem}");
    let shown = format!("{report:?} {:?}", app.config());
    assert!(!shown.contains("quagga-password"), "{shown}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_title_adds_a_header() -> Result<()> {
    let mut advisory = about_the_daemon();
    advisory.title = "A title\r\nBcc: eve@evil.example\r\n\r\nAnother body".to_owned();
    let stage = Stage::with(vec![advisory]).await?;
    let server = MailServer::start("none", stage.folder(), None)?;
    let app = stage.open(&channel(server.port(), "none", "")).await?;
    app.notifications.deliver(at(NOON)).await?;
    let mail = server.mail()?;
    let text = mail["mail"].as_str().unwrap();
    let (headers, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(!headers.contains("Bcc"), "{headers}");
    assert!(headers.contains(catalog::CONSOLE), "{headers}");
    assert!(!body.lines().any(|line| line.starts_with("Bcc")), "{body}");
    assert_eq!(mail["to"].as_array().map(Vec::len), Some(2));
    Ok(())
}
