//! The interpreter: its state, its limits, and how it reports values that it could not evaluate.

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
use crate::project::{ASK_KEDRO, Metadata, Place, Problem, Severity};

/// The largest number of iterations of one `while` loop.
pub(super) const MAX_ROUNDS: usize = 100_000;
/// The deepest nesting of evaluation: far above Python's own limit, and safe for the large stack
/// that the evaluation runs on.
const MAX_DEPTH: u32 = 12_000;
/// The deepest nesting of calls; Python's own limit is 1,000.
pub(super) const MAX_CALLS: u32 = 400;
/// The longest text that is computed, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;
/// The largest number of problems kept; nobody would read more.
const MAX_PROBLEMS: usize = 1_000;
/// The longest text of a problem in bytes; it may quote names of any length.
const MAX_PROBLEM_TEXT: usize = 4_000;
/// The reason given for values beyond the budget.
const TOO_MUCH: &str = "it computes too much to be read";
/// The deepest nesting of compartments; see [`Interp::compartment`].
const MAX_COMPARTMENTS: u32 = 4;

/// The bytes of one kept value without its items: the value, its shared part, and its slot in the
/// heap list.
const VALUE_BYTES: usize = 160;
/// The bytes of a scope with a few names.
const SCOPE_BYTES: usize = 400;
/// The bytes of one list item, and below, of one entry of a dictionary or set.
pub(super) const ITEM_BYTES: usize = size_of::<Value<'_>>();
pub(super) const ENTRY_BYTES: usize = 2 * ITEM_BYTES + size_of::<Key>() + 24;

/// Why evaluation stopped early.
pub(super) enum Stop<'a> {
    /// An exception inside a `try` that may catch it.
    Raised(Box<Raised<'a>>),
    /// The budget of the evaluation is spent.
    Exhausted,
}

impl From<Spent> for Stop<'_> {
    fn from(_: Spent) -> Self {
        Stop::Exhausted
    }
}

/// A raised Python exception that may be caught.
pub(super) struct Raised<'a> {
    pub class: Value<'a>,
    pub text: String,
    pub place: Place,
}

/// The result of evaluating an expression.
pub(super) type Eval<'a> = Result<Value<'a>, Stop<'a>>;

/// The context in which code is evaluated: a module, class body, call or comprehension.
#[derive(Clone)]
pub(super) struct Frame<'a> {
    pub module: Rc<Module<'a>>,
    pub source: &'a Source,
    pub scope: Rc<Scope<'a>>,
    /// The values that a generator has yielded so far.
    pub yields: Option<Rc<List<'a>>>,
}

impl<'a> Frame<'a> {
    /// The same frame with names bound in `scope`.
    pub(super) fn within(&self, scope: Rc<Scope<'a>>) -> Frame<'a> {
        Frame { scope, ..self.clone() }
    }
}

/// One evaluation of a project's code.
pub(super) struct Interp<'a> {
    pub metadata: &'a Metadata,
    /// The remaining budget of this evaluation.
    pub budget: &'a Budget,
    pub modules: HashMap<String, Rc<Module<'a>>>,
    /// Names of datasets and nodes as numbers, so that pipelines compare quickly.
    pub names: Names,
    pub problems: IndexMap<(Option<Place>, String), Problem>,
    /// The first place where Python would have stopped, since this field was last taken.
    pub stopped: Option<Rc<Unknown>>,
    /// The number of enclosing `try` statements with handlers.
    pub tries: u32,
    pub calls: u32,
    pub generators: HashMap<usize, bool>,
    /// The functions that code which may or may not run could call, each with its object, as
    /// addresses.
    pub perhaps_called: HashSet<(usize, usize)>,
    /// The current nesting depth inside containers, for comparisons and the like.
    nesting: Cell<u32>,
    opened: &'a Opened,
    cache: RefCell<&'a mut SourceCache>,
    purpose: Purpose,
    depth: u32,
    compartments: u32,
    /// The place where the budget was spent, until it is reported.
    exhausted_at: Option<Place>,
    /// Every value that holds others, oldest first, so that they can be freed without recursion.
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

    /// The parsed file at `path`, kept until this evaluation ends.
    pub(super) fn open(&self, path: &std::path::Path) -> Option<&'a Source> {
        let source = self.cache.borrow_mut().load(path, &self.metadata.root, self.purpose)?;
        self.opened.keep(source)
    }

    /// Charges one step of evaluation.
    ///
    /// # Errors
    /// [`Stop::Exhausted`] when the budget is spent.
    pub(super) fn step(&self) -> Result<(), Stop<'a>> {
        self.elements(STEP)
    }

    /// Charges `count` elements that are read.
    pub(super) fn elements(&self, count: usize) -> Result<(), Stop<'a>> {
        Ok(self.budget.elements(count)?)
    }

    /// Charges `count` bytes before they are created.
    pub(super) fn bytes(&self, count: usize) -> Result<(), Stop<'a>> {
        Ok(self.budget.bytes(count)?)
    }

    /// Charges a list of `count` items before it is created.
    pub(super) fn room(&self, count: usize) -> Result<(), Stop<'a>> {
        self.elements(count)?;
        self.bytes(count.saturating_mul(ITEM_BYTES))
    }

    /// Charges a dictionary or set of `count` entries before it is created.
    pub(super) fn entry_room(&self, count: usize) -> Result<(), Stop<'a>> {
        self.elements(count.saturating_mul(4))?;
        self.bytes(count.saturating_mul(ENTRY_BYTES))
    }

    /// Charges `count` elements where a value is only read and evaluation can't stop.
    ///
    /// # Errors
    /// The reason why the result is unknown. The next step of evaluation then returns
    /// [`Stop::Exhausted`].
    pub(super) fn afford(&self, count: usize, at: At<'a>) -> Result<(), Rc<Unknown>> {
        self.budget.elements(count).map_err(|Spent| self.too_much(at))
    }

    /// Like [`Interp::afford`], for bytes of text.
    pub(super) fn afford_bytes(&self, count: usize, at: At<'a>) -> Result<(), Rc<Unknown>> {
        self.budget.bytes(count).map_err(|Spent| self.too_much(at))
    }

    fn too_much(&self, at: At<'a>) -> Rc<Unknown> {
        self.because(at, TOO_MUCH)
    }

    /// Records the first place where the budget was spent.
    pub(super) fn reached_bounds(&mut self, at: At<'a>) {
        self.exhausted_at.get_or_insert_with(|| at.place());
    }

    /// Runs `inner` with fifteen sixteenths of the remaining budget. If `inner` exhausts that
    /// share, a problem is listed and evaluation continues with the last sixteenth: the inner `Err`
    /// is the reason why the result is unknown. The caller must then poison the values that `inner`
    /// would have changed.
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

    /// Runs `inner` one nesting level deeper.
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

    /// Keeps a value that holds others until the evaluation ends.
    pub(super) fn keep(&mut self, value: Value<'a>) -> Value<'a> {
        // A single value is small. If the budget is spent, the next step of evaluation reports
        // that.
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

    /// A set of `members`. Unhashable or unknown members make the set open.
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

    /// An unknown value with `reason`.
    pub(super) fn unknown(&self, at: At<'a>, reason: impl Into<String>) -> Value<'a> {
        Value::Unknown(self.because(at, reason))
    }

    /// The reason why something at `at` is unknown.
    pub(super) fn because(&self, at: At<'a>, reason: impl Into<String>) -> Rc<Unknown> {
        Rc::new(Unknown { reason: reason.into(), place: at.place(), severity: Severity::Info })
    }

    /// The value's own reason for being unknown; otherwise "not evaluated".
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

    /// Raises a Python exception: inside a `try` it can be caught; otherwise it is listed as an
    /// error.
    ///
    /// Outside any `try`, Python would stop here. The evaluation continues with an unknown value,
    /// so that one mistake does not hide everything else.
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
        let text = format!("Python stops here with {class}: {text}.");
        self.problem(Problem::new(Severity::Error, Some(at.place()), text, remedy).hiding());
        let unknown = Rc::new(unknown);
        self.stopped.get_or_insert_with(|| unknown.clone());
        Ok(Value::Unknown(unknown))
    }

    /// Runs `inner` one container deeper; the depth is limited because containers may hold
    /// themselves.
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

    /// Lists a problem; duplicates are merged.
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
    pub(super) fn report_missing(&mut self, what: &str, why: &Unknown) {
        self.problem(self.unknowable(what, why).hiding());
    }

    /// Lists that `what` is shown but may be wrong because of `why`.
    pub(super) fn unsure(&mut self, what: &str, why: &Unknown) {
        self.problem(self.unknowable(what, why));
    }

    fn unknowable(&self, what: &str, why: &Unknown) -> Problem {
        let (text, remedy) = match why.severity {
            Severity::Error => (
                format!("{what} can't be read: {}.", why.reason),
                "Correct the code at this place.",
            ),
            _ => {
                (format!("{what} can't be told without running Python: {}.", why.reason), ASK_KEDRO)
            }
        };
        Problem::new(why.severity, Some(why.place.clone()), text, remedy)
    }

    /// Lists that the evaluation stopped because its budget was spent.
    pub(super) fn exhausted(&mut self) {
        let place = self.exhausted_at.take();
        self.problem(
            Problem::new(
                Severity::Warning,
                place,
                "The pipeline code computes too much to be read without running Python; \
                 what follows from this is missing.",
                ASK_KEDRO,
            )
            .hiding(),
        );
    }
}

impl Drop for Interp<'_> {
    /// First empties the values that can refer to newer values, then drops from the newest to the
    /// oldest. What remains refers only to older values, which are still held, so nothing is
    /// dropped recursively.
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
