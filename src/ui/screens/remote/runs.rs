//! The runs of an engine as a table, below a line on the connection.

use ratatui::layout::Rect;

use super::super::super::paint::Paint;
use super::super::super::theme::Role;
use super::super::focused;
use super::super::table::{self, Align, Cell};
use super::{health, sign_of};
use crate::app::command::Command;
use crate::app::screens::remote::RemoteScreen;
use crate::app::screens::remote::page::Page;
use crate::app::screens::remote::runs::{began, took};
use crate::app::shared::Shared;
use crate::app::words::{seconds_text, when};
use crate::remote::model::{Phase, Run};
use crate::text::sanitize;

pub(super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RemoteScreen,
    shared: &Shared,
    page: &Page,
) {
    head(paint, Rect { height: 1, ..area }, screen, shared, page);
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if page.list.rows.is_empty() {
        return empty(paint, area, screen, shared, page);
    }
    let one = page.list.rows.windows(2).all(|two| two[0].id.pipeline == two[1].id.pipeline);
    let mut titles = vec![
        ("", Align::Left),
        ("state", Align::Left),
        ("when", Align::Left),
        ("took", Align::Right),
        ("kind", Align::Left),
    ];
    if !one {
        titles.push(("pipeline", Align::Name));
    }
    titles.extend([("run", Align::Name), ("what", Align::Left)]);
    let (len, glyphs) = (page.list.rows.len(), paint.glyphs);
    table::draw(paint, area, &titles, len, page.list.position, focused(shared), |index| {
        let run = &page.list.rows[index];
        let (sign, role) = sign_of(glyphs, run.state.phase);
        let mut cells = vec![
            (sign.to_owned(), role),
            (run.state.name.clone(), role),
            (began(run).map(|at| when(shared.now, at)).unwrap_or_default(), Role::Dim),
            (took(run, shared.now).map(seconds_text).unwrap_or_default(), Role::Text),
            (run.kind.clone(), Role::Dim),
        ];
        if !one {
            cells.push((run.id.pipeline.clone(), Role::Text));
        }
        cells.push((run.id.run.clone(), Role::Text));
        cells.push(what(run));
        cells
    });
}

/// The error, the note, or the parameters of a run.
fn what(run: &Run) -> Cell {
    if let Some(error) = &run.error {
        return (sanitize(error), Role::Bad);
    }
    if let Some(note) = run.note.as_ref().filter(|note| !note.is_empty()) {
        return (sanitize(note), Role::Text);
    }
    let conf = run.conf.as_object().into_iter().flatten();
    let texts: Vec<String> = conf.map(|(key, value)| format!("{key}={value}")).collect();
    (texts.join(" "), Role::Dim)
}

/// Draws the connection's state, its address, and how many runs go on.
fn head(paint: &mut Paint<'_>, area: Rect, screen: &RemoteScreen, shared: &Shared, page: &Page) {
    let Some(profile) = screen.profile(&page.profile) else { return };
    let (sign, state, role) = match &page.error {
        Some(why) => (paint.glyphs.failed, why.clone(), Role::Bad),
        None => health(paint.glyphs, screen, profile, shared),
    };
    let mut x = area.x + 1;
    x += paint.text(x, area.y, sign, role, 1) + 1;
    x += paint.text(x, area.y, &state, role, area.right().saturating_sub(x + 1));
    let mut facts = Vec::new();
    if page.is_read {
        let going_on = page.runs.iter().filter(|run| !run.state.phase.is_over()).count();
        let more = if page.is_whole { "" } else { "+" };
        let runs = if page.runs.len() == 1 { "run" } else { "runs" };
        facts.push(format!("{}{more} {runs}", page.runs.len()));
        facts.extend((going_on > 0).then(|| format!("{going_on} going on")));
        let failed = page.runs.iter().filter(|run| run.state.phase == Phase::Failed).count();
        facts.extend((failed > 0).then(|| format!("{failed} failed")));
    }
    facts.push(profile.url.clone());
    for fact in facts {
        let text = format!(" {} {fact}", paint.glyphs.dot);
        x += paint.text(x, area.y, &text, Role::Dim, area.right().saturating_sub(x + 1));
    }
}

/// Says why no run is listed.
fn empty(paint: &mut Paint<'_>, area: Rect, screen: &RemoteScreen, shared: &Shared, page: &Page) {
    let key = |command| shared.keymap.keys(command).first().cloned().unwrap_or_default();
    let known = screen.known.get(&page.profile);
    let own = || {
        let pipelines = known?.pipelines.as_ref()?.as_ref().ok()?;
        let profile = screen.profile(&page.profile)?;
        let deployed = |id: &String| pipelines.iter().any(|pipeline| pipeline.id == *id);
        Some(profile.pipelines.iter().any(|(_, id)| deployed(id)))
    };
    let fault = known.and_then(|known| known.fault());
    let lines: Vec<String> = if shared.project.trusted != Some(true) {
        let check = key(Command::CheckConnection);
        vec![
            "The engine is asked once you trust the project.".into(),
            format!("It gets the credentials that the project names. {check} asks you."),
        ]
    } else if !page.query.is_empty() {
        vec!["No run matches the filter.".into(), "esc shows all runs again.".into()]
    } else if let Some(why) = page.error.as_deref().or(fault) {
        let check = key(Command::CheckConnection);
        vec![why.to_owned(), format!("It is asked again; {check} shows the whole check.")]
    } else if !page.all
        && own() == Some(false)
        && known.is_some_and(|known| !known.written.is_empty())
    {
        vec![
            "The DAG file is written, and waits until Airflow reads it.".into(),
            "By Airflow's own settings this takes up to five minutes.".into(),
        ]
    } else if !page.all && own() == Some(false) {
        vec![
            "No pipeline of this project is on the engine.".into(),
            format!(
                "{} writes its DAG file; {} shows the runs of all pipelines.",
                key(Command::Deploy),
                key(Command::AllRuns)
            ),
        ]
    } else if !page.is_read {
        vec!["Reading the runs ...".into()]
    } else {
        vec!["There is no run yet.".into(), format!("{} starts one.", key(Command::Submit))]
    };
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    paint.note(area, &lines);
}
