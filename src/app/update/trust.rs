//! The question whether the project may be executed.

use crate::app::dialog::Question;
use crate::app::effect::Effect;
use crate::app::shared::Shared;

/// The effects, or the question whether the project may be executed that stands before them.
pub(super) fn trusted(shared: &mut Shared, effects: Vec<Effect>) -> Vec<Effect> {
    if shared.project.trusted == Some(true) {
        return effects;
    }
    shared.ask(Question::Trust(effects));
    Vec::new()
}
