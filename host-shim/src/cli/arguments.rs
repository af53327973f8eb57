//! The command line.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::asked::{AppointmentAction, Components, Exposure, List};

/// Signed security advisories on this panel: what is exposed, and the corrections for it.
#[derive(Debug, Parser)]
#[command(
    name = "spacecp-advisories",
    version,
    after_help = "Exit codes:\n  0  done; with check: nothing is exposed\n  1  with check: something is exposed or cannot be decided, or the vendor's last word has expired; with doctor: something wants attention\n  2  the command line or the configuration cannot be used\n  3  refused: not signed as it must be, drifted, in the way, no word given, or an audit log that does not hold\n  4  tried, and did not work; with auto --once: a correction failed\n\nExamples:\n  spacecp-advisories sync\n  spacecp-advisories check --format json\n  spacecp-advisories show SPACECP-SA-2026-0007\n  spacecp-advisories apply SPACECP-SC-2026-0007 --dry-run"
)]
pub(super) struct Arguments {
    /// The configuration.
    #[arg(
        long,
        short,
        global = true,
        env = "SPACECP_ADVISORIES_CONFIG",
        default_value = "/etc/spacecp-advisories/config.toml",
        value_name = "FILE"
    )]
    pub(super) config: PathBuf,

    /// Print JSON for a script to read.
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Give out what is under embargo in JSON and SARIF, too; the audit log says who asked.
    ///
    /// Without it a program is told the ids, and "under embargo".
    #[arg(long, global = true)]
    pub(super) under_embargo: bool,

    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(super) color: Colour,

    /// What to log to standard error, as "info" or "warn,sqlx=off".
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
    /// On a terminal only.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask the feed for news.
    Sync,
    /// Say which installed components are exposed, and why; ends with 1 if any is, or nobody can say.
    ///
    /// Does not ask the feed: run "sync" before, or leave that to "serve". Where several advisories speak of one
    /// flaw, a page has the gravest verdict and names the others; JSON has all of them, and `same_flaw_as` says which
    /// advisory speaks for one.
    Check(Check),
    /// List the advisories received.
    List(List),
    /// List the components installed, in which version, and where that was read.
    Components(Components),
    /// Show from when until when this panel was exposed to what, and why that ended.
    ///
    /// Answers "was I exposed between these dates?", as far as it was known here.
    Exposure(Exposure),
    /// Show what an administrator wants applied at the next window, or take such a word back.
    ///
    /// "apply --at-window" makes an appointment; "serve" keeps it.
    Appointments {
        #[command(subcommand)]
        action: Option<AppointmentAction>,
    },
    /// Show what a correction changes in a component, line by line.
    Changes {
        /// The correction's id, as SPACECP-SC-2026-0007.
        correction: String,
        /// The component; needed only where several could be meant.
        #[arg(long)]
        component: Option<String>,
    },
    /// Print completions for a shell, to be put where it looks for them.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual pages of this program and all of its commands into a folder.
    Man {
        /// The folder.
        folder: PathBuf,
    },
    /// Show one advisory, with the verdicts and the correction for this panel.
    Show {
        /// Its id, as SPACECP-SA-2026-0007.
        advisory: String,
    },
    /// Mark a workaround as in place, or as no longer in place.
    ///
    /// What is exposed stays exposed; it is less urgent. A mark ends at its time, and as soon as the
    /// text of the workaround changes.
    Workaround {
        #[command(subcommand)]
        action: Workaround,
    },
    /// Accept the risk of an exposure for a while.
    ///
    /// What is exposed stays exposed; it is less urgent. An acceptance ends at its time, and as soon as
    /// the advisory's severity, its affected versions or known attacks change.
    Accept(Accept),
    /// Apply corrections.
    ///
    /// Several are one plan: what others require comes first, and all of them are applied, or none.
    ///
    /// Shows what would happen first. On a terminal it asks then; elsewhere it wants --yes, or --plan
    /// with the digest of the plan that was looked at.
    Apply(Apply),
    /// Take an application back: the old tree returns, with the run-time data as it is now.
    ///
    /// Needs neither the feed nor the plugin nor the component itself.
    Rollback {
        /// The application's id, or a component whose newest application is meant.
        #[arg(value_name = "APPLICATION|COMPONENT")]
        which: String,
        /// Give up files that were changed since the correction was applied.
        #[arg(long)]
        overwrite: bool,
    },
    /// Show the policy of automatic application, when it acts next, and what it did.
    ///
    /// "serve" applies what the policy lets it apply, within the windows that it names. The policy is
    /// edited on the page of that name; the configuration says what it may allow at most.
    Auto(Auto),
    /// Show who is told what happens here, try whether they can be, and have what failed tried again.
    ///
    /// "serve" looks each minute, and as soon as something happens. Channels are set up in the
    /// configuration ([[notify.channel]]).
    Notify {
        #[command(subcommand)]
        action: NotifyAction,
    },
    /// Encrypt a report of a vulnerability to the vendor, for sending it in private.
    ///
    /// Nothing of it is kept in clear. Without --out the encrypted report is printed, in armour that can
    /// be mailed.
    Report(Report),
    /// Show what was applied and taken back, and what the audit log has of it.
    History,
    /// Show the audit log: what was done and decided here, by whom, and on whose signatures.
    ///
    /// Needs neither the feed nor the plugin. With --json it prints one line an entry, the oldest
    /// first, for keeping elsewhere; ends with 3 where the log does not hold.
    Audit(Audit),
    /// Take in news that was carried here in one file; asks nobody on the network.
    ///
    /// The file is checked as the feed itself would be. The payloads of its corrections are kept, so
    /// that they can be applied here.
    Import {
        /// The bundle, as "spacecp-publisher bundle" makes it.
        file: PathBuf,
    },
    /// Show whom this panel believes, since when, and what it refused.
    Trust {
        #[command(subcommand)]
        action: Option<Trust>,
    },
    /// Show whom the vendor has to encrypt to, for this panel to read what is under embargo.
    ///
    /// The recipient (age1…) is for the vendor alone: whoever knows it can tell whether a broadcast is for
    /// this panel.
    Identity {
        #[command(subcommand)]
        action: Option<Identity>,
    },
    /// Look for what keeps advisories from arriving or corrections from being applied, and say what
    /// to do; ends with 1 if there is anything.
    Doctor,
    /// Finish or undo what was cut off: a crash, a power loss.
    ///
    /// Every other command does that first, too. It needs neither the feed nor the plugin, and leaves
    /// alone what another process is at.
    Recover,
    /// Go on with an application while the panel is stopped: started by the panel, not by hand.
    #[command(hide = true)]
    Watch {
        /// The application's id.
        application: String,
    },
    /// Serve the pages and follow the feed.
    Serve {
        /// The address to listen on, instead of the one in the configuration.
        #[arg(long, value_name = "ADDRESS:PORT")]
        listen: Option<SocketAddr>,
    },
    /// Have users of the pages log in with a code from their phone beside the password.
    Totp {
        #[command(subcommand)]
        action: Totp,
    },
    /// Let programs reach the API: each has a token, which may do what its scopes say.
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },
    /// Turn a password (read from standard input) into the hash that the configuration wants.
    HashPassword,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Auto {
    /// Do one run now: hear the feed, apply what may be applied, and say what is held back and why.
    ///
    /// The policy holds for it as for any run. Ends with 3 if the panel refused something that the
    /// plugin had planned or another run is under way, and with 4 if a correction failed.
    #[arg(long)]
    pub(super) once: bool,
    /// Say what such a run would do, and change nothing.
    #[arg(long, requires = "once")]
    pub(super) dry_run: bool,
    #[command(subcommand)]
    pub(super) action: Option<AutoAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AutoAction {
    /// Switch automatic application on, if the configuration allows it.
    On,
    /// Switch automatic application off.
    Off,
    /// Release a correction from quarantine, for every component here.
    ///
    /// A correction that failed, or that somebody took back, is not applied by itself again before
    /// its next revision or this word.
    Release {
        /// Its id, as SPACECP-SC-2026-0007.
        correction: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Totp {
    /// Make a secret for a user, and show it once: as a square for the phone, and as an address.
    Enrol {
        /// The user's name, as in the configuration.
        user: String,
    },
    /// Take the secret of a user away; the password is enough then.
    Remove {
        /// The user's name.
        user: String,
    },
    /// List who has a secret.
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum Identity {
    /// Show the recipient.
    Show,
    /// Make another identity, for the day when somebody else may have seen the one that is there.
    ///
    /// This panel reads nothing under embargo until the vendor has enrolled the new one and broadcast again.
    /// What it has read stays.
    Renew {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Trust {
    /// Forget everything that was learnt from the feed and begin with the pinned root again.
    ///
    /// For the day when all else fails: a vendor that had to begin anew, say. Until the next sync
    /// this panel knows nothing. Applications and what was decided here stay.
    Reset {
        /// Do not ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// How to print the verdicts.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
    /// End with 0, too, when every exposure is accepted; a workaround in place is not enough.
    #[arg(long)]
    pub(super) allow_accepted: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Workaround {
    /// Mark a workaround as in place.
    Mark {
        /// The advisory's id, as SPACECP-SA-2026-0007.
        advisory: String,
        /// The workaround's id within the advisory.
        workaround: String,
        /// The component; every component if none is named.
        #[arg(long)]
        component: Option<String>,
        /// A day, to its end in UTC, or a time as 2026-12-31T18:00:00Z; until the workaround changes if
        /// none is named.
        #[arg(long, value_name = "DATE")]
        until: Option<String>,
        /// What was done.
        #[arg(long)]
        reason: Option<String>,
    },
    /// Say that a workaround is no longer in place.
    Lift {
        /// The advisory's id.
        advisory: String,
        /// The workaround's id within the advisory.
        workaround: String,
        /// The component that it was marked for; the mark for every component if none is named.
        #[arg(long)]
        component: Option<String>,
    },
    /// List the marks that hold, and those that ended by themselves.
    List {
        /// Those that were taken back or replaced, too.
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Args)]
pub(super) struct Accept {
    /// The advisory's id, as SPACECP-SA-2026-0007.
    #[arg(required_unless_present = "list")]
    pub(super) advisory: Option<String>,
    /// The component; every component if none is named.
    #[arg(long)]
    pub(super) component: Option<String>,
    /// Why.
    #[arg(long, required_unless_present_any = ["lift", "list"])]
    pub(super) reason: Option<String>,
    /// A day, to its end in UTC, or a time as 2026-12-31T18:00:00Z; the configuration says how far away
    /// it may be (decisions.longest-acceptance-days, 90 if it says nothing).
    #[arg(long, value_name = "DATE", required_unless_present_any = ["lift", "list"])]
    pub(super) until: Option<String>,
    /// Accept it no longer.
    #[arg(long, conflicts_with_all = ["reason", "until", "list"])]
    pub(super) lift: bool,
    /// List the acceptances that hold, and those that ended by themselves.
    #[arg(long, conflicts_with_all = ["advisory", "component", "reason", "until"])]
    pub(super) list: bool,
    /// With --list: those that were taken back or replaced, too.
    #[arg(long, requires = "list")]
    pub(super) all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum TokenAction {
    /// Make a token and show it once.
    New {
        /// What it is for, as "monitoring": it is named so in the audit log.
        name: String,
        /// What it may do; several times for several: read, apply, decide, sync or metrics.
        #[arg(long = "scope", value_name = "SCOPE", required = true)]
        scopes: Vec<String>,
        /// Days that it is good for.
        #[arg(long, default_value_t = 365, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: u32,
        /// It is good until somebody revokes it.
        #[arg(long, conflicts_with = "days")]
        no_end: bool,
    },
    /// List the tokens that were ever made, without their secrets.
    List,
    /// Have a token open nothing any more.
    Revoke {
        /// Its name, or its number.
        which: String,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum NotifyAction {
    /// List the channels, with what is pending and what failed.
    List,
    /// Send a trial, at once; ends with 4 if a channel does not take it.
    Test {
        /// The channel; every channel if none is named.
        channel: Option<String>,
    },
    /// Tell what is new, and try again at once whatever failed or was given up; ends with 4 if it
    /// fails again.
    Retry,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Audit {
    /// How many entries to show, the newest; --json prints them all.
    #[arg(long, default_value_t = 50, value_name = "ENTRIES")]
    pub(super) limit: u32,
    /// Only what was added after the entry with this hash, as an export ended with it; ends with 3 if
    /// there is no such entry any more.
    #[arg(long, value_name = "HASH")]
    pub(super) since: Option<String>,
    #[command(subcommand)]
    pub(super) action: Option<AuditAction>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AuditAction {
    /// Hold every entry against the chain and say where it breaks, if it does; ends with 3 then.
    ///
    /// Prints the newest entry as NUMBER:HASH. Keep that elsewhere: with --expect it shows whether the
    /// log was cut off or written anew since.
    Verify {
        /// An entry that the log must have.
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
    /// The corrections' ids, as SPACECP-SC-2026-0007.
    #[arg(required = true, value_name = "CORRECTION")]
    pub(super) corrections: Vec<String>,
    /// The component; needed only where several could be meant, and for one correction only.
    #[arg(long)]
    pub(super) component: Option<String>,
    /// Show the plan and what stands in the way, and change nothing.
    #[arg(long, conflicts_with_all = ["yes", "plan"])]
    pub(super) dry_run: bool,
    /// Carry out this plan and no other.
    #[arg(long, value_name = "DIGEST")]
    pub(super) plan: Option<String>,
    /// Replace files that were changed on this machine; they stay in the old tree.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Not now, but at the next maintenance window of the policy: "serve" applies it then, if nothing has
    /// drifted from the plan. For one correction.
    #[arg(long, conflicts_with = "dry_run")]
    pub(super) at_window: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A table for people.
    Table,
    /// JSON for scripts.
    Json,
    /// SARIF 2.1.0, for tools that gather findings.
    Sarif,
}

/// What is reported, and to whom.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The file with the report, as --template prints it; "-" reads it from the standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Its title, before what the file says.
    #[arg(long)]
    pub(super) title: Option<String>,
    /// Where to write what was encrypted; a file that is there is left alone.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Whom to encrypt it to, as "age1…", where it is not the one of the configuration; then no
    /// configuration is needed.
    #[arg(long, value_name = "RECIPIENT")]
    pub(super) recipient: Option<crate::report::Recipient>,
    /// Print a file to fill in, with what is installed here.
    #[arg(long, conflicts_with_all = ["from", "title", "out", "recipient"])]
    pub(super) template: bool,
}
