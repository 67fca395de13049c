//! Writing text into cells, clipped to an area and without control characters.

use std::borrow::Cow;
use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::glyphs::Glyphs;
use super::links::Links;
use super::theme::{Role, Theme};
use crate::text::ansi::{Hue, Part};
pub(super) use crate::text::wrap;
use crate::text::{sanitize, truncate, truncate_middle, width};

/// A buffer with a theme and glyphs to draw with.
pub(super) struct Paint<'a> {
    pub buffer: &'a mut Buffer,
    pub theme: &'a Theme,
    pub glyphs: &'static Glyphs,
    /// The position of the terminal's cursor, while a text is being typed.
    pub cursor: Option<Position>,
    /// The links of the frame, if it has any.
    pub links: Option<&'a mut Links>,
}

impl<'a> Paint<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: &'static Glyphs) -> Self {
        Paint { buffer, theme, glyphs, cursor: None, links: None }
    }

    pub(super) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Empties an area.
    pub(super) fn fill(&mut self, area: Rect, role: Role) {
        let style = Style::reset().patch(self.style(Role::Background)).patch(self.style(role));
        for position in area.intersection(self.buffer.area).positions() {
            let cell = &mut self.buffer[position];
            cell.reset();
            cell.set_style(style);
        }
    }

    /// Applies a style to the cells of an area.
    pub(super) fn restyle(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, self.style(role));
    }

    /// Writes at most `max` cells of `text`. Returns the number of cells.
    pub(super) fn text(&mut self, x: u16, y: u16, text: &str, role: Role, max: u16) -> u16 {
        self.styled(x, y, text, self.style(role), max)
    }

    /// Writes text in a style. On a selection that has a text colour of its own the text keeps that colour, because
    /// the theme chose it for this background.
    pub(super) fn styled(&mut self, x: u16, y: u16, text: &str, style: Style, max: u16) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let max = max.min(area.right() - x);
        let text = self.fit(text, usize::from(max));
        let selection = self.style(Role::Selection);
        let cell = &self.buffer[(x, y)];
        let reversed = selection.add_modifier & cell.modifier & Modifier::REVERSED;
        let selected = match reversed.is_empty() {
            true => selection.bg == Some(cell.bg),
            false => true,
        };
        let mut style = style;
        if selected && selection.fg.is_some() {
            style.fg = None;
        }
        if !reversed.is_empty() {
            style = style.remove_modifier(Modifier::DIM);
        }
        if text.is_ascii() {
            return self.buffer.set_stringn(x, y, &text, usize::from(max), style).0 - x;
        }
        // The buffer resets the second cell of a wide character. What is written there later needs its background.
        let behind = |buffer: &Buffer, x| buffer[(x, y)].bg;
        let papers: Vec<Color> = (x..x + max).map(|x| behind(self.buffer, x)).collect();
        let (end, _) = self.buffer.set_stringn(x, y, &text, usize::from(max), style);
        for (x, paper) in (x..end).zip(papers) {
            if style.bg.is_none() && behind(self.buffer, x) != paper {
                self.buffer[(x, y)].bg = paper;
            }
        }
        end - x
    }

    /// Writes the parts of a line in their colours, without its first `skip` cells. `role` is the role of
    /// uncoloured parts.
    pub(super) fn parts(
        &mut self,
        x: u16,
        y: u16,
        parts: &[Part],
        role: Role,
        skip: usize,
        max: u16,
    ) {
        let (mut skip, mut used) = (skip, 0);
        for part in parts {
            let text = crate::text::skip(&part.text, skip);
            skip = skip.saturating_sub(width(&part.text));
            let role = match part.hue {
                None => role,
                Some(Hue::Grey) => Role::Dim,
                Some(Hue::Red) => Role::Bad,
                Some(Hue::Green) => Role::Good,
                Some(Hue::Yellow) => Role::Warning,
                Some(Hue::Blue | Hue::Cyan) => Role::Accent,
                Some(Hue::Magenta) => Role::Keyword,
            };
            let mut style = self.style(role);
            if part.bold {
                style = style.add_modifier(Modifier::BOLD);
            }
            if used < max {
                used += self.styled(x + used, y, &text, style, max - used);
            }
        }
    }

    /// Writes the name of something, or a place in a file. It loses its middle if it is too long.
    pub(super) fn name(&mut self, x: u16, y: u16, text: &str, role: Role, max: u16) -> u16 {
        let max = max.min(self.buffer.area.right().saturating_sub(x));
        if text.is_ascii() && text.len() <= usize::from(max) {
            return self.text(x, y, text, role, max);
        }
        let text = truncate_middle(&sanitize(text), usize::from(max));
        self.text(x, y, &text, role, max)
    }

    /// Makes `cells` cells a link to a page (`https://...`) or to a file. Other addresses are no links.
    pub(super) fn link(&mut self, x: u16, y: u16, cells: u16, target: &str) {
        let Some(links) = &mut self.links else { return };
        let mark = match target.contains("://") {
            true => links.page(target),
            false => links.file(Path::new(target)),
        };
        let Some(mark) = mark else { return };
        let area = Rect { x, y, width: cells, height: 1 }.intersection(self.buffer.area);
        self.buffer.set_style(area, Style::new().underline_color(mark));
    }

    /// The text without control characters, cut to `max` cells. In ASCII mode other characters become `?`.
    pub(super) fn fit<'t>(&self, text: &'t str, max: usize) -> Cow<'t, str> {
        let clean = !text.chars().any(|c| c.is_control() || !c.is_ascii());
        if clean && text.len() <= max {
            return Cow::Borrowed(text);
        }
        let text = truncate(&sanitize(text), max);
        if !self.glyphs.ascii() {
            return text.into();
        }
        text.chars()
            .map(|c| match c {
                '…' => '~',
                '·' => '-',
                '±' => '~',
                c if c.is_ascii() => c,
                _ => '?',
            })
            .collect::<String>()
            .into()
    }

    /// Writes a text that ends before column `right`. Returns its first column.
    pub(super) fn right(&mut self, right: u16, y: u16, text: &str, role: Role, max: u16) -> u16 {
        let cells = u16::try_from(width(&self.fit(text, usize::from(max)))).unwrap_or(max);
        let x = right.saturating_sub(cells);
        self.text(x, y, text, role, max);
        x
    }

    /// A horizontal line.
    pub(super) fn rule(&mut self, area: Rect, role: Role) {
        for x in area.left()..area.right() {
            self.text(x, area.y, self.glyphs.lines[0], role, 1);
        }
    }

    /// A vertical line.
    pub(super) fn upright(&mut self, area: Rect, role: Role) {
        for y in area.top()..area.bottom() {
            self.text(area.x, y, self.glyphs.lines[1], role, 1);
        }
    }

    /// Draws a box around an area, with a title in its upper line. Returns the area inside.
    pub(super) fn frame(&mut self, area: Rect, title: &str, role: Role) -> Rect {
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let [across, down, upper_left, upper_right, lower_left, lower_right] = self.glyphs.lines;
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        for x in area.x + 1..right {
            self.text(x, area.y, across, role, 1);
            self.text(x, bottom, across, role, 1);
        }
        for y in area.y + 1..bottom {
            self.text(area.x, y, down, role, 1);
            self.text(right, y, down, role, 1);
        }
        for (x, y, corner) in [
            (area.x, area.y, upper_left),
            (right, area.y, upper_right),
            (area.x, bottom, lower_left),
            (right, bottom, lower_right),
        ] {
            self.text(x, y, corner, role, 1);
        }
        if !title.is_empty() {
            let title = format!(" {title} ");
            self.text(area.x + 2, area.y, &title, Role::Title, area.width.saturating_sub(4));
        }
        Rect { x: area.x + 1, y: area.y + 1, width: area.width - 2, height: area.height - 2 }
    }

    /// Draws lines of text in the middle of an empty area; the first line is emphasised.
    pub(super) fn note(&mut self, area: Rect, lines: &[&str]) {
        let lines: Vec<String> = lines
            .iter()
            .flat_map(|line| wrap(line, usize::from(area.width.saturating_sub(4))))
            .collect();
        let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let top = area.y + area.height.saturating_sub(count) / 3;
        for (index, line) in lines.iter().enumerate() {
            let y = top + u16::try_from(index).unwrap_or(0);
            if y >= area.bottom() {
                break;
            }
            let cells = u16::try_from(width(line)).unwrap_or(area.width);
            let x = area.x + area.width.saturating_sub(cells) / 2;
            self.text(x, y, line, if index == 0 { Role::Text } else { Role::Dim }, area.width);
        }
    }

    /// Draws the background of a row: highlighted if selected, more so if the pane has the focus.
    pub(super) fn row(&mut self, area: Rect, y: u16, selected: bool, focus: bool) {
        if selected {
            let row = Rect { y, height: 1, ..area };
            self.restyle(row, Role::Selection);
            if focus {
                self.text(area.x, y, self.glyphs.selected, Role::Accent, 1);
            } else {
                let style = Style::new().remove_modifier(Modifier::BOLD);
                self.buffer.set_style(row, style);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::ansi::parts;
    use crate::ui::color::Depth;

    #[test]
    fn text_on_a_selection_with_a_text_colour_has_that_colour() {
        let fg = |selection: &str| {
            let text = format!("roles: {{bad: red, selection: {selection}}}");
            let (theme, _) = Theme::parse("own", &text, Depth::True).unwrap();
            let mut buffer = Buffer::empty(Rect::new(0, 0, 2, 2));
            let mut paint = Paint::new(&mut buffer, &theme, Glyphs::of(false));
            paint.row(Rect::new(0, 0, 2, 1), 0, true, true);
            paint.text(1, 0, "x", Role::Bad, 1);
            paint.text(1, 1, "x", Role::Bad, 1);
            assert_eq!(buffer[(1, 1)].fg, Color::Red);
            buffer[(1, 0)].fg
        };
        assert_eq!(fg("{fg: black, bg: yellow}"), Color::Black);
        assert_eq!(fg("{bg: yellow}"), Color::Red);
    }

    #[test]
    fn parts_are_moved_sideways_by_cells() {
        let theme = Theme::built_in("dark", Depth::True);
        for (line, skip, seen) in [
            ("\x1b[31mab\x1b[0mcd", 1, "bcd "),
            ("\x1b[31m表\x1b[0mcd", 1, " cd "),
            ("\x1b[31m表\x1b[0mcd", 2, "cd  "),
            ("\x1b[31m表\x1b[0mcd", 3, "d   "),
            ("\x1b[31me\u{301}\x1b[0mcd", 2, "d   "),
        ] {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 4, 1));
            let mut paint = Paint::new(&mut buffer, &theme, Glyphs::of(false));
            paint.parts(0, 0, &parts(line), Role::Text, skip, 4);
            let cells: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
            assert_eq!(cells, seen, "{line:?} {skip}");
        }
    }
}
