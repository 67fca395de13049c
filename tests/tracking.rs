//! Reading MLflow's stores, compared with MLflow itself.

#[path = "tracking/agreement.rs"]
mod agreement;
#[path = "tracking/answers.rs"]
mod answers;
#[path = "tracking/auth.rs"]
mod auth;
#[path = "tracking/corpus.rs"]
mod corpus;
#[path = "tracking/dice.rs"]
mod dice;
#[path = "tracking/faulty.rs"]
mod faulty;
#[path = "tracking/files.rs"]
mod files;
#[path = "tracking/follow.rs"]
mod follow;
#[path = "tracking/models.rs"]
mod models;
#[path = "tracking/parsing.rs"]
mod parsing;
#[path = "tracking/program.rs"]
mod program;
#[path = "tracking/proxy.rs"]
mod proxy;
#[path = "common/python.rs"]
#[expect(dead_code, reason = "only the environments of MLflow are asked for")]
mod python;
#[path = "tracking/rest.rs"]
mod rest;
#[path = "tracking/servers.rs"]
mod servers;
#[path = "tracking/sqlite.rs"]
mod sqlite;
#[path = "tracking/tls.rs"]
mod tls;
#[path = "tracking/verbs.rs"]
mod verbs;
