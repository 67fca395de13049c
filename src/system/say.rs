//! Prints for people. A closed pipe or terminal is ignored, where `println!` would panic.

use std::io::{self, Write};

/// Prints a line to standard error.
pub fn complain(line: &str) {
    write(&mut io::stderr().lock(), line);
}

/// Prints a line to standard output.
pub fn tell(line: &str) {
    write(&mut io::stdout().lock(), line);
}

fn write(out: &mut impl Write, line: &str) {
    // One write per line, so that the lines of several programs do not mix.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}
