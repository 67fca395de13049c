//! Following runs on an engine: a watcher of 200 runs with 100 tasks each, the list of 10,000 runs, a regular expression over a
//! million lines of logs, and the grid of 25 runs with 1,000 tasks each. The server is a process of its own that answers with the
//! rows that a real Airflow 3 gave (`tests/remote/answers`), many times over; twenty tasks change each second.
//!
//!     cargo bench --bench remote

#[path = "../tests/common/mod.rs"]
mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::app::TestApp;
use mlops_tui::app::event::Report;
use mlops_tui::app::screens::remote::asked::{Answer, Profile as Row};
use mlops_tui::remote::model::{LogLine, Run, RunId, RunsQuery, Task};
use mlops_tui::remote::search::matching;
use mlops_tui::remote::{AirflowServer, Backend, Credentials, Engine, Profile, Watcher};
use mlops_tui::ui;
use mlops_tui::ui::color::Depth;
use mlops_tui::ui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use regex::Regex;
use serde_json::{Value, json};

const RUNS: usize = 200;
const TASKS: usize = 100;
/// Tasks that change in a second.
const CHANGES: f64 = 20.0;
/// How long the watcher is measured, once it knows all runs.
const MEASURED: Duration = Duration::from_secs(30);
/// Runs of the grid, and their tasks.
const GRID: (usize, usize) = (25, 1_000);
const LISTED: usize = 10_000;
const LINES: usize = 1_000_000;

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    let mut server = Command::new(std::env::current_exe().expect("this program"))
        .arg("--serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server");
    let mut address = String::new();
    BufReader::new(server.stdout.as_mut().expect("its output"))
        .read_line(&mut address)
        .expect("its address");
    println!("| what | result | wanted |\n|---|---:|---:|");
    let client = client(address.trim());
    list(&client);
    search();
    grid(&client);
    watch(&client);
    server.kill().expect("ended");
    server.wait().expect("gone");
}

fn client(url: &str) -> AirflowServer {
    let profile = Profile {
        name: "bench".into(),
        engine: Engine::Airflow,
        url: url.into(),
        credentials: (Credentials::Token("token".into()), String::new()),
        ca: None,
        certificate: None,
        insecure: false,
        proxy: None,
        timeout: Duration::from_secs(30),
        pipelines: Default::default(),
        folder: None,
        place: String::new(),
    };
    AirflowServer::new(&profile).expect("a client")
}

fn list(client: &AirflowServer) {
    let begin = Instant::now();
    let runs = client.runs(&RunsQuery { pipeline: Some("listed".into()), ..RunsQuery::default() });
    let took = begin.elapsed().as_secs_f64();
    assert_eq!(runs.expect("a list").len(), LISTED);
    println!("| a list of {LISTED} runs | {:.0} ms | 1,000 ms |", took * 1e3);
}

fn search() {
    let line = |number: usize| LogLine {
        at: None,
        level: None,
        text: format!(
            "epoch {} batch {} loss={:.6} rows {}",
            number / 1_000,
            number % 1_000,
            (number * 7_919 % 9_973) as f64 / 9_973.0,
            number * 31 % 4_096
        ),
    };
    let lines: Vec<LogLine> = (0..LINES).map(line).collect();
    for pattern in [
        "Error|Traceback",
        ".*Error: .*",
        r"loss=0\.9+\d",
        r"batch \d*7 .*rows 40\d\d$",
        "(?i)EPOCH 99 ",
    ] {
        let pattern = Regex::new(pattern).expect("a pattern");
        let mut times: Vec<Duration> = (0..9)
            .map(|_| {
                let begin = Instant::now();
                std::hint::black_box(matching(&lines, &pattern));
                begin.elapsed()
            })
            .collect();
        times.sort_unstable();
        let median = times[4].as_secs_f64() * 1e3;
        let text = pattern.as_str().replace('|', "\\|");
        println!("| `{text}` over {LINES} lines | {median:.0} ms | 100 ms |");
    }
}

/// From the answers of the server to a frame: reading them, as what this process uses of the processor, and the program from then on.
fn grid(client: &AirflowServer) {
    let of = |run: usize| RunId { pipeline: "grid".into(), run: run.to_string() };
    let before = cpu_seconds();
    let read = |run| (client.run(&of(run)).expect("a run"), client.tasks(&of(run)).expect("tasks"));
    let answers: Vec<(Run, Vec<Task>)> = (0..GRID.0).map(read).collect();
    let read = cpu_seconds() - before;
    let mut app = TestApp::open(200, 60);
    app.report(Report::Trust(true));
    app.keys("7");
    let profile = Row {
        name: "bench".into(),
        engine: Engine::Airflow,
        url: String::new(),
        place: String::new(),
        folder: None,
        pipelines: Vec::new(),
        unable: Vec::new(),
        broken: None,
    };
    let mut answer = |answer| app.report(Report::Remote(Box::new(answer)));
    answer(Answer::Profiles(vec![profile], Vec::new()));
    let runs = answers.iter().map(|(run, _)| run.clone()).collect();
    answer(Answer::Runs { profile: "bench".into(), runs, all: true });
    app.keys("<enter><tab><tab>");
    let theme = Theme::built_in("dark", Depth::True);
    let mut terminal = Terminal::new(TestBackend::new(200, 60)).expect("a terminal in memory");
    let begin = Instant::now();
    for (run, tasks) in answers {
        let answer = Answer::Run { profile: "bench".into(), run: Box::new(run), tasks };
        app.report(Report::Remote(Box::new(answer)));
    }
    terminal.draw(|frame| ui::draw(frame, &app.state, &theme)).expect("drawn");
    let shown = begin.elapsed().as_secs_f64();
    let page = app.state.remote.run_page().expect("the page of a run");
    assert_eq!((page.grid.cells.len(), page.grid.tasks.len()), GRID);
    println!(
        "| the grid of {} tasks x {} runs: reading the answers, then the frame | {:.0} + {:.0} ms | 300 ms |",
        GRID.1,
        GRID.0,
        read * 1e3,
        shown * 1e3
    );
}

fn watch(client: &AirflowServer) {
    let mut watcher = Watcher::new();
    watcher.watch((0..RUNS).map(|run| RunId { pipeline: "watched".into(), run: run.to_string() }));
    let begin = Instant::now();
    let is_known = |watcher: &Watcher| {
        (0..RUNS).all(|run| {
            let id = RunId { pipeline: "watched".into(), run: run.to_string() };
            watcher.get(&id).is_some_and(|run| run.tasks().len() == TASKS)
        })
    };
    while !is_known(&watcher) {
        watcher.look(client).expect("an answer");
        std::thread::sleep(watcher.pause());
    }
    println!(
        "| {RUNS} runs x {TASKS} tasks are known | {:.0} s | |",
        begin.elapsed().as_secs_f64()
    );
    let (begin, before, cpu) = (Instant::now(), requests(client), cpu_seconds());
    let mut news = 0;
    while begin.elapsed() < MEASURED {
        news += watcher.look(client).expect("an answer").news.len();
        std::thread::sleep(watcher.pause());
    }
    let took = begin.elapsed().as_secs_f64();
    let rate = (requests(client) - before) as f64 / took;
    println!(
        "| requests while they are watched, {:.0} changes a second | {rate:.1} a second | 5 a second |",
        news as f64 / took
    );
    println!("| share of a core | {:.1} % | 2 % |", (cpu_seconds() - cpu) / took * 100.0);
}

/// How many requests the server has answered.
fn requests(client: &AirflowServer) -> u64 {
    let id = RunId { pipeline: "counted".into(), run: "r".into() };
    client.run(&id).expect("a count").conf.as_u64().expect("a number")
}

/// What this process has used of the processor (Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<f64> = rest.split(' ').filter_map(|field| field.parse().ok()).collect();
    // The state is no number; user and system time are the 14th and 15th fields, in hundredths.
    fields.get(10..12).map_or(f64::NAN, |times| times.iter().sum::<f64>() / 100.0)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64()
}

/// The rows that are served, made from recorded ones.
struct Rows {
    run: Value,
    task: Value,
}

impl Rows {
    fn recorded() -> Self {
        let read = |name: &str| -> Value {
            let root = env!("CARGO_MANIFEST_DIR");
            let path = format!("{root}/tests/remote/answers/airflow-3/{name}.json");
            let text = std::fs::read_to_string(path).expect("a recorded answer");
            serde_json::from_str::<Value>(&text).expect("JSON")["answer"].take()
        };
        Rows {
            run: read("run-running"),
            task: read("task-instances-running")["task_instances"][0].take(),
        }
    }

    fn run(&self, dag: &str, number: usize) -> Value {
        let mut run = self.run.clone();
        (run["dag_id"], run["dag_run_id"]) = (dag.into(), number.to_string().into());
        run
    }

    /// A task, by its number among all. Its try says how often it has changed.
    fn task(&self, number: usize, at: f64) -> Value {
        let mut task = self.task.clone();
        task["dag_id"] = "watched".into();
        task["dag_run_id"] = (number / TASKS).to_string().into();
        task["task_id"] = format!("task_{:02}", number % TASKS).into();
        let count = (at * CHANGES) as usize;
        let tries = (count + RUNS * TASKS - number) / (RUNS * TASKS) % 1_000_000;
        task["try_number"] = tries.into();
        task
    }

    fn answer(&self, path: &str, count: u64) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let value = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let number = |name| value(name).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
        let page = |key: &str, rows: Vec<usize>, of: &dyn Fn(usize) -> Value| {
            let part = rows.iter().skip(number("offset")).take(number("limit"));
            json!({key: part.map(|row| of(*row)).collect::<Vec<_>>(), "total_entries": rows.len()})
        };
        let at = now();
        let parts: Vec<&str> = path.trim_start_matches("/api/v2/").split('/').collect();
        match parts[..] {
            ["monitor", "health"] => json!({"scheduler": {"status": "healthy"}}),
            ["dags", "counted", "dagRuns", _] => {
                json!({"dag_id": "d", "dag_run_id": "r", "conf": count})
            }
            ["dags", dag, "tasks"] => {
                let tasks = if dag == "grid" { GRID.1 } else { TASKS };
                json!({"tasks": (0..tasks).map(|task| json!({"task_id": format!("task_{task:02}"), "downstream_task_ids": []})).collect::<Vec<_>>()})
            }
            ["dags", "listed", "dagRuns"] => {
                page("dag_runs", (0..LISTED).collect(), &|row| self.run("listed", row))
            }
            // The scheduler writes each run that goes on again and again.
            ["dags", "watched", "dagRuns"] => {
                page("dag_runs", (0..RUNS).collect(), &|row| self.run("watched", row))
            }
            ["dags", "watched", "dagRuns", "~", "taskInstances"] => {
                let since = value("updated_at_gte").unwrap_or_default();
                let since = percent_encoding::percent_decode_str(since).decode_utf8_lossy();
                let since: jiff::Timestamp = since.parse().expect("a time");
                let first = (since.as_microsecond() as f64 / 1e6 * CHANGES) as usize;
                let last = (at * CHANGES) as usize;
                let rows = (first..=last).map(|row| row % (RUNS * TASKS)).collect();
                page("task_instances", rows, &|row| self.task(row, at))
            }
            ["dags", "grid", "dagRuns", run, "taskInstances"] => {
                page("task_instances", (0..GRID.1).collect(), &|row| {
                    let mut task = self.task.clone();
                    (task["dag_id"], task["dag_run_id"]) = ("grid".into(), run.into());
                    task["task_id"] = format!("task_{row:02}").into();
                    task
                })
            }
            ["dags", "watched", "dagRuns", run, "taskInstances"] => {
                let run: usize = run.parse().expect("a number");
                let rows = (run * TASKS..(run + 1) * TASKS).collect();
                page("task_instances", rows, &|row| self.task(row, at))
            }
            ["dags", dag @ ("watched" | "grid"), "dagRuns", run] => {
                self.run(dag, run.parse().expect("a number"))
            }
            _ => panic!("{path}"),
        }
    }
}

/// Serves until the standard input ends.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        let rows = Rows::recorded();
        let mut count = 0;
        // The client keeps one connection.
        for stream in listener.incoming() {
            let _ = talk(stream.expect("a connection"), &rows, &mut count);
        }
    });
    let _ = std::io::stdin().read(&mut [0]);
}

fn talk(mut stream: TcpStream, rows: &Rows, count: &mut u64) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line)?;
        }
        *count += 1;
        let body = rows.answer(first.split(' ').nth(1).unwrap_or_default(), *count).to_string();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new();
        let date = date.timestamp_to_rfc9110_string(&jiff::Timestamp::now()).expect("a date");
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
    }
}
