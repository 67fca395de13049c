//! The engines: reading the profiles, making DAG files, and a thread for each connection.

mod connection;
mod search;

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use super::context::Context;
use crate::app::event::Report;
use crate::app::screens::remote::asked::{Answer, Ask, Profile as Row};
use crate::project::{Metadata, Options, Reader};
use crate::remote::deploy::deployment;
use crate::remote::{
    Action, Airflow, Change, DagFile, DagSettings, Deployment, Grouping, Plan, Profile, Profiles,
    connect,
};
use crate::text::UserError;

/// What engines may be unable to do.
const ACTIONS: [Action; 10] = [
    Action::Pipelines,
    Action::Runs,
    Action::Tasks,
    Action::Logs,
    Action::Deploy,
    Action::Submit,
    Action::Cancel,
    Action::Retry,
    Action::Mark,
    Action::Pause,
];

/// All connections of a project.
#[derive(Default)]
pub(super) struct Remotes {
    /// The profiles that were read last; the thread that reads them puts them here.
    profiles: Arc<Mutex<Vec<Profile>>>,
    /// The threads by the names of their profiles, with the profiles that they were started with.
    threads: HashMap<String, (Profile, Sender<Ask>)>,
    /// The search over logs that goes on.
    searching: search::Searching,
}

impl Remotes {
    /// Starts to do what the screen asks for.
    pub(super) fn ask(&mut self, context: &Arc<Context>, ask: Ask) {
        let name = match &ask {
            Ask::Profiles(env) => return self.read(context, env.clone()),
            Ask::StopSearch => return self.searching.stop(),
            Ask::Search(search) => {
                let Some(profile) = self.profile(&search.profile) else { return };
                return self.searching.begin(context, profile, (**search).clone());
            }
            Ask::Deploy { profile, pipeline, airflow, write } => {
                return self.deploy(context, profile, pipeline, (*airflow, *write));
            }
            Ask::Show(shown) => {
                // The others show nothing.
                let name = shown.as_ref().map(|shown| shown.profile.clone());
                for (of, (_, thread)) in &self.threads {
                    if Some(of) != name.as_ref() {
                        let _ = thread.send(Ask::Show(None));
                    }
                }
                let Some(name) = name else { return };
                name
            }
            Ask::Check(profile)
            | Ask::Submit { profile, .. }
            | Ask::Cancel(profile, _)
            | Ask::Retry(profile, _)
            | Ask::Mark { profile, .. }
            | Ask::Pause(profile, ..) => profile.clone(),
        };
        let Some(profile) = self.profile(&name) else { return };
        let kept = self.threads.remove(&name).filter(|(of, _)| *of == profile);
        let (_, thread) = match kept {
            Some(kept) => self.threads.entry(name).insert_entry(kept).into_mut(),
            None => {
                let (sender, asks) = channel();
                let (context, of) = (context.clone(), profile.clone());
                std::thread::spawn(move || connection::serve(context, of, &asks));
                self.threads.entry(name).insert_entry((profile, sender)).into_mut()
            }
        };
        // The thread lives as long as its sender does.
        let _ = thread.send(ask);
    }

    fn profile(&self, name: &str) -> Option<Profile> {
        let profiles = self.profiles.lock().unwrap_or_else(PoisonError::into_inner);
        profiles.iter().find(|profile| profile.name == name).cloned()
    }

    /// Reads the profiles and reports them.
    fn read(&self, context: &Arc<Context>, env: Option<String>) {
        let (context, kept) = (context.clone(), self.profiles.clone());
        tokio::task::spawn_blocking(move || {
            let read = Profiles::read(&context.root, env.as_deref());
            let metadata = metadata(&context);
            let snapshot = context.snapshot();
            let names = snapshot.iter().flat_map(|snapshot| &snapshot.pipelines);
            let names: Vec<String> = names.map(|pipeline| pipeline.name.clone()).collect();
            let row = |profile: &Profile| row(profile, &metadata.package_name, &names);
            let rows = read.list.iter().map(row).collect();
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = read.list;
            context.answer(Answer::Profiles(rows, read.mistakes));
        });
    }

    /// Makes a DAG file, and reports what writing it changes, or writes it.
    fn deploy(&self, context: &Arc<Context>, profile: &str, pipeline: &str, how: (Airflow, bool)) {
        let Some(profile) = self.profile(profile) else { return };
        let (context, pipeline) = (context.clone(), pipeline.to_owned());
        tokio::task::spawn_blocking(move || {
            let answer = deployed(&context, &profile, &pipeline, how);
            context.answer(answer.unwrap_or_else(Answer::Refused));
        });
    }
}

impl Context {
    fn answer(&self, answer: Answer) {
        self.send_blocking(Report::Remote(Box::new(answer)));
    }
}

fn metadata(context: &Context) -> Metadata {
    match context.snapshot() {
        Some(snapshot) => snapshot.metadata.clone(),
        None => crate::project::discovery::metadata(&context.root).0,
    }
}

/// A profile as the screen shows it.
fn row(profile: &Profile, package: &str, pipelines: &[String]) -> Row {
    let (unable, broken) = match connect(profile, package) {
        Ok(backend) => {
            let unable = |action: &Action| Some((*action, backend.can(*action).err()?));
            (ACTIONS.iter().filter_map(unable).collect(), None)
        }
        Err(error) => (Vec::new(), Some(error.line())),
    };
    let deployed = |name: &String| (name.clone(), profile.deployed(name, package));
    Row {
        name: profile.name.clone(),
        engine: profile.engine,
        url: crate::text::secrets::redact(&profile.url),
        place: profile.place.clone(),
        folder: profile.folder.clone(),
        pipelines: pipelines.iter().map(deployed).collect(),
        unable,
        broken,
    }
}

fn deployed(
    context: &Context,
    profile: &Profile,
    pipeline: &str,
    (airflow, write): (Airflow, bool),
) -> Result<Answer, UserError> {
    let folder = profile.folder.as_deref();
    let folder = folder.ok_or_else(|| format!("Profile {} has no `folder`.", profile.name))?;
    let env = context.snapshot().map(|snapshot| snapshot.env.clone());
    let mut reader = Reader::new(&context.root);
    let snapshot = reader.read(&Options { env: env.clone(), ..Options::default() });
    let plan = Plan::of(&snapshot, pipeline, &Grouping::default()).map_err(UserError::from)?;
    let settings = DagSettings::read(&mut reader, env.as_deref(), pipeline)?;
    let file = DagFile::new(&snapshot, &plan, &settings, airflow);
    let made = deployment(&snapshot, &file, None)?;
    let path = made.path(folder);
    if write {
        made.write(folder)?;
        let (profile, pipeline) = (profile.name.clone(), pipeline.to_owned());
        let next = Deployment::next_step(folder);
        return Ok(Answer::Written { profile, pipeline, file: path, next });
    }
    let change = made.change(folder)?;
    let unused = |key: &String| format!("airflow.yml: `{key}` is not used.");
    Ok(Answer::Preview {
        profile: profile.name.clone(),
        pipeline: pipeline.to_owned(),
        airflow,
        file: path,
        is_new: change == Change::New,
        change: match change {
            Change::New => made.text,
            Change::Unchanged => String::new(),
            Change::Changed(difference) => difference,
        },
        warnings: made.unused.iter().map(unused).collect(),
    })
}
