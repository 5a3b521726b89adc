//! Texts that many places share, kept once.

use std::collections::HashMap;

/// Numbered texts. Number 0 is the empty text.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Interner {
    /// The number of `text`, a new one if it is new; `None` when numbers have run out.
    pub(super) fn intern(&mut self, text: &str) -> Option<u32> {
        if text.is_empty() {
            return Some(0);
        }
        if let Some(&number) = self.numbers.get(text) {
            return Some(number);
        }
        self.texts.push(text.into());
        let number = u32::try_from(self.texts.len()).ok()?;
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// The text of `number`.
    pub(super) fn get(&self, number: u32) -> &str {
        (number as usize).checked_sub(1).and_then(|at| self.texts.get(at)).map_or("", |text| text)
    }

    /// Drops what only new texts need.
    pub(super) fn finish(mut self) -> Self {
        self.numbers = HashMap::new();
        self.texts.shrink_to_fit();
        self
    }
}
