//! The Runs screen: its page, its filter and marks, and what is written to the history.

use crossterm::event::KeyEvent;

use super::{graph, navigate, overrides};
use crate::app::areas::Areas;
use crate::app::command::Command;
use crate::app::comparison::{rows, sections};
use crate::app::details::details;
use crate::app::effect::Effect;
use crate::app::history::{ComparisonPage, HEAD, Page, Part, Prompt, PromptKind, RunPage};
use crate::app::key::Key;
use crate::app::list::Position;
use crate::app::log_view::LogView;
use crate::app::picker::{line, text};
use crate::app::state::{Dialog, Question, State, Tab};
use crate::runs::history::Comparison;
use crate::runs::history::{change, filter};
use crate::store::{LogFilter, LogLine, Outcome, RunId, RunRecord};

/// Does what was asked for on the Runs screen. The command applies: there is a run.
pub(super) fn act(state: &mut State, command: Command) -> Vec<Effect> {
    let run = state.shown_run().cloned();
    match (command, run) {
        (Command::FilterRuns, _) => {
            state.history.page = None;
            let before = state.history.query.clone();
            begin(state, PromptKind::Filter(before.clone()), &before);
        }
        (Command::CompareRuns, run) => return compare(state, run.map(|run| run.id)),
        (Command::Mark, Some(run)) => mark(state, run.id),
        (Command::Timeline, Some(run)) => show_part(state, run.id, Part::Timeline),
        (Command::Log, Some(run)) => show_part(state, run.id, Part::Log),
        (Command::PinRun, Some(run)) => {
            let pinned = !run.pinned;
            change_row(state, run.id, |run| run.pinned = pinned);
            let word = if pinned { "pinned" } else { "not pinned any more" };
            state.tell(format!("Run {} is {word}.", run.id));
            return vec![Effect::Pin(run.id, pinned)];
        }
        (Command::NoteRun, Some(run)) => {
            begin(state, PromptKind::Note(run.id), &run.note.unwrap_or_default());
        }
        (Command::DeleteRun, Some(run)) => {
            state.dialogs.push(Dialog::Ask(Question::DeleteRun(run.id)));
        }
        (Command::PruneRuns, _) => begin(state, PromptKind::Prune, ""),
        (Command::LogLevel, _) => {
            if let Some(page) = state.history.run_page_mut() {
                page.log.next_level();
            }
        }
        (Command::FollowLog, _) => {
            let height = body_height(state);
            if let Some(page) = state.history.run_page_mut() {
                match page.log.follow {
                    true => page.log.follow = false,
                    false => page.log.last(height),
                }
            }
        }
        _ => {}
    }
    Vec::new()
}

pub(super) fn begin(state: &mut State, kind: PromptKind, text: &str) {
    state.prompt = Some(Prompt { kind, field: line(text) });
}

/// Changes the row of a run before the store tells of it.
fn change_row(state: &mut State, id: RunId, change: impl FnOnce(&mut RunRecord)) {
    if let Some(run) = state.runs.rows.iter_mut().find(|run| run.id == id) {
        change(run);
    }
}

/// The marked runs are two at most: the older mark makes way.
fn mark(state: &mut State, id: RunId) {
    let marked = &mut state.history.marked;
    match marked.iter().position(|other| *other == id) {
        Some(index) => drop(marked.remove(index)),
        None => {
            if marked.len() == 2 {
                marked.remove(0);
            }
            marked.push(id);
        }
    }
}

/// The runs that `compare-runs` takes: the marked ones, else the marked and the shown one.
pub(in crate::app) fn compared(state: &State, shown: Option<RunId>) -> Option<(RunId, RunId)> {
    match (state.history.marked.as_slice(), shown) {
        ([first, second], _) => Some((*first.min(second), *first.max(second))),
        ([first], Some(second)) if *first != second => {
            Some((*first.min(&second), *first.max(&second)))
        }
        _ => None,
    }
}

fn compare(state: &mut State, shown: Option<RunId>) -> Vec<Effect> {
    let Some(runs) = compared(state, shown) else { return Vec::new() };
    let page = ComparisonPage { runs, compared: None, offset: 0 };
    state.history.page = Some(Page::Comparison(page));
    vec![Effect::Compare(runs.0, runs.1)]
}

fn show_part(state: &mut State, id: RunId, part: Part) {
    state.side_offset = 0;
    match state.history.run_page_mut().filter(|page| page.id == id) {
        Some(page) => page.part = part,
        None => open_page(state, id, part, LogFilter::default()),
    }
}

fn open_page(state: &mut State, id: RunId, part: Part, filter: LogFilter) {
    let mut log = LogView::default();
    log.set_filter(filter);
    let page = RunPage { id, part, nodes: Position::default(), log };
    state.history.page = Some(Page::Run(Box::new(page)));
    state.side_offset = 0;
}

/// Opens the page of the selected run, or the log of the selected node; whether it did.
pub(super) fn open(state: &mut State) -> bool {
    if state.tab != Tab::Runs {
        return false;
    }
    match (&state.history.page, state.shown_run().map(|run| run.id)) {
        (None, Some(id)) if id != 0 => open_page(state, id, Part::Timeline, LogFilter::default()),
        (Some(Page::Run(page)), Some(id)) if page.part == Part::Timeline => {
            let selected = page.nodes.selected;
            let bars = state.shown_timeline().map(|timeline| timeline.bars.as_slice());
            let node = bars.and_then(|bars| bars.get(selected)).map(|bar| bar.node.clone());
            let filter = LogFilter { node, ..LogFilter::default() };
            if let Some(page) = state.history.run_page_mut().filter(|page| page.id == id) {
                page.part = Part::Log;
                page.log.set_filter(filter);
            }
        }
        (None, _) => return false,
        _ => {}
    }
    true
}

/// Steps back on the Runs screen; `None` when there is nothing to step back from.
pub(super) fn back(state: &mut State) -> Option<Vec<Effect>> {
    if state.tab != Tab::Runs {
        return None;
    }
    let history = &mut state.history;
    if let Some(page) = history.run_page_mut()
        && page.part == Part::Log
        && page.log.filter != LogFilter::default()
    {
        // The filter was the last step.
        page.log.set_filter(LogFilter::default());
        return Some(Vec::new());
    }
    if history.page.take().is_some() {
        state.side_offset = 0;
        return Some(Vec::new());
    }
    if !history.query.is_empty() {
        return Some(set_query(state, String::new()));
    }
    let marked = std::mem::take(&mut history.marked);
    (!marked.is_empty()).then(Vec::new)
}

/// The next part of the page, or the one before; whether there is a page.
pub(super) fn cycle_part(state: &mut State, by: usize) -> bool {
    if state.tab != Tab::Runs {
        return false;
    }
    let Some(page) = state.history.run_page_mut() else { return state.history.page.is_some() };
    let index = Part::ALL.iter().position(|part| *part == page.part).unwrap_or(0);
    page.part = Part::ALL[(index + by) % Part::ALL.len()];
    state.side_offset = 0;
    true
}

/// Lines of the page below its head.
pub(super) fn body_height(state: &State) -> usize {
    usize::from(Areas::of(state).main.height.saturating_sub(HEAD))
}

/// Moves on the page by `by` lines, or sideways; false where the page is a list as others are.
pub(super) fn go(state: &mut State, command: Command, by: isize) -> bool {
    let height = body_height(state);
    let about = details(state).lines.len();
    match &mut state.history.page {
        Some(Page::Comparison(page)) => {
            let len = match &page.compared {
                Some(Ok(sections)) => rows(sections).count(),
                _ => 0,
            };
            let last = len.saturating_sub(height);
            page.offset = page.offset.saturating_add_signed(by).min(last);
        }
        Some(Page::Run(page)) => match (page.part, command) {
            (Part::Timeline, _) => return false,
            (Part::Log, Command::Left) => page.log.scroll_sideways(-1),
            (Part::Log, Command::Right) => page.log.scroll_sideways(1),
            (Part::Log, Command::First) => page.log.first(),
            (Part::Log, Command::Last) => page.log.last(height),
            (Part::Log, _) => page.log.scroll(by, height),
            (Part::About, _) => {
                let last = about.saturating_sub(height);
                state.side_offset = state.side_offset.saturating_add_signed(by).min(last);
            }
        },
        None => return false,
    }
    true
}

/// Begins to type what lines of the log must have; false where no log is shown.
pub(super) fn find(state: &mut State) -> bool {
    if state.shown_part() != Some(Part::Log) {
        return false;
    }
    let before = state.history.run_page().and_then(|page| page.log.filter.text.clone());
    begin(state, PromptKind::Log, &before.unwrap_or_default());
    true
}

/// A key while a line is being typed on the bar.
pub(super) fn prompt_key(state: &mut State, key: Key, event: KeyEvent) -> Vec<Effect> {
    let Some(mut prompt) = state.prompt.take() else { return Vec::new() };
    state.notice = None;
    match key.to_string().as_str() {
        "esc" | "ctrl-c" | "ctrl-g" => match prompt.kind {
            PromptKind::Filter(before) => set_query(state, before),
            PromptKind::Graph(before) => {
                // It was a filter before.
                let _ = graph::set_filter(state, &before);
                Vec::new()
            }
            PromptKind::Note(_)
            | PromptKind::Log
            | PromptKind::Prune
            | PromptKind::Override(_)
            | PromptKind::Export
            | PromptKind::Grid => Vec::new(),
        },
        "enter" => accept(state, prompt),
        _ => {
            prompt.field.input(event);
            typed(state, prompt)
        }
    }
}

/// What was typed or pasted so far; a filter is tried while it is being typed.
pub(super) fn typed(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let query = text(&prompt.field);
    if matches!(prompt.kind, PromptKind::Graph(_)) {
        // What is half written is told of when it is accepted.
        let _ = graph::set_filter(state, &query);
        state.prompt = Some(prompt);
        return Vec::new();
    }
    let query = filter::settled(&query);
    let tries = matches!(prompt.kind, PromptKind::Filter(_));
    state.prompt = Some(prompt);
    if tries && filter::parse(query, state.now).is_ok() {
        return set_query(state, query.to_owned());
    }
    Vec::new()
}

fn set_query(state: &mut State, query: String) -> Vec<Effect> {
    if state.history.query == query {
        return Vec::new();
    }
    state.history.query = query;
    vec![state.load_runs()]
}

fn accept(state: &mut State, prompt: Prompt) -> Vec<Effect> {
    let written = text(&prompt.field);
    match prompt.kind.clone() {
        PromptKind::Filter(_) => {
            if let Err(why) = filter::parse(&written, state.now) {
                state.warn(why);
                state.prompt = Some(prompt);
                return Vec::new();
            }
            return set_query(state, written.trim().to_owned());
        }
        PromptKind::Note(id) => {
            let note = written.trim().to_owned();
            let kept = Some(note.clone()).filter(|note| !note.is_empty());
            change_row(state, id, |run| run.note = kept);
            return vec![Effect::Note(id, note)];
        }
        PromptKind::Graph(_) => {
            if let Err(why) = graph::set_filter(state, &written) {
                state.warn(why);
                state.prompt = Some(prompt);
            }
        }
        PromptKind::Export => {
            let file = written.trim().to_owned();
            if !file.is_empty() {
                return vec![Effect::Export(file)];
            }
        }
        PromptKind::Override(path) => return overrides::set(state, path, written),
        PromptKind::Grid => match overrides::grid(state, &written) {
            Ok(effects) => return effects,
            Err(why) => {
                state.warn(why);
                state.prompt = Some(prompt);
            }
        },
        PromptKind::Prune => match change::parse_room(&written, state.now) {
            Ok(room) => return vec![Effect::Prunable(room)],
            Err(why) => {
                state.warn(why);
                state.prompt = Some(prompt);
            }
        },
        PromptKind::Log => {
            let text = Some(written).filter(|text| !text.is_empty());
            if let Some(page) = state.history.run_page_mut() {
                page.log.set_filter(LogFilter { text, ..page.log.filter.clone() });
            }
        }
    }
    Vec::new()
}

/// The run is to be deleted.
pub(super) fn delete(state: &mut State, id: RunId) -> Vec<Effect> {
    state.history.page = None;
    state.history.marked.retain(|marked| *marked != id);
    state.tell(format!("Run {id} is deleted."));
    vec![Effect::DeleteRun(id)]
}

/// What the Runs screen needs and does not have.
pub(super) fn wanted(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.tab != Tab::Runs {
        return effects;
    }
    if let Some(run) = state.shown_run().cloned()
        && state.history.needs(&run)
    {
        effects.push(Effect::LoadRun(run.id));
    }
    let height = body_height(state);
    if let Some(page) = state.history.run_page_mut().filter(|page| page.part == Part::Log)
        && let Some(from) = page.log.wanted(height)
    {
        let (generation, filter) = (page.log.generation, page.log.filter.clone());
        effects.push(Effect::LoadLog { run: page.id, generation, filter, from });
    }
    effects
}

/// The history was written to: the list is read again, and of the shown run what may have grown.
pub(super) fn changed(state: &mut State) -> Vec<Effect> {
    let mut effects = vec![state.load_runs()];
    if state.tab != Tab::Runs {
        return effects;
    }
    if let Some(page) = state.history.run_page_mut() {
        page.log.grown();
    }
    let goes_on = |run: &RunRecord| run.outcome == Outcome::Running;
    if let Some(run) = state.shown_run().filter(|run| run.id != 0) {
        // A run of this screen has ended for the screen before all of it is in the store.
        let read = state.history.read(run.id).is_none_or(|read| goes_on(&read.whole.run));
        if read || goes_on(run) {
            effects.push(Effect::LoadRun(run.id));
        }
    }
    effects
}

/// Runs of the history arrived; what was selected stays selected.
pub(super) fn listed(state: &mut State, mut records: Vec<RunRecord>) -> Vec<Effect> {
    let goes_on = |rows: &[RunRecord], id: RunId| {
        rows.iter().any(|run| run.id == id && run.outcome == Outcome::Running)
    };
    // What has ended elsewhere tells how long its nodes usually take.
    let ended = records
        .iter()
        .any(|run| run.outcome != Outcome::Running && goes_on(&state.runs.rows, run.id));
    // What the screen has seen of its own run is newer than what the store told.
    if let Some(run) = &state.run
        && let Some(row) = records.iter_mut().find(|row| row.id == run.record.id)
        && row.outcome == Outcome::Running
    {
        *row = run.record.clone();
    }
    let came = state.history.coming.take_if(|id| records.iter().any(|run| run.id == *id));
    let selected = came.or_else(|| state.runs.selected().map(|run| run.id));
    state.runs.rows = records;
    let kept = state.runs.rows.iter().position(|run| Some(run.id) == selected);
    let index = kept.unwrap_or(state.runs.position.selected);
    let height = usize::from(Areas::of(state).main.height.saturating_sub(1));
    state.runs.position.select(index, state.runs.rows.len(), height);
    ended.then_some(Effect::LoadTimings).into_iter().collect()
}

/// Lines of a log arrived.
pub(super) fn log(state: &mut State, run: RunId, generation: u64, lines: Vec<LogLine>) {
    let height = body_height(state);
    if let Some(page) = state.history.run_page_mut().filter(|page| page.id == run) {
        page.log.take(generation, lines, height);
    }
}

/// A run was read.
pub(super) fn read(state: &mut State, whole: crate::runs::history::Whole) {
    let id = whole.run.id;
    // The row may be of a time when the run still went on.
    let ended = whole.run.outcome != Outcome::Running;
    let own = state.run.as_ref().is_some_and(|run| run.record.id == id && run.ended.is_none());
    if ended && !own {
        let record = whole.run.clone();
        change_row(state, id, |run| *run = record);
    }
    let now = state.now;
    state.history.keep(whole, now);
    if let (Some(timeline), Some(Part::Timeline)) = (state.shown_timeline(), state.shown_part()) {
        let len = timeline.bars.len();
        let height = navigate::list_height(state);
        if let Some(page) = state.history.run_page_mut() {
            page.nodes.select(page.nodes.selected, len, height);
        }
    }
}

/// Two runs were compared.
pub(super) fn was_compared(
    state: &mut State,
    runs: (RunId, RunId),
    result: Result<Box<Comparison>, String>,
) {
    if let Some(Page::Comparison(page)) = &mut state.history.page
        && page.runs == runs
    {
        page.compared = Some(result.map(|compared| sections(&compared)));
    }
}
