//! What is drawn. Each part is a plain function of the state, an area and the theme; nothing here
//! decides, changes the state, or costs more than what is visible.
//!
//! [`draw`] is the way in: it draws the screens into the areas of [`crate::app::areas`], and the
//! dialog on top. [`theme`] says how roles look, [`glyphs`] which signs there are,
//! [`picture`] keeps a whole drawing as text or SVG.

mod chrome;
pub mod color;
mod dialogs;
pub mod glyphs;
mod paint;
pub mod picture;
mod screens;
pub mod theme;

use ratatui::Frame;

use crate::app::State;
use crate::app::areas::{Areas, SMALLEST};
use crate::app::history::Page;
use crate::app::state::Tab;
use glyphs::Glyphs;
use paint::Paint;
use theme::{Role, Theme};

/// Draws the whole screen.
pub fn draw(frame: &mut Frame<'_>, state: &State, theme: &Theme) {
    let whole = frame.area();
    let glyphs = Glyphs::of(state.settings.ascii);
    let mut paint = Paint::new(frame.buffer_mut(), theme, glyphs);
    paint.fill(whole, Role::Background);
    if whole.width < SMALLEST.0 || whole.height < SMALLEST.1 {
        let text = format!(
            "This window is too small: {}x{} of {}x{}.",
            whole.width, whole.height, SMALLEST.0, SMALLEST.1
        );
        paint.text(whole.x, whole.y, &text, Role::Text, whole.width);
        return;
    }
    let areas = Areas::of(state);
    chrome::header(&mut paint, areas.header, state);
    chrome::tabs(&mut paint, areas.tabs, state);
    chrome::rule(&mut paint, &areas, state);
    match state.tab {
        _ if state.project.broken.is_some() => screens::broken(&mut paint, areas.main, state),
        Tab::Pipeline => screens::pipeline::draw(&mut paint, areas.main, state),
        Tab::Catalog => screens::catalog::draw(&mut paint, areas.main, state),
        Tab::Parameters => screens::parameters::draw(&mut paint, areas.main, state),
        Tab::Runs => match &state.history.page {
            None => screens::runs::draw(&mut paint, areas.main, state),
            Some(Page::Run(page)) => screens::run_page::draw(&mut paint, areas.main, state, page),
            Some(Page::Comparison(page)) => {
                screens::comparison::draw(&mut paint, areas.main, state, page);
            }
        },
        Tab::Experiments => screens::experiments::draw(&mut paint, areas.main, state),
        Tab::Models => screens::experiments::models(&mut paint, areas.main, state),
        Tab::Remote => screens::remote::draw(&mut paint, areas.main, state),
    }
    if areas.side.width > 0 {
        screens::details::draw(&mut paint, areas.side, state);
    }
    if areas.log_rule.height > 0 {
        screens::log::draw(&mut paint, &areas, state);
    }
    chrome::bar(&mut paint, areas.bar, state);
    if let Some(dialog) = state.dialogs.last() {
        dialogs::draw(&mut paint, state, dialog);
    }
    if let Some(cursor) = paint.cursor {
        frame.set_cursor_position(cursor);
    }
}
