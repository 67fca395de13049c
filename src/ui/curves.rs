//! The page of curves of tracked runs as files: the selected chart if it has the whole pane, else all visible charts.

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

use super::chart::Series;
use super::chart::svg::{Figure, Form, document};
use super::color::Depth;
use super::glyphs::Glyphs;
use super::paint::Paint;
use super::screens::experiments;
use super::theme::Theme;
use crate::app::State;
use crate::app::chart::ChartView;
use crate::app::screens::experiments::columns::name;
use crate::app::screens::experiments::page::CurvesPage;
use crate::text::width;
use crate::tracking::Goal;
use crate::tracking::entities::{Point, Run};

/// The visible charts as SVG, on a light background.
pub fn to_svg(state: &State, page: &CurvesPage, room: Size) -> String {
    let screen = &state.experiments;
    let runs = screen.page_runs(&state.shared);
    let visible = &page.charts[page.visible(room)];
    let form = if visible.len() == 1 { Form::LARGE } else { Form::SMALL };
    let figure =
        |key: &String| Figure::of(key, &experiments::series(screen, &runs, key), &page.view, form);
    let figures: Vec<Figure> = visible.iter().map(figure).collect();
    document(&figures, page.grid(room).0, runs.len())
}

/// The curves of a metric of runs as SVG, on a light background.
pub fn runs_to_svg<'a>(
    metric: &str,
    curves: impl Iterator<Item = (&'a Run, &'a [Point])>,
) -> String {
    let curves: Vec<(String, &[Point])> = curves.map(|(run, points)| (name(run), points)).collect();
    let best = Goal::of(metric);
    let series: Vec<Series<'_>> =
        curves.iter().map(|(name, points)| Series { name, points, best }).collect();
    let figure = Figure::of(metric, &series, &ChartView::default(), Form::LARGE);
    document(&[figure], 1, series.len())
}

/// The visible charts as text, in the cells of the screen.
pub fn to_text(state: &State, room: Size) -> String {
    let area = Rect::from((ratatui::layout::Position::ORIGIN, room));
    let (theme, glyphs) =
        (Theme::built_in("dark", Depth::None), Glyphs::of(state.shared.settings.ascii));
    let mut buffer = Buffer::empty(area);
    let mut paint = Paint::new(&mut buffer, &theme, glyphs);
    experiments::draw(&mut paint, area, &state.experiments, &state.shared);
    let mut text = String::new();
    for cells in buffer.content.chunks(usize::from(area.width.max(1))) {
        let (mut line, mut hidden) = (String::new(), 0);
        for cell in cells {
            // A wide character hides the next cell.
            if hidden == 0 {
                line += cell.symbol();
                hidden = width(cell.symbol()).max(1);
            }
            hidden -= 1;
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
