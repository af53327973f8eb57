//! What an administrator is told about channels that cannot be used.

use anyhow::{Context, Result};
use spacecp_advisories::config::Config;

use super::stage::{Stage, about_the_daemon};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_written_wrongly_is_refused_with_what_is_wrong() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let hook = "[[notify.channel]]\nname = \"a\"\nkind = \"webhook\"\nsecret-file = \"secret\"\n";
    let mail = "[[notify.channel]]\nname = \"a\"\nkind = \"email\"\nserver = \"mail.example.com\"\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n";
    let sound = format!("{hook}url = \"https://hooks.example/\"\n");
    Config::load(&stage.configure(&sound)?)?;
    Config::load(&stage.configure(mail)?)?;
    for (written, complaint) in [
        (hook.to_owned(), "url is required, or url-file"),
        (
            format!("{hook}url = \"http://hooks.example/\"\n"),
            "to this machine only",
        ),
        (format!("{hook}url = \"file:///etc/passwd\"\n"), "no host"),
        (
            format!("{sound}port = 25\n"),
            "port is not supported by channels of this kind",
        ),
        (format!("{sound}evnts = []\n"), "unknown field"),
        (format!("{sound}events = []\n"), "events is empty"),
        (
            format!("{sound}events = [\"everything\"]\n"),
            "unknown variant",
        ),
        (format!("{sound}digest = \"daily\"\n"), "requires daily-at"),
        (
            format!("{sound}daily-at = \"08:00\"\n"),
            "requires digest = \"daily\"",
        ),
        (
            format!("{sound}zone = \"Moon/Crater\"\n"),
            "unknown time zone",
        ),
        (
            format!("{sound}quiet = {{ from = \"25:00\", to = \"07:00\" }}\n"),
            "invalid time of day",
        ),
        (
            format!("{sound}quiet = {{ from = \"07:00\", to = \"07:00\" }}\n"),
            "never end",
        ),
        (format!("{sound}{sound}"), "duplicate channel name"),
        (
            format!("{mail}security = \"none\"\n"),
            "only for a server on this machine",
        ),
        (
            format!("{mail}user = \"a\"\n"),
            "user and password-file must be set together",
        ),
        (
            mail.replace("c@d.example", "nobody"),
            "invalid e-mail address",
        ),
        (
            mail.replace("c@d.example", "a@b.example\\r\\nBcc: x@y.example"),
            "invalid e-mail address",
        ),
        (format!("give-up-after-hours = 0\n{sound}"), "1 to 2160"),
        (format!("timeout-seconds = 0\n{sound}"), "1 to 300"),
    ] {
        let error = Config::load(&stage.configure(&written)?);
        let error = error
            .err()
            .with_context(|| format!("it was taken:\n{written}"))?;
        assert!(
            error.to_string().contains(complaint),
            "{error}\n{complaint}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_a_secret_is_not_shown() -> Result<()> {
    let stage = Stage::with(vec![about_the_daemon()]).await?;
    let channel = "[[notify.channel]]\nname = \"a\"\nkind = \"slack\"\nurl = \"https://hooks.example/services/quagga\"\n";
    let config = Config::load(&stage.configure(channel)?)?;
    assert!(!format!("{config:?}").contains("quagga"));
    let app = stage.open(channel).await?;
    let report = format!("{:?}", app.notifications.report().await?);
    assert!(
        report.contains("hooks.example") && !report.contains("quagga"),
        "{report}"
    );
    Ok(())
}
