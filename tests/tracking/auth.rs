//! Servers that want to know who asks: user names and passwords of a real server, and a token that expires.

use std::fs;

use mlops_tui::tracking::TrackingError;
use mlops_tui::tracking::entities::{RunQuery, View};
use mlops_tui::tracking::filter::Expr;
use mlops_tui::tracking::rest::RestStore;
use serde_json::{Value as Json, json};

use crate::faulty::{PASSWORD, Reply, TOKEN, ok, serve};
use crate::servers::{ADMIN, SERVERS, Server, store};

const BOB: [(&str, &str); 2] =
    [("MLFLOW_TRACKING_USERNAME", "bob"), ("MLFLOW_TRACKING_PASSWORD", "pw-of-Bob/1977")];
const USER: &str = "MLFLOW_TRACKING_USERNAME";
const SECRET: &str = "MLFLOW_TRACKING_PASSWORD";

fn experiments(store: &RestStore) -> Result<Vec<String>, TrackingError> {
    let found = store.experiments(&Expr::default(), &[], View::Active, 0)?;
    Ok(found.items.into_iter().map(|experiment| experiment.name).collect())
}

/// What is told when the experiments are not to be had.
fn told(store: &RestStore) -> String {
    hides(store, &experiments(store).unwrap_err())
}

/// The text of an error, in which no password is.
fn hides(store: &RestStore, error: &TrackingError) -> String {
    let texts = [error.to_string(), format!("{error:?}"), format!("{store:?}")];
    for secret in [ADMIN[1].1, BOB[1].1, "pw-of-nobody", PASSWORD, TOKEN] {
        assert!(texts.iter().all(|text| !text.contains(secret)), "{texts:?}");
    }
    texts[0].clone()
}

/// Changes something on a server, as its administrator.
fn post(server: &Server, path: &str, body: &Json) -> Json {
    // Opening a store makes sure that the client has its cryptography.
    let _ = server.store();
    let client = reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(format!("{}/api/2.0/mlflow/{path}", server.uri))
        .basic_auth(ADMIN[0].1, Some(ADMIN[1].1))
        .header("Content-Type", "application/json")
        .body(body.to_string())
        .send()
        .unwrap();
    let (status, text) = (answer.status(), answer.text().unwrap());
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// A home with a file of credentials.
fn home_of(user: &str, password: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".mlflow")).unwrap();
    write_credentials(&home, user, password);
    home
}

fn write_credentials(home: &tempfile::TempDir, user: &str, password: &str) {
    let text = format!(
        "[mlflow]\nmlflow_tracking_username = {user}\nmlflow_tracking_password = {password}\n"
    );
    fs::write(home.path().join(".mlflow/credentials"), text).unwrap();
}

#[test]
fn a_server_with_passwords_shows_each_user_what_is_theirs() {
    // They start at the same time.
    for (version, server) in SERVERS.map(|version| (version, Server::with_passwords(version))) {
        server.wait();
        let [_, password] = ADMIN.map(|(_, value)| value);
        post(&server, "users/create", &json!({"username": BOB[0].1, "password": BOB[1].1}));
        let run = post(&server, "runs/create", &json!({"experiment_id": "0", "run_name": "first"}));
        let run = run["run"]["info"]["run_id"].as_str().unwrap().to_owned();

        let by_variables = server.store_with(&ADMIN);
        assert_eq!(experiments(&by_variables).unwrap(), ["Default"]);
        assert_eq!(by_variables.info().unwrap().version, version);
        let runs = by_variables.search_runs(&RunQuery::default()).unwrap().items;
        assert_eq!(runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["first"]);
        let home = home_of("ada", password);
        let by_file = server.store_with(&[("HOME", home.path().to_str().unwrap())]);
        assert_eq!(experiments(&by_file).unwrap(), ["Default"]);
        // What is in the URI wins.
        let in_uri = server.uri.replace("://", "://ada:pw-of-Ada%2F1915@");
        assert_eq!(experiments(&store(&in_uri, &BOB)).unwrap(), ["Default"]);

        let text = told(&server.store_with(&[]));
        let expected = format!(
            "{}: api/2.0/mlflow/experiments/search: it refuses access (401: You are not authenticated.",
            server.uri
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("no credentials were sent. Set MLFLOW_TRACKING_USERNAME"), "{text}");
        let text = told(&server.store_with(&[(USER, "ada"), (SECRET, "pw-of-nobody")]));
        assert!(text.starts_with(&expected) && !text.contains("tried"), "{text}");
        assert!(
            text.contains("of MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD were sent")
        );
        write_credentials(&home, "ada", "pw-of-nobody");
        let text = told(&server.store_with(&[("HOME", home.path().to_str().unwrap())]));
        assert!(text.contains("of ~/.mlflow/credentials were sent. Check them"), "{text}");

        // Bob may see nothing: experiments are left out, and runs are refused by their id.
        let of_bob = server.store_with(&BOB);
        assert_eq!(experiments(&of_bob).unwrap(), Vec::<String>::new());
        assert_eq!(of_bob.search_runs(&RunQuery::default()).unwrap().items.len(), 0);
        let refused = "it does not permit this (403: Permission denied); the user name and password of \
                       MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD were sent. They may lack a \
                       permission: ask who runs the server.";
        for error in [of_bob.run(&run).unwrap_err(), of_bob.history(&run, "loss").unwrap_err()] {
            let text = hides(&of_bob, &error);
            assert!(text.contains(refused), "{version}: {text}");
        }
    }
}

#[test]
fn a_token_that_expires_between_pages_gives_an_error_and_no_half_list() {
    let page = |id: &str, next: &str| {
        ok(&format!(
            r#"{{"experiments": [{{"experiment_id": "{id}", "name": "{id}"}}], "next_page_token": "{next}"}}"#
        ))
    };
    let expired = format!(r#"{{"error_code": "EXPIRED", "message": "token {TOKEN} has expired"}}"#);
    let replies = vec![page("1", "a"), page("2", "b"), Reply::Answer("401 Unauthorized", expired)];
    let (uri, requests) = serve(replies);
    let store = store(&uri, &[("MLFLOW_TRACKING_TOKEN", TOKEN)]);
    assert_eq!(
        told(&store),
        format!(
            "{uri}: api/2.0/mlflow/experiments/search: it refuses access (401: token <redacted> has expired); \
             the token of MLFLOW_TRACKING_TOKEN was sent. It may have expired: ask for a new one, or check \
             MLFLOW_TRACKING_TOKEN."
        )
    );
    assert_eq!(requests.try_iter().count(), 3, "a refusal is not asked again");
}

#[test]
fn a_password_that_changed_in_the_file_is_read_again() {
    let fine = || ok(r#"{"experiments": [{"experiment_id": "7", "name": "x"}]}"#);
    let refused = || Reply::Answer("401 Unauthorized", String::new());
    let home = home_of("ada", PASSWORD);
    let variables = [("HOME", home.path().to_str().unwrap())];
    let (uri, requests) = serve(vec![fine(), refused(), fine(), refused()]);
    let store = store(&uri, &variables);
    assert_eq!(experiments(&store).unwrap(), ["x"]);
    write_credentials(&home, "ada", "pw-of-nobody");
    assert_eq!(experiments(&store).unwrap(), ["x"]);
    let sent: Vec<String> = requests.try_iter().collect();
    let credentials = |request: &str| {
        let line = request.lines().find(|line| line.to_lowercase().starts_with("authorization:"));
        line.unwrap().to_owned()
    };
    assert_eq!(sent.len(), 3);
    assert_eq!(credentials(&sent[0]), credentials(&sent[1]));
    assert_ne!(credentials(&sent[1]), credentials(&sent[2]));
    // The same file again is no reason to ask again.
    let text = told(&store);
    assert!(text.contains("of ~/.mlflow/credentials were sent"), "{text}");
    assert_eq!(requests.try_iter().count(), 1);
}
