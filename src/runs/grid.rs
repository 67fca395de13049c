//! Grids of parameters: `lr=0.1,0.01 depth=4,8` stands for four runs.

use super::params::Params;
use super::request::RunRequest;
use crate::store::{APART, FOLDER};

/// More runs than anybody means to start by typing a line.
const MOST: usize = 64;

/// The parameters of each run, in the order of the last name's values first.
///
/// # Errors
/// A sentence that names the part that can't be read.
pub fn parse(text: &str) -> Result<Vec<Params>, String> {
    let mut runs = vec![Params::new()];
    for part in text.split_whitespace() {
        let (key, values) = part
            .split_once('=')
            .filter(|(key, values)| !key.is_empty() && !values.is_empty())
            .ok_or_else(|| format!("`{part}` is not `name=value,value`."))?;
        let values: Vec<&str> = values.split(',').filter(|value| !value.is_empty()).collect();
        if runs.iter().any(|run| run.contains_key(key)) {
            return Err(format!("`{key}` is there twice."));
        }
        if runs.len() * values.len() > MOST {
            return Err(format!("That is more than {MOST} runs."));
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
        [only] if only.is_empty() => Err("Write names and values: lr=0.1,0.01 depth=4,8".into()),
        _ => Ok(runs),
    }
}

/// How many runs go on at a time: one for each processor, and at most four.
pub fn at_a_time() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(4))
}

/// A request for each set of parameters; each run saves in a folder of its own. `now` is in seconds since
/// the Unix epoch.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let line = |run: &Params| {
            run.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
        };
        parse(text).unwrap().iter().map(line).collect()
    }

    #[test]
    fn a_grid_stands_for_all_combinations() {
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
    fn what_cannot_be_read_is_named() {
        assert!(parse("").unwrap_err().contains("lr=0.1"));
        assert!(parse("lr").unwrap_err().contains("`lr`"));
        assert!(parse("a=1 a=2").unwrap_err().contains("twice"));
        assert!(parse("a=1,2,3,4,5,6,7,8,9 b=1,2,3,4,5,6,7,8").unwrap_err().contains("64"));
    }
}
