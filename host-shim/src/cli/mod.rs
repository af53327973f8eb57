//! The program `spacecp-advisories`: everything that the pages can do, from a terminal or a script.

mod apply;
mod appointments;
mod arguments;
mod asked;
mod audit;
mod auto;
mod check;
mod coverage;
mod decisions;
mod doctor;
mod exposure;
mod identity;
mod manual;
mod notify;
mod output;
mod progress;
mod report;
mod sarif;
mod serve;
mod show;
mod signals;
mod storage;
mod telling;
mod tokens;
mod totp;
mod trust;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    apply::ApplyError,
    audit::AuditError,
    automation::AutomationError,
    config::{Config, ConfigError},
    decisions::DecisionError,
    notify::NotifyError,
    report::ReportingError,
    shim::{Shim, ShimError},
    store::{StoreError, ballast},
    sync::SyncError,
    tokens::TokenError,
    web::{PasswordError, ServeError, TotpError},
};
use arguments::{Arguments, Command};
use output::Output;

/// How the program ends. The numbers are part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// It was done, and nothing is exposed.
    Well = 0,
    /// Something is exposed, cannot be decided, or rests on a word that has expired (`check`), or wants
    /// attention (`doctor`).
    Exposed = 1,
    /// The command line or the configuration cannot be used.
    Usage = 2,
    /// Refused: not signed as it must be, drifted, in the way, or no word given.
    Refused = 3,
    /// It was tried and did not work.
    Failed = 4,
}

/// Why a command did not end well.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Shim(#[from] ShimError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Totp(#[from] TotpError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Refused(String),
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    fn ending(&self) -> Ending {
        match self {
            Self::Config(_)
            | Self::Usage(_)
            | Self::Totp(TotpError::NoUser(_) | TotpError::NotEnrolled(_))
            | Self::Shim(
                ShimError::NotFound { .. }
                | ShimError::File { .. }
                | ShimError::Plugin(crate::plugin::PluginError::NotFound { .. }),
            ) => Ending::Usage,
            Self::Shim(ShimError::Notify(
                NotifyError::NoChannel | NotifyError::UnknownChannel { .. },
            )) => Ending::Usage,
            Self::Shim(ShimError::Reporting(
                ReportingError::NoRecipient | ReportingError::NoMail | ReportingError::Report(_),
            )) => Ending::Usage,
            Self::Shim(ShimError::Notify(NotifyError::Busy)) => Ending::Refused,
            Self::Shim(ShimError::Token(error)) => match error {
                TokenError::Randomness | TokenError::Store(_) => Ending::Failed,
                TokenError::Taken(_) | TokenError::TooMany => Ending::Refused,
                _ => Ending::Usage,
            },
            Self::Shim(ShimError::Decision(error)) if error.is_not_found() => Ending::Usage,
            Self::Shim(ShimError::Decision(DecisionError::Store(_))) => Ending::Failed,
            Self::Shim(ShimError::Decision(_)) => Ending::Refused,
            Self::Refused(_)
            | Self::Totp(TotpError::Enrolled(_) | TotpError::Open { .. })
            | Self::Audit(AuditError::Damaged { .. }) => Ending::Refused,
            Self::Shim(
                ShimError::PinnedRoot { .. }
                | ShimError::Identity(_)
                | ShimError::Place(_)
                | ShimError::Store(StoreError::Place(_) | StoreError::NotLost(_))
                | ShimError::NotCorrectable { .. }
                | ShimError::ClockNotBehind { .. }
                | ShimError::NoPlugin(_)
                | ShimError::Sync(SyncError::Trust(_) | SyncError::PinChanged { .. }),
            ) => Ending::Refused,
            Self::Shim(ShimError::Apply(
                ApplyError::NotApplicable { .. }
                | ApplyError::Obstacle { .. }
                | ApplyError::WantsWord { .. }
                | ApplyError::Drifted { .. }
                | ApplyError::NoLongerListed { .. }
                | ApplyError::Busy { .. }
                | ApplyError::Circle { .. }
                | ApplyError::SameFolder { .. }
                | ApplyError::NotAlone { .. }
                | ApplyError::Irreversible { .. },
            )) => Ending::Refused,
            Self::Shim(ShimError::Automation(error)) => match error {
                AutomationError::NotQuarantined { .. }
                | AutomationError::NoAppointment { .. }
                | AutomationError::Fault(_) => Ending::Usage,
                AutomationError::Busy | AutomationError::NoWindow | AutomationError::Exceeds(_) => {
                    Ending::Refused
                }
                _ => Ending::Failed,
            },
            _ => Ending::Failed,
        }
    }
}

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    output::log(&arguments);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            output::complain(&format!("cannot start the runtime: {error}"));
            return ExitCode::from(Ending::Failed as u8);
        }
    };
    let ending = runtime.block_on(async {
        match run(&arguments).await {
            Ok(ending) => ending,
            Err(error) => {
                complain_of(&arguments, &error).await;
                error.ending()
            }
        }
    });
    ExitCode::from(ending as u8)
}

async fn complain_of(arguments: &Arguments, error: &CommandError) {
    // Whoever stopped reading knows that they did.
    if matches!(error, CommandError::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    {
        return;
    }
    output::complain(&error.to_string());
    if let Ok(config) = Config::load(&arguments.config) {
        for line in storage::advice(&config, error).await {
            output::complain(&line);
        }
    }
}

async fn run(arguments: &Arguments) -> Result<Ending, CommandError> {
    let out = Output::new(arguments);
    match &arguments.command {
        Command::HashPassword => return serve::hash_password(&out),
        Command::Completions { shell } => return manual::completions(*shell),
        Command::Man { folder } => return manual::man(folder, &out),
        _ => {}
    }
    if let Command::Report(asked) = &arguments.command {
        return report::report(&arguments.config, asked, &out);
    }
    let mut config = Config::load(&arguments.config)?;
    if let Command::Totp { action } = &arguments.command {
        return totp::totp(&config, action, &out);
    }
    if let Command::Serve {
        listen: Some(listen),
    } = arguments.command
    {
        config.serve.listen = listen;
    }
    // A panel that is restarted is watched by the same program.
    if config.apply.program.is_none() {
        config.apply.program = std::env::current_exe().ok();
    }
    match &arguments.command {
        Command::Watch { application } => return watch::watch(&config, application).await,
        Command::Recover { new_store } => return watch::recover(&config, *new_store, &out).await,
        _ => {}
    }
    if let Command::Doctor = arguments.command {
        return doctor::doctor(config, &out).await;
    }
    if let Command::Audit(asked) = &arguments.command {
        return audit::audit(&config, asked, &out).await;
    }
    let shim = match &arguments.command {
        // What has to work when the feed, the pinned root and the plugin do not.
        Command::Rollback { .. } => {
            ballast::give_up_if_full(&config.state);
            Shim::open_without_feed(config).await?
        }
        Command::History => Shim::open_without_feed(config).await?,
        _ => Shim::open(config).await?,
    };
    match &arguments.command {
        Command::Sync => show::sync(&shim, &out).await,
        Command::Check(asked) => check::check(&shim, asked, &out).await,
        Command::Workaround { action } => decisions::workaround(&shim, action, &out).await,
        Command::Accept(asked) => decisions::accept(&shim, asked, &out).await,
        Command::List(asked) => show::list(&shim, asked, &out).await,
        Command::Components(asked) => show::components(&shim, asked, &out).await,
        Command::Exposure(asked) => exposure::exposure(&shim, asked, &out).await,
        Command::Appointments { action } => {
            appointments::appointments(&shim, action.as_ref(), &out).await
        }
        Command::Changes {
            correction,
            component,
        } => apply::changes(&shim, correction, component.as_deref(), &out).await,
        Command::Show { advisory } => show::advisory(&shim, advisory, &out).await,
        Command::Apply(apply) => apply::apply(&shim, apply, &out).await,
        Command::Rollback { which, overwrite } => {
            apply::roll_back(&shim, which, *overwrite, &out).await
        }
        Command::Auto(asked) => auto::auto(&shim, asked, &out).await,
        Command::Token { action } => tokens::token(&shim, action, &out).await,
        Command::Notify { action } => notify::notify(&shim, action, &out).await,
        Command::History => show::history(&shim, &out).await,
        Command::Import { file } => trust::import(&shim, file, &out).await,
        Command::Identity { action } => identity::identity(&shim, action.as_ref(), &out).await,
        Command::Trust { action: None } => trust::show(&shim, &out).await,
        Command::Trust {
            action: Some(arguments::Trust::Reset { yes }),
        } => trust::reset(&shim, *yes, &out).await,
        Command::Trust {
            action: Some(arguments::Trust::ClockReset { yes }),
        } => trust::clock_reset(&shim, *yes, &out).await,
        Command::Serve { .. } => serve::serve(shim, &out).await,
        Command::Audit(_)
        | Command::Doctor
        | Command::HashPassword
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Recover { .. }
        | Command::Report(_)
        | Command::Totp { .. }
        | Command::Watch { .. } => Ok(Ending::Well),
    }
}
