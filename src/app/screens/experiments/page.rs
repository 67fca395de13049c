//! The page of one or several tracked runs: a chart for each metric, with the curves of all these runs.

use std::collections::BTreeSet;

use ratatui::layout::Size;

use super::columns::SYSTEM;
use super::curves::{CurveId, Curves};
use super::export::file_name;
use super::filter::regex;
use crate::app::chart::{ChartView, Track, extent};
use crate::app::command::Command;
use crate::text::filter::FilterError;
use crate::tracking::Overview;
use crate::tracking::entities::Run;

/// The smallest size of a chart in the grid, in cells.
const CHART: Size = Size { width: 38, height: 9 };
/// Most charts beside each other.
const MOST_ACROSS: usize = 4;
/// The part of the window by which a key moves it.
const PAN: f64 = 0.25;

/// The page of tracked runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CurvesPage {
    /// Ids of the runs.
    pub runs: Vec<String>,
    /// The regular expression that chooses metrics, as it was written; empty for all.
    pub filter: String,
    /// Names of the metrics, one for each chart; those of the system come last.
    pub charts: Vec<String>,
    /// Index of the selected chart.
    pub selected: usize,
    /// Whether the selected chart has the whole pane.
    pub large: bool,
    /// What all charts show.
    pub view: ChartView,
    /// The first visible row of the grid.
    first: usize,
}

impl CurvesPage {
    /// The page of these runs.
    pub fn of(overview: &Overview, runs: Vec<String>) -> Self {
        let mut page = CurvesPage { runs, ..CurvesPage::default() };
        page.refresh(overview);
        page
    }

    /// Chooses metrics by a regular expression.
    ///
    /// # Errors
    /// If it is none.
    pub fn set_filter(
        &mut self,
        text: &str,
        overview: Option<&Overview>,
    ) -> Result<(), FilterError> {
        regex(text)?;
        self.filter = text.to_owned();
        if let Some(overview) = overview {
            self.refresh(overview);
        }
        self.first = 0;
        Ok(())
    }

    /// Looks which metrics there are; the selected one stays selected.
    pub fn refresh(&mut self, overview: &Overview) {
        let pattern = regex(&self.filter).ok().filter(|_| !self.filter.is_empty());
        let chosen = |key: &&String| pattern.as_ref().is_none_or(|pattern| pattern.is_match(key));
        let kept = self.charts.get(self.selected).cloned();
        let keys: BTreeSet<&String> = self
            .found(overview)
            .flat_map(|run| run.metrics.iter().map(|(key, _)| key))
            .filter(chosen)
            .collect();
        let (system, own): (Vec<&String>, Vec<&String>) =
            keys.into_iter().partition(|key| key.starts_with(SYSTEM));
        self.charts = own.into_iter().chain(system).cloned().collect();
        let found = self.charts.iter().position(|key| Some(key) == kept.as_ref());
        self.selected = found.unwrap_or(self.selected).min(self.charts.len().saturating_sub(1));
    }

    /// The runs of the page that are in the store.
    pub fn found<'s>(&self, overview: &'s Overview) -> impl Iterator<Item = &'s Run> + use<'s> {
        overview.of_ids(&self.runs).into_iter()
    }

    /// The number of charts beside each other and below each other.
    pub fn grid(&self, room: Size) -> (usize, usize) {
        if self.large {
            return (1, 1);
        }
        let count = self.charts.len().max(1);
        let across = usize::from(room.width / CHART.width).clamp(1, MOST_ACROSS);
        let rows = count.div_ceil(across);
        let down = usize::from(room.height / CHART.height).clamp(1, rows);
        // Four charts are two rows of two, where there would be room for three beside each other.
        (if rows <= down { count.div_ceil(rows) } else { across }, down)
    }

    /// The visible charts.
    pub fn visible(&self, room: Size) -> std::ops::Range<usize> {
        let (across, down) = self.grid(room);
        let first = if self.large { self.selected } else { self.first * across };
        first.min(self.charts.len())..(first + across * down).min(self.charts.len())
    }

    /// The name of a new file for the selected chart.
    pub fn file_name(&self) -> String {
        file_name(self.charts.get(self.selected).map_or("", String::as_str), "svg")
    }

    /// The curves that the visible charts need.
    pub fn wanted(&self, room: Size) -> impl Iterator<Item = CurveId> {
        self.charts[self.visible(room)]
            .iter()
            .flat_map(|key| self.runs.iter().map(move |run| (run.clone(), key.clone())))
    }

    /// Moves to another chart, or the crosshair in a large chart. Returns whether the command was one of these.
    pub fn go(&mut self, command: Command, curves: &Curves, room: Size) -> bool {
        let (across, down) = self.grid(room);
        let across = isize::try_from(across).unwrap_or(1);
        let down = isize::try_from(down).unwrap_or(1);
        let by = match command {
            Command::Left | Command::Right if self.large => {
                self.move_crosshair(curves, if command == Command::Right { 1 } else { -1 });
                return true;
            }
            Command::Left => -1,
            Command::Right => 1,
            Command::Up => -across,
            Command::Down => across,
            Command::PageUp => -across * down,
            Command::PageDown => across * down,
            Command::First => isize::MIN,
            Command::Last => isize::MAX,
            _ => return false,
        };
        self.select(self.selected.saturating_add_signed(by), room);
        true
    }

    /// Selects a chart, or the last one before it, and brings it into view.
    pub fn select(&mut self, index: usize, room: Size) {
        self.selected = index.min(self.charts.len().saturating_sub(1));
        let (across, down) = self.grid(room);
        if !self.large {
            let row = self.selected / across;
            self.first = self.first.clamp((row + 1).saturating_sub(down), row);
        }
    }

    /// The chart at a cell of the pane, counted from its corner.
    pub fn chart_at(&self, x: u16, y: u16, room: Size) -> Option<usize> {
        let (across, down) = self.grid(room);
        let (width, height) = (usize::from(room.width) / across, usize::from(room.height) / down);
        let (column, row) = (usize::from(x) / width.max(1), usize::from(y) / height.max(1));
        let index = self.visible(room).start + row * across + column.min(across - 1);
        (row < down && index < self.visible(room).end).then_some(index)
    }

    /// Changes what the charts show. The window and the crosshair are those of the selected chart.
    pub fn change(&mut self, command: Command, curves: &Curves) {
        let data = self.extent(curves);
        match (command, data) {
            (Command::ZoomIn, Some(data)) => self.view.zoom_in(data),
            (Command::ZoomOut, Some(data)) => self.view.zoom_out(data),
            (Command::ColumnLeft, Some(data)) => self.view.pan(data, -PAN),
            (Command::ColumnRight, Some(data)) => self.view.pan(data, PAN),
            (Command::CrosshairLeft, _) => self.move_crosshair(curves, -1),
            (Command::CrosshairRight, _) => self.move_crosshair(curves, 1),
            (Command::Fit, _) => self.view.reset(),
            (Command::ChartAxis, _) => self.view.cycle_axis(),
            (Command::ChartScale, _) => self.view.toggle_scale(),
            (Command::Smooth, _) => {
                let before = self.view.smoothing;
                self.view.smooth_more();
                if self.view.smoothing == before {
                    self.view.smoothing = 0.0;
                }
            }
            _ => {}
        }
    }

    /// The tracks of the selected chart that have values.
    fn tracks<'c>(&self, curves: &'c Curves) -> Vec<Track<'c>> {
        let Some(key) = self.charts.get(self.selected) else { return Vec::new() };
        let points = self.runs.iter().filter_map(|run| curves.get(run, key));
        points
            .filter(|points| !points.is_empty())
            .map(|points| Track::of(points, self.view.axis))
            .collect()
    }

    fn extent(&self, curves: &Curves) -> Option<(f64, f64)> {
        extent(&self.tracks(curves))
    }

    fn move_crosshair(&mut self, curves: &Curves, by: isize) {
        let tracks = self.tracks(curves);
        // The longest curve has a point at most positions.
        let longest = tracks.iter().max_by_key(|track| track.points.len());
        if let (Some(track), Some(data)) = (longest, extent(&tracks)) {
            self.view.move_crosshair(track, data, by);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tracking::entities::Point;

    fn overview(metrics: usize) -> Overview {
        let metrics = (0..metrics).map(|index| (format!("m{index:02}"), 1.0));
        let mut metrics: Vec<(String, f64)> = metrics.collect();
        metrics.insert(0, (format!("{SYSTEM}cpu"), 1.0));
        let run = |id: &str| Run { id: id.into(), metrics: metrics.clone(), ..Run::default() };
        Overview { runs: vec![run("a"), run("b")], ..Overview::default() }
    }

    fn page(metrics: usize) -> CurvesPage {
        CurvesPage::of(&overview(metrics), vec!["a".into(), "gone".into(), "b".into()])
    }

    #[test]
    fn there_is_a_chart_for_each_metric_and_the_system_comes_last() {
        let mut page = page(2);
        assert_eq!(page.charts, ["m00", "m01", "system/cpu"]);
        assert_eq!(page.grid(Size::new(120, 40)), (3, 1));
        assert_eq!(page.found(&overview(2)).count(), 2);
        page.selected = 1;
        page.refresh(&Overview { runs: vec![], ..overview(2) });
        assert_eq!((page.charts.len(), page.selected), (0, 0));
        page.selected = 1;
        page.charts = vec!["x".into(), "m01".into()];
        page.refresh(&overview(2));
        assert_eq!(page.charts[page.selected], "m01", "the chart stays selected");
    }

    #[test]
    fn only_visible_charts_need_their_curves() {
        let mut page = page(20);
        let room = Size::new(80, 20);
        assert_eq!(page.grid(room), (2, 2));
        assert_eq!(self::page(3).grid(Size::new(120, 40)), (2, 2));
        assert_eq!(page.wanted(room).count(), 4 * 3);
        page.go(Command::Last, &Curves::default(), room);
        assert_eq!(page.visible(room), 18..21);
        page.large = true;
        assert_eq!(page.wanted(room).count(), 3);
        assert_eq!(page.chart_at(10, 10, room), Some(20));
        page.large = false;
        assert_eq!(page.chart_at(79, 0, room), Some(19));
        assert_eq!(page.chart_at(79, 19, room), None, "no chart is there");
    }

    #[test]
    fn the_crosshair_follows_the_points_of_a_large_chart() {
        let (mut page, mut curves) = (page(1), Curves::default());
        let room = Size::new(80, 20);
        drop(curves.ask(page.wanted(room)));
        let points = (0..5).map(|step| Point { step: step * 10, timestamp: step, value: 1.0 });
        curves.take(("b".into(), "m00".into()), Some(points.collect()));
        page.large = true;
        for (command, at) in [
            (Command::Right, 0.0),
            (Command::Right, 10.0),
            (Command::Right, 20.0),
            (Command::Left, 10.0),
        ] {
            assert!(page.go(command, &curves, room));
            assert_eq!(page.view.crosshair, Some(at));
        }
        page.change(Command::ZoomIn, &curves);
        let window = page.view.window.expect("a window");
        assert!(window.1 - window.0 < 40.0 && window.0 <= 10.0 && window.1 >= 10.0);
        page.change(Command::Fit, &curves);
        assert_eq!(page.view.window, None);
        for _ in 0..5 {
            page.change(Command::Smooth, &curves);
        }
        assert_eq!(page.view.smoothing, 0.0, "it goes round");
    }

    proptest! {
        #[test]
        fn the_selected_chart_is_always_visible(
            metrics in 1usize..40,
            moves in prop::collection::vec((0usize..8, 10u16..200, 3u16..60), 1..30),
        ) {
            let mut page = page(metrics);
            let commands = [
                Command::Left, Command::Right, Command::Up, Command::Down,
                Command::PageUp, Command::PageDown, Command::First, Command::Last,
            ];
            for (command, width, height) in moves {
                let room = Size::new(width, height);
                page.go(commands[command], &Curves::default(), room);
                prop_assert!(page.visible(room).contains(&page.selected));
            }
        }
    }
}
