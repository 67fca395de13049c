//! Splits chunks of bytes into lines of bounded length.

/// Assembles chunks to lines. Lines that are longer than the bound are dropped entirely.
#[derive(Debug)]
pub(super) struct Lines {
    partial: Vec<u8>,
    longest: usize,
    skipping: bool,
}

impl Lines {
    /// A splitter for lines of at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Lines { partial: Vec::new(), longest, skipping: false }
    }

    /// The lines that the chunk completes, without line ends.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.keep(&rest[..end]);
            rest = &rest[end + 1..];
            let line = std::mem::take(&mut self.partial);
            if !std::mem::take(&mut self.skipping) {
                lines.push(line);
            }
        }
        self.keep(rest);
        lines
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping || self.partial.len() + bytes.len() > self.longest {
            self.skipping = true;
            self.partial = Vec::new();
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_assembled_and_long_ones_are_dropped() {
        let mut lines = Lines::new(5);
        assert_eq!(lines.push(b"ab"), Vec::<Vec<u8>>::new());
        assert_eq!(lines.push(b"c\n\nde"), [b"abc".to_vec(), Vec::new()]);
        assert_eq!(lines.push(b"\ntoo lo"), [b"de".to_vec()]);
        assert_eq!(lines.push(b"ng\nok\n"), [b"ok".to_vec()]);
    }
}
