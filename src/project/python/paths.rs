//! Paths as text: `os.path` and `pathlib`, as far as they don't look at the disk.

use std::rc::Rc;

use super::call::Args;
use super::interp::{Eval, Interp};
use super::source::At;
use super::value::Value;

impl<'a> Interp<'a> {
    /// A path joined from `parts`; `None` where one of them is no text and no path.
    pub(super) fn path(parts: &[Value<'a>]) -> Option<Value<'a>> {
        let mut path = String::new();
        for part in parts {
            let part = text_of(part)?;
            path = join(&path, &part);
        }
        Some(Value::Path(normal(&path).into()))
    }

    /// A function of `os.path`.
    pub(super) fn path_function(&mut self, name: &str, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let unknown = args.positional.iter().find(|value| matches!(value, Value::Unknown(_)));
        if let Some(unknown) = unknown {
            return Ok(unknown.clone());
        }
        let texts: Option<Vec<Rc<str>>> = args.positional.iter().map(text_of).collect();
        let (Some(texts), true, None) = (texts, args.named.is_empty(), &args.open) else {
            return Ok(self.not_evaluated(at));
        };
        Ok(match (name, &texts[..]) {
            ("join", [first, rest @ ..]) => {
                let joined = rest.iter().fold(first.to_string(), |path, part| join(&path, part));
                return self.text(joined, at);
            }
            ("basename", [path]) => Value::str(split(path).1),
            ("dirname", [path]) => Value::str(split(path).0),
            ("split", [path]) => {
                let (head, tail) = split(path);
                self.tuple(vec![Value::str(head), Value::str(tail)])
            }
            ("splitext", [path]) => {
                let (root, extension) = split_extension(path);
                self.tuple(vec![Value::str(root), Value::str(extension)])
            }
            ("abspath" | "realpath" | "normpath", [path]) if path.starts_with('/') => {
                match resolved(path) {
                    Some(path) => Value::str(path),
                    None => self.not_evaluated(at),
                }
            }
            ("isabs", [path]) => Value::Bool(path.starts_with('/')),
            _ => self.not_evaluated(at),
        })
    }

    /// `path.name` and the other attributes of `pathlib` that are text alone.
    pub(super) fn path_attribute(&mut self, path: &Rc<str>, name: &str) -> Value<'a> {
        let last = path.rsplit('/').next().filter(|last| *last != "." && *last != "..");
        let last = last.unwrap_or("");
        let (stem, suffix) = split_extension(last);
        // A full stop at the end begins no suffix.
        let (stem, suffix) = if suffix == "." { (last, "") } else { (stem, suffix) };
        match name {
            "name" => Value::str(last),
            "stem" => Value::str(stem),
            "suffix" => Value::str(suffix),
            "parent" => Value::Path(parent(path).into()),
            "parts" => {
                let root = path.starts_with('/').then(|| Value::str("/"));
                let parts = path.split('/').filter(|part| !part.is_empty() && *part != ".");
                let parts: Vec<_> = root.into_iter().chain(parts.map(Value::str)).collect();
                self.tuple(parts)
            }
            "parents" => {
                let (mut parents, mut next) = (Vec::new(), path.to_string());
                while parent(&next) != next {
                    next = parent(&next);
                    parents.push(Value::Path(next.as_str().into()));
                }
                self.tuple(parents)
            }
            _ => Value::Method(Rc::new((Value::Path(path.clone()), name.into()))),
        }
    }

    /// `path.resolve()` and the other methods that are text alone.
    pub(super) fn path_method(
        &mut self,
        path: &Rc<str>,
        name: &str,
        args: &Args<'a>,
        at: At<'a>,
    ) -> Eval<'a> {
        let unknown = args.positional.iter().find(|value| matches!(value, Value::Unknown(_)));
        if let Some(unknown) = unknown {
            return Ok(unknown.clone());
        }
        let plain = args.open.is_none() && args.named.is_empty();
        let found = match (name, &args.positional[..]) {
            _ if !plain => None,
            ("as_posix" | "__str__", []) => Some(Value::Str(path.clone())),
            ("resolve" | "absolute", []) if path.starts_with('/') => {
                resolved(path).map(|path| Value::Path(path.into()))
            }
            ("joinpath", parts) => {
                let parts: Vec<_> =
                    [Value::Path(path.clone())].into_iter().chain(parts.iter().cloned()).collect();
                Self::path(&parts)
            }
            ("with_suffix", [Value::Str(suffix)]) => {
                let (root, _) = split_extension(path);
                Some(Value::Path(format!("{root}{suffix}").into()))
            }
            ("with_name", [Value::Str(name)]) => {
                Self::path(&[Value::Path(parent(path).into()), Value::Str(name.clone())])
            }
            ("is_absolute", []) => Some(Value::Bool(path.starts_with('/'))),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| self.not_evaluated(at)))
    }
}

fn text_of(value: &Value<'_>) -> Option<Rc<str>> {
    match value {
        Value::Str(text) | Value::Path(text) => Some(text.clone()),
        _ => None,
    }
}

/// `posixpath.join`.
fn join(path: &str, part: &str) -> String {
    if part.starts_with('/') || path.is_empty() {
        part.to_owned()
    } else if path.ends_with('/') {
        format!("{path}{part}")
    } else {
        format!("{path}/{part}")
    }
}

/// A path as `pathlib` writes it: without `.`, without doubled or closing slashes.
fn normal(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match (path.starts_with('/'), parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `pathlib`'s parent of a path in its normal form.
fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
        None => ".".to_owned(),
    }
}

/// An absolute path with its `..` carried out; `None` where a link on the way would matter.
fn resolved(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    let path = format!("/{}", parts.join("/"));
    let real = std::path::Path::new(&path).canonicalize().ok()?;
    (real == std::path::Path::new(&path)).then_some(path)
}

/// `posixpath.split`.
fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |index| index + 1);
    let (head, tail) = path.split_at(at);
    let bare = head.trim_end_matches('/');
    (if bare.is_empty() { head } else { bare }, tail)
}

/// `posixpath.splitext`: full stops at the beginning of the name are no extension.
fn split_extension(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |index| index + 1);
    let name = &path[start..];
    let dots = name.len() - name.trim_start_matches('.').len();
    match name[dots..].rfind('.') {
        Some(index) => path.split_at(start + dots + index),
        None => (path, ""),
    }
}
