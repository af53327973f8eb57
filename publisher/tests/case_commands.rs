//! The program, from a finder's report to its disclosure, and what it refuses on the way.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use serde_json::Value;
use spacecp_contract::{Finder, Report, ReportedVersion};
use spacecp_publisher::report::{
    envelope,
    key::{Recipient, ReportKey},
};
use tempfile::TempDir;

const CASE: &str = "CASE-2026-0001";
const ADVISORY: &str = "SPACECP-SA-2026-0009";
/// A panel that may read what is under embargo.
const PANEL: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Result<Self> {
        let desk = Self {
            folder: TempDir::new()?,
        };
        desk.well(&["keys", "new", "report", "--unencrypted"])?;
        Ok(desk)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spacecp-publisher"));
        command
            .arg("--desk")
            .arg(self.folder.path())
            .args(arguments)
            .env_remove("SPACECP_PASSPHRASE")
            .env("SPACECP_BY", "ada")
            .stdin(std::process::Stdio::null());
        Ok(command.output()?)
    }

    fn well(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments)?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    fn json(&self, arguments: &[&str]) -> Result<Value> {
        let said = self.well(&[&["--json"], arguments].concat())?;
        Ok(serde_json::from_str(&said)?)
    }

    /// What is said about a refusal, with how the program ended.
    fn refused(&self, arguments: &[&str]) -> Result<(Option<i32>, String)> {
        let output = self.run(arguments)?;
        ensure!(!output.status.success(), "{arguments:?} went well");
        let said = [output.stdout, output.stderr].concat();
        Ok((output.status.code(), String::from_utf8(said)?))
    }

    fn seal(&self, report: &Report) -> Result<String> {
        let recipient = fs::read_to_string(self.path("keys/report.recipient"))?;
        let sealed = envelope::seal(&report.to_bytes(), &recipient.parse::<Recipient>()?)?;
        let path = self.path("report.age");
        fs::write(&path, sealed)?;
        Ok(path.display().to_string())
    }

    /// A case of this year, whatever year the machine thinks it is.
    fn open(&self, report: &Report) -> Result<String> {
        let sealed = self.seal(report)?;
        let case = self.json(&["case", "open", &sealed])?;
        Ok(case["id"].as_str().unwrap_or_default().to_owned())
    }

    /// A case with a workaround, and no advisory yet.
    fn corrected(&self) -> Result<String> {
        let id = self.open(&report())?;
        for step in [
            &["acknowledge"][..],
            &["verify"],
            &["start"],
            &["correct", "--workaround", "Switch it off."],
        ] {
            self.well(&[&["case", step[0], id.as_str()], &step[1..]].concat())?;
        }
        Ok(id)
    }

    fn state(&self, id: &str) -> Result<String> {
        let case = self.json(&["case", "show", id])?;
        Ok(case["state"].as_str().unwrap_or_default().to_owned())
    }

    /// A feed with keys, an advisory that is signed, and the draft.
    fn write_advisory(&self, id: &str) -> Result<PathBuf> {
        self.well(&[
            "advisory",
            "new",
            ADVISORY,
            "--audience",
            "customers",
            "--case",
            id,
        ])?;
        let draft = self.path("drafts").join(format!("{ADVISORY}.toml"));
        let text = fs::read_to_string(&draft)?
            .replace(
                "issue = \"\"\"\n",
                "issue = \"\"\"\nIt follows <b>links</b>, see [here](https://example.com/x).\n",
            )
            .replace("impacts = \"\"\"\n", "impacts = \"\"\"\nFiles are read.\n")
            .replace("solution = \"\"\"\n", "solution = \"\"\"\nSwitch it off.\n")
            // Its correction is in no feed here.
            .replace(
                "corrections = [\"SPACECP-SC-2026-0009\"]",
                "corrections = []",
            );
        fs::write(&draft, text)?;
        Ok(draft)
    }

    fn feed(&self) -> Result<String> {
        for role in ["root", "feed", "advisory", "correction", "plugin"] {
            self.well(&["keys", "new", role, "--unencrypted"])?;
        }
        let feed = self.path("feed").display().to_string();
        self.well(&["root", "new", &feed, "--audience", "customers"])?;
        self.well(&["panel", "enrol", "node-7", PANEL])?;
        Ok(feed)
    }
}

fn report() -> Report {
    Report {
        title: "Backups follow \"links\"".into(),
        steps: "1. Make a link.\n2. Start a backup.".into(),
        affected: ["2.3.0", "2.2.0"]
            .map(|version| ReportedVersion {
                component: "spacecp:module-backup".parse().expect("a name"),
                version: version.into(),
            })
            .to_vec(),
        expected: "The link is left out.".into(),
        actual: "It is followed.".into(),
        ..Report::default()
    }
}

fn from(finder: Finder) -> Report {
    Report { finder, ..report() }
}

#[test]
fn from_a_report_to_its_disclosure() -> Result<()> {
    let desk = Desk::new()?;
    let finders = ReportKey::generate();
    let finder = Finder {
        contact: "grace@example.com".into(),
        credit: "Grace".into(),
        recipient: finders.recipient().to_string(),
    };
    let id = desk.open(&from(finder))?;
    let said = desk.well(&["case", "acknowledge", &id])?;
    assert!(said.contains("Inform the finder"), "{said}");
    desk.well(&["case", "told", &id, "--text", "Thank you; we look into it."])?;
    desk.well(&["case", "verify", &id, "--scope", "broken-sandbox"])?;
    desk.well(&["case", "start", &id])?;
    desk.well(&[
        "case",
        "correct",
        &id,
        "--correction",
        "SPACECP-SC-2026-0009",
    ])?;
    let draft = desk.write_advisory(&id)?.display().to_string();
    desk.well(&["advisory", "check", &draft])?;

    let out = desk.path("out").display().to_string();
    let copy = desk.json(&["case", "review", &id, "--out", &out])?;
    let mark = copy["copy"].as_str().unwrap_or_default();
    assert!(copy["passphrase"].is_null(), "{copy}");
    let html = desk.path("out").join(format!("{id}.{mark}.html.age"));
    let html = envelope::open(&fs::read(html)?, &finders, 1 << 20)?;
    let html = std::str::from_utf8(&html)?;
    assert!(html.contains(&format!(
        "Review copy for case {id}, not for publication. Mark {mark}."
    )));
    assert!(html.contains("Backups follow &quot;links&quot;"), "{html}");
    assert!(!html.contains("<b>") && !html.contains("href"), "{html}");
    desk.well(&["case", "answer", &id, "--approved"])?;

    let feed = desk.feed()?;
    desk.well(&["advisory", "sign", &draft, "--feed", &feed])?;
    desk.well(&["broadcast", &feed])?;
    assert_eq!(desk.state(&id)?, "broadcast");
    let text = fs::read_to_string(&draft)?
        .replace("revision = 1", "revision = 2")
        .replace("TLP:AMBER+STRICT", "TLP:CLEAR");
    let public = text
        .lines()
        .filter(|line| !line.starts_with("embargo_until"));
    let public: Vec<&str> = public.collect();
    fs::write(&draft, public.join("\n"))?;
    let (_, said) = desk.refused(&["advisory", "sign", &draft, "--feed", &feed])?;
    assert!(said.contains("modified: revision 1 was modified"), "{said}");
    let dated = public.iter().map(|line| match line {
        line if line.starts_with("modified = ") => format!("modified = \"{}\"", Timestamp::now()),
        line => (*line).to_owned(),
    });
    fs::write(&draft, dated.collect::<Vec<_>>().join("\n"))?;
    desk.well(&["advisory", "sign", &draft, "--feed", &feed])?;
    let (_, early) = desk.refused(&["broadcast", &feed])?;
    assert!(early.contains(&format!("--disclose {ADVISORY}")), "{early}");
    assert_eq!(desk.state(&id)?, "broadcast");
    desk.well(&["broadcast", &feed, "--disclose", ADVISORY])?;
    assert_eq!(desk.state(&id)?, "disclosed");
    assert_eq!(desk.well(&["case", "list"])?.trim(), "No open cases.");
    let all = desk.well(&["case", "list", "--all"])?;
    assert!(all.contains(&id), "{all}");
    Ok(())
}

#[test]
fn the_finder_is_shown_to_whoever_has_the_key_and_asks() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&from(Finder {
        contact: "grace@example.com".into(),
        ..Finder::default()
    }))?;
    let without = desk.well(&["case", "show", &id])?;
    assert!(!without.contains("grace"), "{without}");
    assert!(without.contains("Start a backup."), "{without}");
    let with = desk.well(&["case", "show", &id, "--finder"])?;
    assert!(with.contains("grace@example.com"), "{with}");
    fs::remove_file(desk.path("keys/report.key"))?;
    let (code, said) = desk.refused(&["case", "show", &id, "--finder"])?;
    assert!(code == Some(4) && said.contains("report.key"), "{said}");
    desk.well(&["case", "show", &id])?;
    Ok(())
}

#[test]
fn a_finder_without_a_key_gets_a_copy_with_a_passphrase() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.corrected()?;
    let out = desk.path("out").display().to_string();
    let (_, said) = desk.refused(&["case", "review", &id, "--out", &out])?;
    assert!(said.contains("has no advisory yet"), "{said}");
    desk.write_advisory(&id)?;
    let one = desk.json(&["case", "review", &id, "--out", &out])?;
    let other = desk.json(&["case", "review", &id, "--out", &out])?;
    assert_ne!(
        one["copy"], other["copy"],
        "each copy has a mark of its own"
    );
    let file = |suffix: &str| {
        let mark = one["copy"].as_str().unwrap_or_default();
        fs::read_to_string(desk.path("out").join(format!("{id}.{mark}.{suffix}")))
    };
    let passphrase = zeroize::Zeroizing::new(file("passphrase")?.trim().to_owned());
    let text = envelope::open_with(file("txt.age")?.as_bytes(), &passphrase, 1 << 20)?;
    let text = std::str::from_utf8(&text)?;
    assert!(text.contains("not for publication"), "{text}");
    assert!(
        text.contains("spacecp:module-backup: 2.3.0; 2.2.0"),
        "{text}"
    );
    Ok(())
}

#[test]
fn an_advisory_waits_for_its_case_and_a_credit_for_consent() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    let draft = desk.write_advisory(&id)?;
    let name = draft.display().to_string();
    let text = fs::read_to_string(&draft)?;
    assert!(
        text.contains("title = \"Backups follow \\\"links\\\"\"")
            || text.contains("title = 'Backups follow \"links\"'"),
        "{text}"
    );
    assert!(text.contains("versions = [\"2.3.0\", \"2.2.0\"]"), "{text}");
    assert!(text.contains("event = \"Reported in private.\""), "{text}");
    fs::write(
        &draft,
        format!("{text}\n[[credits]]\nname = \"Grace\"\nrole = \"finder\"\n"),
    )?;
    let (code, said) = desk.refused(&["advisory", "check", &name])?;
    assert_eq!(code, Some(1));
    assert!(
        said.contains(&format!("case: case {id} is reported")),
        "{said}"
    );
    assert!(said.contains("credits: the finder of"), "{said}");
    desk.well(&["case", "acknowledge", &id])?;
    desk.well(&["case", "verify", &id])?;
    desk.well(&["case", "credit", &id, "--agreed", "--text", "by mail"])?;
    desk.well(&["advisory", "check", &name])?;
    desk.well(&["case", "credit", &id, "--withdrawn"])?;
    let (_, said) = desk.refused(&["advisory", "check", &name])?;
    assert!(
        said.contains("credits: the finder of") && !said.contains("case:"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_broadcast_asks_for_the_finders_answer_and_is_told_why_without() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.corrected()?;
    let draft = desk.write_advisory(&id)?.display().to_string();
    let feed = desk.feed()?;
    desk.well(&["advisory", "sign", &draft, "--feed", &feed])?;
    for dry in [&["--dry-run"][..], &[]] {
        let (code, said) = desk.refused(&[&["broadcast", feed.as_str()], dry].concat())?;
        assert_eq!(code, Some(4));
        assert!(
            said.contains(&id) && said.contains("--without-review"),
            "{said}"
        );
        assert!(
            !Path::new(&feed).join("head").exists(),
            "nothing was published"
        );
    }
    desk.well(&[
        "broadcast",
        &feed,
        "--without-review",
        "the finder is anonymous",
    ])?;
    let shown = desk.well(&["case", "show", &id])?;
    assert!(
        shown.contains("without the finder's review: the finder is anonymous"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn the_finders_approval_is_of_the_text_that_they_saw() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.corrected()?;
    let draft = desk.write_advisory(&id)?;
    let name = draft.display().to_string();
    let out = desk.path("out").display().to_string();
    desk.well(&["case", "review", &id, "--out", &out])?;
    desk.well(&["case", "answer", &id, "--approved"])?;
    let text = fs::read_to_string(&draft)?;
    fs::write(&draft, text.replace("Files are read.", "Nothing much."))?;
    let feed = desk.feed()?;
    desk.well(&["advisory", "sign", &name, "--feed", &feed])?;
    let (_, said) = desk.refused(&["broadcast", &feed])?;
    assert!(
        said.contains("differs from the one they approved") && said.contains("--without-review"),
        "{said}"
    );
    // Signed by mistake, it is taken back, and what they approved of goes out.
    desk.well(&["discard-pending", "advisory", ADVISORY, "--feed", &feed])?;
    fs::write(&draft, text)?;
    desk.well(&["advisory", "sign", &name, "--feed", &feed])?;
    desk.well(&["broadcast", &feed])?;
    assert_eq!(desk.state(&id)?, "broadcast");
    Ok(())
}

#[test]
fn a_broadcast_that_is_signed_on_another_machine_takes_its_case_further() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.corrected()?;
    let draft = desk.write_advisory(&id)?.display().to_string();
    let feed = desk.feed()?;
    desk.well(&["advisory", "sign", &draft, "--feed", &feed])?;
    let asked = desk.path("asked").display().to_string();
    let request = ["broadcast", &feed, "--request", &asked];
    let (_, said) = desk.refused(&request)?;
    assert!(said.contains("--without-review"), "{said}");
    let because = ["--without-review", "the finder is anonymous"];
    desk.well(&[&request[..], &because].concat())?;
    let (_, taken) = desk.refused(&[&request[..], &because].concat())?;
    assert!(taken.contains("already exists"), "{taken}");
    let [index, head] = ["1.index", "1.head"].map(|name| format!("{asked}/{name}"));
    for request in [&index, &head] {
        desk.well(&["sign-request", request, "--key", "feed"])?;
    }
    let add = ["add-signature", &head, "--feed", &feed];
    let (_, said) = desk.refused(&add)?;
    assert!(said.contains("--without-review"), "{said}");
    assert!(
        !Path::new(&feed).join("head").exists(),
        "nothing is current"
    );
    desk.well(&[&add[..], &because].concat())?;
    assert_eq!(desk.state(&id)?, "broadcast");
    Ok(())
}

#[test]
fn a_consent_that_was_withdrawn_keeps_the_name_in() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.corrected()?;
    let draft = desk.write_advisory(&id)?;
    let credit = "\n[[credits]]\nname = \"Grace\"\nrole = \"finder\"\n";
    fs::write(&draft, fs::read_to_string(&draft)? + credit)?;
    let name = draft.display().to_string();
    desk.well(&["case", "credit", &id, "--agreed", "--text", "by mail"])?;
    let feed = desk.feed()?;
    desk.well(&["advisory", "sign", &name, "--feed", &feed])?;
    desk.well(&["case", "credit", &id, "--withdrawn"])?;
    let (_, said) = desk.refused(&["broadcast", &feed, "--without-review", "it is urgent"])?;
    assert!(said.contains("has not agreed to be named"), "{said}");
    assert!(
        !Path::new(&feed).join("head").exists(),
        "nothing is current"
    );
    desk.well(&["discard-pending", "advisory", ADVISORY, "--feed", &feed])?;
    Ok(())
}

#[test]
fn what_is_no_case_or_no_report_is_refused_by_name() -> Result<()> {
    let desk = Desk::new()?;
    for id in ["../keys", "/etc", "CASE-2026-1", "CASE-2026-0001/.."] {
        let (code, said) = desk.refused(&["case", "show", id])?;
        assert!(
            code == Some(2) && said.contains("invalid case id"),
            "{said}"
        );
    }
    let (code, said) = desk.refused(&["case", "show", CASE])?;
    assert!(
        code == Some(4) && said.contains(&format!("no case {CASE}")),
        "{said}"
    );
    let sealed = desk.seal(&report())?;
    desk.well(&["case", "open", &sealed])?;
    let (_, again) = desk.refused(&["case", "open", &sealed])?;
    assert!(
        again.contains("this report is already open as CASE-"),
        "{again}"
    );
    let altered = fs::read_to_string(&sealed)?;
    fs::write(&sealed, &altered[..altered.len() / 2])?;
    let (_, cut) = desk.refused(&["case", "open", &sealed])?;
    assert!(cut.contains("report.age"), "{cut}");
    let (code, reason) = desk.refused(&["case", "reject", CASE, "--reason", "boring"])?;
    assert!(
        code == Some(2) && reason.contains("weak-default"),
        "{reason}"
    );
    Ok(())
}

#[test]
fn overdue_ends_with_one_and_reads_the_desks_own_deadlines() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    assert_eq!(
        desk.well(&["case", "overdue"])?.trim(),
        "No cases are overdue."
    );
    // As if the report had come in before: entries may be corrected by hand.
    let path = desk.path("cases").join(&id).join("case.toml");
    let text = fs::read_to_string(&path)?;
    let at = text.find("at = \"").unwrap_or_default() + 6;
    fs::write(&path, format!("{}2025{}", &text[..at], &text[at + 4..]))?;
    let (code, said) = desk.refused(&["case", "overdue"])?;
    assert!(
        code == Some(1) && said.contains("answer the finder"),
        "{said}"
    );
    let (_, json) = desk.refused(&["--json", "case", "overdue"])?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!(json["overdue"][0]["command"], "acknowledge");
    let deadlines = desk.path("cases/deadlines.toml");
    fs::write(&deadlines, "acknowledge-days = 10000\n")?;
    desk.well(&["case", "overdue"])?;
    fs::write(&deadlines, "acknowledge-days = 3\nanswer = 1\n")?;
    let (code, said) = desk.refused(&["case", "overdue"])?;
    assert!(
        code == Some(4) && said.contains("line 2, column 1"),
        "{said}"
    );
    Ok(())
}

#[test]
fn a_broken_case_is_listed_and_ends_with_one() -> Result<()> {
    let desk = Desk::new()?;
    let id = desk.open(&report())?;
    fs::write(desk.path("cases").join(&id).join("case.toml"), "id = 1")?;
    for command in ["list", "overdue"] {
        let (code, said) = desk.refused(&["case", command])?;
        assert!(code == Some(1) && said.contains("unreadable: "), "{said}");
    }
    Ok(())
}

#[test]
fn whoever_does_something_has_a_name() -> Result<()> {
    let desk = Desk::new()?;
    let sealed = desk.seal(&report())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_spacecp-publisher"));
    let output = command
        .arg("--desk")
        .arg(desk.folder.path())
        .args(["case", "open", &sealed])
        .env_remove("SPACECP_BY")
        .env_remove("USER")
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    assert!(said.contains("--by NAME"), "{said}");
    Ok(())
}

#[test]
fn a_report_is_not_turned_away_for_a_key_that_is_none() -> Result<()> {
    let desk = Desk::new()?;
    let finder = Finder {
        recipient: "age1nobody".into(),
        ..Finder::default()
    };
    let said = desk.well(&["case", "open", &desk.seal(&from(finder))?])?;
    assert!(
        said.contains("cannot use the finder's recipient: invalid age recipient \"age1nobody\""),
        "{said}"
    );
    Ok(())
}
