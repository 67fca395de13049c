//! Servers that fail in many ways: each is told in words, asked again where that helps, and no secret is told.

use std::io::Write;
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mlops_tui::tracking::entities::{RunQuery, View};
use mlops_tui::tracking::filter::{Expr, parse};
use mlops_tui::tracking::follow::{Follower, News};
use mlops_tui::tracking::rest::RestStore;
use mlops_tui::tracking::{Location, ServerUri, Store, TrackingError};

use crate::breaking::request;

pub const PASSWORD: &str = "pw.of-Ada/19";
pub const TOKEN: &str = "Tk-of-Ada-2077";

/// What the server sends for one request.
#[derive(Clone)]
pub enum Reply {
    /// A status line with further headers, and a body.
    Answer(&'static str, String),
    /// Fewer bytes than promised.
    Half,
    /// A body without an end.
    Endless,
    /// Nothing for so long.
    Slow(Duration),
}

pub fn ok(body: &str) -> Reply {
    Reply::Answer("200 OK", body.to_owned())
}

/// A server that answers each request with the next reply, the last one again and again; and the requests.
pub fn serve(replies: Vec<Reply>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        let mut replies = replies.into_iter().peekable();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let request = request(&mut stream);
            let Some(reply) = replies.peek().cloned() else { return };
            replies.next();
            if replies.peek().is_none() {
                replies = vec![reply.clone()].into_iter().peekable();
            }
            let _ = sender.send(request);
            // The client may have gone.
            let _ = send(&mut stream, &reply);
        }
    });
    (format!("http://{address}"), requests)
}

pub fn send(stream: &mut impl Write, reply: &Reply) -> std::io::Result<()> {
    match reply {
        Reply::Answer(head, body) => {
            let length = match head.contains("Content-Length") {
                true => String::new(),
                false => format!("Content-Length: {}\r\n", body.len()),
            };
            write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n{length}\r\n{body}")
        }
        Reply::Half => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{{\"experiments\": [")
        }
        Reply::Endless => {
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            let blanks = vec![b' '; 1 << 20];
            loop {
                stream.write_all(&blanks)?;
            }
        }
        Reply::Slow(time) => {
            std::thread::sleep(*time);
            Ok(())
        }
    }
}

pub fn open(uri: &str, more: &[(&str, &str)]) -> RestStore {
    let variable = |name: &str| {
        let all = [
            ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2"),
            ("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0.05"),
        ];
        let found = more.iter().chain(&all).find(|(other, _)| *other == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    RestStore::open_with(&ServerUri::new(uri), None, &variable).unwrap()
}

fn experiments(store: &RestStore) -> Result<Vec<String>, TrackingError> {
    let found = store.experiments(&Expr::default(), &[], View::Active, 0)?;
    Ok(found.items.into_iter().map(|experiment| experiment.id).collect())
}

fn told(store: &RestStore) -> String {
    let text = experiments(store).unwrap_err().to_string();
    for secret in [PASSWORD, TOKEN, "cHcub2", "YWRhOn"] {
        assert!(!text.contains(secret), "{text}");
        assert!(!format!("{store:?}").contains(secret));
    }
    text
}

#[test]
fn refused_credentials_are_named_and_not_shown() {
    let ada = [("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", PASSWORD)];
    let echo = |secret| format!("{{\"error_code\": \"X\", \"message\": \"not {secret}\"}}");
    let (uri, requests) = serve(vec![Reply::Answer("401 Unauthorized", echo(PASSWORD))]);
    assert_eq!(
        told(&open(&uri, &ada)),
        format!(
            "{uri}: api/2.0/mlflow/experiments/search: it refuses access (401: not <redacted>); \
             the user name and password of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD were sent. \
             Check them, or ask who runs the server."
        )
    );
    let sent = requests.recv().unwrap();
    assert!(sent.to_lowercase().contains("authorization: basic ywrhonb3lm9mluf"), "{sent}");

    let token = [("MLFLOW_TRACKING_TOKEN", TOKEN)];
    let (uri, requests) = serve(vec![Reply::Answer("403 Forbidden", echo(TOKEN))]);
    let text = told(&open(&uri, &token));
    assert!(text.contains("it does not permit this (403: not"), "{text}");
    assert!(
        text.contains("the token of MLFLOW_TRACKING_TOKEN was sent. It may have expired"),
        "{text}"
    );
    assert!(requests.recv().unwrap().contains(&format!("Bearer {TOKEN}")));

    let (uri, requests) = serve(vec![Reply::Answer("401 Unauthorized", "<html>".into())]);
    let with_password =
        uri.replace("http://", &format!("http://ada:{}@", PASSWORD.replace('/', "%2F")));
    let text = told(&open(&with_password, &token));
    assert!(
        text.contains(
            "(401: Unauthorized); the user name and password of the tracking URI were sent"
        )
    );
    assert!(requests.recv().unwrap().contains("Basic YWRhOnB3"));
    assert!(text.starts_with(&uri), "{text}");
}

#[test]
fn what_passes_is_asked_again() {
    let fine = ok(r#"{"experiments": [{"experiment_id": "7", "name": "x"}]}"#);
    let busy = Reply::Answer("429 Too Many\r\nRetry-After: 1", String::new());
    let (uri, requests) = serve(vec![busy.clone(), fine.clone()]);
    let start = Instant::now();
    assert_eq!(experiments(&open(&uri, &[])).unwrap(), ["7"]);
    assert!(start.elapsed() >= Duration::from_secs(1), "Retry-After is heeded");
    assert_eq!(requests.try_iter().count(), 2);

    let (uri, _) = serve(vec![Reply::Answer("500 Oops", "{}".into()), Reply::Half, fine]);
    assert_eq!(experiments(&open(&uri, &[])).unwrap(), ["7"]);

    let (uri, requests) = serve(vec![Reply::Answer("503 Down", "later".into())]);
    let text = told(&open(&uri, &[]));
    assert!(text.ends_with("it answers with 503: later. It was tried 3 times."), "{text}");
    assert_eq!(requests.try_iter().count(), 3);

    // Nobody waits for an hour.
    let (uri, _) = serve(vec![Reply::Answer("429 Too Many\r\nRetry-After: 3600", String::new())]);
    let start = Instant::now();
    assert!(told(&open(&uri, &[])).contains("it is asked too often (429"));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn answers_that_are_not_mlflows_are_told() {
    for (reply, said) in [
        (Reply::Half, "experiments/search: its answer ends too early: "),
        (ok("<html>login</html>"), "its answer is not MLflow's: expected value"),
        (ok("[]"), "its answer is not MLflow's: invalid type"),
        (ok(r#"{"experiments": {}}"#), "its answer is not MLflow's: invalid type: map"),
        (ok(r#"{"experiments": [{"experiment_id": 5}]}"#), "invalid type: integer `5`"),
        (ok(r#"{"experiments": [{"name": "x"}]}"#), "missing field `experiment_id`"),
        (
            ok(r#"{"experiments": [{"experiment_id": "1", "creation_time": "x"}]}"#),
            "`x` is no whole number",
        ),
        (ok(r#"{"next_page_token": "again"}"#), "its list does not end"),
        (Reply::Answer("404 Not Found", "<html>".into()), "it has no such page (404)"),
    ] {
        let (uri, _) = serve(vec![reply]);
        let text = told(&open(&uri, &[]));
        assert!(text.contains(said), "{text}");
    }
    let (uri, _) = serve(vec![ok("<html>")]);
    assert!(open(&uri, &[]).info().unwrap_err().to_string().contains("no version of MLflow"));
}

#[test]
fn an_answer_is_read_in_bounded_memory_and_time() {
    let (uri, _) = serve(vec![Reply::Endless]);
    let text = open(&uri, &[]).run("a").unwrap_err().to_string();
    assert!(text.contains("its answer is larger than 256 MiB"), "{text}");

    let (uri, _) = serve(vec![Reply::Slow(Duration::from_secs(5))]);
    let few = [("MLFLOW_HTTP_REQUEST_TIMEOUT", "0.3"), ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")];
    let start = Instant::now();
    let text = told(&open(&uri, &few));
    assert!(start.elapsed() < Duration::from_secs(3));
    assert!(text.contains("no answer within 0.3 s. MLFLOW_HTTP_REQUEST_TIMEOUT sets"), "{text}");
}

#[test]
fn what_is_no_server_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = told(&open(&format!("http://{closed}"), &[]));
    assert!(text.contains("no connection: "), "{text}");
    assert!(text.contains("Check that the server runs"), "{text}");

    // It speaks no TLS.
    let (uri, _) = serve(vec![ok("")]);
    let text = told(&open(&uri.replace("http:", "https:"), &[]));
    assert!(text.contains("no secure connection: "), "{text}");
    assert!(text.contains("MLFLOW_TRACKING_SERVER_CERT_PATH"), "{text}");

    let wrong = |name: &str| {
        (name == "MLFLOW_TRACKING_SERVER_CERT_PATH").then(|| "/nowhere/ca.pem".to_owned())
    };
    let refused = RestStore::open_with(&ServerUri::new("https://h"), None, &wrong).unwrap_err();
    assert!(refused.to_string().contains("MLFLOW_TRACKING_SERVER_CERT_PATH: /nowhere/ca.pem"));

    let database = ServerUri::new(format!("postgresql+psycopg2://ada:{PASSWORD}@db/mlflow"));
    let refused = Store::open(&Location::Server(database), None).unwrap_err().to_string();
    assert!(refused.contains("`mlflow server --backend-store-uri"), "{refused}");
    assert!(!refused.contains(PASSWORD), "{refused}");
    let databricks = Location::Server(ServerUri::new("databricks"));
    let refused = Store::open(&databricks, None).unwrap_err().to_string();
    assert!(refused.starts_with("databricks: Databricks is not supported."), "{refused}");
}

#[test]
fn pages_follow_each_other_and_grow_smaller_when_they_are_too_large() {
    let run =
        |id: &str| format!(r#"{{"info": {{"run_id": "{id}", "lifecycle_stage": "active"}}}}"#);
    let first = ok(&format!(r#"{{"runs": [{}], "next_page_token": "t1"}}"#, run("a")));
    let large = Reply::Answer("200 OK\r\nContent-Length: 999999999999", String::new());
    let last = ok(&format!(r#"{{"runs": [{}]}}"#, run("b")));
    let (uri, requests) = serve(vec![first, large, last]);
    let query = RunQuery { experiments: Some(vec!["1".into()]), ..RunQuery::default() };
    let found = open(&uri, &[]).search_runs(&query).unwrap();
    assert_eq!(found.items.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let requests: Vec<String> = requests.try_iter().collect();
    assert!(requests[0].contains(r#""max_results":10000"#), "{}", requests[0]);
    assert!(
        requests[2].contains(r#""max_results":1250"#)
            && requests[2].contains(r#""page_token":"t1""#)
    );
}

#[test]
fn a_filter_that_an_older_server_refuses_is_looked_at_here() {
    let refusal = r#"{"error_code": "INVALID_PARAMETER_VALUE", "message": "Invalid clause(s)"}"#;
    let run = |id: &str, key: &str| {
        format!(
            r#"{{"info": {{"run_id": "{id}"}}, "data": {{"params": [{{"key": "{key}", "value": "1"}}]}}}}"#
        )
    };
    let all = ok(&format!(r#"{{"runs": [{}, {}]}}"#, run("a", "x"), run("b", "y")));
    let (uri, requests) = serve(vec![Reply::Answer("400 Bad", refusal.into()), all]);
    let filter = parse(mlops_tui::tracking::filter::Entity::Run, "params.x IS NULL").unwrap();
    let query = RunQuery { experiments: Some(vec!["1".into()]), filter, ..RunQuery::default() };
    let found = open(&uri, &[]).search_runs(&query).unwrap();
    assert_eq!(found.items.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(requests.recv().unwrap().contains("params.`x` IS NULL"));
}

/// A server that answers each request as it is told.
fn answering(answer: impl Fn(&str) -> Reply + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let reply = answer(&request(&mut stream));
            // The client may have gone.
            let _ = send(&mut stream, &reply);
        }
    });
    format!("http://{address}")
}

/// What a server holds: how its run stands with the latest step, the steps of the metric, what it fails at.
#[derive(Clone, Default)]
struct Held {
    run: Option<(&'static str, i64)>,
    steps: Vec<i64>,
    fails_at: &'static str,
}

impl Held {
    fn answer(&self, request: &str) -> Reply {
        if !self.fails_at.is_empty() && request.contains(self.fails_at) {
            return Reply::Answer("503 Service Unavailable", String::new());
        }
        let point = |step: &i64| {
            format!(r#"{{"key": "loss", "value": 0.{step}, "step": {step}, "timestamp": {step}}}"#)
        };
        let points = |steps: &[i64]| {
            let points: Vec<String> = steps.iter().map(point).collect();
            ok(&format!(r#"{{"metrics": [{}]}}"#, points.join(", ")))
        };
        let run = self.run.map(|(status, step)| {
            format!(
                r#"{{"info": {{"run_id": "r", "run_name": "n", "experiment_id": "0", "status": "{status}",
                "start_time": 4000000000000, "lifecycle_stage": "active"}}, "data": {{"metrics": [{}]}}}}"#,
                point(&step)
            )
        });
        match request {
            request if request.contains("experiments/search") => {
                ok(r#"{"experiments": [{"experiment_id": "0", "name": "Default"}]}"#)
            }
            request if request.contains("bulk-interval") => {
                let at = |name: &str| -> i64 {
                    let rest = request.split(&format!("{name}=")).nth(1).unwrap();
                    rest.split(['&', ' ']).next().unwrap().parse().unwrap()
                };
                let inside = at("start_step")..=at("end_step");
                let steps = self.steps.iter().copied().filter(|step| inside.contains(step));
                points(&steps.collect::<Vec<i64>>())
            }
            request if request.contains("get-history") => points(&self.steps),
            request if request.contains("runs/get") => {
                ok(&format!(r#"{{"run": {}}}"#, run.unwrap_or_default()))
            }
            request => {
                let is_asked = !request.contains("RUNNING")
                    || self.run.is_some_and(|(status, _)| status == "RUNNING");
                let run = run.filter(|_| is_asked).unwrap_or_default();
                ok(&format!(r#"{{"runs": [{run}]}}"#))
            }
        }
    }
}

#[test]
fn following_goes_on_after_a_failure_and_reports_each_point_once() {
    let held = Arc::new(Mutex::new(Held::default()));
    let of_server = held.clone();
    let uri = answering(move |request| of_server.lock().unwrap().answer(request));
    let mut follower = Follower::open(&Location::Server(ServerUri::new(uri)), None).unwrap();
    let mut look = |now: Held| -> Result<Vec<String>, TrackingError> {
        *held.lock().unwrap() = now;
        let word = |news| match news {
            News::Run(run) => run.status,
            News::Metric { point, .. } => point.step.to_string(),
            other => format!("{other:?}"),
        };
        Ok(follower.poll()?.into_iter().map(word).collect())
    };
    let running = |steps: std::ops::RangeInclusive<i64>, fails_at| Held {
        run: Some(("RUNNING", *steps.end())),
        steps: steps.collect(),
        fails_at,
    };
    let failed = look(running(0..=1, "runs/search")).unwrap_err().to_string();
    assert!(failed.contains("503") && !failed.contains("tried"), "{failed}");
    // Its metric can't be read at first.
    assert_eq!(look(running(0..=1, "get-history")).unwrap(), ["RUNNING"]);
    assert!(look(running(0..=1, "get-history")).is_err());
    assert_eq!(look(running(0..=1, "")).unwrap(), ["0", "1"]);
    assert!(look(running(0..=1, "")).unwrap().is_empty());
    assert_eq!(look(running(0..=3, "")).unwrap(), ["2", "3"]);
    // More than one answer holds.
    let many = look(running(0..=6_000, "")).unwrap();
    assert_eq!(many.len(), 5_997);
    assert!(std::iter::zip(4.., &many).all(|(step, found)| *found == i64::to_string(&step)));
    let ended = Held { run: Some(("FINISHED", 6_001)), ..running(0..=6_001, "") };
    assert_eq!(look(ended.clone()).unwrap(), ["6001", "FINISHED"]);
    assert!(look(ended).unwrap().is_empty());
}
