//! The settings of a tracking server's client, from the same environment variables as in MLflow's client.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::system::files;
use crate::text::UserError;
use crate::text::secrets::Secret;
use crate::tracking::ServerUri;

/// The credentials sent to the server.
pub(super) enum Credentials {
    /// No credentials.
    None,
    /// A user name and a password.
    Basic {
        user: String,
        password: String,
        /// Where they come from, for messages.
        from: &'static str,
        /// The credentials file, if both come from it.
        file: Option<PathBuf>,
    },
    /// `MLFLOW_TRACKING_TOKEN`.
    Token(String),
}

/// The settings from a server's URI and the environment.
pub(super) struct Settings {
    /// The URI without credentials, query and trailing slash.
    pub base: String,
    pub credentials: Credentials,
    /// Whether certificates are not verified.
    pub insecure: bool,
    /// File with the trusted certificates (`MLFLOW_TRACKING_SERVER_CERT_PATH`).
    pub server_certificates: Option<PathBuf>,
    /// File with the client's certificate and key.
    pub client_certificate: Option<PathBuf>,
    /// Time limit of one request.
    pub timeout: Duration,
    pub retries: u32,
    /// Pause before the first retry; it doubles with each retry.
    pub backoff: Duration,
    /// Time limit of all retries of one request.
    pub patience: Duration,
    pub workspace: Option<String>,
    /// The variable that names a proxy for the URI. The HTTP client reads its value.
    pub proxy: Option<&'static str>,
    /// Whether `NO_PROXY` is `*`.
    pub without_proxy: bool,
}

/// Time limit of retries by default.
const PATIENCE: Duration = Duration::from_secs(30);
/// Time limit of retries if `MLFLOW_HTTP_REQUEST_MAX_RETRIES` or `_BACKOFF_FACTOR` is set.
const MOST_PATIENCE: Duration = Duration::from_secs(300);

impl Settings {
    /// Reads the settings; `variable` returns the value of an environment variable.
    ///
    /// # Errors
    /// When a value is invalid: which one, and why.
    pub fn read(
        uri: &ServerUri,
        workspace: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, UserError> {
        let filled = |name: &str| variable(name).filter(|value| !value.is_empty());
        let number = |name: &str| -> Result<Option<f64>, UserError> {
            let Some(text) = filled(name) else { return Ok(None) };
            match text.trim().parse::<f64>() {
                Ok(number) if (0.0..=86_400.0).contains(&number) => Ok(Some(number)),
                _ => Err(format!("{name} must be a number from 0 to 86400, not `{text}`.").into()),
            }
        };
        let (base, in_uri) = split(uri.whole());
        let retries = number("MLFLOW_HTTP_REQUEST_MAX_RETRIES")?;
        let backoff = number("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR")?;
        let proxies = match base.get(..6).is_some_and(|head| head.eq_ignore_ascii_case("https:")) {
            true => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            false => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        let no_proxy = filled("NO_PROXY").or_else(|| filled("no_proxy"));
        let without_proxy = no_proxy.is_some_and(|hosts| hosts.trim() == "*");
        let is_asked = retries.is_some() || backoff.is_some();
        Ok(Settings {
            base,
            credentials: in_uri.unwrap_or_else(|| credentials(&filled)),
            insecure: matches!(
                filled("MLFLOW_TRACKING_INSECURE_TLS").unwrap_or_default().to_lowercase().as_str(),
                "true" | "1"
            ),
            server_certificates: filled("MLFLOW_TRACKING_SERVER_CERT_PATH").map(PathBuf::from),
            client_certificate: filled("MLFLOW_TRACKING_CLIENT_CERT_PATH").map(PathBuf::from),
            timeout: match number("MLFLOW_HTTP_REQUEST_TIMEOUT")? {
                Some(seconds) if seconds > 0.0 => Duration::from_secs_f64(seconds),
                _ => Duration::from_secs(120),
            },
            // MLflow allows at most 10 retries.
            retries: retries.map_or(4, |retries| retries.min(10.0) as u32),
            backoff: Duration::from_secs_f64(backoff.unwrap_or(0.5)),
            patience: if is_asked { MOST_PATIENCE } else { PATIENCE },
            workspace: workspace.map(str::to_owned),
            proxy: proxies.into_iter().find(|name| filled(name).is_some() && !without_proxy),
            without_proxy,
        })
    }
}

impl Settings {
    /// Time limit for establishing a connection.
    pub fn connecting(&self) -> Duration {
        self.timeout.min(Duration::from_secs(20))
    }
}

/// Splits a URI into the part without credentials and query, and the credentials.
fn split(uri: &str) -> (String, Option<Credentials>) {
    let uri = uri.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let Some((scheme, rest)) = uri.split_once("://") else { return (uri.to_owned(), None) };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let Some((user, host)) = authority.rsplit_once('@') else { return (uri.to_owned(), None) };
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    // A server may echo the password in its percent-encoded form.
    let _ = Secret::of(password);
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let basic = basic(plain(user), plain(password), "of the tracking URI");
    (format!("{scheme}://{host}{path}"), Some(basic))
}

const OF_FILE: &str = "of ~/.mlflow/credentials";

fn basic(user: String, password: String, from: &'static str) -> Credentials {
    // From now on the password is removed from all texts.
    let _ = Secret::of(&password);
    Credentials::Basic { user, password, from, file: None }
}

/// A user name and a password take precedence over a token, and each variable over the file (`http_request`,
/// `read_mlflow_creds`).
fn credentials(filled: &dyn Fn(&str) -> Option<String>) -> Credentials {
    let user = filled("MLFLOW_TRACKING_USERNAME");
    let password = filled("MLFLOW_TRACKING_PASSWORD");
    let from = match (&user, &password) {
        (Some(_), Some(_)) => "of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        _ => OF_FILE,
    };
    let path = filled("HOME").map(|home| Path::new(&home).join(".mlflow/credentials"));
    if user.is_none() && password.is_none() {
        if let Some(found) = path.as_deref().and_then(of_file) {
            return found;
        }
    }
    let file = match (&user, &password, path) {
        (Some(_), None, Some(path)) | (None, Some(_), Some(path)) => {
            in_file(&files::read_text(&path).unwrap_or_default())
        }
        _ => (None, None),
    };
    match (user.or(file.0), password.or(file.1)) {
        (Some(user), Some(password)) => basic(user, password, from),
        _ => match filled("MLFLOW_TRACKING_TOKEN") {
            Some(token) => {
                let _ = Secret::of(&token);
                Credentials::Token(token)
            }
            None => Credentials::None,
        },
    }
}

/// User name and password, if the credentials file has both.
fn of_file(path: &Path) -> Option<Credentials> {
    let (user, password) = in_file(&files::read_text(path).ok()?);
    let (user, password) = (user?, password?);
    let _ = Secret::of(&password);
    Some(Credentials::Basic { user, password, from: OF_FILE, file: Some(path.to_owned()) })
}

/// User name and password in the section `[mlflow]` of an INI file.
fn in_file(text: &str) -> (Option<String>, Option<String>) {
    let (mut user, mut password) = (None, None);
    let mut section = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
        } else if section == "mlflow" && !line.starts_with(['#', ';']) {
            let Some((key, value)) = line.split_once(['=', ':']) else { continue };
            let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
            match key.trim().to_lowercase().as_str() {
                "mlflow_tracking_username" => user = value,
                "mlflow_tracking_password" => password = value,
                _ => {}
            }
        }
    }
    (user, password)
}

impl Credentials {
    /// Describes the credentials that were sent, without their values.
    pub fn described(&self) -> String {
        match self {
            Credentials::None => "no credentials were sent".to_owned(),
            Credentials::Basic { from, .. } => {
                format!("the user name and password {from} were sent")
            }
            Credentials::Token(_) => "the token of MLFLOW_TRACKING_TOKEN was sent".to_owned(),
        }
    }

    /// New credentials, if they come from a file that has changed.
    pub fn renewed(&self) -> Option<Credentials> {
        let Credentials::Basic { user, password, file: Some(path), .. } = self else { return None };
        let now = of_file(path)?;
        let Credentials::Basic { user: new_user, password: new_password, .. } = &now else {
            return None;
        };
        (new_user != user || new_password != password).then_some(now)
    }

    /// What to do when the server rejects the credentials (401) or denies access (403).
    pub fn remedy(&self, status: u16) -> &'static str {
        match self {
            Credentials::None => {
                "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, \
                 or write both into ~/.mlflow/credentials."
            }
            Credentials::Basic { .. } if status == 403 => {
                "They may lack a permission: ask who runs the server."
            }
            Credentials::Basic { .. } => "Check them, or ask who runs the server.",
            Credentials::Token(_) => {
                "It may have expired: ask for a new one, or check MLFLOW_TRACKING_TOKEN."
            }
        }
    }

    /// Removes the credentials from a text, whatever they look like.
    pub fn hide(&self, text: &str) -> String {
        let secret = match self {
            Credentials::None => return text.to_owned(),
            Credentials::Basic { password, .. } => password,
            Credentials::Token(token) => token,
        };
        match secret.len() {
            0..3 => text.to_owned(),
            _ => text.replace(secret.as_str(), crate::text::secrets::REDACTED),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.described())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(uri: &str, variables: &[(&str, &str)]) -> Settings {
        let variable = |name: &str| {
            variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&ServerUri::new(uri), None, &variable).unwrap()
    }

    #[test]
    fn credentials_are_chosen_as_mlflow_does() {
        let described =
            |uri: &str, variables: &[(&str, &str)]| read(uri, variables).credentials.described();
        let both = [("MLFLOW_TRACKING_USERNAME", "me"), ("MLFLOW_TRACKING_PASSWORD", "pw-of-me-1")];
        let token = [("MLFLOW_TRACKING_TOKEN", "tk-of-me-1")];
        assert_eq!(described("http://h", &[]), "no credentials were sent");
        assert_eq!(described("http://h", &token), "the token of MLFLOW_TRACKING_TOKEN was sent");
        assert_eq!(
            described("http://h", &[both, [token[0], token[0]]].concat()),
            "the user name and password of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD were sent"
        );
        let of_uri = read("https://a%40b:p%3Aw@h:5/x/?q=1", &both);
        assert_eq!(of_uri.base, "https://h:5/x");
        let Credentials::Basic { user, password, .. } = &of_uri.credentials else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("a@b", "p:w"));
        assert!(!format!("{:?}", of_uri.credentials).contains("p:w"));

        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".mlflow")).unwrap();
        let text = "[other]\nmlflow_tracking_username = x\n[mlflow]\n# c\nMLFLOW_TRACKING_USERNAME = ada\n\
                    mlflow_tracking_password: a=b:c\n";
        std::fs::write(home.path().join(".mlflow/credentials"), text).unwrap();
        let home = home.path().to_str().unwrap().to_owned();
        let found = read("http://h", &[("HOME", &home), token[0]]).credentials;
        let Credentials::Basic { user, password, from, .. } = &found else { panic!() };
        assert_eq!((user.as_str(), password.as_str()), ("ada", "a=b:c"));
        assert_eq!(*from, "of ~/.mlflow/credentials");
    }

    #[test]
    fn numbers_are_checked() {
        let wrong = |name: &str| (name == "MLFLOW_HTTP_REQUEST_TIMEOUT").then(|| "x".to_owned());
        let refused = Settings::read(&ServerUri::new("http://h"), None, &wrong).err().unwrap();
        assert_eq!(
            refused.text,
            "MLFLOW_HTTP_REQUEST_TIMEOUT must be a number from 0 to 86400, not `x`."
        );
        let settings = read("http://h", &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "99")]);
        assert_eq!((settings.retries, settings.patience), (10, MOST_PATIENCE));
    }
}
