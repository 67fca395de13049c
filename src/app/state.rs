//! The one value that everything on the screen follows from: what all screens share, each screen, and
//! which of them is shown.

use super::areas::Areas;
use super::effect::Effect;
use super::screens::{self, Screen};
use super::settings::Settings;
use super::shared::{Exact, Shared};
use super::tab::{Tab, each_screen};
use super::words::{Details, outcome_text};

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
                    $(Tab::$tab => self.$field.top(),)*
                }
            }

            /// The screen that is shown, and what all screens share, to be changed.
            pub fn screen_mut(&mut self) -> (&mut dyn Screen, &mut Shared) {
                let shared = &mut self.shared;
                match self.tab {
                    $(Tab::$tab => (self.$field.top_mut(), shared),)*
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
        let going_on = Effect::LoadGoingOn(Vec::new());
        vec![self.shared.read_static(), runs, going_on, Effect::LoadTimings, Effect::LoadTracking]
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

    /// The title of the terminal's window: the progress of the run, or how it ended, and the project.
    pub fn window_title(&self) -> String {
        let snapshot = self.shared.snapshot();
        let name = snapshot.map_or("", |snapshot| snapshot.metadata.project_name.as_str());
        let name = if name.is_empty() { "mlops-tui" } else { name };
        match (self.shared.progressing(), self.shared.unseen) {
            (Some(run), _) if run.nodes.is_empty() => format!("● {name}"),
            (Some(run), _) => format!("● {}/{} {name}", run.nodes_done(), run.nodes.len()),
            (None, Some(outcome)) => format!("{} {name}", outcome_text(outcome).0),
            (None, None) => name.to_owned(),
        }
    }

    /// Whether something on the screen changes as time passes.
    pub fn shows_time(&self) -> bool {
        self.shared.running().is_some()
            || self.shared.toast.is_some()
            || !self.shared.elsewhere.is_empty()
            || matches!(self.shared.project.exact, Exact::Reading(_))
            || self.screen().shows_time()
    }
}
