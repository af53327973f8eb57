//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::{
    filter_args::{Components, Exposure, List, ScheduleAction},
    machine_args::{Init, SetVersion, UnreadAction},
};

/// Check this panel against the vendor's signed security advisories and apply the corrections.
#[derive(Debug, Parser)]
#[command(
    name = "spacecp-advisories",
    version,
    after_help = "Exit codes:\n  0  success; check: no component is affected\n  1  check: a component is affected, unknown or unreadable, or there is no valid data from the feed; doctor: a problem was found\n  2  invalid command line or configuration\n  3  refused: invalid signature, plan changed, blocker found, confirmation missing, or audit log verification failed\n  4  failed; auto --once: a correction failed\n\nExamples:\n  spacecp-advisories sync\n  spacecp-advisories check --format json\n  spacecp-advisories show SPACECP-SA-2026-0007\n  spacecp-advisories apply SPACECP-SC-2026-0007 --dry-run"
)]
pub(super) struct Arguments {
    /// Read the configuration from this file.
    #[arg(
        long,
        short,
        global = true,
        env = "SPACECP_ADVISORIES_CONFIG",
        default_value = "/etc/spacecp-advisories/config.toml",
        value_name = "FILE"
    )]
    pub(super) config: PathBuf,

    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Include embargoed advisories in JSON and SARIF output, and record the access in the audit log.
    ///
    /// Without this option, JSON and SARIF output name an embargoed advisory by its id only.
    #[arg(long, global = true)]
    pub(super) under_embargo: bool,

    /// Set when to colour the output.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(super) color: Colour,

    /// Set the filter for log lines on standard error, such as "info" or "warn,sqlx=off".
    #[arg(
        long,
        global = true,
        env = "SPACECP_ADVISORIES_LOG",
        value_name = "FILTER"
    )]
    pub(super) log: Option<String>,

    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// Colour the output on a terminal only.
    Auto,
    /// Always colour the output.
    Always,
    /// Never colour the output.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set this panel up from the file that the vendor handed over.
    ///
    /// Verifies the file, writes the configuration with what is installed in the usual places, and syncs. Asks whether
    /// the SHA-256 of the file is the one that the vendor gave by another way; pass it with --sha256 instead. Example:
    /// spacecp-advisories init hand-over.tar --user admin
    Init(Init),
    /// Fetch new advisories and corrections from the feed and verify them.
    Sync,
    /// Check installed components against the advisories received. Exits with 1 if any is affected, unknown
    /// or could not be read.
    ///
    /// Does not contact the feed: run "sync" first, or keep "serve" running. Also exits with 1 before the
    /// first sync and after the received data has expired. If several advisories describe the same
    /// vulnerability, the table shows the most severe verdict and names the other advisories; JSON output
    /// lists every verdict, and `same_flaw_as` names the advisory whose verdict is shown.
    Check(Check),
    /// List the advisories received.
    List(List),
    /// List the installed components with their versions and the paths where each was found.
    Components(Components),
    /// Show the exposure history: which components were affected by which advisory, from when until when,
    /// and what ended it.
    ///
    /// Answers whether this panel was affected between two dates, as far as this panel knew. Example:
    /// spacecp-advisories exposure --advisory CVE-2021-44228 --from 2026-11-01
    Exposure(Exposure),
    /// List or cancel scheduled corrections.
    ///
    /// "apply --at-window" schedules a correction; "serve" applies it in the next maintenance window.
    #[command(name = "schedule", alias = "appointments")]
    Appointments {
        #[command(subcommand)]
        action: Option<ScheduleAction>,
    },
    /// Show what a correction changes in a component, line by line.
    Changes {
        /// Id of the correction, such as SPACECP-SC-2026-0007.
        correction: String,
        /// Component to compare with. Required only if the correction matches several.
        #[arg(long)]
        component: Option<String>,
    },
    /// Print the completion script for a shell.
    ///
    /// Example: spacecp-advisories completions bash > /etc/bash_completion.d/spacecp-advisories
    Completions {
        /// Shell to print the script for.
        shell: spacecp_manual::Shell,
    },
    /// Write the manual pages of all commands into a directory.
    Man {
        /// Directory to write to.
        #[arg(value_name = "DIRECTORY")]
        folder: PathBuf,
    },
    /// Show one advisory with its verdicts and the correction for this panel.
    Show {
        /// Id of the advisory, such as SPACECP-SA-2026-0007.
        advisory: String,
    },
    /// Mark a workaround as in place, or remove the mark.
    ///
    /// A marked component stays affected, with lower urgency. A mark ends on its date, and as soon as the
    /// text of the workaround changes.
    Workaround {
        #[command(subcommand)]
        action: Workaround,
    },
    /// Accept the risk of an affected component until a date.
    ///
    /// The component stays affected, with lower urgency. The acceptance ends on its date, and as soon as
    /// the severity, the affected versions or the known exploitation of the advisory change.
    Accept(Accept),
    /// List the paths that could not be read, with the reason, or acknowledge one until a date.
    ///
    /// "check" exits with 1 while a path is neither read nor acknowledged. An acknowledgement ends on its
    /// date, and as soon as the file or the reason changes.
    Unread {
        #[command(subcommand)]
        action: Option<UnreadAction>,
    },
    /// Set the version of a component whose version could not be read, until a date.
    ///
    /// The component is judged as if that version had been found. It ends on its date, as soon as a version
    /// is found, and as soon as the file or the reason changes.
    SetVersion(SetVersion),
    /// Apply corrections to the installed components.
    ///
    /// Several corrections form one plan: required corrections come first, and either all are applied or
    /// none. Shows the plan and asks for confirmation. Without a terminal, pass --yes, or --plan with the
    /// digest of a plan reviewed earlier.
    ///
    /// Example: spacecp-advisories apply SPACECP-SC-2026-0007 --dry-run
    Apply(Apply),
    /// Roll back an apply run: restore the previous files and keep the current run-time data.
    ///
    /// Lists the advisories that the previous version is affected by, and asks for confirmation. Needs neither the feed,
    /// the plugin nor the component itself.
    Rollback {
        /// Id of the apply run, or a component to roll back its newest apply run.
        #[arg(value_name = "APPLY_RUN|COMPONENT")]
        which: String,
        /// Discard changes made to files since the correction was applied.
        #[arg(long)]
        overwrite: bool,
        /// Show which exposures the rollback would reopen, and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Roll back without asking for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Show the policy for automatic application, its next run and the previous runs.
    ///
    /// "serve" applies what the policy allows, within the maintenance windows of the policy. Edit the
    /// policy on the page "Policy"; the configuration limits what it may allow.
    Auto(Auto),
    /// List notification channels, test them, or retry failed deliveries.
    ///
    /// "serve" sends notifications as events happen, and checks for new ones every minute. Configure
    /// channels under [[notify.channel]].
    Notify {
        #[command(subcommand)]
        action: NotifyAction,
    },
    /// Encrypt a vulnerability report to the vendor.
    ///
    /// No plain text is kept. Without --out, prints the encrypted report in ASCII armour for sending by
    /// e-mail. Start with a template: spacecp-advisories report --template > report.toml
    Report(Report),
    /// Show the apply runs and rollbacks with their entries in the audit log.
    History,
    /// Show the audit log: every action and decision, who made it, and which keys signed what was applied.
    ///
    /// Needs neither the feed nor the plugin. With --json, prints one entry a line, oldest first, for
    /// archiving. Exits with 3 if verification of the log fails.
    Audit(Audit),
    /// Import an offline bundle (no network access).
    ///
    /// Verifies the bundle exactly as the feed itself. The payloads of its corrections are stored, so that
    /// they can be applied offline.
    Import {
        /// Bundle written by "spacecp-publisher bundle".
        file: PathBuf,
    },
    /// Show the trusted root, its keys, and what this panel rejected; or reset the trusted state.
    Trust {
        #[command(subcommand)]
        action: Option<Trust>,
    },
    /// Show this panel's age recipient, to which the vendor encrypts embargoed advisories.
    ///
    /// Give the recipient (age1…) to the vendor only: whoever knows it can recognise broadcasts that are
    /// sealed for this panel.
    Identity {
        #[command(subcommand)]
        action: Option<Identity>,
    },
    /// Diagnose whatever prevents advisories from arriving or corrections from being applied, with
    /// remedies. Exits with 1 if a problem is found.
    Doctor,
    /// Complete or roll back what a crash or a power loss interrupted.
    ///
    /// Every other command does this first. Needs neither the feed nor the plugin, and skips what another
    /// process holds locked. Exits with 4 if something can be neither completed nor rolled back yet.
    Recover {
        /// First move a lost or damaged store.sqlite aside and create a new one from the copy of the journal.
        ///
        /// Loses decisions, tokens, the policy, schedules, notifications, histories, the remembered times and
        /// the newest entries of the audit log, and prints what is lost: restore the file from a backup
        /// instead if there is one.
        #[arg(long)]
        new_store: bool,
    },
    /// Continue an apply run while the panel is stopped. Started by the panel, not by hand.
    #[command(hide = true)]
    Watch {
        /// Id of the apply run.
        application: String,
    },
    /// Serve the web pages and the API, sync with the feed, and run scheduled work.
    Serve {
        /// Listen on this address instead of the configured one.
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Set up two-factor login (TOTP) for users of the web pages.
    Totp {
        #[command(subcommand)]
        action: Totp,
    },
    /// Create, list or revoke API tokens.
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Hash a password read from standard input, for serve.users in the configuration.
    HashPassword,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Auto {
    /// Run once now: sync, apply what the policy allows, and print what is held back and why.
    ///
    /// The policy applies as to any run. Exits with 3 if a planned correction is refused or another run is
    /// in progress, and with 4 if a correction fails.
    #[arg(long)]
    pub(super) once: bool,
    /// Print what the run would do, without changing anything.
    #[arg(long, requires = "once")]
    pub(super) dry_run: bool,
    #[command(subcommand)]
    pub(super) action: Option<AutoAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AutoAction {
    /// Enable automatic application, if the configuration allows it.
    On,
    /// Disable automatic application.
    Off,
    /// Release a correction from quarantine, for every component.
    ///
    /// A correction that failed or was rolled back is quarantined: it is not applied automatically until
    /// its next revision or its release.
    Release {
        /// Id of the correction, such as SPACECP-SC-2026-0007.
        correction: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Totp {
    /// Create a secret for a user and print it once, as a QR code and as an otpauth address.
    Enrol {
        /// Name of the user, as configured.
        user: String,
    },
    /// Remove the secret of a user, who then logs in with the password only.
    Remove {
        /// Name of the user.
        user: String,
    },
    /// List the users who have a secret.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Identity {
    /// Show the recipient.
    Show,
    /// Replace the identity, for example after somebody else may have seen it.
    ///
    /// This panel cannot read new embargoed advisories until the vendor has enrolled the new recipient and
    /// broadcast again. Advisories already received stay readable.
    Renew {
        /// Skip the confirmation.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Discard the trusted state and start again from the pinned root.
    ///
    /// A last resort, for example after the vendor had to start a new root. Until the next sync this panel
    /// has no advisories. Apply runs and decisions are kept.
    Reset {
        /// Skip the confirmation.
        #[arg(long, short)]
        yes: bool,
    },
    /// Discard recorded times that lie in the future, after the clock was ahead by mistake.
    ///
    /// A feed that was seen expired stays expired even if the clock is set back, so that old data cannot
    /// become valid again. A clock that is ahead by mistake therefore blocks the feed until the vendor's
    /// next root or head; this command is the alternative. Set the clock first. Without --yes, prints what
    /// would be discarded. Refused (exit code 3) unless the clock is behind a recorded time. Recorded in
    /// the audit log.
    ClockReset {
        /// Discard the times instead of printing them.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Set the output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// Exit with 0 as well if the risk of every affected component is accepted, and that of every unknown
    /// one for itself. A workaround does not suffice.
    #[arg(long)]
    pub(super) allow_accepted: bool,
    /// Exit with 1 as well if there are notices about installed components, such as one that nobody
    /// maintains.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(super) deny: Vec<Deny>,
    /// Exit with 0 as well if paths could not be read. JSON and SARIF output list each with the reason.
    #[arg(long)]
    pub(super) allow_unread: bool,
}

/// What makes a check fail that passes otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Deny {
    /// Notices, which count as no exposure.
    Notices,
}

#[derive(Debug, Subcommand)]
pub(super) enum Workaround {
    /// Mark a workaround as in place.
    Mark {
        /// Id of the advisory, such as SPACECP-SA-2026-0007.
        advisory: String,
        /// Id of the workaround within the advisory.
        workaround: String,
        /// Component to mark it for [default: every component].
        #[arg(long)]
        component: Option<String>,
        /// End of the mark: a day (inclusive, UTC) or a time such as 2026-12-31T18:00:00Z [default:
        /// until the workaround changes].
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// Description of what was done.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Remove the mark of a workaround.
    #[command(name = "unmark", alias = "lift")]
    Lift {
        /// Id of the advisory.
        advisory: String,
        /// Id of the workaround within the advisory.
        workaround: String,
        /// Component of the mark [default: the mark for every component].
        #[arg(long)]
        component: Option<String>,
    },
    /// List the marks that are valid or have expired.
    List {
        /// Include marks that were removed or replaced.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Accept {
    /// Id of the advisory, such as SPACECP-SA-2026-0007.
    #[arg(required_unless_present = "list")]
    pub(super) advisory: Option<String>,
    /// Component to accept the risk for, also while its status is unknown [default: every affected
    /// component].
    #[arg(long)]
    pub(super) component: Option<String>,
    /// Reason for accepting the risk.
    #[arg(long, required_unless_present_any = ["lift", "list"])]
    pub(super) reason: Option<String>,
    /// End of the acceptance: a day (inclusive, UTC) or a time such as 2026-12-31T18:00:00Z, at most
    /// decisions.longest-acceptance-days (default 90) away.
    #[arg(long, value_name = "DATE", required_unless_present_any = ["lift", "list"])]
    pub(super) until: Option<String>,
    /// Withdraw the acceptance.
    #[arg(long = "withdraw", alias = "lift", conflicts_with_all = ["reason", "until", "list"])]
    pub(super) lift: bool,
    /// List the acceptances that are valid or have expired.
    #[arg(long, conflicts_with_all = ["advisory", "component", "reason", "until"])]
    pub(super) list: bool,
    /// With --list, include acceptances that were withdrawn or replaced.
    #[arg(long, requires = "list")]
    pub(super) all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenAction {
    /// Create a token and print it once.
    ///
    /// Example: spacecp-advisories token new monitoring --scope read --scope metrics --days 90
    New {
        /// Name of the token, such as "monitoring". Appears in the audit log.
        name: String,
        /// Scope to grant: read, apply, decide, sync or metrics. May be repeated.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// Days until the token expires.
        #[arg(long, default_value_t = 365, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// Create a token that does not expire.
        #[arg(long, conflicts_with = "days")]
        no_end: bool,
    },
    /// List all tokens, including expired and revoked ones. Secrets are not shown.
    List,
    /// Revoke an API token.
    Revoke {
        /// Name or number of the token.
        which: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyAction {
    /// List the channels with their pending and failed deliveries.
    List,
    /// Send a test notification now. Exits with 4 if a channel does not accept it.
    Test {
        /// Channel to test [default: every channel].
        channel: Option<String>,
    },
    /// Send pending notifications and retry failed and abandoned deliveries now. Exits with 4 if one fails
    /// again.
    Retry,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Audit {
    /// Number of newest entries to show. With --json, all entries are printed.
    #[arg(long, default_value_t = 50, value_name = "ENTRIES")]
    pub(super) limit: u32,
    /// Print only entries after the entry with this hash, such as the last one of an earlier export. Exits
    /// with 3 if the entry no longer exists.
    #[arg(long, value_name = "HASH")]
    pub(super) since: Option<String>,
    #[command(subcommand)]
    pub(super) action: Option<AuditAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditAction {
    /// Verify the hash chain of the audit log. Exits with 3 if verification fails.
    ///
    /// Prints the newest entry as NUMBER:HASH. Store it on another machine and pass it to --expect later,
    /// to detect that the log was truncated or rewritten.
    Verify {
        /// Entry that the log must contain.
        #[arg(long, value_name = "NUMBER:HASH")]
        expect: Option<String>,
    },
}

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(super) struct Apply {
    /// Ids of the corrections, such as SPACECP-SC-2026-0007.
    #[arg(required = true, value_name = "CORRECTION")]
    pub(super) corrections: Vec<String>,
    /// Component to apply to. Required only if the correction matches several; not allowed with several
    /// corrections.
    #[arg(long)]
    pub(super) component: Option<String>,
    /// Show the plan and the blockers, without changing anything.
    #[arg(long, conflicts_with_all = ["yes", "plan"])]
    pub(super) dry_run: bool,
    /// Apply only if the plan still has this digest.
    #[arg(long, value_name = "DIGEST")]
    pub(super) plan: Option<String>,
    /// Replace locally modified files. A rollback restores them.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Skip the confirmation.
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Schedule the correction for the next maintenance window of the policy instead of applying it now.
    /// "serve" applies it then, unless the plan has changed. Accepts one correction.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) at_window: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Table for people.
    Table,
    /// JSON for scripts.
    Json,
    /// SARIF 2.1.0 for code-scanning tools.
    Sarif,
}

/// What is reported, and to whom.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// Read the report from this file, in the format of --template; "-" reads standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Title of the report, instead of the one in the file.
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Write the encrypted report to this file. An existing file is not overwritten.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Encrypt to this recipient (age1…) instead of the configured one. No configuration is needed then.
    #[arg(long, value_name = "RECIPIENT")]
    pub(super) recipient: Option<crate::report::Recipient>,
    /// Print a template for a report, listing the installed components.
    #[arg(long, conflicts_with_all = ["from", "title", "out", "recipient"])]
    pub(super) template: bool,
}
