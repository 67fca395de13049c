//! The page of a run's artifacts: a tree of folders and files, and a preview of the selected file beside it.
//!
//! A folder is listed when it is opened. At most one file is read at a time: the selection may go on meanwhile, and an
//! answer for a file that is no longer selected is dropped.

use std::collections::{HashMap, HashSet};

use super::previewed;
use super::tree::{Kind, Row};
use crate::app::areas::ROOM_FOR_DETAILS;
use crate::app::command::Command;
use crate::app::effect::Effect;
use crate::app::list::Position;
use crate::app::screens::Screen;
use crate::app::shared::Shared;
use crate::app::words::Details;
use crate::tracking::artifacts::Artifact;
use crate::tracking::preview::{self, Preview, Request};

/// The entries of a folder and whether there are more, or why it can't be listed.
pub type Listed = Result<(Vec<Artifact>, bool), String>;

/// The page of a run's artifacts.
#[derive(Debug, Default)]
pub struct ArtifactsPage {
    /// The id of the run; `None` while the page is not shown.
    run: Option<String>,
    /// The name of the run.
    name: String,
    /// Selection and scrolling of the rows.
    pub position: Position,
    /// The rows of the tree.
    pub rows: Vec<Row>,
    /// The folders that were listed, by path. The path of the uppermost is empty.
    folders: HashMap<String, Folder>,
    /// Paths of the open folders.
    open: HashSet<String>,
    /// Paths of folders that are being listed.
    listing: HashSet<String>,
    /// The last preview.
    shown: Option<(Request, Preview)>,
    /// The file that is being read.
    reading: Option<Request>,
}

#[derive(Debug)]
struct Folder {
    listed: Listed,
    /// Whether the store has changed since.
    expired: bool,
}

impl ArtifactsPage {
    /// The page of a run, with its name.
    pub fn of(run: String, name: String) -> Self {
        let open = HashSet::from([String::new()]);
        ArtifactsPage { run: Some(run), name, open, ..ArtifactsPage::default() }
    }

    /// The id of the run; `None` while the page is not shown.
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    /// The listing of the uppermost folder; `None` before it is read.
    pub fn top_folder(&self) -> Option<&Listed> {
        self.folders.get("").map(|folder| &folder.listed)
    }

    /// The preview of the selected file; `None` before the file is read.
    pub fn preview(&self) -> Option<&Preview> {
        let selected = self.selected()?.artifact()?;
        let (of, preview) = self.shown.as_ref()?;
        (of.path == selected.path).then_some(preview)
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Row> {
        self.rows.get(self.position.selected)
    }

    /// The store has changed: what is shown stays until it is read again.
    pub fn expire(&mut self) {
        self.folders.values_mut().for_each(|folder| folder.expired = true);
    }

    /// Takes the entries of a folder.
    pub fn take(&mut self, shared: &Shared, run: &str, folder: String, listed: Listed) {
        if self.run() != Some(run) || !self.listing.remove(&folder) {
            return;
        }
        // A server could name a folder as an entry of itself, and the tree would have no end.
        let above = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let is_below = |artifact: &Artifact| {
            let name = artifact.path.strip_prefix(&above);
            name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
        };
        let listed = listed.map(|(mut entries, more)| {
            entries.retain(is_below);
            (entries, more)
        });
        self.folders.insert(folder, Folder { listed, expired: false });
        self.arrange(shared);
    }

    /// Takes the preview of a file, unless another file is selected by now.
    pub fn take_preview(&mut self, request: Request, preview: Preview) {
        if self.reading.take_if(|reading| *reading == request).is_some()
            && self.selected().and_then(Row::artifact).is_some_and(|file| file.path == request.path)
        {
            self.shown = Some((request, preview));
        }
    }

    /// Makes the rows anew; the selected one stays selected.
    fn arrange(&mut self, shared: &Shared) {
        let kept = self.selected().and_then(Row::artifact).map(|artifact| artifact.path.clone());
        let mut rows = Vec::new();
        self.add_rows(&mut rows, "", 0);
        self.rows = rows;
        self.select_path(shared, kept.as_deref());
    }

    fn select_path(&mut self, shared: &Shared, path: Option<&str>) {
        let is_it = |row: &Row| row.artifact().is_some_and(|one| Some(one.path.as_str()) == path);
        let index = self.rows.iter().position(is_it).unwrap_or(self.position.selected);
        let height = self.list_height(shared);
        self.position.select(index, self.rows.len(), height);
    }

    fn add_rows(&self, rows: &mut Vec<Row>, path: &str, depth: usize) {
        let note = |text: &str| Row { depth, kind: Kind::Note(text.to_owned()) };
        match self.folders.get(path).map(|folder| &folder.listed) {
            None => rows.push(note("reading ...")),
            Some(Err(why)) => rows.push(note(why)),
            Some(Ok((entries, _))) if entries.is_empty() => rows.push(note("empty")),
            Some(Ok((entries, more))) => {
                for artifact in entries.iter().cloned() {
                    if !artifact.is_dir {
                        rows.push(Row { depth, kind: Kind::File(artifact) });
                        continue;
                    }
                    let (path, open) = (artifact.path.clone(), self.open.contains(&artifact.path));
                    rows.push(Row { depth, kind: Kind::Folder { artifact, open } });
                    if open {
                        self.add_rows(rows, &path, depth + 1);
                    }
                }
                if *more {
                    rows.push(note("and more, which are not listed"));
                }
            }
        }
    }

    /// The request for the preview of the selected file, if it is needed now.
    fn wanted_preview(&self, shared: &Shared) -> Option<Request> {
        let side = self.areas(shared).side.as_size();
        let Kind::File(file) = &self.selected()?.kind else { return None };
        if self.reading.is_some() || side.area() == 0 || preview::closed(&file.path).is_some() {
            return None;
        }
        // A cell shows two pixels, one above the other.
        let room = previewed::room_of_picture(side);
        let room = (u32::from(room.width), u32::from(room.height) * 2);
        let is_picture = preview::is_picture(&file.path);
        let request = Request {
            run: self.run.clone()?,
            path: file.path.clone(),
            size: file.size,
            most: if is_picture { room } else { (0, 0) },
        };
        let is_shown = self.shown.as_ref().is_some_and(|(shown, _)| *shown == request);
        (!is_shown).then_some(request)
    }

    /// The row of the folder that the selected row lies in.
    fn parent(&self) -> Option<usize> {
        let depth = self.selected()?.depth;
        self.rows[..self.position.selected].iter().rposition(|row| row.depth < depth)
    }
}

impl Screen for ArtifactsPage {
    fn title(&self, _shared: &Shared) -> String {
        format!("Artifacts of {}", self.name)
    }

    fn side_title(&self) -> &'static str {
        "Preview"
    }

    fn details(&self, _shared: &Shared) -> Details {
        previewed::details(self.selected(), self.preview())
    }

    fn len(&self, _shared: &Shared) -> usize {
        self.rows.len()
    }

    fn position(&mut self) -> Option<&mut Position> {
        Some(&mut self.position)
    }

    fn names(&self, _shared: &Shared) -> Vec<String> {
        let path = |row: &Row| row.artifact().map(|artifact| artifact.path.clone());
        self.rows.iter().map(|row| path(row).unwrap_or_default()).collect()
    }

    fn is_alone(&self, shared: &Shared) -> bool {
        shared.size.width < ROOM_FOR_DETAILS
    }

    fn fold(&mut self, shared: &mut Shared, open: bool) {
        let Some(row) = self.selected() else { return };
        match &row.kind {
            Kind::Folder { artifact, open: is_open } if *is_open != open => {
                let path = artifact.path.clone();
                match open {
                    true => drop(self.open.insert(path)),
                    false => drop(self.open.remove(&path)),
                }
                self.arrange(shared);
            }
            _ if open => {}
            _ => {
                if let Some(parent) = self.parent() {
                    self.select(shared, parent);
                }
            }
        }
    }

    fn open(&mut self, shared: &mut Shared) -> bool {
        match self.selected().map(|row| &row.kind) {
            Some(Kind::Folder { open, .. }) => {
                let open = !open;
                self.fold(shared, open);
                true
            }
            Some(Kind::File(_)) => false,
            _ => true,
        }
    }

    fn back(&mut self, shared: &mut Shared) -> Option<Vec<Effect>> {
        *self = ArtifactsPage::default();
        shared.side_offset = 0;
        Some(Vec::new())
    }

    fn filter_text(&self) -> Result<&str, &'static str> {
        Err("this is for the table; esc goes back to it")
    }

    fn disabled(&self, _shared: &Shared, command: Command) -> Option<String> {
        let why = match command {
            Command::Artifacts => "they are shown; esc goes back",
            _ => "this is for the table; esc goes back to it",
        };
        Some(why.into())
    }

    fn wanted(&mut self, shared: &mut Shared) -> Vec<Effect> {
        let Some(run) = self.run.clone() else { return Vec::new() };
        let is_read = |path: &String| self.folders.get(path).is_some_and(|folder| !folder.expired);
        let wanted: Vec<String> = (self.open.iter())
            .filter(|path| !is_read(path) && !self.listing.contains(*path))
            .cloned()
            .collect();
        self.listing.extend(wanted.iter().cloned());
        let list = |folder| Effect::LoadArtifacts { run: run.clone(), folder };
        let mut effects: Vec<Effect> = wanted.into_iter().map(list).collect();
        if let Some(request) = self.wanted_preview(shared) {
            self.reading = Some(request.clone());
            effects.push(Effect::LoadPreview(request));
        }
        effects
    }
}
