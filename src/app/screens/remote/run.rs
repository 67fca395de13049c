//! The page of a run: its tasks in time, the log of one, and the last runs of its pipeline side by side.

use std::collections::HashMap;

use strum::VariantArray;

use super::asked::KeptRun;
use super::found::Found;
use super::log::TaskLog;
use crate::app::list::Position;
use crate::dag::view::RunState;
use crate::remote::model::{Phase, RunId, Task};
use crate::runs::Failure;

/// Lines over the part of a run's page: the run, and the titles of the parts.
pub const HEAD: u16 = 2;
/// Runs that the grid shows.
pub const GRID: usize = 25;

/// A part of a run's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, VariantArray)]
pub enum Part {
    /// The tasks in time.
    #[default]
    Tasks,
    /// The log of a task.
    Log,
    /// The hits of a search over the logs of all tasks.
    Found,
    /// The tasks of the pipeline's last runs.
    Grid,
    /// Everything else that is known about the run.
    About,
}

impl Part {
    /// The title of the part.
    pub fn title(self) -> &'static str {
        match self {
            Part::Tasks => "Tasks",
            Part::Log => "Log",
            Part::Found => "Found",
            Part::Grid => "Grid",
            Part::About => "About",
        }
    }
}

/// The page of a run.
#[derive(Debug)]
pub struct RunPage {
    /// The run.
    pub id: RunId,
    /// The part that is shown.
    pub part: Part,
    /// Its tasks.
    pub tasks: Vec<Task>,
    /// Whether the tasks were read.
    pub is_read: bool,
    /// The position among the tasks.
    pub position: Position,
    /// The log that is shown, or was shown last.
    pub log: Option<TaskLog>,
    /// The part from which the log was opened.
    pub before_log: Part,
    /// The last search over the logs.
    pub found: Option<Found>,
    /// The last runs of the pipeline.
    pub grid: Grid,
    /// Why the run could not be looked at the last time.
    pub error: Option<String>,
    /// What the project's history keeps of the run.
    pub kept: Option<Box<KeptRun>>,
    /// The task whose log is shown once the tasks are known.
    pub wanted: Option<String>,
}

impl RunPage {
    /// The page of a run, of which nothing was read.
    pub fn new(id: RunId) -> Self {
        RunPage {
            id,
            part: Part::default(),
            tasks: Vec::new(),
            is_read: false,
            position: Position::default(),
            log: None,
            before_log: Part::default(),
            found: None,
            grid: Grid::default(),
            error: None,
            kept: None,
            wanted: None,
        }
    }

    /// The parts that there are: hits only after a search.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let has_found = self.found.is_some();
        Part::VARIANTS.iter().copied().filter(move |part| *part != Part::Found || has_found)
    }

    /// The tries of all tasks that have begun.
    pub fn tries(&self) -> Vec<(Task, u32)> {
        let tries = |task: &Task| {
            let task = task.clone();
            (1..=task.attempt).map(move |attempt| (task.clone(), attempt))
        };
        self.tasks.iter().flat_map(tries).collect()
    }

    /// The selected task; on the log its task.
    pub fn selected(&self) -> Option<&Task> {
        match (self.part, &self.log) {
            (Part::Log, Some(log)) => Some(&log.task),
            _ => self.tasks.get(self.position.selected),
        }
    }

    /// The nodes that a task holds; none for a task that is none of the project's.
    pub fn nodes_of(&self, task: &Task) -> &[String] {
        let nodes = self.kept.as_ref().and_then(|kept| kept.nodes.get(&task.id));
        nodes.map(Vec::as_slice).unwrap_or_default()
    }

    /// The node of the selected task, the one that failed first, with its exception; without a selection in a log or in the
    /// list any node that failed.
    pub fn failure(&self) -> Option<&(String, Failure)> {
        let failures = &self.kept.as_ref()?.failures;
        let nodes = self.selected().map(|task| self.nodes_of(task)).unwrap_or_default();
        failures.iter().find(|(node, _)| nodes.contains(node)).or_else(|| failures.first())
    }

    /// What the nodes do in the run.
    pub fn states(&self) -> HashMap<String, RunState> {
        let of_task = |task: &Task| {
            let state = match task.state.phase {
                Phase::Waiting | Phase::Unknown => RunState::Waiting,
                Phase::Running | Phase::Retrying => RunState::Running,
                Phase::Succeeded => RunState::Done,
                Phase::Failed => RunState::Failed,
                Phase::UpstreamFailed | Phase::Skipped | Phase::Lost => RunState::Stopped,
            };
            self.nodes_of(task).iter().map(move |node| (node.clone(), state)).collect::<Vec<_>>()
        };
        self.tasks.iter().flat_map(of_task).collect()
    }

    /// Takes the tasks as they are now.
    pub fn take(&mut self, tasks: Vec<Task>) {
        let selected = self.tasks.get(self.position.selected).map(Task::name);
        let has_failed = |task: &Task| task.state.phase == Phase::Failed;
        let is_new = |task: &&Task| {
            !self.tasks.iter().any(|old| old.name() == task.name() && has_failed(old))
        };
        let failure = tasks.iter().find(|task| has_failed(task) && is_new(task));
        // What fails is selected, for that is what one comes for, unless one has moved to another task.
        let is_free = self.position.selected == 0 && self.part == Part::Tasks;
        let name = failure.filter(|_| is_free).map(Task::name).or(selected);
        let wanted = name.and_then(|name| tasks.iter().position(|task| task.name() == name));
        self.position.selected = wanted.unwrap_or(self.position.selected);
        if let Some(log) = &mut self.log
            && let Some(task) = tasks.iter().find(|task| task.name() == log.task.name())
        {
            // A new try is what one wants to see, unless one looks at an earlier one.
            if task.attempt > log.task.attempt && log.attempt == log.task.attempt && log.follow {
                *log = TaskLog::new(task.clone(), task.attempt);
            }
            log.task = task.clone();
        }
        (self.tasks, self.is_read, self.error) = (tasks, true, None);
        self.grid.add(&self.id, &self.tasks);
        if let Some(name) = self.wanted.take()
            && let Some(index) = self.tasks.iter().position(|task| task.name() == name)
        {
            self.position.selected = index;
            self.open_last_log();
        }
    }

    /// Shows the log of the selected task: the one that was shown before, or that of its latest try.
    pub fn open_log(&mut self) {
        (self.part, self.before_log) = (Part::Log, Part::Tasks);
        let Some(task) = self.tasks.get(self.position.selected) else { return };
        if self.log.as_ref().is_none_or(|log| log.task.name() != task.name()) {
            self.log = Some(TaskLog::new(task.clone(), task.attempt.max(1)));
        }
    }

    /// Shows the log of the latest try of the selected task.
    pub fn open_last_log(&mut self) {
        self.open_log();
        if let Some(log) = self.log.as_mut().filter(|log| log.attempt < log.task.attempt) {
            *log = TaskLog::new(log.task.clone(), log.task.attempt);
        }
    }

    /// Shows the log of the selected hit, at its line.
    pub fn open_hit(&mut self, height: usize) {
        let Some(found) = &self.found else { return };
        let Some((task, attempt, line)) = found.selected() else { return };
        // The task may have gone on since the search.
        let now = self.tasks.iter().find(|other| other.name() == task.name());
        let task = now.unwrap_or(task).clone();
        let same = |log: &TaskLog| log.task.name() == task.name() && log.attempt == attempt;
        if !self.log.as_ref().is_some_and(same) {
            self.log = Some(TaskLog::new(task, attempt));
        }
        if let (Some(log), Some(line)) = (&mut self.log, line) {
            log.go_to(line, height);
        }
        (self.part, self.before_log) = (Part::Log, Part::Found);
    }

    /// Shows the log of the next (1) or previous (-1) try. Returns false if there is none.
    pub fn turn_try(&mut self, by: i32) -> bool {
        let Some(log) = &mut self.log else { return false };
        let Some(attempt) = log.attempt.checked_add_signed(by) else { return false };
        if attempt == 0 || attempt > log.task.attempt {
            return false;
        }
        *log = TaskLog::new(log.task.clone(), attempt);
        true
    }
}

/// What a task of a run was like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// What its state means.
    pub phase: Phase,
    /// The number of its latest try.
    pub attempt: u32,
}

/// The tasks of several runs: a row for each task, a column for each run.
#[derive(Debug, Default)]
pub struct Grid {
    /// The runs, the oldest first, so that the newest is at the right.
    pub runs: Vec<RunId>,
    /// The names of the tasks: those of the newest run in their order, then those that only older runs have.
    pub tasks: Vec<String>,
    /// For each run that was read the cells by the index of the task.
    pub cells: HashMap<RunId, HashMap<usize, Cell>>,
    rows: HashMap<String, usize>,
    /// Whether a task failed in any of the runs.
    pub has_failures: bool,
    /// The position among the tasks.
    pub position: Position,
    /// The selected run.
    pub column: usize,
}

impl Grid {
    /// Shows these runs, newest first; `current` is selected.
    pub fn set_runs(&mut self, newest_first: &[RunId], current: &RunId) {
        let selected = self.runs.get(self.column).cloned();
        self.runs = newest_first.iter().take(GRID).rev().cloned().collect();
        let wanted = selected.as_ref().unwrap_or(current);
        let at = self.runs.iter().position(|run| run == wanted);
        self.column = at.unwrap_or(self.runs.len().saturating_sub(1));
        let Grid { cells, runs, .. } = self;
        cells.retain(|run, _| runs.contains(run));
        self.count_failures();
    }

    fn count_failures(&mut self) {
        let mut cells = self.cells.values().flat_map(HashMap::values);
        self.has_failures = cells.any(|cell| cell.phase == Phase::Failed);
    }

    /// Takes the tasks of a run.
    pub fn add(&mut self, run: &RunId, tasks: &[Task]) {
        let mut cells = HashMap::with_capacity(tasks.len());
        for task in tasks {
            let name = task.name();
            let next = self.tasks.len();
            let row = *self.rows.entry(name).or_insert_with_key(|name| {
                self.tasks.push(name.clone());
                next
            });
            cells.insert(row, Cell { phase: task.state.phase, attempt: task.attempt });
        }
        self.cells.insert(run.clone(), cells);
        self.count_failures();
    }

    /// The cell of a task in a run; `None` if the run has no such task, or was not read.
    pub fn cell(&self, row: usize, run: &RunId) -> Option<Cell> {
        self.cells.get(run)?.get(&row).copied()
    }

    /// The run and the name of the task that are selected.
    pub fn selected(&self) -> Option<(&RunId, &str)> {
        let name = self.tasks.get(self.position.selected)?;
        Some((self.runs.get(self.column)?, name))
    }

    /// In how many of the runs a task failed, and in how many it ended: what is flaky stands out.
    pub fn failures(&self, row: usize) -> (usize, usize) {
        let cells = self.runs.iter().filter_map(|run| self.cell(row, run));
        let ended = cells.filter(|cell| matches!(cell.phase, Phase::Failed | Phase::Succeeded));
        let phases: Vec<Phase> = ended.map(|cell| cell.phase).collect();
        (phases.iter().filter(|phase| **phase == Phase::Failed).count(), phases.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::model::State;

    fn id(run: &str) -> RunId {
        RunId { pipeline: "p".into(), run: run.into() }
    }

    fn task(id: &str, phase: Phase, attempt: u32) -> Task {
        Task {
            id: id.into(),
            index: None,
            state: State { name: format!("{phase:?}"), phase },
            attempt,
            attempts: 3,
            started: None,
            ended: None,
            host: None,
        }
    }

    #[test]
    fn what_fails_is_selected_once_unless_another_task_was() {
        let three = |second, third| {
            vec![task("x", Phase::Succeeded, 1), task("y", second, 2), task("z", third, 1)]
        };
        let mut page = RunPage::new(id("a"));
        page.take(three(Phase::Running, Phase::Waiting));
        assert_eq!(page.selected().unwrap().id, "x");
        page.take(three(Phase::Failed, Phase::Waiting));
        assert_eq!(page.selected().unwrap().id, "y");
        page.take(three(Phase::Failed, Phase::Failed));
        assert_eq!(page.selected().unwrap().id, "y");
        page.position.selected = 0;
        page.take(three(Phase::Failed, Phase::Failed));
        assert_eq!(page.selected().unwrap().id, "x");
        let mut page = RunPage::new(id("a"));
        page.take(three(Phase::Running, Phase::Failed));
        assert_eq!(page.selected().unwrap().id, "z");
        // A log that is read stays.
        let mut page = RunPage::new(id("a"));
        page.take(three(Phase::Running, Phase::Waiting));
        page.open_log();
        page.take(three(Phase::Failed, Phase::Waiting));
        assert_eq!(page.position.selected, 0);
    }

    #[test]
    fn a_new_try_is_shown_unless_an_earlier_one_is_read() {
        let mut page = RunPage::new(id("a"));
        page.take(vec![task("x", Phase::Running, 1)]);
        page.open_log();
        page.take(vec![task("x", Phase::Retrying, 1)]);
        assert_eq!(page.log.as_ref().unwrap().attempt, 1);
        page.take(vec![task("x", Phase::Running, 2)]);
        assert_eq!(page.log.as_ref().unwrap().attempt, 2);
        assert!(page.turn_try(-1) && !page.turn_try(-1));
        page.take(vec![task("x", Phase::Running, 3)]);
        assert_eq!(page.log.as_ref().unwrap().attempt, 1);
        page.open_log();
        assert_eq!(page.log.as_ref().unwrap().attempt, 1);
        page.open_last_log();
        assert_eq!(page.log.as_ref().unwrap().attempt, 3);
        assert!(page.turn_try(-1) && page.turn_try(-1));
        assert!(page.turn_try(1) && page.turn_try(1) && !page.turn_try(1));
    }

    #[test]
    fn the_grid_has_a_column_for_each_run_and_counts_what_fails() {
        let mut grid = Grid::default();
        grid.set_runs(&[id("c"), id("b"), id("a")], &id("b"));
        assert_eq!(grid.runs, [id("a"), id("b"), id("c")]);
        assert_eq!(grid.column, 1);
        grid.add(&id("c"), &[task("x", Phase::Succeeded, 1), task("y", Phase::Running, 1)]);
        grid.add(&id("a"), &[task("old", Phase::Succeeded, 1), task("x", Phase::Failed, 3)]);
        assert_eq!(grid.tasks, ["x", "y", "old"]);
        assert_eq!(grid.cell(0, &id("a")), Some(Cell { phase: Phase::Failed, attempt: 3 }));
        assert_eq!(grid.cell(1, &id("a")), None);
        assert_eq!(grid.cell(0, &id("b")), None);
        assert_eq!(grid.failures(0), (1, 2));
        assert_eq!(grid.failures(1), (0, 0));
        assert!(grid.has_failures);
        grid.set_runs(&[id("d"), id("c"), id("b")], &id("b"));
        assert_eq!(grid.runs[grid.column], id("b"));
        assert_eq!(grid.cell(0, &id("a")), None);
        assert!(!grid.has_failures, "the run that failed is no longer shown");
    }
}
