//! Profiles: the connections to engines that a project names in `remote.yml` of its configuration.
//!
//! ```yaml
//! prod:
//!   engine: airflow
//!   url: https://airflow.example.com
//!   credentials: airflow_prod      # an entry of credentials.yml
//!   pipelines: {__default__: bikes}  # ids of DAGs, where they are not the usual ones
//! ```
//!
//! The entry of `credentials.yml` has `username` and `password`, or `token`, or a `command` that prints a token. Values of
//! environment variables come in through `${oc.env:NAME}`, as for Kedro's datasets.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use indexmap::IndexMap;

use crate::project::{Located, Options, Reader, Value};
use crate::system::programs;
use crate::text::UserError;
use crate::text::did_you_mean;
use crate::text::secrets::{self, Secret};

/// An engine that runs pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Apache Airflow 2 or 3.
    Airflow,
    /// `kedro server start` of Kedro 1.5 and later.
    KedroServer,
}

impl Engine {
    const ALL: [(Engine, &'static str); 2] =
        [(Engine::Airflow, "airflow"), (Engine::KedroServer, "kedro-server")];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Engine::Airflow => "Airflow",
            Engine::KedroServer => "Kedro server",
        }
    }

    /// Its name in `remote.yml`.
    pub fn name(self) -> &'static str {
        Engine::ALL.iter().find(|(engine, _)| *engine == self).map_or("", |(_, name)| name)
    }
}

/// The credentials of a connection.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// None are sent.
    #[default]
    None,
    /// A user name and a password.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Token(String),
    /// A program, with its arguments, that prints a token.
    Command(Vec<String>),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Credentials::None => "no credentials",
            Credentials::Basic { .. } => "a user name and a password",
            Credentials::Token(_) => "a token",
            Credentials::Command(_) => "a command",
        })
    }
}

/// A connection to an engine.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name in the file.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// The engine's address, without a slash at the end.
    pub url: String,
    /// Credentials, and the name of their entry.
    pub credentials: (Credentials, String),
    /// A file with the certificates to trust.
    pub ca: Option<PathBuf>,
    /// A file with the client's certificate and key.
    pub certificate: Option<PathBuf>,
    /// Whether certificates are not checked.
    pub insecure: bool,
    /// A proxy; by default that of the environment.
    pub proxy: Option<String>,
    /// Time limit of a request.
    pub timeout: Duration,
    /// Ids of deployed pipelines by the names of registered ones.
    pub pipelines: IndexMap<String, String>,
    /// The folder that the engine reads its pipelines from, if it can be written from here.
    pub folder: Option<PathBuf>,
    /// Where the profile is written, as `FILE:LINE`.
    pub place: String,
}

/// The profiles of a project, with what is wrong with others.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiles {
    /// The profiles in the order of the file.
    pub list: Vec<Profile>,
    /// A message for each profile that can't be used, with its place and remedy.
    pub mistakes: Vec<UserError>,
}

const KEYS: [&str; 10] = [
    "engine",
    "url",
    "credentials",
    "ca",
    "certificate",
    "insecure",
    "proxy",
    "timeout",
    "pipelines",
    "folder",
];

/// Time limit of a request, where the profile has none.
const TIMEOUT: Duration = Duration::from_secs(30);

impl Profiles {
    /// Reads the profiles of the project in `root` for a run environment.
    pub fn read(root: &Path, env: Option<&str>) -> Self {
        let patterns = ["remote*", "remote*/**", "**/remote*"].map(str::to_owned).to_vec();
        let options = Options {
            env: env.map(str::to_owned),
            further_patterns: IndexMap::from([("remote".to_owned(), patterns)]),
            kinds: vec!["remote".to_owned(), "credentials".to_owned()],
            ..Options::default()
        };
        let read = secrets::keeping(|| Reader::new(root).configuration(&options));
        let mut profiles = Profiles::default();
        let kinds = &read.config.kinds;
        let none = IndexMap::new();
        let entries = kinds.get("remote").and_then(|all| all.value.as_map()).unwrap_or(&none);
        let credentials =
            kinds.get("credentials").and_then(|all| all.value.as_map()).unwrap_or(&none);
        for (name, entry) in entries {
            match profile(root, name, entry, credentials) {
                Ok(profile) => profiles.list.push(profile),
                Err(error) => profiles.mistakes.push(error),
            }
        }
        let of_files = read.problems.iter().filter(|problem| {
            let file = problem.place.as_ref().and_then(|place| place.file.file_name());
            file.is_some_and(|name| name.to_string_lossy().starts_with("remote"))
        });
        profiles.mistakes.extend(of_files.map(UserError::from));
        profiles
    }

    /// The profile of a name, or the only one if none is given.
    ///
    /// # Errors
    /// When there is none of that name, or the choice is not clear.
    pub fn choose(&self, name: Option<&str>) -> Result<&Profile, UserError> {
        let names = || self.list.iter().map(|profile| profile.name.as_str());
        match name {
            Some(wanted) => match self.list.iter().find(|profile| profile.name == wanted) {
                Some(profile) => Ok(profile),
                None => {
                    // A profile that is there with a mistake is not a misspelled name.
                    let of_it = |error: &&UserError| error.text.contains(&format!("`{wanted}`"));
                    let mistake = self.mistakes.iter().find(of_it).cloned();
                    Err(mistake.unwrap_or_else(|| {
                        format!("There is no profile `{wanted}`.{}", did_you_mean(wanted, names())).into()
                    }))
                }
            },
            None => match self.list.as_slice() {
                [only] => Ok(only),
                [] => Err(self.mistakes.first().cloned().unwrap_or_else(|| {
                    UserError::hinted(
                        "The project names no engine.",
                        "Write one into conf/base/remote.yml: a name, and below it `engine: airflow` and `url: …`.",
                    )
                })),
                _ => Err(UserError::hinted(
                    "There are several profiles.",
                    format!("Choose one with --profile: {}.", names().collect::<Vec<_>>().join(", ")),
                )),
            },
        }
    }
}

impl Profile {
    /// The id of a registered pipeline on the engine.
    pub fn deployed(&self, pipeline: &str, project: &str) -> String {
        match (self.pipelines.get(pipeline), pipeline) {
            (Some(id), _) => id.clone(),
            // It runs the project itself.
            (None, pipeline) if self.engine == Engine::KedroServer => pipeline.to_owned(),
            (None, "__default__") => project.replace('_', "-"),
            (None, pipeline) => format!("{project}-{pipeline}").replace('_', "-"),
        }
    }

    /// The credentials to send: a command is run for its token.
    ///
    /// # Errors
    /// When the command can't be run, fails, or prints nothing.
    pub fn fresh_credentials(&self) -> Result<Credentials, UserError> {
        let words = match &self.credentials.0 {
            Credentials::Command(words) => words,
            known => {
                if let Credentials::Basic { password: secret, .. } | Credentials::Token(secret) =
                    known
                {
                    // From now on it is removed from all texts.
                    let _ = Secret::of(secret);
                }
                return Ok(known.clone());
            }
        };
        let [program, arguments @ ..] = words.as_slice() else {
            return Err(format!("The command of `{}` is empty.", self.credentials.1).into());
        };
        let name = &self.credentials.1;
        let path = match program.contains('/') {
            true => Some(PathBuf::from(program)),
            false => programs::find(program),
        };
        let path = path.ok_or_else(|| {
            format!("The command of `{name}` can't be found: there is no {program} in PATH.")
        })?;
        let output =
            Command::new(&path).args(arguments).stdin(Stdio::null()).output().map_err(|error| {
                format!("The command of `{name}` can't be run: {program}: {error}.")
            })?;
        let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() || token.is_empty() {
            let errors = String::from_utf8_lossy(&output.stderr);
            let last = errors.trim().lines().last().unwrap_or("it prints no token").to_owned();
            return Err(format!("The command of `{name}` fails ({}): {last}", output.status).into());
        }
        // From now on the token is removed from all texts.
        let _ = Secret::of(&token);
        Ok(Credentials::Token(token))
    }
}

/// The text of a value, of a secret too.
fn text(located: &Located) -> Option<String> {
    match &located.value {
        Value::Secret(secret) => secret.reveal().map(str::to_owned),
        Value::Str(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

fn place(root: &Path, located: &Located) -> Option<String> {
    let place = &located.origin.as_ref()?.place;
    let file = place.file.strip_prefix(root).unwrap_or(&place.file);
    Some(format!("{}:{}", file.display(), place.line))
}

fn profile(
    root: &Path,
    name: &str,
    entry: &Located,
    credentials: &IndexMap<String, Located>,
) -> Result<Profile, UserError> {
    let of_entry = place(root, entry).unwrap_or_else(|| "remote.yml".into());
    let wrong = |at: Option<&Located>, what: &str| -> UserError {
        let place = at.and_then(|at| place(root, at)).unwrap_or_else(|| of_entry.clone());
        format!("{place}: `{name}`: {what}").into()
    };
    let Some(map) = entry.value.as_map() else {
        return Err(wrong(None, "a profile has `engine:` and `url:` below its name."));
    };
    if let Some((key, value)) = map.iter().find(|(key, _)| !KEYS.contains(&key.as_str())) {
        let known = did_you_mean(key, KEYS);
        return Err(wrong(Some(value), &format!("`{key}` is not known.{known}")));
    }
    let given = |key: &str| -> Result<Option<String>, UserError> {
        let Some(located) = map.get(key).filter(|located| located.value != Value::Null) else {
            return Ok(None);
        };
        let found = text(located).filter(|text| !text.trim().is_empty());
        found.map(Some).ok_or_else(|| wrong(Some(located), &format!("`{key}` must be a text.")))
    };
    let engine = given("engine")?
        .ok_or_else(|| wrong(None, "`engine` is missing: `airflow` or `kedro-server`."))?;
    let engine = Engine::ALL
        .iter()
        .find(|(_, known)| *known == engine)
        .map(|(engine, _)| *engine)
        .ok_or_else(|| {
            let known = did_you_mean(&engine, Engine::ALL.map(|(_, name)| name));
            wrong(
                map.get("engine"),
                &format!(
                    "there is no engine `{engine}`; there are `airflow` and `kedro-server`.{known}"
                ),
            )
        })?;
    let url =
        given("url")?.ok_or_else(|| wrong(None, "`url` is missing: the engine's address."))?;
    let url = url.trim().trim_end_matches('/').to_owned();
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(wrong(map.get("url"), "`url` must begin with http:// or https://."));
    }
    if url
        .split("://")
        .nth(1)
        .is_some_and(|rest| rest.split('/').next().is_some_and(|host| host.contains('@')))
    {
        return Err(wrong(
            map.get("url"),
            "`url` must not have a password; put it into credentials.yml.",
        ));
    }
    let of_name = given("credentials")?;
    if engine == Engine::KedroServer && of_name.is_some() {
        return Err(wrong(map.get("credentials"), "a Kedro server takes no credentials."));
    }
    let credentials = match &of_name {
        None => Credentials::None,
        Some(entry) => {
            let found = credentials.get(entry).ok_or_else(|| {
                let known = did_you_mean(entry, credentials.keys().map(String::as_str));
                wrong(
                    map.get("credentials"),
                    &format!("credentials.yml has no entry `{entry}`.{known}"),
                )
            })?;
            credentials_of(found).ok_or_else(|| wrong(
                map.get("credentials"),
                &format!("`{entry}` of credentials.yml must have `username` and `password`, or `token`, or `command`."),
            ))?
        }
    };
    let file = |key: &str| Ok::<_, UserError>(given(key)?.map(|path| root.join(path)));
    let insecure = match map.get("insecure").map(|located| &located.value) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(insecure)) => *insecure,
        Some(_) => return Err(wrong(map.get("insecure"), "`insecure` must be true or false.")),
    };
    let timeout = match map.get("timeout").map(|located| &located.value) {
        None | Some(Value::Null) => TIMEOUT,
        Some(Value::Int(seconds)) if (1..=3_600).contains(seconds) => {
            Duration::from_secs(*seconds as u64)
        }
        Some(_) => {
            return Err(wrong(
                map.get("timeout"),
                "`timeout` must be a whole number of seconds from 1 to 3600.",
            ));
        }
    };
    let pipelines = match map.get("pipelines") {
        None => IndexMap::new(),
        Some(located) => {
            let pairs = located.value.as_map().and_then(|map| {
                map.iter().map(|(name, id)| Some((name.clone(), text(id)?))).collect()
            });
            pairs
                .ok_or_else(|| wrong(Some(located), "`pipelines` must give an id for each name."))?
        }
    };
    Ok(Profile {
        name: name.to_owned(),
        engine,
        url,
        credentials: (credentials, of_name.unwrap_or_default()),
        ca: file("ca")?,
        certificate: file("certificate")?,
        insecure,
        proxy: given("proxy")?,
        timeout,
        pipelines,
        folder: file("folder")?,
        place: of_entry.clone(),
    })
}

fn credentials_of(entry: &Located) -> Option<Credentials> {
    let map = entry.value.as_map()?;
    let given = |key: &str| map.get(key).and_then(text).filter(|text| !text.is_empty());
    if let Some(command) = map.get("command") {
        let words = match &command.value {
            Value::List(words) => words.iter().map(text).collect::<Option<Vec<String>>>()?,
            _ => text(command)?.split_whitespace().map(str::to_owned).collect(),
        };
        return (!words.is_empty()).then_some(Credentials::Command(words));
    }
    match (given("username"), given("password"), given("token")) {
        (_, _, Some(token)) => Some(Credentials::Token(token)),
        (Some(user), Some(password), None) => Some(Credentials::Basic { user, password }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(remote: &str, credentials: &str) -> Profiles {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("conf/base")).unwrap();
        fs::create_dir_all(root.join("conf/local")).unwrap();
        fs::create_dir_all(root.join("src/bikes")).unwrap();
        fs::write(
            root.join("pyproject.toml"),
            "[tool.kedro]\npackage_name = 'bikes'\nproject_name = 'Bikes'\nkedro_init_version = '1.0.0'\n",
        )
        .unwrap();
        fs::write(root.join("conf/base/remote.yml"), remote).unwrap();
        fs::write(root.join("conf/local/credentials.yml"), credentials).unwrap();
        Profiles::read(root, None)
    }

    fn mistakes(remote: &str) -> Vec<String> {
        let read = read(
            remote,
            "known:\n  username: ada\n  password: pw-of-ada-7\nhalf:\n  username: ada\n",
        );
        assert_eq!(read.list, []);
        read.mistakes.iter().map(UserError::line).collect()
    }

    #[test]
    fn a_profile_gets_the_credentials_of_its_entry() {
        let remote = "prod:\n  engine: airflow\n  url: https://h/air/\n  credentials: air\n  timeout: 5\n  ca: ca.pem\n\
                      \x20 pipelines: {__default__: bikes-v2}\nlab:\n  engine: kedro-server\n  url: http://h:8000\n\
                      asks:\n  engine: airflow\n  url: http://h\n  credentials: tk\n\
                      asked:\n  engine: airflow\n  url: http://h\n  credentials: cmd\n";
        let credentials = "air:\n  username: ada\n  password: pw-of-ada-8\ntk:\n  token: tk-of-ada-8\ncmd:\n  command: [echo, tk-of-echo-8]\n";
        let profiles = read(remote, credentials);
        assert_eq!(profiles.mistakes, []);
        let [prod, lab, token, asked] = profiles.list.as_slice() else { panic!("{profiles:?}") };
        assert_eq!((prod.url.as_str(), prod.timeout.as_secs()), ("https://h/air", 5));
        assert!(prod.ca.as_ref().unwrap().ends_with("ca.pem"));
        assert_eq!(prod.place, "conf/base/remote.yml:1");
        assert_eq!(
            prod.credentials,
            (
                Credentials::Basic { user: "ada".into(), password: "pw-of-ada-8".into() },
                "air".into()
            )
        );
        assert_eq!(prod.deployed("__default__", "bikes"), "bikes-v2");
        assert_eq!(token.deployed("__default__", "harbour_bikes"), "harbour-bikes");
        assert_eq!(token.deployed("data_science", "harbour_bikes"), "harbour-bikes-data-science");
        assert_eq!(lab.deployed("__default__", "harbour_bikes"), "__default__");
        assert_eq!((lab.engine, &lab.credentials.0), (Engine::KedroServer, &Credentials::None));
        assert_eq!(token.fresh_credentials().unwrap(), Credentials::Token("tk-of-ada-8".into()));
        assert_eq!(asked.fresh_credentials().unwrap(), Credentials::Token("tk-of-echo-8".into()));
        assert!(!format!("{profiles:?}").contains("of-ada"), "{profiles:?}");
        assert_eq!(profiles.choose(Some("lab")).unwrap().name, "lab");
        assert_eq!(
            profiles.choose(Some("prd")).unwrap_err().text,
            "There is no profile `prd`. Did you mean `prod`?"
        );
        assert_eq!(profiles.choose(None).unwrap_err().text, "There are several profiles.");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (remote, wanted) in [
            ("a: 1\n", "conf/base/remote.yml:1: `a`: a profile has"),
            (
                "a:\n  engin: airflow\n",
                "conf/base/remote.yml:2: `a`: `engin` is not known. Did you mean `engine`?",
            ),
            ("a:\n  url: http://h\n", "conf/base/remote.yml:1: `a`: `engine` is missing"),
            ("a:\n  engine: airfow\n", "conf/base/remote.yml:2: `a`: there is no engine `airfow`"),
            ("a:\n  engine: airflow\n", "conf/base/remote.yml:1: `a`: `url` is missing"),
            (
                "a:\n  engine: airflow\n  url: h:8080\n",
                "conf/base/remote.yml:3: `a`: `url` must begin with http",
            ),
            (
                "a:\n  engine: airflow\n  url: http://u:p@h\n",
                "conf/base/remote.yml:3: `a`: `url` must not have a password",
            ),
            (
                "a:\n  engine: airflow\n  url: http://h\n  credentials: knwn\n",
                "has no entry `knwn`. Did you mean `known`?",
            ),
            (
                "a:\n  engine: airflow\n  url: http://h\n  credentials: half\n",
                "`half` of credentials.yml must have",
            ),
            (
                "a:\n  engine: airflow\n  url: http://h\n  timeout: 0\n",
                "conf/base/remote.yml:4: `a`: `timeout` must be",
            ),
            (
                "a:\n  engine: airflow\n  url: http://h\n  insecure: maybe\n",
                "`insecure` must be true or false",
            ),
            ("a:\n  engine: [airflow]\n", "`engine` must be a text"),
            (
                "a:\n  engine: kedro-server\n  url: http://h\n  credentials: known\n",
                "conf/base/remote.yml:4: `a`: a Kedro server takes no credentials",
            ),
        ] {
            let found = mistakes(remote);
            assert!(found.len() == 1 && found[0].contains(wanted), "{remote}: {found:?}");
        }
        assert_eq!(mistakes("{").len(), 1);
        assert_eq!(mistakes(""), [] as [String; 0]);
        let none = Profiles::default();
        assert_eq!(none.choose(None).unwrap_err().text, "The project names no engine.");
    }
}
