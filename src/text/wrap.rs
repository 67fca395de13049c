//! Breaking texts into lines.

use super::sanitize;

/// Breaks a text into lines of at most `width` cells, between words if possible.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let lines = text.lines().map(sanitize);
    let wrapped = |line: String| -> Vec<String> {
        let options = textwrap::Options::new(width.max(1))
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        textwrap::wrap(&line, options).into_iter().map(Into::into).collect()
    };
    lines.flat_map(wrapped).collect()
}
