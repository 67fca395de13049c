//! Real servers behind a proxy that breaks answers, and a server that is restarted: the run that is followed ends right, and
//! nothing is submitted twice. Single failures come from a server that answers what a test has prepared.

use std::io::Write;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use mlops_tui::remote::model::{Phase, RunId, RunsQuery, Submission};
use mlops_tui::remote::{
    AirflowServer as Client, Backend, Credentials, Engine, Follower, Profile, RemoteError,
};
use serde_json::json;

use crate::airflow::{ADMIN, Version};
use crate::breaking::{proxy, request};
use crate::client::User;
use crate::server;

pub fn profile(url: &str, password: &str) -> Profile {
    Profile {
        name: "prod".into(),
        engine: Engine::Airflow,
        url: url.into(),
        credentials: (
            Credentials::Basic { user: ADMIN.0.into(), password: password.into() },
            "of_ada".into(),
        ),
        ca: None,
        certificate: None,
        insecure: false,
        proxy: None,
        timeout: Duration::from_secs(2),
        pipelines: IndexMap::new(),
        folder: None,
        place: "conf/base/remote.yml:1".into(),
    }
}

pub fn client(url: &str) -> Client {
    Client::new(&profile(url, ADMIN.1)).unwrap()
}

/// Follows a run to its end, whatever happens in between. Returns the phase of the run and the names of its tasks.
fn to_the_end(client: &Client, id: &RunId) -> (Phase, Vec<String>) {
    let mut follower = Follower::new(id.clone());
    let start = Instant::now();
    while !follower.is_over() {
        match follower.look(client) {
            Ok(_) | Err(RemoteError::Unanswered(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{follower:?}");
        std::thread::sleep(follower.pause().min(Duration::from_secs(2)));
    }
    let names = follower.tasks().iter().map(|task| task.name()).collect();
    (follower.run().unwrap().state.phase, names)
}

#[test]
fn a_broken_connection_loses_and_doubles_nothing_on_airflow_3() {
    through_a_bad_connection(Version::Three);
}

#[test]
fn a_broken_connection_loses_and_doubles_nothing_on_airflow_2() {
    through_a_bad_connection(Version::Two);
}

fn through_a_bad_connection(version: Version) {
    let airflow = server(version);
    let ada = User::of(&airflow, ADMIN);
    ada.unpause("three_tasks");
    let mut all_broken = 0;
    for seed in [7, 1_915] {
        let (url, broken) = proxy(&airflow.address(), seed, |asked| asked);
        let client = client(&url);
        let id = RunId { pipeline: "three_tasks".into(), run: format!("broken-{seed}") };
        let submission = Submission {
            pipeline: id.pipeline.clone(),
            id: id.run.clone(),
            conf: json!({"bikes": 7}),
            note: None,
        };
        // The first contact may fail for good; nothing is submitted before it.
        let run = (0..5).find_map(|_| client.submit(&submission).ok()).expect("submitted");
        assert_eq!((&run.id, &run.conf), (&id, &json!({"bikes": 7})));
        let (phase, tasks) = to_the_end(&client, &id);
        assert_eq!(phase, Phase::Succeeded);
        assert_eq!(tasks, ["count", "double[0]", "double[1]", "double[2]", "second_try"]);
        let runs = ada.get("dags/three_tasks/dagRuns?limit=100");
        let own = runs["dag_runs"].as_array().unwrap().iter();
        let own = own.filter(|run| run["dag_run_id"].as_str().unwrap().contains(&id.run)).count();
        assert_eq!(own, 1, "{runs:#}");
        all_broken += broken.load(Ordering::Relaxed);
    }
    assert!(all_broken > 5, "{all_broken} answers were broken");
}

#[test]
fn a_restart_of_the_server_is_survived() {
    let mut airflow = server(Version::Two);
    let ada = User::of(&airflow, ADMIN);
    ada.unpause("three_tasks");
    let client = client(&airflow.address());
    let id = RunId { pipeline: "three_tasks".into(), run: "over-a-restart".into() };
    let (pipeline, run) = (id.pipeline.clone(), id.run.clone());
    client.submit(&Submission { pipeline, id: run, conf: json!({}), note: None }).unwrap();
    let mut follower = Follower::new(id.clone());
    follower.look(&client).unwrap();
    airflow.restart();
    // A task that the restart caught in its queue stays there for minutes, so the run is ended by hand if it goes on.
    let start = Instant::now();
    while let Err(error) = follower.look(&client) {
        assert!(matches!(error, RemoteError::Unanswered(_)), "{error:?}");
        assert!(start.elapsed() < Duration::from_secs(60), "{error:?}");
        std::thread::sleep(Duration::from_millis(500));
    }
    match client.cancel(&id) {
        Ok(()) | Err(RemoteError::Refused(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
    let (phase, tasks) = to_the_end(&client, &id);
    assert!(phase.is_over() && tasks.len() == 5, "{phase:?} {tasks:?}");
}

/// The address of a server that gives these answers, one for each request that is not for its health or a token; the last
/// one again and again.
pub fn scripted(answers: Vec<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut place = 0;
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let asked = request(&mut stream);
            let ok = |body: &str| {
                format!(
                    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            };
            let answer = if asked.contains("/monitor/health") {
                ok("{\"scheduler\": {\"status\": \"healthy\"}}")
            } else if asked.starts_with("POST /auth/token") {
                ok("{\"access_token\": \"eyJ-of-the-script\"}")
            } else {
                let answer = answers[place.min(answers.len() - 1)];
                place += 1;
                match answer.rsplit_once('\n').filter(|_| !answer.starts_with("HTTP")) {
                    Some((status, body)) => format!(
                        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    ),
                    None => answer.to_owned(),
                }
            };
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

const RUN: &str =
    "200 OK\n{\"dag_id\": \"d\", \"dag_run_id\": \"r\", \"state\": \"running\", \"color\": {}}";

fn run_of(answers: Vec<&'static str>) -> Result<String, RemoteError> {
    let id = RunId { pipeline: "d".into(), run: "r".into() };
    client(&scripted(answers)).run(&id).map(|run| run.state.name)
}

#[test]
fn what_passes_is_asked_again() {
    let good = Ok("running".to_owned());
    assert_eq!(run_of(vec!["429 Too Many Requests\r\nRetry-After: 0\n", RUN]), good);
    assert_eq!(run_of(vec!["503 Service Unavailable\n<html>", "502 Bad Gateway\n", RUN]), good);
    assert_eq!(run_of(vec!["500 Internal Server Error\n{}", RUN]), good);
    assert_eq!(run_of(vec!["HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"dag", RUN]), good);
    assert_eq!(run_of(vec!["", RUN]), good, "a connection that ends without an answer");
    // The token has ended; a new one is made.
    assert_eq!(run_of(vec!["401 Unauthorized\n{\"detail\": \"expired\"}", RUN]), good);
    assert_eq!(run_of(vec!["403 Forbidden\n{\"detail\": \"Invalid JWT token\"}", RUN]), good);
    let odd = "200 OK\n{\"dag_id\": \"d\", \"dag_run_id\": \"r\", \"state\": \"polished\"}";
    let id = RunId { pipeline: "d".into(), run: "r".into() };
    let run = client(&scripted(vec![odd])).run(&id).unwrap();
    assert_eq!((run.state.name.as_str(), run.state.phase), ("polished", Phase::Unknown));
}

#[test]
fn each_failure_has_its_kind_and_words() {
    let error = |answers: Vec<&'static str>| run_of(answers).unwrap_err();
    let is = |error: &RemoteError, words: &str| {
        let text = error.to_string();
        assert!(text.starts_with("prod: ") && text.contains(words), "{text}");
        assert!(!text.contains(ADMIN.1) && !text.contains("eyJ"), "{text}");
    };
    let found = error(vec!["403 Forbidden\n{\"detail\": \"Forbidden\"}"]);
    assert!(matches!(found, RemoteError::Forbidden(_)), "{found:?}");
    is(&found, "this user may not do this");
    let found = error(vec!["401 Unauthorized\n{\"detail\": \"pw-of-Ada/1915 eyJ-of-the-script\"}"]);
    assert!(matches!(found, RemoteError::Credentials(_)), "{found:?}");
    is(&found, "check `of_ada` in credentials.yml");
    let found = error(vec!["404 Not Found\n{\"detail\": \"The DagRun was not found\"}"]);
    assert!(matches!(found, RemoteError::Missing(_)), "{found:?}");
    is(&found, "The DagRun was not found");
    let found = error(vec!["500 Internal Server Error\n<html>"]);
    assert!(matches!(found, RemoteError::Unanswered(_)), "{found:?}");
    is(&found, "it answers with 500: no reason is given");
    let found = error(vec!["302 Found\r\nLocation: http://elsewhere/\n"]);
    assert!(matches!(found, RemoteError::Refused(_)), "{found:?}");
    is(&found, "Check `url` in conf/base/remote.yml:1");
    let found = error(vec!["200 OK\n<html>welcome"]);
    assert!(matches!(found, RemoteError::Unanswered(_)), "{found:?}");
    is(&found, "is not understood");
    let found = error(vec![
        "422 Unprocessable\n{\"detail\": [{\"loc\": [\"body\", \"conf\"], \"msg\": \"bad\"}]}",
    ]);
    is(&found, "conf: bad (422)");
    let nobody = Client::new(&profile("http://127.0.0.1:9", "pw")).unwrap();
    is(&nobody.runs(&RunsQuery::default()).unwrap_err(), "no connection to http://127.0.0.1:9");
}

#[test]
fn a_submission_is_sent_again_only_when_it_has_not_arrived() {
    let submission =
        Submission { pipeline: "d".into(), id: "r".into(), conf: json!({}), note: None };
    let submit = |answers: Vec<&'static str>| {
        client(&scripted(answers)).submit(&submission).map(|run| run.state.name)
    };
    let (missing, exists) =
        ("404 Not Found\n{\"detail\": \"none\"}", "409 Conflict\n{\"detail\": \"exists\"}");
    // The answer is lost, and the run is there.
    assert_eq!(submit(vec!["", RUN]), Ok("running".into()));
    // Neither the answer nor the run: it is sent again; then it is there after all.
    assert_eq!(submit(vec!["", missing, exists, RUN]), Ok("running".into()));
    assert_eq!(submit(vec!["", missing, RUN]), Ok("running".into()));
    // A run with this id was there before.
    assert!(matches!(submit(vec![exists]), Err(RemoteError::Conflict(_))));
    assert!(matches!(
        submit(vec!["", missing, "", missing, "", missing]),
        Err(RemoteError::Unanswered(_))
    ));
}
