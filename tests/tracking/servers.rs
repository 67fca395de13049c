//! Real servers of MLflow, each in a folder of its own; they end with the value that stands for them.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mlops_tui::tracking::ServerUri;
use mlops_tui::tracking::rest::RestStore;

use crate::ports::free_port;
use crate::python;

/// Versions whose server is asked.
pub const SERVERS: [&str; 2] = ["3.17.2", "2.22.1"];

/// The administrator of a server that asks for passwords.
pub const ADMIN: [(&str, &str); 2] =
    [("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", "pw-of-Ada/1915")];

/// A running `mlflow server`.
pub struct Server {
    child: Option<Child>,
    command: Command,
    pub uri: String,
    pub database: PathBuf,
    asks_passwords: bool,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts a server on a copy of a database: it may change it.
    pub fn of(version: &str, database: &Path) -> Self {
        let mut server = Self::prepared(version);
        fs::copy(database, &server.database).unwrap();
        server.start();
        server
    }

    /// Starts a server without runs that wants a user name and a password, and shows others' experiments to
    /// the administrator alone.
    pub fn with_passwords(version: &str) -> Self {
        let mut server = Self::prepared(version);
        server.asks_passwords = true;
        let settings = server.folder.path().join("auth.ini");
        let users = server.folder.path().join("users.db");
        let text = format!(
            "[mlflow]\ndefault_permission = NO_PERMISSIONS\ndatabase_uri = sqlite:///{}\n\
             admin_username = {}\nadmin_password = {}\n\
             authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n",
            users.display(),
            ADMIN[0].1,
            ADMIN[1].1,
        );
        fs::write(&settings, text).unwrap();
        server
            .command
            .args(["--app-name", "basic-auth"])
            .env("MLFLOW_AUTH_CONFIG_PATH", settings)
            .env("MLFLOW_FLASK_SERVER_SECRET_KEY", "key-of-a-test");
        server.start();
        server
    }

    fn prepared(version: &str) -> Self {
        let requirements = format!("tests/tracking/requirements-{version}.txt");
        let python = python::environment(&requirements, Some("3.11"));
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("mlflow.db");
        let port = free_port();
        let mut command = Command::new(python.with_file_name("mlflow"));
        command
            .args(["server", "--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
            .args(["--backend-store-uri", &format!("sqlite:///{}", database.display())])
            .env("MLFLOW_DISABLE_TELEMETRY", "true")
            // Seven more processes that nobody asks for anything.
            .env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
            .env("PATH", path_with(python.parent().unwrap()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .process_group(0);
        let uri = format!("http://127.0.0.1:{port}");
        Server { child: None, command, uri, database, asks_passwords: false, folder }
    }

    /// Starts it, again after [`Server::stop`]; it may take a while until it answers.
    pub fn start(&mut self) {
        let log = File::create(self.folder.path().join("log")).unwrap();
        self.command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(self.command.spawn().unwrap());
    }

    /// Ends it with all its processes.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let group = rustix::process::Pid::from_child(&child);
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            let _ = child.wait();
        }
    }

    /// Waits until it answers.
    pub fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(300);
        while self.store().info().is_err() {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
            assert!(Instant::now() < deadline, "the server does not answer:\n{log}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// A store that asks it once for each question.
    pub fn store(&self) -> RestStore {
        let credentials: &[_] = if self.asks_passwords { &ADMIN } else { &[] };
        self.store_with(&[credentials, &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")]].concat())
    }

    /// A store that is told these variables.
    pub fn store_with(&self, variables: &[(&str, &str)]) -> RestStore {
        store(&self.uri, variables)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The store of a server, told these variables alone.
pub fn store(uri: &str, variables: &[(&str, &str)]) -> RestStore {
    let variable = |name: &str| {
        variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
    };
    RestStore::open_with(&ServerUri::new(uri), None, &variable).unwrap()
}

fn path_with(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).unwrap()
}
