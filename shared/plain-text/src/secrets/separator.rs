//! Recognises what stands between a name and its value: `=`, `: `, an XML tag, "is", or only a space.

use super::tie::{Tie, gap, value_start};
use super::value::opening_quote;
use super::{name, spoken};

/// The longest start tag of an XML element, in bytes.
const TAG_LIMIT: usize = 300;

/// Signs that separate a name from its value, but that ordinary sentences contain too.
const LOOSE: [&str; 15] = ["-->", "--", "...", "…", ">>", "-", "–", "—", "/", ",", ";", ">", "~", "|", "•"];

/// How the name that ends at `end` is connected with the text after it, and where that text begins.
pub(super) fn tie(text: &str, start: usize, end: usize) -> Option<(Tie, usize)> {
    if let Some(value) = element(text, start, end) {
        return Some((Tie::Element, value));
    }
    let rest = &text[end..];
    let closed = rest.trim_start_matches(['"', '\'', '`', ']', ')', '*', '\\', '”', '’']);
    let is_closed = closed.len() < rest.len();
    let is_quoted = rest.starts_with(['"', '\'', '\\', '`']);
    let apart = gap(closed);
    let behind = &closed[apart..];
    let at = text.len() - behind.len();
    if let Some(value) = named_beside(text, at, is_quoted) {
        return Some((Tie::Strong, value));
    }
    for (separator, tie) in [
        ("=>", Tie::Strong),
        ("==>", Tie::Strong),
        ("==", Tie::Strong),
        (":=", Tie::Strong),
        ("=", Tie::Strong),
        ("->", Tie::Strong),
        ("→", Tie::Strong),
        ("|", Tie::Strong),
        (":", Tie::Weak),
    ] {
        let Some(value) = behind.strip_prefix(separator) else { continue };
        // A scope operator (`::`) or a URL (`://`) is no separator.
        if separator == ":" && (value.starts_with(':') || value.starts_with("//")) {
            return None;
        }
        // A `|` inside a word is no separator.
        if separator == "|" && apart == 0 {
            break;
        }
        let tie = if is_quoted || !value.starts_with(char::is_whitespace) { Tie::Strong } else { tie };
        let (at, is_block) = value_start(text, text.len() - value.len())?;
        return Some((if is_block { Tie::Block } else { tie }, at));
    }
    if let Some(inner) = behind.strip_prefix(['(', '<']).filter(|_| !is_closed) {
        return Some((Tie::Beside, text.len() - inner.len()));
    }
    if is_quoted {
        return None;
    }
    // `sshpass -p`: the dash begins an option.
    let is_option = !behind.starts_with("-->")
        && apart > 0
        && behind.starts_with(['-', '/'])
        && !behind[1..].starts_with(char::is_whitespace);
    if let Some(value) =
        LOOSE.iter().find_map(|separator| behind.strip_prefix(separator)).filter(|_| !is_option)
    {
        return Some((Tie::Loose, text.len() - value.len() + gap(value)));
    }
    if (apart == 0 && opening_quote(behind).is_none()) || behind.starts_with('\n') {
        return None;
    }
    if let Some(spoken) = spoken::tie(text, at) {
        return Some(spoken);
    }
    (!behind.is_empty()).then_some((Tie::Beside, at))
}

/// The start of the text of an XML element that has the name as its tag or attribute: `<password>`, `<entry
/// key="password">`, `<key>password</key><string>`.
fn element(text: &str, start: usize, end: usize) -> Option<usize> {
    let rest = &text.as_bytes()[end..(end + TAG_LIMIT).min(text.len())];
    let is_tag = text[..start].ends_with('<') || (text[..start].ends_with(':') && tag_before(text, start));
    let is_attribute = matches!(rest, [b'"' | b'\'', b'>', ..]);
    if is_tag || is_attribute {
        let close = rest.iter().position(|b| matches!(b, b'>' | b'<')).filter(|at| rest[*at] == b'>')?;
        let has_text = close == 0 || rest[close - 1] != b'/';
        return has_text.then_some(end + close + 1).filter(|at| has_content(text, *at));
    }
    let closed = rest.strip_prefix(b"</")?;
    let close = end + 2 + closed.iter().position(|b| *b == b'>')? + 1;
    let next = close + (text[close..].len() - text[close..].trim_start().len());
    let tag = text.get(next..)?.strip_prefix('<').filter(|tag| !tag.starts_with('/'))?;
    let open = tag.bytes().take(TAG_LIMIT).position(|b| b == b'>')?;
    Some(next + 1 + open + 1).filter(|at| has_content(text, *at))
}

/// Whether the name at `start` is `b` in the XML tag `<a:b`.
fn tag_before(text: &str, start: usize) -> bool {
    let head =
        text[..start - 1].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    head.len() + 48 > start && head.ends_with('<')
}

fn has_content(text: &str, at: usize) -> bool {
    let content = text[at..].trim_start();
    !content.is_empty() && (!content.starts_with('<') || content.starts_with("<![CDATA["))
}

/// The start of the value in `name="password" value="x"`, `{"name": "password", "value": "x"}` and `('password',
/// 'x')`. The name ends before `at`.
fn named_beside(text: &str, at: usize, is_quoted: bool) -> Option<usize> {
    let rest = &text[at..];
    let behind = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    let next = behind.trim_start_matches(['"', '\'', '\\', '-']);
    let length = next.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(next.len());
    if name::is_value(&next[..length]) {
        let separator = next[length..].trim_start_matches(['"', '\'', '\\', ' ']);
        let value = separator.strip_prefix(['=', ':'])?.trim_start();
        return Some(text.len() - value.len());
    }
    let is_pair = is_quoted && rest.starts_with(',') && opening_quote(behind).is_some();
    let head = text[..at].trim_end_matches(['"', '\'', '\\', ' ']);
    let opened = head.trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    let opened = opened.trim_end_matches(['"', '\'', '\\']);
    (is_pair && opened.ends_with(['(', '['])).then(|| text.len() - behind.len())
}
