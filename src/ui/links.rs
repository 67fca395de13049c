//! Files and pages that texts on the screen lead to, for terminals that show hyperlinks (OSC 8).
//!
//! ratatui has no hyperlinks. A cell of a link keeps the number of the link in the place of the colour of its underline,
//! which nothing else uses. So whatever clears, moves or covers the cell does the same to the link, and ratatui's
//! comparison of two frames finds changed links. `tui` writes the sequences where it writes the cells.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
use ratatui::style::Color;

use crate::text::secrets::redact;

/// What is encoded in the path of a file.
const NOT_IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What is encoded in an address: all but the characters that RFC 3986 allows.
const NOT_IN_AN_ADDRESS: &AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Longer targets are no links: VTE and iTerm2 refuse more than about 2,000 bytes.
const LONGEST: usize = 2_000;

/// When so many targets are known, they are forgotten.
const MOST: usize = 4_096;

/// The targets of links, by number.
#[derive(Debug, Default)]
pub struct Links {
    /// The project's folder and the name of this machine; nothing is a link without them.
    here: Option<(PathBuf, String)>,
    numbers: HashMap<String, u32>,
    targets: HashMap<u32, String>,
    /// The last number. Numbers are not used again, so that a new link differs from what was there before.
    last: u32,
}

impl Links {
    /// Sets where relative paths begin and the name of this machine. Without them nothing becomes a link.
    pub fn set_here(&mut self, here: Option<(PathBuf, String)>) {
        self.here = here;
    }

    /// The target of a cell whose underline has this colour, and the number of the link.
    pub fn of(&self, underline: Color) -> Option<(u32, &str)> {
        let Color::Rgb(red, green, blue) = underline else { return None };
        let number = u32::from_be_bytes([0, red, green, blue]);
        Some((number, self.targets.get(&number)?))
    }

    /// Forgets targets when there are many. Called before a frame, which then numbers its links anew.
    pub(super) fn tidy(&mut self) {
        if self.numbers.len() > MOST {
            self.numbers.clear();
            self.targets.clear();
        }
    }

    /// The mark of a link to a file.
    pub(super) fn file(&mut self, path: &Path) -> Option<Color> {
        let (root, host) = self.here.as_ref()?;
        let path = root.join(path);
        let host = utf8_percent_encode(host, NOT_IN_A_PATH);
        let path = percent_encode(path.as_os_str().as_encoded_bytes(), NOT_IN_A_PATH);
        let target = format!("file://{host}{path}");
        self.mark(target)
    }

    /// The mark of a link to a page, if this is the address of one and holds no secret.
    pub(super) fn page(&mut self, address: &str) -> Option<Color> {
        self.here.as_ref()?;
        let page = address.starts_with("https://") || address.starts_with("http://");
        if !page || redact(address) != address {
            return None;
        }
        self.mark(utf8_percent_encode(address, NOT_IN_AN_ADDRESS).to_string())
    }

    fn mark(&mut self, target: String) -> Option<Color> {
        if target.len() > LONGEST {
            return None;
        }
        let number = match self.numbers.get(&target) {
            Some(number) => *number,
            None => {
                self.last += 1;
                self.numbers.insert(target.clone(), self.last);
                self.targets.insert(self.last, target);
                self.last
            }
        };
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Color::Rgb(red, green, blue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let mut links = Links::default();
        links.set_here(Some(("/work/my project".into(), "host".into())));
        links
    }

    fn target(links: &Links, mark: Option<Color>) -> Option<String> {
        links.of(mark?).map(|(_, target)| target.to_owned())
    }

    #[test]
    fn targets_hold_nothing_that_a_terminal_would_obey() {
        let mut links = links();
        for (path, expected) in [
            ("src/nodes.py", "file://host/work/my%20project/src/nodes.py"),
            ("/etc/a;b#c?d%", "file://host/etc/a%3Bb%23c%3Fd%25"),
            ("a\x1b\\\x07\u{9c}é", "file://host/work/my%20project/a%1B%5C%07%C2%9C%C3%A9"),
        ] {
            let mark = links.file(Path::new(path));
            assert_eq!(target(&links, mark).as_deref(), Some(expected));
        }
        let mark = links.page("https://h:5000/a\x1b\\d é");
        let expected = "https://h:5000/a%1B%5Cd%20%C3%A9";
        assert_eq!(target(&links, mark).as_deref(), Some(expected));
    }

    #[test]
    fn only_pages_without_secrets_are_links() {
        let mut links = links();
        for address in ["javascript:alert(1)", "s3://bucket/a", "https://me:hunter2@host/a"] {
            assert_eq!(links.page(address), None, "{address}");
        }
        assert_eq!(links.page(&format!("https://host/{}", "a".repeat(LONGEST))), None);
        links.set_here(None);
        assert_eq!((links.page("https://host/"), links.file(Path::new("a"))), (None, None));
    }

    #[test]
    fn a_target_keeps_its_number_and_a_number_its_target() {
        let mut links = links();
        let first = links.file(Path::new("0"));
        assert_eq!(links.file(Path::new("0")), first);
        for number in 1..=MOST {
            assert_ne!(links.file(Path::new(&number.to_string())), first);
        }
        links.tidy();
        assert_eq!(target(&links, first), None);
        let again = links.file(Path::new("0"));
        assert_ne!(again, first);
        assert_eq!(target(&links, again).as_deref(), Some("file://host/work/my%20project/0"));
        assert_eq!(links.of(Color::Reset), None);
    }
}
