//! A real Airflow, with its own folder and database. It ends with the value that stands for it, or with the test process.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;

use crate::ports::free_port;
use crate::python;

/// A user who may do everything, and one who may only look.
pub const ADMIN: (&str, &str) = ("ada", "pw-of-Ada/1915");
pub const VIEWER: (&str, &str) = ("vera", "pw-of-Vera/1843");

const SUPERVISOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/session.py");

/// The releases of Airflow that are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// The current one, with the API below `/api/v2` and tokens.
    Three,
    /// The last one of the 2 line, with the API below `/api/v1` and passwords.
    Two,
}

impl Version {
    /// The interpreter with Airflow, Kedro and what the sample project needs; installed at the first call.
    pub fn python(self) -> PathBuf {
        let list = match self {
            Version::Three => "tests/remote/requirements-airflow-3.txt",
            Version::Two => "tests/remote/requirements-airflow-2.txt",
        };
        python::environment(list, Some("3.11"))
    }

    fn health(self) -> &'static str {
        match self {
            Version::Three => "/api/v2/monitor/health",
            Version::Two => "/health",
        }
    }

    /// Parts that must be healthy. Airflow 2 reads its DAG files within the scheduler.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Version::Three => &["metadatabase", "scheduler", "dag_processor"],
            Version::Two => &["metadatabase", "scheduler"],
        }
    }

    /// The programs that must run, without a triggerer: no DAG here defers. `--skip-serve-logs` saves a process that serves the
    /// logs of running tasks to other machines.
    fn programs(self, python: &Path, port: u16) -> Vec<Vec<String>> {
        let airflow = python.with_file_name("airflow");
        let airflow = airflow.to_str().expect("UTF-8");
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match self {
            Version::Three => vec![
                words(&[airflow, "api-server"]),
                words(&[airflow, "scheduler", "--skip-serve-logs"]),
                words(&[airflow, "dag-processor"]),
            ],
            Version::Two => {
                // `airflow webserver` is one more process of 120 MB that only watches this one.
                let gunicorn = python.with_file_name("gunicorn");
                let gunicorn = gunicorn.to_str().expect("UTF-8");
                let address = format!("127.0.0.1:{port}");
                let app = "airflow.www.app:cached_app()";
                vec![
                    words(&[gunicorn, "--workers", "1", "--threads", "4", "--bind", &address, app]),
                    words(&[airflow, "scheduler", "--skip-serve-logs"]),
                ]
            }
        }
    }

    fn settings(self, home: &Path, port: u16) -> String {
        let home = home.display();
        let own = match self {
            Version::Three => format!(
                "execution_api_server_url = http://127.0.0.1:{port}/execution/
                simple_auth_manager_users = {}:admin,{}:viewer
                [api]
                host = 127.0.0.1
                port = {port}
                base_url = http://127.0.0.1:{port}
                workers = 1
                secret_key = key-of-a-test
                [api_auth]
                jwt_secret = a-secret-of-tests-that-is-as-long-as-the-algorithm-wants-it-to-be
                [dag_processor]
                refresh_interval = 1
                bundle_refresh_check_interval = 1
                min_file_process_interval = 5
                parsing_processes = 1
                [scheduler]",
                ADMIN.0, VIEWER.0
            ),
            Version::Two => format!(
                "[webserver]
                base_url = http://127.0.0.1:{port}
                update_fab_perms = False
                secret_key = key-of-a-test
                [api]
                auth_backends = airflow.api.auth.backend.basic_auth,airflow.api.auth.backend.session
                [scheduler]
                # With SQLite, two programs that schedule the same task both count a try.
                schedule_after_task_execution = False
                dag_dir_list_interval = 1
                min_file_process_interval = 5
                parsing_processes = 1"
            ),
        };
        let text = format!(
            "[database]
            sql_alchemy_conn = sqlite:///{home}/airflow.db
            load_default_connections = False
            [core]
            dags_folder = {home}/dags
            executor = LocalExecutor
            parallelism = 4
            load_examples = False
            {own}
            scheduler_idle_sleep_time = 0.5
            "
        );
        text.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
    }

    /// Commands that make the database. It is made once and copied, because this takes half a minute.
    fn preparations(self) -> Vec<Vec<&'static str>> {
        let user = |(name, password): (&'static str, &'static str), role| {
            let mut words = vec!["users", "create", "-u", name, "-p", password, "-r", role];
            words.extend(["-e", name, "-f", name, "-l", name]);
            words
        };
        match self {
            Version::Three => vec![vec!["db", "migrate"]],
            Version::Two => vec![
                vec!["db", "migrate"],
                vec!["sync-perm"],
                user(ADMIN, "Admin"),
                user(VIEWER, "Viewer"),
            ],
        }
    }
}

/// A running Airflow.
pub struct Airflow {
    version: Version,
    python: PathBuf,
    port: u16,
    supervisor: Option<Child>,
    folder: tempfile::TempDir,
}

impl Airflow {
    /// Starts one, and waits until it is healthy.
    pub fn start(version: Version) -> Self {
        let python = version.python();
        let database = empty_database(version, &python);
        let folder = tempfile::Builder::new().prefix("airflow-").tempdir().expect("a folder");
        let port = free_port();
        fs::copy(database, folder.path().join("airflow.db")).expect("a copy of the database");
        fs::create_dir(folder.path().join("dags")).expect("the DAGs folder");
        fs::write(folder.path().join("airflow.cfg"), version.settings(folder.path(), port))
            .expect("the settings");
        if version == Version::Three {
            let passwords = serde_json::json!({ADMIN.0: ADMIN.1, VIEWER.0: VIEWER.1}).to_string();
            fs::write(
                folder.path().join("simple_auth_manager_passwords.json.generated"),
                passwords,
            )
            .expect("the passwords");
        }
        let mut airflow = Airflow { version, python, port, supervisor: None, folder };
        airflow.launch();
        airflow
    }

    /// Which one it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where DAG files go. A new one is registered within a few seconds.
    pub fn dags_folder(&self) -> PathBuf {
        self.folder.path().join("dags")
    }

    /// The interpreter that tasks run in. It has Kedro and MLflow.
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// What the programs have printed.
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Ends it with all running tasks, and starts it again on the same port with the same database.
    pub fn restart(&mut self) {
        self.stop("keep");
        self.launch();
    }

    fn stop(&mut self, word: &str) {
        if let Some(mut supervisor) = self.supervisor.take() {
            let mut input = supervisor.stdin.take().expect("the supervisor's input");
            let _ = input.write_all(word.as_bytes());
            drop(input);
            let _ = supervisor.wait();
        }
    }

    fn launch(&mut self) {
        let programs = self.version.programs(&self.python, self.port);
        let supervisor = command(&self.python, self.folder.path())
            .arg(SUPERVISOR)
            .arg(self.folder.path())
            .arg(serde_json::to_string(&programs).expect("JSON"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("the supervisor of Airflow");
        self.supervisor = Some(supervisor);
        self.wait();
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(300);
        while !self.healthy() {
            let supervisor = self.supervisor.as_mut().expect("it was started");
            let ended = supervisor.try_wait().expect("its state").is_some();
            if ended || Instant::now() > deadline {
                let log = self.log();
                let tail: Vec<_> = log.lines().rev().take(60).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                panic!("{:?} is not healthy; its log ends:\n{}", self.version, tail.join("\n"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn healthy(&self) -> bool {
        let url = self.address() + self.version.health();
        let answer = http().get(url).send().and_then(reqwest::blocking::Response::text);
        let health: serde_json::Value =
            answer.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        self.version.parts().iter().all(|part| health[part]["status"] == "healthy")
    }
}

impl Drop for Airflow {
    fn drop(&mut self) {
        self.stop("");
    }
}

/// An HTTP client for servers on this machine.
pub fn http() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client")
}

/// A database without DAGs, with the users. It is kept in the environment.
fn empty_database(version: Version, python: &Path) -> PathBuf {
    let bin = python.parent().expect("the folder of programs");
    let home = bin.with_file_name("airflow-home");
    let done = home.join("complete");
    let lock = File::create(bin.with_file_name("airflow-home.lock")).expect("the lock file");
    lock.lock().expect("the lock");
    if !done.exists() {
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).expect("a folder for the database");
        fs::write(home.join("airflow.cfg"), version.settings(&home, 0)).expect("the settings");
        for words in version.preparations() {
            let output = command(&python.with_file_name("airflow"), &home)
                .args(&words)
                .output()
                .expect("Airflow's command line");
            assert!(output.status.success(), "{words:?}: {output:?}");
        }
        File::create(&done).expect("the mark of completion");
    }
    home.join("airflow.db")
}

/// A program of the environment, which finds its other programs and its settings.
fn command(program: &Path, home: &Path) -> Command {
    let bin = program.parent().expect("the folder of programs");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new(program);
    command
        .env("PATH", std::env::join_paths(folders).expect("folders of programs"))
        .env("AIRFLOW_HOME", home)
        // Airflow 2 refuses to run tasks side by side on SQLite. For a few tasks it works, and is twice as fast.
        .env("_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK", "1")
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .env("DO_NOT_TRACK", "1")
        .env("PYTHONWARNINGS", "ignore")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}
