//! Runs of a real server watched together, also when its clock is 10 minutes off; and scripted servers that ask to be left alone
//! or give their lists in no order.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use mlops_tui::remote::model::{RunId, Submission};
use mlops_tui::remote::{AirflowServer, Backend, News, RemoteError, Watcher};
use serde_json::json;

use crate::airflow::{ADMIN, Version};
use crate::breaking::request;
use crate::client::User;
use crate::faults::{client, profile, scripted};
use crate::server;

#[test]
fn runs_of_airflow_3_are_watched_together() {
    together(Version::Three);
}

#[test]
fn runs_of_airflow_2_are_watched_together() {
    together(Version::Two);
}

/// The latest state and try of each task, and the state of each run, by what was told.
type Known = HashMap<(RunId, String), String>;

/// Looks once, and notes the news. The same news twice is an error.
fn look(watcher: &mut Watcher, backend: &dyn Backend, known: &mut Known) -> usize {
    let seen = watcher.look(backend).unwrap();
    assert!(seen.failed.is_empty(), "{:?}", seen.failed);
    let count = seen.news.len();
    for (id, news) in seen.news {
        let (name, state) = match news {
            News::Run(run) => (String::new(), run.state.name),
            News::Task(task) => (task.name(), format!("{} {}", task.state.name, task.attempt)),
        };
        let old = known.insert((id, name.clone()), state.clone());
        assert_ne!(old.as_ref(), Some(&state), "{name} twice");
    }
    count
}

fn to_the_end(watcher: &mut Watcher, backend: &dyn Backend, known: &mut Known) {
    let start = Instant::now();
    while !watcher.is_idle() {
        look(watcher, backend, known);
        assert!(start.elapsed() < Duration::from_secs(120), "{watcher:?}");
        std::thread::sleep(watcher.pause().min(Duration::from_secs(2)));
    }
}

fn together(version: Version) {
    let airflow = server(version);
    let ada = User::of(&airflow, ADMIN);
    ["three_tasks", "slow"].iter().for_each(|dag| ada.unpause(dag));
    for (shift, name) in [(0, "watched"), (600, "ahead"), (-600, "behind")] {
        let mut profile = profile(&shifted(&airflow.address(), shift), ADMIN.1);
        // Failures have tests of their own.
        profile.timeout = Duration::from_secs(60);
        watch(&ada, &AirflowServer::new(&profile).unwrap(), name);
    }
}

fn watch(ada: &User, client: &AirflowServer, name: &str) {
    let ids = [("three_tasks", 1), ("three_tasks", 2), ("slow", 3)];
    let ids = ids.map(|(dag, n)| RunId { pipeline: dag.into(), run: format!("{name}-{n}") });
    let began = client.changes(None, None).unwrap().next;
    for id in &ids {
        let (pipeline, run) = (id.pipeline.clone(), id.run.clone());
        client.submit(&Submission { pipeline, id: run, conf: json!({}), note: None }).unwrap();
    }
    let (mut watcher, mut known) = (Watcher::new(), Known::new());
    watcher.watch(ids.clone());
    to_the_end(&mut watcher, client, &mut known);
    for id in &ids {
        // What was told is what the server says of each run by itself.
        let state = client.run(id).unwrap().state.name;
        assert_eq!(known[&(id.clone(), String::new())], state);
        for task in client.tasks(id).unwrap() {
            let state = format!("{} {}", task.state.name, task.attempt);
            assert_eq!(known[&(id.clone(), task.name())], state, "{}", task.name());
        }
    }
    // Runs that were there before are changes too for somebody who was away for two hours, and each row comes once however many
    // pages there are. A time that the server has not reached yet has none.
    let since = |seconds: f64| client.changes(None, Some(began + seconds)).unwrap();
    let hours = since(-7_200.0);
    for id in &ids {
        assert!(hours.runs.iter().any(|run| run.id == *id));
        let own = hours.tasks.iter().filter(|(run, _)| run == id).count();
        assert_eq!(own, client.tasks(id).unwrap().len());
    }
    assert!(since(600.0 + 120.0).tasks.is_empty() && since(0.0).tasks.len() <= hours.tasks.len());
    let own = client.changes(Some("slow"), Some(began)).unwrap();
    assert!(own.runs.iter().all(|run| run.id.pipeline == "slow") && !own.tasks.is_empty());

    // Away while a failed run is run again.
    client.retry(&ids[2]).unwrap();
    ada.until(&format!("dags/slow/dagRuns/{name}-3"), |run| run["state"] == "failed");
    let before = known.clone();
    look(&mut watcher, client, &mut known);
    let task = (ids[2].clone(), "break_down".to_owned());
    assert_eq!((before[&task].as_str(), known[&task].as_str()), ("failed 1", "failed 2"));
}

/// The address of a proxy before a server that makes its clock differ by so many seconds.
fn shifted(server: &str, seconds: i64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let server = server.clone();
            std::thread::spawn(move || pass(stream.unwrap(), &server, seconds));
        }
    });
    format!("http://{address}")
}

fn pass(mut stream: TcpStream, server: &str, seconds: i64) {
    let shift = SignedDuration::from_secs(seconds);
    let asked = request(&mut stream).replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let asked = regex::Regex::new("updated_at_gte=([^& ]*)").unwrap().replace(
        &asked,
        |found: &regex::Captures<'_>| {
            let time = percent_encoding::percent_decode_str(&found[1]).decode_utf8().unwrap();
            format!("updated_at_gte={}", time.parse::<Timestamp>().unwrap() - shift)
        },
    );
    let mut upstream = TcpStream::connect(server).unwrap();
    upstream.write_all(asked.as_bytes()).unwrap();
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let date = regex::Regex::new("(?im)^date: (.*?)\r?$").unwrap();
    let head = date.replace(head, |found: &regex::Captures<'_>| {
        let time = jiff::fmt::rfc2822::parse(&found[1]).unwrap().timestamp() + shift;
        let printer = jiff::fmt::rfc2822::DateTimePrinter::new();
        format!("Date: {}\r", printer.timestamp_to_rfc9110_string(&time).unwrap())
    });
    // The client may have gone.
    let _ = write!(stream, "{head}\r\n\r\n{body}");
}

#[test]
fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let pause = |answer: &'static str| {
        let client = client(&scripted(vec![answer]));
        let mut watcher = Watcher::new();
        watcher.watch([RunId { pipeline: "d".into(), run: "r".into() }]);
        watcher.look(&client).unwrap_err();
        watcher.pause()
    };
    let two_minutes = Duration::from_secs(110)..=Duration::from_secs(120);
    assert!(two_minutes.contains(&pause("429 Too Many Requests\r\nRetry-After: 120\n")));
    // A date counts from the server's own, whatever this machine's clock says.
    let dates = "503 Service Unavailable\r\nDate: Fri, 01 Dec 2000 08:00:00 GMT\r\nRetry-After: Fri, 01 Dec 2000 08:02:00 GMT\n";
    assert!(two_minutes.contains(&pause(dates)));
    assert!(pause("429 Too Many Requests\r\nRetry-After: 86400\n") <= Duration::from_secs(900));
}

#[test]
fn rows_that_move_between_pages_are_read_again() {
    // The list of task instances has two rows and shows the first one twice at the first reading.
    let row = |task: &str| {
        format!("{{\"dag_id\": \"d\", \"dag_run_id\": \"r\", \"task_id\": \"{task}\"}}")
    };
    let page = |task: &str| {
        let text = format!(
            "200 OK\r\nDate: Tue, 01 Dec 2026 08:00:00 GMT\n{{\"task_instances\": [{}], \"total_entries\": 2}}",
            row(task)
        );
        &*text.leak()
    };
    let runs =
        "200 OK\r\nDate: Tue, 01 Dec 2026 08:00:00 GMT\n{\"dag_runs\": [], \"total_entries\": 0}";
    let (a, b) = (page("a"), page("b"));
    let at = "2026-12-01T08:00:00Z".parse::<Timestamp>().unwrap().as_second() as f64;
    let read = |answers: Vec<&'static str>| {
        let changes = client(&scripted(answers)).changes(None, Some(at - 100.0)).unwrap();
        let mut tasks: Vec<String> = changes.tasks.into_iter().map(|(_, task)| task.id).collect();
        tasks.sort();
        tasks.dedup();
        (tasks.concat(), changes.next, changes.requests)
    };
    let (tasks, next, requests) = read(vec![runs, a, b]);
    assert_eq!((tasks.as_str(), requests), ("ab", 3));
    assert!((at - 20.0..=at - 5.0).contains(&next), "{next}");
    assert_eq!(read(vec![runs, a, a, b, a]).0, "ab");
    // What is still missing is asked for again.
    assert_eq!(read(vec![runs, a]), ("a".to_owned(), at - 100.0, 7));
    let undated = client(&scripted(vec!["200 OK\n{\"dag_runs\": []}"])).changes(None, None);
    assert!(matches!(undated, Err(RemoteError::Unable(_))), "{undated:?}");
}
