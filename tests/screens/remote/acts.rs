//! What keys ask an engine for: submitting, deploying, stopping, retrying, pausing, setting states.

use super::*;

#[test]
fn a_run_is_submitted_with_the_parameters_of_the_form() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let mut app = open(columns, rows, vec![profile("prod", Engine::Airflow)], true);
        let pipelines = Ok(deployed(true));
        answer(&mut app, Answer::Checked { profile: "prod".into(), checks: checks(), pipelines });
        answer(&mut app, Answer::Runs { profile: "prod".into(), runs: runs(), all: true });
        asked(&mut app);
        app.keys("r0.7<tab><tab>model.depth=3");
        insta::assert_snapshot!(format!("remote_submit_{columns}"), app.screen());
        app.keys(",bad<enter>");
        assert_eq!(asked(&mut app), [], "{}", app.screen());
        app.keys("<backspace><backspace><backspace><backspace><enter>");
        let asks = asked(&mut app);
        let [Ask::Submit { profile, submission, resume: true }] = asks.as_slice() else {
            panic!("{asks:?}")
        };
        assert_eq!((profile.as_str(), submission.pipeline.as_str()), ("prod", "shop"));
        assert_eq!(submission.conf, json!({"alpha": 0.7, "model": {"depth": 3}}));
        let run = Some(Box::new(run("manual__5", "queued", 0.0, 0.0)));
        let text = "Submitted: manual__5".to_owned();
        answer(&mut app, Answer::Done { profile: "prod".into(), text, run });
        assert!(app.screen().contains("Remote > prod > manual__5"), "{}", app.screen());
    }
}

#[test]
fn a_deployment_is_shown_before_it_is_written() {
    let mut app = listed(80, 24);
    app.keys("d");
    let ask = |write| Ask::Deploy {
        profile: "prod".into(),
        pipeline: "__default__".into(),
        airflow: Airflow::Three,
        write,
    };
    assert_eq!(asked(&mut app), [ask(false)]);
    let preview = |change: &str| Answer::Preview {
        profile: "prod".into(),
        pipeline: "__default__".into(),
        airflow: Airflow::Three,
        file: PathBuf::from("/srv/dags/shop_dag.py"),
        change: change.into(),
        is_new: false,
        warnings: vec!["airflow.yml: `max_runs` is not used.".into()],
    };
    let change = "--- shop_dag.py\n+++ shop_dag.py\n@@ -1,2 +1,2 @@\n import os\n-RETRIES = 1\n+RETRIES = 2\n";
    answer(&mut app, preview(change));
    insta::assert_snapshot!("remote_deploy", app.screen());
    app.keys("<esc>");
    assert_eq!(asked(&mut app), []);
    answer(&mut app, preview(change));
    app.keys("j<enter>");
    assert_eq!(asked(&mut app), [ask(true)]);
    answer(&mut app, preview(""));
    assert!(app.screen().contains("Unchanged: /srv/dags/shop_dag.py"), "{}", app.screen());
    // The file is for the release line of the server.
    let mut checks = checks();
    checks[2].found = Ok("Airflow 2.11.2".into());
    let pipelines = Ok(deployed(false));
    answer(&mut app, Answer::Checked { profile: "prod".into(), checks, pipelines });
    asked(&mut app);
    app.keys("d");
    let asks = asked(&mut app);
    assert!(matches!(&asks[..], [Ask::Deploy { airflow: Airflow::Two, .. }]), "{asks:?}");
}

#[test]
fn runs_are_stopped_after_a_question_retried_and_paused_at_once() {
    let mut app = listed(100, 24);
    app.keys("x");
    assert!(app.screen().contains("Stop this run?"), "{}", app.screen());
    app.keys("<enter>n");
    assert_eq!(asked(&mut app), []);
    app.keys("xy");
    assert_eq!(asked(&mut app), [Ask::Cancel("prod".into(), id("manual__4"))]);
    app.keys("jjC");
    assert_eq!(asked(&mut app), [Ask::Retry("prod".into(), id("manual__2"))]);
    app.keys("x");
    assert!(app.screen().contains("the run has ended"), "{}", app.screen());
    app.keys("jC");
    assert!(app.screen().contains("the run succeeded"), "{}", app.screen());
    app.keys("P");
    assert_eq!(asked(&mut app), [Ask::Pause("prod".into(), "shop".into(), true)]);
    let error = UserError::from("prod does not permit this to ada.");
    answer(&mut app, Answer::Refused(error));
    assert!(app.screen().contains("does not permit this"), "{}", app.screen());
}

#[test]
fn what_an_engine_cannot_do_is_refused_with_its_reason() {
    let mut app = open(100, 24, vec![profile("box", Engine::KedroServer)], true);
    let pipelines = Ok(vec![Deployed { id: "__default__".into(), ..Deployed::default() }]);
    answer(&mut app, Answer::Checked { profile: "box".into(), checks: checks(), pipelines });
    answer(&mut app, Answer::Runs { profile: "box".into(), runs: runs(), all: true });
    asked(&mut app);
    for (key, why) in [
        ("x", "a Kedro server can't stop a run"),
        ("d", "a Kedro server runs the project"),
        ("L", "a Kedro server has no logs"),
    ] {
        app.keys(key);
        assert!(app.screen().contains(why), "{}", app.screen());
    }
    assert_eq!(asked(&mut app), []);
}

#[test]
fn the_end_of_a_run_is_told_on_every_tab_once() {
    let mut app = listed(120, 30);
    app.keys("1");
    let mut ended = runs();
    ended[0] =
        Run { error: Some("it was stopped".into()), ..run("manual__4", "failed", 65.0, 60.0) };
    let answers = |runs| Answer::Runs { profile: "prod".into(), runs, all: false };
    app.effects.clear();
    answer(&mut app, answers(ended.clone()));
    let screen = app.screen();
    assert!(screen.contains("shop on prod: failed after 1 min 0 s"), "{screen}");
    assert!(screen.contains("it was stopped"), "{screen}");
    let notified = |app: &TestApp| {
        app.effects.iter().filter(|effect| matches!(effect, Effect::Notify(_))).count()
    };
    assert_eq!(notified(&app), 1);
    answer(&mut app, answers(ended));
    assert_eq!(notified(&app), 1);
}

#[test]
fn the_state_of_a_task_or_of_a_run_is_set_by_hand() {
    let mut app = opened(100, 24);
    app.keys("jm");
    insta::assert_snapshot!("remote_mark", app.screen());
    app.keys("<esc>");
    assert_eq!(asked(&mut app), []);
    app.keys("m<enter>");
    let asks = asked(&mut app);
    let [Ask::Mark { profile, id: of, task: Some(task), mark: Mark::Succeeded }] = asks.as_slice()
    else {
        panic!("{asks:?}")
    };
    assert_eq!((profile.as_str(), of, task.id.as_str()), ("prod", &id("manual__4"), "train-model"));
    app.keys("<esc>jmfailed<enter>");
    let (profile, of) = ("prod".to_owned(), id("manual__3"));
    let ask = Ask::Mark { profile, id: of, task: None, mark: Mark::Failed };
    assert!(asked(&mut app).contains(&ask));
}
