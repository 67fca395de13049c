//! A small generator of numbers and words: the same ones each time.

/// The state of the generator; any number but 0.
pub struct Dice(pub u64);

impl Dice {
    /// A number below a limit (xorshift64, Marsaglia 2003).
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// One of these.
    pub fn one<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// One of the words of a text, in which `+` stands for a blank.
    pub fn word(&mut self, words: &str) -> String {
        let words: Vec<&str> = words.split(' ').collect();
        self.one(&words).replace('+', " ")
    }
}
