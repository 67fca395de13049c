//! Loading the settings, the theme and the keymap from the user's files, the project's and the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use super::background::Background;
use super::chosen::{self, Kind};
use super::{Start, folders};
use crate::app::event::Report;
use crate::app::keymap::{self, FileError, Keymap};
use crate::app::settings::{AUTO, Linked, Overrides, Settings};
use crate::app::shared::Available;
use crate::project::{Place, Problem, Severity};
use crate::system::files;
use crate::text::sanitize;
use crate::ui::color::Depth;
use crate::ui::theme::{self, Theme};

/// The settings with the theme and the keymap that they name.
pub(super) struct Look {
    /// The settings.
    pub settings: Settings,
    /// The theme.
    pub theme: Theme,
    keymap: Keymap,
    problems: Vec<Problem>,
    depth: Depth,
    /// The terminal's background, as far as it is known.
    background: Background,
    root: PathBuf,
    /// Settings of the command line and of this session, which override all files.
    chosen: Overrides,
    /// The files that name a theme and a keymap, and what they name; the last one wins.
    named: [Option<(PathBuf, String)>; 2],
}

impl Look {
    /// Reads all files. Errors in them become problems; the other settings apply.
    pub(super) fn load(start: &Start) -> Self {
        let depth = Depth::detect(|name| env::var(name).ok());
        let mut look = Look {
            settings: Settings::default(),
            theme: Theme::built_in("dark", depth),
            keymap: Keymap::default(),
            problems: Vec::new(),
            depth,
            background: env::var("COLORFGBG")
                .ok()
                .and_then(|value| Background::of_variable(&value))
                .unwrap_or(Background::Dark),
            root: start.root.clone(),
            chosen: Overrides {
                theme: start.theme.clone(),
                keymap: start.keymap.clone(),
                ascii: start.ascii.then_some(true),
                ..Overrides::default()
            },
            named: [None, None],
        };
        look.reload();
        look
    }

    /// Reads all files again.
    pub(super) fn reload(&mut self) {
        self.problems.clear();
        let mut settings =
            Settings { ascii: plain_terminal(|name| env::var(name).ok()), ..Settings::default() };
        chosen::read(&folders::state()).apply(&mut settings);
        self.named = [None, None];
        let config = folders::config().join("config.yaml");
        let pyproject = self.root.join("pyproject.toml");
        for (path, parse) in [
            (&config, Overrides::from_yaml as fn(&str) -> Result<Overrides, FileError>),
            (&pyproject, Overrides::from_pyproject),
        ] {
            let Ok(text) = files::read_text(path) else { continue };
            match parse(&text) {
                Ok(overrides) => {
                    overrides.apply(&mut settings);
                    for (named, name) in
                        self.named.iter_mut().zip([overrides.theme, overrides.keymap])
                    {
                        *named = name.map(|name| (path.clone(), name)).or(named.take());
                    }
                }
                Err(error) => self.problem(path, &error),
            }
        }
        self.chosen.apply(&mut settings);
        self.load_theme(&mut settings);
        self.load_keymap(&mut settings);
        self.settings = settings;
    }

    /// Whether files and pages on the screen are hyperlinks.
    pub(super) fn links(&self) -> bool {
        match self.settings.links {
            Linked::Always => true,
            Linked::Never => false,
            Linked::Auto => takes_links(|name| env::var(name).ok()),
        }
    }

    /// Whether the theme depends on the terminal's background.
    pub(super) fn follows_background(&self) -> bool {
        self.settings.theme == AUTO && self.depth != Depth::None
    }

    /// Says which background the terminal has.
    pub(super) fn set_background(&mut self, background: Background) {
        if self.background != background {
            self.background = background;
            self.reload();
        }
    }

    /// Shows a theme in this session.
    pub(super) fn set_theme(&mut self, name: String) {
        self.chosen.theme = Some(name);
        self.reload();
    }

    /// Takes a theme or keymap now and for the next start, unless a settings file names one. Returns a sentence about
    /// that.
    pub(super) fn choose(&mut self, kind: Kind, name: String) -> String {
        let (chosen, named) = match kind {
            Kind::Theme => (&mut self.chosen.theme, &self.named[0]),
            Kind::Keymap => (&mut self.chosen.keymap, &self.named[1]),
        };
        *chosen = Some(name.clone());
        let what = format!("The {} is {}", kind.name(), sanitize(&name));
        let told = match named {
            Some((path, other)) => {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                format!("{what} until you quit; {file} names {}.", sanitize(other))
            }
            None => match chosen::write(&folders::state(), kind, &name) {
                Ok(()) => format!("{what}, also next time."),
                Err(error) => format!("{what} until you quit: it can't be kept ({error})."),
            },
        };
        self.reload();
        told
    }

    /// The report for the screen.
    pub(super) fn report(&self) -> Report {
        Report::Settings {
            settings: Box::new(self.settings.clone()),
            keymap: Box::new(self.keymap.clone()),
            available: Available { themes: themes(), keymaps: keymaps() },
            problems: self.problems.clone(),
        }
    }

    /// Loads the theme; an unusable one leaves the last good theme.
    fn load_theme(&mut self, settings: &mut Settings) {
        let name = match self.background {
            _ if settings.theme != AUTO => &settings.theme,
            Background::Dark => &settings.theme_dark,
            Background::Light => &settings.theme_light,
        };
        let (path, text) = find("themes", name, &theme::BUILT_IN);
        let known = || themes().join(", ");
        let parsed = match text {
            Some(text) => Theme::parse(name, &text, self.depth),
            None => {
                let text = format!("There is no theme `{name}`; there are: {}.", known());
                Err(FileError { line: None, text })
            }
        };
        match parsed {
            Ok((theme, mistakes)) => {
                self.theme = theme;
                mistakes.iter().for_each(|mistake| self.problem(&path, mistake));
            }
            Err(error) => {
                self.problem(&path, &error);
                if settings.theme != AUTO {
                    settings.theme.clone_from(&self.theme.name);
                }
            }
        }
    }

    fn load_keymap(&mut self, settings: &mut Settings) {
        let (path, text) = find("keymaps", &settings.keymap, &keymap::BUILT_IN);
        let Some(text) = text else {
            let known = keymaps().join(", ");
            let text = format!("There is no keymap `{}`; there are: {known}.", settings.keymap);
            self.problem(&path, &FileError { line: None, text });
            settings.keymap.clone_from(&self.keymap.name);
            return;
        };
        let others = |name: &str| find("keymaps", name, &keymap::BUILT_IN).1;
        match Keymap::parse(&settings.keymap, &text, &others) {
            Ok((keymap, mistakes)) => {
                self.keymap = keymap;
                mistakes.iter().for_each(|mistake| self.problem(&path, mistake));
            }
            Err(error) => {
                self.problem(&path, &error);
                settings.keymap.clone_from(&self.keymap.name);
            }
        }
    }

    fn problem(&mut self, path: &Path, error: &FileError) {
        let shown = path.strip_prefix(&self.root).unwrap_or(path);
        let place = Place::line(shown, error.line.unwrap_or(1));
        let remedy = "Correct the file and save it; the screen updates.";
        self.problems.push(Problem::new(
            Severity::Warning,
            Some(place),
            error.text.clone(),
            remedy,
        ));
    }
}

/// The path of a theme or keymap, and its text: the user's own, else the built-in one.
fn find(kind: &str, name: &str, built_in: &[(&str, &str)]) -> (PathBuf, Option<String>) {
    let path = folders::config().join(kind).join(format!("{name}.yaml"));
    let plain = !name.contains(['/', '\\', '.']);
    let own = files::read_text(&path).ok().filter(|_| plain);
    let text = own.or_else(|| {
        let found = built_in.iter().find(|(other, _)| *other == name);
        found.map(|(_, text)| (*text).to_owned())
    });
    (path, text)
}

/// The names of all themes, after `auto`.
pub fn themes() -> Vec<String> {
    let themes = names("themes", theme::BUILT_IN.map(|(name, _)| name).as_slice());
    std::iter::once(AUTO.to_owned()).chain(themes).collect()
}

/// The names of all keymaps.
pub fn keymaps() -> Vec<String> {
    names("keymaps", keymap::BUILT_IN.map(|(name, _)| name).as_slice())
}

/// The names of all themes or keymaps: the built-in ones, then the user's own.
fn names(kind: &str, built_in: &[&str]) -> Vec<String> {
    let own: BTreeMap<String, ()> = fs::read_dir(folders::config().join(kind))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            Some((name.strip_suffix(".yaml")?.to_owned(), ()))
        })
        .filter(|(name, ())| !built_in.contains(&name.as_str()))
        .collect();
    built_in.iter().map(|name| (*name).to_owned()).chain(own.into_keys()).collect()
}

/// Whether the terminal understands hyperlinks or ignores them. GNU screen (which sets `STY`) may print them, as consoles
/// do.
fn takes_links(var: impl Fn(&str) -> Option<String>) -> bool {
    let console = |term: String| matches!(term.as_str(), "linux" | "dumb" | "vt100");
    !var("TERM").is_some_and(console) && var("STY").is_none()
}

/// Whether the environment says that the terminal shows only ASCII.
fn plain_terminal(var: impl Fn(&str) -> Option<String>) -> bool {
    if var("TERM").is_some_and(|term| matches!(term.as_str(), "linux" | "dumb" | "vt100")) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .filter_map(|name| var(name))
        .find(|locale| !locale.is_empty());
    locale.is_some_and(|locale| {
        let lower = locale.to_lowercase();
        !lower.contains("utf") && (matches!(lower.as_str(), "c" | "posix") || lower.contains('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consoles_and_screen_get_no_links() {
        for (name, value, links) in [
            ("TERM", "xterm-256color", true),
            ("TERM", "tmux-256color", true),
            ("TERM", "linux", false),
            ("TERM", "dumb", false),
            ("TERM", "vt100", false),
            ("STY", "12.pts-0.host", false),
            ("TMUX", "/tmp/tmux", true),
        ] {
            let found = takes_links(|asked| (asked == name).then(|| value.to_owned()));
            assert_eq!(found, links, "{name}={value}");
        }
    }

    #[test]
    fn only_a_terminal_that_says_so_is_plain() {
        let plain = |pairs: &[(&str, &str)]| {
            plain_terminal(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert!(!plain(&[]));
        assert!(!plain(&[("LANG", "en_GB.UTF-8")]));
        assert!(!plain(&[("LANG", "de_DE")]));
        assert!(plain(&[("LANG", "en_GB.UTF-8"), ("LC_ALL", "C")]));
        assert!(plain(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(plain(&[("TERM", "linux"), ("LANG", "en_GB.UTF-8")]));
    }
}
