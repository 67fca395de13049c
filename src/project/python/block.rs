//! The first and last line of a definition, as Python's `inspect.getsourcelines` counts them.

use ruff_python_ast::{Decorator, Stmt};
use ruff_text_size::{Ranged, TextRange};

use super::source::Source;
use crate::project::SourceRange;

/// The lines of a function or class, decorators included.
///
/// `inspect.getblock` ends a block at its last statement, but includes later comments indented at
/// least as far as the body, up to the next line of code.
pub(super) fn lines(
    source: &Source,
    range: TextRange,
    decorators: &[Decorator],
    body: &[Stmt],
) -> SourceRange {
    let start = decorators.iter().map(Ranged::start).chain([range.start()]).min();
    let line_start = source.line(start.unwrap_or(range.start()));
    let mut line_end = source.line(range.end());
    if let Some(indent) = body_indent(source, body) {
        let mut line = line_end + 1;
        while let Some(text) = source.line_text(line) {
            let code = text.trim_start_matches([' ', '\t', '\x0c']);
            if code.starts_with('#') {
                if text.chars().count() - code.chars().count() >= indent {
                    line_end = line;
                }
            } else if !code.trim().is_empty() {
                break;
            }
            line += 1;
        }
    }
    let filepath = source.shown.to_string_lossy().replace('\\', "/");
    SourceRange { filepath, line_start, line_end }
}

/// The indentation of a body that starts on its own line.
fn body_indent(source: &Source, body: &[Stmt]) -> Option<usize> {
    let first = body.first()?;
    let start = first.start();
    let before = source.text.get(source.line_start(start)..start.to_usize())?;
    before.chars().all(char::is_whitespace).then(|| before.chars().count())
}
