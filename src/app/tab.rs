//! The tabs, made from the one table of screens.

/// The table of screens, one row each, in the order of their tabs: the tab, the field of
/// [`State`](super::State), the type of the screen, its title, its title on a narrow terminal, and
/// name, help line and key of the command that shows it.
///
/// `each_screen!(callback tokens)` calls `callback! { tokens rows }`.
macro_rules! each_screen {
    ($callback:ident $($tokens:tt)*) => {
        $callback! {
            $($tokens)*
            Pipeline pipeline (screens::pipeline::PipelineScreen) "Pipeline" "Pipeline"
                "show-pipeline" "Show the pipeline" "1";
            Catalog catalog (screens::catalog::CatalogScreen) "Catalog" "Catalog"
                "show-catalog" "Show the data catalog" "2";
            Parameters parameters (screens::parameters::ParametersScreen) "Parameters" "Params"
                "show-parameters" "Show the parameters" "3";
            Runs runs (screens::runs::RunsScreen) "Runs" "Runs"
                "show-runs" "Show the runs" "4";
            Experiments experiments (screens::experiments::ExperimentsScreen) "Experiments" "Exper."
                "show-experiments" "Show the tracked experiments" "5";
            Models models (screens::models::ModelsScreen) "Models" "Models"
                "show-models" "Show the registered models" "6";
            Remote remote (screens::remote::RemoteScreen) "Remote" "Remote"
                "show-remote" "Show the engines that run pipelines elsewhere" "7";
        }
    };
}
pub(crate) use each_screen;

macro_rules! tabs {
    ($($tab:ident $field:ident ($screen:ty) $title:literal $short:literal
        $name:literal $help:literal $key:literal;)*) => {
        /// The tabs in their order.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Tab {
            $(#[doc = concat!("The tab \"", $title, "\".")] $tab,)*
        }

        impl Tab {
            /// All tabs in order.
            pub const ALL: &[Tab] = &[$(Tab::$tab),*];

            /// The title on the tab line.
            pub fn title(self) -> &'static str {
                match self {
                    $(Tab::$tab => $title,)*
                }
            }

            /// The title on the tab line of a narrow terminal.
            pub fn short_title(self) -> &'static str {
                match self {
                    $(Tab::$tab => $short,)*
                }
            }
        }
    };
}
each_screen!(tabs);
