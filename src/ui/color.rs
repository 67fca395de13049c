//! Colours of themes, and their nearest colours on a terminal.

use ratatui::style::Color;

/// The colour depth of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 24-bit colours.
    True,
    /// The 256 colours of xterm.
    Indexed,
    /// The 16 colours of the terminal's own palette.
    Sixteen,
    /// No colours: `NO_COLOR` is set (<https://no-color.org>), or the terminal has none.
    None,
}

impl Depth {
    /// The depth according to the environment variables.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Depth {
        let is = |name: &str, parts: &[&str]| {
            env(name).is_some_and(|value| parts.iter().any(|part| value.contains(part)))
        };
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) || is("TERM", &["dumb", "vt100"])
        {
            Depth::None
        } else if is("COLORTERM", &["truecolor", "24bit"]) || is("TERM", &["direct", "kitty"]) {
            Depth::True
        } else if is("TERM", &["256"]) {
            Depth::Indexed
        } else {
            Depth::Sixteen
        }
    }

    /// The nearest colour of this depth.
    pub fn adapt(self, color: Color) -> Color {
        match (self, color) {
            (Depth::None, _) => Color::Reset,
            (Depth::True, color) => color,
            (Depth::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(indexed([r, g, b])),
            (Depth::Sixteen, Color::Rgb(r, g, b)) => sixteen([r, g, b]),
            (_, color) => color,
        }
    }
}

/// Names of the 16 colours, as themes write them, with xterm's values.
pub const NAMED: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("white", Color::Gray, [229, 229, 229]),
    ("bright-black", Color::DarkGray, [127, 127, 127]),
    ("bright-red", Color::LightRed, [255, 0, 0]),
    ("bright-green", Color::LightGreen, [0, 255, 0]),
    ("bright-yellow", Color::LightYellow, [255, 255, 0]),
    ("bright-blue", Color::LightBlue, [92, 92, 255]),
    ("bright-magenta", Color::LightMagenta, [255, 0, 255]),
    ("bright-cyan", Color::LightCyan, [0, 255, 255]),
    ("bright-white", Color::White, [255, 255, 255]),
];

/// Parses a colour: `#rrggbb`, one of the 16 names, or `default` for the terminal's own.
pub fn parse(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    if let Some((_, color, _)) = NAMED.iter().find(|(name, ..)| *name == text) {
        return Some(*color);
    }
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6 && hex.is_ascii())?;
    let part = |range| u8::from_str_radix(hex.get(range)?, 16).ok();
    Some(Color::Rgb(part(0..2)?, part(2..4)?, part(4..6)?))
}

/// Red, green and blue of a colour: for the 16 colours xterm's values, for the others of its 256 their definition.
/// `None` for the terminal's own colour.
pub fn rgb(color: Color) -> Option<[u8; 3]> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index @ 0..16) => Some(NAMED[usize::from(index)].2),
        Color::Indexed(index @ 16..232) => {
            let cube = index - 16;
            Some([cube / 36, cube / 6 % 6, cube % 6].map(|step| STEPS[usize::from(step)]))
        }
        Color::Indexed(index @ 232..) => Some([8 + (index - 232) * 10; 3]),
        named => NAMED.iter().find(|(_, color, _)| *color == named).map(|(.., rgb)| *rgb),
    }
}

/// A colour as SVG and CSS write it; `none` for a colour of the terminal.
pub fn web(color: Option<Color>) -> String {
    match color {
        Some(Color::Rgb(red, green, blue)) => format!("#{red:02x}{green:02x}{blue:02x}"),
        _ => "none".to_owned(),
    }
}

/// The relative luminance of a colour, from 0 (black) to 1 (white): <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>.
pub fn luminance(rgb: [u8; 3]) -> f64 {
    let [r, g, b] = rgb.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// The contrast ratio of two colours, from 1 to 21: <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
pub fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // Weights of red, green and blue in perceived brightness.
    let part = |index: usize, weight: u32| {
        let difference = u32::from(a[index].abs_diff(b[index]));
        weight * difference * difference
    };
    part(0, 3) + part(1, 6) + part(2, 2)
}

/// The steps of red, green and blue in xterm's cube of 216 colours.
const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest colour of xterm's cube and its greys.
fn indexed(rgb: [u8; 3]) -> u8 {
    let nearest = |value: u8| {
        (0..6u8).min_by_key(|index| STEPS[usize::from(*index)].abs_diff(value)).unwrap_or(0)
    };
    let cube = rgb.map(nearest);
    let of_cube = cube.map(|index| STEPS[usize::from(index)]);
    let mean = (u16::from(rgb[0]) + u16::from(rgb[1]) + u16::from(rgb[2])) / 3;
    let grey = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(23);
    let of_grey = [8 + grey * 10; 3];
    if distance(rgb, of_grey) < distance(rgb, of_cube) {
        232 + grey
    } else {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    }
}

/// The nearest of the 16 colours. A grey becomes a grey, so that grey text never turns coloured.
fn sixteen(rgb: [u8; 3]) -> Color {
    let (low, high) = (rgb.into_iter().min().unwrap_or(0), rgb.into_iter().max().unwrap_or(0));
    if high - low < 24 || u16::from(high - low) * 4 < u16::from(high) {
        return match high {
            0..64 => Color::Black,
            64..150 => Color::DarkGray,
            150..225 => Color::Gray,
            _ => Color::White,
        };
    }
    let [r, g, b] = rgb.map(f32::from);
    let span = f32::from(high - low);
    let hue = match high {
        _ if rgb[0] == high => (60.0 * ((g - b) / span)).rem_euclid(360.0),
        _ if rgb[1] == high => 60.0 * (2.0 + (b - r) / span),
        _ => 60.0 * (4.0 + (r - g) / span),
    };
    let name = match hue {
        20.0..78.0 => 3,
        78.0..160.0 => 2,
        160.0..205.0 => 6,
        205.0..255.0 => 4,
        255.0..330.0 => 5,
        _ => 1,
    };
    // Light colours of a theme are named after their hue, not after the white in them.
    let bright = usize::from(high > 215 && low > 90) * 8;
    NAMED[bright + name].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_tells_the_depth() {
        let depth = |pairs: &[(&str, &str)]| {
            Depth::detect(|name| {
                pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm")]), Depth::Sixteen);
        assert_eq!(depth(&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Depth::None);
        assert_eq!(depth(&[("COLORTERM", "truecolor"), ("NO_COLOR", "")]), Depth::True);
    }

    #[test]
    fn contrasts_are_those_of_wcag() {
        let of = |a, b| contrast(rgb(parse(a).unwrap()).unwrap(), rgb(parse(b).unwrap()).unwrap());
        for (a, b, ratio) in [
            ("#000000", "#ffffff", 21.0),
            ("#ffffff", "#ffffff", 1.0),
            ("#777777", "#ffffff", 4.48),
            ("#767676", "#ffffff", 4.54),
            ("#0000ff", "#ffffff", 8.59),
            ("#ffff00", "black", 19.56),
        ] {
            assert!((of(a, b) - ratio).abs() < 0.01, "{a} on {b}: {}", of(a, b));
        }
        assert_eq!(rgb(Color::Reset), None);
        assert_eq!(rgb(Color::Indexed(244)), Some([128; 3]));
        assert_eq!(rgb(Color::Indexed(196)), Some([255, 0, 0]));
        assert_eq!(rgb(Color::Indexed(9)), rgb(Color::LightRed));
    }

    #[test]
    fn colours_go_to_their_nearest() {
        let rgb = |text| parse(text).unwrap();
        assert_eq!(Depth::Indexed.adapt(rgb("#ff0000")), Color::Indexed(196));
        assert_eq!(Depth::Indexed.adapt(rgb("#808080")), Color::Indexed(244));
        assert_eq!(Depth::Sixteen.adapt(rgb("#7aa2f7")), Color::LightBlue);
        assert_eq!(Depth::Sixteen.adapt(rgb("#c0caf5")), Color::White);
        assert_eq!(Depth::Sixteen.adapt(rgb("#9ece6a")), Color::Green);
        assert_eq!(Depth::Sixteen.adapt(rgb("#bb9af7")), Color::LightMagenta);
        assert_eq!(Depth::Sixteen.adapt(rgb("#565f89")), Color::Blue);
        assert_eq!(Depth::None.adapt(rgb("#7aa2f7")), Color::Reset);
        assert_eq!(parse("#12345"), None);
        assert_eq!(parse("grue"), None);
    }
}
