//! Runs that change while the table is shown.

use super::{ExperimentsScreen, events};
use crate::app::notice::Toast;
use crate::app::shared::Shared;
use crate::tracking::Overview;
use crate::tracking::entities::{Point, Run};

/// The part of the time that may be spent on arranging the table while runs train.
const SHARE: f64 = 0.1;
/// A pause between two arrangements that is too short to be kept, in seconds.
const IMMEDIATE: f64 = 0.25;

impl ExperimentsScreen {
    /// The whole store was read again.
    pub fn reread(&mut self) {
        self.curves.expire();
        self.belongings.clear();
        self.artifacts.expire();
        self.changed.clear();
    }

    /// A run as it was reported last.
    pub fn latest<'s>(&'s self, overview: &'s Overview, id: &str) -> Option<&'s Run> {
        let waiting = self.changed.iter().rev().find(|run| run.id == *id);
        waiting.or_else(|| overview.runs.iter().find(|run| run.id == *id))
    }

    /// Takes runs that have changed. A large table is not arranged anew for each change: runs wait until
    /// [`ExperimentsScreen::tick`]. `shown` says whether the screen is shown.
    pub fn change(&mut self, shared: &mut Shared, runs: Vec<Run>, shown: bool) {
        self.changed.extend(runs);
        self.tick(shared, shown);
    }

    /// Takes note of the followed metric in runs that have changed. Returns the message if one crosses the threshold.
    pub fn notice(
        &mut self,
        overview: &Overview,
        runs: &[Run],
        points: &[(String, String, Point)],
        now: f64,
    ) -> Option<Toast> {
        let followed = self.choices.followed.as_ref()?;
        let goal = self.choices.goal(&followed.metric);
        let crossed = self.bests.take(followed, goal, overview, runs, points)?;
        Some(events::crossed(crossed, now))
    }

    /// The best value so far of the followed metric in the runs that train.
    pub fn best_so_far(&self, shared: &Shared) -> Option<String> {
        let followed = self.choices.followed.as_ref()?;
        self.bests.text(followed, self.choices.goal(&followed.metric), shared.tracked()?)
    }

    /// Shows runs that have changed, if it is time. `shown` says whether the screen is shown.
    pub fn tick(&mut self, shared: &mut Shared, shown: bool) {
        let (at, took) = self.arranged;
        let pause = took.as_secs_f64() / SHARE;
        // Small tables are arranged at once: the clock of the screen does not go on between two of its ticks.
        if self.changed.is_empty() || pause > IMMEDIATE && shared.now < at + pause {
            return;
        }
        let selected = self.kept(shared, shown);
        if let Some(overview) = shared.tracked_mut() {
            overview.update(std::mem::take(&mut self.changed));
            self.arrange_around(shared, selected.as_deref());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::State;
    use crate::app::settings::Settings;
    use crate::app::shared::TrackingReport;

    #[test]
    fn a_large_table_is_arranged_now_and_then_and_loses_no_change() {
        let mut state = State::new(None, Settings::default(), 100.0);
        let State { shared, experiments, .. } = &mut state;
        let run =
            |id: &str, status: &str| Run { id: id.into(), status: status.into(), ..Run::default() };
        let overview = Overview { runs: vec![run("a", "RUNNING")], ..Overview::default() };
        shared.project.tracking = Some(TrackingReport::Live(overview));
        experiments.refresh(shared);
        experiments.arranged = (100.0, Duration::from_millis(200));
        experiments.change(shared, vec![run("b", "RUNNING"), run("a", "FINISHED")], true);
        assert_eq!(experiments.table.rows.len(), 1, "it waits for two seconds");
        let status = |shared: &Shared, experiments: &ExperimentsScreen| {
            let overview = shared.tracked().unwrap();
            experiments.latest(overview, "a").map(|run| run.status.clone())
        };
        assert_eq!(status(shared, experiments).as_deref(), Some("FINISHED"));
        shared.now = 101.9;
        experiments.tick(shared, true);
        assert_eq!(experiments.table.rows.len(), 1);
        shared.now = 102.0;
        experiments.tick(shared, true);
        assert_eq!(experiments.table.rows.len(), 2);
        assert_eq!(status(shared, experiments).as_deref(), Some("FINISHED"));
        experiments.arranged = (102.0, Duration::from_millis(20));
        experiments.change(shared, vec![run("c", "RUNNING")], true);
        assert_eq!(experiments.table.rows.len(), 3, "a small table is arranged at once");
    }
}
