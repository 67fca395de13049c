//! Choice of the tracking store: `--tracking-uri`, else `MLFLOW_TRACKING_URI`, else kedro-mlflow's
//! `mlflow.yml`, else `.env`, else `[tool.mlops-tui]` of `pyproject.toml`, else the store in the project's
//! folder that MLflow itself would choose.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use percent_encoding::percent_decode_str;

use super::TrackingError;
use crate::project::{Located, Options, Reader, Value, discovery};
use crate::system::files;
use crate::text::secrets::remove;

/// The location of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A folder of files (`mlruns/`).
    Files(PathBuf),
    /// The project's own runs, in a run environment; used when there is no MLflow store.
    Project(PathBuf, Option<String>),
    /// Any other URI: a tracking server, or an unsupported database.
    Server(ServerUri),
}

impl Location {
    /// The name of the store for people: its path from a folder on, or its URI without credentials.
    pub fn name(&self, root: &Path) -> String {
        match self {
            Location::Sqlite(path) | Location::Files(path) => {
                path.strip_prefix(root).unwrap_or(path).display().to_string()
            }
            Location::Project(..) => "own runs".to_owned(),
            Location::Server(uri) => uri.to_string(),
        }
    }

    /// The folder of the store, which may contain its artifacts; the current folder if the store has none.
    pub fn near(&self) -> PathBuf {
        match self {
            Location::Sqlite(path) => path.parent().unwrap_or(Path::new(".")).to_owned(),
            Location::Files(path) => path.clone(),
            Location::Project(..) | Location::Server(_) => PathBuf::from("."),
        }
    }
}

/// The URI of a server. It may contain credentials; `Debug` and `Display` leave them out.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUri(String);

impl ServerUri {
    /// Wraps a URI as written by the user.
    pub fn new(uri: impl Into<String>) -> Self {
        let uri = uri.into();
        // From now on the password is removed from all texts.
        let _ = remove(&uri);
        ServerUri(uri)
    }

    /// The URI with its credentials.
    pub(super) fn whole(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&remove(&self.0))
    }
}

impl fmt::Debug for ServerUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUri({self})")
    }
}

/// The chosen store and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Location of the store; `None` when there is none.
    pub location: Option<Location>,
    /// The source of the decision.
    pub by: By,
    /// The place where the source names the store, or the locations that were searched.
    pub place: String,
    /// Stores by name in `pyproject.toml`, without credentials.
    pub named: IndexMap<String, String>,
}

/// The source that decides which store is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `--tracking-uri`.
    Argument,
    /// `MLFLOW_TRACKING_URI`.
    Variable,
    /// `mlflow.yml` in the project's configuration.
    Configuration,
    /// `.env` in the project's folder.
    DotEnv,
    /// `[tool.mlops-tui]` in `pyproject.toml`.
    Pyproject,
    /// The store in the project's folder.
    Folder,
}

impl By {
    /// The name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            By::Argument => "argument",
            By::Variable => "variable",
            By::Configuration => "mlflow.yml",
            By::DotEnv => ".env",
            By::Pyproject => "pyproject.toml",
            By::Folder => "folder",
        }
    }
}

/// The URI of the project's own runs.
pub const PROJECT: &str = "project:";

const VARIABLE: &str = "MLFLOW_TRACKING_URI";

/// The MLflow workspace to read, from MLflow's own variable.
pub fn workspace() -> Option<String> {
    std::env::var("MLFLOW_WORKSPACE").ok().filter(|name| !name.is_empty())
}

/// Chooses the store to read; `argument` is `--tracking-uri`, a URI or the name of a store.
///
/// # Errors
/// When the named store does not exist.
pub fn choose(
    root: &Path,
    env: Option<&str>,
    argument: Option<&str>,
) -> Result<Choice, TrackingError> {
    let own = Own::read(root);
    let (uri, by, place) = match named(root, env, argument, &own) {
        Some(named) => named,
        None => {
            const NONE: &str = "Nothing names one (--tracking-uri, MLFLOW_TRACKING_URI, mlflow.yml, .env, \
                                pyproject.toml), and there is neither mlflow.db nor mlruns/.";
            let project = || {
                let is_project = discovery::find(root).is_ok();
                is_project.then(|| Location::Project(root.to_owned(), env.map(str::to_owned)))
            };
            let location = in_folder(root).or_else(project);
            let place = match &location {
                Some(Location::Project(..)) => {
                    "There is no MLflow store, so the project's own runs and metrics datasets are read."
                }
                Some(_) => "It lies in the project's folder, and nothing names another one.",
                None => NONE,
            };
            let named = own.named();
            return Ok(Choice { location, by: By::Folder, place: place.to_owned(), named });
        }
    };
    let location = match uri.as_str() {
        PROJECT => Some(Location::Project(root.to_owned(), env.map(str::to_owned))),
        uri => of_uri(root, uri),
    };
    let location = location
        .ok_or_else(|| TrackingError::Missing { uri: remove(&uri), place: place.clone() })?;
    Ok(Choice { location: Some(location), by, place, named: own.named() })
}

fn named(
    root: &Path,
    env: Option<&str>,
    argument: Option<&str>,
    own: &Own,
) -> Option<(String, By, String)> {
    let filled = |uri: String| Some(uri).filter(|uri| !uri.trim().is_empty());
    if let Some(argument) = argument {
        return match own.stores.get(argument) {
            Some(uri) => {
                let place = format!("--tracking-uri {argument}, a store of pyproject.toml");
                Some((uri.clone(), By::Argument, place))
            }
            None => {
                Some((argument.to_owned(), By::Argument, "--tracking-uri names it.".to_owned()))
            }
        };
    }
    if let Some(uri) = std::env::var(VARIABLE).ok().and_then(filled) {
        return Some((uri, By::Variable, format!("{VARIABLE} names it.")));
    }
    if let Some((uri, place)) = configured(root, env) {
        return Some((uri, By::Configuration, format!("{place} names it.")));
    }
    if let Some(uri) = dot_env(root).and_then(filled) {
        return Some((uri, By::DotEnv, ".env names it.".to_owned()));
    }
    let uri = own.tracking_uri.clone().and_then(filled)?;
    Some((uri, By::Pyproject, "[tool.mlops-tui] in pyproject.toml names it.".to_owned()))
}

/// `server.mlflow_tracking_uri` in kedro-mlflow's `mlflow.yml`, and the place where it is written.
fn configured(root: &Path, env: Option<&str>) -> Option<(String, String)> {
    let patterns = ["mlflow*", "mlflow*/**", "**/mlflow*"].map(str::to_owned).to_vec();
    let options = Options {
        env: env.map(str::to_owned),
        further_patterns: IndexMap::from([("mlflow".to_owned(), patterns)]),
        kinds: vec!["mlflow".to_owned()],
        ..Options::default()
    };
    let configuration = Reader::new(root).configuration(&options);
    let in_map = |located: &Located, key: &str| located.value.as_map()?.get(key).cloned();
    let server = in_map(configuration.config.kinds.get("mlflow")?, "server")?;
    let uri = in_map(&server, "mlflow_tracking_uri")?;
    let place = match &uri.origin {
        Some(origin) => format!("{}:{}", origin.place.file.display(), origin.place.line),
        None => "mlflow.yml".to_owned(),
    };
    match uri.value {
        Value::Str(text) if !text.trim().is_empty() => Some((text, place)),
        _ => None,
    }
}

/// The variable in `.env`: `NAME=value`, optionally with `export` and quotes.
fn dot_env(root: &Path) -> Option<String> {
    let text = files::read_text(&root.join(".env")).ok()?;
    text.lines().rev().find_map(|line| {
        let line = line.trim();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let value = value.trim();
        let quoted = ['"', '\''].iter().find_map(|quote| {
            let (inner, _) = value.strip_prefix(*quote)?.split_once(*quote)?;
            Some(inner)
        });
        let plain = || value.split(" #").next().unwrap_or_default().trim_end();
        (name.trim() == VARIABLE).then(|| quoted.unwrap_or_else(plain).to_owned())
    })
}

/// The stores in `[tool.mlops-tui]`: `tracking-uri`, and `stores` by name.
#[derive(Debug, Default)]
struct Own {
    tracking_uri: Option<String>,
    stores: IndexMap<String, String>,
}

impl Own {
    fn read(root: &Path) -> Self {
        let text = files::read_text(&root.join("pyproject.toml")).unwrap_or_default();
        let table: Option<toml::Table> =
            text.contains("mlops-tui").then(|| toml::from_str(&text).ok()).flatten();
        let own = table.as_ref().and_then(|table| table.get("tool")?.get("mlops-tui"));
        let Some(own) = own else { return Own::default() };
        let stores = own.get("stores").and_then(toml::Value::as_table).into_iter().flatten();
        Own {
            tracking_uri: own.get("tracking-uri").and_then(toml::Value::as_str).map(str::to_owned),
            stores: stores
                .filter_map(|(name, uri)| Some((name.clone(), uri.as_str()?.to_owned())))
                .collect(),
        }
    }

    fn named(&self) -> IndexMap<String, String> {
        self.stores.iter().map(|(name, uri)| (name.clone(), remove(uri))).collect()
    }
}

/// MLflow's default store: `mlflow.db`, unless `mlruns/` has an experiment
/// (`mlflow.tracking._tracking_service.utils._get_default_tracking_uri`, 3.7 and later).
pub fn in_folder(root: &Path) -> Option<Location> {
    let folder = root.join("mlruns");
    let has_experiment = || {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        entries.take(1_000).any(|entry| {
            let name = entry.file_name();
            let is_id = name.to_string_lossy().bytes().all(|b| b.is_ascii_digit());
            is_id && entry.path().join("meta.yaml").is_file()
        })
    };
    if has_experiment() {
        return Some(Location::Files(folder));
    }
    let database = root.join("mlflow.db");
    if database.is_file() {
        return Some(Location::Sqlite(database));
    }
    folder.is_dir().then_some(Location::Files(folder))
}

/// The store of a URI; `None` when the URI is local and the store does not exist.
pub(super) fn of_uri(root: &Path, uri: &str) -> Option<Location> {
    let uri = uri.trim();
    let scheme = uri.split("://").next().unwrap_or_default();
    // The scheme may name a driver: `sqlite+pysqlite`.
    if scheme.split('+').next() == Some("sqlite") {
        let path = uri.split_once("://").and_then(|(_, path)| path.strip_prefix('/'))?;
        let path = root.join(path.split('?').next().unwrap_or(path));
        return path.is_file().then_some(Location::Sqlite(path));
    }
    let path = match uri.strip_prefix("file:") {
        Some(path) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.strip_prefix("localhost").unwrap_or(path);
            percent_decode_str(path).decode_utf8_lossy().into_owned()
        }
        None if uri.contains("://") || uri == "databricks" => {
            return Some(Location::Server(ServerUri::new(uri)));
        }
        None => uri.to_owned(),
    };
    let path = root.join(path);
    path.is_dir().then_some(Location::Files(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("conf/base")).unwrap();
        fs::create_dir_all(folder.path().join("conf/local")).unwrap();
        folder
    }

    #[test]
    fn the_default_store_is_that_of_mlflow() {
        let folder = project();
        let root = folder.path();
        assert_eq!(in_folder(root), None);
        fs::create_dir_all(root.join("mlruns/0")).unwrap();
        assert_eq!(in_folder(root), Some(Location::Files(root.join("mlruns"))));
        fs::write(root.join("mlflow.db"), "").unwrap();
        assert_eq!(in_folder(root), Some(Location::Sqlite(root.join("mlflow.db"))));
        fs::write(root.join("mlruns/0/meta.yaml"), "").unwrap();
        assert_eq!(in_folder(root), Some(Location::Files(root.join("mlruns"))));
    }

    #[test]
    fn each_place_yields_to_the_ones_before_it() {
        let folder = project();
        let root = folder.path();
        let chosen = |argument| {
            let choice = choose(root, None, argument).unwrap();
            (choice.by, choice.location, choice.place)
        };
        let server = |host: &str| Some(Location::Server(ServerUri::new(format!("https://{host}"))));
        assert_eq!(chosen(None).1, None);
        let own = "[tool.kedro]\n[tool.mlops-tui]\ntracking-uri = 'https://own'\nstores = {prod = 'https://u:p@prod'}\n";
        fs::write(root.join("pyproject.toml"), own).unwrap();
        assert_eq!(chosen(None).1, server("own"));
        fs::write(root.join(".env"), "A=1\nexport MLFLOW_TRACKING_URI=\"https://env\" # x\n")
            .unwrap();
        assert_eq!(chosen(None).0, By::DotEnv);
        assert_eq!(chosen(None).1, server("env"));
        fs::write(root.join("conf/base/globals.yml"), "host: base\n").unwrap();
        let yaml = "server:\n  mlflow_tracking_uri: https://${globals:host}\n";
        fs::write(root.join("conf/base/mlflow.yml"), yaml).unwrap();
        let place = "conf/base/mlflow.yml:2 names it.".to_owned();
        assert_eq!(chosen(None), (By::Configuration, server("base"), place));
        let null = "server:\n  mlflow_tracking_uri: null\n";
        fs::write(root.join("conf/local/mlflow.yml"), null).unwrap();
        assert_eq!(chosen(None).0, By::DotEnv);
        assert_eq!(chosen(Some("https://flag")).1, server("flag"));
        assert_eq!(chosen(Some("prod")).1, server("u:p@prod"));
        let shown = format!("{:?}", chosen(Some("prod")).1);
        assert_eq!(shown, "Some(Server(ServerUri(https://<redacted>@prod)))");
        let missing = choose(root, None, Some("sqlite:///no.db")).unwrap_err();
        assert_eq!(missing.to_string(), "There is no sqlite:///no.db. --tracking-uri names it.");
    }

    #[test]
    fn uris_are_read_as_mlflow_reads_them() {
        let folder = project();
        let root = folder.path();
        fs::create_dir(root.join("a b")).unwrap();
        fs::write(root.join("x.db"), "").unwrap();
        let files = Some(Location::Files(root.join("a b")));
        let absolute = root.display().to_string();
        for uri in
            ["a b", "file:a%20b", &format!("file://{absolute}/a%20b"), &format!("{absolute}/a b")]
        {
            assert_eq!(of_uri(root, uri), files, "{uri}");
        }
        let database = Some(Location::Sqlite(root.join("x.db")));
        for uri in [
            "sqlite:///x.db",
            "sqlite+pysqlite:///x.db?timeout=5",
            &format!("sqlite:///{absolute}/x.db"),
        ] {
            assert_eq!(of_uri(root, uri), database, "{uri}");
        }
        assert_eq!(
            of_uri(root, "databricks"),
            Some(Location::Server(ServerUri::new("databricks")))
        );
        assert_eq!(of_uri(root, "nowhere"), None);
    }
}
