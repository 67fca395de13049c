//! What a person can set: keymap, theme, glyphs. Parsed here, from text that `tui` reads.

/// Settings from the user's files and `[tool.mlops-tui]` in `pyproject.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Name of the theme; `ui` resolves it.
    pub theme: String,
    /// Name of the keymap.
    pub keymap: String,
    /// Draw with ASCII characters alone.
    pub ascii: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { theme: "dark".into(), keymap: "default".into(), ascii: false, mouse: true }
    }
}
