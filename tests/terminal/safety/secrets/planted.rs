//! A project with a distinct secret in each place where a project can have one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::project::project;
use crate::common::python::python;

/// What all secrets begin with.
const MARK: &str = "Planted-";

/// The secret of a place, by its number in [`PLACES`].
pub fn secret(number: usize) -> String {
    format!("{MARK}{number:02}-q9Z")
}

/// Where secrets are planted. `<<1>>` in the files of [`FILES`] stands for the first of them.
pub const PLACES: [&str; 48] = [
    "an entry of the catalog: credentials written there",
    "an entry of the catalog: a key in load_args",
    "an entry of the catalog: the password of a URL",
    "an entry of the catalog: the signature of a URL",
    "an entry of the catalog: key of storage_options",
    "an entry of the catalog: secret of storage_options",
    "an entry of the catalog: a password in a list",
    "an entry of the catalog: a URL in a list",
    "a pattern of the catalog: the password of its URL",
    "a pattern of the catalog: a token",
    "a parameter: an API key",
    "a parameter: a password in a group",
    "a parameter: a token in a list",
    "a parameter: a URL",
    "a global",
    "a parameter from an environment variable",
    "the default of an environment variable in a parameter",
    "the default of a runtime parameter",
    "credentials.yml in conf/local",
    "credentials from an environment variable",
    "credentials in a folder of a pattern",
    "a kind of the project's own, named secrets",
    "mlflow.yml: the password of the tracking server",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_TRACKING_PASSWORD",
    ".env in the commit",
    ".env as it is",
    "--params",
    "--params of a detached run",
    "the override of a parameter on the screen",
    "settings.py in the commit",
    "settings.py as it is",
    "conf/base/credentials.yml",
    ".netrc",
    "server.pem",
    "an API key in the commit",
    "credentials of a pattern in conf/base",
    "credentials of a pattern whose name says nothing",
    "a line of source in a traceback",
    "--runner-params of a detached run",
    "a value bound to a function",
    "the default of a function's argument",
    "a configuration file that can't be read",
    "a grid on the command line",
    "a parameter with several lines",
    "the global of a URL that the catalog interpolates",
    "the old global in the commit",
    "a header in the catalog",
];

const CATALOG: &str = r#"
inline: {type: shop.places.Place, url: data/a, credentials: {client: "<<1>>"}}
keyed: {type: shop.places.Place, url: data/b, load_args: {api_key: "<<2>>"}}
in_url: {type: shop.places.Place, url: "s3://me:<<3>>@bucket/x.csv"}
signed: {type: shop.places.Place, url: "https://host/x.csv?sig=<<4>>"}
options: {type: shop.places.Place, url: data/c, load_args: {storage_options: {key: "<<5>>", secret: "<<6>>"}}}
listed: {type: shop.places.Place, url: data/d, load_args: {hosts: [{password: "<<7>>"}, "https://u:<<8>>@host"]}}
"{name}_store": {type: shop.places.Place, url: "s3://{name}:<<9>>@bucket/y", load_args: {token: "<<10>>"}}
named: {type: shop.places.Place, url: data/e, credentials: db}
mixed: {type: shop.places.Place, url: "s3://me:${globals:site_password}@bucket/z", load_args: {headers: {Authorization: "Bearer <<48>>"}}}
"#;

const PARAMETERS: &str = r#"
size: 3
api_key: "<<11>>"
service: {login: {password: "<<12>>", user: me}}
servers: [{token: "<<13>>"}]
site: "https://me:<<14>>@host/x"
longer: "as me with ${globals:db_password} here"
again: ${api_key}
from_env: ${oc.env:SHOP_TOKEN}
from_default: ${oc.env:SHOP_PASSWORD,<<17>>}
chosen: ${runtime_params:login_password,<<18>>}
private_key: |
  first line
  <<45>>
"#;

const SETTINGS: &str = r#"
import pluggy
from omegaconf.resolvers import oc

pluggy.PluginManager.load_setuptools_entrypoints = lambda *_, **__: 0
PW = "<<32>>"
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {
        "credentials": ["credentials*", "cred/**", "logins*"],
        "secrets": ["secrets*"],
        "mlflow": ["mlflow*"],
    },
    "custom_resolvers": {"oc.env": oc.env},
}
"#;

const PLACE: &str = r#"
from kedro.io import AbstractDataset


class Place(AbstractDataset):
    def __init__(self, url, credentials=None, load_args=None, metadata=None):
        self.url, self.credentials, self.load_args = url, credentials, load_args

    def _load(self):
        raise ValueError(f"no access to {self.url} with {self.credentials} and {self.load_args}")

    def _save(self, data):
        pass

    def _describe(self):
        return {"url": self.url, "load_args": self.load_args}
"#;

const RUNNER: &str = r#"
from kedro.runner import SequentialRunner


class Own(SequentialRunner):
    def __init__(self, token=None, **arguments):
        super().__init__()
"#;

const NODES: &str = r#"
import os
import time
from functools import partial


def first(size, api_key, service, longer, password="<<42>>"):
    while os.path.exists("wait"):
        time.sleep(0.05)
    return [size]


def log_in(rows, api_key, password):
    token = "<<39>>"; raise ValueError(f"no access as {api_key}, {password}")


def fetch(inline, named):
    return inline


def fetch_more(in_url, mixed, options, south_store):
    return in_url


def make(node):
    return [
        node(
            first,
            ["params:size", "params:api_key", "params:service", "params:longer"],
            "rows",
            name="first",
        ),
        node(partial(log_in, password="<<41>>"), ["rows", "params:api_key"], "answer", name="log_in"),
        node(fetch, ["inline", "named"], "fetched", name="fetch"),
        node(fetch_more, ["in_url", "mixed", "options", "south_store"], "more", name="fetch_more"),
    ]
"#;

/// Files of the project as they are.
const FILES: [(&str, &str); 16] = [
    ("conf/base/catalog.yml", CATALOG),
    ("conf/base/parameters.yml", PARAMETERS),
    ("conf/base/globals.yml", "db_password: \"<<15>>\"\nsite_password: \"<<46>>\"\n"),
    ("conf/base/secrets.yml", "vendor: {pin: \"<<22>>\"}\n"),
    ("conf/base/credentials.yml", "shared: {user: \"<<33>>\"}\n"),
    ("conf/base/cred/x.yml", "x: {p: \"<<37>>\"}\n"),
    ("conf/base/logins.yml", "shop: {p: \"<<38>>\"}\n"),
    (
        "conf/base/mlflow.yml",
        "server: {mlflow_tracking_uri: \"https://me:<<23>>@127.0.0.1:1/x\"}\n",
    ),
    (
        "conf/local/credentials.yml",
        "db: {password: \"<<19>>\", account: \"${oc.env:SHOP_SECRET}\"}\n",
    ),
    ("conf/local/cred/z.yml", "z: {p: \"<<21>>\"}\n"),
    (".env", "DB_PASSWORD=<<27>>\n"),
    (".netrc", "machine host login me password <<34>>\n"),
    ("server.pem", "-----BEGIN PRIVATE KEY-----\n<<35>>\n-----END PRIVATE KEY-----\n"),
    ("src/shop/settings.py", SETTINGS),
    ("src/shop/places.py", PLACE),
    ("src/shop/runner.py", RUNNER),
];

/// What stood in some of them when they were committed; the others had a line less.
const BEFORE: [(&str, &str, &str); 4] = [
    (".env", "<<27>>", "<<26>>"),
    ("src/shop/settings.py", "<<32>>", "<<31>>"),
    ("conf/base/parameters.yml", "<<11>>", "<<36>>"),
    ("conf/base/globals.yml", "<<15>>", "<<47>>"),
];

fn planted(text: &str) -> String {
    let mut text = text.to_owned();
    for number in 1..=PLACES.len() {
        text = text.replace(&format!("<<{number}>>"), &secret(number));
    }
    text
}

/// The project, in a repository whose commit has other secrets.
pub struct Project {
    folder: tempfile::TempDir,
    /// The user's state folder, and that of temporary files.
    pub home: tempfile::TempDir,
}

impl Project {
    /// Plants all of them.
    pub fn new() -> Self {
        let folder = project(&planted(NODES));
        let made = Project { folder, home: tempfile::tempdir().unwrap() };
        for (name, text) in FILES {
            let before = BEFORE.iter().find(|before| before.0 == name);
            made.write(name, &before.map_or(String::new(), |(_, is, was)| text.replace(is, was)));
        }
        let git = |words: &[&str]| {
            let mut command = Command::new("git");
            command.args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]).args(words);
            assert!(command.current_dir(made.root()).status().unwrap().success(), "git {words:?}");
        };
        git(&["init", "--quiet"]);
        git(&["add", "--force", "."]);
        git(&["commit", "--quiet", "-m", "first"]);
        FILES.iter().for_each(|(name, text)| made.write(name, text));
        made
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file in it, with secrets where the text has their numbers.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, planted(text)).unwrap();
    }

    /// The environment of all programs.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let folder = |name: &str| {
            let folder = self.home.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder.to_str().unwrap().to_owned()
        };
        vec![
            ("SHOP_TOKEN", secret(16)),
            ("SHOP_SECRET", secret(20)),
            ("MLFLOW_TRACKING_URI", format!("https://me:{}@127.0.0.1:1/y", secret(24))),
            ("MLFLOW_TRACKING_PASSWORD", secret(25)),
            ("MLOPS_TUI_STATE_DIR", folder("state")),
            ("TMPDIR", folder("tmp")),
            ("MLOPS_TUI_LOG", "trace".into()),
        ]
    }

    /// Runs the program in it, and gives what it printed.
    pub fn mlops(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
        command.args(words);
        if matches!(words[0], "run" | "status" | "doctor")
            || words[0] == "inspect" && words.contains(&"--exact")
        {
            command.arg("--python").arg(python());
        }
        command.current_dir(self.root()).envs(self.env()).stdin(Stdio::null()).output().unwrap()
    }

    /// All files that the program has written: in the store, the state folder and beside them.
    pub fn written(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.root().join(".mlops-tui"), self.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() && !path.is_symlink() {
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        files
    }
}

/// The numbers of the secrets in a text.
pub fn found_in(bytes: &[u8]) -> BTreeSet<usize> {
    let places =
        bytes.windows(MARK.len()).enumerate().filter(|(_, window)| *window == MARK.as_bytes());
    let number = |(at, _): (usize, &[u8])| {
        let digits = bytes.get(at + MARK.len()..at + MARK.len() + 2).unwrap_or_default();
        // One that is cut is still told, as 0.
        std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    places.map(number).collect()
}
