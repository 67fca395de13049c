//! Requests to a Kedro server, and failures in words.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::{ClientBuilder, RequestBuilder, Response};
use reqwest::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Map, Value as Json};

use crate::remote::RemoteError;
use crate::system::http::{is_timeout, root};
use crate::text::UserError;
use crate::text::secrets::redact;

pub(super) const SNAPSHOT: &str = "/snapshot";
const HEALTH: &str = "/health";
const RUN: &str = "/run";

/// Largest answer in bytes.
const LARGEST: u64 = 64 << 20;
/// Most characters of a server's message that are shown.
const SHOWN: usize = 300;

/// How long an answer is waited for. A run has no limit.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimits {
    /// For a connection.
    pub connection: Duration,
    /// For the answer of `/health`.
    pub health: Duration,
    /// For the answer of `/snapshot`. The first one imports the project, which takes half a minute for one with many
    /// plug-ins.
    pub snapshot: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits {
            connection: Duration::from_secs(10),
            health: Duration::from_secs(20),
            snapshot: Duration::from_secs(300),
        }
    }
}

/// Why there is no answer that can be used. Each is a sentence for people.
#[derive(Debug)]
pub(super) enum Failure {
    /// There was no connection, so nothing was sent.
    NotSent(String),
    /// The request may have arrived, but no whole answer came back.
    Broken(String),
    /// The answer has another status than 200.
    Status { status: u16, text: String },
    /// The answer is not JSON of the expected shape.
    Odd(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotSent(text)
            | Failure::Broken(text)
            | Failure::Odd(text)
            | Failure::Status { text, .. } => f.write_str(text),
        }
    }
}

impl Failure {
    pub fn into_error(self) -> RemoteError {
        match self {
            Failure::NotSent(text) | Failure::Broken(text) | Failure::Odd(text) => {
                RemoteError::Unanswered(text)
            }
            Failure::Status { status, text } => match status {
                401 | 407 => RemoteError::Credentials(text),
                403 => RemoteError::Forbidden(text),
                404 | 405 => RemoteError::Missing(text),
                500.. => RemoteError::Unanswered(text),
                _ => RemoteError::Refused(text),
            },
        }
    }
}

/// The answer of `/health`.
#[derive(Debug)]
pub(super) struct Health {
    pub status: String,
    pub version: String,
}

/// A client for a server.
pub(super) struct Client {
    http: reqwest::blocking::Client,
    /// The address without a slash at its end; it may hold a password.
    base: String,
    limits: TimeLimits,
}

impl Client {
    /// Prepares the client; nothing is sent.
    ///
    /// # Errors
    /// When the address can't be used.
    pub fn new(
        address: &str,
        limits: TimeLimits,
        builder: ClientBuilder,
    ) -> Result<Self, UserError> {
        let base = address.trim_end_matches('/');
        let url = Url::parse(base).ok().filter(|url| {
            let is_plain = url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain
        });
        if url.is_none() {
            let text = format!("`{}` is not the address of a Kedro server.", redact(address));
            return Err(UserError::hinted(text, "An address is like http://127.0.0.1:8000."));
        }
        // If another provider is installed already, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = builder
            .user_agent(concat!("mlops-tui/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connection)
            // The library's own limit is 30 s; a run has none.
            .timeout(None)
            // A redirected run would be sent twice.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // On a kept connection that the server has just closed, a run might be sent again by the HTTP library.
            .pool_max_idle_per_host(0)
            // A run can take hours without a byte. These probes notice that the other machine has gone.
            .tcp_keepalive(Duration::from_secs(30))
            .build()
            .map_err(|error| format!("The connection can't be prepared: {}.", root(&error)))?;
        Ok(Client { http, base: base.to_owned(), limits })
    }

    /// The address without secrets.
    pub fn address(&self) -> String {
        redact(&self.base)
    }

    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// A message about a route, without secrets.
    pub fn about(&self, path: &str, reason: &str) -> String {
        format!("{}{path}: {}.", self.address(), redact(reason).trim_end_matches('.'))
    }

    pub fn health(&self) -> Result<Health, Failure> {
        let answer = self.get(HEALTH, self.limits.health)?;
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        match (text("status"), text("kedro_version")) {
            (Some(status), Some(version)) => Ok(Health { status, version }),
            _ => {
                let reason = "its answer is not that of a Kedro server: it has no `status` and `kedro_version`. Another \
                              service may run at this address";
                Err(Failure::Odd(self.about(HEALTH, reason)))
            }
        }
    }

    pub fn snapshot(&self) -> Result<Json, Failure> {
        self.get(SNAPSHOT, self.limits.snapshot)
    }

    /// Starts a run, and returns when it has ended. It is sent once.
    pub fn run(&self, body: &Map<String, Json>) -> Result<Json, Failure> {
        let text = Json::Object(body.clone()).to_string();
        let request = self.http.post(format!("{}{RUN}", self.base));
        self.ask(RUN, request.header(CONTENT_TYPE, "application/json").body(text), None)
    }

    fn get(&self, path: &str, limit: Duration) -> Result<Json, Failure> {
        self.ask(path, self.http.get(format!("{}{path}", self.base)), Some(limit))
    }

    fn ask(
        &self,
        path: &str,
        request: RequestBuilder,
        limit: Option<Duration>,
    ) -> Result<Json, Failure> {
        let request = match limit {
            Some(limit) => request.timeout(limit),
            None => request,
        };
        let slow = || {
            let seconds = limit.unwrap_or_default().as_secs_f64();
            Failure::Broken(self.about(path, &format!("no answer within {seconds} s")))
        };
        let response = request.send().map_err(|error| match () {
            () if error.is_connect() => {
                Failure::NotSent(self.about(path, &self.unconnected(error)))
            }
            () if error.is_timeout() => slow(),
            () => {
                let reason = format!("the connection broke: {}", root(&error));
                Failure::Broken(self.about(path, &reason))
            }
        })?;
        let status = response.status();
        let place = response.headers().get(LOCATION).and_then(|place| place.to_str().ok());
        let place = place.unwrap_or("another address").to_owned();
        let body = read(response).map_err(|error| match is_timeout(&error) {
            true => slow(),
            false => {
                let reason = format!("its answer ends too early: {}", root(&error));
                Failure::Broken(self.about(path, &reason))
            }
        })?;
        if status.as_u16() != 200 {
            let text = self.about(path, &refusal(status, &place, &body));
            return Err(Failure::Status { status: status.as_u16(), text });
        }
        serde_json::from_slice(&body).map_err(|error| {
            let reason = format!(
                "its answer is not that of a Kedro server: {error}. Another service may run at this address"
            );
            Failure::Odd(self.about(path, &reason))
        })
    }

    fn unconnected(&self, error: reqwest::Error) -> String {
        if error.is_timeout() {
            return format!("no connection within {} s", self.limits.connection.as_secs_f64());
        }
        let reason = root(&error.without_url());
        format!(
            "no connection: {reason}. Check that `kedro server start` runs there, and the address"
        )
    }
}

fn read(response: Response) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    response.take(LARGEST + 1).read_to_end(&mut body)?;
    if body.len() as u64 > LARGEST {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(body)
}

/// An answer with another status than 200, in words.
fn refusal(status: reqwest::StatusCode, place: &str, body: &[u8]) -> String {
    let number = status.as_u16();
    let said = detail(body)
        .unwrap_or_else(|| status.canonical_reason().unwrap_or("no reason is given").to_owned());
    match number {
        300..=399 => format!(
            "it redirects ({number}) to {place}, which a Kedro server does not do. Another service may run at this address"
        ),
        401 | 403 | 407 => format!(
            "access is refused ({number}: {said}). A Kedro server has no authentication, so something in front of it refuses"
        ),
        404 | 405 => format!(
            "there is no such route ({number}: {said}). `kedro server start` of Kedro 1.5 or later has it; at this address \
             there may be an older one, or another service"
        ),
        422 => format!("the request does not fit this server's Kedro (422): {said}"),
        500.. => format!("it answers with {number}: {said}. The server's own log may say why"),
        _ => format!("it answers with {number}: {said}"),
    }
}

/// What FastAPI says in `detail`: a text, or a list of what does not fit. Of other answers, the text if it is not HTML.
fn detail(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Json>(body) {
        Ok(answer) => match &answer["detail"] {
            Json::String(text) => text.clone(),
            Json::Array(faults) => faults.iter().map(fault).collect::<Vec<_>>().join("; "),
            _ => answer.to_string(),
        },
        Err(_) if body.trim_ascii_start().starts_with(b"<") => return None,
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned(),
    };
    let cut: String = text.trim().chars().take(SHOWN).collect();
    (!cut.is_empty()).then_some(cut)
}

/// One entry of FastAPI's list: where in the body, and what is wrong.
fn fault(entry: &Json) -> String {
    let steps = entry["loc"].as_array().into_iter().flatten();
    let steps = steps.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned));
    let place: Vec<_> = steps.filter(|step| step != "body").collect();
    let what = entry["msg"].as_str().unwrap_or("does not fit");
    match place.is_empty() {
        true => what.to_owned(),
        false => format!("`{}`: {what}", place.join(".")),
    }
}
