use std::collections::VecDeque;
use std::sync::Mutex;

use serde_json::json;
use tokio::sync::mpsc;

use super::*;
use crate::app::event::Event;
use crate::remote::model::{Deployed, LogLine, LogPage, Phase, State};
use crate::remote::{Action, Check, Credentials, Engine};
use crate::tui::services::Message;

/// What an engine answers, in order, to each kind of request; and what it was asked.
#[derive(Default)]
struct Script {
    runs: VecDeque<Result<Vec<Run>, RemoteError>>,
    run: VecDeque<Result<Run, RemoteError>>,
    tasks: VecDeque<Vec<Task>>,
    log: VecDeque<LogPage>,
    asked: Vec<String>,
}

struct Engineer(Arc<Mutex<Script>>);

const UNABLE: RemoteError = RemoteError::Unable("it is a script");

impl Backend for Engineer {
    fn can(&self, _: Action) -> Result<(), &'static str> {
        Ok(())
    }
    fn check(&self) -> Vec<Check> {
        Vec::new()
    }
    fn pipelines(&self) -> Result<Vec<Deployed>, RemoteError> {
        Err(UNABLE)
    }
    fn runs(&self, query: &RunsQuery) -> Result<Vec<Run>, RemoteError> {
        let mut script = self.0.lock().unwrap();
        let pipeline = query.pipeline.clone().unwrap_or_default();
        script.asked.push(format!("runs {pipeline} {}", query.limit));
        script.runs.pop_front().unwrap_or(Err(UNABLE))
    }
    fn run(&self, id: &RunId) -> Result<Run, RemoteError> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(format!("run {}", id.run));
        script.run.pop_front().unwrap_or(Err(UNABLE))
    }
    fn tasks(&self, _: &RunId) -> Result<Vec<Task>, RemoteError> {
        self.0.lock().unwrap().tasks.pop_front().ok_or(UNABLE)
    }
    fn log(
        &self,
        _: &RunId,
        _: &Task,
        attempt: u32,
        from: Option<&str>,
    ) -> Result<LogPage, RemoteError> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(format!("log {attempt} from {}", from.unwrap_or("the start")));
        script.log.pop_front().ok_or(UNABLE)
    }
    fn submit(&self, submission: &Submission) -> Result<Run, RemoteError> {
        self.0.lock().unwrap().asked.push(format!("submit {}", submission.pipeline));
        Ok(run(&submission.id, Phase::Waiting))
    }
    fn cancel(&self, _: &RunId) -> Result<(), RemoteError> {
        Err(UNABLE)
    }
    fn retry(&self, _: &RunId) -> Result<Vec<String>, RemoteError> {
        Err(UNABLE)
    }
    fn pause(&self, pipeline: &str, paused: bool) -> Result<(), RemoteError> {
        self.0.lock().unwrap().asked.push(format!("pause {pipeline} {paused}"));
        Ok(())
    }
    fn rest(&self) -> Duration {
        Duration::from_secs(40)
    }
}

fn id(run: &str) -> RunId {
    RunId { pipeline: "p".into(), run: run.into() }
}

fn run(name: &str, phase: Phase) -> Run {
    Run {
        id: id(name),
        state: State { name: format!("{phase:?}"), phase },
        queued: Some(1.0),
        started: Some(2.0),
        ended: phase.is_over().then_some(3.0),
        kind: "manual".into(),
        conf: json!({}),
        note: None,
        error: None,
    }
}

fn task(phase: Phase, attempt: u32) -> Task {
    Task {
        id: "t".into(),
        index: None,
        state: State { name: format!("{phase:?}"), phase },
        attempt,
        attempts: 3,
        started: None,
        ended: None,
        host: None,
    }
}

fn page(text: &str, next: Option<&str>) -> LogPage {
    let line = LogLine { at: None, level: None, text: text.into() };
    LogPage { lines: vec![line], next: next.map(str::to_owned) }
}

/// A connection to a script, and what it reports.
struct Stand {
    connection: Connection,
    script: Arc<Mutex<Script>>,
    reports: mpsc::Receiver<Message>,
    _root: tempfile::TempDir,
}

impl Stand {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let (sender, reports) = mpsc::channel(100);
        let context = Context::new(root.path().to_owned(), None, false, sender);
        let script = Arc::new(Mutex::new(Script::default()));
        let profile = Profile {
            name: "prod".into(),
            engine: Engine::Airflow,
            url: "http://127.0.0.1:9".into(),
            credentials: (Credentials::None, String::new()),
            ca: None,
            certificate: None,
            insecure: false,
            proxy: None,
            timeout: Duration::from_secs(1),
            pipelines: Default::default(),
            folder: None,
            place: String::new(),
        };
        let backend = Box::new(Engineer(script.clone()));
        let connection = Connection::new(context, backend, profile);
        Stand { connection, script, reports, _root: root }
    }

    fn show(&mut self, what: What) {
        let shown = Shown { profile: "prod".into(), what };
        self.connection.perform(Ask::Show(Some(shown)));
    }

    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script().asked)
    }

    /// The answers that were reported since the last time.
    fn answers(&mut self) -> Vec<Answer> {
        let mut answers = Vec::new();
        while let Ok(message) = self.reports.try_recv() {
            if let Message::Event(Event::Report(Report::Remote(answer))) = message {
                answers.push(*answer);
            }
        }
        answers
    }
}

#[test]
fn a_list_is_read_as_a_whole_once_and_then_its_newest_runs() {
    let mut stand = Stand::new();
    let pipelines = vec!["p".to_owned(), "gone".to_owned()];
    stand.show(What::Runs { pipelines, limit: 400 });
    assert_eq!(stand.connection.pause(), Some(Duration::ZERO));
    let gone = || Err(RemoteError::Missing("there is no such DAG".into()));
    stand.script().runs.extend([Ok(vec![run("a", Phase::Running)]), gone()]);
    stand.connection.look();
    assert_eq!(stand.asked(), ["runs p 400", "runs gone 400"]);
    let answers = stand.answers();
    assert!(matches!(&answers[..], [Answer::Runs { runs, all: true, .. }] if runs.len() == 1));
    // What has not changed is not reported again.
    stand.script().runs.extend([Ok(vec![run("a", Phase::Running)]), gone()]);
    stand.connection.look();
    assert_eq!(stand.asked(), ["runs p 100", "runs gone 100"]);
    assert!(stand.answers().is_empty());
    assert_eq!(stand.connection.pause(), Some(PAUSE));
    // Another tab: what went on is followed seldom, until it has ended.
    stand.connection.perform(Ask::Show(None));
    assert_eq!(stand.connection.pause(), Some(PAUSE));
    for phase in [Phase::Running, Phase::Running, Phase::Failed] {
        stand.script().run.push_back(Ok(run("a", phase)));
        stand.script().tasks.push_back(vec![task(phase, 1)]);
        stand.connection.look();
        assert_eq!(stand.asked(), ["run a"]);
    }
    let phases = |answer| match answer {
        Answer::Runs { runs, all: false, .. } => runs[0].state.phase,
        other => panic!("{other:?}"),
    };
    let phases: Vec<Phase> = stand.answers().into_iter().map(phases).collect();
    assert_eq!(phases, [Phase::Running, Phase::Failed], "what has changed is reported once");
    assert_eq!(stand.connection.pause(), None);
}

#[test]
fn many_pipelines_are_looked_at_less_often() {
    let mut stand = Stand::new();
    let pipelines: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    stand.show(What::Runs { pipelines, limit: 100 });
    stand.connection.looked = Some(Vec::new());
    assert_eq!(stand.connection.pause(), Some(Duration::from_secs(10)));
}

#[test]
fn an_engine_that_does_not_answer_is_asked_less_and_less_often() {
    let mut stand = Stand::new();
    stand.show(What::Runs { pipelines: Vec::new(), limit: 100 });
    let lost = || Err(RemoteError::Unanswered("no answer".into()));
    for _ in 0..8 {
        stand.script().runs.push_back(lost());
        stand.connection.look();
    }
    let answers = stand.answers();
    assert_eq!(answers.len(), 8);
    assert!(matches!(&answers[7], Answer::Unanswered { why, .. } if why == "no answer"));
    let pause = stand.connection.pause().unwrap();
    // At least for as long as the engine asked for.
    assert!(pause >= Duration::from_secs(40) && pause <= LOST, "{pause:?}");
    stand.script().runs.push_back(Ok(Vec::new()));
    stand.connection.look();
    assert!(matches!(&stand.answers()[..], [Answer::Runs { .. }]));
    assert_eq!(stand.connection.pause(), Some(PAUSE));
}

fn log_of(attempt: u32) -> What {
    What::Log { id: id("a"), task: Box::new(task(Phase::Running, 1)), attempt }
}

/// The parts of a log that were reported: whether they are the first, their texts, and whether the log has ended.
fn parts(answers: Vec<Answer>) -> Vec<(bool, String, bool)> {
    let part = |answer| match answer {
        Answer::Log { first, lines, ended, .. } => {
            let texts: Vec<String> = lines.into_iter().map(|line| line.text).collect();
            Some((first, texts.join("|"), ended))
        }
        _ => None,
    };
    answers.into_iter().filter_map(part).collect()
}

#[test]
fn a_log_is_followed_to_its_end_and_each_line_is_reported_once() {
    let mut stand = Stand::new();
    stand.show(log_of(1));
    // The task waits.
    stand.script().run.push_back(Ok(run("a", Phase::Running)));
    stand.script().tasks.push_back(vec![task(Phase::Waiting, 0)]);
    stand.connection.look();
    assert_eq!(parts(stand.answers()), []);
    assert!(stand.connection.pause() > Some(Duration::ZERO), "it does not spin");
    // It runs; the log has a place to go on from.
    for (text, next) in [("one", Some("1")), ("two", Some("2"))] {
        stand.script().run.push_back(Ok(run("a", Phase::Running)));
        stand.script().tasks.push_back(vec![task(Phase::Running, 1)]);
        let empty = LogPage { lines: Vec::new(), next: next.map(str::to_owned) };
        stand.script().log.extend([page(text, next), empty]);
        stand.connection.look();
    }
    let reported = parts(stand.answers());
    assert_eq!(reported, [(true, "one".into(), false), (false, "two".into(), false)]);
    stand.script().run.push_back(Ok(run("a", Phase::Succeeded)));
    stand.script().tasks.push_back(vec![task(Phase::Succeeded, 1)]);
    stand.script().log.push_back(page("three", None));
    stand.asked();
    stand.connection.look();
    assert_eq!(stand.asked(), ["run a", "log 1 from 2"]);
    assert_eq!(parts(stand.answers()), [(false, "three".into(), true)]);
    // It is not read again, though the run may be.
    stand.script().run.push_back(Ok(run("a", Phase::Succeeded)));
    stand.script().tasks.push_back(vec![task(Phase::Succeeded, 1)]);
    stand.connection.look();
    assert_eq!(stand.asked(), ["run a"]);
}

#[test]
fn a_log_without_places_is_replaced_as_a_whole() {
    let mut stand = Stand::new();
    stand.show(log_of(1));
    for text in ["one", "one two"] {
        stand.script().run.push_back(Ok(run("a", Phase::Running)));
        stand.script().tasks.push_back(vec![task(Phase::Running, 1)]);
        stand.script().log.push_back(page(text, None));
        stand.connection.look();
    }
    assert_eq!(
        parts(stand.answers()),
        [(true, "one".into(), false), (true, "one two".into(), false)]
    );
    assert!(stand.connection.pause() > Some(Duration::ZERO));
    // An earlier try has ended whatever the task does.
    stand.show(log_of(0));
    stand.script().run.push_back(Ok(run("a", Phase::Running)));
    stand.script().tasks.push_back(vec![task(Phase::Running, 1)]);
    stand.script().log.push_back(page("early", None));
    stand.connection.look();
    assert_eq!(parts(stand.answers()), [(true, "early".into(), true)]);
}

#[test]
fn the_runs_of_a_grid_are_read_one_by_one_and_ended_ones_once() {
    let mut stand = Stand::new();
    stand.show(What::Grid(vec![id("new"), id("old")]));
    stand.script().run.extend([Ok(run("new", Phase::Running)), Ok(run("old", Phase::Failed))]);
    stand.script().tasks.extend([vec![task(Phase::Running, 1)], vec![task(Phase::Failed, 1)]]);
    assert_eq!(stand.connection.pause(), Some(Duration::ZERO));
    stand.connection.look();
    assert_eq!(stand.asked(), ["run new"]);
    stand.connection.look();
    assert_eq!(stand.asked(), ["run old"]);
    assert_eq!(stand.answers().len(), 2);
    assert_eq!(stand.connection.pause(), Some(PAUSE));
    stand.script().run.push_back(Ok(run("new", Phase::Succeeded)));
    stand.script().tasks.push_back(vec![task(Phase::Succeeded, 1)]);
    stand.connection.look();
    assert_eq!(stand.asked(), ["run new"]);
    stand.connection.look();
    assert_eq!(stand.asked(), Vec::<String>::new());
}

#[test]
fn a_submission_gets_an_id_and_resumes_the_pipeline_first() {
    let mut stand = Stand::new();
    let submission =
        Submission { pipeline: "p".into(), id: String::new(), conf: json!({"a": 1}), note: None };
    let profile = "prod".to_owned();
    let submission = Box::new(submission);
    stand.connection.perform(Ask::Submit { profile, submission, resume: true });
    assert_eq!(stand.asked(), ["pause p false", "submit p"]);
    let answers = stand.answers();
    let [Answer::Done { run: Some(run), .. }] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(run.id.run.starts_with("mlops-tui__"), "{}", run.id.run);
    // It is followed although nothing is shown.
    assert_eq!(stand.connection.pause(), Some(PAUSE));
}
