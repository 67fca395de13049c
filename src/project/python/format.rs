//! Values as text: `str()`, `repr()`, f-strings, `format` and `%`.

use std::fmt::Write as _;
use std::rc::Rc;

use ruff_python_ast::{ConversionFlag, ExprFString, FStringPart, InterpolatedStringElement};

use super::call::Args;
use super::interp::{Eval, Frame, Interp, MAX_TEXT, Stop};
use super::repr::{float_repr, str_repr};
use super::source::At;
use super::spec::FormatSpec;
use super::value::{Unknown, Value};
use crate::project::budget::STEP;

/// The text, or the reason why it is unknown.
type Known = Result<String, Rc<Unknown>>;

impl<'a> Interp<'a> {
    /// The result of `str(value)`.
    pub(super) fn str_of(&self, value: &Value<'a>, at: At<'a>) -> Known {
        match value {
            Value::Str(text) | Value::Path(text) => {
                self.afford_bytes(text.len(), at)?;
                Ok(text.to_string())
            }
            _ => self.repr_of(value, at),
        }
    }

    /// The result of `repr(value)`.
    pub(super) fn repr_of(&self, value: &Value<'a>, at: At<'a>) -> Known {
        let mut out = String::new();
        self.look_into(at, || self.write_repr(&mut out, value, at))?;
        Ok(out)
    }

    fn write_repr(
        &self,
        out: &mut String,
        value: &Value<'a>,
        at: At<'a>,
    ) -> Result<(), Rc<Unknown>> {
        if out.len() > MAX_TEXT {
            return Err(self.because(at, "the text is too long"));
        }
        self.afford(1, at)?;
        self.afford_bytes(16, at)?;
        if let Some(why) = value.open() {
            return Err(why);
        }
        match value {
            Value::None => out.push_str("None"),
            Value::Bool(true) => out.push_str("True"),
            Value::Bool(false) => out.push_str("False"),
            Value::Int(int) => drop(write!(out, "{int}")),
            Value::Float(float) => out.push_str(&float_repr(*float)),
            Value::Str(text) => {
                // The quoted text and its copy; most characters stay unchanged.
                self.afford_bytes(4 * text.len(), at)?;
                // The check whether a character is printable is slower beyond ASCII.
                self.afford(if text.is_ascii() { 0 } else { 4 * text.len() }, at)?;
                out.push_str(&str_repr(text));
            }
            Value::Ellipsis => out.push_str("Ellipsis"),
            Value::List(list) => {
                out.push('[');
                for (index, item) in list.items.borrow().iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    self.look_into(at, || self.write_repr(out, item, at))?;
                }
                out.push(']');
            }
            Value::Tuple(items) => {
                out.push('(');
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    self.look_into(at, || self.write_repr(out, item, at))?;
                }
                out.push_str(if items.len() == 1 { ",)" } else { ")" });
            }
            Value::Dict(dict) => {
                out.push('{');
                for (index, (key, item)) in dict.entries.borrow().values().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    self.write_repr(out, key, at)?;
                    out.push_str(": ");
                    self.look_into(at, || self.write_repr(out, item, at))?;
                }
                out.push('}');
            }
            Value::Set(set) if set.members.borrow().is_empty() => out.push_str("set()"),
            Value::Set(set) if set.members.borrow().len() == 1 => {
                out.push('{');
                for member in set.members.borrow().values() {
                    self.write_repr(out, member, at)?;
                }
                out.push('}');
            }
            Value::Range(start, stop, 1) => drop(write!(out, "range({start}, {stop})")),
            Value::Range(start, stop, step) => drop(write!(out, "range({start}, {stop}, {step})")),
            Value::Node(node) => {
                let names = node.inputs.iter().chain(&node.outputs).map(|name| name.len() + 8);
                self.afford_bytes(2 * names.sum::<usize>(), at)?;
                out.push_str(&node.describe());
            }
            other => {
                let reason = format!("the text of a `{}` is not evaluated", other.type_name());
                return Err(self.because(at, reason));
            }
        }
        Ok(())
    }

    /// Evaluates an f-string to a string.
    pub(super) fn eval_fstring(&mut self, string: &'a ExprFString, frame: &Frame<'a>) -> Eval<'a> {
        let mut out = String::new();
        for part in &string.value {
            match part {
                FStringPart::Literal(literal) => {
                    self.bytes(literal.value.len())?;
                    out.push_str(&literal.value);
                }
                FStringPart::FString(fstring) => {
                    for element in &fstring.elements {
                        if let Err(why) = self.write_element(&mut out, element, frame)? {
                            return Ok(Value::Unknown(why));
                        }
                    }
                }
            }
        }
        self.text(out, At::new(frame.source, string))
    }

    fn write_element(
        &mut self,
        out: &mut String,
        element: &'a InterpolatedStringElement,
        frame: &Frame<'a>,
    ) -> Result<Result<(), Rc<Unknown>>, Stop<'a>> {
        let element = match element {
            InterpolatedStringElement::Literal(literal) => {
                self.bytes(literal.value.len())?;
                out.push_str(&literal.value);
                return Ok(Ok(()));
            }
            InterpolatedStringElement::Interpolation(element) => element,
        };
        let at = At::new(frame.source, element);
        if out.len() > MAX_TEXT {
            return Ok(Err(self.because(at, "the text is too long")));
        }
        let mut value = self.eval(&element.expression, frame)?;
        if let Some(debug) = &element.debug_text {
            out.push_str(debug.leading());
            out.push_str(debug.expression());
            out.push_str(debug.trailing());
        }
        let as_repr = match element.conversion {
            ConversionFlag::None => element.debug_text.is_some() && element.format_spec.is_none(),
            ConversionFlag::Str => false,
            ConversionFlag::Ascii | ConversionFlag::Repr => true,
        };
        if as_repr {
            let escaped = element.conversion == ConversionFlag::Ascii;
            match self.repr_of(&value, at) {
                Ok(text) if escaped && !text.is_ascii() => {
                    return Ok(Err(self.because(at, "`!a` is not evaluated")));
                }
                Ok(text) => value = Value::str(text),
                Err(why) => return Ok(Err(why)),
            }
        }
        let mut spec = String::new();
        if let Some(format_spec) = &element.format_spec {
            for element in &format_spec.elements {
                if let Err(why) = self.write_element(&mut spec, element, frame)? {
                    return Ok(Err(why));
                }
            }
        }
        Ok(self.format_value(&value, &spec, at).map(|text| out.push_str(&text)))
    }

    /// The result of `format(value, spec)`.
    pub(super) fn format_value(&self, value: &Value<'a>, spec: &str, at: At<'a>) -> Known {
        if spec.is_empty() {
            return self.str_of(value, at);
        }
        let not_known = || match value {
            Value::Unknown(why) => why.clone(),
            _ => self.because(at, format!("the format `{spec}` is not evaluated")),
        };
        // The parsed specification, the text and its padding.
        self.afford_bytes(spec.len().saturating_mul(4), at)?;
        let spec = FormatSpec::parse(spec).ok_or_else(not_known)?;
        let text = value.as_str().map_or(0, str::len);
        self.afford_bytes(2 * (text + 4 * spec.most_chars()), at)?;
        spec.apply(value).ok_or_else(not_known)
    }

    /// Evaluates `template.format(...)`.
    pub(super) fn str_format(&mut self, template: &str, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let mut out = String::new();
        let mut rest = template;
        let mut next = 0;
        let give_up = |interp: &Self| Ok(interp.not_evaluated(at));
        self.bytes(template.len())?;
        while let Some(index) = rest.find(['{', '}']) {
            out.push_str(&rest[..index]);
            let brace = &rest[index..=index];
            rest = &rest[index + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                out.push_str(brace);
                rest = after;
                continue;
            }
            self.elements(STEP)?;
            if out.len() > MAX_TEXT {
                return Ok(self.unknown(at, "the text is too long"));
            }
            let Some((field, after)) = rest.split_once('}').filter(|_| brace == "{") else {
                return give_up(self);
            };
            rest = after;
            let (field, spec) = field.split_once(':').unwrap_or((field, ""));
            let (name, conversion) = field.split_once('!').unwrap_or((field, ""));
            if spec.contains('{') {
                return give_up(self);
            }
            let name_end = name.find(['.', '[']).unwrap_or(name.len());
            let (name, path) = name.split_at(name_end);
            let value = if name.is_empty() {
                next += 1;
                args.positional.get(next - 1).cloned()
            } else if let Ok(index) = name.parse::<usize>() {
                args.positional.get(index).cloned()
            } else {
                args.named(name)
            };
            let value = match (value, &args.open) {
                (Some(value), _) => value,
                (None, Some(why)) => return Ok(Value::Unknown(why.clone())),
                (None, None) => {
                    let text = format!("`{}` is not given all that it needs", at.text());
                    return self.raise(at, "KeyError", text, "Give all arguments to `format`.");
                }
            };
            let Some(value) = self.format_path(value, path, at)? else { return give_up(self) };
            let shown = match conversion {
                "r" => self.repr_of(&value, at).map(Value::str),
                _ => Ok(value),
            };
            match shown.and_then(|value| self.format_value(&value, spec, at)) {
                Ok(text) => out.push_str(&text),
                Err(why) => return Ok(Value::Unknown(why)),
            }
        }
        out.push_str(rest);
        self.text(out, at)
    }

    /// The `.name` and `[key]` parts of a format field.
    fn format_path(
        &mut self,
        mut value: Value<'a>,
        mut path: &str,
        at: At<'a>,
    ) -> Result<Option<Value<'a>>, Stop<'a>> {
        while !path.is_empty() {
            self.step()?;
            if let Some(after) = path.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                value = self.attribute(&value, &after[..end], at)?;
                path = &after[end..];
            } else {
                let Some((key, after)) = path[1..].split_once(']') else { return Ok(None) };
                let key = key.parse().map_or_else(|_| Value::str(key), Value::Int);
                value = self.item(&value, &key, at)?;
                path = after;
            }
        }
        Ok(Some(value))
    }

    /// Evaluates `template % values`.
    pub(super) fn percent(&mut self, template: &str, values: &Value<'a>, at: At<'a>) -> Eval<'a> {
        self.bytes(template.len())?;
        if let Value::Tuple(items) = values {
            self.room(items.len())?;
        }
        let mut values = match values {
            Value::Tuple(items) => Vec::from(&**items).into_iter(),
            other => vec![other.clone()].into_iter(),
        };
        let all = values.as_slice().first().cloned();
        let mut out = String::new();
        let mut chars = template.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            self.elements(STEP)?;
            if out.len() > MAX_TEXT {
                return Ok(self.unknown(at, "the text is too long"));
            }
            let mut spec = String::new();
            let mut named = None;
            if let Some(after) = chars.as_str().strip_prefix('(') {
                let (Some((key, rest)), Some(dict @ Value::Dict(_))) =
                    (after.split_once(')'), &all)
                else {
                    return Ok(self.not_evaluated(at));
                };
                named = Some(self.item(dict, &Value::str(key), at)?);
                chars = rest.chars();
            }
            let kind = loop {
                match chars.next() {
                    Some(c @ ('0'..='9' | '.')) => spec.push(c),
                    Some(c) => break c,
                    None => return Ok(self.not_evaluated(at)),
                }
            };
            let spec = match kind {
                '%' => {
                    out.push('%');
                    continue;
                }
                's' | 'r' if spec.is_empty() => String::new(),
                's' | 'r' => format!(">{spec}"),
                'x' => format!("{spec}x"),
                'd' | 'i' => format!("{spec}d"),
                'f' => format!("{spec}f"),
                _ => return Ok(self.not_evaluated(at)),
            };
            let Some(value) = named.or_else(|| values.next()) else {
                return Ok(self.not_evaluated(at));
            };
            let value = match kind {
                's' => match self.str_of(&value, at) {
                    Ok(text) => Value::str(text),
                    Err(why) => return Ok(Value::Unknown(why)),
                },
                'r' => match self.repr_of(&value, at) {
                    Ok(text) => Value::str(text),
                    Err(why) => return Ok(Value::Unknown(why)),
                },
                _ => value,
            };
            match self.format_value(&value, &spec, at) {
                Ok(text) => out.push_str(&text),
                Err(why) => return Ok(Value::Unknown(why)),
            }
        }
        self.text(out, at)
    }
}
