//! JSON that is safe to print in a terminal: control characters and characters that hide or reorder
//! text are written as `\u` escapes. JSON parsers get the same strings (RFC 8259, section 7).

use std::io::{self, Write};

use serde::Serialize;

use super::is_hidden;

/// Writes a value as indented JSON.
///
/// # Errors
/// If the value can't be serialised or written.
pub fn write_pretty(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(Escaping(out), value).map_err(io::Error::from)
}

/// Writes a value as JSON on one line, with a line end.
///
/// # Errors
/// If the value can't be serialised or written.
pub fn write_line(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(Escaping(&mut out), value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// A value as JSON on one line, without a line end.
///
/// # Errors
/// If the value has no JSON form.
pub fn line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut line = Vec::new();
    serde_json::to_writer(Escaping(&mut line), value)?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Escapes the output of a serializer, which writes whole characters at a time. JSON is plain ASCII
/// outside strings, so every escaped character is inside a string.
struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let hides = |text: &&str| text.chars().any(is_escaped);
        let Some(text) = std::str::from_utf8(bytes).ok().filter(hides) else {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        };
        let mut escaped = String::with_capacity(text.len() + 32);
        for c in text.chars() {
            if is_escaped(c) {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped += &format!("\\u{unit:04x}");
                }
            } else {
                escaped.push(c);
            }
        }
        self.0.write_all(escaped.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether `c` must be escaped. ASCII whitespace is only layout here: the serializer already
/// escapes line ends in strings.
fn is_escaped(c: char) -> bool {
    !c.is_ascii_whitespace() && (c.is_control() || is_hidden(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_parsed_back_unchanged() {
        let hostile = "\u{1b}[31m\u{9b}31m\u{7f}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{2029}\
                       \u{feff}\u{e0041}";
        let text = format!("plain ü 表 👨\u{200d}👩 {hostile}\n\t\"");
        let value = serde_json::json!({ &*text: [&*text, 1.5] });
        let mut pretty = Vec::new();
        write_pretty(&mut pretty, &value).unwrap();
        for json in [line(&value).unwrap(), String::from_utf8(pretty).unwrap()] {
            assert!(!json.chars().any(|c| hostile.contains(c) && !c.is_ascii_graphic()), "{json}");
            assert!(json.contains("plain ü 表 👨\u{200d}👩"), "{json}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        }
    }
}
