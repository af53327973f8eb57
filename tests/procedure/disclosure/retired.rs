//! Withdrawing and superseding by the program, from the draft to what everybody reads.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use spacecp_publisher::{drafts, feed::Feed};

use super::{
    kinds::{id, own},
    stage::Stage,
};

impl Stage {
    fn feed_argument(&self) -> String {
        self.vendor.feed_dir().display().to_string()
    }

    fn withdraw(&self, reason: &str) -> Result<std::process::Output> {
        let feed = self.feed_argument();
        self.run(&["withdraw", &id(1), "--feed", &feed, "--reason", reason])
    }

    /// Signs what the draft of an advisory says, and broadcasts it.
    fn sign_draft(&mut self, number: u32) -> Result<()> {
        let draft = format!("desk/drafts/{}.toml", id(number));
        let advisory = drafts::load(&self.folder.path().join(draft))?;
        self.vendor.publish_advisory(advisory)?;
        self.vendor.broadcast()?;
        Ok(())
    }

    fn json(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.read(path)?)?)
    }
}

#[test]
fn a_withdrawn_advisory_says_so_and_why_everywhere() -> Result<()> {
    let mut stage = Stage::with([own(1)])?;
    let reason = "It was no flaw: <b>nobody</b> can reach it.";
    let output = stage.withdraw(reason)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout)?;
    ensure!(
        said.contains("advisory sign") && said.contains("broadcast"),
        "{said}"
    );
    stage.sign_draft(1)?;
    stage.disclose()?;
    let page = stage.read("advisories/SPACECP-SA-2026-1001.html")?;
    ensure!(
        page.contains("It was no flaw: &lt;b&gt;nobody&lt;/b&gt; can reach it."),
        "{page}"
    );
    ensure!(
        stage.read("advisories/index.html")?.contains("Withdrawn"),
        "the list says so"
    );
    let feed: atom_syndication::Feed = stage.read("advisories.atom")?.parse()?;
    let entry = &feed.entries()[0];
    assert!(entry.title().as_str().starts_with("Withdrawn: "));
    assert!(
        entry
            .summary()
            .context("a summary")?
            .as_str()
            .contains(reason)
    );
    let csaf = stage.json(".well-known/csaf/white/2026/spacecp-sa-2026-1001.json")?;
    let note = csaf["document"]["notes"][0]["text"]
        .as_str()
        .context("a note")?;
    assert!(note.ends_with(reason), "{note}");
    let osv = stage.json("osv/x_SPACECP-SA-2026-1001.json")?;
    assert!(osv["withdrawn"].is_string());
    assert!(
        osv["details"]
            .as_str()
            .is_some_and(|words| words.contains(reason))
    );
    Ok(())
}

#[test]
fn a_superseded_advisory_leads_to_what_took_its_place() -> Result<()> {
    let mut stage = Stage::with([own(1), own(2)])?;
    let feed = stage.feed_argument();
    let reason = "The ranges were wrong.";
    let output = stage.run(&[
        "supersede",
        &id(1),
        "--by",
        &id(2),
        "--feed",
        &feed,
        "--reason",
        reason,
    ])?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    stage.sign_draft(2)?;
    stage.disclose()?;
    let old = stage.read("advisories/SPACECP-SA-2026-1001.html")?;
    ensure!(
        old.contains("href=\"SPACECP-SA-2026-1002.html\"") && old.contains(reason),
        "{old}"
    );
    let new = stage.read("advisories/SPACECP-SA-2026-1002.html")?;
    ensure!(new.contains("href=\"SPACECP-SA-2026-1001.html\""), "{new}");
    let csaf = stage.json(".well-known/csaf/white/2026/spacecp-sa-2026-1001.json")?;
    let references = csaf["document"]["references"]
        .as_array()
        .context("a list")?;
    ensure!(
        references.iter().any(|reference| {
            reference["summary"] == "Superseding Document"
                && reference["url"]
                    .as_str()
                    .is_some_and(|url| url.ends_with("/2026/spacecp-sa-2026-1002.json"))
        }),
        "{references:?}"
    );
    let osv = stage.json("osv/x_SPACECP-SA-2026-1002.json")?;
    assert_eq!(osv["related"][0], "x_SPACECP-SA-2026-1001");
    Ok(())
}

#[test]
fn a_draft_with_words_that_are_not_signed_is_not_written_over() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    ensure!(
        stage.withdraw("It was no flaw.")?.status.success(),
        "the first draft"
    );
    let path = stage
        .folder
        .path()
        .join("desk/drafts/SPACECP-SA-2026-1001.toml");
    let before = std::fs::read(&path)?;
    let again = stage.withdraw("For another reason.")?;
    assert_eq!(again.status.code(), Some(4));
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    ensure!(said.contains("differs from the signed revision"), "{said}");
    assert_eq!(std::fs::read(&path)?, before);
    Ok(())
}

#[test]
fn the_draft_of_a_withdrawal_is_fit_to_be_signed() -> Result<()> {
    let stage = Stage::with([own(1)])?;
    ensure!(
        stage.withdraw("It was no flaw.")?.status.success(),
        "a draft"
    );
    let path = stage
        .folder
        .path()
        .join("desk/drafts/SPACECP-SA-2026-1001.toml");
    let output = stage.run(&["advisory", "check", &path.display().to_string()])?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(())
}

#[test]
fn what_nobody_has_signed_or_others_wrote_is_not_withdrawn_here() -> Result<()> {
    use spacecp_formats::{Format, Terms, to_advisory};
    let record = crate::external::osv("RUSTSEC-2026-0001");
    let theirs = to_advisory(Format::Osv, &record, &Terms::public())?.advisory;
    let stage = Stage::with([theirs])?;
    let feed = stage.feed_argument();
    for (id, words) in [
        ("SPACECP-SA-2026-1001", "was never signed"),
        (
            "RUSTSEC-2026-0001",
            "import it again after it is withdrawn there",
        ),
    ] {
        let output = stage.run(&["withdraw", id, "--feed", &feed, "--reason", "None."])?;
        assert_eq!(output.status.code(), Some(4));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(said.contains(words), "{said}");
    }
    assert!(Feed::at(stage.vendor.feed_dir()).root().is_ok());
    Ok(())
}
