//! Scopes: name binding and lookup.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::value::{Unknown, Value};

/// The kind of code that a scope belongs to; it decides how lookups pass through the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScopeKind {
    Module,
    Class,
    Function,
    Comprehension,
}

/// The names of a module, class body, call or comprehension.
pub(super) struct Scope<'a> {
    pub kind: ScopeKind,
    pub names: RefCell<HashMap<Rc<str>, Value<'a>>>,
    parent: RefCell<Option<Rc<Scope<'a>>>>,
    /// Names that `global` and `nonlocal` statements bind in another scope.
    elsewhere: RefCell<HashMap<Rc<str>, Elsewhere>>,
    /// Why there may be more names: a star import from outside the project.
    pub open: RefCell<Option<Rc<Unknown>>>,
}

/// The scope in which a `global` or `nonlocal` name is bound.
#[derive(Debug, Clone, Copy)]
pub(super) enum Elsewhere {
    Global,
    Nonlocal,
}

impl<'a> Scope<'a> {
    /// An empty scope inside `parent`.
    pub(super) fn new(kind: ScopeKind, parent: Option<Rc<Scope<'a>>>) -> Self {
        Scope {
            kind,
            names: RefCell::default(),
            parent: RefCell::new(parent),
            elsewhere: RefCell::default(),
            open: RefCell::new(None),
        }
    }

    /// The value of `name` in this or an enclosing scope, skipping class bodies in between.
    pub(super) fn get(self: &Rc<Self>, name: &str) -> Option<Value<'a>> {
        if let Some(value) = self.names.borrow().get(name) {
            return Some(value.clone());
        }
        let mut next = self.parent.borrow().clone();
        while let Some(scope) = next {
            if scope.kind != ScopeKind::Class
                && let Some(value) = scope.names.borrow().get(name)
            {
                return Some(value.clone());
            }
            next = scope.parent.borrow().clone();
        }
        None
    }

    /// The value of `name` that a function defined here captures. Names of the module are looked up
    /// again at each call, so they are not captured.
    pub(super) fn captured(self: &Rc<Self>, name: &str) -> Option<Value<'a>> {
        let mut next = Some(self.clone());
        while let Some(scope) = next.filter(|scope| scope.kind != ScopeKind::Module) {
            if scope.kind != ScopeKind::Class
                && let Some(value) = scope.own(name)
            {
                return Some(value);
            }
            next = scope.parent.borrow().clone();
        }
        None
    }

    /// The value of `name` in this scope only.
    pub(super) fn own(&self, name: &str) -> Option<Value<'a>> {
        self.names.borrow().get(name).cloned()
    }

    /// Binds `name` here, or in the scope that a `global` or `nonlocal` statement names.
    pub(super) fn set(self: &Rc<Self>, name: &str, value: Value<'a>) {
        let elsewhere = self.elsewhere.borrow().get(name).copied();
        let scope = match elsewhere {
            None => self.clone(),
            Some(Elsewhere::Global) => self.global(),
            Some(Elsewhere::Nonlocal) => self.enclosing_with(name).unwrap_or_else(|| self.clone()),
        };
        let mut names = scope.names.borrow_mut();
        if let Some(slot) = names.get_mut(name) {
            *slot = value;
        } else {
            names.insert(name.into(), value);
        }
    }

    /// Unbinds `name` in this scope.
    pub(super) fn delete(&self, name: &str) {
        self.names.borrow_mut().remove(name);
    }

    /// Binds a name for `:=`, which skips comprehension scopes.
    pub(super) fn set_outside_comprehension(self: &Rc<Self>, name: &str, value: Value<'a>) {
        let mut scope = self.clone();
        while scope.kind == ScopeKind::Comprehension {
            let Some(parent) = scope.parent.borrow().clone() else { break };
            scope = parent;
        }
        scope.set(name, value);
    }

    pub(super) fn declare(&self, name: &str, elsewhere: Elsewhere) {
        self.elsewhere.borrow_mut().insert(name.into(), elsewhere);
    }

    /// The scope of the module.
    pub(super) fn global(self: &Rc<Self>) -> Rc<Scope<'a>> {
        let mut scope = self.clone();
        loop {
            let Some(parent) = scope.parent.borrow().clone() else { return scope };
            scope = parent;
        }
    }

    /// The scope that functions defined here close over; class bodies are invisible to methods.
    pub(super) fn for_closure(self: &Rc<Self>) -> Rc<Scope<'a>> {
        let parent = self.parent.borrow().clone();
        match (self.kind, parent) {
            (ScopeKind::Class, Some(parent)) => parent.for_closure(),
            _ => self.clone(),
        }
    }

    fn enclosing_with(&self, name: &str) -> Option<Rc<Scope<'a>>> {
        let mut next = self.parent.borrow().clone();
        while let Some(scope) = next {
            if scope.kind == ScopeKind::Function && scope.names.borrow().contains_key(name) {
                return Some(scope);
            }
            next = scope.parent.borrow().clone();
        }
        None
    }

    /// Why this or an enclosing scope may bind further, unknown names.
    pub(super) fn any_open(self: &Rc<Self>) -> Option<Rc<Unknown>> {
        let mut scope = self.clone();
        loop {
            if let Some(why) = scope.open.borrow().clone() {
                return Some(why);
            }
            let parent = scope.parent.borrow().clone()?;
            scope = parent;
        }
    }

    /// Drops all values, so that cycles and long chains are freed without recursion.
    pub(super) fn clear(&self) {
        let names = std::mem::take(&mut *self.names.borrow_mut());
        let parent = self.parent.borrow_mut().take();
        drop((names, parent));
    }
}
