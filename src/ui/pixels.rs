//! Pictures in cells: a cell shows two pixels, one above the other, as the colours of a half block and of what is behind it.

use ratatui::style::{Color, Style};

use super::color::{Depth, luminance};
use super::paint::Paint;
use crate::tracking::picture::Picture;

/// The upper half of a cell.
const UPPER: &str = "▀";
/// From dark to bright, where there are no colours.
const SHADES: [&str; 10] = [" ", ".", ":", "-", "=", "+", "*", "#", "%", "@"];

/// Draws row `row` of a picture, in at most `max` cells. Without half blocks a cell shows both pixels mixed.
pub(super) fn draw(paint: &mut Paint<'_>, x: u16, y: u16, picture: &Picture, row: usize, max: u16) {
    let depth = paint.theme.depth;
    let line =
        |row: usize| picture.pixels.chunks(picture.width.max(1)).nth(row).unwrap_or_default();
    let (upper, lower) = (line(row * 2), line(row * 2 + 1));
    for (x, (index, upper)) in (x..x.saturating_add(max)).zip(upper.iter().enumerate()) {
        let lower = lower.get(index);
        let both = mixed(*upper, *lower.unwrap_or(upper));
        let color = |[r, g, b]: [u8; 3]| depth.adapt(Color::Rgb(r, g, b));
        let (glyph, style) = match (depth, lower) {
            (Depth::None, _) => (shade(both), Style::new()),
            _ if paint.glyphs.ascii() => (" ", Style::new().bg(color(both))),
            (_, None) => (UPPER, Style::new().fg(color(*upper))),
            (_, Some(lower)) => (UPPER, Style::new().fg(color(*upper)).bg(color(*lower))),
        };
        paint.styled(x, y, glyph, style, 1);
    }
}

fn mixed(a: [u8; 3], b: [u8; 3]) -> [u8; 3] {
    [0, 1, 2].map(|part| a[part].midpoint(b[part]))
}

fn shade(pixel: [u8; 3]) -> &'static str {
    // The square root is near to how bright people see it.
    let last = SHADES.len() - 1;
    let index = (luminance(pixel).sqrt() * last as f64).round();
    SHADES[(index as usize).min(last)]
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::ui::glyphs::Glyphs;
    use crate::ui::theme::Theme;

    const RED: [u8; 3] = [255, 0, 0];
    const BLUE: [u8; 3] = [0, 0, 255];
    const WHITE: [u8; 3] = [255; 3];

    /// The cells of a row: text, colour, colour behind.
    fn cells(row: usize, depth: Depth, ascii: bool, max: u16) -> Vec<(String, Color, Color)> {
        // red white / blue white / white red
        let pixels = vec![RED, WHITE, BLUE, WHITE, WHITE, RED];
        let picture = Picture { full: (2, 3), width: 2, pixels };
        let theme = Theme::built_in("dark", depth);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 3, 1));
        let mut paint = Paint::new(&mut buffer, &theme, Glyphs::of(ascii));
        draw(&mut paint, 0, 0, &picture, row, max);
        let cell = |cell: &ratatui::buffer::Cell| (cell.symbol().to_owned(), cell.fg, cell.bg);
        buffer.content.iter().map(cell).collect()
    }

    #[test]
    fn a_cell_shows_two_pixels_as_the_terminal_can() {
        let rgb = |[r, g, b]: [u8; 3]| Color::Rgb(r, g, b);
        let none = (" ".to_owned(), Color::Reset, Color::Reset);
        let half = |upper, lower| (UPPER.to_owned(), upper, lower);
        let first = [half(rgb(RED), rgb(BLUE)), half(rgb(WHITE), rgb(WHITE)), none.clone()];
        assert_eq!(cells(0, Depth::True, false, 9), first);
        let last = [half(rgb(WHITE), Color::Reset), half(rgb(RED), Color::Reset), none.clone()];
        assert_eq!(cells(1, Depth::True, false, 9), last);
        assert_eq!(cells(2, Depth::True, false, 9), [none.clone(), none.clone(), none.clone()]);
        assert_eq!(cells(0, Depth::True, false, 1), [first[0].clone(), none.clone(), none.clone()]);
        let indexed = half(Color::Indexed(196), Color::Indexed(21));
        assert_eq!(cells(0, Depth::Indexed, false, 1)[0], indexed);
        let blank = (" ".to_owned(), Color::Reset, rgb([127, 0, 127]));
        assert_eq!(cells(0, Depth::True, true, 1)[0], blank);
        let plain = |glyph: &str| (glyph.to_owned(), Color::Reset, Color::Reset);
        assert_eq!(cells(0, Depth::None, false, 9), [plain(":"), plain("@"), none.clone()]);
        assert_eq!(cells(1, Depth::None, true, 9), [plain("@"), plain("="), none]);
    }
}
