//! The command line about cases.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spacecp_contract::{DocumentId, InScope};

use crate::cases::{id::CaseId, state_machine::Rejection};

#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Open a case from an encrypted vulnerability report.
    Open {
        /// Encrypted report, such as REPORT.age; "-" reads standard input.
        report: PathBuf,
        #[command(flatten)]
        key: WithKey,
        #[command(flatten)]
        who: Who,
    },
    /// List the open cases. Exits with 1 if a case cannot be read.
    List {
        /// Include rejected and disclosed cases.
        #[arg(long)]
        all: bool,
    },
    /// Show a case: its state, its history and the vulnerability report.
    Show {
        /// Id of the case, such as CASE-2026-0001.
        id: CaseId,
        /// Also show the finder. Requires the report key.
        #[arg(long)]
        finder: bool,
        #[command(flatten)]
        key: WithKey,
    },
    #[command(flatten)]
    Step(CaseStep),
    /// Write an encrypted copy of the advisory for the finder to review.
    ///
    /// Encrypts to the finder's recipient if the report names one, otherwise with a new passphrase that is
    /// written beside the copy; send the passphrase over another channel.
    Review {
        /// Id of the case.
        id: CaseId,
        /// Directory to write the copy to.
        #[arg(long, value_name = "DIRECTORY")]
        out: PathBuf,
        #[command(flatten)]
        key: WithKey,
        #[command(flatten)]
        who: Who,
    },
    /// List the cases that are overdue by cases/deadlines.toml. Exits with 1 if there is any.
    Overdue,
}

/// Steps of a case; each is recorded with its date, and refused where the state does not allow it.
#[derive(Debug, Subcommand)]
pub(super) enum CaseStep {
    /// Record that the report was acknowledged to the finder.
    Acknowledge {
        /// Id of the case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// Record that the vulnerability was reproduced and is in scope.
    Verify {
        /// Id of the case.
        id: CaseId,
        /// Scope category: query-injection, cross-site-scripting, broken-authentication or
        /// broken-sandbox.
        #[arg(long, value_parser = scope)]
        scope: Option<InScope>,
        #[command(flatten)]
        who: Who,
    },
    /// Reject the report: not a vulnerability, out of scope, or not reproduced.
    Reject {
        /// Id of the case.
        id: CaseId,
        /// Reason: unsupported-browser, social-engineering, brute-force, public-information,
        /// weak-default, not-reproduced or no-vulnerability.
        #[arg(long, value_name = "CATEGORY", value_parser = rejection)]
        reason: Rejection,
        /// Further explanation.
        #[arg(long, default_value = "")]
        text: String,
        #[command(flatten)]
        who: Who,
    },
    /// Record that work on a solution has started, or started again.
    Start {
        /// Id of the case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// Record the solution: a correction or a workaround.
    Correct {
        /// Id of the case.
        id: CaseId,
        /// Id of the correction.
        #[arg(long, value_name = "ID", required_unless_present = "workaround")]
        correction: Option<DocumentId>,
        /// Description of the workaround, if there is no correction.
        #[arg(long, value_name = "TEXT", conflicts_with = "correction")]
        workaround: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Record the finder's answer to the latest review copy.
    Answer {
        /// Id of the case.
        id: CaseId,
        /// The finder approves.
        #[arg(long, required_unless_present = "objections")]
        approved: bool,
        /// The objections of the finder.
        #[arg(long, value_name = "TEXT", conflicts_with = "approved")]
        objections: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Record whether the finder agrees to be named.
    Credit {
        /// Id of the case.
        id: CaseId,
        /// The finder agrees to be named.
        #[arg(long, required_unless_present = "withdrawn")]
        agreed: bool,
        /// The finder withdrew the agreement.
        #[arg(long, conflicts_with = "agreed")]
        withdrawn: bool,
        /// Where or how the finder stated it.
        #[arg(long, default_value = "")]
        text: String,
        #[command(flatten)]
        who: Who,
    },
    /// Record that customers received the advisory. "spacecp-publisher broadcast" does this itself.
    Broadcast {
        /// Id of the case.
        id: CaseId,
        /// Reason for the broadcast without the finder's approval.
        #[arg(long, value_name = "REASON")]
        without_review: Option<String>,
        #[command(flatten)]
        who: Who,
    },
    /// Record that the advisory is public.
    Disclosed {
        /// Id of the case.
        id: CaseId,
        #[command(flatten)]
        who: Who,
    },
    /// Record a message sent to the finder.
    #[command(name = "inform", alias = "told")]
    Told {
        /// Id of the case.
        id: CaseId,
        /// Content of the message.
        #[arg(long)]
        text: String,
        #[command(flatten)]
        who: Who,
    },
}

/// The key that opens reports and finders.
#[derive(Debug, Args)]
pub(super) struct WithKey {
    /// Key to decrypt with: keys/NAME.key in the working directory.
    #[arg(long, default_value = "report", value_name = "NAME")]
    pub(super) key: String,
}

/// Who does something.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Person to record [default: the user's name].
    #[arg(long, env = "SPACECP_BY", value_name = "NAME")]
    pub(super) by: Option<String>,
}

fn scope(word: &str) -> Result<InScope, String> {
    InScope::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = InScope::ALL.iter().map(|one| one.as_str()).collect();
        format!("must be one of {}", words.join(", "))
    })
}

fn rejection(word: &str) -> Result<Rejection, String> {
    Rejection::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = Rejection::all().map(Rejection::as_str).collect();
        format!("must be one of {}", words.join(", "))
    })
}
