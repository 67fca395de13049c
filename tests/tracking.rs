//! Reading MLflow's stores, compared with MLflow itself.

#[path = "tracking/agreement.rs"]
mod agreement;
#[path = "tracking/answers.rs"]
mod answers;
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
#[path = "tracking/parsing.rs"]
mod parsing;
#[path = "common/python.rs"]
#[expect(dead_code, reason = "only the environments of MLflow are asked for")]
mod python;
#[path = "tracking/rest.rs"]
mod rest;
#[path = "tracking/sqlite.rs"]
mod sqlite;
#[path = "tracking/verbs.rs"]
mod verbs;
