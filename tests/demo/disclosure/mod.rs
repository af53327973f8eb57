//! The whole procedure: a flaw is reported from one panel, and in the end everybody may know of it.
//!
//! Two panels are enrolled, and a third is not. Everything is done with the programs, over HTTP, and on
//! the pages in a real browser; nothing reaches into a store.

mod desk;
mod machine;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::json;
use spacecp_publisher::report::{envelope, key::ReportKey};
use spacecp_tests::{
    browser::Browser,
    ground::{self, Age, Ground},
    npm,
};

use self::{
    desk::{Desk, holds},
    machine::{Machine, PASSWORD},
};

const ADVISORY: &str = "SPACECP-SA-2026-0009";
const CORRECTION: &str = "SPACECP-SC-2026-0009";
/// Words that are in the advisory, and were in the report.
const TITLE: &str = "Quaggas are read over the fence";

/// Composes the report on the panel's page, and returns what the browser was handed.
async fn report(browser: &Browser, panel: &Machine, finder: &ReportKey) -> Result<Vec<u8>> {
    browser.open(&panel.url("")).await?;
    browser.fill("name", "ada").await?;
    browser.fill("password", PASSWORD).await?;
    browser.press("Log in").await?;
    browser
        .run("document.querySelector('.menu summary').click()")
        .await?;
    browser.follow("Report a vulnerability").await?;
    browser.wait_for("In scope").await?;
    for (field, text) in [
        ("title", TITLE),
        ("steps", "1. Ask for the archive ../other.\n2. Read it."),
        ("expected", "It is refused."),
        ("actual", "It is another customer's."),
        ("credit", "Grace"),
        ("recipient", &finder.recipient().to_string()),
    ] {
        browser.fill(field, text).await?;
    }
    let module = "return [...document.querySelectorAll('input[name^=component-]')]\
                  .find(field => field.value === 'spacecp:module-backup').name";
    let field = browser.run(module).await?;
    let field = field.as_str().context("the module is installed")?;
    browser
        .tick(&field.replace("component", "affected"))
        .await?;
    browser.press("Download encrypted report").await?;
    browser.downloaded("spacecp-report.age").await
}

/// From the report to a case whose correction is built, and whose advisory is written.
fn worked_out(desk: &Desk, sealed: &[u8]) -> Result<(String, PathBuf)> {
    let path = desk.path("report.age");
    fs::write(&path, sealed)?;
    let opened = desk.json(&["case", "open", &path.display().to_string()])?;
    let case = opened["id"]
        .as_str()
        .context("a case has an id")?
        .to_owned();
    desk.step(&case, "acknowledge", &[])?;
    desk.step(&case, "inform", &["--text", "Thank you; we look into it."])?;
    desk.step(&case, "verify", &["--scope", "broken-sandbox"])?;
    desk.step(&case, "start", &[])?;
    build(desk)?;
    desk.step(&case, "correct", &["--correction", CORRECTION])?;
    let new = ["advisory", "new", ADVISORY, "--audience", "customers"];
    desk.well(&[&new[..], &["--case", &case]].concat())?;
    assert!(
        !holds(&desk.path("cases"), "Grace")?,
        "the finder lies apart"
    );
    desk.step(&case, "credit", &["--agreed", "--text", "in the report"])?;
    let draft = desk.path("drafts").join(format!("{ADVISORY}.toml"));
    let text = fs::read_to_string(&draft)?;
    assert!(
        text.contains(TITLE),
        "the title comes from the report: {text}"
    );
    fs::write(&draft, filled(&text))?;
    Ok((case, draft))
}

fn build(desk: &Desk) -> Result<()> {
    let before = Ground::lay(&desk.path("before"), Age::Flawed)?.backup();
    let after = Ground::lay(&desk.path("after"), Age::Corrected)?.backup();
    let (before, after) = (before.display().to_string(), after.display().to_string());
    let [from, to] = ground::BACKUP;
    let feed = desk.feed();
    let what = ["correction", "build", CORRECTION, "--feed", &feed];
    let trees = ["--from", &before, "--to", &after];
    let versions = ["--from-version", from, "--to-version", to];
    let about = [
        "--component",
        "spacecp:module-backup",
        "--advisory",
        ADVISORY,
    ];
    let kept = ["--ignore", "settings.json", "--restart", "component"];
    desk.well(&[&what[..], &trees, &versions, &about, &kept].concat())?;
    Ok(())
}

/// The draft as a person fills it in.
fn filled(template: &str) -> String {
    let [_, fixed] = ground::BACKUP;
    let ranges = format!("ranges = [{{ introduced = \"2.0.0\", fixed = \"{fixed}\" }}]");
    let vector = "severity = [\"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N\"]";
    let lines = template.lines().map(|line| match line {
        line if line.starts_with("versions = ") => ranges.clone(),
        line if line.starts_with("severity = ") => vector.to_owned(),
        "issue = \"\"\"" => format!("{line}\nThe module follows `..`."),
        "impacts = \"\"\"" => format!("{line}\nFiles of others are read."),
        "solution = \"\"\"" => format!("{line}\nApply the correction."),
        line => line.to_owned(),
    });
    let lines: Vec<String> = lines.collect();
    let credit = "[[credits]]\nname = \"Grace\"\nrole = \"finder\"\n";
    format!("{}\n{credit}", lines.join("\n"))
}

/// The finder opens the copy for review with their own key, and agrees.
fn reviewed(desk: &Desk, case: &str, finder: &ReportKey) -> Result<()> {
    let out = desk.path("out");
    let copy = desk.json(&["case", "review", case, "--out", &out.display().to_string()])?;
    let mark = copy["copy"].as_str().context("a copy has a mark")?;
    let sealed = fs::read(out.join(format!("{case}.{mark}.html.age")))?;
    let html = envelope::open(&sealed, finder, 1 << 20)?;
    let html = std::str::from_utf8(&html)?;
    assert!(html.contains(TITLE) && html.contains(mark), "{html}");
    desk.step(case, "answer", &["--approved"])?;
    Ok(())
}

/// The same advisory, for everybody.
fn public(draft: &str) -> String {
    let lines = draft
        .lines()
        .filter(|line| !line.starts_with("embargo_until"))
        .map(|line| match line {
            line if line.starts_with("modified = ") => {
                format!("modified = \"{}\"", Timestamp::now())
            }
            line => line
                .replace("revision = 1 ", "revision = 2 ")
                .replace("TLP:AMBER+STRICT", "TLP:CLEAR"),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Applies the correction on the advisory's page, which says what it says of an embargo.
async fn applied(browser: &Browser, panel: &Machine) -> Result<()> {
    browser.open(&panel.url("")).await?;
    browser.press("Sync now").await?;
    browser.wait_for(TITLE).await?;
    browser
        .open(&panel.url(&format!("advisories/{ADVISORY}")))
        .await?;
    browser.wait_for("Do not share this page").await?;
    browser.press("Apply").await?;
    browser.wait_for("module-backup corrected").await?;
    Ok(())
}

/// What everybody finds on the web root holds before judges that nobody here wrote.
fn told(root: &Path) -> Result<()> {
    let name = ADVISORY.to_lowercase();
    let csaf = root.join(format!(".well-known/csaf/white/2026/{name}.json"));
    let osv = root.join(format!("osv/x_{ADVISORY}.json"));
    let verdicts = npm::judged("csaf.mjs", None, std::slice::from_ref(&csaf))?;
    let verdict = &verdicts[&csaf];
    ensure!(verdict["asked"].as_u64() > Some(50), "{verdict}");
    for group in ["schema", "mandatory", "optional"] {
        ensure!(verdict[group] == json!([]), "{group}: {verdict}");
    }
    let verdicts = npm::judged_by_osv(std::slice::from_ref(&osv))?;
    ensure!(verdicts[&osv] == json!([]), "{verdicts:?}");
    let page = root.join(format!("advisories/{ADVISORY}.html"));
    for file in [&csaf, &osv, &page] {
        let text = fs::read_to_string(file)?;
        for words in [TITLE, "Grace"] {
            ensure!(text.contains(words), "{} lacks {words}", file.display());
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(
    not(has_browser),
    ignore = "needs chromium and chromedriver (Debian: chromium, chromium-driver)"
)]
async fn a_flaw_goes_from_a_private_report_to_everybody() -> Result<()> {
    let desk = Desk::open().await?;
    let mut one = Machine::new(&desk).await?;
    let two = Machine::new(&desk).await?;
    let stranger = Machine::new(&desk).await?;
    one.enrolled(&desk, "one").await?;
    two.enrolled(&desk, "two").await?;
    stranger.well(&["sync"]).await?;
    let serving = one.serve().await?;
    let browser = Browser::start().await?;

    let finder = ReportKey::generate();
    let sealed = report(&browser, &one, &finder).await?;
    assert!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    let (case, draft) = worked_out(&desk, &sealed)?;
    reviewed(&desk, &case, &finder)?;
    let named = draft.display().to_string();
    desk.well(&["advisory", "check", &named])?;
    desk.well(&["advisory", "sign", &named, "--feed", &desk.feed()])?;
    assert!(!two.knows(ADVISORY).await?, "what is signed is not out");
    desk.broadcast()?;
    assert_eq!(desk.state(&case)?, "broadcast");

    // For those who are enrolled, and for nobody else.
    applied(&browser, &one).await?;
    let package = fs::read_to_string(one.ground().backup().join("package.json"))?;
    assert!(package.contains(ground::BACKUP[1]), "{package}");
    assert!(two.knows(ADVISORY).await?);
    // Programs are told that there is something, and not of what.
    let verdict = two.verdict(ADVISORY, "under embargo").await?;
    assert_eq!(verdict["status"], "affected", "{verdict}");
    assert!(!verdict.to_string().contains(TITLE), "{verdict}");
    assert!(!stranger.knows(ADVISORY).await?);
    for words in [ADVISORY, CORRECTION, TITLE, "module-backup", "Grace"] {
        assert!(!desk.gives_away(words)?, "{words} is given away");
    }

    // For everybody.
    let text = public(&fs::read_to_string(&draft)?);
    fs::write(&draft, text)?;
    desk.well(&["advisory", "sign", &named, "--feed", &desk.feed()])?;
    desk.disclose(ADVISORY)?;
    assert_eq!(desk.state(&case)?, "disclosed");
    for panel in [&one, &two, &stranger] {
        assert!(panel.knows(ADVISORY).await?);
    }
    let verdict = stranger.verdict(ADVISORY, "module-backup").await?;
    assert_eq!(verdict["status"], "affected", "{verdict}");
    assert!(verdict.to_string().contains(TITLE), "{verdict}");
    let verdict = one.verdict(ADVISORY, "module-backup").await?;
    assert_eq!(verdict["status"], "fixed", "{verdict}");
    assert!(desk.gives_away(TITLE)?);

    told(&desk.tell_everybody()?)?;

    // The history keeps who read it beforehand.
    let page = one.well(&["show", ADVISORY]).await?;
    assert!(
        page.contains("Read under embargo") && page.contains("ada"),
        "{page}"
    );
    serving.abort();
    browser.close().await
}
