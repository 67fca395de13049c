//! The models screen: the registered models of the project's store.

use super::Screen;
use crate::app::list::Position;
use crate::app::shared::Shared;
use crate::app::words::{Details, Line, Tone, pairs, when};

/// The models screen.
#[derive(Debug, Default)]
pub struct ModelsScreen {
    /// Selection and scrolling of the list of models.
    pub position: Position,
}

impl Screen for ModelsScreen {
    fn title(&self, _shared: &Shared) -> String {
        "Models".into()
    }

    fn side_title(&self) -> &'static str {
        "Model"
    }

    fn details(&self, shared: &Shared) -> Details {
        let model =
            shared.tracked().and_then(|overview| overview.models.get(self.position.selected));
        let Some(model) = model else { return Details::default() };
        let mut lines = vec![Line::Title(model.name.clone())];
        if let Some(version) = model.latest_version {
            lines.push(Line::Field("version", version.to_string(), Tone::Plain));
        }
        lines.push(Line::Field("updated", when(shared.now, model.updated_at), Tone::Plain));
        let aliases = model.aliases.iter().map(|(name, version)| (name, version.to_string()));
        pairs(&mut lines, "Aliases", aliases.collect());
        Details { lines, place: None, name: model.name.clone() }
    }

    fn len(&self, shared: &Shared) -> usize {
        shared.tracked().map_or(0, |overview| overview.models.len())
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.position)
    }

    fn head_rows(&self) -> u16 {
        1
    }

    fn names(&self, shared: &Shared) -> Vec<String> {
        let models = shared.tracked().into_iter().flat_map(|overview| &overview.models);
        models.map(|model| model.name.clone()).collect()
    }
}
