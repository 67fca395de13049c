//! The remote screen: profiles, the runs of an engine, the page of a run, and what is sent to it.

mod acts;
mod home;
mod search;

use std::path::PathBuf;

use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::screens::remote::asked::{Answer, Ask, Profile, Shown, What};
use mlops_tui::remote::model::{Deployed, LogLine, Mark, Phase, Run, RunId, State, Task};
use mlops_tui::remote::{Action, Airflow, Check, Engine};
use mlops_tui::text::UserError;
use serde_json::json;

use crate::common::app::{NOW, TestApp};

fn profile(name: &str, engine: Engine) -> Profile {
    Profile {
        name: name.into(),
        engine,
        url: format!("https://{name}.example.com:8080"),
        place: "conf/base/remote.yml:2".into(),
        folder: Some("/srv/dags".into()),
        pipelines: vec![
            ("__default__".into(), "shop".into()),
            ("train".into(), "shop-train".into()),
        ],
        unable: match engine {
            Engine::Airflow => Vec::new(),
            Engine::KedroServer => vec![
                (Action::Runs, "A Kedro server keeps no list of runs."),
                (Action::Logs, "A Kedro server has no logs."),
                (Action::Cancel, "A Kedro server can't stop a run."),
                (Action::Deploy, "A Kedro server runs the project that it was started in."),
            ],
        },
        broken: None,
    }
}

fn state(name: &str) -> State {
    let phase = match name {
        "success" => Phase::Succeeded,
        "failed" => Phase::Failed,
        "running" => Phase::Running,
        "up_for_retry" => Phase::Retrying,
        "upstream_failed" => Phase::UpstreamFailed,
        "skipped" => Phase::Skipped,
        _ => Phase::Waiting,
    };
    State { name: name.into(), phase }
}

fn id(run: &str) -> RunId {
    RunId { pipeline: "shop".into(), run: run.into() }
}

fn run(name: &str, of: &str, age: f64, took: f64) -> Run {
    let state = state(of);
    let began = (state.phase != Phase::Waiting).then_some(NOW - age);
    Run {
        id: id(name),
        ended: state.phase.is_over().then_some(NOW - age + took),
        state,
        queued: Some(NOW - age - 1.0),
        started: began,
        kind: if name.starts_with("sch") { "scheduled" } else { "manual" }.into(),
        conf: json!({}),
        note: None,
        error: None,
    }
}

fn runs() -> Vec<Run> {
    vec![
        Run { conf: json!({"model": {"alpha": 0.5}}), ..run("manual__4", "running", 65.0, 0.0) },
        run("manual__3", "queued", 70.0, 0.0),
        Run {
            note: Some("with the new prices".into()),
            ..run("manual__2", "failed", 4_000.0, 95.0)
        },
        run("scheduled__2026-11-01T00:00:00+00:00", "success", 90_000.0, 143.0),
    ]
}

fn task(name: &str, of: &str, begin: f64, end: Option<f64>, attempt: u32) -> Task {
    Task {
        id: name.into(),
        index: None,
        state: state(of),
        attempt,
        attempts: 3,
        started: (attempt > 0).then_some(NOW - begin),
        ended: end.map(|end| NOW - end),
        host: (attempt > 0).then(|| "worker-1".into()),
    }
}

fn tasks() -> Vec<Task> {
    vec![
        task("clean-trips", "success", 60.0, Some(40.0), 1),
        task("train-model", "running", 38.0, None, 2),
        task("evaluate", "up_for_retry", 30.0, Some(20.0), 1),
        Task { index: Some(3), ..task("report", "scheduled", 0.0, None, 0) },
        task("publish-with-a-name-that-is-rather-long-for-a-task", "none", 0.0, None, 0),
    ]
}

fn checks() -> Vec<Check> {
    [("address", "https://prod.example.com:8080, REST API v2"), ("credentials", "signed in as ada")]
        .map(|(what, found)| Check { what, found: Ok(found.into()) })
        .into_iter()
        .chain([Check { what: "version", found: Ok("Airflow 3.3.2".into()) }])
        .collect()
}

fn deployed(paused: bool) -> Vec<Deployed> {
    let params = vec![("alpha".into(), json!(0.1)), ("countries".into(), json!(["pl", "de"]))];
    vec![Deployed { id: "shop".into(), paused, params, ..Deployed::default() }]
}

fn answer(app: &mut TestApp, answer: Answer) {
    app.report(Report::Remote(Box::new(answer)));
}

/// What the engines were asked for since the last time.
fn asked(app: &mut TestApp) -> Vec<Ask> {
    let asks = app.effects.drain(..).filter_map(|effect| match effect {
        Effect::Remote(ask) => Some(*ask),
        _ => None,
    });
    asks.collect()
}

/// The tab with these profiles, in a trusted project or not.
fn open(columns: u16, rows: u16, profiles: Vec<Profile>, trusted: bool) -> TestApp {
    let mut app = TestApp::open(columns, rows);
    app.report(Report::Trust(trusted));
    app.keys("7");
    assert!(asked(&mut app).contains(&Ask::Profiles(None)));
    answer(&mut app, Answer::Profiles(profiles, Vec::new()));
    app
}

/// The runs of a profile.
fn listed(columns: u16, rows: u16) -> TestApp {
    let mut app = open(columns, rows, vec![profile("prod", Engine::Airflow)], true);
    assert_eq!(asked(&mut app), [Ask::Check("prod".into())]);
    let pipelines = Ok(deployed(false));
    answer(&mut app, Answer::Checked { profile: "prod".into(), checks: checks(), pipelines });
    let what = What::Runs { pipelines: vec!["shop".into()], limit: 100 };
    assert_eq!(asked(&mut app), [Ask::Show(Some(Shown { profile: "prod".into(), what }))]);
    answer(&mut app, Answer::Runs { profile: "prod".into(), runs: runs(), all: true });
    app
}

/// The page of the run that goes on.
fn opened(columns: u16, rows: u16) -> TestApp {
    let mut app = listed(columns, rows);
    app.keys("<enter>");
    let what = What::Run(id("manual__4"));
    assert_eq!(asked(&mut app), [Ask::Show(Some(Shown { profile: "prod".into(), what }))]);
    let run = Box::new(runs().remove(0));
    answer(&mut app, Answer::Run { profile: "prod".into(), run, tasks: tasks() });
    app
}

#[test]
fn profiles_are_listed_with_their_health_and_what_is_wrong() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut broken = profile("broken", Engine::Airflow);
        broken.broken = Some("`ca` of `broken`: there is no file ca.pem.".into());
        let profiles =
            vec![profile("prod", Engine::Airflow), profile("box", Engine::KedroServer), broken];
        let mut app = open(columns, rows, profiles.clone(), true);
        assert_eq!(asked(&mut app), [Ask::Check("prod".into()), Ask::Check("box".into())]);
        let pipelines = Ok(deployed(true));
        answer(&mut app, Answer::Checked { profile: "prod".into(), checks: checks(), pipelines });
        let why = "https://box.example.com:8080 does not answer: connection refused.";
        let checks = vec![Check { what: "address", found: Err(why.into()) }];
        let pipelines = Err(why.to_owned());
        answer(&mut app, Answer::Checked { profile: "box".into(), checks, pipelines });
        let mistake = UserError::hinted(
            "conf/base/remote.yml:9: `old`: there is no engine `airfow`.",
            "Did you mean `airflow`?",
        );
        answer(&mut app, Answer::Profiles(profiles, vec![mistake]));
        insta::assert_snapshot!(format!("remote_profiles_{columns}"), app.screen());
        app.keys("j");
        assert!(app.screen().contains("refused"), "{}", app.screen());
        app.keys("jd");
        assert!(app.screen().contains("there is no file ca.pem"), "{}", app.screen());
        assert_eq!(asked(&mut app), []);
    }
}

#[test]
fn nothing_is_sent_for_a_project_that_is_not_trusted() {
    let mut app = open(80, 24, vec![profile("prod", Engine::Airflow)], false);
    insta::assert_snapshot!("remote_untrusted", app.screen());
    app.keys("ra<enter>");
    assert!(app.screen().contains("Trust this project?"), "{}", app.screen());
    app.keys("n");
    assert_eq!(asked(&mut app), []);
    app.keys("cy");
    assert_eq!(asked(&mut app), [Ask::Check("prod".into())]);
}

#[test]
fn a_project_without_engines_is_told_how_to_name_one() {
    let mut app = open(80, 24, Vec::new(), true);
    insta::assert_snapshot!("remote_none", app.screen());
    app.keys("r<enter>d");
    assert_eq!(asked(&mut app), []);
}

#[test]
fn runs_are_listed_filtered_and_the_rest_is_read_at_the_end() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut app = listed(columns, rows);
        insta::assert_snapshot!(format!("remote_runs_{columns}"), app.screen());
        app.keys("&is:failed<enter>");
        assert!(app.screen().contains("1 of 4 · is:failed"), "{}", app.screen());
        assert!(app.screen().contains("with the new prices"));
        app.keys("<esc>a");
        let what = What::Runs { pipelines: Vec::new(), limit: 100 };
        assert_eq!(asked(&mut app), [Ask::Show(Some(Shown { profile: "prod".into(), what }))]);
        // Another tab shows nothing of the engine.
        app.keys("1");
        assert_eq!(asked(&mut app), [Ask::Show(None)]);
    }
}

#[test]
fn an_engine_that_does_not_answer_keeps_what_was_known() {
    let mut app = listed(120, 30);
    let what = What::Runs { pipelines: vec!["shop".into()], limit: 100 };
    let why = "prod did not answer within 30 s.".to_owned();
    answer(&mut app, Answer::Unanswered { profile: "prod".into(), what, why });
    let screen = app.screen();
    assert!(screen.contains("✗ prod did not answer within 30 s."), "{screen}");
    assert!(screen.contains("scheduled"), "{screen}");
    answer(&mut app, Answer::Runs { profile: "prod".into(), runs: runs(), all: true });
    assert!(app.screen().contains("✓ Airflow 3.3.2"));
}

#[test]
fn pipelines_that_are_not_deployed_are_looked_for_until_they_are() {
    let mut app = open(100, 30, vec![profile("prod", Engine::Airflow)], true);
    asked(&mut app);
    let pipelines = Ok(Vec::new());
    answer(&mut app, Answer::Checked { profile: "prod".into(), checks: checks(), pipelines });
    let shown = |what| Ask::Show(Some(Shown { profile: "prod".into(), what }));
    assert_eq!(asked(&mut app), [shown(What::Pipelines)]);
    insta::assert_snapshot!("remote_not_deployed", app.screen());
    app.keys("r");
    assert!(app.screen().contains("the pipeline is not on the engine"), "{}", app.screen());
    answer(&mut app, Answer::Pipelines("prod".into(), deployed(false)));
    let what = What::Runs { pipelines: vec!["shop".into()], limit: 100 };
    assert_eq!(asked(&mut app), [shown(what)]);
}

#[test]
fn a_run_is_shown_with_its_tasks_in_time() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut app = opened(columns, rows);
        insta::assert_snapshot!(format!("remote_tasks_{columns}"), app.screen());
        app.keys("j<tab><tab><tab>");
        insta::assert_snapshot!(format!("remote_about_{columns}"), app.screen());
    }
}

fn line(level: &str, text: &str) -> LogLine {
    LogLine { at: Some(NOW), level: Some(level.into()), text: text.into() }
}

fn log(app: &mut TestApp, attempt: u32, first: bool, lines: Vec<LogLine>) {
    answer(
        app,
        Answer::Log {
            profile: "prod".into(),
            id: id("manual__4"),
            task: "train-model".into(),
            attempt,
            first,
            lines,
            ended: attempt == 1,
        },
    );
}

#[test]
fn the_log_of_each_try_is_read_followed_filtered_and_searched() {
    let mut app = opened(100, 24);
    app.keys("j<enter>");
    let what =
        |attempt| What::Log { id: id("manual__4"), task: Box::new(tasks().remove(1)), attempt };
    let shown = |attempt| Ask::Show(Some(Shown { profile: "prod".into(), what: what(attempt) }));
    assert_eq!(asked(&mut app), [shown(2)]);
    assert!(app.screen().contains("Reading the log"));
    let lines =
        vec![line("info", "loading"), line("warning", "few rows"), line("error", "KeyError: 'x'")];
    log(&mut app, 2, true, lines);
    log(&mut app, 2, false, vec![line("info", "\u{1b}[32mgreen\u{1b}[0m and \u{7}clean")]);
    // A late answer about another try is not mixed in.
    log(&mut app, 1, false, vec![line("info", "of the first try")]);
    insta::assert_snapshot!("remote_log", app.screen());
    app.keys("&level:warning<enter>");
    let screen = app.screen();
    assert!(screen.contains("few rows") && !screen.contains("loading"), "{screen}");
    assert!(screen.contains("level:warning, 2 of 4 lines"), "{screen}");
    app.keys("<esc>,");
    assert_eq!(asked(&mut app), [shown(1)]);
    log(&mut app, 1, true, vec![line("info", "of the first try")]);
    let screen = app.screen();
    assert!(screen.contains("try 1 of 2") && screen.contains("of the first try"), "{screen}");
    app.keys(",");
    assert!(app.screen().contains("this is the first try"));
    app.keys("/FIRST<enter>");
    app.keys("/nowhere<enter>n");
    assert!(app.screen().contains("No line has `nowhere`"), "{}", app.screen());
    app.keys("<esc>");
    assert!(app.screen().contains("clean-trips"), "{}", app.screen());
}

#[test]
fn the_grid_shows_the_last_runs_and_leads_to_a_log() {
    let mut app = opened(100, 24);
    app.keys("<tab><tab>");
    let newest: Vec<RunId> = runs().iter().map(|run| run.id.clone()).collect();
    let what = What::Grid(newest.clone());
    assert_eq!(
        asked(&mut app).last(),
        Some(&Ask::Show(Some(Shown { profile: "prod".into(), what })))
    );
    let failed = vec![
        task("clean-trips", "success", 60.0, Some(40.0), 1),
        task("train-model", "failed", 38.0, Some(10.0), 3),
        task("evaluate", "upstream_failed", 0.0, None, 0),
    ];
    let run = Box::new(runs().remove(2));
    answer(&mut app, Answer::Run { profile: "prod".into(), run, tasks: failed });
    insta::assert_snapshot!("remote_grid", app.screen());
    app.keys("jh");
    app.keys("h");
    assert!(app.screen().contains("manual__2"), "{}", app.screen());
    app.keys("<enter>");
    let what = What::Run(id("manual__2"));
    let shown = |what| Ask::Show(Some(Shown { profile: "prod".into(), what }));
    assert_eq!(asked(&mut app), [shown(what)]);
    let failed = vec![task("train-model", "failed", 38.0, Some(10.0), 3)];
    let run = Box::new(runs().remove(2));
    answer(&mut app, Answer::Run { profile: "prod".into(), run, tasks: failed.clone() });
    let task = Box::new(failed[0].clone());
    assert_eq!(asked(&mut app), [shown(What::Log { id: id("manual__2"), task, attempt: 3 })]);
}

#[test]
fn a_written_pipeline_is_waited_for_and_not_offered_again() {
    let mut app = open(80, 24, vec![profile("prod", Engine::Airflow)], true);
    let checked = |pipelines| Answer::Checked {
        profile: "prod".into(),
        checks: checks(),
        pipelines: Ok(pipelines),
    };
    answer(&mut app, checked(Vec::new()));
    assert!(app.screen().contains("No pipeline of this project is on the engine"));
    app.keys("r");
    assert!(app.screen().contains("deploy writes it"), "{}", app.screen());
    asked(&mut app);
    let file = "/srv/dags/shop_dag.py".into();
    let pipeline = "__default__".into();
    answer(&mut app, Answer::Written { profile: "prod".into(), pipeline, file, next: "" });
    assert_eq!(asked(&mut app), [Ask::Check("prod".into())]);
    let screen = app.screen();
    assert!(screen.contains("Written: /srv/dags/shop_dag.py"), "{screen}");
    insta::assert_snapshot!("remote_written", screen);
    app.happen(Event::Resize(200, 60));
    let screen = app.screen();
    assert!(screen.contains("__default__: shop, written, not read by the engine yet"), "{screen}");
    assert!(screen.contains("train: shop-train, not on the engine"), "{screen}");
    app.keys("r");
    assert!(app.screen().contains("the engine has not read the DAG file yet"), "{}", app.screen());
    answer(&mut app, checked(deployed(false)));
    assert!(!app.screen().contains("not read by"), "{}", app.screen());
}

#[test]
fn the_fault_of_a_connection_is_shown_without_the_address_beside_it() {
    let mut app = open(
        80,
        24,
        vec![profile("prod", Engine::Airflow), profile("box", Engine::KedroServer)],
        true,
    );
    for (profile, why) in [
        ("prod", "prod: no connection to https://prod.example.com:8080: refused."),
        ("box", "https://box.example.com:8080/health: no connection: refused."),
    ] {
        let checks = vec![Check { what: "address", found: Err(why.into()) }];
        let pipelines = Err(why.into());
        answer(&mut app, Answer::Checked { profile: profile.into(), checks, pipelines });
    }
    let screen = app.screen();
    assert!(screen.contains("Airflow       no connection to"), "{screen}");
    assert!(screen.contains("Kedro server  no connection: r"), "{screen}");
}

#[test]
fn the_only_profile_opens_by_itself_unless_another_one_is_wrong() {
    let only = || vec![profile("prod", Engine::Airflow)];
    assert!(open(80, 24, only(), true).screen().contains("Remote > prod"));
    let mut app = TestApp::open(80, 24);
    app.report(Report::Trust(true));
    app.keys("7");
    let mistake = UserError::from("conf/base/remote.yml:9: `old`: `url` is missing.");
    answer(&mut app, Answer::Profiles(only(), vec![mistake]));
    let screen = app.screen();
    assert!(screen.contains("`old`: `url` is") && !screen.contains("Remote >"), "{screen}");
}

#[test]
fn a_task_that_fails_comes_into_sight() {
    let mut app = opened(80, 24);
    let all = |last: &str| -> Vec<Task> {
        let name = |index: usize| format!("task-{index}");
        let done = (0..40).map(|index| task(&name(index), "success", 60.0, Some(50.0), 1));
        done.chain([task("the-last", last, 30.0, None, 1)]).collect()
    };
    let report = |app: &mut TestApp, last| {
        let run = Box::new(runs().remove(0));
        answer(app, Answer::Run { profile: "prod".into(), run, tasks: all(last) });
    };
    report(&mut app, "running");
    assert!(!app.screen().contains("the-last"), "{}", app.screen());
    report(&mut app, "failed");
    assert!(app.screen().contains("▌✗ the-last"), "{}", app.screen());
}

#[test]
fn the_log_says_why_there_are_no_tasks() {
    let mut app = listed(80, 24);
    app.keys("<enter><tab>");
    assert!(app.screen().contains("No task is selected."), "{}", app.screen());
    let why = "prod: no connection to https://prod.example.com:8080".to_owned();
    let what = What::Run(id("manual__4"));
    answer(&mut app, Answer::Unanswered { profile: "prod".into(), what, why });
    assert!(!app.screen().contains("No task is selected."), "{}", app.screen());
    assert_eq!(app.screen().matches("no connection").count(), 2, "{}", app.screen());
}
