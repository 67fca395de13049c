//! What the whole chart shows, through the cells that it draws.

use proptest::prelude::*;
use ratatui::buffer::Buffer;

use super::*;
use crate::ui::color::Depth;
use crate::ui::glyphs::Glyphs;

fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let point = |(step, value): (usize, f64)| Point {
        step: step as i64,
        timestamp: 1_767_225_600_000 + step as i64 * 500,
        value,
    };
    values.into_iter().enumerate().map(point).collect()
}

/// A loss that falls and wobbles, of a run with this number.
fn loss(run: usize, count: usize) -> Vec<Point> {
    let value = move |step: usize| {
        let x = step as f64 / count as f64;
        let wobble = ((step * (run + 7)) % 23) as f64 / 150.0;
        (1.0 + run as f64 / 4.0) * (-3.0 * x).exp() + wobble
    };
    points((0..count).map(value))
}

fn buffer(
    area: Rect,
    series: &[Series<'_>],
    view: &ChartView,
    ascii: bool,
    depth: Depth,
) -> Buffer {
    let theme = Theme::built_in("dark", depth);
    let mut buffer = Buffer::empty(area);
    let mut paint = Paint::new(&mut buffer, &theme, Glyphs::of(ascii));
    draw(&mut paint, area, "val_loss", series, view);
    buffer
}

fn text(buffer: &Buffer) -> String {
    let rows = buffer.content.chunks(usize::from(buffer.area.width.max(1)));
    let row = |cells: &[ratatui::buffer::Cell]| {
        cells.iter().map(|cell| cell.symbol()).collect::<String>()
    };
    rows.map(|cells| row(cells).trim_end().to_owned() + "\n").collect()
}

fn drawn(width: u16, height: u16, lists: &[Vec<Point>], view: &ChartView) -> String {
    drawn_as(width, height, lists, view, false)
}

fn drawn_as(
    width: u16,
    height: u16,
    lists: &[Vec<Point>],
    view: &ChartView,
    ascii: bool,
) -> String {
    let names: Vec<String> = (1..=lists.len()).map(|run| format!("run-{run}")).collect();
    let series: Vec<Series<'_>> = names
        .iter()
        .zip(lists)
        .map(|(name, points)| Series { name, points, best: Some(Goal::Lowest) })
        .collect();
    text(&buffer(Rect::new(0, 0, width, height), &series, view, ascii, Depth::True))
}

const VIEW: ChartView = ChartView {
    axis: Axis::Step,
    scale: Scale::Linear,
    smoothing: 0.0,
    window: None,
    crosshair: None,
};

#[test]
fn charts_of_all_sizes_show_one_and_many_series() {
    for (width, height) in [(20, 6), (60, 15), (160, 40)] {
        for count in [1, 3, 12] {
            let lists: Vec<Vec<Point>> = (0..count).map(|run| loss(run, 2000)).collect();
            let name = format!("{width}x{height}_{count}");
            insta::assert_snapshot!(name, drawn(width, height, &lists, &VIEW));
        }
    }
}

#[test]
fn values_that_are_no_numbers_have_signs() {
    let mut list = loss(0, 60);
    for point in &mut list[20..24] {
        point.value = f64::NAN;
    }
    (list[35].value, list[45].value) = (f64::INFINITY, f64::NEG_INFINITY);
    insta::assert_snapshot!("nan", drawn(60, 15, &[list], &VIEW));
}

#[test]
fn a_logarithmic_scale_has_decades() {
    let mut list = points((0..200).map(|step| 10_f64.powf(2.0 - f64::from(step) / 40.0)));
    list[100].value = 0.0;
    let view = ChartView { scale: Scale::Logarithmic, ..VIEW };
    insta::assert_snapshot!("logarithmic", drawn(60, 15, &[list], &view));
}

#[test]
fn the_crosshair_tells_the_values_of_its_position() {
    let view = ChartView { crosshair: Some(700.0), window: Some((500.0, 1500.0)), ..VIEW };
    insta::assert_snapshot!("crosshair", drawn(60, 15, &[loss(0, 2000), loss(3, 2000)], &view));
}

#[test]
fn smoothed_curves_lie_on_raw_values() {
    let view = ChartView { smoothing: 0.9, axis: Axis::Relative, ..VIEW };
    insta::assert_snapshot!("smoothed", drawn(60, 15, &[loss(0, 200)], &view));
}

#[test]
fn plain_characters_stand_for_braille() {
    let view = ChartView { crosshair: Some(70.0), ..VIEW };
    let mut list = loss(0, 200);
    (list[150].value, list[160].value) = (f64::NAN, f64::INFINITY);
    let text = drawn_as(60, 15, &[list, loss(2, 150)], &view, true);
    assert!(text.is_ascii());
    insta::assert_snapshot!("ascii", text);
}

#[test]
fn small_areas_have_a_sparkline_and_empty_ones_nothing() {
    let list = [loss(0, 100)];
    for (width, height, lines) in [(0, 9, 0), (9, 0, 0), (11, 9, 1), (40, 3, 1), (12, 4, 4)] {
        let text = drawn(width, height, &list, &VIEW);
        let used = text.lines().filter(|line| !line.is_empty()).count();
        assert_eq!(used, lines, "{width}x{height}:\n{text}");
    }
    assert_eq!(drawn(12, 1, &[points([1.0, 2.0, 3.0])], &VIEW), "▁▅█ 3.000\n");
    assert_eq!(drawn(4, 1, &[points([1.0, 2.0, 3.0])], &VIEW), "▁▅█\n");
    assert_eq!(drawn(20, 2, &[vec![]], &VIEW), "no values yet\n\n");
    assert!(drawn(40, 9, &[vec![]], &VIEW).contains("no values yet"));
    assert!(drawn(40, 9, &[], &VIEW).contains("no values yet"));
}

#[test]
fn a_point_alone_is_a_dot_with_its_value() {
    insta::assert_snapshot!("one_point", drawn(40, 9, &[points([0.25])], &VIEW));
}

/// The rows of the plot that have dots, from the top.
fn rows(text: &str) -> Vec<usize> {
    let braille = |line: &str| line.chars().any(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    (0..).zip(text.lines()).filter(|(_, line)| braille(line)).map(|(row, _)| row).collect()
}

#[test]
fn constant_curves_are_in_the_middle() {
    for value in [0.0, 0.5, -3.0, 1e308, -1.7e308, 5e-324, 1e-300] {
        let text = drawn(40, 11, &[points([value; 9])], &VIEW);
        // Of seven rows between the title and the axis.
        assert_eq!(rows(&text), [4], "{value}:\n{text}");
    }
    let view = ChartView { scale: Scale::Logarithmic, ..VIEW };
    assert_eq!(rows(&drawn(40, 11, &[points([1.0; 9])], &view)), [4]);
}

#[test]
fn the_series_of_the_crosshair_is_on_top_else_the_last_one() {
    let (first, second) = (points([1.0, 1.0, 1.0]), points([1.0, 1.0]));
    let series = [&first, &second].map(|points| Series { name: "x", points, best: None });
    let theme = Theme::built_in("dark", Depth::True);
    let colours = colours(&theme, 2);
    let colour = |crosshair| {
        let view = ChartView { crosshair, ..VIEW };
        let buffer = buffer(Rect::new(0, 0, 40, 11), &series, &view, false, Depth::True);
        let row = (0..40).map(|x| &buffer[(x, 4)]);
        let dots = row.filter(|cell| cell.symbol() >= "\u{2801}" && cell.symbol() <= "\u{28ff}");
        dots.map(|cell| cell.fg).next()
    };
    assert_eq!(colour(None), colours[1].fg);
    assert_eq!(colour(Some(1.9)), colours[0].fg);
    assert_eq!(colour(Some(1.0)), colours[0].fg, "the first one of both");
}

#[test]
fn the_best_value_is_marked_by_the_goal() {
    let list = points([3.0, 1.0, 5.0, 2.0]);
    let row = |goal| {
        let series = [Series { name: "x", points: &list, best: goal }];
        let text = text(&buffer(Rect::new(0, 0, 40, 11), &series, &VIEW, false, Depth::True));
        text.lines().position(|line| line.contains('★'))
    };
    assert_eq!(
        (row(Some(Goal::Highest)), row(Some(Goal::Lowest)), row(None)),
        (Some(1), Some(7), None)
    );
}

#[test]
fn a_window_between_two_points_shows_the_line_between_them() {
    let view = ChartView { window: Some((1.25, 1.75)), ..VIEW };
    let text = drawn(40, 11, &[points([0.0, 0.0, 4.0, 4.0])], &view);
    assert_eq!(rows(&text), [1, 2, 3, 4, 5, 6, 7], "{text}");
    assert!(text.contains("1┤") && text.contains("3┤"), "{text}");
    let text = drawn(40, 11, &[points([0.0, f64::NAN, 4.0, 4.0])], &view);
    assert_eq!(rows(&text), [0; 0], "NaN has no line:\n{text}");
}

#[test]
fn a_line_is_interrupted_where_a_value_is_no_number() {
    let row = |value| drawn(40, 11, &[points([1.0, value, 1.0, 1.0])], &VIEW);
    let cells =
        |value| row(value).chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
    let whole = cells(1.0);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(cells(value) < whole / 2, "{}", row(value));
    }
}

#[test]
fn signs_of_one_column_are_all_seen() {
    let mut list = points([1.0, 2.0, 3.0]);
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        list.push(Point { value, ..list[1] });
    }
    let text = drawn(40, 11, &[list], &VIEW);
    let row = |sign| text.lines().position(|line| line.contains(sign));
    assert_eq!((row('↑'), row('?'), row('↓')), (Some(1), Some(6), Some(7)), "{text}");
}

#[test]
fn the_lowest_and_the_highest_value_are_written_where_there_is_room() {
    let list = points((0..40).map(|step| if step == 20 { 9.5 } else { f64::from(step % 2) }));
    let text = drawn(60, 15, &[list], &VIEW);
    assert!(text.lines().nth(1).unwrap().contains("max 9.500"), "{text}");
    let list = points((0..40).map(|step| if step == 20 { -9.5 } else { f64::from(step % 2) }));
    let text = drawn(60, 15, &[list], &VIEW);
    assert!(text.lines().nth(11).unwrap().contains("min -9.500"), "{text}");
}

#[test]
fn a_crosshair_outside_of_the_window_is_not_drawn() {
    let lists = [points((0..100).map(f64::from))];
    let window = Some((20.0, 40.0));
    let plain = drawn(60, 15, &lists, &ChartView { window, ..VIEW });
    let seen = |x| drawn(60, 15, &lists, &ChartView { window, crosshair: Some(x), ..VIEW });
    assert_eq!(seen(50.0), plain);
    assert!(seen(30.0).contains("step 30   r run-1 30.00"), "{}", seen(30.0));
}

#[test]
fn twelve_series_have_different_colours_in_the_dark_theme() {
    let theme = Theme::built_in("dark", Depth::True);
    let mut seen: Vec<_> = colours(&theme, 12).iter().map(|style| style.fg).collect();
    seen.sort_by_key(|colour| format!("{colour:?}"));
    seen.dedup();
    assert!(seen.len() >= 8, "{seen:?}");
}

#[test]
fn labels_of_positions_never_touch() {
    let list = loss(0, 5000);
    for axis in [Axis::Step, Axis::Time, Axis::Relative] {
        for width in 12..160 {
            let text = drawn(width, 7, std::slice::from_ref(&list), &ChartView { axis, ..VIEW });
            let labels = text.lines().nth(5).unwrap();
            let ticks = labels.split("  ").filter(|label| !label.trim().is_empty()).count();
            assert!(ticks > 0, "{axis:?} at {width}:\n{text}");
            let words = labels.split_whitespace().count();
            assert!(axis == Axis::Relative || words == ticks, "{axis:?} at {width}:\n{text}");
        }
    }
}

/// Whether the drawing has the dot of a spot.
fn has_dot(buffer: &Buffer, plane: &plane::Plane, x: f64, y: f64) -> bool {
    let (column, row) = (plane.column(x), plane.row(y));
    let cell = &buffer[(plane.area.x + (column / 2) as u16, plane.area.y + (row / 4) as u16)];
    let sign = cell.symbol().chars().next().map_or(0, u32::from);
    (0x2800..0x2900).contains(&sign)
        && (sign - 0x2800) & u32::from(crate::dag::overview::BITS[column % 2][row % 4]) != 0
}

/// The rows of the labels of the vertical axis, with their numbers, as a reader sees them.
fn labels(buffer: &Buffer) -> Vec<(f64, f64)> {
    let rows = text(buffer);
    let label = |(row, line): (usize, &str)| {
        let (label, _) = line.split_once('┤')?;
        Some((row as f64, label.trim().parse().ok()?))
    };
    rows.lines().enumerate().filter_map(label).collect()
}

/// Whether there are dots where a reader of the axes looks for a value, give or take a cell. `part` is the position in
/// the window, from 0 to 1.
fn is_found(buffer: &Buffer, part: f64, value: f64) -> bool {
    let labels = labels(buffer);
    let [top, .., bottom] = labels.as_slice() else { return true };
    let row = top.0 + (top.1 - value) / (top.1 - bottom.1) * (bottom.0 - top.0);
    let find = |sign: &str| {
        buffer.area.positions().find(|at| buffer[*at].symbol() == sign).expect("the axes")
    };
    let corner = find("╰");
    let width = (corner.x + 1..buffer.area.width)
        .take_while(|x| ["─", "┬"].contains(&buffer[(*x, corner.y)].symbol()))
        .count();
    let column = f64::from(corner.x + 1) + part * width as f64;
    let dots = |x: f64, y: f64| {
        let at = (x.max(0.0) as u16, y.max(0.0) as u16);
        buffer.cell(at).is_some_and(|cell| ("\u{2801}"..="\u{28ff}").contains(&cell.symbol()))
    };
    [-1.0, 0.0, 1.0]
        .iter()
        .any(|x| [-1.0, 0.0, 1.0].iter().any(|y| dots(column + x, (row + y).round())))
}

/// The plane of a chart as it can be seen: from the line of the vertical axis to before the last column.
fn plane_of(buffer: &Buffer, window: (f64, f64), heights: (f64, f64)) -> plane::Plane {
    let area = buffer.area;
    let left =
        (0..area.width).find(|x| ["│", "┤"].contains(&buffer[(*x, 1)].symbol())).unwrap() + 1;
    let height =
        (1..area.height).take_while(|y| buffer[(left - 1, *y)].symbol() != "╰").count() as u16;
    let area = Rect { x: left, y: 1, width: area.width - left - 1, height };
    plane::Plane { area, window, heights }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_spike_shows_at_every_zoom(
        count in prop_oneof![10_usize..3_000, 100_000_usize..1_000_000],
        spikes in proptest::collection::vec((0.0..1.0, prop_oneof![2.0..9.0, -9.0..-2.0]), 1..6),
        middle in 0.0..1.0,
        (width, height) in (20_u16..160, 8_u16..40),
        beside in any::<bool>(),
    ) {
        let mut list = points((0..count).map(|step| (step % 7) as f64 / 7.0));
        let at = |part: f64| (part * (count - 1) as f64) as usize;
        for (part, value) in &spikes {
            list[at(*part)].value = *value;
        }
        // A second series that goes on for longer, so that the windows are not the extent of the spiky one.
        let other = [list[0], Point { step: count as i64 + 99, ..list[0] }];
        let mut series = vec![Series { name: "spiky", points: &list, best: None }];
        if beside {
            series.push(Series { name: "other", points: &other, best: None });
        }
        let data = (0.0, if beside { count as f64 + 99.0 } else { count as f64 - 1.0 });
        let mut view = ChartView { crosshair: Some(at(middle) as f64), ..VIEW };
        for _ in 0..5 {
            let window = view.visible(data);
            let shown = ChartView { crosshair: None, ..view };
            let drawn = buffer(Rect::new(0, 0, width, height), &series, &shown, false, Depth::True);
            let inside = |x: usize| window.0 <= x as f64 && x as f64 <= window.1;
            let tracks: Vec<Track<'_>> = series.iter().map(|one| Track::of(one.points, Axis::Step)).collect();
            let curves = series.iter().zip(&tracks).map(|(one, track)| Curve::of(track, one.best, &shown, window, None));
            let heights = curves.filter_map(|curve| curve.heights);
            let heights = heights.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap();
            let plane = plane_of(&drawn, window, plane::heights(heights.0, heights.1));
            for (part, _) in spikes.iter().filter(|(part, _)| inside(at(*part))) {
                let (x, y) = (at(*part), list[at(*part)].value);
                prop_assert!(has_dot(&drawn, &plane, x as f64, y), "{x} of {count} in {window:?}:\n{}", text(&drawn));
                let part = (x as f64 - window.0) / (window.1 - window.0).max(1e-9);
                prop_assert!(is_found(&drawn, part, y), "{x} of {count}, {y}, in {window:?}:\n{}", text(&drawn));
            }
            view.zoom_in(data);
            view.zoom_in(data);
        }
    }

    #[test]
    fn any_points_are_drawn_in_any_area(
        values in proptest::collection::vec((prop_oneof![-9_i64..99, any::<i64>()], any::<i64>(), any::<f64>()), 0..40),
        (width, height) in (0_u16..90, 0_u16..30),
        (axis, logarithmic, smoothing) in (0..3_usize, any::<bool>(), 0..5_usize),
        (ascii, crosshair) in (any::<bool>(), proptest::option::of(any::<f64>())),
        window in proptest::option::of((-9.0..99.0, -9.0..99.0)),
    ) {
        let list: Vec<Point> =
            values.iter().map(|(step, timestamp, value)| Point { step: *step, timestamp: *timestamp, value: *value }).collect();
        let view = ChartView {
            axis: [Axis::Step, Axis::Time, Axis::Relative][axis],
            scale: if logarithmic { Scale::Logarithmic } else { Scale::Linear },
            smoothing: crate::app::chart::SMOOTHING[smoothing],
            crosshair,
            window,
        };
        let text = drawn_as(width, height, &[list.clone(), list], &view, ascii);
        prop_assert!(!ascii || text.is_ascii());
    }
}

#[test]
fn the_sparkline_is_part_of_the_face() {
    assert_eq!(crate::app::sparkline::sparkline(&points([1.0, 2.0]), 4, true), "_#");
}
