//! `mlops-tui remote logs`.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::time::Duration;

use color_eyre::eyre::Result;
use regex::Regex;
use serde_json::json;

use super::kept::Kept;
use super::{Opened, RunArguments, clock, is_named, no_task};
use crate::app::words::Tone;
use crate::cli::output;
use crate::cli::table::Reader;
use crate::remote::model::{LogLine, Phase, Run, Task};
use crate::remote::search::{self, Hit, Hits};
use crate::remote::{Action, RemoteError, connect};

/// Print the logs of a run's tasks, in the order of the tasks; by default of their latest tries.
///
/// Example: mlops-tui remote logs last --failed --grep 'Error|Traceback'
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    run: RunArguments,
    /// Only this task; several are separated by commas
    #[arg(long, short, value_name = "TASK", value_delimiter = ',')]
    task: Vec<String>,
    /// Only tasks that failed
    #[arg(long)]
    failed: bool,
    /// The number of the try, from 1 [default: the latest]
    #[arg(long = "try", value_name = "NUMBER", conflicts_with = "all_tries")]
    attempt: Option<u32>,
    /// All tries
    #[arg(long)]
    all_tries: bool,
    /// Only lines that match this regular expression
    #[arg(long, short, value_name = "REGEX", value_parser = pattern)]
    grep: Option<Regex>,
    /// Follow the logs until the run ends
    #[arg(long, short, conflicts_with_all = ["attempt", "all_tries"])]
    follow: bool,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

/// The pause between two looks at a log that is followed.
const EVERY: Duration = Duration::from_secs(1);

fn pattern(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string())
}

pub(super) fn run(opened: &Opened, arguments: &Arguments) -> Result<ExitCode> {
    opened.backend.can(Action::Logs).map_err(RemoteError::Unable)?;
    let run = arguments.run.find(opened)?;
    if arguments.follow {
        return follow(opened, arguments, run);
    }
    let tasks = chosen(opened, arguments, &run)?;
    // The log of an ended run does not grow any more.
    let mut kept = Kept::new(opened, &run.id.pipeline);
    let record = match run.state.phase.is_over() {
        true => kept.look(&run),
        false => None,
    };
    let tries = |task: Task| {
        let last = task.attempt.max(1);
        let attempts = match (arguments.attempt, arguments.all_tries) {
            (Some(attempt), _) => attempt..=attempt,
            (None, true) => 1..=last,
            (None, false) => last..=last,
        };
        attempts.map(move |attempt| (task.clone(), attempt))
    };
    let tries: Vec<(Task, u32)> = tasks.into_iter().flat_map(tries).collect();
    let mut printer = Printer::new(arguments);
    let (mut code, mut printed) = (ExitCode::SUCCESS, Ok(()));
    // One log that can't be read does not keep the others back.
    let mut print = |place: usize, lines: Result<Vec<LogLine>, RemoteError>| {
        let (task, attempt) = &tries[place];
        match lines {
            Ok(lines) => printed = printer.print(task, *attempt, &lines),
            Err(error) => {
                output::complain(&format!("{}, try {attempt}: {error}", task.name()));
                code = ExitCode::FAILURE;
            }
        }
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    match &arguments.grep {
        Some(pattern) => {
            let connect = || connect(&opened.profile, &opened.package);
            let lines = |hits: Vec<Hit>| hits.into_iter().map(|hit| hit.line).collect();
            let print = |place, hits: Hits| print(place, hits.map(lines));
            search::search(connect, &run.id, &tries, pattern, print)?;
        }
        None => {
            for (place, (task, attempt)) in tries.iter().enumerate() {
                let mut whole = Some(Vec::new());
                let part = |lines: Result<Vec<LogLine>, RemoteError>| {
                    match (&lines, &mut whole) {
                        (Ok(lines), Some(whole)) => whole.extend(lines.iter().cloned()),
                        _ => whole = None,
                    }
                    print(place, lines)
                };
                search::read(&*opened.backend, &run.id, (task, *attempt), part);
                if let (Some(record), Some(whole)) = (&record, whole) {
                    kept.log(record, task, *attempt, &whole);
                }
            }
        }
    }
    if arguments.grep.is_some() && printer.shown.is_none() && !arguments.json {
        output::complain("No line matches.");
    }
    printed.map(|()| code)
}

/// The tasks whose logs are wanted.
fn chosen(opened: &Opened, arguments: &Arguments, run: &Run) -> Result<Vec<Task>> {
    let mut tasks = opened.backend.tasks(&run.id)?;
    for name in &arguments.task {
        if !tasks.iter().any(|task| is_named(task, name)) {
            return Err(no_task(name, &tasks).into());
        }
    }
    tasks.retain(|task| {
        let named =
            arguments.task.is_empty() || arguments.task.iter().any(|name| is_named(task, name));
        // A task that waits for its next try has failed at this one.
        let has_failed = matches!(task.state.phase, Phase::Failed | Phase::Retrying);
        named && (!arguments.failed || has_failed)
    });
    Ok(tasks)
}

/// Prints what is added to the logs until the run ends.
fn follow(opened: &Opened, arguments: &Arguments, mut run: Run) -> Result<ExitCode> {
    let mut printer = Printer::new(arguments);
    // Where the rest of each log begins; `None` if it was read to its end.
    let mut places: HashMap<(String, u32), Option<String>> = HashMap::new();
    loop {
        let is_over = run.state.phase.is_over();
        for task in chosen(opened, arguments, &run)? {
            for attempt in 1..=task.attempt {
                let key = (task.name(), attempt);
                let mut place = places.get(&key).cloned();
                // An earlier try is read once more after the next one began, then it has ended.
                let has_ended = attempt < task.attempt || task.state.phase.is_over();
                while place != Some(None) {
                    let from = place.clone().flatten();
                    let page = opened.backend.log(&run.id, &task, attempt, from.as_deref())?;
                    printer.print(&task, attempt, &page.lines)?;
                    if page.next.is_some() || has_ended {
                        place = Some(page.next);
                    }
                    // The rest of a log that grows comes with the next look.
                    if !has_ended {
                        break;
                    }
                }
                places.extend(place.map(|place| (key, place)));
            }
        }
        if is_over {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(EVERY);
        run = opened.backend.run(&run.id)?;
    }
}

/// Prints lines with a heading for each try of a task.
struct Printer<'a> {
    arguments: &'a Arguments,
    reader: Reader,
    /// The task and try of the last heading.
    shown: Option<(String, u32)>,
}

impl<'a> Printer<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        Printer { arguments, reader: Reader::of_stdout(), shown: None }
    }

    fn print(&mut self, task: &Task, attempt: u32, lines: &[LogLine]) -> Result<()> {
        let wanted = |line: &&LogLine| {
            self.arguments.grep.as_ref().is_none_or(|pattern| pattern.is_match(&line.text))
        };
        let lines: Vec<&LogLine> = lines.iter().filter(wanted).collect();
        if lines.is_empty() {
            return Ok(());
        }
        if self.arguments.json {
            for line in lines {
                output::json_line(&json!({
                    "task": task.id, "index": task.index, "try": attempt,
                    "at": line.at, "level": line.level, "text": line.text,
                }))?;
            }
            return Ok(());
        }
        let head = (task.name(), attempt);
        let mut text = String::new();
        if self.shown.as_ref() != Some(&head) {
            let title = match (task.attempt.max(task.attempts), attempt) {
                (0 | 1, _) => head.0.clone(),
                (_, attempt) => format!("{}, try {attempt}", head.0),
            };
            text += &format!("{}\n", self.reader.paint(&self.reader.line(&title), Tone::Name));
            self.shown = Some(head);
        }
        for line in lines {
            let tone = match line.level.as_deref() {
                Some("error" | "critical") => Tone::Bad,
                Some("warning") => Tone::Warning,
                Some("debug") => Tone::Dim,
                _ => Tone::Plain,
            };
            let at = self.reader.paint(&clock(line.at, "%H:%M:%S"), Tone::Dim);
            let gap = if line.at.is_some() { "  " } else { "" };
            let whole = crate::text::sanitize(&line.text);
            text += &format!("{at}{gap}{}\n", self.reader.paint(&whole, tone));
        }
        output::text(&text)?;
        Ok(())
    }
}
