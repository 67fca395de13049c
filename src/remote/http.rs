//! HTTP for engines: a client for a profile, tries where they are safe, and failures in words.

use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::{Client, ClientBuilder};
use serde_json::Value as Json;

use super::backend::RemoteError;
use super::profile::{Credentials, Profile};
use crate::system::http::{backoff, causes, date, is_of_tls, is_timeout, retry_after, root};
use crate::system::tls;
use crate::text::UserError;
use crate::text::secrets::redact;

/// Largest answer in bytes.
const LARGEST: u64 = 256 << 20;
/// Most tries of one request.
const TRIES: u32 = 4;
/// The pause before the second try; it doubles with each one.
const BACKOFF: Duration = Duration::from_millis(400);
/// Time limit of all tries of one request.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    pub method: &'a str,
    /// Path below the address, with its query.
    pub path: &'a str,
    pub body: Option<&'a Json>,
    /// Whether it may be sent again when its fate is not known.
    pub repeatable: bool,
}

impl<'a> Ask<'a> {
    /// A request that changes nothing.
    pub fn get(path: &'a str) -> Self {
        Ask { method: "GET", path, body: None, repeatable: true }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone, Default)]
pub(super) struct Answer {
    pub status: u16,
    /// The server's clock, in seconds since the Unix epoch.
    pub date: Option<f64>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A client for the engine of a profile.
pub(super) struct Http {
    client: Client,
    base: String,
    /// The profile's name and its place, for messages.
    name: String,
    place: String,
    timeout: Duration,
    /// When the engine may be asked again, if it said so.
    later: Mutex<Option<Instant>>,
}

impl Http {
    /// Prepares the client; nothing is sent.
    ///
    /// # Errors
    /// When a certificate or the proxy can't be used: which one, and why.
    pub fn new(profile: &Profile) -> Result<Self, UserError> {
        let client = builder(profile)?
            .user_agent(concat!("mlops-tui/", env!("CARGO_PKG_VERSION")))
            .timeout(profile.timeout)
            .connect_timeout(profile.timeout.min(Duration::from_secs(10)))
            // Credentials stay with the address that they are for.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| {
                format!("The connection can't be prepared: {}.", causes(&error.without_url()))
            })?;
        Ok(Http {
            client,
            base: profile.url.clone(),
            name: profile.name.clone(),
            place: profile.place.clone(),
            timeout: profile.timeout,
            later: Mutex::default(),
        })
    }

    /// The engine's address, without secrets.
    pub fn address(&self) -> String {
        redact(&self.base)
    }

    /// For how long the engine asked to be left alone with its last refusal.
    pub fn rest(&self) -> Duration {
        let later = *self.later.lock().unwrap_or_else(PoisonError::into_inner);
        later.map_or(Duration::ZERO, |later| later.saturating_duration_since(Instant::now()))
    }

    /// Sends a request, with further tries where they are safe, and returns the answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn send(&self, ask: Ask<'_>, credentials: &Credentials) -> Result<Answer, RemoteError> {
        let start = Instant::now();
        let mut tries = 1;
        loop {
            let (failure, earliest) = match self.once(ask, credentials) {
                Ok((answer, later)) => match answer.status {
                    // It was turned away before anything was done.
                    429 => (Ok(answer), Some(later.unwrap_or_default())),
                    500 | 502..=504 if ask.repeatable => {
                        (Ok(answer), Some(later.unwrap_or_default()))
                    }
                    _ => return Ok(answer),
                },
                Err((error, is_safe)) => {
                    (Err(error), (is_safe || ask.repeatable).then_some(Duration::ZERO))
                }
            };
            let Some(earliest) = earliest else { return failure };
            *self.later.lock().unwrap_or_else(PoisonError::into_inner) =
                Instant::now().checked_add(earliest);
            let pause = earliest.max(backoff(BACKOFF, tries));
            if tries >= TRIES || start.elapsed() + pause > PATIENCE {
                return failure;
            }
            std::thread::sleep(pause);
            tries += 1;
        }
    }

    /// One try. An error says whether the request has certainly not arrived.
    fn once(
        &self,
        ask: Ask<'_>,
        credentials: &Credentials,
    ) -> Result<(Answer, Option<Duration>), (RemoteError, bool)> {
        let method = Method::from_bytes(ask.method.as_bytes()).unwrap_or(Method::GET);
        let mut request = self.client.request(method, format!("{}{}", self.base, ask.path));
        request = request.header("Accept", "application/json");
        request = match credentials {
            Credentials::Basic { user, password } => request.basic_auth(user, Some(password)),
            Credentials::Token(token) => request.bearer_auth(token),
            Credentials::None | Credentials::Command(_) => request,
        };
        if let Some(body) = ask.body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        let response = request.send().map_err(|error| self.unanswered(error))?;
        let date = date(&response).map(|date| date.as_second() as f64);
        let later = retry_after(&response);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        match response.take(LARGEST + 1).read_to_end(&mut body) {
            Ok(_) if body.len() as u64 > LARGEST => {
                let text = format!("its answer is larger than {} MiB", LARGEST >> 20);
                Err((self.lost(&text), false))
            }
            Ok(_) => Ok((Answer { status, date, body }, later)),
            Err(error) if is_timeout(&error) => Err((self.lost(&self.slow()), false)),
            Err(error) => {
                Err((self.lost(&format!("its answer ends too early: {}", root(&error))), false))
            }
        }
    }

    fn slow(&self) -> String {
        format!(
            "no answer within {} s. `timeout` in {} sets a longer time",
            self.timeout.as_secs(),
            self.place
        )
    }

    /// The error for a request without an answer.
    pub fn lost(&self, reason: &str) -> RemoteError {
        RemoteError::Unanswered(self.report(reason))
    }

    /// A message about this connection, without secrets.
    pub fn report(&self, reason: &str) -> String {
        format!("{}: {}.", self.name, redact(reason).trim_end_matches('.'))
    }

    fn unanswered(&self, error: reqwest::Error) -> (RemoteError, bool) {
        let (is_slow, is_connect) = (error.is_timeout(), error.is_connect());
        let error = error.without_url();
        let (all, reason) = (causes(&error), root(&error));
        let text = match () {
            () if is_of_tls(&all) => {
                return (
                    // Another try would end alike, but nothing has arrived.
                    self.lost(&format!(
                        "no secure connection: {reason}. `ca` in {} names a file with the certificate to trust",
                        self.place
                    )),
                    false,
                );
            }
            () if is_connect && is_slow => "no connection in time".to_owned(),
            () if is_connect => format!(
                "no connection to {}: {reason}. Check that it runs, and `url` in {}",
                self.address(),
                self.place
            ),
            () if is_slow => self.slow(),
            () => format!("the connection broke: {reason}"),
        };
        (self.lost(&text), is_connect)
    }
}

/// A client with the certificates and the proxy of a profile.
///
/// # Errors
/// When a certificate or the proxy can't be used: which one, and why.
pub(super) fn builder(profile: &Profile) -> Result<ClientBuilder, UserError> {
    // If another provider is installed already, that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder();
    if let Some(proxy) = &profile.proxy {
        let proxy = reqwest::Proxy::all(proxy).map_err(|error| {
            let (place, name) = (&profile.place, &profile.name);
            format!("{place}: the proxy of `{name}` can't be used: {}.", root(&error))
        })?;
        builder = builder.proxy(proxy);
    }
    match &profile.ca {
        Some(ca) if !profile.insecure => {
            let client = profile.certificate.as_deref().map(|path| ("certificate", path));
            Ok(builder.tls_backend_preconfigured(tls::config(("ca", ca), client)?))
        }
        _ => {
            builder = builder.tls_danger_accept_invalid_certs(profile.insecure);
            let Some(path) = &profile.certificate else { return Ok(builder) };
            let identity = reqwest::Identity::from_pem(&tls::read("certificate", path)?);
            Ok(builder.identity(identity.map_err(|error| {
                format!("certificate: {} can't be used: {}.", path.display(), root(&error))
            })?))
        }
    }
}
