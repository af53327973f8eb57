//! The program `spacecp-advisories`: everything that the pages can do, from a terminal or a script.

mod apply;
mod arguments;
mod audit;
mod auto;
mod check;
mod coverage;
mod decisions;
mod doctor;
mod exposure;
mod filter_args;
mod identity;
mod init;
mod local;
mod machine_args;
mod manual;
mod notify;
mod output;
mod progress;
mod redacted_output;
mod report;
mod rollback;
mod sarif;
mod scheduled_applies;
mod serve;
mod show;
mod signals;
mod storage;
mod tokens;
mod totp;
mod trust;
mod user;
mod watch;
mod way_out;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    App,
    audit::AuditError,
    config::{Config, ConfigError},
    init::{HandOverError, InstallError},
    notify::NotifyError,
    services::{ErrorKind, ServiceError, of_audit, own_folder},
    store::ballast,
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
    Service(#[from] ServiceError),
    #[error(transparent)]
    Notify(#[from] NotifyError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Totp(#[from] TotpError),
    #[error(transparent)]
    HandOver(#[from] HandOverError),
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Failed(String),
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    fn ending(&self) -> Ending {
        match self {
            Self::Service(error) => error.kind().into(),
            Self::Notify(error) => error.kind().into(),
            Self::Audit(error) => of_audit(error).into(),
            Self::Config(_)
            | Self::Usage(_)
            | Self::Totp(TotpError::NoUser(_) | TotpError::NotEnrolled(_)) => Ending::Usage,
            Self::HandOver(HandOverError::File { .. })
            | Self::Install(InstallError::File { .. }) => Ending::Failed,
            Self::HandOver(_)
            | Self::Install(_)
            | Self::Refused(_)
            | Self::Totp(TotpError::Enrolled(_) | TotpError::Open { .. }) => Ending::Refused,
            Self::Totp(_)
            | Self::Serve(_)
            | Self::Password(_)
            | Self::Failed(_)
            | Self::Output(_) => Ending::Failed,
        }
    }
}

impl From<ErrorKind> for Ending {
    fn from(kind: ErrorKind) -> Self {
        match kind.meaning().exit_code {
            2 => Self::Usage,
            3 => Self::Refused,
            _ => Self::Failed,
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
        // What a command may come to would make a large future of whoever waits for it.
        match Box::pin(run(&arguments)).await {
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
        Command::Init(asked) => return init::init(&arguments.config, asked, &out).await,
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
    let app = match &arguments.command {
        // What has to work when the feed, the pinned root and the plugin do not.
        Command::Rollback { .. } => {
            own_folder(&config.state)?;
            ballast::give_up_if_full(&config.state);
            App::open_without_feed(config).await?
        }
        Command::History => App::open_without_feed(config).await?,
        _ => App::open(config).await?,
    };
    let panel = &app.panel;
    match &arguments.command {
        Command::Sync => show::sync(panel, &out).await,
        Command::Check(asked) => check::check(panel, asked, &out).await,
        Command::Workaround { action } => decisions::workaround(panel, action, &out).await,
        Command::Accept(asked) => decisions::accept(panel, asked, &out).await,
        Command::Unread { action } => local::unread(panel, action.as_ref(), &out).await,
        Command::SetVersion(asked) => local::set_version(panel, asked, &out).await,
        Command::List(asked) => show::list(panel, asked, &out).await,
        Command::Components(asked) => show::components(panel, asked, &out).await,
        Command::Exposure(asked) => exposure::exposure(panel, asked, &out).await,
        Command::Appointments { action } => {
            scheduled_applies::list_or_cancel(panel, action.as_ref(), &out).await
        }
        Command::Changes {
            correction,
            component,
        } => apply::changes(panel, correction, component.as_deref(), &out).await,
        Command::Show { advisory } => show::advisory(panel, advisory, &out).await,
        Command::Apply(apply) => apply::apply(panel, apply, &out).await,
        Command::Rollback {
            which,
            overwrite,
            dry_run,
            yes,
        } => {
            let asked = rollback::Asked {
                which,
                overwrite: *overwrite,
                dry_run: *dry_run,
                yes: *yes,
            };
            rollback::roll_back(panel, &asked, &out).await
        }
        Command::Auto(asked) => auto::auto(panel, asked, &out).await,
        Command::Token { action } => tokens::token(panel, action, &out).await,
        Command::Notify { action } => notify::notify(&app, action, &out).await,
        Command::History => show::history(panel, &out).await,
        Command::Import { file } => trust::import(panel, file, &out).await,
        Command::Identity { action } => identity::identity(panel, action.as_ref(), &out).await,
        Command::Trust { action: None } => trust::show(panel, &out).await,
        Command::Trust {
            action: Some(arguments::Trust::Reset { yes }),
        } => trust::reset(panel, *yes, &out).await,
        Command::Trust {
            action: Some(arguments::Trust::ClockReset { yes }),
        } => trust::clock_reset(panel, *yes, &out).await,
        Command::Serve { .. } => serve::serve(&app, &out).await,
        Command::Audit(_)
        | Command::Doctor
        | Command::HashPassword
        | Command::Init(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Recover { .. }
        | Command::Report(_)
        | Command::Totp { .. }
        | Command::Watch { .. } => Ok(Ending::Well),
    }
}
