//! Finds private keys in PuTTY's format: `Private-Lines: 14`, that many lines, and `Private-MAC: …`.
//!
//! Source: <https://the.earth.li/~sgtatham/putty/latest/htmldoc/AppendixC.html>

use super::parts::Parts;
use super::tie::gap;

const LINES: &str = "private-lines";
/// Fields that are computed from the private key or with its passphrase.
const CHECKS: [&str; 2] = ["private-mac", "private-hash"];
/// A number of lines that is larger than that of any key.
const MOST_LINES: usize = 400;

/// Adds the lines of private keys, and the fields computed from them.
pub(super) fn find(text: &str, found: &mut Parts) {
    let is_p = |(_, c): &(usize, char)| matches!(c, 'P' | 'p');
    for (at, _) in text.char_indices().filter(is_p) {
        let behind = |name: &str| {
            let word = text.get(at..at + name.len()).filter(|word| word.eq_ignore_ascii_case(name))?;
            let end = at + word.len();
            let colon = end + gap(&text[end..]);
            text[colon..].starts_with([':', '=']).then_some(colon + 1)
        };
        if let Some(value) = CHECKS.iter().find_map(|check| behind(check)) {
            let start = value + gap(&text[value..]);
            let end = text[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len() - start);
            found.push(start..start + end);
        } else if let Some(count) = behind(LINES) {
            found.extend(body(text, count + gap(&text[count..])));
        }
    }
}

/// The base64 lines (or words) after the number of lines.
fn body(text: &str, count: usize) -> Option<std::ops::Range<usize>> {
    let digits = text[count..].bytes().take(4).take_while(u8::is_ascii_digit).count();
    let lines: usize = text[count..count + digits].parse().ok()?;
    let start = count + digits;
    let mut end = start;
    for word in text[start..].split_inclusive(char::is_whitespace).take(2 * lines.min(MOST_LINES) + 2) {
        let line = word.trim_end();
        let is_base64 = line.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
        if !is_base64 {
            break;
        }
        end += word.len();
    }
    let begin = end - text[start..end].trim_start().len();
    Some(begin..start + text[start..end].trim_end().len()).filter(|body| body.start < body.end)
}
