//! The interpreter: what it holds, how far it goes, and how it tells what it could not know.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use indexmap::IndexMap;

use super::cache::{Opened, Purpose, SourceCache};
use super::kedro::Names;
use super::scope::{Scope, ScopeKind};
use super::source::{At, Source};
use super::value::{Dict, Key, List, MAX_NESTING, Module, Set, Unknown, Value};
use crate::project::budget::{Budget, STEP, Spent};
use crate::project::{Metadata, Place, Problem, Severity};

/// Most rounds of one `while` loop.
pub(super) const MAX_ROUNDS: usize = 100_000;
/// Deepest nesting of evaluation, far above what Python itself allows and below our stack.
const MAX_DEPTH: u32 = 12_000;
/// Deepest nesting of calls; Python's own limit is 1,000.
pub(super) const MAX_CALLS: u32 = 400;
/// Longest text that is computed.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// Most problems kept; more would not be read.
const MAX_PROBLEMS: usize = 1_000;
/// Longest text of a problem; names that are quoted in it may be of any length.
const MAX_PROBLEM_TEXT: usize = 4_000;
/// Why what lies beyond the bounds is not known.
const TOO_MUCH: &str = "it computes too much to be read";
/// How many compartments lie within one another; see [`Interp::compartment`].
const MAX_COMPARTMENTS: u32 = 4;

/// What one kept value takes beside its items: the value, its shared part, and the place that
/// remembers it.
const VALUE_BYTES: usize = 160;
/// What a scope takes with a few names in it.
const SCOPE_BYTES: usize = 400;
/// What one item of a list takes, and one entry of a dictionary or set.
pub(super) const ITEM_BYTES: usize = size_of::<Value<'_>>();
pub(super) const ENTRY_BYTES: usize = 2 * ITEM_BYTES + size_of::<Key>() + 24;

/// Why evaluation left its course.
pub(super) enum Stop<'a> {
    /// An exception, inside a `try` that may catch it.
    Raised(Box<Raised<'a>>),
    /// The bounds of one reading are reached.
    Exhausted,
}

impl From<Spent> for Stop<'_> {
    fn from(_: Spent) -> Self {
        Stop::Exhausted
    }
}

/// A Python exception.
pub(super) struct Raised<'a> {
    pub class: Value<'a>,
    pub text: String,
    pub place: Place,
}

/// The result of evaluating an expression.
pub(super) type Eval<'a> = Result<Value<'a>, Stop<'a>>;

/// What code is evaluated in: a module, class body, call or comprehension.
#[derive(Clone)]
pub(super) struct Frame<'a> {
    pub module: Rc<Module<'a>>,
    pub source: &'a Source,
    pub scope: Rc<Scope<'a>>,
    /// What a generator has yielded so far.
    pub yields: Option<Rc<List<'a>>>,
}

impl<'a> Frame<'a> {
    /// The same frame with names bound in `scope`.
    pub(super) fn within(&self, scope: Rc<Scope<'a>>) -> Frame<'a> {
        Frame { scope, ..self.clone() }
    }
}

/// One reading of a project's code.
pub(super) struct Interp<'a> {
    pub metadata: &'a Metadata,
    /// What this reading may still use up.
    pub budget: &'a Budget,
    pub modules: HashMap<String, Rc<Module<'a>>>,
    /// Datasets' and nodes' names as numbers, so that pipelines compare quickly.
    pub names: Names,
    pub problems: IndexMap<(Option<Place>, String), Problem>,
    /// Where Python would first have stopped, since this was last taken.
    pub stopped: Option<Rc<Unknown>>,
    /// How many `try` statements with handlers are around.
    pub tries: u32,
    pub calls: u32,
    pub generators: HashMap<usize, bool>,
    /// Functions that code which may run may call, each with its object, as addresses.
    pub perhaps_called: HashSet<(usize, usize)>,
    /// How deep in nested containers a comparison or the like is.
    nesting: Cell<u32>,
    opened: &'a Opened,
    cache: RefCell<&'a mut SourceCache>,
    purpose: Purpose,
    depth: u32,
    compartments: u32,
    /// Where the bounds were reached, until it is told.
    exhausted_at: Option<Place>,
    /// Every value that holds others, oldest first: they are let go without recursion.
    heap: Vec<Value<'a>>,
    scopes: Vec<Rc<Scope<'a>>>,
}

impl<'a> Interp<'a> {
    pub(super) fn new(
        metadata: &'a Metadata,
        opened: &'a Opened,
        cache: &'a mut SourceCache,
        purpose: Purpose,
        budget: &'a Budget,
    ) -> Self {
        cache.begin(purpose);
        Interp {
            metadata,
            budget,
            modules: HashMap::new(),
            names: Names::default(),
            problems: IndexMap::new(),
            stopped: None,
            tries: 0,
            calls: 0,
            generators: HashMap::new(),
            perhaps_called: HashSet::new(),
            nesting: Cell::new(0),
            opened,
            cache: RefCell::new(cache),
            purpose,
            depth: 0,
            compartments: 0,
            exhausted_at: None,
            heap: Vec::new(),
            scopes: Vec::new(),
        }
    }

    /// The file at `path`, parsed, and kept for as long as this reading goes on.
    pub(super) fn open(&self, path: &std::path::Path) -> Option<&'a Source> {
        let source = self.cache.borrow_mut().load(path, &self.metadata.root, self.purpose)?;
        self.opened.keep(source)
    }

    /// Counts one step of evaluation.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the bounds are reached.
    pub(super) fn step(&self) -> Result<(), Stop<'a>> {
        self.elements(STEP)
    }

    /// Charges `count` elements that are looked at.
    pub(super) fn elements(&self, count: usize) -> Result<(), Stop<'a>> {
        Ok(self.budget.elements(count)?)
    }

    /// Charges `count` bytes that are about to be created.
    pub(super) fn bytes(&self, count: usize) -> Result<(), Stop<'a>> {
        Ok(self.budget.bytes(count)?)
    }

    /// Charges a list of `count` items that is about to be created.
    pub(super) fn room(&self, count: usize) -> Result<(), Stop<'a>> {
        self.elements(count)?;
        self.bytes(count.saturating_mul(ITEM_BYTES))
    }

    /// Charges a dictionary or set of `count` entries that is about to be created.
    pub(super) fn entry_room(&self, count: usize) -> Result<(), Stop<'a>> {
        self.elements(count.saturating_mul(4))?;
        self.bytes(count.saturating_mul(ENTRY_BYTES))
    }

    /// Charges `count` elements where a value is only looked at.
    ///
    /// # Errors
    /// Why the result can't be known. The next step of evaluation then stops the reading.
    pub(super) fn afford(&self, count: usize, at: At<'a>) -> Result<(), Rc<Unknown>> {
        self.budget.elements(count).map_err(|Spent| self.too_much(at))
    }

    /// The same for bytes of text.
    pub(super) fn afford_bytes(&self, count: usize, at: At<'a>) -> Result<(), Rc<Unknown>> {
        self.budget.bytes(count).map_err(|Spent| self.too_much(at))
    }

    fn too_much(&self, at: At<'a>) -> Rc<Unknown> {
        self.because(at, TOO_MUCH)
    }

    /// Remembers where the bounds were first reached.
    pub(super) fn reached_bounds(&mut self, at: At<'a>) {
        self.exhausted_at.get_or_insert_with(|| at.place());
    }

    /// Does `inner` with fifteen sixteenths of what is left of the budget. When that is not enough, a
    /// problem says so, and the reading goes on with the last sixteenth: `Err` says why the result is
    /// not known, and what `inner` would have changed is for the caller to mark.
    pub(super) fn compartment<T>(
        &mut self,
        at: At<'a>,
        inner: impl FnOnce(&mut Self) -> Result<T, Stop<'a>>,
    ) -> Result<Result<T, Rc<Unknown>>, Stop<'a>> {
        if self.compartments >= MAX_COMPARTMENTS {
            return inner(self).map(Ok);
        }
        let Some(aside) = self.budget.set_aside() else { return inner(self).map(Ok) };
        let (depth, calls, tries) = (self.depth, self.calls, self.tries);
        self.compartments += 1;
        let result = inner(self);
        self.compartments -= 1;
        self.budget.put_back(aside);
        match result {
            Err(Stop::Exhausted) => {
                (self.depth, self.calls, self.tries) = (depth, calls, tries);
                self.nesting.set(0);
                self.reached_bounds(at);
                let place = self.exhausted_at.clone().unwrap_or_else(|| at.place());
                self.exhausted();
                let severity = Severity::Info;
                Ok(Err(Rc::new(Unknown { reason: TOO_MUCH.to_owned(), place, severity })))
            }
            result => result.map(Ok),
        }
    }

    /// Goes one level deeper for the time of `inner`.
    pub(super) fn deeper<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, Stop<'a>>,
    ) -> Result<T, Stop<'a>> {
        self.step()?;
        if self.depth >= MAX_DEPTH {
            return Err(Stop::Exhausted);
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Keeps a value that holds others until the reading ends.
    pub(super) fn keep(&mut self, value: Value<'a>) -> Value<'a> {
        // A value by itself is small: where the budget is spent, the next step says so.
        let _ = self.budget.bytes(VALUE_BYTES);
        self.heap.push(value.clone());
        value
    }

    pub(super) fn list(&mut self, items: Vec<Value<'a>>) -> Value<'a> {
        self.open_list(items, None)
    }

    pub(super) fn open_list(
        &mut self,
        items: Vec<Value<'a>>,
        open: Option<Rc<Unknown>>,
    ) -> Value<'a> {
        let list = List { items: RefCell::new(items), open: RefCell::new(open) };
        self.keep(Value::List(Rc::new(list)))
    }

    /// An iterator over `items`.
    pub(super) fn iter(&mut self, items: Vec<Value<'a>>, open: Option<Rc<Unknown>>) -> Value<'a> {
        let list = List { items: RefCell::new(items), open: RefCell::new(open) };
        self.keep(Value::Iter(Rc::new(list)))
    }

    pub(super) fn tuple(&mut self, items: Vec<Value<'a>>) -> Value<'a> {
        self.keep(Value::Tuple(items.into()))
    }

    pub(super) fn dict(
        &mut self,
        entries: IndexMap<Key, (Value<'a>, Value<'a>)>,
        open: Option<Rc<Unknown>>,
    ) -> Value<'a> {
        let dict = Dict { entries: RefCell::new(entries), open: RefCell::new(open) };
        self.keep(Value::Dict(Rc::new(dict)))
    }

    /// A set of `members`; those that can't be hashed or known leave it open.
    pub(super) fn set(
        &mut self,
        members: impl IntoIterator<Item = Value<'a>>,
        open: Option<Rc<Unknown>>,
        at: At<'a>,
    ) -> Value<'a> {
        let set = Set::default();
        *set.open.borrow_mut() = open;
        for member in members {
            if self.budget.elements(4).and_then(|()| self.budget.bytes(ENTRY_BYTES)).is_err() {
                set.open.borrow_mut().get_or_insert_with(|| self.too_much(at));
                break;
            }
            match member.key(self.budget) {
                Some(key) => {
                    set.members.borrow_mut().entry(key).or_insert(member);
                }
                None => {
                    let why = self.why(&member, at);
                    set.open.borrow_mut().get_or_insert(why);
                }
            }
        }
        self.keep(Value::Set(Rc::new(set)))
    }

    pub(super) fn scope(
        &mut self,
        kind: ScopeKind,
        parent: Option<Rc<Scope<'a>>>,
    ) -> Rc<Scope<'a>> {
        let _ = self.budget.bytes(SCOPE_BYTES);
        let scope = Rc::new(Scope::new(kind, parent));
        self.scopes.push(scope.clone());
        scope
    }

    /// A value that can't be known because of `reason`.
    pub(super) fn unknown(&self, at: At<'a>, reason: impl Into<String>) -> Value<'a> {
        Value::Unknown(self.because(at, reason))
    }

    /// Why something at `at` can't be known.
    pub(super) fn because(&self, at: At<'a>, reason: impl Into<String>) -> Rc<Unknown> {
        Rc::new(Unknown { reason: reason.into(), place: at.place(), severity: Severity::Info })
    }

    /// The value's own reason for being unknown, else that the expression is not evaluated.
    pub(super) fn why(&self, value: &Value<'a>, at: At<'a>) -> Rc<Unknown> {
        match value {
            Value::Unknown(unknown) => unknown.clone(),
            Value::External(name) => self.because(
                at,
                format!(
                    "`{}` comes from outside the project",
                    name.trim_start_matches("builtins.")
                ),
            ),
            _ => self.because(at, format!("`{}` is not evaluated", at.text())),
        }
    }

    /// Raises a Python exception: caught where a `try` is around, else listed as an error.
    ///
    /// Outside of any `try` Python would stop here; the reading goes on with an unknown value, so
    /// that one mistake does not hide everything else.
    pub(super) fn raise(
        &mut self,
        at: At<'a>,
        class: &str,
        text: impl Into<String>,
        remedy: &str,
    ) -> Eval<'a> {
        let text = text.into();
        if self.tries > 0 {
            let class = Value::External(format!("builtins.{class}").into());
            return Err(Stop::Raised(Box::new(Raised { class, text, place: at.place() })));
        }
        let unknown =
            Unknown { reason: text.clone(), place: at.place(), severity: Severity::Error };
        let told = format!("Python stops here with {class}: {text}.");
        self.problem(Problem::new(Severity::Error, Some(at.place()), told, remedy).hiding());
        let unknown = Rc::new(unknown);
        self.stopped.get_or_insert_with(|| unknown.clone());
        Ok(Value::Unknown(unknown))
    }

    /// Looks into a container for the time of `inner`; containers may hold themselves.
    pub(super) fn look_into<T>(
        &self,
        at: At<'a>,
        inner: impl FnOnce() -> Result<T, Rc<Unknown>>,
    ) -> Result<T, Rc<Unknown>> {
        if self.nesting.get() >= MAX_NESTING {
            return Err(self.because(at, "the values are nested too deeply"));
        }
        self.nesting.set(self.nesting.get() + 1);
        let result = inner();
        self.nesting.set(self.nesting.get() - 1);
        result
    }

    /// Lists a problem, once.
    pub(super) fn problem(&mut self, mut problem: Problem) {
        let _ = self.budget.bytes(problem.text.len());
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        if problem.text.len() > MAX_PROBLEM_TEXT {
            let end = problem.text.floor_char_boundary(MAX_PROBLEM_TEXT);
            problem.text.truncate(end);
            problem.text.push('…');
        }
        let key = (problem.place.clone(), problem.text.clone());
        self.problems
            .entry(key)
            .and_modify(|known| known.hides |= problem.hides)
            .or_insert(problem);
    }

    /// Lists that `what` is missing because of `why`.
    pub(super) fn lost(&mut self, what: &str, why: &Unknown) {
        self.problem(self.unknowable(what, why).hiding());
    }

    /// Lists that `what` is shown, but may be otherwise because of `why`.
    pub(super) fn unsure(&mut self, what: &str, why: &Unknown) {
        self.problem(self.unknowable(what, why));
    }

    fn unknowable(&self, what: &str, why: &Unknown) -> Problem {
        let (text, remedy) = match why.severity {
            Severity::Error => (
                format!("{what} can't be read: {}.", why.reason),
                "Correct the code at this place.",
            ),
            _ => (
                format!("{what} can't be told without running Python: {}.", why.reason),
                "The exact reading, by Kedro itself, tells it.",
            ),
        };
        Problem::new(why.severity, Some(why.place.clone()), text, remedy)
    }

    /// Lists that the reading was stopped at its bounds.
    pub(super) fn exhausted(&mut self) {
        let place = self.exhausted_at.take();
        self.problem(
            Problem::new(
                Severity::Warning,
                place,
                "The pipeline code computes too much to be read without running Python; \
                 what follows from this is missing.",
                "The exact reading, by Kedro itself, tells it.",
            )
            .hiding(),
        );
    }
}

impl Drop for Interp<'_> {
    /// Empties what can hold later values, then lets go from the newest to the oldest: what is left
    /// only points to older values, which are still held, so nothing is dropped recursively.
    fn drop(&mut self) {
        self.modules.clear();
        for value in &self.heap {
            match value {
                Value::List(list) | Value::Iter(list) => drop(list.items.take()),
                Value::Dict(dict) => drop(dict.entries.take()),
                Value::Set(set) => drop(set.members.take()),
                Value::Function(function) => drop(function.attributes.take()),
                Value::Partial(partial) => drop(partial.attributes.take()),
                Value::Instance(instance) => drop(instance.attributes.take()),
                _ => {}
            }
        }
        for scope in &self.scopes {
            scope.clear();
        }
        while self.heap.pop().is_some() {}
    }
}
