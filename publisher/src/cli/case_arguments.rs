//! The command line about cases.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spacecp_contract::{DocumentId, InScope};

use crate::cases::{course::Rejection, id::CaseId};

#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Open a case from a report that a finder encrypted to the desk.
    Open {
        /// The report, as REPORT.age; "-" reads it from the standard input.
        report: PathBuf,
        #[command(flatten)]
        key: WithKey,
        #[command(flatten)]
        who: Who,
    },
    /// List the cases; ends with 1 if one cannot be read.
    List {
        /// Those that are rejected or disclosed as well.
        #[arg(long)]
        all: bool,
    },
    /// Show a case: where it stands, what happened, and the report.
    Show {
        /// The case.
        id: CaseId,
        /// Who reported as well; that needs the key.
        #[arg(long)]
        finder: bool,
        #[command(flatten)]
        key: WithKey,
    },
    #[command(flatten)]
    Step(CaseStep),
    /// Write a copy of the advisory for the finder to review, encrypted.
    ///
    /// To the finder's own recipient if they gave one, or else with a fresh passphrase that is written beside
    /// it, to be told to them another way.
    Review {
        /// The case.
        id: CaseId,
        /// The folder to write the copy into.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        #[command(flatten)]
        key: WithKey,
        #[command(flatten)]
        who: Who,
    },
    /// What is overdue by cases/deadlines.toml; ends with 1 if anything is.
    Overdue,
}

/// What happened to a case; each is recorded with its date, and what may not follow is refused.
#[derive(Debug, Subcommand)]
pub(super) enum CaseStep {
    /// The finder was answered.
    Acknowledge {
        /// The case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// The flaw was reproduced, and is in scope.
    Verify {
        /// The case.
        id: CaseId,
        /// As what: query-injection, cross-site-scripting, broken-authentication or broken-sandbox.
        #[arg(long, value_parser = scope)]
        scope: Option<InScope>,
        #[command(flatten)]
        who: Who,
    },
    /// It is an ordinary bug, or could not be reproduced.
    Reject {
        /// The case.
        id: CaseId,
        /// Why: unsupported-browser, social-engineering, brute-force, public-information, weak-default,
        /// not-reproduced or no-vulnerability.
        #[arg(long, value_name = "CATEGORY", value_parser = rejection)]
        reason: Rejection,
        /// More about it.
        #[arg(long, default_value = "")]
        text: String,
        #[command(flatten)]
        who: Who,
    },
    /// Work on a solution begins, or begins again.
    Start {
        /// The case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// There is a solution.
    Correct {
        /// The case.
        id: CaseId,
        /// The correction.
        #[arg(long, value_name = "ID", required_unless_present = "workaround")]
        correction: Option<DocumentId>,
        /// What to do instead, where there is no correction.
        #[arg(long, value_name = "TEXT", conflicts_with = "correction")]
        workaround: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// The finder answered to the last copy.
    Answer {
        /// The case.
        id: CaseId,
        /// They approve.
        #[arg(long, required_unless_present = "objections")]
        approved: bool,
        /// What they object to.
        #[arg(long, value_name = "TEXT", conflicts_with = "approved")]
        objections: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// The finder agrees to be named, or no longer does.
    Credit {
        /// The case.
        id: CaseId,
        /// They agree.
        #[arg(long, required_unless_present = "withdrawn")]
        agreed: bool,
        /// They no longer do.
        #[arg(long, conflicts_with = "agreed")]
        withdrawn: bool,
        /// How they said so.
        #[arg(long, default_value = "")]
        text: String,
        #[command(flatten)]
        who: Who,
    },
    /// Customers have the advisory. "spacecp-publisher broadcast" records it by itself.
    Broadcast {
        /// The case.
        id: CaseId,
        /// Why it went out although the finder has not approved of it.
        #[arg(long, value_name = "REASON")]
        without_review: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Everybody has the advisory.
    Disclosed {
        /// The case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// The finder was told something.
    Told {
        /// The case.
        id: CaseId,
        /// What.
        #[arg(long)]
        text: String,
        #[command(flatten)]
        who: Who,
    },
}

/// The key that opens reports and finders.
#[derive(Debug, Args)]
pub(super) struct WithKey {
    /// The key that opens it, keys/NAME.key on the desk.
    #[arg(long, default_value = "report", value_name = "NAME")]
    pub(super) key: String,
}

/// Who does something.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Who does it; the user's name if it is not said.
    #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
    pub(super) by: Option<String>,
}

fn scope(word: &str) -> Result<InScope, String> {
    InScope::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = InScope::ALL.iter().map(|one| one.as_str()).collect();
        format!("it is one of {}", words.join(", "))
    })
}

fn rejection(word: &str) -> Result<Rejection, String> {
    Rejection::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Rejection::all().map(Rejection::as_str).collect();
        format!("it is one of {}", words.join(", "))
    })
}
