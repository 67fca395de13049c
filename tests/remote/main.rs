//! Real Airflows and Kedro servers, asked over HTTP.

#[path = "../common/airflow.rs"]
mod airflow;
mod answers;
#[path = "../common/breaking.rs"]
mod breaking;
mod client;
mod deploy;
#[path = "../common/dice.rs"]
#[expect(dead_code, reason = "only numbers are thrown")]
mod dice;
mod faults;
mod first;
mod kedro_faulty;
mod kedro_server;
#[path = "../common/ports.rs"]
mod ports;
#[path = "../common/project.rs"]
mod project;
#[path = "../common/python.rs"]
#[expect(dead_code, reason = "only environments of servers are asked for")]
mod python;
mod screen;
mod scripted;
#[path = "../common/terminal.rs"]
#[expect(dead_code, reason = "the terminal is neither resized nor signalled")]
mod terminal;
mod verbs;
mod watch;

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use airflow::{Airflow, Version};

/// The one server of a version, with the DAGs of `tests/remote/dags`. It is lent to one test at a time, and ends with the
/// test process.
fn server(version: Version) -> MutexGuard<'static, Airflow> {
    static SERVERS: [OnceLock<Mutex<Airflow>>; 2] = [OnceLock::new(), OnceLock::new()];
    let start = || {
        let airflow = Airflow::start(version);
        for name in ["three_tasks.py", "slow.py", "broken.py"] {
            let from = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/remote/dags/").to_owned() + name;
            std::fs::copy(from, airflow.dags_folder().join(name)).unwrap();
        }
        Mutex::new(airflow)
    };
    let server = SERVERS[usize::from(version == Version::Two)].get_or_init(start);
    server.lock().unwrap_or_else(PoisonError::into_inner)
}
