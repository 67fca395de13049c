//! The user's settings: theme, keymap, glyphs, mouse, worker. Parsed here from text that `tui` reads.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::keymap::FileError;
use super::screens::experiments::columns::View;
use super::screens::experiments::project_views::ProjectView;

/// The `theme` that follows the background of the terminal.
pub const AUTO: &str = "auto";

/// Settings from the user's files and `[tool.mlops-tui]` in `pyproject.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Name of the theme, or [`AUTO`].
    pub theme: String,
    /// Name of the theme of [`AUTO`] on a dark background.
    pub theme_dark: String,
    /// Name of the theme of [`AUTO`] on a light background.
    pub theme_light: String,
    /// Name of the keymap.
    pub keymap: String,
    /// Whether to draw with ASCII characters only.
    pub ascii: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// How Python serves runs.
    pub worker: WorkerKind,
    /// How the end of a run is announced while the terminal does not have the focus.
    pub notify: Vec<Announcement>,
    /// When a run of fresh nodes is confirmed.
    pub ask_fresh: AskFresh,
    /// When files and pages on the screen are hyperlinks.
    pub links: Linked,
    /// The views of tracked runs that the project shares, by name.
    pub views: BTreeMap<String, View>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            theme: AUTO.into(),
            theme_dark: "dark".into(),
            theme_light: "light".into(),
            keymap: "default".into(),
            ascii: false,
            mouse: true,
            worker: WorkerKind::Warm,
            notify: Vec::new(),
            ask_fresh: AskFresh::Once,
            links: Linked::Auto,
            views: BTreeMap::new(),
        }
    }
}

/// How Python serves runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkerKind {
    /// Each request forks a process that has already imported the installed packages.
    #[default]
    Warm,
    /// Each request starts a process of its own.
    Fresh,
}

/// When a run of nodes that are fresh is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AskFresh {
    /// The first time of a session.
    #[default]
    Once,
    /// Each time.
    Always,
    /// Not at all.
    Never,
}

/// When files and pages on the screen are hyperlinks (OSC 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Linked {
    /// In terminals that understand hyperlinks or ignore them.
    #[default]
    Auto,
    /// In all terminals.
    Always,
    /// Not at all.
    Never,
}

/// A way to announce the end of a run outside of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Announcement {
    /// The terminal's bell.
    Bell,
    /// A desktop notification by OSC 9 (iTerm2, WezTerm, ghostty, Windows Terminal).
    Osc9,
    /// A desktop notification by OSC 777 (urxvt, foot, ghostty, VTE).
    Osc777,
}

impl Announcement {
    /// The escape sequence that announces a text. Control characters of the text must be removed before.
    pub fn sequence(self, text: &str) -> String {
        match self {
            Announcement::Bell => "\x07".into(),
            Announcement::Osc9 => format!("\x1b]9;{text}\x07"),
            // The fields are separated by semicolons.
            Announcement::Osc777 => {
                format!("\x1b]777;notify;mlops-tui;{}\x07", text.replace(';', ","))
            }
        }
    }
}

/// The settings that one file makes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Overrides {
    /// Name of the theme, or [`AUTO`].
    pub theme: Option<String>,
    /// Name of the theme of [`AUTO`] on a dark background.
    pub theme_dark: Option<String>,
    /// Name of the theme of [`AUTO`] on a light background.
    pub theme_light: Option<String>,
    /// Name of the keymap.
    pub keymap: Option<String>,
    /// Whether to draw with ASCII characters only.
    pub ascii: Option<bool>,
    /// Whether the mouse is used.
    pub mouse: Option<bool>,
    /// `warm` or `fresh`.
    pub worker: Option<WorkerKind>,
    /// `bell`, `osc9`, `osc777`.
    pub notify: Option<Vec<Announcement>>,
    /// `once`, `always`, `never`.
    pub ask_fresh: Option<AskFresh>,
    /// `auto`, `always`, `never`.
    pub links: Option<Linked>,
    /// The tracking store of the project; `tracking` reads it.
    pub tracking_uri: Option<String>,
    /// Further tracking stores by name; `tracking` reads them.
    pub stores: Option<BTreeMap<String, String>>,
    /// The views of tracked runs that the project shares, by name.
    pub views: Option<BTreeMap<String, ProjectView>>,
}

impl Overrides {
    /// Parses the user's `config.yaml`.
    ///
    /// # Errors
    /// With the line, and the names that are allowed.
    pub fn from_yaml(text: &str) -> Result<Self, FileError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Overrides::default());
        }
        let overrides: Overrides =
            serde_yaml::from_str(text).map_err(|error| FileError::yaml(&error))?;
        match overrides.views {
            None => Ok(overrides),
            // The list of views would show it as one of the project.
            Some(_) => Err(FileError::at(text, "views", "`views` belong in pyproject.toml.")),
        }
    }

    /// Parses `[tool.mlops-tui]` of a `pyproject.toml`; nothing where there is no such table.
    ///
    /// # Errors
    /// With the line, and the names that are allowed.
    pub fn from_pyproject(text: &str) -> Result<Self, FileError> {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            tool: Tool,
        }
        #[derive(Deserialize, Default)]
        struct Tool {
            #[serde(rename = "mlops-tui")]
            own: Option<Overrides>,
        }
        if !text.contains("mlops-tui") {
            return Ok(Overrides::default());
        }
        match toml::from_str::<File>(text) {
            Ok(file) => Ok(file.tool.own.unwrap_or_default()),
            Err(error) => {
                let line = error.span().map(|span| {
                    let before = text.get(..span.start).unwrap_or_default();
                    u32::try_from(before.matches('\n').count() + 1).unwrap_or(u32::MAX)
                });
                Err(FileError { line, text: format!("{}.", error.message()) })
            }
        }
    }

    /// Overrides `settings` with the values of this file.
    pub fn apply(&self, settings: &mut Settings) {
        for (name, setting) in [
            (&self.theme, &mut settings.theme),
            (&self.theme_dark, &mut settings.theme_dark),
            (&self.theme_light, &mut settings.theme_light),
            (&self.keymap, &mut settings.keymap),
        ] {
            if let Some(name) = name {
                setting.clone_from(name);
            }
        }
        settings.ascii = self.ascii.unwrap_or(settings.ascii);
        settings.mouse = self.mouse.unwrap_or(settings.mouse);
        settings.worker = self.worker.unwrap_or(settings.worker);
        settings.links = self.links.unwrap_or(settings.links);
        settings.ask_fresh = self.ask_fresh.unwrap_or(settings.ask_fresh);
        if let Some(notify) = &self.notify {
            settings.notify.clone_from(notify);
        }
        for (name, view) in self.views.iter().flatten() {
            settings.views.insert(name.clone(), view.0.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_set_the_same_things() {
        let yaml = Overrides::from_yaml("theme: light\nmouse: false\n").unwrap();
        let toml = Overrides::from_pyproject("[tool.mlops-tui]\ntheme = 'light'\nmouse = false\n")
            .unwrap();
        assert_eq!(yaml, toml);
        let mut settings = Settings::default();
        yaml.apply(&mut settings);
        assert_eq!((settings.theme.as_str(), settings.mouse), ("light", false));
    }

    #[test]
    fn an_unknown_setting_is_told_with_its_line_and_the_known_ones() {
        let error = Overrides::from_yaml("theme: light\ncolour: red\n").unwrap_err();
        assert_eq!(error.line, Some(2), "{error:?}");
        assert!(error.text.contains("colour") && error.text.contains("keymap"), "{error:?}");
        let text = "[tool.kedro]\n\n[tool.mlops-tui]\ncolour = 'red'\n";
        let error = Overrides::from_pyproject(text).unwrap_err();
        assert_eq!(error.line, Some(4), "{error:?}");
        assert!(error.text.contains("keymap"), "{error:?}");
    }

    #[test]
    fn a_view_of_the_project_has_columns_filter_and_order() {
        let text = "[tool.mlops-tui.views.'best ones']\nfilter = 'metrics.mae < 0.5'\n\
                    columns = ['params.lr', 'metrics.`val mae`', 'took']\n\
                    order-by = ['metrics.`val mae` DESC', 'took', 'name asc']\n";
        let mut settings = Settings::default();
        Overrides::from_pyproject(text).unwrap().apply(&mut settings);
        let View { filter, table } = &settings.views["best ones"];
        assert_eq!((filter.as_str(), table.only), ("metrics.mae < 0.5", true));
        assert_eq!(table.order, ["params.lr", "metrics.val mae", "took"]);
        let sorts = table.sorts.iter().map(|sort| (sort.column.as_str(), sort.descending));
        let expected = [("metrics.val mae", true), ("took", false), ("name", false)];
        assert_eq!(sorts.collect::<Vec<_>>(), expected);
        let text = "[tool.mlops-tui.views]\nall = {order-by = ['started']}\n";
        let mut settings = Settings::default();
        Overrides::from_pyproject(text).unwrap().apply(&mut settings);
        assert!(!settings.views["all"].table.only, "without columns, those that differ are shown");
    }

    #[test]
    fn views_are_the_projects_alone() {
        let error = Overrides::from_yaml("theme: dark\nviews:\n  all: {}\n").unwrap_err();
        assert_eq!(error.line, Some(2), "{error:?}");
    }

    #[test]
    fn a_mistake_in_a_view_is_told_with_its_line() {
        for (view, line, told) in [
            ("filter = ''\nfilter_ = ''", 3, "filter_"),
            ("columns = []\nfilter = 'metrics.mae <'", 3, "`metrics.mae <`: "),
            (
                "filter = ''\ncolumns = [\n  'took',\n  'lr',\n]",
                3,
                "`lr` is no column; there are name",
            ),
            ("columns = ['took DESC']", 2, "`took DESC` is no column"),
            ("filter = ''\norder-by = ['mae']", 3, "`mae` is no order"),
            ("order-by = ['start_time DESC']", 2, "is no order"),
            ("columns = ['took']\norder-by = ['started']", 1, "`started` of `order-by`"),
        ] {
            let text = format!("[tool.mlops-tui.views.v]\n{view}\n");
            let error = Overrides::from_pyproject(&text).unwrap_err();
            assert_eq!(error.line, Some(line), "{view}: {error:?}");
            assert!(error.text.contains(told) && !error.text.ends_with(".."), "{error:?}");
        }
    }

    #[test]
    fn the_end_of_a_run_is_announced_as_the_settings_say() {
        let yaml = Overrides::from_yaml("notify: [bell, osc9, osc777]\n").unwrap();
        let mut settings = Settings::default();
        yaml.apply(&mut settings);
        let all: String = settings.notify.iter().map(|kind| kind.sequence("a; b")).collect();
        assert_eq!(all, "\x07\x1b]9;a; b\x07\x1b]777;notify;mlops-tui;a, b\x07");
    }

    #[test]
    fn empty_files_set_nothing() {
        assert_eq!(Overrides::from_yaml("# nothing\n").unwrap(), Overrides::default());
        assert_eq!(Overrides::from_pyproject("[tool.kedro]\n").unwrap(), Overrides::default());
    }
}
