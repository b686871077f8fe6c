//! How large a card may be, and what is cut first.
//!
//! Teams takes 28,672 bytes, counted after it has wrapped the card: a request of 24,453 bytes was 28,897 for it. What it does to
//! characters other than ASCII is not known, so that each counts as the escape `\uXXXX`.
//!
//! Source: <https://github.com/MicrosoftDocs/msteams-docs/issues/11274>

use serde_json::Value;

/// The most bytes of a request, each character other than ASCII counted as six bytes for each of its UTF-16 units.
pub const REQUEST_LIMIT: usize = 20_000;
/// What a card leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many objects or events its lists count, but do not name.
    pub items: usize,
    /// How many facts.
    pub facts: usize,
    /// How many footnotes.
    pub footnotes: usize,
    /// Whether a text is shorter than it would usually be.
    pub shortened: bool,
}

impl Left {
    /// Whether the card has everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How much of each part is shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) footnotes: usize,
    pub(super) facts: usize,
    pub(super) value: usize,
    pub(super) own_text: usize,
    pub(super) detail: usize,
    pub(super) step: usize,
    /// How many workbooks are named that use a data source.
    pub(super) workbooks: usize,
}

/// From everything to less: footnotes go first, then the last facts and most names of workbooks, then texts become shorter.
pub(super) const LEVELS: [Limits; 4] = [
    Limits { footnotes: 12, facts: 24, value: 500, own_text: 3_000, detail: 1_400, step: 700, workbooks: 5 },
    Limits { footnotes: 2, facts: 24, value: 500, own_text: 3_000, detail: 1_400, step: 700, workbooks: 5 },
    Limits { footnotes: 2, facts: 5, value: 200, own_text: 3_000, detail: 1_400, step: 700, workbooks: 2 },
    Limits { footnotes: 2, facts: 5, value: 120, own_text: 900, detail: 400, step: 400, workbooks: 0 },
];
/// The least, which fits whatever the texts are.
pub(super) const LEAST: Limits =
    Limits { footnotes: 0, facts: 3, value: 40, own_text: 100, detail: 80, step: 100, workbooks: 0 };

/// What a value counts against [`REQUEST_LIMIT`].
pub(super) fn weight(value: &Value) -> usize {
    value.to_string().chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_characters_than_ascii_count_as_escapes() {
        assert_eq!(weight(&Value::from("aé👍")), 2 + 1 + 6 + 12);
    }
}
