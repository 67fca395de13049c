//! The little HTTP that the tests of the servers need.

use std::time::{Duration, Instant};

use reqwest::Method;
use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use crate::airflow::{Airflow, Version, http};

/// A user of a server.
pub struct User {
    client: Client,
    address: String,
    version: Version,
    name: &'static str,
    password: &'static str,
    token: String,
}

/// An answer: the status and the text.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

impl User {
    /// Signs in.
    pub fn of(airflow: &Airflow, (name, password): (&'static str, &'static str)) -> Self {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().unwrap();
        let (address, version) = (airflow.address(), airflow.version());
        let mut user = User { client, address, version, name, password, token: String::new() };
        if version == Version::Three {
            let body = json!({"username": name, "password": password});
            let answer = user.ask("POST", "/auth/token", Some(&body));
            user.token = answer.json()["access_token"].as_str().unwrap().to_owned();
        }
        user
    }

    /// Asks below the version's `/api/v2` or `/api/v1`, or anywhere with a path that begins with `/`.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_for(method, path, body, "application/json")
    }

    /// The same, asking for a type of answer.
    pub fn ask_for(&self, method: &str, path: &str, body: Option<&Value>, accept: &str) -> Answer {
        let base = match (path.starts_with('/'), self.version) {
            (true, _) => "",
            (false, Version::Three) => "/api/v2/",
            (false, Version::Two) => "/api/v1/",
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.client.request(method, format!("{}{base}{path}", self.address));
        request = match self.version {
            _ if self.name.is_empty() => request,
            Version::Three if self.token.is_empty() => request,
            Version::Three => request.bearer_auth(&self.token),
            Version::Two => request.basic_auth(self.name, Some(self.password)),
        };
        request = request.header("accept", accept);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer: Response = request.send().unwrap();
        Answer { status: answer.status().as_u16(), text: answer.text().unwrap() }
    }

    /// The same without a user.
    pub fn stranger(airflow: &Airflow) -> Self {
        let client = http();
        let (address, version) = (airflow.address(), airflow.version());
        User { client, address, version, name: "", password: "", token: String::new() }
    }

    /// One with a token or password that is not valid.
    pub fn with_wrong_secret(airflow: &Airflow) -> Self {
        let user = User::stranger(airflow);
        User { name: "ada", password: "wrong", token: "wrong".to_owned(), ..user }
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    /// Asks until the answer is as wished.
    pub fn until(&self, path: &str, wished: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let answer = self.ask("GET", path, None);
            let value = serde_json::from_str(&answer.text).unwrap_or_default();
            if answer.status == 200 && wished(&value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{path}: {}: {}", answer.status, answer.text);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until a DAG is registered, and lets it run.
    pub fn unpause(&self, dag: &str) {
        self.until(&format!("dags/{dag}"), |dag| dag["dag_id"].is_string());
        let answer = self.ask("PATCH", &format!("dags/{dag}"), Some(&json!({"is_paused": false})));
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// Triggers a run under an id.
    pub fn trigger(&self, dag: &str, run: &str, conf: &Value) -> Answer {
        let mut body = json!({"dag_run_id": run, "conf": conf});
        if self.version == Version::Three {
            body["logical_date"] = Value::Null;
        }
        self.ask("POST", &format!("dags/{dag}/dagRuns"), Some(&body))
    }
}
