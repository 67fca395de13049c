//! The artifacts of a tracked run: the tree, the previews, and what is hostile among them.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::shared::TrackingReport;
use mlops_tui::tracking::Overview;
use mlops_tui::tracking::artifacts::{self, Artifact, Named};
use mlops_tui::tracking::entities::Run;
use mlops_tui::tracking::preview::{self, Preview, Request};
use tempfile::TempDir;

use crate::common::app::{NOW, TestApp};

const MODEL: &str = r#"artifact_path: model
flavors:
  python_function: {loader_module: mlflow.sklearn}
  sklearn: {pickled_model: model.pkl}
signature:
  inputs: '[{"type": "double", "name": "engines"}, {"type": "string", "name": "company", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: '[{"name": "top", "type": "long", "default": 5}]'
"#;

fn overview() -> Overview {
    let run = |id: &str, name: &str| Run {
        id: id.into(),
        name: name.into(),
        experiment_id: "1".into(),
        status: "FINISHED".into(),
        start_time: Some((NOW * 1000.0) as i64 - 60_000),
        metrics: vec![("mae".into(), 0.5)],
        ..Run::default()
    };
    Overview { runs: vec![run("a1", "bold-fox"), run("b2", "calm-owl")], ..Overview::default() }
}

/// The program with two runs, and the artifacts of the first.
struct Shown {
    app: TestApp,
    folder: TempDir,
}

impl Shown {
    /// Shows the artifacts that `make` makes.
    fn new(columns: u16, rows: u16, make: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path());
        let mut app = TestApp::open(columns, rows);
        app.report(Report::Tracking(TrackingReport::Live(overview())));
        app.keys("5");
        let mut shown = Shown { app, folder };
        shown.keys("F");
        shown
    }

    /// Presses keys and answers whatever is asked.
    fn keys(&mut self, script: &str) -> &mut Self {
        self.app.keys(script);
        self.answer();
        self
    }

    /// Answers all requests as the service does.
    fn answer(&mut self) {
        loop {
            let asked = asked(&mut self.app);
            if asked.is_empty() {
                return;
            }
            for effect in asked {
                let report = self.report(effect);
                self.app.report(report);
            }
        }
    }

    fn report(&self, effect: Effect) -> Report {
        let open = |path: &str| artifacts::open(self.folder.path(), path);
        match effect {
            Effect::LoadArtifacts { run, folder } => {
                let listed = match open(&folder).map_err(|error| error.to_string()) {
                    Ok(Named::Folder(entries, more)) => Ok((entries, more)),
                    Ok(Named::File(_)) => Err("a file".into()),
                    Err(why) => Err(why),
                };
                Report::Artifacts { run, folder, listed }
            }
            Effect::LoadPreview(request) => {
                let preview = match open(&request.path) {
                    Ok(Named::File(file)) => preview::read(&request.path, file, request.most),
                    Ok(_) => panic!("a folder"),
                    Err(error) => Preview::Unreadable(error.to_string()),
                };
                Report::Preview(request, preview)
            }
            _ => unreachable!(),
        }
    }

    fn screen(&self) -> String {
        self.app.screen()
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        assert!(self.screen().contains(text), "{text}\n{}", self.screen());
    }
}

/// The requests for artifacts since the last time.
fn asked(app: &mut TestApp) -> Vec<Effect> {
    let is_meant =
        |effect: &Effect| matches!(effect, Effect::LoadArtifacts { .. } | Effect::LoadPreview(_));
    app.effects.extract_if(.., |effect| is_meant(effect)).collect()
}

/// The files whose previews were asked for since the last time.
fn files(app: &mut TestApp) -> Vec<Request> {
    let file = |effect| match effect {
        Effect::LoadPreview(request) => Some(request),
        _ => None,
    };
    asked(app).into_iter().filter_map(file).collect()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| image::Rgb([(x * 5 % 256) as u8, (y * 5 % 256) as u8, 128]);
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_fn(width, height, pixel)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn usual(folder: &Path) {
    fs::create_dir_all(folder.join("model/code")).unwrap();
    fs::create_dir(folder.join("plots")).unwrap();
    fs::create_dir(folder.join("void")).unwrap();
    fs::write(folder.join("model/MLmodel"), MODEL).unwrap();
    fs::write(folder.join("model/model.pkl"), [0; 12_000]).unwrap();
    fs::write(folder.join("model/code/train.py"), "def train():\n    return 1\n").unwrap();
    fs::write(folder.join("plots/error.png"), png(64, 48)).unwrap();
    fs::write(folder.join("table.csv"), "company,engines,price\nA,2,10.5\n\"B, C\",14,7\n")
        .unwrap();
    fs::write(folder.join("metrics.json"), r#"{"mae":0.5,"by":{"a":[1,2]}}"#).unwrap();
    fs::write(folder.join("notes.md"), "# Notes\n\nIt went well.\n").unwrap();
}

#[test]
fn the_tree_opens_by_folder_and_shows_the_selected_file() {
    for (columns, rows) in [(80, 24), (160, 40)] {
        let mut shown = Shown::new(columns, rows, usual);
        insta::assert_snapshot!(format!("artifacts_closed_{columns}"), shown.screen());
        shown.keys("jlj");
        insta::assert_snapshot!(format!("artifacts_model_{columns}"), shown.screen());
        shown.keys("<enter>");
        insta::assert_snapshot!(format!("artifacts_focus_{columns}"), shown.screen());
        shown.keys("<esc>/plots<enter>").keys("l").keys("/error<enter><enter>");
        insta::assert_snapshot!(format!("artifacts_picture_{columns}"), shown.screen());
        shown.keys("<esc>/table<enter><enter>");
        insta::assert_snapshot!(format!("artifacts_table_{columns}"), shown.screen());
        shown.keys("<esc><esc>");
        shown.shows("calm-owl");
    }
}

#[test]
fn each_file_has_its_preview() {
    let mut shown = Shown::new(160, 40, usual);
    for (keys, texts) in [
        ("j", vec!["l opens the folder"]),
        ("l", vec!["h closes the folder"]),
        (
            "j",
            vec![
                "python_function, sklearn",
                "engines  double",
                "company  string, optional",
                "top  long = 5",
            ],
        ),
        ("jj", vec!["pickle, 12.0 kB: never opened"]),
        ("/json<enter>", vec!["\"mae\": 0.5,", "5 "]),
        ("/notes<enter>", vec!["# Notes", "It went well."]),
        ("/plots<enter>l", vec!["error.png"]),
        ("/error<enter>", vec!["64 x 48 pixels", "▀▀▀"]),
        ("/void<enter>l", vec!["empty"]),
    ] {
        shown.keys(keys);
        texts.into_iter().for_each(|text| shown.shows(text));
    }
}

#[test]
fn a_folder_is_listed_when_it_is_opened_and_h_leads_out() {
    let mut shown = Shown::new(160, 40, usual);
    shown.app.keys("j");
    assert!(files(&mut shown.app).is_empty(), "folders have no preview");
    shown.app.keys("l");
    let asked = asked(&mut shown.app);
    assert!(
        matches!(&asked[..], [Effect::LoadArtifacts { folder, .. }] if folder == "model"),
        "{asked:?}"
    );
    shown.shows("reading ...");
    for effect in asked {
        let report = shown.report(effect);
        shown.app.report(report);
    }
    shown.shows("model.pkl");
    shown.keys("jjljh");
    assert_eq!(shown.app.state.details().name, "model/code", "the folder above");
    shown.shows("train.py");
    shown.keys("h");
    assert!(!shown.screen().contains("train.py"), "{}", shown.screen());
    shown.keys("h<enter>");
    assert!(!shown.screen().contains("MLmodel"), "{}", shown.screen());
    shown.keys("<enter>");
    shown.shows("MLmodel");
    assert!(!shown.screen().contains("train.py"), "an inner folder stays closed");
}

#[test]
fn one_file_is_read_at_a_time_and_late_answers_are_dropped() {
    let many = |folder: &Path| {
        for name in ["a.txt", "b.txt", "c.txt"] {
            fs::write(folder.join(name), format!("this is {name}")).unwrap();
        }
    };
    let mut shown = Shown::new(160, 40, many);
    shown.shows("this is a.txt");
    shown.app.keys("j");
    let first = files(&mut shown.app);
    assert_eq!(first[0].path, "b.txt");
    shown.app.keys("j");
    assert!(files(&mut shown.app).is_empty(), "one is being read");
    let report = shown.report(Effect::LoadPreview(first[0].clone()));
    shown.app.report(report);
    assert!(!shown.screen().contains("this is b.txt"), "{}", shown.screen());
    shown.shows("Reading ...");
    let second = files(&mut shown.app);
    assert_eq!(second[0].path, "c.txt");
    // An answer that nobody waits for.
    shown.app.report(Report::Preview(first[0].clone(), Preview::Unreadable("late".into())));
    shown.app.keys("k");
    assert!(!shown.screen().contains("late") && files(&mut shown.app).is_empty());
    let report = shown.report(Effect::LoadPreview(second[0].clone()));
    shown.app.report(report);
    shown.answer();
    shown.shows("this is b.txt");
    // The run on the screen is another one.
    let listed =
        || Ok((vec![Artifact { path: "late.txt".into(), is_dir: false, size: None }], false));
    shown.app.keys("<esc>jF");
    assert_eq!(asked(&mut shown.app).len(), 1);
    shown.app.report(Report::Artifacts {
        run: "a1".into(),
        folder: String::new(),
        listed: listed(),
    });
    shown.shows("Reading the artifacts");
    shown.app.report(Report::Artifacts { run: "b2".into(), folder: "b".into(), listed: listed() });
    shown.shows("Reading the artifacts");
    shown.app.report(Report::Artifacts {
        run: "b2".into(),
        folder: String::new(),
        listed: listed(),
    });
    shown.shows("late.txt");
}

#[test]
fn without_artifacts_there_is_a_calm_sentence() {
    let mut app = Shown::new(160, 40, |_| {}).app;
    assert!(app.screen().contains("The run has no artifacts."), "{}", app.screen());
    app.keys("<esc>F");
    drop(asked(&mut app));
    let why =
        "They lie at s3://bucket/1; only artifacts on this machine or a tracking server are read.";
    app.report(Report::Artifacts {
        run: "a1".into(),
        folder: String::new(),
        listed: Err(why.into()),
    });
    assert!(app.screen().contains("They lie at s3://bucket/1"), "{}", app.screen());
    app.keys("jkl<enter><esc>");
    assert!(app.screen().contains("calm-owl"), "{}", app.screen());
}

#[test]
fn artifacts_are_reached_from_curves_and_lead_back_there() {
    let mut shown = Shown::new(160, 40, usual);
    shown.keys("F");
    shown.shows("they are shown; esc goes back");
    shown.keys("s");
    shown.shows("this is for the table");
    shown.keys("<esc><enter>");
    shown.shows("over steps");
    shown.keys("F");
    shown.shows("Artifacts of bold-fox");
    shown.keys("<esc>");
    shown.shows("over steps");
    shown.keys("<esc><space><space><enter>F");
    shown.shows("several runs are shown");
    let mut app = TestApp::open(160, 40);
    app.keys("5F");
    assert!(app.screen().contains("no run is selected"), "{}", app.screen());
}

#[test]
fn a_picture_is_read_for_its_pane_and_a_file_that_grew_is_read_again() {
    let both = |folder: &Path| {
        fs::write(folder.join("a.png"), png(300, 300)).unwrap();
        fs::write(folder.join("b.txt"), "short").unwrap();
    };
    let mut shown = Shown::new(160, 40, both);
    let width = |shown: &Shown| shown.screen().lines().nth(8).unwrap().matches('▀').count();
    let before = width(&shown);
    shown.app.happen(Event::Resize(200, 60));
    shown.keys("k");
    assert!(width(&shown) > before && before > 30, "{before}\n{}", shown.screen());
    shown.keys("j");
    shown.shows("short");
    shown.app.happen(Event::Resize(160, 40));
    shown.app.keys("gG");
    assert_eq!(files(&mut shown.app).len(), 1, "the picture on the way; the text is known no more");
    let mut shown = Shown::new(160, 40, both);
    shown.keys("j");
    shown.app.happen(Event::Resize(200, 60));
    assert!(files(&mut shown.app).is_empty(), "a text fits any pane");
    shown.app.report(Report::Tracking(TrackingReport::Live(overview())));
    shown.answer();
    shown.shows("short");
    fs::write(shown.folder.path().join("b.txt"), "much longer").unwrap();
    shown.app.report(Report::Tracking(TrackingReport::Live(overview())));
    shown.answer();
    shown.shows("much longer");
}

/// The header of a PNG picture with this size, without the rest.
fn claim(size: u32) -> Vec<u8> {
    let mut bytes = png(4, 4);
    bytes[16..20].copy_from_slice(&size.to_be_bytes());
    bytes[20..24].copy_from_slice(&size.to_be_bytes());
    bytes
}

#[test]
fn hostile_artifacts_are_harmless() {
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("key"), "top secret").unwrap();
    let hostile = |folder: &Path| {
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        write(
            "a\x1b]0;title\x07\x1b[2J\u{202e}.txt",
            b"\x1b[31mred\x1b]52;c;eA==\x07 \xe2\x80\xae end \xff\xfe",
        );
        write("b.txt", &[b'x'; 3 << 20]);
        write("c.png", &png(64, 48)[..70]);
        write("d.png", &claim(100_000));
        write("e.csv", &[b"\"open \x1b[2J,".to_vec(), vec![b','; 100_000]].concat());
        write("f.json", &[b'['; 200_000]);
        write("m.png", b"\x89PNG but no picture");
        std::os::unix::fs::symlink(secret.path().join("key"), folder.join("g-link.txt")).unwrap();
        std::os::unix::fs::symlink(secret.path(), folder.join("h-link")).unwrap();
        let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU);
        rustix::fs::mknodat(rustix::fs::CWD, folder.join("i-pipe"), kind, mode, 0).unwrap();
    };
    let mut shown = Shown::new(160, 40, hostile);
    for text in [
        "red � end ��",
        "its beginning",
        "The picture is broken",
        "The picture",
        "open ",
        "[[[[",
        "leads out",
        "leads out",
        "not a plain file",
        "picture",
    ] {
        shown.shows(text);
        let screen = shown.screen();
        assert!(!screen.contains(|c: char| c != '\n' && c.is_control()), "{screen:?}");
        assert!(!screen.contains('\u{202e}') && !screen.contains("top secret"), "{screen}");
        shown.keys("j<enter>jk<esc>");
    }
}

#[test]
fn a_server_can_not_make_an_endless_tree() {
    let mut app = Shown::new(160, 40, |_| {}).app;
    app.keys("<esc>F");
    drop(asked(&mut app));
    let entry = |path: &str| Artifact { path: path.into(), is_dir: true, size: None };
    let list = |app: &mut TestApp, folder: &str, paths: &[&str]| {
        let listed = Ok((paths.iter().map(|path| entry(path)).collect(), true));
        app.report(Report::Artifacts { run: "a1".into(), folder: folder.into(), listed });
    };
    list(&mut app, "", &["a", "", "x/y", "/etc"]);
    assert_eq!(app.state.experiments.artifacts.rows.len(), 2, "a, and that there is more");
    app.keys("l");
    list(&mut app, "a", &["a", "a/", "b", "a/a", "a/../a"]);
    let rows = &app.state.experiments.artifacts.rows;
    assert_eq!(rows.len(), 4, "a, a/a, and that there is more, twice: {rows:?}");
    assert!(app.screen().contains("and more, which are not listed"), "{}", app.screen());
}
