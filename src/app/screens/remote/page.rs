//! The runs of an engine.

use super::run::{Part, RunPage};
use super::runs::{At, KEYS, merge};
use crate::app::list::Listing;
use crate::remote::model::{Run, RunId};
use crate::text::filter::{Filter, FilterError, parse};

/// Runs that are asked for at first.
const FIRST: usize = 100;
/// How many times more are asked for when the last known one is reached.
const MORE: usize = 4;

/// The runs of a profile.
#[derive(Debug)]
pub struct Page {
    /// The profile.
    pub profile: String,
    /// The known runs, newest first.
    pub runs: Vec<Run>,
    /// Those that match the filter.
    pub list: Listing<Run>,
    /// The filter as it was written.
    pub query: String,
    filter: Filter,
    /// Whether the runs of all pipelines are shown, or those of the project's pipelines.
    pub all: bool,
    /// At most so many runs are asked for.
    pub limit: usize,
    /// Whether these are all runs that the engine has.
    pub is_whole: bool,
    /// Whether runs were read.
    pub is_read: bool,
    /// Why the engine could not be looked at the last time.
    pub error: Option<String>,
    /// The page of a run in place of the list.
    pub run: Option<Box<RunPage>>,
}

impl Page {
    /// The runs of a profile, of which nothing was read.
    pub fn new(profile: String) -> Self {
        Page {
            profile,
            runs: Vec::new(),
            list: Listing::default(),
            query: String::new(),
            filter: Filter::default(),
            all: false,
            limit: FIRST,
            is_whole: false,
            is_read: false,
            error: None,
            run: None,
        }
    }

    /// Takes runs that were read.
    pub fn take(&mut self, runs: Vec<Run>, all: bool, now: f64) {
        merge(&mut self.runs, runs);
        (self.is_read, self.error) = (true, None);
        self.is_whole |= all;
        self.refresh(now);
    }

    /// Takes one run as it is now.
    pub fn take_one(&mut self, run: Run, now: f64) {
        merge(&mut self.runs, vec![run]);
        self.refresh(now);
    }

    /// Filters the runs again.
    pub fn refresh(&mut self, now: f64) {
        let matching = self.runs.iter().filter(|run| self.filter.matches(&At(run, now)));
        let rows: Vec<Run> = matching.cloned().collect();
        // The selection stays on its run; before anything is selected the newest run is.
        let is_at_top = self.list.position.selected == 0 && self.list.position.offset == 0;
        if is_at_top && self.run.is_none() {
            self.list.rows = rows;
        } else {
            self.list.replace(rows, usize::MAX, |one, other| one.id == other.id);
        }
        let newest: Vec<RunId> = match &self.run {
            Some(page) => {
                let same = |run: &&Run| run.id.pipeline == page.id.pipeline;
                self.runs.iter().filter(same).map(|run| run.id.clone()).collect()
            }
            None => Vec::new(),
        };
        if let Some(page) = &mut self.run {
            page.grid.set_runs(&newest, &page.id);
        }
    }

    /// Filters the list.
    ///
    /// # Errors
    /// If the text can't be parsed.
    pub fn set_query(&mut self, text: &str, now: f64) -> Result<(), FilterError> {
        self.filter = parse(text, KEYS)?;
        self.query = text.trim().to_owned();
        self.refresh(now);
        Ok(())
    }

    /// Asks for older runs if the last known one is selected.
    pub fn read_more(&mut self) {
        let at_last = self.list.position.selected + 1 >= self.list.rows.len();
        if at_last && self.is_read && !self.is_whole && self.runs.len() >= self.limit {
            self.limit *= MORE;
        }
    }

    /// Shows the runs of all pipelines, or those of the project's.
    pub fn toggle_all(&mut self) {
        *self = Page { all: !self.all, ..Page::new(std::mem::take(&mut self.profile)) };
    }

    /// Shows the page of a run.
    pub fn open_run(&mut self, id: RunId) {
        let mut page = RunPage::new(id);
        let same = |run: &&Run| run.id.pipeline == page.id.pipeline;
        let newest: Vec<RunId> = self.runs.iter().filter(same).map(|run| run.id.clone()).collect();
        page.grid.set_runs(&newest, &page.id);
        self.run = Some(Box::new(page));
    }

    /// Shows the log of a task of a run that the grid shows.
    pub fn open_task(&mut self, id: RunId, task: &str) {
        let Some(before) = &mut self.run else { return };
        if before.id != id {
            let grid = std::mem::take(&mut before.grid);
            let mut page = RunPage { grid, ..RunPage::new(id) };
            page.wanted = Some(task.to_owned());
            page.part = Part::Tasks;
            **before = page;
            return;
        }
        if let Some(index) = before.tasks.iter().position(|other| other.name() == task) {
            before.position.selected = index;
            before.open_last_log();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::model::{Phase, State};

    fn run(id: &str, at: f64, phase: Phase) -> Run {
        Run {
            id: RunId { pipeline: "p".into(), run: id.into() },
            state: State { name: format!("{phase:?}").to_lowercase(), phase },
            queued: Some(at),
            started: Some(at),
            ended: phase.is_over().then_some(at + 30.0),
            kind: "manual".into(),
            conf: serde_json::json!({"alpha": 3}),
            note: None,
            error: None,
        }
    }

    fn ids(page: &Page) -> Vec<&str> {
        page.list.rows.iter().map(|run| run.id.run.as_str()).collect()
    }

    #[test]
    fn new_runs_come_first_and_the_selection_stays() {
        let mut page = Page::new("a".into());
        page.take(vec![run("2", 20.0, Phase::Running), run("1", 10.0, Phase::Failed)], false, 50.0);
        assert_eq!(ids(&page), ["2", "1"]);
        page.list.position.selected = 1;
        page.take(
            vec![run("3", 30.0, Phase::Running), run("2", 20.0, Phase::Succeeded)],
            false,
            50.0,
        );
        assert_eq!(ids(&page), ["3", "2", "1"]);
        assert_eq!(page.list.selected().unwrap().id.run, "1");
        assert_eq!(page.runs[1].state.phase, Phase::Succeeded);
    }

    #[test]
    fn runs_are_filtered_by_state_time_and_text() {
        let mut page = Page::new("a".into());
        page.take(
            vec![run("new", 900.0, Phase::Running), run("old", 10.0, Phase::Failed)],
            true,
            1_000.0,
        );
        for (query, expected) in [
            ("is:failed", vec!["old"]),
            ("is:running", vec!["new"]),
            ("-is:running", vec!["old"]),
            ("took>50s", vec!["new"]),
            ("took<50s", vec!["old"]),
            ("since:5min", vec!["new"]),
            ("until:5min", vec!["old"]),
            ("state:failed", vec!["old"]),
            ("pipeline:p kind:manual", vec!["new", "old"]),
            ("ALPHA ne", vec!["new"]),
            ("nothing", vec![]),
        ] {
            page.set_query(query, 1_000.0).unwrap();
            assert_eq!(ids(&page), expected, "{query}");
        }
        assert!(page.set_query("is:bad", 1_000.0).is_err());
    }

    #[test]
    fn older_runs_are_asked_for_at_the_end_of_the_list_only() {
        let mut page = Page::new("a".into());
        let many = (0..FIRST).map(|n| run(&n.to_string(), 1_000.0 - n as f64, Phase::Succeeded));
        page.take(many.collect(), false, 2_000.0);
        page.read_more();
        assert_eq!(page.limit, FIRST);
        page.list.position.selected = FIRST - 1;
        page.read_more();
        assert_eq!(page.limit, FIRST * MORE);
        page.read_more();
        assert_eq!(page.limit, FIRST * MORE, "it waits for the answer");
    }
}
