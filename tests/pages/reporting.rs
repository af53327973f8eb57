//! A vulnerability is reported from the panel: composed with what is installed, encrypted to the vendor,
//! and kept nowhere.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Result;
use spacecp_contract::{Finder, Report};
use spacecp_publisher::report::{self, key::ReportKey};
use walkdir::WalkDir;

use crate::{
    notices::mail_server::MailServer,
    panel::{ADMINISTRATOR, Kind, Panel, VIEWER},
    visitor::{Answer, Fields, Visitor},
};

/// Words that are in no file of a panel unless a report is kept there.
const SECRET: &str = "quagga-in-the-console";

async fn reporting() -> Result<Panel> {
    Panel::of(Kind {
        reporting: true,
        ..Kind::default()
    })
    .await
}

/// The form as it is offered, filled in.
async fn filled(visitor: &mut Visitor) -> Result<Fields> {
    let mut fields = visitor.get("/report").await?.form("/report")?;
    fields.retain(|name, _| !name.starts_with("affected-"));
    for (name, value) in [
        ("title", "The console runs what it is sent"),
        ("steps", "1. Open it.\r\n2. Send <script>alert(1)</script>."),
        ("expected", "It is shown."),
        ("actual", SECRET),
        ("affected-0", "yes"),
        ("do", "keep"),
    ] {
        fields.insert(name.to_owned(), value.to_owned());
    }
    Ok(fields)
}

fn opened(answer: &Answer, key: &ReportKey) -> Result<Report> {
    Ok(report::open(answer.body.as_bytes(), key)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reports_with_the_versions_at_hand_and_gets_a_file_that_only_the_vendor_reads()
-> Result<()> {
    let panel = reporting().await?;
    let mut visitor = panel.visit_as(VIEWER).await?;
    let fields = filled(&mut visitor).await?;
    let answer = visitor.post("/report", &fields).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(
        answer.header("content-disposition"),
        Some("attachment; filename=\"spacecp-report.age\"")
    );
    assert!(
        answer
            .body
            .starts_with("-----BEGIN AGE ENCRYPTED FILE-----")
    );
    let report = opened(&answer, &panel.report_key()?)?;
    assert_eq!(
        report.steps,
        "1. Open it.\n2. Send <script>alert(1)</script>."
    );
    assert_eq!(
        report.finder,
        Finder::default(),
        "nobody is named by themselves"
    );
    assert_eq!(report.affected.len(), 1);
    assert_eq!(report.affected[0].component.as_str(), fields["component-0"]);
    assert_eq!(report.affected[0].version, fields["version-0"]);
    assert!(opened(&answer, &ReportKey::generate()).is_err());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_first_what_belongs_into_a_report() -> Result<()> {
    let panel = reporting().await?;
    let page = panel.visit_as(VIEWER).await?.get("/report").await?;
    let at = |words: &str| page.body.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(at("In scope") < at("Out of scope"));
    assert!(at("Clickjacking") < at("Vulnerability report</h2>"));
    assert!(
        page.body
            .contains("aria-current=\"page\">Report a vulnerability")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_stays_when_something_is_wrong_with_it() -> Result<()> {
    let panel = reporting().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let good = filled(&mut visitor).await?;
    for (name, value, said) in [
        ("title", " ", "the title is empty"),
        ("expected", "a\u{202e}b", "\\u{202e}"),
        ("component-0", "no name", "row 1"),
        ("recipient", "age1nobody", "your own key"),
        ("more", &"é".repeat(20_000), "limit of 32768"),
    ] {
        let mut fields = good.clone();
        fields.insert(name.to_owned(), value.to_owned());
        let answer = visitor.post("/report", &fields).await?;
        assert_eq!(answer.header("content-disposition"), None);
        assert!(answer.body.contains(said), "{said}");
        assert!(answer.body.contains(SECRET));
        assert!(
            answer
                .body
                .contains("2. Send &lt;script&gt;alert(1)&lt;/script&gt;.")
        );
        let again = answer.form("/report")?;
        assert!(name != "component-0" || again["component-0"] == "no name");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_report_is_kept_on_the_panel() -> Result<()> {
    let panel = reporting().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let fields = filled(&mut visitor).await?;
    visitor.post("/report", &fields).await?;
    let mut wrong = fields.clone();
    wrong.insert("title".to_owned(), String::new());
    visitor.post("/report", &wrong).await?;
    let files = WalkDir::new(panel.folder())
        .into_iter()
        .filter_map(Result::ok);
    let mut read = 0;
    for entry in files.filter(|entry| entry.file_type().is_file()) {
        read += 1;
        assert!(!holds(entry.path())?, "{}", entry.path().display());
    }
    assert!(read > 10, "there are files to look into");
    Ok(())
}

fn holds(path: &Path) -> Result<bool> {
    let bytes = fs::read(path)?;
    Ok(bytes
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_mailed_to_the_vendor_encrypted_where_that_is_configured() -> Result<()> {
    let server = MailServer::start("none", Path::new("."), None)?;
    let panel = Panel::of(Kind {
        reporting: true,
        mail: Some(server.port()),
        ..Kind::default()
    })
    .await?;
    let mut visitor = panel.visit_as(VIEWER).await?;
    let mut fields = filled(&mut visitor).await?;
    fields.insert("do".to_owned(), "mail".to_owned());
    visitor
        .post("/report", &fields)
        .await?
        .leads_to("/report")?;
    let mail = server.mail()?;
    assert_eq!(mail["to"], serde_json::json!(["security@vendor.example"]));
    let text = mail["mail"].as_str().unwrap_or_default();
    assert!(
        !text.contains(SECRET) && !text.contains("console"),
        "{text}"
    );
    let sealed = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let report = report::open(sealed.as_bytes(), &panel.report_key()?)?;
    assert_eq!(report.actual, SECRET);
    let page = visitor.get("/report").await?;
    assert!(page.body.contains("sending it to the vendor"));
    drop(server);
    let answer = visitor.post("/report", &fields).await?;
    assert_eq!(answer.header("content-disposition"), None);
    assert!(answer.body.contains("cannot e-mail") && answer.body.contains(SECRET));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_recipient_the_page_says_how_to_set_one_and_takes_nothing() -> Result<()> {
    let panel = Panel::without_plugin().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let page = visitor.get("/report").await?;
    assert!(page.body.contains("recipient in [report]") && !page.offers("/report"));
    let csrf = page.form("/sync")?["csrf"].clone();
    let fields = Fields::from([("csrf".to_owned(), csrf)]);
    let answer = visitor.post("/report", &fields).await?;
    assert!(answer.status >= 400, "{}", answer.status);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_may_be_longer_than_other_forms_and_has_an_end() -> Result<()> {
    let panel = reporting().await?;
    let mut visitor = panel.visit_as(ADMINISTRATOR).await?;
    let mut fields = filled(&mut visitor).await?;
    for name in ["steps", "expected", "actual", "more"] {
        // The worst that a browser makes of them: three characters for each byte.
        fields.insert(name.to_owned(), "%".repeat(32 << 10));
    }
    assert_eq!(visitor.post("/report", &fields).await?.status, 200);
    fields.insert("padding".to_owned(), "x".repeat(512 << 10));
    assert_eq!(visitor.post("/report", &fields).await?.status, 413);
    let sync = visitor.post("/sync", &fields).await?;
    assert_eq!(sync.status, 413, "other forms are as short as before");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reports_without_a_login_or_with_the_form_of_another() -> Result<()> {
    let panel = reporting().await?;
    let mut visitor = panel.visit_as(VIEWER).await?;
    let mut fields = filled(&mut visitor).await?;
    let stranger = panel.visitor().post("/report", &fields).await?;
    stranger.leads_to("/login")?;
    fields.insert("csrf".to_owned(), "0".repeat(64));
    assert_eq!(visitor.post("/report", &fields).await?.status, 403);
    Ok(())
}

fn report_program(arguments: &[&str], input: &str) -> Result<(Option<i32>, String, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_panel-program"))
        .arg("--config")
        .arg("/nowhere/at/all.toml")
        .arg("report")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // It stops reading what is too long.
        let _ = stdin.write_all(input.as_bytes());
    }
    let ended = child.wait_with_output()?;
    Ok((
        ended.status.code(),
        String::from_utf8(ended.stdout)?,
        String::from_utf8(ended.stderr)?,
    ))
}

#[test]
fn a_report_is_encrypted_on_a_terminal_without_any_panel() -> Result<()> {
    let key = ReportKey::generate();
    let recipient = key.recipient().to_string();
    let text = "steps = \"One.\"\nexpected = \"Two.\"\nactual = \"Three.\"\ncontact = \"grace@example.com\"\n[[affected]]\ncomponent = \"spacecp:houston\"\nversion = \"1.0.0\"\n";
    let arguments = [
        "--from",
        "-",
        "--title",
        "It leaks",
        "--recipient",
        &recipient,
    ];
    let (code, sealed, complaint) = report_program(&arguments, text)?;
    assert_eq!(code, Some(0), "{complaint}");
    let read = report::open(sealed.as_bytes(), &key)?;
    assert_eq!((read.title.as_str(), read.affected.len()), ("It leaks", 1));
    assert_eq!(read.finder.contact, "grace@example.com");
    let folder = spacecp_tests::scratch::folder()?;
    let out = folder.path().join("report.age").display().to_string();
    let kept = [&arguments[..], &["--out", &out]].concat();
    assert_eq!(report_program(&kept, text)?.0, Some(0));
    assert!(report::open(&fs::read(&out)?, &key).is_ok());
    let (code, _, complaint) = report_program(&kept, text)?;
    assert!(
        code != Some(0) && complaint.contains("report.age"),
        "{complaint}"
    );
    Ok(())
}

#[test]
fn what_is_no_report_is_refused_on_a_terminal_with_its_place() -> Result<()> {
    let recipient = ReportKey::generate().recipient().to_string();
    let arguments = ["--from", "-", "--recipient", &recipient];
    for (text, said) in [
        ("title = \"a\"\nsteps = 1\n", "line 2, column 9"),
        ("title = \"a\"\n", "is empty"),
        (
            &format!("more = \"{}\"", "x".repeat(600 << 10)),
            "longer than",
        ),
    ] {
        let (code, output, complaint) = report_program(&arguments, text)?;
        assert_eq!((code, output.as_str()), (Some(2), ""), "{complaint}");
        assert!(complaint.contains(said), "{complaint}");
    }
    let (code, _, complaint) = report_program(&["--recipient", "age1nobody"], "")?;
    assert!(
        code == Some(2) && complaint.contains("age1nobody"),
        "{complaint}"
    );
    Ok(())
}
