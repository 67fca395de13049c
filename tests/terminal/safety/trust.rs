//! Without trust nothing of a project is executed: programs that leave a note when they run lie wherever
//! git, Python or a shell could find one, and all verbs and screens that only look leave no note.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mlops_tui::store::{CodeVersion, NewRun, Outcome, Progress, RunRecord, Store, Trust};

use crate::common::project::project;
use crate::common::terminal::Terminal;

const NODES: &str = r#"
def act(x):
    return x


def make(node):
    return [node(act, "params:size", "a", name="first"), node(act, "a", "b", name="second")]
"#;

/// A project with tripwires, in a repository that misses an object of its first commit.
struct Trapped {
    folder: tempfile::TempDir,
    /// Notes of what ran.
    notes: PathBuf,
    /// Its first and its second commit.
    commits: [String; 2],
}

impl Trapped {
    fn new() -> Self {
        let folder = project(NODES);
        let root = folder.path();
        let notes = tempfile::NamedTempFile::new().unwrap().into_temp_path().keep().unwrap();
        fs::remove_file(&notes).unwrap();
        git(root, &["init", "--quiet"]);
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "-m", "first"]);
        let first = git(root, &["rev-parse", "HEAD"]);
        let missing = git(root, &["rev-parse", "HEAD:src/shop"]);
        fs::write(root.join("src/shop/nodes.py"), NODES.replace('x', "y")).unwrap();
        git(root, &["commit", "--quiet", "-am", "second"]);
        let second = git(root, &["rev-parse", "HEAD"]);
        fs::remove_file(root.join(".git/objects").join(&missing[..2]).join(&missing[2..])).unwrap();
        let trapped = Trapped { folder, notes, commits: [first, second] };
        trapped.trap_git();
        trapped.trap_python();
        trapped.trap_settings();
        trapped
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that leaves its name.
    fn program(&self, name: &str) -> String {
        let note = format!("#!/bin/sh\necho {name} >> '{}'\n", self.notes.display());
        self.write(name, &note);
        let path = self.root().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Python that leaves its name when it is imported.
    fn module(&self, name: &str) {
        let old = fs::read_to_string(self.root().join(name)).unwrap_or_default();
        let note = format!("open({:?}, 'a').write({:?})\n", self.notes, format!("{name}\n"));
        self.write(name, &format!("{note}{old}"));
    }

    fn trap_git(&self) {
        let trap = |name: &str| self.program(&format!("trap/{name}"));
        let helper = format!("!{}", trap("helper"));
        for (key, value) in [
            ("core.repositoryFormatVersion", "1"),
            ("core.fsmonitor", &trap("fsmonitor")),
            ("core.pager", &trap("pager")),
            ("core.editor", &trap("editor")),
            ("core.sshCommand", &trap("ssh")),
            ("core.askPass", &trap("askpass")),
            ("core.gitProxy", &trap("proxy")),
            ("core.alternateRefsCommand", &trap("alternate")),
            ("core.hooksPath", "hooks"),
            ("alias.status", &helper),
            ("alias.diff", &helper),
            ("alias.config", &helper),
            ("pager.status", &trap("pager-status")),
            ("pager.diff", &trap("pager-diff")),
            ("pager.config", &trap("pager-config")),
            ("credential.helper", &helper),
            ("diff.external", &trap("external")),
            ("diff.trap.command", &trap("diff-command")),
            ("diff.trap.textconv", &trap("textconv")),
            ("filter.trap.clean", &trap("clean")),
            ("filter.trap.smudge", &trap("smudge")),
            ("filter.a.b=c.process", &trap("process")),
            ("gpg.program", &trap("gpg")),
            ("extensions.partialClone", "origin"),
            ("remote.origin.url", self.root().to_str().unwrap()),
            ("remote.origin.promisor", "true"),
            ("remote.origin.uploadpack", &trap("uploadpack")),
            ("remote.other.url", "ext::sh -c trap/ext"),
            ("remote.other.promisor", "true"),
            ("remote.third.url", "ssh://host/x"),
            ("remote.third.promisor", "true"),
            ("protocol.ext.allow", "always"),
            ("protocol.file.allow", "always"),
        ] {
            git(self.root(), &["config", key, value]);
        }
        for hook in
            ["post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"]
        {
            self.program(&format!("hooks/{hook}"));
            self.program(&format!(".git/hooks/{hook}"));
        }
        self.write(".gitattributes", "*.py filter=trap diff=trap\n*.yml filter=a.b=c\n");
        self.write("src/shop/nodes.py", &NODES.replace('x', "z"));
        // As long as what is committed, so that git has to read it through the filter.
        self.write("conf/base/parameters.yml", "size: 4\nmodel:\n  depth: 2\n");
    }

    fn trap_python(&self) {
        for name in [
            "src/shop/__init__.py",
            "src/shop/settings.py",
            "src/shop/pipeline_registry.py",
            "src/shop/nodes.py",
            "sitecustomize.py",
            "usercustomize.py",
            "kedro/__init__.py",
            "mlflow/__init__.py",
            "conftest.py",
            "conf/base/catalog.py",
        ] {
            self.module(name);
        }
        for name in [".venv", "venv", "env"] {
            self.write(&format!("{name}/pyvenv.cfg"), "home = .\nversion = 3.11.7\n");
            for program in ["python", "python3", "uv", "pip"] {
                self.program(&format!("{name}/bin/{program}"));
            }
            self.module(&format!("{name}/lib/python3.11/site-packages/trap.pth"));
        }
        // Programs of these names in the project must not be found before the system's.
        for name in
            ["git", "python", "python3", "uv", "sh", "stty", "hx", "vi", "nano", "ps", "less"]
        {
            self.program(name);
        }
    }

    fn trap_settings(&self) {
        let trap = self.program("trap/setting");
        let old = fs::read_to_string(self.root().join("pyproject.toml")).unwrap();
        let own = format!(
            "{old}\n[tool.mlops-tui]\npython = {trap:?}\neditor = {trap:?}\npager = {trap:?}\n\
             [tool.uv]\npython = {trap:?}\n"
        );
        self.write("pyproject.toml", &own);
        self.write(
            ".env",
            &format!("EDITOR={trap}\nPYTHON={trap}\nMLFLOW_TRACKING_URI=file:{trap}\n"),
        );
        self.write(".envrc", &trap);
        self.write(".python-version", "../../../../trap\n");
        self.write("environment.yml", "name: trap\n");
        self.write(
            "conf/base/mlflow.yml",
            "server:\n  mlflow_tracking_uri: ${oc.env:TRAP,mlruns}\n",
        );
        let code = "${oc.decode:\"__import__('os').system('touch x')\"}";
        self.write(
            "conf/base/globals.yml",
            &format!("trap: {code}\nodd: !!python/object/apply:os.system [x]\n"),
        );
    }

    /// Two runs of the two commits, recorded as any program can write them.
    fn record_runs(&self) {
        let mut store = Store::new(self.root());
        for commit in &self.commits {
            let run = store.add_run(&NewRun::default()).unwrap();
            let code = CodeVersion { commit: Some(commit.clone()), ..CodeVersion::default() };
            let record = RunRecord { outcome: Outcome::Succeeded, code: Some(code), ..run };
            let record = &record;
            store
                .record(&Progress { record, first: 1, entries: &[], nodes: &[], datasets: &[] })
                .unwrap();
        }
    }

    /// What ran.
    fn tripped(&self) -> String {
        fs::read_to_string(&self.notes).unwrap_or_default()
    }

    /// A `PATH` in which the project's folder comes first, named as shells allow it.
    fn path(&self) -> String {
        format!(".::./trap:{}", std::env::var("PATH").unwrap())
    }
}

impl Drop for Trapped {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.notes);
    }
}

fn git(root: &Path, words: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(words)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "git {words:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_tripwires_work() {
    let trapped = Trapped::new();
    for words in [
        &["status"][..],
        &["diff", "HEAD", "--", "src/shop/nodes.py"],
        &["diff", "--name-only", &trapped.commits[0], &trapped.commits[1]],
    ] {
        let _ = Command::new("git").args(words).current_dir(trapped.root()).output().unwrap();
    }
    let _ = Command::new(trapped.root().join(".venv/bin/python")).status().unwrap();
    let tripped = trapped.tripped();
    for name in ["fsmonitor", "clean", "process", "diff-command", "uploadpack", ".venv/bin/python"]
    {
        assert!(tripped.contains(name), "{name} did not trip: {tripped}");
    }
}

#[test]
fn no_verb_that_looks_executes_anything() {
    let trapped = Trapped::new();
    let root = trapped.root();
    trapped.record_runs();
    let verbs: [&[&str]; 26] = [
        &["inspect", ".", "--exit-zero"],
        &["inspect", ".", "--json", "--exit-zero"],
        &["layout", ".", "--format", "text"],
        &["layout", ".", "--format", "svg"],
        &["config", ".", "catalog", "--exit-zero"],
        &["config", ".", "parameters", "--json", "--exit-zero"],
        &["config", ".", "credentials"],
        &["config", ".", "globals"],
        &["config", ".", "mlflow"],
        &["status", ".", "--exit-zero"],
        &["status", ".", "--json", "--exit-zero"],
        &["run", ".", "--plan", "--exit-zero"],
        &["run", ".", "--plan", "--json", "--nodes", "second", "--exit-zero"],
        &["runs", "list"],
        &["runs", "show", "1"],
        &["runs", "logs", "1"],
        &["runs", "diff", "1", "2"],
        &["runs", "diff", "1", "2", "--json"],
        &["runs", "pin", "1"],
        &["runs", "note", "1", "x"],
        &["runs", "prune", "--keep", "9"],
        &["runs", "delete", "2"],
        &["commands"],
        &["completions", "bash"],
        &["man"],
        &["--help"],
    ];
    for words in verbs {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(words)
            .current_dir(root)
            .env("PATH", trapped.path())
            .env("EDITOR", "trap/setting")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(trapped.tripped(), "", "{words:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        // `config credentials` and `config globals` may be refused; all else works.
        let refused = words[0] == "config" && words.len() == 3;
        assert!(refused || output.status.success(), "{words:?}: {told}");
    }
}

#[test]
fn no_screen_executes_anything() {
    let trapped = Trapped::new();
    trapped.record_runs();
    let home = tempfile::tempdir().unwrap();
    let env = [("PATH", trapped.path())];
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut terminal = Terminal::start_in(trapped.root(), home.path(), 120, 40, &[], &env);
    terminal.wait_for("second");
    // All screens, the details, the lists, a failed comparison, and the questions of what would
    // execute, each answered with no. An escape that other keys follow at once would be another key.
    for keys in
        ["z", "w", "w", "<enter>", "<tab>", "2", "<enter>", "3", "<enter>", "5", "6", "7", "1"]
    {
        terminal.keys(keys);
    }
    for (key, title) in [("!", "Problems:"), ("?", "Help:"), (":", "Commands")] {
        terminal.keys(key);
        terminal.wait_for(title);
        terminal.keys("<esc>");
        terminal.wait_gone(title);
    }
    for key in ["r", "E", "b", "R", "a"] {
        terminal.keys(key);
        terminal.wait_for("Trust this project?");
        terminal.keys("<esc>");
        terminal.wait_gone("Trust this project?");
    }
    terminal.keys("4");
    terminal.wait_for("run 2");
    terminal.keys("<space>j<space>c");
    terminal.wait_for("git does not have both");
    assert_eq!(trapped.tripped(), "");
    terminal.signal(rustix::process::Signal::TERM);
    terminal.wait_exit();
    assert_eq!(trapped.tripped(), "");
}

#[test]
fn a_server_that_a_project_names_is_asked_in_a_trusted_project_alone() {
    let folder = project(NODES);
    let root = folder.path().canonicalize().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let config = format!("server:\n  mlflow_tracking_uri: {uri}\n");
    fs::write(root.join("conf/base/mlflow.yml"), config).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    std::thread::spawn(move || {
        for _ in listener.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let home = tempfile::tempdir().unwrap();
    let env = [("MLFLOW_TRACKING_TOKEN", "secret"), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")];
    let start = || Terminal::start(home.path(), 120, 30, &[root.to_str().unwrap()], &env);
    let mut terminal = start();
    terminal.wait_for("first");
    terminal.keys("5");
    terminal.wait_for("once you trust the project");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    drop(terminal);

    Trust::new(&home.path().join("state")).add(&root).unwrap();
    let mut terminal = start();
    terminal.wait_for("Experiments");
    // The tab of the last session may be shown.
    terminal.keys("1");
    terminal.wait_for("first");
    terminal.keys("5");
    terminal.wait_for("The tracking store can't be read");
    assert!(asked.load(Ordering::SeqCst) > 0);
}
