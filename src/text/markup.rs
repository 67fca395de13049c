//! Text inside of SVG and HTML.

use super::sanitize;

/// The text for the inside of an element or of a quoted attribute, without control characters and characters that
/// reorder text.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in sanitize(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML has no such characters, not even escaped.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The text as [`escaped`], with at most this many characters; `…` marks a cut. Only the beginning is looked at, so
/// the cost does not depend on the length.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => escaped(text),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            escaped(&kept) + "…"
        }
    }
}

/// Panics unless all elements are closed in their order, all attributes are quoted, and every ampersand begins an entity.
#[cfg(test)]
pub(crate) fn assert_well_formed(text: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.strip_prefix("<!doctype html>").unwrap_or(text);
    while let Some((before, after)) = rest.split_once('<') {
        assert!(!before.contains('>'), "a lone > in {before:?}");
        let (tag, after) = after.split_once('>').expect("the tag ends");
        let (name, attributes) = tag.split_once([' ', '\n']).unwrap_or((tag, ""));
        match (name.strip_prefix('/'), attributes.ends_with('/') || name.ends_with('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name), "{before:?}"),
            (None, true) => {}
            (None, false) => open.push(name),
        }
        let attributes = format!(" {}", attributes.trim_end_matches('/'));
        let parts: Vec<&str> = attributes.split('"').collect();
        assert_eq!(parts.len() % 2, 1, "quotes in {tag:?}");
        let names = parts.iter().step_by(2).filter(|part| !part.trim().is_empty());
        names.for_each(|part| {
            assert!(part.starts_with([' ', '\n']) && part.ends_with('='), "{tag:?}")
        });
        rest = after;
    }
    assert_eq!((open, rest.trim()), (vec![], ""));
    let entities = ["amp;", "lt;", "gt;", "quot;", "#39;"];
    for part in text.split('&').skip(1) {
        assert!(entities.iter().any(|entity| part.starts_with(entity)), "{part:.20}");
    }
    let hidden = |c: char| c != '\n' && (c.is_control() || super::is_hidden(c));
    assert!(!text.contains(hidden), "there are control characters");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_become_markup() {
        for (text, inside) in [
            ("a & b", "a &amp; b"),
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"", "&quot; onload=&quot;"),
            ("a\x1b[31mb\0c\u{202e}d\u{ffff}\nend", "abc\u{fffd}d\u{fffd}␊end"),
        ] {
            assert_eq!(escaped(text), inside);
        }
    }

    #[test]
    fn long_text_is_cut_with_a_mark_between_characters() {
        for (text, most, inside) in
            [("ab", 2, "ab"), ("abc", 2, "a…"), ("ä<ö>", 3, "ä&lt;…"), ("abc", 0, "…"), ("", 0, "")]
        {
            assert_eq!(cut(text, most), inside);
        }
    }
}
