//! Requests to a tracking server: credentials, time-outs, retries where they help, and limits on the size of
//! answers.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::settings::{Credentials, Settings};
use crate::system::http::{self, causes, is_of_tls, is_timeout, query, retry_after, root};
use crate::system::tls;
use crate::text::UserError;
use crate::text::secrets::redact;

/// The variable that names the trusted certificates.
const SERVER: &str = "MLFLOW_TRACKING_SERVER_CERT_PATH";
/// The variable that names the client's certificate and key.
const CLIENT: &str = "MLFLOW_TRACKING_CLIENT_CERT_PATH";
/// Largest answer in bytes.
const LARGEST: u64 = 256 << 20;
/// Time limit for the download of a file of any size.
const LONG: Duration = Duration::from_secs(24 * 3600);
/// Most characters of a server's message that are shown.
const SHOWN: usize = 300;

/// How the fields of a request are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// In the URL.
    Get,
    /// As JSON in the body.
    Post,
}

/// A request to the server.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub method: Method,
    /// Path below the server's URI.
    pub path: &'static str,
    pub fields: Map<String, Json>,
}

/// Why a request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server rejected it, with MLflow's error code if there is one.
    Refused { status: u16, code: String, report: String },
    /// The answer is too large.
    TooLarge,
    /// Any other failure, as a message for the user.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused { report, .. } | Failure::Other(report) => f.write_str(report),
            Failure::TooLarge => write!(
                f,
                "its answer is larger than {} MiB. A narrower filter or --limit makes it smaller.",
                LARGEST >> 20
            ),
        }
    }
}

/// A failure, and whether to retry: `again` is the minimum pause.
struct Failed {
    failure: Failure,
    again: Option<Duration>,
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Failed { failure, again: None }
    }
}

/// A client for a server.
pub(super) struct Transport {
    client: Client,
    settings: Settings,
    /// Time limit of a request, if shorter than the settings'.
    most: Option<Duration>,
    /// The current credentials; replaced when their file has changed.
    credentials: Mutex<Arc<Credentials>>,
}

impl Transport {
    /// Prepares the client; nothing is sent.
    ///
    /// # Errors
    /// When a certificate is invalid: which one, and why.
    pub fn new(mut settings: Settings) -> Result<Self, UserError> {
        // If another provider is installed already, that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("mlops-tui/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .connect_timeout(settings.connecting())
            .redirect(reqwest::redirect::Policy::limited(5));
        // The HTTP client would apply `*` only to host names, not to addresses.
        if settings.without_proxy {
            builder = builder.no_proxy();
        }
        match &settings.server_certificates {
            Some(server) if !settings.insecure => {
                let client = settings.client_certificate.as_deref();
                builder = builder.tls_backend_preconfigured(tls::config(
                    (SERVER, server),
                    client.map(|path| (CLIENT, path)),
                )?);
            }
            _ => {
                builder = builder.tls_danger_accept_invalid_certs(settings.insecure);
                if let Some(path) = &settings.client_certificate {
                    let identity = reqwest::Identity::from_pem(&tls::read(CLIENT, path)?);
                    builder = builder.identity(identity.map_err(|error| {
                        let (name, path, reason) = (CLIENT, path.display(), root(&error));
                        format!("{name}: {path} can't be used: {reason}.")
                    })?);
                }
            }
        }
        let client = builder.build().map_err(|error| {
            format!("The connection can't be prepared: {}.", causes(&error.without_url()))
        })?;
        let credentials = std::mem::replace(&mut settings.credentials, Credentials::None);
        let credentials = Mutex::new(Arc::new(credentials));
        Ok(Transport { client, settings, most: None, credentials })
    }

    /// Sends each request once.
    pub fn without_retries(&mut self) {
        self.settings.retries = 0;
    }

    /// Sends each request once, and waits at most this long for the answer.
    pub fn hurry(&mut self, most: Duration) {
        self.without_retries();
        self.most = Some(most);
    }

    /// The server's URI, without credentials.
    pub fn server(&self) -> String {
        redact(&self.settings.base)
    }

    /// Sends a request and returns the body of the answer. Transient failures are retried.
    ///
    /// # Errors
    /// When there is no answer, or the server rejects the request.
    pub fn ask(&self, ask: &Ask) -> Result<Vec<u8>, Failure> {
        self.repeat(|credentials| {
            let response = self.send(ask, credentials, self.most)?;
            self.body(ask, response)
        })
    }

    /// Sends a request and returns the body as a stream, of any size.
    ///
    /// # Errors
    /// When there is no answer, or the server rejects the request.
    pub fn open(&self, ask: &Ask) -> Result<impl Read + 'static, Failure> {
        self.repeat(|credentials| self.send(ask, credentials, Some(LONG)))
    }

    fn repeat<T>(&self, once: impl Fn(&Credentials) -> Result<T, Failed>) -> Result<T, Failure> {
        let start = Instant::now();
        let mut tries = 1;
        let mut is_renewed = false;
        loop {
            let credentials = self.credentials();
            let Failed { failure, again } = match once(&credentials) {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if matches!(failure, Failure::Refused { status: 401, .. })
                && !std::mem::replace(&mut is_renewed, true)
                && self.renews(&credentials)
            {
                continue;
            }
            let Some(earliest) = again else { return Err(failure) };
            let pause = earliest.max(self.pause(tries));
            if tries > self.settings.retries || start.elapsed() + pause > self.settings.patience {
                return Err(after(failure, tries));
            }
            std::thread::sleep(pause);
            tries += 1;
        }
    }

    fn credentials(&self) -> Arc<Credentials> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether there are newer credentials than the rejected ones.
    fn renews(&self, refused: &Arc<Credentials>) -> bool {
        let mut held = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have renewed them.
        if Arc::ptr_eq(&held, refused) {
            let Some(renewed) = held.renewed() else { return false };
            *held = Arc::new(renewed);
        }
        true
    }

    /// The pause before the next try.
    fn pause(&self, tries: u32) -> Duration {
        http::backoff(self.settings.backoff, tries)
    }

    /// Sends a request; returns when the head of the answer has arrived.
    fn send(
        &self,
        ask: &Ask,
        credentials: &Credentials,
        most: Option<Duration>,
    ) -> Result<Response, Failed> {
        let base = &self.settings.base;
        let mut request = match ask.method {
            Method::Get => self.client.get(format!("{base}{}{}", ask.path, query(&ask.fields))),
            Method::Post => {
                let body = Json::Object(ask.fields.clone()).to_string();
                let request = self.client.post(format!("{base}{}", ask.path));
                request.header("Content-Type", "application/json").body(body)
            }
        };
        if let Some(most) = most {
            request = request.timeout(most);
        }
        request = match credentials {
            Credentials::None => request,
            Credentials::Basic { user, password, .. } => request.basic_auth(user, Some(password)),
            Credentials::Token(token) => request.bearer_auth(token),
        };
        if let Some(workspace) = &self.settings.workspace {
            request = request.header("X-MLFLOW-WORKSPACE", workspace);
        }
        let response = request.send().map_err(|error| self.unanswered(ask, error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let later = retry_after(&response);
        let body = self.body(ask, response)?;
        let again = matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504);
        Err(Failed {
            failure: self.refused(ask, credentials, status, &body),
            again: again.then(|| later.unwrap_or_default()),
        })
    }

    fn body(&self, ask: &Ask, response: Response) -> Result<Vec<u8>, Failed> {
        if response.content_length().is_some_and(|length| length > LARGEST) {
            return Err(Failure::TooLarge.into());
        }
        let mut body = Vec::new();
        match response.take(LARGEST + 1).read_to_end(&mut body) {
            Ok(_) if body.len() as u64 > LARGEST => Err(Failure::TooLarge.into()),
            Ok(_) => Ok(body),
            Err(error) => {
                let report = match is_timeout(&error) {
                    true => self.slow(),
                    false => format!("its answer ends too early: {}", root(&error)),
                };
                let failure = Failure::Other(self.report(ask, &report));
                Err(Failed { failure, again: Some(Duration::ZERO) })
            }
        }
    }

    fn slow(&self) -> String {
        format!(
            "no answer within {} s. MLFLOW_HTTP_REQUEST_TIMEOUT sets a longer time",
            self.settings.timeout.as_secs_f64()
        )
    }

    /// A message about a failed request, without secrets.
    fn report(&self, ask: &Ask, reason: &str) -> String {
        let reason = self.credentials().hide(&redact(reason));
        format!("{}: {}.", ask.path.trim_start_matches('/'), reason.trim_end_matches('.'))
    }

    fn unanswered(&self, ask: &Ask, error: reqwest::Error) -> Failed {
        let (is_slow, is_connect) = (error.is_timeout(), error.is_connect());
        let is_builder = error.is_builder();
        let error = error.without_url();
        let (all, reason) = (causes(&error), root(&error));
        let report = match () {
            () if is_builder => format!("the URI can't be used: {reason}"),
            () if is_slow && is_connect => {
                format!("no connection within {} s", self.settings.connecting().as_secs_f64())
            }
            () if is_slow => self.slow(),
            () if is_of_tls(&all) => {
                let remedy = match &self.settings.server_certificates {
                    _ if all.contains("not valid for name") || all.contains("NotValidForName") => {
                        "The URI must name the host as the certificate does".to_owned()
                    }
                    _ if all.contains("CertificateRequired") => {
                        "It wants a certificate of yours: MLFLOW_TRACKING_CLIENT_CERT_PATH names it".to_owned()
                    }
                    Some(path) => format!(
                        "MLFLOW_TRACKING_SERVER_CERT_PATH ({}) must hold the certificate that signed the server's",
                        path.display()
                    ),
                    None => "MLFLOW_TRACKING_SERVER_CERT_PATH names the certificate that signed the server's, \
                             where it is not known to this machine"
                        .to_owned(),
                };
                format!("no secure connection: {reason}. {remedy}")
            }
            () if is_connect => {
                let proxy = self.by_proxy();
                format!("no connection: {reason}. Check that the server runs, and its URI{proxy}")
            }
            () => format!("the connection broke: {reason}"),
        };
        let failure = Failure::Other(self.report(ask, &report));
        let is_passing = !is_builder && !is_of_tls(&all);
        Failed { failure, again: is_passing.then_some(Duration::ZERO) }
    }

    /// A hint about the proxy, if there is one.
    fn by_proxy(&self) -> String {
        match self.settings.proxy {
            None => String::new(),
            Some(name) => format!(
                ". {name} names a proxy, which may be at fault; NO_PROXY lists hosts that need none"
            ),
        }
    }

    fn refused(
        &self,
        ask: &Ask,
        credentials: &Credentials,
        status: StatusCode,
        body: &[u8],
    ) -> Failure {
        #[derive(Default, Deserialize)]
        struct Refusal {
            #[serde(default)]
            error_code: String,
            #[serde(default)]
            message: String,
        }
        let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
        let message = match refusal.message.as_str() {
            // An HTML page is no more informative than the status.
            "" if body.starts_with(b"<") || body.is_empty() => {
                status.canonical_reason().unwrap_or("no reason is given").to_owned()
            }
            "" => String::from_utf8_lossy(&body[..body.len().min(4 * SHOWN)]).into_owned(),
            message => message.to_owned(),
        };
        let cut: String = message.trim().chars().take(SHOWN).collect();
        let number = status.as_u16();
        let report = match number {
            401 => format!(
                "it refuses access (401: {cut}); {}. {}",
                credentials.described(),
                credentials.remedy(number)
            ),
            403 => format!(
                "it does not permit this (403: {cut}); {}. {}",
                credentials.described(),
                credentials.remedy(number)
            ),
            404 if refusal.error_code.is_empty() => format!(
                "it has no such page (404). The URI may not be that of an MLflow server, or its MLflow is too old ({cut})"
            ),
            407 => format!("the proxy refuses access (407: {cut}){}", self.by_proxy()),
            429 => format!("it is asked too often (429: {cut})"),
            _ => format!("it answers with {number}: {cut}"),
        };
        Failure::Refused {
            status: number,
            code: refusal.error_code,
            report: self.report(ask, &report),
        }
    }

    /// The failure for an answer that does not have MLflow's format.
    pub fn odd(&self, ask: &Ask, error: &serde_json::Error) -> Failure {
        let report = format!(
            "its answer is not MLflow's: {error}. The URI may not be that of an MLflow server"
        );
        Failure::Other(self.report(ask, &report))
    }
}

fn after(failure: Failure, tries: u32) -> Failure {
    let again = |report: String| match tries {
        1 => report,
        _ => format!("{report} It was tried {tries} times."),
    };
    match failure {
        Failure::Refused { status, code, report } => {
            Failure::Refused { status, code, report: again(report) }
        }
        Failure::Other(report) => Failure::Other(again(report)),
        Failure::TooLarge => Failure::TooLarge,
    }
}
