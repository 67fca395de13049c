//! Finding a row of a list by its name.

use crate::app::prompt::PromptKind;
use crate::app::state::State;

/// Begins to type, or opens the screen's own search.
pub(super) fn begin(state: &mut State) {
    let (screen, shared) = state.screen_mut();
    if !screen.find(shared) {
        shared.begin(PromptKind::Find, "");
    }
}

/// Selects the next (1), the previous (-1), or the nearest match from the selection on (0).
pub(super) fn go(state: &mut State, by: i32) {
    let (screen, shared) = state.screen_mut();
    if screen.find_next(shared, by) {
        return;
    }
    let query = shared.search.to_lowercase();
    if query.is_empty() {
        return;
    }
    let names = screen.names(shared);
    let matching: Vec<usize> =
        (0..names.len()).filter(|index| names[*index].to_lowercase().contains(&query)).collect();
    let Some(at) = screen.position().map(|position| position.selected) else { return };
    let next = match by {
        0 => matching.iter().find(|index| **index >= at).or(matching.first()),
        1 => matching.iter().find(|index| **index > at).or(matching.first()),
        _ => matching.iter().rfind(|index| **index < at).or(matching.last()),
    };
    match next {
        None => shared.warn(format!("nothing is named `{}`", shared.search)),
        Some(index) => {
            shared.notice = None;
            screen.select(shared, *index);
        }
    }
}
