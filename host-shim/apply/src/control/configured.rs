//! The control that the configuration describes: commands, or a unit of systemd.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    CommandError, Control, ControlError, InheritedLock, Shelter, Watch,
    command::{self, Order},
    probe::Probe,
};
use crate::config::{ComponentConfig, ControlConfig, HealthConfig};

/// The control that the configuration describes.
///
/// A component inside another one, as `houston/ws` in `houston`, is stopped and started, and looked
/// at, as that one is, unless it has a control or a check of its own.
#[derive(Debug, Clone)]
pub struct Configured {
    components: Arc<BTreeMap<String, Controlled>>,
}

#[derive(Debug)]
struct Controlled {
    folder: PathBuf,
    control: Option<ControlConfig>,
    health: Vec<HealthConfig>,
}

/// What to do with a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Stop,
    Start,
    IsRunning,
}

impl Configured {
    /// The control of these components.
    pub fn new(components: &[ComponentConfig]) -> Self {
        let controlled = components.iter().map(|component| {
            let controlled = Controlled {
                folder: component.folder.clone(),
                control: component.control.clone(),
                health: component.health.clone(),
            };
            (component.name.clone(), controlled)
        });
        Self {
            components: Arc::new(controlled.collect()),
        }
    }

    /// The component itself, then the one around it, and so on.
    fn with_outer<'a, 'n>(&'a self, component: &'n str) -> impl Iterator<Item = &'a Controlled> {
        let outer = |name: &&'n str| name.rsplit_once('/').map(|(outer, _)| outer);
        std::iter::successors(Some(component), outer).filter_map(|name| self.components.get(name))
    }

    fn control(&self, component: &str) -> Result<(&Controlled, &ControlConfig), ControlError> {
        self.with_outer(component)
            .find_map(|controlled| Some((controlled, controlled.control.as_ref()?)))
            .ok_or_else(|| ControlError::not_configured(component, "control"))
    }

    fn check(&self, component: &str, check: &str) -> Option<(&Controlled, &HealthConfig)> {
        self.with_outer(component).find_map(|controlled| {
            let mut checks = controlled.health.iter();
            Some((controlled, checks.find(|health| health.name == check)?))
        })
    }

    async fn act(
        &self,
        component: &str,
        act: Act,
        lock: Option<&InheritedLock>,
    ) -> Result<String, ControlError> {
        let (controlled, control) = self.control(component)?;
        let (command, within) = act.command(control);
        let order = Order {
            command: &command,
            environment: &control.environment,
            folder: &controlled.folder,
            within: Duration::from_secs(within),
        };
        Ok(command::run(order, lock).await?)
    }
}

impl Act {
    /// What to run, and how many seconds it has.
    fn command(self, control: &ControlConfig) -> (Vec<String>, u64) {
        let configured = match self {
            Self::Stop => &control.stop,
            Self::Start => &control.start,
            Self::IsRunning => &control.running,
        };
        let within = match self {
            Self::Stop => control.stop_within,
            Self::Start => control.start_within,
            Self::IsRunning => control.running_within,
        };
        let Some(unit) = &control.unit else {
            return (configured.clone(), within);
        };
        let words: &[&str] = match self {
            Self::Stop => &["stop"],
            Self::Start => &["start"],
            Self::IsRunning => &["show", "--property=ActiveState", "--value"],
        };
        let command = ["systemctl"].into_iter().chain(words.iter().copied());
        let command = command.chain(["--", unit.as_str()]);
        (command.map(str::to_owned).collect(), within)
    }
}

#[async_trait]
impl Control for Configured {
    fn can_restart(&self, component: &str) -> bool {
        self.control(component).is_ok()
    }

    fn has_check(&self, component: &str, check: &str) -> bool {
        self.check(component, check).is_some()
    }

    fn shelter(&self, component: &str) -> Shelter {
        let Ok((_, control)) = self.control(component) else {
            return Shelter::default();
        };
        // systemd stops everything that belongs to a unit, sessions of their own among it; a scope is
        // a unit of its own.
        let scope = ["systemd-run", "--scope", "--quiet", "--collect", "--"];
        let command = control.unit.as_ref().map(|_| scope.map(str::to_owned));
        Shelter {
            command: command.map(Vec::from).unwrap_or_default(),
            environment: control.environment.clone(),
        }
    }

    async fn is_running(&self, component: &str) -> Result<Option<bool>, ControlError> {
        let (_, control) = self.control(component)?;
        if control.unit.is_none() && control.running.is_empty() {
            return Ok(None);
        }
        let answer = self.act(component, Act::IsRunning, None).await;
        match answer {
            Ok(state) if control.unit.is_some() => {
                // On its way up or down there is something to stop, too.
                Ok(Some(!matches!(state.as_str(), "inactive" | "failed")))
            }
            Ok(_) => Ok(Some(true)),
            Err(ControlError::Command(CommandError::Ended { status, .. }))
                if control.unit.is_none() && matches!(status.code(), Some(1 | 3)) =>
            {
                Ok(Some(false))
            }
            Err(error) => Err(error),
        }
    }

    #[tracing::instrument(name = "stop", skip_all)]
    async fn stop(&self, component: &str, lock: &InheritedLock) -> Result<(), ControlError> {
        self.act(component, Act::Stop, Some(lock)).await.map(drop)
    }

    #[tracing::instrument(name = "start", skip_all)]
    async fn start(&self, component: &str, lock: &InheritedLock) -> Result<(), ControlError> {
        self.act(component, Act::Start, Some(lock)).await.map(drop)
    }

    async fn watch(&self, component: &str, check: &str) -> Result<Box<dyn Watch>, ControlError> {
        let (controlled, health) = self
            .check(component, check)
            .ok_or_else(|| ControlError::not_configured(component, check))?;
        let environment = self.control(component).map(|(_, control)| control);
        let environment =
            environment.map_or_else(|_| BTreeMap::new(), |control| control.environment.clone());
        let probe = Probe::begin(health, &controlled.folder, environment)?;
        Ok(Box::new(probe))
    }
}
