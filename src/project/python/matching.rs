//! Evaluation of `match` statements.

use std::rc::Rc;

use ruff_python_ast::{Pattern, PatternArguments, PatternMatchMapping, Singleton, Stmt, StmtMatch};

use super::interp::{Frame, Interp, Stop};
use super::source::At;
use super::stmt::Flow;
use super::value::{Unknown, Value};

/// Whether a pattern matches, or the reason why that is unknown.
type Matched<'a> = Result<Result<bool, Rc<Unknown>>, Stop<'a>>;

impl<'a> Interp<'a> {
    /// Runs the first case that matches. If a match is uncertain, everything that this or a later
    /// case may change becomes unknown.
    pub(super) fn exec_match(
        &mut self,
        stmt: &'a StmtMatch,
        frame: &Frame<'a>,
    ) -> Result<Flow<'a>, Stop<'a>> {
        let subject = self.eval(&stmt.subject, frame)?;
        for (index, case) in stmt.cases.iter().enumerate() {
            let mut matched = self.matches(&case.pattern, &subject, frame)?;
            if let (Ok(true), Some(guard)) = (&matched, &case.guard) {
                let value = self.eval(guard, frame)?;
                matched = self.truth(&value, At::new(frame.source, &**guard));
            }
            match matched {
                Ok(true) => return self.exec_body(&case.body, frame),
                Ok(false) => {}
                Err(why) => {
                    let rest: Vec<&'a [Stmt]> =
                        stmt.cases[index..].iter().map(|case| &*case.body).collect();
                    for case in &stmt.cases[index..] {
                        self.poison_captures(&case.pattern, frame, &why);
                    }
                    return Ok(self.poison_branches(&rest, frame, &why));
                }
            }
        }
        Ok(Flow::Next)
    }

    fn matches(
        &mut self,
        pattern: &'a Pattern,
        subject: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Matched<'a> {
        self.deeper(|interp| interp.matches_one(pattern, subject, frame))
    }

    fn matches_one(
        &mut self,
        pattern: &'a Pattern,
        subject: &Value<'a>,
        frame: &Frame<'a>,
    ) -> Matched<'a> {
        let at = At::new(frame.source, pattern);
        if let Pattern::MatchAs(capture) = pattern {
            if let Some(inner) = &capture.pattern {
                match self.matches(inner, subject, frame)? {
                    Ok(true) => {}
                    other => return Ok(other),
                }
            }
            if let Some(name) = &capture.name {
                frame.scope.set(name.as_str(), subject.clone());
            }
            return Ok(Ok(true));
        }
        if let Value::Unknown(_) | Value::External(_) = subject {
            return Ok(Err(self.why(subject, at)));
        }
        match pattern {
            Pattern::MatchValue(pattern) => {
                let value = self.eval(&pattern.value, frame)?;
                Ok(self.equal(subject, &value, at))
            }
            Pattern::MatchSingleton(pattern) => Ok(Ok(match (&pattern.value, subject) {
                (Singleton::None, Value::None) => true,
                (Singleton::True, Value::Bool(value)) => *value,
                (Singleton::False, Value::Bool(value)) => !*value,
                _ => false,
            })),
            Pattern::MatchOr(pattern) => {
                for pattern in &pattern.patterns {
                    match self.matches(pattern, subject, frame)? {
                        Ok(false) => {}
                        other => return Ok(other),
                    }
                }
                Ok(Ok(false))
            }
            Pattern::MatchSequence(pattern) => {
                if !matches!(subject, Value::List(_) | Value::Tuple(_)) {
                    let doubt = matches!(subject, Value::Instance(_) | Value::Range(..));
                    return Ok(if doubt { Err(self.why(subject, at)) } else { Ok(false) });
                }
                let (items, open) = self.items(subject, at)?;
                if let Some(why) = open {
                    return Ok(Err(why));
                }
                self.matches_items(&pattern.patterns, &items, frame)
            }
            Pattern::MatchMapping(pattern) => self.matches_mapping(pattern, subject, frame, at),
            Pattern::MatchClass(pattern) => {
                let class = self.eval(&pattern.cls, frame)?;
                self.matches_class(&class, &pattern.arguments, subject, frame, at)
            }
            Pattern::MatchStar(_) | Pattern::MatchAs(_) => Ok(Ok(true)),
        }
    }

    fn matches_items(
        &mut self,
        patterns: &'a [Pattern],
        items: &[Value<'a>],
        frame: &Frame<'a>,
    ) -> Matched<'a> {
        let star = patterns.iter().position(Pattern::is_match_star);
        let fits = match star {
            None => items.len() == patterns.len(),
            Some(_) => items.len() + 1 >= patterns.len(),
        };
        if !fits {
            return Ok(Ok(false));
        }
        let before = star.unwrap_or(patterns.len());
        let after = patterns.len().saturating_sub(before + 1);
        let rest = items.len() - after;
        let last = patterns.iter().skip(before + 1).zip(&items[rest..]);
        for (pattern, item) in patterns[..before].iter().zip(items).chain(last) {
            match self.matches(pattern, item, frame)? {
                Ok(true) => {}
                other => return Ok(other),
            }
        }
        if let Some(Pattern::MatchStar(star)) = patterns.get(before)
            && let Some(name) = &star.name
        {
            self.room(rest - before)?;
            let list = self.list(items[before..rest].to_vec());
            frame.scope.set(name.as_str(), list);
        }
        Ok(Ok(true))
    }

    fn matches_mapping(
        &mut self,
        pattern: &'a PatternMatchMapping,
        subject: &Value<'a>,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Matched<'a> {
        let Value::Dict(dict) = subject else {
            let doubt = matches!(subject, Value::Instance(_));
            return Ok(if doubt { Err(self.why(subject, at)) } else { Ok(false) });
        };
        self.entry_room(dict.entries.borrow().len())?;
        let mut entries = dict.entries.borrow().clone();
        for (key, pattern) in pattern.keys.iter().zip(&pattern.patterns) {
            let key = self.eval(key, frame)?;
            self.elements(entries.len() / 8)?;
            let entry = key.key(self.budget).and_then(|key| entries.shift_remove(&key));
            let Some((_, value)) = entry else {
                return Ok(subject.open().map_or(Ok(false), Err));
            };
            match self.matches(pattern, &value, frame)? {
                Ok(true) => {}
                other => return Ok(other),
            }
        }
        if let Some(rest) = &pattern.rest {
            let rest_of = self.dict(entries, subject.open());
            frame.scope.set(rest.as_str(), rest_of);
        }
        Ok(Ok(true))
    }

    fn matches_class(
        &mut self,
        class: &Value<'a>,
        arguments: &'a PatternArguments,
        subject: &Value<'a>,
        frame: &Frame<'a>,
        at: At<'a>,
    ) -> Matched<'a> {
        match super::builtins::instance_of(subject, class) {
            Some(true) => {}
            Some(false) => return Ok(Ok(false)),
            None => return Ok(Err(self.why(subject, at))),
        }
        // A built-in type binds the whole subject to its only positional pattern; other classes
        // define `__match_args__`.
        let itself = matches!(class, Value::External(name) if name.starts_with("builtins."));
        match &arguments.patterns[..] {
            [] => {}
            [only] if itself => match self.matches(only, subject, frame)? {
                Ok(true) => {}
                other => return Ok(other),
            },
            _ => return Ok(Err(self.because(at, format!("`{}` is not evaluated", at.text())))),
        }
        for keyword in &arguments.keywords {
            let value = self.attribute(subject, keyword.attr.as_str(), at)?;
            match self.matches(&keyword.pattern, &value, frame)? {
                Ok(true) => {}
                other => return Ok(other),
            }
        }
        Ok(Ok(true))
    }

    /// Marks the names that a pattern may bind as unknown.
    pub(super) fn poison_captures(
        &mut self,
        pattern: &'a Pattern,
        frame: &Frame<'a>,
        why: &Rc<Unknown>,
    ) {
        let set = |name: &str| frame.scope.set(name, Value::Unknown(why.clone()));
        match pattern {
            Pattern::MatchAs(capture) => {
                capture.name.iter().for_each(|name| set(name.as_str()));
                capture.pattern.iter().for_each(|inner| self.poison_captures(inner, frame, why));
            }
            Pattern::MatchStar(star) => star.name.iter().for_each(|name| set(name.as_str())),
            Pattern::MatchMapping(mapping) => {
                mapping.rest.iter().for_each(|name| set(name.as_str()));
                mapping.patterns.iter().for_each(|inner| self.poison_captures(inner, frame, why));
            }
            Pattern::MatchSequence(sequence) => {
                sequence.patterns.iter().for_each(|inner| self.poison_captures(inner, frame, why));
            }
            Pattern::MatchOr(either) => {
                either.patterns.iter().for_each(|inner| self.poison_captures(inner, frame, why));
            }
            Pattern::MatchClass(class) => {
                let keywords = class.arguments.keywords.iter().map(|keyword| &keyword.pattern);
                for pattern in class.arguments.patterns.iter().chain(keywords) {
                    self.poison_captures(pattern, frame, why);
                }
            }
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
    }
}
