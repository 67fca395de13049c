//! The program without a terminal: events go in, effects and screens come out.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use mlops_tui::app::effect::Effect;
use mlops_tui::app::event::{Event, Report};
use mlops_tui::app::settings::Settings;
use mlops_tui::app::{State, update};
use mlops_tui::dag::Graph;
use mlops_tui::project::{Options, Reader, Snapshot};
use mlops_tui::runs::{Failure, RunEvent, Stamped};
use mlops_tui::store::{NewRun, RunId, RunRecord};
use mlops_tui::text;
use mlops_tui::ui;
use mlops_tui::ui::color::Depth;
use mlops_tui::ui::theme::Theme;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::contrast;
use super::project::copy_of_sample;

/// 2026-11-02, in seconds since the Unix epoch.
pub const NOW: f64 = 1_793_600_000.0;

/// The program without a terminal.
pub struct TestApp {
    pub state: State,
    /// All that was asked of the services.
    pub effects: Vec<Effect>,
}

impl TestApp {
    /// The sample project as the files tell it, on a screen of that size.
    pub fn open(columns: u16, rows: u16) -> Self {
        let (_folder, root) = copy_of_sample();
        let mut snapshot = Reader::new(&root).read(&Options::default());
        snapshot.metadata.root = "/project".into();
        Self::showing(snapshot, columns, rows)
    }

    pub fn showing(snapshot: Snapshot, columns: u16, rows: u16) -> Self {
        let mut app =
            TestApp { state: State::new(None, Settings::default(), NOW), effects: Vec::new() };
        update(&mut app.state, Event::Resize(columns, rows));
        app.effects = app.state.first_effects();
        app.report(Report::Trust(true));
        app.report(Report::Static {
            generation: 1.into(),
            result: Ok(std::sync::Arc::new(snapshot)),
        });
        app
    }

    pub fn happen(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        let draws = effects.iter().any(|effect| matches!(effect, Effect::Draw(_)));
        self.effects.extend(effects);
        if draws {
            self.draw();
        }
    }

    /// Draws as the service does.
    fn draw(&mut self) {
        let Some(picture) = self.state.pipeline.picture(&self.state.shared) else { return };
        let whole = Arc::new(Graph::of(picture.pipeline().unwrap()));
        let (before, mut plots) = (self.state.pipeline.plot.clone(), Vec::new());
        let before = Some(&*before).filter(|plot| !plot.whole.vertices.is_empty());
        let go_on = AtomicBool::new(false);
        picture.draw(&whole, before, &go_on, |plot| plots.push(Arc::new(plot))).unwrap();
        let generation = self.state.shared.generations.drawing;
        for plot in plots {
            self.report(Report::Drawn { generation, plot });
        }
    }

    pub fn report(&mut self, report: Report) {
        self.happen(Event::Report(report));
    }

    /// Presses keys: characters, and names in angle brackets.
    pub fn keys(&mut self, script: &str) -> &mut Self {
        let mut rest = script;
        while let Some(c) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
            let mut modifiers = KeyModifiers::NONE;
            let (code, after) = match named {
                Some(("ctrl-s", after)) => {
                    modifiers = KeyModifiers::CONTROL;
                    (KeyCode::Char('s'), after)
                }
                Some(("ctrl-x", after)) => {
                    modifiers = KeyModifiers::CONTROL;
                    (KeyCode::Char('x'), after)
                }
                Some(("enter", after)) => (KeyCode::Enter, after),
                Some(("esc", after)) => (KeyCode::Esc, after),
                Some(("tab", after)) => (KeyCode::Tab, after),
                Some(("left", after)) => (KeyCode::Left, after),
                Some(("backspace", after)) => (KeyCode::Backspace, after),
                Some(("space", after)) => (KeyCode::Char(' '), after),
                Some((name, _)) => panic!("<{name}> is not a key"),
                None => (KeyCode::Char(c), &rest[c.len_utf8()..]),
            };
            self.happen(Event::Key(KeyEvent::new(code, modifiers)));
            rest = after;
        }
        self
    }

    pub fn selected(&self) -> &str {
        self.state.pipeline.selected.as_ref().map_or("", |(_, name)| name)
    }

    /// The last run that was asked for.
    pub fn asked_run(&self) -> Option<&mlops_tui::runs::RunRequest> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Run { request, .. } => Some(&**request),
            _ => None,
        })
    }

    /// The run that was asked for last can't be started.
    pub fn refuse_run(&mut self) {
        let generation = self.state.shared.generations.run;
        let failure = Failure { message: "no room".into(), ..Failure::default() };
        self.report(Report::RunRefused {
            generation: Some(generation),
            failure,
            needs_environment: false,
        });
    }

    /// The run that was asked for last can't be started without the Python environment.
    pub fn refuse_run_for_environment(&mut self) {
        let generation = Some(self.state.shared.generations.run);
        let failure = Failure { message: "no Kedro".into(), ..Failure::default() };
        self.report(Report::RunRefused { generation, failure, needs_environment: true });
    }

    pub fn start_run(&mut self, nodes: &[&str]) {
        let generation = self.state.shared.generations.run;
        let new = NewRun {
            started_at: NOW,
            pipeline: "__default__".into(),
            command: "kedro run".into(),
            ..NewRun::default()
        };
        let run = Box::new(RunRecord::begun(RunId::new(1), new));
        self.report(Report::RunStarted { generation: Some(generation), key: 1.into(), run });
        self.happens_in_run(
            0.5,
            RunEvent::RunStarted {
                pipeline: "__default__".into(),
                env: "local".into(),
                nodes: nodes.iter().map(ToString::to_string).collect(),
                kedro_version: "1.7.0".into(),
                runner: "SequentialRunner".into(),
                worker: mlops_tui::runs::Served::Warm,
            },
        );
    }

    pub fn happens_in_run(&mut self, after: f64, event: RunEvent) {
        self.report(Report::Run {
            key: 1.into(),
            events: vec![Stamped { at: NOW + after, event }],
        });
    }

    /// The screen as text. What is on it is legible in every theme.
    pub fn screen(&self) -> String {
        contrast::check(&self.state);
        let (columns, rows) = self.state.shared.size.into();
        let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
        let theme = Theme::built_in("dark", Depth::True);
        terminal.draw(|frame| ui::draw(frame, &self.state, &theme)).unwrap();
        let buffer = terminal.backend().buffer();
        let row = |y: u16| -> String {
            // A wide character hides the next cell.
            let mut hidden = 0;
            let cells = (0..columns).map(|x| buffer[(x, y)].symbol()).filter(|symbol| {
                let shown = hidden == 0;
                hidden = if shown { text::width(symbol).saturating_sub(1) } else { hidden - 1 };
                shown
            });
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..rows).map(row).collect::<Vec<_>>().join("\n")
    }
}
