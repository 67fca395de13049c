//! Experiments, read from MLflow's stores.
