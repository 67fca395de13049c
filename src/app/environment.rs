//! The making of the project's Python environment, as uv or pip report it.

use std::collections::BTreeSet;

use crate::text::{UserError, sanitize};

/// The number of lines that are kept.
const KEPT: usize = 500;

/// The making of the project's Python environment.
#[derive(Debug, Default)]
pub struct Making {
    /// The last lines of output.
    pub lines: Vec<String>,
    /// The result, once there is one.
    pub end: Option<Result<(), UserError>>,
    /// The packages that were fetched or built.
    packages: BTreeSet<String>,
    /// The number of packages to install, if uv said so.
    total: Option<usize>,
    /// The package that was named last.
    current: Option<String>,
}

impl Making {
    /// Adds a line of output.
    pub fn add(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // uv
            ["Resolved", count, ..] => self.total = count.parse().ok(),
            ["Downloading" | "Building", package, ..] => self.current = Some(package.to_owned()),
            ["Downloaded" | "Built" | "+", package, ..] => self.fetched(package),
            // pip
            ["Collecting", package, ..] => self.fetched(package),
            _ => {}
        }
        if self.lines.len() == KEPT {
            self.lines.remove(0);
        }
        self.lines.push(sanitize(line));
    }

    fn fetched(&mut self, package: &str) {
        let name = package.split(['=', '<', '>', '~', '!', '[', ';', '@', ',']).next();
        let name = name.unwrap_or_default().to_owned();
        self.current = Some(name.clone());
        self.packages.insert(name);
    }

    /// Whether it goes on.
    pub fn goes_on(&self) -> bool {
        self.end.is_none()
    }

    /// The progress: `7 of 95 packages, numpy`.
    pub fn progress(&self) -> String {
        let count = self.packages.len();
        let mut text = match self.total {
            Some(total) => format!("{} of {total} packages", count.min(total)),
            None if count == 1 => "1 package".to_owned(),
            None => format!("{count} packages"),
        };
        if let Some(current) = &self.current {
            text += &format!(", {}", sanitize(current));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(lines: &str) -> String {
        let mut making = Making::default();
        lines.lines().for_each(|line| making.add(line));
        making.progress()
    }

    #[test]
    fn the_output_of_uv_and_pip_says_how_far_it_is() {
        assert_eq!(progress("$ uv venv .venv\nUsing CPython 3.11.2"), "0 packages");
        let uv = "Resolved 95 packages in 312ms\nDownloading numpy (15.5MiB)\n Downloaded numpy\n   Building shop @ file:///x";
        assert_eq!(progress(uv), "1 of 95 packages, shop");
        assert_eq!(
            progress(&format!(
                "{uv}\nInstalled 2 packages in 9ms\n + numpy==2.1.0\n + shop==0.1 (from file:///x)"
            )),
            "2 of 95 packages, shop"
        );
        let pip = "Collecting kedro~=1.0 (from -r requirements.txt (line 1))\n  Downloading kedro-1.7.0-py3-none-any.whl (120 kB)\nCollecting pandas[excel]>=2";
        assert_eq!(progress(pip), "2 packages, pandas");
    }

    #[test]
    fn the_last_lines_are_kept() {
        let mut making = Making::default();
        (0..KEPT + 10).for_each(|number| making.add(&number.to_string()));
        assert_eq!((making.lines.len(), making.lines[0].as_str()), (KEPT, "10"));
    }
}
