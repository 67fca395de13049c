//! Whether what is drawn can be read: the contrast of every cell, in every theme.
//!
//! The measure is that of WCAG 2.2, success criteria 1.4.3 (text, 4.5 to 1) and 1.4.11 (graphics, 3 to 1):
//! <https://www.w3.org/TR/WCAG22/#contrast-minimum>.

use std::collections::{BTreeMap, BTreeSet};

use mlops_tui::app::State;
use mlops_tui::ui;
use mlops_tui::ui::color::{Depth, contrast, rgb};
use mlops_tui::ui::theme::{BUILT_IN, Role, Theme};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// The least contrast of text.
pub const TEXT: f64 = 4.5;

/// The least contrast of decoration, see `is_decoration`.
pub const DECORATION: f64 = 3.0;

/// `mono` has no colours of its own, so the terminal decides all its contrasts.
const WITHOUT_COLOURS: &str = "mono";

/// Two pixels of a picture, which has colours of its own.
const PIXELS: &str = "▀";

/// What `default` stands for where a theme leaves colours to the terminal, as text on background. These themes are
/// made for dark terminals: xterm's colours have the darkest background, those of One Dark one of the lightest.
const TERMINALS: [([u8; 3], [u8; 3]); 2] =
    [([0xe5, 0xe5, 0xe5], [0, 0, 0]), ([0xab, 0xb2, 0xbf], [0x28, 0x2c, 0x34])];

/// Whether a cell is decoration: rules, frames and edges (box drawing), bars and the selection's mark (block
/// elements), arrow heads of edges, and dots of the overview and of curves (Braille patterns). In plain ASCII, what
/// has the colour of borders and edges.
fn is_decoration(cell: &Cell, theme: &Theme) -> bool {
    let lines = [Role::Border, Role::Edge].map(|role| theme.style(role).fg);
    cell.symbol().chars().all(|c| {
        matches!(c, '\u{2500}'..='\u{257f}' | '\u{2580}'..='\u{259f}' | '\u{2800}'..='\u{28ff}')
            || matches!(c, '▼' | '▶' | '▲' | '◀')
            || c.is_ascii_punctuation() && lines.contains(&Some(cell.fg))
            || matches!(c, 'o' | 'v') && lines.contains(&Some(cell.fg))
    })
}

/// The colours that a cell shows with what is drawn in them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Ink {
    fg: [u8; 3],
    bg: [u8; 3],
    decoration: bool,
}

/// Checks what is drawn of a state in all themes, with 24-bit colours and with 256, and in some with fewer.
///
/// # Panics
/// With all colours that have too little contrast.
pub fn check(state: &State) {
    let mut faint = BTreeMap::new();
    for (name, _) in BUILT_IN.iter().filter(|(name, _)| *name != WITHOUT_COLOURS) {
        for (ink, symbols) in inks(state, name) {
            let ratio = contrast(ink.fg, ink.bg);
            if ratio < if ink.decoration { DECORATION } else { TEXT } {
                let [fg, bg] = [ink.fg, ink.bg].map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"));
                let symbols: String = symbols.into_iter().collect();
                faint.insert((name, fg, bg), format!("{ratio:.2} in {symbols}"));
            }
        }
    }
    let lines =
        faint.iter().map(|((name, fg, bg), what)| format!("{name}: {fg} on {bg}: {what}\n"));
    assert!(faint.is_empty(), "too little contrast:\n{}", lines.collect::<String>());
    check_without_colours(state);
}

/// Checks what is drawn with the 16 colours of the terminal's palette, and without colours. That palette is unknown, so
/// there is nothing to measure: text must not need a colour to be seen, and the selection must not be a matter of colour.
fn check_without_colours(state: &State) {
    let (dark, depth) = (Theme::built_in("dark", Depth::True), Depth::Sixteen);
    let selection =
        dark.style(Role::Selection).bg.expect("the dark theme's selection has a background");
    let coloured = drawn(state, &dark);
    for (name, depth) in
        [("dark", depth), ("light", depth), ("dark", Depth::None), ("mono", Depth::True)]
    {
        let cells = drawn(state, &Theme::built_in(name, depth));
        for (before, cell) in coloured.content.iter().zip(&cells.content) {
            let told = || format!("{name} in {depth:?}: {cell:?}");
            if cell.symbol() == " " || cell.symbol() == PIXELS {
                continue;
            }
            assert!(cell.bg == Color::Reset, "a background of its own: {}", told());
            assert!(!matches!(cell.fg, Color::Black | Color::DarkGray), "too dark: {}", told());
            let reversed = cell.modifier.contains(Modifier::REVERSED);
            assert!(!(reversed && cell.modifier.contains(Modifier::DIM)), "faint: {}", told());
            assert!(reversed || before.bg != selection, "the selection is not seen: {}", told());
        }
    }
}

fn drawn(state: &State, theme: &Theme) -> Buffer {
    let (columns, rows) = state.shared.size.into();
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| ui::draw(frame, state, theme)).unwrap();
    terminal.backend().buffer().clone()
}

/// All inks of what is drawn, with some of the symbols that are drawn in them.
fn inks(state: &State, theme: &str) -> BTreeMap<Ink, BTreeSet<String>> {
    let mut inks: BTreeMap<Ink, BTreeSet<String>> = BTreeMap::new();
    let look = Theme::built_in(theme, Depth::True);
    let mut seen = BTreeMap::new();
    let buffer = drawn(state, &look);
    let is_ink = |cell: &&Cell| cell.symbol() != " " && cell.symbol() != PIXELS;
    for cell in buffer.content.iter().filter(is_ink) {
        let ink = (format!("{:?}{:?}", cell.fg, cell.bg), cell.modifier.bits());
        let (_, symbols) =
            seen.entry((ink, is_decoration(cell, &look))).or_insert((cell, BTreeSet::new()));
        symbols.insert(cell.symbol().to_owned());
    }
    for (cell, symbols) in seen.into_values() {
        for depth in [Depth::True, Depth::Indexed] {
            for (text, paper) in TERMINALS {
                let shown = |color: Color, default| rgb(depth.adapt(color)).unwrap_or(default);
                let (mut fg, mut bg) = (shown(cell.fg, text), shown(cell.bg, paper));
                if cell.modifier.contains(Modifier::REVERSED) {
                    std::mem::swap(&mut fg, &mut bg);
                }
                if cell.modifier.contains(Modifier::DIM) {
                    // Terminals mix the text with the background, about half and half.
                    fg = std::array::from_fn(|index| fg[index].midpoint(bg[index]));
                }
                let ink = Ink { fg, bg, decoration: is_decoration(cell, &look) };
                inks.entry(ink).or_default().extend(symbols.iter().cloned());
            }
        }
    }
    inks
}
