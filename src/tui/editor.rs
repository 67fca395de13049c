//! The user's editor, opened at a file and line.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::system::programs;

/// Editors that are tried in this order if neither `$VISUAL` nor `$EDITOR` is set.
const FALLBACKS: [&str; 6] = ["hx", "nvim", "vim", "nano", "emacs", "vi"];

/// The command that opens `file` at `line` and `column` (both from 1): `$VISUAL`, else `$EDITOR`,
/// else the first known editor on `PATH`. `None` when there is none.
pub(super) fn command(
    file: &Path,
    line: u32,
    column: u32,
    env: impl Fn(&str) -> Option<OsString>,
) -> Option<Command> {
    let chosen = ["VISUAL", "EDITOR"]
        .iter()
        .filter_map(|name| env(name))
        .map(|value| value.to_string_lossy().trim().to_owned())
        .find(|value| !value.is_empty());
    let words = match chosen {
        // An unclosed quote: the words are those between blanks.
        Some(value) => shlex::split(&value)
            .unwrap_or_else(|| value.split_whitespace().map(str::to_owned).collect()),
        None => {
            let path = env("PATH")?;
            let found = FALLBACKS.iter().find_map(|name| programs::find_in(&path, name))?;
            vec![found.to_str()?.to_owned()]
        }
    };
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).args(at_place(program, arguments, file, line, column));
    Some(command)
}

/// The arguments that open a place, by family of editors.
fn at_place(program: &str, given: &[String], file: &Path, line: u32, column: u32) -> Vec<OsString> {
    let name = Path::new(program).file_stem().map(|name| name.to_string_lossy().into_owned());
    let path = file.as_os_str().to_owned();
    let joined = |suffix: String| {
        let mut joined = path.clone();
        joined.push(suffix);
        joined
    };
    match name.as_deref().unwrap_or_default() {
        "hx" | "helix" | "subl" | "zed" => vec![joined(format!(":{line}:{column}"))],
        "code" | "code-insiders" | "codium" | "cursor" | "windsurf" | "positron" => {
            let mut arguments = vec!["--goto".into(), joined(format!(":{line}:{column}"))];
            if !given.iter().any(|argument| argument == "--wait" || argument == "-w") {
                arguments.insert(0, "--wait".into());
            }
            arguments
        }
        "emacs" | "emacsclient" | "kak" => vec![format!("+{line}:{column}").into(), path],
        "nano" | "micro" => vec![format!("+{line},{column}").into(), path],
        "idea" | "pycharm" => vec!["--line".into(), line.to_string().into(), path],
        _ => vec![format!("+{line}").into(), path],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(visual: Option<&str>, editor: Option<&str>) -> String {
        let env = |name: &str| match name {
            "VISUAL" => visual.map(OsString::from),
            "EDITOR" => editor.map(OsString::from),
            _ => None,
        };
        let Some(command) = command(Path::new("src/a b.py"), 12, 3, env) else {
            return "none".into();
        };
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn each_editor_is_told_the_place_in_its_own_way() {
        for (visual, editor, expected) in [
            (None, Some("vim"), "vim|+12|src/a b.py"),
            (Some("hx"), Some("vim"), "hx|src/a b.py:12:3"),
            (Some(" "), Some("nano"), "nano|+12,3|src/a b.py"),
            (None, Some("/usr/bin/emacs -nw"), "/usr/bin/emacs|-nw|+12:3|src/a b.py"),
            (None, Some("code"), "code|--wait|--goto|src/a b.py:12:3"),
            (None, Some("code -w"), "code|-w|--goto|src/a b.py:12:3"),
            (None, Some("'my editor' -x \"a b\" c\\ d"), "my editor|-x|a b|c d|+12|src/a b.py"),
            (None, None, "none"),
        ] {
            assert_eq!(line(visual, editor), expected);
        }
    }
}
