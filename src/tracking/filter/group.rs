//! Groups tokens into comparisons like `sqlparse.engine.grouping`: names joined by periods, then lists in
//! parentheses, then the operands of comparators. MLflow rejects anything that becomes neither a comparison
//! nor `AND` (`SearchUtils._process_statement`).

use std::ops::Range;

use super::lexer::{Token, TokenKind};
use super::{Entity, FilterError};

/// The kind of a group of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// A single token.
    Token(TokenKind),
    /// A name, or several joined by periods, also with an index, an order or a cast.
    Identifier,
    /// `( ... )`.
    Parentheses,
    /// `[ ... ]`.
    Brackets,
    /// A comparison according to sqlparse.
    Comparison,
    /// A call or a calculation, which is invalid in filters.
    Other,
}

/// A group and its byte range in the text.
#[derive(Debug, Clone)]
struct Node {
    shape: Shape,
    at: Range<usize>,
    /// The children of a comparison.
    parts: Vec<Node>,
}

/// The parts of a comparison: an identifier, a comparator, and a value except for `IS [NOT] NULL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    /// Byte range of the whole comparison.
    pub at: Range<usize>,
    /// Byte range of the field's name.
    pub field: Range<usize>,
    /// Byte range of the comparator.
    pub comparator: Range<usize>,
    pub right: Right,
}

/// The right side of a comparator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Right {
    /// A whole number.
    Integer(Range<usize>),
    /// Any other number.
    Float(Range<usize>),
    /// A text in single quotes.
    Text(Range<usize>),
    /// A bare name, or a text in double quotes or backticks.
    Identifier(Range<usize>),
    /// A list in parentheses.
    List(Range<usize>),
    /// `IS NULL`.
    Null,
    /// `IS NOT NULL`.
    NotNull,
    /// Anything else.
    Other(Range<usize>),
}

impl Right {
    /// The byte range, if any.
    pub fn at(&self) -> Option<&Range<usize>> {
        match self {
            Right::Integer(at)
            | Right::Float(at)
            | Right::Text(at)
            | Right::Identifier(at)
            | Right::List(at)
            | Right::Other(at) => Some(at),
            Right::Null | Right::NotNull => None,
        }
    }
}

/// All comparisons of a text that MLflow's grammar accepts.
///
/// # Errors
/// When the text contains anything but comparisons and `AND`.
pub(super) fn comparisons(
    entity: Entity,
    text: &str,
    tokens: &[Token],
) -> Result<Vec<Comparison>, FilterError> {
    let nodes = join_lists(group(tokens));
    let is_valid =
        |node: &&Node| matches!(node.shape, Shape::Comparison | Shape::Token(TokenKind::And));
    let invalid: Vec<&Node> = nodes.iter().filter(|node| !is_valid(node)).collect();
    if let Some(first) = invalid.first() {
        // sqlparse treats a name after a comparison as its alias; the error should point at that name.
        let wrong = match first.parts.as_slice() {
            [Node { shape: Shape::Comparison, .. }, alias, ..] => alias,
            _ => first,
        };
        let clauses: Vec<String> =
            invalid.iter().map(|node| format!("'{}'", &text[node.at.clone()])).collect();
        return Err(FilterError::new(
            format!("Invalid clause(s) in filter string: {}", clauses.join(", ")),
            wrong.at.start,
        ));
    }
    let comparisons = nodes.iter().filter(|node| node.shape == Shape::Comparison);
    comparisons.map(|node| comparison_of(entity, text, node)).collect()
}

/// The range of the only identifier, if the text has nothing else.
pub(super) fn identifier(tokens: &[Token]) -> Option<Range<usize>> {
    let nodes = group(tokens);
    match nodes.as_slice() {
        [node] if node.shape == Shape::Identifier => Some(node.at.clone()),
        _ => None,
    }
}

fn comparison_of(entity: Entity, text: &str, node: &Node) -> Result<Comparison, FilterError> {
    let invalid = |reason: String, at: usize| {
        FilterError::new(format!("Invalid comparison clause. {reason}"), at)
    };
    let [left, comparator, rest @ ..] = node.parts.as_slice() else {
        return Err(invalid("Expected 3 tokens".to_owned(), node.at.start));
    };
    // For logged models, MLflow accepts anything as the name of a field.
    if left.shape != Shape::Identifier && entity != Entity::LoggedModel {
        let found = &text[left.at.clone()];
        return Err(invalid(format!("Expected 'Identifier' found '{found}'"), left.at.start));
    }
    let right = match rest {
        [] => match comparator.shape {
            Shape::Token(TokenKind::Null) => Right::Null,
            _ => Right::NotNull,
        },
        [value] => {
            let at = value.at.clone();
            match value.shape {
                Shape::Token(TokenKind::Integer) => Right::Integer(at),
                Shape::Token(TokenKind::Float) => Right::Float(at),
                Shape::Token(TokenKind::Text) => Right::Text(at),
                Shape::Identifier => Right::Identifier(at),
                Shape::Parentheses => Right::List(at),
                _ => Right::Other(at),
            }
        }
        [_, more, ..] => {
            let found = node.parts.len();
            return Err(invalid(format!("Expected 3 tokens found {found}"), more.at.start));
        }
    };
    Ok(Comparison {
        at: node.at.clone(),
        field: left.at.clone(),
        comparator: comparator.at.clone(),
        right,
    })
}

fn group(tokens: &[Token]) -> Vec<Node> {
    let single = |token: &Token| Node {
        shape: Shape::Token(token.kind),
        at: token.at.clone(),
        parts: Vec::new(),
    };
    let mut nodes = tokens.iter().map(single).collect();
    nodes = matching(nodes, TokenKind::OpenBracket, TokenKind::CloseBracket, Shape::Brackets);
    nodes = matching(nodes, TokenKind::Open, TokenKind::Close, Shape::Parentheses);
    calls(&mut nodes);
    periods(&mut nodes);
    // An index belongs to the name before it.
    pairs(
        &mut nodes,
        |node| {
            is_name(node)
                || matches!(node.shape, Shape::Brackets | Shape::Identifier | Shape::Other)
        },
        |next| next.shape == Shape::Brackets,
    );
    for node in &mut nodes {
        if is_name(node) {
            node.shape = Shape::Identifier;
        }
    }
    pairs(
        &mut nodes,
        |node| node.shape == Shape::Identifier || is_number(node),
        |next| next.shape == Shape::Token(TokenKind::Order),
    );
    between(&mut nodes, TokenKind::Cast, |_| true, Shape::Identifier);
    for operator in [TokenKind::Operator, TokenKind::Wildcard] {
        between(&mut nodes, operator, is_operand, Shape::Other);
    }
    compare(&mut nodes);
    // A name after a value is its alias.
    pairs(
        &mut nodes,
        |node| {
            matches!(
                node.shape,
                Shape::Parentheses | Shape::Identifier | Shape::Comparison | Shape::Other
            ) || is_number(node)
        },
        |next| next.shape == Shape::Identifier,
    );
    nodes
}

fn is_name(node: &Node) -> bool {
    matches!(node.shape, Shape::Token(TokenKind::Name | TokenKind::Symbol))
}

fn is_number(node: &Node) -> bool {
    matches!(node.shape, Shape::Token(TokenKind::Integer | TokenKind::Float | TokenKind::Hex))
}

/// Whether a node can be an operand of an operator or a comparator.
fn is_operand(node: &Node) -> bool {
    is_number(node)
        || matches!(
            node.shape,
            Shape::Identifier
                | Shape::Parentheses
                | Shape::Brackets
                | Shape::Other
                | Shape::Token(TokenKind::Text | TokenKind::Null)
        )
}

/// Replaces the nodes `from..=to` by one node.
fn merge(nodes: &mut Vec<Node>, from: usize, to: usize, shape: Shape) {
    let at = nodes[from].at.start..nodes[to].at.end;
    let parts: Vec<Node> = nodes.drain(from..=to).collect();
    nodes.insert(from, Node { shape, at, parts });
}

/// Groups everything between an opening and a closing token, in one pass.
fn matching(nodes: Vec<Node>, open: TokenKind, close: TokenKind, shape: Shape) -> Vec<Node> {
    let mut out: Vec<Node> = Vec::with_capacity(nodes.len());
    let mut opened = Vec::new();
    for node in nodes {
        let kind = node.shape;
        if kind == Shape::Token(open) {
            opened.push(out.len());
        }
        out.push(node);
        if kind == Shape::Token(close) {
            if let Some(from) = opened.pop() {
                let last = out.len() - 1;
                merge(&mut out, from, last, shape);
            }
        }
    }
    out
}

/// Groups calls: `name(...)`.
fn calls(nodes: &mut Vec<Node>) {
    let is_call = |pair: &[Node]| {
        pair[0].shape == Shape::Token(TokenKind::Name) && pair[1].shape == Shape::Parentheses
    };
    let mut at = 0;
    while at + 1 < nodes.len() {
        if is_call(&nodes[at..at + 2]) {
            merge(nodes, at, at + 1, Shape::Other);
        }
        at += 1;
    }
}

/// Groups names joined by periods. A period without a name after it belongs to the name before it.
fn periods(nodes: &mut Vec<Node>) {
    let joins =
        |node: &Node| is_name(node) || matches!(node.shape, Shape::Brackets | Shape::Identifier);
    let follows = |node: &Node| {
        is_name(node)
            || matches!(
                node.shape,
                Shape::Brackets
                    | Shape::Other
                    | Shape::Token(TokenKind::Wildcard | TokenKind::Text)
            )
    };
    let mut at = 1;
    while at < nodes.len() {
        if nodes[at].shape == Shape::Token(TokenKind::Period) && joins(&nodes[at - 1]) {
            let to = match nodes.get(at + 1) {
                Some(next) if follows(next) => at + 1,
                _ => at,
            };
            merge(nodes, at - 1, to, Shape::Identifier);
        } else {
            at += 1;
        }
    }
}

/// Groups each node that `first` accepts with the following nodes that `next` accepts, as an identifier.
fn pairs(nodes: &mut Vec<Node>, first: impl Fn(&Node) -> bool, next: impl Fn(&Node) -> bool) {
    let mut at = 0;
    while at + 1 < nodes.len() {
        if first(&nodes[at]) && next(&nodes[at + 1]) {
            merge(nodes, at, at + 1, Shape::Identifier);
        } else {
            at += 1;
        }
    }
}

/// Groups a token with the operands on both sides.
fn between(nodes: &mut Vec<Node>, middle: TokenKind, valid: impl Fn(&Node) -> bool, shape: Shape) {
    let mut at = 1;
    while at + 1 < nodes.len() {
        let joins = nodes[at].shape == Shape::Token(middle);
        if joins && valid(&nodes[at - 1]) && valid(&nodes[at + 1]) {
            merge(nodes, at - 1, at + 1, shape);
        } else {
            at += 1;
        }
    }
}

/// Groups a comparator with the operands on both sides, as a comparison.
fn compare(nodes: &mut Vec<Node>) {
    let mut at = 1;
    // A comparison can be the left side of another comparison: sqlparse nests them.
    let valid = |node: &Node| is_operand(node) || node.shape == Shape::Comparison;
    while at + 1 < nodes.len() {
        let joins = nodes[at].shape == Shape::Token(TokenKind::Comparator);
        if joins && valid(&nodes[at - 1]) && is_operand(&nodes[at + 1]) {
            merge(nodes, at - 1, at + 1, Shape::Comparison);
        } else {
            at += 1;
        }
    }
}

/// Groups `x IN (...)`, `x NOT IN (...)`, `x IS NULL` and `x IS NOT NULL` as comparisons, like MLflow's
/// `_join_in_comparison_tokens`: a name that starts none of them is grouped with the three nodes after it.
fn join_lists(nodes: Vec<Node>) -> Vec<Node> {
    let mut joined = Vec::with_capacity(nodes.len());
    let mut nodes = nodes.into_iter().peekable();
    while let Some(first) = nodes.next() {
        if nodes.len() < 2 || first.shape != Shape::Identifier {
            joined.push(first);
            continue;
        }
        let (Some(second), Some(third)) = (nodes.next(), nodes.next()) else { break };
        let (kind, last) = (second.shape, third.shape);
        if kind == Shape::Token(TokenKind::In) && last == Shape::Parentheses {
            joined.push(comparison(vec![first, second, third]));
            continue;
        }
        if kind == Shape::Token(TokenKind::Is)
            && matches!(last, Shape::Token(TokenKind::Null | TokenKind::NotNull))
        {
            joined.push(comparison(vec![first, third]));
            continue;
        }
        let is_not_in = kind == Shape::Token(TokenKind::Not) && last == Shape::Token(TokenKind::In);
        match nodes.next() {
            Some(fourth) if is_not_in && fourth.shape == Shape::Parentheses => {
                let at = second.at.start..third.at.end;
                let not_in = Node { shape: Shape::Token(TokenKind::In), at, parts: Vec::new() };
                joined.push(comparison(vec![first, not_in, fourth]));
            }
            fourth => joined
                .extend([Some(first), Some(second), Some(third), fourth].into_iter().flatten()),
        }
    }
    joined
}

fn comparison(parts: Vec<Node>) -> Node {
    let end = parts.last().map_or(0, |part| part.at.end);
    let start = parts.first().map_or(end, |part| part.at.start);
    Node { shape: Shape::Comparison, at: start..end, parts }
}
