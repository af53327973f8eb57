//! The world ends before and after every single action of an application, of taking it back, of
//! undoing it and of recovering from another end: the process is killed, or the action fails. What is
//! left is exactly one of the two trees, the journal knows which, and the next application works.

use std::{
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    io::Errno,
    process::{Signal, getpid, kill_process},
};
use spacecp_advisories::apply::{Action, ApplyError, Exchange, Faults, NoFaults, Operation, Step};
use spacecp_tests::{apart, siege};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    ends::EndAfter,
    site::{Copy, Site, Template, Trees},
    tree::{new, now, old},
};

/// What is under way when the world ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Apply,
    TakeBack,
    /// The new version does not say what it should, and the old tree is put back.
    Undo,
    /// Recovery from an end of the world in an application after this step.
    Recover(Step),
    /// Recovery from one while an application was taken back.
    RecoverTakingBack(Step),
}

impl Work {
    /// What can be cut off. Recovery begins where there is something to do.
    fn all(exchange: Exchange) -> Vec<Self> {
        let mut all = vec![Self::Apply, Self::TakeBack, Self::Undo];
        all.extend(
            [
                Step::Fetched,
                Step::Swapping,
                Step::Exchanged,
                Step::Swapped,
            ]
            .map(Self::Recover),
        );
        all.push(Self::RecoverTakingBack(Step::Exchanged));
        if exchange == Exchange::Renames {
            for step in [Step::MovedAside, Step::MovedIn] {
                all.extend([Self::Recover(step), Self::RecoverTakingBack(step)]);
            }
        }
        all
    }

    /// Everything that comes before, on a disk where nothing fails.
    async fn prepare(self, site: &Site, exchange: Exchange) -> Result<()> {
        match self {
            Self::Apply | Self::Undo => {}
            Self::TakeBack => {
                site.apply(&site.ending(exchange, Arc::new(NoFaults)), "first")
                    .await?;
            }
            Self::Recover(step) => {
                let applier = site.ending(exchange, Arc::new(EndAfter(step)));
                interrupted(site.apply(&applier, "first").await)?;
            }
            Self::RecoverTakingBack(step) => {
                site.apply(&site.plain(), "first").await?;
                let applier = site.ending(exchange, Arc::new(EndAfter(step)));
                interrupted(site.roll_back(&applier, "first").await)?;
            }
        }
        Ok(())
    }

    async fn go(
        self,
        site: &Site,
        exchange: Exchange,
        faults: Arc<dyn Faults>,
    ) -> Result<(), ApplyError> {
        let applier = site.applier(exchange, faults);
        match self {
            Self::Apply | Self::Undo => site.apply(&applier, "first").await.map(drop),
            Self::TakeBack => site.roll_back(&applier, "first").await.map(drop),
            Self::Recover(_) | Self::RecoverTakingBack(_) => applier.recover(now()).await.map(drop),
        }
    }
}

fn interrupted<T>(outcome: Result<T, ApplyError>) -> Result<()> {
    match outcome {
        Err(ApplyError::Interrupted(_)) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => bail!("it was not cut off"),
    }
}

/// What happens at one of the actions, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nothing: they are only counted.
    Never,
    /// The process is killed before it is done.
    KillBefore(usize),
    /// The process is killed when it was done.
    KillAfter(usize),
    /// Half of the bytes are written, and the process is killed.
    KillHalf(usize),
    /// It fails.
    Fail(usize, Errno),
    /// It fails, and so does everything after it.
    FailForGood(usize, Errno),
}

/// Makes it happen, and keeps the names of the actions.
#[derive(Debug)]
pub(crate) struct Fault {
    end: End,
    next: AtomicUsize,
    names: Mutex<Vec<(Operation, String)>>,
}

impl Fault {
    fn new(end: End) -> Arc<Self> {
        Arc::new(Self {
            end,
            next: AtomicUsize::new(0),
            names: Mutex::default(),
        })
    }

    /// Nothing happens: the actions are only counted.
    pub(crate) fn never() -> Arc<Self> {
        Self::new(End::Never)
    }

    /// Everything fails from one action on, as after a loss of power.
    pub(crate) fn for_good(at: usize) -> Arc<Self> {
        Self::new(End::FailForGood(at, Errno::IO))
    }

    /// How many actions were done.
    pub(crate) fn reached(&self) -> usize {
        self.next.load(Ordering::SeqCst)
    }

    fn names(&self) -> Vec<(Operation, String)> {
        self.names.lock().expect("nobody panics with it").clone()
    }
}

impl Faults for Fault {
    fn before(&self, action: &Action<'_>) -> io::Result<()> {
        let place = self.next.load(Ordering::SeqCst);
        let name = (action.operation, action.path.display().to_string());
        self.names.lock().expect("nobody panics with it").push(name);
        match self.end {
            End::KillBefore(at) if at == place => kill(),
            End::Fail(at, error) if at == place => {
                self.next.fetch_add(1, Ordering::SeqCst);
                return Err(error.into());
            }
            End::FailForGood(at, error) if place >= at => return Err(error.into()),
            _ => {}
        }
        Ok(())
    }

    fn after(&self, _: &Action<'_>) {
        let place = self.next.fetch_add(1, Ordering::SeqCst);
        match self.end {
            End::KillAfter(at) | End::KillHalf(at) if at == place => kill(),
            _ => {}
        }
    }

    fn piece(&self, length: usize) -> usize {
        match self.end {
            End::KillHalf(at) if at == self.next.load(Ordering::SeqCst) => length / 2,
            _ => length,
        }
    }
}

/// Ends this process as `kill -9` does; nothing of it runs afterwards.
fn kill() -> ! {
    let killed = kill_process(getpid(), Signal::KILL);
    unreachable!("it was killed: {killed:?}")
}

/// Everything to be cut off, with the trees that may be found.
struct Case {
    work: Work,
    exchange: Exchange,
    template: Arc<Template>,
    trees: Arc<Trees>,
    actions: Vec<(Operation, String)>,
}

impl Case {
    /// Goes through the work once and counts.
    async fn new(work: Work, exchange: Exchange, ground: &Ground) -> Result<Self> {
        let template = if work == Work::Undo {
            &ground.lying
        } else {
            &ground.honest
        };
        let copy = template.copy()?;
        let site = copy.open().await?;
        work.prepare(&site, exchange).await?;
        let counted = Fault::new(End::Never);
        let outcome = work.go(&site, exchange, counted.clone()).await;
        match (work, outcome) {
            (Work::Undo, Err(ApplyError::Unhealthy { .. })) => {}
            (_, outcome) => outcome?,
        }
        site.close().await;
        Ok(Self {
            work,
            exchange,
            template: template.clone(),
            trees: ground.trees.clone(),
            actions: counted.names(),
        })
    }

    /// The places of the actions that no other case has, too: until the trees are exchanged, every application does
    /// what an application does that exchanges them at once.
    fn places(&self) -> std::ops::Range<usize> {
        if siege::is_long() {
            return 0..self.actions.len();
        }
        let is_first = (self.work, self.exchange) == (Work::Apply, Exchange::Atomic);
        let announced = |(operation, _): &(Operation, String)| {
            !is_first && *operation == Operation::Journal("swapping")
        };
        let first = self.actions.iter().position(announced);
        first.unwrap_or(0)..self.actions.len()
    }

    /// The operations before a place, in no order: files are copied several at a time.
    fn until(&self, end: usize) -> Vec<String> {
        let operations = self.actions[..end].iter();
        let mut names: Vec<String> = operations.map(|(one, _)| format!("{one:?}")).collect();
        names.sort();
        names
    }

    fn named(&self, end: End) -> String {
        let place = match end {
            End::Never => return format!("{:?} {:?}", self.work, self.exchange),
            End::KillBefore(at)
            | End::KillAfter(at)
            | End::KillHalf(at)
            | End::Fail(at, _)
            | End::FailForGood(at, _) => at,
        };
        let (operation, path) = &self.actions[place];
        format!(
            "{:?} {:?} {end:?}: {operation:?} {path}",
            self.work, self.exchange
        )
    }

    /// Looks at what an end has left.
    async fn look(&self, copy: &Copy) -> Result<()> {
        let site = copy.open().await?;
        let survived = self.survived(&site).await;
        site.close().await;
        survived
    }

    async fn survived(&self, site: &Site) -> Result<()> {
        if self.work != Work::Undo {
            return site.survived(&self.trees).await.map(drop);
        }
        // There is no way forward here: whatever happened, the old tree is back.
        site.plain().recover(now()).await?;
        ensure!(site.seen()? == self.trees.old, "it is not the old tree");
        let next = site.apply(&site.plain(), "next").await;
        ensure!(
            matches!(next, Err(ApplyError::Unhealthy { .. })),
            "{next:?}"
        );
        ensure!(site.seen()? == self.trees.old, "it is not the old tree");
        Ok(())
    }
}

/// The panels that everything happens on.
struct Ground {
    honest: Arc<Template>,
    /// Its correction does not lead to the version that it says.
    lying: Arc<Template>,
    trees: Arc<Trees>,
}

impl Ground {
    async fn prepare() -> Result<Self> {
        let honest = Template::new(&old(), &new(), |_| {}).await?;
        let (old_tree, new_tree) = (old(), new());
        let lying = Template::new(&old_tree, &new_tree, |built| {
            "1.0.9".clone_into(&mut built.correction.to);
        });
        let lying = lying.await?;
        let copy = honest.copy()?;
        let site = copy.open().await?;
        site.apply(&site.plain(), "first").await?;
        let trees = Trees {
            old: honest.old()?,
            new: site.seen()?,
        };
        site.close().await;
        Ok(Self {
            honest: Arc::new(honest),
            lying: Arc::new(lying),
            trees: Arc::new(trees),
        })
    }

    async fn cases(&self) -> Result<Vec<Arc<Case>>> {
        let mut cases = Vec::new();
        for exchange in [Exchange::Atomic, Exchange::Renames] {
            for work in Work::all(exchange) {
                let case = Case::new(work, exchange, self).await;
                cases.push(Arc::new(
                    case.with_context(|| format!("{work:?} {exchange:?}"))?,
                ));
            }
        }
        // What is not walked through again is the same in the first case.
        for case in &cases {
            let end = case.places().start;
            ensure!(
                case.until(end) == cases[0].until(end),
                "{:?} {:?} differs before the exchange",
                case.work,
                case.exchange
            );
        }
        Ok(cases)
    }
}

/// Names the end for the process that is killed.
const END: &str = "SPACECP_TEST_END";
const FOLDER: &str = "SPACECP_TEST_FOLDER";

/// The process that is killed: works in the folder that its parent made, until it ends itself.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_process_that_is_killed() -> Result<()> {
    let words = apart::text(END)?;
    let words: Vec<&str> = words.split(' ').collect();
    let exchange = if words[0] == "Atomic" {
        Exchange::Atomic
    } else {
        Exchange::Renames
    };
    let work = Work::all(exchange)[words[1].parse::<usize>()?];
    let place = words[3].parse()?;
    let end = match words[2] {
        "before" => End::KillBefore(place),
        "after" => End::KillAfter(place),
        _ => End::KillHalf(place),
    };
    let site = Site::open(Path::new(&apart::given(FOLDER)?)).await?;
    work.prepare(&site, exchange).await?;
    work.go(&site, exchange, Fault::new(end)).await?;
    Ok(())
}

/// Starts that process and sees it killed.
async fn kill_one(case: &Case, end: End) -> Result<()> {
    let copy = case.template.copy()?;
    let (when, place) = match end {
        End::KillBefore(place) => ("before", place),
        End::KillAfter(place) => ("after", place),
        End::KillHalf(place) => ("half", place),
        other => bail!("{other:?} kills nobody"),
    };
    let work = Work::all(case.exchange)
        .into_iter()
        .position(|work| work == case.work);
    let work = work.context("every work is one of them")?;
    let ended =
        tokio::process::Command::from(apart::process("every_instant::the_process_that_is_killed")?)
            .env(END, format!("{:?} {work} {when} {place}", case.exchange))
            .env(FOLDER, copy.path())
            .output()
            .await?;
    let signal = std::os::unix::process::ExitStatusExt::signal(&ended.status);
    ensure!(
        signal == Some(Signal::KILL.as_raw()),
        "it was not killed: {}",
        String::from_utf8_lossy(&ended.stdout)
    );
    case.look(&copy).await
}

/// Lets one action fail, or that and all that follow.
async fn fail_one(case: &Case, end: End) -> Result<()> {
    let copy = case.template.copy()?;
    let site = copy.open().await?;
    case.work.prepare(&site, case.exchange).await?;
    let outcome = case.work.go(&site, case.exchange, Fault::new(end)).await;
    // Whatever it says of itself: what counts is what is there. Only a panic would be wrong.
    drop(outcome);
    site.close().await;
    case.look(&copy).await
}

/// Tries every end, two at a time, and fails with those that were not survived.
async fn survive(what: &str, ends: Vec<(Arc<Case>, End)>) -> Result<()> {
    let enumerated = ends.len();
    let room = Arc::new(Semaphore::new(2));
    let mut tried = JoinSet::new();
    for (case, end) in ends {
        let room = room.clone();
        tried.spawn(async move {
            let _permit = room.acquire_owned().await?;
            let survived = match end {
                End::KillBefore(_) | End::KillAfter(_) | End::KillHalf(_) => {
                    kill_one(&case, end).await
                }
                _ => fail_one(&case, end).await,
            };
            survived.with_context(|| case.named(end))
        });
    }
    let mut lost = Vec::new();
    while let Some(survived) = tried.join_next().await {
        if let Err(error) = survived? {
            lost.push(format!("{error:#}"));
        }
    }
    report(&format!(
        "{what}: {enumerated} enumerated, {} survived",
        enumerated - lost.len()
    ));
    ensure!(lost.is_empty(), "not survived:\n{}", lost.join("\n"));
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "how much was proved is for people to see"
)]
fn report(line: &str) {
    println!("{line}");
}

/// Every end by a kill: before the first action, after each, and in the middle of what is written.
fn kills(case: &Arc<Case>) -> Vec<(Arc<Case>, End)> {
    let mut ends = vec![End::KillBefore(0)];
    for place in case.places() {
        ends.push(End::KillAfter(place));
        if case.actions[place].0 == Operation::Write {
            ends.push(End::KillHalf(place));
        }
    }
    ends.into_iter().map(|end| (case.clone(), end)).collect()
}

const ERRORS: [Errno; 5] = [
    Errno::NOSPC,
    Errno::IO,
    Errno::ACCESS,
    Errno::XDEV,
    Errno::ROFS,
];

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_any_instant_leaves_one_of_the_two_trees() -> Result<()> {
    let cases = Ground::prepare().await?.cases().await?;
    let ends = cases.iter().flat_map(kills).collect();
    survive("crash points", ends).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_fails_leaves_one_of_the_two_trees() -> Result<()> {
    let cases = Ground::prepare().await?.cases().await?;
    let mut ends = Vec::new();
    for case in &cases {
        for place in case.places() {
            // Where most happens each action fails in every way, and elsewhere in one of them in turn.
            let whole = (case.work, case.exchange) == (Work::Apply, Exchange::Atomic);
            let errors = ERRORS.into_iter().enumerate();
            let errors = errors.filter(|(turn, _)| whole || *turn == place % ERRORS.len());
            ends.extend(errors.map(|(_, error)| (case.clone(), End::Fail(place, error))));
        }
    }
    survive("failures", ends).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fails_for_good_leaves_one_of_the_two_trees() -> Result<()> {
    let cases = Ground::prepare().await?.cases().await?;
    let mut ends = Vec::new();
    for (turn, case) in cases.iter().enumerate() {
        // What is left is what a kill there leaves, and every kill is tried; what is looked for here is somebody who
        // goes on all the same. Cases take turns over the places that they have in common.
        let each = if turn == 0 || siege::is_long() { 1 } else { 3 };
        ends.extend(
            case.places()
                .filter(|place| place % each == turn % each)
                .map(|place| (case.clone(), End::FailForGood(place, Errno::IO))),
        );
    }
    survive("failures for good", ends).await
}
