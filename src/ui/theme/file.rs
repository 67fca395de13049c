//! Theme files. A mistake leaves out its entry alone, and all mistakes are reported with their lines.

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};
use serde_yaml::{Mapping, Value};

use super::super::color;
use super::{ROLES, Role};
use crate::app::keymap::FileError;
use crate::text::did_you_mean;

/// The sections of a theme file.
pub const SECTIONS: [&str; 2] = ["palette", "roles"];

/// The colours of a style.
pub const COLORS: [&str; 2] = ["fg", "bg"];

/// The attributes of a style.
pub const ATTRIBUTES: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
    ("dim", Modifier::DIM),
];

/// What a theme file says.
#[derive(Default)]
pub(super) struct File {
    /// The styles of the roles that it names.
    pub styles: HashMap<Role, Style>,
    /// The mistakes of the other entries, by line.
    pub mistakes: Vec<FileError>,
}

impl File {
    /// Reads a theme file.
    ///
    /// # Errors
    /// When the text is no theme at all.
    pub(super) fn parse(text: &str) -> Result<File, FileError> {
        let whole: Value = serde_yaml::from_str(text).map_err(|error| FileError::yaml(&error))?;
        let no_theme = |why: &str| FileError { line: None, text: why.to_owned() };
        let sections = whole.as_mapping().ok_or_else(|| no_theme("The file has no `roles`."))?;
        let mut reading = Reading { text, palette: HashMap::new(), file: File::default() };
        for name in sections.keys().map(name_of) {
            if !SECTIONS.contains(&name.as_str()) {
                let message = unknown(&name, "part of a theme", SECTIONS.into_iter());
                reading.file.mistakes.push(FileError::at(text, &name, message));
            }
        }
        for (key, value) in reading.section(sections, "palette")? {
            reading.add_color(name_of(&key), &value);
        }
        if !sections.contains_key("roles") {
            return Err(no_theme("The file has no `roles`."));
        }
        for (key, value) in reading.section(sections, "roles")? {
            reading.add_role(&name_of(&key), &value);
        }
        let mut file = reading.file;
        file.mistakes.sort_by_key(|mistake| mistake.line);
        Ok(file)
    }
}

/// A file that is being read.
struct Reading<'t> {
    text: &'t str,
    /// The colours by name; `None` where the file has a mistake, which is told once.
    palette: HashMap<String, Option<Color>>,
    file: File,
}

impl Reading<'_> {
    fn section(&self, sections: &Mapping, name: &str) -> Result<Mapping, FileError> {
        match sections.get(name) {
            None | Some(Value::Null) => Ok(Mapping::new()),
            Some(Value::Mapping(section)) => Ok(section.clone()),
            Some(_) => {
                let message = format!("`{name}` should hold names and their colours.");
                Err(FileError::at(self.text, name, message))
            }
        }
    }

    /// Reports a mistake at a key of a section.
    fn mistake(&mut self, section: &str, key: &str, message: String) {
        // A name may be in both sections.
        let is_start = |line: &str| line.trim_start().starts_with(&format!("{section}:"));
        let before = self.text.lines().position(is_start).unwrap_or(0);
        let rest: Vec<&str> = self.text.lines().skip(before).collect();
        let mut error = FileError::at(&rest.join("\n"), key, message);
        error.line = error.line.map(|line| line + u32::try_from(before).unwrap_or(0));
        self.file.mistakes.push(error);
    }

    fn add_color(&mut self, name: String, value: &Value) {
        let parsed = value.as_str().and_then(color::parse);
        if parsed.is_none() {
            let message = no_color(&name_of(value));
            self.mistake("palette", &name, message);
        }
        self.palette.insert(name, parsed);
    }

    fn add_role(&mut self, name: &str, value: &Value) {
        let Some((role, ..)) = ROLES.iter().find(|(_, known, _)| *known == name) else {
            let message = unknown(name, "role", ROLES.iter().map(|(_, name, _)| *name));
            return self.mistake("roles", name, message);
        };
        let style = match value {
            Value::Mapping(parts) => self.style(parts),
            value => self.color(value).map(|fg| Style { fg, ..Style::new() }),
        };
        match style {
            Ok(style) => drop(self.file.styles.insert(*role, style)),
            Err(messages) => {
                messages.into_iter().for_each(|message| self.mistake("roles", name, message));
            }
        }
    }

    /// The style of a role, or all that is wrong with it.
    fn style(&self, parts: &Mapping) -> Result<Style, Vec<String>> {
        let (mut style, mut messages, mut whole) = (Style::new(), Vec::new(), true);
        for (key, value) in parts {
            let name = name_of(key);
            let attribute = ATTRIBUTES.iter().find(|(known, _)| *known == name);
            match (attribute, value) {
                (Some((_, modifier)), Value::Bool(true)) => style = style.add_modifier(*modifier),
                (Some(_), Value::Bool(false)) => {}
                (Some(_), other) => messages
                    .push(format!("`{name}` is `true` or `false`, not `{}`.", name_of(other))),
                (None, value) if COLORS.contains(&name.as_str()) => match self.color(value) {
                    Ok(color) if name == "fg" => style.fg = color,
                    Ok(color) => style.bg = color,
                    Err(more) => {
                        whole = false;
                        messages.extend(more);
                    }
                },
                (None, _) => {
                    let known = COLORS.into_iter().chain(ATTRIBUTES.map(|(name, _)| name));
                    messages.push(unknown(&name, "part of a style", known));
                }
            }
        }
        if whole && messages.is_empty() { Ok(style) } else { Err(messages) }
    }

    /// A colour of the palette or its own. Of one with a mistake in the palette, nothing more is said.
    fn color(&self, value: &Value) -> Result<Option<Color>, Vec<String>> {
        let text = name_of(value);
        let found = match self.palette.get(&text) {
            Some(Some(color)) => return Ok(Some(*color)),
            Some(None) => return Err(Vec::new()),
            None => value.as_str().and_then(color::parse),
        };
        found.map(Some).ok_or_else(|| vec![no_color(&text)])
    }
}

/// A key or value as text for a message.
fn name_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().replace('\n', " "),
    }
}

fn unknown<'n>(name: &str, what: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    let meant = did_you_mean(name, known.iter().copied());
    format!("`{name}` is no {what}.{meant} There are: {}.", known.join(", "))
}

fn no_color(text: &str) -> String {
    let names: Vec<&str> = color::NAMED.iter().map(|(name, ..)| *name).collect();
    let names = names.join(", ");
    format!(
        "`{text}` is no colour. There are \"#rrggbb\", default, names of the palette, and {names}."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_and_the_rest_applies() {
        let text = "palette:\n  text: '#abcdef'\n  mint: '#aaffc'\n  \"no\": 3\nroles:\n  text: minty\n  \
                    dim: text\n  accent: mint\n  tilte: red\n  title: {fg: red, blod: true, dim: 3}\n  \
                    border: {fg: grue, bg: #123456\n    }\n  bad: [red]\n  good: green\ncolours: {}\n";
        let file = File::parse(text).unwrap();
        let told: Vec<(Option<u32>, &str)> = file
            .mistakes
            .iter()
            .map(|mistake| (mistake.line, mistake.text.split(" There are").next().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                (Some(3), "`#aaffc` is no colour."),
                (Some(4), "`3` is no colour."),
                (Some(6), "`minty` is no colour."),
                (Some(9), "`tilte` is no role. Did you mean `title`?"),
                (Some(10), "`blod` is no part of a style. Did you mean `bold`?"),
                (Some(10), "`dim` is `true` or `false`, not `3`."),
                (Some(11), "`grue` is no colour."),
                (Some(11), "`null` is no colour."),
                (Some(13), "`- red` is no colour."),
                (Some(15), "`colours` is no part of a theme."),
            ]
        );
        let fg = |role| file.styles.get(&role).map(|style| style.fg);
        assert_eq!(fg(Role::Dim), Some(Some(Color::Rgb(0xab, 0xcd, 0xef))));
        assert_eq!(fg(Role::Good), Some(Some(Color::Green)));
        for role in [Role::Title, Role::Accent, Role::Text] {
            assert_eq!(fg(role), None, "a role with a mistake follows another role");
        }
    }

    #[test]
    fn what_is_no_theme_is_refused() {
        let fault = |text: &str| File::parse(text).err().unwrap();
        assert!(fault("palette: {}\n").text.contains("no `roles`"));
        assert!(fault("just words\n").text.contains("no `roles`"));
        assert_eq!(fault("palette: {}\nroles: [red]\n").line, Some(2));
        assert!(fault("roles:\n  text: red\n  text: red\n").line.is_some());
    }
}
