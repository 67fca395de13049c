//! `mlops-tui experiments follow`.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::Result;
use serde_json::{Value as Json, json};

use super::PlaceArguments;
use crate::cli::tracked::number;
use crate::system::say;
use crate::text::{json as text_json, sanitize};
use crate::tracking;
use crate::tracking::entities::Point;
use crate::tracking::follow::{Follower, News, RunState};

/// The wait after a failed read.
const AGAIN: Duration = Duration::from_secs(1);

/// Print runs and values of metrics as they are logged, until Ctrl-C.
///
/// With --json each line is an object: {"schema": 1, "event": "metric", "run_id", "key", "step", "timestamp",
/// "value"}, {"schema": 1, "event": "run", "run_id", "run_name", "experiment_id", "status", "lifecycle_stage",
/// "start_time", "end_time"}, {"schema": 1, "event": "problem", "message"} for what can't be read, or {"schema": 1,
/// "event": "replaced"} when another file has taken the store's place.
///
/// Example: mlops-tui experiments follow --metric loss
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Runs to follow, by the first digits of their ids; can be repeated [default: all]
    #[arg(long, value_name = "ID")]
    run: Vec<String>,
    /// Metrics to follow; can be repeated [default: all]
    #[arg(long, value_name = "NAME")]
    metric: Vec<String>,
    /// Print JSON, an object a line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &PlaceArguments, arguments: &Arguments) -> Result<ExitCode> {
    let mut follower = Follower::open(&place.location()?, tracking::workspace().as_deref())?;
    say::complain("Following; Ctrl-C ends it.");
    let mut failure = String::new();
    loop {
        let news = match follower.poll() {
            Ok(news) => news,
            // An error may be temporary: a server is restarted, a drive comes back.
            Err(error) => {
                let told = error.to_string();
                if told != failure {
                    say::complain(&format!("{told} It is tried again."));
                    failure = told;
                }
                std::thread::sleep(AGAIN);
                continue;
            }
        };
        failure.clear();
        let shown: Vec<&News> = news.iter().filter(|news| is_shown(arguments, news)).collect();
        if let Err(error) = print(&shown, arguments.json) {
            // The reader has closed the pipe.
            return match error.kind() {
                ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
                _ => Err(error.into()),
            };
        }
        std::thread::sleep(follower.pause());
    }
}

fn is_shown(arguments: &Arguments, news: &News) -> bool {
    let is_run = |id: &str| {
        arguments.run.is_empty() || arguments.run.iter().any(|run| id.starts_with(run.as_str()))
    };
    match news {
        News::Run(state) => is_run(&state.id),
        News::Metric { run_id, key, .. } => {
            is_run(run_id) && (arguments.metric.is_empty() || arguments.metric.contains(key))
        }
        News::Problem(_) | News::Replaced => true,
    }
}

fn print(news: &[&News], json: bool) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for news in news {
        match json {
            true => text_json::write_line(&mut out, &to_json(news))?,
            false => writeln!(out, "{}", sanitize(&describe(news)))?,
        }
    }
    out.flush()
}

fn to_json(news: &News) -> Json {
    match news {
        News::Run(state) => json!({
            "schema": 1, "event": "run", "run_id": state.id, "run_name": state.name,
            "experiment_id": state.experiment_id, "status": state.status,
            "lifecycle_stage": state.lifecycle_stage, "start_time": state.start_time,
            "end_time": state.end_time,
        }),
        News::Metric { run_id, key, point } => json!({
            "schema": 1, "event": "metric", "run_id": run_id, "key": key, "step": point.step,
            "timestamp": point.timestamp, "value": number(point.value),
        }),
        News::Problem(message) => {
            json!({"schema": 1, "event": "problem", "message": message})
        }
        News::Replaced => json!({"schema": 1, "event": "replaced"}),
    }
}

fn describe(news: &News) -> String {
    let short = |id: &str| id.chars().take(8).collect::<String>();
    match news {
        News::Run(RunState { id, name, status, lifecycle_stage, .. }) => {
            let deleted = if lifecycle_stage == "active" { "" } else { ", deleted" };
            format!("{}  {name}: {status}{deleted}", short(id))
        }
        News::Metric { run_id, key, point: Point { step, value, .. } } => {
            format!("{}  {key} = {value} at step {step}", short(run_id))
        }
        News::Problem(message) => message.clone(),
        News::Replaced => "Another file has taken the store's place.".to_owned(),
    }
}
