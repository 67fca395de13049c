//! Bringing a task of a run on an engine home.

use super::asked::KeptRun;
use crate::remote::dag_file::OWN_KEY;
use crate::remote::model::Run;
use crate::runs::RunRequest;
use crate::runs::params::dotted;

/// The request that runs the same pipeline here, with the parameters and the environment of the run.
pub(super) fn request(kept: &KeptRun, run: &Run) -> RunRequest {
    let mut conf = run.conf.clone();
    if let Some(conf) = conf.as_object_mut() {
        conf.shift_remove(OWN_KEY);
    }
    RunRequest {
        pipeline: Some(kept.pipeline.clone()).filter(|name| name != "__default__"),
        env: kept.env.clone(),
        params: dotted(&conf),
        ..RunRequest::default()
    }
}
