//! Drawing. Each part is a plain function of the state, an area and the theme; nothing here
//! decides, changes the state, or costs more than what is visible.
//!
//! Start reading at [`draw`]: it draws the screens into the areas of [`crate::app::areas`], and the
//! dialog on top. [`theme`] gives roles their styles, [`glyphs`] has the glyphs,
//! [`picture`] writes a whole drawing as text or SVG.

mod chart;
mod chrome;
pub mod color;
pub mod comparison;
pub mod curves;
mod dialogs;
pub mod glyphs;
pub mod links;
mod paint;
pub mod picture;
mod pixels;
mod screens;
pub mod theme;

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::app::State;
use crate::app::areas::SMALLEST;
use crate::app::tab::{Tab, each_screen};
use glyphs::Glyphs;
use links::Links;
use paint::Paint;
use theme::{Role, Theme};

/// Draws the whole screen, without links.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: &Theme) {
    draw_linked(frame, state, theme, &mut Links::default());
}

/// Draws the whole screen. Cells of links have numbers of `links` as the colour of their underline.
pub fn draw_linked(frame: &mut Frame<'_>, state: &State, theme: &Theme, links: &mut Links) {
    links.tidy();
    let whole = frame.area();
    let glyphs = Glyphs::of(state.shared.settings.ascii);
    let mut paint = Paint::new(frame.buffer_mut(), theme, glyphs);
    paint.links = Some(links);
    paint.fill(whole, Role::Background);
    if whole.width < SMALLEST.width || whole.height < SMALLEST.height {
        let text = format!(
            "This window is too small: {}x{} of {}x{}.",
            whole.width, whole.height, SMALLEST.width, SMALLEST.height
        );
        paint.text(whole.x, whole.y, &text, Role::Text, whole.width);
        return;
    }
    let areas = state.areas();
    chrome::header(&mut paint, areas.header, state);
    chrome::tabs(&mut paint, areas.tabs, state);
    chrome::rule(&mut paint, &areas, state);
    match &state.shared.project.broken {
        Some(problem) => screens::broken(&mut paint, areas.main, problem),
        None if areas.main.width == 0 => {}
        None => main(&mut paint, areas.main, state),
    }
    if areas.side.width > 0 {
        let details = state.details();
        screens::details::draw(&mut paint, areas.side, &details, state.shared.side_offset);
    }
    if areas.log_rule.height > 0 {
        screens::log::draw(&mut paint, &areas, &state.shared);
    }
    chrome::bar(&mut paint, areas.bar, state);
    chrome::toast(&mut paint, state);
    if let Some(dialog) = state.shared.dialogs.last() {
        dialogs::draw(&mut paint, state, dialog);
    }
    if let Some(cursor) = paint.cursor {
        frame.set_cursor_position(cursor);
    }
}

macro_rules! main {
    ($($tab:ident $field:ident ($screen:ty) $title:literal $short:literal
        $name:literal $help:literal $key:literal;)*) => {
        /// Draws the main pane of the screen that is shown.
        fn main(paint: &mut Paint<'_>, area: Rect, state: &State) {
            match state.tab {
                $(Tab::$tab => screens::$field::draw(paint, area, &state.$field, &state.shared),)*
            }
        }
    };
}
each_screen!(main);
