//! Kedro servers that fail in many ways, and other services in their place: what is told, and what is never sent twice.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mlops_tui::remote::kedro_server::{KedroServer, TimeLimits};
use mlops_tui::remote::model::{Phase, Run, RunId, RunsQuery, Submission};
use mlops_tui::remote::{Backend, RemoteError};
use serde_json::{Value, json};

use crate::scripted::{Reply, Scripted};

/// A healthy one with the given answer to a run.
fn healthy(run: Reply) -> Scripted {
    Scripted::start(&[("/health", health()), ("/snapshot", snapshot()), ("/run", run)])
}

fn connection(scripted: &Scripted) -> KedroServer {
    KedroServer::open_with(&format!("http://{}", scripted.address), None, short()).unwrap()
}

fn ok(body: Value) -> Reply {
    Reply::Answer("200 OK", body.to_string())
}

fn html() -> Reply {
    Reply::Answer("200 OK", "<html><body>Welcome</body></html>".to_owned())
}

fn health() -> Reply {
    ok(json!({"status": "healthy", "kedro_version": "1.7.0"}))
}

fn snapshot_json() -> Value {
    let node = |name: &str, input: &str, output: &str| json!({"name": name, "inputs": [input], "outputs": [output], "tags": [name], "namespace": null});
    let pipeline = |name: &str, nodes: Vec<Value>| json!({"name": name, "nodes": nodes, "inputs": [], "outputs": []});
    json!({
        "status": "success",
        "metadata": {"project_name": "Shop", "package_name": "shop", "kedro_version": "1.7.0"},
        "pipelines": [
            pipeline("late", vec![node("last", "b", "c")]),
            pipeline("early", vec![node("first", "raw", "a"), node("next", "a", "b")]),
        ],
        "datasets": {},
        "parameters": [],
    })
}

fn snapshot() -> Reply {
    ok(snapshot_json())
}

fn success() -> Value {
    json!({"run_id": "2026-11-29T18.22.42.799Z", "status": "success", "duration_ms": 3.5})
}

fn short() -> TimeLimits {
    let limit = Duration::from_millis(400);
    TimeLimits { connection: limit, health: limit, snapshot: limit }
}

fn until(holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "it takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn submission(conf: Value) -> Submission {
    Submission { pipeline: "early".to_owned(), id: "r1".to_owned(), conf, note: None }
}

/// Submits a run and follows it to its end.
fn ended(server: &KedroServer, conf: Value) -> Run {
    let id = server.submit(&submission(conf)).unwrap().id;
    until(|| !matches!(server.run(&id).unwrap().state.phase, Phase::Waiting | Phase::Running));
    server.run(&id).unwrap()
}

#[test]
fn only_the_servers_word_makes_a_run_succeed_or_fail() {
    let answered = "The server answers now (Kedro 1.7.0), so the run may still be going on";
    let not_run = "The run was not started.";
    let text = |head, body: &str| Reply::Answer(head, body.to_owned());
    let failure = |message: &str| {
        ok(json!({"run_id": "2", "status": "failure", "duration_ms": 1.0,
            "error": {"type": "DatasetError", "message": message}}))
    };
    let cases = [
        (ok(success()), "success", Phase::Succeeded, vec![]),
        (
            failure("no /srv/shop/x.csv"),
            "failure",
            Phase::Failed,
            vec!["DatasetError: no /srv/shop/x.csv"],
        ),
        (
            failure("no postgresql://ada:hush@db/x"),
            "failure",
            Phase::Failed,
            vec!["no postgresql://<redacted>@db/x"],
        ),
        (Reply::Nothing, "unknown", Phase::Lost, vec!["/run: the connection broke: ", answered]),
        (Reply::Half, "unknown", Phase::Lost, vec!["/run: its answer ends too early", answered]),
        (
            text("200 OK", "{\"status\":"),
            "unknown",
            Phase::Lost,
            vec!["/run: its answer is not that of a Kedro server: EOF", answered],
        ),
        (html(), "unknown", Phase::Lost, vec!["Another service may run", answered]),
        (ok(json!({"status": "done", "run_id": "3"})), "unknown", Phase::Lost, vec![answered]),
        (ok(json!({"status": "success"})), "unknown", Phase::Lost, vec![answered]),
        (ok(json!({"status": "failure", "run_id": "3"})), "unknown", Phase::Lost, vec![answered]),
        (
            text("500 Internal Server Error", "Internal Server Error"),
            "unknown",
            Phase::Lost,
            vec!["it answers with 500: Internal Server Error. The server's own log", answered],
        ),
        (
            text("504 Gateway Time-out", "<html>proxy</html>"),
            "unknown",
            Phase::Lost,
            vec!["it answers with 504: Gateway Timeout", answered],
        ),
        (
            text("404 Not Found", "{\"detail\": \"Not Found\"}"),
            "refused",
            Phase::Failed,
            vec!["there is no such route (404: Not Found)", "Kedro 1.5 or later", not_run],
        ),
        (
            text(
                "422 Unprocessable Entity",
                r#"{"detail": [{"type": "extra_forbidden", "loc": ["body", "is_async"], "msg": "Extra inputs"},
                    {"loc": ["body", "tags", 0], "msg": "Input should be a string"}]}"#,
            ),
            "refused",
            Phase::Failed,
            vec!["(422): `is_async`: Extra inputs; `tags.0`: Input should be a string.", not_run],
        ),
        (
            text("307 Temporary Redirect\r\nLocation: http://ada:hush@other/run", ""),
            "refused",
            Phase::Failed,
            vec!["it redirects (307) to http://<redacted>@other/run", not_run],
        ),
        (
            text("401 Unauthorized", "{\"detail\": \"token=hush1234 is wrong\"}"),
            "refused",
            Phase::Failed,
            vec!["access is refused (401: token=<redacted> is wrong)", not_run],
        ),
    ];
    for (reply, name, phase, told) in cases {
        let scripted = healthy(reply);
        let run = ended(&connection(&scripted), Value::Null);
        let error = run.error.clone().unwrap_or_default();
        assert_eq!((run.state.name.as_str(), run.state.phase), (name, phase), "{error}");
        assert_eq!(run.error.is_some(), !told.is_empty());
        assert_eq!(run.ended.is_some(), phase != Phase::Lost, "{error}");
        for part in told {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
        assert!(!error.contains("hush"), "{error}");
        // Whatever the answer is, the request is not sent again.
        assert_eq!(scripted.asked("/run").len(), 1, "{name}");
    }
}

#[test]
fn a_run_that_could_not_be_sent_was_not_started() {
    let routes = [("/health", health()), ("/snapshot", Reply::Last(snapshot_json().to_string()))];
    let run = ended(&connection(&Scripted::start(&routes)), Value::Null);
    assert_eq!((run.state.name.as_str(), run.state.phase), ("not sent", Phase::Failed));
    let error = run.error.unwrap();
    assert!(error.contains("/run: no connection: "), "{error}");
    assert!(error.ends_with("The run was not started."), "{error}");
}

#[test]
fn a_run_goes_on_when_its_nodes_are_not_known() {
    let failure =
        json!({"status": "failure", "error": {"type": "ImportError", "message": "no shop"}});
    let routes = [("/health", health()), ("/snapshot", ok(failure)), ("/run", ok(success()))];
    let scripted = Scripted::start(&routes);
    let server = connection(&scripted);
    let run = ended(&server, Value::Null);
    assert_eq!(run.state.phase, Phase::Succeeded);
    let told = format!(
        "http://{}/snapshot: the server can't read its project: ImportError: no shop.",
        scripted.address
    );
    assert_eq!(server.tasks(&run.id), Err(RemoteError::Refused(told.clone())));
    assert_eq!(server.pipelines(), Err(RemoteError::Refused(told)));
}

#[test]
fn parameters_and_slice_become_the_body_of_the_request() {
    let scripted = healthy(ok(success()));
    let server = connection(&scripted);
    let slice = json!({
        "from_nodes": ["next"], "to_nodes": ["last"], "node_names": ["next", "last"], "tags": ["next", "last"],
        "pipeline_names": ["late", "early"], "namespaces": [], "from_inputs": ["a"], "to_outputs": ["c"],
        "only_missing_outputs": true, "runner": "ThreadRunner", "is_async": true, "load_versions": {"a": "2026"},
    });
    let run =
        ended(&server, json!({"depth": 3, "_mlops_tui": slice.clone(), "model": {"kind": "x"}}));
    let mut expected = slice;
    expected["params"] = json!({"depth": 3, "model": {"kind": "x"}});
    let sent =
        |number: usize| -> Value { serde_json::from_str(&scripted.asked("/run")[number]).unwrap() };
    assert_eq!(sent(0), expected);
    assert_eq!(run.note.as_deref(), Some("run_id of the server: 2026-11-29T18.22.42.799Z"));
    // The server may have skipped nodes, so success does not say that they ran.
    let tasks = server.tasks(&run.id).unwrap();
    let states: Vec<_> = tasks.iter().map(|task| (task.id.as_str(), task.state.phase)).collect();
    assert_eq!(states, [("next", Phase::Unknown), ("last", Phase::Unknown)]);

    let mut plain = submission(json!({"_mlops_tui": {"only_missing_outputs": false}}));
    plain.id = "r2".to_owned();
    let id = server.submit(&plain).unwrap().id;
    until(|| server.run(&id).unwrap().state.phase.is_over());
    assert_eq!(sent(1), json!({"pipeline_names": ["early"], "only_missing_outputs": false}));
    let tasks = server.tasks(&id).unwrap();
    let states: Vec<_> = tasks.iter().map(|task| (task.id.as_str(), task.state.phase)).collect();
    assert_eq!(states, [("first", Phase::Succeeded), ("next", Phase::Succeeded)]);
}

#[test]
fn what_the_server_does_not_take_is_refused_before_anything_is_sent() {
    let scripted = healthy(ok(success()));
    let server = connection(&scripted);
    let options = |options: Value| json!({"_mlops_tui": options});
    for (conf, told) in [
        (json!([1]), "The parameters of a run must be an object."),
        (options(json!("x")), "`_mlops_tui` must be an object."),
        (
            options(json!({"from_node": [], "env": "cloud", "tags": []})),
            "`/run` has no option `from_node`, `env`. Did you mean `from_nodes`?",
        ),
        (options(json!({"tags": "x"})), "`_mlops_tui`: `tags` must be a list of names."),
        (options(json!({"tags": [1]})), "`_mlops_tui`: `tags` must be a list of names."),
        (options(json!({"is_async": 1})), "`_mlops_tui`: `is_async` must be true or false."),
        (options(json!({"runner": null})), "`_mlops_tui`: `runner` must be a name."),
        (
            options(json!({"load_versions": {"a": 1}})),
            "`_mlops_tui`: `load_versions` must be an object with a version for each dataset.",
        ),
        (
            options(json!({"pipeline_names": ["late"]})),
            "`_mlops_tui`: `pipeline_names` must have `early` among its names, the pipeline that is submitted.",
        ),
    ] {
        assert_eq!(server.submit(&submission(conf)), Err(RemoteError::Refused(told.to_owned())));
    }
    assert!(scripted.requests.lock().unwrap().is_empty());
    assert_eq!(server.runs(&RunsQuery::default()), Ok(Vec::new()));
}

#[test]
fn other_services_and_broken_answers_are_told() {
    let text = |head, body: &str| Reply::Answer(head, body.to_owned());
    let held = Reply::Held(Arc::default(), String::new());
    type Kind = fn(String) -> RemoteError;
    let cases: [(Reply, Kind, &str); 9] = [
        (
            html(),
            RemoteError::Unanswered,
            "its answer is not that of a Kedro server: expected value at line 1 column 1. Another",
        ),
        (
            ok(json!({"status": "healthy"})),
            RemoteError::Unanswered,
            "its answer is not that of a Kedro server: it has no `status` and `kedro_version`",
        ),
        (Reply::Half, RemoteError::Unanswered, "its answer ends too early"),
        (Reply::Nothing, RemoteError::Unanswered, "the connection broke"),
        (held, RemoteError::Unanswered, "no answer within 0.4 s"),
        (
            text("500 Internal Server Error", ""),
            RemoteError::Unanswered,
            "it answers with 500: Internal Server Error",
        ),
        (
            text("404 Not Found", "<html>"),
            RemoteError::Missing,
            "there is no such route (404: Not Found). `kedro server start`",
        ),
        (text("403 Forbidden", "no"), RemoteError::Forbidden, "access is refused (403: no)"),
        (text("401 Unauthorized", "no"), RemoteError::Credentials, "access is refused (401: no)"),
    ];
    for (reply, kind, told) in cases {
        let scripted = Scripted::start(&[("/health", reply), ("/run", ok(success()))]);
        let server = connection(&scripted);
        let error = server.submit(&submission(Value::Null)).unwrap_err();
        assert_eq!(error, kind(error.to_string()));
        let text = error.to_string();
        assert!(text.starts_with(&format!("http://{}/health: {told}", scripted.address)), "{text}");
        assert_eq!(scripted.asked("/run").len(), 0);
        assert_eq!(server.runs(&RunsQuery::default()), Ok(Vec::new()));
        let check = server.check();
        let parts: Vec<_> = check.iter().map(|part| (part.what, part.found.is_ok())).collect();
        assert_eq!(parts, [("address", true), ("health", false)]);
    }
}

#[test]
fn nothing_at_the_address_is_told() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = KedroServer::open(&format!("http://127.0.0.1:{port}"), None).unwrap();
    let check = server.check();
    assert_eq!((check.len(), check[0].what), (1, "address"));
    let told = check[0].found.clone().unwrap_err();
    assert!(told.contains("/health: no connection: Connection refused"), "{told}");
    assert!(
        told.ends_with("Check that `kedro server start` runs there, and the address."),
        "{told}"
    );
    for address in [
        "127.0.0.1:8000",
        "localhost:8000",
        "ftp://host",
        "http://",
        "http://h/?a=1",
        "http://h/#a",
    ] {
        let error = KedroServer::open(address, None).err().unwrap();
        assert!(error.text.contains("is not the address of a Kedro server"), "{error}");
    }
}

#[test]
fn an_unhealthy_server_and_one_without_snapshots_are_told_part_by_part() {
    let sick = ok(json!({"status": "unhealthy", "kedro_version": "1.5.0"}));
    let scripted = Scripted::start(&[("/health", sick)]);
    let check = connection(&scripted).check();
    let found: Vec<_> = check.into_iter().map(|part| (part.what, part.found)).collect();
    assert_eq!(found[1], ("health", Err("The server says that it is `unhealthy`.".to_owned())));
    assert_eq!(found[2], ("version", Ok("Kedro 1.5.0".to_owned())));
    assert!(found[3].1.clone().unwrap_err().contains("/snapshot: there is no such route (404: "));
    assert_eq!(found[4].0, "permissions");

    let odd = ok(json!({"status": "success", "metadata": {"project_name": "x"}}));
    let scripted = Scripted::start(&[("/health", health()), ("/snapshot", odd)]);
    let check = connection(&scripted).check();
    assert!(check[3].found.clone().unwrap_err().contains("it has no `metadata` of a project"));
}

#[test]
fn a_password_in_the_address_is_sent_and_not_shown() {
    let scripted = healthy(Reply::Nothing);
    let address = format!("http://ada:hush-19@{}", scripted.address);
    let server = KedroServer::open_with(&address, Some("shop"), short()).unwrap();
    let run = ended(&server, Value::Null);
    let told = format!("{:?} {:?}", server.check(), run);
    assert!(!told.contains("hush-19"), "{told}");
    let sent = scripted.requests.lock().unwrap().clone();
    assert!(sent.iter().all(|request| request.contains("authorization: Basic YWRhOmh1c2gtMTk=")));
    let error = KedroServer::open("ftp://ada:hush-19@host", None).err().unwrap();
    assert!(!error.text.contains("hush-19"), "{error}");
}

#[test]
fn a_run_that_goes_on_is_not_disturbed_by_snapshots() {
    let go = Arc::new(AtomicBool::new(false));
    let scripted = healthy(Reply::Held(Arc::clone(&go), success().to_string()));
    let server = connection(&scripted);
    let id = server.submit(&submission(Value::Null)).unwrap().id;
    assert_eq!(id, RunId { pipeline: "early".to_owned(), run: "r1".to_owned() });
    until(|| scripted.asked("/run").len() == 1);
    // Longer than the limits of other requests: a run has none.
    std::thread::sleep(Duration::from_millis(500));
    let run = server.run(&id).unwrap();
    assert_eq!((run.state.name.as_str(), run.state.phase), ("running", Phase::Running));
    let ids: Vec<_> = server.pipelines().unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids, ["early", "late"]);
    assert!(server.check().iter().all(|part| part.found.is_ok()));
    let tasks = server.tasks(&id).unwrap();
    assert_eq!((tasks.len(), tasks[0].state.name.as_str()), (2, "not reported"));
    assert_eq!(scripted.asked("/snapshot").len(), 1);

    go.store(true, Ordering::Relaxed);
    until(|| server.run(&id).unwrap().state.phase == Phase::Succeeded);
    server.pipelines().unwrap();
    assert_eq!(scripted.asked("/snapshot").len(), 2);
}

#[test]
fn runs_with_parameters_wait_for_each_other() {
    let with = || json!({"depth": 3});
    for (first, second, waits) in [
        (with(), with(), true),
        (with(), Value::Null, true),
        (Value::Null, with(), true),
        (Value::Null, Value::Null, false),
    ] {
        let go = Arc::new(AtomicBool::new(false));
        let scripted = healthy(Reply::Held(Arc::clone(&go), success().to_string()));
        let server = connection(&scripted);
        let first = server.submit(&submission(first)).unwrap().id;
        let mut second = submission(second);
        second.id = "r2".to_owned();
        let second = server.submit(&second).unwrap().id;
        let sent = if waits { 1 } else { 2 };
        until(|| scripted.asked("/run").len() == sent);
        // Long enough for one that does not wait.
        std::thread::sleep(Duration::from_millis(100));
        let phases = [&first, &second].map(|id| server.run(id).unwrap().state.phase);
        let expected = if waits { Phase::Waiting } else { Phase::Running };
        assert_eq!(phases, [Phase::Running, expected]);
        assert_eq!(scripted.asked("/run").len(), sent);
        go.store(true, Ordering::Relaxed);
        until(|| [&first, &second].iter().all(|id| server.run(id).unwrap().state.phase.is_over()));
        assert_eq!(scripted.asked("/run").len(), 2);
    }
}
