//! Which processes run what was there before a component was changed: real ones, and process directories made by hand.

use std::{
    fs,
    io::Read,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use spacecp_scan::processes::{
    Exchange, ProcessLimits, Running, Tree, judge, packages_changed, read, replaced_packages,
};

/// A process that ends with the test.
struct Running_(Child);

impl Drop for Running_ {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Running_ {
    /// Starts a program, and waits until it runs: what runs before that is this test's.
    fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        Self(child.expect("the program starts"))
    }

    /// Waits until it says something.
    fn says(mut self) -> Self {
        let mut first = [0];
        let out = self.0.stdout.as_mut().expect("its output is read");
        out.read_exact(&mut first).expect("it says something");
        self
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

/// A component in a directory of its own, and where an exchange moves its tree.
struct Machine {
    directory: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let machine = Self { directory };
        fs::create_dir(machine.folder()).unwrap();
        fs::write(
            machine.folder().join("package.json"),
            r#"{"version":"1.0.0"}"#,
        )
        .unwrap();
        machine
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn folder(&self) -> PathBuf {
        self.at("houston")
    }

    /// Puts a new tree into the place of the old one, as a correction does.
    fn exchange(&self) -> Tree {
        std::thread::sleep(Duration::from_millis(100));
        let at = Timestamp::now();
        fs::create_dir(self.at("workspace")).unwrap();
        fs::rename(self.folder(), self.at("workspace/tree")).unwrap();
        fs::create_dir(self.folder()).unwrap();
        let mut tree = self.tree();
        tree.former.push(self.at("workspace"));
        tree.exchanges.push(Exchange {
            at,
            unless_before: None,
            from: "1.0.0".to_owned(),
        });
        std::thread::sleep(Duration::from_millis(100));
        tree
    }

    fn tree(&self) -> Tree {
        Tree {
            component: "houston".to_owned(),
            folder: self.folder(),
            owner: fs::metadata(self.folder()).ok().map(|there| there.uid()),
            ..Tree::default()
        }
    }
}

fn judged(tree: &Tree) -> Running {
    let processes = read(
        Path::new("/proc"),
        std::slice::from_ref(tree),
        None,
        &ProcessLimits::default(),
    );
    assert_eq!(processes.problem, None);
    judge(tree, &processes)
}

fn pids(running: &Running) -> Vec<u32> {
    running.outdated.iter().map(|process| process.pid).collect()
}

fn sleeping(at: &Path) -> Running_ {
    let mut command = Command::new(at);
    Running_::start(command.arg("60"))
}

#[test]
fn a_program_of_the_tree_that_was_exchanged_is_outdated_until_it_ends() {
    let machine = Machine::new();
    let program = machine.folder().join("server");
    fs::copy("/bin/sleep", &program).unwrap();
    let server = sleeping(&program);
    assert_eq!(judged(&machine.tree()), Running::default());
    let tree = machine.exchange();
    let running = judged(&tree);
    assert_eq!(pids(&running), [server.pid()]);
    let process = &running.outdated[0];
    assert_eq!(process.version.as_deref(), Some("1.0.0"));
    assert_eq!(process.name, "server");
    assert!(
        process.why.contains("workspace/tree/server"),
        "{}",
        process.why
    );
    drop(server);
    assert_eq!(judged(&tree), Running::default());
}

#[test]
fn a_runtime_that_closes_its_files_is_outdated_by_where_it_works() {
    let machine = Machine::new();
    let script = "import sys,time; print(1,flush=True); time.sleep(60)";
    let mut command = Command::new("python3");
    command.args(["-c", script]).current_dir(machine.folder());
    let before = Running_::start(&mut command).says();
    let tree = machine.exchange();
    let mut command = Command::new("python3");
    command.args(["-c", script]).current_dir(machine.folder());
    let after = Running_::start(&mut command).says();
    assert_ne!(before.pid(), after.pid());
    assert_eq!(pids(&judged(&tree)), [before.pid()]);
}

#[test]
fn a_runtime_that_was_given_a_script_is_outdated_by_its_command_line_and_start() {
    let machine = Machine::new();
    let script = "import time; print(1,flush=True); time.sleep(60)";
    for name in ["app.py", "new.py"] {
        fs::write(machine.folder().join(name), script).unwrap();
    }
    let mut command = Command::new("python3");
    command
        .arg(machine.folder().join("app.py"))
        .current_dir("/");
    let before = Running_::start(&mut command).says();
    let tree = machine.exchange();
    fs::write(machine.folder().join("app.py"), script).unwrap();
    let mut command = Command::new("python3");
    command
        .arg(machine.folder().join("app.py"))
        .current_dir("/");
    let _after = Running_::start(&mut command).says();
    let running = judged(&tree);
    assert_eq!(pids(&running), [before.pid()]);
    assert!(
        running.outdated[0].why.contains("command line"),
        "{:?}",
        running.outdated
    );
}

#[test]
fn a_mapped_file_that_was_replaced_is_outdated_without_any_exchange() {
    let machine = Machine::new();
    let (library, new) = (
        machine.folder().join("lib.bin"),
        machine.folder().join("lib.new"),
    );
    fs::write(&library, [0; 4096]).unwrap();
    let script = "import mmap,sys,time; f=open(sys.argv[1],'rb'); m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); f.close(); print(1,flush=True); time.sleep(60)";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(&library).current_dir("/");
    let server = Running_::start(&mut command).says();
    assert_eq!(judged(&machine.tree()), Running::default());
    fs::write(&new, [1; 4096]).unwrap();
    fs::rename(&new, &library).unwrap();
    let running = judged(&machine.tree());
    assert_eq!(pids(&running), [server.pid()]);
    assert_eq!(running.outdated[0].version, None);
    assert!(
        running.outdated[0].why.contains("deleted or replaced"),
        "{:?}",
        running.outdated
    );
}

#[test]
fn what_a_component_writes_at_run_time_says_nothing_of_its_version() {
    let machine = Machine::new();
    fs::create_dir(machine.folder().join("logs")).unwrap();
    let log = machine.folder().join("logs/latest.log");
    fs::write(&log, "words").unwrap();
    let script = "import sys,time; f=open(sys.argv[1]); print(1,flush=True); time.sleep(60)";
    let mut command = Command::new("python3");
    command.args(["-c", script]).arg(&log).current_dir("/");
    let _reader = Running_::start(&mut command).says();
    let mut tree = machine.exchange();
    assert_eq!(
        judged(&tree).outdated.len(),
        1,
        "it counts where nothing is kept"
    );
    tree.keep.push("logs/".to_owned());
    assert_eq!(judged(&tree), Running::default());
}

#[test]
fn a_file_whose_name_ends_like_the_mark_for_deleted_files_is_there() {
    let machine = Machine::new();
    let program = machine.folder().join("server (deleted)");
    fs::copy("/bin/sleep", &program).unwrap();
    let _server = sleeping(&program);
    assert_eq!(judged(&machine.tree()), Running::default());
}

#[test]
fn a_process_of_a_rolled_back_tree_is_outdated_and_one_from_before_it_is_not() {
    let machine = Machine::new();
    let program = machine.folder().join("server");
    fs::copy("/bin/sleep", &program).unwrap();
    let server = sleeping(&program);
    std::thread::sleep(Duration::from_millis(200));
    let now = Timestamp::now();
    let rolled_back = |began: Timestamp| Tree {
        exchanges: vec![Exchange {
            at: now,
            unless_before: Some(began),
            from: "2.0.0".to_owned(),
        }],
        ..machine.tree()
    };
    let began_after = rolled_back(now - SignedDuration::from_millis(20));
    assert_eq!(judged(&began_after), Running::default());
    let began_before = rolled_back(now - SignedDuration::from_hours(1));
    let running = judged(&began_before);
    assert_eq!(pids(&running), [server.pid()]);
    assert_eq!(running.outdated[0].version.as_deref(), Some("2.0.0"));
}

/// A process directory made by hand. The machine started 1,000,000 seconds after 1970.
struct Fake {
    directory: tempfile::TempDir,
}

const BOOT: i64 = 1_000_000;

impl Fake {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(
            directory.path().join("stat"),
            format!("cpu 1\nbtime {BOOT}\n"),
        )
        .unwrap();
        Self { directory }
    }

    /// A process that started so many seconds after the machine.
    fn process(&self, pid: u32, name: &str, after: i64) -> PathBuf {
        let at = self.directory.path().join(pid.to_string());
        fs::create_dir(&at).unwrap();
        let started = after * 100;
        let stat =
            format!("{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {started} 0 0\n");
        fs::write(at.join("stat"), stat).unwrap();
        fs::write(at.join("maps"), "").unwrap();
        symlink("/", at.join("root")).unwrap();
        symlink("/usr/bin/node", at.join("exe")).unwrap();
        symlink("/", at.join("cwd")).unwrap();
        at
    }

    fn judged(&self, tree: &Tree) -> Running {
        let limits = ProcessLimits::default();
        judge(
            tree,
            &read(
                self.directory.path(),
                std::slice::from_ref(tree),
                None,
                &limits,
            ),
        )
    }
}

/// A component that was exchanged a hundred seconds after the machine started.
fn exchanged() -> Tree {
    Tree {
        component: "houston".to_owned(),
        folder: "/srv/houston".into(),
        former: vec!["/srv/.workspace".into()],
        unit: Some("houston.service".to_owned()),
        exchanges: vec![Exchange {
            at: Timestamp::from_second(BOOT + 100).unwrap(),
            unless_before: None,
            from: "1.0.0".to_owned(),
        }],
        ..Tree::default()
    }
}

fn set_link(at: &Path, name: &str, target: &str) {
    fs::remove_file(at.join(name)).unwrap();
    symlink(target, at.join(name)).unwrap();
}

#[test]
fn a_process_of_the_components_unit_counts_by_its_start() {
    let fake = Fake::new();
    for (pid, after) in [(10, 50), (11, 150)] {
        let at = fake.process(pid, "node", after);
        fs::write(at.join("cgroup"), "0::/system.slice/houston.service\n").unwrap();
    }
    let running = fake.judged(&exchanged());
    assert_eq!(pids(&running), [10]);
    assert_eq!(running.outdated[0].unit.as_deref(), Some("houston.service"));
}

#[test]
fn a_name_with_parentheses_and_line_ends_is_read_and_shown_without_them() {
    let fake = Fake::new();
    let at = fake.process(12, "a) S 0 (\nb", 50);
    fs::write(at.join("cmdline"), "node\0/srv/houston/app.js\0").unwrap();
    let running = fake.judged(&exchanged());
    assert_eq!(running.outdated[0].name, "a) S 0 (\u{fffd}b");
}

#[test]
fn a_path_in_a_container_is_not_the_path_here() {
    let fake = Fake::new();
    let inside = tempfile::tempdir().unwrap();
    let at = fake.process(13, "node", 50);
    set_link(&at, "root", inside.path().to_str().unwrap());
    set_link(&at, "cwd", "/srv/houston");
    fs::write(at.join("cmdline"), "node\0/srv/houston/app.js\0").unwrap();
    assert_eq!(fake.judged(&exchanged()), Running::default());
}

#[test]
fn a_command_line_that_goes_through_other_directories_is_followed_as_text() {
    let fake = Fake::new();
    let beside = fake.process(14, "node", 50);
    fs::write(
        beside.join("cmdline"),
        "node\0/srv/houston/../other/app.js\0",
    )
    .unwrap();
    let below = fake.process(15, "node", 50);
    set_link(&below, "cwd", "/srv");
    fs::write(below.join("cmdline"), "node\0./houston/app.js\0").unwrap();
    let jvm = fake.process(16, "java", 50);
    fs::write(
        jvm.join("cmdline"),
        "java\0-cp\0/lib/a.jar:/srv/houston/b.jar\0Main\0",
    )
    .unwrap();
    assert_eq!(pids(&fake.judged(&exchanged())), [15, 16]);
}

#[test]
fn a_shell_that_waits_for_a_person_runs_nothing_of_the_directory_that_it_is_in() {
    let fake = Fake::new();
    let at = fake.process(17, "bash", 50);
    set_link(&at, "cwd", "/srv/.workspace/tree");
    let with_terminal = "17 (bash) S 1 1 1 34816 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5000 0 0\n";
    fs::write(at.join("stat"), with_terminal).unwrap();
    fs::write(at.join("cmdline"), "-bash\0").unwrap();
    assert_eq!(fake.judged(&exchanged()), Running::default());
    fs::write(at.join("cmdline"), "bash\0start.sh\0").unwrap();
    assert_eq!(pids(&fake.judged(&exchanged())), [17]);
}

#[test]
fn more_processes_than_the_limit_leave_a_changed_component_undecided() {
    let fake = Fake::new();
    for pid in 20..24 {
        fake.process(pid, "node", 50);
    }
    let tree = exchanged();
    let limits = ProcessLimits {
        processes: 2,
        ..ProcessLimits::default()
    };
    let processes = read(
        fake.directory.path(),
        std::slice::from_ref(&tree),
        None,
        &limits,
    );
    assert!(processes.problem.is_some());
    assert!(judge(&tree, &processes).undecided.is_some());
    let untouched = Tree {
        exchanges: Vec::new(),
        ..tree
    };
    assert_eq!(judge(&untouched, &processes), Running::default());
}

#[test]
fn a_process_that_may_not_be_examined_leaves_its_owners_changed_component_undecided_and_no_other() {
    let fake = Fake::new();
    fake.process(30, "node", 50);
    let mut read = read(fake.directory.path(), &[], None, &ProcessLimits::default());
    let process = &mut read.processes[0];
    process.program = spacecp_scan::processes::Seen::Denied;
    process.directory = spacecp_scan::processes::Seen::Denied;
    process.uid = 1_234;
    let owned_by = |owner| Tree {
        owner: Some(owner),
        ..exchanged()
    };
    assert!(judge(&owned_by(1_234), &read).undecided.is_some());
    assert_eq!(judge(&owned_by(99), &read), Running::default());
    read.processes[0].started = Timestamp::from_second(BOOT + 500).ok();
    assert_eq!(judge(&owned_by(1_234), &read), Running::default());
}

#[test]
fn a_library_that_dpkg_replaced_names_its_source_package_and_the_process() {
    let fake = Fake::new();
    let system = tempfile::tempdir().unwrap();
    let lists = system.path().join("var/lib/dpkg/info");
    fs::create_dir_all(&lists).unwrap();
    fs::write(
        system.path().join("var/lib/dpkg/status"),
        "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.15-1\n",
    )
    .unwrap();
    fs::write(
        lists.join("libssl3:amd64.list"),
        "/.\n/usr/lib/x86_64-linux-gnu/libspacecp-test.so.3\n",
    )
    .unwrap();
    let map = |file: &str| format!("7f00-7f01 r-xp 00000000 fe:01 131  {file}\n");
    let old = fake.process(40, "nginx", 50);
    let library = "/usr/lib/x86_64-linux-gnu/libspacecp-test.so.3.0.9 (deleted)";
    fs::write(old.join("maps"), map(library) + &map("/memfd:x (deleted)")).unwrap();
    let new = fake.process(41, "nginx", 50);
    fs::write(
        new.join("maps"),
        map("/usr/lib/x86_64-linux-gnu/libspacecp-test.so.3.0.15"),
    )
    .unwrap();
    let changed = packages_changed(system.path());
    assert!(changed.is_some());
    let processes = read(
        fake.directory.path(),
        &[],
        changed,
        &ProcessLimits::default(),
    );
    let replaced = replaced_packages(system.path(), &processes);
    let names: Vec<&String> = replaced.keys().collect();
    assert_eq!(names, ["openssl"]);
    let pids: Vec<u32> = replaced["openssl"]
        .iter()
        .map(|process| process.pid)
        .collect();
    assert_eq!(pids, [40]);
}
