//! Dialogs over the screen.

mod submit;

use ratatui::layout::Rect;
use ratatui_textarea::TextArea;

use super::paint::{Paint, wrap};
use super::screens::details::draw_code;
use super::theme::Role;
use crate::app::State;
use crate::app::areas;
use crate::app::control::{Control, Scope};
use crate::app::dialog::{
    Choose, Dialog, Question, TextDialog, picker_area, picker_height, text_height,
};
use crate::app::options::{FIELDS, FieldKind, Form};
use crate::app::picker::{Picker, text};
use crate::app::traceback::own_path;
use crate::project::Severity;
use crate::runs::history::change;
use crate::text::{truncate, truncate_middle, width};

/// Draws a dialog.
pub(super) fn draw(paint: &mut Paint<'_>, state: &State, dialog: &Dialog) {
    match dialog {
        Dialog::Help(picker) => {
            let title = format!("Help: {}", state.tab.title());
            commands(paint, state, picker, &title);
        }
        Dialog::Palette(picker) => commands(paint, state, picker, "Commands"),
        Dialog::Choose(kind, picker) => {
            let title = match kind {
                Choose::Pipeline => "Pipeline",
                Choose::Environment => "Run environment",
                Choose::Parent => "Leads here",
                Choose::Child => "Leads to",
                Choose::Vertex => "Find",
                Choose::State => {
                    return commands(paint, state, picker, &state.remote.marked_title());
                }
                Choose::View => return commands(paint, state, picker, &views_title(state)),
                Choose::Theme => "Theme",
                Choose::Keymap => "Keymap",
            };
            commands(paint, state, picker, title);
        }
        Dialog::Problems(position) => problems(paint, state, *position),
        Dialog::Text(dialog) => read(paint, state, dialog),
        Dialog::Ask(question) => ask(paint, state, question),
        Dialog::Options(form) => options(paint, state, form),
        Dialog::Submit(form) => submit::form(paint, state, form),
        Dialog::Confirm(confirmed) => submit::confirm(paint, state, confirmed),
        Dialog::Environment => environment(paint, state),
    }
}

/// The title of the list of views, with the key that deletes one.
fn views_title(state: &State) -> String {
    let keys = state.shared.keymap.control_keys(Scope::Line, Control::Delete);
    match keys.first().filter(|_| !state.experiments.views.is_empty()) {
        Some(key) => format!("View ({key} deletes a saved one)"),
        None => "View".to_owned(),
    }
}

fn open(paint: &mut Paint<'_>, area: Rect, title: &str) -> Rect {
    paint.fill(area, Role::Background);
    let inner = paint.frame(area, title, Role::Focus);
    Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
}

/// Draws a field of one line. If `active`, the terminal's cursor is placed in it. Returns the number of characters that
/// are cut off at the left.
pub(super) fn field(
    paint: &mut Paint<'_>,
    area: Rect,
    field: &TextArea<'static>,
    active: bool,
) -> usize {
    let text = match (text(field), field.mask_char()) {
        (text, Some(mask)) => text.chars().map(|_| mask).collect(),
        (text, None) => text,
    };
    let before: String = text.chars().take(field.cursor().1).collect();
    let at = width(&before);
    // Text that does not fit is cut at the left, so that the cursor is visible.
    let skip = (at + 1).saturating_sub(usize::from(area.width));
    let shown: String = text.chars().skip(skip).collect();
    let used = paint.text(area.x, area.y, &shown, Role::Text, area.width);
    if field.is_selecting() {
        paint.restyle(Rect { width: used, height: 1, ..area }, Role::Selection);
    }
    if active {
        let x = area.x + u16::try_from(at - skip).unwrap_or(0);
        paint.cursor = Some((x, area.y).into());
    }
    skip
}

fn commands(paint: &mut Paint<'_>, state: &State, picker: &Picker, title: &str) {
    let inner = open(paint, picker_area(state.shared.size, picker), title);
    let sign = if paint.glyphs.ascii() { ">" } else { "❯" };
    paint.text(inner.x, inner.y, sign, Role::Key, 1);
    let line = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
    field(paint, line, &picker.query, true);
    let rule = Rect { y: inner.y + 1, height: 1, ..inner };
    paint.rule(rule, Role::Border);
    let rows = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    if picker.matches.is_empty() {
        paint.text(rows.x, rows.y, "Nothing matches.", Role::Dim, rows.width);
        return;
    }
    let seen = || {
        picker.matches.iter().skip(picker.position.offset).take(picker_height(state.shared.size))
    };
    let choices = || seen().map(|index| &picker.choices[*index]);
    let keys = choices().map(|choice| width(&choice.keys)).max().unwrap_or(0).min(22) as u16;
    let names = choices().map(|choice| width(&choice.name)).max().unwrap_or(0) as u16;
    for (row, choice) in choices().enumerate() {
        let y = rows.y + row as u16;
        if y >= rows.bottom() {
            break;
        }
        let selected = picker.position.offset + row == picker.position.selected;
        if selected {
            paint.restyle(Rect { y, height: 1, ..rows }, Role::Selection);
        }
        let role = if choice.disabled.is_some() { Role::Dim } else { Role::Text };
        let keys_at = paint.right(rows.right(), y, &choice.keys, Role::Key, keys);
        let room = rows.width.saturating_sub(if keys > 0 { keys + 1 } else { 0 });
        let name = paint.name(rows.x, y, &choice.name, role, room).max(names);
        let detail = rows.x + name + 2;
        let limit = rows.right() - keys.max(rows.right() - keys_at) - 1;
        let (text, role) = match &choice.disabled {
            Some(why) if selected => (why.as_str(), Role::Warning),
            _ => (choice.detail.as_str(), Role::Dim),
        };
        paint.text(detail, y, text, role, limit.saturating_sub(detail));
    }
}

fn problems(paint: &mut Paint<'_>, state: &State, position: crate::app::list::Position) {
    let problems = state.shared.problems();
    let (width, height) = (
        state.shared.size.width.saturating_sub(4).min(110),
        state.shared.size.height.saturating_sub(4),
    );
    let area = areas::dialog(state.shared.size, width, height);
    let title = format!("Problems: {}", problems.len());
    let inner = open(paint, area, &title);
    if problems.is_empty() {
        paint.text(inner.x, inner.y, "There are none.", Role::Dim, inner.width);
        return;
    }
    let mut y = inner.y;
    // Start near the selected problem, so that it is always visible.
    let first = position.selected.saturating_sub(usize::from(inner.height) / 6);
    for (index, problem) in problems.iter().enumerate().skip(first) {
        if y >= inner.bottom() {
            break;
        }
        let (sign, role) = match problem.severity {
            Severity::Error => (paint.glyphs.error, Role::Bad),
            Severity::Warning => (paint.glyphs.warning, Role::Warning),
            Severity::Info => (paint.glyphs.info, Role::Dim),
        };
        let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let top = y;
        let room = usize::from(inner.width.saturating_sub(3));
        let mut lines: Vec<(String, Role)> = Vec::new();
        if !place.is_empty() {
            lines.push((truncate_middle(&place, room), Role::Keyword));
        }
        lines.extend(wrap(&problem.text, room).into_iter().map(|line| (line, Role::Text)));
        lines.extend(wrap(&problem.remedy, room).into_iter().map(|line| (line, Role::Dim)));
        lines.push((String::new(), Role::Dim));
        for (text, role) in lines {
            if y < inner.bottom() {
                paint.text(inner.x + 2, y, &text, role, inner.width.saturating_sub(2));
            }
            y += 1;
        }
        paint.text(inner.x, top, sign, role, 1);
        if index == position.selected {
            let bottom = (y - 1).min(inner.bottom());
            let rows = Rect { y: top, height: bottom.saturating_sub(top), ..inner };
            paint.restyle(rows, Role::Selection);
        }
        if let Some(place) = &problem.place {
            let cells = crate::text::width(&place.to_string()).min(room);
            let cells = u16::try_from(cells).unwrap_or(u16::MAX);
            paint.link(inner.x + 2, top, cells, &place.file.to_string_lossy());
        }
    }
    let controls = [(Control::Accept, "open in the editor"), (Control::Leave, "close")];
    footer(paint, area, &keys(state, Scope::List, &controls));
}

/// The first key of a control.
fn key_of(state: &State, scope: Scope, control: Control) -> String {
    state.shared.keymap.control_keys(scope, control).into_iter().next().unwrap_or_default()
}

/// The keys of controls with what they do, for the lower border.
fn keys(state: &State, scope: Scope, controls: &[(Control, &str)]) -> String {
    let keys = controls.iter().map(|(control, does)| {
        let key = key_of(state, scope, *control);
        format!("{key} {does}")
    });
    keys.collect::<Vec<_>>().join("   ")
}

fn footer(paint: &mut Paint<'_>, area: Rect, text: &str) {
    let text = format!(" {text} ");
    let y = area.bottom().saturating_sub(1);
    paint.right(area.right().saturating_sub(2), y, &text, Role::Dim, area.width.saturating_sub(4));
}

/// Opens the frame of a text. Returns its area and the area of the lines.
fn lines_of(paint: &mut Paint<'_>, state: &State, dialog: &TextDialog) -> (Rect, Rect) {
    let height = u16::try_from(text_height(state.shared.size)).unwrap_or(u16::MAX);
    let lines = u16::try_from(dialog.lines.len()).unwrap_or(u16::MAX).max(1);
    let width = state.shared.size.width.saturating_sub(4).min(120);
    let area = areas::dialog(state.shared.size, width, lines.min(height) + 2);
    let inner = open(paint, area, &dialog.title);
    (area, inner)
}

fn read(paint: &mut Paint<'_>, state: &State, dialog: &TextDialog) {
    let (area, inner) = lines_of(paint, state, dialog);
    let seen = dialog.lines.iter().skip(dialog.offset).take(usize::from(inner.height));
    for (row, line) in seen.enumerate() {
        let y = inner.y + row as u16;
        match dialog.parts.get(dialog.offset + row).filter(|parts| !parts.is_empty()) {
            Some(parts) => draw_code(paint, Rect { y, height: 1, ..inner }, parts),
            None => drop(paint.text(inner.x, y, line, role_of_line(dialog, line), inner.width)),
        }
        if let Some((before, path)) =
            own_path(line).and_then(|path| Some((line.split_once(path)?.0, path)))
        {
            let cells =
                |text: &str| u16::try_from(width(text)).unwrap_or(u16::MAX).min(inner.width);
            let from = cells(before);
            paint.link(inner.x + from, y, cells(path).min(inner.width - from), path);
        }
    }
    let mut close = keys(state, Scope::List, &[(Control::Leave, "close")]);
    if let Some(other) = &dialog.other {
        let word = if other.len() > dialog.lines.len() { "all frames" } else { "fewer frames" };
        close = format!("{}   {close}", keys(state, Scope::List, &[(Control::Fold, word)]));
    }
    let text = match &dialog.place {
        Some(place) => {
            let key = key_of(state, Scope::List, Control::Accept);
            let file = place.file.file_name().unwrap_or_default().to_string_lossy();
            format!("{key} edit {file}:{}   {close}", place.line)
        }
        None => close,
    };
    footer(paint, area, &text);
}

fn role_of_line(dialog: &TextDialog, line: &str) -> Role {
    let is_traceback = dialog.place.is_some() || dialog.title.starts_with("Traceback");
    match line.starts_with(' ') || line.starts_with("Traceback") || !is_traceback {
        true => Role::Text,
        false => Role::Bad,
    }
}

fn ask(paint: &mut Paint<'_>, state: &State, question: &Question) {
    let (title, text, yes, no) = match question {
        Question::Trust(_) => (
            "Trust this project?",
            "Running nodes, and letting Kedro itself read the project, executes the project's Python code; \
             its engines get the credentials that it names. The answer is remembered for this folder."
                .to_owned(),
            "trust it",
            "not now",
        ),
        Question::Quit => (
            "Leave?",
            "A run is going on. Leaving cancels it.".to_owned(),
            "leave",
            "stay",
        ),
        Question::DeleteRun(id) => (
            "Delete this run?",
            format!(
                "This deletes run {id} and its log from the history. Data and MLflow records are kept."
            ),
            "delete it",
            "keep it",
        ),
        Question::OverrideType(path, text, [before, after]) => (
            "Change the type?",
            format!("{path} is {before}; `{}` is {after}.", truncate(text, 40)),
            "override it",
            "leave it",
        ),
        Question::Fresh(..) => (
            "Run it again?",
            "Its inputs have not changed since the last run, so the result will be the same.".to_owned(),
            "run",
            "leave it",
        ),
        Question::CancelElsewhere(id) => (
            "Cancel this run?",
            format!("Another program runs run {id}. It is asked to cancel the run."),
            "cancel it",
            "let it go on",
        ),
        Question::StopRemote(profile, id) => (
            "Stop this run?",
            format!("{} of {} is stopped on {profile}; its tasks end as failed.", id.run, id.pipeline),
            "stop it",
            "let it go on",
        ),
        Question::Prune(_, pruned) => (
            "Delete old runs?",
            format!(
                "This deletes {}. Data and MLflow records are kept.",
                change::summary(pruned).unwrap_or_default()
            ),
            "delete them",
            "keep them",
        ),
        Question::Environment(why) => (
            "Make the Python environment?",
            format!("{why}\n\nA .venv in the project, with what requirements.txt names. This needs the network."),
            "make it",
            "not now",
        ),
    };
    let width = state.shared.size.width.saturating_sub(4).min(66);
    let lines = wrap(&text, usize::from(width.saturating_sub(4)));
    let height = u16::try_from(lines.len()).unwrap_or(4) + 4;
    let inner = open(paint, areas::dialog(state.shared.size, width, height), title);
    for (row, line) in lines.iter().enumerate() {
        paint.text(inner.x, inner.y + row as u16, line, Role::Text, inner.width);
    }
    let y = inner.bottom().saturating_sub(1);
    let mut x = inner.x;
    for (control, answer) in [(Control::Yes, yes), (Control::No, no)] {
        x += paint.text(x, y, &key_of(state, Scope::Ask, control), Role::Key, inner.width) + 1;
        x += paint.text(x, y, answer, Role::Text, inner.width) + 3;
    }
}

fn options(paint: &mut Paint<'_>, state: &State, form: &Form) {
    let fields = FIELDS.len() as u16;
    let area = areas::dialog(state.shared.size, 92, fields + 5);
    let inner = open(paint, area, "Run with options");
    let rows = inner.height.saturating_sub(3).min(fields);
    let first = (form.at as u16 + 1).saturating_sub(rows);
    for row in 0..rows {
        let index = usize::from(first + row);
        let Some((name, kind, hint)) = FIELDS.get(index) else { break };
        let y = inner.y + row;
        let active = index == form.at;
        if active {
            paint.restyle(Rect { y, height: 1, ..inner }, Role::Selection);
        }
        paint.text(inner.x, y, name, if active { Role::Title } else { Role::Dim }, 21);
        let line = Rect { x: inner.x + 22, y, width: inner.width.saturating_sub(22), height: 1 };
        let text = text(&form.fields[index]);
        match kind {
            FieldKind::Switch => {
                let on = text == "yes";
                let sign = if on { "[x] " } else { "[ ] " };
                let used = paint.text(line.x, y, sign, Role::Text, 4);
                paint.text(line.x + used, y, hint, Role::Dim, line.width.saturating_sub(used));
            }
            FieldKind::Text => {
                if text.is_empty() {
                    paint.text(line.x, y, hint, Role::Comment, line.width);
                }
                field(paint, line, &form.fields[index], active);
            }
        }
    }
    let y = inner.bottom().saturating_sub(3);
    paint.rule(Rect { y, height: 1, ..inner }, Role::Border);
    match form.chosen(state.shared.snapshot()) {
        Ok(count) => {
            let nodes = if count == 1 { "node" } else { "nodes" };
            paint.text(inner.x, y + 1, &format!("{count} {nodes}"), Role::Good, inner.width);
        }
        Err(error) => {
            paint.text(inner.x, y + 1, &error.line(), Role::Warning, inner.width);
        }
    }
    if let Ok(request) = form.request() {
        paint.text(inner.x, y + 2, &request.to_command(), Role::Comment, inner.width);
    }
    let controls =
        [(Control::Accept, "run"), (Control::Down, "next field"), (Control::Leave, "close")];
    footer(paint, area, &keys(state, Scope::Form, &controls));
}

fn environment(paint: &mut Paint<'_>, state: &State) {
    let Some(making) = &state.shared.making else { return };
    let area =
        areas::dialog(state.shared.size, state.shared.size.width.saturating_sub(4).min(100), 14);
    let inner = open(paint, area, "Python environment");
    let lines = &making.lines;
    let (ending, role) = match &making.end {
        None => (vec![format!("Installing: {}", making.progress())], Role::Running),
        Some(Ok(())) => (vec!["Done.".to_owned()], Role::Good),
        Some(Err(error)) => (wrap(&error.line(), usize::from(inner.width)), Role::Bad),
    };
    let height = usize::from(inner.height).saturating_sub(ending.len());
    for (row, line) in lines.iter().skip(lines.len().saturating_sub(height)).enumerate() {
        paint.text(inner.x, inner.y + row as u16, line, Role::Dim, inner.width);
    }
    for (row, line) in ending.iter().take(usize::from(inner.height)).enumerate() {
        paint.text(inner.x, inner.y + (height + row) as u16, line, role, inner.width);
    }
    let of_end = [(Control::Leave, "close")];
    let meanwhile = [(Control::Leave, "cancel"), (Control::Accept, "go on in the background")];
    let text = match making.end {
        Some(_) => keys(state, Scope::List, &of_end),
        None => keys(state, Scope::List, &meanwhile),
    };
    footer(paint, area, &text);
}
