//! Prepares the Python prompt in the context of a node.

use std::sync::Arc;

use super::Message;
use super::context::Context;
use crate::app::event::Report;
use crate::dag::Slice;
use crate::runs::debug::Prompt;
use crate::runs::{Interpreter, Prepared, RunRequest, Worker, interpreter, plan};
use crate::text::UserError;

/// All that a prompt needs to start.
#[derive(Debug)]
pub(in crate::tui) struct Ready {
    pub worker: Worker,
    pub prepared: Prepared,
    pub prompt: Prompt,
}

/// Plans the run of the node, whose inputs the prompt will have, and reports it to the event loop.
pub(super) async fn prepare(context: Arc<Context>, prompt: Prompt, request: RunRequest) {
    let (root, named) = (context.root.clone(), context.python.clone());
    let request = RunRequest { slice: Slice::nodes([&prompt.node]), ..request };
    let attempt = move || -> Result<(Interpreter, Prepared), UserError> {
        let python = interpreter::choose(&root, named.as_deref())?;
        let prepared = plan::prepare(&root, request).map_err(UserError::plain)?;
        match &prepared.refused {
            Some(error) => Err(UserError::plain(error)),
            None => Ok((python, prepared)),
        }
    };
    let message = match tokio::task::spawn_blocking(attempt).await {
        Ok(Ok((python, prepared))) => {
            let worker = context.working.worker(&python.path);
            Message::Prompt(Box::new(Ready { worker, prepared, prompt }))
        }
        Ok(Err(error)) => Report::Notice(error.line()).into(),
        Err(error) => Report::Notice(error.to_string()).into(),
    };
    // Sending fails only if the event loop has ended.
    let _ = context.reports.send(message).await;
}
