//! Printing for people, where the reader may be gone: a closed pipe or terminal is no error, and never a
//! panic, as it is with `println!`.

use std::io::{self, Write};

/// Prints a line on the standard error.
pub fn complain(line: &str) {
    write(&mut io::stderr().lock(), line);
}

/// Prints a line on the standard output.
pub fn tell(line: &str) {
    write(&mut io::stdout().lock(), line);
}

fn write(out: &mut impl Write, line: &str) {
    // One call a line, so that lines of several programs do not mix.
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}
