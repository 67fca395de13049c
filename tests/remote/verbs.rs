//! `mlops-tui remote` against real servers: a run is submitted and followed, a failing one is read, retried and cancelled,
//! and no secret is printed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::airflow::{ADMIN, Airflow, VIEWER, Version};
use crate::server;

/// A project that names the server.
struct Project {
    folder: TempDir,
}

struct Output {
    code: i32,
    text: String,
    errors: String,
}

impl Output {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.text, self.errors))
    }

    fn lines(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Project {
    fn of(airflow: &Airflow) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("conf/base")).unwrap();
        fs::create_dir_all(root.join("conf/local")).unwrap();
        fs::create_dir_all(root.join("src/bikes")).unwrap();
        let toml = "[tool.kedro]\npackage_name = 'bikes'\nproject_name = 'Bikes'\nkedro_init_version = '1.0.0'\n";
        fs::write(root.join("pyproject.toml"), toml).unwrap();
        let url = airflow.address();
        let profile = |name: &str, entry: &str| {
            format!(
                "{name}:\n  engine: airflow\n  url: {url}\n  credentials: {entry}\n  pipelines:\n    __default__: three_tasks\n"
            )
        };
        let remote = [
            profile("ada", "of_ada"),
            profile("vera", "of_vera"),
            profile("wrong", "of_nobody"),
            profile("asked", "of_command"),
        ]
        .concat();
        fs::write(root.join("conf/base/remote.yml"), remote).unwrap();
        let entry = |name: &str, user: &str, password: &str| {
            format!("{name}:\n  username: {user}\n  password: {password}\n")
        };
        let credentials = [
            entry("of_ada", ADMIN.0, ADMIN.1),
            entry("of_vera", VIEWER.0, VIEWER.1),
            entry("of_nobody", "ada", "pw-that-is-wrong"),
            "of_command:\n  command: [sh, -c, 'echo token-that-is-wrong']\n".to_owned(),
        ];
        fs::write(root.join("conf/local/credentials.yml"), credentials.concat()).unwrap();
        Project { folder }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The output of a verb as this user; no secret is in it.
    fn remote(&self, user: &str, arguments: &[&str]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .arg("remote")
            .args(arguments)
            .args(["--profile", user, "-C"])
            .arg(self.root())
            .env("MLOPS_TUI_STATE_DIR", self.root().join("state"))
            .env("MLOPS_TUI_CONFIG_DIR", self.root().join("config"))
            .env("NO_PROXY", "*")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let output = Output {
            code: output.status.code().unwrap(),
            text: text(output.stdout),
            errors: text(output.stderr),
        };
        for secret in [ADMIN.1, VIEWER.1, "pw-that-is-wrong", "token-that-is-wrong", "eyJ"] {
            assert!(
                !format!("{}{}", output.text, output.errors).contains(secret),
                "{secret} of {arguments:?}"
            );
        }
        output
    }

    fn succeed(&self, arguments: &[&str]) -> Output {
        let output = self.remote("ada", arguments);
        assert_eq!(output.code, 0, "{arguments:?}: {}{}", output.text, output.errors);
        output
    }

    fn refuse(&self, user: &str, arguments: &[&str], reason: &str) {
        let output = self.remote(user, arguments);
        let said = format!("{}{}", output.text, output.errors);
        assert!(
            output.code == 1 && said.contains(reason),
            "{arguments:?} as {user}: {}: {said}",
            output.code
        );
    }

    fn until(&self, arguments: &[&str], wished: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let found = self.succeed(arguments).json();
            if wished(&found) {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(90), "{arguments:?}: {found:#}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

#[test]
fn airflow_3_is_driven_by_verbs() {
    drive(Version::Three);
}

#[test]
fn airflow_2_is_driven_by_verbs() {
    drive(Version::Two);
}

fn drive(version: Version) {
    let airflow = server(version);
    let project = Project::of(&airflow);
    check(&project, version);
    submit(&project);
    fail_and_retry(&project);
    cancel(&project);
    history(&project);
    mark(&project);
}

/// What the verbs have seen is in the project's history.
fn history(project: &Project) {
    let list = |filter: &str| -> Vec<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_mlops-tui"))
            .args(["runs", "list", "--json", &format!("--filter={filter}"), "-C"])
            .arg(project.root())
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let of = |run: &str| {
        let runs = list("on:ada");
        let of_run: Vec<_> = runs.iter().filter(|one| one["remote"]["run"] == run).collect();
        assert_eq!(of_run.len(), 1, "{run}: {runs:#?}");
        of_run[0].clone()
    };
    let counted = of("counted");
    assert_eq!(
        (&counted["outcome"], &counted["note"]),
        (&json!("succeeded"), &json!("from a test"))
    );
    assert_eq!((&counted["nodes_done"], &counted["nodes_total"]), (&json!(3), &json!(3)));
    assert_eq!(counted["request"]["params"], json!({"bikes": "4", "model.alpha": "0.5"}));
    assert!(counted["why"].as_str().unwrap().contains("remote submit"), "{counted:#}");
    let breaks = of("breaks");
    assert_eq!(
        (&breaks["outcome"], &breaks["failed_node"]),
        (&json!("failed"), &json!("break_down"))
    );
    assert_eq!(breaks["reason"], "RuntimeError: the chain is off");
    assert!(breaks["log_lines"].as_u64() > Some(0));
    assert_eq!(of("stopped")["outcome"], "cancelled");
    assert!(list("-is:remote").is_empty());
}

fn check(project: &Project, version: Version) {
    let listed = project.succeed(&["list", "--json"]).json();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), 4);
    let checked = project.succeed(&["check", "--json"]).json();
    let found = |what: &str| {
        let part = checked.as_array().unwrap().iter().find(|part| part["what"] == what);
        part.unwrap_or_else(|| panic!("{what}: {checked:#}"))["found"].as_str().unwrap().to_owned()
    };
    let (api, number) = match version {
        Version::Three => ("v2", "Airflow 3."),
        Version::Two => ("v1", "Airflow 2."),
    };
    assert!(found("address").ends_with(&format!("REST API {api}")));
    assert!(found("version").starts_with(number), "{checked}");
    assert!(found("credentials").contains("ada of `of_ada`"));
    assert_eq!(found("scheduler"), "healthy");
    project.refuse("wrong", &["check"], "check `of_nobody` in credentials.yml");
    project.refuse("asked", &["check"], "check `of_command` in credentials.yml");
    // A new server reads its files first.
    project.until(&["pipelines", "--json"], |pipelines| {
        let has = |id: &str| pipelines.as_array().unwrap().iter().any(|one| one["id"] == id);
        has("slow") && has("three_tasks")
    });
    project.refuse("vera", &["submit"], "not do this");
}

fn submit(project: &Project) {
    let submitted = project.succeed(&[
        "submit",
        "--resume",
        "--wait",
        "--json",
        "--id",
        "counted",
        "--params",
        "bikes=4,model.alpha=0.5",
        "--note",
        "from a test",
    ]);
    let events = submitted.lines();
    let last = &events.last().unwrap()["run"];
    assert_eq!((&last["state"], &last["phase"]), (&json!("success"), &json!("succeeded")));
    assert_eq!(last["conf"], json!({"bikes": 4, "model": {"alpha": 0.5}}));
    let of_second: Vec<&str> = events
        .iter()
        .filter(|event| event["task"]["task"] == "second_try")
        .map(|event| event["task"]["state"].as_str().unwrap())
        .collect();
    assert!(
        of_second.contains(&"up_for_retry") && of_second.last() == Some(&"success"),
        "{of_second:?}"
    );
    project.refuse("ada", &["submit", "--id", "counted"], "in the way");

    let shown = project.succeed(&["show", "counted", "--json"]).json();
    assert_eq!(shown["note"], "from a test");
    let tasks: Vec<(&str, Option<u64>, u64)> = shown["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            (task["task"].as_str().unwrap(), task["index"].as_u64(), task["try"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        tasks,
        [
            ("count", None, 1),
            ("double", Some(0), 1),
            ("double", Some(1), 1),
            ("double", Some(2), 1),
            ("second_try", None, 2)
        ],
        "in the order in which they ran"
    );
    let text = project.succeed(&["show", "counted"]).text;
    assert!(text.contains("double[2]") && text.contains("2 of 2"), "{text}");

    let logs = project.succeed(&["logs", "counted", "--task", "count"]).text;
    assert!(logs.contains("counting 4 bikes"), "{logs}");
    let logs = project
        .succeed(&[
            "logs",
            "counted",
            "--task",
            "double[1]",
            "--grep",
            "^double of \\d|double of 2",
        ])
        .text;
    assert!(logs.contains("double of 2 is 4") && !logs.contains("counting"), "{logs}");
    let tries = project.succeed(&["logs", "counted", "--task", "second_try", "--all-tries"]).text;
    let (first, second) = tries.split_once("second_try, try 2").expect("two tries");
    assert!(
        first.contains("ValueError: the first try fails") && second.contains("this is try 2"),
        "{tries}"
    );
    project.refuse(
        "ada",
        &["logs", "counted", "--task", "secnd_try"],
        "Did you mean `second_try`?",
    );
    project.refuse("ada", &["show", "nowhere"], "has no run `nowhere`");
}

fn fail_and_retry(project: &Project) {
    let failed =
        project.remote("ada", &["submit", "-p", "slow", "--resume", "--wait", "--id", "breaks"]);
    assert_eq!(failed.code, 1, "{}", failed.errors);
    assert!(
        failed.text.contains("failed") && failed.text.contains("break_down"),
        "{}",
        failed.text
    );
    let logs = project.succeed(&["logs", "breaks", "-p", "slow", "--failed"]).text;
    assert!(
        logs.contains("RuntimeError: the chain is off") && logs.contains("Traceback"),
        "{logs}"
    );
    let followed = project.succeed(&["logs", "breaks", "-p", "slow", "--follow"]).text;
    assert_eq!(
        followed.matches("RuntimeError: the chain is off").count(),
        logs.matches("RuntimeError: the chain is off").count()
    );
    assert!(followed.contains("wait") && followed.len() > logs.len(), "{followed}");
    let runs = project.succeed(&["runs", "-p", "slow", "--state", "failed", "--json"]).json();
    assert!(runs.as_array().unwrap().iter().any(|run| run["run"] == "breaks"), "{runs:#}");
    let again = project.succeed(&["retry", "breaks", "-p", "slow", "--json"]).json();
    assert!(again["tasks"].as_array().unwrap().contains(&json!("break_down")), "{again}");
    let shown = project.until(&["show", "breaks", "-p", "slow", "--json"], |run| {
        let tasks = run["tasks"].as_array().unwrap();
        run["state"] == "failed"
            && tasks.iter().any(|task| task["task"] == "break_down" && task["try"] == 2)
    });
    assert_eq!(shown["tasks"].as_array().unwrap().last().unwrap()["phase"], "upstream-failed");
    project.refuse("ada", &["cancel", "breaks", "-p", "slow"], "has ended: failed");
    let good = project.succeed(&["runs", "--json", "--state", "success"]).json();
    assert!(good.as_array().unwrap().iter().all(|run| run["pipeline"] == "three_tasks"));
    project.refuse("ada", &["retry", "counted"], "has failed");
}

fn mark(project: &Project) {
    let tasks = |run: &Value| -> Vec<String> {
        let tasks = run["tasks"].as_array().unwrap().iter();
        tasks.map(|task| task["state"].as_str().unwrap().to_owned()).collect()
    };
    let breaks = |verb, more: &[&str]| {
        project.succeed(&[&[verb, "breaks", "-p", "slow", "--json"], more].concat()).json()
    };
    let marked = breaks("mark", &["break_down", "--as", "success"]);
    assert_eq!(marked, json!({"run": "breaks", "tasks": ["break_down"], "as": "success"}));
    assert_eq!(tasks(&breaks("show", &[]))[..2], ["success", "success"]);
    let marked = breaks("mark", &["--as", "failed"]);
    assert_eq!(marked, json!({"run": "breaks", "tasks": [], "as": "failed"}));
    assert_eq!(breaks("show", &[])["state"], "failed");
    breaks("mark", &["--as", "success"]);
    assert_eq!(breaks("show", &[])["state"], "success");
    // One of those that a task was expanded to, and all of them.
    let marked = project.succeed(&["mark", "counted", "double[1]", "--as", "failed"]).text;
    assert_eq!(marked, "Marked as failed: double[1] of counted.\n");
    let shown = project.succeed(&["show", "counted", "--json"]).json();
    assert_eq!(tasks(&shown)[1..4], ["success", "failed", "success"]);
    project.succeed(&["mark", "counted", "double", "--as", "success"]);
    let shown = project.succeed(&["show", "counted", "--json"]).json();
    assert_eq!(tasks(&shown)[1..4], ["success", "success", "success"]);
    project.refuse("ada", &["mark", "counted", "duoble", "--as", "failed"], "has no task `duoble`");
    project.refuse("vera", &["mark", "counted", "--as", "failed"], "not do this");
}

fn cancel(project: &Project) {
    project.succeed(&["submit", "-p", "slow", "--id", "stopped", "--params", "seconds=300"]);
    project.until(&["show", "stopped", "-p", "slow", "--json"], |run| {
        run["tasks"][0]["state"] == "running"
    });
    project.succeed(&["cancel", "stopped", "-p", "slow"]);
    let shown = project.until(&["show", "stopped", "-p", "slow", "--json"], |run| {
        run["state"] == "failed" && run["tasks"][0]["phase"] == "failed"
    });
    assert!(shown["ended"].is_number(), "{shown:#}");
}
