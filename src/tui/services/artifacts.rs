//! Artifacts of tracked runs: folders are listed, and files are read for their previews, each in a blocking thread. What
//! can't be read is answered with the reason.

use std::sync::Arc;

use super::context::Context;
use super::tracking;
use crate::app::event::Report;
use crate::text::UserError;
use crate::tracking::artifacts::{self, Named};
use crate::tracking::preview::{self, Preview, Request};

/// Reports the entries of a folder.
pub(super) fn list(context: &Arc<Context>, run: String, folder: String) {
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let listed = match named(&context, &run, &folder) {
            Ok(Named::Folder(entries, more)) => Ok((entries, more)),
            Ok(Named::File(_)) => Err("It is a file by now.".to_owned()),
            Err(why) => Err(why.text),
        };
        context.send_blocking(Report::Artifacts { run, folder, listed });
    });
}

/// Reports the preview of a file.
pub(super) fn preview(context: &Arc<Context>, request: Request) {
    let context = context.clone();
    tokio::task::spawn_blocking(move || {
        let preview = match named(&context, &request.run, &request.path) {
            Ok(Named::File(file)) => preview::read(&request.path, file, request.most),
            Ok(Named::Folder(..)) => Preview::Unreadable("It is a folder by now.".into()),
            Err(why) => Preview::Unreadable(why.text),
        };
        context.send_blocking(Report::Preview(request, preview));
    });
}

fn named(context: &Context, run: &str, path: &str) -> Result<Named, UserError> {
    let opened = tracking::open(&context.root, context.snapshot().as_deref());
    let (store, location) = opened?;
    let found = store.run(run).map_err(UserError::plain)?;
    let run = found.ok_or("The run is no longer in the store.")?;
    artifacts::named(&store, &location.near(), &run, path).map_err(UserError::plain)
}
