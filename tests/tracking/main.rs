//! Reading MLflow's stores, compared with MLflow itself.

mod agreement;
mod answers;
mod auth;
#[path = "../common/breaking.rs"]
mod breaking;
mod corpus;
#[path = "../common/dice.rs"]
mod dice;
mod faulty;
mod files;
mod follow;
mod models;
mod parsing;
#[path = "../common/ports.rs"]
mod ports;
mod program;
mod proxy;
#[path = "../common/python.rs"]
#[expect(dead_code, reason = "only the environments of MLflow are asked for")]
mod python;
mod rest;
mod servers;
mod sqlite;
mod tls;
mod verbs;
