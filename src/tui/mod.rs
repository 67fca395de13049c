//! Owns the terminal: the event loop, the services it starts, input, suspend, panic.
//!
//! The loop takes all queued events, updates the state, passes the effects to the services, and
//! draws once, at most sixty times a second and only when something changed. Nothing is decided
//! here: [`crate::app`] decides, [`crate::ui`] draws.

mod background;

mod chosen;
mod editor;
mod export;
mod folders;
mod guard;
mod guest;
mod input;
mod late;
mod linking;
mod memory;
mod panic;
mod services;
mod settings;
mod signals;
mod terminal;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, bail};
use futures::FutureExt;
use tokio::sync::{Notify, mpsc};

use crate::app::effect::Effect;
use crate::app::event::{Event, Report};
use crate::app::settings::WorkerKind;
use crate::app::update::remember;
use crate::app::{State, update};
use crate::store::{liveness, now};
use crate::system::say;
use crate::text::sanitize;
use crate::text::secrets::redact;
use crate::ui;
use background::Answers;
use chosen::Kind;
use guard::Guard;
use guest::Guest;
use input::Heard;
use late::Late;
use services::{Message, Ready, Services};
pub use settings::{keymaps, themes};
use signals::{Signal, Signals};
use terminal::Terminal;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// The shortest time between two frames while the user waits for the answer to a key.
const ANSWER: Duration = Duration::from_millis(4);

/// The interval of tick events while something on the screen shows time.
const TICK: Duration = Duration::from_millis(250);

/// The interval of the ticks by which texts such as `5 min ago` advance.
const AGES: Duration = Duration::from_secs(20);

/// Exit code after a panic, the same as of Rust programs in general.
const PANICKED: u8 = 101;

/// Capacity of the report channel. Senders wait when it is full, so memory is bounded.
const QUEUE: usize = 1_024;

/// The arguments of the interactive program.
#[derive(Debug, Clone, Default)]
pub struct Start {
    /// The project's folder.
    pub root: PathBuf,
    /// Run environment.
    pub env: Option<String>,
    /// The project's Python interpreter.
    pub python: Option<PathBuf>,
    /// The theme, which overrides the user's setting.
    pub theme: Option<String>,
    /// The keymap, which overrides the user's setting.
    pub keymap: Option<String>,
    /// Whether to draw with ASCII characters only.
    pub ascii: bool,
}

/// Runs the interactive program until the user leaves it.
///
/// # Errors
/// If there is no terminal, or it can't be set up.
pub fn run(start: Start) -> Result<ExitCode> {
    use std::io::IsTerminal;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(
            "the screen needs a terminal; for scripts there are `inspect`, `config` and `run`, \
             all with --json"
        );
    }
    panic::install();
    log_to_file();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = catch_unwind(AssertUnwindSafe(|| runtime.block_on(Screen::run(start))));
    // A read that hangs on a dead network drive must not keep the program.
    runtime.shutdown_timeout(Duration::from_millis(500));
    terminal::restore();
    match (panic::message(), ended) {
        (Some(message), _) => {
            say::complain(&message);
            Ok(ExitCode::from(PANICKED))
        }
        (None, Ok(ended)) => ended,
        (None, Err(payload)) => resume_unwind(payload),
    }
}

/// Logs to `mlops-tui.log` in the state folder, if `$MLOPS_TUI_LOG` sets
/// a level (`debug`) or a filter of `tracing`. The project's data is not logged.
fn log_to_file() {
    let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("MLOPS_TUI_LOG") else { return };
    let folder = folders::state();
    let file = std::fs::create_dir_all(&folder).and_then(|()| {
        std::fs::File::options().create(true).append(true).open(folder.join("mlops-tui.log"))
    });
    if let Ok(file) = file {
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
        log.with_writer(std::sync::Mutex::new(Redacting(file))).init();
    }
}

/// A log file from whose lines secrets are removed.
struct Redacting(std::fs::File);

impl std::io::Write for Redacting {
    /// `tracing` writes each event with one call.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = redact(&String::from_utf8_lossy(bytes));
        std::io::Write::write_all(&mut self.0, text.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::Write::flush(&mut self.0)
    }
}

/// The event loop and its state.
struct Screen {
    terminal: Terminal,
    state: State,
    look: settings::Look,
    services: Services,
    /// The program that has the terminal, if it is not this one.
    guest: Option<Guest>,
    dirty: bool,
    /// Whether there was user input since the last frame.
    asked: bool,
    drawn: Instant,
    quit: bool,
}

impl Screen {
    async fn run(start: Start) -> Result<ExitCode> {
        let mut guard = Guard::start();
        let (sender, mut reports) = mpsc::channel(QUEUE);
        let mut look = settings::Look::load(&start);
        let services = Services::start(&start, look.settings.worker == WorkerKind::Fresh, sender);
        let signals = Signals::listen()?;
        Signals::watch()?;
        if let Some(guard) = &mut guard {
            guard.ready();
        }
        let asks = look.follows_background() && terminal::has_window();
        let (terminal, answers) = Terminal::enter(look.settings.mouse, || match asks {
            true => background::ask(),
            false => Answers::default(),
        })?;
        if let Some(background) = answers.background {
            look.set_background(background);
        }
        let closed = terminal::watch()?;
        let mut state = State::new(start.env.clone(), look.settings.clone(), now());
        remember::put_back(&mut state, memory::read(&start.root));
        let mut screen = Screen {
            state,
            terminal,
            look,
            services,
            guest: None,
            dirty: true,
            asked: false,
            drawn: Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now),
            quit: false,
        };
        let ended = AssertUnwindSafe(screen.follow(signals, &closed, &mut reports, answers))
            .catch_unwind()
            .await;
        if ended.is_ok() {
            let last = remember::changed(&mut screen.state);
            let last = last.map(|last| Effect::Remember(Box::new(last)));
            let deleted = screen.state.runs.delete_for_good();
            deleted.into_iter().chain(last).for_each(|effect| screen.services.perform(effect));
        }
        let Screen { terminal, services, .. } = screen;
        drop(terminal);
        drop(guard);
        // Close the channel, so that no sender waits for room in it.
        drop(reports);
        services.finish().await;
        match ended {
            Ok(Err(error)) if !terminal::is_gone() => Err(error),
            // Without a terminal there is nobody to report an error to.
            Ok(_) => Ok(ExitCode::SUCCESS),
            Err(payload) => resume_unwind(payload),
        }
    }

    /// The event loop, until the program ends.
    async fn follow(
        &mut self,
        mut signals: Signals,
        closed: &Notify,
        reports: &mut mpsc::Receiver<Message>,
        answers: Answers,
    ) -> Result<()> {
        self.resize()?;
        let effects = self.state.first_effects();
        self.perform(effects)?;
        self.report_settings();
        #[cfg(debug_assertions)]
        panic::provoke();
        let mut input = Some(input::start(Late::after(answers, Instant::now()))?);
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut ages = tokio::time::interval(AGES);
        ages.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);

        while !self.quit {
            let pause = if self.asked { ANSWER } else { FRAME };
            let wait = pause.saturating_sub(self.drawn.elapsed());
            let editing = self.guest.is_some();
            tokio::select! {
                biased;
                () = panic::happened() => return Ok(()),
                () = closed.notified() => return Ok(()),
                signal = signals.next() => match signal {
                    Signal::End => return Ok(()),
                    // The keys were pressed in the program that has the terminal, so they are for that program.
                    Signal::Interrupt if editing => self.guest.iter().for_each(Guest::interrupt),
                    Signal::Stop if editing => Signals::stop_self(),
                    Signal::Interrupt => self.happen(Event::Interrupt, &mut input)?,
                    Signal::Stop => self.suspend(&mut input)?,
                    Signal::Continue => self.redraw()?,
                },
                event = input::next(&mut input), if !editing => match event {
                    Some(Heard::Background(background)) => {
                        self.look.set_background(background);
                        self.report_settings();
                    }
                    Some(Heard::Event(event)) => {
                        self.asked = true;
                        self.happen(event, &mut input)?;
                    }
                    // The terminal is gone.
                    None => return Ok(()),
                },
                Some(message) = reports.recv() => {
                    self.hear(message, &mut input)?;
                    while let Ok(message) = reports.try_recv() {
                        self.hear(message, &mut input)?;
                        if self.drawn.elapsed() > FRAME {
                            break;
                        }
                    }
                }
                error = wait_for(&mut self.guest), if editing => {
                    self.guest_left(error)?;
                    input = Some(input::start(Late::default())?);
                }
                _ = tick.tick(), if self.state.shows_time() => {
                    self.happen(Event::Tick(now()), &mut input)?;
                }
                _ = ages.tick() => self.happen(Event::Tick(now()), &mut input)?,
                () = tokio::time::sleep(wait), if self.dirty && !editing => self.draw()?,
            }
        }
        Ok(())
    }

    fn hear(&mut self, message: Message, input: &mut Option<input::Input>) -> Result<()> {
        match message {
            Message::Event(event) => self.happen(event, input),
            Message::Prompt(ready) => {
                self.open_prompt(&ready)?;
                if self.guest.is_some() {
                    *input = None;
                }
                Ok(())
            }
            Message::Settings => {
                self.look.reload();
                self.report_settings();
                Ok(())
            }
        }
    }

    fn happen(&mut self, event: Event, input: &mut Option<input::Input>) -> Result<()> {
        let effects = update(&mut self.state, event);
        self.dirty = true;
        let suspend = effects.contains(&Effect::Suspend);
        self.perform(effects)?;
        if self.guest.is_some() {
            *input = None;
        }
        if suspend {
            self.suspend(input)?;
        }
        Ok(())
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.quit = true,
                // Handled after all other effects have started.
                Effect::Suspend => {}
                Effect::Redraw => self.redraw()?,
                Effect::Copy(text) => self.terminal.write_sequence(&input::osc52(&text))?,
                Effect::Notify(text) => {
                    let text = sanitize(&text);
                    let ways = self.look.settings.notify.iter();
                    let all: String = ways.map(|way| way.sequence(&text)).collect();
                    self.terminal.write_sequence(&all)?;
                }
                Effect::Draw(generation) => {
                    if let Some(picture) = self.state.pipeline.picture(&self.state.shared) {
                        self.services.draw(generation, picture);
                    }
                }
                Effect::Export(file) => self.export(&file),
                Effect::ReloadSettings => {
                    self.look.reload();
                    self.report_settings();
                }
                Effect::SetTheme(name) => {
                    self.look.set_theme(name);
                    self.report_settings();
                }
                Effect::ChooseTheme(name) => self.choose(Kind::Theme, name),
                Effect::ChooseKeymap(name) => self.choose(Kind::Keymap, name),
                Effect::Edit(place) => self.edit(&place)?,
                other => self.services.perform(other),
            }
        }
        Ok(())
    }

    /// Takes a theme or keymap that was chosen on the screen.
    fn choose(&mut self, kind: Kind, name: String) {
        let told = self.look.choose(kind, name);
        self.report_settings();
        self.notice(&told);
    }

    fn export(&mut self, file: &str) {
        match export::export(self.services.root(), &self.state, file) {
            Ok(()) => self.notice(&format!("Written: {file}")),
            Err(error) => {
                update(&mut self.state, Event::Report(Report::Failed(error.line())));
            }
        }
    }

    fn draw(&mut self) -> Result<()> {
        self.terminal.set_title(&self.state.window_title())?;
        let (state, theme) = (&self.state, &self.look.theme);
        let began = Instant::now();
        let here = self.look.links().then(|| self.services.root().to_owned()).zip(liveness::host());
        self.terminal.draw(|frame, links| {
            links.set_here(here);
            ui::draw_linked(frame, state, theme, links);
        })?;
        tracing::trace!(micros = began.elapsed().as_micros(), "frame");
        self.dirty = false;
        self.asked = false;
        self.drawn = Instant::now();
        Ok(())
    }

    fn redraw(&mut self) -> Result<()> {
        if self.guest.is_none() {
            self.terminal.clear()?;
            self.dirty = true;
        }
        Ok(())
    }

    fn suspend(&mut self, input: &mut Option<input::Input>) -> Result<()> {
        *input = None;
        self.terminal.leave();
        Signals::stop_self();
        self.terminal.return_to()?;
        *input = Some(input::start(Late::default())?);
        self.resize()
    }

    /// Asks for the terminal's size, which may have changed while another program had it.
    fn resize(&mut self) -> Result<()> {
        let (columns, rows) = self.terminal.size()?;
        let effects = update(&mut self.state, Event::Resize(columns, rows));
        self.dirty = true;
        self.perform(effects)
    }

    fn edit(&mut self, place: &crate::project::Place) -> Result<()> {
        let file = self.services.root().join(&place.file);
        let env = |name: &str| std::env::var_os(name);
        let Some(command) = editor::command(&file, place.line, place.column, env) else {
            self.notice("There is no editor: set $EDITOR, for example `export EDITOR=nano`.");
            return Ok(());
        };
        self.step_aside(command)
    }

    /// Gives the terminal to a program until it ends.
    fn step_aside(&mut self, command: std::process::Command) -> Result<()> {
        self.terminal.leave();
        let program = command.get_program().to_string_lossy().into_owned();
        let mut command = tokio::process::Command::from(command);
        match command.current_dir(self.services.root()).spawn() {
            Ok(child) => self.guest = Some(Guest::Editor(child)),
            Err(error) => {
                self.terminal.return_to()?;
                self.notice(&format!("`{program}` can't be started: {error}."));
            }
        }
        Ok(())
    }

    fn open_prompt(&mut self, ready: &Ready) -> Result<()> {
        if self.guest.is_some() {
            return Ok(());
        }
        self.terminal.leave();
        match Guest::prompt(ready) {
            Ok(prompt) => self.guest = Some(prompt),
            Err(error) => self.guest_left(Some(format!("Python can't be started: {error}.")))?,
        }
        Ok(())
    }

    fn guest_left(&mut self, error: Option<String>) -> Result<()> {
        self.guest = None;
        self.terminal.return_to()?;
        self.resize()?;
        if let Some(error) = error {
            self.notice(&error);
        }
        Ok(())
    }

    fn notice(&mut self, text: &str) {
        // A notice has no effects.
        update(&mut self.state, Event::Report(Report::Notice(text.to_owned())));
        self.dirty = true;
    }

    fn report_settings(&mut self) {
        let report = self.look.report();
        self.services.set_fresh_worker(self.look.settings.worker == WorkerKind::Fresh);
        update(&mut self.state, Event::Report(report));
        self.dirty = true;
    }
}

async fn wait_for(guest: &mut Option<Guest>) -> Option<String> {
    match guest {
        Some(guest) => guest.end().await,
        None => std::future::pending().await,
    }
}
