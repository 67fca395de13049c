//! One Python file: its text, the recovered part of its syntax tree, and its lines.

use std::path::Path;
use std::sync::Arc;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{Expr, ModModule, Stmt};
use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::project::{Place, Problem, Severity};

/// Larger files are not read: nobody writes pipeline code of this size by hand.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;
/// Files up to this size can't nest deeply enough to overflow the parser's stack, so they are not
/// lexed first.
const UNCHECKED_BYTES: usize = 64 << 10;
/// The deepest syntax tree that is evaluated; CPython's parser gives up at 200 parentheses.
const MAX_TREE_DEPTH: u32 = 600;
/// The largest number of operators between two commas or line ends of a large file.
const MAX_OPERATORS: u32 = 5_000;
/// The largest number of syntax errors listed for one file; the first ones show the cause.
const MAX_SYNTAX_ERRORS: usize = 5;

/// A parsed Python file.
#[derive(Debug)]
pub(in crate::project) struct Source {
    /// The path shown in problems: relative to the project's folder if the file is inside it.
    pub shown: Arc<Path>,
    /// The whole text of the file.
    pub text: String,
    /// The recovered syntax tree.
    pub tree: ModModule,
    /// Syntax errors, or why the file was refused.
    pub problems: Vec<Problem>,
    /// The offsets of the syntax errors.
    errors: Vec<TextSize>,
    line_starts: Vec<u32>,
}

impl Source {
    /// Parses `text`. Needs a large stack: see [`super::on_large_stack`].
    pub(in crate::project) fn parse(shown: Arc<Path>, text: String) -> Source {
        let mut source = Source {
            shown,
            line_starts: line_starts(&text),
            text,
            tree: empty_tree(),
            problems: Vec::new(),
            errors: Vec::new(),
        };
        if too_deep_to_parse(&source.text) {
            source.refuse("is nested too deeply to be read");
            return source;
        }
        let parsed = parse_unchecked(&source.text, ParseOptions::from(Mode::Module));
        source.errors = parsed.errors().iter().map(|error| error.location.start()).collect();
        for error in parsed.errors().iter().take(MAX_SYNTAX_ERRORS) {
            let place = source.place(error.location.start());
            source.problems.push(Problem {
                hides: true,
                ..Problem::new(
                    Severity::Error,
                    Some(place),
                    format!("Python can't read this line: {}.", error.error),
                    "Correct the syntax; what stands around it is shown as far as it is whole.",
                )
            });
        }
        let Some(tree) = parsed.into_syntax().module() else { return source };
        if Depth::of(&tree) > MAX_TREE_DEPTH {
            source.refuse("is nested too deeply to be read");
        } else {
            source.tree = tree;
        }
        source
    }

    /// A file that is not parsed, with the reason as a problem.
    pub(super) fn refused(shown: Arc<Path>, why: &str) -> Source {
        let mut source = Source {
            shown,
            line_starts: vec![0],
            text: String::new(),
            tree: empty_tree(),
            problems: Vec::new(),
            errors: Vec::new(),
        };
        source.refuse(why);
        source
    }

    fn refuse(&mut self, why: &str) {
        self.problems.push(
            Problem::new(
                Severity::Warning,
                Some(Place::line(self.shown.clone(), 1)),
                format!("`{}` {why}, so nothing of it is shown.", self.shown.display()),
                "Start the exact reading to see what Kedro makes of it.",
            )
            .hiding(),
        );
    }

    /// Whether a part of the file is missing from the syntax tree.
    pub(super) fn broken(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Whether the call at `range` has a syntax error inside or lacks its closing bracket.
    ///
    /// An error exactly at its start or end belongs to the neighbouring code.
    pub(super) fn broken_call(&self, range: TextRange) -> bool {
        let inside = |error: &TextSize| range.start() < *error && *error < range.end();
        !self.errors.is_empty()
            && (self.errors.iter().any(inside) || !self.text[range].ends_with(')'))
    }

    /// The position of `offset` as a [`Place`].
    pub(in crate::project) fn place(&self, offset: TextSize) -> Place {
        let line = self.line(offset);
        let start = self.line_starts[line as usize - 1] as usize;
        let end = (offset.to_u32() as usize).min(self.text.len());
        let column = self.text.get(start..end).map_or(1, |text| text.chars().count() + 1);
        Place { file: self.shown.clone(), line, column: u32::try_from(column).unwrap_or(u32::MAX) }
    }

    /// The line of `offset`, counted from 1.
    pub(in crate::project) fn line(&self, offset: TextSize) -> u32 {
        let lines = self.line_starts.partition_point(|&start| start <= offset.to_u32());
        u32::try_from(lines.max(1)).unwrap_or(u32::MAX)
    }

    /// The text of line `line`, counted from 1; `None` beyond the end.
    pub(super) fn line_text(&self, line: u32) -> Option<&str> {
        let index = line.checked_sub(1)? as usize;
        let start = *self.line_starts.get(index)? as usize;
        let end = self.line_starts.get(index + 1).map_or(self.text.len(), |&end| end as usize);
        self.text.get(start..end).filter(|text| !text.is_empty())
    }

    /// The text of `range`.
    pub(in crate::project) fn slice(&self, range: TextRange) -> &str {
        self.text.get(range.to_std_range()).unwrap_or("")
    }

    /// The offset at which the line of `offset` starts.
    pub(super) fn line_start(&self, offset: TextSize) -> usize {
        self.line_starts[self.line(offset) as usize - 1] as usize
    }
}

fn empty_tree() -> ModModule {
    ModModule {
        node_index: ruff_python_ast::AtomicNodeIndex::NONE,
        range: TextRange::default(),
        body: ruff_python_ast::Suite::new(),
    }
}

fn line_starts(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (index, &byte) in bytes.iter().enumerate() {
        let ends_line = byte == b'\n' || (byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
        if ends_line {
            starts.push(u32::try_from(index + 1).unwrap_or(u32::MAX));
        }
    }
    starts
}

/// Whether parsing a large file could overflow the stack.
fn too_deep_to_parse(text: &str) -> bool {
    use ruff_python_ast::token::TokenKind as T;
    if text.len() <= UNCHECKED_BYTES {
        return false;
    }
    let (mut brackets, mut operators, mut indents) = (0_u32, 0_u32, 0_u32);
    let mut lexer = lex(text, Mode::Module);
    loop {
        match lexer.next_token() {
            T::EndOfFile => return false,
            T::Lpar | T::Lsqb | T::Lbrace => brackets += 1,
            T::Rpar | T::Rsqb | T::Rbrace => brackets = brackets.saturating_sub(1),
            T::Indent => indents += 1,
            T::Dedent => indents = indents.saturating_sub(1),
            T::Comma | T::Newline => operators = 0,
            T::Name | T::Int | T::Float | T::String | T::NonLogicalNewline | T::Comment => {}
            _ => operators += 1,
        }
        if brackets > MAX_TREE_DEPTH || indents > MAX_TREE_DEPTH || operators > MAX_OPERATORS {
            return true;
        }
    }
}

/// Measures the depth of a syntax tree.
#[derive(Default)]
struct Depth {
    now: u32,
    deepest: u32,
}

impl Depth {
    fn of(tree: &ModModule) -> u32 {
        let mut depth = Depth::default();
        depth.visit_body(&tree.body);
        depth.deepest
    }

    fn enter(&mut self) {
        self.now += 1;
        self.deepest = self.deepest.max(self.now);
    }
}

impl<'a> Visitor<'a> for Depth {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.enter();
        visitor::walk_stmt(self, stmt);
        self.now -= 1;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.enter();
        visitor::walk_expr(self, expr);
        self.now -= 1;
    }

    fn visit_pattern(&mut self, pattern: &'a ruff_python_ast::Pattern) {
        self.enter();
        visitor::walk_pattern(self, pattern);
        self.now -= 1;
    }
}

/// The location of an expression or statement: file and range.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    /// The file that contains the expression.
    pub source: &'a Source,
    /// The range in the file's text.
    pub range: TextRange,
}

impl<'a> At<'a> {
    pub(super) fn new(source: &'a Source, node: &impl Ranged) -> Self {
        At { source, range: node.range() }
    }

    /// The position of the range's start.
    pub(super) fn place(self) -> Place {
        self.source.place(self.range.start())
    }

    /// The expression as written, on one line and shortened.
    pub(super) fn text(self) -> String {
        const LONGEST: usize = 60;
        let mut text = String::new();
        for word in self.source.slice(self.range).split_whitespace() {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            if text.len() > LONGEST {
                let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(end, _)| end);
                text.truncate(end);
                text.push('…');
                break;
            }
        }
        text
    }
}
