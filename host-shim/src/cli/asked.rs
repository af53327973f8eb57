//! The command line of what only looks: lists, the record of exposures, appointments.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Words that an advisory must have in id, aliases, title or components.
    pub(super) search: Vec<String>,
    /// Only those that stand so on this panel.
    #[arg(long, value_enum)]
    pub(super) standing: Option<Stands>,
    /// Only those of this severity or a higher one.
    #[arg(long, value_enum)]
    pub(super) severity: Option<Least>,
    /// Only what is known to be exploited.
    #[arg(long)]
    pub(super) known_exploited: bool,
    /// Only what is under embargo.
    #[arg(long)]
    pub(super) embargo: bool,
    /// In which order.
    #[arg(long, value_enum, default_value_t = By::Urgency)]
    pub(super) order: By,
    /// Which page of a long list.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: u32,
}

#[derive(Debug, Args)]
pub(super) struct Components {
    /// Words that a component must have in name, version or place.
    pub(super) search: Vec<String>,
    /// Only those that stand so.
    #[arg(long, value_enum)]
    pub(super) standing: Option<Stands>,
    /// Which page of a long list.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) page: u32,
}

#[derive(Debug, Args)]
pub(super) struct Exposure {
    /// To this flaw only: an advisory's id, or a name that advisories have for it, as CVE-2021-44228.
    #[arg(long, value_name = "ID")]
    pub(super) advisory: Option<String>,
    /// Of this component only.
    #[arg(long, value_name = "NAME")]
    pub(super) component: Option<String>,
    /// From this day on, or this time as 2026-11-01T18:00:00Z.
    #[arg(long, value_name = "DATE")]
    pub(super) from: Option<String>,
    /// Until this day, to its end in UTC, or this time.
    #[arg(long, value_name = "DATE")]
    pub(super) until: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum AppointmentAction {
    /// Take the word back: it is not applied at the window.
    Withdraw {
        /// The appointment's number.
        number: i64,
    },
}

/// How something stands on this panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Stands {
    /// Something is exposed.
    Exposed,
    /// It cannot be decided.
    Undecided,
    /// Nothing is exposed: corrected, or never affected.
    Clear,
    /// The advisory speaks of nothing that is installed; or no advisory speaks of the component.
    Unrelated,
}

/// The severity that a list begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Least {
    /// All that are rated.
    Low,
    /// Score 4.0 and more.
    Medium,
    /// Score 7.0 and more.
    High,
    /// Score 9.0 and more.
    Critical,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum By {
    /// What wants to be done first comes first.
    Urgency,
    /// The highest score first.
    Severity,
    /// The last changed first.
    Changed,
    /// The last published first.
    Published,
    /// By id.
    Name,
}
