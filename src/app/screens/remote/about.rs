//! The details of a profile, of a run and of a task.

use super::super::Screen;
use super::RemoteScreen;
use super::asked::Profile;
use super::run::{Part, RunPage};
use super::runs::took;
use crate::app::run::headline;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone, clock_text, pairs, seconds_text, when};
use crate::project::Place;
use crate::remote::model::{Phase, Run, State, Task};
use crate::remote::{Engine, Found};
use crate::text::wrap;

/// The tone of a state.
pub fn tone(state: &State) -> Tone {
    match state.phase {
        Phase::Succeeded => Tone::Good,
        Phase::Failed => Tone::Bad,
        Phase::Running => Tone::Busy,
        Phase::Retrying | Phase::UpstreamFailed | Phase::Unknown | Phase::Lost => Tone::Warning,
        Phase::Waiting | Phase::Skipped => Tone::Dim,
    }
}

/// The details of what is selected. Long texts are broken into lines.
pub(super) fn details(screen: &RemoteScreen, shared: &Shared) -> Details {
    let mut details = selected(screen, shared);
    let areas = screen.areas(shared);
    let area = if screen.is_full_width(shared) { areas.main } else { areas.side };
    let width = usize::from(area.width.saturating_sub(2)).max(10);
    let broken = details.lines.into_iter().flat_map(|line| match line {
        Line::Text(text, tone) if tone != Tone::Name => {
            wrap(&text, width).into_iter().map(|line| Line::Text(line, tone)).collect()
        }
        line => vec![line],
    });
    details.lines = broken.collect();
    details
}

fn selected(screen: &RemoteScreen, shared: &Shared) -> Details {
    if let Some(page) = screen.run_page() {
        let Some(run) = screen.shown_run() else { return Details::default() };
        let mut details = of_run(run, shared.now);
        if let Some(task) = page.selected().filter(|_| page.part != Part::Grid) {
            of_task(&mut details.lines, task, shared.now);
            for node in page.nodes_of(task) {
                details.lines.push(Line::Field("node", node.clone(), Tone::Name));
            }
            if let Some((node, failure)) = page.failure()
                && page.nodes_of(task).contains(node)
            {
                details.lines.push(Line::Text(headline(failure), Tone::Bad));
            }
        }
        summary(&mut details.lines, page);
        return details;
    }
    if screen.page.is_some() {
        if let Some(run) = screen.shown_run() {
            return of_run(run, shared.now);
        }
    }
    match screen.shown_profile() {
        Some(profile) => of_profile(screen, profile, shared),
        None => {
            let index = screen.position.selected.wrapping_sub(screen.profiles.len());
            let engines = screen.engines(shared);
            engines.get(index).map(|found| of_engine(found)).unwrap_or_default()
        }
    }
}

fn of_profile(screen: &RemoteScreen, profile: &Profile, shared: &Shared) -> Details {
    let mut lines = vec![
        Line::Title(profile.name.clone()),
        Line::Field("engine", profile.engine.title().into(), Tone::Plain),
        Line::Link("address", profile.url.clone(), profile.url.clone(), Tone::Plain),
        Line::Field("file", profile.place.clone(), Tone::Dim),
    ];
    if let Some(folder) = &profile.folder {
        lines.push(Line::Field("DAGs", folder.display().to_string(), Tone::Plain));
    }
    lines.push(Line::Blank);
    match screen.known.get(&profile.name) {
        _ if profile.broken.is_some() => {
            lines.push(Line::Text(profile.broken.clone().unwrap_or_default(), Tone::Bad));
        }
        _ if shared.project.trusted != Some(true) => lines.push(Line::Text(
            "The engine is asked once you trust the project, for it gets your credentials.".into(),
            Tone::Dim,
        )),
        Some(known) => {
            for check in &known.checks {
                let (text, tone) = match &check.found {
                    Ok(text) => (text, Tone::Good),
                    Err(why) => (why, Tone::Bad),
                };
                lines.push(Line::Text(format!("{}: {text}", check.what), tone));
            }
            if known.asking {
                lines.push(Line::Text("Asking ...".into(), Tone::Busy));
            } else {
                lines.push(Line::Field("looked", when(shared.now, known.at), Tone::Dim));
            }
            if let Some(Ok(pipelines)) = &known.pipelines {
                lines.push(Line::Blank);
                lines.push(Line::Text("Pipelines".into(), Tone::Dim));
                for (name, id) in &profile.pipelines {
                    let deployed = pipelines.iter().find(|deployed| deployed.id == *id);
                    let (text, tone) = match deployed {
                        None if known.written.contains(name) => {
                            ("written, not read by the engine yet".to_owned(), Tone::Busy)
                        }
                        None => ("not on the engine".to_owned(), Tone::Dim),
                        Some(one) if one.broken => ("its file can't be read".into(), Tone::Bad),
                        Some(one) if one.paused => ("paused".into(), Tone::Warning),
                        Some(one) => {
                            (one.schedule.clone().unwrap_or_else(|| "ready".into()), Tone::Good)
                        }
                    };
                    lines.push(Line::Text(format!("{name}: {id}, {text}"), tone));
                }
            }
        }
        None => lines.push(Line::Text("It was not asked yet.".into(), Tone::Dim)),
    }
    if profile.engine == Engine::KedroServer {
        lines.push(Line::Blank);
        let text = "The server keeps no runs: those of this session are listed.";
        lines.push(Line::Text(text.into(), Tone::Dim));
    }
    Details { lines, place: place(&profile.place), name: profile.name.clone() }
}

/// The place of a text like `conf/base/remote.yml:3`.
fn place(text: &str) -> Option<Place> {
    let (file, line) = text.rsplit_once(':')?;
    Some(Place::line(std::path::Path::new(file), line.parse().ok()?))
}

fn of_engine(found: &Found) -> Details {
    let required = match found.required {
        true => ("named in the project's requirements", Tone::Good),
        false => ("not in the project's requirements", Tone::Warning),
    };
    let mut lines = vec![
        Line::Title(found.name.into()),
        Line::Field("plug-in", found.plugin.into(), Tone::Plain),
        Line::Field("", required.0.into(), required.1),
    ];
    for (index, file) in found.config.iter().enumerate() {
        let label = if index == 0 { "file" } else { "" };
        lines.push(Line::Link(label, file.clone(), file.clone(), Tone::Plain));
    }
    lines.push(Line::Blank);
    let text = match found.name {
        "Airflow" => {
            "No profile in remote.yml has `engine: airflow`; with one, runs are submitted and followed here."
        }
        _ => "Runs on this engine can't be submitted yet.",
    };
    lines.push(Line::Text(text.into(), Tone::Dim));
    let place = found.config.first().map(|file| Place::line(std::path::Path::new(file), 1));
    Details { lines, place, name: found.name.into() }
}

fn of_run(run: &Run, now: f64) -> Details {
    let mut lines = vec![
        Line::Title(run.id.run.clone()),
        Line::Text(format!("of {}", run.id.pipeline), Tone::Dim),
        Line::Field("state", run.state.name.clone(), tone(&run.state)),
    ];
    let mut field = |label, text: Option<String>| {
        lines.extend(text.map(|text| Line::Field(label, text, Tone::Plain)));
    };
    field("kind", Some(run.kind.clone()).filter(|kind| !kind.is_empty()));
    field("queued", run.queued.map(clock_text));
    field("began", run.started.map(clock_text));
    field("ended", run.ended.map(clock_text));
    field("took", took(run, now).map(seconds_text));
    field("note", run.note.clone().filter(|note| !note.is_empty()));
    if let Some(error) = &run.error {
        lines.push(Line::Blank);
        lines.push(Line::Text(error.clone(), Tone::Bad));
    }
    let conf: Vec<(String, String)> = match run.conf.as_object() {
        Some(conf) => conf.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        None => Vec::new(),
    };
    pairs(&mut lines, "Parameters", conf.iter().map(|(key, value)| (key, value.clone())).collect());
    Details { lines, place: None, name: run.id.run.clone() }
}

fn of_task(lines: &mut Vec<Line>, task: &Task, now: f64) {
    lines.push(Line::Blank);
    lines.push(Line::Text(format!("Task {}", task.name()), Tone::Name));
    lines.push(Line::Field("state", task.state.name.clone(), tone(&task.state)));
    if task.attempt > 0 {
        let tries = format!("{} of {}", task.attempt, task.attempts.max(task.attempt));
        lines.push(Line::Field("try", tries, Tone::Plain));
    }
    let mut field = |label, text: Option<String>| {
        lines.extend(text.map(|text| Line::Field(label, text, Tone::Plain)));
    };
    field("began", task.started.map(clock_text));
    field("ended", task.ended.map(clock_text));
    field("took", task.took(now).map(seconds_text));
    field("host", task.host.clone().filter(|host| !host.is_empty()));
}

/// How many tasks are in each state.
fn summary(lines: &mut Vec<Line>, page: &RunPage) {
    let mut counts: Vec<(&State, usize)> = Vec::new();
    for task in &page.tasks {
        match counts.iter_mut().find(|(state, _)| *state == &task.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((&task.state, 1)),
        }
    }
    if counts.is_empty() {
        return;
    }
    lines.push(Line::Blank);
    lines.push(Line::Text(format!("{} tasks", page.tasks.len()), Tone::Dim));
    for (state, count) in counts {
        lines.push(Line::Text(format!("{count} {}", state.name), tone(state)));
    }
}
