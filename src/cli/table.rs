//! Text tables: aligned columns, not wider than the terminal, in colour if the terminal supports it.

use std::io::IsTerminal;

use crate::app::words::Tone;
use crate::text::{sanitize, truncate, truncate_middle, width};

/// The gap between columns, in cells.
const GAP: usize = 2;
/// Prose is narrowed first, down to this width.
const TEXT: usize = 16;
/// The smallest width of a column.
const NARROWEST: usize = 4;

/// The reader of the output: a terminal or a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reader {
    /// The columns of the terminal; `None` for a file or another program.
    pub width: Option<usize>,
    /// Whether the terminal shows colours.
    pub color: bool,
}

impl Reader {
    /// The reader of standard output.
    pub(super) fn of_stdout() -> Self {
        if !std::io::stdout().is_terminal() {
            return Reader::default();
        }
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let width = crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns));
        Reader { width: width.filter(|width| *width > 0), color: !set("NO_COLOR") && !dumb }
    }

    /// Columns of the terminal, else those of `COLUMNS`, else 80.
    pub(super) fn columns(self) -> usize {
        let named = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
        self.width.or_else(named).unwrap_or(80)
    }

    /// A text in the colour of its tone.
    pub(super) fn paint(self, text: &str, tone: Tone) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Dim => "2",
            Tone::Name => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warning => "33",
            Tone::Busy => "36",
        };
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// A line of untrusted text, without control characters and cut to the width of the terminal.
    pub(super) fn line(self, text: &str) -> String {
        let text = sanitize(text);
        match self.width {
            Some(width) => truncate(&text, width),
            None => text,
        }
    }
}

/// A cell: a text and its tone.
pub(super) type Cell = (String, Tone);

/// The alignment of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    /// At the left; a text that is too long loses its middle.
    Name,
    Right,
}

/// The rows as lines, each with a newline; `columns` are titles and alignments. If all titles are empty, there is no
/// line of titles. If the columns don't fit, the last one is narrowed, then other prose, then names, and numbers last.
pub(super) fn lines(reader: Reader, columns: &[(&str, Align)], rows: &[Vec<Cell>]) -> String {
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| row.iter().map(|(text, tone)| (sanitize(text), *tone)).collect())
        .collect();
    let mut widths: Vec<usize> = columns.iter().map(|(title, _)| width(title)).collect();
    for row in &rows {
        for (column, (text, _)) in row.iter().enumerate() {
            widths[column] = widths[column].max(width(text));
        }
    }
    let gaps = GAP * columns.len().saturating_sub(1);
    let room = reader.width.unwrap_or(usize::MAX);
    narrow(&mut widths, columns, room.saturating_sub(gaps));
    let mut out = String::new();
    let titles = columns.iter().map(|(title, _)| ((*title).to_owned(), Tone::Dim)).collect();
    let titled = columns.iter().any(|(title, _)| !title.is_empty());
    for row in titled.then_some(&titles).into_iter().chain(&rows) {
        let mut line = String::new();
        let mut blank = 0;
        for ((text, tone), (width_of, (_, align))) in row.iter().zip(widths.iter().zip(columns)) {
            let text = match align {
                Align::Name => truncate_middle(text, *width_of),
                Align::Left | Align::Right => truncate(text, *width_of),
            };
            let rest = width_of - width(&text).min(*width_of);
            let (before, after) = if *align == Align::Right { (rest, 0) } else { (0, rest) };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', blank + before));
                line.push_str(&reader.paint(&text, *tone));
                blank = after + GAP;
            } else {
                blank += rest + GAP;
            }
        }
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Whether a step narrows a column, by its index and alignment.
type Narrows<'a> = &'a dyn Fn(usize, Align) -> bool;

/// Narrows columns until they fit into `room`, as far as that is possible.
fn narrow(widths: &mut [usize], columns: &[(&str, Align)], room: usize) {
    let end = widths.len().saturating_sub(1);
    let last = |column: usize, align: Align| column == end && align == Align::Left;
    let steps: [(Narrows<'_>, usize); 5] = [
        (&last, TEXT),
        (&|_, align| align == Align::Left, TEXT),
        (&|_, align| align == Align::Name, TEXT),
        (&|_, align| align != Align::Right, NARROWEST),
        (&|_, _| true, NARROWEST),
    ];
    for (narrows, least) in steps {
        while widths.iter().sum::<usize>() > room {
            let chosen = widths.iter_mut().zip(columns).enumerate();
            let chosen = chosen.filter(|(column, (_, (_, align)))| narrows(*column, *align));
            let chosen = chosen.map(|(_, (width, _))| width).filter(|width| **width > least);
            let Some(widest) = chosen.max() else { break };
            *widest -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Vec<Cell>> {
        let cell = |text: &str| (text.to_owned(), Tone::Plain);
        vec![
            vec![cell("1"), cell(""), cell("a long text that goes on")],
            vec![cell("200"), cell("表\x1b[31m"), cell("b")],
        ]
    }

    const COLUMNS: [(&str, Align); 3] =
        [("run", Align::Right), ("x", Align::Left), ("what", Align::Left)];

    #[test]
    fn columns_are_aligned_and_cut_to_the_terminal() {
        let all = lines(Reader::default(), &COLUMNS, &rows());
        assert_eq!(all, "run  x   what\n  1      a long text that goes on\n200  表  b\n");
        let narrow = Reader { width: Some(20), color: false };
        let cut = lines(narrow, &COLUMNS, &rows());
        assert_eq!(cut, "run  x   what\n  1      a long tex…\n200  表  b\n");
        let narrowest = Reader { width: Some(3), color: false };
        assert_eq!(lines(narrowest, &COLUMNS, &rows()).lines().count(), 3);
    }

    #[test]
    fn prose_gives_way_to_names_and_names_to_numbers() {
        let columns = [("name", Align::Name), ("n", Align::Right), ("what", Align::Left)];
        let cell = |text: &str| (text.to_owned(), Tone::Plain);
        let name = "preprocess_companies_table";
        let row = [vec![cell(name), cell("1234567890"), cell("a long text that goes on")]];
        let told = |room| {
            let reader = Reader { width: Some(room), color: false };
            lines(reader, &columns, &row).lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(told(60), "preprocess_companies_table  1234567890  a long text that go…");
        assert_eq!(told(52), "preprocess_…nies_table  1234567890  a long text tha…");
        assert_eq!(told(30), "prep…ble  1234567890  a long …");
        assert_eq!(told(20), "pr…e  1234567…  a l…");
        let wide = [vec![cell("表表表表表表表表表表"), cell("1"), cell("")]];
        let reader = Reader { width: Some(14), color: false };
        assert_eq!(lines(reader, &columns, &wide).lines().count(), 2);
        assert!(lines(reader, &columns, &wide).lines().all(|line| width(line) <= 14));
    }

    #[test]
    fn colours_are_for_terminals_that_have_them() {
        let cells = [vec![("bad".to_owned(), Tone::Bad)]];
        let reader = Reader { width: None, color: true };
        assert_eq!(lines(reader, &[("", Align::Left)], &cells), "\x1b[31mbad\x1b[0m\n");
    }
}
