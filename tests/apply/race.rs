//! A hostile process of the component's user exchanges directories, links and pipes as fast as it can,
//! while root applies, rolls back and recovers.
//!
//! Three processes: the test watches that there is an end; the second, as root, is the panel; the third,
//! as a user without rights, is the attacker. The last two are this program again.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with, symlinkat};
use spacecp_advisories::apply::{Applier, Exchange, OldTrees, Step};
use spacecp_tests::{apart, siege::rounds};
use walkdir::WalkDir;

use crate::{
    ends::EndAfter,
    outside::{NOBODY, Outside, SECRET, give},
    site::{Copy, Template},
    tree::{new, now, old},
};

/// What the attacker may do, for the process that is the panel.
const SCENE: &str = "SPACECP_TEST_SCENE";
/// The file that the process writes at its end: one that ran no test ends well, too.
const SURVIVED: &str = "SPACECP_TEST_SURVIVED";
/// The site that is attacked, for the process that attacks.
const SITE: &str = "SPACECP_TEST_ATTACKED_SITE";

/// Exchanges that make an attack, over all rounds.
const ENOUGH: usize = 3_000;

/// How long the whole may take. It takes seconds; what hangs takes for ever.
const NO_END: Duration = Duration::from_mins(5);

/// What belongs to the attacker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scene {
    /// The component's directory alone.
    Component,
    /// The directory around it, too; workspaces are elsewhere.
    Around,
    /// The same, since an earlier run left its workspace there.
    Earlier,
}

impl Scene {
    const ALL: [Self; 3] = [Self::Component, Self::Around, Self::Earlier];

    fn name(self) -> String {
        format!("{self:?}")
    }
}

fn withstand(scene: Scene) -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let survived = folder.path().join("survived");
    let mut panel = Command::new(std::env::current_exe()?)
        .args(apart::arguments("race::the_panel_that_is_attacked"))
        .env(SCENE, scene.name())
        .env(SURVIVED, &survived)
        .process_group(0)
        .spawn()?;
    let end = Instant::now() + NO_END;
    loop {
        if let Some(status) = panel.try_wait()? {
            ensure!(
                status.success() && survived.is_file(),
                "{scene:?}: {status}"
            );
            return Ok(());
        }
        if Instant::now() > end {
            let group = rustix::process::Pid::from_child(&panel);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            panel.wait()?;
            anyhow::bail!("{scene:?}: it hangs");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
#[cfg_attr(
    not(has_root),
    ignore = "only root can start a process of another user"
)]
fn a_user_of_the_component_reaches_nothing_outside() -> Result<()> {
    withstand(Scene::Component)
}

#[test]
#[cfg_attr(
    not(has_root),
    ignore = "only root can start a process of another user"
)]
fn a_user_of_the_directory_around_it_reaches_nothing_outside() -> Result<()> {
    withstand(Scene::Around)
}

#[test]
#[cfg_attr(
    not(has_root),
    ignore = "only root can start a process of another user"
)]
fn a_user_of_an_earlier_runs_surroundings_reaches_nothing_outside() -> Result<()> {
    withstand(Scene::Earlier)
}

/// Applies, rolls back, is cut off and recovers, round after round.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "another test starts it as a process of its own"]
async fn the_panel_that_is_attacked() -> Result<()> {
    let name = apart::text(SCENE)?;
    let scene = Scene::ALL.into_iter().find(|scene| scene.name() == name);
    let scene = scene.context("an unknown scene")?;
    let template = Template::new(&old(), &new(), |_| {}).await?;
    let (mut swaps, mut done) = (0, 0);
    let mut round = 0;
    // On a busy machine the attacker gets less done in a round: then there are more of them.
    while round < rounds(15, 400) || swaps < ENOUGH {
        let step = Step::ALL[round % Step::ALL.len()];
        let (swapped, succeeded) = fight(scene, &template, step)
            .await
            .with_context(|| format!("{scene:?}, round {round}, {step:?}"))?;
        swaps += swapped;
        done += succeeded;
        round += 1;
    }
    say(&format!(
        "{scene:?}: {swaps} exchanges, {done} corrections applied or rolled back all the same"
    ));
    std::fs::write(apart::given(SURVIVED)?, "")?;
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "for whoever reads what the siege was like"
)]
fn say(words: &str) {
    println!("{words}");
}

/// One round; gives the attacker's exchanges, and how often the panel did what it was told.
async fn fight(scene: Scene, template: &Template, step: Step) -> Result<(usize, usize)> {
    let copy = template.copy()?;
    let outside = Outside::lay(&copy.path())?;
    let workspace = copy.path().join("workspace");
    let site = copy.open().await?;
    give(&site.component(), NOBODY)?;
    let working = |applier: Applier| match scene {
        Scene::Around => applier.working_in(Some(workspace.clone())),
        Scene::Component | Scene::Earlier => applier,
    };
    let ending = working(site.ending(Exchange::Atomic, Arc::new(EndAfter(step))));
    let plain = working(site.plain()).keeping(OldTrees { days: 0, bytes: 0 });
    let mut done = 0;
    if scene == Scene::Earlier {
        let _ = site.apply(&ending, "first").await;
    }
    if scene != Scene::Component {
        let around = copy.path().join("panel");
        std::os::unix::fs::chown(&around, Some(NOBODY), Some(NOBODY))?;
    }
    let attacker = Attacker::start(&copy)?;
    if scene != Scene::Earlier {
        done += usize::from(site.apply(&ending, "first").await.is_ok());
    }
    // Whatever comes of these: what counts is that they end, and what they leave alone.
    let _ = plain.recover(now()).await;
    done += usize::from(site.apply(&plain, "second").await.is_ok());
    done += usize::from(site.roll_back(&plain, "second").await.is_ok());
    let _ = plain.history(10).await;
    let later = now() + jiff::SignedDuration::from_hours(48);
    let _ = plain.clear_old_trees(later).await;
    let swaps = attacker.stop()?;
    site.close().await;
    outside.is_as_it_was()?;
    for place in ["panel", "workspace"] {
        holds_no_secret(&copy.path().join(place))?;
    }
    Ok((swaps, done))
}

/// Nothing that the panel copied holds what lies outside; links are not followed.
fn holds_no_secret(folder: &Path) -> Result<()> {
    for entry in WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let text = fs::read(entry.path())?;
            let is_secret = text
                .windows(SECRET.len())
                .any(|part| part == SECRET.as_bytes());
            ensure!(
                !is_secret,
                "{} was copied from outside",
                entry.path().display()
            );
        }
    }
    Ok(())
}

/// The process of the attacker.
struct Attacker(Child);

impl Attacker {
    fn start(copy: &Copy) -> Result<Self> {
        let whole = copy.path();
        let holder = whole.parent().context("it lies in a folder")?;
        for passed in [holder, &whole] {
            fs::set_permissions(passed, fs::Permissions::from_mode(0o711))?;
        }
        // Through the link of the kernel, as the program may lie where nobody else may go.
        let mut child = Command::new("/proc/self/exe")
            .args(apart::arguments("race::the_attacker"))
            .env(SITE, &whole)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .uid(NOBODY)
            .gid(NOBODY)
            .spawn()?;
        let mut output = std::io::BufReader::new(child.stdout.as_mut().context("it is piped")?);
        let mut line = String::new();
        while !line.contains(READY) {
            line.clear();
            let read = std::io::BufRead::read_line(&mut output, &mut line)?;
            ensure!(read > 0, "the attacker did not begin");
        }
        Ok(Self(child))
    }

    /// Ends it, and gives the number of its exchanges.
    fn stop(mut self) -> Result<usize> {
        drop(self.0.stdin.take());
        let output = self.0.stdout.take().context("it is piped")?;
        let said = std::io::read_to_string(output)?;
        self.0.wait()?;
        let swaps = said.lines().find_map(|line| line.split_once(SWAPS));
        Ok(swaps.context("it did not count")?.1.trim().parse()?)
    }
}

const READY: &str = "the attack begins";
const SWAPS: &str = "exchanges:";

/// Exchanges whatever it can until its standard input ends.
#[test]
#[ignore = "another test starts it as a process of its own"]
fn the_attacker() -> Result<()> {
    let site = PathBuf::from(apart::given(SITE)?);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::read_to_string(std::io::stdin());
        drop(end);
    });
    let mut attack = Attack::prepare(&site);
    say(READY);
    std::io::stdout().flush()?;
    while !matches!(
        ended.try_recv(),
        Err(std::sync::mpsc::TryRecvError::Disconnected)
    ) {
        attack.once();
        attack.rest();
    }
    say(&format!("{SWAPS} {}", attack.swaps));
    Ok(())
}

struct Attack {
    around: PathBuf,
    component: PathBuf,
    /// The component's trees, as long as they were seen: they are held wherever they go.
    trees: VecDeque<File>,
    swaps: usize,
    /// What decides how long a pause is: the same in every run.
    state: u32,
}

/// Pairs of names in the component's tree.
const IN_TREE: [(&str, &str); 7] = [
    ("same.txt", "data/pipe"),
    ("same.txt", "data/link-to-file"),
    ("lib", "data/link"),
    ("lib/a.js", "data/pipe"),
    ("VERSION", "data/link-to-file"),
    ("data/world", "data/link"),
    ("deep/run", "data/link"),
];

/// Pairs of names in the directory around it.
const AROUND: [(&str, &str); 6] = [
    ("component", "lure-link"),
    ("component", "lure"),
    ("component", "lure-pipe"),
    (".spacecp-advisories", "lure"),
    (".spacecp-advisories", "lure-link"),
    (".spacecp-advisories", "lure-pipe"),
];

/// Shut folders, each with a link beside it to be exchanged for.
const SHUT: usize = 4;

impl Attack {
    /// Lays everything out that is to be exchanged, as far as this user can.
    fn prepare(site: &Path) -> Self {
        let around = site.join("panel");
        let (component, outside) = (around.join("component"), site.join("outside"));
        let pipe = |path: &Path| mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0);
        let link = |to: &Path, path: &Path| symlinkat(to, CWD, path);
        let secret = outside.join("secret");
        let data = component.join("data");
        let _ = pipe(&data.join("pipe"));
        let _ = link(&outside, &data.join("link"));
        let _ = link(&secret, &data.join("link-to-file"));
        for number in 0..SHUT {
            let shut = component.join(format!("shut/folder-{number}"));
            let _ = fs::create_dir_all(&shut);
            let _ = fs::set_permissions(&shut, fs::Permissions::from_mode(0o000));
            let _ = link(&outside, &component.join(format!("shut/link-{number}")));
        }
        let _ = link(&outside, &around.join("lure-link"));
        let _ = pipe(&around.join("lure-pipe"));
        let lure = around.join("lure");
        for application in ["first", "second"] {
            let workspace = lure.join(application);
            let _ = fs::create_dir_all(&workspace);
            for lock in ["start.lock", "stop.lock"] {
                let _ = link(&secret, &workspace.join(lock));
            }
            for folder in ["tree", "payload", "going", "set-aside", "aside"] {
                let _ = link(&outside, &workspace.join(folder));
            }
        }
        let _ = link(&secret, &lure.join("component.lock"));
        Self {
            around,
            component,
            trees: VecDeque::new(),
            swaps: 0,
            state: 1,
        }
    }

    /// Everything once. What does not succeed will the next time.
    fn once(&mut self) {
        if let Ok(tree) = File::open(&self.component) {
            self.trees.push_front(tree);
            self.trees.truncate(4);
        }
        for (name, other) in AROUND {
            let (name, other) = (self.around.join(name), self.around.join(other));
            self.swap(&name, &other);
        }
        for place in 0..self.trees.len() {
            for (name, other) in IN_TREE {
                self.swap_in(place, name, other);
            }
            for number in 0..SHUT {
                let (folder, link) = (
                    format!("shut/folder-{number}"),
                    format!("shut/link-{number}"),
                );
                self.swap_in(place, &folder, &link);
            }
        }
    }

    /// There and back, so that the panel gets somewhere now and then.
    fn swap(&mut self, name: &Path, other: &Path) {
        for _ in 0..2 {
            let swapped = renameat_with(CWD, name, CWD, other, RenameFlags::EXCHANGE);
            self.swaps += usize::from(swapped.is_ok());
            self.pause();
        }
    }

    fn swap_in(&mut self, tree: usize, name: &str, other: &str) {
        for _ in 0..2 {
            let Some(tree) = self.trees.get(tree) else {
                return;
            };
            let swapped = renameat_with(tree, name, tree, other, RenameFlags::EXCHANGE);
            self.swaps += usize::from(swapped.is_ok());
            self.pause();
        }
    }

    /// Most often none; sometimes long enough for the panel to take a step.
    fn pause(&mut self) {
        let number = self.number();
        if number.is_multiple_of(16) {
            std::thread::sleep(Duration::from_micros(u64::from(number / 16)));
        }
    }

    /// Lets the panel begin something, to be attacked in the midst of it.
    fn rest(&mut self) {
        let number = self.number();
        std::thread::sleep(Duration::from_micros(u64::from(number) * 8));
    }

    /// The next number below 4096 (Knuth's linear congruential generator).
    fn number(&mut self) -> u32 {
        self.state = self
            .state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        self.state >> 20
    }
}
