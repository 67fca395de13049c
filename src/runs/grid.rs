//! Grids of parameters: `lr=0.1,0.01 depth=4,8` means four runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::event::{RunEvent, Stamped};
use super::params::Params;
use super::request::RunRequest;
use crate::store::{APART, FOLDER};
use crate::text::UserError;

/// The hint of error messages: how a grid is written.
const SHAPE: &str = "Write names and values: lr=0.1,0.01 depth=4,8";
/// Most runs of a grid; more are probably a typing error.
const MOST: usize = 64;

/// The parameters of each run; the values of the last name vary fastest. Commas and blanks in quotes, `[]`
/// and `{}` belong to the value, as in YAML.
///
/// # Errors
/// A sentence that names the part that can't be parsed.
pub fn parse(text: &str) -> Result<Vec<Params>, UserError> {
    let mut runs = vec![Params::new()];
    for part in split(text, char::is_whitespace)?.into_iter().filter(|part| !part.is_empty()) {
        let (key, values) =
            part.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
                UserError::hinted(format!("`{part}` is not a parameter with values"), SHAPE)
            })?;
        let values = split(values, |c| c == ',')?;
        if values.iter().any(|value| value.is_empty()) {
            return Err(UserError::hinted(
                format!("A value of `{key}` is empty"),
                format!("Write {key}=1,2 without blanks, null for none, '' for an empty text."),
            ));
        }
        if runs.iter().any(|run| run.contains_key(key)) {
            return Err(format!("`{key}` is given twice.").into());
        }
        if runs.len() * values.len() > MOST {
            return Err(format!("The grid has more than {MOST} runs.").into());
        }
        runs = runs
            .iter()
            .flat_map(|run| {
                values.iter().map(move |value| {
                    let mut run = run.clone();
                    run.insert(key.to_owned(), (*value).to_owned());
                    run
                })
            })
            .collect();
    }
    match runs.as_slice() {
        [only] if only.is_empty() => Err(UserError::hinted("The grid is empty", SHAPE)),
        _ => Ok(runs),
    }
}

/// Splits at separators that are neither in quotes nor in brackets. A quote inside a word is an ordinary
/// character, as in YAML.
fn split(text: &str, separates: impl Fn(char) -> bool) -> Result<Vec<&str>, UserError> {
    let (mut parts, mut start) = (Vec::new(), 0);
    // The closing characters of the open brackets and quotes, innermost last.
    let mut open: Vec<char> = Vec::new();
    let (mut escaped, mut before) = (false, ' ');
    for (at, c) in text.char_indices() {
        let end = open.last().copied();
        let begins = before.is_whitespace() || "=,:[{".contains(before);
        if escaped {
            escaped = false;
        } else if let Some(quote @ ('\'' | '"')) = end {
            // `''` is a quote within quotes.
            escaped = match quote {
                '"' => c == '\\',
                _ => text[at..].starts_with("''"),
            };
            if c == quote && !escaped {
                open.pop();
            }
        } else if end == Some(c) {
            open.pop();
        } else {
            match c {
                '[' => open.push(']'),
                '{' => open.push('}'),
                '\'' | '"' if begins => open.push(c),
                _ if open.is_empty() && separates(c) => {
                    parts.push(&text[start..at]);
                    start = at + c.len_utf8();
                }
                _ => {}
            }
        }
        before = c;
    }
    if let Some(end) = open.last() {
        return Err(format!("`{}` has no `{end}` at its end.", &text[start..]).into());
    }
    parts.push(&text[start..]);
    Ok(parts)
}

/// How many runs of a grid run at a time: one for each processor, at most four.
pub fn at_a_time() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(4))
}

/// Limits how many runs of a grid run at a time. The first one runs alone until it starts a node: two runs that create
/// the same MLflow database at once fail.
#[derive(Debug)]
pub struct Room {
    places: Semaphore,
    open: AtomicBool,
}

impl Room {
    /// A room with one place.
    pub fn new() -> Arc<Self> {
        Arc::new(Room { places: Semaphore::new(1), open: AtomicBool::new(false) })
    }

    /// Waits for a place, which is free again when the value is dropped.
    pub async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed, so this is always a place.
        self.places.acquire().await.ok()
    }

    /// Gives the room its other places once a run has started a node.
    pub fn follow(&self, events: &[Stamped]) {
        let started = |stamped: &Stamped| matches!(stamped.event, RunEvent::NodeStarted { .. });
        if events.iter().any(started) && !self.open.swap(true, Ordering::Relaxed) {
            self.places.add_permits(at_a_time() - 1);
        }
    }
}

/// A request for each set of parameters; each run saves to its own folder. `now` is in seconds since the Unix
/// epoch.
pub fn requests(request: &RunRequest, sets: Vec<Params>, now: f64) -> Vec<RunRequest> {
    let numbered = sets.into_iter().enumerate();
    let one = |(index, set): (usize, Params)| {
        let mut request = request.clone();
        request.params.extend(set);
        request.apart = Some(format!("{FOLDER}/{APART}/{now:.3}-{}", index + 1));
        request
    };
    numbered.map(one).collect()
}

/// The name shared by all runs of a grid, derived from the folder that the run saves to.
pub fn batch(request: &RunRequest) -> Option<String> {
    let folder = request.apart.as_deref()?.rsplit('/').next()?;
    folder.rsplit_once('-').map(|(began, _)| format!("grid {began}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_run_is_alone_until_it_starts_a_node() {
        let room = Room::new();
        let first = room.enter().await.unwrap();
        let is_full = |room: &Room| room.places.available_permits() == 0;
        assert!(is_full(&room));
        room.follow(&[Stamped::log("INFO", None, "a line".into())]);
        assert!(is_full(&room));
        let started = Stamped { at: 1.0, event: RunEvent::NodeStarted { node: "a".into() } };
        room.follow(&[started.clone(), started.clone()]);
        room.follow(&[started]);
        assert_eq!(room.places.available_permits(), at_a_time() - 1);
        drop(first);
        assert_eq!(room.places.available_permits(), at_a_time());
    }

    fn texts(text: &str) -> Vec<String> {
        let line = |run: &Params| {
            run.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        parse(text).unwrap().iter().map(line).collect()
    }

    #[test]
    fn a_grid_gives_all_combinations() {
        assert_eq!(
            texts("lr=0.1,0.01 model.depth=4,8"),
            [
                "lr=0.1 model.depth=4",
                "lr=0.1 model.depth=8",
                "lr=0.01 model.depth=4",
                "lr=0.01 model.depth=8"
            ]
        );
        assert_eq!(texts(" seed=1 "), ["seed=1"]);
    }

    #[test]
    fn brackets_and_quotes_hold_a_value_together() {
        assert_eq!(
            texts(r#"sizes=[8, [4,2]],[] model={"a, b": [1,"]"]}"#),
            [r#"sizes=[8, [4,2]] model={"a, b": [1,"]"]}"#, r#"sizes=[] model={"a, b": [1,"]"]}"#]
        );
        assert_eq!(
            texts(r#"name='x, y',"it's",it's,it''s,'it''s, so',"\", ",a]"#),
            [
                "name='x, y'",
                "name=\"it's\"",
                "name=it's",
                "name=it''s",
                "name='it''s, so'",
                r#"name="\", ""#,
                "name=a]"
            ]
        );
    }

    #[test]
    fn an_empty_value_or_an_open_bracket_is_refused() {
        for text in ["lr=", "lr=,", "lr=0.1,", "lr=,0.1", "lr=0.1,,0.2", "a=1 lr=0.1, 0.2"] {
            let error = parse(text).unwrap_err();
            assert!(
                error.line().contains("`lr`") && error.line().contains("null"),
                "{text}: {error}"
            );
        }
        for (text, sign) in [("lr=[1,2", "]"), ("lr=[{a: 1]", "}"), ("lr='1,2 a=3", "'")] {
            let error = parse(text).unwrap_err();
            assert!(
                error.line().contains(&format!("`{sign}`")) && error.line().contains("lr="),
                "{error}"
            );
        }
        assert_eq!(texts("lr=null,''"), ["lr=null", "lr=''"]);
    }

    #[test]
    fn the_error_names_the_part_that_cannot_be_parsed() {
        assert!(parse("").unwrap_err().line().contains("lr=0.1"));
        assert!(parse("lr").unwrap_err().line().contains("`lr`"));
        assert!(parse("a=1 a=2").unwrap_err().line().contains("twice"));
        assert!(parse("a=1,2,3,4,5,6,7,8,9 b=1,2,3,4,5,6,7,8").unwrap_err().line().contains("64"));
    }
}
