//! Round numbers on an axis, with labels that tell them apart exactly.

use super::plane::LEAST;
use crate::app::words::number_text;
use crate::text::width;
use crate::tracking::curve::Scale;

/// A labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ui) struct Tick {
    /// The height, or the position.
    pub at: f64,
    pub label: String,
}

/// A decimal number: `digits * 10^exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    fn value(self) -> f64 {
        // The parser rounds correctly, and knows numbers whose power of ten is none.
        format!("{}e{}", self.digits, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// All digits, with a decimal point where it belongs.
    fn plain(self) -> String {
        if self.exponent >= 0 {
            return format!("{}{}", self.digits, "0".repeat(self.exponent as usize));
        }
        let decimals = self.exponent.unsigned_abs() as usize;
        let digits = format!("{:0>1$}", self.digits.unsigned_abs(), decimals + 1);
        let (whole, part) = digits.split_at(digits.len() - decimals);
        let sign = if self.digits < 0 { "-" } else { "" };
        format!("{sign}{whole}.{part}")
    }

    fn scientific(self) -> String {
        let all = self.digits.unsigned_abs().to_string();
        let significant = all.trim_end_matches('0');
        if significant.is_empty() {
            return "0".into();
        }
        let (first, part) = significant.split_at(1);
        let sign = if self.digits < 0 { "-" } else { "" };
        let point = if part.is_empty() { "" } else { "." };
        let exponent = self.exponent + all.len() as i32 - 1;
        format!("{sign}{first}{point}{part}e{exponent}")
    }
}

/// The largest number of the form 1, 2 or 5 times a power of ten that is at most `limit`.
fn step_within(limit: f64) -> Decimal {
    let exponent = limit.log10().floor() as i32;
    // The logarithm may be rounded to either side of a power of ten.
    let sizes = (exponent - 1..=exponent + 1).rev();
    let mut steps = sizes.flat_map(|exponent| [5, 2, 1].map(|digits| Decimal { digits, exponent }));
    let smallest = Decimal { digits: 1, exponent: exponent - 1 };
    steps.find(|step| step.value() <= limit).unwrap_or(smallest)
}

/// The next smaller step.
fn finer(step: Decimal) -> Decimal {
    match step.digits {
        5 => Decimal { digits: 2, ..step },
        2 => Decimal { digits: 1, ..step },
        _ => Decimal { digits: 5, exponent: step.exponent - 1 },
    }
}

/// The multiples of a step in a range.
fn multiples(step: Decimal, low: f64, high: f64) -> Vec<Decimal> {
    const ROUNDING: f64 = 1e-9;
    let size = step.value();
    let first = (low / size - ROUNDING).ceil() as i128;
    let last = (high / size + ROUNDING).floor() as i128;
    (first..=last).map(|count| Decimal { digits: count * step.digits, ..step }).collect()
}

/// Round numbers between two others: at most `most`, but at least `least`, which is up to 2. Some ranges have no two
/// round numbers in them without having up to 5.
fn round(low: f64, high: f64, least: usize, most: usize) -> Vec<Decimal> {
    // Halve first: the difference of two finite numbers may be infinite.
    let half = high / 2.0 - low / 2.0;
    if half <= LEAST {
        return Vec::new();
    }
    // A step of a fifth to a half of the range has two to five multiples in it, and there always is one.
    let mut step = Decimal { digits: 5, exponent: step_within(half).exponent + 1 };
    let mut found = Vec::new();
    loop {
        let more = multiples(step, low, high);
        if more.len() > most && found.len() >= least {
            return found;
        }
        found = more;
        step = finer(step);
    }
}

/// Ticks between two heights: at most `most`, with labels of at most `room` cells. There are none if the labels
/// have no room.
pub(super) fn heights(
    scale: Scale,
    (low, high): (f64, f64),
    most: usize,
    room: usize,
) -> Vec<Tick> {
    let numbers = match scale {
        Scale::Linear => round(low, high, 2, most),
        Scale::Logarithmic => {
            let decades = decades(low, high, most);
            if decades.len() > 1 {
                let label = |number: &Decimal| match number.exponent {
                    -4..=5 => number.plain(),
                    _ => number.scientific(),
                };
                let tick = |number: &Decimal| Tick {
                    at: f64::from(number.exponent) + (number.digits as f64).log10(),
                    label: label(number),
                };
                let ticks: Vec<Tick> = decades.iter().map(tick).collect();
                let fit = ticks.iter().all(|tick| width(&tick.label) <= room);
                return if fit { ticks } else { Vec::new() };
            }
            round(scale.value(low), scale.value(high), 2, most)
        }
    };
    let height = |value: f64| match scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.log10(),
    };
    let labels = labels(&numbers, room);
    let ticks = numbers.iter().zip(labels);
    ticks
        .map(|(number, label)| Tick { at: height(number.value()).clamp(low, high), label })
        .collect()
}

/// Powers of ten between two exponents: each, or each second, fifth, tenth... If there is only one, the numbers 1, 2
/// and 5 times a power of ten.
fn decades(low: f64, high: f64, most: usize) -> Vec<Decimal> {
    let power = |exponent: i32| Decimal { digits: 1, exponent };
    let mut step = 1;
    loop {
        let first = (low / f64::from(step)).ceil() as i32;
        let last = (high / f64::from(step)).floor() as i32;
        let count = (last - first + 1).max(0) as usize;
        if count <= most.max(2) {
            let found: Vec<Decimal> = (first..=last).map(|at| power(at * step)).collect();
            if step > 1 || count > 1 {
                return found;
            }
            break;
        }
        step = match step.to_string().starts_with('2') {
            true => step / 2 * 5,
            false => step * 2,
        };
    }
    let all = (low.floor() as i32..=high.floor() as i32)
        .flat_map(|exponent| [1, 2, 5].map(|digits| Decimal { digits, exponent }));
    let within = |number: &Decimal| {
        let height = f64::from(number.exponent) + (number.digits as f64).log10();
        low <= height && height <= high
    };
    let found: Vec<Decimal> = all.filter(within).collect();
    if found.len() <= most.max(2) { found } else { Vec::new() }
}

/// The labels of round numbers, all written alike. Where all digits have no room the first label is the rounded
/// number, and the others are the distances to it.
fn labels(numbers: &[Decimal], room: usize) -> Vec<String> {
    let fit = |labels: &[String]| labels.iter().all(|label| width(label) <= room);
    let largest = numbers.iter().map(|number| number.value().abs()).fold(0.0, f64::max);
    let write = match (1e-3..1e6).contains(&largest) {
        true => Decimal::plain,
        false => Decimal::scientific,
    };
    let labels: Vec<String> = numbers.iter().map(|number| write(*number)).collect();
    if fit(&labels) {
        return labels;
    }
    let Some(first) = numbers.first() else { return labels };
    let distance = |number: &Decimal| {
        format!("+{}", Decimal { digits: number.digits - first.digits, ..*number }.scientific())
    };
    let mut labels: Vec<String> = numbers.iter().map(distance).collect();
    labels[0] = number_text(first.value());
    if fit(&labels) { labels } else { Vec::new() }
}

/// Ticks of whole steps, such as `10k`.
pub(super) fn steps((from, to): (f64, f64), most: usize) -> Vec<Tick> {
    if from == to {
        return vec![Tick { at: from, label: short(from as i128) }];
    }
    let mut numbers = round(from, to, 1, most);
    if numbers.iter().any(|number| number.exponent < 0) {
        numbers = multiples(Decimal { digits: 1, exponent: 0 }, from, to);
    }
    let whole = |number: Decimal| number.digits * 10_i128.pow(number.exponent as u32);
    let tick = |number: Decimal| {
        let at = number.value().clamp(from, to);
        Tick { at, label: short(whole(number)) }
    };
    numbers.into_iter().map(tick).collect()
}

/// A whole number, with `k`, `M` or `G` if that makes the text no longer.
pub(super) fn short(number: i128) -> String {
    let mut best = number.to_string();
    for (exponent, suffix) in [(3, "k"), (6, "M"), (9, "G")] {
        if number.unsigned_abs() < 10_u128.pow(exponent) {
            break;
        }
        let text = Decimal { digits: number, exponent: -(exponent as i32) }.plain();
        let text = format!("{}{suffix}", text.trim_end_matches('0').trim_end_matches('.'));
        if text.len() <= best.len() {
            best = text;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(scale: Scale, low: f64, high: f64) -> Vec<String> {
        heights(scale, (low, high), 5, 12).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn numbers_on_a_linear_axis_are_round() {
        for (low, high, labels) in [
            (0.0, 1.0, &["0.0", "0.5", "1.0"][..]),
            (0.13, 0.87, &["0.2", "0.4", "0.6", "0.8"]),
            (-3.0, 4.0, &["-2", "0", "2", "4"]),
            (0.0, 4e7, &["0", "1e7", "2e7", "3e7", "4e7"]),
            (0.0, 5e-6, &["0", "2e-6", "4e-6"]),
            (-1e308, 1e308, &["-1e308", "-5e307", "0", "5e307", "1e308"]),
            (1e9, 1e9 + 4e-6, &["1.000e9", "+1e-6", "+2e-6", "+3e-6", "+4e-6"]),
            (990.0, 1010.0, &["990", "995", "1000", "1005", "1010"]),
        ] {
            assert_eq!(drawn(Scale::Linear, low, high), labels, "{low} to {high}");
        }
    }

    #[test]
    fn numbers_on_a_logarithmic_axis_are_decades() {
        for (low, high, labels) in [
            (-3.0, 1.0, &["0.001", "0.01", "0.1", "1", "10"][..]),
            (-9.5, 1.0, &["1e-8", "1e-6", "0.0001", "0.01", "1"]),
            (-320.0, 308.0, &["1e-200", "1", "1e200"]),
            (0.1, 0.9, &["2", "5"]),
            (0.5, 1.4, &["5", "10", "20"]),
            (0.0, 0.1, &["1.0", "1.1", "1.2"]),
        ] {
            assert_eq!(drawn(Scale::Logarithmic, low, high), labels, "{low} to {high}");
        }
    }

    #[test]
    fn steps_are_short_and_exact() {
        for (number, text) in [
            (0, "0"),
            (950, "950"),
            (1_000, "1k"),
            (10_000, "10k"),
            (1_500, "1.5k"),
            (123_456, "123456"),
            (2_000_000, "2M"),
            (-3_000_000_000, "-3G"),
        ] {
            assert_eq!(short(number), text);
        }
        let labels = |from, to| steps((from, to), 5).into_iter().map(|tick| tick.label);
        assert!(labels(0.0, 25_000.0).eq(["0", "10k", "20k"].map(String::from)));
        assert!(labels(10.2, 12.1).eq(["11", "12"].map(String::from)), "steps are whole");
        assert!(labels(7.0, 7.0).eq(["7".to_owned()]));
    }

    proptest! {
        #[test]
        fn any_range_has_two_to_five_different_labels(a in any::<f64>(), b in any::<f64>(), near in any::<bool>()) {
            let b = if near { a * (1.0 + b.abs().min(1.0) * 1e-12) } else { b };
            let (low, high) = super::super::plane::heights(a.min(b), a.max(b));
            prop_assume!(low > f64::MIN && high < f64::MAX);
            let ticks = heights(Scale::Linear, (low, high), 5, 30);
            prop_assert!((2..=5).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks.iter().all(|tick| low <= tick.at && tick.at <= high));
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at <= pair[1].at && pair[0].label != pair[1].label));
        }

        #[test]
        fn any_logarithmic_range_has_two_to_five_labels(low in -320.0..308.0, span in 1e-6..600.0) {
            let high = f64::min(low + span, 308.2);
            prop_assume!(low > -300.0 || high - low > 2.0);
            let ticks = heights(Scale::Logarithmic, (low, high), 5, 30);
            prop_assert!((2..=5).contains(&ticks.len()), "{ticks:?}");
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at && pair[0].label != pair[1].label));
        }
    }
}
