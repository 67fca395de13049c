//! The question whether the project may be executed.

use crate::app::dialog::Question;
use crate::app::effect::Effect;
use crate::app::shared::Shared;

/// Returns the effects if the project is trusted. Otherwise asks whether it may be executed, and returns nothing yet.
pub(super) fn trusted(shared: &mut Shared, effects: Vec<Effect>) -> Vec<Effect> {
    if shared.project.trusted == Some(true) {
        return effects;
    }
    shared.ask(Question::Trust(effects));
    Vec::new()
}
