//! A list to choose from by typing: the palette, and the choices of pipeline, environment and theme.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui_textarea::TextArea;

use super::list::Position;

/// A choice of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// The name, which typing matches.
    pub name: String,
    /// The description, which typing matches with less weight.
    pub detail: String,
    /// The keys of a command.
    pub keys: String,
    /// Why the choice is not available now.
    pub disabled: Option<String>,
}

/// A list of choices, filtered by what the user types.
#[derive(Debug, Clone)]
pub struct Picker {
    /// All choices.
    pub choices: Vec<Choice>,
    /// What was typed.
    pub query: TextArea<'static>,
    /// Indices into `choices`, best match first.
    pub matches: Vec<usize>,
    /// The position among the matches.
    pub position: Position,
}

impl Picker {
    /// A picker in which the choice `selected` is selected.
    pub fn new(choices: Vec<Choice>, selected: usize, height: usize) -> Self {
        let matches: Vec<usize> = (0..choices.len()).collect();
        let mut position = Position::default();
        position.select(selected, matches.len(), height);
        Picker { choices, query: line(""), matches, position }
    }

    /// The index of the selected choice.
    pub fn chosen(&self) -> Option<usize> {
        self.matches.get(self.position.selected).copied()
    }

    /// Filters the choices by the typed text.
    pub fn refresh(&mut self) {
        let query = text(&self.query);
        self.matches = fuzzy(&query, &self.choices);
        self.position = Position::default();
    }
}

/// A one-line text field holding `text`, the cursor at its end.
pub fn line(text: &str) -> TextArea<'static> {
    let mut area = TextArea::new(vec![text.replace(['\n', '\r'], " ")]);
    area.move_cursor(ratatui_textarea::CursorMove::End);
    area
}

/// Empties a one-line field.
pub fn clear(area: &mut TextArea<'static>) {
    area.select_all();
    area.cut();
}

/// The text of a one-line field.
pub fn text(area: &TextArea<'static>) -> String {
    area.lines().first().cloned().unwrap_or_default()
}

/// Indices of the choices that match, best first; all of them for an empty query.
fn fuzzy(query: &str, choices: &[Choice]) -> Vec<usize> {
    if query.trim().is_empty() {
        return (0..choices.len()).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize)> = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher);
        let by_name = score(&choice.name).map(|score| score * 2);
        let by_detail = score(&choice.detail);
        if let Some(best) = by_name.max(by_detail) {
            scored.push((best, index));
        }
    }
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    scored.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_comes_first_and_names_weigh_more() {
        let choice = |name: &str, detail: &str| Choice {
            name: name.into(),
            detail: detail.into(),
            ..Choice::default()
        };
        let choices = [
            choice("quit", "Leave the program"),
            choice("run-pipeline", "Run the whole pipeline"),
            choice("choose-pipeline", "Show another pipeline"),
        ];
        assert_eq!(fuzzy("runp", &choices), [1]);
        assert_eq!(fuzzy("leave", &choices), [0]);
        assert_eq!(fuzzy("", &choices), [0, 1, 2]);
        assert_eq!(fuzzy("zzz", &choices), Vec::<usize>::new());
    }
}
