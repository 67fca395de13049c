//! Text from outside (project files, data, logs, servers) made fit for a terminal.

pub mod ansi;
pub mod csv;
pub mod diff;
pub mod filter;
pub mod json;
pub mod markup;
mod names;
pub mod secrets;
mod similar;
mod user_error;
mod wrap;

pub use names::short_names;
pub use similar::{closest, did_you_mean};
pub use user_error::UserError;
pub use wrap::wrap;

/// Whether a dotted name is `outer`, or lies below it: `a.b` is within `a`, and `ab` is not.
pub fn is_within(name: &str, outer: &str) -> bool {
    name.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text without escape sequences and control characters; tabs become spaces and line ends `␊`.
/// What hides or reorders text becomes `�`, since it can make a line read as something that it is not.
pub fn sanitize(text: &str) -> String {
    let clean = |c: char| match c {
        '\t' => ' ',
        '\n' => '␊',
        c if c.is_control() || is_hidden(c) => '\u{fffd}',
        c => c,
    };
    if !text.chars().any(|c| c.is_control() || is_hidden(c)) {
        return text.to_owned();
    }
    strip_ansi_escapes::strip_str(text.replace('\n', "␊").replace('\t', " "))
        .chars()
        .map(clean)
        .collect()
}

/// Whether a character shows nothing of its own and changes how others are read: marks and overrides of
/// direction (Unicode Standard Annex 9), separators of lines, tags, and blanks without width. Joiners
/// are not among them: languages and emoji need them.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Width in terminal cells.
pub fn width(text: &str) -> usize {
    match text.is_ascii() {
        true => text.width(),
        // As the screen counts: each grapheme has cells of its own, also in scripts with ligatures.
        false => text.graphemes(true).map(UnicodeWidthStr::width).sum(),
    }
}

/// Prose cut to `max` cells, with `…` as the last one where something was cut away. Names are for `truncate_middle`.
pub fn truncate(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let cells = grapheme.width();
        if used + cells + 1 > max {
            break;
        }
        used += cells;
        out.push_str(grapheme);
    }
    if max > 0 {
        out.push('…');
    }
    out
}

/// A name cut to `max` cells, with `…` in its middle where something was cut away: names often differ at their ends.
pub fn truncate_middle(text: &str, max: usize) -> String {
    if width(text) <= max || max < 3 {
        return truncate(text, max);
    }
    let (end, mut used) = ((max - 1) / 2, 0);
    let mut tail = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += grapheme.width();
        if used > end {
            break;
        }
        tail = at;
    }
    truncate(text, max - end) + &text[tail..]
}

/// The text with blanks after it, up to so many cells.
pub fn pad(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

/// The text without its first cells. What is left of a wide character becomes blank.
pub fn skip(text: &str, cells: usize) -> String {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        if used >= cells {
            return " ".repeat(used - cells) + &text[at..];
        }
        used += grapheme.width();
    }
    " ".repeat(used.saturating_sub(cells))
}

/// Bytes for people: `812 B`, `4.2 kB`, `1.3 GB`.
pub fn size_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if value < 999.5 || unit == "TB" {
            let digits = usize::from(unit != "B" && value < 99.5);
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_loses_its_middle() {
        assert_eq!(truncate_middle("n_estimators", 12), "n_estimators");
        assert_eq!(truncate_middle("n_estimators", 9), "n_es…tors");
        assert_eq!(truncate_middle("表表表表", 5), "表…表");
        assert_eq!(truncate_middle("abcd", 2), "a…");
    }

    /// Names of letters, wide and combining characters, joined emoji and ligatures.
    fn names() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec![
            "a",
            "_",
            ".",
            " ",
            "表",
            "e\u{301}",
            "\u{301}",
            "👨\u{200d}👩",
            "🇨🇭",
            "لا",
            "ﬀ",
            "ü",
            "…",
        ]);
        prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
    }

    /// Cells as `ratatui` counts them.
    fn cells(text: &str) -> usize {
        text.graphemes(true).map(UnicodeWidthStr::width).sum()
    }

    proptest! {
        #[test]
        fn what_is_cut_has_the_room_that_it_was_given(name in names(), max in 0_usize..40) {
            let (prose, middle) = (truncate(&name, max), truncate_middle(&name, max));
            for cut in [&prose, &middle] {
                prop_assert!(cells(cut) <= max, "{cut:?} has {} cells", cells(cut));
                prop_assert_eq!(cells(cut), width(cut));
                prop_assert_eq!(*cut == name, cells(&name) <= max);
            }
            if cells(&name) > max && max > 0 {
                prop_assert!(prose.ends_with('…') && name.starts_with(prose.trim_end_matches('…')));
                let ends: Vec<usize> = middle.match_indices('…').map(|(at, _)| at).collect();
                prop_assert!(ends.iter().any(|at| {
                    let (start, end) = (&middle[..*at], &middle[at + '…'.len_utf8()..]);
                    name.starts_with(start) && name.ends_with(end) && start.len() + end.len() < name.len()
                }), "{middle:?}");
                // At most a wide character is missing on each side of the sign.
                prop_assert!(cells(&middle) + 2 >= max);
            }
            prop_assert!(cells(&pad(&prose, max)) == max);
        }
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size_text(812), "812 B");
        assert_eq!(size_text(4_210), "4.2 kB");
        assert_eq!(size_text(999_600), "1.0 MB");
        assert_eq!(size_text(1_340_000_000), "1.3 GB");
    }

    #[test]
    fn escape_sequences_and_controls_become_harmless() {
        assert_eq!(sanitize("a\x1b[31mb\x1b]0;title\x07c"), "abc");
        assert_eq!(sanitize("one\ttwo\nthree\r"), "one two␊three");
        assert_eq!(sanitize("left\u{202e}right"), "left\u{fffd}right");
        for hidden in "\u{61c}\u{200f}\u{2028}\u{2029}\u{2069}\u{feff}\u{e0041}".chars() {
            assert_eq!(sanitize(&format!("a{hidden}b")), "a\u{fffd}b", "{hidden:?}");
        }
        for control in ['\u{7f}', '\u{9b}', '\u{90}'] {
            let clean = sanitize(&format!("a{control}b"));
            assert!(clean.starts_with('a') && !clean.contains(char::is_control), "{clean:?}");
        }
        assert_eq!(sanitize("👨\u{200d}👩"), "👨\u{200d}👩");
        assert_eq!(sanitize("plain ü 表"), "plain ü 表");
    }

    #[test]
    fn truncation_counts_cells_and_keeps_graphemes() {
        assert_eq!(truncate("abcdef", 4), "abc…");
        assert_eq!(truncate("abc", 4), "abc");
        assert_eq!(truncate("表表表", 4), "表…");
        assert_eq!(truncate("abc", 0), "");
    }

    #[test]
    fn padding_counts_cells() {
        for (text, padded) in [
            ("ab", "ab  "),
            ("表", "表  "),
            ("e\u{301}", "e\u{301}   "),
            ("表表表", "表表表"),
            ("", "    "),
        ] {
            assert_eq!(pad(text, 4), padded, "{text}");
        }
    }

    #[test]
    fn skipping_counts_cells_and_cuts_wide_characters() {
        for (text, cells, left) in [
            ("abc", 0, "abc"),
            ("abc", 2, "c"),
            ("abc", 9, ""),
            ("表b", 1, " b"),
            ("表b", 2, "b"),
            ("a表", 2, " "),
            ("e\u{301}b", 1, "b"),
        ] {
            assert_eq!(skip(text, cells), left, "{text} {cells}");
        }
    }
}
