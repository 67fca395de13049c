//! Which API a server has, signing in, and requests with their failures in words.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::super::backend::RemoteError;
use super::super::http::{Answer, Ask, Http};
use super::super::profile::{Credentials, Profile};
use crate::text::UserError;
use crate::text::secrets::Secret;

/// Most characters of a server's message that are shown.
const SHOWN: usize = 300;
/// What stays as it is in a part of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A part of a path, with everything escaped that would end it.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A value of a query.
pub(super) fn value(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A version of the REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// Airflow 2.
    V1,
    /// Airflow 3.
    V2,
}

impl Api {
    pub fn name(self) -> &'static str {
        match self {
            Api::V1 => "v1",
            Api::V2 => "v2",
        }
    }
}

/// A connection that knows the server's API and is signed in, once it was asked for either.
pub(super) struct Session {
    http: Http,
    profile: Profile,
    api: Mutex<Option<Api>>,
    /// What is sent with requests.
    credentials: Mutex<Option<Arc<Credentials>>>,
    /// Seconds by which the server's clock is ahead of ours.
    skew: Mutex<Option<f64>>,
}

/// Takes the value out of a lock; a panic elsewhere does not harm it.
fn of<T: Clone>(lock: &Mutex<T>) -> T {
    lock.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn put<T>(lock: &Mutex<T>, value: T) {
    *lock.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

impl Session {
    pub fn new(profile: &Profile) -> Result<Self, UserError> {
        Ok(Session {
            http: Http::new(profile)?,
            profile: profile.clone(),
            api: Mutex::default(),
            credentials: Mutex::default(),
            skew: Mutex::default(),
        })
    }

    pub fn address(&self) -> String {
        self.http.address()
    }

    /// Seconds by which the server's clock is ahead of ours, by its last answer.
    pub fn skew(&self) -> Option<f64> {
        of(&self.skew)
    }

    /// The server's API.
    ///
    /// # Errors
    /// When there is no answer, or the server is no Airflow.
    pub fn api(&self) -> Result<Api, RemoteError> {
        if let Some(api) = of(&self.api) {
            return Ok(api);
        }
        let mut last = Answer::default();
        for (api, path) in [(Api::V2, "/api/v2/monitor/health"), (Api::V1, "/api/v1/health")] {
            last = self.http.send(Ask::get(path), &Credentials::None)?;
            // Anything in front of the server may want credentials for every page.
            if matches!(last.status, 401 | 403) {
                last = self.http.send(Ask::get(path), &self.plain()?)?;
            }
            let health = serde_json::from_slice::<Json>(&last.body).unwrap_or_default();
            if last.is_success() && health.get("scheduler").is_some() {
                put(&self.api, Some(api));
                self.note_time(&last);
                return Ok(api);
            }
        }
        Err(match last.status {
            401 | 403 => RemoteError::Credentials(self.http.report(&format!(
                "it refuses access to its health page ({}); {}", last.status, self.remedy()
            ))),
            500.. => self.http.lost(&format!("it answers with {}: {}", last.status, message(&last))),
            status => RemoteError::Refused(self.http.report(&format!(
                "there is no Airflow at {}: its health pages answer with {status}. Check `url` in {}",
                self.address(), self.profile.place
            ))),
        })
    }

    /// Signs in if that is needed, and returns how requests are sent, in words.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn sign_in(&self) -> Result<String, RemoteError> {
        let credentials = self.credentials()?;
        // Signing in says nothing where each request carries the password.
        self.ask::<Json>(Ask::get("dags?limit=1"))?;
        let from = match self.profile.credentials.1.as_str() {
            "" => String::new(),
            entry => format!(" of `{entry}`"),
        };
        Ok(match (&*credentials, &self.profile.credentials.0) {
            (Credentials::None, _) => "none are needed".to_owned(),
            (Credentials::Basic { user, .. }, _) => format!("signed in as {user}{from}"),
            (_, Credentials::Basic { user, .. }) => {
                format!("signed in as {user}{from}, with a token")
            }
            _ => format!("the token{from} is accepted"),
        })
    }

    /// The state of the parts of the server that run.
    pub fn health(&self) -> Vec<(&'static str, Result<String, String>)> {
        let path = match self.api() {
            Ok(Api::V2) => "monitor/health",
            _ => "health",
        };
        let health: Json = self.get(path).unwrap_or_default();
        let parts = [
            ("metadatabase", "database"),
            ("scheduler", "scheduler"),
            ("dag_processor", "DAG processor"),
            ("triggerer", "triggerer"),
        ];
        let part = |(key, name): (&str, &'static str)| {
            let state = health[key]["status"].as_str()?;
            Some((
                name,
                if state == "healthy" { Ok(state.to_owned()) } else { Err(state.to_owned()) },
            ))
        };
        parts.into_iter().filter_map(part).collect()
    }

    /// Asks for something below the API.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RemoteError> {
        self.ask(Ask::get(path))
    }

    /// The same, with the server's time of the answer.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub fn get_dated<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<(T, Option<f64>), RemoteError> {
        self.ask_dated(Ask::get(path))
    }

    /// For how long the server asked to be left alone.
    pub fn rest(&self) -> Duration {
        self.http.rest()
    }

    /// Sends something once.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Json) -> Result<T, RemoteError> {
        self.ask(Ask { method: "POST", path, body: Some(body), repeatable: false })
    }

    /// Changes something; the same change twice is one.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub fn patch<T: DeserializeOwned>(&self, path: &str, body: &Json) -> Result<T, RemoteError> {
        self.ask(Ask { method: "PATCH", path, body: Some(body), repeatable: true })
    }

    fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, RemoteError> {
        self.ask_dated(ask).map(|(found, _)| found)
    }

    fn ask_dated<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
    ) -> Result<(T, Option<f64>), RemoteError> {
        let path = format!("/api/{}/{}", self.api()?.name(), ask.path);
        let ask = Ask { path: &path, ..ask };
        let mut credentials = self.credentials()?;
        let mut answer = self.http.send(ask, &credentials)?;
        // A token ends after a day, and with the server's key.
        if matches!(answer.status, 401 | 403) && self.is_stale(&answer, &credentials) {
            put(&self.credentials, None);
            credentials = self.credentials()?;
            answer = self.http.send(ask, &credentials)?;
        }
        self.note_time(&answer);
        if !answer.is_success() {
            return Err(self.refused(&answer));
        }
        let found = serde_json::from_slice(&answer.body).map_err(|error| {
            self.http
                .lost(&format!("its answer is not understood: {error} ({})", path_alone(&path)))
        })?;
        Ok((found, answer.date))
    }

    /// Whether other credentials may be accepted where these were not.
    fn is_stale(&self, answer: &Answer, credentials: &Credentials) -> bool {
        let is_made = matches!(credentials, Credentials::Token(_))
            && !matches!(self.profile.credentials.0, Credentials::Token(_));
        is_made && (answer.status == 401 || message(answer).contains("token"))
    }

    fn note_time(&self, answer: &Answer) {
        let now =
            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64());
        if let Some(date) = answer.date {
            put(&self.skew, Some(date - now));
        }
    }

    /// The credentials as they are in the profile.
    fn plain(&self) -> Result<Credentials, RemoteError> {
        self.profile
            .fresh_credentials()
            .map_err(|error| RemoteError::Credentials(self.http.report(&error.line())))
    }

    /// What is sent with requests. Airflow 3 gives a token for a user name and a password.
    fn credentials(&self) -> Result<Arc<Credentials>, RemoteError> {
        if let Some(known) = of(&self.credentials) {
            return Ok(known);
        }
        let plain = self.plain()?;
        let found = match (self.api()?, &plain) {
            (Api::V2, Credentials::Basic { user, password }) => {
                self.token(user, password)?.unwrap_or(plain)
            }
            _ => plain,
        };
        let found = Arc::new(found);
        put(&self.credentials, Some(found.clone()));
        Ok(found)
    }

    /// A token for a user; `None` if the server gives none, as where something in front of it signs users in.
    fn token(&self, user: &str, password: &str) -> Result<Option<Credentials>, RemoteError> {
        let body = json!({"username": user, "password": password});
        let ask = Ask { method: "POST", path: "/auth/token", body: Some(&body), repeatable: true };
        let answer = self.http.send(ask, &Credentials::None)?;
        match answer.status {
            404 | 405 => Ok(None),
            200..=299 => {
                let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
                let token = json["access_token"]
                    .as_str()
                    .ok_or_else(|| self.http.lost("it gives no token"))?;
                // From now on the token is removed from all texts.
                let _ = Secret::of(token);
                Ok(Some(Credentials::Token(token.to_owned())))
            }
            _ => Err(self.refused(&answer)),
        }
    }

    /// What to do when the server refuses the credentials.
    fn remedy(&self) -> String {
        match (&self.profile.credentials.0, self.profile.credentials.1.as_str()) {
            (Credentials::None, _) => {
                format!(
                    "no credentials were sent. `credentials` in {} names an entry of credentials.yml",
                    self.profile.place
                )
            }
            (_, entry) => format!("check `{entry}` in credentials.yml"),
        }
    }

    fn refused(&self, answer: &Answer) -> RemoteError {
        let (status, message) = (answer.status, message(answer));
        let report = |text: String| self.http.report(&text);
        let is_of_credentials = status == 401
            || (status == 403
                && (message.contains("token") || self.profile.credentials.0 == Credentials::None));
        match status {
            _ if is_of_credentials => RemoteError::Credentials(report(format!(
                "it refuses access ({status}: {message}); {}",
                self.remedy()
            ))),
            403 => RemoteError::Forbidden(report(format!(
                "this user may not do this, or is not accepted ({status}: {message}); {}",
                self.remedy()
            ))),
            404 => RemoteError::Missing(report(format!("it is not there: {message}"))),
            409 => RemoteError::Conflict(report(format!("something is in the way: {message}"))),
            429 => self.http.lost("it is asked too often (429)"),
            500.. => self.http.lost(&format!("it answers with {status}: {message}")),
            300..=399 => RemoteError::Refused(report(format!(
                "it sends requests elsewhere ({status}). Check `url` in {}",
                self.profile.place
            ))),
            _ => RemoteError::Refused(report(format!("{message} ({status})"))),
        }
    }
}

/// A path without its query, for messages.
fn path_alone(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

/// What a server says of a failure, on one line.
fn message(answer: &Answer) -> String {
    let json: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = match &json["detail"] {
        Json::String(text) => text.clone(),
        Json::Array(list) => {
            let one = |item: &Json| {
                let place: Vec<String> = item["loc"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .skip(1)
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                    .collect();
                format!("{}: {}", place.join("."), item["msg"].as_str().unwrap_or_default())
            };
            list.iter().map(one).collect::<Vec<_>>().join("; ")
        }
        Json::Object(detail) => {
            detail.get("reason").and_then(Json::as_str).unwrap_or_default().to_owned()
        }
        _ => json["title"].as_str().or(json["error"].as_str()).unwrap_or_default().to_owned(),
    };
    let text = match text.trim() {
        "" if answer.body.is_empty() || answer.body.starts_with(b"<") => {
            "no reason is given".to_owned()
        }
        "" => String::from_utf8_lossy(&answer.body[..answer.body.len().min(SHOWN)]).into_owned(),
        text => text.to_owned(),
    };
    let first = text.trim().lines().next().unwrap_or_default();
    first.chars().take(SHOWN).collect::<String>().trim_end_matches('.').to_owned()
}
