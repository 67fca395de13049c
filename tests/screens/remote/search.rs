//! A search over the logs of all tasks and tries of a run.

use mlops_tui::app::screens::remote::asked::Search;
use mlops_tui::remote::search::Hit;

use super::*;

/// Types a search on the page of the run, and returns what the engine was asked for.
fn search(app: &mut TestApp, pattern: &str) -> Search {
    app.keys(&format!("S{pattern}<enter>"));
    match asked(app).as_slice() {
        [Ask::Search(search)] => (**search).clone(),
        other => panic!("{other:?}"),
    }
}

fn hit(number: usize, level: &str, text: &str) -> Hit {
    Hit { number, line: line(level, text) }
}

fn found(app: &mut TestApp, search: &Search, place: usize, hits: Result<Vec<Hit>, String>) {
    answer(app, Answer::Found { search: search.number, place, hits });
}

/// A search with hits in two logs, and a log that can't be read.
fn searched(columns: u16, rows: u16) -> (TestApp, Search) {
    let mut app = opened(columns, rows);
    let asked = search(&mut app, "(?i)error|rows=\\d+");
    let long = format!("{} Error: at the end of a long line", "word ".repeat(40));
    let first = vec![hit(4, "info", "read rows=12 and rows=7"), hit(1_041, "error", &long)];
    found(&mut app, &asked, 0, Ok(first));
    found(&mut app, &asked, 1, Err("prod has no log of it.".into()));
    let colours = "\u{1b}[31mKeyError\u{1b}[0m: 'x'";
    found(&mut app, &asked, 2, Ok(vec![hit(50, "error", colours)]));
    (app, asked)
}

#[test]
fn all_tries_are_searched_and_hits_are_shown_as_they_come() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let (mut app, search) = searched(columns, rows);
        assert_eq!((search.profile.as_str(), &search.id), ("prod", &id("manual__4")));
        assert_eq!(search.pattern.as_str(), "(?i)error|rows=\\d+");
        let tries = search.tries.iter().map(|(task, attempt)| (task.name(), *attempt));
        let wanted = [("clean-trips", 1), ("train-model", 1), ("train-model", 2), ("evaluate", 1)];
        let wanted = wanted.map(|(name, attempt)| (name.to_owned(), attempt));
        assert_eq!(tries.collect::<Vec<_>>(), wanted);
        let screen = app.screen();
        assert!(screen.contains("3 hits in 2 of 4 logs; 2 searched ...; 1 log can't"), "{screen}");
        answer(&mut app, Answer::Searched(search.number, None));
        assert_eq!(asked(&mut app), []);
        app.keys("j");
        insta::assert_snapshot!(format!("found_{columns}"), app.screen());
    }
}

#[test]
fn a_hit_opens_its_log_at_its_line() {
    let (mut app, _) = searched(100, 24);
    app.keys("G<enter>");
    let task = Box::new(tasks().remove(1));
    let shown = |attempt| {
        let what = What::Log { id: id("manual__4"), task: task.clone(), attempt };
        Ask::Show(Some(Shown { profile: "prod".into(), what }))
    };
    assert_eq!(asked(&mut app), [shown(2)]);
    let many = |from: usize, to: usize| {
        (from..to).map(|number| line("info", &format!("line {number}."))).collect::<Vec<_>>()
    };
    log(&mut app, 2, true, many(0, 40));
    log(&mut app, 2, false, many(40, 90));
    let screen = app.screen();
    let selected = screen.lines().find(|line| line.starts_with('▌')).unwrap_or_default();
    assert!(selected.contains("line 50."), "{screen}");
    // The log of the first try can't be read, and there is the reason.
    app.keys("<esc>kk<enter>");
    assert_eq!(asked(&mut app).last(), Some(&shown(1)));
    // Back to the hits, to the tasks, and there they still are.
    app.keys("<esc>");
    assert!(app.screen().contains("3 hits"), "{}", app.screen());
    app.keys("<esc><tab><tab>");
    assert!(app.screen().contains("3 hits"), "{}", app.screen());
}

#[test]
fn a_wrong_pattern_stays_at_the_prompt_with_its_error() {
    let mut app = opened(100, 24);
    app.keys("S(a<enter>");
    assert!(app.screen().contains("unclosed group"), "{}", app.screen());
    assert_eq!(asked(&mut app), []);
    app.keys(")<enter>");
    assert!(matches!(asked(&mut app).as_slice(), [Ask::Search(_)]));
    // An empty one searches nothing.
    app.keys("S<backspace><enter>");
    assert_eq!(asked(&mut app), []);
}

#[test]
fn a_search_ends_with_the_next_one_and_with_the_page() {
    let mut app = opened(100, 24);
    let first = search(&mut app, "one");
    let second = search(&mut app, "two");
    assert_ne!(first.number, second.number);
    // A late answer of the first search is not mixed in.
    found(&mut app, &first, 0, Ok(vec![hit(0, "info", "one")]));
    answer(&mut app, Answer::Searched(first.number, None));
    assert!(app.screen().contains("0 hits in 0 of 4 logs; 0 searched"), "{}", app.screen());
    // It goes on while another tab is shown.
    app.keys("17");
    assert!(!asked(&mut app).contains(&Ask::StopSearch));
    app.keys("<esc><esc>");
    let asks = asked(&mut app);
    assert_eq!(asks.iter().filter(|ask| **ask == Ask::StopSearch).count(), 1, "{asks:?}");
    app.keys("S");
    assert!(app.screen().contains("no run is open"), "{}", app.screen());
}

#[test]
fn a_search_with_too_many_hits_is_stopped_and_says_so() {
    let mut app = opened(120, 24);
    let asked_for = search(&mut app, "a");
    let many = (0..10_001).map(|number| hit(number, "info", "a")).collect();
    found(&mut app, &asked_for, 0, Ok(many));
    assert_eq!(asked(&mut app), [Ask::StopSearch]);
    let screen = app.screen();
    assert!(screen.contains("10000 hits in 1 of 4 logs; the search ended here"), "{screen}");
}
