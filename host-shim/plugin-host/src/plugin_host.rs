//! One loaded plugin: a long-lived instance that is replaced when it fails.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use spacecp_contract::PluginManifest;
use tokio::sync::Mutex;
use wasmtime::{
    Store, Trap, UpdateDeadline,
    component::{Component, HasSelf, Linker},
};

use super::{
    HOSTED_CONTRACT, PluginEngine, PluginError, Services, answers,
    bindings::{
        Plugin, PluginPre,
        exports::spacecp::advisories::{automation, exposure, pages},
    },
    call::{Call, HostState},
    engine::TICK,
    imports,
    limiter::Limiter,
    page,
};
use crate::printable::one_line;

/// How long a plugin rests after its first failure in a row; twice as long after each further one.
const REST: Duration = Duration::from_millis(250);

/// How many times the size of a page when it is sent may be copied out of the guest: a value is at most about as
/// large in memory as its markup.
const PAGE_COPIED: usize = 2;

/// Bytes of a reason that the plugin gives for having no answer.
const LONGEST_REASON: usize = 500;

/// A plugin that is ready to be called.
pub struct PluginHost {
    engine: PluginEngine,
    pre: PluginPre<HostState>,
    services: Arc<dyn Services>,
    manifest: PluginManifest,
    state: Mutex<State>,
    counts: std::sync::Mutex<Counts>,
}

/// How often a plugin was called since the panel was started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that were answered, by the function that was called.
    pub answered: BTreeMap<&'static str, u64>,
    /// Calls that failed, by the function.
    pub failed: BTreeMap<&'static str, u64>,
    /// Failures after which the instance was thrown away: traps, and limits that were blown.
    pub poisoned: u64,
}

impl std::fmt::Debug for PluginHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginHost")
            .field("plugin", &self.manifest.plugin)
            .field("version", &self.manifest.version)
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct State {
    instance: Option<Instance>,
    failures: u32,
    last_failure: Option<(Instant, String)>,
}

struct Instance {
    store: Store<HostState>,
    plugin: Plugin,
}

impl PluginHost {
    /// Compiles a plugin (or takes it from the cache) and links it.
    ///
    /// `manifest` must have been verified, and `component` be the bytes that it names: the trust
    /// room does both in one step. Nothing is compiled before the component's size and imports, and
    /// the manifest's contract and abilities have been checked.
    #[tracing::instrument(name = "load", skip_all, fields(plugin = %manifest.plugin, version = %manifest.version))]
    pub fn load(
        engine: &PluginEngine,
        manifest: &PluginManifest,
        component: &[u8],
        services: Arc<dyn Services>,
    ) -> Result<Self, PluginError> {
        let limits = engine.limits();
        if component.len() as u64 > limits.component {
            return Err(PluginError::Size {
                length: component.len() as u64,
                limit: limits.component,
            });
        }
        if manifest.contract != HOSTED_CONTRACT {
            let (plugin, found) = (manifest.plugin.clone(), manifest.contract.clone());
            return Err(PluginError::Contract {
                plugin,
                found,
                hosted: HOSTED_CONTRACT,
            });
        }
        if let Some(ability) = manifest.abilities.first() {
            return Err(PluginError::Ability {
                plugin: manifest.plugin.clone(),
                ability: ability.clone(),
            });
        }
        imports::check(component)?;
        let broken = |error: wasmtime::Error| PluginError::Component {
            reason: format!("{error:#}"),
        };
        let compiled = Component::new(engine.inner(), component).map_err(broken)?;
        let mut linker = Linker::<HostState>::new(engine.inner());
        Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state).map_err(broken)?;
        let pre = linker
            .instantiate_pre(&compiled)
            .and_then(PluginPre::new)
            .map_err(broken)?;
        Ok(Self {
            engine: engine.clone(),
            pre,
            services,
            manifest: manifest.clone(),
            state: Mutex::default(),
            counts: std::sync::Mutex::default(),
        })
    }

    /// The same plugin with answers from elsewhere and an instance of its own.
    #[must_use]
    pub fn answered_by(&self, services: Arc<dyn Services>) -> Self {
        Self {
            engine: self.engine.clone(),
            pre: self.pre.clone(),
            services,
            manifest: self.manifest.clone(),
            state: Mutex::default(),
            counts: std::sync::Mutex::default(),
        }
    }

    /// The manifest it was loaded with.
    pub fn manifest(&self) -> &PluginManifest {
        &self.manifest
    }

    /// See `exposure.refresh`.
    pub async fn refresh(&self) -> Result<exposure::Summary, PluginError> {
        let fuel = self.engine.limits().hostcall_fuel;
        let summary = self.call("exposure.refresh", fuel, async |instance: &mut Instance| {
            let exports = instance.plugin.spacecp_advisories_exposure();
            exports.call_refresh(&mut instance.store).await
        });
        summary
            .await?
            .map_err(|exposure::Error::Unavailable(reason)| PluginError::Answer {
                call: "exposure.refresh",
                reason: one_line(&reason, LONGEST_REASON),
            })
    }

    /// See `exposure.report`.
    pub async fn report(&self) -> Result<exposure::ExposureReport, PluginError> {
        let fuel = self.engine.limits().hostcall_fuel;
        let report = self.call("exposure.report", fuel, async |instance: &mut Instance| {
            let exports = instance.plugin.spacecp_advisories_exposure();
            exports.call_report(&mut instance.store).await
        });
        let call = "exposure.report";
        let mut report = report
            .await?
            .map_err(|exposure::Error::Unavailable(reason)| PluginError::Answer {
                call,
                reason: one_line(&reason, LONGEST_REASON),
            })?;
        answers::bound_report(&mut report)
            .map_err(|reason| PluginError::Unusable { call, reason })?;
        Ok(report)
    }

    /// See `automation.plan`; `now` in seconds since 1970.
    pub async fn automation_plan(&self, now: i64) -> Result<Vec<automation::Action>, PluginError> {
        let fuel = self.engine.limits().hostcall_fuel;
        let plan = self.call("automation.plan", fuel, async |instance: &mut Instance| {
            let exports = instance.plugin.spacecp_advisories_automation();
            exports.call_plan(&mut instance.store, now).await
        });
        let call = "automation.plan";
        let mut plan =
            plan.await?.map_err(
                |automation::Error::Unavailable(reason)| PluginError::Answer {
                    call,
                    reason: one_line(&reason, LONGEST_REASON),
                },
            )?;
        answers::bound_plan(&mut plan).map_err(|reason| PluginError::Unusable { call, reason })?;
        Ok(plan)
    }

    /// See `pages.render`. The page has been held against the limits and against itself.
    pub async fn render(&self, request: &pages::Request) -> Result<pages::Page, PluginError> {
        let most = self.engine.limits().page;
        let fuel = most
            .saturating_mul(PAGE_COPIED)
            .min(self.engine.limits().hostcall_fuel);
        let page = self.call("pages.render", fuel, async |instance: &mut Instance| {
            let exports = instance.plugin.spacecp_advisories_pages();
            exports.call_render(&mut instance.store, request).await
        });
        match page.await? {
            Ok(page) => {
                page::check(&page, most).map_err(|reason| PluginError::Page { reason })?;
                Ok(page)
            }
            Err(pages::Error::NotFound(what)) => Err(PluginError::NotFound {
                what: one_line(&what, LONGEST_REASON),
            }),
            Err(pages::Error::Unavailable(reason)) => Err(PluginError::Answer {
                call: "pages.render",
                reason: one_line(&reason, LONGEST_REASON),
            }),
        }
    }

    /// How often it was called.
    pub fn counts(&self) -> Counts {
        self.counting().clone()
    }

    /// Bytes of memory that its instance has taken; 0 where there is none.
    pub async fn memory(&self) -> usize {
        let state = self.state.lock().await;
        let instance = state.instance.as_ref();
        instance.map_or(0, |instance| instance.store.data().limiter.memory())
    }

    fn counting(&self) -> std::sync::MutexGuard<'_, Counts> {
        // A panic elsewhere leaves numbers that are right.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets earlier failures: an administrator has looked and wants another try.
    pub async fn reset(&self) {
        *self.state.lock().await = State::default();
    }

    /// One call under all limits. On failure the instance goes and the next call gets a fresh one.
    #[tracing::instrument(level = "debug", skip_all, fields(plugin = %self.manifest.plugin, call = name))]
    async fn call<T>(
        &self,
        name: &'static str,
        fuel: usize,
        body: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let mut state = self.state.lock().await;
        state.may_be_called(self.engine.limits().failures)?;
        // The instance is out of the state while it runs: whoever drops this call half-way drops
        // the instance too.
        let taken = state.instance.take();
        let wall_clock = self.engine.limits().wall_clock();
        let whole = self.run(taken, name, fuel, body);
        let outcome = tokio::time::timeout(wall_clock, whole).await;
        let outcome = outcome.unwrap_or(Err(PluginError::WallClock {
            call: name,
            limit: wall_clock,
        }));
        match outcome {
            Ok((instance, answer)) => {
                *self.counting().answered.entry(name).or_default() += 1;
                *state = State {
                    instance: Some(instance),
                    ..State::default()
                };
                Ok(answer)
            }
            Err(error) => {
                let mut counts = self.counting();
                *counts.failed.entry(name).or_default() += 1;
                counts.poisoned += u64::from(error.poisons());
                drop(counts);
                state.failures += u32::from(error.poisons());
                state.last_failure = Some((Instant::now(), error.to_string()));
                tracing::warn!(plugin = %self.manifest.plugin, failures = state.failures, %error, "plugin failed");
                Err(error)
            }
        }
    }

    async fn run<T>(
        &self,
        taken: Option<Instance>,
        name: &'static str,
        fuel: usize,
        body: impl AsyncFnOnce(&mut Instance) -> wasmtime::Result<T>,
    ) -> Result<(Instance, T), PluginError> {
        let mut instance = match taken {
            Some(instance) => instance,
            None => self.instantiate().await?,
        };
        instance.begin(name, fuel);
        let answer = body(&mut instance)
            .await
            .map_err(|error| self.failure(&instance.store, &error))?;
        let dropped = instance.store.data().call.log_lines_dropped();
        if dropped > 0 {
            tracing::warn!(plugin = %self.manifest.plugin, dropped, "plugin log lines dropped: limit of a call reached");
        }
        let writes = instance.store.data_mut().call.take_writes();
        if !writes.is_empty() {
            self.services
                .state_commit(writes)
                .await
                .map_err(|reason| PluginError::State { reason })?;
        }
        Ok((instance, answer))
    }

    async fn instantiate(&self) -> Result<Instance, PluginError> {
        let limits = *self.engine.limits();
        let state = HostState {
            services: self.services.clone(),
            limiter: Limiter::new(limits),
            limits,
            plugin: self.manifest.plugin.clone(),
            call: Call::new("instantiation"),
        };
        let mut store = Store::new(self.engine.inner(), state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|context| {
            // Ticks pass while the host works, too: only the guest's own time counts.
            let state = context.data();
            let limit = state.limits.guest_time();
            match limit
                .checked_sub(state.call.guest_time())
                .filter(|left| !left.is_zero())
            {
                Some(left) => Ok(UpdateDeadline::Continue(ticks(left))),
                None => Err(Trap::Interrupt.into()),
            }
        });
        store.set_hostcall_fuel(limits.hostcall_fuel);
        store.set_epoch_deadline(ticks(limits.guest_time()));
        match self.pre.instantiate_async(&mut store).await {
            Ok(plugin) => Ok(Instance { store, plugin }),
            Err(error) => Err(self.failure(&store, &error)),
        }
    }

    /// What a failed call means.
    fn failure(&self, store: &Store<HostState>, error: &wasmtime::Error) -> PluginError {
        let state = store.data();
        let (call, limits) = (state.call.name, self.engine.limits());
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => PluginError::GuestTime {
                call,
                limit: limits.guest_time(),
            },
            Some(Trap::StackOverflow) => PluginError::Stack {
                call,
                limit: limits.stack,
            },
            _ => match state.limiter.refused() {
                // Whatever it did next, it did because it was refused this.
                Some((what, limit)) => PluginError::Resources { call, what, limit },
                None => PluginError::Trap {
                    call,
                    reason: innermost(error),
                },
            },
        }
    }
}

impl Instance {
    /// Sets every limit of a call afresh.
    fn begin(&mut self, name: &'static str, fuel: usize) {
        self.store.data_mut().call = Call::new(name);
        let limit = self.store.data().limits.guest_time();
        self.store.set_epoch_deadline(ticks(limit));
        self.store.set_hostcall_fuel(fuel);
    }
}

impl State {
    fn may_be_called(&self, most: u32) -> Result<(), PluginError> {
        let Some((at, reason)) = &self.last_failure else {
            return Ok(());
        };
        if self.failures >= most {
            return Err(PluginError::Disabled {
                failures: self.failures,
                reason: reason.clone(),
            });
        }
        if self.failures == 0 {
            return Ok(());
        }
        let rest = REST * 2u32.saturating_pow(self.failures - 1);
        match rest
            .checked_sub(at.elapsed())
            .filter(|left| !left.is_zero())
        {
            Some(rest) => Err(PluginError::Resting {
                rest,
                reason: reason.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn ticks(time: Duration) -> u64 {
    let ticks = time.as_millis() / TICK.as_millis();
    u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
}

/// The reason without the stack of the guest, which is no use to an administrator.
fn innermost(error: &wasmtime::Error) -> String {
    error.root_cause().to_string()
}
