//! No secret is drawn, printed, logged, stored or put on a command line, wherever a project has it.

#[path = "secrets/planted.rs"]
mod planted;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mlops_tui::store::{LogCursor, LogFilter, RunFilter, Store};

use crate::common::python::python;
use crate::common::terminal::{PATIENCE, Terminal};
use planted::{PLACES, Project, found_in, secret};

/// Secrets that may be seen somewhere: their number, a part of where, and why.
const EXCEPTIONS: [(usize, &str, &str); 0] = [];

/// Where which secrets were seen.
#[derive(Default)]
struct Watch {
    seen: BTreeMap<(usize, String), String>,
}

impl Watch {
    fn look(&mut self, at: &str, bytes: &[u8]) {
        for number in found_in(bytes) {
            let text = String::from_utf8_lossy(bytes);
            let line = text.lines().find(|line| found_in(line.as_bytes()).contains(&number));
            let line = line.unwrap_or_default();
            let from = line.find(&secret(number)).unwrap_or(0).saturating_sub(100);
            let quoted: String = line.chars().skip(from).take(200).collect();
            self.seen.entry((number, at.to_owned())).or_insert(quoted);
        }
    }

    fn run(&mut self, project: &Project, words: &[&str]) -> String {
        let output = project.mlops(words);
        self.look(&format!("stdout of {}", words.join(" ")), &output.stdout);
        self.look(&format!("stderr of {}", words.join(" ")), &output.stderr);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    /// The screen after keys.
    fn keys(&mut self, terminal: &mut Terminal, keys: &str) {
        terminal.keys(keys);
        // What follows from a key is drawn at once; what is read for it, a moment later.
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(60));
            self.look(&format!("the screen after {keys}"), terminal.screen().as_bytes());
        }
    }

    /// All that was written, and what the store has packed.
    fn written(&mut self, project: &Project) {
        for path in project.written() {
            let bytes = fs::read(&path).unwrap_or_default();
            self.look(&path.file_name().unwrap().to_string_lossy(), &bytes);
        }
        let mut store = Store::new(project.root());
        for run in store.runs(&RunFilter::newest(100)).unwrap() {
            let id = run.id.unwrap();
            self.look(&format!("the record of run {id}"), format!("{run:?}").as_bytes());
            let diff = run.code.as_ref().and_then(|code| code.diff.clone());
            for (what, hash) in [("difference", diff), ("parameters", run.parameters.clone())] {
                let text = hash.and_then(|hash| store.text(&hash).unwrap()).unwrap_or_default();
                self.look(&format!("the {what} of run {id}"), text.as_bytes());
            }
            let lines = store.log(id, &LogFilter::default(), LogCursor::Line(0), 10_000).unwrap();
            self.look(&format!("the log of run {id}"), format!("{lines:?}").as_bytes());
            let events = store.events(id).unwrap().join("\n");
            self.look(&format!("the events of run {id}"), events.as_bytes());
        }
    }

    /// # Panics
    /// When a secret was seen that is no exception, or an exception was not.
    fn assert_holds(&self) {
        let is_exception = |(number, at): &(usize, String)| {
            EXCEPTIONS.iter().any(|exception| exception.0 == *number && at.contains(exception.1))
        };
        let place = |number: usize| PLACES.get(number.wrapping_sub(1)).unwrap_or(&"cut");
        let leaks = self.seen.iter().filter(|(at, _)| !is_exception(at));
        let leaks = leaks.map(|((number, at), line)| {
            format!("{number} ({}) in {at}:\n      {line}\n", place(*number))
        });
        let leaks: String = leaks.collect();
        assert!(leaks.is_empty(), "secrets leak:\n{leaks}");
        for (number, at, why) in EXCEPTIONS {
            let holds = self.seen.keys().any(|seen| seen.0 == number && seen.1.contains(at));
            assert!(holds, "{number} is not seen in {at} any more: {why}");
        }
    }
}

/// The command lines of all processes.
fn command_lines() -> Vec<u8> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .flat_map(|process| fs::read(process.path().join("cmdline")).unwrap_or_default())
        .collect()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn runs(root: &Path) -> Vec<mlops_tui::store::RunRecord> {
    Store::new(root).runs(&RunFilter::newest(100)).unwrap_or_default()
}

#[test]
fn no_secret_is_seen_anywhere() {
    let project = Project::new();
    let mut watch = Watch::default();
    run(&project, &mut watch);
    run_detached(&project, &mut watch);
    look(&project, &mut watch);
    look_at_the_screen(&project, &mut watch);
    watch.written(&project);
    // What can't be read is quoted nowhere.
    project.write("conf/base/parameters_more.yml", "password: \"<<43>>\n  x: [<<43>>\n");
    let told = watch.run(&project, &["inspect"]);
    assert!(told.contains("parameters_more.yml"), "{told}");
    for words in [&["config", "parameters"][..], &["status"], &["inspect", "--json"], &["run"]] {
        watch.run(&project, words);
    }
    watch.written(&project);
    watch.assert_holds();
}

fn run(project: &Project, watch: &mut Watch) {
    let told = watch.run(project, &["run", "--nodes", "first"]);
    assert!(told.contains("Recorded as run 1"), "{told}");
    let password = format!("service.login.password={}", secret(28));
    let told = watch.run(project, &["run", "--nodes", "first,log_in", "--params", &password]);
    assert!(told.contains("no access as <redacted>"), "{told}");
    watch.run(project, &["run", "--json", "--nodes", "first,log_in", "--params", &password]);
    for node in ["fetch", "fetch_more"] {
        let told = watch.run(project, &["run", "--nodes", node]);
        assert!(told.contains("no access"), "{told}");
        watch.run(project, &["run", "--json", "--nodes", node]);
    }
    let grid = format!("size=1,2 service.login.password={}", secret(44));
    let told = watch.run(project, &["run", "--nodes", "first", "--grid", &grid]);
    assert!(told.contains("size=2"), "{told}");
}

/// While it waits, the command lines of its processes are looked at.
fn run_detached(project: &Project, watch: &mut Watch) {
    let waits = project.root().join("wait");
    fs::write(&waits, "").unwrap();
    let before = runs(project.root()).len();
    let params = format!("--params=api_key={}", secret(29));
    let token = format!("token={}", secret(40));
    let runner = ["--runner", "shop.runner.Own", "--runner-params", &token];
    let words = [&["run", "--detach", "--nodes", "first", &params][..], &runner].concat();
    let told = watch.run(project, &words);
    assert!(told.contains("continues in the background"), "{told}");
    wait_until("the node to begin", || {
        runs(project.root()).first().is_some_and(|run| run.nodes_total == 1)
    });
    watch.look("a command line", &command_lines());
    fs::remove_file(waits).unwrap();
    wait_until("the detached run to end", || {
        let runs = runs(project.root());
        runs.len() == before + 1 && runs[0].ended_at.is_some()
    });
    let temporary = project.home.path().join("tmp");
    wait_until("temporary files to go", || fs::read_dir(&temporary).unwrap().next().is_none());
}

fn look(project: &Project, watch: &mut Watch) {
    for words in [
        &["inspect"][..],
        &["inspect", "--exact"],
        &["config", "catalog"],
        &["config", "parameters"],
        &["config", "globals"],
        &["config", "credentials"],
        &["config", "secrets"],
        &["config", "mlflow"],
        &["status"],
        &["run", "--plan"],
        &["runs", "list"],
        &["runs", "show", "1"],
        &["runs", "show", "2"],
        &["runs", "show", "last"],
        &["runs", "show", "last-failed"],
        &["runs", "diff", "1", "2"],
        &["runs", "diff", "2", "last"],
        &["runs", "logs", "2"],
        &["runs", "logs", "last"],
        &["runs", "logs", "last-failed"],
        &["doctor"],
    ] {
        let told = watch.run(project, words);
        assert!(!told.contains("Usage:"), "{words:?}: {told}");
        watch.run(project, &[words, &["--json"]].concat());
    }
    for format in ["text", "svg", "dot", "mermaid", "json"] {
        watch.run(project, &["layout", "--format", format]);
    }
    let told = watch.run(project, &["config", "parameters"]);
    assert!(told.contains("api_key: ") && told.contains("********"), "{told}");
}

fn look_at_the_screen(project: &Project, watch: &mut Watch) {
    let home = project.home.path();
    let env = project.env();
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let python = ["--python", python().to_str().unwrap()];
    let root = project.root();
    let mut terminal = Terminal::start_in(root, home, 220, 60, &python, &env);
    terminal.wait_for("log_in");
    watch.keys(&mut terminal, "E");
    terminal.wait_for("Trust this project?");
    terminal.keys("y");
    terminal.wait_for("exact ✓");
    for keys in ["j", "j", "j", "j", "<tab>", "w", "w", "!", "<esc>", "?", "<esc>", "2"] {
        watch.keys(&mut terminal, keys);
    }
    for _ in 0..16 {
        watch.keys(&mut terminal, "j");
    }
    watch.keys(&mut terminal, "3");
    for _ in 0..16 {
        watch.keys(&mut terminal, "j");
    }
    terminal.keys("g/api_key<enter>");
    watch.keys(&mut terminal, "=");
    terminal.keys(&secret(30));
    terminal.wait_for(&"*".repeat(secret(30).len()));
    watch.keys(&mut terminal, "<enter>");
    terminal.wait_for("is overridden");
    watch.keys(&mut terminal, "k");
    watch.keys(&mut terminal, "1");
    let before = runs(root).len();
    terminal.keys("/log_in<enter>");
    watch.keys(&mut terminal, "r");
    wait_until("the run of the screen to fail", || {
        let runs = runs(root);
        runs.len() == before + 1 && runs[0].ended_at.is_some()
    });
    for keys in ["T", "<esc>", "L", "<esc>", "4", "<enter>", "t", "L", "<esc>", "<esc>", "4"] {
        watch.keys(&mut terminal, keys);
    }
    for keys in ["g", "<space>", "j", "<space>", "c", "j", "<esc>", "5", "6", "7", "1"] {
        watch.keys(&mut terminal, keys);
    }
    terminal.signal(rustix::process::Signal::TERM);
    terminal.wait_exit();
    let panics = [&env[..], &[("MLOPS_TUI_PANIC", "task")]].concat();
    let mut terminal = Terminal::start_in(root, home, 120, 40, &python, &panics);
    terminal.wait_exit();
    watch.look("the terminal after a panic", terminal.screen().as_bytes());
}

#[test]
fn one_secret_is_revealed_to_a_terminal_alone() {
    let project = Project::new();
    let words = ["config", "parameters", "--reveal", "service.login.password"];
    let output = project.mlops(&words);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty(), "{told}");
    assert!(told.contains("prints to a terminal alone"), "{told}");
    assert!(!project.mlops(&[&words[..], &["--json"]].concat()).status.success());
    let env = project.env();
    let env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let on_terminal = |key: &str| {
        let words = ["config", "parameters", "--reveal", key];
        let mut terminal =
            Terminal::start_in(project.root(), project.home.path(), 120, 10, &words, &env);
        terminal.wait_exit();
        terminal.wait("something to be told", |screen| !screen.trim().is_empty()).trim().to_owned()
    };
    assert_eq!(on_terminal("service.login.password"), secret(12));
    assert_eq!(on_terminal("again"), secret(11));
    assert_eq!(on_terminal("size"), "3");
    for (key, told) in [
        ("longer", "put together from other values"),
        ("service", "has values below it"),
        ("nothing", "There is no `nothing`"),
    ] {
        let screen = on_terminal(key);
        assert!(screen.contains(told) && found_in(screen.as_bytes()).is_empty(), "{screen}");
    }
}
