//! Previews of artifacts: what a screen can show of a file's first bytes.
//!
//! Files come from anywhere, so a bounded part is read, and what can hold code (pickles, weights of models) is
//! recognised by its name and never opened.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;

use super::picture::{self, Picture};
use super::signature::{self, Described};
use crate::project::highlight::highlight;
use crate::project::python::highlight::{Highlighted, plain};
use crate::text::{csv, json, pad, sanitize, truncate, width};

/// Most bytes of a text that are read.
pub const MOST_TEXT: u64 = 1 << 20;
/// Most bytes of a picture that are read.
pub const MOST_PICTURE: u64 = 8 << 20;
/// Most lines of a text that are shown.
const MOST_LINES: usize = 2_000;
/// Most characters of a line that are shown.
const LONGEST_LINE: usize = 500;
/// Most rows of a table that are shown, its titles included.
const MOST_ROWS: usize = 201;
/// Most columns of a table that are shown.
const MOST_COLUMNS: usize = 50;
/// The widest cell of a table.
const WIDEST: usize = 24;
/// The bytes at the start of a file in which a zero byte means that it is no text.
const HEAD: usize = 8 << 10;

/// A file whose preview is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The id of the run.
    pub run: String,
    /// The path among the run's artifacts.
    pub path: String,
    /// The size when the folder was listed. Another size makes another request.
    pub size: Option<u64>,
    /// Most pixels of a picture, width and height.
    pub most: (u32, u32),
}

/// What a screen shows of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Preview {
    /// Lines of text.
    Text {
        /// The lines, coloured by the ending of the file's name.
        text: Arc<Highlighted>,
        /// Whether there is more than these lines.
        cut: bool,
    },
    /// A table of aligned columns: the titles, then the rows.
    Table {
        /// The lines.
        lines: Vec<String>,
        /// Whether there is more than these rows and columns.
        cut: bool,
    },
    /// The description of a model.
    Model(Box<Described>),
    /// A picture.
    Picture(Arc<Picture>),
    /// A file that is not opened, or no text: what it is.
    Closed(&'static str),
    /// The reason why there is no preview.
    Unreadable(String),
}

/// What a file is, if its name says that it is not text or a picture. Such a file is never opened: loading a pickle
/// executes code, and the others have nothing to read.
pub fn closed(path: &str) -> Option<&'static str> {
    let what = match ending(path).as_str() {
        "pkl" | "pickle" | "cloudpickle" | "dill" => "pickle",
        "joblib" => "joblib pickle",
        "pt" | "pth" | "ckpt" => "PyTorch file",
        "h5" | "hdf5" | "keras" => "Keras or HDF5 file",
        "npy" | "npz" => "NumPy file",
        "onnx" => "ONNX model",
        "safetensors" => "file of tensors",
        "cbm" | "ubj" | "model" => "model",
        "parquet" | "feather" | "arrow" | "orc" => "columnar table",
        "db" | "sqlite" | "sqlite3" => "database",
        "zip" | "gz" | "bz2" | "xz" | "zst" | "tar" | "tgz" | "7z" | "whl" | "egg" | "jar" => {
            "archive"
        }
        "bin" | "so" | "dll" | "dylib" | "exe" | "pyc" => "binary file",
        "pdf" => "PDF",
        _ => return None,
    };
    Some(what)
}

/// Whether the name of a file says that it is a picture that can be shown.
pub fn is_picture(path: &str) -> bool {
    matches!(ending(path).as_str(), "png" | "jpg" | "jpeg" | "gif" | "webp")
}

fn ending(path: &str) -> String {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
    ending.unwrap_or_default().to_ascii_lowercase()
}

/// The preview of a file. A picture is scaled down to at most `most` pixels, width and height.
pub fn read(path: &str, file: impl Read, most: (u32, u32)) -> Preview {
    if let Some(what) = closed(path) {
        return Preview::Closed(what);
    }
    let limit = if is_picture(path) { MOST_PICTURE } else { MOST_TEXT };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(limit + 1).read_to_end(&mut bytes) {
        return Preview::Unreadable(format!("It can't be read: {error}."));
    }
    let more = bytes.len() as u64 > limit;
    bytes.truncate(limit as usize);
    if is_picture(path) {
        if more {
            let most = limit >> 20;
            return Preview::Unreadable(format!("The picture is larger than {most} MB."));
        }
        return match picture::read(&bytes, most) {
            Ok(picture) => Preview::Picture(Arc::new(picture)),
            Err(why) => Preview::Unreadable(why),
        };
    }
    text(path, &bytes, more)
}

fn text(path: &str, bytes: &[u8], more: bool) -> Preview {
    let head = &bytes[..bytes.len().min(HEAD)];
    match head {
        [0x80, 2..=5, ..] => return Preview::Closed("pickle"),
        head if head.contains(&0) => return Preview::Closed("binary file"),
        _ => {}
    }
    let text = String::from_utf8_lossy(bytes);
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name == signature::FILE && !more {
        // One that can't be understood is shown as it is.
        if let Ok(described) = signature::read(bytes) {
            return Preview::Model(Box::new(described));
        }
    }
    match ending(path).as_str() {
        "csv" => table(&text, ',', more),
        "tsv" => table(&text, '\t', more),
        "json" if !more => match pretty(&text) {
            Some((text, cut)) => lines(path, &text, cut),
            None => lines(path, &text, false),
        },
        _ if name == signature::FILE => lines("MLmodel.yaml", &text, more),
        _ => lines(path, &text, more),
    }
}

/// The first lines of a text. Long lines are cut; a text that was cut in a line would be coloured wrongly beyond it, and
/// so would one with control characters.
fn lines(path: &str, text: &str, more: bool) -> Preview {
    let mut lines = text.lines();
    let (mut kept, mut is_whole) = (String::new(), true);
    for line in lines.by_ref().take(MOST_LINES) {
        let end = line.char_indices().nth(LONGEST_LINE).map_or(line.len(), |(at, _)| at);
        kept += &line[..end];
        if end < line.len() {
            kept.push('…');
            is_whole = false;
        }
        kept.push('\n');
    }
    let cut = more || lines.next().is_some() || !is_whole;
    let text = if is_whole { highlight(Path::new(path), &kept) } else { plain(&kept) };
    Preview::Text { text: Arc::new(text), cut }
}

/// JSON with indentation, and whether it was cut; `None` if the text is no JSON.
fn pretty(text: &str) -> Option<(String, bool)> {
    let value: Json = serde_json::from_str(text).ok()?;
    let mut out = Lines { text: Vec::new(), left: MOST_LINES };
    let cut = json::write_pretty(&mut out, &value).is_err();
    Some((String::from_utf8_lossy(&out.text).into_owned(), cut))
}

/// Takes a number of lines, and then fails: a megabyte of brackets would be a hundred of blanks.
struct Lines {
    text: Vec<u8>,
    left: usize,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.text.extend_from_slice(bytes);
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
        self.left = self.left.saturating_sub(ends);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn table(text: &str, separator: char, more: bool) -> Preview {
    let mut rows = csv::rows(text, separator);
    let mut cut = more;
    let mut shown: Vec<Vec<String>> = Vec::new();
    for mut row in rows.by_ref().take(MOST_ROWS) {
        cut |= row.len() > MOST_COLUMNS;
        row.truncate(MOST_COLUMNS);
        shown.push(row.iter().map(|cell| truncate(&sanitize(cell), WIDEST)).collect());
    }
    cut |= rows.next().is_some();
    Preview::Table { lines: aligned(&shown), cut }
}

/// The rows as lines with aligned columns. Columns of numbers are aligned at the right.
pub fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let column = |at: usize| rows.iter().map(move |row| row.get(at).map_or("", String::as_str));
    let is_number = |cell: &str| cell.is_empty() || cell.parse::<f64>().is_ok();
    let columns: Vec<(usize, bool)> = (0..count)
        .map(|at| (column(at).map(width).max().unwrap_or(0), column(at).skip(1).all(is_number)))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, (widest, numbers))| match numbers {
            true => " ".repeat(widest.saturating_sub(width(cell))) + cell,
            false => pad(cell, *widest),
        });
        cells.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::picture::png;

    /// The lines of a preview, and whether there is more.
    fn shown(path: &str, bytes: &[u8]) -> (Vec<String>, bool) {
        match read(path, bytes, (9, 9)) {
            Preview::Text { text, cut } => {
                let line =
                    |parts: &Vec<_>| parts.iter().map(|(_, text): &(_, String)| &**text).collect();
                (text.lines.iter().map(line).collect(), cut)
            }
            Preview::Table { lines, cut } => (lines, cut),
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn each_kind_of_file_has_its_preview() {
        for (path, text, lines) in [
            ("notes.md", "# Title\n\n- one\n", vec!["# Title", "", "- one"]),
            ("a/conf.yml", "a: 1\n", vec!["a: 1"]),
            ("no-ending", "plain", vec!["plain"]),
            ("empty.txt", "", vec![]),
            (
                "x.json",
                r#"{"b":[1,2],"a":{}}"#,
                vec!["{", "  \"b\": [", "    1,", "    2", "  ],", "  \"a\": {}", "}"],
            ),
            ("x.json", "{\"nan\": NaN}", vec!["{\"nan\": NaN}"]),
            ("x.csv", "name,n\nab,1\nc,-22.5\n", vec!["name      n", "ab        1", "c     -22.5"]),
            ("x.TSV", "a\tb\n1,5\tx y\n", vec!["a    b", "1,5  x y"]),
            ("MLmodel", "flavors: [", vec!["flavors: ["]),
        ] {
            assert_eq!(
                shown(path, text.as_bytes()),
                (lines.into_iter().map(str::to_owned).collect(), false),
                "{path}"
            );
        }
        let Preview::Model(model) = read("m/MLmodel", &b"flavors: {sklearn: {}}"[..], (9, 9))
        else {
            panic!("a model")
        };
        assert_eq!(model.flavors, ["sklearn"]);
        let Preview::Picture(picture) = read("p.PNG", &*png(20, 20, [1, 2, 3, 255]), (9, 4)) else {
            panic!("a picture")
        };
        assert_eq!((picture.full, picture.width), ((20, 20), 4));
    }

    /// A file that must not be read.
    struct Untouched;

    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("it is opened");
        }
    }

    #[test]
    fn what_can_hold_code_or_is_no_text_is_named_and_not_read() {
        for path in
            ["model.pkl", "a/MODEL.PICKLE", "x.joblib", "w.pt", "w.bin", "x.npz", "d.parquet"]
        {
            assert_eq!(
                read(path, Untouched, (9, 9)),
                Preview::Closed(closed(path).unwrap()),
                "{path}"
            );
        }
        for path in ["model.py", "pkl", "a.pkl/readme", "plot.png", "MLmodel"] {
            assert_eq!(closed(path), None, "{path}");
        }
        // A pickle by its first bytes.
        assert_eq!(read("data", &b"\x80\x04\x95."[..], (9, 9)), Preview::Closed("pickle"));
        assert_eq!(read("x.csv", &b"a,b\0c"[..], (9, 9)), Preview::Closed("binary file"));
    }

    #[test]
    fn large_files_are_cut() {
        let lines = "x\n".repeat(MOST_LINES);
        assert_eq!(shown("a.txt", lines.as_bytes()).0.len(), MOST_LINES);
        assert!(!shown("a.txt", lines.as_bytes()).1);
        assert!(shown("a.txt", (lines + "x").as_bytes()).1);
        let line = "x".repeat(2 << 20);
        let (long, cut) = shown("a.json", line.as_bytes());
        assert_eq!((long[0].chars().count(), cut), (LONGEST_LINE + 1, true));
        assert_eq!(
            shown("a", "é".repeat(LONGEST_LINE).as_bytes()).0[0].chars().count(),
            LONGEST_LINE
        );
        let brackets = format!("[{}1]", "[[[[]]]],".repeat(50_000));
        let (many, cut) = shown("a.json", brackets.as_bytes());
        assert!(cut && many.len() <= MOST_LINES + 1, "{}", many.len());
        let deep = "[".repeat(1 << 20);
        assert!(shown("a.json", deep.as_bytes()).1);
        let row = "1,".repeat(MOST_COLUMNS - 1) + "1\n";
        let rows = row.repeat(MOST_ROWS);
        assert_eq!(shown("a.csv", rows.as_bytes()).0.len(), MOST_ROWS);
        assert!(!shown("a.csv", rows.as_bytes()).1);
        assert!(shown("a.csv", (rows + "1\n").as_bytes()).1);
        assert!(shown("a.csv", format!("1,{row}").as_bytes()).1, "too many columns");
        assert_eq!(shown("a.csv", "x".repeat(99).as_bytes()).0, ["x".repeat(WIDEST - 1) + "…"]);
        let large = vec![0; MOST_PICTURE as usize + 1];
        let why = Preview::Unreadable("The picture is larger than 8 MB.".into());
        assert_eq!(read("a.png", &*large, (9, 9)), why);
        assert_ne!(read("a.png", &large[1..], (9, 9)), why);
    }

    #[test]
    fn hostile_text_is_harmless() {
        for path in ["a.txt", "a.json", "a.csv", "a.yaml", "a.py", "a.md", "MLmodel"] {
            let text = b"a: \x1b]0;title\x07\x1b[2J\xe2\x80\xae,\xff\xfe\x9b1m\rb\n";
            let (lines, _) = shown(path, text);
            let text = lines.concat();
            assert!(
                !text.contains(char::is_control) && !text.contains('\u{202e}'),
                "{path}: {text:?}"
            );
        }
        let (lines, _) = shown("a.json", "{\"a\u{202e}\": \"\\u001b[2J\"}".as_bytes());
        assert_eq!(lines[1], "  \"a\\u202e\": \"\\u001b[2J\"");
    }

    #[test]
    fn a_file_that_fails_says_why() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let why = Preview::Unreadable("It can't be read: the disk is gone.".into());
        assert_eq!(read("a.txt", Failing, (9, 9)), why);
    }
}
