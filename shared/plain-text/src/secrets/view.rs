//! Decodes escapes in a text, so that names and values in it are recognised: `password%3Dx`, `{\"password\":\"x\"}`,
//! `password&#61;x`.

use crate::is_invisible;
use std::borrow::Cow;
use std::ops::Range;

/// How many layers of escapes are decoded: a URL in JSON in JSON has three.
const LAYERS: u8 = 3;

/// A decoded text, with the original position of each of its bytes.
pub(super) struct View<'a> {
    text: Cow<'a, str>,
    /// The position of each byte in the original text, followed by the original's length. `None` if nothing was
    /// decoded.
    places: Option<Vec<u32>>,
    layer: u8,
}

impl<'a> View<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text), places: None, layer: 0 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The part of the original text that a part of this text was decoded from.
    pub(super) fn original(&self, part: Range<usize>) -> Range<usize> {
        match &self.places {
            None => part,
            Some(_) => self.place(part.start)..self.place(part.end),
        }
    }

    fn place(&self, at: usize) -> usize {
        match &self.places {
            None => at,
            Some(places) => places.get(at).map_or(0, |place| *place as usize),
        }
    }

    /// The text with one layer of escapes decoded; `None` when it contains no escapes.
    pub(super) fn decoded(&self) -> Option<View<'static>> {
        let is_escape = |c: char| matches!(c, '%' | '\\' | '&') || !c.is_ascii();
        if self.layer == LAYERS || !self.text.contains(is_escape) {
            return None;
        }
        let mut text = String::with_capacity(self.text.len());
        let mut places = Vec::with_capacity(self.text.len() + 1);
        let mut changed = false;
        let mut at = 0;
        while let Some(c) = self.text[at..].chars().next() {
            let place = u32::try_from(self.place(at)).ok()?;
            let (shown, length) = match escape(&self.text[at..]) {
                Some((decoded, length)) => {
                    changed = true;
                    (decoded, length)
                }
                None => (Some(c), c.len_utf8()),
            };
            if let Some(shown) = shown {
                text.push(shown);
                places.resize(text.len(), place);
            }
            at += length;
        }
        places.push(u32::try_from(self.place(at)).ok()?);
        changed.then(|| View { text: Cow::Owned(text), places: Some(places), layer: self.layer + 1 })
    }
}

/// The character that an escape at the beginning of a text stands for, and the escape's length. `None` in place of
/// the character if that is invisible.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let first = text.chars().next()?;
    let decoded = match first {
        '%' => hex(text.get(1..3)?).map(|c| (c, 3)),
        '\\' => backslash(text.as_bytes().get(1).copied()?, text),
        '&' => entity(text),
        // Full-width characters, such as `：` and `＝` between Japanese words.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(first) - 0xfee0).map(|c| (c, 3)),
        c if is_invisible(c) => return Some((None, c.len_utf8())),
        _ => None,
    };
    decoded.map(|(c, length)| (Some(c), length))
}

fn hex(digits: &str) -> Option<char> {
    let code = u32::from_str_radix(digits, 16).ok()?;
    shown(code)
}

/// Visible ASCII characters and line breaks. Other escapes cannot hide a name or a separator.
fn shown(code: u32) -> Option<char> {
    char::from_u32(code).filter(|c| matches!(c, '\n' | '\r' | '\t' | ' '..='~'))
}

fn backslash(next: u8, text: &str) -> Option<(char, usize)> {
    match next {
        b'n' | b'r' => Some(('\n', 2)),
        b't' => Some(('\t', 2)),
        b'/' | b'"' | b'\'' | b'\\' | b'=' | b':' => Some((char::from(next), 2)),
        b'u' => hex(text.get(2..6)?).map(|c| (c, 6)),
        b'x' => hex(text.get(2..4)?).map(|c| (c, 4)),
        _ => None,
    }
}

fn entity(text: &str) -> Option<(char, usize)> {
    let length = text.bytes().take(10).position(|b| b == b';')?;
    let name = text.get(1..length)?;
    let c = match name {
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "lt" => '<',
        "gt" => '>',
        name => {
            let number = name.strip_prefix('#')?;
            match number.strip_prefix(['x', 'X']) {
                Some(number) => hex(number)?,
                None => shown(number.parse().ok()?)?,
            }
        }
    };
    Some((c, length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_off_layer_by_layer_and_parts_lead_back_to_the_original() {
        let text = r"a=%2522x%22 \u0022y\&quot; ＝z";
        let once = View::of(text).decoded().unwrap();
        assert_eq!(once.text(), "a=%22x\" \"y\\\" =z");
        let twice = once.decoded().unwrap();
        assert_eq!(twice.text(), "a=\"x\" \"y\" =z");
        let at = twice.text().find('y').unwrap();
        assert_eq!(&text[twice.original(at..at + 2)], "y\\&quot;");
        assert_eq!(&text[twice.original(0..twice.text().len())], text);
        assert!(twice.decoded().is_none() && View::of("plain 100 text").decoded().is_none());
    }
}
