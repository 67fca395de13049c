//! Normalises code, removing everything without an effect on results, and hashes it.

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use ruff_python_ast::comparable::{ComparableExpr, ComparableStmt};
use ruff_python_ast::visitor::transformer::{self, Transformer};
use ruff_python_ast::{
    AtomicNodeIndex, Decorator, ExceptHandler, Expr, Parameters, Stmt, StmtAssign, StmtFunctionDef,
    StmtIf, Suite,
};

/// Decorators that do not read the annotations of the decorated function.
const BLIND_DECORATORS: [&str; 10] = [
    "abstractmethod",
    "cache",
    "cached_property",
    "classmethod",
    "contextmanager",
    "lru_cache",
    "override",
    "property",
    "staticmethod",
    "wraps",
];

/// The hash of a module-level statement.
pub(super) fn hash_stmt(stmt: &Stmt) -> u128 {
    let mut stmt = stmt.clone();
    Strip::default().visit_stmt(&mut stmt);
    hash(&ComparableStmt::from(&stmt))
}

/// The hash of a lambda expression.
pub(super) fn hash_expr(expr: &Expr) -> u128 {
    hash(&ComparableExpr::from(expr))
}

/// The first 128 bits of the BLAKE3 hash of `bytes`.
pub(super) fn hash_bytes(bytes: &[u8]) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..16]);
    u128::from_le_bytes(first)
}

fn hash(tree: &impl Hash) -> u128 {
    let mut bytes = Bytes(Vec::with_capacity(1024));
    tree.hash(&mut bytes);
    hash_bytes(&bytes.0)
}

/// Collects the hashed bytes, which are the same on every machine.
struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn write_u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn write_u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }
}

/// Whether a statement has no effect: a docstring, another bare literal, or `pass`.
pub(super) fn is_idle(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Pass(_) => true,
        Stmt::Expr(expr) => expr.value.is_literal_expr(),
        _ => false,
    }
}

/// Whether the body of this `if` is only for type checkers.
pub(super) fn is_type_checking(stmt: &StmtIf) -> bool {
    match &*stmt.test {
        Expr::Name(name) => name.id == "TYPE_CHECKING",
        Expr::Attribute(attribute) => attribute.attr.as_str() == "TYPE_CHECKING",
        _ => false,
    }
}

/// Whether a decorator of a function may read its annotations.
pub(super) fn reads_annotations(decorators: &[Decorator]) -> bool {
    decorators.iter().any(|decorator| {
        let mut expr = &decorator.expression;
        if let Expr::Call(call) = expr {
            expr = &call.func;
        }
        let name = match expr {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return true,
        };
        !BLIND_DECORATORS.contains(&name)
    })
}

/// Removes docstrings and unread annotations.
#[derive(Default)]
struct Strip {
    in_class: Cell<bool>,
}

impl Strip {
    fn body(&self, body: &mut Suite) {
        let in_class = self.in_class.get();
        body.retain(|stmt| match stmt {
            Stmt::AnnAssign(assign) => in_class || assign.value.is_some() || !assign.simple,
            other => !is_idle(other),
        });
    }

    fn function(def: &mut StmtFunctionDef) {
        if reads_annotations(&def.decorator_list) {
            return;
        }
        def.returns = None;
        Strip::parameters(&mut def.parameters);
    }

    fn parameters(parameters: &mut Parameters) {
        let all = (parameters.posonlyargs.iter_mut())
            .chain(&mut parameters.args)
            .chain(&mut parameters.kwonlyargs)
            .map(|parameter| &mut parameter.parameter);
        let rest = parameters.vararg.as_deref_mut().into_iter();
        for parameter in all.chain(rest).chain(parameters.kwarg.as_deref_mut()) {
            parameter.annotation = None;
        }
    }

    /// Visits the inside of a function or class.
    fn within(&self, class: bool, stmt: &mut Stmt) {
        let outside = self.in_class.replace(class);
        match stmt {
            Stmt::FunctionDef(def) => self.body(&mut def.body),
            Stmt::ClassDef(def) => self.body(&mut def.body),
            _ => {}
        }
        transformer::walk_stmt(self, stmt);
        self.in_class.set(outside);
    }
}

impl Transformer for Strip {
    fn visit_stmt(&self, stmt: &mut Stmt) {
        match stmt {
            Stmt::FunctionDef(def) => {
                Strip::function(def);
                self.within(false, stmt);
                return;
            }
            Stmt::ClassDef(_) => {
                self.within(true, stmt);
                return;
            }
            Stmt::AnnAssign(assign) if !self.in_class.get() => {
                if let Some(value) = assign.value.take() {
                    let targets = vec![(*assign.target).clone()];
                    let node_index = AtomicNodeIndex::NONE;
                    *stmt = Stmt::Assign(StmtAssign {
                        node_index,
                        range: assign.range,
                        targets,
                        value,
                    });
                }
            }
            Stmt::If(branch) => {
                if is_type_checking(branch) {
                    branch.body.clear();
                }
                self.body(&mut branch.body);
                branch.elif_else_clauses.iter_mut().for_each(|clause| self.body(&mut clause.body));
            }
            Stmt::For(each) => {
                self.body(&mut each.body);
                self.body(&mut each.orelse);
            }
            Stmt::While(each) => {
                self.body(&mut each.body);
                self.body(&mut each.orelse);
            }
            Stmt::With(with) => self.body(&mut with.body),
            Stmt::Try(attempt) => {
                for body in [&mut attempt.body, &mut attempt.orelse, &mut attempt.finalbody] {
                    self.body(body);
                }
                for ExceptHandler::ExceptHandler(handler) in &mut attempt.handlers {
                    self.body(&mut handler.body);
                }
            }
            Stmt::Match(choice) => {
                choice.cases.iter_mut().for_each(|case| self.body(&mut case.body));
            }
            _ => {}
        }
        transformer::walk_stmt(self, stmt);
    }
}
