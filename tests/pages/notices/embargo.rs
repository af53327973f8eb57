//! An advisory under embargo: nothing leaves this panel but its id, in no message and no log.

use std::{os::unix::process::CommandExt, process::Command};

use anyhow::Result;
use jiff::Timestamp;
use spacecp_advisories::ApplyRequest;
use spacecp_contract::{Advisory, Credit, Reference, TimelineEntry, Tlp, Workaround};
use spacecp_tests::catalog;

use super::{
    mail_server::MailServer,
    receiver::{Receiver, Request},
    stage::{Stage, about_the_daemon, at, id, webhook},
};

/// Words that are in an advisory and nowhere else on this machine.
const WORDS: [&str; 13] = [
    "quagga-title",
    "quagga-issue",
    "quagga-impact",
    "quagga-solution",
    "quagga-workaround",
    "quagga-mitigation",
    "CVE-2026-7777",
    "quagga-finder",
    "quagga-reference",
    "quagga.example",
    "quagga-event",
    // What it is about, and how bad that is.
    "houston",
    "4.7.2",
];

fn embargoed() -> Advisory {
    Advisory {
        title: "A quagga-title".into(),
        issue: "A quagga-issue.".into(),
        impacts: "A quagga-impact.".into(),
        solution: "A quagga-solution.".into(),
        workarounds: vec![Workaround {
            id: "quagga-workaround".into(),
            text: "A quagga-mitigation.".into(),
        }],
        aliases: vec!["CVE-2026-7777".into()],
        credits: vec![Credit {
            name: "quagga-finder".into(),
            role: "finder".into(),
        }],
        references: vec![Reference {
            title: "quagga-reference".into(),
            url: "https://quagga.example/".into(),
        }],
        timeline: vec![TimelineEntry {
            at: Timestamp::UNIX_EPOCH,
            event: "quagga-event".into(),
        }],
        tlp: Tlp::AmberStrict,
        ..about_the_daemon()
    }
}

fn chats(address: &str, mail: u16) -> String {
    let mut channels = webhook("program", address, "");
    for kind in ["discord", "slack"] {
        channels.push_str(&format!(
            "[[notify.channel]]\nname = {kind:?}\nkind = {kind:?}\nurl = {address:?}\n"
        ));
    }
    channels.push_str(&format!(
        "[[notify.channel]]\nname = \"matrix\"\nkind = \"matrix\"\nurl = {address:?}\nroom = \"!a:b\"\ntoken-file = \"secret\"\n"
    ));
    channels.push_str(&format!(
        "[[notify.channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost\"\nport = {mail}\nsecurity = \"none\"\nfrom = \"p@example.com\"\nto = [\"a@example.com\"]\n"
    ));
    channels
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_it_is_in_any_byte_that_leaves_nor_in_any_log() -> Result<()> {
    let stage = Stage::with(vec![embargoed()]).await?;
    let receiver = Receiver::that_takes_everything().await?;
    let server = MailServer::start("none", stage.folder(), None)?;
    let config = stage.configure(&chats(&receiver.address(), server.port()))?;
    let mut run = Command::new(env!("CARGO_BIN_EXE_panel-program"));
    run.arg0("spacecp-advisories")
        .args(["--log", "trace", "--config"])
        .arg(&config)
        .args(["notify", "retry"]);
    let ended = tokio::task::block_in_place(|| run.output())?;
    let log = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{log}");

    let mut sent: Vec<String> = receiver
        .requests()
        .iter()
        .map(Request::everything)
        .collect();
    let mail = server.mail()?;
    sent.push(mail["mail"].as_str().unwrap().to_owned());
    assert_eq!(sent.len(), 5, "{sent:#?}");
    let flat = |text: &str| text.replace("=\r\n", "").replace('\\', "");
    for message in &sent {
        let message = flat(message);
        assert!(message.contains(catalog::CONSOLE), "{message}");
        assert!(message.contains("Log in to read it."), "{message}");
        for word in WORDS {
            assert!(!message.contains(word), "{word} in {message}");
        }
        for word in ["new-exposure", "high", "medium", "correct"] {
            assert!(!message.contains(word), "{word} in {message}");
        }
    }
    // Other rooms may log what is installed here; of the advisory they have nothing.
    for word in WORDS
        .iter()
        .filter(|word| !["houston", "4.7.2"].contains(word))
    {
        assert!(!log.contains(word), "{word} in the log");
    }
    let notify: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("::notify"))
        .collect();
    assert!(
        !notify.iter().any(|line| line.contains("houston")),
        "{notify:#?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_of_a_failure_has_no_word_of_it_either() -> Result<()> {
    let stage = Stage::with(vec![embargoed()]).await?;
    let app = stage
        .open(&webhook("desk", "http://127.0.0.1:9/hook", ""))
        .await?;
    app.notifications
        .deliver(at("2026-03-10T12:00:00Z"))
        .await?;
    app.notifications
        .deliver(at("2026-03-14T12:00:00Z"))
        .await?;
    let report = serde_json::to_string(&app.notifications.report().await?)?;
    assert!(report.contains(catalog::CONSOLE), "{report}");
    for word in WORDS.iter().chain(&["new-exposure"]) {
        assert!(!report.contains(word), "{word} in {report}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_answers_it_is_told_with_its_id_alone() -> Result<()> {
    let stage = Stage::with_catalogue().await?;
    let receiver = Receiver::that_takes_everything().await?;
    let more = "events = [\"applied\", \"rolled-back\"]";
    let app = stage
        .open(&webhook("desk", &receiver.address(), more))
        .await?;
    app.notifications
        .deliver(at("2026-03-10T12:00:00Z"))
        .await?;
    let request = ApplyRequest {
        correction: id(catalog::BACKUP_CORRECTION),
        component: "module-backup".to_owned(),
        plan: None,
        overwrite: false,
        by: "ada".to_owned(),
    };
    let applied = app.panel.corrections.apply(request, &()).await?;
    app.notifications
        .deliver(at("2026-03-10T12:00:00Z"))
        .await?;
    app.panel
        .corrections
        .roll_back(&applied.id, false, "ada", &())
        .await?;
    app.notifications
        .deliver(at("2026-03-10T12:00:00Z"))
        .await?;
    let sent = receiver.requests();
    assert_eq!(sent.len(), 2);
    for request in sent {
        let text = request.everything();
        assert!(text.contains(catalog::BACKUP), "{text}");
        for word in [
            "module-backup",
            "2.3.0",
            "2.3.1",
            "applied",
            "rolled",
            catalog::BACKUP_CORRECTION,
        ] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    Ok(())
}
