//! Decodes the encodings that a text may use, and remembers where each decoded byte came from.

use std::ops::Range;

/// A decoded text.
pub(crate) struct Decoded {
    pub(crate) bytes: Vec<u8>,
    /// For each decoded byte: the start and end of its encoded form in the original.
    pub(crate) spans: Vec<(u32, u32)>,
}

/// JSON's one-character escapes, with the characters they stand for.
const ESCAPES: [(u8, u8); 10] = [
    (b'/', b'/'),
    (b'\\', b'\\'),
    (b'"', b'"'),
    (b'\'', b'\''),
    (b'n', b'\n'),
    (b'r', b'\r'),
    (b't', b'\t'),
    (b'b', 8),
    (b'f', 12),
    (b'0', 0),
];
const ENTITIES: [(&[u8], u8); 5] =
    [(b"amp;", b'&'), (b"lt;", b'<'), (b"gt;", b'>'), (b"quot;", b'"'), (b"apos;", b'\'')];
/// The most digits in an escape or entity: `\u{10FFFF}`, `&#1114111;`, and some leading zeros.
const MOST_DIGITS: usize = 10;

/// Decodes one level of JSON escapes, percent encoding and XML entities; `None` if the text contains none. `spans`
/// says where each byte came from, if the text was already decoded before.
pub(crate) fn decoded(bytes: &[u8], spans: Option<&[(u32, u32)]>) -> Option<Decoded> {
    let span = |from: usize, to: usize| match spans {
        Some(spans) => (spans[from].0, spans[to - 1].1),
        None => (short(from), short(to)),
    };
    let mut text = Decoded { bytes: Vec::new(), spans: Vec::new() };
    let changed = decode(bytes, |from, to, decoded| {
        text.bytes.extend_from_slice(decoded);
        match decoded.len() == to - from {
            true if spans.is_none() => text.spans.extend((from..to).map(|at| span(at, at + 1))),
            true => text.spans.extend_from_slice(&spans.unwrap_or_default()[from..to]),
            false => text.spans.extend(std::iter::repeat_n(span(from, to), decoded.len())),
        }
    });
    changed.then_some(text)
}

/// Like `decoded`, but returns, in place of the origin of each byte, the ranges of the result that were decoded,
/// widened by `around` bytes and merged.
pub(crate) fn decoded_places(bytes: &[u8], around: usize) -> Option<(Vec<u8>, Vec<Range<usize>>)> {
    let mut text = Vec::new();
    let mut places: Vec<Range<usize>> = Vec::new();
    let changed = decode(bytes, |from, to, decoded| {
        let at = text.len();
        text.extend_from_slice(decoded);
        if decoded.len() < to - from {
            let place = at.saturating_sub(around)..text.len() + around;
            match places.last_mut() {
                Some(last) if place.start <= last.end => last.end = place.end,
                _ => places.push(place),
            }
        }
    });
    if let Some(last) = places.last_mut() {
        last.end = last.end.min(text.len());
    }
    changed.then_some((text, places))
}

/// Splits a text into parts and calls `part` for each, with its start, its end and its decoded bytes. Returns
/// `false`, without any call, if nothing is encoded.
fn decode(bytes: &[u8], mut part: impl FnMut(usize, usize, &[u8])) -> bool {
    let mut plain_from = 0;
    let mut at = 0;
    let mut changed = false;
    while let Some(next) = bytes[at..].iter().position(|byte| matches!(byte, b'\\' | b'%' | b'&')) {
        at += next;
        let rest = &bytes[at + 1..];
        let found = match bytes[at] {
            b'\\' => escape(rest),
            b'%' => hex_byte(rest).map(|byte| (Char::Byte(byte), 2)),
            _ => entity(rest),
        };
        let Some((char, taken)) = found else {
            at += 1;
            continue;
        };
        changed = true;
        part(plain_from, at, &bytes[plain_from..at]);
        let end = at + 1 + taken;
        match char {
            Char::Byte(byte) => part(at, end, &[byte]),
            Char::Unicode(char) => part(at, end, char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        plain_from = end;
        at = end;
    }
    if changed {
        part(plain_from, bytes.len(), &bytes[plain_from..]);
    }
    changed
}

fn short(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[derive(Clone, Copy)]
enum Char {
    Byte(u8),
    Unicode(char),
}

/// The character after a backslash, and the length of its escape.
fn escape(rest: &[u8]) -> Option<(Char, usize)> {
    match rest {
        [b'u', b'{', digits @ ..] => {
            let (number, length) = number(digits, 16)?;
            let ends = digits.get(length) == Some(&b'}');
            char::from_u32(number).filter(|_| ends).map(|char| (Char::Unicode(char), length + 3))
        }
        [b'u', rest @ ..] => {
            let unit = utf16_unit(rest)?;
            match rest.get(4..) {
                Some([b'\\', b'u', low @ ..]) if (0xd800..0xdc00).contains(&unit) => {
                    let pair = char::decode_utf16([unit, utf16_unit(low)?]).next()?.ok()?;
                    Some((Char::Unicode(pair), 11))
                }
                _ => char::from_u32(u32::from(unit)).map(|char| (Char::Unicode(char), 5)),
            }
        }
        [b'x', rest @ ..] => hex_byte(rest).map(|byte| (Char::Byte(byte), 3)),
        [byte, ..] => ESCAPES.iter().find(|(name, _)| name == byte).map(|(_, byte)| (Char::Byte(*byte), 1)),
        [] => None,
    }
}

fn utf16_unit(digits: &[u8]) -> Option<u16> {
    let bytes = [hex_byte(digits)?, hex_byte(digits.get(2..)?)?];
    Some(u16::from_be_bytes(bytes))
}

/// The character that an XML entity stands for, and the entity's length.
fn entity(rest: &[u8]) -> Option<(Char, usize)> {
    if let Some((name, byte)) = ENTITIES.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((Char::Byte(*byte), name.len()));
    }
    let (digits, radix, before) = match rest {
        [b'#', b'x' | b'X', digits @ ..] => (digits, 16, 2),
        [b'#', digits @ ..] => (digits, 10, 1),
        _ => return None,
    };
    let (number, length) = number(digits, radix)?;
    let ends = digits.get(length) == Some(&b';');
    char::from_u32(number).filter(|_| ends).map(|char| (Char::Unicode(char), before + length + 1))
}

/// The number at the beginning of the text, and how many digits it has.
fn number(digits: &[u8], radix: u32) -> Option<(u32, usize)> {
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let length = digits.iter().take(MOST_DIGITS).take_while(is_digit).count();
    let digits = std::str::from_utf8(&digits[..length]).ok()?;
    u32::from_str_radix(digits, radix).ok().map(|number| (number, length))
}

/// The byte that two hexadecimal digits stand for.
pub(crate) fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match digits {
        [high, low, ..] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    }
}

/// The value of a base64 character, in the standard alphabet or the alphabet for URLs.
pub(crate) fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<String> {
        decoded(text.as_bytes(), None).map(|text| String::from_utf8(text.bytes).unwrap())
    }

    #[test]
    fn one_level_of_each_encoding_is_taken_off() {
        for (text, expected) in [
            (r"a\/b\\\u00e9\u{e9}\x41\n", "a/b\\\u{e9}\u{e9}A\n"),
            (r"\ud83d\udca1", "\u{1f4a1}"),
            ("a%2Fb%2f%C3%A9", "a/b/\u{e9}"),
            ("&amp;&lt;&gt;&quot;&apos;&#65;&#x41;&#X0041;", "&<>\"'AAA"),
            ("%2541", "%41"),
        ] {
            assert_eq!(plain(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "plain", "100%", "%zz", "a & b", r"\q", r"\u12", "&#;", "&#x110000;", r"\ud83d"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }
}
