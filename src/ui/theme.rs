//! Themes: which style each role has.
//!
//! A theme file is YAML: `palette` names colours once, `roles` gives roles a colour or a style.
//! A role that a theme leaves out looks like the role that it follows.

pub mod file;

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};

use self::file::File;
use super::color::Depth;
use crate::app::keymap::FileError;

macro_rules! roles {
    ($($(#[doc = $doc:literal])* $role:ident $name:literal $(=> $follows:ident)?;)*) => {
        /// The role of a part of the screen, which a theme gives a style.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $($(#[doc = $doc])* $role),* }

        /// All roles with their names and the role that each follows, if any.
        pub const ROLES: &[(Role, &str, &[Role])] = &[
            $((Role::$role, $name, &[$(Role::$follows)?])),*
        ];
    };
}

roles! {
    /// The whole screen.
    Background "background";
    /// Text.
    Text "text" => Background;
    /// Text of less importance.
    Dim "dim" => Text;
    /// Emphasis, such as the focus.
    Accent "accent" => Text;
    /// Titles and names.
    Title "title" => Text;
    /// Rules and borders.
    Border "border" => Dim;
    /// Rules of the pane that has the focus.
    Focus "focus" => Accent;
    /// The selected row or box.
    Selection "selection";
    /// The first line.
    Header "header" => Text;
    /// The tab that is shown.
    Tab "tab" => Accent;
    /// A key on the bar.
    Key "key" => Accent;
    /// A node.
    Node "node" => Text;
    /// A dataset.
    Dataset "dataset" => Dim;
    /// Parameters.
    Parameters "parameters" => Dim;
    /// Lines of the graph.
    Edge "edge" => Border;
    /// Lines at the selected box.
    EdgeSelected "edge-selected" => Accent;
    /// Lines of the ways to and from the selected box.
    EdgePath "edge-path" => Text;
    /// A mark.
    Mark "mark" => Accent;
    /// Running.
    Running "running" => Accent;
    /// Done, present.
    Good "good" => Text;
    /// Failed, erroneous.
    Bad "bad" => Text;
    /// A warning, something missing.
    Warning "warning" => Text;
    /// Out of date (stale).
    Stale "stale" => Warning;
    /// Keywords of code, keys of configuration.
    Keyword "keyword" => Accent;
    /// Texts in code.
    String "string" => Text;
    /// Numbers in code.
    Number "number" => String;
    /// Comments in code, origins of configuration.
    Comment "comment" => Dim;
    /// Functions in code.
    Function "function" => Title;
    /// Operators in code.
    Operator "operator" => Text;
}

/// The themes that come with the program, by name.
pub const BUILT_IN: [(&str, &str); 10] = [
    ("dark", include_str!("../../themes/dark.yaml")),
    ("light", include_str!("../../themes/light.yaml")),
    ("high-contrast", include_str!("../../themes/high-contrast.yaml")),
    ("colour-blind", include_str!("../../themes/colour-blind.yaml")),
    ("mono", include_str!("../../themes/mono.yaml")),
    ("catppuccin-mocha", include_str!("../../themes/catppuccin-mocha.yaml")),
    ("gruvbox-dark", include_str!("../../themes/gruvbox-dark.yaml")),
    ("tokyo-night", include_str!("../../themes/tokyo-night.yaml")),
    ("solarized-light", include_str!("../../themes/solarized-light.yaml")),
    ("nord", include_str!("../../themes/nord.yaml")),
];

/// The styles of all roles, for the colour depth of the terminal.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// The colours that the terminal has.
    pub depth: Depth,
    styles: HashMap<Role, Style>,
}

impl Theme {
    /// Parses a theme file for a terminal that shows `depth` colours. Entries with mistakes are left out and reported.
    ///
    /// # Errors
    /// When the file is no theme; the error names the line.
    pub fn parse(
        name: &str,
        text: &str,
        depth: Depth,
    ) -> Result<(Theme, Vec<FileError>), FileError> {
        let File { mut styles, mistakes } = File::parse(text)?;
        for (role, style) in &mut styles {
            *style = adapt(*style, *role, depth);
        }
        for (role, _, follows) in ROLES {
            if !styles.contains_key(role) {
                let style = match follows.first() {
                    // Without its background, which would cover that of selected rows and of the header.
                    Some(other) => {
                        Style { bg: None, ..styles.get(other).copied().unwrap_or_default() }
                    }
                    None if *role == Role::Selection => {
                        Style::new().add_modifier(Modifier::REVERSED)
                    }
                    None => Style::new(),
                };
                styles.insert(*role, style);
            }
        }
        // Terminals disagree on text that is both dim and reversed; some hide it.
        if let Some(selection) = styles.get_mut(&Role::Selection)
            && selection.add_modifier.contains(Modifier::REVERSED)
        {
            *selection = selection.remove_modifier(Modifier::DIM);
        }
        Ok((Theme { name: name.into(), depth, styles }, mistakes))
    }

    /// The built-in theme of this name, else the dark theme.
    ///
    /// # Panics
    /// Never: a test parses all built-in themes.
    pub fn built_in(name: &str, depth: Depth) -> Theme {
        let found = BUILT_IN.iter().find(|(other, _)| *other == name).unwrap_or(&BUILT_IN[0]);
        match Theme::parse(found.0, found.1, depth) {
            Ok((theme, _)) => theme,
            Err(error) => unreachable!("{}: {}", found.0, error.text),
        }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }
}

/// With 16 colours and without colours, text is written on the terminal's own background. Then its greys could be
/// invisible: many palettes make one of them the background. So the terminal's own text colour stands for all of them,
/// and weight tells roles apart. The selection is reversed.
fn adapt(style: Style, role: Role, depth: Depth) -> Style {
    let mut out = style;
    match depth {
        Depth::True | Depth::Indexed => {
            out.fg = style.fg.map(|color| depth.adapt(color));
            out.bg = style.bg.map(|color| depth.adapt(color));
        }
        Depth::Sixteen | Depth::None => {
            out.fg = style.fg.map(|color| match depth.adapt(color) {
                Color::Black | Color::DarkGray | Color::Gray | Color::White => Color::Reset,
                color => color,
            });
            out.bg = None;
            match role {
                // Text of all colours on a reversed row would be patches of all colours.
                Role::Selection => {
                    out.fg = Some(Color::Reset);
                    out = out.add_modifier(Modifier::REVERSED);
                }
                Role::Dim | Role::Comment | Role::Border | Role::Edge => {
                    out.fg = Some(Color::Reset);
                    out = out.add_modifier(Modifier::DIM);
                }
                _ => {}
            }
            if depth == Depth::None {
                out.fg = out.fg.and(Some(Color::Reset));
                match role {
                    Role::Title | Role::Tab | Role::Accent | Role::Key => {
                        out = out.add_modifier(Modifier::BOLD);
                    }
                    _ => {}
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_themes_that_come_along_are_whole_at_every_depth() {
        assert!(BUILT_IN.len() >= 8);
        for (name, text) in BUILT_IN {
            for depth in [Depth::True, Depth::Indexed, Depth::Sixteen, Depth::None] {
                let (theme, mistakes) = Theme::parse(name, text, depth)
                    .unwrap_or_else(|error| panic!("themes/{name}.yaml: {error:?}"));
                assert_eq!(mistakes, [], "themes/{name}.yaml");
                let selected = theme.style(Role::Selection);
                assert!(
                    selected.add_modifier.contains(Modifier::REVERSED) || selected.bg.is_some(),
                    "{name} does not show what is selected"
                );
                if matches!(depth, Depth::Sixteen | Depth::None) {
                    const GREYS: [Color; 4] =
                        [Color::Black, Color::DarkGray, Color::Gray, Color::White];
                    assert!(selected.add_modifier.contains(Modifier::REVERSED), "{name}");
                    assert!(theme.styles.values().all(|style| style.bg.is_none()
                        && style.fg.is_none_or(|color| !GREYS.contains(&color))));
                }
                if depth == Depth::None {
                    assert!(theme.styles.values().all(|style| style.bg.is_none()
                        && style.fg.is_none_or(|color| color == Color::Reset)));
                }
            }
        }
    }

    #[test]
    fn a_role_left_out_follows_another() {
        let (theme, _) = Theme::parse("own", "roles: {accent: red}", Depth::True).unwrap();
        assert_eq!(theme.style(Role::Running), theme.style(Role::Accent));
        assert_eq!(theme.style(Role::Accent).fg, Some(Color::Red));
        let theme = Theme::parse("own", "roles: {background: {fg: red, bg: blue}}", Depth::True);
        let text = theme.unwrap().0.style(Role::Text);
        assert_eq!((text.fg, text.bg), (Some(Color::Red), None), "a selected row keeps its colour");
    }
}
