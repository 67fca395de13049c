//! Paths as text: the parts of `os.path` and `pathlib` that do not look at the disk.

use std::rc::Rc;

use super::call::Args;
use super::interp::{Eval, ITEM_BYTES, Interp, MAX_TEXT, Stop};
use super::source::At;
use super::value::{Unknown, Value};

impl<'a> Interp<'a> {
    /// A path joined from `parts`; not evaluated if one of them is neither string nor path.
    pub(super) fn path(&self, parts: &[Value<'a>], at: At<'a>) -> Eval<'a> {
        self.elements(parts.len())?;
        let texts: Option<Vec<Rc<str>>> = parts.iter().map(text_of).collect();
        let Some(texts) = texts else { return Ok(self.not_evaluated(at)) };
        Ok(match self.join_all(&texts, at)? {
            Ok(path) => Value::Path(normal(&path).into()),
            Err(why) => Value::Unknown(why),
        })
    }

    /// `posixpath.join` of all `parts`, or the reason why the result is too long.
    fn join_all(
        &self,
        parts: &[Rc<str>],
        at: At<'a>,
    ) -> Result<Result<String, Rc<Unknown>>, Stop<'a>> {
        let len = parts.iter().fold(0_usize, |len, part| len.saturating_add(part.len() + 1));
        if len > MAX_TEXT {
            return Ok(Err(self.because(at, "the path is too long")));
        }
        // The path, and the parts of its normalised form.
        self.bytes(len.saturating_mul(24))?;
        let mut path = String::with_capacity(len);
        for part in parts {
            join(&mut path, part);
        }
        Ok(Ok(path))
    }

    /// Calls a function of `os.path`.
    pub(super) fn path_function(&mut self, name: &str, args: &Args<'a>, at: At<'a>) -> Eval<'a> {
        let unknown = args.positional.iter().find(|value| matches!(value, Value::Unknown(_)));
        if let Some(unknown) = unknown {
            return Ok(unknown.clone());
        }
        let texts: Option<Vec<Rc<str>>> = args.positional.iter().map(text_of).collect();
        let len = texts.iter().flatten().fold(0_usize, |len, text| len.saturating_add(text.len()));
        self.bytes(len.saturating_mul(4))?;
        let (Some(texts), true, None) = (texts, args.named.is_empty(), &args.open) else {
            return Ok(self.not_evaluated(at));
        };
        Ok(match (name, &texts[..]) {
            ("join", [_, ..]) => match self.join_all(&texts, at)? {
                Ok(path) => Value::str(path),
                Err(why) => Value::Unknown(why),
            },
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

    /// `path.name` and the other attributes of `pathlib` that depend on the text alone.
    pub(super) fn path_attribute(&mut self, path: &Rc<str>, name: &str, at: At<'a>) -> Eval<'a> {
        let parts = path.matches('/').count() + 1;
        match name {
            "parts" => self.bytes(parts * (ITEM_BYTES + 32) + path.len())?,
            // Each parent is a string of its own.
            "parents" if path.len().saturating_mul(parts) > MAX_TEXT => {
                return Ok(self.unknown(at, "the path is too long"));
            }
            "parents" => self.bytes(4 * path.len() * parts)?,
            _ => self.bytes(2 * path.len())?,
        }
        let last = path.rsplit('/').next().filter(|last| *last != "." && *last != "..");
        let last = last.unwrap_or("");
        let (stem, suffix) = split_extension(last);
        // A trailing dot starts no suffix.
        let (stem, suffix) = if suffix == "." { (last, "") } else { (stem, suffix) };
        Ok(match name {
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
        })
    }

    /// `path.resolve()` and the other methods that depend on the text alone.
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
        let given =
            args.positional.iter().filter_map(text_of).map(|text| text.len()).sum::<usize>();
        if path.len().saturating_add(given) > MAX_TEXT {
            return Ok(self.unknown(at, "the path is too long"));
        }
        self.bytes(4 * (path.len() + given))?;
        let found = match (name, &args.positional[..]) {
            _ if !plain => None,
            ("as_posix" | "__str__", []) => Some(Value::Str(path.clone())),
            ("resolve" | "absolute", []) if path.starts_with('/') => {
                resolved(path).map(|path| Value::Path(path.into()))
            }
            ("joinpath", parts) => {
                let parts: Vec<_> =
                    [Value::Path(path.clone())].into_iter().chain(parts.iter().cloned()).collect();
                Some(self.path(&parts, at)?)
            }
            ("with_suffix", [Value::Str(suffix)]) => {
                let (root, _) = split_extension(path);
                Some(Value::Path(format!("{root}{suffix}").into()))
            }
            ("with_name", [Value::Str(name)]) => {
                Some(self.path(&[Value::Path(parent(path).into()), Value::Str(name.clone())], at)?)
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

/// `posixpath.join` with one more part.
fn join(path: &mut String, part: &str) {
    if part.starts_with('/') {
        path.clear();
    } else if !path.is_empty() && !path.ends_with('/') {
        path.push('/');
    }
    path.push_str(part);
}

/// A path normalised like in `pathlib`: without `.`, doubled slashes or a trailing slash.
fn normal(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match (path.starts_with('/'), parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// `pathlib`'s parent of a normalised path.
fn parent(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((parent, _)) => parent.to_owned(),
        None => ".".to_owned(),
    }
}

/// An absolute path with `..` resolved; `None` if a symbolic link on the way could matter.
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

/// `posixpath.split`: splits before the last component.
fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |index| index + 1);
    let (head, tail) = path.split_at(at);
    let bare = head.trim_end_matches('/');
    (if bare.is_empty() { head } else { bare }, tail)
}

/// `posixpath.splitext`: leading dots of the name do not start an extension.
fn split_extension(path: &str) -> (&str, &str) {
    let start = path.rfind('/').map_or(0, |index| index + 1);
    let name = &path[start..];
    let dots = name.len() - name.trim_start_matches('.').len();
    match name[dots..].rfind('.') {
        Some(index) => path.split_at(start + dots + index),
        None => (path, ""),
    }
}
