//! The one value that everything on the screen follows from: what all screens share, each screen, and
//! which of them is shown.

use super::areas::Areas;
use super::effect::Effect;
use super::screens::{self, Screen};
use super::settings::Settings;
use super::shared::{Exact, Shared};
use super::tab::{Tab, each_screen};
use super::words::Details;

macro_rules! state {
    ($($tab:ident $field:ident ($screen:ty) $title:literal $short:literal
        $name:literal $help:literal $key:literal;)*) => {
        /// The whole state of the program.
        #[derive(Debug)]
        pub struct State {
            /// What all screens share.
            pub shared: Shared,
            /// The tab that is shown.
            pub tab: Tab,
            $(#[doc = concat!("The screen of the tab \"", $title, "\".")] pub $field: $screen,)*
        }

        impl State {
            /// The state at the start, before anything is known.
            pub fn new(env: Option<String>, settings: Settings, now: f64) -> Self {
                State {
                    shared: Shared::new(env, settings, now),
                    tab: Tab::ALL[0],
                    $($field: <$screen>::default(),)*
                }
            }

            /// The screen that is shown.
            pub fn screen(&self) -> &dyn Screen {
                match self.tab {
                    $(Tab::$tab => &self.$field,)*
                }
            }

            /// The screen that is shown, and what all screens share, to be changed.
            pub fn screen_mut(&mut self) -> (&mut dyn Screen, &mut Shared) {
                let shared = &mut self.shared;
                match self.tab {
                    $(Tab::$tab => (&mut self.$field, shared),)*
                }
            }
        }
    };
}
each_screen!(state);

impl State {
    /// What to ask the services for at the start.
    pub fn first_effects(&mut self) -> Vec<Effect> {
        let runs = self.runs.load(&mut self.shared);
        vec![self.shared.read_static(), runs, Effect::LoadTimings, Effect::LoadTracking]
    }

    /// Where the parts of the screen lie.
    pub fn areas(&self) -> Areas {
        self.screen().areas(&self.shared)
    }

    /// The details of what is selected.
    pub fn details(&self) -> Details {
        match self.shared.project.snapshot {
            Some(_) => self.screen().details(&self.shared),
            None => Details::default(),
        }
    }

    /// Whether something on the screen changes as time passes.
    pub fn shows_time(&self) -> bool {
        self.shared.running().is_some()
            || matches!(self.shared.project.exact, Exact::Reading(_))
            || self.screen().shows_time()
    }
}
