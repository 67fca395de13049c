//! The program itself before a server: through a proxy, with many runs, and with secrets that it keeps.

use std::io::{BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use crate::breaking::request;
use crate::faulty::{PASSWORD, Reply, TOKEN, ok, serve};

const PROXY_PASSWORD: &str = "pw-of-the-proxy";
/// `ada:pw-of-the-proxy`, as it is sent.
const PROXY_SENT: &str = "YWRhOnB3LW9mLXRoZS1wcm94eQ==";
const EXPERIMENTS: &str = r#"{"experiments": [{"experiment_id": "7", "name": "from afar"}]}"#;

/// The program without settings of the machine it runs on.
fn program(home: &tempfile::TempDir, uri: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mlops-tui"));
    command.args(["experiments", "--tracking-uri", uri]).args(arguments);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy().to_uppercase();
        if text.ends_with("_PROXY") || text.starts_with("MLFLOW_") {
            command.env_remove(name);
        }
    }
    for (variable, folder) in [
        ("HOME", "home"),
        ("MLOPS_TUI_CONFIG_DIR", "config"),
        ("MLOPS_TUI_STATE_DIR", "state"),
        ("MLOPS_TUI_CACHE_DIR", "cache"),
    ] {
        command.env(variable, home.path().join(folder));
    }
    command.env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1");
    command.env("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0.01");
    command.current_dir(home.path());
    command
}

/// What it prints and complains, in which no secret is.
fn outputs(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, complaint) = (text(&output.stdout), text(&output.stderr));
    for secret in [PASSWORD, TOKEN, PROXY_PASSWORD, PROXY_SENT, "cHcub2Y", "pw.of-Ada%2F19"] {
        assert!(!out.contains(secret) && !complaint.contains(secret), "{out}\n{complaint}");
    }
    (out, complaint)
}

fn with_password(uri: &str) -> String {
    uri.replace("://", &format!("://ada:{PROXY_PASSWORD}@"))
}

#[test]
fn a_proxy_of_the_environment_is_asked() {
    let home = tempfile::tempdir().unwrap();
    let list = ["list", "--json"];
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (proxy, requests) = serve(vec![ok(EXPERIMENTS)]);
        let mut asked = program(&home, "http://tracking.invalid:5000", &list);
        let (out, complaint) = outputs(&asked.env(name, with_password(&proxy)).output().unwrap());
        assert!(out.contains("from afar"), "{name}: {complaint}");
        let sent = requests.recv().unwrap();
        let line = "POST http://tracking.invalid:5000/api/2.0/mlflow/experiments/search HTTP/1.1";
        assert!(sent.starts_with(line), "{sent}");
        assert!(sent.contains(PROXY_SENT), "{sent}");
    }

    let (proxy, requests) =
        serve(vec![Reply::Answer("407 Proxy Authentication Required", String::new())]);
    for (uri, name, said) in [
        ("http://tracking.invalid:5000", "HTTP_PROXY", "the proxy refuses access (407"),
        ("https://tracking.invalid", "HTTPS_PROXY", "no connection: "),
    ] {
        let mut asked = program(&home, uri, &list);
        let output = asked.env(name, with_password(&proxy)).output().unwrap();
        let (_, complaint) = outputs(&output);
        assert!(complaint.contains(said), "{complaint}");
        assert!(
            complaint.contains(&format!("{name} names a proxy")) && complaint.contains("NO_PROXY"),
            "{complaint}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(requests.try_iter().any(|sent| sent.starts_with("CONNECT tracking.invalid:443 ")));

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let gone = with_password(&format!("http://{closed}"));
    let mut asked = program(&home, "http://tracking.invalid:5000", &list);
    let (_, complaint) = outputs(&asked.env("HTTP_PROXY", &gone).output().unwrap());
    assert!(complaint.contains("no connection: "), "{complaint}");
    assert!(complaint.contains("HTTP_PROXY"), "{complaint}");

    // Nobody is asked about hosts that need no proxy.
    for no_proxy in ["127.0.0.1", "*", "example.org, 127.0.0.0/8"] {
        let (uri, _requests) = serve(vec![ok(EXPERIMENTS)]);
        let mut asked = program(&home, &uri, &list);
        asked.env("HTTP_PROXY", &gone).env("NO_PROXY", no_proxy);
        let (out, complaint) = outputs(&asked.output().unwrap());
        assert!(out.contains("from afar"), "{no_proxy}: {complaint}");
    }
}

#[test]
fn secrets_are_in_no_output_and_no_log() {
    let home = tempfile::tempdir().unwrap();
    let echo = |secret: &str| format!(r#"{{"error_code": "X", "message": "not {secret}"}}"#);
    let token = vec![("MLFLOW_TRACKING_TOKEN", TOKEN)];
    let password =
        vec![("MLFLOW_TRACKING_USERNAME", "ada"), ("MLFLOW_TRACKING_PASSWORD", PASSWORD)];
    let in_uri = "pw.of-Ada%2F19";
    for (secret, variables) in
        [(TOKEN, token), (PASSWORD, password), (PASSWORD, vec![]), (in_uri, vec![])]
    {
        let replies = [
            ok(EXPERIMENTS),
            Reply::Answer("401 No", echo(secret)),
            Reply::Answer("500 No", echo(secret)),
            ok(&format!(r#"{{"experiments": "{secret}"}}"#)),
        ];
        for reply in replies {
            let (uri, _requests) = serve(vec![reply]);
            let uri = match variables.is_empty() {
                true => uri.replace("://", &format!("://ada:{in_uri}@")),
                false => uri,
            };
            for verb in [&["list", "--json"][..], &["search"], &["where", "--json"]] {
                let mut asked = program(&home, &uri, verb);
                asked.envs(variables.clone()).env("RUST_BACKTRACE", "1");
                asked.env("MLOPS_TUI_LOG", "trace").env("RUST_LOG", "trace");
                outputs(&asked.output().unwrap());
            }
        }
    }
    // Nor in any file that it may have left.
    let mut folders = vec![home.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                    let is_free = [PASSWORD, TOKEN, "pw.of-Ada%2F19"]
                        .iter()
                        .all(|secret| !text.contains(secret));
                    assert!(is_free, "{}", path.display());
                }
            }
        }
    }
}

const RUNS: usize = 50_000;

/// A run, smaller than those of real servers: programs are slow where they are built for tests.
fn run(number: usize) -> String {
    let entries = |of: &str, value: &dyn Fn(usize) -> String| {
        let all: Vec<String> = (0..2)
            .map(|index| format!(r#"{{"key": "{of}-of-the-model-{index:02}", {}}}"#, value(index)))
            .collect();
        all.join(", ")
    };
    let metrics = entries("metric", &|index| {
        format!(
            r#""value": 0.{number:05}{index}, "timestamp": 17000000{number:05}, "step": 1000, "model_id": "", "dataset_name": "", "dataset_digest": "", "run_id": "{number:032x}""#
        )
    });
    let params = entries("param", &|index| format!(r#""value": "{}{index}""#, "x".repeat(40)));
    let tags = entries("tag", &|index| format!(r#""value": "{}{index}""#, "y".repeat(40)));
    format!(
        r#"{{"info": {{"run_id": "{number:032x}", "run_uuid": "{number:032x}", "run_name": "run-{number}", "experiment_id": "7", "status": "FINISHED", "start_time": {number}, "lifecycle_stage": "active"}}, "data": {{"metrics": [{metrics}], "params": [{params}], "tags": [{tags}]}}}}"#
    )
}

/// A server of so many runs, which gives them in pages as MLflow does.
fn many() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let asked = request(&mut stream);
            let body = asked.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            let fields: serde_json::Value = serde_json::from_str(body).unwrap();
            let page = match asked.contains("runs/search") {
                false => EXPERIMENTS.to_owned(),
                true => {
                    let first: usize =
                        fields["page_token"].as_str().map_or(0, |token| token.parse().unwrap());
                    let size = fields["max_results"].as_u64().unwrap() as usize;
                    assert!(size <= 50_000, "MLflow refuses more");
                    let last = (first + size).min(RUNS);
                    let runs: Vec<String> = (first..last).map(run).collect();
                    let next = if last < RUNS { last.to_string() } else { String::new() };
                    format!(r#"{{"runs": [{}], "next_page_token": "{next}"}}"#, runs.join(", "))
                }
            };
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            let _ =
                stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
        }
    });
    format!("http://{address}")
}

#[test]
fn fifty_thousand_runs_are_all_there_in_bounded_memory() {
    let home = tempfile::tempdir().unwrap();
    let uri = many();
    let arguments = ["search", "--csv", "--columns", "metric-of-the-model-01"];
    let mut command = program(&home, &uri, &arguments);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = vec![0; 1];
    // From now on it waits for us to read the rest: a pipe holds no more than a part of it.
    out.read_exact(&mut text).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
    out.read_to_end(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    let text = String::from_utf8(text).unwrap();
    let mut ids: Vec<&str> =
        text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(ids.len(), RUNS);
    assert_eq!(ids[7].trim_matches('"'), format!("{:032x}", 7));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), RUNS);
    // Other systems have no such file.
    if let Ok(status) = status {
        let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
        let most: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        eprintln!("50,000 runs of {} bytes: at most {} MiB", run(1).len(), most / 1024);
        assert!(most < 300 << 10, "{line}");
    }
}
