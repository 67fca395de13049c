//! The remote screen: the profiles and engines, the runs of one, and the page of a run.

mod found;
mod grid;
mod run;
mod runs;

use ratatui::layout::Rect;

use super::super::glyphs::Glyphs;
use super::super::paint::{Paint, wrap};
use super::super::theme::Role;
use super::focused;
use super::table::{self, Align};
use crate::app::screens::remote::RemoteScreen;
use crate::app::screens::remote::asked::Profile;
use crate::app::shared::Shared;
use crate::remote::model::Phase;

/// Draws the profiles, or the page in their place.
pub(in super::super) fn draw(
    paint: &mut Paint<'_>,
    area: Rect,
    screen: &RemoteScreen,
    shared: &Shared,
) {
    match &screen.page {
        None => profiles(paint, area, screen, shared),
        Some(page) => match &page.run {
            None => runs::draw(paint, area, screen, shared, page),
            Some(run) => run::draw(paint, area, screen, shared, page, run),
        },
    }
}

fn profiles(paint: &mut Paint<'_>, area: Rect, screen: &RemoteScreen, shared: &Shared) {
    let (engines, glyphs) = (screen.engines(shared), paint.glyphs);
    let area = mistakes(paint, area, screen);
    if screen.profiles.is_empty() && engines.is_empty() {
        if !screen.is_read {
            return paint.note(area, &["Reading the profiles ..."]);
        }
        if !screen.mistakes.is_empty() {
            return;
        }
        return paint.note(
            area,
            &[
                "This project names no engine.",
                "Write one into conf/base/remote.yml: a name, and below it `engine: airflow` and `url: http://...`.",
                "Its runs are then listed, followed and started here.",
            ],
        );
    }
    let titles = [
        ("", Align::Left),
        ("profile", Align::Name),
        ("engine", Align::Left),
        ("state", Align::Left),
        ("address", Align::Name),
    ];
    let len = screen.profiles.len() + engines.len();
    table::draw(paint, area, &titles, len, screen.position, focused(shared), |index| {
        let Some(profile) = screen.profiles.get(index) else {
            let Some(found) = engines.get(index - screen.profiles.len()) else { return Vec::new() };
            return vec![
                (String::new(), Role::Dim),
                ("no profile".to_owned(), Role::Dim),
                (found.name.to_owned(), Role::Text),
                (found.plugin.to_owned(), Role::Dim),
                (found.config.join(", "), Role::Dim),
            ];
        };
        let (sign, state, role) = health(glyphs, screen, profile, shared);
        vec![
            (sign.to_owned(), role),
            (profile.name.clone(), Role::Text),
            (profile.engine.title().to_owned(), Role::Text),
            (state, role),
            (profile.url.clone(), Role::Dim),
        ]
    });
}

/// Draws what is wrong with profiles, and returns the rest of the area.
fn mistakes(paint: &mut Paint<'_>, area: Rect, screen: &RemoteScreen) -> Rect {
    let mut y = area.y;
    // At least half of the area is left for what can be used.
    let last = area.y + area.height / 2;
    for mistake in &screen.mistakes {
        let lines = wrap(&mistake.line(), usize::from(area.width.saturating_sub(5)));
        for (row, line) in lines.iter().enumerate().take(usize::from(last.saturating_sub(y))) {
            let sign = if row == 0 { paint.glyphs.error } else { "" };
            paint.text(area.x + 1, y, sign, Role::Bad, 1);
            paint.text(area.x + 3, y, line, Role::Text, area.width.saturating_sub(4));
            y += 1;
        }
    }
    Rect { y, height: area.bottom().saturating_sub(y), ..area }
}

/// The state of a connection: sign, words and role.
fn health(
    glyphs: &Glyphs,
    screen: &RemoteScreen,
    profile: &Profile,
    shared: &Shared,
) -> (&'static str, String, Role) {
    if let Some(why) = &profile.broken {
        return (glyphs.failed, why.clone(), Role::Bad);
    }
    if shared.project.trusted != Some(true) {
        return (glyphs.waiting, "asked once you trust the project".into(), Role::Dim);
    }
    match screen.known.get(&profile.name) {
        None => (glyphs.waiting, "not asked yet".into(), Role::Dim),
        Some(known) if known.asking && known.checks.is_empty() => {
            (glyphs.running, "asking ...".into(), Role::Running)
        }
        Some(known) => match known.fault() {
            Some(why) => (glyphs.failed, without_place(why, profile).to_owned(), Role::Bad),
            None => {
                let version = known.found("version").unwrap_or("it answers");
                (glyphs.done, version.to_owned(), Role::Good)
            }
        },
    }
}

/// A fault without the name and the address of the profile, which have columns of their own.
fn without_place<'a>(why: &'a str, profile: &Profile) -> &'a str {
    let named = why.strip_prefix(&profile.name).and_then(|rest| rest.strip_prefix(": "));
    let why = named.unwrap_or(why);
    let about = why.strip_prefix(profile.url.trim_end_matches('/'));
    about.and_then(|rest| rest.split_once(": ")).map_or(why, |(_, rest)| rest)
}

/// The sign and the role of a phase.
fn sign_of(glyphs: &Glyphs, phase: Phase) -> (&'static str, Role) {
    match phase {
        Phase::Waiting => (glyphs.waiting, Role::Dim),
        Phase::Running => (glyphs.running, Role::Running),
        Phase::Retrying => (glyphs.stale, Role::Warning),
        Phase::Succeeded => (glyphs.done, Role::Good),
        Phase::Failed => (glyphs.failed, Role::Bad),
        Phase::UpstreamFailed => (glyphs.stopped, Role::Warning),
        Phase::Skipped => (glyphs.dot, Role::Dim),
        Phase::Unknown | Phase::Lost => (glyphs.unknown, Role::Warning),
    }
}
